//! Detail files: what the real FreeRADIUS wrote, blocks worked out by hand, and following files across renames and crashes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::kinds::{IdType, Malformed, RadiusSession};

use super::sink::{CountingIds, HandClock, MemorySink, Mode};
use super::testdata;
use crate::radius::config::{Config, DetailConfig};
use crate::radius::detail::{DetailError, Piece, first_piece, parse_block};
use crate::radius::follow::{Follower, Pass};
use crate::radius::limits::{DETAIL_BLOCK_BYTES, DETAIL_GRACE_MS};

const T: i64 = 1_795_312_800;

#[test]
fn a_block_of_the_real_freeradius() {
    let text = fs::read(testdata().join("detail/freeradius-3.2.1-cst.txt")).unwrap();
    let Piece::Block(block, n) = first_piece(&text) else { panic!("a block") };
    assert_eq!(n, text.len());
    let b = parse_block(block).unwrap();
    let m = &b.message;
    assert_eq!(m.problems, []);
    assert_eq!(m.account.as_ref().unwrap().clear(), "alice\"x@例");
    // 2025-11-22 16:26:40 in a zone called CST, which the header line shows to be eight hours ahead of UTC.
    assert_eq!((m.event_s, b.taken, m.status), (Some(1_763_800_000), Some(Millis(1_795_361_639_000)), Some(1)));
    assert_eq!((m.octets_in, m.terminate_cause, m.nas_port_type), (Some((1 << 32) + 5), Some(1), Some(15)));
    assert_eq!(m.framed_prefixes, ["2001:db8:1:2::/64".parse().unwrap()]);
    assert_eq!(m.delegated_prefixes, ["2001:db8:aa::/56".parse().unwrap()]);
    assert_eq!(m.interface_id, Some([0, 0, 0, 0, 0, 0, 0, 9]));
    assert_eq!(m.class.as_ref().unwrap().clear(), [0, 3, 1, 2, 255]);
    assert_eq!((m.port_ranges[0].ports, m.port_ranges[0].allocated), (Some((1024, 2047)), true));
}

