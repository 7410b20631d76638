//! RADIUS accounting: login and logout time, account, caller number and address of every session (clause 7.3), and port blocks (8.2).
//!
//! Standards: RFC 2865, 2866, 2869, 3162, 3579, 4818, 5997, 6911, 6929, 8045. What is not implemented stands in `docs/sources/radius.md`.
//!
//! ```text
//! socket ─► parser ─► auth ─► message ─┐
//!                                      ├─► engine (sessions, noise, normalise) ─► Group ─► sink ─► answer
//! detail file ─► detail ─► message ────┘
//! ```
//!
//! - [`parser`], [`message`], [`ports`], [`detail`], [`normalise`], [`sessions`] are pure: bytes or messages in, values out, time passed in.
//! - [`engine`] turns messages into groups; records and the state that knows them are in the same group.
//! - [`server`] owns the sockets. An answer leaves out of the sink's word that a group is durable, and never before.
//! - [`follow`] owns detail files.
//!
//! MD5 exists in [`auth`] only. Accounts and caller numbers are handed to `SubjectIds` and go nowhere else.

pub mod attributes;
pub mod auth;
pub mod clients;
pub mod clock;
pub mod config;
pub mod dedup;
pub mod detail;
pub mod drops;
mod ends;
pub mod engine;
pub mod facts;
pub mod follow;
pub mod fuzz;
pub mod limits;
mod memory;
pub mod message;
pub mod noise;
pub mod normalise;
pub mod parser;
pub mod places;
pub mod ports;
pub mod server;
pub mod sessions;
pub mod state;
pub mod table;
mod wire;

use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::task::Tasks;
use weir_record::sink::{RecordSink, SubjectIds};

/// Starts what `settings` name: the sockets, if any, and the detail inputs. Everything runs under `tasks`.
///
/// # Errors
/// A sentence that says what could not be had and what to do.
pub fn start(
    settings: &config::Settings,
    clients: clients::Clients,
    sink: &Arc<dyn RecordSink>,
    ids: &Arc<dyn SubjectIds>,
    clock: &Arc<dyn Clock>,
    tasks: &Tasks,
) -> Result<Option<server::Server>, String> {
    let server = match settings.listen.as_slice() {
        [] => None,
        _ => Some(server::Server::start(settings, clients, Arc::clone(sink), Arc::clone(ids), Arc::clone(clock), tasks)?),
    };
    follow::start(settings, sink, ids, clock, tasks)?;
    Ok(server)
}

#[cfg(test)]
pub(crate) mod tests;
