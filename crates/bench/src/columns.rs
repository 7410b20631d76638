//! DuckDB and chDB over the same mappings, by their Python packages: the measuring is in `columns.py`.

use std::path::Path;
use std::process::Command;

use crate::shared::Outcome;

/// Sorts, writes and asks.
const SCRIPT: &str = include_str!("columns.py");

/// The engines: the Python package, and as readings name it.
pub const ENGINES: [(&str, &str); 2] = [("duckdb", "DuckDB"), ("chdb", "chDB")];

/// What the script tells of one engine: its numbers; none where it is not installed.
pub fn tell(folder: &Path, engine: &str, words: &[&Path]) -> Outcome<Option<Vec<f64>>> {
    let (name, what) = words.split_first().ok_or("no work")?;
    let python = std::env::var("WEIR_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = folder.join("columns.py");
    std::fs::write(&script, SCRIPT)?;
    let Ok(told) = Command::new(python).arg(&script).arg(engine).arg(name).args(what).output() else {
        eprintln!("no python: {engine} is not measured");
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let numbers: Vec<f64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    if !told.status.success() || numbers.len() < 2 {
        eprintln!("{engine} is not measured (`pip install {engine}` for this python): {}", String::from_utf8_lossy(&told.stderr));
        return Ok(None);
    }
    Ok(Some(numbers))
}
