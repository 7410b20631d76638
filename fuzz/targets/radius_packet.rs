#![no_main]
//! Arbitrary bytes as a RADIUS datagram: crates/sources/src/radius/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::radius::fuzz::radius_packet(data));
