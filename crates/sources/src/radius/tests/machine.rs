//! The session machine, step by step, and against a simple model.

use std::collections::BTreeSet;

use proptest::prelude::*;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::RadiusSession;

use crate::radius::limits::{CLOSE_BATCH, CLOSED_MS, SAME_EVENT_MS};
use crate::radius::normalise::{digest, session_key};
use crate::radius::sessions::{Block, Event, Mark, Rows, Sessions, Undo};
use crate::radius::state::{self, Entry, Key};

pub(super) const NAS: Key = [7; 16];

/// One message, in seconds.
#[derive(Clone, Debug)]
pub(super) struct Msg(pub(super) Event);

pub(super) fn msg(status: u8, session: &str, at_s: i64) -> Msg {
    let at = Millis(at_s * 1000);
    let mark = Mark { time: at, arrived: at, stamped: true, fingerprint: digest(&[&[status], session.as_bytes()]) };
    let row = RadiusSession {
        time: at,
        arrived: at,
        source: 1,
        realm: 1,
        status,
        acct_session_id: Some(session.to_owned()),
        ..RadiusSession::default()
    };
    Msg(Event {
        nas: NAS,
        session: session_key(NAS, session),
        mark,
        interim_ms: None,
        default_interim_ms: 0,
        port_is_exclusive: false,
        row,
        blocks: vec![],
    })
}

impl Msg {
    pub(super) fn arrived(mut self, at_s: i64) -> Msg {
        self.0.mark.arrived = Millis(at_s * 1000);
        self.0.row.arrived = self.0.mark.arrived;
        self
    }
    pub(super) fn unstamped(mut self) -> Msg {
        self.0.mark.stamped = false;
        self
    }
    pub(super) fn unlike(mut self, salt: u8) -> Msg {
        self.0.mark.fingerprint[0] ^= salt;
        self
    }
    pub(super) fn ip(mut self, address: &str) -> Msg {
        self.0.row.framed_ipv4 = Some(address.parse().unwrap());
        self
    }
    pub(super) fn multi(mut self, id: &str) -> Msg {
        self.0.row.multi_session_id = Some(id.to_owned());
        self
    }
    pub(super) fn port(mut self, port: u32) -> Msg {
        (self.0.row.nas_port, self.0.port_is_exclusive) = (Some(port), true);
        self
    }
    pub(super) fn lasted(mut self, s: u32) -> Msg {
        self.0.row.session_time = Some(s);
        self
    }
    pub(super) fn rhythm(mut self, s: i64) -> Msg {
        self.0.interim_ms = Some(s * 1000);
        self
    }
    pub(super) fn of(mut self, nas: Key) -> Msg {
        self.0.nas = nas;
        self.0.session = session_key(nas, self.0.row.acct_session_id.as_deref().unwrap_or_default());
        self
    }
    pub(super) fn blocks(mut self, blocks: &[(bool, u16)]) -> Msg {
        let block = |first| Block {
            protocol: 0,
            public: Addr16::v4([203, 0, 113, 7]),
            inside: Addr16::v4([100, 64, 0, 1]),
            first,
            last: first + 99,
            inside_port: None,
        };
        self.0.blocks = blocks.iter().map(|(allocated, first)| (*allocated, block(*first))).collect();
        self
    }
}

pub(super) struct Bench {
    pub(super) sessions: Sessions,
    pub(super) next: u128,
    pub(super) rows: Rows,
    pub(super) undo: Undo,
}

impl Bench {
    pub(super) fn new() -> Bench {
        Bench { sessions: Sessions::new(1000, 3), next: 0, rows: Rows::default(), undo: Undo::default() }
    }

    /// Takes a message; gives the rows it made as (status, inferred, seconds, session number), nothing for a duplicate.
    pub(super) fn take(&mut self, m: Msg) -> Vec<(u8, u8, i64, u128)> {
        if self.sessions.is_duplicate(&m.0) {
            return vec![];
        }
        self.next += 1;
        self.rows = Rows::default();
        self.undo = Undo::default();
        self.sessions.apply(m.0, Id(self.next.to_be_bytes()), &mut self.undo, &mut self.rows);
        self.brief()
    }

