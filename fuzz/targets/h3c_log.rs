#![no_main]
//! Arbitrary bytes as datagrams of H3C's flow log: crates/sources/src/h3c/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::h3c::fuzz::h3c_log(data));
