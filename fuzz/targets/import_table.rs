#![no_main]
//! Arbitrary bytes as a table or dump of past sessions: crates/sources/src/import/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::import::fuzz::import_table(data));
