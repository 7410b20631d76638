#![no_main]
//! Arbitrary bytes as a keyring: crates/record/src/stored/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_record::fuzz::record_keyring(data));
