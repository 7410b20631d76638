//! DHCP leases: which hardware address had which address when (clauses 7.3, 10.3), from the files of the DHCP server itself, or from the
//! acknowledgements that pass on an interface.
//!
//! ```text
//! Kea: kea-leases4.csv, kea-leases6.csv ─► kea ─────┐
//! dnsmasq: dnsmasq.leases ─► dnsmasq ───────────────┼─► leases ─► radius_session rows + state ─► group
//! an interface: frames ─► packet ─► message ────────┘
//! ```
//!
//! A lease is a session whose subscriber is a hardware address (or a DUID, or a client id, where there is none). The id is the one that a RADIUS
//! session of the same realm has for the same Calling-Station-Id, so the two meet.
//!
//! [`kea`], [`dnsmasq`], [`packet`], [`message`], [`leases`] and [`told`] are pure; [`follow`] owns the files, [`capture`] the packet sockets; [`book`] is what both
//! hand over. How to use it: `docs/sources/dhcp.md`.

pub mod book;
pub mod capture;
pub mod config;
pub mod dnsmasq;
mod filter;
pub mod follow;
pub mod fuzz;
pub mod kea;
pub mod leases;
pub mod limits;
pub mod message;
pub mod packet;
mod socket;
pub mod told;

#[cfg(test)]
mod tests;
