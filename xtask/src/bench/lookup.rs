//! Who held an address and port: time, pages and bytes of one look-up over the number of stored mappings.

use super::chart::{Chart, Kind};
use super::figures::{Table, number};
use super::{Context, Result, Section};

const TEXT: &str = "1,000 questions about mappings that were, one after the other, all of it sealed and repacked; every answer is held against the
truth, and one that names somebody else ends the run. The engine's time is that of finding the mappings, in the process that stores them; the ledger's durable
record is what an answer waits for besides. Pages and bytes are counted by the engine and do not depend on the machine. nfdump reads the
file that nfcapd wrote of the same datagrams. DuckDB and chDB, on one thread each, have a table of the same mappings in the order of public address, port and
start, without encryption, log or attribution; each of 300 questions must find the holder alone.";

/// Runs the measuring program and makes the section.
pub fn measure(context: &Context<'_>) -> Result<Section> {
    let figures = context.figures("lookup")?;
    let mut table = Table::new(&["work", "stored mappings", "value"]);
    let mut lines: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for (work, x, figure) in &figures {
        table.row(&[work.clone(), x.map(number).unwrap_or_default(), figure.shown()]);
        let Some(x) = x.filter(|_| work.ends_with(", ms")) else { continue };
        match lines.iter_mut().find(|(name, _)| name == work) {
            Some((_, points)) => points.push((x, figure.median)),
            None => lines.push((work.clone(), vec![(x, figure.median)])),
        }
    }
    Ok(Section {
        title: "Look-up".to_owned(),
        text: TEXT.to_owned(),
        table,
        chart: Some(Chart { title: "One look-up".to_owned(), unit: "ms".to_owned(), kind: Kind::Lines(lines) }),
    })
}
