//! The session machine: which sessions are open, what is a retransmission, and which ends nobody told.
//!
//! Pure; time is passed in. It follows a bounded number of sessions: open ones and, for some hours, closed ones, so that late and repeated
//! messages find their session. Every change goes into an [`Undo`], because a change counts only once its records are durable: where the
//! sink refuses them the change is taken back, and the NAS's next attempt is new again.

use std::collections::{BTreeSet, HashMap, VecDeque};

use weir_base::hash::MixState;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Action, NatEvent, RadiusSession};

use super::attributes::status;
use super::ends::{End, Reboot, began_before, reboots};
use super::facts::Facts;
use super::limits::{CLOSE_BATCH, LATE_UPDATE_MS, NAS_MAX, REBOOT_MS, RETRANSMIT_MS, SAME_EVENT_MS, SESSION_BLOCKS_MAX};
use super::normalise::block_event;
use super::state::{Key, Update};
use super::table::Table;
pub use super::table::{Block, Mark, Nas, Session, Undo};

/// The reason of an end that only time told.
const MISSED: &str = "no-interim-update";

/// One message, as the table sees it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The NAS.
    pub nas: Key,
    /// The session.
    pub session: Key,
    /// When and what.
    pub mark: Mark,
    /// Rhythm of interim updates the message names, in milliseconds.
    pub interim_ms: Option<i64>,
    /// The rhythm where no message of the session named one, in milliseconds; 0 for none.
    pub default_interim_ms: i64,
    /// One session a NAS port: a Start on a port ends what was open there.
    pub port_is_exclusive: bool,
    /// The message's row; session id, start and its certainty are filled in.
    pub row: RadiusSession,
    /// Port blocks: allocated or not.
    pub blocks: Vec<(bool, Block)>,
}

/// Rows that come out of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Messages, and ends that were inferred.
    pub sessions: Vec<RadiusSession>,
    /// Port blocks.
    pub nat: Vec<NatEvent>,
}

/// The machine.
#[derive(Debug)]
pub struct Sessions {
    table: Table,
    /// Reboots whose sessions did not all fit into one group.
    closing: VecDeque<(Key, Reboot)>,
    /// When each NAS last spoke of a session. Not stored: after a restart its open sessions tell.
    words: HashMap<Key, Millis, MixState>,
    untracked: u64,
}

impl Sessions {
    /// A machine that follows at most `capacity` sessions. A session with a known rhythm is taken for ended when nothing came for
    /// `missed_interims` intervals.
    pub fn new(capacity: usize, missed_interims: u32) -> Sessions {
        Sessions { table: Table::new(capacity, missed_interims), closing: VecDeque::new(), words: HashMap::default(), untracked: 0 }
    }

    /// What it holds.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Sessions that were recorded but not followed because the table was full.
    pub fn untracked(&self) -> u64 {
        self.untracked
    }

    /// Puts back a session that the state held.
    pub fn load(&mut self, key: Key, session: Session) {
        if self.table.has_room(&key) {
            self.table.set(key, Some(Box::new(session)));
        }
    }

    /// Puts back what an update told of a session that was put back before it: see [`super::state::put_update`].
    pub fn load_update(&mut self, key: Key, update: &Update) {
        let Some(s) = self.table.get(&key).filter(|s| s.open && update.heard_arrived >= s.heard_arrived) else { return };
        let Update { interim, heard, heard_arrived, interim_ms } = *update;
        self.table.set(key, Some(Box::new(Session { interim, heard, heard_arrived, interim_ms, updated: true, ..s.clone() })));
    }

    /// Puts back a NAS that the state held. What its last reboot left open is closed by the next ticks.
    pub fn load_nas(&mut self, key: Key, nas: Nas) {
        if let Some(last) = reboots(&nas).max_by_key(|r| r.mark.time) {
            self.closing.push_back((key, last));
        }
        self.table.change_nas(key, nas, &mut Undo::default());
    }

