//! NAT events over IPFIX: processor time an event and bytes an event, beside nfcapd in the same run.

use super::chart::{Chart, Kind};
use super::figures::{Table, number};
use super::readings::{Measured, lines};
use super::{Result, Section};

const TEXT: &str = "Session events (creates and deletes) of one carrier-grade NAT with 50,000 subscribers, made by the simulator beforehand and
moved to the time of sending, go over loopback to the IPFIX source and the store (`weir-bench serve`) and then to `nfcapd`: the same datagrams at the
same rate, each into an empty folder, the generator on the same two processors, 60 seconds at each rate. Weir's processor time runs from ready until
everything is durable, paired, sorted, sealed, encrypted, indexed and repacked; nfcapd's is that of its whole life, in which it writes down what comes, LZ4
compressed. Bytes are those after a clean stop. The open tables hold what is open, whatever the history: over a minute they weigh much, over
months nothing. Weir drops the remote ends of sessions by default, nfcapd keeps them. The goal is 0.45 µs where nfcapd takes 0.22 (decision 0020): at most
2.05 times as much.";

const REMOTES: &str = "As in the section above, with the remote ends of sessions kept (`[[sources.ipfix.remotes]]`, policy `keep`), as `nfcapd` keeps them; 60 seconds at each rate.";

/// Only times stand in one picture: bytes beside microseconds would compare nothing.
const LINES: &[(&str, &str)] = &[("weir: µs of processor an event", "weir"), ("nfcapd (LZ4): µs of processor an event", "nfcapd (LZ4)")];

/// The section of these figures.
pub fn section(name: &str, figures: &[Measured]) -> Result<Section> {
    let mut table = Table::new(&["work", "events/s offered", "value"]);
    for (work, rate, figure) in figures {
        table.row(&[work.clone(), rate.map(number).unwrap_or_default(), figure.shown()]);
    }
    let (title, text) = if name == "remotes" { ("NAT events with their remote ends", REMOTES) } else { ("NAT events over IPFIX", TEXT) };
    Ok(Section {
        title: title.to_owned(),
        text: text.to_owned(),
        table,
        chart: Chart { title: "Processor time an event".to_owned(), unit: "µs".to_owned(), kind: Kind::Lines(lines(LINES, figures)) },
    })
}
