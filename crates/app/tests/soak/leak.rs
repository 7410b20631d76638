//! Nothing under the data folder gives away who a subscriber is: not while the program runs, not after, not after a kill.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::Value;
use weir_base::clock::SystemClock;
use weir_base::task::Stop;
use weir_sim::{HeaderTime, Mode, Plan, Profile, Targets};

use crate::common::{Running, code, config};

/// How many sets of control values each set of true ones is compared with.
const CONTROLS: u8 = 20;

/// Byte strings to be looked for, by their first four bytes, and how often each set of them is found.
#[derive(Default)]
struct Search {
    needles: HashMap<[u8; 4], Vec<(Vec<u8>, usize)>>,
    hits: Vec<u64>,
}

impl Search {
    fn set(&mut self, needles: impl IntoIterator<Item = Vec<u8>>) -> usize {
        let set = self.hits.len();
        self.hits.push(0);
        for needle in needles {
            self.needles.entry(needle[..4].try_into().unwrap()).or_default().push((needle, set));
        }
        set
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for (at, window) in bytes.windows(4).enumerate() {
            let Some(here) = self.needles.get(window) else { continue };
            for (needle, set) in here {
                if bytes[at..].starts_with(needle) {
                    self.hits[*set] += 1;
                }
            }
        }
    }

    /// Every file under a folder; how many bytes they were.
    fn folder(&mut self, folder: &Path) -> u64 {
        let mut size = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // A file may go while the program runs: what took its place is looked at too, or in the next round.
            let Ok(kind) = fs::symlink_metadata(&path) else { continue };
            if kind.is_dir() {
                size += self.folder(&path);
            } else if kind.is_file() {
                let Ok(bytes) = fs::read(&path) else { continue };
                self.bytes(path.file_name().unwrap().as_encoded_bytes());
                self.bytes(&bytes);
                size += bytes.len() as u64;
            }
        }
        size
    }
}

/// All the ways in which an address may be written down.
fn forms(address: Ipv4Addr) -> Vec<(&'static str, Vec<u8>)> {
    let number = u32::from(address);
    let mapped = address.to_ipv6_mapped().octets();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    vec![
        ("text", address.to_string().into_bytes()),
        ("decimal", number.to_string().into_bytes()),
        ("hexadecimal", hex(&number.to_be_bytes()).into_bytes()),
        ("HEXADECIMAL", hex(&number.to_be_bytes()).to_uppercase().into_bytes()),
        ("hexadecimal, the other order", hex(&number.to_le_bytes()).into_bytes()),
        ("4 bytes", number.to_be_bytes().to_vec()),
        ("4 bytes, the other order", number.to_le_bytes().to_vec()),
        ("16 bytes", mapped.to_vec()),
        ("16 bytes, the other order", mapped.iter().rev().copied().collect()),
    ]
}

/// The same hosts in another part of 100.64.0.0/10, where the simulated network has nobody.
fn control_address(address: Ipv4Addr, number: u8) -> Ipv4Addr {
    let [a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b + 1 + number, c, d)
}

/// Letters and digits moved on, the rest as it is: the same shape, another value.
fn control_text(text: &str, number: u8) -> String {
    let turn = |c: u8, first: u8, size: u8| (first + (c - first + 1 + number) % size) as char;
    text.bytes()
        .map(|c| match c {
            b'a'..=b'z' => turn(c, b'a', 26),
            // Turned by number + 1 the digits come round after ten: the letters make the difference then.
            b'0'..=b'9' => turn(c, b'0', 10),
            _ => c as char,
        })
        .collect()
}

struct People {
    accounts: BTreeSet<String>,
    callers: BTreeSet<String>,
    inside: BTreeSet<Ipv4Addr>,
}

fn people(truth: &Path) -> People {
    let mut people = People { accounts: BTreeSet::new(), callers: BTreeSet::new(), inside: BTreeSet::new() };
    for line in fs::read_to_string(truth).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        if line.get("form").is_some() {
            people.accounts.insert(text("account"));
            people.callers.insert(text("caller"));
            people.inside.extend(text("inside").parse::<Ipv4Addr>().ok().filter(|a| a.octets()[0] == 100));
        }
    }
    assert!(people.accounts.len() > 20 && people.callers.len() > 20 && people.inside.len() > 20);
    people
}