#[test]
fn blocks_by_hand() {
    let block = |lines: &str| parse_block(format!("Sun Nov 22 10:00:01 2026\n{lines}").as_bytes());
    let m = block("\tAcct-Status-Type = Alive\n\tUser-Name = \"a\\\\b\\001\\303\\244\\t\"\n").unwrap().message;
    assert_eq!((m.status, m.account.unwrap().clear()), (Some(3), "a\\b\\x01ä\\x09"));
    let m = block("\tAcct-Status-Type = 9\n\tNAS-IP-Address = 192.0.2.1\n\tSomething-New = {1 = 2}\n").unwrap();
    assert_eq!((m.message.status, m.message.nas_address, m.taken), (Some(9), "192.0.2.1".parse().ok(), None));
    // No Timestamp, so the zone of Event-Timestamp is not known, and it is left out; a number needs no zone.
    assert_eq!(block("\tEvent-Timestamp = \"Nov 22 2026 10:00:00 CST\"\n").unwrap().message.event_s, None);
    assert_eq!(block("\tEvent-Timestamp = 1795312800\n").unwrap().message.event_s, Some(T as u32));
    for (zone, header, name) in [(8, "10:00:01", "CST"), (0, "02:00:01", "UTC"), (-6, "20:00:01", "CST"), (5, "07:45:01", "+0545")] {
        let day = if zone < 0 { 21 } else { 22 };
        let text = format!(
            "Sun Nov {day} {header} 2026\n\tEvent-Timestamp = \"Nov {day} 2026 {} {name}\"\n\tTimestamp = {}\n",
            header.replace(":01", ":00"),
            T + 1
        );
        assert_eq!(parse_block(text.as_bytes()).unwrap().message.event_s, Some(T as u32), "{name} {header}");
    }
    let two = "\tIP-Port-Range-Alloc = Allocation\n\tIP-Port-Range-Ext-IPv4-Addr = 203.0.113.7\n\tIP-Port-Range-Range-Start = 1\n\
        \tIP-Port-Range-Range-End = 9\n\tIP-Port-Range-Alloc = Deallocation\n\tIP-Port-Range-Ext-IPv4-Addr = 203.0.113.7\n\
        \tIP-Port-Range-Range-Start = 10\n\tIP-Port-Range-Range-End = 19\n";
    let ranges = block(two).unwrap().message.port_ranges;
    assert_eq!(ranges.iter().map(|r| (r.allocated, r.ports)).collect::<Vec<_>>(), [(true, Some((1, 9))), (false, Some((10, 19)))]);
    let ports = "\tIP-Port-Type = 6\n\tIP-Port-Limit = 512\n\tIP-Port-Limit = 1024\n\tIP-Port-Map-Type = 6\n\tIP-Port-Map-Int-Port = 80\n\
        \tIP-Port-Map-Ext-Port = 1080\n\tIP-Port-Map-Ext-IPv4-Addr = 203.0.113.7\n\tIP-Port-Range-Alloc = Deallocation\n\
        \tIP-Port-Map-Int-Port = 53\n\tIP-Port-Map-Ext-Port = 5000\n\tIP-Port-Map-Int-IPv4-Addr = 100.64.0.99\n";
    let m = block(ports).unwrap().message;
    assert_eq!((m.port_limit, m.problems.len(), m.port_ranges.len()), (Some(512), 0, 1));
    let forwards: Vec<_> = m.forwards.iter().map(|f| (f.protocol, f.public_port, f.inside_port, f.inside.is_some())).collect();
    assert_eq!(forwards, [(Some(6), 1080, 80, false), (None, 5000, 53, true)]);
    assert_eq!((m.port_ranges[0].allocated, m.port_ranges[0].ports), (false, None));
    for (lines, want) in [
        ("\tUser-Name\n", DetailError::Line(25)),
        ("no tab\n", DetailError::Line(25)),
        ("\tNAS-Port = 1\n\tFramed-IP-Address = x\n", DetailError::Value(39)),
        ("\tAcct-Status-Type = Starting\n", DetailError::Value(25)),
        ("\tFramed-IPv6-Prefix = 2001:db8::/129\n", DetailError::Value(25)),
        ("\tClass = 0x012\n", DetailError::Value(25)),
        ("\tFramed-Interface-Id = 0:0:9\n", DetailError::Value(25)),
    ] {
        assert_eq!(block(lines), Err(want), "{lines}");
    }
    assert_eq!(parse_block(&vec![b'x'; DETAIL_BLOCK_BYTES + 1]), Err(DetailError::TooLong));
    assert_eq!(block(&"\tA = 1\n".repeat(600)), Err(DetailError::TooManyAttributes));
}

#[test]
fn pieces() {
    assert_eq!(first_piece(b""), Piece::Partial);
    assert_eq!(first_piece(b"a\n\tb = c\n"), Piece::Partial);
    assert_eq!(first_piece(b"a\n\tb = c\n\nnext"), Piece::Block(b"a\n\tb = c\n", 10));
    assert_eq!(first_piece(b"\n\nx"), Piece::Blank(2));
    assert_eq!(first_piece(&vec![b'x'; DETAIL_BLOCK_BYTES + 5]), Piece::TooLong(DETAIL_BLOCK_BYTES));
}

fn block(status: &str, session: &str, at: i64) -> String {
    format!(
        "Sun Nov 22 10:00:00 2026\n\tAcct-Status-Type = {status}\n\tAcct-Session-Id = \"{session}\"\n\tUser-Name = \"u-{session}\"\n\
         \tNAS-IP-Address = 192.0.2.1\n\tEvent-Timestamp = {at}\n\tTimestamp = {}\n\n",
        at + 1
    )
}

