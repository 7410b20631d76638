//! `weir verify`: what the judge of data folders (`weir-verify`) found, for people and programs.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use weir_verify::Progress;

use crate::fail::{FAILED, USAGE};
use crate::output;

struct Bar(ProgressBar);

impl Progress for Bar {
    fn stage(&self, what: &'static str) {
        self.0.set_message(what);
    }

    fn bytes_in_all(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn read(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

/// Checks the data folder and tells what was found: exit code 0 when all is good, 1 when something is bad, 2 when this is no data folder.
pub fn run(data: &Path, json: bool) -> ExitCode {
    let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {bytes}/{total_bytes} {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let bar = Bar(bar);
    let report = weir_verify::check(data, &bar);
    bar.0.finish_and_clear();
    let Some(report) = report else {
        eprintln!("weir: {} is not a data folder of weir\n  name the right one with --data", data.display());
        return ExitCode::from(USAGE);
    };
    let shown = if json { output::json(&report.json()) } else { output::text(&report.text()) };
    match shown {
        Err(failure) => {
            eprintln!("weir: {failure}");
            ExitCode::from(FAILED)
        }
        Ok(()) if report.findings.is_good() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(FAILED),
    }
}
