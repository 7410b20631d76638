//! From facts to an answer.

use std::rc::Rc;

use weir_base::time::Millis;

use crate::answer::{Answer, Candidate, Outcome};
use crate::clock::{SourceClock, Window};
use crate::facts::{Facts, FactsError, OwnPool, PoolSource, Read};
use crate::inquiry::{Doubt, Inquiry};
use crate::limits::CANDIDATES_MAX;
use crate::mapping::{self, Holder};
use crate::question::Question;
use crate::reason::Code;
use crate::session::{self, Claim};
use crate::words;

/// What was decided, before the notes on clocks and gaps are added.
pub(crate) struct Verdict {
    pub outcome: Outcome,
    pub code: Code,
    pub reason: String,
    pub candidates: Vec<Candidate>,
    pub left: usize,
}

impl Verdict {
    fn bare(outcome: Outcome, code: Code, reason: String) -> Verdict {
        Verdict { outcome, code, reason, candidates: Vec::new(), left: 0 }
    }

    fn with(outcome: Outcome, code: Code, reason: String, list: List) -> Verdict {
        Verdict { outcome, code, reason, candidates: list.shown, left: list.left }
    }
}

/// Candidates up to the limit.
#[derive(Default)]
struct List {
    shown: Vec<Candidate>,
    left: usize,
}

impl List {
    fn push(&mut self, candidate: Candidate) {
        if self.shown.len() < CANDIDATES_MAX {
            self.shown.push(candidate);
        } else {
            self.left += 1;
        }
    }
}

/// Answers a question. `now` is the present moment by our clock.
///
/// # Errors
/// When facts cannot be read: there is no answer then, not even `unknown`.
pub fn answer(question: &Question, facts: &dyn Facts, now: Millis) -> Result<Answer, FactsError> {
    let mut inquiry = Inquiry::new(question, facts);
    let verdict = if question.at > now {
        Verdict::bare(Outcome::Unknown, Code::Future, words::future(question.at, now))
    } else {
        decide(&mut inquiry)?
    };
    let (clocks, gaps, gaps_left) = inquiry.notes();
    let Verdict { outcome, code, reason, candidates, left } = verdict;
    Ok(Answer { outcome, asked: *question, candidates, candidates_left: left, gaps, gaps_left, clocks, code, reason })
}

fn decide(inquiry: &mut Inquiry<'_>) -> Read<Verdict> {
    let question = inquiry.question;
    let pools = inquiry.facts.sources_for(question.public)?;
    let port_needed = || Verdict::bare(Outcome::Several, Code::PortNeeded, words::port_needed());
    if question.port.is_none() && pools.iter().any(|p| p.shared) {
        return Ok(port_needed());
    }
    let found = mapping::find(inquiry, &pools)?;
    if found.part {
        return Ok(port_needed());
    }
    if !found.held.is_empty() {
        return by_mapping(inquiry, &pools, mapping::holders(found.held));
    }
    let claims = session::find(inquiry, None, question.public, Window::of(question))?;
    if !claims.is_empty() {
        return Ok(by_session(question, &claims));
    }
    nobody(inquiry, &pools, found.elsewhere)
}

