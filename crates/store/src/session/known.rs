//! What is known of one session, from its events in whatever order they came. Pure.
//!
//! Events of one session overtake each other: updates come after the Stop, a Start is sent again, a relay hands over hours at once. So what
//! is kept is not "the state after the last event" but what all events together say, and the spans are a function of that. A span that was
//! written down and is not true any more is superseded by one of a higher revision (see [`crate::session::merge`]).

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::kinds::{Name, RadiusSession};

use crate::limits::{NAMES_A_SESSION, SAME_EVENT_MS, STRETCHES_A_SESSION};
use crate::session::span::{Session, SessionSpan};

const START: u8 = 1;
const STOP: u8 = 2;
const INTERIM: u8 = 3;

/// Events next to each other in time that name the same addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Time of the first of them.
    pub first: Millis,
    /// Time of the last of them.
    pub last: Millis,
    /// What they name, sorted, each once.
    pub names: Vec<Name>,
}

/// An address that is had, and since when.
pub type Held = (Name, Millis);

/// One session, open or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its facts; `end` and `inferred` are those of [`Known::end`].
    pub session: Session,
    /// Events taken in; spans of a higher revision supersede those of a lower one.
    pub revision: u32,
    /// Events up to this moment belong to an earlier session under the same id.
    pub floor: Millis,
    /// The newest event that could say whose it is.
    pub named: Millis,
    /// First and last Start or update.
    pub told: Option<(Millis, Millis)>,
    /// The Stop that a NAS sent, the latest if there are several.
    pub stop: Option<Millis>,
    /// The end that was inferred, the latest if there are several.
    pub guess: Option<Millis>,
    /// Until when it is known to have gone on though nobody spoke of it: its NAS spoke of others and told no end.
    pub lasted: Option<Millis>,
    /// What was had where `stretches` begin, after older ones were let go.
    pub base: Vec<Held>,
    /// What Starts and updates name, in time order.
    pub stretches: Vec<Stretch>,
    /// What ends name.
    pub at_end: Vec<Name>,
    /// The spans written down so far and still in force.
    pub said: Vec<SessionSpan>,
}

/// Takes an event in. `before` is none for an id never heard of. What must be written down goes to `out`: spans that are new or have changed,
/// and voids where a span that was written down holds no longer. `None` comes out only for an event that neither opens nor ends a session.
pub fn step(before: Option<Known>, row: &RadiusSession, out: &mut Vec<SessionSpan>) -> Option<Known> {
    if !matches!(row.status, START | STOP | INTERIM) {
        return before;
    }
    let mut known = match before {
        Some(known) if row.time <= known.floor || row.start.is_some_and(|start| start < known.floor) => return Some(known),
        Some(known) if known.is_over_before(row) => Known::new(row, known.revision, known.session.end.unwrap_or(row.time)),
        Some(known) => known,
        None => Known::new(row, 0, Millis(i64::MIN)),
    };
    known.revision = known.revision.saturating_add(1);
    known.facts(row);
    known.times(row);
    if row.status == STOP {
        join(&mut known.at_end, &row.names());
    } else {
        known.name(row.time, row.names());
    }
    known.say(out);
    known.let_go();
    // Half a million ended sessions are remembered, and a list of one takes room for four.
    known.said.shrink_to_fit();
    known.stretches.shrink_to_fit();
    known.at_end.shrink_to_fit();
    Some(known)
}

impl Known {
    fn new(row: &RadiusSession, revision: u32, floor: Millis) -> Known {
        let nas = row.nas_identifier.clone().or_else(|| row.nas_address.as_ref().map(Addr16::to_string)).unwrap_or_default();
        let session = Session {
            id: row.session,
            source: row.source,
            realm: row.realm,
            nas,
            start: row.start.unwrap_or(row.time),
            ..Session::default()
        };
        Known {
            session,
            revision,
            floor,
            named: Millis(i64::MIN),
            told: None,
            stop: None,
            guess: None,
            lasted: None,
            base: Vec::new(),
            stretches: Vec::new(),
            at_end: Vec::new(),
            said: Vec::new(),
        }
    }

    /// True for a Start that is later than the end: another login under the same id. A Start of about the same time is the session's own,
    /// late or sent again.
    fn is_over_before(&self, row: &RadiusSession) -> bool {
        row.status == START && self.session.end.is_some_and(|end| row.time > end.plus(SAME_EVENT_MS))
    }

