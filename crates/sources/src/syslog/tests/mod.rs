//! Tests of the source as a whole, and of every line in `testdata/`.

mod floor;
mod golden;
mod senders;
mod vendors;
mod whole;
