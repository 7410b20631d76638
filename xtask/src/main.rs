//! Development commands of the Weir workspace: `cargo xtask --help`.

mod bench;
mod ci;
mod counts;
mod docs;
mod fuzz;
mod soak;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::{Result, Workspace};

/// Development commands of the Weir workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// What CI runs: format, lints, house rules, build, tests, generated documents, licences.
    Ci,
    /// The house rules of STYLE.md and the layers of ARCHITECTURE.md.
    Tidy {
        /// Also list what is allowed but long: files over the 200 lines we aim at.
        #[arg(long)]
        list: bool,
    },
    /// Writes the generated documents anew.
    Docs {
        /// Compares instead of writing; fails when a document is stale.
        #[arg(long)]
        check: bool,
    },
    /// Runs benchmarks in release mode and writes their sections of docs/performance.md.
    Bench {
        /// Names of benchmarks; none means all.
        names: Vec<String>,
        /// How often each is run; the median counts.
        #[arg(long, default_value_t = 5)]
        runs: u32,
        /// Prints the sections and leaves docs/performance.md alone.
        #[arg(long)]
        dry_run: bool,
        /// Writes a section also where a program was not measured that stands beside ours in it; the section then says which.
        #[arg(long)]
        without_peers: bool,
    },
    /// Counts the instructions of fixed work under callgrind and compares them with crates/bench/counts.txt; needs the development build.
    Counts {
        /// Writes what is counted now down, with this reason beside each step that changed.
        #[arg(long, value_name = "REASON")]
        rebase: Option<String>,
    },
    /// Runs the long suites with their large counts.
    Soak {
        /// Names of suites; none means all.
        names: Vec<String>,
        /// Another count than the suite's own.
        #[arg(long)]
        count: Option<u64>,
    },
    /// Runs fuzz targets (nightly compiler) and keeps what they found.
    Fuzz {
        /// Names of files in fuzz/targets, without `.rs`; none means all.
        targets: Vec<String>,
        /// Stops after this many executions.
        #[arg(long, default_value_t = 10_000_000)]
        runs: u64,
        /// Stops after this many seconds, whichever comes first.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// Leaves fuzz/corpus alone.
        #[arg(long)]
        discard: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::here()?;
    match task {
        Task::Ci => ci::run(&workspace),
        Task::Tidy { list } => tidy::run(&workspace, list),
        Task::Docs { check: true } => docs::check(&workspace),
        Task::Docs { check: false } => docs::write(&workspace),
        Task::Bench { names, runs, dry_run, without_peers } => bench::run(&workspace, &names, &bench::How { runs, dry_run, without_peers }),
        Task::Counts { rebase } => counts::run(&workspace, rebase.as_deref()),
        Task::Soak { names, count } => soak::run(&workspace, &names, count),
        Task::Fuzz { targets, runs, seconds, discard } => fuzz::run(&workspace, &targets, runs, seconds, !discard),
    }
}
