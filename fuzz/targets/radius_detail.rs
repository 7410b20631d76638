#![no_main]
//! Arbitrary bytes as a detail file of an accounting server: crates/sources/src/radius/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::radius::fuzz::radius_detail(data));
