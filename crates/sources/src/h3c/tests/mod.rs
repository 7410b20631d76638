//! Vectors, properties, numbers over time, and the socket.

mod layouts;

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;
use std::sync::Arc;

use proptest::prelude::*;
use weir_base::clock::{Clock, SystemClock};
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::{Form, Gap, Malformed, NatEvent};
use weir_record::sink::{Group, RecordSink};

use super::collector::Collector;
use super::config::{Config, Settings};
use super::layout::THREE;
use super::message::{self, Fault, Told};
use super::server;
use crate::ipfix::lane::Intake;
use crate::ipfix::prepared::MemoryRegister;
use crate::testing::MemorySink;

/// 2023-03-15T23:27:53Z, the second of the vectors.
const SECOND: u32 = 0x6412_5479;
const NOW: Millis = Millis(SECOND as i64 * 1_000 + 200);
const PEER: Addr16 = Addr16::v4([127, 0, 0, 1]);

fn settings(more: &str) -> Settings {
    let text = format!("[[devices]]\nname = \"fw\"\nprefix = \"127.0.0.1/32\"\nrealm = \"default\"\npools = [\"203.0.113.0/24\"]\n{more}");
    toml::from_str::<Config>(&text).unwrap().check().unwrap()
}

fn collector(more: &str) -> Collector {
    Collector::new(Arc::new(settings(more)), Box::new(MemoryRegister::default()), "udp:test", None)
}

const KEEP: &str = "[[remotes]]\nfrom = \"2023-01-01\"\npolicy = \"keep\"\n";

fn rows<R: Record>(groups: &[Group], kind: Kind) -> Vec<R> {
    groups.iter().flat_map(|g| &g.batches).filter(|(k, _)| *k == kind).flat_map(|(_, b)| R::rows(b)).collect()
}

