#![no_main]
//! Arbitrary text as a dialect file: crates/sources/src/syslog/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::syslog::fuzz::syslog_dialect(data));
