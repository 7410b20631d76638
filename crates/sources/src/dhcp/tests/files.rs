//! Lines of the servers' files, and what becomes of them. The formats: Kea 2.2 src/lib/dhcpsrv/csv_lease_file4.cc and -6.cc, dnsmasq 2.90
//! src/lease.c. The lines are written by hand after them.

use proptest::prelude::*;
use weir_base::time::Millis;
use weir_record::Id;

use crate::dhcp::config::{CaptureConfig, Config, FileConfig};
use crate::dhcp::kea::{self, Columns, Row};
use crate::dhcp::leases::{Leases, Line, Out, Via};
use crate::dhcp::{dnsmasq, fuzz};

/// 2026-11-22T10:00:00+08:00 in seconds.
const T: i64 = 1_795_312_800;

fn kea_file(text: &str) -> Vec<Result<Row, &'static str>> {
    let mut columns: Option<Columns> = None;
    let mut rows = Vec::new();
    for line in text.lines() {
        match kea::row(columns.as_ref(), line.as_bytes()) {
            Ok(Row::Header(c)) => columns = Some(c),
            other => rows.push(other),
        }
    }
    rows
}

fn line(prefix: &str, client: &str, at: Option<i64>, expires: Option<i64>, active: bool) -> Result<Row, &'static str> {
    let ms = |s: i64| Millis((T + s) * 1_000);
    let (acknowledged, expires) = (at.map(ms), expires.map(ms));
    Ok(Row::Lease(Line { prefix: prefix.parse().unwrap(), client: client.into(), acknowledged, expires, active, via: Via::default() }))
}

#[test]
fn keas_lines() {
    assert_eq!(
        kea_file(include_str!("../testdata/kea-leases4.csv")),
        [
            line("100.64.0.10", "02:00:00:00:00:0a", Some(0), Some(3_600), true),
            line("100.64.0.11", "02:00:00:00:00:0b", Some(10), Some(3_610), true),
            line("100.64.0.10", "02:00:00:00:00:0a", Some(1_800), Some(5_400), true),
            line("100.64.0.11", "02:00:00:00:00:0b", Some(10), Some(10), false),
            line("100.64.0.12", "client-id:ff:00:00:00:01", None, None, true),
            Ok(Row::Nothing),
            line("100.64.0.10", "02:00:00:00:00:0a", Some(1_800), Some(5_400), false),
        ]
    );
    // A DUID of the types LLT and LL holds the hardware address, if it is whole and of Ethernet.
    for (duid, client) in [
        ("00:01:00:01:2c:aa:bb:cc:02:00:00:00:00:0A", "02:00:00:00:00:0a"),
        ("00:03:00:01:02:00:00:00:00:0a", "02:00:00:00:00:0a"),
        ("00:03:00:06:02:00:00:00:00:0a", "duid:00:03:00:06:02:00:00:00:00:0a"),
        ("00:03:00:01:02:00:00:00:00", "duid:00:03:00:01:02:00:00:00:00"),
        ("00:04:49:f0:60:cc", "duid:00:04:49:f0:60:cc"),
    ] {
        assert_eq!(kea::client("", duid, "").unwrap().as_deref(), Some(client), "{duid}");
    }
    assert_eq!(kea::client("02:00:00:00:00:0b", "00:03:00:01:02:00:00:00:00:0a", "").unwrap().as_deref(), Some("02:00:00:00:00:0b"));
    assert_eq!(
        kea_file(include_str!("../testdata/kea-leases6.csv")),
        [
            line("2001:db8::5", "02:00:00:00:00:0a", Some(0), Some(3_600), true),
            line("2001:db8:aa00::/56", "duid:00:01:00:01:2c:aa", Some(0), Some(3_600), true),
        ]
    );
}

