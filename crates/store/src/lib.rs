//! The store: what is durable, in which order, and how it is found again. All formats it writes are coded in `record` and `seal`; here is
//! only I/O.

pub mod commit;
pub mod keyring;
pub mod limits;
pub mod lock;
pub mod state;
pub mod wal;
