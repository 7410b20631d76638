//! Tests of the unit codec.

mod generate;
mod roundtrip;
