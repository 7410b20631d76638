#![no_main]
//! Arbitrary bytes as a group of the write-ahead log: crates/record/src/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_record::fuzz::record_group(data));