    pub(super) fn tick(&mut self, now_s: i64) -> Vec<(u8, u8, i64, u128)> {
        self.rows = Rows::default();
        self.undo = Undo::default();
        self.sessions.tick(Millis(now_s * 1000), 10_000, &mut self.undo, &mut self.rows);
        self.brief()
    }

    pub(super) fn brief(&self) -> Vec<(u8, u8, i64, u128)> {
        let brief = |r: &RadiusSession| (r.status, r.inferred, r.time.0 / 1000, u128::from_be_bytes(r.session.0));
        self.rows.sessions.iter().map(brief).collect()
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.rows.sessions.iter().find_map(|r| r.reason.as_deref())
    }

    /// Writes all state down and reads it into a new machine.
    pub(super) fn restart(&mut self, keys: &[&str]) {
        let mut fresh = Sessions::new(1000, 3);
        for key in keys.iter().map(|k| session_key(NAS, k)) {
            if let Some(s) = self.sessions.table().get(&key) {
                let put = state::put_session(key, Some(s));
                let Some(Entry::Session(key, s)) = state::read(&put.key, &put.value.unwrap()) else { panic!("a session") };
                fresh.load(key, *s);
            }
        }
        for (key, nas) in self.sessions.table().all_nas() {
            let put = state::put_nas(*key, Some(nas));
            let Some(Entry::Nas(key, nas)) = state::read(&put.key, &put.value.unwrap()) else { panic!("a NAS") };
            fresh.load_nas(key, nas);
        }
        self.sessions = fresh;
    }
}

pub(super) const START: u8 = 1;
pub(super) const STOP: u8 = 2;
pub(super) const INTERIM: u8 = 3;
pub(super) const ON: u8 = 7;
pub(super) const OFF: u8 = 8;

#[test]
fn retransmissions() {
    let cases: Vec<(&str, Msg, Msg, bool)> = vec![
        ("the same Start", msg(START, "a", 100), msg(START, "a", 100).arrived(160), true),
        ("a Start with a delay that is a second off", msg(START, "a", 100).unstamped(), msg(START, "a", 101).unstamped().unlike(1), true),
        ("a Start whose delay was not counted", msg(START, "a", 100).unstamped(), msg(START, "a", 105).unstamped(), true),
        ("a Start of another minute with a stamp", msg(START, "a", 100), msg(START, "a", 160), false),
        ("an unstamped Start much later", msg(START, "a", 100).unstamped(), msg(START, "a", 500).unstamped(), false),
        ("another session", msg(START, "a", 100), msg(START, "b", 100), false),
        ("another NAS", msg(START, "a", 100), msg(START, "a", 100).of([8; 16]), false),
        ("the same Stop", msg(STOP, "a", 100), msg(STOP, "a", 100).arrived(4000), true),
        ("another Stop", msg(STOP, "a", 100), msg(STOP, "a", 200).unlike(1), false),
        ("the same update", msg(INTERIM, "a", 100), msg(INTERIM, "a", 100), true),
        ("an update with other counters", msg(INTERIM, "a", 100), msg(INTERIM, "a", 100).unlike(1), false),
        ("an idle session's next update", msg(INTERIM, "a", 100), msg(INTERIM, "a", 160), false),
        ("a Stop is no Start", msg(START, "a", 100), msg(STOP, "a", 100), false),
        ("the same Accounting-On", msg(ON, "", 100), msg(ON, "", 101), true),
        ("an Accounting-Off after it", msg(ON, "", 100), msg(OFF, "", 100), false),
        ("the next Accounting-On", msg(ON, "", 100), msg(ON, "", 200), false),
        ("an Accounting-On without a stamp or a delay, sent again", msg(ON, "", 100).unstamped(), msg(ON, "", 106).unstamped(), true),
        ("the next reboot of such a NAS", msg(ON, "", 100).unstamped(), msg(ON, "", 190).unstamped(), false),
    ];
    for (what, first, second, duplicate) in cases {
        for restart in [false, true] {
            let mut b = Bench::new();
            assert!(!b.take(first.clone()).is_empty(), "{what}");
            if restart {
                b.restart(&["a"]);
            }
            assert_eq!(b.take(second.clone()).is_empty(), duplicate, "{what}, restart {restart}");
        }
    }
}

