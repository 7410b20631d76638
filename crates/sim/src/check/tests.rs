use std::io;

use super::*;
use crate::plan::{HeaderTime, Mode, Plan, Profile};
use crate::rng::Rng;
use crate::truth::{Footer, Header, Line, Pool};

const T: i64 = 1_795_312_800_000;

fn line(form: &str, realm: &str, account: &str, inside: &str, start: i64, end: Option<i64>) -> Line {
    Line {
        form: form.into(),
        realm: realm.into(),
        exporter: "cgn".into(),
        nas: "bras".into(),
        session: "s".into(),
        account: account.into(),
        caller: "c".into(),
        inside: (!inside.is_empty()).then(|| inside.into()),
        inside_port: 0,
        public: (form != "login").then(|| "198.18.0.7".into()),
        port: 2_000,
        port_end: 2_000,
        protocol: 6,
        remote: None,
        plain: false,
        prefix: None,
        delegated: None,
        start: T + start,
        end: end.map(|e| T + e),
    }
}

/// A held 2000/tcp from 0 to 60 s, then, from 90.0 s, B until 120 s and, 5 ms later, C; D has a block; E a prefix; F and G share an inside
/// address one after the other (at 300 s), and the port of F ends with F.
fn index() -> TruthIndex {
    let mut index = TruthIndex::default();
    let block = Line { port: 3_072, port_end: 4_095, protocol: 0, ..line("block", "south", "d", "100.64.0.4", 0, None) };
    let own = Line { prefix: Some("2001:db8:1:2::/64".into()), ..line("login", "north", "e", "", 10_000, Some(100_000)) };
    let port = |p: u16, l: Line| Line { port: p, port_end: p, ..l };
    let lines = [
        line("session", "north", "a", "100.64.0.1", 0, Some(60_000)),
        line("session", "north", "b", "100.64.0.2", 90_000, Some(120_000)),
        line("session", "north", "c", "100.64.0.3", 120_005, Some(150_000)),
        line("login", "north", "a", "100.64.0.1", -10_000, None),
        block,
        own,
        port(2_001, line("session", "north", "f", "100.64.0.6", 290_000, Some(300_000))),
        line("login", "north", "f", "100.64.0.6", 200_000, Some(300_000)),
        line("login", "north", "g", "100.64.0.6", 300_010, None),
        port(2_002, line("session", "north", "a", "100.64.0.1", 0, Some(10_000))),
        port(2_002, line("session", "north", "a", "100.64.0.1", 10_003, Some(20_000))),
    ];
    for line in &lines {
        index.add(line).unwrap();
    }
    let pool = Pool { realm: "north".into(), exporter: "cgn".into(), prefix: "198.18.0.0/28".into(), what: "nat".into() };
    let (profile, options) = ("isp".into(), String::new());
    let header = Header {
        weir_truth: 1,
        seed: 1,
        profile,
        options,
        clock_offsets: Default::default(),
        in_seconds: Vec::new(),
        from: T,
        to: None,
        pools: vec![pool],
    };
    index.close(&header, &Footer { to: T + 600_000, mappings: 7, sessions: 4, events: 12 });
    index
}

fn clock(offset_ms: i64) -> ClockNote {
    ClockNote { source: "cgn".into(), offset_ms, basis: "measured".into() }
}

fn ask(public: &str, port: u16, at: i64) -> Question {
    Question { public: public.parse().unwrap(), port: Some(port), protocol: 6, remote: None, at: Millis(T + at), skew_ms: 2_000 }
}

fn who(realm: &str, inside: &str, id: &str) -> Candidate {
    let inside = (!inside.is_empty()).then(|| Inside { address: inside.into(), port: None });
    Candidate { realm: realm.into(), subscriber: (!id.is_empty()).then(|| id.into()), inside, session: None }
}

fn answer(outcome: Outcome, candidates: &[Candidate]) -> Answer {
    Answer { answer: outcome, candidates: candidates.to_vec(), clocks: Vec::new(), reason: None, skew: Some("2s".into()) }
}

