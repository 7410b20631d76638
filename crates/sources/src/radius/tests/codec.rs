//! Parser, authenticators, messages, state entries: vectors worked out elsewhere, malformed input, and properties.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{IdType, RadiusSession};

use super::*;
use crate::radius::attributes as a;
use crate::radius::auth::{self, AuthError, verify};
use crate::radius::facts::{Facts, Named};
use crate::radius::fuzz;
use crate::radius::limits::{ATTRIBUTES_MAX, PACKET_MAX_BYTES};
use crate::radius::message::{Message, text as kept_text};
use crate::radius::normalise::{About, EventTime, caller, event_time, nas_key, row};
use crate::radius::parser::Packet;
use crate::radius::ports::{Forward, PortRange};
use crate::radius::state::{self, Entry, Position, Update};
use crate::radius::table::{Block, Mark, Nas, Session};

fn message(name: &str) -> Message {
    Message::of_packet(&Packet::parse(&good(name)).unwrap())
}

fn addr(text: &str) -> Addr16 {
    text.parse().unwrap()
}

#[test]
fn every_good_vector_parses_verifies_and_is_written_again() {
    let mut names = 0;
    for entry in fs::read_dir(testdata().join("good")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let bytes = good(name.strip_suffix(".hex").unwrap());
        let packet = Packet::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(verify(&packet, &secret(), false), Ok(()), "{name}");
        assert!(verify(&packet, &SharedSecret::new(b"other"), false).is_err(), "{name}");
        let attributes: Vec<_> = packet.attributes().map(|x| (x.number, x.value)).collect();
        assert_eq!(encode(packet.code, packet.identifier, packet.authenticator, &attributes).unwrap(), packet.bytes(), "{name}");
        fuzz::radius_packet(&bytes);
        names += 1;
    }
    assert_eq!(names, 14);
}

#[test]
fn every_malformed_vector_is_refused_for_its_reason() {
    let mut names = 0;
    for entry in fs::read_dir(testdata().join("malformed")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (bytes, comments) = vector(&format!("malformed/{}", name.strip_suffix(".hex").unwrap()));
        let want = comments[0].strip_prefix("expect: ").unwrap();
        let got = match Packet::parse(&bytes) {
            Err(e) => e.reason(),
            Ok(packet) => match verify(&packet, &secret(), false) {
                Err(e) => e.reason(),
                // What is wrong inside an authentic packet is the engine's to say: see the server's tests.
                Ok(()) if want.starts_with("radius.") => want,
                Ok(()) => Message::of_packet(&packet).problems[0].what,
            },
        };
        assert_eq!(got, want, "{name}");
        fuzz::radius_packet(&bytes);
        names += 1;
    }
    assert_eq!(names, 26);
}

#[test]
fn answers_are_those_worked_out_elsewhere() {
    for name in ["start", "proxied", "status-server"] {
        let request = good(name);
        let answer = auth::response(&Packet::parse(&request).unwrap(), &secret()).unwrap();
        assert_eq!(answer, vector(&format!("response/{name}")).0, "{name}");
    }
}

#[test]
fn message_authenticator_can_be_required() {
    let bytes = good("start");
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(verify(&packet, &secret(), true), Err(AuthError::MessageAuthenticatorMissing));
    let bytes = good("message-authenticator");
    assert_eq!(verify(&Packet::parse(&bytes).unwrap(), &secret(), true), Ok(()));
}

#[test]
fn a_start_says_what_it_says() {
    let m = message("start");
    assert_eq!((m.status, m.session_id.as_str(), m.event_s), (Some(1), "0000A1", Some(T)));
    assert_eq!(m.account.as_ref().unwrap().clear(), "alice@example.net");
    assert_eq!(m.caller.as_ref().unwrap().clear(), "13800138000");
    assert_eq!((m.nas_port, m.nas_port_type, m.interim_s), (Some(17), Some(15), Some(600)));
    assert_eq!(m.class.as_ref().unwrap().clear(), [0, 3, 1, 2, 255]);
    assert!(m.problems.is_empty());
    let about = About {
        source: 3,
        realm: 2,
        time: Millis(7),
        arrived: Millis(9),
        sender: Some(addr("198.51.100.9")),
        subscriber: Some(Id([1; 16])),
        caller: None,
        class: Some(Id([2; 16])),
    };
    let want = RadiusSession {
        time: Millis(7),
        arrived: Millis(9),
        source: 3,
        realm: 2,
        status: 1,
        acct_session_id: Some("0000A1".into()),
        subscriber: Some(Id([1; 16])),
        called: Some("00-11-22-33-44-55:cafe".into()),
        nas_address: Some(addr("192.0.2.1")),
        nas_identifier: Some("bras-1".into()),
        nas_port: Some(17),
        nas_port_id: Some("eth 1/0/3:42.7".into()),
        nas_port_type: Some(15),
        framed_ipv4: Some(addr("100.64.0.12")),
        class: Some(Id([2; 16])),
        ..RadiusSession::default()
    };
    assert_eq!(row(&mut m.clone(), &about), want);
    let shown = format!("{m:?}");
    assert!(!shown.contains("alice") && !shown.contains("13800138000") && shown.contains("class: Some(Opaque(…))"), "{shown}");
}

