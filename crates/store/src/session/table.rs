//! Open sessions, and the spans that events close. Pure: the same code serves sealing, rebuilding and look-ups in what is not sealed yet.

use std::collections::{BTreeSet, HashMap};

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::RadiusSession;

use crate::session::span::{Session, SessionSpan, prefixes};

const START: u8 = 1;
const STOP: u8 = 2;
const INTERIM: u8 = 3;

/// One open session and the addresses it has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// The session.
    pub session: Session,
    /// What it has, and since when.
    pub has: Vec<(Prefix, Millis)>,
}

/// All open sessions.
#[derive(Clone, Debug, Default)]
pub struct SessionTable {
    open: HashMap<Id, OpenSession>,
    by_prefix: HashMap<Prefix, BTreeSet<Id>>,
}

/// True for the addresses and prefixes that replace each other in one session.
fn same_family(a: Prefix, b: Prefix) -> bool {
    (a.addr.is_v4() && a.bits >= 96) == (b.addr.is_v4() && b.bits >= 96)
        && (a.bits == 128) == (b.bits == 128)
        && a.bits.abs_diff(b.bits) < 8
}

impl SessionTable {
    /// Open sessions.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// True when none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The open session of this id.
    pub fn get(&self, id: Id) -> Option<&OpenSession> {
        self.open.get(&id)
    }

    /// Ids of sessions that have an address of this prefix now.
    pub fn ids_at(&self, prefix: Prefix) -> impl Iterator<Item = Id> {
        self.by_prefix.get(&prefix).into_iter().flatten().copied()
    }

    /// All open sessions, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &OpenSession> {
        self.open.values()
    }

    /// Puts an open session in, as a snapshot had it.
    pub fn insert(&mut self, open: OpenSession) {
        for (prefix, _) in &open.has {
            self.by_prefix.entry(*prefix).or_default().insert(open.session.id);
        }
        self.open.insert(open.session.id, open);
    }

    /// Takes an event in; what it closes goes to `closed`.
    pub fn apply(&mut self, row: &RadiusSession, closed: &mut Vec<SessionSpan>) {
        if !matches!(row.status, START | STOP | INTERIM) {
            return;
        }
        let before = self.take(row.session);
        let after = step(before, row, closed);
        if let Some(open) = after {
            self.insert(open);
        }
    }

    fn take(&mut self, id: Id) -> Option<OpenSession> {
        let open = self.open.remove(&id)?;
        for (prefix, _) in &open.has {
            if let Some(ids) = self.by_prefix.get_mut(prefix) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_prefix.remove(prefix);
                }
            }
        }
        Some(open)
    }
}

/// One event of one session: the session before it, and after it (`None` once it has ended). What it closes goes to `closed`.
pub fn step(before: Option<OpenSession>, row: &RadiusSession, closed: &mut Vec<SessionSpan>) -> Option<OpenSession> {
    let known = before.is_some();
    let mut open = before.unwrap_or_else(|| new_session(row));
    let s = &mut open.session;
    s.subscriber = row.subscriber.or(s.subscriber);
    s.acct_session_id = row.acct_session_id.clone().or_else(|| s.acct_session_id.take());
    if row.start_certain == 1 && !s.start_certain {
        s.start = row.start.unwrap_or(row.time);
        s.start_certain = true;
    }
    s.last_evidence = s.last_evidence.max(row.time);
    for prefix in prefixes(row) {
        if open.has.iter().any(|(p, _)| *p == prefix) {
            continue;
        }
        if row.status != STOP {
            let gone: Vec<_> = open.has.extract_if(.., |(p, _)| same_family(*p, prefix)).collect();
            for (old, since) in gone {
                closed.push(SessionSpan { session: ended(&open.session, row, false), prefix: old, since, until: Some(row.time) });
            }
        }
        let since = if known { row.time.min(open.session.last_evidence) } else { open.session.start };
        open.has.push((prefix, since));
    }
    if row.status != STOP {
        return Some(open);
    }
    let session = ended(&open.session, row, true);
    for (prefix, since) in open.has {
        closed.push(SessionSpan { session: session.clone(), prefix, since, until: Some(row.time) });
    }
    None
}

fn new_session(row: &RadiusSession) -> OpenSession {
    let nas = row.nas_identifier.clone().or_else(|| row.nas_address.as_ref().map(Addr16::to_string)).unwrap_or_default();
    let session = Session {
        id: row.session,
        source: row.source,
        realm: row.realm,
        subscriber: row.subscriber,
        acct_session_id: row.acct_session_id.clone(),
        nas,
        start: row.start.unwrap_or(row.time),
        start_certain: row.start_certain == 1,
        end: None,
        inferred: false,
        last_evidence: row.time,
    };
    OpenSession { session, has: Vec::new() }
}

fn ended(session: &Session, row: &RadiusSession, whole: bool) -> Session {
    let end = if whole { Some(row.time) } else { None };
    Session { end, inferred: whole && row.inferred == 1, ..session.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(status: u8, time: i64, addr: &str) -> RadiusSession {
        RadiusSession {
            status,
            time: Millis(time),
            session: Id([1; 16]),
            subscriber: Some(Id([9; 16])),
            start: Some(Millis(10)),
            start_certain: u8::from(status == START),
            framed_ipv4: addr.parse().ok(),
            ..RadiusSession::default()
        }
    }

    fn spans(rows: &[RadiusSession]) -> (Vec<(String, i64, Option<i64>)>, SessionTable) {
        let mut table = SessionTable::default();
        let mut closed = Vec::new();
        rows.iter().for_each(|r| table.apply(r, &mut closed));
        (closed.iter().map(|s| (s.prefix.addr.to_string(), s.since.0, s.until.map(|t| t.0))).collect(), table)
    }

    #[test]
    fn a_session_holds_its_address_from_start_to_stop() {
        let (closed, table) = spans(&[row(START, 10, "100.64.0.1"), row(INTERIM, 20, "100.64.0.1"), row(STOP, 30, "100.64.0.1")]);
        assert_eq!(closed, [("100.64.0.1".into(), 10, Some(30))]);
        assert!(table.is_empty());
        assert_eq!(table.ids_at("100.64.0.1".parse().unwrap()).count(), 0);
    }

    #[test]
    fn an_address_may_change_in_a_session() {
        let (closed, table) = spans(&[row(START, 10, "100.64.0.1"), row(INTERIM, 20, "100.64.0.2")]);
        assert_eq!(closed, [("100.64.0.1".into(), 10, Some(20))]);
        assert_eq!(table.ids_at("100.64.0.2".parse().unwrap()).count(), 1);
        assert_eq!(table.ids_at("100.64.0.1".parse().unwrap()).count(), 0);
    }

    #[test]
    fn a_stop_without_a_start_uses_the_start_it_names() {
        let (closed, _) = spans(&[row(STOP, 30, "100.64.0.1")]);
        assert_eq!(closed, [("100.64.0.1".into(), 10, Some(30))]);
        let (closed, table) = spans(&[row(7, 30, "")]);
        assert!(closed.is_empty() && table.is_empty());
    }
}
