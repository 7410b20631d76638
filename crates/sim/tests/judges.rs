//! Two programs that have nothing to do with this one decode what the simulator sends: nfcapd with nfdump, and nfacctd. Every record is
//! compared with the truth file.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use weir_base::clock::SystemClock;
use weir_base::task::Stop;
use weir_base::time::Millis;
use weir_sim::{HeaderTime, Mode, Plan, Profile, play};

/// One event as all three see it: natEvent, protocol, inside, inside port, public, public port (first and last of a block), time in ms.
type Event = (u8, u8, String, u16, String, u16, u16, i64);

/// True if all programs are there. What was not shown is said; with `WEIR_CI=1` that is a failure.
fn have(programs: &[&str]) -> bool {
    let missing: Vec<&&str> = programs.iter().filter(|p| find(p).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    let text =
        format!("NOT SHOWN: that {missing:?} (Debian packages nfdump and pmacct) decodes what the simulator sends; not installed here");
    assert!(std::env::var("WEIR_CI").as_deref() != Ok("1"), "{text}");
    println!("{text}");
    false
}

fn find(program: &str) -> Option<PathBuf> {
    ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"].iter().map(|d| Path::new(d).join(program)).find(|p| p.is_file())
}

/// A port the kernel has just chosen.
fn free_port() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The receive queue of a UDP socket on loopback in bytes; `None` while nobody is bound.
fn receive_queue(at: SocketAddr) -> Option<u64> {
    let place = format!("0100007F:{:04X}", at.port());
    let table = fs::read_to_string("/proc/net/udp").unwrap();
    let line = table.lines().find(|l| l.split_whitespace().nth(1) == Some(place.as_str()))?;
    let queues = line.split_whitespace().nth(4)?;
    u64::from_str_radix(queues.split(':').nth(1)?, 16).ok()
}

/// Waits for a condition of another process, looking every few milliseconds, for half a minute at most; `state` says what there is instead.
fn wait_until(what: &str, mut condition: impl FnMut() -> bool, state: impl Fn() -> String) {
    let never = Stop::new();
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        never.wait(Duration::from_millis(5));
    }
    panic!("{what}: not within half a minute, but {}", state());
}

/// A collector in the foreground; ended when dropped.
struct Collector {
    child: Child,
    at: SocketAddr,
}

