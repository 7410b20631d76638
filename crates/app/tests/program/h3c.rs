//! H3C's binary flow log through the program: datagrams on a real socket, look-up, a lost one, a stranger.

use std::fs;
use std::net::UdpSocket;

use serde_json::Value;

use crate::common::{Running, at, code, now_ms, parsed, text, weir};

/// A flow of version 3.0 (H3C "Flow log configuration", appendix): operator, inside, public port, remote, begin and end in seconds.
fn flow(operator: u8, host: u8, port: u16, remote: [u8; 4], begin: i64, end: i64) -> Vec<u8> {
    let mut out = vec![6, operator, 4, 0];
    out.extend([[100, 64, 0, host], [203, 0, 113, 5], remote, remote].concat());
    for p in [40_000, port, 443, 443] {
        out.extend(p.to_be_bytes());
    }
    out.extend([begin, end].into_iter().flat_map(|t| u32::try_from(t).unwrap().to_be_bytes()));
    out.resize(64, 0);
    out
}

/// A datagram of the NAT flow log (log type 4), made in this second, with this number.
fn datagram(second: i64, sequence: u32, flows: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![3, 4];
    out.extend(u16::try_from(flows.len()).unwrap().to_be_bytes());
    out.extend([u32::try_from(second).unwrap(), sequence, 0].into_iter().flat_map(u32::to_be_bytes));
    out.extend(flows.concat());
    out
}

fn source(running: &Running) -> Value {
    parsed(&running.ask(&["sources", "--json"])).as_array().unwrap().iter().find(|s| s["kind"] == "h3c").cloned().unwrap_or_default()
}

#[test]
fn flows_of_a_firewall_are_attributed_back() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("weir.toml");
    let settings = "[unit]\norigin = \"h3c.invalid\"\n[measures]\nradius = false\nipfix = false\n[sources.h3c]\nlisten = [\"127.0.0.1:0\"]\n\
                [[sources.h3c.devices]]\nname = \"fw\"\nprefix = \"127.0.0.1/32\"\nclock = \"trust\"\nrealm = \"north\"\npools = [\"203.0.113.0/24\"]\n\
                [[sources.h3c.remotes]]\nfrom = \"2026-01-01\"\npolicy = \"fingerprint\"\n";
    fs::write(&config, settings).unwrap();
    let running = Running::start(&dir.path().join("data"), &config, &[]);
    let (socket, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), running.port("h3c_udp"));
    let now = now_ms() / 1_000;
    let (far, near) = ([198, 51, 100, 44], [198, 51, 100, 45]);
    // One port for two hosts towards two remotes, and one that ended; numbers count datagrams. The last one tells of nothing but the time.
    let begun = [flow(8, 1, 2_048, far, now - 60, 0), flow(8, 2, 2_048, near, now - 60, 0), flow(8, 3, 4_096, far, now - 60, 0)];
    socket.send_to(&datagram(now - 60, 1, &begun), to).unwrap();
    socket.send_to(&datagram(now - 30, 2, &[flow(1, 3, 4_096, far, now - 60, now - 30)]), to).unwrap();
    socket.send_to(&datagram(now, 3, &[flow(6, 1, 2_048, far, now - 60, 0)]), to).unwrap();
    while source(&running)["messages"] != 3 {}
    let ask = |public: &str, ms: i64, remote: Option<&str>| {
        let at = at(ms);
        let mut args = vec!["lookup", "--public", public, "--protocol", "tcp", "--at", &at, "--skew", "1s", "--json"];
        args.extend(remote.iter().flat_map(|r| ["--remote", r]));
        parsed(&running.ask(&args))
    };
    let who = |answer: &Value| {
        let mut all: Vec<String> =
            answer["candidates"].as_array().unwrap().iter().map(|c| c["inside"]["address"].as_str().unwrap().to_owned()).collect();
        all.sort();
        (answer["answer"].as_str().unwrap().to_owned(), all)
    };
    let one = |host: &str| ("one".to_owned(), vec![host.to_owned()]);
    let expect = || {
        let ended = ask("203.0.113.5:4096", (now - 45) * 1_000, None);
        assert_eq!(who(&ended), one("100.64.0.3"), "{ended}");
        assert_eq!(ended["candidates"][0]["inside"]["port"], 40_000, "{ended}");
        assert_eq!(ask("203.0.113.5:4096", (now - 20) * 1_000, None)["answer"], "none");
        let both = (now - 50) * 1_000;
        let shared = ask("203.0.113.5:2048", both, None);
        assert_eq!(who(&shared), ("several".to_owned(), vec!["100.64.0.1".to_owned(), "100.64.0.2".to_owned()]), "{shared}");
        assert_eq!(who(&ask("203.0.113.5:2048", both, Some("198.51.100.44:443"))), one("100.64.0.1"));
        assert_eq!(who(&ask("203.0.113.5:2048", both, Some("198.51.100.45:443"))), one("100.64.0.2"));
    };
    expect();
    // Two datagrams are lost; a version that is not understood is recorded.
    socket.send_to(&datagram(now, 6, &[flow(8, 4, 8_192, far, now, 0)]), to).unwrap();
    socket.send_to(&[5, 4, 0, 1, 0, 0, 0, 0], to).unwrap();
    while source(&running)["malformed"] != 1 || running.records("gap").is_empty() {}
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    expect();
    let gaps = running.records("gap");
    assert_eq!((gaps.len(), &gaps[0]["lost"], &gaps[0]["unit"], &gaps[0]["reason"]), (1, &2.into(), &"packets".into(), &"sequence".into()));
    assert_eq!(source(&running)["lost"], 2);
    assert_eq!(running.records("malformed")[0]["reason"], "h3c.version-needs-a-layout");
    assert!(source(&running)["trouble"].as_str().unwrap().contains("[[sources.h3c.layouts]]"), "{}", source(&running));
    // Version 1.0 tells of nobody: its flows are counted, and the source says what to do.
    let mut one = datagram(now, 7, &[]);
    (one[0], one[3]) = (1, 2);
    one.extend([0; 48]);
    socket.send_to(&one, to).unwrap();
    while source(&running)["ignored"] != 3 {}
    let trouble = source(&running)["trouble"].as_str().unwrap().to_owned();
    assert!(trouble.contains("tells no translated address") && trouble.contains("userlog flow export version 3"), "{trouble}");
    // A stray datagram hides nothing of it.
    socket.send_to(b"xyz: what is this?", to).unwrap();
    while source(&running)["malformed"] != 2 {}
    let shown = text(&running.ask(&["sources"]));
    assert!(shown.contains("userlog flow export version 3") && !shown.contains("version 120"), "{shown}");
    assert_eq!(running.stop(), 0);
}

