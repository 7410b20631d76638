//! Is everything all right?

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use weir_base::time::Millis;
use weir_measure::State;
use weir_query::newest::newest;
use weir_query::rows::Wanted;
use weir_record::Kind;
use weir_store::engine::{Health, SourceInfo, Store};
use weir_web::model::overview::{ClauseName, GapState, MeasureState, Notice, StoreState};
use weir_web::model::words::Words;

use super::sources;
use crate::limits::{DESK_GAP_ROWS, DESK_GAPS, DESK_NOTICES};
use crate::measures::Register;
use crate::rows;

/// The store.
pub fn store(health: &Health, data: &Path) -> StoreState {
    StoreState {
        full: health.full,
        waiting_rows: health.waiting_rows as u64,
        last_sealed: health.last_sealed.map(Millis::to_rfc3339),
        log_size: health.log_size,
        open_mappings: health.open_mappings as u64,
        open_sessions: health.open_sessions as u64,
        wal_bytes: health.wal_bytes,
        free_bytes: free_bytes(data),
        trouble: health.trouble.clone().map(Words::of),
    }
}

/// Bytes that are free to the program on the file system of this folder.
pub fn free_bytes(data: &Path) -> u64 {
    rustix::fs::statvfs(data).map_or(0, |s| s.f_bavail.saturating_mul(s.f_frsize))
}

/// The measures.
pub fn measures(register: &Register) -> Vec<MeasureState> {
    let clause = |id: &&str| {
        let known = weir_measure::clause(id);
        ClauseName { id: (*id).to_owned(), zh: known.map_or("", |c| c.zh).to_owned(), en: known.map_or("", |c| c.en).to_owned() }
    };
    let one = |(d, h): (weir_measure::Description, weir_measure::Health)| MeasureState {
        name: d.name.to_owned(),
        zh: d.title.zh.to_owned(),
        en: d.title.en.to_owned(),
        state: h.state.name().to_owned(),
        since: h.since.to_rfc3339(),
        why: Words::some(h.why),
        clauses: d.obligations.iter().map(clause).collect(),
        last_drill: None,
    };
    register.each().map(one).collect()
}

/// The newest gaps, newest first: the last row of each, and those that were filled after all left out.
pub fn gaps(store: &Arc<Store>, sources: &[SourceInfo]) -> Vec<GapState> {
    let Ok(page) = newest(store, Wanted::all(Kind::Gap), None, DESK_GAP_ROWS) else { return Vec::new() };
    let rows = rows::objects(std::slice::from_ref(&page.rows));
    let number = |row: &Value, name: &str| row.get(name).and_then(Value::as_u64);
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut rows: Vec<&Value> = rows.iter().collect();
    // Of rows of one moment the later amendment counts.
    rows.sort_by_key(|r| (std::cmp::Reverse(text(r, "time")), std::cmp::Reverse(number(r, "amendment"))));
    let mut seen = std::collections::HashSet::new();
    let fresh: Vec<&Value> = rows.into_iter().filter(|r| seen.insert(text(r, "id"))).collect();
    let name = |n: u32| sources.iter().find(|s| s.number == n).map_or_else(String::new, |s| s.name.clone());
    let shown = |row: &Value| {
        let source = number(row, "source").and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let (from, to) = (text(row, "start"), text(row, "end"));
        GapState { source, name: name(source), from, to, count: number(row, "lost"), reason: text(row, "reason") }
    };
    fresh.into_iter().filter(|r| number(r, "lost") != Some(0)).map(shown).take(DESK_GAPS).collect()
}

/// What needs a person, worst first.
pub fn notices(health: &Health, register: &Register, all: &[SourceInfo], pending: usize, started: Millis, now: Millis) -> Vec<Notice> {
    let mut out = Vec::new();
    let mut tell = |level: &str, code: &str, text: String, since: Option<Millis>| {
        out.push(Notice { level: level.to_owned(), code: code.to_owned(), text: Words::of(text), since: since.map(Millis::to_rfc3339) });
    };
    if health.full {
        tell("error", "disk-full", "The disk is full: nothing is taken in until there is room.".to_owned(), health.full_since);
    }
    if let Some(trouble) = &health.trouble {
        tell("error", "store-trouble", trouble.clone(), None);
    }
    for (description, health) in register.each() {
        let (level, code) = match health.state {
            State::Stopped => ("error", "measure-stopped"),
            State::Degraded => ("warning", "measure-degraded"),
            State::Running => continue,
        };
        tell(level, code, format!("{}: {}", description.name, health.why), Some(health.since));
    }
    let mut more = 0;
    for (i, source) in all.iter().filter(|s| sources::state(s, started, now) != "ok").enumerate() {
        if i >= DESK_NOTICES {
            more += 1;
        } else if let Some(trouble) = &source.counters.trouble {
            tell("warning", "source-trouble", format!("{}: {trouble}", source.name), None);
        } else {
            tell("warning", "source-silent", format!("{} has sent nothing for five minutes.", source.name), source.counters.last_seen);
        }
    }
    if more > 0 {
        tell("warning", "source-more", format!("{more} more sources are silent or in trouble."), None);
    }
    if pending > 0 {
        tell("info", "settings-pending", format!("{pending} settings were changed; the next start takes them in."), None);
    }
    out.sort_by_key(|n| ["error", "warning", "info"].iter().position(|l| *l == n.level));
    out
}
