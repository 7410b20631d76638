//! The house rules that a machine can judge (STYLE.md), and the layers of ARCHITECTURE.md.

mod code;
mod documents;
mod layers;
mod strip;
mod text;

use crate::workspace::{Result, Workspace};

/// A rule broken somewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path relative to the root.
    path: String,
    /// Line, counted from 1; 0 when the whole file is meant.
    line: usize,
    /// What is wrong and what to do.
    what: String,
}

impl Problem {
    /// A problem at a line.
    fn at(path: &str, line: usize, what: impl Into<String>) -> Problem {
        Problem { path: path.to_owned(), line, what: what.into() }
    }

    fn shown(&self) -> String {
        match self.line {
            0 => format!("{}: {}", self.path, self.what),
            line => format!("{}:{line}: {}", self.path, self.what),
        }
    }
}

/// A file with its text; files that are not UTF-8 are vectors and are left alone.
struct File {
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Bytes written by an oracle or a fuzzer, which follow nobody's style.
    fn is_vector(&self) -> bool {
        self.path.split('/').any(|name| name == "testdata" || name == "corpus")
    }
}

/// Checks everything; prints each problem and fails when there is one.
pub fn run(workspace: &Workspace, list: bool) -> Result<()> {
    let paths = workspace.files()?;
    let files: Vec<File> = paths.iter().filter_map(|path| Some(File { path: path.clone(), text: workspace.read(path).ok()? })).collect();
    let mut problems = Vec::new();
    for file in &files {
        problems.extend(text::check(file));
        problems.extend(code::check(file));
    }
    problems.extend(documents::check(&files, &paths));
    problems.extend(documents::check_corpus(workspace.root(), &paths));
    problems.extend(layers::check(workspace)?);
    problems.sort();
    if list {
        for (path, lines) in code::long_files(&files) {
            println!("long: {path}: {lines} lines (we aim at {})", code::FILE_LINES_AIM);
        }
    }
    for problem in &problems {
        println!("{}", problem.shown());
    }
    match problems.len() {
        0 => {
            println!("tidy: {} files keep the house rules", files.len());
            Ok(())
        }
        count => Err(format!("tidy: {count} broken house rules; each line above says where and what to do")),
    }
}
