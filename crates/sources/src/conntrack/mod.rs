//! Linux connection tracking: the NAT mappings of the machine Weir runs on (clauses 8.2, 10.3), straight from the kernel.
//!
//! ```text
//! netlink socket ─► netlink ─► message ─► table ─► nat_event rows + state ─► group
//!      dump ────────────────────────────────┘  (reconciles: what was found, what is gone)
//! ```
//!
//! - [`netlink`], [`message`], [`table`] are pure: bytes or messages in, values out, time passed in.
//! - [`watch`] owns the sockets of one network namespace, on a thread of its own.
//! - [`kernel`] says what the kernel's settings lack.
//!
//! Formats: linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nfnetlink_conntrack.h. What is kept of a connection: the inside
//! end, the public end, when it began and ended; the remote end only with a policy. How to use it: `docs/sources/conntrack.md`.

pub mod config;
pub mod fuzz;
pub mod kernel;
pub mod limits;
pub mod message;
pub mod netlink;
pub(crate) mod socket;
pub mod table;
pub mod watch;

#[cfg(test)]
mod tests;
