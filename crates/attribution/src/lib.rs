//! Attribution: public address, port and moment → mapping → session → opaque subscriber id. Clauses 8.2 and 10.3.
//!
//! Pure: facts come through [`Facts`], time is passed in, nothing here does I/O. `docs/answers.md` says what an answer means.
//!
//! What decides:
//! - A mapping is *certain* when both ends were seen and agree; or while it is open, if its exporter lost nothing since its last evidence
//!   and has sent something later than the moment. Nothing else is.
//! - The window is the moment, give or take the asker's skew and the source's clock offset. An offset above two seconds does not widen
//!   it: the moment is translated into the source's time instead.
//! - `none` is a proof too: no loss from the last evidence for the port to the moment.

pub mod answer;
mod clock;
mod decide;
mod explain;
pub mod facts;
pub mod fuzz;
mod inquiry;
mod json;
pub mod limits;
mod mapping;
pub mod question;
pub mod reason;
mod session;
mod words;

pub use answer::{Answer, Candidate, ClockBasis, ClockNote, GapNote, MappingNote, Outcome, SessionNote};
pub use decide::answer;
pub use explain::{explain, summary};
pub use facts::{Facts, FactsError, GapFact, MappingFact, MappingQuery, OwnPool, PoolKnown, PoolSource, Remote, SessionFact, SourceFact};
pub use question::{Question, QuestionError};
pub use reason::Code;

#[cfg(test)]
mod tests;