#[test]
fn one_session_has_one_id_and_its_start() {
    let mut b = Bench::new();
    assert_eq!(b.take(msg(START, "a", 100)), [(START, 0, 100, 1)]);
    assert_eq!(b.take(msg(INTERIM, "a", 160)), [(INTERIM, 0, 160, 1)]);
    b.restart(&["a"]);
    assert_eq!(b.take(msg(STOP, "a", 200)), [(STOP, 0, 200, 1)]);
    let stop = &b.rows.sessions[0];
    assert_eq!((stop.start, stop.start_certain), (Some(Millis(100_000)), 1));
    assert_eq!(b.sessions.table().open(), 0);
    // The same id comes again: another session.
    assert_eq!(b.take(msg(START, "a", 300)), [(START, 0, 300, 4)]);
}

#[test]
fn messages_out_of_order() {
    // The Stop overtook the Start, or the Start was lost at first.
    let mut b = Bench::new();
    assert_eq!(b.take(msg(STOP, "a", 200).lasted(100)), [(STOP, 0, 200, 1)]);
    assert_eq!((b.rows.sessions[0].start, b.rows.sessions[0].start_certain), (Some(Millis(100_000)), 0));
    assert_eq!(b.take(msg(START, "a", 100).arrived(201)), [(START, 0, 100, 1)]);
    assert_eq!(b.sessions.table().open(), 0, "it has ended already");
    // An update overtook the Start.
    let mut b = Bench::new();
    assert_eq!(b.take(msg(INTERIM, "a", 160).lasted(60)), [(INTERIM, 0, 160, 1)]);
    assert_eq!((b.rows.sessions[0].start, b.rows.sessions[0].start_certain), (Some(Millis(100_000)), 0));
    assert_eq!(b.take(msg(START, "a", 100).arrived(161)), [(START, 0, 100, 1)]);
    assert_eq!(b.take(msg(STOP, "a", 200)), [(STOP, 0, 200, 1)]);
    assert_eq!(b.rows.sessions[0].start_certain, 1);
    // An update that came after its Stop.
    assert_eq!(b.take(msg(INTERIM, "a", 199).arrived(202)), [(INTERIM, 0, 199, 1)]);
    assert_eq!(b.sessions.table().open(), 0);
}

#[test]
fn a_reboot_ends_what_was_open() {
    for (status, reason) in [(ON, "accounting-on"), (OFF, "accounting-off")] {
        let mut b = Bench::new();
        b.take(msg(START, "a", 100).ip("100.64.0.1"));
        b.take(msg(START, "other", 100).of([8; 16]));
        b.take(msg(START, "later", 205));
        assert_eq!(b.take(msg(status, "", 200).arrived(206)), [(status, 0, 200, 0), (STOP, 1, 200, 1)], "{reason}");
        let end = &b.rows.sessions[1];
        assert_eq!((end.reason.as_deref(), end.framed_ipv4), (Some(reason), "100.64.0.1".parse().ok()));
        assert_eq!((end.acct_session_id.as_deref(), end.start, end.arrived), (Some("a"), Some(Millis(100_000)), Millis(206_000)));
        assert_eq!(b.sessions.table().open(), 2, "other NASes and later sessions stay");
        // The true Stop still comes: it is recorded, and counts.
        assert_eq!(b.take(msg(STOP, "a", 190).arrived(207)), [(STOP, 0, 190, 1)]);
    }
}

#[test]
fn a_reboot_of_a_large_nas_takes_several_groups_and_survives_a_crash() {
    let n = CLOSE_BATCH as i64 + 10;
    let mut b = Bench { sessions: Sessions::new(20_000, 3), ..Bench::new() };
    for i in 0..n {
        b.take(msg(START, &i.to_string(), 100));
    }
    assert_eq!(b.take(msg(ON, "", 200)).len(), CLOSE_BATCH + 1);
    let names: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    b.restart(&names.iter().map(String::as_str).collect::<Vec<_>>()[n as usize - 1000..]);
    let left = b.sessions.table().open();
    assert!(left > 0 && left <= 10, "{left}");
    assert_eq!(b.tick(201).len(), left);
    assert_eq!((b.sessions.table().open(), b.reason()), (0, Some("accounting-on")));
}

