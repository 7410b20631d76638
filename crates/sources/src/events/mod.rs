//! Application events: sign-ins, sign-outs and failed sign-ins that an application tells of its own users, over HTTP.
//!
//! ```text
//! POST /v1/events ─► token ─► body ─► line ─► records ─► group ─► sink ─► durable ─► answer
//!                                       └──► fault ─► malformed, and a sentence in the answer
//! ```
//!
//! One line is one JSON object: time, action, result, account, source address and port (RFC 6302), service. A request is answered once what
//! it brought is durable; a request that comes again with its `Idempotency-Key` gets the same answer and stores nothing. How to point an
//! application here: `docs/sources/events.md`.
//!
//! [`server`] and [`http`] own sockets and run on a small runtime; [`intake`] owns the way to the sink. All else is pure: bytes in, values
//! out, time passed in.

pub mod answer;
pub mod body;
pub mod config;
pub mod fuzz;
pub mod http;
pub mod intake;
pub mod keys;
pub mod limits;
pub mod line;
pub mod server;
pub mod stray;
pub mod token;

#[cfg(test)]
mod tests;
