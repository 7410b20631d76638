//! Rules for documents: every page can be reached, every link leads somewhere. And the kept fuzz corpus stays small.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{File, Problem};
use crate::fuzz::{CORPUS_FILE_BYTES_MAX, CORPUS_FILES_MAX};

/// Pages a reader starts from.
const STARTS: &[&str] = &["README.md", "docs/README.md"];

/// Checks the links of all Markdown files; `paths` are all files there are.
pub fn check(files: &[File], paths: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut reached = BTreeSet::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md") && !file.is_vector()) {
        for (line, target) in links(&file.text) {
            let Some(path) = resolve(&file.path, &target) else {
                problems.push(Problem::at(&file.path, line, format!("the link {target} leads out of the project")));
                continue;
            };
            let folder = format!("{}/", path.trim_end_matches('/'));
            if !paths.contains(&path) && !paths.iter().any(|known| known.starts_with(&folder)) {
                problems.push(Problem::at(&file.path, line, format!("the link {target} leads nowhere")));
            }
            if STARTS.contains(&file.path.as_str()) {
                reached.insert(path);
            }
        }
    }
    for path in paths.iter().filter(|path| path.starts_with("docs/") && path.ends_with(".md") && !STARTS.contains(&path.as_str())) {
        if !reached.contains(path) {
            problems.push(Problem::at(path, 0, format!("no link leads here from {}: add one", STARTS.join(" or "))));
        }
    }
    problems
}

/// Relative link targets outside code, each with its line, without their `#part`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Text between back-quotes is code: every second piece.
        let prose: Vec<&str> = line.split('`').step_by(2).collect();
        for rest in prose.join("``").split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default().split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

/// The path a link names, seen from the root; `None` when it climbs above the root.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut names: Vec<&str> = from.split('/').collect();
    names.pop();
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Every `make test` replays the kept corpus, so its size is bounded.
pub fn check_corpus(root: &Path, paths: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for path in paths {
        let Some((target, _)) = path.strip_prefix("fuzz/corpus/").and_then(|rest| rest.split_once('/')) else { continue };
        *counts.entry(target).or_default() += 1;
        if fs::metadata(root.join(path)).is_ok_and(|data| data.len() > CORPUS_FILE_BYTES_MAX) {
            problems.push(Problem::at(path, 0, format!("a kept input is at most {CORPUS_FILE_BYTES_MAX} bytes")));
        }
    }
    for (target, count) in counts.into_iter().filter(|(_, count)| *count > CORPUS_FILES_MAX) {
        let what = format!("{count} kept inputs, at most {CORPUS_FILES_MAX}: merge them into an empty folder (CONTRIBUTING.md)");
        problems.push(Problem::at(&format!("fuzz/corpus/{target}"), 0, what));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pages: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> = pages.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect();
        let paths: Vec<String> = pages.iter().map(|(path, _)| (*path).to_owned()).collect();
        check(&files, &paths).iter().map(|problem| format!("{}:{}", problem.path, problem.line)).collect()
    }

    #[test]
    fn pages_are_reached_and_links_lead_somewhere() {
        let good =
            [("README.md", "[docs](docs/README.md) [all](docs) [x](https://example.invalid/a)\n"), ("docs/README.md", "[a](a.md#part)\n")];
        assert_eq!(judged(&[good[0], good[1], ("docs/a.md", "[up](../README.md) `[no](link.md)` [here](#part)\n")]), [""; 0]);
        assert_eq!(judged(&[good[0], good[1]]), ["docs/README.md:1"]);
        assert_eq!(
            judged(&[("README.md", ""), ("docs/a.md", "\n[b](b.md) [c](../../c.md)\n")]),
            ["docs/a.md:2", "docs/a.md:2", "docs/a.md:0"]
        );
        assert_eq!(judged(&[("a.md", "```\n[b](b.md)\n```\n[c](c.md)\n")]), ["a.md:4"]);
    }
}
