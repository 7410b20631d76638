#![no_main]
//! Arbitrary bytes as a log line: crates/sources/src/syslog/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::syslog::fuzz::syslog_line(data));