    /// Takes changes back whose records were not kept; see [`Table::undo`].
    pub fn undo(&mut self, undo: Undo) -> BTreeSet<Key> {
        self.table.undo(undo)
    }

    /// True when this event was told before: it is acknowledged again and makes no record.
    pub fn is_duplicate(&self, event: &Event) -> bool {
        let status = u32::from(event.row.status);
        if let status::ACCOUNTING_ON | status::ACCOUNTING_OFF = status {
            let nas = self.table.nas(&event.nas);
            let seen = nas.and_then(|n| if status == status::ACCOUNTING_ON { n.on } else { n.off });
            return seen.is_some_and(|m| m.same_event(&event.mark, REBOOT_MS));
        }
        let Some(s) = self.table.get(&event.session) else { return false };
        match status {
            // After an end, only the same instant makes it the same login: session ids may come again after a reboot.
            status::START => s.start.is_some_and(|m| if s.open { m.same_event(&event.mark, RETRANSMIT_MS) } else { m.near(&event.mark) }),
            status::STOP => s.stop.is_some_and(|m| m.same_event(&event.mark, RETRANSMIT_MS)),
            // An idle session's updates look alike: only the same instant makes two of them one.
            status::INTERIM => s.interim.is_some_and(|m| m.near(&event.mark) && m.fingerprint == event.mark.fingerprint),
            _ => false,
        }
    }

    /// Takes an event that is no duplicate. `new_id` is the id of the session if it is new.
    pub fn apply(&mut self, event: Event, new_id: Id, undo: &mut Undo, rows: &mut Rows) {
        let number = u32::from(event.row.status);
        let known = self.words.len() < NAS_MAX || self.words.contains_key(&event.nas);
        if known && matches!(number, status::START | status::INTERIM | status::STOP) {
            let word = self.words.entry(event.nas).or_insert(event.mark.time);
            *word = event.mark.time.max(*word);
        }
        match number {
            status::START => self.start(event, new_id, undo, rows),
            status::INTERIM => self.interim(event, new_id, undo, rows),
            status::STOP => self.stop(event, new_id, undo, rows),
            status::ACCOUNTING_ON | status::ACCOUNTING_OFF => self.reboot(event, undo, rows),
            // Failed attempts and tunnel events (RFC 2867) open and close nothing.
            _ => {
                let known = self.table.get(&event.session).map(|s| (s.facts.session, s.facts.start, s.facts.start_certain));
                let (id, start, certain) = known.unwrap_or((new_id, None, 0));
                rows.sessions.push(RadiusSession { session: id, start, start_certain: certain, ..event.row });
            }
        }
    }

    fn start(&mut self, event: Event, new_id: Id, undo: &mut Undo, rows: &mut Rows) {
        let time = event.mark.time;
        let mut session = match self.table.get(&event.session).filter(|s| s.start.is_none() && (s.open || time <= s.ended)) {
            // The Stop, or an update, came before its Start: the datagrams changed places.
            Some(s) => {
                let mut s = s.clone();
                if s.open {
                    let newer = std::mem::replace(&mut s.facts, Facts::of(&event.row));
                    s.facts.merge(&newer.row());
                    s.facts.session = newer.session;
                }
                s
            }
            None => {
                let end = End { time, arrived: event.mark.arrived, reason: "session-id-used-again", lasted: None };
                self.close(event.session, end, undo, rows);
                self.fresh(&event, new_id, event.row.start)
            }
        };
        session.start = Some(event.mark);
        (session.facts.start, session.facts.start_certain) = (Some(time), 1);
        self.told(event, session, undo, rows);
    }

