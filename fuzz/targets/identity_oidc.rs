#![no_main]
//! Arbitrary bytes as the documents and tokens of an OpenID provider: crates/identity/src/desk/oidc/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_identity::desk::oidc::fuzz::fuzz_documents(data));
