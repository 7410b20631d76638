//! A real Linux NAT between network namespaces, with real connections through it: each is attributed back. What is right is what the far
//! side saw.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use weir_testkit::netns::{in_namespaces, inside};
use weir_testkit::peers;

use crate::common::{FREE_DESK, Running, WEIR, at, code, now_ms, parsed};

/// True inside namespaces of its own.
fn ready(test: &str) -> bool {
    ready_with(test, &["linux-nat.sh"])
}

/// The same with more than one script.
fn ready_with(test: &str, scripts: &[&str]) -> bool {
    let script = |name: &&str| format!(". '{}'\n", weir_testkit::package().join("tests/program/testdata").join(name).display());
    let net: String = scripts.iter().map(script).collect();
    in_namespaces(&format!("conntrack::{test}"), &net, "mappings of a Linux NAT from connection tracking")
}

fn config(dir: &Path, namespaces: &str, buffer: usize) -> PathBuf {
    let path = dir.join("weir.toml");
    let text = format!(
        "[unit]\norigin = \"conntrack.invalid\"\n[measures]\nradius = false\nipfix = false\nconntrack = true\n[sources.conntrack]\n\
         receive_buffer = {buffer}\n[[sources.conntrack.remotes]]\nfrom = \"2026-01-01\"\npolicy = \"fingerprint\"\n{namespaces}\n{FREE_DESK}"
    );
    fs::write(&path, text).unwrap();
    path
}

/// Starts the program in the router's namespace, with one capability.
fn on_router(dir: &Path, config: &Path) -> Running {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", "router", "setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all,+net_admin", WEIR, "run"]);
    command.arg("--config").arg(config).arg("--data").arg(dir.join("data"));
    Running::wait(command, &dir.join("data"))
}

fn source(running: &Running) -> Value {
    parsed(&running.ask(&["sources", "--json"])).as_array().unwrap().iter().find(|s| s["kind"] == "conntrack").cloned().unwrap_or_default()
}

/// Waits until everything up to this moment is here.
fn complete(running: &Running, ms: i64) {
    let reached = || {
        let s = source(running);
        s["complete_to"].as_str().is_some_and(|t| t.parse::<weir_base::time::Millis>().unwrap().0 > ms)
    };
    while !reached() {}
}

struct Seen {
    public: SocketAddr,
    remote: SocketAddr,
    protocol: &'static str,
    at: i64,
}

fn tcp(host: &str, remote: &str) -> (Seen, TcpStream, TcpStream) {
    let remote: SocketAddr = remote.parse().unwrap();
    let listener = inside("far", || TcpListener::bind(remote).unwrap());
    let mut stream = inside(host, || TcpStream::connect(remote).unwrap());
    let (mut far, public) = listener.accept().unwrap();
    stream.write_all(b"x").unwrap();
    far.read_exact(&mut [0]).unwrap();
    (Seen { public, remote, protocol: "tcp", at: now_ms() }, stream, far)
}

fn udp(host: &str, from: u16, remote: &str) -> Seen {
    let remote: SocketAddr = remote.parse().unwrap();
    let far = inside("far", || UdpSocket::bind(remote).unwrap());
    let near = inside(host, || UdpSocket::bind(("0.0.0.0", from)).unwrap());
    near.send_to(b"x", remote).unwrap();
    let (_, public) = far.recv_from(&mut [0; 9]).unwrap();
    Seen { public, remote, protocol: "udp", at: now_ms() }
}

/// An echo request; the far side sees which id it came with.
fn ping(host: &str, id: u16) -> Seen {
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto, recv, sendto, socket};
    let open = || socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP)).unwrap();
    let (far, near) = (inside("far", open), inside(host, open));
    let remote: SocketAddr = "203.0.113.9:0".parse().unwrap();
    let mut packet = vec![8, 0, 0, 0];
    packet.extend(id.to_be_bytes());
    packet.extend(1u16.to_be_bytes());
    let sum = !packet.chunks(2).fold(0u16, |sum, w| {
        let (s, over) = sum.overflowing_add(u16::from_be_bytes([w[0], w[1]]));
        s + u16::from(over)
    });
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    sendto(&near, &packet, SendFlags::empty(), &remote).unwrap();
    let mut buffer = [0; 1500];
    loop {
        let (n, _) = recv(&far, &mut buffer[..], RecvFlags::empty()).unwrap();
        // IPv4 header without options, then the echo request.
        if n >= 28 && buffer[20] == 8 {
            let source = IpAddr::from([buffer[12], buffer[13], buffer[14], buffer[15]]);
            let public = SocketAddr::new(source, u16::from_be_bytes([buffer[24], buffer[25]]));
            return Seen { public, remote, protocol: "icmp", at: now_ms() };
        }
    }
}