fn told(e: &NatEvent) -> String {
    let action = ["create", "delete", "gone", "told"][usize::from(e.action) - 1];
    let remote = if e.remote_address.is_none() { "-".to_owned() } else { format!("{}:{}", e.remote_address, e.remote_port) };
    let (form, ends) = (Form::from_u8(e.form).unwrap().name(), (e.public_address, e.public_port, e.public_port_last));
    let (public, first, last) = ends;
    let seconds = e.time.0 / 1_000;
    format!("{action} {form} {} {public}:{first}-{last} {}:{} {remote} {seconds}", e.protocol, e.inside_address, e.inside_port)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).map(|b| (b as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The vectors: datagram and what is wanted of it.
fn vectors() -> Vec<(Vec<u8>, Vec<String>)> {
    let path = weir_testkit::package().join("src/h3c/testdata/flows.txt");
    let text = fs::read_to_string(path).unwrap();
    let mut all: Vec<(Vec<u8>, Vec<String>)> = Vec::new();
    let mut fresh = true;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        if let Some(want) = line.strip_prefix("=> ") {
            all.last_mut().unwrap().1.push(want.to_owned());
            fresh = true;
        } else if line.is_empty() {
            fresh = true;
        } else {
            if std::mem::take(&mut fresh) {
                all.push((Vec::new(), Vec::new()));
            }
            all.last_mut().unwrap().0.extend(unhex(line));
        }
    }
    all
}

#[test]
fn vectors_are_understood_as_written_beside_them() {
    let all = vectors();
    assert!(all.len() >= 18, "{}", all.len());
    for (datagram, want) in all {
        let mut c = collector(KEEP);
        c.datagram(PEER, NOW, &datagram).unwrap();
        let groups: Vec<Group> = c.take().into_iter().collect();
        let events = rows::<NatEvent>(&groups, Kind::NatEvent).iter().map(told).collect::<Vec<_>>();
        let malformed = rows::<Malformed>(&groups, Kind::Malformed).into_iter().map(|m| m.reason).collect::<Vec<_>>();
        assert_eq!([events, malformed].concat(), want, "{datagram:02x?}");
        assert!(groups.iter().all(|g| g.owner == "h3c"));
    }
}

/// A datagram of created TCP flows with these public ports.
fn datagram(second: u32, sequence: u32, ports: &[u16]) -> Vec<u8> {
    let mut out = vec![3, 4];
    out.extend((ports.len() as u16).to_be_bytes());
    out.extend(second.to_be_bytes());
    out.extend(sequence.to_be_bytes());
    out.extend([0; 4]);
    for port in ports {
        out.extend([6, 8, 4, 0, 10, 1, 2, 3, 203, 0, 113, 5, 198, 51, 100, 44, 198, 51, 100, 44]);
        for p in [8000, *port, 443, 443] {
            out.extend(p.to_be_bytes());
        }
        out.extend(second.to_be_bytes());
        out.extend([0; 32]);
    }
    out
}

fn feed(c: &mut Collector, at: i64, sequence: u32, ports: &[u16], groups: &mut Vec<Group>) {
    let second = SECOND + u32::try_from(at).unwrap();
    let now = NOW.plus(at * 1_000);
    c.datagram(PEER, now, &datagram(second, sequence, ports)).unwrap();
    c.tick(now);
    groups.extend(c.take());
}

#[test]
fn a_lost_datagram_is_a_gap_and_a_doubled_one_is_dropped() {
    let (mut c, mut groups) = (collector(""), Vec::new());
    feed(&mut c, 0, 7, &[2048, 2049], &mut groups);
    feed(&mut c, 1, 8, &[2050], &mut groups);
    feed(&mut c, 1, 8, &[2050], &mut groups);
    feed(&mut c, 3, 11, &[2051], &mut groups);
    c.stop(NOW.plus(20_000));
    groups.extend(c.take());
    assert_eq!(rows::<NatEvent>(&groups, Kind::NatEvent).len(), 4);
    let gaps: Vec<_> = rows::<Gap>(&groups, Kind::Gap).into_iter().map(|g| (g.lost, g.unit, g.reason)).collect();
    assert_eq!(gaps, [(Some(2), "packets".to_owned(), "sequence".to_owned())]);
    assert!(rows::<NatEvent>(&groups, Kind::NatEvent).iter().all(|e| e.remote_address.is_none()), "dropped unless a policy keeps them");
}

#[test]
fn numbers_that_count_nothing_make_no_gap() {
    let text = "[[devices]]\nprefix = \"127.0.0.1/32\"\nsequence = \"none\"\n";
    let settings = toml::from_str::<Config>(text).unwrap().check().unwrap();
    let mut c = Collector::new(Arc::new(settings), Box::new(MemoryRegister::default()), "udp:test", None);
    let mut groups = Vec::new();
    feed(&mut c, 0, 7, &[2048], &mut groups);
    feed(&mut c, 1, 70, &[2049], &mut groups);
    c.stop(NOW.plus(20_000));
    groups.extend(c.take());
    assert!(rows::<Gap>(&groups, Kind::Gap).is_empty());
}

#[test]
fn what_was_lost_while_we_were_away_is_seen_at_the_next_datagram() {
    let (mut c, mut groups) = (collector(""), Vec::new());
    feed(&mut c, 0, 7, &[2048], &mut groups);
    let state: Vec<(Vec<u8>, Vec<u8>)> =
        groups.iter().flat_map(|g| &g.state).filter_map(|s| Some((s.key.clone(), s.value.clone()?))).collect();
    assert_eq!(state.len(), 1);
    let (mut c, mut groups) = (collector(""), Vec::new());
    c.restore(&state, NOW.plus(60_000)).unwrap();
    feed(&mut c, 60, 18, &[2049], &mut groups);
    c.stop(NOW.plus(90_000));
    groups.extend(c.take());
    let gaps: Vec<_> = rows::<Gap>(&groups, Kind::Gap).into_iter().map(|g| g.lost).collect();
    assert_eq!(gaps, [Some(10)]);
}

/// Datagrams of so many flows each, numbered by what is counted; those at the places in `lost` do not arrive. Gaps: how many, of what.
fn numbered(by_flows: bool, flows: &[usize], lost: &[usize], text: &str) -> (Vec<(Option<u64>, String)>, u64) {
    let (register, mut groups) = (MemoryRegister::default(), Vec::new());
    let mut c = Collector::new(Arc::new(settings(text)), Box::new(register.clone()), "udp:test", None);
    let (mut number, mut port) = (u32::MAX - 3, 1_024);
    for (i, n) in flows.iter().enumerate() {
        let ports: Vec<u16> = (0..*n).map(|k| port + k as u16).collect();
        port += 64;
        if !lost.contains(&i) {
            feed(&mut c, i as i64, number, &ports, &mut groups);
        }
        number = number.wrapping_add(if by_flows { *n as u32 } else { 1 });
    }
    c.stop(NOW.plus(100_000));
    groups.extend(c.take());
    let gaps = rows::<Gap>(&groups, Kind::Gap).into_iter().map(|g| (g.lost, g.unit)).collect();
    (gaps, register.counters("fw").lost)
}

#[test]
fn what_the_numbers_count_is_found_out_and_neither_reading_loses_or_invents_anything() {
    let many: Vec<usize> = (0..40).map(|i| 1 + i * 7 % 5).collect();
    for by_flows in [false, true] {
        assert_eq!(numbered(by_flows, &many, &[], ""), (vec![], 0), "nothing is lost: by flows {by_flows}");
        // Lost after it was found out, and before.
        for lost in [[30, 31], [2, 3]] {
            let flows: usize = lost.iter().map(|i| many[*i]).sum();
            let want = if by_flows { (flows as u64, "records") } else { (2, "packets") };
            let (gaps, counted) = numbered(by_flows, &many, &lost, "");
            assert_eq!(gaps, [(Some(want.0), want.1.to_owned())], "by flows {by_flows}, lost {lost:?}");
            assert_eq!(counted, want.0);
            // Said in the configuration it is the same.
            let said = if by_flows { "sequence = \"flows\"\n" } else { "sequence = \"packets\"\n" };
            assert_eq!(numbered(by_flows, &many, &lost, said).0, gaps);
        }
    }
    // One flow a datagram: both readings are one.
    assert_eq!(numbered(true, &[1; 10], &[4], "").0, [(Some(1), "packets".to_owned())]);
    // As many lost as would make it look like flows, once: the next step shows that packets are counted.
    assert_eq!(numbered(false, &[2; 12], &[3], "").0, [(Some(1), "packets".to_owned())]);
    // It stops before anything is found out: something is missing, how much is not known.
    assert_eq!(numbered(true, &[3, 3, 3], &[1], "").0, [(None, "packets".to_owned())]);
}

#[test]
fn what_was_found_out_is_known_after_a_restart() {
    let (mut c, mut groups) = (collector(""), Vec::new());
    for i in 0..12 {
        feed(&mut c, i64::from(i), 7 + i * 2, &[2048, 2049], &mut groups);
    }
    let state: BTreeMap<Vec<u8>, Vec<u8>> =
        groups.iter().flat_map(|g| &g.state).filter_map(|s| Some((s.key.clone(), s.value.clone()?))).collect();
    let (mut c, mut groups) = (collector(""), Vec::new());
    c.restore(&state.into_iter().collect::<Vec<_>>(), NOW.plus(60_000)).unwrap();
    feed(&mut c, 60, 7 + 12 * 2 + 6, &[2048, 2049], &mut groups);
    c.stop(NOW.plus(90_000));
    groups.extend(c.take());
    let gaps: Vec<_> = rows::<Gap>(&groups, Kind::Gap).into_iter().map(|g| (g.lost, g.unit)).collect();
    assert_eq!(gaps, [(Some(6), "records".to_owned())]);
}

#[test]
fn a_stranger_is_recorded_and_nothing_else() {
    let mut c = collector("");
    c.datagram(Addr16::v4([192, 0, 2, 9]), NOW, &datagram(SECOND, 1, &[2048])).unwrap();
    let groups: Vec<Group> = c.take().into_iter().collect();
    assert_eq!(rows::<Malformed>(&groups, Kind::Malformed)[0].reason, "h3c.unknown-device");
    assert!(rows::<NatEvent>(&groups, Kind::NatEvent).is_empty());
}

#[test]
fn all_problems_of_a_configuration_are_found_at_once() {
    let text =
        "listen = [\"9020\"]\nreceive_buffer = 1\n[[devices]]\nrealm = \"\"\nclock = \"ntp\"\nsequence = \"bytes\"\npools = [\"x\"]\n";
    let problems = toml::from_str::<Config>(text).unwrap().check().unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|p| p.split(':').next().unwrap()).collect();
    let device = ["devices[0].prefix", "devices[0].realm", "devices[0].clock", "devices[0].sequence", "devices[0].pools[0]"];
    assert_eq!(keys, [&["listen[0]", "receive_buffer"][..], &device].concat());
    assert!(
        toml::from_str::<Config>("listen = [\"127.0.0.1:0\"]").unwrap().check().unwrap_err()[0].starts_with("devices: nobody may send")
    );
}

