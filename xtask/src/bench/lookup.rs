//! Who held an address and port: time, pages and bytes of one look-up over the number of stored mappings.

use super::chart::{Chart, Kind};
use super::figures::{Table, number};
use super::{Context, Result, Section};

/// Runs the measuring program and makes the section.
pub fn measure(context: &Context<'_>) -> Result<Section> {
    let figures = context.figures("bench_lookup")?;
    let mut table = Table::new(&["work", "stored mappings", "value"]);
    let mut lines: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for (work, x, figure) in &figures {
        table.row(&[work.clone(), x.map(number).unwrap_or_default(), figure.shown()]);
        let Some(x) = x.filter(|_| work.contains("ms")) else { continue };
        match lines.iter_mut().find(|(name, _)| name == work) {
            Some((_, points)) => points.push((x, figure.median)),
            None => lines.push((work.clone(), vec![(x, figure.median)])),
        }
    }
    Ok(Section {
        title: "Look-up".to_owned(),
        text: "One question at a time over a folder of growing size; pages and bytes are counted and do not depend on the machine."
            .to_owned(),
        table,
        chart: Some(Chart { title: "One look-up".to_owned(), unit: "ms".to_owned(), kind: Kind::Lines(lines) }),
    })
}
