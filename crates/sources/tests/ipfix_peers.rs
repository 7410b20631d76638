//! The IPFIX source on real sockets: a real exporter (softflowd), our own datagrams, TCP sessions, a store that is full for a while.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks, lock};
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::{Gap, Malformed, NatEvent};
use weir_record::sink::{Done, Group, Receipt, RecordSink, SinkError, SourceCounters, SourceDesc, SourceHandle};
use weir_sources::ipfix::collector::Register;
use weir_sources::ipfix::config::{Config, ExporterConfig};
use weir_sources::ipfix::prepared::MemoryRegister;
use weir_sources::ipfix::server::Server;

/// A store in memory that can be full.
#[derive(Default)]
struct Memory {
    register: MemoryRegister,
    kept: Mutex<Kept>,
    changed: Condvar,
    full: AtomicBool,
}

#[derive(Default)]
struct Kept {
    events: Vec<NatEvent>,
    gaps: Vec<Gap>,
    malformed: Vec<Malformed>,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    groups: u64,
}

impl Memory {
    /// Waits until `ready` says so.
    fn wait(&self, what: &str, ready: impl Fn(&Kept) -> bool) {
        let kept = lock(&self.kept);
        let (_kept, time) = self.changed.wait_timeout_while(kept, Duration::from_secs(60), |k| !ready(k)).unwrap();
        assert!(!time.timed_out(), "waited a minute for {what}");
    }

    fn counters(&self, name: &str) -> SourceCounters {
        self.register.counters(name)
    }
}

impl RecordSink for Memory {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        self.register.register(desc)
    }

    fn realm(&self, _: &str) -> Result<u32, SinkError> {
        Ok(1)
    }

    fn state(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        assert_eq!(owner, "ipfix");
        lock(&self.kept).state.clone().into_iter().collect()
    }

    fn submit(&self, group: Group, done: Done) {
        if self.full.load(Ordering::SeqCst) {
            done(Err(SinkError::Full));
            return self.changed.notify_all();
        }
        assert_eq!(weir_record::group::check(&group), Ok(()));
        let mut kept = lock(&self.kept);
        for (kind, batch) in &group.batches {
            match kind {
                Kind::NatEvent => kept.events.extend(NatEvent::rows(batch)),
                Kind::Gap => kept.gaps.extend(Gap::rows(batch)),
                Kind::Malformed => kept.malformed.extend(Malformed::rows(batch)),
                _ => {}
            }
        }
        for put in group.state {
            match put.value {
                Some(value) => drop(kept.state.insert(put.key, value)),
                None => drop(kept.state.remove(&put.key)),
            }
        }
        kept.groups += 1;
        let group = kept.groups;
        drop(kept);
        done(Ok(Receipt { group }));
        self.changed.notify_all();
    }

    fn try_submit(&self, group: Group, done: Done) {
        self.submit(group, done);
    }
}

struct Running {
    server: Server,
    tasks: Tasks,
}

fn start(memory: &Arc<Memory>, config: &Config) -> Running {
    let settings = config.check().unwrap();
    let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
    let (sink, clock): (Arc<dyn RecordSink>, Arc<dyn Clock>) = (memory.clone(), Arc::new(SystemClock::new()));
    let server = Server::start(settings, &sink, &clock, None, &tasks).unwrap();
    Running { server, tasks }
}

impl Running {
    fn stop(self) {
        self.tasks.stop().raise();
        self.tasks.join();
    }
}

fn both() -> Config {
    let any = vec!["127.0.0.1:0".to_owned()];
    Config { listen: any.clone(), listen_tcp: any, accept_unknown: true, ..Config::default() }
}

const SECS: u32 = 1_795_312_800;

/// An IPFIX message of NAT44 sessions: template 256 when asked, then records `from..to` (the port counts them).
fn message(domain: u32, template: bool, from: u16, to: u16) -> Vec<u8> {
    let fields: [(u16, u16); 7] = [(323, 8), (230, 1), (4, 1), (8, 4), (7, 2), (225, 4), (227, 2)];
    let mut body = Vec::new();
    if template {
        body.extend([0, 2, 0, 4 + 4 + 28, 1, 0, 0, 7]);
        fields.iter().for_each(|(id, len)| body.extend([id.to_be_bytes(), len.to_be_bytes()].concat()));
    }
    if to > from {
        body.extend([256u16.to_be_bytes(), (4 + (to - from) * 22).to_be_bytes()].concat());
    }
    for n in from..to {
        body.extend((u64::from(SECS) * 1000).to_be_bytes());
        body.extend([4, 17, 100, 64, 0, 12]);
        body.extend([n.to_be_bytes(), [203, 0], [113, 7], n.to_be_bytes()].concat());
    }
    let mut out = vec![0, 10];
    out.extend((16 + body.len() as u16).to_be_bytes());
    out.extend([SECS.to_be_bytes(), u32::from(from).to_be_bytes(), domain.to_be_bytes()].concat());
    out.extend(body);
    out
}