/// A judge that has already seen who is who: id `A` is a, and so on.
fn taught(index: &TruthIndex) -> Judge<'_> {
    let mut judge = Judge::new(index);
    let lessons = [
        (ask("198.18.0.7", 2_000, 30_000), who("north", "100.64.0.1", "A")),
        (ask("198.18.0.7", 2_000, 105_000), who("north", "100.64.0.2", "B")),
        (ask("198.18.0.7", 2_000, 135_000), who("north", "100.64.0.3", "C")),
        (ask("198.18.0.7", 3_100, 30_000), who("south", "100.64.0.4", "D")),
        (ask("2001:db8:1:2::77", 1, 30_000), who("north", "2001:db8:1:2::77", "E")),
        (ask("198.18.0.7", 2_001, 292_000), who("north", "100.64.0.6", "F")),
    ];
    for (question, candidate) in lessons {
        assert_eq!(judge.judge(&question, &answer(Outcome::One, &[candidate])), Verdict::Right);
    }
    judge
}

#[derive(Debug, PartialEq)]
enum Expect {
    Is(Verdict),
    Wrong,
}

fn cases() -> Vec<(&'static str, Question, Answer, Expect)> {
    use Expect::{Is, Wrong};
    use Outcome::{None, One, Several, Unknown};
    let q = |at| ask("198.18.0.7", 2_000, at);
    let (a, b, c) = (who("north", "100.64.0.1", "A"), who("north", "100.64.0.2", "B"), who("north", "100.64.0.3", "C"));
    let nobody = who("north", "100.64.0.9", "Z");
    let (f, g) = (who("north", "100.64.0.6", "F"), who("north", "100.64.0.6", "G"));
    let one = |w: &Candidate| answer(One, std::slice::from_ref(w));
    let ahead = |w: &Candidate, ms| Answer { clocks: vec![clock(ms)], ..one(w) };
    let v6 = |at| ask("2001:db8:1:2::1", 1, at);
    vec![
        ("the holder", q(30_000), one(&a), Is(Verdict::Right)),
        ("just after the end", q(61_900), one(&a), Is(Verdict::Right)),
        ("at the edge, one millisecond out", q(62_001), one(&a), Is(Verdict::Right)),
        ("too long after the end", q(62_002), one(&a), Wrong),
        ("an offset joins the tolerance", q(63_400), ahead(&a, -1_500), Is(Verdict::Right)),
        ("a large offset does not", q(63_400), ahead(&a, -7_200_000), Wrong),
        ("a wider skew than asked does not", q(63_400), Answer { skew: Some("1h".into()), ..one(&a) }, Wrong),
        ("another realm", q(30_000), one(&who("south", "100.64.0.1", "A")), Wrong),
        ("another inside address", q(30_000), one(&nobody), Wrong),
        ("another's id", q(30_000), one(&who("north", "100.64.0.1", "B")), Wrong),
        ("a second id for the same", q(30_000), one(&who("north", "100.64.0.1", "A2")), Wrong),
        ("one without a candidate", q(30_000), answer(One, &[]), Wrong),
        ("no id", q(30_000), one(&who("north", "100.64.0.1", "")), Is(Verdict::Nameless)),
        ("no inside address", q(30_000), one(&who("north", "", "A")), Wrong),
        ("unused", q(75_000), answer(None, &[]), Is(Verdict::Right)),
        ("unused, but somebody is named", q(75_000), one(&a), Wrong),
        ("none in the middle of a mapping", q(30_000), answer(None, &[]), Wrong),
        ("none near an end", q(59_000), answer(None, &[]), Wrong),
        ("none where it began later", q(89_000), answer(None, &[]), Is(Verdict::None)),
        ("none, a little after the end", q(61_000), answer(None, &[]), Is(Verdict::None)),
        ("unknown", q(30_000), answer(Unknown, std::slice::from_ref(&nobody)), Is(Verdict::Unknown)),
        ("both holders", q(120_500), answer(Several, &[b.clone(), c.clone()]), Is(Verdict::Right)),
        ("both holders, the other way round", q(119_500), answer(Several, &[c.clone(), b.clone()]), Is(Verdict::Right)),
        ("both and a stranger", q(120_500), answer(Several, &[b.clone(), c.clone(), nobody.clone()]), Wrong),
        ("one of two, with a stranger", q(120_500), answer(Several, &[b.clone(), nobody.clone()]), Wrong),
        ("several, one of two", q(120_500), answer(Several, std::slice::from_ref(&c)), Is(Verdict::Several)),
        ("several, and the one at that moment is missing", q(120_500), answer(Several, std::slice::from_ref(&b)), Wrong),
        ("several, without a name", q(120_500), answer(Several, &[b.clone(), who("north", "100.64.0.3", "")]), Is(Verdict::Several)),
        ("one of two, the one at that moment", q(120_500), one(&c), Is(Verdict::Narrow)),
        ("one of two, the other one", q(120_500), one(&b), Wrong),
        ("several where there is one", q(30_000), answer(Several, &[a.clone(), nobody.clone()]), Is(Verdict::Several)),
        ("several, and the holder is not in it", q(30_000), answer(Several, &[b.clone(), c.clone()]), Wrong),
        ("several where there is none", q(75_000), answer(Several, &[a.clone(), b.clone()]), Wrong),
        ("the block's holder, in its middle", ask("198.18.0.7", 3_500, 30_000), one(&who("south", "100.64.0.4", "D")), Is(Verdict::Right)),
        ("its last port", ask("198.18.0.7", 4_095, 30_000), one(&who("south", "100.64.0.4", "D")), Is(Verdict::Right)),
        ("the port after it", ask("198.18.0.7", 4_096, 30_000), one(&who("south", "100.64.0.4", "D")), Wrong),
        ("an open mapping is open to the end", ask("198.18.0.7", 3_072, 599_000), answer(None, &[]), Wrong),
        ("a prefix' holder", v6(30_000), one(&who("north", "2001:db8:1:2::1", "E")), Is(Verdict::Right)),
        ("by its prefix", v6(30_000), one(&who("north", "2001:db8:1:2::", "E")), Is(Verdict::Right)),
        ("with the address left out", v6(30_000), one(&who("north", "", "E")), Is(Verdict::Right)),
        ("a prefix' holder by another's id", v6(30_000), one(&who("north", "", "A")), Wrong),
        ("a login's begin is known to the second", v6(7_100), one(&who("north", "", "E")), Is(Verdict::Right)),
        ("or not seen yet", v6(8_500), answer(None, &[]), Is(Verdict::Right)),
        ("but not more", v6(6_900), one(&who("north", "", "E")), Wrong),
        ("another prefix", ask("2001:db8:1:3::1", 1, 30_000), answer(None, &[]), Is(Verdict::Right)),
        (
            "the inside address passes on: both listed",
            ask("198.18.0.7", 2_001, 299_500),
            answer(Several, &[f.clone(), g.clone()]),
            Is(Verdict::Right),
        ),
        ("the port's holder", ask("198.18.0.7", 2_001, 299_500), one(&f), Is(Verdict::Right)),
        ("the address's next holder", ask("198.18.0.7", 2_001, 299_500), one(&g), Wrong),
        ("long before the address passes on", ask("198.18.0.7", 2_001, 294_000), answer(Several, &[f, g]), Is(Verdict::Several)),
        ("the same inside twice", ask("198.18.0.7", 2_002, 10_001), one(&a), Is(Verdict::Right)),
    ]
}

