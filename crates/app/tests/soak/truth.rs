//! Whole simulated networks, judged answer by answer: nobody is ever named who was not the holder.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use weir_base::clock::SystemClock;
use weir_base::task::Stop;
use weir_sim::{Answer, Asker, CheckOptions, Faults, HeaderTime, Mode, Plan, Profile, Question, QuestionKind, Report, Targets};

use crate::common::{Running, Socket, code, config, parsed};

/// Length of each run in milliseconds, in real time: an exporter that is minutes late proves little of these minutes.
const RUN_MS: i64 = 60_000;
/// Nothing is asked about the two ends of a run: a NAS may send again for ten seconds, accounting leaves up to three seconds late, and an
/// exporter's clock may be two seconds off, either way.
const GUARD_MS: i64 = 16_000;
type Network = (Profile, &'static [(&'static str, i64)], &'static str);
/// The profiles, each with its exporters, their clock offsets, and a NAS.
const NETWORKS: [Network; 4] = [
    (Profile::Small, &[("nat-home", 1_900)], "bras-home"),
    (Profile::Hotel, &[("nat-hotel", 0)], "gate-hotel"),
    (Profile::School, &[("fw-dorm", 0), ("fw-staff", 0)], "aaa-dorm"),
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
            let remote = q.remote.map(|(address, port)| format!("{address}:{port}"));
            let question = json!({ "public": public, "protocol": q.protocol.to_string(), "at": q.at.to_rfc3339(), "skew": format!("{}ms", q.skew_ms), "remote": remote });
            format!("{}\n", json!({ "op": "lookup", "purpose": "operate", "question": question }))
        };
        self.socket.send(batch.iter().map(request).collect::<String>().as_bytes());
        let answers = batch.iter().map(|_| {
            let mut reply = self.socket.receive();
            let answer = reply["ok"].take();
            assert!(answer.is_object(), "{reply}");
            let text = |key: &str| answer[key].as_str().unwrap_or("?").to_owned();
            *self.codes.entry(format!("{} {}", text("answer"), text("code"))).or_default() += 1;
            serde_json::from_value(answer).map_err(io::Error::other)
        });
        answers.collect()
    }
}

/// Which time a network is played in, and how the exporters' clocks are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// As it happens; the offsets of clocks are measured.
    Live,
    /// As it happens; the clocks are right and the configuration says so.
    Trusted,
    /// Two minutes at once, told by exporters that are up to two minutes late with everything.
    Late,
}

/// Plays a network into a running program and waits until every datagram that was not lost on purpose has arrived.
fn play(running: &Running, truth: &Path, profile: Profile, seed: u64, (pace, faults): (Pace, Faults)) {
    let secret = std::fs::read(running.data.join("radius.secret")).unwrap();
    let mut plan = Plan::new(profile, seed);
    plan.rate = 400;
    plan.subscribers = (profile == Profile::Isp).then_some(300);
    plan.mode = match pace {
        Pace::Live | Pace::Trusted => Mode::Live { duration_ms: Some(RUN_MS) },
        Pace::Late => Mode::Fast { history_ms: 2 * RUN_MS, datagrams_per_second: 1_500, header_time: HeaderTime::Sending },
    };
    let radius_secret = secret.trim_ascii_end().to_vec();
    plan.targets = Targets {
        ipfix: Some(running.port("ipfix_udp")),
        netflow9: None,
        syslog_udp: Some(running.port("syslog_udp")),
        syslog_tcp: Some(running.port("syslog_tcp")),
        radius: Some(running.port("radius")),
        radius_secret,
    };
    plan.truth = Some(truth.to_owned());
    (plan.reuse, plan.bib, plan.bindings) = (seed.is_multiple_of(3), seed.is_multiple_of(2), seed.is_multiple_of(2));
    plan.faults = faults;
    if profile.is_syslog() {
        // A lost line cannot be missed, and a clock is taken as it is: `docs/simulator.md` says why.
        (plan.faults.loss, plan.faults.clock_offsets) = (0.0, Vec::new());
    }
    let played = weir_sim::play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap();
    // What came twice is counted once.
    let sent = played.datagrams - played.lost + if profile.is_syslog() { played.doubled } else { 0 };
    let arrived = || {
        let sources = parsed(&running.ask(&["sources", "--json"]));
        let flows = sources.as_array().unwrap().iter().filter(|s| s["kind"] != "radius").map(|s| s["messages"].as_u64().unwrap());
        flows.sum::<u64>()
    };
    while arrived() < sent {}
}

/// Plays one network, asks, and judges. Where the seed is even the rows are sealed first; where it is odd another run of the program answers,
/// which has heard no exporter itself.
fn judge(profile: Profile, seed: u64, questions: u64, faults: (Pace, Faults)) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let mut text = std::fs::read_to_string(config("simulator.toml")).unwrap();
    if faults.0 == Pace::Trusted {
        text = text.replace("[[sources.ipfix.exporters]]\n", "[[sources.ipfix.exporters]]\nclock = \"trust\"\n");
    }
    let settings = dir.path().join("simulator.toml");
    std::fs::write(&settings, text).unwrap();
    let mut running = Running::start(&dir.path().join("data"), &settings, &[]);
    let truth = dir.path().join("truth");
    play(&running, &truth, profile, seed, faults.clone());
    if seed.is_multiple_of(2) {
        assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    } else {
        assert_eq!(running.stop(), 0);
        running = Running::start(&dir.path().join("data"), &settings, &[]);
    }
    let options = CheckOptions { questions, seed, guard_ms: GUARD_MS, ..CheckOptions::default() };
    let mut asker = OverSocket { socket: running.socket(), codes: BTreeMap::new() };
    let report = weir_sim::check(&truth, &options, &mut asker, |_| ()).unwrap();
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let offsets: Vec<(&Value, &Value)> = sources.as_array().unwrap().iter().map(|s| (&s["name"], &s["offset_ms"])).collect();
    println!("{profile:?}, seed {seed}, {:?}\n{offsets:?}\n{report}\n{:?}", faults.1, asker.codes);
    assert_eq!(report.asked, questions);
    assert_eq!(report.wrong, 0, "{profile:?}, seed {seed}, {:?}: {report}", faults.1);
    assert_eq!(running.stop(), 0);
    report
}

