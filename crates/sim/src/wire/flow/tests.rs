use std::collections::HashMap;
use std::net::Ipv4Addr;

use proptest::prelude::*;
use weir_base::net::Addr16;

use super::*;

const AT: i64 = 1_795_312_800_123;

fn vectors() -> HashMap<&'static str, String> {
    let mut out: HashMap<&str, String> = HashMap::new();
    for line in include_str!("testdata/messages.hex").lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some((name, hex)) = line.split_once(' ') else { continue };
        out.entry(name).or_default().extend(hex.chars().filter(|c| !c.is_whitespace()));
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn event(what: What, create: bool) -> NatEvent {
    let six = matches!(what, What::Session64 | What::Bib64);
    let mapping = Mapping {
        what,
        inside: if six { "2001:db8:0:1::9" } else { "100.64.0.3" }.parse().unwrap(),
        inside_port: if six { 1_024 } else { 58_010 },
        public: Ipv4Addr::new(198, 18, 0, 7),
        port: if what == What::Block { 1_024 } else { 40_009 },
        port_end: if what == What::Block { 2_047 } else { 40_009 },
        protocol: if six { 17 } else { 6 },
        destination: Ipv4Addr::new(203, 0, 113, 1),
        destination_port: if six { 53 } else { 443 },
    };
    NatEvent { at: 0, create, mapping }
}

#[test]
fn ipfix_matches_the_bytes_put_together_by_hand() {
    let v = vectors();
    let mut e = FlowEncoder::new(Protocol::Ipfix, 1_000);
    e.push_templates();
    e.push(&event(What::Session44, true), AT);
    e.push(&event(What::Session44, false), AT + 1);
    e.push(&event(What::Session64, true), AT);
    e.push(&event(What::Bib44, true), AT);
    e.push(&event(What::Bib64, false), AT);
    e.push(&event(What::Address, true), AT);
    e.push(&event(What::Block, true), AT);
    assert_eq!(hex(&e.finish(AT, 0)), v["ipfix1"]);
    e.push(&event(What::Session44, true), AT);
    assert_eq!(hex(&e.finish(AT + 1_000, 0)), v["ipfix2"]);
    e.restart();
    e.push(&event(What::Session44, true), AT);
    assert_eq!(hex(&e.finish(AT + 1_000, 0)), v["ipfix3"]);
}

#[test]
fn netflow_9_matches_the_bytes_put_together_by_hand() {
    let v = vectors();
    let mut e = FlowEncoder::new(Protocol::Netflow9, 1_002);
    e.push_templates();
    e.push(&event(What::Session44, true), AT);
    e.push(&event(What::Address, true), AT);
    assert_eq!(hex(&e.finish(AT, 1_000)), v["v9a"]);
    e.push(&event(What::Session44, false), AT + 1);
    assert_eq!(hex(&e.finish(AT, 1_001)), v["v9b"]);
}

#[test]
fn record_lengths_are_the_sums_of_their_fields() {
    for what in TEMPLATES {
        let sum: usize = fields(what).iter().map(|(_, length)| usize::from(*length)).sum();
        assert_eq!(sum, record_bytes(what), "{what:?}");
        assert_eq!(TEMPLATES[usize::from(template_index(what))], what);
    }
}

fn be(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, b| (sum << 8) | u64::from(*b))
}

type Record = HashMap<u16, Vec<u8>>;

/// A decoder of just enough of both protocols, written apart from the encoder: it knows templates only from the wire.
fn decode(message: &[u8], templates: &mut HashMap<u16, Vec<(u16, usize)>>) -> (u64, Vec<Record>) {
    let v9 = be(&message[..2]) == 9;
    let header = if v9 { 20 } else { 16 };
    if !v9 {
        assert_eq!(be(&message[2..4]) as usize, message.len());
    }
    let sequence = be(&message[header - 8..header - 4]);
    let (mut at, mut records, mut counted) = (header, Vec::new(), 0);
    while at < message.len() {
        let (id, length) = (be(&message[at..at + 2]) as u16, be(&message[at + 2..at + 4]) as usize);
        let mut body = &message[at + 4..at + length];
        at += length;
        if id == if v9 { 0 } else { 2 } {
            while body.len() >= 4 {
                let (template, count) = (be(&body[..2]) as u16, be(&body[2..4]) as usize);
                let list = body[4..4 + 4 * count].chunks(4).map(|f| (be(&f[..2]) as u16, be(&f[2..]) as usize)).collect();
                templates.insert(template, list);
                body = &body[4 + 4 * count..];
                counted += 1;
            }
            continue;
        }
        let template = &templates[&id];
        let size: usize = template.iter().map(|f| f.1).sum();
        while body.len() >= size {
            let mut record = Record::new();
            for (ie, length) in template {
                record.insert(*ie, body[..*length].to_vec());
                body = &body[*length..];
            }
            records.push(record);
            counted += 1;
        }
        assert!(body.len() < 4 && body.iter().all(|b| *b == 0), "padding");
    }
    if v9 {
        assert_eq!(be(&message[2..4]), counted);
    }
    (sequence, records)
}

