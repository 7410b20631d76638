#![no_main]
//! Arbitrary bytes as a stream of syslog and RELP frames: crates/sources/src/syslog/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::syslog::fuzz::syslog_frames(data));
