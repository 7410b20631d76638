#![no_main]
//! Arbitrary bytes as the body of an application's events: crates/sources/src/events/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::events::fuzz::events_lines(data));
