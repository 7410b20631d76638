//! What is measured at several sizes: files of questions, look-ups over what is stored, look-ups beside events, what grows, and what memory bounds.

use super::chart::{Chart, Kind};
use super::figures::{Table, number};
use super::readings::{Measured, lines};
use super::{Result, Section};

/// What a section says, and which of its readings stand in its chart.
struct Sizes {
    name: &'static str,
    title: &'static str,
    text: &'static str,
    /// Above the column of sizes.
    size: &'static str,
    chart: &'static str,
    unit: &'static str,
    /// Readings of these names are lines, each with what stands beside it.
    lines: &'static [(&'static str, &'static str)],
    /// The size itself is a line of this name: where it is what the values may not exceed.
    limit: Option<&'static str>,
}

/// The lines of what grows.
const GROWTH: &[(&str, &str)] = &[
    ("weir: µs of processor an event", "µs an event"),
    ("weir: the most memory it held, MB", "memory, MB"),
    ("weir: memory besides the records sent, MB", "memory, MB"),
    ("weir: units and index, bytes an event", "bytes an event"),
    ("weir: the open table, bytes an open mapping on disk", "bytes a mapping"),
    ("weir: one question, p50, ms", "question p50, ms"),
    ("weir: one question, p99, ms", "question p99, ms"),
    ("nfcapd (LZ4): µs of processor an event", "nfcapd, µs an event"),
];

