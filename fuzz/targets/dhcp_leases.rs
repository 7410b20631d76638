#![no_main]
//! Arbitrary bytes as a DHCP server's lease file: crates/sources/src/dhcp/fuzz.rs says what must hold.

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_sources::dhcp::fuzz::dhcp_leases(data));
