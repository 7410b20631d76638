#![no_main]
//! Arbitrary words, texts and sets: crates/record/src/stored/words/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_record::fuzz::record_words(data));
