//! One step at a time, each beside the program that people use for it today: RADIUS, syslog, sealing, verifying, starting.

use super::chart::{Chart, Kind};
use super::figures::Table;
use super::readings::{Measured, bars};
use super::{Result, Section};

/// What a section says, and which of its readings stand in its chart.
struct Step {
    name: &'static str,
    title: &'static str,
    text: &'static str,
    chart: &'static str,
    unit: &'static str,
    /// Readings of these names are bars, each with what stands below it.
    bars: &'static [(&'static str, &'static str)],
}

const STEPS: &[Step] = &[
    Step {
        name: "radius",
        title: "RADIUS accounting, acknowledged after it is durable",
        text: "Starts, updates and stops of 50,000 subscribers go from sixteen sockets over loopback to the RADIUS source and the store for 60 seconds, at most 4,096 requests
on their way; the sender is on the same two cores, makes every packet (MD5) and reads every answer. An answer leaves after the group's fsync. FreeRADIUS runs its own
SQL module with PostgreSQL's queries as they are shipped, 512 requests on their way (with more it answers fewer), PostgreSQL with `fsync` and `synchronous_commit` on.",
        chart: "Acknowledged a second",
        unit: "/s",
        bars: &[
            ("weir: acknowledged a second, each after fsync", "weir"),
            ("FreeRADIUS with PostgreSQL: acknowledged a second", "FreeRADIUS with PostgreSQL"),
        ],
    },
    Step {
        name: "syslog",
        title: "Log lines over TCP, into sealed units",
        text: "Eight connections send RFC 5424 lines as fast as they are taken for 60 seconds, 400,000 different ones again and again: sign-ins, privilege changes, cron,
web requests, kernel. Weir reads them by dialect, makes records of what it understands, keeps each line redacted and, encrypted apart, as it came, indexes the words, and
the clock stops when all of it is sealed. rsyslog and syslog-ng append the same lines to a file, which proves nothing later. The senders are on the same two cores. The goal is 500,000 where syslog-ng appends 555,000 (decision 0021): at least 0.9 times as many.",
        chart: "Lines a second",
        unit: "/s",
        bars: &[
            ("weir: lines a second, all of them sealed", "weir"),
            ("rsyslog: lines a second, all of them in its file", "rsyslog"),
            ("syslog-ng: lines a second, all of them in its file", "syslog-ng"),
        ],
    },
    Step {
        name: "mixed",
        title: "Other records than one exporter's sessions",
        text: "Simulated minutes of 300,000 events a second, in one process as fast as it goes (no sockets): NAT44 sessions of one exporter with 50,000 subscribers; the same with
the remote ends of sessions kept; and 50 exporters, two of three over IPFIX, the others over NetFlow v9, each with 1,000 subscribers and NAT44 and NAT64 sessions and bindings and port blocks in one stream: every record may have
another template than the one before. Bytes are those of everything but the write-ahead log and the open tables, whose size is that of what is open and not that of the history.",
        chart: "Processor time an event",
        unit: "µs",
        bars: &[
            ("sessions of one exporter: µs of processor an event", "one exporter"),
            ("the same, remote ends kept: µs of processor an event", "remote ends kept"),
            ("50 exporters, everything mixed: µs of processor an event", "50 exporters, mixed"),
        ],
    },
    Step {
        name: "seal",
        title: "Sealing",
        text: "Two simulated minutes at 100,000 NAT events a second are durable; what is measured is the processor time of sealing them alone: pairing, sorting, encoding,
encrypting, hashing, the log's tiles and checkpoint; again and again for 60 seconds, each time into an empty folder. DuckDB and chDB, on one thread each, sort the same mappings once and write them as Parquet (zstd), and do nothing else of it.",
        chart: "Rows a second of one core",
        unit: "/s",
        bars: &[
            ("weir: rows sealed a second of one core", "weir"),
            ("DuckDB: rows sorted and written a second of one core", "DuckDB"),
            ("chDB: rows sorted and written a second of one core", "chDB"),
        ],
    },
    Step {
        name: "verify",
        title: "Verifying",
        text: "What `weir verify` does, over the folder of the section above: decrypts and decodes every file, hashes every row again, and holds files, rows, order and times
against the log; again and again for 60 seconds. `sha256sum` over the same files, once, shows what reading and hashing the bytes alone costs.",
        chart: "Records a second of one core",
        unit: "/s",
        bars: &[
            ("weir: records verified a second of one core", "weir"),
            ("sha256sum: the same records a second of one core, bytes only", "sha256sum, bytes only"),
        ],
    },
    Step {
        name: "start",
        title: "Starting with half a year of history",
        text: "184 days with NAT mappings, a RADIUS session and log lines (sign-ins among them) in each minute, made in simulated time, sealed each minute and repacked each hour, as the program does it: 264,960 units of each kind of record in some 4,400 files, as many as in reality, and small (the folder lies in memory, `TMPDIR=/dev/shm`: on a disk, making it takes hours, as each seal waits for its syncs). The whole program, SQL and desk and all, opens the
folder with a configuration for one network of exporters and says when it is ready; its memory is looked at ten seconds later, in which nobody asks it anything. The same is done by a process of sources and store alone, a second later. Then both
after the catalog was lost, and the process alone after catalog and index were lost. The goals: 2 s and 150 MB with the catalog there, ten minutes without.",
        chart: "Until it listens",
        unit: "s",
        bars: &[
            ("weir, the whole program: ready with its catalog and index, seconds", "whole program"),
            ("weir, the whole program: ready after its catalog was lost, seconds", "whole program, catalog lost"),
            ("weir: ready with its catalog and index, seconds", "with catalog and index"),
            ("weir: ready after its catalog was lost, seconds", "catalog lost"),
            ("weir: ready after its catalog and all of its index were lost, seconds", "catalog, index lost"),
        ],
    },
];

/// The section of that name, of these figures.
pub fn section(name: &str, figures: &[Measured]) -> Result<Section> {
    let step = STEPS.iter().find(|step| step.name == name).ok_or_else(|| format!("no step '{name}'"))?;
    let mut table = Table::new(&["work", "value"]);
    figures.iter().for_each(|(work, _, figure)| table.row(&[work.clone(), figure.shown()]));
    let chart = Chart { title: step.chart.to_owned(), unit: step.unit.to_owned(), kind: Kind::Bars(bars(step.bars, figures)?) };
    Ok(Section { title: step.title.to_owned(), text: step.text.to_owned(), table, chart })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Figure;

    #[test]
    fn what_is_measured_beside_us_has_a_bar_of_its_own() {
        for step in STEPS {
            let figures: Vec<Measured> =
                step.bars.iter().map(|(reading, _)| ((*reading).to_owned(), None, Figure::of(&[2.0]).unwrap())).collect();
            let svg = section(step.name, &figures).unwrap().chart.svg();
            assert!(step.bars.iter().all(|(_, name)| svg.contains(&format!(">{name}<"))), "{svg}");
        }
        let verify = STEPS.iter().find(|step| step.name == "verify").unwrap();
        assert!(verify.bars.iter().any(|(reading, _)| reading.starts_with("sha256sum: ")));
    }
}