/// A situation: its share of the questions in tenths, its faults, and what it makes of the reports.
struct Situation {
    name: &'static str,
    tenths: u64,
    pace: Pace,
    faults: fn(&[(&str, i64)], &str) -> Faults,
}

fn clocks(offsets: &[(&str, i64)]) -> Vec<(String, i64)> {
    offsets.iter().map(|(name, ms)| ((*name).to_owned(), *ms)).collect()
}

const SITUATIONS: [Situation; 4] = [
    Situation {
        name: "duplicates, reordering, clocks two seconds off",
        tenths: 5,
        pace: Pace::Live,
        faults: |offsets, _| Faults { duplicates: 0.01, reorder: 4, clock_offsets: clocks(offsets), ..Faults::default() },
    },
    Situation {
        name: "one datagram in a hundred lost",
        tenths: 3,
        pace: Pace::Trusted,
        faults: |_, _| Faults { loss: 0.01, duplicates: 0.01, reorder: 4, ..Faults::default() },
    },
    Situation {
        name: "the NAS and the exporters restart",
        tenths: 1,
        pace: Pace::Live,
        faults: |offsets, nas| Faults {
            nas_reboots: vec![(nas.to_owned(), RUN_MS / 3)],
            exporter_restarts: offsets.iter().map(|(name, _)| ((*name).to_owned(), RUN_MS / 2)).collect(),
            ..Faults::default()
        },
    },
    Situation {
        name: "exporters late, off and lossy",
        tenths: 1,
        pace: Pace::Late,
        faults: |offsets, _| Faults { loss: 0.01, clock_offsets: clocks(offsets), ..Faults::default() },
    },
];

/// What came of a situation: all questions, and those within a mapping that had ended.
#[derive(Clone, Copy, Default)]
struct Shares {
    right: u64,
    asked: u64,
    inside_right: u64,
    inside_asked: u64,
}

impl Shares {
    fn add(&mut self, report: &Report) {
        (self.right, self.asked) = (self.right + report.right, self.asked + report.asked);
        for (_, counts) in report.kinds.iter().filter(|(kind, _)| *kind == QuestionKind::Inside) {
            (self.inside_right, self.inside_asked) = (self.inside_right + counts.right, self.inside_asked + counts.asked);
        }
    }
}

/// All networks in all situations at once, as real time is the same for all; once for each seed.
fn rounds() -> [Shares; 5] {
    let (seeds, questions) = (number("WEIR_SEEDS", 1), number("WEIR_QUESTIONS", 100_000));
    let mut shares = [Shares::default(); 5];
    for seed in 1..=seeds {
        let reports: Vec<(usize, Profile, Report)> = std::thread::scope(|scope| {
            let plays = (0..SITUATIONS.len() as u64).flat_map(|n| (0..NETWORKS.len() as u64).map(move |m| (n, m)));
            let started: Vec<_> = plays
                .map(|(n, m)| {
                    let (s, (profile, offsets, nas)) = (&SITUATIONS[n as usize], NETWORKS[m as usize]);
                    let (share, faults) = (questions * s.tenths / 10 / seeds / NETWORKS.len() as u64, (s.faults)(offsets, nas));
                    // What a seed switches on meets every network and situation in turn.
                    (n as usize, profile, scope.spawn(move || judge(profile, seed + n + m, share.max(1), (s.pace, faults))))
                })
                .collect();
            started.into_iter().map(|(n, profile, play)| (n, profile, play.join().unwrap())).collect()
        });
        for (n, profile, report) in &reports {
            // Datagrams of a school's lines have no numbers: that nobody held a port is never said there. Its shares stand by themselves.
            let at = if *profile == Profile::School { SITUATIONS.len() } else { *n };
            shares[at].add(report);
        }
    }
    shares
}

#[test]
fn soak_truth_nobody_is_named_who_was_not_the_holder() {
    let shares = rounds();
    for (situation, s) in SITUATIONS.iter().zip(shares) {
        println!("{}: {} of {} right, inside ended mappings {} of {}", situation.name, s.right, s.asked, s.inside_right, s.inside_asked);
    }
    let [clean, lossy, restarted, _, school] = shares;
    println!(
        "school: {} of {} right, inside ended mappings {} of {}",
        school.right, school.asked, school.inside_right, school.inside_asked
    );
    let share = |right: u64, asked: u64| right as f64 / asked as f64;
    assert!(share(clean.right, clean.asked) >= 0.9999, "without loss");
    assert!(share(clean.inside_right, clean.inside_asked) >= 0.9999, "without loss, inside mappings");
    assert!(share(school.inside_right, school.inside_asked) >= 0.95, "a school in every situation, inside mappings");
    // What is unknown under loss, and has to be, is in docs/simulator.md.
    assert!(share(lossy.inside_right, lossy.inside_asked) >= 0.97, "with one datagram in a hundred lost");
    assert!(share(restarted.inside_right, restarted.inside_asked) >= 0.5, "after restarts");
}
