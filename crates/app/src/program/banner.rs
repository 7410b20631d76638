//! What the program says of itself on a terminal.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use weir_base::time::Millis;
use weir_store::engine::{Health, SourceInfo};

use crate::fail::Failure;
use crate::output;
use crate::ports::Ports;

/// Where everything is, ending with the line `ready`.
pub fn show(data: &Path, origin: &str, ports: &Ports, secrets: &[PathBuf], notes: &[String]) -> Result<(), Failure> {
    output::text(&text(data, origin, ports, secrets, notes))
}

fn text(data: &Path, origin: &str, ports: &Ports, secrets: &[PathBuf], notes: &[String]) -> String {
    let mut out = format!("weir {}: log {origin}, data {}\n", env!("CARGO_PKG_VERSION"), data.display());
    for (what, list) in [
        ("radius  udp", &ports.radius),
        ("ipfix   udp", &ports.ipfix_udp),
        ("ipfix   tcp", &ports.ipfix_tcp),
        ("syslog  udp", &ports.syslog_udp),
        ("syslog  tcp", &ports.syslog_tcp),
        ("syslog  tls", &ports.syslog_tls),
        ("relp    tcp", &ports.syslog_relp),
        ("h3c     udp", &ports.h3c_udp),
        ("events  http", &ports.events),
        ("events  https", &ports.events_tls),
    ] {
        for at in list {
            let _ = writeln!(out, "  {what} {at}");
        }
    }
    if let Some(url) = &ports.desk_url {
        let _ = writeln!(out, "  desk    {url}");
    }
    for path in secrets {
        let _ = writeln!(out, "  secret  {}", path.display());
    }
    for note in notes {
        let _ = writeln!(out, "  note    {}", note.replace('\n', "\n          "));
    }
    out.push_str("ready\n");
    out
}

/// One line about the last minute.
pub fn health_line(health: &Health, sources: &[SourceInfo], now: Millis) -> String {
    let sum = |of: fn(&SourceInfo) -> u64| sources.iter().map(of).sum::<u64>();
    let state = if health.full { "DISK FULL" } else { "ok" };
    let sealed = health.last_sealed.map_or_else(|| "never".to_owned(), Millis::to_rfc3339);
    let troubled = sources.iter().filter(|s| s.counters.trouble.is_some()).count();
    format!(
        "{now} {state}: {} sources ({troubled} in trouble), {} messages, {} records, {} lost, {} malformed; {} rows wait, last sealed {sealed}, log {}",
        sources.len(),
        sum(|s| s.counters.messages),
        sum(|s| s.counters.records),
        sum(|s| s.lost.max(s.counters.lost)),
        sum(|s| s.counters.malformed),
        health.waiting_rows,
        health.log_size,
    )
}
