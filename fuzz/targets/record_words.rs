#![no_main]
//! Arbitrary bytes as the blocks of a sorted table: crates/record/src/stored/table/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_record::fuzz::record_words(data));
