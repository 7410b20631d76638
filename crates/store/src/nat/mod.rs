//! NAT: events become mappings, mappings become rows and spans.

pub mod event;
pub mod mapping;
pub mod open;
pub mod pair;