#[test]
fn every_verdict_is_given_where_it_is_due() {
    let index = index();
    for (name, question, answer, expected) in cases() {
        let verdict = taught(&index).judge(&question, &answer);
        let agrees = match &expected {
            Expect::Is(v) => verdict == *v,
            Expect::Wrong => matches!(verdict, Verdict::Wrong(_)),
        };
        assert!(agrees, "{name}: {verdict:?}, expected {expected:?}");
    }
}

#[test]
fn the_truth_is_asked_by_true_time_whatever_the_exporters_clock_says() {
    let a = who("north", "100.64.0.1", "A");
    // Held from 0 to 60 s. The tolerance is 3.5 s: 2 s, and the offset that the answer states; measured, an edge is known to a second.
    for (name, at, outcome, expected) in [
        ("before, within the tolerance", -4_500, Outcome::One, Some(Verdict::Right)),
        ("before it", -4_501, Outcome::One, None),
        ("after, within the tolerance", 64_500, Outcome::One, Some(Verdict::Right)),
        ("after it", 64_501, Outcome::One, None),
        ("nobody, where the skew reaches nobody", 62_500, Outcome::None, Some(Verdict::Right)),
        ("nobody, though the skew reaches somebody", 61_500, Outcome::None, Some(Verdict::None)),
        ("nobody at the moment it was held", 59_999, Outcome::None, None),
    ] {
        let index = index();
        for offset in [1_500, -1_500] {
            let clocks = vec![clock(offset)];
            let candidates = if outcome == Outcome::One { vec![a.clone()] } else { Vec::new() };
            let verdict = Judge::new(&index).judge(&ask("198.18.0.7", 2_000, at), &Answer { clocks, ..answer(outcome, &candidates) });
            match expected {
                Some(expected) => assert_eq!(verdict, expected, "{name}"),
                None => assert!(matches!(verdict, Verdict::Wrong(_)), "{name}: {verdict:?}"),
            }
        }
    }
}

