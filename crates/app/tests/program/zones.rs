//! A sender of log lines whose zone is not the one that is configured.

use std::net::UdpSocket;

use crate::common::{at, now_ms, parsed};
use crate::syslog::{start, wait};

/// A device whose lines name no zone writes UTC, and is read as if it wrote +08:00.
#[test]
fn a_zone_that_is_not_the_senders_is_told_and_does_not_name_somebody_else() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(&dir.path().join("data"), &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let now = now_ms();
    let send = |ms: i64, text: &str| {
        // Ours is +08:00: so UTC, as a header of RFC 3164 has it.
        let utc = at(ms - 8 * 3_600_000);
        let (month, day, clock) = (utc[5..7].parse::<usize>().unwrap(), utc[8..10].parse::<u8>().unwrap(), &utc[11..19]);
        let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month - 1];
        socket.send_to(format!("<134>{month} {day:>2} {clock} cgn {text}").as_bytes(), running.port("syslog_udp")).unwrap();
    };
    for (event, ms) in [("SessionbasedA", now - 60_000), ("SessionbasedW", now - 20_000)] {
        send(ms, &format!("NAT444: {event} 6 100.64.0.9 - - 203.0.113.5 50000 1024 - - -"));
    }
    send(now, "app: all is well");
    wait(&running, "all is well", 1);
    wait(&running, "Sessionbased", 2);
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let told = sources.as_array().unwrap().iter().filter_map(|s| s["trouble"].as_str()).collect::<Vec<_>>();
    assert_eq!(told, ["its lines are 8 h behind our clock: they name no zone and are read as +08:00: set zone = \"+00:00\" in its entry"]);
    let asked = |ms: i64| {
        parsed(&running.ask(&["lookup", "--public", "203.0.113.5:1024", "--protocol", "tcp", "--at", &at(ms), "--skew", "1s", "--json"]))
    };
    let right = asked(now - 40_000);
    assert_eq!((&right["answer"], right.to_string().contains("100.64.0.9")), (&"one".into(), true), "{right}");
    let eight_hours_before = asked(now - 40_000 - 8 * 3_600_000);
    assert!(eight_hours_before["answer"] != "one" && !eight_hours_before.to_string().contains("100.64.0.9"), "{eight_hours_before}");
}
