//! What FlowSequence counts, found out from the numbers themselves. Pure.
//!
//! H3C's reference says that it counts log packets; NetFlow v5, whose header it resembles, counts flows in a field of the same name. The numbers tell
//! the two apart as soon as a datagram holds more than one flow: where flows are counted, the next number is never less than that many
//! further, so a smaller step proves that packets are counted. A step of just as many is what flows would give, and what lost packets
//! could give too: only several of them decide. Until then both are followed and no gap is written, so that nothing lost is forgotten
//! and nothing is called lost that was not.

use weir_base::time::Millis;
use weir_record::Id;

use super::limits::{FLOW_STEPS, UNDECIDED};
use crate::ipfix::sequence::{Arrived, Counting, GapNote, Saved, Sequence, Units, Verdict};

/// The numbers of one device.
#[derive(Debug)]
pub struct Reading {
    packets: Sequence,
    flows: Sequence,
    chosen: Option<Counting>,
    /// True where it is not configured.
    open: bool,
    /// Number and flows of the datagram before.
    last: Option<(u32, u32)>,
    /// Steps of just as many as there were flows, and all that could have decided.
    flow_steps: u32,
    steps: u32,
    /// True when the two may differ about what is lost.
    differs: bool,
}

/// What must survive a restart of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// What was found out; none when nothing was.
    pub chosen: Option<Counting>,
    /// The tracker of it, or of packets.
    pub saved: Saved,
    /// The next number by flows, while nothing is found out.
    pub flows_next: Option<u32>,
}

impl Reading {
    /// `configured`: what the numbers count; none: find it out.
    pub fn new(configured: Option<Counting>) -> Reading {
        Reading {
            packets: Sequence::new(configured.unwrap_or(Counting::Messages)),
            flows: Sequence::new(Counting::Records),
            chosen: configured,
            open: configured.is_none(),
            last: None,
            flow_steps: 0,
            steps: 0,
            differs: false,
        }
    }

    fn by_flows(&self) -> bool {
        self.chosen == Some(Counting::Records)
    }

    /// What counts now: packets while nothing is found out.
    pub fn sequence(&self) -> &Sequence {
        if self.by_flows() { &self.flows } else { &self.packets }
    }

    /// What is counted: the unit of gaps.
    pub fn unit(&self) -> &'static str {
        if self.by_flows() { "records" } else { "packets" }
    }

    /// True if this number follows on, whatever is counted.
    pub fn expects(&self, sequence: u32) -> bool {
        match self.chosen {
            Some(Counting::Records) => self.flows.expects(sequence),
            Some(_) => self.packets.expects(sequence),
            None => self.packets.expects(sequence) || self.flows.expects(sequence),
        }
    }

    /// As [`Sequence::judge`].
    pub fn judge(&mut self, m: Arrived) -> Verdict {
        let verdicts = match self.chosen {
            Some(Counting::Records) => [self.flows.judge(m); 2],
            Some(_) => [self.packets.judge(m); 2],
            None => [self.packets.judge(m), self.flows.judge(m)],
        };
        match verdicts {
            [Verdict::Duplicate, _] | [_, Verdict::Duplicate] => Verdict::Duplicate,
            [Verdict::Restarted, Verdict::Restarted] => Verdict::Restarted,
            _ => Verdict::Take,
        }
    }

    /// As [`Sequence::took`]: the datagram with this number had so many flows.
    pub fn took(&mut self, m: Arrived, flows: u32) {
        if self.chosen.is_none() || !self.by_flows() {
            self.packets.took(Units::exact(1));
        }
        if self.chosen.is_none() || self.by_flows() {
            self.flows.took(Units::exact(flows));
        }
        self.differs |= flows != 1;
        let last = self.last.replace((m.sequence, flows));
        if let Some((before, flows)) = last.filter(|(_, flows)| self.open && *flows > 1) {
            self.step(m, i64::from(m.sequence.wrapping_sub(before) as i32), i64::from(flows));
        }
    }

    fn step(&mut self, m: Arrived, step: i64, flows: i64) {
        if (1..flows).contains(&step) {
            if self.by_flows() {
                // What flows said was wrong: counting begins anew here.
                self.packets = Sequence::new(Counting::Messages);
                self.packets.restore(&Saved { lost: self.flows.lost(), ..Saved::default() });
                self.packets.judge(m);
                self.packets.took(Units::exact(1));
            }
            (self.chosen, self.open) = (Some(Counting::Messages), false);
            return;
        }
        self.steps += 1;
        self.flow_steps += u32::from(step == flows);
        if self.chosen.is_none() {
            let flows = (self.flow_steps >= FLOW_STEPS).then_some(Counting::Records);
            // Nothing but losses and disorder: as the reference says, until the numbers say otherwise.
            self.chosen = flows.or((self.steps >= UNDECIDED).then_some(Counting::Messages));
        }
    }

    /// True if a gap waits to be written.
    pub fn is_dirty(&self) -> bool {
        self.sequence().is_dirty()
    }

    /// True if something is known to be lost, or may be, and no gap record says so yet.
    pub fn has_unwritten_gap(&self) -> bool {
        self.sequence().has_unwritten_gap() || (self.chosen.is_none() && self.flows.has_unwritten_gap())
    }

    /// As [`Sequence::mark`].
    pub fn mark(&mut self, start: i64, end: i64, reason: &'static str) {
        if self.by_flows() { &mut self.flows } else { &mut self.packets }.mark(start, end, reason);
    }

    /// As [`Sequence::flush`]. While nothing is found out, what is lost is written only where both say the same, or with `force` and then in
    /// unknown number.
    pub fn flush(&mut self, now: Millis, force: bool, mut new_id: impl FnMut() -> Id) -> Vec<GapNote> {
        match self.chosen {
            Some(Counting::Records) => self.flows.flush(now, force, new_id),
            Some(_) => self.packets.flush(now, force, new_id),
            None if self.differs && !force => Vec::new(),
            None => {
                // Told by the packets, so that flows need not tell it again.
                self.flows.flush(now, force, &mut new_id);
                let mut notes = self.packets.flush(now, force, new_id);
                notes.iter_mut().filter(|_| self.differs).for_each(|n| n.lost = None);
                notes
            }
        }
    }

    /// What must survive a restart of ours.
    pub fn kept(&self) -> Kept {
        let chosen = self.chosen;
        Kept { chosen, saved: self.sequence().saved(), flows_next: self.flows.saved().next.filter(|_| self.chosen.is_none()) }
    }

    /// Goes on where an earlier run left off. What is configured counts more than what was found out.
    pub fn restore(&mut self, kept: &Kept) {
        if self.open {
            self.chosen = kept.chosen;
            self.differs = kept.chosen.is_none() && kept.flows_next.is_some_and(|n| Some(n) != kept.saved.next);
            self.packets.restore(&kept.saved);
            self.flows.restore(&Saved { next: kept.flows_next.or(kept.saved.next), ..kept.saved.clone() });
            return;
        }
        if self.by_flows() { &mut self.flows } else { &mut self.packets }.restore(&kept.saved);
    }
}
