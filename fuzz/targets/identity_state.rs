#![no_main]
//! Arbitrary bytes as an entry of the desk's state: crates/identity/src/desk/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_identity::desk::fuzz::fuzz_entry(data));