#[test]
fn a_version_is_read_as_its_layout_says() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("weir.toml");
    let begin = "[unit]\norigin = \"h3c.invalid\"\n[measures]\nradius = false\nipfix = false\n[sources.h3c]\nlisten = [\"127.0.0.1:0\"]\n\
                 [[sources.h3c.devices]]\nname = \"fw\"\nprefix = \"127.0.0.1/32\"\nclock = \"trust\"\n";
    let layout = "[[sources.h3c.layouts]]\nversion = 5\nheader = 16\ncount = 2\ntime = 4\nsequence = 8\nrecord = 64\nprotocol = 0\noperator = 1\n\
                  ip_version = 2\ninside_address = 4\npublic_address = 8\nremote_address = 12\ninside_port = 20\npublic_port = 22\nremote_port = 24\n\
                  start = 28\nend = 32\n";
    fs::write(&config, format!("{begin}{layout}")).unwrap();
    let running = Running::start(&dir.path().join("data"), &config, &[]);
    let (socket, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), running.port("h3c_udp"));
    let now = now_ms() / 1_000;
    for (number, flow) in
        [flow(8, 1, 2_048, [198, 51, 100, 44], now - 60, 0), flow(1, 1, 2_048, [198, 51, 100, 44], now - 60, now)].iter().enumerate()
    {
        let mut five = datagram(now - 60 + number as i64 * 60, number as u32, std::slice::from_ref(flow));
        five[0] = 5;
        socket.send_to(&five, to).unwrap();
    }
    let asked = ["lookup", "--public", "203.0.113.5:2048", "--protocol", "tcp", "--at", &at((now - 30) * 1_000), "--skew", "1s", "--json"];
    let answer = loop {
        let answer = parsed(&running.ask(&asked));
        if answer["answer"] != "none" && source(&running)["messages"] == 2 {
            break answer;
        }
    };
    assert!(answer["answer"] == "one" && answer["candidates"][0]["inside"]["address"] == "100.64.0.1", "{answer}");
    assert_eq!((&source(&running)["malformed"], &source(&running)["trouble"]), (&0.into(), &Value::Null));
    assert_eq!(running.stop(), 0);
    // Offsets that cannot be are told of before anything runs.
    fs::write(&config, format!("{begin}{}", layout.replace("end = 32", "end = 62"))).unwrap();
    let check = weir(&["check-config", "--config", config.to_str().unwrap()]);
    assert_eq!(code(&check), 1);
    let said = text(&check);
    assert!(said.contains("sources.h3c.layouts[0].end its 4 bytes from 62 on do not lie within the 64 bytes of a flow"), "{said}");
}
