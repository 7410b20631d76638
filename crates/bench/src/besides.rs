//! What a small network tells besides NAT events: sessions that begin and end, and log lines of its hosts with sign-ins among them, some each minute. So a unit
//! of every kind that records of a network have is sealed each minute, as it is where the program runs for months.

use std::sync::Arc;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::RadiusSession;
use weir_record::sink::{Group, RecordSink, SourceHandle};
use weir_sources::syslog::dialect::Table;
use weir_sources::syslog::engine::{Engine, Origin};
use weir_store::engine::Store;

use crate::lines::Lines;
use crate::shared::Outcome;
use crate::sources;
use crate::subscribers::{self, START, STOP, session};

/// Log lines of a minute: of every sort there is.
const LINES: usize = 20;
/// When the session of a minute begins and ends, milliseconds after the minute did.
const BEGINS_MS: i64 = 1_000;
const ENDS_MS: i64 = 41_000;

/// Who tells.
pub struct Besides {
    sink: Arc<dyn RecordSink>,
    engine: Engine,
    nas: SourceHandle,
}

impl Besides {
    /// Of a store that is empty so far.
    pub fn of(store: &Arc<Store>) -> Outcome<Besides> {
        let (sink, ids) = sources::front(store)?;
        let engine =
            Engine::new(Arc::new(sources::syslog_settings()?), Box::new(Arc::clone(&sink)), ids, Table::new(Table::built_in()), None);
        let nas = subscribers::nas(sink.as_ref())?;
        Ok(Besides { sink, engine, nas })
    }

    /// What it tells in the minute that begins now.
    pub fn minute(&mut self, now: Millis) -> Outcome<()> {
        let inside = Addr16::v4([100, 64, (now.0 / 60_000 % 250) as u8, (now.0 / 15_000_000 % 250) as u8]);
        let (begin, end) = (now.0 + BEGINS_MS, now.0 + ENDS_MS);
        let rows = [(START, begin), (STOP, end)].map(|(status, time)| session(&self.nas, inside, status, time, begin));
        let evidence = vec![(self.nas.number, Millis(end))];
        self.sink.commit(Group { batches: vec![(Kind::RadiusSession, RadiusSession::batch(&rows))], evidence, ..Group::new("radius") })?;
        let origin = Origin { peer: Addr16::v4([127, 0, 0, 13]), received: now, stream: Some(1), ack: None, perhaps_double: false };
        for line in Lines::some(LINES, now) {
            self.engine.line(&origin, line.trim_end().as_bytes(), false)?;
        }
        if let Some((group, _)) = self.engine.take() {
            self.sink.commit(group)?;
        }
        Ok(())
    }
}
