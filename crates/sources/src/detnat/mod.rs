//! Deterministic NAT: the mapping is computed from dated configuration, so there are no events to record (clauses 8.2, 10.3).
//!
//! - [`algorithm`]: from an inside address to its public ports and back. RFC 7422 sequential, Juniper's block size, one to one. Pure.
//! - [`config`]: the configurations as they are written, each from its moment on.
//! - [`history`]: which configuration counted when. What was ever recorded is kept in the state: look-ups of the past do not depend on what
//!   the file says today.
//!
//! How to use it: `docs/sources/detnat.md`.

pub mod algorithm;
pub mod config;
pub mod history;
pub mod limits;

#[cfg(test)]
mod tests;
