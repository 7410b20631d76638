//! What is durable in the write-ahead log and not sealed yet, kept so that it can be looked up and sealed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{AsArray, RecordBatch};
use weir_base::net::Prefix;
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{NatEvent, RadiusSession};
use weir_record::{Id, Kind};

use crate::nat::event::Event;
use crate::nat::pack::NatEvents;
use crate::session::rows::SessionRows;
use weir_base::hash::MixState;

/// One generation: what came between two seal cycles.
#[derive(Debug, Default)]
pub struct Generation {
    /// Batches by kind, in the order of their groups.
    pub batches: BTreeMap<Kind, Vec<RecordBatch>>,
    /// Rows in all.
    pub rows: usize,
    /// Bytes in memory of what is not a NAT event: lines and sessions are of any length, so that rows alone bound nothing.
    pub bytes: usize,
    /// When its first group came; none while empty.
    pub opened: Option<Millis>,
    /// Number of the last group in it.
    pub last_group: u64,
    /// NAT events, which are not in `batches`.
    pub nat: NatEvents,
    sessions: SessionLive,
}

/// Bytes a session's event takes besides its batch: its places in the lists, a hundred at most, and what sealing makes of its 34 columns at one time.
const SESSION_ROW_BYTES: usize = 512;

/// Sessions by id and by what they hold. Rows stay in their batches: few are ever asked for. Lists lead from each row to the one before it.
#[derive(Debug, Default)]
struct SessionLive {
    /// Number of the first row of each batch.
    starts: Vec<u32>,
    /// The last row of each session.
    by_id: HashMap<Id, u32, MixState>,
    /// The row before of the same session.
    earlier: Vec<u32>,
    /// The last of `holds` of each prefix.
    by_prefix: HashMap<Prefix, u32, MixState>,
    /// Rows that name a prefix, each with the place of the one before of the same prefix.
    holds: Vec<(u32, u32)>,
    lengths: BTreeSet<u8>,
}

/// Nothing is before it.
const NONE: u32 = u32::MAX;

impl Generation {
    /// True when nothing has come.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes in memory.
    pub fn weight(&self) -> usize {
        self.bytes + self.nat.bytes()
    }

    /// Takes a durable batch in.
    pub fn push(&mut self, group: u64, kind: Kind, batch: RecordBatch, now: Millis) {
        self.last_group = self.last_group.max(group);
        if batch.num_rows() == 0 {
            return;
        }
        self.opened.get_or_insert(now);
        self.rows += batch.num_rows();
        if kind == Kind::NatEvent {
            return self.nat.push(&batch);
        }
        self.bytes += weir_record::column::memory(&batch);
        if kind == Kind::RadiusSession {
            self.bytes += batch.num_rows() * SESSION_ROW_BYTES;
            self.sessions.push(&batch);
        }
        self.batches.entry(kind).or_default().push(batch);
    }

    /// Rows of a kind, as they came; NAT events by public address.
    pub fn rows_of(&self, kind: Kind) -> Vec<RecordBatch> {
        if kind == Kind::NatEvent && !self.nat.is_empty() {
            return vec![NatEvent::batch(&self.nat.all().iter().map(Event::record).collect::<Vec<_>>())];
        }
        self.batches.get(&kind).cloned().unwrap_or_default()
    }

    /// Ids of sessions that an event not yet sealed gives this prefix.
    pub fn session_ids_at(&self, prefix: Prefix) -> BTreeSet<Id> {
        let live = &self.sessions;
        let place = live.by_prefix.get(&prefix).copied();
        let holds = std::iter::successors(place.and_then(|at| live.holds.get(at as usize)), |(_, before)| live.holds.get(*before as usize));
        holds.filter_map(|(row, _)| self.session_row(*row)).map(|(batch, row)| session_of(batch, row)).collect()
    }

    /// The batch and the row in it of a session's event.
    fn session_row(&self, number: u32) -> Option<(&RecordBatch, usize)> {
        let batch = self.sessions.starts.partition_point(|start| *start <= number).checked_sub(1)?;
        let first = *self.sessions.starts.get(batch)?;
        Some((self.batches.get(&Kind::RadiusSession)?.get(batch)?, (number - first) as usize))
    }

