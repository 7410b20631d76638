#![no_main]
//! Arbitrary bytes as a note of the log: crates/seal/src/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_seal::fuzz::fuzz_note(data));
