//! The contract every measure keeps: it says what it is and which clauses it fulfils, it starts and stops, it tells how it is, and it
//! proves itself through its real entrance.
//!
//! The one list of measures is in the binary. Before anything starts the list is checked as a whole: two measures never find out by
//! failing that they want the same port.

pub mod clause;
pub mod describe;
pub mod drill;
pub mod health;
pub mod limits;
mod measure;

pub use clause::{CLAUSES, Clause, clause};
pub use describe::{Description, Problem, Resource, Title, check};
pub use drill::{DrillContext, DrillOutcome, DrillResult};
pub use health::{Change, Health, HealthCell, State};
pub use measure::{Context, Measure, StartError};
