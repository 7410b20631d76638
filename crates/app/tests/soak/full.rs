//! A disk that is really full: a small file system of its own, inside namespaces of its own.

use std::fs;
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use weir_base::time::Millis;

use crate::common::{Running, WEIR, code, config, now_ms, parsed, text, weir};
use crate::nas::{Nas, kept};

/// Set where the test runs inside the namespaces: the folder with the small file system.
const INSIDE: &str = "WEIR_TEST_SMALL_DISK";
/// Size of the file system.
const SIZE: &str = "48m";
/// Left free when it is filled up.
const LEFT: u64 = 256 << 10;

#[test]
fn soak_full_disk_no_answer_until_there_is_room() {
    on_small_disk("full::soak_full_disk_no_answer_until_there_is_room", inside);
}

#[test]
fn soak_full_disk_a_stop_that_loses_lines_is_told_of() {
    on_small_disk("full::soak_full_disk_a_stop_that_loses_lines_is_told_of", stopped);
}

/// Runs the test of this name again, inside namespaces of its own with a small file system, or what is to be done there.
fn on_small_disk(name: &str, there: fn(&Path)) {
    if let Ok(folder) = std::env::var(INSIDE) {
        return there(Path::new(&folder));
    }
    if !namespaces() {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "the kernel refuses namespaces: nothing shows what a full disk does");
        eprintln!("not shown, because the kernel refuses namespaces: what a full disk does");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size={SIZE} tmpfs \"${INSIDE}\" && ip link set lo up && exec \"$@\"");
    let test = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["-Urnm", "sh", "-c", &script, "sh"])
        .arg(test)
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, dir.path())
        .output()
        .unwrap();
    let said = format!("{}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    println!("{said}");
}

