//! What CI runs, in order, with the time each step took beside its budget.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::workspace::{Result, Workspace, run as run_command, shown};
use crate::{counts, docs, tidy};

/// One step. The budget is for two processors and nothing built before, in minutes; CONTRIBUTING.md explains it.
struct Step {
    name: &'static str,
    budget_minutes: u64,
    work: Work,
}

enum Work {
    Cargo(&'static [&'static str]),
    Here(fn(&Workspace) -> Result<()>),
}

const STEPS: &[Step] = &[
    Step { name: "format", budget_minutes: 1, work: Work::Cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", budget_minutes: 1, work: Work::Here(|workspace| tidy::run(workspace, false)) },
    Step { name: "fetch", budget_minutes: 1, work: Work::Cargo(&["fetch", "--locked"]) },
    Step {
        name: "licences",
        budget_minutes: 1,
        work: Work::Cargo(&["deny", "--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]),
    },
    Step {
        name: "lints",
        budget_minutes: 8,
        work: Work::Cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    },
    Step { name: "build", budget_minutes: 17, work: Work::Cargo(&["build", "--locked", "--workspace", "--all-targets"]) },
    Step {
        name: "documents, counts",
        budget_minutes: 1,
        work: Work::Here(|workspace| docs::check(workspace).and_then(|()| counts::run(workspace, None))),
    },
    Step { name: "tests", budget_minutes: 7, work: Work::Cargo(&["nextest", "run", "--locked", "--workspace"]) },
];

/// Runs every step; stops at the first that fails. Time is told and fails nothing.
#[allow(clippy::disallowed_methods)] // A development tool: nothing it times is stored or tested against.
pub fn run(workspace: &Workspace) -> Result<()> {
    let mut times = Vec::new();
    let mut failure = None;
    for step in STEPS {
        let started = Instant::now();
        let outcome = perform(workspace, step);
        times.push((step, started.elapsed()));
        if let Err(problem) = outcome {
            failure = Some(format!("step '{}': {problem}", step.name));
            break;
        }
    }
    println!("\n{}", report(&times));
    failure.map_or(Ok(()), Err)
}

fn perform(workspace: &Workspace, step: &Step) -> Result<()> {
    match step.work {
        Work::Cargo(arguments) => {
            let mut command: Command = workspace.command("cargo", arguments);
            // A test that lacks a peer program fails here, where a developer's own run only says so.
            command.env("WEIR_CI", "1");
            println!("\n== {}: {}", step.name, shown(&command));
            run_command(command)
        }
        Work::Here(task) => {
            println!("\n== {}", step.name);
            task(workspace)
        }
    }
}

fn report(times: &[(&Step, Duration)]) -> String {
    let mut lines = vec![format!("{:<22}{:>9}{:>10}", "step", "took", "budget")];
    for (step, took) in times {
        let over = if took.as_secs() > step.budget_minutes * 60 { "  over budget" } else { "" };
        lines.push(format!("{:<22}{:>7} s{:>6} min{over}", step.name, took.as_secs(), step.budget_minutes));
    }
    let total: u64 = times.iter().map(|(_, took)| took.as_secs()).sum();
    lines.push(format!("{:<22}{total:>7} s{:>6} min", "all", STEPS.iter().map(|step| step.budget_minutes).sum::<u64>()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `make deps` comes before and is not timed here.
    const DEPS_BUDGET_MINUTES: u64 = 3;

    #[test]
    fn the_budgets_fit_into_forty_minutes_with_twenty_for_building() {
        let minutes = |names: &[&str]| STEPS.iter().filter(|s| names.contains(&s.name)).map(|s| s.budget_minutes).sum::<u64>();
        assert!(STEPS.iter().map(|step| step.budget_minutes).sum::<u64>() + DEPS_BUDGET_MINUTES <= 40);
        assert!(minutes(&["build"]) <= 20);
        assert!(minutes(&["tests"]) <= 20);
    }

    #[test]
    fn contributing_states_the_same_budget() {
        let page = Workspace::here().unwrap().read("CONTRIBUTING.md").unwrap();
        for step in STEPS {
            let line = format!("| {} | {} |", step.name, step.budget_minutes);
            assert!(page.contains(&line), "CONTRIBUTING.md has no line that begins {line}");
        }
        assert!(page.contains(&format!("| deps | {DEPS_BUDGET_MINUTES} |")));
    }

    #[test]
    fn a_step_over_its_budget_is_named_and_others_are_not() {
        let text = report(&[(&STEPS[0], Duration::from_secs(61)), (&STEPS[4], Duration::from_secs(61))]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].ends_with("61 s     1 min  over budget"), "{text}");
        assert!(lines[2].ends_with("61 s     8 min"), "{text}");
        assert!(lines[3].contains("122 s"), "{text}");
    }
}