    fn interim(&mut self, mut event: Event, new_id: Id, undo: &mut Undo, rows: &mut Rows) {
        // Without a stamp nobody can tell an update that was held back from a sign of life. Right after a message that ended the session it
        // was held back: it happened before.
        if let Some(s) = self.table.get(&event.session).filter(|s| s.displaced && !event.mark.stamped)
            && event.mark.arrived.since(s.heard_arrived) <= LATE_UPDATE_MS
        {
            event.row.time = event.row.time.min(s.ended);
        }
        let time = event.row.time;
        let began = event.row.session_time.map_or(time, |s| time.plus(-1000 * i64::from(s)));
        // After an end that was told, an update is late or belongs to another life of the same id; after one that was inferred it is a sign
        // of life.
        let mine = |s: &&Session| s.open || s.inferred || time <= s.ended.plus(SAME_EVENT_MS);
        let mut session = match self.table.get(&event.session).filter(mine) {
            Some(s) => {
                let mut s = s.clone();
                // An older update must not put back an address that has changed since.
                if (s.open || s.inferred) && time >= s.heard {
                    s.facts.merge(&event.row);
                }
                (s.open, s.inferred) = (s.open || (s.inferred && time > s.ended), s.inferred && time <= s.ended);
                s.displaced &= s.inferred;
                s
            }
            None => self.fresh(&event, new_id, Some(began)),
        };
        session.interim = Some(event.mark);
        session.interim_ms = event.interim_ms.unwrap_or(session.interim_ms);
        if session.open {
            session.heard = session.heard.max(time);
            session.heard_arrived = session.heard_arrived.max(event.mark.arrived);
        }
        self.told(event, session, undo, rows);
    }

    /// Records a Start or an update and stores its session, which is open or has ended already.
    fn told(&mut self, event: Event, session: Session, undo: &mut Undo, rows: &mut Rows) {
        let Event { nas, session: key, mark, port_is_exclusive, row, blocks, .. } = event;
        let (source, time) = (row.source, row.time);
        rows.sessions.push(of_session(row, &session.facts));
        if session.open {
            return self.open_session(&Told { nas, key, mark, source, port_is_exclusive, blocks: &blocks }, session, undo, rows);
        }
        for (allocated, block) in &blocks {
            let action = if *allocated { Action::Create } else { Action::Delete };
            rows.nat.push(block_event(block, source, time, action));
            // What was allocated before the end went with the end.
            if *allocated {
                rows.nat.push(block_event(block, source, session.ended.max(time), Action::Delete));
            }
        }
        self.table.change(key, Some(session), undo);
        undo.mark(key, mark);
    }

    fn stop(&mut self, event: Event, new_id: Id, undo: &mut Undo, rows: &mut Rows) {
        let time = event.mark.time;
        let began = event.row.session_time.map(|s| time.plus(-1000 * i64::from(s)));
        let mut session = match self.table.get(&event.session) {
            // A second life under the same id, whose Start never came.
            Some(s) if !s.open && !s.inferred && began.is_some_and(|b| b > s.ended.plus(SAME_EVENT_MS)) => {
                self.fresh(&event, new_id, began)
            }
            Some(s) => s.clone(),
            None => self.fresh(&event, new_id, began),
        };
        let source = event.row.source;
        rows.sessions.push(of_session(event.row, &session.facts));
        for (allocated, block) in &event.blocks {
            let action = if *allocated { Action::Create } else { Action::Delete };
            rows.nat.push(block_event(block, source, time, action));
            session.blocks.retain(|b| b != block);
            if *allocated {
                session.blocks.push(*block);
            }
        }
        for block in session.blocks.drain(..) {
            rows.nat.push(block_event(&block, source, time, Action::Delete));
        }
        session.stop = Some(event.mark);
        session.open = false;
        (session.inferred, session.displaced) = (false, false);
        session.ended = time;
        session.heard = session.heard.max(time);
        session.heard_arrived = session.heard_arrived.max(event.mark.arrived);
        session.facts = session.facts.slim();
        self.store(event.session, session, undo);
        undo.mark(event.session, event.mark);
    }

