//! The layer table of ARCHITECTURE.md, compared with what the crates really use.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Problem;
use crate::workspace::{Result, Workspace, output};

const PAGE: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- layers:begin -->";
const END: &str = "<!-- layers:end -->";
/// Crates for development, which stand outside the table.
const OUTSIDE: &[&str] = &["xtask", "testkit", "bench"];
/// A crate that may use less than its layer allows, and what that is.
const NARROW: &[(&str, &[&str])] = &[("sim", &["base"]), ("verify", &["base", "record", "seal"])];

/// A crate uses another one of the workspace.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    from: String,
    to: String,
    for_tests: bool,
}

/// Reads the table and `cargo metadata`, and compares.
pub fn check(workspace: &Workspace) -> Result<Vec<Problem>> {
    let layers = table(&workspace.read(PAGE)?)?;
    // Without --locked or --offline: a crate someone just added must not make the house rules unreadable.
    let text = output(workspace.command("cargo", &["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|e| format!("cargo metadata is not understood: {e}"))?;
    let (crates, uses) = graph(&metadata).ok_or("cargo metadata has not the expected shape")?;
    Ok(compare(&layers, &crates, &uses))
}

/// Crate name to height: the lowest line is 0.
fn table(page: &str) -> Result<BTreeMap<String, usize>> {
    let inside = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(inside, _)| inside);
    let inside = inside.ok_or_else(|| format!("{PAGE} has no layer table between {BEGIN} and {END}"))?;
    let lines: Vec<&str> = inside.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("```")).collect();
    let mut layers = BTreeMap::new();
    for (height, line) in lines.iter().rev().enumerate() {
        for name in line.split_whitespace() {
            if layers.insert(name.to_owned(), height).is_some() {
                return Err(format!("{PAGE}: the layer table names {name} twice"));
            }
        }
    }
    Ok(layers)
}

/// The crates of the workspace by their short names, and who uses whom.
fn graph(metadata: &Value) -> Option<(Vec<String>, Vec<Use>)> {
    let packages = metadata.get("packages")?.as_array()?;
    let mut names = Vec::new();
    for package in packages {
        names.push(package.get("name")?.as_str()?);
    }
    let mut uses = Vec::new();
    for package in packages {
        let from = package.get("name")?.as_str()?;
        for dependency in package.get("dependencies")?.as_array()? {
            let to = dependency.get("name")?.as_str()?;
            if names.contains(&to) {
                let for_tests = dependency.get("kind")?.as_str() == Some("dev");
                uses.push(Use { from: short(from), to: short(to), for_tests });
            }
        }
    }
    Some((names.into_iter().map(short).collect(), uses))
}

/// `weir-store` is `store` in the table, and `weir` itself is `app`.
fn short(name: &str) -> String {
    if name == "weir" { "app".to_owned() } else { name.strip_prefix("weir-").unwrap_or(name).to_owned() }
}

fn compare(layers: &BTreeMap<String, usize>, crates: &[String], uses: &[Use]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |what: String| problems.push(Problem::at(PAGE, 0, what));
    let outside = |name: &str| OUTSIDE.contains(&name);
    for name in crates.iter().filter(|name| !outside(name) && !layers.contains_key(*name)) {
        say(format!("the crate {name} is not in the layer table: give it a line"));
    }
    for name in layers.keys().filter(|name| !crates.contains(name)) {
        say(format!("the layer table names {name}, and there is no such crate"));
    }
    for Use { from, to, for_tests } in uses.iter().filter(|step| !outside(&step.from)) {
        if outside(to) {
            if !(*for_tests && to == "testkit") {
                say(format!("{from} uses {to}, which is for development: only dev-dependencies may use testkit"));
            }
            continue;
        }
        if let (Some(above), Some(below)) = (layers.get(from), layers.get(to))
            && below >= above
        {
            say(format!("{from} uses {to}, which is not on a lower line of the layer table"));
        }
        if let Some((_, allowed)) = NARROW.iter().find(|(name, _)| name == from)
            && !allowed.contains(&to.as_str())
        {
            say(format!("{from} uses {to}, and may use only {}", allowed.join(", ")));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "x\n<!-- layers:begin -->\n```text\napp\nstore sim\nbase\n```\n<!-- layers:end -->\n";

    fn judged(uses: &[(&str, &str, bool)]) -> Vec<String> {
        let uses: Vec<Use> =
            uses.iter().map(|(from, to, for_tests)| Use { from: short(from), to: short(to), for_tests: *for_tests }).collect();
        let crates = ["app", "store", "sim", "base", "testkit", "xtask"].map(str::to_owned);
        compare(&table(TABLE).unwrap(), &crates, &uses).into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn lower_lines_may_be_used_and_others_may_not() {
        let good = [("weir", "weir-store", false), ("weir-store", "weir-base", false), ("weir-base", "weir-testkit", true)];
        assert_eq!(judged(&good), [""; 0]);
        assert_eq!(judged(&[("weir-testkit", "weir-store", false)]), [""; 0]);
        for bad in [
            ("weir-base", "weir-store", false),
            ("weir-store", "weir-sim", true),
            ("weir-store", "weir-store", false),
            ("weir-store", "weir-testkit", false),
            ("weir", "xtask", true),
        ] {
            assert_eq!(judged(&[bad]).len(), 1, "{bad:?}");
        }
        assert_eq!(judged(&[("weir-sim", "weir-base", false)]), [""; 0]);
    }

    #[test]
    fn a_narrow_crate_uses_only_what_it_may() {
        let layers = table("<!-- layers:begin -->\nsim\nrecord\nbase\n<!-- layers:end -->").unwrap();
        let crates = ["sim", "record", "base"].map(str::to_owned);
        let uses = [Use { from: "sim".into(), to: "record".into(), for_tests: false }];
        let problems = compare(&layers, &crates, &uses);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].what.contains("may use only base"), "{problems:?}");
    }

    #[test]
    fn the_table_and_the_workspace_name_the_same_crates() {
        let layers = table(TABLE).unwrap();
        let crates = ["app", "store", "base", "web"].map(str::to_owned);
        let problems: Vec<String> = compare(&layers, &crates, &[]).into_iter().map(|problem| problem.what).collect();
        assert_eq!(problems.len(), 2);
        assert!(problems[0].contains("web") && problems[1].contains("sim"), "{problems:?}");
        assert!(table("nothing").is_err());
        assert!(table("<!-- layers:begin -->\na a\n<!-- layers:end -->").is_err());
    }

    #[test]
    fn metadata_is_read() {
        let text = r#"{"packages":[{"name":"weir-base","dependencies":[]},
            {"name":"weir","dependencies":[{"name":"weir-base","kind":null},{"name":"serde","kind":null},{"name":"weir-base","kind":"dev"}]}]}"#;
        let (crates, uses) = graph(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(crates, ["base", "app"]);
        assert_eq!(uses.iter().map(|step| step.for_tests).collect::<Vec<_>>(), [false, true]);
        assert_eq!(graph(&Value::Null), None);
    }
}
