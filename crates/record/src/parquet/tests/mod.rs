//! Tests of the unit codec.

mod damage;
mod encoding;
mod generate;
mod golden;
mod pyarrow;
mod roundtrip;
