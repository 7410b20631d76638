#![no_main]
//! Arbitrary bytes as a page map or a file of sealed rows: crates/record/src/parquet/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_record::fuzz::record_map(data));