#[test]
fn an_address_has_one_holder() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100).ip("100.64.0.1"));
    assert_eq!(b.take(msg(START, "b", 200).ip("100.64.0.1").of([8; 16])), [(START, 0, 200, 2), (STOP, 1, 200, 1)]);
    assert_eq!(b.reason(), Some("address-used-again"));
    // The Start of a session that lies between comes last: it ended when the newer one began.
    assert_eq!(b.take(msg(START, "c", 150).ip("100.64.0.1").arrived(210)), [(START, 0, 150, 3), (STOP, 1, 200, 3)]);
    assert_eq!(b.sessions.table().open(), 1);
    // Another realm has its own addresses.
    let mut other = msg(START, "d", 300).ip("100.64.0.1");
    other.0.row.realm = 2;
    assert_eq!(b.take(other), [(START, 0, 300, 4)]);
    // Links of one multilink session share an address.
    b.take(msg(START, "l1", 400).ip("100.64.0.9").multi("m"));
    assert_eq!(b.take(msg(START, "l2", 410).ip("100.64.0.9").multi("m")).len(), 1);
    // An address that comes with an update counts from the update.
    b.take(msg(START, "e", 500).ip("100.64.0.5"));
    b.take(msg(START, "f", 450));
    assert_eq!(b.take(msg(INTERIM, "f", 600).ip("100.64.0.5")), [(INTERIM, 0, 600, 8), (STOP, 1, 600, 7)]);
}

#[test]
fn a_port_has_one_session_only_where_that_is_configured() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100).port(5));
    assert_eq!(b.take(msg(START, "b", 200).port(5)), [(START, 0, 200, 2), (STOP, 1, 200, 1)]);
    assert_eq!(b.reason(), Some("port-used-again"));
    let mut shared = msg(START, "c", 300).port(5);
    shared.0.port_is_exclusive = false;
    assert_eq!(b.take(shared).len(), 1);
    assert_eq!(b.take(msg(START, "d", 300).port(5).of([8; 16])).len(), 1, "a port of another NAS");
}

#[test]
fn an_id_used_again_ends_the_old_session() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100));
    assert_eq!(b.take(msg(START, "a", 500).unlike(1)), [(STOP, 1, 500, 1), (START, 0, 500, 2)]);
    assert_eq!(b.reason(), Some("session-id-used-again"));
    assert_eq!(b.take(msg(STOP, "a", 600)), [(STOP, 0, 600, 2)]);
}

#[test]
fn updates_that_stay_away_end_a_session_and_one_that_comes_undoes_it() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100).rhythm(60).ip("100.64.0.1"));
    b.take(msg(INTERIM, "a", 160).rhythm(60));
    assert_eq!(b.tick(339), []);
    assert_eq!(b.tick(340), [(STOP, 1, 220, 1)]);
    assert_eq!(b.reason(), Some("no-interim-update"));
    assert_eq!(b.tick(341), []);
    // It lived on, and still has its id and address.
    assert_eq!(b.take(msg(INTERIM, "a", 400).rhythm(60)), [(INTERIM, 0, 400, 1)]);
    let s = b.sessions.table().get(&session_key(NAS, "a")).unwrap();
    assert!(s.open && s.facts.framed_ipv4.is_some());
    // Without a rhythm nothing is inferred.
    let mut b = Bench::new();
    b.take(msg(START, "a", 100));
    assert_eq!(b.tick(1_000_000_000), []);
}

#[test]
fn closed_sessions_are_forgotten() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100));
    b.take(msg(STOP, "a", 200));
    b.tick(200 + CLOSED_MS / 1000 - 1);
    assert_eq!(b.sessions.table().len(), 1);
    b.tick(200 + CLOSED_MS / 1000);
    assert!(b.sessions.table().is_empty());
    assert_eq!(b.undo.sessions().len(), 1, "its state goes too");
}

