//! What the kernel sent, and what it never sends. The vectors are in the byte order of the machine they come from.
#![cfg(target_endian = "little")]

use proptest::prelude::*;
use weir_base::time::Millis;

use super::{read, vector, vectors};
use crate::conntrack::message::{Ends, What, connection};
use crate::conntrack::netlink::{NLMSG_DONE, messages};

fn ends(protocol: u8, public: &str, inside: &str, remote: &str) -> Option<Ends> {
    let split = |text: &str| {
        let (address, port) = text.rsplit_once(' ').unwrap();
        (address.parse().unwrap(), port.parse().unwrap())
    };
    let ((public, public_port), (inside, inside_port), (remote, remote_port)) = (split(public), split(inside), split(remote));
    Some(Ends { protocol, public, public_port, inside, inside_port, remote, remote_port })
}

#[test]
fn real_messages_give_the_ends_and_the_times_of_connections() {
    let new = What::New;
    for (name, what, want) in [
        ("stamped-new-udp-1", new, ends(17, "203.0.113.1 40000", "100.64.0.11 40000", "203.0.113.9 53")),
        ("stamped-new-udp-2", new, ends(17, "203.0.113.1 40000", "100.64.0.12 40000", "203.0.113.10 53")),
    ] {
        let all = read(&vector(name));
        assert_eq!((all.len(), all[0].what), (1, what), "{name}");
        assert_eq!(all[0].translated(), want, "{name}");
    }
}

#[test]
fn every_protocol_is_understood() {
    let web = read(&vector("stamped-new-tcp-1"))[0];
    let e = web.translated().unwrap();
    assert_eq!((e.protocol, e.public.to_string(), e.inside.to_string()), (6, "203.0.113.1".into(), "100.64.0.11".into()));
    assert_eq!((e.remote.to_string(), e.remote_port, e.public_port), ("203.0.113.9".into(), 80, e.inside_port));
    let six = read(&vector("stamped-new-tcp6-1"))[0].translated().unwrap();
    assert_eq!((six.public.to_string(), six.inside.to_string()), ("2001:db8:113::1".into(), "2001:db8:64::11".into()));
    for (name, protocol, id) in [("stamped-new-icmp-1", 1, 0x1234), ("stamped-new-icmpv6-1", 58, 0x4321)] {
        let e = read(&vector(name))[0].translated().unwrap();
        assert_eq!((e.protocol, e.public_port, e.inside_port, e.remote_port), (protocol, id, id, 0), "{name}");
    }
    // Two hosts with one port towards one remote end: the second gets another port.
    let (a, b) = (read(&vector("stamped-new-udp-1"))[0], read(&vector("stamped-new-udp-3"))[0]);
    let (a, b) = (a.translated().unwrap(), b.translated().unwrap());
    assert_eq!((a.remote, a.remote_port, a.inside_port), (b.remote, b.remote_port, b.inside_port));
    assert!(a.public_port != b.public_port && a.inside != b.inside);
}

#[test]
fn times_come_from_the_kernel_where_it_keeps_them() {
    let (new, gone) = (read(&vector("stamped-new-tcp-1"))[0], read(&vector("stamped-destroy-tcp-1"))[0]);
    assert_eq!((gone.what, gone.id, gone.translated()), (What::Destroy, new.id, new.translated()));
    let (start, stop) = (gone.start.unwrap(), gone.stop.unwrap());
    assert!(start < stop && stop.since(start) < 60_000);
    // Since Linux 6.14 an event tells when it happened; the beginning is that event, to the millisecond or so.
    assert!(new.event.unwrap().since(start).abs() < 5 && gone.event.unwrap() >= stop);
    assert!(new.start.is_none() && new.event > Some(Millis(1_700_000_000_000)));
    let bare = read(&vector("bare-new-udp-1"))[0];
    assert_eq!((bare.start, bare.stop, bare.event), (None, None, None));
    let gone = read(&vector("bare-destroy-udp-1"))[0];
    assert_eq!((gone.start, gone.stop, gone.what), (None, None, What::Destroy));
}

#[test]
fn a_dump_is_entries_and_an_end() {
    let entries = read(&vector("stamped-dump"));
    assert!(entries.len() >= 7 && entries.iter().all(|c| c.what == What::Entry && !c.dying && c.start.is_some()));
    let untranslated = entries.iter().filter(|c| c.translated().is_none()).count();
    assert!(untranslated < entries.len());
    let done = vector("stamped-dump-done");
    assert_eq!(messages(&done).map(|m| m.unwrap().kind).collect::<Vec<_>>(), [NLMSG_DONE]);
}

#[test]
fn malformed_messages_are_told_with_their_reason() {
    let good = vector("stamped-new-udp-1");
    let change = |at: usize, byte: u8| {
        let mut bad = good.clone();
        bad[at] = byte;
        bad
    };
    for (name, bad, reason) in [
        ("header cut short", good[..10].to_vec(), "netlink-header"),
        ("length beyond the datagram", change(0, 0xff), "netlink-length"),
        ("length below a header", change(0, 8), "netlink-length"),
        ("attribute longer than what is left", change(21, 0x7f), "netlink-attribute"),
        ("attribute shorter than its header", change(20, 2), "netlink-attribute"),
        ("address of two bytes", change(28, 6), "conntrack-attribute-length"),
        ("no original tuple", change(22, 0x3f), "conntrack-no-original-tuple"),
        ("tuple without a protocol", change(46, 0x3f), "conntrack-tuple-incomplete"),
    ] {
        let got = messages(&bad).map(|m| m.and_then(|m| connection(&m))).find_map(Result::err);
        assert_eq!(got.map(|f| f.reason), Some(reason), "{name}");
    }
    // Only four bytes where struct nfgenmsg would be cut.
    let mut short = good[..18].to_vec();
    short[0] = 18;
    assert_eq!(messages(&short).map(|m| connection(&m.unwrap())).next().unwrap().unwrap_err().reason, "conntrack-header");
    // Other subsystems and other messages of this one are passed over.
    assert_eq!(read(&change(5, 2)), []);
    assert_eq!(read(&change(4, 3)), []);
}

proptest! {
    #[test]
    fn any_bytes_end(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        let all: Vec<_> = messages(&data).collect();
        prop_assert!(all.len() <= data.len() / 16 + 1);
        for m in all.into_iter().flatten() {
            let _ = connection(&m);
        }
    }

    #[test]
    fn a_changed_message_never_panics(pick in any::<proptest::sample::Index>(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let all = vectors();
        let mut data = pick.get(&all).1.clone();
        *at.get_mut(&mut data) = byte;
        for m in messages(&data).flatten() {
            if let Err(fault) = connection(&m) {
                prop_assert!(fault.offset <= data.len());
            }
        }
    }
}
