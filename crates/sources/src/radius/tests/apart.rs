//! What is stored of a session: all of it, or what an update told of it apart; and what makes room.

use std::sync::Arc;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::sink::{RecordSink, StatePut};

use super::machine::{Bench, INTERIM, NAS, START, STOP, msg};
use super::sink::{CountingIds, MemorySink};
use super::*;
use crate::radius::attributes as a;
use crate::radius::engine::{Engine, EngineSettings, Origin, Work};
use crate::radius::message::Message;
use crate::radius::normalise::{nas_key, session_key};
use crate::radius::parser::Packet;
use crate::radius::sessions::Sessions;

#[test]
fn the_oldest_closed_session_makes_room_for_an_open_one() {
    let mut b = Bench { sessions: Sessions::new(3, 3), ..Bench::new() };
    for (name, at) in [("a", 100), ("b", 110)] {
        b.take(msg(START, name, at));
        b.take(msg(STOP, name, at + 50));
    }
    b.take(msg(START, "c", 200));
    b.take(msg(START, "d", 210));
    let there = |b: &Bench, name| b.sessions.table().get(&session_key(NAS, name)).is_some();
    assert_eq!(["a", "b", "c", "d"].map(|name| there(&b, name)), [false, true, true, true]);
    assert_eq!((b.undo.sessions().len(), b.sessions.untracked()), (2, 0), "what was forgotten leaves the state too");
    // A refused group brings back what made room.
    let undo = std::mem::take(&mut b.undo);
    assert!(b.sessions.undo(undo).is_empty());
    assert_eq!(["a", "b", "c", "d"].map(|name| there(&b, name)), [true, true, true, false]);
    // Open ones never make room.
    for name in ["d", "e", "f"] {
        b.take(msg(START, name, 300));
    }
    assert_eq!((b.sessions.table().open(), b.sessions.table().len(), b.sessions.untracked()), (3, 3, 1));
}

#[test]
fn a_session_that_was_heard_of_waits_anew() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100).rhythm(60));
    for at in [160, 220, 280] {
        b.take(msg(INTERIM, "a", at));
        assert_eq!(b.tick(at + 59), []);
    }
    assert_eq!(b.tick(280 + 179), []);
    assert_eq!(b.tick(280 + 180), [(STOP, 1, 340, 1)]);
}

struct Rig {
    sink: Arc<MemorySink>,
    engine: Engine,
}

impl Rig {
    fn new(sink: Arc<MemorySink>) -> Rig {
        let settings = EngineSettings {
            name: "radius".into(),
            realm: "home".into(),
            peer: "127.0.0.1:1813".into(),
            sessions_max: 10,
            missed_interims: 3,
            settle_ms: 0,
        };
        Rig { engine: Engine::new(settings, sink.clone(), CountingIds::new()).unwrap(), sink }
    }

    /// Takes a message in a group of its own; gives the first octets of the keys of state it wrote, in capitals but where one was removed.
    fn take(&mut self, status: u32, at: u32, extra: Attrs) -> String {
        let mut attributes = vec![int(a::ACCT_STATUS_TYPE, status), text(a::ACCT_SESSION_ID, "s"), int(a::EVENT_TIMESTAMP, T + at)];
        attributes.push((a::NAS_IP_ADDRESS, vec![192, 0, 2, 1]));
        attributes.extend(extra);
        let bytes = request(1, &attributes);
        let now = Millis((i64::from(T) + i64::from(at)) * 1000);
        let origin = Origin {
            realm: "home".into(),
            sender: Some(Addr16::v4([192, 0, 2, 1])),
            arrived: now,
            now,
            interim_ms: 60_000,
            port_is_exclusive: false,
            measurable: true,
        };
        let mut work = Work::default();
        self.engine.take(&mut work, Message::of_packet(&Packet::parse(&bytes).unwrap()), &origin, &bytes).unwrap();
        let Some((group, ticket)) = self.engine.finish(work) else { return String::new() };
        let letter = |put: &StatePut| if put.value.is_some() { put.key[0].to_ascii_uppercase() } else { put.key[0] };
        let wrote: String = group.state.iter().map(|put| char::from(letter(put))).collect();
        self.engine.inbox().put(ticket, &self.sink.commit(group));
        self.engine.settle();
        wrote
    }
}

#[test]
fn an_update_is_stored_apart_and_both_come_back() {
    let mut rig = Rig::new(MemorySink::new());
    let address = |last| vec![(a::FRAMED_IP_ADDRESS, vec![100, 64, 0, last])];
    assert_eq!(rig.take(1, 0, address(1)), "S");
    assert_eq!(rig.take(3, 60, address(1)), "U");
    assert_eq!(rig.take(3, 120, vec![]), "U");
    // What is new in an update is stored with the session.
    assert_eq!(rig.take(3, 180, address(2)), "Su");
    assert_eq!(rig.take(3, 240, address(2)), "U");
    let mut rig = Rig::new(rig.sink.crashed());
    assert_eq!(rig.take(3, 240, address(2)), "", "told before");
    let nas_address = Some(Addr16::v4([192, 0, 2, 1]));
    let nas = nas_key(rig.sink.realm("home").unwrap(), &Message { nas_address, ..Message::default() }, None);
    let s = rig.engine.sessions().table().get(&session_key(nas, "s")).unwrap();
    let at = |s: i64| Millis((i64::from(T) + s) * 1000);
    assert_eq!((s.heard, s.heard_arrived, s.interim.unwrap().time, s.interim_ms), (at(240), at(240), at(240), 60_000));
    assert_eq!((s.facts.start, s.facts.framed_ipv4), (Some(at(0)), Some(Addr16::v4([100, 64, 0, 2]))));
    assert_eq!(rig.take(2, 300, vec![]), "Su");
    let rig = Rig::new(rig.sink.crashed());
    let table = rig.engine.sessions().table();
    assert_eq!((table.open(), table.len()), (0, 1));
}