#[test]
fn a_full_table_records_and_does_not_follow() {
    let mut b = Bench { sessions: Sessions::new(2, 3), ..Bench::new() };
    for name in ["a", "b", "c"] {
        assert_eq!(b.take(msg(START, name, 100)).len(), 1, "{name}");
    }
    assert_eq!((b.sessions.table().len(), b.sessions.untracked()), (2, 1));
    assert_eq!(b.take(msg(STOP, "c", 200).lasted(100)).len(), 1);
    // Failed attempts and tunnels open nothing anyway.
    let mut b = Bench::new();
    for status in [15, 9, 200] {
        assert_eq!(b.take(msg(status, "a", 100)).len(), 1);
        assert!(b.sessions.table().is_empty());
    }
}

#[test]
fn blocks_of_a_session() {
    let mut b = Bench::new();
    let actions = |b: &Bench| b.rows.nat.iter().map(|e| (e.action, e.public_port)).collect::<Vec<_>>();
    b.take(msg(START, "a", 100).blocks(&[(true, 1000), (true, 2000)]));
    assert_eq!(actions(&b), [(1, 1000), (1, 2000)]);
    b.take(msg(INTERIM, "a", 160).blocks(&[(true, 1000), (false, 2000), (true, 3000)]));
    assert_eq!(actions(&b), [(2, 2000), (1, 3000)], "a block told again is no event");
    b.restart(&["a"]);
    b.take(msg(ON, "", 200));
    assert_eq!(actions(&b), [(2, 1000), (2, 3000)]);
    let mut b = Bench::new();
    b.take(msg(START, "a", 100).blocks(&[(true, 1000)]));
    b.take(msg(STOP, "a", 200).blocks(&[(false, 1000)]));
    assert_eq!(actions(&b), [(2, 1000)], "once");
}

#[test]
fn blocks_told_after_the_end_end_with_it() {
    let mut b = Bench::new();
    b.take(msg(STOP, "a", 200).lasted(100));
    b.take(msg(START, "a", 100).arrived(201).blocks(&[(true, 1000)]));
    let got: Vec<_> = b.rows.nat.iter().map(|e| (e.action, e.public_port, e.time.0 / 1000)).collect();
    assert_eq!(got, [(1, 1000, 100), (2, 1000, 200)]);
    assert_eq!(b.sessions.table().open(), 0);
}

#[test]
fn an_older_message_does_not_put_back_what_changed() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100).ip("100.64.0.1"));
    b.take(msg(INTERIM, "a", 300).ip("100.64.0.2"));
    b.take(msg(INTERIM, "a", 200).ip("100.64.0.1").arrived(301));
    let address = |b: &Bench| b.sessions.table().get(&session_key(NAS, "a")).unwrap().facts.framed_ipv4.unwrap().to_string();
    assert_eq!(address(&b), "100.64.0.2");
    // A Start that comes after its update fills in only what the update did not say.
    let mut b = Bench::new();
    b.take(msg(INTERIM, "a", 200).ip("100.64.0.2"));
    b.take(msg(START, "a", 100).ip("100.64.0.1").port(5).arrived(201));
    let s = b.sessions.table().get(&session_key(NAS, "a")).unwrap();
    assert_eq!((address(&b).as_str(), s.facts.nas_port, s.facts.session), ("100.64.0.2", Some(5), Id(1u128.to_be_bytes())));
}

#[test]
fn the_rhythm_a_message_names_goes_before_the_default() {
    let with_default = |mut m: Msg| {
        m.0.default_interim_ms = 600_000;
        m
    };
    let mut b = Bench::new();
    b.take(with_default(msg(START, "a", 100).rhythm(60)));
    b.take(with_default(msg(INTERIM, "a", 160)));
    assert_eq!(b.tick(340).len(), 1, "three times sixty seconds after the update");
    b.take(with_default(msg(START, "b", 1000)));
    assert_eq!(b.tick(2799), []);
    assert_eq!(b.tick(2800).len(), 1);
}

