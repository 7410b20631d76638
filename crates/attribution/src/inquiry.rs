//! One question under way: the clocks it was put to, the gaps it met, and the two proofs everything rests on: nothing was lost, and the
//! source spoke later.

use std::collections::BTreeMap;
use std::rc::Rc;

use weir_base::time::Millis;

use crate::answer::{ClockNote, GapNote};
use crate::clock::{SourceClock, Window};
use crate::facts::{Facts, Read};
use crate::limits::{EXPORT_WAIT_MS, GAPS_MAX, OFFSET_ERROR_MS, OFFSET_JOINS_MS};
use crate::question::Question;
use crate::reason::Code;

/// Why something is not certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doubt {
    EndsDiffer,
    StartLost,
    EndLost,
    Gap,
    Unread,
    Silent,
    BeforeRecords,
}

impl Doubt {
    pub fn code(self) -> Code {
        match self {
            Doubt::EndsDiffer => Code::EndsDiffer,
            Doubt::StartLost => Code::StartLost,
            Doubt::EndLost => Code::EndLost,
            Doubt::Gap => Code::Gap,
            Doubt::Unread => Code::Unread,
            Doubt::Silent => Code::Silent,
            Doubt::BeforeRecords => Code::BeforeRecords,
        }
    }
}

/// A span of time, both ends included.
pub(crate) type Span = (Millis, Millis);

pub(crate) struct Inquiry<'a> {
    pub question: &'a Question,
    pub facts: &'a dyn Facts,
    known: BTreeMap<u32, Rc<SourceClock>>,
    asked: Vec<u32>,
    gaps: Vec<GapNote>,
    gaps_left: usize,
}

impl<'a> Inquiry<'a> {
    pub fn new(question: &'a Question, facts: &'a dyn Facts) -> Inquiry<'a> {
        Inquiry { question, facts, known: BTreeMap::new(), asked: Vec::new(), gaps: Vec::new(), gaps_left: 0 }
    }

    /// A source's clock, without naming it in the answer.
    pub fn peek(&mut self, source: u32) -> Read<Rc<SourceClock>> {
        if let Some(clock) = self.known.get(&source) {
            return Ok(Rc::clone(clock));
        }
        let fact = self.facts.source(source, self.question.at)?;
        let clock = Rc::new(SourceClock::new(source, fact, self.question));
        self.known.insert(source, Rc::clone(&clock));
        Ok(clock)
    }

    /// A source's clock; the answer names it, and the gaps of it that touch the window.
    pub fn clock(&mut self, source: u32) -> Read<Rc<SourceClock>> {
        let clock = self.peek(source)?;
        if !self.asked.contains(&source) {
            self.asked.push(source);
            self.losses(&clock, clock.from(), clock.to())?;
        }
        Ok(clock)
    }

    /// The window in the time of every source whose offset joins the tolerance.
    pub fn common_window(&self, window: Window) -> Span {
        let reach = OFFSET_JOINS_MS + OFFSET_ERROR_MS;
        (window.from.plus(-reach), window.to.plus(reach))
    }

    /// What the source may have lost in `from..=to` of its time. The gaps found are named in the answer.
    pub fn losses(&mut self, clock: &SourceClock, from: Millis, to: Millis) -> Read<Option<Doubt>> {
        if from > to {
            return Ok(None);
        }
        let (last, mut doubt) = (to.plus(EXPORT_WAIT_MS), None);
        for gap in self.facts.gaps(clock.number, from, last)? {
            if gap.lost == Some(0) || gap.end < from || gap.start > last {
                continue;
            }
            doubt = Some(Doubt::Gap);
            let source = clock.fact.name.clone();
            self.name_gap(GapNote { id: Some(gap.id), source, start: gap.start, end: gap.end, lost: gap.lost });
        }
        if let Some(since) = self.facts.unseen(clock.number)?.filter(|t| *t <= last) {
            doubt = doubt.or(Some(Doubt::Unread));
            let end = clock.fact.last_header.unwrap_or(last).max(since);
            self.name_gap(GapNote { id: None, source: clock.fact.name.clone(), start: since, end, lost: None });
        }
        Ok(doubt)
    }

    /// As [`Inquiry::losses`] up to the end of the window, and then whether the source has sent something later.
    pub fn unbroken(&mut self, clock: &SourceClock, from: Millis) -> Read<Option<Doubt>> {
        let lost = self.losses(clock, from, clock.to())?;
        Ok(lost.or((!clock.spoke_later()).then_some(Doubt::Silent)))
    }

    fn name_gap(&mut self, gap: GapNote) {
        if self.gaps.contains(&gap) {
            return;
        }
        if self.gaps.len() < GAPS_MAX {
            self.gaps.push(gap);
        } else {
            self.gaps_left += 1;
        }
    }

    /// What the answer says of clocks and gaps.
    pub fn notes(self) -> (Vec<ClockNote>, Vec<GapNote>, usize) {
        let mut gaps = self.gaps;
        gaps.sort_by(|a, b| (a.start, a.end, &a.source, a.id).cmp(&(b.start, b.end, &b.source, b.id)));
        let clocks = self.asked.iter().filter_map(|source| self.known.get(source)).map(|clock| clock.note(self.question)).collect();
        (clocks, gaps, self.gaps_left)
    }
}
