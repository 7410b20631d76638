//! Measuring programs. Each prints one JSON object a reading on standard output and talks on standard error; `cargo xtask bench` runs them.
//!
//! `weir-bench nat`, `lookup`, `radius` and `syslog` measure `weir-bench serve`, a process of its own: sources and store as they are in
//! `weir`, without SQL, so that a release build takes minutes. `batch` and `start` run `weir` itself, too. `seal`, `verify` and `start` measure one step over a history made beforehand, `batch`, `scale`, `beside` and `growth-…` what comes of size. `weir-bench fold` runs minutes of simulated time through the same code as fast as
//! it goes, in one process: for a profiler, and for bytes on disk.

mod asking;
mod batch;
mod beside;
mod besides;
mod cgroup;
mod columns;
mod corpus;
mod counts;
mod encodings;
mod facts;
mod fold;
mod growing;
mod growth;
mod lines;
mod lookup;
mod memory;
mod mixed;
mod nas;
mod nat;
mod nfcapd;
mod proc;
mod program;
mod radius;
mod records;
mod scale;
mod seal;
mod serve;
mod shared;
mod sources;
mod start;
mod subscribers;
mod syslog;
mod times;
mod verify;
mod weir;

use std::process::ExitCode;

use shared::Outcome;

const USAGE: &str = "weir-bench nat [EVENTS-A-SECOND SECONDS] | remotes | lookup | memory [MEGABYTES…] | mixed | encodings | radius [SECONDS] | syslog [SECONDS] | seal | verify [FOLDER] | start | batch | scale [EVENTS…] | beside | growth-rate [EVENTS-A-SECOND SECONDS] | growth-history | growth-exporters [NUMBER] | growth-open | counts | fold [EVENTS-A-SECOND [SECONDS [FOLDER]]] | serve FOLDER";

fn run(words: &[&str]) -> Outcome<()> {
    match words {
        ["nat"] => nat::run(),
        ["nat", rate, seconds] => nat::at(rate.parse()?, seconds.parse()?),
        ["remotes"] => nat::remotes(),
        ["lookup"] => lookup::run(),
        ["memory", limits @ ..] => memory::run(&limits.iter().map(|limit| limit.parse()).collect::<Result<Vec<u64>, _>>()?),
        ["mixed"] => mixed::run(),
        ["encodings"] => encodings::run(),
        ["radius"] => radius::run(),
        ["radius", seconds] => radius::alone(seconds.parse()?),
        ["syslog"] => syslog::run(),
        ["syslog", seconds] => syslog::alone(seconds.parse()?),
        ["seal"] => seal::run(),
        ["verify"] => verify::run(),
        ["verify", folder] => verify::judge(folder.as_ref()),
        ["fold", rate, seconds, folder] => fold::play(rate.parse()?, seconds.parse()?, folder.as_ref(), None).map(|_| ()),
        ["batch"] => batch::run(),
        ["scale", sizes @ ..] => scale::run(&sizes.iter().map(|size| size.parse()).collect::<Result<Vec<u64>, _>>()?),
        ["beside"] => beside::run(),
        ["growth-rate"] => growth::rate(),
        ["growth-rate", rate, seconds] => growth::at_rate(rate.parse()?, seconds.parse()?),
        ["growth-history"] => growth::history(),
        ["growth-exporters"] => growth::exporters(),
        ["growth-exporters", count] => growth::of_exporters(count.parse()?),
        ["growth-open"] => growth::open(),
        ["growth-open", count] => growth::opened(count.parse()?),
        ["start"] => start::run(),
        ["counts"] => counts::run(),
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
