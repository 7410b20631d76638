//! An answer.

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Form;

use crate::question::Question;
use crate::reason::Code;

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Exactly one holder.
    One,
    /// Nobody.
    None,
    /// More than one, or an address that many share.
    Several,
    /// It cannot be said.
    Unknown,
}

impl Outcome {
    /// The word in answers and in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::One => "one",
            Outcome::None => "none",
            Outcome::Several => "several",
            Outcome::Unknown => "unknown",
        }
    }

    /// The exit code of the command that asked. 1 is a failure and 2 wrong usage: neither is an answer.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::One => 0,
            Outcome::None => 3,
            Outcome::Several => 4,
            Outcome::Unknown => 5,
        }
    }
}

/// Who it was, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Name of the realm.
    pub realm: String,
    /// Opaque id of the subscriber; none when no session says who it was.
    pub subscriber: Option<Id>,
    /// Inside address; without a NAT the address asked about.
    pub inside: Addr16,
    /// Inside port, where the mapping has one; without a NAT the port asked about.
    pub inside_port: Option<u16>,
    /// The mapping; none without a NAT.
    pub mapping: Option<MappingNote>,
    /// The session; none when none was found.
    pub session: Option<SessionNote>,
}

/// The mapping of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingNote {
    /// What was mapped.
    pub form: Form,
    /// When it began; none when that was not seen.
    pub start: Option<Millis>,
    /// When it ended; none when that was not seen, or while it is open.
    pub end: Option<Millis>,
    /// True when it held the port at the moment for certain.
    pub certain: bool,
    /// Name of the exporter.
    pub source: String,
}

/// The session of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionNote {
    /// Acct-Session-Id, else Weir's id.
    pub id: String,
    /// Weir's id: the key of its records.
    pub record: Id,
    /// When it began, as far as known.
    pub start: Millis,
    /// When it ended; none while it is open.
    pub end: Option<Millis>,
    /// True when its end was inferred.
    pub inferred: bool,
    /// The NAS.
    pub nas: String,
    /// True when it held the address at the moment for certain.
    pub certain: bool,
}

/// A gap that overlaps the window, or that stands between the last evidence and the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapNote {
    /// Id of the gap; none for input that lies here and cannot be read yet.
    pub id: Option<Id>,
    /// Name of the source.
    pub source: String,
    /// Last evidence before the loss, by the source's clock.
    pub start: Millis,
    /// First evidence after the loss, by the source's clock.
    pub end: Millis,
    /// How many are lost; none when unknown.
    pub lost: Option<u64>,
}

/// How the moment was put to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockNote {
    /// Name of the source.
    pub source: String,
    /// The offset that was used, in milliseconds: its clock less ours. 0 where none was measured, or the clock is trusted.
    pub offset_ms: i64,
    /// Where the offset comes from.
    pub basis: ClockBasis,
    /// The moment in the source's time.
    pub asked_at: Millis,
    /// The tolerance either way, in milliseconds.
    pub tolerance_ms: i64,
    /// True when the offset is too large to join the tolerance, so that the moment was translated.
    pub degraded: bool,
}

/// Where a clock's offset comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockBasis {
    /// From the headers the source sent.
    Measured,
    /// The configuration says to trust it.
    Trusted,
    /// It was not measured yet.
    Unmeasured,
}

impl ClockBasis {
    /// The word in answers.
    pub fn name(self) -> &'static str {
        match self {
            ClockBasis::Measured => "measured",
            ClockBasis::Trusted => "trust",
            ClockBasis::Unmeasured => "unmeasured",
        }
    }
}

/// An answer, with all it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it says.
    pub outcome: Outcome,
    /// The question.
    pub asked: Question,
    /// Who it was, or may have been.
    pub candidates: Vec<Candidate>,
    /// Candidates beyond the limit of the list.
    pub candidates_left: usize,
    /// Gaps that matter.
    pub gaps: Vec<GapNote>,
    /// Gaps beyond the limit of the list.
    pub gaps_left: usize,
    /// The sources asked, and in which time.
    pub clocks: Vec<ClockNote>,
    /// Why, as a stable code.
    pub code: Code,
    /// Why, in a sentence for a network engineer. Free of personal data.
    pub reason: String,
}

impl Answer {
    /// The exit code of the command that asked.
    pub fn exit_code(&self) -> u8 {
        self.outcome.exit_code()
    }
}
