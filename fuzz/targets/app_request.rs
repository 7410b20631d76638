#![no_main]
//! Arbitrary bytes as a line on the socket: crates/app/src/socket/fuzz.rs says what must hold.
//!
//! The program is no library, so the files that read a request are taken in by their paths.
#![allow(dead_code)]

#[path = "../../crates/app/src/fail.rs"]
mod fail;
#[path = "../../crates/app/src/limits.rs"]
mod limits;
#[path = "../../crates/app/src/words.rs"]
mod words;
#[path = "../../crates/app/src/socket"]
mod socket {
    pub mod fuzz;
    pub mod protocol;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| socket::fuzz::app_request(data));