const SIZES: &[Sizes] = &[
    Sizes {
        name: "lookup",
        title: "Look-up",
        text: "1,000 questions about mappings that were, one after the other, all of it sealed and repacked; every answer is held against the
truth, and one that names somebody else ends the run. The engine's time is that of finding the mappings, in the process that stores them; the ledger's durable
record is what an answer waits for besides. Pages and bytes are counted by the engine and do not depend on the machine. nfdump reads the
file that nfcapd wrote of the same datagrams. DuckDB and chDB, on one thread each, have a table of the same mappings in the order of public address, port and
start, without encryption, log or attribution; each of 300 questions must find the holder alone. Whoever asks is on the same two processors.",
        size: "stored mappings",
        chart: "One look-up",
        unit: "ms",
        lines: &[
            ("weir: one question, engine, p50, ms", "weir, p50"),
            ("weir: one question, engine, p99, ms", "weir, p99"),
            ("weir: the ledger's durable record of it, p50, ms", "weir's ledger, p50"),
            ("nfdump: one question, median, ms", "nfdump, median"),
            ("DuckDB: one question, p50, ms", "DuckDB, p50"),
            ("DuckDB: one question, p99, ms", "DuckDB, p99"),
            ("chDB: one question, p50, ms", "chDB, p50"),
            ("chDB: one question, p99, ms", "chDB, p99"),
        ],
        limit: None,
    },
    Sizes {
        name: "batch",
        title: "A file of questions",
        text: "100,000 questions of a file in no order, each about a mapping that was: sorted, shared out among the processors, answered from pages that are decoded
once, put back into the file's order, attribution included: behind each address stands a session of RADIUS accounting, which began a minute to seventeen hours before (most are over since, one in four goes on); every answer is held against the truth, holder and subscriber, and one that names somebody else ends the run. Beside it 2,000 of the questions one by one, and the
command: the whole program serves the folder, `weir lookup --batch FILE --json` reads the file, asks, and has written all answers down when the clock stops; the ledger's two records are durable. Both are on the same two processors. What is open in the middle of a round crosses a seal; so do all sessions.",
        size: "stored mappings",
        chart: "Questions a second",
        unit: "/s",
        lines: &[
            ("weir lookup --batch: a second, from its start to its end", "the command"),
            ("weir: a file of questions, on two processors, a second", "file, 2 processors"),
            ("weir: a file of questions, on one processor, a second", "file, 1 processor"),
            ("weir: the same one by one, a second", "one by one"),
        ],
        limit: None,
    },
    Sizes {
        name: "scale",
        title: "One look-up, from ten million to a thousand million stored events",
        text: "The same two minutes of 80,000 NAT events a second, again and again in simulated time, through decoder, write-ahead log, sealing (once a minute, while some are open) and index; at each
size 10,000 questions about mappings of any minute, one after the other, in the process that stores them, then 200 with all files of the folder out of the machine's cache (`posix_fadvise`) before
each. A process of its own then serves the folder (at the smaller sizes a copy of it) and is asked the same, each answer after the ledger's durable record. Every answer is held against the truth.
Pages and bytes are counted by the engine and do not depend on the machine; processor time leaves out what others took of the machine meanwhile.",
        size: "stored events",
        chart: "One look-up",
        unit: "ms",
        lines: &[
            ("weir: one question, p50, ms", "p50"),
            ("weir: one question, p99, ms", "p99"),
            ("weir: one question, processor, p99, ms", "p99, processor"),
            ("weir: in the program that serves, engine, p99, ms", "p99, serving"),
            ("weir: from a cold disk, p50, ms", "cold, p50"),
            ("weir: from a cold disk, p99, ms", "cold, p99"),
        ],
        limit: None,
    },
    Sizes {
        name: "beside",
        title: "A thousand look-ups a second beside events",
        text: "NAT events over loopback for 60 seconds, those of a network of its own for each 100,000 a second, and meanwhile 1,010 questions a second, about each of these networks in turn
and mappings that ended at least five seconds before, some of them sealed, some not. Those that are due together share one durable record in the ledger. Sender and asker are on the same two
processors. What is not kept must be counted as lost. Questions a second are counted from when the first of them were due.",
        size: "events/s offered",
        chart: "One look-up beside events",
        unit: "ms",
        lines: &[("weir: one question, engine, p50, ms", "p50"), ("weir: one question, engine, p99, ms", "p99")],
        limit: None,
    },
    Sizes {
        name: "growth-rate",
        title: "As the rate grows",
        text: "NAT events over loopback for 60 seconds, those of a network of 50,000 subscribers for each 100,000 a second; then everything is sealed, repacked, and asked about. `nfcapd` gets the same events after it, as in the section on NAT events. At the top more comes than two processors take that also send it: what is
missing is counted, and the last message of the sender says how many there were, so that the program's count of what was lost can be held against it.",
        size: "events/s offered",
        chart: "As the rate grows",
        unit: "",
        lines: GROWTH,
        limit: None,
    },
    Sizes {
        name: "growth-history",
        title: "As the history grows",
        text: "A few thousand events in each hour of so many days, in simulated time, repacked as it goes; files and runs are as many as in reality, and small, so their fixed parts weigh more than they
would. Memory is the most that a process holds which serves a copy of the folder and answers the same questions.",
        size: "days",
        chart: "As the history grows",
        unit: "",
        lines: GROWTH,
        limit: None,
    },
    Sizes {
        name: "growth-exporters",
        title: "As the exporters grow",
        text: "100,000 NAT events a second for 60 seconds, shared among so many exporters, each with its own address, templates, sequence numbers and public addresses; the 50,000 subscribers are shared among them likewise.
The senders are on the same two processors.",
        size: "exporters",
        chart: "As the exporters grow",
        unit: "",
        lines: GROWTH,
        limit: None,
    },
    Sizes {
        name: "growth-open",
        title: "As open mappings grow",
        text: "So many mappings begin in one simulated minute and none ends; then they are asked about. Memory is what the process holds besides the records it sends to itself. An event here is a create:
a row of its own, and an entry of the open table.",
        size: "open mappings",
        chart: "As open mappings grow",
        unit: "",
        lines: GROWTH,
        limit: None,
    },
    Sizes {
        name: "memory",
        title: "Memory that is bounded",
        text: "The program may hold so much (`store.memory_bytes`), in a control group that ends it when it takes 64 MiB more, which the kernel counts for itself; 300,000 NAT events a second come for 60 seconds.
What it may hold it does not exceed: units become shorter, and where sealing does not follow, sources wait and what the kernel drops is counted. Then the same with as many RADIUS messages for 60 seconds as are acknowledged:
each third begins a session, and 200,000 are remembered, as they are where nobody says otherwise; then with log lines over eight connections. At last the whole program, `weir run` as anybody runs it, with 100,000 NAT events a second, RADIUS and log lines all
at once, as much of these as is taken, and each second a statement of SQL and a look-up. The senders are on the same two processors. What the control group saw has in it what the kernel
caches of files, which it gives back before it ends anything.",
        size: "MB allowed",
        chart: "The most it held, by what it might hold",
        unit: "MB",
        lines: &[
            ("weir: the most memory it held, MB", "NAT events"),
            ("weir, RADIUS: the most memory it held, MB", "RADIUS"),
            ("weir, log lines: the most memory it held, MB", "log lines"),
            ("weir, the whole program: the most memory it held, MB", "the whole program"),
            ("weir: the control group's limit, MB", "control group"),
        ],
        limit: Some("may hold"),
    },
];

