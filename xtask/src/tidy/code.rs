//! Rules for Rust files: length, module documentation, words that must not ship, places that must not know each other.

use super::{File, Problem, strip};

/// Files aim at this many lines.
pub const FILE_LINES_AIM: usize = 200;
/// Files stop at this many lines.
pub const FILE_LINES_MAX: usize = 500;

/// Words of code that are not allowed, and what to do instead.
const BANNED: &[(&str, &str)] = &[
    ("todo!", "unfinished work is not committed"),
    ("unimplemented!", "unfinished work is not committed"),
    ("dbg!", "remove it"),
    ("#[ignore", "a test runs or is not there; long counts come from the environment (CONTRIBUTING.md)"),
    ("thread::sleep", "wait for the event itself: a channel, or base::task::Stop::wait"),
];

/// Checks one file.
pub fn check(file: &File) -> Vec<Problem> {
    if !file.is_rust() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        problems.push(Problem::at(&file.path, 0, format!("{lines} lines, at most {FILE_LINES_MAX}: split it where it says two things")));
    }
    let mut starts = file.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("#!["));
    // A file called tests.rs holds the tests of the file above it; its name says so.
    if !file.path.ends_with("/tests.rs") && !starts.next().is_some_and(|line| line.starts_with("//!")) {
        problems.push(Problem::at(&file.path, 1, "no module documentation: begin with `//!` and say what the file is for"));
    }
    for (number, line) in (1..).zip(strip::code_only(&file.text).lines()) {
        problems.extend(words(&file.path, number, line));
    }
    problems
}

fn words(path: &str, number: usize, line: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (word, instead) in BANNED {
        if line.contains(word) {
            problems.push(Problem::at(path, number, format!("`{word}`: {instead}")));
        }
    }
    let mut names = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    if names.any(|name| name == "unsafe") && path != "crates/lanes/src/x86.rs" {
        problems.push(Problem::at(path, number, "`unsafe` is forbidden outside crates/lanes/src/x86.rs (decision 0017)"));
    }
    if path.starts_with("crates/app/src/verify") && line.contains("weir_store") {
        problems.push(Problem::at(path, number, "verification judges the store and must not use it (ARCHITECTURE.md)"));
    }
    problems
}

/// Rust files longer than we aim at, longest first.
pub fn long_files(files: &[File]) -> Vec<(&str, usize)> {
    let counted = files.iter().filter(|file| file.is_rust()).map(|file| (file.path.as_str(), file.text.lines().count()));
    let mut long: Vec<_> = counted.filter(|(_, lines)| *lines > FILE_LINES_AIM).collect();
    long.sort_by_key(|(path, lines)| (std::cmp::Reverse(*lines), *path));
    long
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn each_rule_finds_its_breach_and_nothing_else() {
        for (path, text, lines) in [
            ("crates/a/src/lib.rs", "//! A.\nfn a() {}\n", vec![]),
            ("crates/a/src/lib.rs", "fn a() {}\n", vec![1]),
            ("crates/a/src/b/tests.rs", "use super::*;\n", vec![]),
            ("fuzz/targets/a.rs", "#![no_main]\n//! A.\n", vec![]),
            ("crates/a/src/lib.rs", "//! A.\nfn a() { todo!() }\n", vec![2]),
            ("crates/a/src/lib.rs", "//! A. Never dbg! here.\nconst A: &str = \"unimplemented!\";\n", vec![]),
            ("crates/a/src/lib.rs", "//! A.\n#[test]\n#[ignore = \"slow\"]\nfn a() {}\n", vec![3]),
            ("crates/a/src/lib.rs", "//! A.\nfn a() { std::thread::sleep(b) }\n", vec![2]),
            ("crates/a/src/lib.rs", "//! A.\nfn a() { unsafe { b() } }\n", vec![2]),
            ("crates/lanes/src/x86.rs", "//! A.\nfn a() { unsafe { b() } }\n", vec![]),
            ("crates/a/src/lib.rs", "//! A.\n#![forbid(unsafe_code)]\n", vec![]),
            ("crates/app/src/verify/mod.rs", "//! A.\nuse weir_store::Unit;\n", vec![2]),
            ("crates/app/src/run.rs", "//! A.\nuse weir_store::Unit;\n", vec![]),
            ("a.md", "todo!\n", vec![]),
        ] {
            let found: Vec<usize> = check(&file(path, text)).iter().map(|problem| problem.line).collect();
            assert_eq!(found, lines, "{path} {text:?}");
        }
    }

    #[test]
    fn a_file_stops_at_its_limit() {
        let text = |lines: usize| format!("//! A.\n{}", "//\n".repeat(lines - 1));
        assert!(check(&file("crates/a/src/lib.rs", &text(FILE_LINES_MAX))).is_empty());
        assert_eq!(check(&file("crates/a/src/lib.rs", &text(FILE_LINES_MAX + 1))).len(), 1);
        let files = [file("a.rs", &text(201)), file("b.rs", &text(300)), file("c.rs", &text(200))];
        assert_eq!(long_files(&files), [("b.rs", 300), ("a.rs", 201)]);
    }
}
