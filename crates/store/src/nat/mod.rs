//! NAT: events become mappings, mappings become rows and spans.

pub mod columns;
pub mod event;
pub mod lists;
pub mod mapping;
pub mod number;
pub mod open;
pub mod pack;
pub mod pair;
pub mod publics;
pub mod seal;
pub mod sort;
