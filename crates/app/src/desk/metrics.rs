//! Metrics for Prometheus (text format 0.0.4). Sources stand there by kind and number: no account, address or name is in it.

use std::fmt::Write;

use weir_base::time::Millis;
use weir_measure::State;
use weir_store::engine::{Health, SourceInfo};

use crate::measures::Register;

type Counter = fn(&SourceInfo) -> u64;

const COUNTERS: &[(&str, &str, Counter)] = &[
    ("weir_source_messages_total", "Datagrams, frames or lines taken in.", |s| s.counters.messages),
    ("weir_source_records_total", "Records made from them.", |s| s.counters.records),
    ("weir_source_malformed_total", "Inputs not understood.", |s| s.counters.malformed),
    ("weir_source_lost_total", "Records known to be lost.", |s| s.lost.max(s.counters.lost)),
    ("weir_source_ignored_total", "Understood and not kept.", |s| s.counters.ignored),
    ("weir_source_unrecognised_total", "Lines that no dialect understands.", |s| s.counters.unrecognised),
    ("weir_source_duplicates_total", "Doubles.", |s| s.counters.duplicates),
    ("weir_source_trouble", "1 while the source is not well.", |s| u64::from(s.counters.trouble.is_some())),
];

/// Everything the metrics say.
pub struct Facts<'a> {
    /// The store.
    pub health: &'a Health,
    /// The sources.
    pub sources: &'a [SourceInfo],
    /// The measures.
    pub register: &'a Register,
    /// Bytes free in the data folder's file system.
    pub free_bytes: u64,
    /// Since when the program runs.
    pub started: Millis,
}

/// The text.
pub fn text(facts: &Facts<'_>) -> String {
    let mut out = String::new();
    let mut one = |name: &str, help: &str, value: u64| {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    };
    let seconds = |t: Millis| u64::try_from(t.0 / 1_000).unwrap_or(0);
    let h = facts.health;
    one("weir_start_time_seconds", "When the program started, seconds since 1970.", seconds(facts.started));
    one("weir_store_full", "1 while the disk is full.", u64::from(h.full));
    one("weir_store_trouble", "1 when the store is not well.", u64::from(h.trouble.is_some()));
    one("weir_store_waiting_rows", "Rows that are durable and not sealed.", h.waiting_rows as u64);
    one("weir_store_sealed_rows_total", "Rows sealed since the start.", h.sealed_rows);
    one("weir_store_last_sealed_seconds", "When something was last sealed, seconds since 1970.", h.last_sealed.map_or(0, seconds));
    one("weir_store_refused_groups_total", "Groups refused since the start.", h.refused_groups);
    one("weir_store_wal_bytes", "Bytes of the write-ahead log.", h.wal_bytes);
    one("weir_store_free_bytes", "Bytes free in the data folder's file system.", facts.free_bytes);
    one("weir_log_entries", "Entries of the transparency log.", h.log_size);
    one("weir_open_mappings", "Mappings sealed as open.", h.open_mappings as u64);
    one("weir_open_sessions", "Sessions sealed as open.", h.open_sessions as u64);
    let _ = writeln!(out, "# HELP weir_build_info The program's version.\n# TYPE weir_build_info gauge");
    let _ = writeln!(out, "weir_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(out, "# HELP weir_measure_up 1 running, 0.5 degraded, 0 stopped.\n# TYPE weir_measure_up gauge");
    for (description, health) in facts.register.each() {
        let value = match health.state {
            State::Running => "1",
            State::Degraded => "0.5",
            State::Stopped => "0",
        };
        let _ = writeln!(out, "weir_measure_up{{measure=\"{}\"}} {value}", description.name);
    }
    for (name, help, value) in COUNTERS {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for source in facts.sources {
            let _ = writeln!(out, "{name}{{kind=\"{}\",source=\"{}\"}} {}", source.kind, source.number, value(source));
        }
    }
    let _ = writeln!(out, "# HELP weir_source_last_seen_seconds When something last came, seconds since 1970.");
    let _ = writeln!(out, "# TYPE weir_source_last_seen_seconds gauge");
    for source in facts.sources.iter().filter_map(|s| Some((s, s.counters.last_seen?))) {
        let (source, seen) = source;
        let _ = writeln!(out, "weir_source_last_seen_seconds{{kind=\"{}\",source=\"{}\"}} {}", source.kind, source.number, seconds(seen));
    }
    out
}

#[cfg(test)]
mod tests {
    use weir_record::sink::SourceCounters;

    use super::*;

    #[test]
    fn sources_are_numbers_and_nothing_else_of_them_is_said() {
        let source = SourceInfo {
            number: 7,
            name: "cgn-secret".into(),
            kind: "ipfix".into(),
            realm: "realm-secret".into(),
            realm_number: 1,
            peer: "192.0.2.1".into(),
            profile: "rfc8158".into(),
            clock: "trust".into(),
            since: Millis(0),
            counters: SourceCounters {
                records: 12,
                trouble: Some("192.0.2.1 is away".into()),
                last_seen: Some(Millis(5_000)),
                ..Default::default()
            },
            lost: 3,
        };
        let health = Health { full: true, sealed_rows: 9, ..Health::default() };
        let register = Register::default();
        let facts = Facts { health: &health, sources: &[source], register: &register, free_bytes: 4, started: Millis(2_000) };
        let text = text(&facts);
        for line in [
            "weir_source_records_total{kind=\"ipfix\",source=\"7\"} 12",
            "weir_source_lost_total{kind=\"ipfix\",source=\"7\"} 3",
            "weir_source_trouble{kind=\"ipfix\",source=\"7\"} 1",
            "weir_source_last_seen_seconds{kind=\"ipfix\",source=\"7\"} 5",
            "weir_store_full 1",
            "weir_store_sealed_rows_total 9",
            "weir_start_time_seconds 2",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("secret") && !text.contains("192.0.2.1"), "{text}");
        // Every metric has its help and its type once, before its values.
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name}");
        }
    }
}
