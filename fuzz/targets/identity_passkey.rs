#![no_main]
//! Arbitrary bytes as the answer of a browser and its authenticator: crates/identity/src/desk/webauthn/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_identity::desk::webauthn::fuzz::fuzz_answer(data));