#[test]
fn counters_addresses_and_ranges() {
    let m = message("interim");
    assert_eq!((m.octets_in, m.octets_out, m.session_time_s), (Some(8_589_934_597), Some(4_294_967_295), Some(600)));
    let m = message("stop");
    assert_eq!((m.octets_in, m.octets_out, m.terminate_cause), (Some(8_589_934_599), Some(4_294_967_305), Some(1)));
    assert_eq!(message("delay").octets_in, None, "absent is not zero");
    let m = message("ipv6");
    assert_eq!(m.framed_prefixes, ["2001:db8:1:2::/64".parse().unwrap()]);
    assert_eq!(m.delegated_prefixes, ["2001:db8:aa::/56".parse().unwrap()]);
    assert_eq!((m.framed_ipv6.clone(), m.nas_address), (vec![addr("2001:db8::7")], Some(addr("192.0.2.1"))));
    let m = message("port-range");
    let first = PortRange { allocated: true, protocol: None, public: Some(addr("203.0.113.7")), inside: None, ports: Some((1024, 2047)) };
    let inside = Some(addr("100.64.0.99"));
    let second = PortRange { allocated: false, protocol: Some(17), inside, ports: Some((4096, 5119)), ..first.clone() };
    assert_eq!(m.port_ranges, [first, second]);
    let m = message("port-forwarding");
    assert_eq!((m.port_limit, m.port_ranges.len(), m.problems.len()), (Some(512), 1, 0));
    let tcp =
        Forward { allocated: true, protocol: Some(6), public: Some(addr("203.0.113.7")), public_port: 1080, inside: None, inside_port: 80 };
    let public = Some(addr("203.0.113.8"));
    let any = Forward { protocol: None, public, public_port: 5000, inside: Some(addr("100.64.0.99")), inside_port: 53, ..tcp.clone() };
    assert_eq!(m.forwards, [tcp, any]);
    let bytes = good("vendor");
    let vendor: Vec<_> = Packet::parse(&bytes).unwrap().vendor_attributes().map(|v| (v.vendor, v.number, v.value.to_vec())).collect();
    assert_eq!(vendor, [(2011, 1, vec![0, 0, 0, 5]), (2011, 2, b"ab".to_vec()), (9, 1, b"x".to_vec())]);
}

#[test]
fn an_interface_id_makes_an_address_of_a_64_bit_prefix() {
    let prefix = (a::FRAMED_IPV6_PREFIX, [&[0, 64][..], &[0x20, 1, 0xd, 0xb8, 0, 1, 0, 2]].concat());
    let id = (a::FRAMED_INTERFACE_ID, vec![0, 0, 0, 0, 0, 0, 0, 9]);
    let about =
        About { source: 1, realm: 1, time: Millis(0), arrived: Millis(0), sender: None, subscriber: None, caller: None, class: None };
    let attributes = [prefix, id];
    let m = Message::collect(attributes.iter().map(|(n, v)| (*n, v.as_slice())));
    assert_eq!(row(&mut m.clone(), &about).framed_ipv6, Some(addr("2001:db8:1:2::9")));
}