    fn reboot(&mut self, event: Event, undo: &mut Undo, rows: &mut Rows) {
        let on = u32::from(event.row.status) == status::ACCOUNTING_ON;
        let mut nas = self.table.nas(&event.nas).copied().unwrap_or_default();
        if on {
            (nas.on, nas.word) = (Some(event.mark), self.last_word(&event.nas, event.mark.time));
        } else {
            nas.off = Some(event.mark);
        }
        self.table.change_nas(event.nas, nas, undo);
        rows.sessions.push(event.row);
        if let Some(reboot) = reboots(&nas).find(|r| r.on == on) {
            self.close_all(event.nas, reboot, undo, rows);
        }
    }

    /// When a NAS last spoke of a session before it came up at `time`: until then it ran, and would have told an end.
    fn last_word(&self, nas: &Key, time: Millis) -> Option<Millis> {
        let heard = || self.table.of_nas(*nas).filter_map(|k| self.table.get(&k)).map(|s| s.heard).filter(|t| *t < time).max();
        // A word of after the reboot, which overtook the message that tells of it, says nothing of what was before.
        self.words.get(nas).copied().filter(|t| *t < time).or_else(heard)
    }

    /// Ends what a NAS had open at a reboot; what does not fit into one group follows with the next ticks.
    fn close_all(&mut self, nas: Key, reboot: Reboot, undo: &mut Undo, rows: &mut Rows) {
        // A session that began after the reboot only overtook the message that tells of it.
        let before = |key: &Key| self.table.get(key).is_some_and(|s| began_before(s, &reboot.mark));
        let of_nas: Vec<Key> = self.table.of_nas(nas).filter(before).take(CLOSE_BATCH + 1).collect();
        for key in of_nas.iter().take(CLOSE_BATCH) {
            self.close(*key, reboot.end(reboot.mark.arrived), undo, rows);
        }
        if of_nas.len() > CLOSE_BATCH {
            self.closing.push_back((nas, reboot));
        }
    }

    /// The first reboot of a NAS after a message of it, as far as the two can be compared: only where both times are by the same clock.
    fn reboot_after(&self, nas: &Key, message: &Mark, heard: Millis) -> Option<End> {
        let later = |r: &Reboot| r.mark.stamped == message.stamped && r.mark.time > heard;
        let first = reboots(self.table.nas(nas)?).filter(later).min_by_key(|r| r.mark.time);
        first.map(|r| r.end(message.arrived))
    }

    /// Ends a session nobody ended, no earlier than its newest event.
    fn close(&mut self, key: Key, end: End, undo: &mut Undo, rows: &mut Rows) {
        let End { time, arrived, reason, lasted } = end;
        let Some(s) = self.table.get(&key).filter(|s| s.open) else { return };
        let mut s = s.clone();
        let time = time.max(s.heard).max(s.facts.start.unwrap_or(time));
        rows.sessions.push(RadiusSession {
            time,
            arrived,
            status: status::STOP as u8,
            inferred: 1,
            reason: Some(reason.to_owned()),
            lasted: lasted.filter(|t| *t > s.heard),
            ..s.facts.row()
        });
        for block in s.blocks.drain(..) {
            rows.nat.push(block_event(&block, s.facts.source, time, Action::Delete));
        }
        s.open = false;
        s.inferred = true;
        s.displaced = reason != MISSED;
        s.ended = time;
        s.heard_arrived = s.heard_arrived.max(arrived);
        self.table.change(key, Some(s), undo);
    }

    /// A session that was not known, as this message tells of it.
    fn fresh(&self, event: &Event, session: Id, start: Option<Millis>) -> Session {
        let mut facts = Facts::of(&event.row);
        (facts.session, facts.start, facts.start_certain) = (session, start, 0);
        Session {
            nas: event.nas,
            open: true,
            inferred: false,
            displaced: false,
            start: None,
            stop: None,
            interim: None,
            ended: Millis(0),
            heard: event.mark.time,
            heard_arrived: event.mark.arrived,
            interim_ms: event.interim_ms.unwrap_or(event.default_interim_ms),
            blocks: Vec::new(),
            facts,
            version: 0,
            updated: false,
        }
    }

