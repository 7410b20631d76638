//! Records: what Weir keeps, and how it is written down.
//!
//! Each kind is one file in [`kinds`] with a field table that is data; canonical bytes, the Parquet schema, masking views and
//! `docs/records.md` come from it. Everything here is bytes in, bytes out: no I/O, no clock.

pub mod canonical;
pub mod column;
pub mod field;
pub mod fuzz;
pub mod gather;
pub mod group;
pub mod kind;
pub mod kinds;
pub mod limits;
mod macros;
pub mod parquet;
pub mod sink;
pub mod spare;
mod sparse;
pub mod stored;
pub mod walbatch;

pub use column::Id;
pub use field::{Class, Field, KeyClass, Retention, Spec, Type};
pub use kind::Kind;