struct Rig {
    dir: tempfile::TempDir,
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    clock: Arc<HandClock>,
    follower: Follower,
}

impl Rig {
    fn new(file: &str, delete: bool) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let (sink, ids, clock) = (MemorySink::new(), CountingIds::new(), HandClock::at((T + 100) * 1000));
        let follower = follower(&dir.path().join(file), delete, &sink, &ids, &clock);
        Rig { dir, sink, ids, clock, follower }
    }

    fn append(&self, file: &str, text: &str) {
        let mut f = OpenOptions::new().create(true).append(true).open(self.dir.path().join(file)).unwrap();
        f.write_all(text.as_bytes()).unwrap();
    }

    /// Reads until there is nothing to read.
    fn drain(&mut self) {
        while self.follower.pass().unwrap() == Pass::Progress {}
    }

    fn sessions(&self) -> Vec<String> {
        self.sink.rows::<RadiusSession>().into_iter().map(|r| format!("{}{}", r.acct_session_id.unwrap_or_default(), r.status)).collect()
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Process death: what the sink keeps, and a new follower.
    fn crash(&mut self, file: &str, delete: bool) {
        self.sink = self.sink.crashed();
        self.follower = follower(&self.dir.path().join(file), delete, &self.sink, &self.ids, &self.clock);
    }
}

fn follower(path: &Path, delete: bool, sink: &Arc<MemorySink>, ids: &Arc<CountingIds>, clock: &Arc<HandClock>) -> Follower {
    let detail = DetailConfig { path: path.to_owned(), delete, ..DetailConfig::default() };
    let settings = Config { listen: vec![], detail: vec![detail], ..Config::default() }.check().unwrap();
    Follower::new(&settings, 0, &settings.detail[0], sink.clone(), ids.clone(), clock.clone()).unwrap()
}

#[test]
fn a_file_is_followed_and_taken_once_across_crashes() {
    let mut rig = Rig::new("detail", false);
    rig.drain();
    rig.append("detail", &block("Start", "a", T));
    rig.append("detail", "Sun Nov 22 10:00:00 2026\n\tAcct-Status-Type = Start\n");
    rig.drain();
    assert_eq!(rig.sessions(), ["a1"]);
    let row = &rig.sink.rows::<RadiusSession>()[0];
    assert_eq!((row.time, row.arrived), (Millis(T * 1000), Millis((T + 1) * 1000)));
    assert_eq!(row.subscriber, Some(rig.ids.id(IdType::Account, "u-a")));
    rig.crash("detail", false);
    rig.append("detail", &format!("\tAcct-Session-Id = \"b\"\n\tEvent-Timestamp = {T}\n\n{}", block("Stop", "a", T + 50)));
    rig.drain();
    assert_eq!(rig.sessions(), ["a1", "b1", "a2"]);
    // Rotated: the old file has another name, the new one begins anew.
    fs::rename(rig.dir.path().join("detail"), rig.dir.path().join("old")).unwrap();
    rig.append("detail", &block("Start", "c", T + 60));
    rig.drain();
    assert_eq!(rig.sessions(), ["a1", "b1", "a2", "c1"]);
    // Written anew under the same inode.
    fs::write(rig.dir.path().join("detail"), block("Start", "dd", T + 70)).unwrap();
    rig.drain();
    assert_eq!(rig.sessions().last().unwrap(), "dd1");
    assert_eq!(rig.sink.rows::<RadiusSession>().len(), 5);
}

#[test]
fn nothing_moves_while_the_disk_is_full() {
    let mut rig = Rig::new("detail", true);
    rig.append("detail", &block("Start", "a", T));
    rig.sink.mode(Mode::Full);
    for _ in 0..3 {
        assert!(rig.follower.pass().unwrap_err().contains("full"));
        rig.clock.set((T + 1000) * 1000);
    }
    assert_eq!(rig.files(), ["detail.work"]);
    rig.sink.mode(Mode::Keep);
    rig.drain();
    assert_eq!(rig.sessions(), ["a1"]);
    assert_eq!(rig.sink.bindings().len(), 1);
}

