//! Which mappings held the public end in the window, and how certain each is.

use std::collections::BTreeSet;
use std::rc::Rc;

use weir_base::net::Addr16;
use weir_record::kinds::Form;

use crate::answer::MappingNote;
use crate::clock::{SourceClock, Window};
use crate::facts::{MappingFact, MappingQuery, PoolSource, Read, Remote};
use crate::inquiry::{Doubt, Inquiry, Span};

/// A mapping that touches the window.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub fact: MappingFact,
    pub clock: Rc<SourceClock>,
    pub doubt: Option<Doubt>,
    /// It held the port at the moment itself, not only within the tolerance.
    pub covers: bool,
}

/// One inside end, with all its mappings in the window.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub realm: u32,
    pub realm_name: String,
    pub inside: Addr16,
    /// The mapping that says most.
    pub best: Held,
    /// At least one mapping is certain.
    pub certain: bool,
    /// A certain mapping held the port at the moment itself.
    pub covers: bool,
    /// When it may have held the port, within the asker's skew and by our clock: whoever had the inside end at another time is not meant.
    pub when: Window,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub held: Vec<Held>,
    /// Mappings that led to another remote end than the one asked about.
    pub elsewhere: bool,
    /// A mapping of single ports was found though no port was asked about.
    pub part: bool,
}

/// Every mapping of the public end in the window of its source.
pub(crate) fn find(inquiry: &mut Inquiry<'_>, pools: &[PoolSource]) -> Read<Found> {
    let mut facts = Vec::new();
    let mut windows = BTreeSet::new();
    for pool in pools {
        let clock = inquiry.clock(pool.source)?;
        if clock.degraded {
            windows.insert((clock.from(), clock.to()));
        }
    }
    let common = inquiry.common_window(Window::of(inquiry.question));
    for fact in query(inquiry, common)? {
        let clock = inquiry.peek(fact.source)?;
        if clock.degraded {
            // An exporter in no pool we know of: its window is asked for below.
            windows.insert((clock.from(), clock.to()));
        } else {
            facts.push((fact, clock));
        }
    }
    for window in windows {
        for fact in query(inquiry, window)? {
            let clock = inquiry.peek(fact.source)?;
            if clock.degraded && (clock.from(), clock.to()) == window {
                facts.push((fact, clock));
            }
        }
    }
    sift(inquiry, facts)
}

fn query(inquiry: &Inquiry<'_>, (from, to): Span) -> Read<Vec<MappingFact>> {
    let q = inquiry.question;
    inquiry.facts.mappings(&MappingQuery { public: q.public, port: q.port, protocol: q.protocol, from, to })
}

fn sift(inquiry: &mut Inquiry<'_>, facts: Vec<(MappingFact, Rc<SourceClock>)>) -> Read<Found> {
    let (mut found, question) = (Found::default(), inquiry.question);
    for (fact, clock) in facts {
        let whole = fact.form == Form::AddressBinding || (fact.public_first == 0 && fact.public_last == u16::MAX);
        let port = whole || question.port.is_some_and(|p| (fact.public_first..=fact.public_last).contains(&p));
        let protocol = fact.protocol == 0 || question.protocol.is_none_or(|p| p == fact.protocol);
        if !protocol || !clock.touches(fact.start, fact.end) || (!port && question.port.is_some()) {
            continue;
        }
        if !port {
            found.part = true;
            continue;
        }
        if leads_elsewhere(inquiry, &fact)? {
            found.elsewhere = true;
            continue;
        }
        inquiry.clock(fact.source)?;
        let doubt = doubt_of(inquiry, &fact, &clock)?;
        let covers = clock.covers(fact.start.filter(|_| fact.start_seen), fact.end);
        found.held.push(Held { fact, clock, doubt, covers });
    }
    Ok(found)
}

/// True when the mapping is known to lead to another remote end than the one asked about. What was not kept cannot be compared.
fn leads_elsewhere(inquiry: &Inquiry<'_>, fact: &MappingFact) -> Read<bool> {
    let Some((asked, asked_port)) = inquiry.question.remote else { return Ok(false) };
    Ok(match (fact.remote, asked_port) {
        (None, _) | (Some(Remote::Tag(_)), None) => false,
        (Some(Remote::End { address, port }), _) => address != asked || asked_port.is_some_and(|p| p != port),
        (Some(Remote::Tag(tag)), Some(port)) => inquiry.facts.remote_tag(asked, port)?.is_some_and(|want| want != tag),
    })
}

fn doubt_of(inquiry: &mut Inquiry<'_>, fact: &MappingFact, clock: &SourceClock) -> Read<Option<Doubt>> {
    let doubt = match (fact.end, fact.end_seen) {
        _ if !fact.ends_agree => Some(Doubt::EndsDiffer),
        _ if !fact.start_seen => Some(Doubt::StartLost),
        // Computed from dated configuration: there is nothing that could be lost.
        _ if fact.form == Form::Deterministic => None,
        (Some(_), true) => None,
        (Some(_), false) => Some(Doubt::EndLost),
        (None, _) => return inquiry.unbroken(clock, fact.last_evidence),
    };
    if matches!(doubt, Some(Doubt::StartLost | Doubt::EndLost)) {
        // The gaps that may have swallowed the end are named.
        let (first, last) = (fact.start.unwrap_or(clock.from()), fact.end.unwrap_or(clock.to()));
        inquiry.losses(clock, first, last)?;
    }
    Ok(doubt)
}

/// The mappings by inside end: realm and inside address. One that holds the port twice in the window is one holder.
pub(crate) fn holders(mut held: Vec<Held>) -> Vec<Holder> {
    held.sort_by_key(|h| (h.doubt.is_some(), !h.covers, distance(h), h.fact.start, h.fact.inside_port, h.fact.source));
    let mut holders: Vec<Holder> = Vec::new();
    for one in held {
        let (realm, inside) = (one.clock.fact.realm, one.fact.inside);
        let certain = one.doubt.is_none();
        match holders.iter_mut().find(|h| h.realm == realm && h.inside == inside) {
            Some(holder) => {
                holder.covers |= certain && one.covers;
                let when = one.when();
                holder.when = Window { from: holder.when.from.min(when.from), to: holder.when.to.max(when.to), ..holder.when };
            }
            None => {
                let (realm_name, covers) = (one.clock.fact.realm_name.clone(), certain && one.covers);
                holders.push(Holder { realm, realm_name, inside, when: one.when(), best: one, certain, covers });
            }
        }
    }
    holders.sort_by(|a, b| (!a.certain, !a.covers, &a.realm_name, a.inside).cmp(&(!b.certain, !b.covers, &b.realm_name, b.inside)));
    holders
}

/// How far the mapping lies from the moment, ms.
fn distance(held: &Held) -> i64 {
    let at = held.clock.asked_at();
    let before = held.fact.start.map_or(0, |t| t.since(at).max(0));
    let after = held.fact.end.map_or(0, |t| at.since(t).max(0));
    before.max(after)
}

impl Held {
    fn when(&self) -> Window {
        self.clock.when(self.fact.start, self.fact.end)
    }

    pub fn note(&self) -> MappingNote {
        MappingNote {
            form: self.fact.form,
            start: self.fact.start.filter(|_| self.fact.start_seen),
            end: self.fact.end.filter(|_| self.fact.end_seen),
            certain: self.doubt.is_none(),
            source: self.clock.fact.name.clone(),
        }
    }

    /// The inside port, where the form has one.
    pub fn inside_port(&self) -> Option<u16> {
        matches!(self.fact.form, Form::Session | Form::Bib).then_some(self.fact.inside_port)
    }
}
