//! The judge. `docs/simulator.md` says in words what is written here.

use std::collections::HashMap;

use weir_base::net::Addr16;
use weir_base::time::parse_duration_ms;

use super::index::{Holder, TruthIndex};
use super::{Answer, Candidate, Outcome, Question};

/// Offsets up to this join the tolerance; with larger ones the question is translated instead.
const JOINING_OFFSET_MS: i64 = 2_000;
/// Instants are whole milliseconds: an edge may be seen one off.
const MAPPING_SLACK_MS: i64 = 1;
/// Event-Timestamp (RFC 2869 section 5.3) is in whole seconds; so are the times of some firewalls, and the export time an offset is measured by.
const SECONDS_SLACK_MS: i64 = 1_000;
/// What an answer says of a clock whose offset was measured.
const MEASURED: &str = "measured";

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// True and complete.
    Right,
    /// Names somebody who was not the holder, or nobody where there was one.
    Wrong(&'static str),
    /// The program says that it cannot say.
    Unknown,
    /// `several` where truth has one holder, or not all of several.
    Several,
    /// `none` although somebody held it within the tolerance, but not at the moment itself.
    None,
    /// The right inside address, but no subscriber.
    Nameless,
    /// `one`, naming the holder at the moment asked about, although another held it within the tolerance.
    Narrow,
}

/// Somebody who held it within the tolerance, all rows with the same inside taken together.
#[derive(Clone, Copy, Debug)]
struct Identity {
    person: u32,
    inside: Option<Addr16>,
    /// Within the asker's skew for certain.
    must: bool,
    /// Held it at the moment asked about, for certain.
    at_t: bool,
}

/// How a candidate compares with the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    Holder(usize),
    /// The holder's inside address, without a subscriber.
    Nameless(usize),
    /// Was logged in with the holder's inside address within the tolerance.
    Neighbour(u32),
    /// Has an id not seen before, in an answer with others: which of them stands for whom cannot be told yet.
    Unsure,
    Stranger,
}

/// Judges answers; remembers which opaque id stands for whom.
pub struct Judge<'a> {
    index: &'a TruthIndex,
    person_of: HashMap<String, u32>,
    id_of: HashMap<u32, String>,
}

struct Case<'q> {
    question: &'q Question,
    tolerance: i64,
    identities: Vec<Identity>,
}