/// The section of that name, of these figures.
pub fn section(name: &str, figures: &[Measured]) -> Result<Section> {
    let sizes = SIZES.iter().find(|sizes| sizes.name == name).ok_or_else(|| format!("no benchmark '{name}'"))?;
    let mut table = Table::new(&["work", sizes.size, "value"]);
    figures.iter().for_each(|(work, x, figure)| table.row(&[work.clone(), x.map(number).unwrap_or_default(), figure.shown()]));
    let mut lines = lines(sizes.lines, figures);
    if let Some(limit) = sizes.limit {
        let mut points: Vec<(f64, f64)> = figures.iter().filter_map(|(_, x, _)| x.map(|x| (x, x))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.dedup();
        lines.push((limit.to_owned(), points));
    }
    let chart = Chart { title: sizes.chart.to_owned(), unit: sizes.unit.to_owned(), kind: Kind::Slopes(lines) };
    Ok(Section { title: sizes.title.to_owned(), text: sizes.text.to_owned(), table, chart })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Figure;

    #[test]
    fn every_size_has_a_name_of_its_own_and_lines() {
        let mut all: Vec<_> = SIZES.iter().map(|sizes| sizes.name).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), SIZES.len());
        assert!(all.iter().all(|name| crate::bench::chosen(&[(*name).to_owned()]).is_ok()));
        assert!(SIZES.iter().all(|sizes| !sizes.lines.is_empty()));
    }

    fn charted(name: &str, works: &[&str], sizes: &[f64]) -> String {
        let mut figures: Vec<Measured> = Vec::new();
        for work in works {
            figures.extend(sizes.iter().map(|size| ((*work).to_owned(), Some(*size), Figure::of(&[size / 2.0]).unwrap())));
        }
        section(name, &figures).unwrap().chart.svg()
    }

    #[test]
    fn what_may_be_held_stands_beside_what_was_held() {
        let works =
            ["weir: the most memory it held, MB", "weir: the control group's limit, MB", "weir, RADIUS: the most memory it held, MB"];
        let svg = charted("memory", &works, &[512.0, 1024.0]);
        for line in ["NAT events", "RADIUS", "control group", "may hold"] {
            assert!(svg.contains(&format!(">{line}<")), "no line '{line}' in {svg}");
        }
        assert_eq!(svg.matches("stroke-width").count(), 4, "{svg}");
    }

    #[test]
    fn what_grows_is_processor_memory_disk_and_questions() {
        let works = [
            "weir: µs of processor an event",
            "weir: memory besides the records sent, MB",
            "weir: the open table, bytes an open mapping on disk",
            "weir: one question, p99, ms",
        ];
        let svg = charted("growth-open", &works, &[1e4, 1e7]);
        for line in ["µs an event", "memory, MB", "bytes a mapping", "question p99, ms"] {
            assert!(svg.contains(&format!(">{line}<")), "no line '{line}' in {svg}");
        }
    }
}
