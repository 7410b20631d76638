//! Opaque ids for accounts and caller numbers.
//!
//! A subscriber's id is random. It is found again through a *blind index*: a keyed hash of realm, type and value, from which the value
//! cannot be had back without the key. The value itself goes into a `binding` record and nowhere else; there is no way here from an id to
//! a value.
//!
//! An id is only as durable as the group that first carried its binding, so a binding is repeated until a group with it is confirmed.
//! [`IdentitySink`] does that for every source: it puts the index entries of a group's bindings into the same group and confirms them when
//! the group is durable.

mod entry;
mod identity;
pub mod limits;
mod sink;

pub use entry::StateError;
pub use identity::Identity;
pub use sink::{Entries, IdentitySink, STATE_PREFIX, attach, detach};