#[test]
fn an_id_stands_for_one_account_in_the_whole_run() {
    let index = index();
    let mut judge = Judge::new(&index);
    let one = |inside: &str, id: &str| answer(Outcome::One, &[who("north", inside, id)]);
    assert_eq!(judge.judge(&ask("198.18.0.7", 2_000, 30_000), &one("100.64.0.1", "X")), Verdict::Right);
    assert!(matches!(judge.judge(&ask("198.18.0.7", 2_000, 105_000), &one("100.64.0.2", "X")), Verdict::Wrong(_)));
    assert_eq!(judge.judge(&ask("198.18.0.7", 2_000, 105_000), &one("100.64.0.2", "Y")), Verdict::Right);
    assert!(matches!(judge.judge(&ask("198.18.0.7", 2_000, 30_000), &one("100.64.0.1", "Z")), Verdict::Wrong(_)));
}

#[test]
fn an_id_not_seen_before_is_the_holder_at_that_moment() {
    let index = index();
    let mut judge = Judge::new(&index);
    let b = answer(Outcome::One, &[who("north", "100.64.0.2", "new")]);
    assert_eq!(judge.judge(&ask("198.18.0.7", 2_000, 119_500), &b), Verdict::Narrow);
    // An answer with two holders teaches nothing: the id may still turn out to be C's, who held it next.
    let c = answer(Outcome::One, &[who("north", "100.64.0.3", "new")]);
    assert_eq!(judge.judge(&ask("198.18.0.7", 2_000, 135_000), &c), Verdict::Right);
}

#[test]
fn an_answer_with_ids_not_known_yet_waits() {
    let index = index();
    let mut judge = Judge::new(&index);
    let both = answer(Outcome::Several, &[who("north", "100.64.0.2", "Y"), who("north", "100.64.0.3", "Z")]);
    assert!(judge.should_wait(&both));
    let one = |inside: &str, id: &str| answer(Outcome::One, &[who("north", inside, id)]);
    assert!(!judge.should_wait(&one("100.64.0.2", "Y")), "only with one holder is an id learned");
    assert_eq!(judge.judge(&ask("198.18.0.7", 2_000, 105_000), &one("100.64.0.2", "Y")), Verdict::Right);
    assert!(judge.should_wait(&both));
    assert_eq!(judge.judge(&ask("198.18.0.7", 2_000, 135_000), &one("100.64.0.3", "Z")), Verdict::Right);
    assert!(!judge.should_wait(&both));
    assert_eq!(judge.judge(&ask("198.18.0.7", 2_000, 120_002), &both), Verdict::Right);
}