    /// When it ended, and whether that was inferred. An end that a NAS told stands; an inferred one stands until the session is heard of
    /// later.
    pub fn end(&self) -> Option<(Millis, bool)> {
        let guess = self.guess.filter(|guess| self.told.is_none_or(|(_, last)| last <= *guess));
        self.stop.map(|t| (t, false)).or(guess.map(|t| (t, true)))
    }

    /// True when it has ended as far as known.
    pub fn has_ended(&self) -> bool {
        self.session.end.is_some()
    }

    fn facts(&mut self, row: &RadiusSession) {
        let s = &mut self.session;
        // Who it is says the newest event that says it.
        let newer = row.time >= self.named;
        if newer || s.subscriber.is_none() {
            s.subscriber = row.subscriber.or(s.subscriber);
        }
        if newer || s.acct_session_id.is_none() {
            s.acct_session_id = row.acct_session_id.clone().or_else(|| s.acct_session_id.take());
        }
        self.named = self.named.max(row.time);
        let start = row.start.unwrap_or(row.time);
        // A seen Start counts more than a computed one; of two alike the earlier.
        match (row.start_certain == 1, s.start_certain) {
            (true, false) => (s.start, s.start_certain) = (start, true),
            (false, true) => {}
            _ => s.start = s.start.min(start),
        }
    }

    fn times(&mut self, row: &RadiusSession) {
        let later = |old: Option<Millis>| old.max(Some(row.time));
        match (row.status, row.inferred == 1) {
            (STOP, true) => self.guess = later(self.guess),
            (STOP, false) => self.stop = later(self.stop),
            _ => self.told = Some(self.told.map_or((row.time, row.time), |(a, b)| (a.min(row.time), b.max(row.time)))),
        }
        let end = self.end();
        let s = &mut self.session;
        (s.end, s.inferred) = (end.map(|(t, _)| t), end.is_some_and(|(_, inferred)| inferred));
        self.lasted = self.lasted.max(row.lasted);
        // Where an end was inferred nobody spoke of the session.
        s.last_evidence = self.told.map(|(_, last)| last).max(self.stop).max(self.lasted).unwrap_or(s.start);
    }

    /// A Start or an update at `time` names these addresses.
    fn name(&mut self, time: Millis, mut names: Vec<Name>) {
        let at = self.stretches.partition_point(|s| s.first <= time);
        // What was told before the oldest stretch is settled once older ones were let go.
        if names.is_empty() || (at == 0 && !self.base.is_empty()) {
            return;
        }
        let left = at.checked_sub(1).and_then(|i| self.stretches.get(i)).filter(|s| time <= s.last).cloned();
        let Some(left) = left else {
            self.stretches.insert(at, Stretch { first: time, last: time, names });
            return self.tidy();
        };
        if left.names == names {
            return;
        }
        // Something else in the midst of a stretch: it is two. Two events of one moment add up.
        if time == left.first || time == left.last {
            join(&mut names, &left.names);
        }
        let part = |moment: Millis| Stretch { first: moment, last: moment, names: left.names.clone() };
        let mut parts = vec![Stretch { first: time, last: time, names }];
        if left.first < time {
            parts.insert(0, part(left.first));
        }
        if time < left.last {
            parts.push(part(left.last));
        }
        self.stretches.splice(at - 1..at, parts);
        self.tidy();
    }

    /// Stretches that met become one.
    fn tidy(&mut self) {
        self.stretches.dedup_by(|later, earlier| {
            let same = later.names == earlier.names;
            if same {
                earlier.last = earlier.last.max(later.last);
            }
            same
        });
    }

    /// Every span of it, closed and open.
    pub fn spans(&self) -> Vec<SessionSpan> {
        let end = self.session.end;
        let mut out = Vec::new();
        let mut held = self.base.clone();
        for stretch in self.stretches.iter().filter(|s| end.is_none_or(|end| s.first <= end)) {
            self.pass(&mut held, stretch, &mut out);
        }
        let last = self.told.map(|(_, last)| end.map_or(last, |end| last.min(end)));
        for name in &self.at_end {
            if !held.iter().any(|(h, _)| h == name) {
                // Named at the end for the first time: it came at some time after the session was heard of last.
                held.push((*name, last.unwrap_or(self.session.start)));
            }
        }
        out.extend(held.into_iter().map(|(name, since)| self.span(name.prefix, since, end, true)));
        out
    }