impl Collector {
    fn start(mut command: Command, at: SocketAddr, log: &Path) -> Collector {
        let log = fs::File::create(log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let collector = Collector { child, at };
        wait_until("the collector's socket", || receive_queue(at).is_some(), || format!("nobody is bound to {at}"));
        collector
    }

    /// Lets it read what the kernel holds for it, then tells it to write its file and end.
    fn finish(mut self, signal: Signal) {
        wait_until("an empty receive queue", || receive_queue(self.at) == Some(0), || format!("{:?} bytes", receive_queue(self.at)));
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plays 2,000 events into both addresses and gives the truth's events, by exporter.
fn play_and_read(truth: &Path, ipfix: SocketAddr, netflow9: SocketAddr) -> BTreeMap<String, Vec<Event>> {
    let mut plan = Plan::new(Profile::Isp, 77);
    plan.rate = 400;
    plan.events = Some(2_000);
    (plan.bib, plan.bindings) = (true, true);
    plan.mode = Mode::Fast { history_ms: 20_000, datagrams_per_second: 500, header_time: HeaderTime::Simulated };
    plan.targets.ipfix = Some(ipfix);
    plan.targets.netflow9 = Some(netflow9);
    plan.truth = Some(truth.to_owned());
    let played = play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap();
    assert_eq!(played.tally.events, 2_000);
    let mut events: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    weir_sim::truth::read(truth, |line| {
        if line.form == "login" {
            return Ok(());
        }
        let (inside, public) = (line.inside.ok_or("inside")?, line.public.ok_or("public")?);
        let six = inside.contains(':');
        let create = match (line.form.as_str(), six) {
            ("session", false) => 4,
            ("session", true) => 6,
            ("bib", false) => 8,
            ("bib", true) => 10,
            ("address", _) => 14,
            _ => 16,
        };
        let (port, port_end) = if line.form == "address" { (0, 0) } else { (line.port, line.port_end) };
        let event = |number, at| (number, line.protocol, inside.clone(), line.inside_port, public.clone(), port, port_end, at);
        let list = events.entry(line.exporter.clone()).or_default();
        list.push(event(create, line.start));
        list.extend(line.end.map(|end| event(create + 1, end)));
        Ok(())
    })
    .unwrap();
    assert_eq!(events.values().map(Vec::len).sum::<usize>(), 2_000);
    events
}

fn assert_same(what: &str, mut got: Vec<Event>, mut expected: Vec<Event>) {
    assert!(!expected.is_empty(), "{what}");
    got.sort();
    expected.sort();
    for (n, (g, e)) in got.iter().zip(&expected).enumerate() {
        assert_eq!(g, e, "{what}, event {n}");
    }
    assert_eq!(got.len(), expected.len(), "{what}");
    println!("{what}: {} events agree", got.len());
}

fn nfcapd(folder: &Path) -> Collector {
    fs::create_dir(folder).unwrap();
    let at = free_port();
    let mut command = Command::new(find("nfcapd").unwrap());
    command.args(["-b", "127.0.0.1", "-p", &at.port().to_string(), "-t", "3600", "-B", "4000000", "-w"]).arg(folder);
    Collector::start(command, at, &folder.with_extension("log"))
}

fn text<'v>(v: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|n| v.get(*n)?.as_str())
}

fn number<T: TryFrom<i64>>(v: &Value, name: &str) -> T {
    let field = v.get(name);
    let n = field.and_then(|f| f.as_i64().or_else(|| f.as_str()?.parse().ok())).unwrap_or(0);
    T::try_from(n).ok().unwrap_or_else(|| panic!("{name} of {v}"))
}

/// nfdump's own reading of the one file nfcapd wrote.
fn nfdump(folder: &Path) -> Vec<Event> {
    let file = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).find(|p| p.is_file()).expect("nfcapd wrote a file");
    let mut command = Command::new(find("nfdump").unwrap());
    let output = command.env("TZ", "UTC").arg("-r").arg(file).args(["-o", "json"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let records: Vec<Value> = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said:.300}"));
    records.iter().map(nfdump_event).collect()
}

fn nfdump_event(v: &Value) -> Event {
    // nfdump 1.7.1 writes the milliseconds without leading zeros: .7 is seven milliseconds.
    let (second, millis) = text(v, &["t_event"]).and_then(|t| t.split_once('.')).expect("an event time");
    let at = format!("{second}Z").parse::<Millis>().unwrap().plus(millis.parse().unwrap());
    let inside = text(v, &["src4_addr", "src6_addr"]).expect("an inside address").to_owned();
    let public = text(v, &["src4_xlt_ip"]).expect("a public address").to_owned();
    let protocol: u8 = number(v, "proto");
    let port = number(v, "src_xlt_port");
    (number(v, "nat_event_id"), protocol, inside, number(v, "src_port"), public, port, port, at.0)
}

/// Without what nfdump 1.7.1 cannot show: the ICMP query identifier of the inside, and the ports of a block (it keeps the elements 361 and
/// 362 of IPFIX nowhere). nfacctd below shows both.
fn portless(events: Vec<Event>) -> Vec<Event> {
    let cut = |e: Event| match e {
        (event @ (16 | 17), protocol, inside, port, public, _, _, at) => (event, protocol, inside, port, public, 0, 0, at),
        (event, 1, inside, _, public, first, last, at) => (event, 1, inside, 0, public, first, last, at),
        other => other,
    };
    events.into_iter().map(cut).collect()
}

#[test]
fn nfcapd_and_nfdump_agree_with_the_truth() {
    if !have(&["nfcapd", "nfdump"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (ten, nine) = (folder.path().join("ipfix"), folder.path().join("v9"));
    let (ipfix, v9) = (nfcapd(&ten), nfcapd(&nine));
    let mut truth = play_and_read(&folder.path().join("truth"), ipfix.at, v9.at);
    ipfix.finish(Signal::TERM);
    v9.finish(Signal::TERM);
    let west = truth.remove("cgn-c").unwrap();
    assert_same("nfdump, NetFlow v9", portless(nfdump(&nine)), portless(west));
    let rest: Vec<Event> = truth.into_values().flatten().collect();
    assert_same("nfdump, IPFIX", portless(nfdump(&ten)), portless(rest));
}

fn nfacctd(folder: &Path, name: &str) -> (Collector, PathBuf) {
    let (at, out, config) = (free_port(), folder.join(format!("{name}.json")), folder.join(format!("{name}.conf")));
    let primitives = folder.join("primitives");
    fs::write(&primitives, "name=block_start field_type=361 len=2 semantics=u_int\nname=block_end field_type=362 len=2 semantics=u_int\n")
        .unwrap();
    let fields = "proto, src_host, src_port, post_nat_src_host, post_nat_src_port, nat_event, timestamp_start, block_start, block_end";
    let lines = [
        "daemonize: false".to_owned(),
        "nfacctd_ip: 127.0.0.1".to_owned(),
        format!("nfacctd_port: {}", at.port()),
        "nfacctd_pipe_size: 4000000".to_owned(),
        format!("aggregate_primitives: {}", primitives.display()),
        "plugins: print".to_owned(),
        format!("aggregate: {fields}"),
        "print_output: json".to_owned(),
        format!("print_output_file: {}", out.display()),
        "print_output_file_append: true".to_owned(),
        "print_refresh_time: 1".to_owned(),
        "print_cache_entries: 10007".to_owned(),
        "timestamps_since_epoch: true".to_owned(),
    ];
    fs::write(&config, lines.join("\n") + "\n").unwrap();
    let mut command = Command::new(find("nfacctd").unwrap());
    command.arg("-f").arg(&config);
    let log = folder.join(format!("{name}.log"));
    let collector = Collector::start(command, at, &log);
    // Its socket is open before the process that writes listens to it, and what comes in between is lost. The first of its (empty) purges,
    // one a second, shows that it listens.
    let said = || fs::read_to_string(&log).unwrap_or_default();
    wait_until("nfacctd's first purge", || said().contains("Purging cache - END"), said);
    (collector, out)
}

fn nfacctd_events(file: &Path) -> Vec<Event> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|l| nfacctd_event(&serde_json::from_str(l).unwrap())).collect()
}

fn nfacctd_event(v: &Value) -> Event {
    let protocol = match text(v, &["ip_proto"]).unwrap_or("0") {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        other => other.parse().unwrap_or(0),
    };
    let at = text(v, &["timestamp_start"]).expect("a time");
    let (seconds, fraction) = at.split_once('.').unwrap_or((at, "0"));
    let millis = seconds.parse::<i64>().unwrap() * 1_000 + format!("{fraction:0<3.3}").parse::<i64>().unwrap();
    let event: u8 = number(v, "nat_event");
    let names = if event >= 16 { ["block_start", "block_end"] } else { ["post_nat_port_src", "post_nat_port_src"] };
    let words = |names: &[&str]| text(v, names).unwrap_or_default().to_owned();
    let (first, last) = (number(v, names[0]), number(v, names[1]));
    (event, protocol, words(&["ip_src"]), number(v, "port_src"), words(&["post_nat_ip_src"]), first, last, millis)
}

#[test]
fn nfacctd_agrees_with_the_truth() {
    if !have(&["nfacctd"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ((ipfix, ten), (v9, nine)) = (nfacctd(folder.path(), "ipfix"), nfacctd(folder.path(), "v9"));
    let mut truth = play_and_read(&folder.path().join("truth"), ipfix.at, v9.at);
    let west = truth.remove("cgn-c").unwrap();
    let rest: Vec<Event> = truth.into_values().flatten().collect();
    for (what, out, expected) in [("nfacctd, NetFlow v9", &nine, west), ("nfacctd, IPFIX", &ten, rest)] {
        // It writes every second what has come; all has come when there are as many lines as events.
        let lines = || fs::read(out).map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count());
        let log = || fs::read_to_string(out.with_extension("log")).unwrap_or_default();
        wait_until(
            &format!("{what}: {} lines of output", expected.len()),
            || lines() >= expected.len(),
            || format!("{} lines; {}", lines(), log()),
        );
        assert_same(what, nfacctd_events(out), expected);
    }
    ipfix.finish(Signal::INT);
    v9.finish(Signal::INT);
}
