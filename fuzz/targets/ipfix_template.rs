#![no_main]
//! Arbitrary bytes as a template: crates/sources/src/ipfix/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::ipfix::fuzz::ipfix_template(data));
