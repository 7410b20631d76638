//! What is durable in the write-ahead log and not sealed yet, kept so that it can be looked up and sealed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, RecordBatch};
use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::column::Cell;
use weir_record::kind::Record;
use weir_record::kinds::{NatEvent, RadiusSession};
use weir_record::{Id, Kind};

use crate::nat::event::Event;
use crate::nat::pack::NatEvents;
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

/// Bytes a session's event takes besides its batch: its places in the lists.
const SESSION_ROW_BYTES: usize = 512;

/// Sessions by id and by what they hold. Rows stay in their batches: few are ever asked for.
#[derive(Debug, Default)]
struct SessionLive {
    rows: u32,
    /// Number of the first row of each batch.
    starts: Vec<u32>,
    by_id: HashMap<Id, Vec<u32>, MixState>,
    by_prefix: HashMap<Prefix, Vec<Id>, MixState>,
    lengths: BTreeSet<u8>,
}

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
        self.bytes += batch.get_array_memory_size();
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
    pub fn session_ids_at(&self, prefix: Prefix) -> &[Id] {
        self.sessions.by_prefix.get(&prefix).map_or(&[], Vec::as_slice)
    }

    /// Lengths of the prefixes that events not yet sealed name.
    pub fn lengths(&self) -> &BTreeSet<u8> {
        &self.sessions.lengths
    }

    /// Events of one session, in the order they came.
    pub fn session_rows(&self, id: Id) -> Vec<RadiusSession> {
        let numbers = self.sessions.by_id.get(&id).map_or(&[][..], Vec::as_slice);
        let batches = self.batches.get(&Kind::RadiusSession).map_or(&[][..], Vec::as_slice);
        let row = |number: &u32| {
            let batch = self.sessions.starts.partition_point(|start| start <= number).checked_sub(1)?;
            let row = (number - self.sessions.starts[batch]) as usize;
            batches.get(batch).map(|b| RadiusSession::row(b.columns(), row))
        };
        numbers.iter().filter_map(row).collect()
    }
}

impl SessionLive {
    fn push(&mut self, batch: &RecordBatch) {
        self.starts.push(self.rows);
        for (number, (id, names)) in (self.rows..).zip(names(batch)) {
            self.by_id.entry(id).or_default().push(number);
            for prefix in names {
                self.lengths.insert(prefix.bits);
                let ids = self.by_prefix.entry(prefix).or_default();
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        self.rows = self.rows.saturating_add(u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
    }
}

/// The session of each row of a batch, and what it holds.
fn names(batch: &RecordBatch) -> impl Iterator<Item = (Id, Vec<Prefix>)> {
    let column = |name: &str| batch.column(Kind::RadiusSession.spec().index(name).unwrap_or(0));
    let (ids, others) = (column("session"), column("other_addresses"));
    let whole = ["framed_ipv4", "framed_ipv6"].map(column);
    let parts =
        [("framed_prefix", "framed_prefix_bits"), ("delegated_prefix", "delegated_prefix_bits")].map(|(a, b)| (column(a), column(b)));
    (0..batch.num_rows()).map(move |row| {
        let id = Id::cell(ids, row);
        if others.is_valid(row) {
            // Seldom: the words have to be read.
            return (id, RadiusSession::row(batch.columns(), row).names().into_iter().map(|name| name.prefix).collect());
        }
        let mut names: Vec<Prefix> =
            whole.iter().filter_map(|c| Option::<Addr16>::cell(c, row)).map(|addr| Prefix::new(addr, 128)).collect();
        for (addr, bits) in parts {
            names.extend(Option::<Addr16>::cell(addr, row).zip(Option::<u8>::cell(bits, row)).map(|(addr, bits)| Prefix::new(addr, bits)));
        }
        (id, names)
    })
}

#[cfg(test)]
mod tests {
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
                assert_eq!(generation.session_ids_at(name.prefix), [row.session], "{}", name.prefix);
            }
        }
        assert_eq!(generation.lengths().iter().copied().collect::<Vec<_>>(), [48, 56, 64, 128]);
    }
}
