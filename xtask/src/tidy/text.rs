//! Rules for every text file: white space, and nothing that belongs to one machine.

use super::{File, Problem};

/// Files whose layout is ours. Others (vectors, lock files) are written by programs.
const OURS: &[&str] = &[".rs", ".toml", ".md", ".sh", ".yml", ".json", "Makefile", "scripts/deps", ".ci/run", ".gitignore"];

/// Checks one file.
pub fn check(file: &File) -> Vec<Problem> {
    let mut problems = machine_paths(file);
    if OURS.iter().any(|end| file.path.ends_with(end)) && !file.is_vector() {
        problems.extend(white_space(file));
    }
    problems
}

fn white_space(file: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(file.text.split('\n')) {
        if line.ends_with(' ') || line.ends_with('\t') || line.ends_with('\r') {
            problems.push(Problem::at(&file.path, number, "white space at the end of the line: remove it"));
        }
        // Pages quote files that are written with tabs.
        if line.contains('\t') && !file.path.ends_with("Makefile") && !file.path.ends_with(".md") {
            problems.push(Problem::at(&file.path, number, "a tab: use spaces, or \\t inside a literal"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        problems.push(Problem::at(&file.path, 0, "the last line has no end: add one"));
    }
    problems
}

/// A path of one developer's machine works nowhere else and tells more than it should.
fn machine_paths(file: &File) -> Vec<Problem> {
    // Put together here, so that this file does not name such a path itself.
    let homes = ["home", "root", "work", "Users"].map(|name| format!("/{name}/"));
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        for home in &homes {
            let absolute = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-$})~/".contains(c));
            if line.match_indices(home.as_str()).any(|(at, _)| absolute(at)) {
                problems.push(Problem::at(&file.path, number, format!("a path below {home} exists on one machine only: make it relative")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        check(&File { path: path.to_owned(), text: text.to_owned() }).iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn white_space_is_judged_in_our_files_only() {
        for (path, text, lines) in [
            ("a.rs", "a \nb\n", vec![1]),
            ("a.rs", "a\n\tb\n", vec![2]),
            ("Makefile", "a:\n\tb\n", vec![]),
            ("a.md", "\tquoted\n", vec![]),
            ("a.md", "no end", vec![0]),
            ("a.md", "a\r\n", vec![1]),
            ("x/testdata/a.md", "a \n\tb", vec![]),
            ("a.hex", "a \n", vec![]),
            ("a.rs", "", vec![]),
        ] {
            assert_eq!(found(path, text), lines, "{path} {text:?}");
        }
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_relative_one_is_not() {
        let home = format!("/{}/", "home");
        assert_eq!(found("a.rs", &format!("let a = \"{home}x\";\n")), [1]);
        assert_eq!(found("x/testdata/a.hex", &format!("# {home}x\n")), [1]);
        assert_eq!(found("a.rs", &format!("https://example.invalid{home}x and docs{home}x and ${{BASE}}{home}\n")), [0; 0]);
    }
}
