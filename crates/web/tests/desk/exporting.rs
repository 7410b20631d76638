//! Exports: chunk by chunk, as fast as the reader reads, to the last row or not at all.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::json;
use weir_base::task::lock;
use weir_web::settings::{Times, Tls};

use crate::backend::ROW;
use crate::client::{connect, parse};
use crate::rig::{Browser, Rig};

fn head(rig: &Rig, browser: &Browser<'_>, kind: &str, format: &str) -> String {
    let body = json!({"kind": kind, "format": format, "reason": "for a test"}).to_string();
    format!(
        "POST /api/v1/records/export HTTP/1.1\r\nHost: {}\r\nCookie: weir={}\r\nX-Weir-CSRF: {}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        rig.host(),
        browser.cookie.as_ref().unwrap(),
        browser.csrf,
        body.len()
    )
}

/// Waits for something that another thread does.
fn until(what: impl Fn() -> bool) {
    while !what() {
        std::thread::yield_now();
    }
}

#[test]
fn an_export_is_whole_or_seen_not_to_be() {
    let rig = Rig::new();
    let staff = rig.staff();
    let operator = staff.signed_in("operator");
    for (format, kind) in [("csv", "text/csv; charset=utf-8"), ("jsonl", "application/jsonl")] {
        let mut stream = connect(rig.address());
        stream.write_all(head(&rig, &operator, "session", format).as_bytes()).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        let reply = parse(&all);
        assert_eq!((reply.status, reply.whole, reply.body.len()), (200, true, 10 * ROW));
        assert_eq!(reply.header("content-type"), Some(kind));
        assert!(reply.header("content-disposition").unwrap().starts_with("attachment"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    assert_eq!(*lock(&rig.program.exported), [10, 10]);
    let mut wrong = staff.signed_in("operator");
    let refused = wrong.post("/api/v1/records/export", &json!({"kind": "session", "format": "xls", "reason": "for a test"}));
    assert_eq!((refused.code().as_str(), &refused.json()["field"]), ("bad-request", &json!("format")));
}

#[test]
fn a_reader_that_goes_ends_the_export() {
    let rig = Rig::new();
    let staff = rig.staff();
    let operator = staff.signed_in("operator");
    let mut stream = connect(rig.address());
    stream.write_all(head(&rig, &operator, "nat_event", "csv").as_bytes()).unwrap();
    let mut some = vec![0; 10 * ROW];
    stream.read_exact(&mut some).unwrap();
    drop(stream);
    until(|| !lock(&rig.program.exported).is_empty());
    assert!(lock(&rig.program.exported)[0] >= 10);
}

#[test]
fn a_reader_that_takes_nothing_stops_the_export_and_is_cut() {
    let rig = Rig::with(Tls::Clear, Times { stall: Duration::from_millis(300), ..Times::default() }, |_, _| ());
    let staff = rig.staff();
    let operator = staff.signed_in("operator");
    let mut stream = connect(rig.address());
    stream.write_all(head(&rig, &operator, "nat_event", "csv").as_bytes()).unwrap();
    until(|| !lock(&rig.program.exported).is_empty());
    // What the sockets of both ends hold, some megabytes, and no more.
    let rows = lock(&rig.program.exported)[0];
    assert!(rows < 4_000, "{rows} rows of 16 KiB went to a reader that read none");
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    assert!(!parse(&all).whole, "an export that was cut has no last chunk");
}
