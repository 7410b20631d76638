//! What every layer of Weir stands on: time, addresses, durable files, threads that are watched, limits, and a
//! few cryptographic helpers. No crate of the workspace is below this one.

pub mod clock;
pub mod crypto;
pub mod disk;
pub mod hash;
pub mod lately;
pub mod limits;
pub mod net;
pub mod sort;
pub mod task;
pub mod time;
