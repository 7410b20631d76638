//! `weir size`: what disk, processor and memory a unit of a given size needs, from what Weir was measured to take.

mod figures;
mod memory;
mod model;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use model::{Need, need};

use crate::cli::{LogArg, SizeArgs};
use crate::fail::Failure;
use crate::limits::MEMORY_AUTO_MAX;
use crate::output;

/// Runs the command.
pub fn run(args: &SizeArgs) -> Result<ExitCode, Failure> {
    let need = need(args);
    if args.json {
        output::json(&need)?;
    } else {
        output::text(&shown(args, &need))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A number of things, as people read it.
fn count(n: f64) -> String {
    scaled(n, 1_000.0, &["", " k", " M", " G", " T", " P"])
}

/// Bytes, in decimal units as disks are sold.
fn bytes(n: f64) -> String {
    scaled(n, 1_000.0, &[" B", " kB", " MB", " GB", " TB", " PB", " EB"])
}

fn scaled(n: f64, by: f64, units: &[&str]) -> String {
    let (mut n, mut at) = (n, 0);
    while n >= by && at + 1 < units.len() {
        n /= by;
        at += 1;
    }
    let unit = units.get(at).copied().unwrap_or_default();
    if n < 10.0 && n.fract() > 0.05 { format!("{n:.1}{unit}") } else { format!("{n:.0}{unit}") }
}

fn shown(args: &SizeArgs, need: &Need) -> String {
    let rows: Vec<Vec<String>> = need
        .flows
        .iter()
        .map(|f| {
            vec![
                f.what.to_owned(),
                count(f.a_day),
                count(f.a_second),
                count(f.busiest),
                format!("{:.1}", f.bytes_each),
                bytes(f.bytes_a_day),
                format!("{:.2}", f.cores),
            ]
        })
        .collect();
    let head = ["what comes", "a day", "a second", "at the busiest", "bytes each", "disk a day", "cores at the busiest"];
    let mut out = output::table(&head, &rows);
    out.push('\n');
    let all = [
        vec![format!("records of {} days", need.days), bytes(need.records_bytes)],
        vec!["disk to buy: with the write-ahead log, a quarter free".to_owned(), bytes(need.disk_bytes)],
        vec!["cores to buy: half of their time is for questions and checks".to_owned(), need.cores.to_string()],
        vec!["memory that the program may hold (store.memory_bytes)".to_owned(), bytes(need.store_memory_bytes)],
        vec!["memory to buy: the program takes half of it".to_owned(), bytes(need.memory_bytes)],
    ];
    out.push_str(&output::table(&["needed", ""], &all));
    if let Some(text) = need.text_bytes.filter(|_| need.records_bytes > 0.0) {
        let times = text / need.records_bytes;
        out.push_str(&format!(
            "\nThe same connections as lines of text (RFC 7422: 150 bytes each): {}, {times:.0} times as much.\n",
            bytes(text)
        ));
    }
    if need.store_memory_bytes > MEMORY_AUTO_MAX as f64 {
        let most = bytes(MEMORY_AUTO_MAX as f64);
        out.push_str(&format!(
            "\nBy itself the program takes {most} of memory at most: set store.memory_bytes = {:.0}.\n",
            need.store_memory_bytes
        ));
    }
    if args.log == LogArg::Blocks {
        out.push_str("\nAn event of a port block is counted as a session's: blocks alone were not measured, and those that are open for long may take twice the disk.\n");
    }
    if args.log == LogArg::Deterministic {
        out.push_str("\nMappings are computed: only the dated configuration is kept, so not one change of it may be missing (docs/sources/detnat.md).\n");
    }
    if need.beyond {
        out.push_str("\nThe busiest second is beyond what was measured on two cores: try it on the machine you mean, or divide the exporters among several.\n");
    }
    out.push_str("\nMeasured on two cores of a virtual machine, in the middle of three runs where there were three; from hour to hour the same took up to 1.4 times the processor of its best hour, which the half that stays free covers. docs/sizing.md says how each figure comes about. Count your own connections, they differ widely.\n");
    out
}