#[test]
fn datagrams_over_the_socket_become_events() {
    let settings = Settings { udp: vec!["127.0.0.1:0".parse().unwrap()], ..settings("") };
    let (sink, tasks) = (MemorySink::new(), Tasks::new(Stop::new(), |ended| assert!(ended.panic.is_none(), "{ended:?}")));
    let (to, clock): (Arc<dyn RecordSink>, Arc<dyn Clock>) = (sink.clone(), Arc::new(SystemClock::new()));
    let bound = server::start(settings, &to, &clock, None, &tasks).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let second = u32::try_from(clock.now().0 / 1_000).unwrap();
    for i in 0..4 {
        socket.send_to(&datagram(second, i, &[2048 + i as u16, 4096 + i as u16]), bound[0]).unwrap();
    }
    socket.send_to(&[5, 4, 0, 1, 0, 0], bound[0]).unwrap();
    assert_eq!(sink.wait_rows::<NatEvent>(8).len(), 8);
    assert_eq!(sink.wait_rows::<Malformed>(1)[0].reason, "h3c.version-needs-a-layout");
    let (desc, _) = sink.sources().into_iter().next().unwrap();
    assert_eq!((desc.name.as_str(), desc.kind.as_str(), desc.pools.len()), ("fw", "h3c", 1));
    tasks.stop().raise();
    tasks.join();
}