#[test]
fn a_folder_is_read_by_name_and_files_go_when_they_are_durable() {
    let mut rig = Rig::new("", true);
    rig.append("detail-20261121", &block("Start", "a", T));
    rig.append("detail-20261122", &(block("Stop", "a", T + 50) + "Sun Nov"));
    rig.append("notes", "not ours");
    rig.drain();
    assert_eq!(rig.sessions(), ["a1", "a2"]);
    assert_eq!(rig.files(), ["detail-20261121.work", "detail-20261122.work", "notes"]);
    // FreeRADIUS still had the file open under its old name: the block is taken too.
    rig.append("detail-20261121.work", &block("Start", "b", T + 60));
    rig.drain();
    rig.clock.set((T + 100) * 1000 + DETAIL_GRACE_MS - 1);
    rig.drain();
    assert_eq!(rig.files().len(), 3, "not yet");
    rig.clock.set((T + 100) * 1000 + 2 * DETAIL_GRACE_MS);
    rig.drain();
    assert_eq!(rig.files(), ["notes"]);
    assert_eq!(rig.sessions(), ["a1", "a2", "b1"]);
    let torn: Vec<Malformed> = rig.sink.rows();
    assert_eq!(torn.iter().map(|m| m.reason.as_str()).collect::<Vec<_>>(), ["detail.torn"]);
    assert_eq!(rig.sink.state_len("radius/detail/0", b'd'), 0, "no position of a file that is gone");
}

#[test]
fn a_crash_between_durable_and_deleted_takes_nothing_twice() {
    let mut rig = Rig::new("detail", true);
    rig.append("detail", &block("Start", "a", T));
    rig.drain();
    rig.crash("detail", true);
    rig.append("detail", &block("Stop", "a", T + 50));
    rig.drain();
    rig.clock.set((T + 200) * 1000);
    rig.drain();
    rig.clock.set((T + 300) * 1000);
    rig.drain();
    rig.clock.set((T + 400) * 1000);
    rig.drain();
    assert_eq!(rig.sessions(), ["a1", "a2"]);
    assert_eq!(rig.files(), Vec::<String>::new());
}

#[test]
fn bad_blocks_are_recorded_and_the_next_is_taken() {
    let mut rig = Rig::new("detail", false);
    rig.append("detail", &format!("garbage\nmore\n\n{}{}\n\n{}", block("Start", "a", T), "x".repeat(70_000), block("Start", "b", T)));
    rig.drain();
    assert_eq!(rig.sessions(), ["a1", "b1"]);
    let bad: Vec<Malformed> = rig.sink.rows();
    assert_eq!(bad[0].reason, "detail.line");
    assert!(bad.iter().any(|m| m.reason == "detail.too-long"), "{bad:?}");
    assert_eq!(lock(&rig.sink.sources()[0].1.counters).malformed, bad.len() as u64);
}

#[test]
fn old_blocks_are_judged_by_their_own_time() {
    let mut rig = Rig::new("detail", false);
    let interim = |at: i64| block("Interim-Update", "a", at).replace("\tTimestamp", "\tAcct-Interim-Interval = 60\n\tTimestamp");
    // Written hours ago, one update a minute; read now, in two groups.
    rig.clock.set((T + 100_000) * 1000);
    rig.append("detail", &(0..700).map(|i| interim(T + 60 * i)).collect::<String>());
    rig.drain();
    let rows: Vec<RadiusSession> = rig.sink.rows();
    assert_eq!(rows.iter().filter(|r| r.inferred == 0).count(), 700);
    let ends: Vec<_> = rows.iter().filter(|r| r.inferred == 1).collect();
    assert_eq!(ends.len(), 1, "one end, when the file was read through");
    assert_eq!(ends[0].time, Millis((T + 60 * 700) * 1000));
}
