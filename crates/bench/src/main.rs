//! Measuring programs. Each prints one JSON object a reading on standard output and talks on standard error; `cargo xtask bench` runs them.
//!
//! `weir-bench nat` and `weir-bench lookup` measure `weir-bench serve`, a process of its own: the IPFIX source and the store as they are in
//! `weir`, without SQL, so that a release build takes minutes. `weir-bench fold` runs minutes of simulated time through the same code as fast as
//! it goes, in one process: for a profiler, and for bytes on disk.

mod corpus;
mod fold;
mod lookup;
mod nat;
mod nfcapd;
mod proc;
mod serve;
mod shared;
mod times;
mod weir;

use std::process::ExitCode;

use shared::Outcome;

const USAGE: &str = "weir-bench nat | lookup | fold [EVENTS-A-SECOND [SECONDS]] | serve FOLDER";

fn run(words: &[&str]) -> Outcome<()> {
    match words {
        ["nat"] => nat::run(),
        ["lookup"] => lookup::run(),
        ["fold"] => fold::run(300_000, 60),
        ["fold", rate] => fold::run(rate.parse()?, 60),
        ["fold", rate, seconds] => fold::run(rate.parse()?, seconds.parse()?),
        ["serve", folder] => serve::run(folder.as_ref()),
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("weir-bench: {e}");
            ExitCode::FAILURE
        }
    }
}