#[test]
fn what_was_not_kept_is_taken_back() {
    let messages = [
        msg(START, "a", 100).ip("100.64.0.1").blocks(&[(true, 1000)]),
        msg(START, "b", 200).ip("100.64.0.1"),
        msg(INTERIM, "b", 250),
        msg(ON, "", 300),
        msg(STOP, "b", 260),
    ];
    let mut b = Bench::new();
    for (i, m) in messages.iter().enumerate() {
        let before = format!("{:?}", b.sessions.table().get(&m.0.session).map(|s| (s.open, s.facts.session)));
        let first = b.take(m.clone());
        let undo = std::mem::take(&mut b.undo);
        assert!(b.sessions.undo(undo).is_empty());
        assert_eq!(format!("{:?}", b.sessions.table().get(&m.0.session).map(|s| (s.open, s.facts.session))), before, "{i}");
        b.next -= 1;
        assert_eq!(b.take(m.clone()), first, "{i}: the next attempt is new");
    }
}

#[test]
fn what_was_built_on_a_refused_group_stays_and_is_written_anew() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100));
    let start = std::mem::take(&mut b.undo);
    b.take(msg(STOP, "a", 200));
    let rewrite = b.sessions.undo(start);
    assert_eq!(rewrite, BTreeSet::from([session_key(NAS, "a")]));
    // The Stop stands, and the Start is new when it comes again.
    assert_eq!(b.take(msg(START, "a", 100).arrived(201)), [(START, 0, 100, 1)]);
    assert_eq!(b.take(msg(STOP, "a", 200)), []);
}

#[derive(Clone, Debug)]
enum Step {
    Take(u8, u8, i64, u8),
    Refuse(u8, u8, i64, u8),
    Tick(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let message = || (prop::sample::select(vec![1u8, 1, 2, 2, 3, 7, 8]), 0..6u8, 0..400i64, 0..4u8);
    let step = prop_oneof![
        4 => message().prop_map(|(s, n, t, ip)| Step::Take(s, n, t, ip)),
        1 => message().prop_map(|(s, n, t, ip)| Step::Refuse(s, n, t, ip)),
        1 => (0..2000i64).prop_map(Step::Tick),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    /// Whatever comes: at most one open session an address, a refused message leaves the machine as it was, the same message is never
    /// recorded twice in a row, and every inferred end belongs to a session that was open.
    #[test]
    fn the_machine_keeps_its_promises(steps in steps()) {
        let mut b = Bench { sessions: Sessions::new(4, 2), ..Bench::new() };
        for step in steps {
            match step {
                Step::Take(status, n, t, ip) => {
                    let m = msg(status, &n.to_string(), t).ip(&format!("100.64.0.{ip}")).rhythm(50);
                    b.take(m.clone());
                    let followed = status >= 7 || b.sessions.table().get(&m.0.session).is_some();
                    let late = b.sessions.table().get(&m.0.session).is_some_and(|s| !s.open && status == START);
                    if followed && !late {
                        prop_assert_eq!(b.take(m), vec![], "told twice");
                    }
                }
                Step::Refuse(status, n, t, ip) => {
                    let m = msg(status, &n.to_string(), t).ip(&format!("100.64.0.{ip}"));
                    let look = |b: &Bench| format!("{:?}", (b.sessions.table().open(), b.sessions.table().len(), b.sessions.table().get(&m.0.session), b.sessions.table().nas(&NAS)));
                    let before = look(&b);
                    if !b.take(m.clone()).is_empty() {
                        let undo = std::mem::take(&mut b.undo);
                        prop_assert!(b.sessions.undo(undo).is_empty());
                        prop_assert_eq!(look(&b), before);
                    }
                }
                Step::Tick(now) => drop(b.tick(now)),
            }
            prop_assert!(b.sessions.table().len() <= 4);
            let open: Vec<_> = b.sessions.table().of_nas(NAS).filter_map(|k| b.sessions.table().get(&k)?.facts.framed_ipv4).collect();
            prop_assert_eq!(open.iter().collect::<BTreeSet<_>>().len(), open.len(), "one holder an address");
        }
    }
}

const _: () = assert!(SAME_EVENT_MS < 10_000, "the steps above take ten seconds for different events");
