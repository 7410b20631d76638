#![no_main]
//! Arbitrary bytes as entries of the journal and lines of auditd: crates/sources/src/host/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::host::fuzz::host_lines(data));
