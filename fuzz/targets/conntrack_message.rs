#![no_main]
//! Arbitrary bytes as datagrams of connection tracking: crates/sources/src/conntrack/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::conntrack::fuzz::conntrack_message(data));
