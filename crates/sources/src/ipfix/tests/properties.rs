//! Properties: what is encoded is decoded, order and cuts do not matter, no bytes panic.

use proptest::prelude::*;
use weir_base::time::Millis;
use weir_record::kinds::NatEvent;

use super::super::elements::NOKIA;
use super::super::fuzz;
use super::super::parser::{self, Announcement, FieldSpec, Template, VARIABLE, Version};
use super::super::profile::Profile;
use super::super::testing::{Bench, NAT44, T0, ipfix, nat44, set, template_set, v9};

fn at(ms: i64) -> Millis {
    Millis(i64::from(T0) * 1000 + ms)
}

#[derive(Clone, Debug)]
struct Event {
    create: bool,
    time: u64,
    protocol: u8,
    inside: [u8; 4],
    public: [u8; 4],
    ports: [u16; 3],
    remote: [u8; 4],
}

fn event() -> impl Strategy<Value = Event> {
    let v4 = || any::<[u8; 4]>().prop_filter("an address", |a| *a != [0; 4]);
    (any::<bool>(), 1u64..1 << 45, any::<u8>(), v4(), v4(), any::<[u16; 3]>(), v4())
        .prop_map(|(create, time, protocol, inside, public, ports, remote)| Event { create, time, protocol, inside, public, ports, remote })
}

/// Fields of a session in some order, with fillers of any length and reduced integers in between.
fn layout() -> impl Strategy<Value = Vec<(u16, u16)>> {
    let known = vec![(323u16, 8u16), (230, 1), (4, 1), (8, 4), (7, 2), (225, 4), (227, 2), (12, 4), (11, 2)];
    let filler = (1000u16..2000, prop_oneof![3 => 0u16..9, 1 => Just(VARIABLE)]);
    (Just(known).prop_shuffle(), prop::collection::vec(filler, 0..4), any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut fields, fillers, place, variable)| {
            for filler in fillers {
                fields.insert(place.index(fields.len() + 1), filler);
            }
            if variable {
                fields.iter_mut().filter(|f| f.0 == 225 || f.0 == 227).for_each(|f| f.1 = VARIABLE);
            }
            fields
        },
    )
}

fn put(out: &mut Vec<u8>, length: u16, value: &[u8], long: bool) {
    if length == VARIABLE {
        if long {
            out.push(255);
            out.extend((value.len() as u16).to_be_bytes());
        } else {
            out.push(value.len() as u8);
        }
    }
    out.extend(value);
}

fn record(fields: &[(u16, u16)], e: &Event, number: u8, long: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (id, length) in fields {
        let value = match id {
            323 => e.time.to_be_bytes().to_vec(),
            230 => vec![number],
            4 => vec![e.protocol],
            8 => e.inside.to_vec(),
            7 => e.ports[0].to_be_bytes().to_vec(),
            225 => e.public.to_vec(),
            227 => e.ports[1].to_be_bytes().to_vec(),
            12 => e.remote.to_vec(),
            11 => e.ports[2].to_be_bytes().to_vec(),
            filler => vec![*filler as u8; if *length == VARIABLE { usize::from(*filler % 7) } else { usize::from(*length) }],
        };
        put(&mut out, *length, &value, long);
    }
    out
}

fn expected(e: &Event, form: u8) -> NatEvent {
    NatEvent {
        time: Millis(e.time as i64),
        action: if e.create { 1 } else { 2 },
        form,
        protocol: e.protocol,
        source: 1,
        public_address: weir_base::net::Addr16::v4(e.public),
        public_port: e.ports[1],
        public_port_last: e.ports[1],
        inside_address: weir_base::net::Addr16::v4(e.inside),
        inside_port: e.ports[0],
        ..NatEvent::default()
    }
}