proptest! {
    #[test]
    fn no_bytes_panic(version in prop_oneof![Just(1u8), Just(3), Just(5), Just(7), any::<u8>()], data in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut c = collector(&layouts::both());
        c.datagram(PEER, NOW, &[&[version, 4], &data[..]].concat()).unwrap();
    }

    #[test]
    fn what_is_written_is_read(
        protocol in any::<u8>(), operator in prop_oneof![1u8..=8, Just(254)], addresses in any::<[[u8; 4]; 3]>(),
        ports in any::<[u16; 3]>(),
        start in any::<u32>(), end in any::<u32>(), rest in any::<[u8; 28]>(),
    ) {
        let mut record = vec![protocol, operator, 4, 0];
        let [inside, public, remote] = addresses;
        record.extend([inside, public, remote, remote].concat());
        for p in [ports[0], ports[1], ports[2], ports[2]] {
            record.extend(p.to_be_bytes());
        }
        record.extend(start.to_be_bytes());
        record.extend(end.to_be_bytes());
        record.extend(rest);
        prop_assert_eq!(record.len(), THREE.record);
        let flow = message::flow(&THREE, &record).unwrap();
        prop_assert_eq!(flow.inside, (Addr16::v4(inside), ports[0]));
        prop_assert_eq!(flow.public, (Addr16::v4(public), ports[1]));
        prop_assert_eq!(flow.remote, (Addr16::v4(remote), ports[2]));
        prop_assert_eq!((flow.protocol, flow.start, flow.end), (protocol, i64::from(start) * 1_000, i64::from(end) * 1_000));
        let want = match operator { 8 => Told::Created, 6 => Told::Alive, 5 => Told::Address, _ => Told::Ended };
        prop_assert_eq!(flow.told, want);
        prop_assert_eq!(message::flow(&THREE, &record[..THREE.record - 1]), Err(Fault::Length));
    }
}

