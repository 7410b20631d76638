//! An answer for people: the short form for a terminal, and the whole chain.

use std::fmt::Write as _;

use weir_base::time::{Millis, format_duration_ms};

use crate::answer::{Answer, Candidate, ClockNote, GapNote, Outcome};
use crate::clock::skew_of;
use crate::question::{Question, format_end, protocol_name};

/// The short form: the outcome and its reason, and a line a candidate.
pub fn summary(answer: &Answer) -> String {
    let mut out = format!("{}: {}\n", answer.outcome.name(), answer.reason);
    for candidate in &answer.candidates {
        let doubt = if certain(candidate) { "" } else { " (not certain)" };
        let _ = writeln!(out, "  {}, inside {}, realm {}{doubt}", who(candidate), inside(candidate), candidate.realm);
    }
    if answer.candidates_left > 0 {
        let _ = writeln!(out, "  and {} more", answer.candidates_left);
    }
    if !answer.gaps.is_empty() {
        let _ = writeln!(out, "  {} gaps matter here: see --explain", answer.gaps.len() + answer.gaps_left);
    }
    out
}

/// The chain: question, clocks, candidates with mapping and session, gaps, conclusion.
pub fn explain(answer: &Answer) -> String {
    let mut out = asked(&answer.asked);
    answer.clocks.iter().for_each(|c| out.push_str(&clock(c)));
    for (n, candidate) in (1..).zip(&answer.candidates) {
        let _ = writeln!(out, "candidate {n}: {}, realm {}", who(candidate), candidate.realm);
        out.push_str(&chain(candidate));
    }
    if answer.candidates_left > 0 {
        let _ = writeln!(out, "and {} more candidates", answer.candidates_left);
    }
    answer.gaps.iter().for_each(|g| out.push_str(&gap(g)));
    if answer.gaps_left > 0 {
        let _ = writeln!(out, "and {} more gaps", answer.gaps_left);
    }
    let meaning = match answer.outcome {
        Outcome::One => "exactly one holder",
        Outcome::None => "nobody held it",
        Outcome::Several => "more than one holder",
        Outcome::Unknown => "it cannot be said",
    };
    let _ = writeln!(out, "answer: {} ({meaning}) [{}]\nbecause {}", answer.outcome.name(), answer.code.name(), answer.reason);
    out
}

fn asked(q: &Question) -> String {
    let mut out = format!("asked: who held {}", format_end(q.public, q.port));
    if let Some(protocol) = q.protocol {
        let _ = write!(out, " {}", protocol_name(protocol));
    }
    if let Some((address, port)) = q.remote {
        let _ = write!(out, " towards {}", format_end(address, port));
    }
    let _ = writeln!(out, " at {}, give or take {}", q.at, format_duration_ms(skew_of(q)));
    out
}

fn clock(c: &ClockNote) -> String {
    let how = if c.degraded { "too far off: the moment was translated" } else { c.basis.name() };
    let tolerance = format_duration_ms(c.tolerance_ms);
    format!("source {}: clock {:+} ms ({how}), asked at {}, give or take {tolerance}\n", c.source, c.offset_ms, c.asked_at)
}

fn chain(candidate: &Candidate) -> String {
    let mut out = String::new();
    match &candidate.mapping {
        None => out.push_str("  not translated: the address was the subscriber's own\n"),
        Some(m) => {
            let (start, end) = (seen(m.start, "not seen"), seen(m.end, "open or not seen"));
            let sure = if m.certain { "certain" } else { "not certain" };
            let _ = writeln!(out, "  {} mapping of {} to {}: {start} to {end}, {sure}", m.form.name(), m.source, inside(candidate));
        }
    }
    match &candidate.session {
        None => out.push_str("  no session names a subscriber\n"),
        Some(s) => {
            let end = if s.inferred { format!("{} (inferred)", seen(s.end, "open")) } else { seen(s.end, "open") };
            let sure = if s.certain { "certain" } else { "not certain" };
            let _ = writeln!(out, "  session {} at {}: {} to {end}, {sure}", s.id, s.nas, s.start);
        }
    }
    out
}

fn gap(g: &GapNote) -> String {
    let lost = g.lost.map_or_else(|| "an unknown number".to_owned(), |n| n.to_string());
    format!("gap of {}: {lost} lost between {} and {}\n", g.source, g.start, g.end)
}

fn seen(time: Option<Millis>, otherwise: &str) -> String {
    time.map_or_else(|| otherwise.to_owned(), Millis::to_rfc3339)
}

fn who(candidate: &Candidate) -> String {
    candidate.subscriber.map_or_else(|| "subscriber not known".to_owned(), |id| format!("subscriber {id}"))
}

fn inside(candidate: &Candidate) -> String {
    format_end(candidate.inside, candidate.inside_port)
}

fn certain(candidate: &Candidate) -> bool {
    candidate.mapping.as_ref().is_none_or(|m| m.certain) && candidate.session.as_ref().is_none_or(|s| s.certain)
}
