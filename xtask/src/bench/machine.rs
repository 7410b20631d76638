//! The machine a benchmark ran on, in one sentence.

use std::fs;

use crate::workspace::{Result, Workspace, output};

/// Lists what is changed of what is measured. Documents are left out: the page and the charts are written by the benchmarks themselves.
const CHANGED: &[&str] = &["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"];

/// Processor, memory, kernel, what the folders lie on, compiler, build profile and commit, as a sentence.
pub fn describe(workspace: &Workspace, profile: &str) -> Result<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rustc = output(workspace.command("rustc", &["--version"]))?;
    let commit = match output(workspace.command("git", &["describe", "--always"])) {
        Ok(name) => commit(&name, &output(workspace.command("git", CHANGED))?),
        Err(_) => "unknown".to_owned(),
    };
    let folder = std::env::temp_dir();
    let folder = folder.to_str().unwrap_or("/tmp");
    let lies = output(workspace.command("findmnt", &["--noheadings", "--output", "FSTYPE", "--target", folder])).unwrap_or_default();
    let build = format!("{}, {profile} profile", rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    let kernel = format!("Linux {}, folders on {}", read("/proc/sys/kernel/osrelease").trim(), last_word(&lies));
    Ok(sentence(&read("/proc/cpuinfo"), &read("/proc/meminfo"), &kernel, cores, &build, &commit))
}

/// Where one thing is mounted over another, the last is what counts.
fn last_word(lies: &str) -> &str {
    lies.split_whitespace().last().unwrap_or("something unknown")
}

fn sentence(cpuinfo: &str, meminfo: &str, kernel: &str, cores: usize, build: &str, commit: &str) -> String {
    let model = value_of(cpuinfo, "model name").unwrap_or("unknown processor");
    let kibibytes: f64 = value_of(meminfo, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0.0);
    let gibibytes = kibibytes / 1_048_576.0;
    format!("Machine: {model}, {cores} cores, {gibibytes:.0} GiB of memory, {kernel}, {build}, commit {commit}.")
}

/// The commit's name, and whether something was changed since: then `changed` lists it.
fn commit(name: &str, changed: &str) -> String {
    let dirty = if changed.trim().is_empty() { "" } else { "-dirty" };
    format!("{}{dirty}", name.trim())
}

fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_every_part() {
        let cpu = "processor\t: 0\nmodel name\t: Example 9000\n\nprocessor\t: 1\nmodel name\t: Example 9000\n";
        let text = sentence(cpu, "MemTotal:       24000000 kB\n", "Linux 6.1.0", 2, "rustc 1.95.0, dev profile", "v1-2-gabc");
        assert_eq!(text, "Machine: Example 9000, 2 cores, 23 GiB of memory, Linux 6.1.0, rustc 1.95.0, dev profile, commit v1-2-gabc.");
        assert_eq!((last_word("ext4\nxfs\n"), last_word("")), ("xfs", "something unknown"));
        assert!(sentence("", "", "", 0, "", "").contains("unknown processor"));
    }

    #[test]
    fn a_commit_is_dirty_where_something_is_changed_that_is_measured() {
        assert_eq!(commit("v1-2-gabc\n", ""), "v1-2-gabc");
        assert_eq!(commit("v1-2-gabc\n", " M crates/store/src/lib.rs\n"), "v1-2-gabc-dirty");
        // What the benchmarks write themselves is not asked about.
        assert_eq!(CHANGED.last(), Some(&":!docs"));
    }
}
