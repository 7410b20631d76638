//! Frames, and what they tell: golden vectors, and messages that were written by another hand.

use proptest::prelude::*;
use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::dhcp::message::{Message, message};
use crate::dhcp::packet::{Fault, payload};
use crate::dhcp::{filter, fuzz};

const NOW: Millis = Millis(1_795_312_800_000);

fn hex(line: &str) -> Vec<u8> {
    line.split_whitespace()
        .flat_map(|word| match word.split_once('*') {
            Some((_, times)) => vec![0; times.parse().unwrap()],
            None => (0..word.len()).step_by(2).map(|i| u8::from_str_radix(&word[i..i + 2], 16).unwrap()).collect(),
        })
        .collect()
}

fn told(frame: &[u8]) -> Result<String, Fault> {
    let nothing = || Ok("nothing".to_owned());
    let Some(payload) = payload(frame)? else { return nothing() };
    let deep = |f: Fault| Fault { offset: payload.offset + f.offset, ..f };
    let Some(m) = message(payload.bytes).map_err(deep)? else { return nothing() };
    let Some(line) = m.line(None, NOW).map_err(|reason| Fault { reason, offset: payload.offset })? else { return nothing() };
    let address = line.prefix.addr;
    if !line.active {
        return Ok(format!("end {address} {}", line.client));
    }
    assert_eq!(line.acknowledged, Some(NOW));
    let life = line.expires.map_or("for-ever".to_owned(), |t| (t.since(NOW) / 1_000).to_string());
    let (new, nas) = (if m.begins() { "new" } else { "-" }, line.via.nas.unwrap());
    Ok(format!("lease {address} {} {life} {new} {nas} {}", line.client, line.via.circuit.as_deref().unwrap_or("-")))
}

/// The vectors: comment, frame, what is understood.
pub(super) fn vectors() -> Vec<(String, Vec<u8>, String)> {
    let text = include_str!("../testdata/packets.txt");
    let blocks = text.split("\n\n").skip(1).filter(|b| !b.trim().is_empty());
    let parts = |block: &str| {
        let of = |start: &str| block.lines().find_map(|l| l.strip_prefix(start)).unwrap().to_owned();
        let frame = block.lines().filter(|l| !l.starts_with('#') && !l.starts_with("=>")).flat_map(hex).collect();
        (of("# "), frame, of("=> "))
    };
    blocks.map(parts).collect()
}

#[test]
fn golden_frames() {
    let all = vectors();
    for (comment, frame, want) in &all {
        let got = told(frame).unwrap_or_else(|f| format!("malformed {} {}", f.reason, f.offset));
        assert_eq!(&got, want, "{comment}");
    }
    let malformed = all.iter().filter(|(_, _, want)| want.starts_with("malformed")).count();
    assert!(all.len() > 30 && malformed > 12, "{} vectors, {malformed} malformed", all.len());
}

#[test]
fn every_cut_frame_is_read_without_a_panic() {
    for (_, frame, _) in vectors() {
        (0..frame.len()).for_each(|cut| drop(told(&frame[..cut])));
    }
}

#[test]
fn one_server_alone_may_count() {
    let (_, frame, _) = vectors().into_iter().find(|(c, ..)| c.contains("udhcpc: DHCPACK")).unwrap();
    let m = message(payload(&frame).unwrap().unwrap().bytes).unwrap().unwrap();
    let from = |server: [u8; 4]| m.line(Some(Addr16::v4(server)), NOW).unwrap();
    assert!(from([192, 0, 2, 1]).is_some() && from([192, 0, 2, 2]).is_none());
}