#[test]
fn broken_attributes_are_named_and_the_rest_is_used() {
    let cases: Vec<(u8, Vec<u8>, bool)> = vec![
        (a::FRAMED_IP_ADDRESS, vec![1, 2, 3], true),
        (a::FRAMED_IP_ADDRESS, vec![255, 255, 255, 254], false),
        (a::FRAMED_IP_ADDRESS, vec![255, 255, 255, 255], false),
        (a::ACCT_INPUT_OCTETS, vec![1], true),
        (a::FRAMED_IPV6_PREFIX, vec![0, 129], true),
        (a::FRAMED_IPV6_PREFIX, vec![0, 16, 0x20], true),
        (a::FRAMED_IPV6_PREFIX, vec![0, 8, 0x20, 0x01], true),
        (a::FRAMED_IPV6_PREFIX, vec![0, 0], false),
        (a::FRAMED_IPV6_PREFIX, vec![0], true),
        (a::FRAMED_IPV6_ADDRESS, vec![0; 15], true),
        (a::FRAMED_INTERFACE_ID, vec![0; 9], true),
        (a::EXTENDED_1, vec![], false),
        (a::EXTENDED_1, vec![4, 1, 2], false),
        (a::EXTENDED_1, vec![5, 1, 2], true),
        (a::EXTENDED_1, vec![7, 6, 6, 0, 0, 0, 1], true),
        (a::EXTENDED_1, vec![6], true),
        (a::EXTENDED_1, vec![6, 8, 6, 0, 0, 0, 1], true),
        (a::EXTENDED_1, vec![6, 8, 7, 0, 0, 0, 1], true),
    ];
    for (number, value, broken) in cases {
        let attributes = [(number, value.clone()), int(a::NAS_PORT, 5)];
        let m = Message::collect(attributes.iter().map(|(n, v)| (*n, v.as_slice())));
        assert_eq!(m.problems.len(), usize::from(broken), "{number} {value:?}");
        assert_eq!(m.nas_port, Some(5));
        assert_eq!(m.framed_ipv4, None);
    }
}

#[test]
fn port_ranges_that_cannot_be_are_refused() {
    let tlv = |n: u8, v: u32| [&[n, 6][..], &v.to_be_bytes()].concat();
    let (alloc, ext, start, end) = (tlv(8, 1), tlv(3, 0xcb00_7107), tlv(9, 1024), tlv(10, 2047));
    let whole = [alloc.clone(), ext.clone(), start.clone(), end.clone()].concat();
    let count = |inner: &[u8]| {
        let value = [&[6][..], inner].concat();
        let m = Message::collect([(a::EXTENDED_1, value.as_slice())].into_iter());
        assert_eq!(m.port_ranges.len() + m.problems.len(), 1);
        m.port_ranges.len()
    };
    assert_eq!(count(&whole), 1);
    for (what, inner) in [
        ("no alloc", [ext.clone(), start.clone(), end.clone()].concat()),
        ("alloc 3", [tlv(8, 3), ext.clone(), start.clone(), end.clone()].concat()),
        ("no end", [alloc.clone(), ext.clone(), start.clone()].concat()),
        ("port 65536", [alloc.clone(), ext.clone(), start.clone(), tlv(10, 65_536)].concat()),
        ("end before start", [alloc, ext, tlv(9, 2048), end].concat()),
        ("protocol 256", [whole.clone(), tlv(1, 256)].concat()),
    ] {
        assert_eq!(count(&inner), 0, "{what}");
    }
}

#[test]
fn event_times() {
    let arrived = Millis(i64::from(T) * 1000 + 500);
    let m = |event_s, delay_s| Message { event_s, delay_s, ..Message::default() };
    let at = |ms| i64::from(T) * 1000 + ms;
    for (what, message, time, stamped) in [
        ("a stamp", m(Some(T - 3), Some(9)), at(-3000), true),
        ("no stamp", m(None, None), at(500), false),
        ("a delay", m(None, Some(30)), at(500 - 30_000), false),
        ("a clock never set", m(Some(86_400), Some(2)), at(500 - 2000), false),
        ("a stamp of tomorrow", m(Some(T + 86_400), None), at(86_400_000), true),
        ("a stamp of next week", m(Some(T + 7 * 86_400), None), at(500), false),
        ("a delay that cannot be", m(None, Some(u32::MAX)), at(500), false),
    ] {
        assert_eq!(event_time(&message, arrived), EventTime { time: Millis(time), stamped }, "{what}");
    }
}

