//! Whole simulated networks, judged answer by answer: nobody is ever named who was not the holder.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use serde_json::{Value, json};
use weir_base::clock::SystemClock;
use weir_base::task::Stop;
use weir_sim::{Answer, Asker, CheckOptions, Faults, HeaderTime, Mode, Plan, Profile, Question, Report, Targets};

use crate::common::{Running, Socket, code, config, parsed};

/// Length of each simulated history, in milliseconds.
const HISTORY_MS: i64 = 120_000;
/// Nothing is asked about the end of a history: a NAS may send again for ten seconds (`settle`), accounting leaves up to three seconds late,
/// and an exporter's clock may be two seconds off, either way.
const GUARD_MS: i64 = 18_000;
/// The profiles, each with its exporters, their clock offsets, and a NAS.
const NETWORKS: [(Profile, &[(&str, i64)], &str); 3] = [
    (Profile::Small, &[("nat-home", 1_900)], "bras-home"),
    (Profile::Hotel, &[("nat-hotel", -1_900)], "gate-hotel"),
    (Profile::Isp, &[("cgn-a", -1_200), ("cgn-b", 1_900), ("cgn-c", 400)], "bras-south"),
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

/// Asks over the socket, many questions in flight, and counts the reasons by their codes.
struct OverSocket {
    socket: Socket,
    codes: BTreeMap<String, u64>,
}

impl Asker for OverSocket {
    fn ask(&mut self, batch: &[Question]) -> io::Result<Vec<Answer>> {
        let request = |q: &Question| {
            let public =
                if q.public.is_v4() { format!("{}:{}", q.public, q.port.unwrap()) } else { format!("[{}]:{}", q.public, q.port.unwrap()) };
            let question = json!({ "public": public, "protocol": q.protocol.to_string(), "at": q.at.to_rfc3339(), "skew": format!("{}ms", q.skew_ms) });
            format!("{}\n", json!({ "op": "lookup", "purpose": "operate", "question": question }))
        };
        self.socket.send(batch.iter().map(request).collect::<String>().as_bytes());
        let answers = batch.iter().map(|_| {
            let answer = self.socket.receive()["ok"].take();
            let text = |key: &str| answer[key].as_str().unwrap_or("?").to_owned();
            *self.codes.entry(format!("{} {}", text("answer"), text("code"))).or_default() += 1;
            serde_json::from_value(answer).map_err(io::Error::other)
        });
        answers.collect()
    }
}

/// Plays a network into a running program and waits until every datagram that was not lost on purpose has arrived.
fn play(running: &Running, truth: &Path, profile: Profile, seed: u64, faults: Faults) {
    let secret = std::fs::read(running.data.join("radius.secret")).unwrap();
    let mut plan = Plan::new(profile, seed);
    plan.rate = 400;
    plan.subscribers = (profile == Profile::Isp).then_some(300);
    plan.mode = Mode::Fast { history_ms: HISTORY_MS, datagrams_per_second: 1_500, header_time: HeaderTime::Sending };
    let radius_secret = secret.trim_ascii_end().to_vec();
    plan.targets = Targets { ipfix: Some(running.port("ipfix_udp")), netflow9: None, radius: Some(running.port("radius")), radius_secret };
    plan.bind = (profile == Profile::Hotel).then_some(IpAddr::from([127, 0, 0, 2]));
    plan.truth = Some(truth.to_owned());
    (plan.reuse, plan.bib, plan.bindings) = (seed.is_multiple_of(3), seed.is_multiple_of(2), seed.is_multiple_of(2));
    plan.faults = faults;
    let played = weir_sim::play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap();
    // What came twice is counted once.
    let sent = played.datagrams - played.lost;
    let arrived = || {
        let sources = parsed(&running.ask(&["sources", "--json"]));
        let flows = sources.as_array().unwrap().iter().filter(|s| s["kind"] != "radius").map(|s| s["messages"].as_u64().unwrap());
        flows.sum::<u64>()
    };
    while arrived() < sent {}
}

/// Plays one network, asks, and judges. Where the seed is even the rows are sealed first.
fn judge(profile: Profile, seed: u64, questions: u64, faults: Faults) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir.path().join("data"), &config("simulator.toml"), &[]);
    let truth = dir.path().join("truth");
    play(&running, &truth, profile, seed, faults.clone());
    if seed.is_multiple_of(2) {
        assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    }
    let options = CheckOptions { questions, seed, guard_ms: GUARD_MS, ..CheckOptions::default() };
    let mut asker = OverSocket { socket: running.socket(), codes: BTreeMap::new() };
    let report = weir_sim::check(&truth, &options, &mut asker, |_| ()).unwrap();
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let offsets: Vec<(&Value, &Value)> = sources.as_array().unwrap().iter().map(|s| (&s["name"], &s["offset_ms"])).collect();
    println!("{profile:?}, seed {seed}, {faults:?}\n{offsets:?}\n{report}\n{:?}", asker.codes);
    assert_eq!(report.asked, questions);
    assert_eq!(report.wrong, 0, "{profile:?}, seed {seed}, {faults:?}: {report}");
    assert_eq!(running.stop(), 0);
    report
}

/// Each network with each seed, with a share of the questions; the share of right answers, all together.
fn right_share(seeds: u64, questions: u64, faults: impl Fn(&[(&str, i64)], &str) -> Faults) -> f64 {
    let mut total = (0, 0);
    for seed in 1..=seeds {
        for (profile, offsets, nas) in NETWORKS {
            let report = judge(profile, seed, (questions / seeds / 3).max(1), faults(offsets, nas));
            total = (total.0 + report.right, total.1 + report.asked);
        }
    }
    println!("{} of {} right", total.0, total.1);
    total.0 as f64 / total.1 as f64
}

fn clocks(offsets: &[(&str, i64)]) -> Vec<(String, i64)> {
    offsets.iter().map(|(name, ms)| ((*name).to_owned(), *ms)).collect()
}

fn seeds() -> u64 {
    number("WEIR_SEEDS", 3)
}

fn questions() -> u64 {
    number("WEIR_QUESTIONS", 100_000)
}

#[test]
fn soak_truth_duplicates_reordering_and_clocks_two_seconds_off() {
    let share = right_share(seeds(), questions() * 6 / 10, |offsets, _| Faults {
        duplicates: 0.01,
        reorder: 4,
        clock_offsets: clocks(offsets),
        ..Faults::default()
    });
    assert!(share >= 0.9999, "{share}");
}

#[test]
fn soak_truth_one_datagram_in_a_hundred_is_lost() {
    let share = right_share(seeds(), questions() * 2 / 10, |_, _| Faults { loss: 0.01, duplicates: 0.01, reorder: 4, ..Faults::default() });
    assert!(share >= 0.97, "{share}");
}

#[test]
fn soak_truth_a_nas_and_the_exporters_restart() {
    right_share(seeds(), questions() * 2 / 10, |offsets, nas| Faults {
        nas_reboots: vec![(nas.to_owned(), HISTORY_MS / 3)],
        exporter_restarts: offsets.iter().map(|(name, _)| ((*name).to_owned(), HISTORY_MS / 2)).collect(),
        radius_loss: 0.0,
        ..Faults::default()
    });
}