impl<'a> Judge<'a> {
    /// A judge that knows no ids yet.
    pub fn new(index: &'a TruthIndex) -> Judge<'a> {
        Judge { index, person_of: HashMap::new(), id_of: HashMap::new() }
    }

    /// True for an answer with several holders of which not every id is known yet: which of them stands for whom would be a guess.
    pub fn should_wait(&self, answer: &Answer) -> bool {
        let unknown = |c: &Candidate| c.subscriber.as_ref().is_some_and(|id| !self.person_of.contains_key(id));
        answer.answer == Outcome::Several && answer.candidates.iter().any(unknown)
    }

    /// Judges one answer.
    pub fn judge(&mut self, question: &Question, answer: &Answer) -> Verdict {
        let case = self.case(question, answer);
        match answer.answer {
            Outcome::Unknown => Verdict::Unknown,
            Outcome::None => judge_none(&case),
            Outcome::One => self.judge_one(&case, answer),
            Outcome::Several => self.judge_several(&case, answer),
        }
    }

    fn case<'q>(&self, q: &'q Question, answer: &Answer) -> Case<'q> {
        let skew = answer.skew.as_deref().and_then(|s| parse_duration_ms(s).ok()).unwrap_or(q.skew_ms).min(q.skew_ms.max(0));
        let offsets = || answer.clocks.iter().map(|c| c.offset_ms.saturating_abs());
        let tolerance = skew + offsets().filter(|ms| *ms <= JOINING_OFFSET_MS).max().unwrap_or(0);
        let measured = answer.clocks.iter().any(|c| c.offset_ms != 0 || c.basis == MEASURED);
        let reach = tolerance + SECONDS_SLACK_MS;
        let mut identities: Vec<Identity> = Vec::new();
        for h in self.index.holders(q, q.at.0 - reach, q.at.0 + reach) {
            let edge = if h.inside.is_none() || h.in_seconds { SECONDS_SLACK_MS } else { MAPPING_SLACK_MS };
            let outer = tolerance + if measured { SECONDS_SLACK_MS } else { edge };
            let Some(one) = identity(&h, q.at.0, outer, (skew - edge).max(0), edge) else { continue };
            match identities.iter_mut().find(|i| i.person == one.person && i.inside == one.inside) {
                Some(same) => {
                    same.must |= one.must;
                    same.at_t |= one.at_t;
                }
                None => identities.push(one),
            }
        }
        Case { question: q, tolerance, identities }
    }

    fn judge_one(&mut self, case: &Case<'_>, answer: &Answer) -> Verdict {
        let [candidate] = answer.candidates.as_slice() else { return Verdict::Wrong("one, but not with one candidate") };
        let at = match self.compare(case, candidate, &[]) {
            Match::Holder(at) => at,
            Match::Nameless(at) => {
                let other = case.identities.iter().enumerate().any(|(n, i)| n != at && i.at_t);
                let own = case.identities.get(at).is_some_and(|i| i.at_t);
                return if other && !own { Verdict::Wrong("named an inside address while another held it") } else { Verdict::Nameless };
            }
            Match::Neighbour(_) => return Verdict::Wrong("named a subscriber who had the inside address before or after the holder"),
            Match::Unsure | Match::Stranger => return Verdict::Wrong("named somebody who did not hold it"),
        };
        let Some(named) = case.identities.get(at).copied() else { return Verdict::Wrong("named somebody who did not hold it") };
        let others = || case.identities.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, i)| i);
        if others().any(|i| i.must) {
            return if !named.at_t && others().any(|i| i.at_t) {
                Verdict::Wrong("named the holder before or after while another held it")
            } else {
                Verdict::Narrow
            };
        }
        if case.identities.len() == 1 && !self.learn(candidate, named.person) {
            return Verdict::Wrong("the subscriber id stands for somebody else");
        }
        Verdict::Right
    }

    fn judge_several(&mut self, case: &Case<'_>, answer: &Answer) -> Verdict {
        if case.identities.is_empty() {
            return Verdict::Wrong("named several where nobody held it");
        }
        let matches = self.compare_all(case, &answer.candidates);
        let listed = |n: usize| matches.iter().any(|m| matches!(m, Match::Holder(at) | Match::Nameless(at) if *at == n));
        let missing = |want: fn(&Identity) -> bool| case.identities.iter().enumerate().any(|(n, i)| want(i) && !listed(n));
        if missing(|i| i.at_t) || !(0..case.identities.len()).any(listed) {
            return Verdict::Wrong("several, without the holder");
        }
        let strangers = matches.contains(&Match::Stranger);
        let mut people: Vec<u32> = case.identities.iter().map(|i| i.person).collect();
        people.extend(matches.iter().filter_map(|m| if let Match::Neighbour(person) = m { Some(*person) } else { None }));
        people.sort_unstable();
        people.dedup();
        // Two rows of one person with two inside addresses are two holders as well.
        let holders = case.identities.len().max(people.len());
        if strangers && holders > 1 {
            return Verdict::Wrong("several, with somebody who did not hold it");
        }
        let nameless = matches.iter().any(|m| matches!(m, Match::Nameless(_)));
        let unsure = matches.contains(&Match::Unsure);
        if strangers || unsure || nameless || holders < 2 || missing(|i| i.must) { Verdict::Several } else { Verdict::Right }
    }

    /// Compares all candidates, once it is settled for whom the ids stand that are not known yet.
    fn compare_all(&self, case: &Case<'_>, candidates: &[Candidate]) -> Vec<Match> {
        let named = self.assign(case, candidates);
        let one = |c: &Candidate| match c.subscriber.as_deref() {
            // It fits nobody, or only somebody another id was taken for.
            Some(id) if !self.person_of.contains_key(id) && !named.iter().any(|(other, _)| *other == id) => {
                if named.is_empty() {
                    Match::Stranger
                } else {
                    Match::Unsure
                }
            }
            _ => self.compare(case, c, &named),
        };
        candidates.iter().map(one).collect()
    }

    /// For whom the ids of an answer stand that are not known yet: the id with the fewest possible persons is settled first, and a holder
    /// before a neighbour. An id that is listed with two inside addresses stands for somebody who had both.
    fn assign<'c>(&self, case: &Case<'_>, candidates: &'c [Candidate]) -> Vec<(&'c str, u32)> {
        let mut open: Vec<&str> =
            candidates.iter().filter_map(|c| c.subscriber.as_deref()).filter(|id| !self.person_of.contains_key(*id)).collect();
        open.sort_unstable();
        open.dedup();
        let mut named: Vec<(&str, u32)> = Vec::new();
        // First of all who held it at that moment: an answer is wrong only where no reading of its ids makes it right.
        for holder in case.identities.iter().filter(|i| i.at_t && !self.id_of.contains_key(&i.person)) {
            let options = |id: &str| self.options(case, candidates, &named, id);
            let own = |c: &Candidate, id: &str| c.subscriber.as_deref() == Some(id) && self.is_at(case, c, holder);
            let fits = |id: &str| candidates.iter().any(|c| own(c, id)) && options(id).contains(&holder.person);
            let best = open.iter().enumerate().filter(|(_, id)| fits(id)).min_by_key(|(_, id)| options(id).len()).map(|(at, _)| at);
            if let Some(at) = best {
                named.push((open.remove(at), holder.person));
            }
        }
        while !open.is_empty() {
            let options = |id: &&str| self.options(case, candidates, &named, id);
            let Some((at, chosen)) = open.iter().map(options).enumerate().min_by_key(|(_, o)| (o.is_empty(), o.len())) else {
                break;
            };
            let id = open.remove(at);
            named.extend(chosen.first().map(|person| (id, *person)));
        }
        named
    }

    /// Whom an id that is not known yet may stand for, once some are named.
    fn options(&self, case: &Case<'_>, candidates: &[Candidate], named: &[(&str, u32)], id: &str) -> Vec<u32> {
        let free = |p: &u32| !self.id_of.contains_key(p) && !named.iter().any(|(_, other)| other == p);
        let own = candidates.iter().filter(|c| c.subscriber.as_deref() == Some(id));
        let mut sets = own.map(|c| self.persons(case, c));
        let first = sets.next().unwrap_or_default();
        let rest: Vec<Vec<u32>> = sets.collect();
        first.into_iter().filter(|p| free(p) && rest.iter().all(|set| set.contains(p))).collect()
    }

    /// Whether a candidate is at the inside address of this holder.
    fn is_at(&self, case: &Case<'_>, candidate: &Candidate, holder: &Identity) -> bool {
        let here = self.holders_of(case, candidate);
        here.iter().filter_map(|n| case.identities.get(*n)).any(|i| i.person == holder.person && i.inside == holder.inside)
    }

    /// Whom a candidate may stand for: the holders of its inside address, the one at that moment first, then who was logged in with it.
    fn persons(&self, case: &Case<'_>, candidate: &Candidate) -> Vec<u32> {
        let here = self.holders_of(case, candidate);
        let holders = here.iter().filter_map(|n| case.identities.get(*n)).map(|i| i.person);
        let mut persons: Vec<u32> = holders.chain(here.iter().flat_map(|n| self.neighbours(case, *n))).collect();
        let mut seen = Vec::new();
        persons.retain(|p| {
            let new = !seen.contains(p);
            seen.push(*p);
            new
        });
        persons
    }

    /// The holders with a candidate's inside address and realm, the one at the moment asked about first.
    fn holders_of(&self, case: &Case<'_>, candidate: &Candidate) -> Vec<usize> {
        let address = candidate.inside.as_ref().and_then(|i| i.address.parse::<Addr16>().ok());
        let fits = |i: &Identity| {
            let place = match i.inside {
                Some(inside) => address == Some(inside),
                // A plain address: the candidate may repeat it or leave it out, or name the prefix it lies in.
                None => address.is_none_or(|a| a == case.question.public || covers(a, case.question.public)),
            };
            place && self.index.person(i.person).0 == candidate.realm
        };
        let mut here: Vec<usize> = case.identities.iter().enumerate().filter(|(_, i)| fits(i)).map(|(n, _)| n).collect();
        // Where the id does not tell, the candidate is taken for the holder at that moment rather than for one at the edge.
        here.sort_by_key(|n| case.identities.get(*n).map(|i| (!i.at_t, !i.must)));
        here
    }

    /// Compares one candidate; `named` are the ids of other candidates of the answer and the persons they stand for.
    fn compare(&self, case: &Case<'_>, candidate: &Candidate, named: &[(&str, u32)]) -> Match {
        let here = self.holders_of(case, candidate);
        let Some(first) = here.first().copied() else { return Match::Stranger };
        let Some(id) = candidate.subscriber.as_ref() else { return Match::Nameless(first) };
        let person_at = |n: usize| case.identities.get(n).map(|i| i.person);
        let just_named = named.iter().find(|(other, _)| other == id).map(|(_, person)| *person);
        let guessed = named.iter().any(|(other, _)| !self.person_of.contains_key(*other));
        let stranger = if guessed && !self.person_of.contains_key(id) { Match::Unsure } else { Match::Stranger };
        if let Some(person) = self.person_of.get(id).copied().or(just_named) {
            if let Some(n) = here.iter().copied().find(|n| person_at(*n) == Some(person)) {
                return Match::Holder(n);
            }
            return self.neighbours(case, first).into_iter().find(|p| *p == person).map_or(stranger, Match::Neighbour);
        }
        // An id not seen before stands for somebody who has none yet, a holder first of all.
        let nobody_yet = |person: &u32| !self.id_of.contains_key(person) && !named.iter().any(|(_, other)| other == person);
        if let Some(n) = here.iter().copied().find(|n| person_at(*n).is_some_and(|p| nobody_yet(&p))) {
            return Match::Holder(n);
        }
        self.neighbours(case, first).into_iter().find(nobody_yet).map_or(stranger, Match::Neighbour)
    }

    /// Who was logged in with the inside address of a holder within the tolerance, other than that holder.
    fn neighbours(&self, case: &Case<'_>, n: usize) -> Vec<u32> {
        let Some(identity) = case.identities.get(n) else { return Vec::new() };
        let Some(inside) = identity.inside else { return Vec::new() };
        // An offset may be off by a second, and the end of a session is stated in whole seconds.
        let reach = case.tolerance + 2 * SECONDS_SLACK_MS;
        let (realm, at) = (self.index.person(identity.person).0, case.question.at.0);
        let mut found = self.index.logged_in(realm, inside, at - reach, at + reach);
        found.retain(|p| *p != identity.person);
        found
    }

    /// Keeps the bijection between persons and ids; false if it is broken.
    fn learn(&mut self, candidate: &Candidate, person: u32) -> bool {
        let Some(id) = candidate.subscriber.as_ref() else { return false };
        match (self.person_of.get(id), self.id_of.get(&person)) {
            (None, None) => {
                self.person_of.insert(id.clone(), person);
                self.id_of.insert(person, id.clone());
                true
            }
            (Some(known), Some(known_id)) => *known == person && known_id == id,
            _ => false,
        }
    }
}

/// True if `base` is the first address of the /64 or /56 that `address` lies in.
fn covers(base: Addr16, address: Addr16) -> bool {
    !address.is_v4() && [64, 56].into_iter().any(|bits| weir_base::net::Prefix::new(address, bits).addr == base)
}

/// `outer`: how far from the moment an answer may look. `inner`: how far it has to. `edge`: how exactly a begin or end is known.
fn identity(h: &Holder, at: i64, outer: i64, inner: i64, edge: i64) -> Option<Identity> {
    let within = |reach: i64| h.start <= at.saturating_add(reach) && h.end >= at.saturating_sub(reach);
    within(outer).then(|| Identity {
        person: h.person,
        inside: h.inside,
        must: within(inner),
        at_t: h.start.saturating_add(edge) <= at && at <= h.end.saturating_sub(edge),
    })
}

fn judge_none(case: &Case<'_>) -> Verdict {
    if case.identities.iter().any(|i| i.at_t) {
        Verdict::Wrong("none, although somebody held it")
    } else if case.identities.iter().any(|i| i.must) {
        Verdict::None
    } else {
        Verdict::Right
    }
}