fn by_mapping(inquiry: &mut Inquiry<'_>, pools: &[PoolSource], holders: Vec<Holder>) -> Read<Verdict> {
    let mut list = List::default();
    let mut claims = Vec::new();
    let mut doubtful: Option<(Doubt, Claim)> = None;
    for holder in &holders {
        if list.shown.len() >= CANDIDATES_MAX {
            list.left += 1;
            continue;
        }
        claims = session::find(inquiry, Some(holder.realm), holder.inside, holder.when)?;
        if claims.is_empty() {
            list.push(mapped(holder, None));
        }
        claims.iter().for_each(|claim| list.push(mapped(holder, Some(claim))));
        doubtful = doubtful.or_else(|| first_in_doubt(&claims).map(|(doubt, claim)| (doubt, claim.clone())));
    }
    // Whoever need not have held it is no holder, and the others are not all there were.
    if let Some(doubtful) = holders.iter().find(|h| !h.certain) {
        let doubt = doubtful.best.doubt.unwrap_or(Doubt::Gap);
        let reason = words::mapping_in_doubt(doubt, &doubtful.best.clock.fact.name, holders.len());
        return Ok(Verdict::with(Outcome::Unknown, doubt.code(), reason, list));
    }
    if holders.len() > 1 {
        if let Some((doubt, claim)) = doubtful {
            let reason = words::holders_in_doubt(doubt, &claim, holders.len());
            return Ok(Verdict::with(Outcome::Unknown, Code::SessionInDoubt, reason, list));
        }
        let code = several_code(inquiry.question, &holders);
        return Ok(Verdict::with(Outcome::Several, code, words::several(inquiry.question, code, &holders), list));
    }
    let Some(holder) = holders.first() else { return nobody(inquiry, pools, false) };
    let nearby = if holder.covers { None } else { Some(others(inquiry, pools, holder)?) };
    if let Some(witnesses) = nearby
        && let Some((doubt, source)) = vacancy(inquiry, &witnesses, false)?
    {
        return Ok(Verdict::with(Outcome::Unknown, doubt.code(), words::only_nearby(doubt, &source), list));
    }
    let source = holder.best.clock.fact.name.clone();
    Ok(match claims.as_slice() {
        [] => Verdict::with(Outcome::One, Code::HolderNoSession, words::no_session(&source, &holder.realm_name), list),
        [claim] => match claim.doubt {
            None => Verdict::with(Outcome::One, Code::Holder, words::holder(&source, claim), list),
            Some(doubt) => Verdict::with(Outcome::Unknown, Code::SessionInDoubt, words::session_in_doubt(doubt, claim, true), list),
        },
        many => match first_in_doubt(many) {
            Some((doubt, claim)) => {
                Verdict::with(Outcome::Unknown, Code::SessionInDoubt, words::sessions_in_doubt(doubt, claim, many.len(), true), list)
            }
            None => Verdict::with(Outcome::Several, Code::Sessions, words::sessions(many.len(), true), list),
        },
    })
}

/// Several sessions are an answer only where each of them held the address: one in doubt need not have.
fn first_in_doubt(claims: &[Claim]) -> Option<(Doubt, &Claim)> {
    claims.iter().find_map(|claim| Some((claim.doubt?, claim)))
}

fn by_session(question: &Question, claims: &[Claim]) -> Verdict {
    let mut list = List::default();
    claims.iter().for_each(|claim| list.push(plain(question, claim)));
    match claims {
        [claim] => match claim.doubt {
            None => Verdict::with(Outcome::One, Code::Holder, words::plain_holder(claim), list),
            Some(doubt) => Verdict::with(Outcome::Unknown, Code::SessionInDoubt, words::session_in_doubt(doubt, claim, false), list),
        },
        many => {
            if let Some((doubt, claim)) = first_in_doubt(many) {
                let reason = words::sessions_in_doubt(doubt, claim, many.len(), false);
                return Verdict::with(Outcome::Unknown, Code::SessionInDoubt, reason, list);
            }
            let realms = many.iter().any(|c| many.first().is_some_and(|first| c.fact.realm != first.fact.realm));
            let (code, reason) =
                if realms { (Code::Realms, words::plain_realms()) } else { (Code::Sessions, words::sessions(many.len(), false)) };
            Verdict::with(Outcome::Several, code, reason, list)
        }
    }
}

/// A source that would have told of a holder.
struct Witness {
    clock: Rc<SourceClock>,
    /// Its first day for the pool.
    since: Millis,
    /// The last it said of the port before the window.
    evidence: Option<Millis>,
}

