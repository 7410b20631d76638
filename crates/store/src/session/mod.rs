//! RADIUS events become sessions, sessions become spans by address.

pub mod codec;
pub mod known;
pub mod lent;
pub mod merge;
pub mod rows;
pub mod span;
pub mod table;

#[cfg(test)]
mod tests;
