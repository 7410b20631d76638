//! The body of a fuzz target: what must hold for any text in place of what a question is made of. A panic is a finding.

use weir_base::net::Prefix;
use weir_base::time::{Day, Millis, format_duration_ms, parse_duration_ms};

use crate::question::{format_end, parse_end, parse_protocol, protocol_name};

/// Ends, protocols, moments, days, durations and prefixes: what is read can be written, and is then read as the same.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn attribution_words(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match parse_end("--public", text) {
        Ok((address, port)) => assert_eq!(parse_end("--public", &format_end(address, port)), Ok((address, port))),
        // No error has an example of this range, so it could only be repeated.
        Err(problem) => assert!(!text.contains("198.18.") || !problem.to_string().contains("198.18."), "an error repeats an address"),
    }
    if let Ok(protocol) = parse_protocol(text) {
        assert_eq!(parse_protocol(&protocol_name(protocol)), Ok(protocol));
    }
    if let Ok(moment) = text.parse::<Millis>() {
        assert_eq!(moment.to_rfc3339().parse(), Ok(moment));
        assert!(moment.day().start() <= moment && moment < moment.day().end(), "a moment lies in its day");
    }
    if let Ok(day) = text.parse::<Day>() {
        assert_eq!(day.to_string().parse(), Ok(day));
    }
    if let Ok(ms) = parse_duration_ms(text) {
        assert_eq!(parse_duration_ms(&format_duration_ms(ms)), Ok(ms));
    }
    if let Ok(prefix) = text.parse::<Prefix>() {
        assert_eq!(prefix.to_string().parse(), Ok(prefix));
        assert!(prefix.contains(prefix.addr), "a prefix holds its first address");
    }
}