#[test]
fn an_id_with_two_inside_addresses_is_whoever_had_both() {
    let mut index = TruthIndex::default();
    // H held the port with .8, then again with .9, which W had before H.
    let lines = [
        line("session", "north", "h", "100.64.0.8", 100_000, Some(101_000)),
        line("session", "north", "h", "100.64.0.9", 102_000, Some(115_000)),
        line("login", "north", "h", "100.64.0.8", 99_000, Some(101_000)),
        line("login", "north", "w", "100.64.0.9", 90_000, Some(101_000)),
        line("login", "north", "h", "100.64.0.9", 101_010, None),
    ];
    lines.iter().for_each(|line| index.add(line).unwrap());
    let header = Header {
        weir_truth: 1,
        seed: 1,
        profile: "isp".into(),
        options: String::new(),
        clock_offsets: Default::default(),
        in_seconds: Vec::new(),
        from: T,
        to: None,
        pools: vec![],
    };
    index.close(&header, &Footer { to: T + 600_000, mappings: 2, sessions: 3, events: 4 });
    let (w, h9, h8) = (who("north", "100.64.0.9", "W"), who("north", "100.64.0.9", "H"), who("north", "100.64.0.8", "H"));
    let question = ask("198.18.0.7", 2_000, 100_500);
    for order in [[&w, &h9, &h8], [&h8, &h9, &w], [&h9, &w, &h8]] {
        let several = answer(Outcome::Several, &order.map(Clone::clone));
        assert_eq!(Judge::new(&index).judge(&question, &several), Verdict::Right);
    }
    // W alone did not hold it at that moment, whatever the id stands for.
    let wrong = answer(Outcome::Several, &[w, who("north", "100.64.0.9", "X")]);
    assert!(matches!(Judge::new(&index).judge(&question, &wrong), Verdict::Wrong(_)));
}

#[test]
fn the_contract_of_answers_is_read_with_unknown_fields() {
    let text = r#"{"answer":"one","asked":{"x":1},"candidates":[{"realm":"north","subscriber":null,"inside":{"address":"100.64.0.12","port":58286},
        "mapping":{"kind":"session","start":"2026-11-22T10:00:00.000+08:00","end":null,"certain":true},
        "session":{"id":"01","start":"…","end":null,"inferred":false,"nas":"bras"}}],"gaps":[],
        "clocks":[{"source":"cgn-a","offset_ms":-12,"asked_at":"…"}],"reason":"…","skew":"2s"}"#;
    let got: Answer = serde_json::from_str(text).unwrap();
    assert_eq!((got.answer, got.clocks[0].offset_ms, got.candidates.len()), (Outcome::One, -12, 1));
    assert_eq!(got.candidates[0].inside.as_ref().and_then(|i| i.port), Some(58_286));
}

/// Answers from the truth as a perfect program would, with ids of its own; or not quite.
struct Oracle {
    index: TruthIndex,
    lies: f64,
    rng: Rng,
}

impl Oracle {
    fn one(&mut self, q: &Question) -> Answer {
        let holders = self.index.holders(q, q.at.0 - q.skew_ms, q.at.0 + q.skew_ms);
        let mut candidates: Vec<Candidate> = Vec::new();
        for h in holders {
            let lie = self.rng.chance(self.lies);
            let person = if lie { (h.person + 1) % self.index.persons() as u32 } else { h.person };
            let inside = h.inside.map(|a| Inside { address: a.to_string(), port: None });
            let realm = self.index.person(h.person).0.to_owned();
            let candidate = Candidate { realm, subscriber: Some(format!("id-{:x}", person ^ 0x5a5a)), inside, session: None };
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
        let outcome = [Outcome::None, Outcome::One, Outcome::Several][candidates.len().min(2)];
        answer(outcome, &candidates)
    }
}

impl Asker for Oracle {
    fn ask(&mut self, batch: &[Question]) -> io::Result<Vec<Answer>> {
        Ok(batch.iter().map(|q| self.one(q)).collect())
    }
}

struct Nowhere;

impl crate::Wire for Nowhere {
    fn send(&mut self, _: usize, _: &[u8]) -> Result<(), SimError> {
        Ok(())
    }
}

fn played(profile: Profile, reuse: bool) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truth.ndjson");
    let mut plan = Plan::new(profile, 8);
    (plan.rate, plan.reuse, plan.bindings, plan.bib) = (2_000, reuse, true, true);
    plan.mode = Mode::Fast { history_ms: 30_000, datagrams_per_second: 0, header_time: HeaderTime::Simulated };
    plan.truth = Some(file.clone());
    crate::play_into(&plan, &weir_base::clock::SystemClock::new(), &mut Nowhere).unwrap();
    (folder, file)
}

