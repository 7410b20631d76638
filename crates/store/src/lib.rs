//! The store: what is durable, in which order, and how it is found again. All formats it writes are coded in `record` and `seal`; here is
//! only I/O.

pub mod catalog;
pub mod commit;
pub mod days;
pub mod engine;
pub mod fence;
pub mod gaps;
pub mod index;
pub mod keyring;
pub mod limits;
pub mod live;
pub mod lock;
pub mod manifest;
pub mod many;
pub mod nat;
pub mod registry;
pub mod session;
pub mod shelf;
pub(crate) mod side;
pub mod snapshot;
pub mod spankey;
pub mod state;
pub mod table;
pub mod unit;
pub mod wal;
pub mod words;