/// True where the kernel lets us have a file system and a network of our own.
fn namespaces() -> bool {
    let tried = Command::new("unshare")
        .args(["-Urnm", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp && ip link set lo up"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

/// Takes all the room there is but a little.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    let block = vec![0x5a; 64 << 10];
    let mut size = 0;
    while file.write_all(&block).is_ok() {
        size += block.len() as u64;
    }
    file.set_len(size - LEFT).unwrap();
}

/// Takes what is left, to the last byte.
fn fill_up(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    let page = [0x5a; 4_096];
    while file.write_all(&page).is_ok() {}
    while file.write_all(&[0x5a]).is_ok() {}
}

fn trouble(running: &Running) -> Option<String> {
    let sources = parsed(&running.ask(&["sources", "--json"]));
    sources.as_array().unwrap().iter().find_map(|s| s["trouble"].as_str().map(str::to_owned)).filter(|t| !t.is_empty())
}

fn start(data: &Path, errors: &Path, more: &[&str]) -> Running {
    let mut command = Command::new(WEIR);
    command.arg("run").arg("--config").arg(config("minimal.toml")).arg("--data").arg(data);
    for set in crate::common::FREE_PORTS.iter().chain(more) {
        command.args(["--set", set]);
    }
    command.stderr(fs::File::create(errors).unwrap());
    Running::wait(command, data)
}

fn verified(data: &Path) {
    let verified = weir(&["verify", "--data", data.to_str().unwrap()]);
    assert_eq!(code(&verified), 0, "{}{}", text(&verified), String::from_utf8_lossy(&verified.stderr));
}

/// Lines over UDP and TCP that were read and found no room are gone when the program is stopped then: the next start says so.
fn stopped(folder: &Path) {
    let (data, filler, errors) = (folder.join("data"), folder.join("filler"), folder.join("../weir-stopped.stderr"));
    let listen = ["sources.syslog.listen=127.0.0.1:0", "sources.syslog.listen_tcp=127.0.0.1:0"];
    let running = start(&data, &errors, &listen);
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let line = |n: usize| format!("<13>Nov 22 10:00:00 h app: line {n} {}", "x".repeat(1_000));
    let over_udp = |running: &Running, n: usize| {
        udp.send_to(line(n).as_bytes(), running.port("syslog_udp")).unwrap();
    };
    let say = |running: &Running, n: usize| {
        over_udp(running, n);
        let mut tcp = TcpStream::connect(running.port("syslog_tcp")).unwrap();
        tcp.write_all(format!("{}\n", line(n)).as_bytes()).unwrap();
    };
    let lines = |running: &Running| running.records("maintenance").len();
    say(&running, 0);
    while lines(&running) < 2 {}
    fill(&filler);
    for n in 1.. {
        say(&running, n);
        if trouble(&running).is_some_and(|t| t.contains("full")) {
            break;
        }
    }
    // What a large group did not find room for, a smaller one may: until nothing is left at all, and lines wait to be kept.
    fill_up(&folder.join("last"));
    (0..200).for_each(|n| over_udp(&running, n));
    while trouble(&running).is_none() {}
    let lost = now_ms();
    // With nothing left it may not be able to say that it stopped well, either.
    let left = running.stop();
    fs::remove_file(&filler).unwrap();
    fs::remove_file(folder.join("last")).unwrap();
    let running = start(&data, &errors, &listen);
    // It is written with the source's first group.
    while running.records("gap").is_empty() {}
    let gaps = running.records("gap");
    let told: Vec<_> = gaps.iter().filter(|g| g["reason"] == "unclean-stop").collect();
    println!("exit code {left}; {gaps:?}");
    assert_eq!(told.len(), 1, "{gaps:?}");
    let moment = |row: &Value, key: &str| row[key].as_str().unwrap().parse::<Millis>().unwrap().0;
    let kept = running.records("maintenance").iter().map(|row| moment(row, "received")).max().unwrap();
    assert!(moment(told[0], "start") <= kept && moment(told[0], "end") >= lost, "{told:?}, kept until {kept}, lost at {lost}");
    assert_eq!((&told[0]["unit"], &told[0]["source"]), (&"lines".into(), &0.into()));
    assert_eq!(running.stop(), 0);
    verified(&data);
}

fn inside(folder: &Path) {
    let (data, filler, errors) = (folder.join("data"), folder.join("filler"), folder.join("../weir-full.stderr"));
    let start = |errors: &Path| start(&data, errors, &[]);
    let running = start(&errors);
    let mut nas = Nas::new(4 * 3_600_000);
    nas.turn_to(&running);
    for _ in 0..200 {
        nas.send();
        nas.take(None);
    }
    while nas.waiting() > 0 {
        nas.take(None);
    }
    let before = nas.acknowledged();
    fill(&filler);
    // Requests go on until one is not answered because there is no room: the program says so.
    let said = loop {
        nas.send();
        let answered = nas.drain();
        match trouble(&running) {
            Some(said) => break said,
            None if answered == 0 => nas.repeat(),
            None => {}
        }
    };
    assert!(said.contains("full"), "{said}");
    // A small group may still find room where a large one did not; in the end none does.
    let stuck = loop {
        let identifier = nas.one();
        if !nas.again(identifier, Duration::from_millis(500)) && trouble(&running).is_some() {
            break identifier;
        }
    };
    assert!(!nas.again(stuck, Duration::from_millis(500)), "a request is answered although the disk is full");
    let (at_full, waiting) = (nas.acknowledged(), nas.waiting());
    println!("{before} answered before, {at_full} when full, {waiting} wait: {said}");
    // It looks at the disk now and then, and says so on its standard error.
    while !fs::read_to_string(&errors).unwrap().contains("full") {}
    fs::remove_file(&filler).unwrap();
    // Sent again, as a NAS does: answered once there is room, without a restart.
    while !nas.again(stuck, Duration::from_secs(1)) {}
    while nas.waiting() > 0 {
        nas.repeat();
        nas.take(None);
        nas.drain();
    }
    nas.find(&running, 0..nas.sessions.len());
    let (sessions, answered) = (nas.sessions.len() as u64, nas.acknowledged() as u64);
    assert_eq!(kept(&data), (answered, sessions, sessions), "each Start and each Stop once");
    running.kill();
    let running = start(&errors);
    nas.find(&running, 0..nas.sessions.len());
    assert_eq!(trouble(&running), None);
    assert_eq!(running.stop(), 0);
    verified(&data);
}