    /// What a stretch takes away and adds.
    fn pass(&self, held: &mut Vec<Held>, stretch: &Stretch, out: &mut Vec<SessionSpan>) {
        let replaced = |(old, _): &mut Held| stretch.names.iter().any(|n| n.sort == old.sort) && !stretch.names.contains(old);
        for (old, since) in held.extract_if(.., replaced) {
            out.push(self.span(old.prefix, since, Some(stretch.first), false));
        }
        for name in &stretch.names {
            if !held.iter().any(|(h, _)| h == name) {
                // What the first event names was had from the beginning; what a later one adds, since it was told.
                let later = self.told.is_some_and(|(first, _)| stretch.first > first);
                held.push((*name, if later { stretch.first } else { self.session.start }));
            }
        }
    }

    fn span(&self, prefix: Prefix, since: Millis, until: Option<Millis>, whole: bool) -> SessionSpan {
        let s = &self.session;
        let session = Session {
            end: s.end.filter(|_| whole),
            inferred: s.inferred && whole,
            last_evidence: until.map_or(s.last_evidence, |until| s.last_evidence.min(until)),
            ..s.clone()
        };
        let since = until.map_or(since, |until| since.min(until));
        SessionSpan { session, prefix, since, until, revision: self.revision, void: false }
    }

    /// Writes down what has changed since it was last written down.
    fn say(&mut self, out: &mut Vec<SessionSpan>) {
        if !self.has_ended() && self.stretches.len() < 2 && self.base.is_empty() && self.said.is_empty() {
            return;
        }
        let (closed, open): (Vec<_>, Vec<_>) = self.spans().into_iter().partition(|s| s.until.is_some());
        if self.said.is_empty() {
            // Nearly always this is all that is ever said.
            self.said.extend(closed.iter().map(SessionSpan::without_texts));
            return out.extend(closed);
        }
        let mut prefixes: Vec<Prefix> = closed.iter().chain(&self.said).map(|s| s.prefix).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        for prefix in prefixes {
            let of = |spans: &[SessionSpan]| spans.iter().filter(|s| s.prefix == prefix).cloned().collect::<Vec<_>>();
            let (new, old, held) = (of(&closed), of(&self.said), of(&open));
            if new.len() == old.len() && new.iter().zip(&old).all(|(n, o)| n.says_the_same(o)) {
                continue;
            }
            // What is open again lies in the table and supersedes by itself; what was said stays known until then.
            if new.is_empty() && !held.is_empty() {
                continue;
            }
            let truth: Vec<(Millis, Millis)> = new.iter().chain(&held).map(|s| (s.since, s.until.unwrap_or(Millis(i64::MAX)))).collect();
            for span in &old {
                let until = span.until.unwrap_or(span.since);
                for (since, until) in outside(span.since, until, &truth) {
                    out.push(SessionSpan { since, until: Some(until), revision: self.revision, void: true, ..span.clone() });
                }
            }
            out.extend(new.iter().cloned());
            self.said.retain(|s| s.prefix != prefix);
            self.said.extend(new.iter().map(SessionSpan::without_texts));
        }
    }

    /// Keeps the memory of one session bounded: the oldest stretches are settled.
    fn let_go(&mut self) {
        while self.stretches.len() > STRETCHES_A_SESSION {
            let oldest = self.stretches.remove(0);
            let mut held = std::mem::take(&mut self.base);
            let mut closed = Vec::new();
            self.pass(&mut held, &oldest, &mut closed);
            self.base = held;
            self.said.retain(|s| !closed.iter().any(|c| c.prefix == s.prefix && c.since == s.since && c.until == s.until));
        }
        self.at_end.truncate(NAMES_A_SESSION);
    }

    /// Every prefix it has or had, as far as it is still known.
    pub fn prefixes(&self) -> impl Iterator<Item = Prefix> {
        let stretches = self.stretches.iter().flat_map(|s| &s.names);
        self.base.iter().map(|(n, _)| n).chain(stretches).chain(&self.at_end).map(|n| n.prefix)
    }
}

/// Adds what is not there yet, in order, up to the limit.
fn join(to: &mut Vec<Name>, more: &[Name]) {
    to.extend(more);
    to.sort_unstable();
    to.dedup();
    to.truncate(NAMES_A_SESSION);
}

/// The parts of `since..until` that none of `truth` covers.
fn outside(since: Millis, until: Millis, truth: &[(Millis, Millis)]) -> Vec<(Millis, Millis)> {
    let mut parts = vec![(since, until)];
    for (from, to) in truth {
        parts = parts.into_iter().flat_map(|(a, b)| [(a, b.min(*from)), (a.max(*to), b)]).filter(|(a, b)| a < b).collect();
    }
    parts
}
