//! Standard output. A reader that goes away (`| head`) ends the command quietly, not with a panic.

use std::io::{self, Write};

use serde::Serialize;

use crate::fail::Failure;

/// Writes text as it is.
pub fn text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match done {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Failure::new(format!("cannot write the output ({e})"), "write it to a place with room")),
    }
}

/// Writes a line.
pub fn line(line: &str) -> Result<(), Failure> {
    text(&format!("{line}\n"))
}

/// Writes a value as JSON on one line.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let shown = serde_json::to_string(value).map_err(|e| Failure::new(format!("cannot write JSON ({e})"), "please report this"))?;
    line(&shown)
}

/// A table with columns as wide as their widest cell; the last column is not padded.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width =
        |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).chain(head.get(i).map(|h| h.len())).max().unwrap_or(0);
    let mut out = String::new();
    let heads: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let last = row.len().saturating_sub(1);
        for (i, cell) in row.iter().enumerate() {
            if i == last {
                out.push_str(cell);
            } else {
                out.push_str(&format!("{cell:<w$}  ", w = width(i)));
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_heads() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["long one".to_owned(), "22".to_owned()]];
        assert_eq!(table(&["name", "n"], &rows), "name      n\na         1\nlong one  22\n");
    }
}
