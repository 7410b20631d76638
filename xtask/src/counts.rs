//! Instructions of fixed work, counted by callgrind in the build that CI makes anyway, and compared with what is written down: a step that became
//! dearer by more than 2 % fails until somebody writes a reason beside it, and so does one that became cheaper: what was gained and is not written
//! down could be lost again unseen. The same work counts nearly the same on every machine, whatever else runs there; no time is judged.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::workspace::{Result, Workspace, output};

/// Where the counts are written down.
const FILE: &str = "crates/bench/counts.txt";
/// What is run, in the folder of the development build.
const PROGRAM: &str = "debug/weir-bench";
/// Functions of these names are counted, and after each a file is written. Of one pattern for both callgrind takes the first alone.
const COUNTED: &str = "*counts::counted_*";
const WRITTEN_AFTER: &str = "weir_bench::counts::counted_*";
/// How much dearer or cheaper a step may become, in per mille; tables with random keys are not the same in every run.
const TOLERANCE: u64 = 20;

/// A step: its name, its instructions, and why it is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    name: String,
    instructions: u64,
    reason: String,
}

/// What is written down: with which tools it was counted, and the steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    tools: String,
    steps: Vec<Step>,
}

/// Counts and compares, or writes down with a reason. The development build must be there.
pub fn run(workspace: &Workspace, rebase: Option<&str>) -> Result<()> {
    let program = workspace.target().join(PROGRAM);
    if !program.is_file() {
        return Err(format!("{} is not there: run `cargo build --workspace --all-targets` first", program.display()));
    }
    let version = output(workspace.command("valgrind", &["--version"])).map_err(|e| format!("{e}: run `make deps`"))?;
    let compiler = output(workspace.command("rustc", &["--version"]))?;
    let compiler = compiler.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let now = Counts { tools: format!("{compiler}, {}", version.trim()), steps: count(workspace, &program)? };
    let known = workspace.read(FILE).ok().map(|text| read(&text)).unwrap_or_default();
    if let Some(reason) = rebase {
        return workspace.write(FILE, &written(&rebased(&known, now, reason)));
    }
    let (lines, problems) = compared(&known, &now);
    println!("{}", lines.join("\n"));
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn count(workspace: &Workspace, program: &Path) -> Result<Vec<Step>> {
    let folder = workspace.target().join("counts");
    // What an earlier run left would be read as this one's.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let out = format!("--callgrind-out-file={}/out", folder.display());
    let (toggle, dump) = (format!("--toggle-collect={COUNTED}"), format!("--dump-after={WRITTEN_AFTER}"));
    let mut command = workspace.command("valgrind", &["-q", "--tool=callgrind", &out, &toggle, &dump]);
    command.arg(program).arg("counts");
    output(command)?;
    let mut steps = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?.flatten() {
        let text = fs::read_to_string(entry.path()).map_err(|e| format!("cannot read {}: {e}", entry.path().display()))?;
        steps.extend(step(&text));
    }
    if steps.is_empty() {
        return Err(format!("callgrind counted nothing in {}", program.display()));
    }
    steps.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(steps)
}

/// The step of one file of callgrind's: the function after which it was written, and the instructions until then.
fn step(text: &str) -> Option<Step> {
    let trigger = text.lines().find_map(|line| line.strip_prefix("desc: Trigger: "))?;
    let (_, name) = trigger.split_once("counts::counted_")?;
    let name: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let instructions = text.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()?;
    Some(Step { name, instructions, reason: String::new() })
}

fn read(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        if let Some(tools) = line.strip_prefix("# with ") {
            tools.clone_into(&mut counts.tools);
        } else if let [name, instructions, reason] = line.splitn(3, ' ').collect::<Vec<_>>()[..]
            && let Ok(instructions) = instructions.parse()
        {
            counts.steps.push(Step { name: name.to_owned(), instructions, reason: reason.to_owned() });
        }
    }
    counts
}

fn written(counts: &Counts) -> String {
    let mut text = "# Instructions of fixed work in the development build: step, count, why it is not what it was before. Written by\n\
                    # `cargo xtask counts --rebase REASON`, compared by `cargo xtask counts`.\n"
        .to_owned();
    // Writing to a string does not fail.
    let _ = writeln!(text, "# with {}", counts.tools);
    for Step { name, instructions, reason } in &counts.steps {
        let _ = writeln!(text, "{name} {instructions} {reason}");
    }
    text
}

