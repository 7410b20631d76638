//! What was tried for the layout of units: one row for each way, without remote ends and with them.

use super::figures::{Figure, Table};
use super::{Context, Result, Section};

const TEXT: &str = "Bytes a row of one file of a million NAT mappings of one minute: 50,000 subscribers with cubic skew, 1,024 public addresses, a random port in a
block of 1,024, lognormal durations (median 8 s, σ 1.6), with remote ends 4,096 different ones, Zipf-like. A row is one mapping, which is two events. The first five are Weir's own writer
with its rows in another order; then the general writer, one thing changed at a time; then one column at a time, the rest as chosen. Times are not measured here. Everything is
encrypted (AES-256-GCM by page) unless a row says otherwise.";

/// Runs the measuring program and makes the section.
pub fn measure(context: &Context<'_>) -> Result<Section> {
    let figures = context.figures("encodings")?;
    let mut table = Table::new(&["bytes a row", "without remote ends", "with remote ends"]);
    for (work, x, figure) in &figures {
        if *x != Some(0.0) {
            continue;
        }
        let with = figures.iter().find(|(w, x, _)| w == work && *x == Some(1.0));
        let cell = |figure: &Figure| format!("{:.3}", figure.median);
        table.row(&[work.trim_end_matches(": bytes a row").to_owned(), cell(figure), with.map(|(_, _, f)| cell(f)).unwrap_or_default()]);
    }
    Ok(Section { title: "Layouts that were tried".to_owned(), text: TEXT.to_owned(), table, chart: None })
}
