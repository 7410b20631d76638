use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::mpsc;
use std::time::Duration;

use weir_base::clock::SystemClock;
use weir_base::time::Millis;

use super::*;
use crate::plan::{Faults, Profile};

/// A clock that stands still.
struct At(i64);

impl Clock for At {
    fn now(&self) -> Millis {
        Millis(self.0)
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

const NOW: i64 = 1_795_312_800_000;

#[derive(Default)]
struct Tape(Vec<(usize, Vec<u8>)>);

impl Wire for Tape {
    fn send(&mut self, exporter: usize, datagram: &[u8]) -> Result<(), SimError> {
        self.0.push((exporter, datagram.to_vec()));
        Ok(())
    }
}

fn fast(profile: Profile, seed: u64, rate: u32, ms: i64) -> Plan {
    let mut plan = Plan::new(profile, seed);
    plan.rate = rate;
    plan.mode = Mode::Fast { history_ms: ms, datagrams_per_second: 0, header_time: HeaderTime::Simulated };
    plan
}

fn tape(plan: &Plan) -> (Tape, Played) {
    let mut tape = Tape::default();
    let played = play_into(plan, &At(NOW), &mut tape).unwrap();
    (tape, played)
}

fn digest(tape: &Tape) -> String {
    let all: Vec<u8> = tape.0.iter().flat_map(|(n, d)| [&[*n as u8], d.as_slice()].concat()).collect();
    weir_base::crypto::sha256(&all).iter().map(|b| format!("{b:02x}")).collect()
}

fn be32(d: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([d[at], d[at + 1], d[at + 2], d[at + 3]])
}

#[test]
fn the_same_plan_makes_the_same_datagrams() {
    let mut plan = fast(Profile::Isp, 21, 3_000, 5_000);
    plan.faults = Faults { loss: 0.02, duplicates: 0.02, reorder: 4, ..Faults::default() };
    let (a, b) = (tape(&plan), tape(&plan));
    assert_eq!(digest(&a.0), digest(&b.0));
    assert_eq!(a.1, b.1);
    plan.seed = 22;
    assert_ne!(digest(&tape(&plan).0), digest(&a.0));
}

#[test]
fn sequences_count_records_in_ipfix_and_packets_in_v9_and_times_end_now() {
    let (tape, played) = tape(&fast(Profile::Isp, 7, 4_000, 20_000));
    assert_eq!((played.from, played.to), (NOW - 20_000, NOW));
    let mut next: HashMap<usize, u32> = HashMap::new();
    let mut last_second = [0u32; 3];
    for (n, d) in &tape.0 {
        let v9 = *n == 2;
        assert_eq!(u16::from_be_bytes([d[0], d[1]]), if v9 { 9 } else { 10 });
        let (second, sequence, domain) = if v9 { (be32(d, 8), be32(d, 12), be32(d, 16)) } else { (be32(d, 4), be32(d, 8), be32(d, 12)) };
        assert_eq!(domain, 1_000 + *n as u32);
        assert_eq!(sequence, next.get(n).copied().unwrap_or(0));
        assert!(second >= last_second[*n]);
        last_second[*n] = second;
        let sets = if v9 { 20 } else { 16 };
        next.insert(*n, sequence + if v9 { 1 } else { data_records(&d[sets..]) });
    }
    assert_eq!(last_second, [(NOW / 1_000) as u32; 3], "the last message of every exporter says now");
    let v9_records = played.encoded - u64::from(next[&0] + next[&1]);
    assert!(v9_records > u64::from(next[&2]), "no record is lost between the counts");
}

/// Data records of IPFIX sets, by the lengths this program's templates have.
fn data_records(mut sets: &[u8]) -> u32 {
    let mut sum = 0;
    while sets.len() >= 4 {
        let (id, length) = (u16::from_be_bytes([sets[0], sets[1]]), usize::from(u16::from_be_bytes([sets[2], sets[3]])));
        let record = [32, 52, 22, 34, 17, 21].get(usize::from(id.wrapping_sub(256))).copied();
        sum += record.map_or(0, |bytes| ((length - 4) / bytes) as u32);
        sets = &sets[length..];
    }
    sum
}

fn has_templates(d: &[u8], v9: bool) -> bool {
    if v9 { d[20..22] == [0, 0] } else { d[16..18] == [0, 2] }
}

#[test]
fn templates_come_first_again_and_again_and_anew_after_a_restart() {
    let mut plan = fast(Profile::Isp, 7, 2_000, 30_000);
    plan.faults.exporter_restarts.push(("cgn-a".into(), 12_000));
    let (tape, _) = tape(&plan);
    for n in 0..3 {
        let own: Vec<&Vec<u8>> = tape.0.iter().filter(|(e, _)| *e == n).map(|(_, d)| d).collect();
        assert!(has_templates(own[0], n == 2), "exporter {n}");
        let count = own.iter().filter(|d| has_templates(d, n == 2)).count();
        assert!((6..=9).contains(&count), "exporter {n}: {count}");
    }
    let first: Vec<&Vec<u8>> = tape.0.iter().filter(|(e, _)| *e == 0).map(|(_, d)| d).collect();
    let restart = (1..first.len()).find(|i| be32(first[*i], 8) == 0).expect("the sequence is 0 again");
    assert!(has_templates(first[restart], false));
    assert_eq!(be32(first[restart], 4), ((NOW - 30_000 + 12_000) / 1_000) as u32);
    assert_eq!(first[restart][20..22], 272u16.to_be_bytes(), "with template ids of its own");
}

#[test]
fn loss_takes_datagrams_and_leaves_the_rest_as_it_was() {
    let plan = fast(Profile::Small, 3, 3_000, 10_000);
    let mut lossy = plan.clone();
    lossy.faults.loss = 0.05;
    let ((whole, _), (rest, played)) = (tape(&plan), tape(&lossy));
    assert!(played.lost > 5);
    assert_eq!(rest.0.len() as u64, whole.0.len() as u64 - played.lost);
    assert!(rest.0.iter().all(|d| whole.0.contains(d)));
}

#[test]
fn a_clock_offset_shifts_header_and_events_alike() {
    let plan = fast(Profile::Small, 3, 500, 3_000);
    let mut ahead = plan.clone();
    ahead.faults.clock_offsets.push(("nat-home".into(), 3_000));
    let ((a, _), (b, _)) = (tape(&plan), tape(&ahead));
    assert_eq!(a.0.len(), b.0.len());
    for ((_, a), (_, b)) in a.0.iter().zip(&b.0) {
        assert_eq!(be32(b, 4), be32(a, 4) + 3);
    }
    // The first message has templates: its first data set follows them.
    let templates = usize::from(u16::from_be_bytes([a.0[0].1[18], a.0[0].1[19]]));
    let at = 16 + templates + 4;
    let read = |d: &[u8]| i64::from_be_bytes(d[at..at + 8].try_into().unwrap());
    assert_eq!(read(&b.0[0].1) - read(&a.0[0].1), 3_000);
}

#[test]
fn headers_can_carry_the_time_of_sending() {
    let mut plan = fast(Profile::Small, 3, 500, 60_000);
    plan.mode = Mode::Fast { history_ms: 60_000, datagrams_per_second: 0, header_time: HeaderTime::Sending };
    plan.faults.clock_offsets.push(("nat-home".into(), -2_000));
    let (tape, _) = tape(&plan);
    assert!(tape.0.iter().all(|(_, d)| be32(d, 4) == (NOW / 1_000 - 2) as u32));
}

/// What a server in a test does with requests.
#[derive(Clone, Copy)]
enum Server {
    /// Answers everything, but each request only at its second arrival when its identifier is a multiple of this.
    Forgets(u8),
    /// Answers with a wrong authenticator.
    Wrong,
}

fn serve(how: Server) -> (SocketAddr, mpsc::Receiver<Vec<u8>>, Stop, std::thread::JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let address = socket.local_addr().unwrap();
    let (seen, requests) = mpsc::channel();
    let stop = Stop::new();
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || {
        let mut known: Vec<Vec<u8>> = Vec::new();
        let mut buffer = [0u8; 4_096];
        while !stopped.is_raised() {
            let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
            let request = buffer[..length].to_vec();
            let first = !known.contains(&request);
            known.push(request.clone());
            seen.send(request.clone()).unwrap();
            let secret: &[u8] = if matches!(how, Server::Wrong) { b"another" } else { b"testing123" };
            if matches!(how, Server::Forgets(n) if first && request[1] % n == 0) {
                continue;
            }
            let head = [5, request[1], 0, 20];
            use md5::Digest;
            let answer = md5::Md5::new().chain_update(head).chain_update(&request[4..20]).chain_update(secret).finalize();
            socket.send_to(&[head.as_slice(), &answer].concat(), from).unwrap();
        }
    });
    (address, requests, stop, thread)
}

fn radius_plan(to: SocketAddr) -> Plan {
    let mut plan = fast(Profile::Small, 5, 100, 20_000);
    plan.targets.radius = Some(to);
    plan.targets.radius_secret = b"testing123".to_vec();
    plan.radius_retry_ms = 10;
    plan.radius_window = 8;
    plan
}

#[test]
fn a_nas_retransmits_the_same_bytes_until_it_is_answered() {
    let (to, requests, stop, thread) = serve(Server::Forgets(5));
    let mut plan = radius_plan(to);
    plan.faults.radius_loss = 0.1;
    let played = play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap();
    stop.raise();
    thread.join().unwrap();
    let r = played.radius;
    assert_eq!((r.requests, r.answered), (played.tally.requests, played.tally.requests));
    assert!(r.requests > 100 && r.lost > 0 && r.retransmitted >= r.lost + r.requests / 6, "{r:?}");
    let mut counts: HashMap<Vec<u8>, u32> = HashMap::new();
    requests.into_iter().for_each(|p| *counts.entry(p).or_default() += 1);
    assert_eq!(counts.len() as u64, r.requests, "a retransmission is the same packet, bit by bit");
    assert!(counts.iter().all(|(p, n)| p[1] % 5 != 0 || *n >= 2));
}

#[test]
fn a_server_that_never_answers_rightly_is_named() {
    let (to, _requests, stop, thread) = serve(Server::Wrong);
    let mut plan = radius_plan(to);
    plan.radius_attempts = 3;
    let failed = play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap_err().to_string();
    stop.raise();
    thread.join().unwrap();
    for word in [to.to_string().as_str(), "bras-home", "3 attempts", "same secret"] {
        assert!(failed.contains(word), "{failed}");
    }
    assert!(!failed.contains("testing123"));
}

#[test]
fn a_collector_that_is_not_there_is_named() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut plan = fast(Profile::Small, 5, 1_000, 20_000);
    plan.targets.ipfix = Some(gone);
    let failed = play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap_err().to_string();
    assert!(failed.contains(&gone.to_string()) && failed.contains("nat-home"), "{failed}");
}

#[test]
fn live_play_ends_when_stopped_and_its_truth_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truth.ndjson");
    let mut plan = Plan::new(Profile::Small, 5);
    plan.mode = Mode::Live { duration_ms: None };
    plan.truth = Some(file.clone());
    let stop = Stop::new();
    let played = play(&plan, &SystemClock::new(), &stop, |p| {
        if p.tally.events > 0 {
            stop.raise();
        }
    })
    .unwrap();
    let mut lines = 0u64;
    let (header, footer) = crate::truth::read(&file, |_| {
        lines += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!((header.from, header.to, footer.to), (played.from, None, played.to));
    assert_eq!((lines, footer.events), (played.tally.mappings + played.tally.sessions, played.tally.events));
}
