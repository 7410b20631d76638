//! What answers look like.

use super::net::{CGN, NAS, Net, T};
use super::question;
use crate::facts::FactsError;
use crate::{Answer, Code, Outcome, Question, answer, explain, summary};

fn ask(change: impl FnOnce(&mut Net, &mut Question)) -> Answer {
    let (mut net, mut question) = (Net::ordinary(), question());
    net.sources.values_mut().for_each(|s| s.offset_ms = Some(0));
    change(&mut net, &mut question);
    answer(&question, &net, T.plus(3_600_000)).unwrap()
}

fn open_with_gap() -> Answer {
    ask(|n, q| {
        n.map(12, -9_000, None);
        n.gap(CGN, -5_000, -4_001, Some(3));
        n.gap(NAS, -1_000, 0, None);
        n.clock(CGN, -1_800_000);
        n.session(12, -90_000, Some(90_000)).inferred = true;
        q.skew_ms = 150;
        q.remote = Some(("2001:db8::5".parse().unwrap(), Some(443)));
    })
}

/// One name and value a line of the file; the value is one line of JSON.
fn golden(name: &str) -> &'static str {
    let lines = include_str!("../testdata/answers.txt").lines();
    lines.filter_map(|l| l.split_once(": ")).find(|(n, _)| *n == name).unwrap().1
}

#[test]
fn json_is_the_contract() {
    let one = ask(|n, _| {
        n.map(12, -9_000, Some(9_123));
        n.sessions[0].1.acct_session_id = None;
    });
    assert_eq!(one.to_json(), golden("one"));
    assert_eq!(open_with_gap().to_json(), golden("unknown"));
    let plain = ask(|n, q| {
        n.session_at("192.0.2.77", 1, -9_000, None);
        (q.public, q.port, q.protocol) = ("192.0.2.77".parse().unwrap(), None, None);
    });
    assert_eq!(plain.to_json(), golden("plain"));
    assert_eq!(ask(|_, q| q.port = None).to_json(), golden("port-needed"));
}

#[test]
fn exit_codes_are_the_contract() {
    for (outcome, code, name) in
        [(Outcome::One, 0, "one"), (Outcome::None, 3, "none"), (Outcome::Several, 4, "several"), (Outcome::Unknown, 5, "unknown")]
    {
        assert_eq!((outcome.exit_code(), outcome.name()), (code, name));
    }
    assert_eq!((open_with_gap().exit_code(), ask(|_, _| ()).exit_code()), (5, 3));
}

#[test]
fn the_chain_names_everything_it_rests_on() {
    let text = explain(&open_with_gap());
    for part in [
        "who held 203.0.113.7:40000 tcp towards [2001:db8::5]:443 at 2026-11-22T10:00:00.000+08:00, give or take 150ms",
        "source cgn-a: clock -1800000 ms (too far off: the moment was translated), asked at 2026-11-22T09:30:00.000+08:00",
        "source nas-a: clock +0 ms (measured)",
        "session mapping of cgn-a to 100.64.0.12:50012: 2026-11-22T09:29:51.000+08:00 to open or not seen, not certain",
        "session acct-12 at 192.0.2.1",
        "gap of cgn-a: 3 lost between 2026-11-22T09:29:55.000+08:00 and 2026-11-22T09:29:55.999+08:00",
        "gap of nas-a: an unknown number lost",
        "answer: unknown (it cannot be said) [gap]",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let text = explain(&ask(|n, _| {
        n.sessions.clear();
        n.map(12, -9_000, Some(9_000));
    }));
    assert!(text.contains("no session names a subscriber") && text.contains("subscriber not known"), "{text}");
}

#[test]
fn the_short_form_is_short() {
    let text = summary(&open_with_gap());
    assert!(text.starts_with("unknown: records of cgn-a were lost"), "{text}");
    assert!(text.contains("(not certain)") && text.contains("2 gaps matter here"), "{text}");
    assert_eq!(summary(&ask(|_, q| q.port = None)).lines().count(), 1);
}

#[test]
fn gaps_in_the_window_are_named_though_the_answer_is_certain() {
    let got = ask(|n, _| {
        n.map(12, -9_000, Some(9_000));
        n.gap(CGN, -50, 50, Some(7));
        n.gap(CGN, -900_000, -800_000, Some(8));
    });
    assert_eq!((got.outcome, got.gaps.len()), (Outcome::One, 1));
    assert_eq!((got.gaps[0].source.as_str(), got.gaps[0].lost), ("cgn-a", Some(7)));
}

#[test]
fn lists_are_bounded_and_say_so() {
    let got = ask(|n, _| {
        (0..200).for_each(|i| {
            n.map(i, -9_000, Some(9_000));
            n.gap(CGN, -i64::from(i), 0, Some(1));
        });
    });
    assert_eq!((got.outcome, got.candidates.len(), got.candidates_left), (Outcome::Several, 64, 136));
    assert_eq!((got.gaps.len(), got.gaps_left), (64, 136));
    assert!(explain(&got).contains("and 136 more candidates") && explain(&got).contains("and 136 more gaps"));
    assert!(summary(&got).contains("and 136 more"));
}

#[test]
fn unreadable_facts_are_a_failure_and_not_an_answer() {
    let mut net = Net::ordinary();
    net.map(12, -9_000, Some(9_000)).source = 77;
    let got = answer(&question(), &net, T.plus(1));
    assert_eq!(got, Err(FactsError("there is no source 77".into())));
}

#[test]
fn every_code_has_one_name_and_stands_in_the_document() {
    let page = include_str!("../../../../docs/answers.md");
    for (n, code) in Code::ALL.iter().enumerate() {
        assert!(page.contains(&format!("| `{}` |", code.name())), "{} is missing in docs/answers.md", code.name());
        assert!(Code::ALL[..n].iter().all(|other| other.name() != code.name()), "{}", code.name());
    }
}