fn lookup(running: &Running, seen: &Seen, at_ms: i64, remote: bool) -> Value {
    let (public, far, at) = (seen.public.to_string(), seen.remote.to_string(), at(at_ms));
    let mut args = vec!["lookup", "--public", &public, "--protocol", seen.protocol, "--at", &at, "--skew", "100ms", "--json"];
    if remote {
        args.extend(["--remote", &far]);
    }
    let answer = running.ask(&args);
    assert!([0, 3, 4, 5].contains(&code(&answer)), "{}", String::from_utf8_lossy(&answer.stderr));
    parsed(&answer)
}

fn insides(answer: &Value) -> Vec<&str> {
    let mut all: Vec<&str> = answer["candidates"].as_array().unwrap().iter().map(|c| c["inside"]["address"].as_str().unwrap()).collect();
    all.sort_unstable();
    all
}

#[test]
fn what_a_linux_nat_translates_is_attributed_back() {
    if !ready("what_a_linux_nat_translates_is_attributed_back") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), "", 16 << 20);
    let running = on_router(dir.path(), &config);
    complete(&running, now_ms());
    let (web, ..) = tcp("host1", "203.0.113.9:80");
    let (six, ..) = tcp("host2", "[2001:db8:113::9]:80");
    let (echo, dns) = (ping("host1", 0x1234), udp("host1", 5_353, "203.0.113.9:53"));
    // Both hosts use one port, and Linux leaves it as it is: their remote ends tell them apart.
    let (one, other) = (udp("host1", 40_000, "203.0.113.9:53"), udp("host2", 40_000, "203.0.113.10:53"));
    assert_eq!(one.public, other.public, "this NAT gave two ports; nothing is shown then");
    assert_eq!((echo.public.ip().to_string().as_str(), echo.public.port()), ("203.0.113.1", 0x1234));
    let both = now_ms();
    complete(&running, both + 300);
    let expect = |running: &Running, when: &str| {
        let truth = [(&web, "100.64.0.11"), (&six, "2001:db8:64::12"), (&echo, "100.64.0.11"), (&dns, "100.64.0.11")];
        for (seen, host) in truth {
            let answer = lookup(running, seen, seen.at, false);
            assert_eq!(answer["answer"], "one", "{when} {}: {answer}", seen.protocol);
            assert_eq!(insides(&answer), [host], "{when}");
        }
        let shared = lookup(running, &one, both, false);
        assert_eq!((&shared["answer"], insides(&shared)), (&Value::from("several"), vec!["100.64.0.11", "100.64.0.12"]), "{when}");
        for (seen, host) in [(&one, "100.64.0.11"), (&other, "100.64.0.12")] {
            let answer = lookup(running, seen, both, true);
            assert_eq!((&answer["answer"], insides(&answer)), (&Value::from("one"), vec![host]), "{when}: {answer}");
        }
    };
    expect(&running, "live");
    // Every connection ends by itself; then both ends are recorded, and sealed.
    let ended = || running.socket().call(serde_json::json!({ "op": "health" }))["ok"]["open_mappings"] == 0;
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    while !ended() {
        assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    }
    expect(&running, "sealed");
    let after = now_ms();
    complete(&running, after + 300);
    let nobody = lookup(&running, &dns, after, false);
    assert_eq!(nobody["answer"], "none", "{nobody}");
    assert_eq!(source(&running)["lost"], 0);
    assert_eq!(running.stop(), 0);
}

