//! Nothing under the data folder gives away who a subscriber is: not while the program runs, not after, not after a kill.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use serde_json::{Value, json};
use weir_base::clock::SystemClock;
use weir_base::task::Stop;
use weir_sim::{HeaderTime, Mode, Plan, Profile, Targets};

use crate::browser::{Browser, desk_of};
use crate::common::{Running, at, code, config, have, now_ms, radclient};

/// How many sets of control values each set of true ones is compared with.
const CONTROLS: u8 = 20;

/// A needle, where in it the four bytes stand by which it is found, and the set it belongs to.
type Needle = (Vec<u8>, usize, usize);

/// Byte strings to be looked for, by four bytes of each, and how often each set of them is found.
#[derive(Default)]
struct Search {
    needles: HashMap<[u8; 4], Vec<Needle>>,
    hits: Vec<u64>,
    /// Names of files that held something, and of the folders they lie in.
    seen: BTreeSet<String>,
}

impl Search {
    fn set(&mut self, needles: impl IntoIterator<Item = Vec<u8>>) -> usize {
        let set = self.hits.len();
        self.hits.push(0);
        for needle in needles {
            // By the four bytes that differ most, as many needles begin with the same ones.
            let differ = |w: &[u8]| w.iter().collect::<BTreeSet<_>>().len();
            let at = (0..=needle.len() - 4).max_by_key(|at| differ(&needle[*at..*at + 4])).unwrap();
            self.needles.entry(needle[at..at + 4].try_into().unwrap()).or_default().push((needle, at, set));
        }
        set
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for (here, window) in bytes.windows(4).enumerate() {
            let Some(some) = self.needles.get(window) else { continue };
            for (needle, at, set) in some {
                if here >= *at && bytes[here - at..].starts_with(needle) {
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
                if !bytes.is_empty() {
                    let names = path.ancestors().take(5).filter_map(Path::file_name);
                    self.seen.extend(names.map(|name| name.to_string_lossy().into_owned()));
                }
                size += bytes.len() as u64;
            }
        }
        size
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect()
}

fn turned(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

/// A way of writing an address down, and the bytes.
type Form = (&'static str, Vec<u8>);

/// All the ways in which an IPv4 address may be written down.
fn forms(address: Ipv4Addr) -> Vec<Form> {
    let number = u32::from(address);
    let mapped = address.to_ipv6_mapped().octets();
    vec![
        ("text", address.to_string().into_bytes()),
        ("decimal", number.to_string().into_bytes()),
        ("decimal, the other order", format!("{:07}", number.swap_bytes()).into_bytes()),
        ("hexadecimal", hex(&number.to_be_bytes())),
        ("HEXADECIMAL", hex(&number.to_be_bytes()).to_ascii_uppercase()),
        ("hexadecimal, the other order", hex(&number.to_le_bytes())),
        ("HEXADECIMAL, the other order", hex(&number.to_le_bytes()).to_ascii_uppercase()),
        ("4 bytes", number.to_be_bytes().to_vec()),
        ("4 bytes, the other order", number.to_le_bytes().to_vec()),
        ("16 bytes", mapped.to_vec()),
        ("16 bytes, the other order", turned(&mapped)),
    ]
}

/// All the ways in which an IPv6 address, or the first address of a prefix, may be written down.
fn forms6(address: Ipv6Addr) -> Vec<Form> {
    let (number, bytes) = (u128::from(address), address.octets());
    let full = address.segments().map(|s| format!("{s:04x}")).join(":");
    let loose = address.segments().map(|s| format!("{s:x}")).join(":");
    vec![
        ("text", address.to_string().into_bytes()),
        ("TEXT", address.to_string().to_ascii_uppercase().into_bytes()),
        ("full text", full.clone().into_bytes()),
        ("FULL TEXT", full.to_ascii_uppercase().into_bytes()),
        ("text without ::", loose.into_bytes()),
        ("decimal", number.to_string().into_bytes()),
        ("decimal, the other order", number.swap_bytes().to_string().into_bytes()),
        ("hexadecimal", hex(&bytes)),
        ("HEXADECIMAL", hex(&bytes).to_ascii_uppercase()),
        ("hexadecimal, the other order", hex(&turned(&bytes))),
        ("hexadecimal, 8 bytes", hex(&bytes[..8])),
        ("hexadecimal, 8 bytes, the other order", hex(&turned(&bytes[..8]))),
        ("16 bytes", bytes.to_vec()),
        ("16 bytes, the other order", turned(&bytes)),
        ("8 bytes", bytes[..8].to_vec()),
        ("8 bytes, the other order", turned(&bytes[..8])),
    ]
}

/// The same hosts in another part of 100.64.0.0/10, where the simulated network has nobody, or beside 198.18.0.0/15.
fn control_address(address: Ipv4Addr, number: u8) -> Ipv4Addr {
    let [a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b + 2 + number, c, d)
}

/// The same hosts beside the range for documentation, in as many digits.
fn control_address6(address: Ipv6Addr, number: u8) -> Ipv6Addr {
    let mut segments = address.segments();
    segments[1] += 1 + u16::from(number);
    Ipv6Addr::from(segments)
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

#[derive(Default)]
struct People {
    accounts: BTreeSet<String>,
    callers: BTreeSet<String>,
    addresses: BTreeSet<Ipv4Addr>,
    /// IPv6 addresses, and the first addresses of prefixes.
    addresses6: BTreeSet<Ipv6Addr>,
    /// Of the desk: names of staff, passwords, links, tokens, cookies, secrets of TOTP.
    staff: BTreeSet<String>,
}

impl People {
    /// Everybody in a truth file: accounts, caller numbers, framed and inside addresses, framed and delegated prefixes.
    fn of(truth: &Path) -> People {
        let mut people = People::default();
        for line in fs::read_to_string(truth).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line.get("form").is_none() {
                continue;
            }
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            people.accounts.insert(text("account"));
            people.callers.insert(text("caller"));
            people.addresses.extend(text("inside").parse::<Ipv4Addr>());
            people.addresses6.extend(text("inside").parse::<Ipv6Addr>());
            for prefix in ["prefix", "delegated"] {
                people.addresses6.extend(text(prefix).split('/').next().unwrap().parse::<Ipv6Addr>());
            }
        }
        assert!(people.accounts.len() > 20 && people.callers.len() > 20 && people.addresses.len() > 20 && people.addresses6.len() > 20);
        people
    }
}

/// Looks for everybody, and for as many who do not exist; what was looked at.
fn look(data: &Path, people: &People, stage: &str) -> BTreeSet<String> {
    let mut search = Search::default();
    let mut sets: Vec<(String, usize, Vec<usize>)> = Vec::new();
    for (what, values) in [("accounts", &people.accounts), ("caller numbers", &people.callers), ("staff of the desk", &people.staff)] {
        let found = search.set(values.iter().map(|v| v.clone().into_bytes()));
        let controls =
            (0..9).map(|n| search.set(values.iter().map(|v| control_text(v, n)).filter(|v| !values.contains(v)).map(String::into_bytes)));
        sets.push((what.to_owned(), found, controls.collect()));
    }
    // A text is found in a longer one, and the same bytes twice where one form is like another: each string counts once.
    for (form, (name, _)) in forms(Ipv4Addr::LOCALHOST).iter().enumerate() {
        let found = search.set(people.addresses.iter().map(|a| forms(*a)[form].1.clone()).collect::<HashSet<_>>());
        let control = |n| people.addresses.iter().map(|a| forms(control_address(*a, n))[form].1.clone()).collect::<HashSet<_>>();
        let controls = (0..CONTROLS).map(|n| search.set(control(n))).collect();
        sets.push((format!("IPv4 addresses, {name}"), found, controls));
    }
    for (form, (name, _)) in forms6(Ipv6Addr::LOCALHOST).iter().enumerate() {
        let found = search.set(people.addresses6.iter().map(|a| forms6(*a)[form].1.clone()).collect::<HashSet<_>>());
        let control = |n| people.addresses6.iter().map(|a| forms6(control_address6(*a, n))[form].1.clone()).collect::<HashSet<_>>();
        let controls = (0..CONTROLS).map(|n| search.set(control(n))).collect();
        sets.push((format!("IPv6 addresses, {name}"), found, controls));
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
    search.seen
}

/// That these parts of the folder were there to be looked at.
fn held(seen: &BTreeSet<String>, stage: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(seen.contains(*part), "{stage}: there is no {part} in {seen:?}"));
}

fn play(running: &Running, profile: Profile, truth: &Path) -> People {
    let mut plan = Plan::new(profile, 5);
    (plan.rate, plan.bib, plan.bindings) = (300, true, true);
    plan.subscribers = (profile == Profile::Isp).then_some(240);
    plan.mode = Mode::Fast { history_ms: 60_000, datagrams_per_second: 1_500, header_time: HeaderTime::Sending };
    let radius_secret = fs::read(running.data.join("radius.secret")).unwrap().trim_ascii_end().to_vec();
    let (ipfix, radius) = (Some(running.port("ipfix_udp")), Some(running.port("radius")));
    plan.targets = Targets { ipfix, radius, radius_secret, ..Targets::default() };
    plan.truth = Some(truth.to_owned());
    weir_sim::play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap();
    People::of(truth)
}

/// What is malformed is kept too, and may hold an account: the class `raw` has keys of its own.
fn malformed(running: &Running, people: &People) {
    let account = people.accounts.first().unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for to in [running.port("radius"), running.port("ipfix_udp")] {
        socket.send_to(format!("User-Name = {account}").as_bytes(), to).unwrap();
    }
}

/// Logins with an IPv6 address of their own (Framed-IPv6-Address, RFC 6911), which the simulated network does not have.
fn logins_with_addresses(running: &Running, people: &mut People) {
    if !have("radclient", "logins with an IPv6 address of their own") {
        return;
    }
    let mut packets = String::new();
    for n in 0..30u16 {
        let (account, caller) = (format!("six{n:04}@six.example"), format!("99990{n:06}"));
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0x7100 + n, 0x1d5a, 0x9c3e, 0x71, 0xb2f4, 0x6e08 + n);
        packets += &format!(
            "Acct-Session-Id = \"six-{n}\", User-Name = \"{account}\", Calling-Station-Id = \"{caller}\", NAS-IP-Address = 192.0.2.9, \
             Framed-IPv6-Address = {address}, Acct-Status-Type = Start\n\n"
        );
        people.accounts.insert(account);
        people.callers.insert(caller);
        people.addresses6.insert(address);
    }
    assert!(radclient(running.port("radius"), &running.data.join("radius.secret"), &packets), "every login is answered");
}

/// Somebody becomes an account of the desk; what they are called, and everything they sign in with.
fn keeper(browser: &mut Browser, link: &str, login: &str) -> Vec<String> {
    // A password may not hold the name.
    let password = format!("pass phrase of {}", login.chars().rev().collect::<String>());
    browser.accept(link, login, &password);
    let token = link.trim().rsplit('/').next().unwrap().to_owned();
    let mut all = vec![token, login.to_owned(), format!("Person {login}"), password];
    if browser.session()["next"] == "enrol" {
        let secret = browser.enrol();
        all.push(String::from_utf8(hex(&secret)).unwrap());
    }
    all.extend(browser.cookies());
    all
}

/// People who work with the desk.
fn staff(running: &Running) -> BTreeSet<String> {
    let link = fs::read_to_string(running.data.join("desk-link")).unwrap();
    let desk = desk_of(&running.data);
    let mut admin = Browser::new(desk);
    let mut all: BTreeSet<String> = keeper(&mut admin, &link, "first.keeper").into_iter().collect();
    for (role, login) in [("operator", "second.keeper"), ("audit-admin", "third.keeper"), ("security-admin", "fourth.keeper")] {
        let link = admin.invite(role);
        let mut browser = Browser::new(desk);
        all.extend(keeper(&mut browser, &link, login));
        if role == "operator" {
            let made = browser.post("/api/v1/me/tokens", &json!({ "name": "nightly report", "scope": ["lookup.ask"], "days": 7 })).ok();
            let secret = made["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
            let asked = json!({ "questions": [{ "public": "198.18.0.1:9", "at": at(now_ms() - 20_000) }], "purpose": "drill" });
            let bearer = format!("Bearer {secret}");
            let answer = Browser::new(desk).send("POST", "/api/v1/lookup", Some(&asked), &[("Authorization", &bearer)]);
            assert_eq!(answer.status, 200, "{answer:?}");
            let wrong = json!({ "login": login, "password": "a wrong pass phrase" });
            assert_eq!(Browser::new(desk).post("/api/v1/session/password", &wrong).status, 401);
            all.extend([secret, "nightly report".to_owned(), "a wrong pass phrase".to_owned()]);
        }
    }
    all
}

/// The link of the first account was used; the program takes its file away when it next looks after itself.
fn link_is_gone(running: &Running) {
    let gone = |_| {
        running.socket().call(json!({ "op": "health" }));
        !running.data.join("desk-link").exists()
    };
    assert!((0..200_000).any(gone), "the link's file stays");
}

/// Questions about them: what is asked is written down, too.
fn ask(running: &Running, people: &People) {
    let mut socket = running.socket();
    let (v4, v6) = (people.addresses.iter().take(20), people.addresses6.iter().take(20));
    for address in v4.map(ToString::to_string).chain(v6.map(ToString::to_string)) {
        let question = json!({ "public": address, "at": at(now_ms() - 20_000) });
        let answer = socket.call(json!({ "id": 1, "op": "lookup", "question": question, "purpose": "operate" }));
        assert!(answer["ok"].is_object(), "{answer}");
    }
}

#[test]
fn soak_leak_no_subscriber_is_readable_under_the_data_folder() {
    for (profile, file) in [(Profile::Small, "minimal.toml"), (Profile::Isp, "simulator.toml")] {
        let dir = tempfile::tempdir().unwrap();
        let (data, truth) = (dir.path().join("data"), dir.path().join("truth"));
        let start = || Running::start(&data, &config(file), &[]);
        let running = start();
        let staff = staff(&running);
        link_is_gone(&running);
        let mut people = play(&running, profile, &truth);
        people.staff = staff;
        if profile == Profile::Small {
            logins_with_addresses(&running, &mut people);
        }
        malformed(&running, &people);
        ask(&running, &people);
        let stage = |text: &str| format!("{}: {text}", profile.name());
        let log = ["wal", "catalog.sqlite", "keyring", "log"];
        held(&look(&data, &people, &stage("running, in the write-ahead log")), "running", &log);
        running.kill();
        held(&look(&data, &people, &stage("killed, in the write-ahead log")), "killed", &log);
        let running = start();
        look(&data, &people, &stage("started again"));
        assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
        look(&data, &people, &stage("running, sealed"));
        ask(&running, &people);
        running.kill();
        look(&data, &people, &stage("killed, sealed"));
        assert_eq!(start().stop(), 0);
        let all = ["segments", "index", "state", "catalog.sqlite", "keyring", "log"];
        held(&look(&data, &people, &stage("stopped")), "stopped", &all);
    }
}

/// The search itself finds what is there.
#[test]
fn every_form_of_a_leak_is_found() {
    let hosts: Vec<Ipv4Addr> = (1..40).map(|n| Ipv4Addr::new(100, 64, 3, n)).collect();
    let hosts6: Vec<Ipv6Addr> = (1..40).map(|n| Ipv6Addr::new(0x2001, 0xdb8, 0x2000 + n, 7 * n, 0, 0, 0, n % 3)).collect();
    let people = People {
        accounts: (0..30).map(|n| format!("account{n:02}x")).collect(),
        callers: (0..30).map(|n| format!("9990000{n:05}")).collect(),
        staff: (0..30).map(|n| format!("token{n:02}of-the_desk")).collect(),
        addresses: hosts.iter().copied().collect(),
        addresses6: hosts6.iter().copied().collect(),
    };
    let columns = |forms: Vec<Vec<Form>>| -> Vec<(&'static str, Vec<Vec<u8>>)> {
        (0..forms[0].len()).map(|f| (forms[0][f].0, forms.iter().map(|host| host[f].1.clone()).collect())).collect()
    };
    let mut planted = columns(hosts.iter().map(|h| forms(*h)).collect());
    planted.extend(columns(hosts6.iter().map(|h| forms6(*h)).collect()));
    planted.push(("account", people.accounts.iter().map(|a| a.clone().into_bytes()).collect()));
    planted.push(("staff", people.staff.iter().map(|a| a.clone().into_bytes()).collect()));
    planted.push(("caller", people.callers.iter().map(|a| a.clone().into_bytes()).collect()));
    for (what, needles) in planted {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = vec![0x2e; 100_001];
        needles.iter().for_each(|needle| bytes.extend_from_slice(&[needle, &[0x2e][..]].concat()));
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/b/file"), &bytes).unwrap();
        let found = std::panic::catch_unwind(|| look(dir.path(), &people, "planted"));
        assert!(found.is_err(), "{what}");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), vec![0x2e; 100_001]).unwrap();
    assert!(look(dir.path(), &people, "nothing planted").contains("file"));
}