#[test]
fn lines_that_do_not_read_have_a_code_and_no_text() {
    let head = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n";
    for (text, code) in [
        ("100.64.0.10,02:00:00:00:00:0a,,3600,1795316400", "dhcp.no-header"),
        ("address,hwaddr,hostname", "dhcp.header"),
        (&format!("{head}100.64.0,02:00:00:00:00:0a,,3600,1795316400,1,0,0,,0"), "dhcp.address"),
        (&format!("{head}100.64.0.1,02:00:00:00:00:0a,,-1,1795316400,1,0,0,,0"), "dhcp.valid-lifetime"),
        (&format!("{head}100.64.0.1,02:00:00:00:00:0a,,3600,soon,1,0,0,,0"), "dhcp.expire"),
        (&format!("{head}100.64.0.1,02:00:00:00:00:0a,,3600,1795316400,1,0,0,,x"), "dhcp.state"),
        (&format!("{head}100.64.0.1,,,3600,1795316400,1,0,0,,0"), "dhcp.no-client"),
        (&format!("{head}100.64.0.1,host name,,3600,1795316400,1,0,0,,0"), "dhcp.client"),
        (&format!("{head}1,2,3,4,5,6,7,8,9,10,11"), "dhcp.too-many-columns"),
    ] {
        assert_eq!(kea_file(text).last(), Some(&Err(code)), "{text}");
    }
    assert_eq!(kea::row(None, b"\xff\xfe"), Err("dhcp.not-text"));
}

#[test]
fn dnsmasqs_lines() {
    let (good, bad) = dnsmasq::leases(include_bytes!("../testdata/dnsmasq.leases"));
    let want = [
        line("100.64.0.10", "02:00:00:00:00:0a", None, Some(3_600), true),
        line("100.64.0.11", "02:00:00:00:00:0b", None, None, true),
        line("100.64.0.12", "02:00:00:00:00:0c", None, Some(3_600), true),
        line("2001:db8::5", "duid:00:01:00:01:2c:bb", None, Some(3_600), true),
    ];
    assert_eq!(good.into_iter().map(|l| Ok(Row::Lease(l))).collect::<Vec<_>>(), want);
    assert_eq!(bad, []);
    let (good, bad) =
        dnsmasq::leases(b"x 02:00:00:00:00:0a 100.64.0.10 * *\n1 2\n1 zz 100.64.0.10 * *\n\xff\n9 02:00:00:00:00:0a nowhere * *\n");
    assert_eq!(good, []);
    assert_eq!(
        bad.iter().map(|b| b.1).collect::<Vec<_>>(),
        ["dhcp.expire", "dhcp.columns", "dhcp.client", "dhcp.not-text", "dhcp.address"]
    );
    assert_eq!(bad[1].0, 36, "where the second line begins");
}

/// Feeds lines: (client, acknowledged, expires, active) at `now`, seconds from T; gives (status, seconds, start certain).
fn events(leases: &mut Leases, steps: &[(u8, Option<i64>, i64, bool, i64)], fresh: bool) -> Vec<(u8, i64, u8)> {
    let mut out = Out::default();
    for (i, (client, at, expires, active, now)) in steps.iter().enumerate() {
        let Ok(Row::Lease(l)) = line("100.64.0.10", "x", *at, Some(*expires), *active) else { unreachable!() };
        leases.take(&l, Id([*client; 16]), Id([100 + i as u8; 16]), Millis((T + now) * 1_000), fresh, &mut out);
    }
    assert!(out.rows.iter().all(|r| r.arrived >= r.time));
    out.rows.iter().map(|r| (r.status, r.time.0 / 1_000 - T, r.start_certain)).collect()
}