fn field() -> impl Strategy<Value = (u32, u16, u16)> {
    (prop_oneof![Just(0u32), any::<u32>()], 1u16..0x7fff, 1u16..200)
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        fields in layout(),
        events in prop::collection::vec((event(), any::<bool>(), any::<bool>()), 1..40),
        is_v9 in any::<bool>(),
    ) {
        let version = if is_v9 { Version::V9 } else { Version::Ipfix };
        let spec: Vec<_> = fields.iter().map(|(id, length)| (0, *id, *length)).collect();
        let mut body = Vec::new();
        let mut want = Vec::new();
        for (e, bib, long) in &events {
            let (number, form) = match (bib, e.create) {
                (false, true) => (4, 1),
                (false, false) => (5, 1),
                (true, true) => (8, 2),
                (true, false) => (9, 2),
            };
            body.extend(record(&fields, e, number, *long));
            want.push(expected(e, form));
        }
        let sets = [template_set(version, 300, &spec), set(300, &body)];
        let message = if is_v9 { v9(5, T0, 0, 9, &sets) } else { ipfix(T0, 0, 9, &sets) };
        let mut bench = Bench::new(Profile::Rfc8158);
        bench.feed(at(0), &message);
        prop_assert_eq!(&bench.rows.events, &want);
        prop_assert!(bench.rows.malformed.is_empty(), "{:?}", bench.rows.malformed);
        let counters = bench.register.counters("127.0.0.1/9");
        prop_assert_eq!(counters.destinations_dropped, want.iter().filter(|e| e.form == 1).count() as u64);
    }

    #[test]
    fn neither_cuts_nor_order_change_the_records(
        counts in prop::collection::vec(1usize..6, 1..12),
        order in any::<prop::sample::Index>(),
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
    ) {
        let total: usize = counts.iter().sum();
        let records: Vec<Vec<u8>> = (0..total).map(|n| nat44(4, 1_000 + n as u64, n as u16)).collect();
        let template = template_set(Version::Ipfix, 256, NAT44);
        let whole = ipfix(T0, 0, 1, &[template.clone(), set(256, &records.concat())]);
        let mut one = Bench::new(Profile::Rfc8158);
        one.feed(at(0), &whole);

        let (mut messages, mut done) = (Vec::new(), 0);
        for n in &counts {
            messages.push(ipfix(T0, done as u32, 1, &[set(256, &records[done..done + n].concat())]));
            done += n;
        }
        // The template comes somewhere among them; what came before it waits.
        messages.insert(order.index(messages.len() + 1), ipfix(T0, 0, 1, &[template]));
        for (a, b) in &swaps {
            let (a, b) = (a.index(messages.len()), b.index(messages.len()));
            messages.swap(a, b);
        }
        let mut many = Bench::new(Profile::Rfc8158);
        for (i, message) in messages.iter().enumerate() {
            many.feed(at(i as i64), message);
        }
        let sorted = |mut rows: Vec<NatEvent>| {
            rows.sort_by_key(|r| r.public_port);
            rows
        };
        prop_assert_eq!(sorted(many.rows.events), sorted(one.rows.events));
        prop_assert!(many.rows.malformed.is_empty());
    }

    #[test]
    fn sets_of_one_message_are_what_they_are_alone(
        steps in prop::collection::vec((0u16..20, 0u8..12, 0usize..4, 0usize..4), 1..120),
        together in 2usize..80,
    ) {
        // Every third template has a field of no fixed length; a template is made longer or shorter on the way.
        let mut longer = [false; 20];
        let spec = |t: u16, longer: bool| {
            let more = if t % 3 == 2 { (0, 82, 0xffff) } else { (0, 210, 2) };
            NAT44.iter().copied().chain(longer.then_some(more)).collect::<Vec<_>>()
        };
        let mut sets: Vec<(Vec<u8>, u32)> = (0..20).map(|t| (template_set(Version::Ipfix, 256 + t, &spec(t, false)), 0)).collect();
        let mut number = 0;
        for (t, what, records, padding) in steps {
            let known = &mut longer[usize::from(t)];
            *known ^= what == 0;
            sets.push(match what {
                0 | 1 => (template_set(Version::Ipfix, 256 + t, &spec(t, *known)), 0),
                2 => (set(256 + t, &[7; 9]), 0),
                _ => {
                    let more: &[u8] = match (*known, t % 3 == 2) {
                        (false, _) => &[],
                        (true, true) => &[2, b'e', b'0'],
                        (true, false) => &[0, 0],
                    };
                    let one = |n: u16| [nat44(4, 1_000 + u64::from(n), n), more.to_vec()].concat();
                    let body: Vec<u8> = (number..number + records as u16).flat_map(one).chain(vec![0; padding]).collect();
                    number += records as u16;
                    (set(256 + t, &body), records as u32)
                }
            });
        }
        let read = |sets_a_message: usize| {
            let (mut bench, mut done) = (Bench::new(Profile::Rfc8158), 0);
            for (i, sets) in (0u32..).zip(sets.chunks(sets_a_message)) {
                bench.feed(at(i64::from(i)), &ipfix(T0 + i, done, 1, &sets.iter().map(|(set, _)| set.clone()).collect::<Vec<_>>()));
                done += sets.iter().map(|(_, records)| records).sum::<u32>();
            }
            bench.rows.events.sort_by_key(|e| e.public_port);
            (bench.rows.events, bench.register.counters("127.0.0.1/1").malformed)
        };
        let (alone, bad) = read(1);
        prop_assert_eq!(alone.len(), usize::from(number));
        prop_assert_eq!(read(together), (alone, bad));
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..2_000)) {
        fuzz::ipfix_message(&data);
        fuzz::ipfix_template(&data);
    }

    #[test]
    fn damaged_messages_do_not_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        profile in any::<u8>(),
    ) {
        let nokia = [(0, 225, 4), (0, 227, 2), (0, 7, 2), (0, 152, 8), (NOKIA, 93, VARIABLE)];
        let body = [&[203, 0, 113, 7, 4, 0, 1, 1, 0, 0, 0, 1, 2, 3, 4, 5, 10][..], b"a@10.0.0.1"].concat();
        let messages = [
            ipfix(T0, 0, 1, &[template_set(Version::Ipfix, 256, NAT44), set(256, &nat44(4, 1, 1))]),
            ipfix(T0, 1, 1, &[template_set(Version::Ipfix, 257, &nokia), set(257, &body)]),
            v9(1, T0, 0, 2, &[template_set(Version::V9, 256, NAT44), set(256, &nat44(5, 1, 1))]),
        ];
        let mut input = vec![profile];
        for message in &messages {
            input.extend((message.len() as u16).to_be_bytes());
            input.push(0);
            input.extend(message);
        }
        for (place, value) in flips {
            let place = place.index(input.len());
            input[place] = value;
        }
        input.truncate(cut.index(input.len()) + input.len() / 2);
        fuzz::ipfix_message(&input);
    }

    #[test]
    fn templates_are_read_back(
        templates in prop::collection::vec((256u16.., prop::collection::vec(field(), 1..20)), 1..8),
    ) {
        let mut body = Vec::new();
        for (id, fields) in &templates {
            body.extend(&template_set(Version::Ipfix, *id, fields)[4..]);
        }
        let (got, fault) = parser::templates(Version::Ipfix, false, &body);
        prop_assert_eq!(fault, None);
        let want: Vec<_> = templates
            .into_iter()
            .map(|(id, fields)| {
                let fields = fields.into_iter().map(|(enterprise, id, length)| FieldSpec { enterprise, id, length }).collect();
                Announcement::Define(Template { id, scope: 0, fields })
            })
            .collect();
        prop_assert_eq!(got, want);
    }
}
