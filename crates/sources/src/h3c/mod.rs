//! H3C's binary flow log on UDP: what firewalls and routers with Comware tell of translated flows.
//!
//! ```text
//! datagram ─► message ─► flow ─► collector ─► group ─► sink
//! ```
//!
//! Sources: H3C "Flow log configuration", appendix "Flow message fields" (log header, NAT flow log 3.0); HP "User logging", packet
//! formats 1.0 and 3.0. Version 3.0 of the NAT flow log is decoded. Version 1.0 carries no translated address: its flows are counted and not kept. Of
//! version 5.0 the fields stand in no public document: the operator writes them from the manual of his device ([`layout`]), else its datagrams are
//! refused as `malformed`.
//!
//! [`message`] and `unread` are pure: bytes in, values out. [`collector`] owns what is known of each device and reads no clock; [`server`] owns the
//! sockets.

pub mod collector;
pub mod config;
pub mod fuzz;
pub mod layout;
pub mod limits;
pub mod message;
pub mod reading;
pub mod server;
mod state;
mod unread;

#[cfg(test)]
mod tests;
