//! Fuzzing: runs one target and keeps the inputs that reached something new.

use std::fs;
use std::path::Path;

use crate::workspace::{Result, Workspace, run as run_command};

/// Most files a target's kept corpus may hold; they are replayed by every `make test`.
pub const CORPUS_FILES_MAX: usize = 600;
/// Largest kept input, in bytes: a datagram.
pub const CORPUS_FILE_BYTES_MAX: u64 = 65_535;

/// Runs every target, or the named ones, one after the other. A finding ends the run.
pub fn run(workspace: &Workspace, names: &[String], runs: u64, seconds: u64, keep: bool) -> Result<()> {
    let known = targets(workspace.root())?;
    for target in if names.is_empty() { &known } else { names } {
        println!("== {target}");
        one(workspace, target, runs, seconds, keep)?;
    }
    Ok(())
}

/// Runs `target` for at most `runs` executions or `seconds`; `keep` merges what is new into `fuzz/corpus/TARGET`.
fn one(workspace: &Workspace, target: &str, runs: u64, seconds: u64, keep: bool) -> Result<()> {
    let known = targets(workspace.root())?;
    if !known.iter().any(|name| name == target) {
        return Err(format!("no fuzz target '{target}'; there are: {}", known.join(", ")));
    }
    let kept = workspace.root().join("fuzz/corpus").join(target);
    let found = workspace.root().join("fuzz/target/found").join(target);
    for folder in [&kept, &found] {
        fs::create_dir_all(folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    }
    // New inputs go to the first folder; the kept corpus is only read until the run has ended well.
    let limits = [format!("-runs={runs}"), format!("-max_total_time={seconds}"), format!("-max_len={CORPUS_FILE_BYTES_MAX}")];
    fuzzer(workspace, target, &found, &kept, &limits)?;
    if keep {
        // By edges alone: how often an edge was passed would keep several times as many inputs.
        fuzzer(workspace, target, &kept, &found, &["-merge=1", "-use_counters=0"].map(str::to_owned))?;
    }
    Ok(())
}

fn fuzzer(workspace: &Workspace, target: &str, first: &Path, second: &Path, options: &[String]) -> Result<()> {
    // No sanitizer of memory: nearly all code here is safe Rust (decision 0017), so a finding is a panic, an overflow, a broken promise, a
    // hang or too much memory. It would only watch the libraries below, at half the speed and with a build of arrow of its own.
    let mut command = workspace.command("cargo", &["+nightly", "fuzz", "run", "--sanitizer", "none", "--fuzz-dir", "fuzz", target]);
    // Instrumented objects stay apart from those of the tests.
    command.args([first, second]).arg("--").args(options).env("CARGO_TARGET_DIR", workspace.root().join("fuzz/target"));
    run_command(command)
}

/// Names of all fuzz targets, sorted.
pub fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/targets");
    let entries = fs::read_dir(&folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}