#[test]
fn two_namespaces_with_the_same_inside_addresses_are_two_realms() {
    if !ready_with("two_namespaces_with_the_same_inside_addresses_are_two_realms", &["linux-nat.sh", "linux-nat-second.sh"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let space = |name: &str, realm: &str, pool: &str| {
        format!("[[sources.conntrack.namespaces]]\nnetns = \"{name}\"\nrealm = \"{realm}\"\npools = [\"{pool}\"]\n")
    };
    let spaces = space("router", "north", "203.0.113.0/24") + &space("router2", "south", "198.51.100.0/24");
    let config = config(dir.path(), &spaces, 16 << 20);
    let mut command = Command::new(WEIR);
    command.arg("run").arg("--config").arg(&config).arg("--data").arg(dir.path().join("data"));
    let running = Running::wait(command, &dir.path().join("data"));
    let both_complete = |ms: i64| {
        let reached = |s: &Value| s["complete_to"].as_str().is_some_and(|t| t.parse::<weir_base::time::Millis>().unwrap().0 > ms);
        let sources = || parsed(&running.ask(&["sources", "--json"]));
        while sources().as_array().unwrap().iter().filter(|s| s["kind"] == "conntrack" && reached(s)).count() < 2 {}
    };
    both_complete(now_ms());
    // The same address and port inside, at the same time.
    let (north, south) = (udp("host1", 40_000, "203.0.113.9:53"), udp("host3", 40_000, "198.51.100.9:53"));
    assert_ne!(north.public.ip(), south.public.ip());
    both_complete(now_ms() + 300);
    let expect = |when: &str| {
        for (seen, realm) in [(&north, "north"), (&south, "south")] {
            let answer = lookup(&running, seen, seen.at, false);
            assert_eq!((&answer["answer"], insides(&answer)), (&Value::from("one"), vec!["100.64.0.11"]), "{when}: {answer}");
            assert_eq!(answer["candidates"][0]["realm"], realm, "{when}: {answer}");
        }
    };
    expect("live");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    expect("sealed");
    assert_eq!(running.stop(), 0);
}

/// A program, until dropped.
struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_the_real_conntrack_tells_through_logger_is_attributed_back() {
    let shown = "lines of conntrack -E";
    if !peers::have("conntrack", "--version", shown) || !peers::have("logger", "-V", shown) {
        return;
    }
    if !ready("what_the_real_conntrack_tells_through_logger_is_attributed_back") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("weir.toml");
    let text = format!(
        "[unit]\norigin = \"conntrack.invalid\"\n[measures]\nradius = false\nipfix = false\n[sources.syslog]\nlisten = [\"127.0.0.1:0\"]\n\
         [[sources.syslog.senders]]\nname = \"router\"\naddresses = [\"127.0.0.1\"]\noverload = true\n{FREE_DESK}"
    );
    fs::write(&config, text).unwrap();
    let running = on_router(dir.path(), &config);
    // The command of docs/sources/syslog.md.
    let sink = format!("logger -t conntrack -n 127.0.0.1 -P {} -d", running.port("syslog_udp").port());
    let mut tail = Command::new("ip");
    tail.args(["netns", "exec", "router", "sh", "-c", &format!("exec {sink}")]).stdin(Stdio::piped());
    let mut tail = Beside(tail.spawn().unwrap());
    let mut events = Command::new("ip");
    events.args(["netns", "exec", "router", "conntrack", "-E", "-e", "NEW,DESTROY", "-n", "-o", "extended"]);
    let _events = Beside(events.stdout(tail.0.stdin.take().unwrap()).stderr(Stdio::null()).spawn().unwrap());
    // Until the first one is told of, it does not listen yet.
    let told =
        |holds: &str| running.records("maintenance").iter().filter(|r| r["line"].as_str().is_some_and(|l| l.contains(holds))).count();
    let mut port = 30_000;
    while told("[NEW]") == 0 {
        udp("host2", port, "203.0.113.10:53");
        port += 1;
    }
    let seen = [tcp("host1", "203.0.113.9:80").0, ping("host1", 0x1234), udp("host1", 5_353, "203.0.113.9:53")];
    let answered = |seen: &Seen| {
        let answer = lookup(&running, seen, seen.at, false);
        insides(&answer).iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()
    };
    for seen in &seen {
        while answered(seen).is_empty() {}
        assert_eq!(answered(seen), ["100.64.0.11"], "{}", seen.protocol);
    }
    assert!(source(&running).is_null(), "it is told by lines alone");
    assert_eq!(running.stop(), 0);
}

#[test]
fn what_happens_while_nobody_looks_is_found_or_gone_and_never_certain() {
    if !ready("what_happens_while_nobody_looks_is_found_or_gone_and_never_certain") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let spaces = "[[sources.conntrack.namespaces]]\nnetns = \"router\"\nrealm = \"north\"\npools = [\"203.0.113.0/24\"]\n";
    let config = config(dir.path(), spaces, 4_096);
    let start = || {
        let mut command = Command::new(WEIR);
        command.arg("run").arg("--config").arg(&config).arg("--data").arg(dir.path().join("data"));
        Running::wait(command, &dir.path().join("data"))
    };
    // One began before the program ever ran.
    let (old, ..) = tcp("host1", "203.0.113.9:81");
    let running = start();
    complete(&running, now_ms());
    assert_eq!(source(&running)["realm"], "north");
    let (gone, near, far) = tcp("host1", "203.0.113.9:82");
    let (stays, _near, _far) = tcp("host2", "203.0.113.9:83");
    complete(&running, now_ms() + 300);
    assert_eq!(running.stop(), 0);
    drop((near, far));
    let (late, _near2, _far2) = tcp("host2", "203.0.113.9:84");
    // The one that was closed leaves the kernel's table while nobody looks.
    let tracked = |seen: &Seen| {
        let out = Command::new("ip").args(["netns", "exec", "router", "cat", "/proc/net/nf_conntrack"]).output().unwrap();
        String::from_utf8(out.stdout).unwrap().contains(&format!("dport={} ", seen.public.port()))
    };
    while tracked(&gone) {}
    let running = start();
    complete(&running, now_ms());
    for (seen, host) in [(&old, "100.64.0.11"), (&gone, "100.64.0.11"), (&stays, "100.64.0.12"), (&late, "100.64.0.12")] {
        let answer = lookup(&running, seen, seen.at, false);
        assert!(["one", "unknown"].iter().any(|w| answer["answer"] == *w), "{answer}");
        assert_eq!(insides(&answer), [host], "{answer}");
    }
    let gaps = running.records("gap");
    assert!(gaps.iter().any(|g| g["reason"] == "stopped"), "{gaps:?}");
    // A burst that its buffer cannot hold, while it does not read.
    let pid = Pid::from_raw(i32::try_from(running_pid(&running)).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let far = inside("far", || UdpSocket::bind("203.0.113.10:99").unwrap());
    for port in 20_000..20_400 {
        inside("host1", || UdpSocket::bind(("0.0.0.0", port)).unwrap().send_to(b"x", "203.0.113.10:99").unwrap());
        far.recv_from(&mut [0; 9]).unwrap();
    }
    let flooded = now_ms();
    kill_process(pid, Signal::CONT).unwrap();
    complete(&running, flooded);
    let gaps = running.records("gap");
    let lost = gaps.iter().find(|g| g["reason"] == "kernel-drop").unwrap_or_else(|| panic!("{gaps:?}"));
    assert!(lost["lost"].is_null(), "{lost}");
    let flood =
        Seen { public: "203.0.113.1:20399".parse().unwrap(), remote: "203.0.113.10:99".parse().unwrap(), protocol: "udp", at: flooded };
    let answer = lookup(&running, &flood, flooded, false);
    assert_eq!((&answer["answer"], insides(&answer)), (&Value::from("unknown"), vec!["100.64.0.11"]), "open across a loss: {answer}");
    // What was gone is marked as an end that nobody saw.
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    let rows = running.records("nat_mapping");
    let flags = |seen: &Seen| {
        let port = u64::from(seen.public.port());
        rows.iter().filter(|r| r["public_port"] == port).map(|r| r["flags"].as_u64().unwrap()).fold(0, |a, b| a | b)
    };
    assert_eq!((flags(&gone) & 2, flags(&stays) & 2), (2, 0), "{rows:?}");
    assert_eq!(running.stop(), 0);
}

fn running_pid(running: &Running) -> u64 {
    let ports: Value = serde_json::from_slice(&fs::read(running.data.join("ports.json")).unwrap()).unwrap();
    ports["pid"].as_u64().unwrap()
}
