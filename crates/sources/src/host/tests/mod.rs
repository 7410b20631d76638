//! The pure parts, then real files and the real journalctl.

mod audit_log;
mod journal;

use proptest::prelude::*;
use weir_base::time::Millis;

use super::audit;
use super::config::Config;
use super::export::{Decoder, Entry};
use super::limits::FIELD_BYTES;

const EXPORT: &str = include_str!("../testdata/export.txt");

fn entries(bytes: &[u8]) -> Vec<Entry> {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    decoder.feed(bytes, &mut out);
    out
}

fn export() -> Vec<u8> {
    EXPORT.lines().skip(1).map(|l| format!("{l}\n")).collect::<String>().into_bytes()
}

fn text(entry: &Entry) -> String {
    String::from_utf8(entry.line()).unwrap()
}

#[test]
fn entries_become_lines() {
    let all = entries(&export());
    let lines: Vec<String> = all.iter().map(text).collect();
    assert_eq!(
        lines,
        [
            "<38>1 2026-11-22T10:00:00.123+08:00 gate sshd 4711 - - Accepted password for alice from 192.0.2.7 port 50112 ssh2",
            "<28>1 2026-11-22T10:00:01.000+08:00 gate kernel - - - device eth0: link down = carrier lost",
        ]
    );
    assert_eq!(all[1].cursor, "s=6b7e2a;i=2;b=9c;m=2;t=640;x=a2");
}

#[test]
fn a_field_with_newlines_and_one_that_is_too_long() {
    let mut bytes = b"__CURSOR=c\nMESSAGE\n".to_vec();
    bytes.extend(11u64.to_le_bytes());
    bytes.extend(b"one\ntwo\nsix\n_PID=7\nCOREDUMP\n");
    bytes.extend((3 * FIELD_BYTES as u64).to_le_bytes());
    bytes.extend(vec![b'\n'; 3 * FIELD_BYTES]);
    bytes.extend(b"\n\n__CURSOR=d\nMESSAGE=after\n\n");
    let all = entries(&bytes);
    assert_eq!(all.iter().map(|e| e.cursor.as_str()).collect::<Vec<_>>(), ["c", "d"]);
    assert!(text(&all[0]).ends_with(" - 7 - - one two six"), "{}", text(&all[0]));
    let long = [b"__CURSOR=e\nMESSAGE=".to_vec(), vec![b'x'; 2 * FIELD_BYTES], b"\n\n".to_vec()].concat();
    let all = entries(&long);
    assert!(all[0].cut && all[0].message.len() <= 2 * FIELD_BYTES);
}

#[test]
fn audit_lines() {
    let line = "type=USER_LOGIN msg=audit(1795312800.123:24287): pid=1 uid=0 auid=1000 ses=2 msg='op=login acct=\"alice\" \
                exe=\"/usr/sbin/sshd\" hostname=192.0.2.7 addr=192.0.2.7 terminal=ssh res=success'\u{1d}UID=\"root\" AUID=\"alice\"";
    let parsed = audit::parse(line).unwrap();
    assert_eq!((parsed.kind, parsed.time), ("USER_LOGIN", Millis(1_795_312_800_123)));
    let made = String::from_utf8(audit::line(line.as_bytes())).unwrap();
    assert!(made.starts_with("<109>1 2026-11-22T10:00:00.123+08:00 - audit - USER_LOGIN - pid=1 uid=0 "), "{made}");
    assert!(made.ends_with("res=success' UID=\"root\" AUID=\"alice\""), "{made}");
    let named = audit::parse("node=gate type=DAEMON_START msg=audit(1795312800.000:1): op=start").unwrap();
    assert_eq!((named.node, named.text), (Some("gate"), "op=start"));
    for bad in
        ["", "type=", "type=A msg=audit(1.1)", "type=A msg=audit(x.1:1): ", "type=a b msg=audit(1.1:1): x", "type=A msg=audit(1.1000:1): x"]
    {
        assert_eq!(audit::parse(bad), None, "{bad}");
    }
    assert_eq!(audit::line(b"nonsense"), b"<109>1 - - audit - - - nonsense");
}

#[test]
fn all_problems_of_a_configuration_are_found_at_once() {
    let text = "name = \"a/b\"\njournal = false\njournal_directory = \"here\"\n";
    let problems = toml::from_str::<Config>(text).unwrap().check().unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|p| p.split(' ').next().unwrap()).collect();
    assert_eq!(keys, ["name", "journal_directory", "journal"]);
    assert!(Config::default().check().unwrap().journal.is_some());
}

proptest! {
    #[test]
    fn however_it_is_cut_the_entries_are_the_same(cuts in proptest::collection::vec(0usize..700, 0..8)) {
        let bytes = export();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for pair in cuts.windows(2) {
            decoder.feed(&bytes[pair[0]..pair[1]], &mut out);
        }
        prop_assert_eq!(out, entries(&bytes));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for entry in entries(&bytes) {
            let _ = entry.line();
        }
        let _ = audit::line(&bytes);
    }
}