fn ports(kept: &Kept) -> Vec<u16> {
    let mut ports: Vec<u16> = kept.events.iter().map(|e| e.public_port).collect();
    ports.sort_unstable();
    ports
}

#[test]
fn datagrams_over_a_real_socket_and_a_restart_of_ours() {
    let memory = Arc::new(Memory::default());
    let running = start(&memory, &both());
    let to = running.server.udp()[0];
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(&message(1, true, 0, 20), to).unwrap();
    socket.send_to(&message(1, false, 20, 50), to).unwrap();
    // Twenty are missing here.
    socket.send_to(&message(1, false, 70, 100), to).unwrap();
    socket.send_to(b"not a message", to).unwrap();
    memory.wait("the records", |k| k.events.len() == 80 && k.malformed.len() == 1 && k.gaps.len() == 1);
    running.stop();
    let kept = lock(&memory.kept);
    assert_eq!(kept.gaps.iter().map(|g| (g.lost, g.unit.as_str())).collect::<Vec<_>>(), [(Some(20), "records")]);
    assert_eq!(ports(&kept), (0..50).chain(70..100).collect::<Vec<_>>());
    drop(kept);
    let c = memory.counters("127.0.0.1/1");
    assert_eq!((c.messages, c.records, c.lost, c.malformed), (4, 80, 20, 1));
    assert!(c.offset_ms.is_some() && c.last_seen.is_some());

    // The next run listens under the same configured address, so it finds the template, and what was sent meanwhile is missed.
    let running = start(&memory, &both());
    socket.send_to(&message(1, false, 110, 120), running.server.udp()[0]).unwrap();
    memory.wait("the records of the second run", |k| k.events.len() == 90 && k.gaps.len() == 2);
    running.stop();
    assert_eq!(lock(&memory.kept).gaps[1].lost, Some(10));
}

#[test]
fn tcp_messages_in_pieces() {
    let memory = Arc::new(Memory::default());
    let running = start(&memory, &both());
    let mut stream = TcpStream::connect(running.server.tcp()[0]).unwrap();
    stream.set_nodelay(true).unwrap();
    let bytes = [message(3, true, 0, 10), message(3, false, 10, 1_000), message(3, false, 1_000, 1_001)].concat();
    for piece in bytes.chunks(997) {
        stream.write_all(piece).unwrap();
    }
    memory.wait("all records of a session", |k| k.events.len() == 1_001);
    // Something that is no message ends the session; others go on.
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    memory.wait("the refusal", |k| k.malformed.len() == 1);
    let mut other = TcpStream::connect(running.server.tcp()[0]).unwrap();
    // The template ended with the first session: these wait, and are decoded when it comes.
    other.write_all(&message(4, false, 2_000, 2_010)).unwrap();
    other.write_all(&message(4, true, 2_010, 2_020)).unwrap();
    memory.wait("the second session", |k| k.events.len() == 1_021);
    drop(other);
    running.stop();
    let kept = lock(&memory.kept);
    assert_eq!(ports(&kept), (0..1_001).chain(2_000..2_020).collect::<Vec<_>>());
    assert!(kept.gaps.is_empty(), "{:?}", kept.gaps);
}

#[test]
fn a_full_disk_delays_and_loses_nothing_that_was_read() {
    let memory = Arc::new(Memory::default());
    let running = start(&memory, &both());
    let to = running.server.udp()[0];
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(&message(1, true, 0, 10), to).unwrap();
    memory.wait("the first records", |k| k.events.len() == 10);
    memory.full.store(true, Ordering::SeqCst);
    socket.send_to(&message(1, false, 10, 20), to).unwrap();
    let says_so = || memory.counters("127.0.0.1/1").trouble.is_some_and(|t| t.contains("disk is full"));
    memory.wait("the word that the disk is full", |_| says_so());
    for n in 2..50 {
        socket.send_to(&message(1, false, n * 10, n * 10 + 10), to).unwrap();
    }
    assert_eq!(lock(&memory.kept).events.len(), 10);
    memory.full.store(false, Ordering::SeqCst);
    memory.wait("everything", |k| k.events.len() == 500);
    running.stop();
    let kept = lock(&memory.kept);
    assert_eq!(ports(&kept), (0..500).collect::<Vec<_>>());
    assert!(kept.gaps.is_empty(), "{:?}", kept.gaps);
}