fn nobody(inquiry: &mut Inquiry<'_>, pools: &[PoolSource], elsewhere: bool) -> Read<Verdict> {
    let (public, mut witnesses) = (inquiry.question.public, Vec::new());
    for pool in pools {
        witnesses.push(pool_witness(inquiry, pool)?);
    }
    let mut lenders: Vec<OwnPool> = inquiry.facts.own_pools()?.into_iter().filter(|own| own.prefix.contains(public)).collect();
    if lenders.is_empty() && witnesses.is_empty() {
        // In no pool, but somebody had it at another time.
        lenders = inquiry.facts.lenders(public)?;
    }
    for own in lenders {
        let clock = inquiry.clock(own.source)?;
        let evidence = inquiry.facts.evidence(own.source, public, None, None, clock.from())?;
        witnesses.push(Witness { clock, since: own.since, evidence });
    }
    if witnesses.is_empty() && !elsewhere {
        return Ok(Verdict::bare(Outcome::None, Code::NotOurs, words::not_ours()));
    }
    let doubt = if witnesses.is_empty() { Some((Doubt::BeforeRecords, String::new())) } else { vacancy(inquiry, &witnesses, elsewhere)? };
    Ok(match doubt {
        Some((doubt, source)) => Verdict::bare(Outcome::Unknown, doubt.code(), words::vacancy_in_doubt(doubt, &source)),
        None if elsewhere => Verdict::bare(Outcome::None, Code::OtherRemote, words::other_remote()),
        None => Verdict::bare(Outcome::None, Code::Unused, words::unused()),
    })
}

fn pool_witness(inquiry: &mut Inquiry<'_>, pool: &PoolSource) -> Read<Witness> {
    let (clock, q) = (inquiry.clock(pool.source)?, inquiry.question);
    let evidence = inquiry.facts.evidence(pool.source, q.public, q.port, q.protocol, clock.from())?;
    Ok(Witness { clock, since: pool.since, evidence })
}

/// Who would have told of another holder than this one: the exporters of the pool, else the holder's own.
fn others(inquiry: &mut Inquiry<'_>, pools: &[PoolSource], holder: &Holder) -> Read<Vec<Witness>> {
    if pools.is_empty() {
        let clock = Rc::clone(&holder.best.clock);
        let since = holder.best.fact.start.unwrap_or(clock.from()).min(clock.from());
        return Ok(vec![Witness { clock, since, evidence: None }]);
    }
    pools.iter().map(|pool| pool_witness(inquiry, pool)).collect()
}

/// None when it is proved that nobody (else) held the port at the moment: each witness lost nothing from its last evidence for the port to
/// the moment, and has spoken later. `whole`: the evidence for the port does not count, only the whole history does.
fn vacancy(inquiry: &mut Inquiry<'_>, witnesses: &[Witness], whole: bool) -> Read<Option<(Doubt, String)>> {
    let (mut worst, mut judged): (Option<(Doubt, String)>, bool) = (None, false);
    for witness in witnesses {
        if witness.since > witness.clock.asked_at() {
            continue;
        }
        judged = true;
        let from = witness.evidence.filter(|_| !whole).unwrap_or(witness.since);
        if let Some(doubt) = inquiry.unbroken(&witness.clock, from)? {
            let new = (doubt, witness.clock.fact.name.clone());
            worst = Some(worst.map_or(new.clone(), |old| old.min(new)));
        }
    }
    let late = || witnesses.first().map(|w| (Doubt::BeforeRecords, w.clock.fact.name.clone()));
    Ok(if judged { worst } else { late() })
}

fn several_code(question: &Question, holders: &[Holder]) -> Code {
    let mut protocols = holders.iter().filter(|h| h.certain).map(|h| h.best.fact.protocol).filter(|p| *p != 0);
    let first = protocols.next();
    if question.protocol.is_none() && protocols.any(|p| Some(p) != first) {
        return Code::Protocols;
    }
    let realm = holders.first().map(|h| h.realm);
    if holders.iter().any(|h| h.certain && Some(h.realm) != realm) {
        return Code::Realms;
    }
    if holders.iter().filter(|h| h.covers).count() > 1 { Code::Remotes } else { Code::PassedOn }
}

fn mapped(holder: &Holder, claim: Option<&Claim>) -> Candidate {
    Candidate {
        realm: holder.realm_name.clone(),
        subscriber: claim.and_then(|c| c.fact.subscriber),
        inside: holder.inside,
        inside_port: holder.best.inside_port(),
        mapping: Some(holder.best.note()),
        session: claim.map(Claim::note),
    }
}

fn plain(question: &Question, claim: &Claim) -> Candidate {
    Candidate {
        realm: claim.fact.realm_name.clone(),
        subscriber: claim.fact.subscriber,
        inside: question.public,
        inside_port: question.port,
        mapping: None,
        session: Some(claim.note()),
    }
}
