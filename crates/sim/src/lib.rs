//! A small network in a program: subscribers log in, a NAS says so over RADIUS, NATs say over IPFIX and NetFlow v9 who got which public
//! address and port, or in log lines, and a forum tells who signed in. All of it goes into real sockets, and what was true is written down, so that the answers of a collector can be
//! judged. Encoders here are written from the standards and share nothing with the decoders they talk to.
//!
//! ```no_run
//! # fn main() -> Result<(), weir_sim::SimError> {
//! let mut plan = weir_sim::Plan::new(weir_sim::Profile::Isp, 42);
//! plan.targets.ipfix = Some(([127, 0, 0, 1], 4739).into());
//! plan.truth = Some("truth.ndjson".into());
//! let clock = weir_base::clock::SystemClock::new();
//! let played = weir_sim::play(&plan, &clock, &weir_base::task::Stop::new(), |_| ())?;
//! println!("{} events", played.tally.events);
//! # Ok(())
//! # }
//! ```

pub mod check;
pub mod error;
pub mod forum;
pub mod limits;
pub mod network;
pub mod plan;
pub mod play;
pub mod rng;
pub mod truth;
pub mod wire;
pub mod world;

pub use check::{Answer, Asker, CheckOptions, Question, QuestionKind, Report, check};
pub use error::SimError;
pub use forum::{ForumPlan, ForumPlayed, ForumReport, ForumTruth, play_forum};
pub use network::Network;
pub use plan::{Faults, HeaderTime, Mode, Plan, Profile, Targets};
pub use play::{Played, RadiusCounts, Wire, play, play_into};
