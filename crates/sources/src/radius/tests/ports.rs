//! Ports of RFC 8045: what a message means for a session that holds some; several prefixes; Class.

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Form, Sort};

use super::*;
use crate::radius::message::Message;
use crate::radius::normalise::{About, block_event, row};
use crate::radius::parser::Packet;
use crate::radius::ports::{Changes, Forward, PortRange, changes};
use crate::radius::table::Block;

fn addr(text: &str) -> Addr16 {
    text.parse().unwrap()
}

const PUBLIC: &str = "203.0.113.7";
const INSIDE: &str = "100.64.0.12";

fn block(first: u16) -> Block {
    Block { protocol: 0, public: addr(PUBLIC), inside: addr(INSIDE), first, last: first + 99, inside_port: None }
}

fn mapped(public_port: u16, inside_port: u16) -> Block {
    Block { last: public_port, inside_port: Some(inside_port), ..block(public_port) }
}

fn range(allocated: bool, first: Option<u16>) -> PortRange {
    PortRange { allocated, protocol: None, public: Some(addr(PUBLIC)), inside: None, ports: first.map(|p| (p, p + 99)) }
}

fn forward(public_port: u16, inside_port: u16) -> Forward {
    Forward { allocated: true, protocol: None, public: Some(addr(PUBLIC)), public_port, inside: None, inside_port }
}

/// What it is, ranges, maps, what is held; what changes, what cannot be used.
type Case<'a> = (&'a str, Vec<PortRange>, Vec<Forward>, &'a [Block], Vec<(bool, Block)>, Vec<&'static str>);

#[test]
fn ranges_and_maps_change_what_a_session_holds() {
    let anywhere = |r: PortRange| PortRange { public: None, ..r };
    let elsewhere = |r: PortRange| PortRange { public: Some(addr("203.0.113.9")), ..r };
    let held = [block(1000), block(2000), mapped(8080, 80)];
    let two_publics = [block(1000), Block { public: addr("203.0.113.9"), ..block(2000) }];
    let tcp = [Block { protocol: 6, ..block(1) }];
    let framed = Some(addr(INSIDE));
    let cases: Vec<Case<'_>> = vec![
        ("a block", vec![range(true, Some(3000))], vec![], &held, vec![(true, block(3000))], vec![]),
        ("one on the only public address", vec![anywhere(range(true, Some(3000)))], vec![], &held, vec![(true, block(3000))], vec![]),
        (
            "one on an address that cannot be told",
            vec![anywhere(range(true, Some(3000)))],
            vec![],
            &two_publics,
            vec![],
            vec!["radius.port-range-without-public-address"],
        ),
        ("one taken away", vec![range(false, Some(2000))], vec![], &held, vec![(false, block(2000))], vec![]),
        ("one taken away by its ports", vec![anywhere(range(false, Some(2000)))], vec![], &held, vec![(false, block(2000))], vec![]),
        ("all taken away", vec![anywhere(range(false, None))], vec![], &held, vec![(false, block(1000)), (false, block(2000))], vec![]),
        ("all of another address", vec![elsewhere(range(false, None))], vec![], &held, vec![], vec![]),
        ("all of another protocol", vec![PortRange { protocol: Some(17), ..range(false, None) }], vec![], &tcp, vec![], vec![]),
        ("one that nobody held", vec![range(false, Some(9000))], vec![], &[], vec![(false, block(9000))], vec![]),
        ("a forwarded port", vec![], vec![forward(9090, 90)], &held, vec![(true, mapped(9090, 90))], vec![]),
        ("told again", vec![], vec![forward(8080, 80)], &held, vec![(true, mapped(8080, 80))], vec![]),
        (
            "one that leads elsewhere now",
            vec![],
            vec![forward(8080, 81)],
            &held,
            vec![(false, mapped(8080, 80)), (true, mapped(8080, 81))],
            vec![],
        ),
        ("one taken away", vec![], vec![Forward { allocated: false, ..forward(8080, 80) }], &held, vec![(false, mapped(8080, 80))], vec![]),
        (
            "one on the only public address",
            vec![range(true, Some(3000))],
            vec![Forward { public: None, ..forward(8081, 81) }],
            &[],
            vec![(true, block(3000)), (true, mapped(8081, 81))],
            vec![],
        ),
        (
            "one without any",
            vec![],
            vec![Forward { public: None, ..forward(8081, 81) }],
            &[],
            vec![],
            vec!["radius.forwarding-map-without-public-address"],
        ),
    ];
    for (what, ranges, forwards, held, blocks, problems) in cases {
        assert_eq!(changes(&ranges, &forwards, framed, held), Changes { blocks, problems }, "{what}");
    }
    let without = changes(&[range(true, Some(1))], &[forward(8080, 80)], None, &[]);
    assert_eq!(without.problems, ["radius.port-range-without-inside-address", "radius.forwarding-map-without-inside-address"]);
}

#[test]
fn a_forwarded_port_is_a_binding_entry_and_a_range_a_block() {
    let event = |b: &Block| block_event(b, 3, Millis(5), weir_record::kinds::Action::Create);
    let (map, block) = (event(&mapped(8080, 80)), event(&block(1000)));
    assert_eq!((map.form, map.public_port, map.public_port_last, map.inside_port), (Form::Bib as u8, 8080, 8080, 80));
    assert_eq!((block.form, block.public_port, block.public_port_last, block.inside_port), (Form::Block as u8, 1000, 1099, 0));
}

#[test]
fn every_prefix_and_address_of_a_message_is_in_its_row() {
    let m = Message::of_packet(&Packet::parse(&good("many-prefixes")).unwrap());
    assert_eq!(m.class.as_ref().unwrap().clear(), [0, 2, 1, 2, 0, 1, 3], "two Class attributes, each behind its length");
    let about =
        About { source: 1, realm: 1, time: Millis(0), arrived: Millis(0), sender: None, subscriber: None, caller: None, class: None };
    let row = row(&mut m.clone(), &about);
    assert_eq!(
        (row.framed_ipv6, row.framed_prefix, row.delegated_prefix_bits),
        (Some(addr("2001:db8::7")), "2001:db8:1:2::".parse().ok(), Some(56))
    );
    let other = "a 2001:db8::8/128,f 2001:db8:1:3::/64,d 2001:db8:bb:f0::/60,d 2001:db8:cc::/48";
    assert_eq!(row.other_addresses.as_deref(), Some(other));
    let names: Vec<String> = row.names().iter().map(|n| n.prefix.to_string()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    assert_eq!(row.names().iter().filter(|n| n.sort == Sort::Delegated).count(), 3);
}