#[test]
fn leases_begin_go_on_and_end() {
    let mut t = Leases::new(1, 1, Some("kea"), 10);
    let lines = [(1, Some(0), 3_600, true, 1), (1, Some(1_800), 5_400, true, 1_801), (1, Some(1_800), 1_800, false, 2_000)];
    assert_eq!(events(&mut t, &lines, true), [(1, 0, 1), (3, 1_800, 1), (2, 2_000, 1)]);
    // All of it again, as at a start: nothing is new.
    assert_eq!(events(&mut t, &lines, false), []);
    // The address goes to another.
    assert_eq!(
        events(&mut t, &[(2, Some(2_100), 5_700, true, 2_101), (3, Some(4_000), 7_600, true, 4_001)], true),
        [(1, 2_100, 1), (2, 4_000, 1), (1, 4_000, 1)]
    );
    // Its time runs out.
    let mut out = Out::default();
    assert!(!t.tick(Millis((T + 7_601) * 1_000), &mut out));
    assert_eq!(
        (out.rows[0].status, out.rows[0].time, out.rows[0].reason.as_deref()),
        (2, Millis((T + 7_600) * 1_000), Some("lease-expired"))
    );
    // Taken up again after its end: another session.
    assert_eq!(events(&mut t, &[(3, Some(9_000), 12_600, true, 9_001)], true), [(1, 9_000, 1)]);
    // Found in a file that was there before us: since when is not certain.
    assert_eq!(events(&mut Leases::new(1, 1, Some("kea"), 10), &lines[..1], false), [(1, 0, 0)]);
    // Long after, all is forgotten.
    let mut out = Out::default();
    t.tick(Millis((T + 12_601) * 1_000), &mut out);
    t.tick(Millis((T + 40 * 86_400) * 1_000), &mut out);
    assert!(t.is_empty() && out.state.last().unwrap().value.is_none());
}

#[test]
fn a_file_written_as_a_whole_says_something_new_only_by_its_expiry() {
    let mut t = Leases::new(1, 1, Some("dnsmasq"), 10);
    assert_eq!(
        events(&mut t, &[(1, None, 3_600, true, 5), (1, None, 3_600, true, 9), (1, None, 5_000, true, 20)], true),
        [(1, 5, 1), (3, 20, 1)]
    );
    let mut out = Out::default();
    t.only(&|_| false, Millis((T + 30) * 1_000), &mut out);
    assert_eq!((out.rows[0].status, out.rows[0].time), (2, Millis((T + 30) * 1_000)));
    // What is over is not begun.
    assert_eq!(events(&mut t, &[(2, None, 25, true, 31)], true), []);
}

#[test]
fn what_does_not_fit_is_counted() {
    let mut t = Leases::new(1, 1, Some("kea"), 0);
    let mut out = Out::default();
    let Ok(Row::Lease(l)) = line("100.64.0.10", "x", Some(0), Some(10), true) else { unreachable!() };
    t.take(&l, Id([1; 16]), Id([2; 16]), Millis(T * 1_000), true, &mut out);
    assert_eq!((out.overflow, out.rows.len(), t.len()), (1, 0, 0));
}

#[test]
fn problems_are_all_told() {
    assert!(Config::default().check().unwrap().files.is_empty());
    let file = |path: &str, server: &str| FileConfig { path: path.into(), server: server.into(), realm: None };
    let capture = |interface: &str, server: &str, realm: Option<&str>| CaptureConfig {
        interface: interface.into(),
        realm: realm.map(str::to_owned),
        server: server.into(),
    };
    let bad = Config {
        name: "a/b".into(),
        leases_max: 0,
        files: vec![file("/a", "kea"), file("/a", "dnsmasq"), file("b", "isc")],
        capture: vec![capture("eth1", "", None), capture("eth1", "192.0.2.1", None), capture("a name too long", "dhcp-1", Some("a/b"))],
        ..Config::default()
    };
    let problems = bad.check().unwrap_err();
    let keys = ["name", "leases_max", "files[1].path", "files[2].path", "files[2].server"];
    for key in keys.into_iter().chain(["capture[1].interface", "capture[2].interface", "capture[2].server", "capture[2].realm"]) {
        assert!(problems.iter().any(|p| p.starts_with(key)), "{key}: {problems:#?}");
    }
}

proptest! {
    #[test]
    fn any_file_ends(data in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzz::dhcp_leases(&data);
    }

    #[test]
    fn likely_files_end(lines in proptest::collection::vec((0u8..4, 0i64..9, 0i64..5, 0u8..3, 0u8..4), 0..60)) {
        let mut text = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n".to_owned();
        for (host, at, lifetime, state, client) in lines {
            let expire = 1_700_000_000 + at + lifetime;
            text.push_str(&format!("100.64.0.{host},02:00:00:00:00:0{client},,{lifetime},{expire},1,0,0,,{state}\n"));
        }
        fuzz::dhcp_leases(text.as_bytes());
    }
}
