//! NAT: events become mappings, mappings become rows and spans.

pub mod event;
pub mod mapping;
pub mod number;
pub mod open;
pub mod pack;
pub mod pair;
pub mod seal;
