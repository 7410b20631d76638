#![no_main]
//! Arbitrary bytes as a page of sealed rows: crates/record/src/parquet/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_record::fuzz::record_page(data));
