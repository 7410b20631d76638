//! Documents that the program itself writes, so that they cannot go stale.

use crate::workspace::{Result, Workspace, output, run};

/// A generated document: its path and the arguments that make `weir` print it.
struct Generated {
    path: &'static str,
    arguments: &'static [&'static str],
}

const GENERATED: &[Generated] = &[
    Generated { path: "docs/records.md", arguments: &["docs", "records"] },
    Generated { path: "docs/openapi.json", arguments: &["docs", "openapi"] },
];

/// Writes every generated document anew.
pub fn write(workspace: &Workspace) -> Result<()> {
    for document in GENERATED {
        workspace.write(document.path, &printed(workspace, document)?)?;
        println!("wrote {}", document.path);
    }
    Ok(())
}

/// Compares every generated document with what the program prints now.
pub fn check(workspace: &Workspace) -> Result<()> {
    for document in GENERATED {
        let fresh = printed(workspace, document)?;
        compare(document.path, &workspace.read(document.path).unwrap_or_default(), &fresh)?;
        println!("{} is fresh", document.path);
    }
    Ok(())
}

fn printed(workspace: &Workspace, document: &Generated) -> Result<String> {
    // Built as `cargo xtask ci` builds: a package by itself has other features in its dependencies, and all of them would be built again.
    run(workspace.command("cargo", &["build", "--quiet", "--workspace", "--all-targets"]))?;
    let program = workspace.target().join("debug/weir");
    let text = output(workspace.command(&program.to_string_lossy(), document.arguments))?;
    if text.trim().is_empty() {
        return Err(format!("`weir {}` printed nothing, so {} cannot be made", document.arguments.join(" "), document.path));
    }
    Ok(text)
}

fn compare(path: &str, kept: &str, fresh: &str) -> Result<()> {
    if kept == fresh {
        return Ok(());
    }
    let line = kept.lines().zip(fresh.lines()).take_while(|(old, new)| old == new).count() + 1;
    Err(format!("{path} is stale from line {line} on: run `cargo xtask docs` and commit the file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_document_is_named_with_its_first_differing_line() {
        assert_eq!(compare("d.md", "a\nb\n", "a\nb\n"), Ok(()));
        for (kept, fresh, line) in [("a\nb\n", "a\nc\n", "line 2"), ("", "a\n", "line 1"), ("a\n", "a\nb\n", "line 2")] {
            let problem = compare("d.md", kept, fresh).unwrap_err();
            assert!(problem.contains("d.md") && problem.contains(line), "{problem}");
        }
    }
}
