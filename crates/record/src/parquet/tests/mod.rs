//! Tests of the unit codec.

mod damage;
mod generate;
mod pyarrow;
mod roundtrip;
