//! What goes on the wire. Written from the standards, sharing nothing with the decoders this program is played into.

pub mod faults;
pub mod flow;
pub mod lines;
pub mod radius;
