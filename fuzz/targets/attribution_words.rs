#![no_main]
//! Arbitrary text as the parts of a question: crates/attribution/src/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_attribution::fuzz::attribution_words(data));
