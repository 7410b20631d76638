//! NAT events over IPFIX: processor time an event and bytes an event, beside nfcapd in the same run.

use super::chart::{Chart, Kind};
use super::figures::Table;
use super::{Context, Result, Section};

/// Runs the measuring program and makes the section.
pub fn measure(context: &Context<'_>) -> Result<Section> {
    let figures = context.figures("bench_nat")?;
    let mut table = Table::new(&["work", "value"]);
    for (work, _, figure) in &figures {
        table.row(&[work.clone(), figure.shown()]);
    }
    // Only times stand in one picture: bytes beside microseconds would compare nothing.
    let bars = figures.iter().filter(|(work, ..)| work.contains("µs")).map(|(work, _, figure)| (work.clone(), figure.median)).collect();
    Ok(Section {
        title: "NAT events over IPFIX".to_owned(),
        text: "The same datagrams go to Weir and to nfcapd, one after the other, in every run.".to_owned(),
        table,
        chart: Some(Chart { title: "Processor time an event".to_owned(), unit: "µs".to_owned(), kind: Kind::Bars(bars) }),
    })
}
