//! What a listener makes of frames: sessions, copies, faults; a sink that is full, and a restart.

use std::sync::Arc;

use weir_base::time::Millis;
use weir_record::kinds::{Gap, IdType, Malformed, RadiusSession};

use super::packets::vectors;
use crate::dhcp::book::Needs;
use crate::dhcp::capture::Listener;
use crate::dhcp::config::{CaptureConfig, Config};
use crate::testing::{CountingIds, HandClock, MemorySink, Mode};

const NOW: Millis = Millis(1_795_312_800_000);

struct Rig {
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    listener: Listener,
}

fn rig(server: &str) -> Rig {
    let (sink, ids) = (MemorySink::new(), CountingIds::new());
    let capture = CaptureConfig { interface: "eth1".into(), server: server.into(), realm: None };
    let settings = Config { capture: vec![capture], ..Config::default() }.check().unwrap();
    let needs = Needs { sink: sink.clone(), ids: ids.clone(), clock: HandClock::at(NOW.0) };
    let listener = Listener::new(&settings, &settings.captures[0], needs).unwrap();
    Rig { sink, ids, listener }
}

fn frame(comment: &str) -> Vec<u8> {
    vectors().into_iter().find(|(c, ..)| c.contains(comment)).unwrap_or_else(|| panic!("{comment}")).1
}

impl Rig {
    /// Hears frames, each so many milliseconds after the begin.
    fn hear(&mut self, frames: &[(&str, i64)]) -> Vec<RadiusSession> {
        for (comment, ms) in frames {
            self.listener.frame(&frame(comment), NOW.plus(*ms));
        }
        self.listener.hand_over().unwrap();
        self.sink.rows()
    }
}

fn told(rows: &[RadiusSession]) -> Vec<(u8, i64, u8, Option<String>)> {
    rows.iter().map(|r| (r.status, r.time.since(NOW), r.start_certain, r.reason.clone())).collect()
}

#[test]
fn a_lease_from_its_acknowledgement_to_its_release() {
    let mut rig = rig("");
    let rows = rig.hear(&[("Kea 2.2 to dhclient 4.4: DHCPACK", 0), ("Renewed", 60_000), ("DHCPNAK", 60_500), ("DHCPRELEASE", 90_000)]);
    let released = Some("lease-released".to_owned());
    assert_eq!(told(&rows), [(1, 0, 1, None), (3, 60_000, 1, None), (2, 90_000, 1, released)]);
    let holder = Some(rig.ids.id(IdType::Hardware, "02:00:00:00:00:0a"));
    assert!(rows.iter().all(|r| r.subscriber == holder && r.framed_ipv4.unwrap().to_string() == "192.0.2.10"));
    assert!(rows.iter().all(|r| r.session == rows[0].session && r.nas_identifier.is_none()));
    assert_eq!(rows[0].nas_address.unwrap().to_string(), "192.0.2.1");
}

#[test]
fn what_was_not_seen_to_begin_is_not_certain_and_a_relay_is_named() {
    let mut rig = rig("");
    let rows = rig.hear(&[("Renewed", 0), ("Through a relay agent", 10)]);
    assert_eq!(told(&rows), [(1, 0, 0, None), (1, 10, 1, None)]);
    let relay = (rows[1].nas_address.unwrap().to_string(), rows[1].nas_port_id.clone().unwrap());
    assert_eq!(relay, ("192.0.2.254".to_owned(), "eth 0/1/7".to_owned()));
}

#[test]
fn a_copy_says_nothing_new_and_another_server_nothing_at_all() {
    let mut copied = rig("192.0.2.1");
    let ack = "udhcpc: DHCPACK";
    assert_eq!(told(&copied.hear(&[(ack, 0), (ack, 3), (ack, 499), (ack, 4_000)])), [(1, 0, 1, None), (3, 4_000, 1, None)]);
    assert!(rig("192.0.2.2").hear(&[(ack, 0)]).is_empty());
}

#[test]
fn faults_are_recorded_with_their_place_and_a_full_disk_forgets_nothing() {
    let mut rig = rig("");
    rig.sink.mode(Mode::Full);
    rig.listener.frame(&frame("Malformed: overload 4"), NOW);
    rig.listener.frame(&frame("udhcpc: DHCPACK"), NOW);
    assert!(rig.listener.hand_over().is_err());
    rig.sink.mode(Mode::Keep);
    rig.listener.hand_over().unwrap();
    let bad: Vec<Malformed> = rig.sink.rows();
    assert_eq!((bad.len(), bad[0].reason.as_str(), bad[0].offset), (1, "dhcp.overload", 278));
    assert_eq!(rig.sink.rows::<RadiusSession>().len(), 1);
    assert!(rig.sink.rows::<Gap>().is_empty());
}
