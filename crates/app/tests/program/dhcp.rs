//! A real DHCP server and a real client through the program: acknowledgements heard on the interface, and dnsmasq's lease file beside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use weir_testkit::dhcp::{Client, NET, dnsmasq};
use weir_testkit::netns::in_namespaces;
use weir_testkit::peers;

use crate::common::{FREE_DESK, Running, WEIR, at, code, now_ms, parsed};

const SHOWN: &str = "DHCP acknowledgements heard on an interface";
const MACS: [&str; 2] = ["02:00:00:00:00:0a", "02:00:00:00:00:0b"];

const CAPTURE: &str = "[[sources.dhcp.capture]]\ninterface = \"s0\"\nrealm = \"north\"\nserver = \"192.0.2.1\"\n";

fn ready(test: &str, programs: &[&str]) -> bool {
    programs.iter().all(|p| peers::have(p, "--help", SHOWN)) && in_namespaces(&format!("dhcp::{test}"), NET, SHOWN)
}

fn config(dir: &Path, more: &str) -> PathBuf {
    let path = dir.join("weir.toml");
    let text = format!(
        "[unit]\norigin = \"dhcp.invalid\"\n[measures]\nradius = false\nipfix = false\n[[realms]]\nname = \"north\"\nown = [\"192.0.2.0/24\"]\n{more}\n{FREE_DESK}"
    );
    fs::write(&path, text).unwrap();
    path
}

/// Starts the program with these capabilities and no others.
fn start(dir: &Path, config: &Path, capabilities: &str) -> Running {
    let mut command = Command::new("setpriv");
    command.arg(format!("--bounding-set=-all{capabilities}")).arg(format!("--inh-caps=-all{capabilities}"));
    command.args([WEIR, "run"]).arg("--config").arg(config).arg("--data").arg(dir.join("data"));
    Running::wait(command, &dir.join("data"))
}

fn source(running: &Running, name: &str) -> Value {
    parsed(&running.ask(&["sources", "--json"])).as_array().unwrap().iter().find(|s| s["name"] == name).cloned().unwrap_or_default()
}

fn capture(running: &Running) -> Value {
    source(running, "dhcp/capture-s0")
}

/// Waits until everything up to this moment is here.
fn complete(running: &Running, name: &str, ms: i64) {
    let reached = |s: Value| s["complete_to"].as_str().is_some_and(|t| t.parse::<weir_base::time::Millis>().unwrap().0 > ms);
    while !reached(source(running, name)) {}
}

fn rows(running: &Running, source: &Value, status: u8) -> Vec<Value> {
    running.records("radius_session").into_iter().filter(|r| r["source"] == source["number"] && r["status"] == status).collect()
}

fn lookup(running: &Running, address: &str, ms: i64) -> Value {
    parsed(&running.ask(&["lookup", "--public", address, "--at", &at(ms), "--skew", "0ms", "--json"]))
}

fn ip(args: &str) {
    assert!(Command::new("ip").args(args.split(' ')).status().unwrap().success(), "ip {args}");
}

/// Sends acknowledgements as another program would: so many, behind these VLAN tags, each for an address of its own.
fn acknowledge(from: u32, count: u32, tags: &str) {
    let script = "import socket, struct, sys
first, count, tags = int(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('c0', 0))
for n in range(first, first + count):
    bootp = struct.pack('!BBBBIHH4s4s4s4s', 2, 1, 6, 0, n, 0, 0, bytes(4), struct.pack('!I', 0xc0000000 | n), bytes(4), bytes(4))
    bootp += b'\\x02\\0\\0' + struct.pack('!I', n)[1:] + bytes(10 + 192) + bytes.fromhex('63825363350105') + bytes.fromhex('3604c0000201330400000e10ff')
    udp = struct.pack('!HHHH', 67, 68, 8 + len(bootp), 0) + bootp
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([192, 0, 2, 1]), b'\\xff' * 4)
    s.send(b'\\xff' * 6 + bytes.fromhex('020000000001') + tags + b'\\x08\\0' + ip + udp)
";
    let mut command = Command::new("ip");
    command.args(["netns", "exec", "client", "python3", "-c", script, &from.to_string(), &count.to_string(), tags]);
    assert!(command.status().unwrap().success(), "frames are sent");
}

