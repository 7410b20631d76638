//! The real program for longer: whole networks judged, killed again and again, a full disk, what its folder gives away, and search over many lines.

#[path = "../program/browser.rs"]
#[expect(dead_code, reason = "shared with the other black-box tests, which use more of it")]
mod browser;
#[path = "../program/common.rs"]
#[expect(dead_code, reason = "shared with the other black-box tests, which use more of it")]
mod common;
mod forum;
mod full;
mod kill;
mod leak;
mod nas;
mod search;
mod syslog;
mod truth;
