//! What holds for every network and every question.

use proptest::prelude::*;
use weir_base::time::Millis;
use weir_record::kinds::Form;

use super::net::{CGN, NAS, Net, OFFICE, OFFICE_NAS, T, id};
use super::question;
use crate::facts::Remote;
use crate::{Answer, Code, Outcome, Question, answer};

/// Now, in milliseconds after [`T`].
const NOW: i64 = 120_000;

type Row = (u8, i64, i64, u8, u8);

fn form(n: u8) -> Form {
    [Form::Session, Form::Bib, Form::Block, Form::AddressBinding, Form::Deterministic][usize::from(n) % 5]
}

/// A mapping from small numbers; `shape` chooses what was seen of it.
fn add_mapping(net: &mut Net, (inside, start, length, shape, kind): Row) {
    let end = (shape % 4 != 0).then_some(start + length);
    let m = net.map(12 + inside, start, end);
    m.source = if kind % 7 == 0 { OFFICE } else { CGN };
    m.form = form(kind % 9 % 5);
    m.protocol = if kind % 3 == 0 { 17 } else { 6 };
    match shape {
        5 => m.start_seen = false,
        6 => m.end_seen = false,
        7 => m.ends_agree = false,
        9 => (m.start, m.start_seen) = (None, false),
        10 => m.remote = Some(Remote::End { address: "198.51.100.1".parse().unwrap(), port: 443 }),
        11 => m.remote = Some(Remote::Tag(1 << 16 | 443)),
        _ => {}
    }
}

fn add_session(net: &mut Net, (inside, start, length, shape, kind): Row) {
    let end = (shape % 3 != 0).then_some(start + length);
    let s = net.session(12 + inside, start, end);
    (s.subscriber, s.inferred, s.start_certain) = (Some(id(kind)), shape % 5 == 1, shape % 7 != 2);
    s.last_evidence = if s.inferred { s.start.plus(length / 2) } else { s.last_evidence };
    if kind % 4 == 0 {
        (s.realm, s.realm_name, s.source) = (2, "office".into(), OFFICE_NAS);
    }
}

fn row() -> impl Strategy<Value = Row> {
    (0u8..4, -12_000i64..6_000, 0i64..12_000, 0u8..12, 1u8..40)
}

fn gap() -> impl Strategy<Value = (u32, i64, i64, Option<u64>)> {
    let source = prop::sample::select(vec![CGN, OFFICE, NAS, OFFICE_NAS]);
    (source, -30_000i64..10_000, 0i64..4_000, prop::option::of(0u64..3)).prop_map(|(s, start, len, lost)| (s, start, start + len, lost))
}

fn net() -> impl Strategy<Value = Net> {
    let offset = || prop::sample::select(vec![0i64, 0, 300, -1_900, 2_000, 2_100, -1_800_000]);
    let header = || -5_000i64..60_000;
    (
        prop::collection::vec(row(), 0..5),
        prop::collection::vec(row(), 0..4),
        prop::collection::vec(gap(), 0..3),
        [offset(), offset(), offset()],
        [header(), header(), header()],
        (prop::bool::ANY, prop::bool::ANY, prop::option::weighted(0.1, -3_000i64..9_000)),
    )
        .prop_map(|(mappings, sessions, gaps, offsets, headers, (pool, second, unseen))| {
            let mut net = Net::ordinary();
            net.sessions.truncate(usize::from(second) * 2);
            if !pool {
                net.pools.clear();
            }
            if second {
                net.pool(OFFICE);
            }
            mappings.into_iter().for_each(|m| add_mapping(&mut net, m));
            sessions.into_iter().for_each(|s| add_session(&mut net, s));
            gaps.into_iter().for_each(|(source, start, end, lost)| net.gap(source, start, end, lost));
            net.unseen.extend(unseen.map(|ms| (CGN, T.plus(ms))));
            for ((source, offset), header) in [CGN, OFFICE, NAS].into_iter().zip(offsets).zip(headers) {
                net.source(source).last_header = Some(T.plus(header));
                net.clock(source, offset);
            }
            net
        })
}

fn asked() -> impl Strategy<Value = Question> {
    let skew = prop::sample::select(vec![0i64, 1, 500, 2_000, 5_000]);
    (skew, prop::option::weighted(0.8, Just(6u8)), prop::option::weighted(0.9, Just(40_000u16)), 0u8..6, -3_000i64..3_000).prop_map(
        |(skew_ms, protocol, port, remote, at)| {
            let far = "198.51.100.1".parse().unwrap();
            let remote = [Some((far, None)), Some((far, Some(443))), Some((far, Some(80)))].get(usize::from(remote)).copied().flatten();
            Question { skew_ms, protocol, port, remote, at: T.plus(at), ..question() }
        },
    )
}

