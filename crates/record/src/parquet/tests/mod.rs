//! Tests of the unit codec.

mod damage;
mod generate;
mod golden;
mod pyarrow;
mod roundtrip;