fn compare(record: &Record, event: &NatEvent, at: i64) {
    let m = &event.mapping;
    let port = |ie: u16| record.get(&ie).map(|b| be(b) as u16);
    assert_eq!(be(&record[&323]) as i64, at);
    assert_eq!(record[&230], [m.what.nat_event(event.create)]);
    assert_eq!(record[&225], m.public.octets());
    let inside = record
        .get(&8)
        .map(|b| Addr16::v4([b[0], b[1], b[2], b[3]]))
        .or_else(|| record.get(&27).map(|b| Addr16::from(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(b.as_slice()).unwrap()))));
    assert_eq!(inside, Some(m.inside));
    match m.what {
        What::Address => assert_eq!(record.len(), 4),
        What::Block => assert_eq!((port(361), port(362)), (Some(m.port), Some(m.port_end))),
        _ => {
            assert_eq!((port(7), port(227)), (Some(m.inside_port), Some(m.port)));
            assert_eq!(record[&4], [m.protocol]);
        }
    }
    if let Some(destination) = record.get(&12) {
        assert_eq!((destination.as_slice(), port(11)), (m.destination.octets().as_slice(), Some(m.destination_port)));
    }
}

fn any_event(v9: bool) -> impl Strategy<Value = NatEvent> {
    let kinds = if v9 { vec![What::Session44, What::Bib44, What::Address, What::Block] } else { TEMPLATES.to_vec() };
    (proptest::sample::select(kinds), any::<(bool, u32, u128, u16, u32, u16)>(), any::<(u16, u8, u32, u16)>()).prop_map(
        |(what, (create, v4, v6, inside_port, public, port), (port_end, protocol, destination, destination_port))| {
            let six = matches!(what, What::Session64 | What::Bib64);
            let inside = if six { Addr16(v6.to_be_bytes()) } else { Addr16::from(Ipv4Addr::from(v4)) };
            let (public, destination) = (Ipv4Addr::from(public), Ipv4Addr::from(destination));
            let mapping = Mapping { what, inside, inside_port, public, port, port_end, protocol, destination, destination_port };
            NatEvent { at: 0, create, mapping }
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(v9 in any::<bool>(), seed in any::<u32>(),
        events in proptest::collection::vec(any_event(false), 1..300)) {
        let events: Vec<NatEvent> =
            events.into_iter().filter(|e| !v9 || !matches!(e.mapping.what, What::Session64 | What::Bib64)).collect();
        let mut encoder = FlowEncoder::new(if v9 { Protocol::Netflow9 } else { Protocol::Ipfix }, seed);
        let mut messages = Vec::new();
        encoder.push_templates();
        for (n, event) in events.iter().enumerate() {
            if !encoder.has_room(event.mapping.what) {
                messages.push(encoder.finish(AT, n as i64));
            }
            encoder.push(event, AT + n as i64);
        }
        messages.push(encoder.finish(AT, 0));
        let (mut templates, mut seen) = (HashMap::new(), 0usize);
        for (n, message) in messages.iter().enumerate() {
            prop_assert!(message.len() <= DATAGRAM_BYTES);
            let (sequence, records) = decode(message, &mut templates);
            prop_assert_eq!(sequence as usize, if v9 { n } else { seen });
            for record in records {
                compare(&record, &events[seen], AT + seen as i64);
                seen += 1;
            }
        }
        prop_assert_eq!(seen, events.len());
    }
}

proptest! {
    #[test]
    fn every_kind_fits_a_v9_set(event in any_event(true)) {
        let mut encoder = FlowEncoder::new(Protocol::Netflow9, 1);
        encoder.push_templates();
        encoder.push(&event, AT);
        let message = encoder.finish(AT, 0);
        prop_assert_eq!(message.len() % 4, 0);
        compare(&decode(&message, &mut HashMap::new()).1[0], &event, AT);
    }
}
