//! Syslog: RFC 5424 and RFC 3164 over UDP (RFC 5426), TCP (RFC 6587), TLS (RFC 5425) and RELP.
//!
//! ```text
//! datagram ───────────────────┐
//! TCP, TLS ─► frame ──────────┼─► text ─► line ─► dialect ─► meaning ─► records ─► group ─► sink ─► RELP answer
//! RELP ─────► relp ───────────┘              └──► redact ─► maintenance
//! ```
//!
//! Every line is kept: as it came in `maintenance_text`, redacted in `maintenance`. What a dialect understands becomes sign-ins
//! (`authentication`), NAT events, or leases (sessions of a hardware address) besides. How to point a device here: `docs/sources/syslog.md`.
//!
//! [`server`], [`stream`] and [`tls`] own sockets and files, [`hub`] owns the way to the sink. All else is pure: bytes or text in, values
//! out, time passed in.

pub mod act;
mod ahead;
mod classes;
pub mod config;
pub mod dialect;
pub mod doubles;
pub mod engine;
pub mod forms;
pub mod frame;
pub mod fuzz;
pub mod hub;
mod known;
mod labels;
pub mod leases;
pub mod limits;
pub mod line;
pub mod mappings;
pub mod meaning;
pub mod out;
pub mod pairs;
pub mod pattern;
mod recent;
pub mod redact;
pub mod relp;
mod rulefile;
pub mod secrets;
mod sender;
pub mod server;
pub mod stamp;
pub mod stand;
pub mod stream;
pub mod text;
pub mod tls;
pub mod zones;

#[cfg(test)]
mod tests;