#[test]
fn a_nas_is_told_by_what_it_says_of_itself() {
    let m = |address: Option<&str>, id: Option<&str>| Message {
        nas_address: address.map(addr),
        nas_identifier: id.map(str::to_owned),
        ..Message::default()
    };
    let (one, two) = (Some(addr("198.51.100.1")), Some(addr("198.51.100.2")));
    let named = m(Some("192.0.2.1"), Some("b"));
    assert_eq!(nas_key(1, &named, one), nas_key(1, &named, two), "the relay does not count");
    assert_ne!(nas_key(1, &named, one), nas_key(2, &named, one), "the realm counts");
    assert_eq!(nas_key(1, &m(None, Some("b")), one), nas_key(1, &m(None, Some("b")), two));
    assert_ne!(nas_key(1, &m(None, None), one), nas_key(1, &m(None, None), two), "without a name the sender counts");
    assert_ne!(nas_key(1, &m(Some("192.0.2.1"), None), one), nas_key(1, &named, one));
}

#[test]
fn callers() {
    for (clear, want) in [
        ("13800138000", (IdType::Caller, "13800138000")),
        ("00-1A-2B-3c-4D-5E", (IdType::Hardware, "00:1a:2b:3c:4d:5e")),
        ("00:1a:2b:3c:4d:5e", (IdType::Hardware, "00:1a:2b:3c:4d:5e")),
        ("001a.2b3c.4d5e", (IdType::Hardware, "00:1a:2b:3c:4d:5e")),
        ("001a2b3c4d5e", (IdType::Caller, "001a2b3c4d5e")),
        ("00-1a:2b-3c-4d-5e", (IdType::Caller, "00-1a:2b-3c-4d-5e")),
        ("0-01a-2b-3c-4d-5e", (IdType::Caller, "0-01a-2b-3c-4d-5e")),
        ("00.1a.2b.3c.4d.5e", (IdType::Caller, "00.1a.2b.3c.4d.5e")),
        ("", (IdType::Caller, "")),
    ] {
        assert_eq!(caller(clear), (want.0, want.1.to_owned()), "{clear}");
    }
}

#[test]
fn texts_stay_different() {
    for (bytes, want) in [
        (&b"alice"[..], "alice"),
        (b"alice\0\0", "alice"),
        ("例".as_bytes(), "例"),
        (b"a\nb", "a\\x0ab"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"\0", ""),
    ] {
        assert_eq!(kept_text(bytes), want);
    }
}

fn some_session() -> Session {
    let mark = |ms| Mark { time: Millis(ms), arrived: Millis(ms + 1), stamped: true, fingerprint: [9; 16] };
    let block = Block { protocol: 17, public: addr("203.0.113.7"), inside: addr("100.64.0.12"), first: 1, last: 9, inside_port: None };
    Session {
        nas: [3; 16],
        open: true,
        inferred: true,
        displaced: true,
        start: Some(mark(1)),
        stop: None,
        interim: Some(mark(5)),
        ended: Millis(6),
        heard: Millis(7),
        heard_arrived: Millis(8),
        interim_ms: 600_000,
        blocks: vec![block, Block { first: 10, last: 10, inside_port: Some(80), ..block }],
        facts: Facts::of(&RadiusSession {
            source: 4,
            realm: 5,
            session: Id([6; 16]),
            acct_session_id: Some("例".into()),
            subscriber: Some(Id([7; 16])),
            framed_ipv4: Some(addr("100.64.0.12")),
            delegated_prefix: Some(addr("2001:db8::")),
            delegated_prefix_bits: Some(56),
            nas_port: Some(0),
            nas_port_id: Some(String::new()),
            start: Some(Millis(-1)),
            start_certain: 1,
            other_addresses: Some("d 2001:db8:1::/60".into()),
            class: Some(Id([8; 16])),
            ..RadiusSession::default()
        }),
        version: 0,
        updated: false,
    }
}

#[test]
fn state_entries_come_back_and_others_are_dropped() {
    let session = some_session();
    let nas = Nas { on: session.start, off: None, word: Some(Millis(-3)), version: 0 };
    let position = Position { offset: 1 << 40, head_len: 256, head: [5; 16], at: Millis(-9) };
    let slim = Session { facts: session.facts.slim(), ..session.clone() };
    let Session { interim, heard, heard_arrived, interim_ms, .. } = session;
    let puts = [
        (state::put_update([1; 16], Some(&session)), Entry::Update([1; 16], Update { interim, heard, heard_arrived, interim_ms })),
        (state::put_session([1; 16], Some(&slim)), Entry::Session([1; 16], Box::new(slim))),
        (state::put_session([1; 16], Some(&session)), Entry::Session([1; 16], Box::new(session))),
        (state::put_nas([2; 16], Some(&nas)), Entry::Nas([2; 16], nas)),
        (state::put_position([3; 16], Some(&position)), Entry::Detail([3; 16], position)),
    ];
    for (put, want) in puts {
        let value = put.value.unwrap();
        assert_eq!(state::read(&put.key, &value), Some(want));
        for cut in 0..value.len() {
            assert_eq!(state::read(&put.key, &value[..cut]), None, "cut at {cut}");
        }
        assert_eq!(state::read(&put.key, &[&value[..], &[0]].concat()), None, "a byte too many");
        assert_eq!(state::read(&put.key[1..], &value), None);
        let other_version = [&[1][..], &value[1..]].concat();
        assert_eq!(state::read(&put.key, &other_version), None);
    }
    assert_eq!(state::put_session([1; 16], None).value, None);
}

