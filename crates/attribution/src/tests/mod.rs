//! Answers over facts in memory.

mod absent;
mod clocks;
mod forms;
mod net;
mod output;
mod plain;
mod properties;
mod translated;

use net::{Net, T};

use crate::{Answer, Question, answer};

/// One question: how the network and the question differ from the ordinary ones, and what is answered.
type Case = (&'static str, fn(&mut Net, &mut Question), &'static str);

/// Inside address 12, and the subscriber who had it.
const A: &str = "one holder | home 100.64.0.12:50012 s12 sure sure";

/// The ordinary question: 203.0.113.7:40000, TCP, at [`T`], give or take two seconds.
fn question() -> Question {
    Question { public: net::addr("203.0.113.7"), port: Some(40_000), protocol: Some(6), at: T, remote: None, skew_ms: 2_000 }
}

/// `outcome code | candidate | candidate`; a candidate is realm, inside end, subscriber, and how sure mapping and session are.
fn shown(answer: &Answer) -> String {
    let mut out = format!("{} {}", answer.outcome.name(), answer.code.name());
    for c in &answer.candidates {
        let sure = |certain: Option<bool>| certain.map_or("-", |c| if c { "sure" } else { "doubt" });
        let subscriber = c.subscriber.map_or_else(|| "-".to_owned(), |id| format!("s{}", id.0[15]));
        let (mapping, session) = (sure(c.mapping.as_ref().map(|m| m.certain)), sure(c.session.as_ref().map(|s| s.certain)));
        let inside = crate::question::format_end(c.inside, c.inside_port);
        out.push_str(&format!(" | {} {inside} {subscriber} {mapping} {session}", c.realm));
    }
    out
}

fn run(cases: &[Case]) {
    for (name, change, want) in cases {
        let (mut net, mut question) = (Net::ordinary(), question());
        change(&mut net, &mut question);
        let got = answer(&question, &net, T.plus(3_600_000)).unwrap();
        assert_eq!(shown(&got), *want, "{name}\n{}", crate::explain(&got));
        assert!(!got.reason.is_empty() && !got.reason.contains("100.64.") && !got.reason.contains("0000000"), "{name}: {}", got.reason);
    }
}
