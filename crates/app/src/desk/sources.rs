//! The sources, and what of theirs was not understood.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_query::newest::newest;
use weir_query::rows::Wanted;
use weir_record::Kind;
use weir_store::engine::{SourceInfo, Store};
use weir_web::model::source::{Malformed, Source};
use weir_web::model::words::Words;

use super::samples::Samples;
use crate::fail::Failure;
use crate::front::Reach;
use crate::limits::{DESK_MALFORMED, SILENT_MS};
use crate::rows;

/// Kinds that speak only when there is something to say: their silence means nothing.
const QUIET: &[&str] = &["desk", "detnat", "dhcp", "events", "host", "import"];

/// `ok`, `silent` or `trouble`.
pub fn state(source: &SourceInfo, started: Millis, now: Millis) -> &'static str {
    // What was heard before the start is not known: silence begins with it.
    let heard = source.counters.last_seen.unwrap_or(started).max(started);
    match () {
        () if source.counters.trouble.is_some() => "trouble",
        () if QUIET.contains(&source.kind.as_str()) => "ok",
        // A socket or a file is no sender: what stands for it has no address of its own.
        () if source.peer.parse::<Addr16>().is_err() => "ok",
        () if now.since(heard) > SILENT_MS => "silent",
        () => "ok",
    }
}

/// All of them.
pub fn list(all: &[SourceInfo], reach: &HashMap<u32, Reach>, samples: &Samples, started: Millis, now: Millis) -> Vec<Source> {
    let one = |s: &SourceInfo| {
        let c = &s.counters;
        Source {
            number: s.number,
            name: s.name.clone(),
            kind: s.kind.clone(),
            realm: s.realm.clone(),
            peer: s.peer.clone(),
            profile: s.profile.clone(),
            clock: s.clock.clone(),
            since: s.since.to_rfc3339(),
            state: state(s, started, now).to_owned(),
            trouble: c.trouble.clone().map(Words::of),
            last_seen: c.last_seen.map(Millis::to_rfc3339),
            complete_to: reach.get(&s.number).and_then(|r| r.evidence).map(Millis::to_rfc3339),
            offset_ms: c.offset_ms,
            rate: samples.rate(s.number),
            messages: c.messages,
            records: c.records,
            malformed: c.malformed,
            lost: s.lost.max(c.lost),
            ignored: c.ignored,
            unrecognised: c.unrecognised,
            duplicates: c.duplicates,
            spark: samples.spark(s.number),
        }
    };
    all.iter().map(one).collect()
}

/// The newest inputs of a source that were not understood. Through the mask: reason and shape, never bytes.
pub fn malformed(store: &Arc<Store>, source: u32) -> Result<Vec<Malformed>, Failure> {
    let page = newest(store, Wanted::all(Kind::Malformed), Some(source), DESK_MALFORMED).map_err(crate::views::failure)?;
    let one = |row: &Value| {
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| row.get(name).and_then(Value::as_u64);
        Malformed {
            time: text("time").unwrap_or_default(),
            reason: text("reason").unwrap_or_default(),
            offset: number("offset"),
            bytes: number("length"),
            shape: text("shape").filter(|s| !s.is_empty()),
        }
    };
    Ok(rows::objects(std::slice::from_ref(&page.rows)).iter().map(one).collect())
}