/// A client gets a lease and gives it back, another gets one: what the source of this name makes of it.
fn attributed(dir: &Path, config: &Path, name: &str, nas: &str) {
    let _server = dnsmasq(dir, &dir.join("dnsmasq.leases"));
    let running = start(dir, config, ",+net_raw");
    complete(&running, name, now_ms());
    let before = now_ms();
    let number = source(&running, name);
    // A moment after the last of so many: what ends within a millisecond still counts in it, and rows may be seen that soon.
    let wait = |status: u8, count: usize| loop {
        let seen = rows(&running, &number, status);
        let last = seen.iter().filter_map(|r| r["time"].as_str()?.parse::<weir_base::time::Millis>().ok()).max();
        match (last, now_ms()) {
            (Some(last), now) if seen.len() >= count && now > last.0 => break now,
            _ => {}
        }
    };
    let first = Client::lease(dir, MACS[0]);
    let address = first.address.clone();
    let held = wait(1, 1);
    complete(&running, name, held);
    let expect = |held: i64| {
        let answer = lookup(&running, &address, held);
        let session = &answer["candidates"][0]["session"];
        assert_eq!((&answer["answer"], &session["nas"]), (&"one".into(), &nas.into()), "{answer}");
        assert_eq!(lookup(&running, &address, before)["candidates"], serde_json::json!([]), "nobody had it yet");
        answer["candidates"][0]["subscriber"].clone()
    };
    let subscriber = expect(held);
    let starts = rows(&running, &number, 1);
    assert_eq!((starts.len(), &starts[0]["start_certain"]), (1, &1.into()), "{starts:?}");
    let now = source(&running, name);
    assert_eq!((&now["trouble"], &now["malformed"], &now["lost"]), (&Value::Null, &0.into(), &0.into()), "{now}");
    // Given back: from then on nobody has it.
    first.release();
    let released = wait(2, 1);
    assert_eq!(rows(&running, &number, 2)[0]["reason"], "lease-released");
    assert_eq!(lookup(&running, &address, released)["candidates"], serde_json::json!([]));
    // Another client is somebody else.
    let second = Client::lease(dir, MACS[1]);
    let later = wait(1, 2);
    let other = lookup(&running, &second.address, later);
    assert_eq!((other["candidates"].as_array().unwrap().len(), other["candidates"][0]["subscriber"] == subscriber), (1, false), "{other}");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    assert_eq!(expect(held), subscriber, "sealed");
    assert_eq!(running.stop(), 0);
}

#[test]
fn an_acknowledged_address_is_attributed_until_it_is_released() {
    if !ready("an_acknowledged_address_is_attributed_until_it_is_released", &["dnsmasq", "udhcpc"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    attributed(dir.path(), &config(dir.path(), CAPTURE), "dhcp/capture-s0", "192.0.2.1");
}

#[test]
fn an_address_in_dnsmasqs_file_is_attributed_until_it_is_released() {
    if !ready("an_address_in_dnsmasqs_file_is_attributed_until_it_is_released", &["dnsmasq", "udhcpc"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dnsmasq.leases");
    let files = format!("[[sources.dhcp.files]]\npath = {:?}\nserver = \"dnsmasq\"\nrealm = \"north\"\n", file.to_str().unwrap());
    attributed(dir.path(), &config(dir.path(), &files), "dhcp/dnsmasq-0", "dnsmasq");
}

#[test]
fn an_interface_that_goes_and_comes_and_a_burst_leave_what_they_took() {
    if !ready("an_interface_that_goes_and_comes_and_a_burst_leave_what_they_took", &["dnsmasq", "udhcpc", "python3"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), CAPTURE);
    let running = start(dir.path(), &config, ",+net_raw");
    complete(&running, "dhcp/capture-s0", now_ms());
    let heard = capture(&running);
    let gaps = |reason: &str| {
        let mut all = running.records("gap");
        all.retain(|g| g["source"] == heard["number"] && g["reason"] == reason);
        all
    };
    // Behind one VLAN tag, behind two, behind none; then down and up again.
    let numbers = |base: u32| 0x200 + base;
    for (i, tags) in ["8100000a", "88a800648100000a", ""].into_iter().enumerate() {
        acknowledge(numbers(10 + i as u32), 1, tags);
    }
    while rows(&running, &heard, 1).len() < 3 {}
    ip("link set s0 down");
    ip("link set s0 up");
    // The wire carries again when both ends say so.
    while rows(&running, &heard, 1).len() < 4 {
        acknowledge(numbers(20), 1, "");
    }
    assert!(gaps("source-silent").is_empty() && gaps("kernel-drop").is_empty(), "nothing was lost");
    // A burst while it does not read.
    let pid = serde_json::from_slice::<Value>(&fs::read(running.data.join("ports.json")).unwrap()).unwrap()["pid"].as_i64().unwrap();
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    acknowledge(0x2000, 20_000, "");
    kill_process(pid, Signal::CONT).unwrap();
    while gaps("kernel-drop").is_empty() {}
    complete(&running, "dhcp/capture-s0", now_ms());
    let lost: u64 = gaps("kernel-drop").iter().map(|g| g["lost"].as_u64().unwrap()).sum();
    assert!(gaps("kernel-drop").iter().all(|g| g["unit"] == "packets"));
    assert_eq!(rows(&running, &heard, 1).len() as u64 + lost, 4 + 20_000, "each of the burst was taken or is counted as lost");
    assert_eq!(capture(&running)["lost"], lost);
    // Taken away and made anew: it is trouble, and what may have passed meanwhile is a gap.
    ip("link del s0");
    while !capture(&running)["trouble"].as_str().is_some_and(|t| t.contains("`ip link` shows")) {}
    ip("link add name s0 type veth peer name c0 netns client");
    ip("link set s0 up");
    ip("-n client link set c0 up");
    while gaps("source-silent").is_empty() {}
    let before = rows(&running, &heard, 1).len();
    acknowledge(numbers(30), 1, "");
    while rows(&running, &heard, 1).len() == before {}
    assert_eq!(capture(&running)["trouble"], Value::Null);
    assert_eq!(running.stop(), 0);
    // Without the right it says which one is missing, and runs on.
    let running = start(dir.path(), &config, "");
    while !capture(&running)["trouble"].as_str().is_some_and(|t| t.contains("CAP_NET_RAW")) {}
    assert_eq!(running.stop(), 0);
    let running = start(dir.path(), &config, ",+net_raw");
    while running.records("gap").iter().all(|g| g["source"] != heard["number"] || g["reason"] != "stopped") {}
    assert_eq!(running.stop(), 0);
}