    /// Stores an open session; whoever held its addresses or its port before has ended.
    fn open_session(&mut self, event: &Told<'_>, mut session: Session, undo: &mut Undo, rows: &mut Rows) {
        for (allocated, block) in event.blocks {
            let held = session.blocks.contains(block);
            let action = if *allocated { Action::Create } else { Action::Delete };
            session.blocks.retain(|b| b != block);
            if *allocated && session.blocks.len() < SESSION_BLOCKS_MAX {
                session.blocks.push(*block);
            }
            // An update repeats the blocks that are held; only a change is an event.
            if !(*allocated && held) {
                rows.nat.push(block_event(block, event.source, event.mark.time, action));
            }
        }
        // A session that is known and gets an address later holds it from then on.
        let known = self.table.get(&event.key).filter(|s| s.open && !s.shares(&session.facts)).is_some();
        let start = session.facts.start.unwrap_or(session.heard);
        let began = if known { event.mark.time } else { start };
        // This message came late: its NAS has come up anew since.
        let mut overtaken = self.reboot_after(&event.nas, &event.mark, session.heard);
        let mut rivals: Vec<(Key, &'static str)> = Vec::new();
        rivals.extend(self.table.places().at_addresses(&session.facts).into_iter().map(|k| (k, "address-used-again")));
        if event.port_is_exclusive {
            rivals.extend(self.table.places().at_port(&session).into_iter().map(|k| (k, "port-used-again")));
        }
        for (key, reason) in rivals {
            let Some(rival) = self.table.get(&key).filter(|r| r.open && key != event.key) else { continue };
            let multi = &session.facts.multi_session_id;
            // Links of one multilink session share its address (RFC 2866 section 5.11).
            if multi.is_some() && *multi == rival.facts.multi_session_id {
                continue;
            }
            let theirs = rival.facts.start.unwrap_or(rival.heard);
            let heard = rival.heard;
            if theirs > began && heard >= session.heard {
                // Or somebody else has the address since.
                let end = End { time: theirs, arrived: event.mark.arrived, reason, lasted: None };
                overtaken = overtaken.into_iter().chain([end]).min_by_key(|e| e.time);
            } else {
                let end = End { time: began.max(heard), arrived: event.mark.arrived, reason, lasted: None };
                self.close(key, end, undo, rows);
            }
        }
        let key = event.key;
        self.store(key, session, undo);
        undo.mark(key, event.mark);
        if let Some(end) = overtaken {
            self.close(key, end, undo, rows);
        }
    }

    /// Stores a session if there is room for it; the oldest closed one makes room.
    fn store(&mut self, key: Key, session: Session, undo: &mut Undo) {
        if self.table.has_room(&key) || self.table.forget_one(undo) {
            self.table.change(key, Some(session), undo);
        } else {
            self.untracked += 1;
        }
    }

    /// Does what is due at `now`, about `limit` changes; true if more is due.
    ///
    /// An open session that missed its updates ends one interval after its last event: by then its next update should have come.
    pub fn tick(&mut self, now: Millis, limit: usize, undo: &mut Undo, rows: &mut Rows) -> bool {
        while undo.len() < limit {
            if let Some((nas, reboot)) = self.closing.pop_front() {
                self.close_all(nas, reboot, undo, rows);
                continue;
            }
            let Some(key) = self.table.due(now) else { return false };
            match self.table.get(&key) {
                Some(s) if s.open => {
                    let end = End { time: s.heard.plus(s.interim_ms), arrived: now, reason: MISSED, lasted: None };
                    self.close(key, end, undo, rows);
                }
                _ => self.table.change(key, None, undo),
            }
        }
        true
    }
}

/// What is left of an event once its row is written.
struct Told<'a> {
    nas: Key,
    key: Key,
    mark: Mark,
    source: u32,
    port_is_exclusive: bool,
    blocks: &'a [(bool, Block)],
}

/// The row of an event of this session.
fn of_session(row: RadiusSession, facts: &Facts) -> RadiusSession {
    RadiusSession { session: facts.session, start: facts.start, start_certain: facts.start_certain, ..row }
}