#[test]
fn a_perfect_program_is_right_and_a_liar_is_caught() {
    for (profile, reuse) in [(Profile::Small, false), (Profile::Hotel, true), (Profile::Isp, false), (Profile::Isp, true)] {
        let (_folder, file) = played(profile, reuse);
        let options = CheckOptions { questions: 5_000, seed: 4, ..CheckOptions::default() };
        let ask = |lies| {
            let mut oracle = Oracle { index: TruthIndex::load(&file).unwrap(), lies, rng: Rng::new(1, 1) };
            check(&file, &options, &mut oracle, |_| ()).unwrap()
        };
        let honest = ask(0.0);
        assert_eq!((honest.asked, honest.right), (5_000, 5_000), "{profile:?} {reuse} {honest}");
        let [one, none, several] = honest.right_one_none_several;
        assert!(one > 2_000 && none > 50, "{honest}");
        assert!(!reuse || several > 10, "{honest}");
        let kinds_asked = honest.kinds.iter().filter(|(_, c)| c.asked > 0).count();
        assert_eq!(kinds_asked, if profile == Profile::Hotel { 7 } else { 8 }, "{honest}");
        let liar = ask(0.01);
        assert!(liar.wrong > 20, "{liar}");
        assert_eq!(liar.wrong_answers.len(), crate::limits::SHOWN_WRONG);
        assert!(liar.to_string().contains("WRONG") && liar.to_json().contains("\"wrong_answers\""));
    }
}

#[test]
fn the_same_seed_asks_the_same() {
    let (_folder, file) = played(Profile::Isp, false);
    let index = TruthIndex::load(&file).unwrap();
    let draw = |seed| {
        let options = CheckOptions { seed, ..CheckOptions::default() };
        let mut sampler = Sampler::new(&index, &options).unwrap();
        (0..500).map(|_| sampler.next_question()).collect::<Vec<_>>()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let last = index.to - CheckOptions::default().guard_ms;
    assert!(draw(3).iter().all(|(_, q)| (index.from + CheckOptions::default().guard_ms..=last).contains(&q.at.0)));
}

#[test]
fn a_truth_file_that_is_not_whole_is_refused_with_its_line() {
    let (folder, file) = played(Profile::Small, false);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    let cases = [
        ("did not finish", cut.clone()),
        ("line 1 ", format!("{{}}\n{cut}")),
        ("version 9", text.replacen("\"weir_truth\":1", "\"weir_truth\":9", 1)),
        ("line 2 ", text.replacen("\"start\":", "\"stort\":", 1)),
        ("line 2 ", text.replacen("\"inside\":\"", "\"inside\":\"x", 1)),
        ("did not finish", String::new()),
    ];
    for (word, text) in cases {
        let path = folder.path().join("bad");
        std::fs::write(&path, text).unwrap();
        let said = TruthIndex::load(&path).unwrap_err().to_string();
        assert!(said.contains(word) && !said.contains("home00"), "{word}: {said}");
    }
    let missing = TruthIndex::load(&folder.path().join("no")).unwrap_err().to_string();
    assert!(missing.contains("simulate --truth"), "{missing}");
}

#[test]
fn an_asker_that_fails_or_miscounts_ends_the_check() {
    struct Short(bool);
    impl Asker for Short {
        fn ask(&mut self, batch: &[Question]) -> io::Result<Vec<Answer>> {
            if self.0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(vec![answer(Outcome::None, &[]); batch.len() - 1]) }
        }
    }
    let (_folder, file) = played(Profile::Small, false);
    for broken in [true, false] {
        let failed = check(&file, &CheckOptions::default(), &mut Short(broken), |_| ()).unwrap_err().to_string();
        assert!(failed.contains("after 0 questions"), "{failed}");
    }
}
