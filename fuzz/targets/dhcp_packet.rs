#![no_main]
//! Arbitrary bytes as a frame and as a DHCP message: crates/sources/src/dhcp/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::dhcp::fuzz::dhcp_packet(data));