fn attributes() -> impl Strategy<Value = Attrs> {
    vec((any::<u8>(), vec(any::<u8>(), 0..40)), 0..40)
}

proptest! {
    #[test]
    fn what_is_written_is_read(code: u8, id: u8, authenticator: [u8; 16], attributes in attributes(), padding in vec(any::<u8>(), 0..9)) {
        let borrowed: Vec<_> = attributes.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let bytes = encode(code, id, authenticator, &borrowed).unwrap();
        let padded = [bytes.as_slice(), &padding].concat();
        let packet = Packet::parse(&padded).unwrap();
        prop_assert_eq!((packet.code, packet.identifier, packet.authenticator), (code, id, authenticator));
        let back: Attrs = packet.attributes().map(|x| (x.number, x.value.to_vec())).collect();
        prop_assert_eq!(back, attributes);
    }

    #[test]
    fn any_signed_request_verifies_and_any_changed_one_does_not(attributes in attributes(), at: prop::sample::Index, flip in 1..=255u8) {
        let attributes: Attrs = attributes.into_iter().filter(|(n, _)| *n != a::MESSAGE_AUTHENTICATOR).collect();
        let mut bytes = request(1, &attributes);
        prop_assert_eq!(verify(&Packet::parse(&bytes).unwrap(), &secret(), false), Ok(()));
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(Packet::parse(&bytes).map_or(true, |p| verify(&p, &secret(), false).is_err()));
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in vec(any::<u8>(), 0..400)) {
        fuzz::radius_packet(&bytes);
        fuzz::radius_detail(&bytes);
        let _ = state::read(&bytes, &bytes);
        for tag in *b"sund" {
            let _ = state::read(&[tag; 17], &[&[3][..], &bytes].concat());
        }
    }

    #[test]
    fn no_attributes_make_the_message_panic(attributes in vec((prop::sample::select(vec![1u8, 4, 8, 31, 40, 44, 55, 95, 97, 123, 168, 241]), vec(0..12u8, 0..30)), 0..30)) {
        let m = Message::collect(attributes.iter().map(|(n, v)| (*n, v.as_slice())));
        prop_assert!(m.problems.len() <= 8);
        fuzz::radius_packet(&request(1, &attributes));
    }

    #[test]
    fn sessions_come_back_from_state(id: [u8; 16], ended: i64, open: bool, name in proptest::option::of("\\PC{0,60}"), bits in proptest::option::of(any::<u8>())) {
        let mut session = some_session();
        session.facts.session = Id(id);
        (session.ended, session.open) = (Millis(ended), open);
        let named = Named { nas_identifier: name, framed_prefix_bits: bits, ..(*session.facts).clone() };
        session.facts = session.facts.with(named);
        let put = state::put_session(id, Some(&session));
        prop_assert_eq!(state::read(&put.key, &put.value.unwrap()), Some(Entry::Session(id, Box::new(session))));
    }
}

#[test]
fn limits_hold() {
    let many: Attrs = (0..ATTRIBUTES_MAX).map(|_| (79, vec![])).collect();
    assert!(Packet::parse(&request(1, &many)).is_ok());
    let long: Vec<(u8, &[u8])> = vec![(1, &[0; 253]); 15];
    assert!(encode(4, 1, [0; 16], &long).unwrap().len() <= PACKET_MAX_BYTES);
    let long: Vec<(u8, &[u8])> = vec![(1, &[0; 253]); 16];
    assert!(encode(4, 1, [0; 16], &long).is_none());
    assert!(encode(4, 1, [0; 16], &[(1, &[0; 254])]).is_none());
}