    /// Lengths of the prefixes that events not yet sealed name.
    pub fn lengths(&self) -> &BTreeSet<u8> {
        &self.sessions.lengths
    }

    /// Events of one session, in the order they came.
    pub fn session_rows(&self, id: Id) -> Vec<RadiusSession> {
        let live = &self.sessions;
        let last = live.by_id.get(&id).copied();
        let numbers = std::iter::successors(last, |number| live.earlier.get(*number as usize).copied().filter(|before| *before != NONE));
        let rows = numbers.filter_map(|number| self.session_row(number));
        let mut rows: Vec<_> = rows.map(|(batch, row)| RadiusSession::row(batch.columns(), row)).collect();
        rows.reverse();
        rows
    }
}

fn session_of(batch: &RecordBatch, row: usize) -> Id {
    let column = batch.column(Kind::RadiusSession.spec().index("session").unwrap_or(0));
    Id(weir_record::column::bytes16(column.as_fixed_size_binary(), row))
}

impl SessionLive {
    fn push(&mut self, batch: &RecordBatch) {
        let rows = SessionRows::of(batch);
        // Far more than a generation ever has; what is beyond is sealed without being found before.
        let Ok(first) = u32::try_from(self.earlier.len()) else { return };
        self.starts.push(first);
        let mut prefixes = Vec::new();
        for row in 0..rows.len() {
            let number = u32::try_from(self.earlier.len()).unwrap_or(NONE);
            self.earlier.push(self.by_id.insert(rows.session(row), number).unwrap_or(NONE));
            prefixes.clear();
            rows.prefixes(row, &mut prefixes);
            for prefix in &prefixes {
                self.lengths.insert(prefix.bits);
                let place = u32::try_from(self.holds.len()).unwrap_or(NONE);
                self.holds.push((number, self.by_prefix.insert(*prefix, place).unwrap_or(NONE)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_base::net::Addr16;

    use super::*;

    #[test]
    fn sessions_are_found_by_what_each_row_names() {
        let addr = |text: &str| Some(text.parse::<Addr16>().unwrap());
        let rows: Vec<RadiusSession> = vec![
            RadiusSession { session: Id([1; 16]), framed_ipv4: addr("192.0.2.1"), time: Millis(1), ..Default::default() },
            RadiusSession {
                session: Id([2; 16]),
                framed_ipv6: addr("2001:db8::2"),
                delegated_prefix: addr("2001:db8:7::"),
                ..Default::default()
            },
            RadiusSession {
                session: Id([2; 16]),
                delegated_prefix: addr("2001:db8:7::"),
                delegated_prefix_bits: Some(48),
                framed_prefix: addr("2001:db8:8::"),
                framed_prefix_bits: Some(64),
                ..Default::default()
            },
            RadiusSession {
                session: Id([1; 16]),
                framed_ipv4: addr("192.0.2.1"),
                other_addresses: Some("d 2001:db8:9::/56".into()),
                ..Default::default()
            },
        ];
        let mut generation = Generation::default();
        let batch = RadiusSession::batch(&rows);
        generation.push(1, Kind::RadiusSession, batch.slice(0, 1), Millis(0));
        generation.push(2, Kind::RadiusSession, batch.slice(1, 3), Millis(0));
        assert_eq!(generation.session_rows(Id([1; 16])), [rows[0].clone(), rows[3].clone()]);
        assert_eq!(generation.session_rows(Id([2; 16])), rows[1..3]);
        assert_eq!(generation.session_rows(Id([3; 16])), []);
        for row in &rows {
            for name in row.names() {
                assert_eq!(generation.session_ids_at(name.prefix), BTreeSet::from([row.session]), "{}", name.prefix);
            }
        }
        assert_eq!(generation.lengths().iter().copied().collect::<Vec<_>>(), [48, 56, 64, 128]);
    }
}
