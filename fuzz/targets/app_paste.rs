#![no_main]
//! Arbitrary bytes as a text that somebody pastes: crates/app/src/desk/paste_fuzz.rs says what must hold.
//!
//! The program is no library, so the files that read it are taken in by their paths.
#![allow(dead_code)]

#[path = "../../crates/app/src/limits.rs"]
mod limits;
#[path = "../../crates/app/src/desk"]
mod desk {
    pub mod paste;
    pub mod paste_fuzz;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| desk::paste_fuzz::app_paste(data));