/// What the kernel does with a filter: which bytes it passes on, 0 for none. Linux, Documentation/networking/filter.rst.
fn run(program: &[filter::Op], frame: &[u8], interface: u32) -> u32 {
    let (mut a, mut x, mut pc) = (0u32, 0u32, 0usize);
    let load = |at: u32, n: u32| (at..at + n).try_fold(0u32, |sum, i| Some(sum << 8 | u32::from(*frame.get(i as usize)?)));
    loop {
        let (code, yes, no, k) = program[pc];
        pc += 1;
        let mut to = |taken: bool| pc += usize::from(if taken { yes } else { no });
        // Reading beyond the end ends the program: nothing is passed on.
        let read = match code {
            0x20 => Some(if k == 0xffff_f008 { interface } else { panic!("{k:x}") }),
            0x28 => load(k, 2),
            0x48 => load(x + k, 2),
            0x50 => load(x + k, 1),
            _ => Some(a),
        };
        let Some(read) = read else { return 0 };
        a = read;
        match code {
            0x20 | 0x28 | 0x48 | 0x50 => {}
            0x01 => x = k,
            0x05 => pc += k as usize,
            0x15 => to(a == k),
            0x45 => to(a & k != 0),
            0x54 => a &= k,
            0x64 => a <<= k,
            0x0c => a += x,
            0x07 => x = a,
            0x06 => return k,
            other => panic!("{other:x}"),
        }
    }
}

#[test]
fn the_kernel_passes_on_what_is_dhcp_on_this_interface() {
    let program = filter::program(7);
    let other = ["Another port", "A later fragment", "IPv6", "Malformed: cut in the IPv4 header"];
    for (comment, frame, _) in vectors() {
        let want = !other.contains(&comment.as_str());
        assert_eq!(run(&program, &frame, 7) != 0, want, "{comment}");
        assert_eq!(run(&program, &frame, 8), 0, "{comment}: another interface");
    }
}

/// A message as another would write it.
#[derive(Clone, Debug)]
struct Written {
    reply: bool,
    kind: u8,
    has: u32,
    given: u32,
    mac: [u8; 6],
    lease: Option<u32>,
    server: Option<u32>,
    circuit: Option<String>,
    /// Where options that are not the first go: 0 options, 1 file, 2 sname.
    place: u8,
    pads: usize,
}

fn written() -> impl Strategy<Value = Written> {
    let head = (any::<bool>(), 1u8..9, any::<u32>(), any::<u32>(), any::<[u8; 6]>());
    let tail = (any::<Option<u32>>(), proptest::option::of(1u32..), proptest::option::of("[!-~]{1,20}"), 0u8..3, 0usize..5);
    (head, tail).prop_map(|((reply, kind, has, given, mac), (lease, server, circuit, place, pads))| Written {
        reply,
        kind,
        has,
        given,
        mac,
        lease,
        server,
        circuit,
        place,
        pads,
    })
}

fn bytes(w: &Written) -> Vec<u8> {
    let mut later = vec![0; w.pads];
    let mut option = |code: u8, value: &[u8]| {
        later.extend([code, value.len() as u8]);
        later.extend(value);
    };
    w.lease.iter().for_each(|v| option(51, &v.to_be_bytes()));
    w.server.iter().for_each(|v| option(54, &v.to_be_bytes()));
    let agent = |text: &String| [&[1, text.len() as u8][..], text.as_bytes()].concat();
    w.circuit.iter().for_each(|text| option(82, &agent(text)));
    later.push(255);
    let mut out = vec![if w.reply { 2 } else { 1 }, 1, 6, 0];
    out.extend([0x1122_3344, 0, w.has, w.given, 0, 0].into_iter().flat_map(u32::to_be_bytes));
    out.extend(w.mac);
    out.resize(44, 0);
    for (place, length) in [(2, 64), (1, 128)] {
        let end = out.len() + length;
        if w.place == place {
            out.extend(&later);
        }
        out.resize(end, 0);
    }
    out.extend([99, 130, 83, 99, 53, 1, w.kind]);
    match w.place {
        0 => out.extend(&later),
        place => out.extend([52, 1, place, 255]),
    }
    out
}

proptest! {
    #[test]
    fn what_was_written_is_read(w in written()) {
        let m: Message = message(&bytes(&w)).unwrap().unwrap();
        let some = |v: u32| (v != 0).then(|| Addr16::v4(v.to_be_bytes()));
        prop_assert_eq!((m.reply, m.kind, m.has, m.given), (w.reply, w.kind, some(w.has), some(w.given)));
        prop_assert_eq!((m.lease, m.server, m.circuit), (w.lease, w.server.and_then(some), w.circuit));
        let mac = w.mac.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":");
        prop_assert_eq!(m.client, (w.mac != [0; 6]).then_some(mac));
    }

    #[test]
    fn any_bytes(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        fuzz::dhcp_packet(&data);
    }
}
