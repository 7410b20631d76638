//! RADIUS events become sessions, sessions become spans by address.

pub mod span;
pub mod table;
