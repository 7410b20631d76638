//! What was tried for the layout of units: one row for each way, without remote ends and with them.

use super::chart::{Chart, Kind};
use super::figures::Table;
use super::readings::Measured;
use super::{Result, Section};

const TEXT: &str = "Bytes a row of one file of a million NAT mappings of one minute: 50,000 subscribers with cubic skew, 1,024 public addresses, a random port in a
block of 1,024, lognormal durations (median 8 s, σ 1.6), with remote ends 4,096 different ones, Zipf-like. A row is one mapping, which is two events. The first five are Weir's own writer
with its rows in another order; then the general writer, one thing changed at a time; then one column at a time, the rest as chosen. Times are not measured here. Everything is
encrypted (AES-256-GCM by page) unless a row says otherwise. The chart shows whole files, not single columns.

Chosen: the order by public address, port and start, which is the smallest and lets a question read one page of a file; for each column the encoding that takes fewest bytes, where that is more than some hundredths of a byte; pages of 2,048 rows for addresses and
inside ports, of 8,192 for the other columns, as longer ones save bytes and cost each look-up more than they save; level 3 of zstd, as levels 9 and 19 save less than a hundredth and take a multiple of the processor.";

/// How rows begin that are no whole file.
const COLUMN: &str = "column ";

/// The section of these figures.
pub fn section(_: &str, figures: &[Measured]) -> Result<Section> {
    let mut table = Table::new(&["bytes a row", "without remote ends", "with remote ends"]);
    let mut bars = Vec::new();
    let cell = |bytes: f64| format!("{bytes:.3}");
    for (work, _, figure) in figures.iter().filter(|(_, x, _)| *x == Some(0.0)) {
        let layout = work.trim_end_matches(": bytes a row");
        let with = figures.iter().find(|(other, x, _)| other == work && *x == Some(1.0)).map(|(_, _, figure)| figure.median);
        table.row(&[layout.to_owned(), cell(figure.median), with.map(cell).unwrap_or_default()]);
        if !layout.starts_with(COLUMN) {
            let name = layout.strip_prefix("the same, ").unwrap_or(layout);
            bars.push((name.to_owned(), std::iter::once(figure.median).chain(with).collect()));
        }
    }
    let series = vec!["without remote ends".to_owned(), "with remote ends".to_owned()];
    let chart = Chart { title: "One file by its layout".to_owned(), unit: "bytes a row".to_owned(), kind: Kind::Lying { series, bars } };
    Ok(Section { title: "Layouts that were tried".to_owned(), text: TEXT.to_owned(), table, chart })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Figure;

    #[test]
    fn whole_files_are_bars_and_columns_are_rows_of_the_table_alone() {
        let of = |work: &str, x: f64, bytes: f64| (work.to_owned(), Some(x), Figure::of(&[bytes]).unwrap());
        let section = section(
            "encodings",
            &[
                of("sorted by start: bytes a row", 0.0, 2.0),
                of("the same, zstd level 9: bytes a row", 0.0, 1.0),
                of("column start, plain: bytes a row", 0.0, 0.5),
                of("sorted by start: bytes a row", 1.0, 4.0),
            ],
        );
        let (table, svg) = section.map(|section| (section.table.markdown(), section.chart.svg())).unwrap();
        assert!(table.contains("| sorted by start | 2.000 | 4.000 |") && table.contains("| column start, plain | 0.500 |  |"), "{table}");
        assert!(svg.contains(">sorted by start<") && svg.contains(">zstd level 9<") && !svg.contains("column"), "{svg}");
        assert!(svg.contains(">2.00<") && svg.contains(">4.00<"), "{svg}");
    }
}
