//! Inputs that fuzzing kept, replayed.

use std::fs;
use std::panic::{catch_unwind, resume_unwind};

/// Calls `body` with every input kept for a fuzz target, in the order of their names.
///
/// # Panics
/// When `fuzz/corpus/TARGET` cannot be read or holds nothing: a test of nothing must not pass. Before a panic of `body` the input's name
/// is printed.
pub fn replay(target: &str, body: fn(&[u8])) {
    let folder = crate::workspace().join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder's entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no input", folder.display());
    for path in paths {
        let input = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        if let Err(panic) = catch_unwind(|| body(&input)) {
            eprintln!("{target}: it was the input {}", path.display());
            resume_unwind(panic);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "no_such_target")]
    fn a_target_without_inputs_is_a_failure() {
        super::replay("no_such_target", |_| ());
    }

    #[test]
    #[should_panic(expected = "a finding")]
    fn a_finding_is_passed_on() {
        super::replay("seal_note", |_| panic!("a finding"));
    }
}
