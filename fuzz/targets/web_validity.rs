#![no_main]
//! Arbitrary bytes as a certificate whose validity is read: crates/web/src/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_web::fuzz::fuzz_validity(data));
