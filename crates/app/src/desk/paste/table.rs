//! A table: a heading whose names are known, and rows under it.

use csv::{ReaderBuilder, StringRecord};

use super::columns::{Column, Values, column};
use super::forms::{Found, Parts};
use super::time::Basis;

/// The heading of a table.
#[derive(Clone, Debug)]
pub struct Heading {
    separator: u8,
    names: Vec<String>,
}

fn cells(line: &str, separator: u8) -> Option<StringRecord> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(line.as_bytes());
    reader.records().next()?.ok()
}

impl Heading {
    /// A line that names an address and a time, and holds neither.
    pub fn read(line: &str) -> Option<Heading> {
        [b',', b'\t', b';', b'|'].into_iter().filter(|s| line.as_bytes().contains(s)).find_map(|separator| {
            let names: Vec<String> = cells(line, separator)?.iter().map(|n| n.trim().to_owned()).collect();
            let known: Vec<Column> = names.iter().filter_map(|n| column(n)).map(|(c, _)| c).collect();
            let time = known.contains(&Column::Time) || known.contains(&Column::Date);
            (known.contains(&Column::Public) && time).then_some(Heading { separator, names })
        })
    }

    /// True for the line of dashes below a heading.
    pub fn is_rule(line: &str) -> bool {
        line.len() >= 3 && line.bytes().all(|b| matches!(b, b'-' | b'|' | b'+' | b' ' | b':' | b'='))
    }

    /// Reads a row.
    pub fn row(&self, line: &str, basis: &Basis) -> Found {
        let form = if self.separator == b'\t' { "tsv" } else { "csv" };
        let mut values = Values::default();
        if let Some(cells) = cells(line, self.separator) {
            for (name, cell) in self.names.iter().zip(cells.iter()) {
                values.put(name, cell);
            }
        }
        Parts::of(&values, basis).found(form)
    }
}