#[test]
fn a_datagram_of_which_nothing_can_be_read_makes_no_restart() {
    for flows in [&[2048u16][..], &[2048, 2049]] {
        let (mut c, mut groups) = (collector(""), Vec::new());
        feed(&mut c, 0, 7, flows, &mut groups);
        // Its clock stands two days back in the header alone; then a number from nowhere; then all is as before.
        let mut odd = datagram(SECOND + 1, 8, &[2050]);
        odd[4..8].copy_from_slice(&(SECOND - 2 * 86_400).to_be_bytes());
        c.datagram(PEER, NOW.plus(1_000), &odd).unwrap();
        odd[8..12].copy_from_slice(&0x0fff_ffffu32.to_be_bytes());
        c.datagram(PEER, NOW.plus(1_500), &odd).unwrap();
        for n in 0..4 {
            feed(&mut c, 2 + n, 9 + n as u32, &[2051 + n as u16], &mut groups);
        }
        c.stop(NOW.plus(20_000));
        groups.extend(c.take());
        let gaps = rows::<Gap>(&groups, Kind::Gap);
        assert!(gaps.iter().all(|g| g.reason != "exporter-restart" && g.start >= NOW.plus(-1_000)), "{gaps:?}");
        let malformed = rows::<Malformed>(&groups, Kind::Malformed);
        assert_eq!(malformed.iter().map(|m| m.reason.as_str()).collect::<Vec<_>>(), ["h3c.time", "h3c.time"]);
    }
}

#[test]
fn a_gap_begins_no_earlier_than_its_device_was_heard() {
    let (mut c, mut groups) = (collector(""), Vec::new());
    feed(&mut c, 0, 700_000, &[2048], &mut groups);
    // It starts anew with a clock of two days ago: flows and header agree.
    c.datagram(PEER, NOW.plus(2_000), &datagram(SECOND - 2 * 86_400, 0, &[2049])).unwrap();
    c.stop(NOW.plus(20_000));
    groups.extend(c.take());
    let gaps = rows::<Gap>(&groups, Kind::Gap);
    assert_eq!(gaps.iter().map(|g| g.reason.as_str()).collect::<Vec<_>>(), ["exporter-restart"]);
    assert!(gaps[0].start >= Millis(i64::from(SECOND) * 1_000 - 1_000), "{gaps:?}");
}

#[test]
fn an_end_tells_when_it_began() {
    let (mut c, mut groups) = (collector(""), Vec::new());
    let mut end = datagram(SECOND, 7, &[2048]);
    end[17] = 1;
    let began = SECOND - 600;
    end[16 + 28..16 + 32].copy_from_slice(&began.to_be_bytes());
    end[16 + 32..16 + 36].copy_from_slice(&SECOND.to_be_bytes());
    c.datagram(PEER, NOW, &end).unwrap();
    c.stop(NOW);
    groups.extend(c.take());
    let events = rows::<NatEvent>(&groups, Kind::NatEvent);
    assert_eq!(events.iter().map(|e| (e.action, e.time.0 / 1_000)).collect::<Vec<_>>(), [(4, i64::from(began)), (2, i64::from(SECOND))]);
}
