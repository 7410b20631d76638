//! IPFIX (RFC 7011) and NetFlow v9 (RFC 3954) for NAT events (RFC 8158).
//!
//! ```text
//! datagram ─► parser ─► sequence ─► template ─► compile ─► decode ─► columns ─► group
//!                          │            │
//!                          gaps         pending (template unknown)
//! ```
//!
//! [`collector`] puts the pure parts together; [`server`] owns the sockets. How to point an exporter here: `docs/sources/ipfix.md`.

mod blocks;
pub mod collector;
pub mod compile;
pub mod config;
pub mod decode;
pub mod elements;
pub mod fuzz;
mod key;
pub mod lane;
pub mod lateness;
pub mod limits;
pub mod natevent;
pub mod normalise;
pub mod offset;
pub mod out;
pub mod parser;
pub mod pending;
pub mod prepared;
pub mod profile;
pub mod sequence;
pub mod server;
pub mod stream;
mod tcp;
pub mod template;
mod times;
mod work;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
