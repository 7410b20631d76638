//! The long suites. They are the same tests that `make test` runs, with larger counts given through the environment, so that
//! nothing is tested only here and nothing is ignored there.

use crate::workspace::{Result, Workspace, run as run_command};

/// A suite: the tests whose names begin with `soak_NAME`, others it takes along, and the variables that make them long.
struct Suite {
    name: &'static str,
    /// Tests that belong here under any name, as a nextest filter.
    takes: Option<&'static str>,
    about: &'static str,
    /// The variable that `--count` sets, and its value in a soak.
    count: (&'static str, u64),
    also: &'static [(&'static str, &'static str)],
}

const SUITES: &[Suite] = &[
    Suite {
        name: "faults",
        takes: Some("package(weir-store)"),
        about: "random faults on a simulated disk",
        count: ("WEIR_RUNS", 10_000),
        also: &[],
    },
    Suite { name: "kill", takes: None, about: "kill -9 under load", count: ("WEIR_KILLS", 5_000), also: &[] },
    Suite {
        name: "truth",
        takes: None,
        about: "questions against known truth",
        count: ("WEIR_QUESTIONS", 1_000_000),
        also: &[("WEIR_SEEDS", "10")],
    },
    Suite {
        name: "syslog",
        takes: None,
        about: "megabytes of log lines through cuts and kills",
        count: ("WEIR_SYSLOG_MB", 500),
        also: &[],
    },
    Suite {
        name: "search",
        takes: None,
        about: "search by word over millions of lines, beside grep and zgrep",
        count: ("WEIR_LINES", 5_000_000),
        also: &[],
    },
];

/// Runs the named suites, or all.
pub fn run(workspace: &Workspace, names: &[String], count: Option<u64>) -> Result<()> {
    for suite in chosen(names)? {
        let (variable, usual) = suite.count;
        let count = count.unwrap_or(usual).to_string();
        println!("== {}: {}, {variable}={count}", suite.name, suite.about);
        let filter = filter(suite);
        // A suite without tests is a mistake and not a success.
        let arguments = ["nextest", "run", "--workspace", "--profile", "soak", "--no-tests", "fail", "-E", &filter];
        let mut command = workspace.command("cargo", &arguments);
        command.env("WEIR_SOAK", "1").env(variable, &count).envs(suite.also.iter().copied());
        run_command(command)?;
    }
    Ok(())
}

fn filter(suite: &Suite) -> String {
    let own = format!("test(/(^|::)soak_{}/)", suite.name);
    suite.takes.map_or(own.clone(), |also| format!("{own} | {also}"))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Suite>> {
    if names.is_empty() {
        return Ok(SUITES.iter().collect());
    }
    let known = || SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>().join(", ");
    let find = |name: &String| SUITES.iter().find(|suite| suite.name == name);
    names.iter().map(|name| find(name).ok_or_else(|| format!("no suite '{name}'; there are: {}", known()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_soaked_whatever_its_tests_are_called() {
        assert_eq!(filter(&SUITES[0]), "test(/(^|::)soak_faults/) | package(weir-store)");
        assert_eq!(filter(&SUITES[1]), "test(/(^|::)soak_kill/)");
    }

    #[test]
    fn suites_are_chosen_by_name_and_a_wrong_name_lists_the_right_ones() {
        assert_eq!(chosen(&[]).unwrap().len(), SUITES.len());
        assert_eq!(chosen(&["kill".to_owned()]).unwrap()[0].count.0, "WEIR_KILLS");
        let problem = chosen(&["kil".to_owned()]).err().unwrap();
        assert!(problem.contains("faults, kill, truth, syslog, search"), "{problem}");
    }
}
