//! Which sessions held an address in the window, and how certain each is.

use std::collections::BTreeSet;

use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::answer::SessionNote;
use crate::clock::{SourceClock, Window};
use crate::facts::{Read, SessionFact};
use crate::inquiry::{Doubt, Inquiry};

/// NASes count whole seconds (Event-Timestamp, RFC 2869 section 5.3): an event stated at a second happened within it.
const WITHIN_SECOND_MS: i64 = 999;

/// A session that touches the window.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub fact: SessionFact,
    /// Its source, asked about the time in which the session is wanted.
    pub clock: SourceClock,
    pub doubt: Option<Doubt>,
    /// It held the address at the moment itself.
    pub covers: bool,
}

/// The latest instant that a stated instant may stand for.
fn latest(stated: Millis) -> Millis {
    if stated.0.rem_euclid(1_000) == 0 { stated.plus(WITHIN_SECOND_MS) } else { stated }
}

/// The sessions of the address in that time, by our clock; one for each subscriber.
pub(crate) fn find(inquiry: &mut Inquiry<'_>, realm: Option<u32>, address: Addr16, window: Window) -> Read<Vec<Claim>> {
    let (from, to) = inquiry.common_window(window);
    // What is stated at a second may have happened up to its end.
    let common = inquiry.facts.sessions(realm, address, from.plus(-WITHIN_SECOND_MS), to)?;
    let mut off: BTreeSet<u32> = inquiry.facts.sessions_off_time(realm, inquiry.question.at)?.into_iter().collect();
    let mut facts = Vec::new();
    for fact in common {
        let clock = inquiry.peek(fact.source)?;
        if clock.degraded {
            off.insert(fact.source);
        } else {
            facts.push((fact, clock.aimed(window)));
        }
    }
    let mut reach: Option<(Millis, Millis)> = None;
    for source in off {
        let clock = inquiry.peek(source)?.aimed(window);
        if clock.degraded {
            let (first, last) = reach.unwrap_or((clock.from(), clock.to()));
            reach = Some((first.min(clock.from()), last.max(clock.to())));
        }
    }
    if let Some((first, last)) = reach {
        for fact in inquiry.facts.sessions(realm, address, first.plus(-WITHIN_SECOND_MS), last)? {
            let clock = inquiry.peek(fact.source)?;
            if clock.degraded {
                facts.push((fact, clock.aimed(window)));
            }
        }
    }
    claims(inquiry, facts)
}

fn claims(inquiry: &mut Inquiry<'_>, facts: Vec<(SessionFact, SourceClock)>) -> Read<Vec<Claim>> {
    let mut all = Vec::new();
    for (fact, clock) in facts {
        let end = fact.end.map(latest);
        if !clock.touches(Some(fact.start), end) {
            continue;
        }
        inquiry.clock(fact.source)?;
        let covers = clock.covers(Some(latest(fact.start)), fact.end);
        let doubt = doubt_of(inquiry, &fact, &clock, covers)?;
        all.push(Claim { fact, clock, doubt, covers });
    }
    all.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut claims: Vec<Claim> = Vec::new();
    for one in all {
        // A subscriber who came back within the tolerance is still one subscriber.
        let same = |c: &Claim| {
            let subscriber = c.fact.subscriber.is_some() && c.fact.subscriber == one.fact.subscriber;
            c.fact.realm == one.fact.realm && (subscriber || c.fact.id == one.fact.id)
        };
        if !claims.iter().any(same) {
            claims.push(one);
        }
    }
    Ok(claims)
}

fn order(claim: &Claim) -> (bool, bool, &str, Millis, [u8; 16]) {
    (claim.doubt.is_some(), !claim.covers, &claim.fact.realm_name, claim.fact.start, claim.fact.id.0)
}

fn doubt_of(inquiry: &mut Inquiry<'_>, fact: &SessionFact, clock: &SourceClock, covers: bool) -> Read<Option<Doubt>> {
    if !fact.start_certain && fact.start > clock.from() {
        return Ok(Some(Doubt::StartLost));
    }
    match fact.end {
        // The NAS spoke of it after the window: it stood all the time.
        _ if fact.last_evidence >= clock.to() && fact.end.is_none_or(|t| t >= clock.to()) && covers => Ok(None),
        Some(_) if fact.inferred && !lasted(fact, clock, covers) => Ok(Some(Doubt::EndLost)),
        // Only the tolerance brings it in: nobody else had the address at the moment only if nothing was lost around it.
        _ if !covers => inquiry.unbroken(clock, clock.from().min(fact.last_evidence)),
        Some(_) => Ok(None),
        None => inquiry.unbroken(clock, fact.last_evidence),
    }
}

/// Where nobody told the end, a session is sure to have had the address from its begin to when it was last heard of: true when that holds the
/// moment, or touches the window where only the tolerance brings the session in.
fn lasted(fact: &SessionFact, clock: &SourceClock, covers: bool) -> bool {
    let sure = Some(fact.last_evidence);
    if covers { clock.covers(Some(latest(fact.start)), sure) } else { clock.touches(Some(fact.start), sure) }
}

impl Claim {
    pub fn note(&self) -> SessionNote {
        let record = self.fact.id;
        SessionNote {
            id: self.fact.acct_session_id.clone().unwrap_or_else(|| record.to_string()),
            record,
            start: self.fact.start,
            end: self.fact.end,
            inferred: self.fact.inferred,
            nas: self.fact.nas.clone(),
            certain: self.doubt.is_none(),
        }
    }
}