/// What was counted now, the reason beside each step that is new or no longer the same.
fn rebased(known: &Counts, mut now: Counts, reason: &str) -> Counts {
    for step in &mut now.steps {
        let before = known.steps.iter().find(|k| k.name == step.name && known.tools == now.tools);
        match before.filter(|k| k.instructions.abs_diff(step.instructions) * 1_000 <= k.instructions * TOLERANCE) {
            Some(same) => *step = same.clone(),
            None => reason.replace('\n', " ").clone_into(&mut step.reason),
        }
    }
    now
}

/// A line a step, and what is wrong.
fn compared(known: &Counts, now: &Counts) -> (Vec<String>, Vec<String>) {
    let how = "`cargo xtask counts --rebase REASON` writes it down";
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    if known.tools != now.tools {
        problems.push(format!("counted with {}, and what is written down with {:?}: {how}", now.tools, known.tools));
    }
    for Step { name, instructions, .. } in &now.steps {
        let Some(before) = known.steps.iter().find(|k| k.name == *name) else {
            problems.push(format!("{name}: {instructions} instructions are not written down: {how}"));
            continue;
        };
        let percent = (*instructions as f64 / before.instructions.max(1) as f64 - 1.0) * 100.0;
        lines.push(format!("{name:<14}{instructions:>14} instructions, {percent:+.1} % of {}", before.instructions));
        if instructions.saturating_sub(before.instructions) * 1_000 > before.instructions * TOLERANCE {
            problems.push(format!("{name} became dearer by {percent:.1} %: mend it, or {how}"));
        }
        if before.instructions.saturating_sub(*instructions) * 1_000 > before.instructions * TOLERANCE {
            problems.push(format!("{name} became cheaper by {:.1} %, which is lost again unseen unless {how}", -percent));
        }
    }
    for gone in known.steps.iter().filter(|k| now.steps.iter().all(|s| s.name != k.name)) {
        problems.push(format!("{} is written down and was not counted", gone.name));
    }
    (lines, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(steps: &[(&str, u64)]) -> Counts {
        let step =
            |(name, instructions): &(&str, u64)| Step { name: (*name).to_owned(), instructions: *instructions, reason: "r".to_owned() };
        Counts { tools: "rustc 1, valgrind 2".to_owned(), steps: steps.iter().map(step).collect() }
    }

    #[test]
    fn what_is_no_longer_what_it_was_is_wrong() {
        let known = of(&[("decode", 10_000), ("pair", 10_000), ("encode", 10_000)]);
        assert_eq!(read(&written(&known)), known);
        let problems = |steps: &[(&str, u64)]| compared(&known, &of(steps)).1;
        assert!(problems(&[("decode", 10_200), ("pair", 9_800), ("encode", 10_000)]).is_empty());
        assert_eq!(problems(&[("decode", 10_200), ("pair", 9_799), ("encode", 10_000)]).len(), 1);
        assert_eq!(problems(&[("decode", 10_201), ("pair", 10_000), ("encode", 10_000)]).len(), 1);
        assert_eq!(problems(&[("decode", 10_000), ("pair", 10_000)]).len(), 1, "a step that is counted no more");
        assert_eq!(problems(&[("decode", 10_000), ("pair", 10_000), ("encode", 10_000), ("new", 1)]).len(), 1);
        let other = Counts { tools: "rustc 2, valgrind 2".to_owned(), ..known.clone() };
        assert_eq!(compared(&known, &other).1.len(), 1, "another compiler counts otherwise");
    }

    #[test]
    fn a_reason_stands_beside_what_changed_and_nothing_else() {
        let now = rebased(&of(&[("decode", 10_000), ("pair", 10_000)]), of(&[("decode", 10_100), ("pair", 12_000)]), "more\nchecks");
        let shown: Vec<_> = now.steps.iter().map(|s| (s.instructions, s.reason.as_str())).collect();
        assert_eq!(shown, [(10_000, "r"), (12_000, "more checks")]);
    }

    #[test]
    fn callgrinds_files_name_the_step() {
        let text = "# callgrind format\ndesc: Trigger: --dump-after=weir_bench::counts::counted_decode\npart: 2\ntotals: 1234\n";
        assert_eq!(step(text).map(|s| (s.name, s.instructions)), Some(("decode".to_owned(), 1_234)));
        assert_eq!(step("desc: Trigger: Program termination\ntotals: 5\n"), None);
    }
}
