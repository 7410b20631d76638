//! Opaque ids for accounts and caller numbers.
//!
//! A subscriber's id is random. It is found again through a *blind index*: a keyed hash of realm, type and value, from which the value
//! cannot be had back without the key. The value itself goes into a `binding` record and nowhere else; there is no way here from an id to
//! a value.
//!
//! An id is only as durable as the group that first carried its binding, so a binding is repeated until a group with it is confirmed: the
//! program puts the index entries of a group's bindings ([`Identity::puts_for`]) into the same group and confirms them when the group is
//! durable ([`Identity::confirm`]).

pub mod desk;
mod entry;
mod identity;
pub mod limits;

pub use entry::StateError;
pub use identity::Identity;