#[test]
fn exporters_by_prefix_have_their_realm_and_name() {
    let memory = Arc::new(Memory::default());
    let exporter = |name: &str, prefix: &str, realm: &str| ExporterConfig {
        name: name.into(),
        prefix: prefix.into(),
        realm: realm.into(),
        profile: "rfc8158".into(),
        ..ExporterConfig::default()
    };
    let exporters = vec![exporter("cgn-a", "127.0.0.2", "north"), exporter("cgn-b", "127.0.0.3", "south")];
    let running = start(&memory, &Config { exporters, accept_unknown: false, ..both() });
    for host in ["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0"] {
        let from: SocketAddr = host.parse().unwrap();
        let socket = UdpSocket::bind(from).unwrap();
        socket.send_to(&message(7, true, 0, 5), running.server.udp()[0]).unwrap();
    }
    memory.wait("both", |k| k.events.len() == 10 && k.malformed.len() == 1);
    running.stop();
    let sources: Vec<_> = memory.register.sources().into_iter().map(|(d, _)| (d.name, d.realm, d.peer)).collect();
    let text = |s: [&str; 3]| (s[0].to_owned(), s[1].to_owned(), s[2].to_owned());
    assert_eq!(sources, [text(["cgn-a/7", "north", "127.0.0.2"]), text(["cgn-b/7", "south", "127.0.0.3"])]);
    assert_eq!(lock(&memory.kept).malformed[0].reason, "unknown-exporter");
}

/// A pcap (libpcap format 2.4, raw IPv4) of UDP packets of `flows` flows, two packets each, one second apart.
fn write_pcap(path: &Path, flows: u16) {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0002_0004, 0, 0, 65_535, 101] {
        // The version is two halves: major first, in the file's byte order.
        let bytes = if word == 0x0002_0004 { [2, 0, 4, 0] } else { word.to_le_bytes() };
        out.extend(bytes);
    }
    for second in 0..2u32 {
        for flow in 0..flows {
            let mut packet = vec![0x45, 0, 0, 36, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1];
            let sum: u32 = packet.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
            let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
            packet.extend([(1_000 + flow).to_be_bytes(), 53u16.to_be_bytes(), 16u16.to_be_bytes(), [0, 0]].concat());
            packet.extend([0; 8]);
            for word in [SECS + second, u32::from(flow), packet.len() as u32, packet.len() as u32] {
                out.extend(word.to_le_bytes());
            }
            out.extend(packet);
        }
    }
    std::fs::write(path, out).unwrap();
}

#[test]
fn softflowd_exports_to_us() {
    let found = ["/usr/sbin/softflowd", "/usr/bin/softflowd"].into_iter().find(|p| Path::new(p).exists());
    let Some(program) = found else {
        assert!(std::env::var_os("WEIR_CI").is_none_or(|v| v != "1"), "softflowd is not installed: apt-get install softflowd");
        eprintln!("softflowd is not installed: nothing is compared");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let pcap = folder.path().join("flows.pcap");
    write_pcap(&pcap, 40);
    for (version, kind) in [("9", "netflow9"), ("10", "ipfix")] {
        let memory = Arc::new(Memory::default());
        let running = start(&memory, &both());
        let to = running.server.udp()[0].to_string();
        let output = Command::new(program).args(["-r"]).arg(&pcap).args(["-v", version, "-n", &to]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // It goes when it has sent everything. What follows in the same socket comes after it, and is no message.
        let probe = UdpSocket::bind("127.0.0.1:0").unwrap();
        probe.send_to(b"end", &to).unwrap();
        memory.wait("the end", |k| !k.malformed.is_empty());
        running.stop();
        let sources = memory.register.sources();
        let ignored: u64 = sources.iter().map(|(d, _)| memory.counters(&d.name).ignored).sum();
        let messages: u64 = sources.iter().map(|(d, _)| memory.counters(&d.name).messages).sum();
        assert!(sources.iter().all(|(d, _)| d.kind == kind), "{sources:?}");
        // 40 flows, one way each; what else it reports (options, the empty way back) comes on top.
        assert!(ignored >= 40, "{ignored} flow records in {messages} messages");
        let kept = lock(&memory.kept);
        let reasons: Vec<_> = kept.malformed.iter().map(|m| m.reason.as_str()).collect();
        assert_eq!((kept.events.len(), reasons), (0, vec!["unsupported-version"]), "no NAT in its records, and none is malformed");
    }
}