/// Looks for everybody, and for as many who do not exist.
fn look(data: &Path, people: &People, stage: &str) {
    let mut search = Search::default();
    let mut sets: Vec<(String, usize, Vec<usize>)> = Vec::new();
    for (what, values) in [("accounts", &people.accounts), ("caller numbers", &people.callers)] {
        let found = search.set(values.iter().map(|v| v.clone().into_bytes()));
        let controls =
            (0..9).map(|n| search.set(values.iter().map(|v| control_text(v, n)).filter(|v| !values.contains(v)).map(String::into_bytes)));
        sets.push((what.to_owned(), found, controls.collect()));
    }
    for form in 0..forms(Ipv4Addr::LOCALHOST).len() {
        let of = |address: &Ipv4Addr| forms(*address)[form].1.clone();
        // A text is found in a longer one, and the same bytes twice where one form is like another: each string counts once.
        let found = search.set(people.inside.iter().map(of).collect::<HashSet<_>>());
        let control = |n| people.inside.iter().map(|a| of(&control_address(*a, n))).collect::<HashSet<_>>();
        let controls = (0..CONTROLS).map(|n| search.set(control(n))).collect();
        sets.push((format!("inside addresses, {}", forms(Ipv4Addr::LOCALHOST)[form].0), found, controls));
    }
    let size = search.folder(data);
    assert!(size > 100_000, "{stage}: only {size} bytes");
    for (what, found, controls) in sets {
        let hits = search.hits[found] as f64;
        let mean = controls.iter().map(|c| search.hits[*c]).sum::<u64>() as f64 / controls.len() as f64;
        // Chance hits scatter by the root of their number; whoever keeps an address keeps it in many rows.
        let most =
            if what.contains("bytes") || what.contains("hexa") || what.contains("HEXA") { mean + 6.0 * mean.sqrt() + 6.0 } else { mean };
        println!("{stage}, {size} bytes: {what}: {hits}, controls {mean:.2}");
        assert!(hits <= most, "{stage}: {what}: found {hits} times, control values {mean:.2} times");
    }
}

#[test]
fn soak_leak_no_subscriber_is_readable_under_the_data_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (data, truth) = (dir.path().join("data"), dir.path().join("truth"));
    let start = || Running::start(&data, &config("minimal.toml"), &[]);
    let running = start();
    let mut plan = Plan::new(Profile::Small, 5);
    plan.rate = 300;
    plan.mode = Mode::Fast { history_ms: 60_000, datagrams_per_second: 1_500, header_time: HeaderTime::Sending };
    let radius_secret = fs::read(data.join("radius.secret")).unwrap().trim_ascii_end().to_vec();
    plan.targets = Targets { ipfix: Some(running.port("ipfix_udp")), netflow9: None, radius: Some(running.port("radius")), radius_secret };
    plan.truth = Some(truth.clone());
    (plan.bib, plan.bindings) = (true, true);
    weir_sim::play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap();
    // What is malformed is kept too, and may hold an account: the class `raw` has keys of its own.
    let people = people(&truth);
    let account = people.accounts.first().unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for to in [running.port("radius"), running.port("ipfix_udp")] {
        socket.send_to(format!("User-Name = {account}").as_bytes(), to).unwrap();
    }
    look(&data, &people, "running, in the write-ahead log");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    look(&data, &people, "running, sealed");
    running.kill();
    look(&data, &people, "killed");
    assert_eq!(start().stop(), 0);
    look(&data, &people, "stopped");
}

/// The search itself finds what is there.
#[test]
fn every_form_of_a_leak_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let hosts: Vec<Ipv4Addr> = (1..40).map(|n| Ipv4Addr::new(100, 64, 3, n)).collect();
    for form in 0..forms(hosts[0]).len() {
        let mut bytes = vec![0x2e; 100_001];
        hosts.iter().for_each(|h| bytes.extend_from_slice(&[forms(*h)[form].1.clone(), vec![0x2e]].concat()));
        fs::write(dir.path().join("file"), &bytes).unwrap();
        let name = |n: usize| format!("account{n:02}x");
        let people = People {
            accounts: (0..30).map(name).collect(),
            callers: (0..30).map(|n| format!("9990000{n:05}")).collect(),
            inside: hosts.iter().copied().collect(),
        };
        let found = std::panic::catch_unwind(|| look(dir.path(), &people, "planted"));
        assert!(found.is_err(), "form {form}: {}", forms(hosts[0])[form].0);
    }
}