fn ask(net: &Net, question: &Question, now: i64) -> Answer {
    answer(question, net, T.plus(now)).unwrap()
}

/// Sessions that claim one address are several, in doubt or not.
fn no_surer(before: Outcome, after: Outcome) -> bool {
    after == before || after == Outcome::Unknown || (before, after) == (Outcome::Unknown, Outcome::Several)
}

/// The answer, every instant of it earlier by `ms`.
fn earlier(mut answer: Answer, ms: i64) -> Answer {
    let back = |t: &mut Millis| *t = t.plus(-ms);
    back(&mut answer.asked.at);
    for c in &mut answer.candidates {
        c.mapping.iter_mut().for_each(|m| m.start.iter_mut().chain(m.end.iter_mut()).for_each(back));
        c.session.iter_mut().for_each(|s| {
            back(&mut s.start);
            s.end.iter_mut().for_each(back);
        });
    }
    answer.gaps.iter_mut().for_each(|g| [&mut g.start, &mut g.end].into_iter().for_each(back));
    answer.clocks.iter_mut().for_each(|c| back(&mut c.asked_at));
    answer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Nothing but the difference between instants matters. Whole seconds, because sessions are stated in these.
    #[test]
    fn time_has_no_origin(net in net(), question in asked(), seconds in -2_000_000_000i64..2_000_000_000) {
        let (ms, mut moved, mut later) = (seconds * 1_000, net.clone(), question);
        moved.shift(ms);
        later.at = later.at.plus(ms);
        let got = earlier(answer(&later, &moved, T.plus(NOW + ms)).unwrap(), ms);
        prop_assert_eq!(got, ask(&net, &question, NOW));
    }

    /// Knowing that more was lost never makes an answer surer.
    #[test]
    fn a_gap_makes_nothing_surer(net in net(), question in asked(), more in gap()) {
        let before = ask(&net, &question, NOW).outcome;
        let mut worse = net;
        worse.gap(more.0, more.1, more.2, more.3);
        let after = ask(&worse, &question, NOW).outcome;
        prop_assert!(no_surer(before, after), "{before:?} {after:?}");
    }

    /// So does a source that says less.
    #[test]
    fn silence_makes_nothing_surer(net in net(), question in asked(), source in prop::sample::select(vec![CGN, OFFICE, NAS])) {
        let before = ask(&net, &question, NOW).outcome;
        let mut silent = net;
        silent.source(source).last_header = None;
        let after = ask(&silent, &question, NOW).outcome;
        prop_assert!(no_surer(before, after), "{before:?} {after:?}");
    }

    /// A wider tolerance finds more, never less.
    #[test]
    fn a_wider_skew_loses_nobody(net in net(), question in asked(), more in 0i64..20_000) {
        let before = ask(&net, &question, NOW);
        let wider = Question { skew_ms: question.skew_ms + more, ..question };
        let after = ask(&net, &wider, NOW);
        let named = |a: &Answer, c: &crate::Candidate| a.candidates.iter().any(|d| (d.inside, &d.realm) == (c.inside, &c.realm));
        // Ports of an address thought not to be shared: then it is, and nobody is named any more.
        prop_assert!(after.code == Code::PortNeeded || before.candidates.iter().all(|c| named(&after, c)), "{before:?} {after:?}");
        if matches!(before.outcome, Outcome::One | Outcome::Several) {
            prop_assert_ne!(after.outcome, Outcome::None);
        }
    }

    #[test]
    fn outcomes_mean_what_they_say(net in net(), question in asked()) {
        let got = ask(&net, &question, NOW);
        let (many, sure) = (got.candidates.len(), got.candidates.iter().filter(|c| c.mapping.as_ref().is_none_or(|m| m.certain)).count());
        match got.outcome {
            Outcome::One => {
                prop_assert_eq!((many, sure), (1, 1));
                prop_assert!(got.candidates[0].session.as_ref().is_none_or(|s| s.certain));
            }
            Outcome::None => prop_assert_eq!(many, 0),
            Outcome::Several => prop_assert!(many > 1 || (many == 0 && question.port.is_none())),
            Outcome::Unknown => {}
        }
        prop_assert!(question.port.is_some() || net.pools.is_empty() || many == 0, "a shared address without a port names nobody");
        prop_assert!(!got.reason.contains("100.64."));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&got.to_json()).is_ok());
    }
}
