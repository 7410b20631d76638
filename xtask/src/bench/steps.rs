//! One step at a time, each beside the program that people use for it today: RADIUS, syslog, sealing, verifying, starting.

use super::chart::{Chart, Kind};
use super::figures::{Table, number};
use super::{Context, Result, Section};

/// What a section says, and which of its readings stand in its chart.
struct Step {
    name: &'static str,
    title: &'static str,
    text: &'static str,
    chart: &'static str,
    unit: &'static str,
    /// Readings whose name holds this are bars.
    bars: &'static str,
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
        bars: "acknowledged a second",
    },
    Step {
        name: "syslog",
        title: "Log lines over TCP, into sealed units",
        text: "Eight connections send RFC 5424 lines as fast as they are taken for 60 seconds, 400,000 different ones again and again: sign-ins, privilege changes, cron,
web requests, kernel. Weir reads them by dialect, makes records of what it understands, keeps each line redacted and, encrypted apart, as it came, indexes the words, and
the clock stops when all of it is sealed. rsyslog and syslog-ng append the same lines to a file, which proves nothing later. The senders are on the same two cores.",
        chart: "Lines a second",
        unit: "/s",
        bars: "lines a second",
    },
    Step {
        name: "mixed",
        title: "Other records than one exporter's sessions",
        text: "Simulated minutes of 300,000 events a second, in one process as fast as it goes (no sockets): NAT44 sessions of one exporter with 50,000 subscribers; the same with
the remote ends of sessions kept; and 50 exporters, two of three over IPFIX, the others over NetFlow v9, each with 1,000 subscribers and NAT44 and NAT64 sessions and bindings and port blocks in one stream: every record may have
another template than the one before. Bytes are those of everything but the write-ahead log and the open tables, whose size is that of what is open and not that of the history.",
        chart: "Processor time an event",
        unit: "µs",
        bars: "µs of processor",
    },
    Step {
        name: "memory",
        title: "Memory that is bounded",
        text: "The program may hold so much (`store.memory_bytes`), in a control group that ends it when it takes 64 MiB more, which the kernel counts for itself; 300,000 NAT events a second come for 60 seconds.
What it may hold it does not exceed: units become shorter, and where sealing does not follow, sources wait and what the kernel drops is counted. Then the same with as many RADIUS messages for 60 seconds as are acknowledged:
each third begins a session, and 200,000 are remembered, as they are where nobody says otherwise.",
        chart: "The most it held, MB, by what it might hold",
        unit: "MB",
        bars: "weir: the most memory",
    },
    Step {
        name: "seal",
        title: "Sealing",
        text: "Two simulated minutes at 100,000 NAT events a second are durable; what is measured is the processor time of sealing them alone: pairing, sorting, encoding,
encrypting, hashing, the log's tiles and checkpoint. DuckDB and chDB, on one thread each, sort the same mappings and write them as Parquet (zstd), and do nothing else of it.",
        chart: "Rows a second of one core",
        unit: "/s",
        bars: "rows",
    },
    Step {
        name: "verify",
        title: "Verifying",
        text: "What `weir verify` does, over the folder of the section above: decrypts and decodes every file, hashes every row again, and holds files, rows, order and times
against the log. `sha256sum` over the same files shows what reading and hashing the bytes alone costs.",
        chart: "Records a second of one core",
        unit: "/s",
        bars: "weir: records",
    },
    Step {
        name: "start",
        title: "Starting with half a year of history",
        text: "184 days, an hour at a time, made in simulated time and repacked as it goes; the files are as many as in reality, and small. A process of its own opens the
folder and says when it listens; its memory is looked at a second later. Then the same after the catalog was lost, and after catalog and index were lost.",
        chart: "Until it listens",
        unit: "s",
        bars: "seconds",
    },
];

/// Runs the measuring program of that name and makes the section.
pub fn measure(context: &Context<'_>, name: &str) -> Result<Section> {
    let step = STEPS.iter().find(|step| step.name == name).ok_or_else(|| format!("no step '{name}'"))?;
    let figures = context.figures(step.name)?;
    let mut table = if name == "memory" { Table::new(&["work", "MB allowed", "value"]) } else { Table::new(&["work", "value"]) };
    for (work, x, figure) in &figures {
        let x = x.filter(|_| name == "memory");
        let words = [Some(work.clone()), x.map(number), Some(figure.shown())];
        table.row(&words.into_iter().flatten().collect::<Vec<_>>());
    }
    let named = |work: &str, x: Option<f64>| x.map_or_else(|| short(work), |x| format!("{} MB", number(x)));
    let bars: Vec<(String, f64)> = figures
        .iter()
        .filter(|(work, _, _)| work.contains(step.bars))
        .map(|(w, x, f)| (named(w, x.filter(|_| name == "memory")), f.median))
        .collect();
    let chart = Chart { title: step.chart.to_owned(), unit: step.unit.to_owned(), kind: Kind::Bars(bars) };
    Ok(Section { title: step.title.to_owned(), text: step.text.to_owned(), table, chart: Some(chart) })
}

/// What stands beside a bar: the program where several are compared, else what was done.
fn short(work: &str) -> String {
    match work.split_once(": ") {
        Some(("weir", rest)) if rest.starts_with("ready ") => rest.trim_start_matches("ready ").trim_end_matches(", seconds").to_owned(),
        Some((program, _)) => program.to_owned(),
        None => work.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_named_by_the_program_or_by_what_was_done() {
        for (work, named) in [
            ("FreeRADIUS with PostgreSQL: acknowledged a second", "FreeRADIUS with PostgreSQL"),
            ("weir: ready with its catalog and index, seconds", "with its catalog and index"),
            ("weir: records verified a second of one core", "weir"),
        ] {
            assert_eq!(short(work), named);
        }
    }
}
