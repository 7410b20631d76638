//! DHCP leases: which hardware address had which address when (clauses 7.3, 10.3), from the files of the DHCP server itself.
//!
//! ```text
//! Kea: kea-leases4.csv, kea-leases6.csv ─► kea ─────┐
//!                                                   ├─► leases ─► radius_session rows + state ─► group
//! dnsmasq: dnsmasq.leases ─► dnsmasq ───────────────┘
//! ```
//!
//! A lease is a session whose subscriber is a hardware address (or a DUID, or a client id, where there is none). The id is the one that a RADIUS
//! session of the same realm has for the same Calling-Station-Id, so the two meet.
//!
//! [`kea`], [`dnsmasq`] and [`leases`] are pure; [`follow`] owns the files. How to use it: `docs/sources/dhcp.md`.

pub mod config;
pub mod dnsmasq;
pub mod follow;
pub mod fuzz;
pub mod kea;
pub mod leases;
pub mod limits;

#[cfg(test)]
mod tests;
