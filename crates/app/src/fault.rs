//! What a panic says on the error output: where, never what.
//!
//! The text of a panic may quote what was being read (a slice of text that is cut within a letter is quoted whole), and the error output of a
//! service is a log. The place is enough to find the fault.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{Location, PanicHookInfo};

/// From here on a panic says no more than that.
pub fn install() {
    std::panic::set_hook(Box::new(hook));
}

fn hook(info: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    eprintln!("{}", said(thread.name().unwrap_or("without a name"), info.location()));
    // Names of functions only, and only where RUST_BACKTRACE asks for it.
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        eprintln!("{trace}");
    }
}

fn said(thread: &str, at: Option<&Location<'_>>) -> String {
    let place = at.map_or_else(|| "an unknown place".to_owned(), |at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
    format!("weir: the thread {thread} failed at {place}: report this line; what it was reading is not shown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_said_and_the_thread() {
        let text = said("radius-0", Some(Location::caller()));
        assert!(text.starts_with("weir: the thread radius-0 failed at ") && text.contains("fault.rs:"), "{text}");
        assert!(said("x", None).contains("an unknown place"));
    }
}
