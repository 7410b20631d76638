//! What accounting says beyond one address: port blocks, forwarded ports, several prefixes, and what comes too late.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Running, at, code, config, have, now_ms, parsed, radclient, text, weir};

/// A NAS on this machine, with the history it tells.
struct Nas<'a> {
    running: &'a Running,
    /// Seconds since 1970.
    now: i64,
}

impl Nas<'_> {
    fn tell(&self, session: &str, status: &str, at: i64, more: &str) {
        let packet = format!(
            "Acct-Session-Id = \"{session}\", User-Name = \"{session}.example\", NAS-IP-Address = 192.0.2.1, NAS-Identifier = \"bras-1\", \
             Acct-Status-Type = {status}, Event-Timestamp = {at}{more}\n"
        );
        let secret = self.running.data.join("radius.secret");
        assert!(radclient(self.running.port("radius"), &secret, &packet), "{status} is answered");
    }

    fn ask(&self, public: &str, ago: i64) -> Value {
        let moment = at((self.now - ago) * 1_000);
        let output = self.running.ask(&["lookup", "--public", public, "--protocol", "tcp", "--at", &moment, "--json"]);
        assert!([0, 3, 4, 5].contains(&code(&output)), "{}{}", text(&output), String::from_utf8_lossy(&output.stderr));
        parsed(&output)
    }

    /// The one holder: kind of its mapping, its session, its inside end.
    fn holder(&self, public: &str, ago: i64) -> (Value, Value, Value) {
        let answer = self.ask(public, ago);
        assert_eq!(answer["answer"], "one", "{public}: {answer}");
        let c = &answer["candidates"][0];
        assert_eq!(c["subscriber"].as_str().map(str::len), Some(32), "{answer}");
        (c["mapping"]["kind"].clone(), c["session"]["id"].clone(), c["inside"].clone())
    }
}

#[test]
fn a_port_block_a_forwarded_port_and_every_prefix_lead_to_the_subscriber() {
    if !have("radclient", "port blocks, forwarding maps and prefixes end to end") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let nas = Nas { running: &running, now: now_ms() / 1_000 };
    let start = ", Framed-IP-Address = 100.64.0.12, Class = 0x616c696365, IP-Port-Limit = 1024, IP-Port-Range-Alloc = Allocation, \
        IP-Port-Range-Ext-IPv4-Addr = 203.0.113.7, IP-Port-Range-Range-Start = 1024, IP-Port-Range-Range-End = 2047, \
        IP-Port-Map-Type = 6, IP-Port-Map-Int-Port = 80, IP-Port-Map-Ext-Port = 8080, IP-Port-Map-Ext-IPv4-Addr = 203.0.113.9, \
        Delegated-IPv6-Prefix += 2001:db8:aa::/56, Delegated-IPv6-Prefix += 2001:db8:bb:f0::/61, Framed-IPv6-Prefix += 2001:db8:1:2::/64, \
        Framed-IPv6-Prefix += 2001:db8:1:3::/64, Framed-IPv6-Address += 2001:db8:2::7, Framed-IPv6-Address += 2001:db8:2::8";
    nas.tell("a", "Start", nas.now - 300, start);
    nas.tell("a", "Interim-Update", nas.now - 20, "");
    let prefixes = ["2001:db8:aa:ff::1", "2001:db8:bb:f7::1", "2001:db8:1:2::9", "2001:db8:1:3::9", "2001:db8:2::7", "2001:db8:2::8"];
    for stage in ["live", "sealed"] {
        let inside = |port: Value| json!({ "address": "100.64.0.12", "port": port });
        let (kind, session, at) = nas.holder("203.0.113.7:1500", 100);
        assert_eq!((kind, session, at["address"].clone()), (json!("block"), json!("a"), json!("100.64.0.12")), "{stage}");
        assert_eq!(nas.holder("203.0.113.9:8080", 100), (json!("bib"), json!("a"), inside(json!(80))), "{stage}");
        for public in prefixes {
            assert_eq!(nas.holder(public, 100).1, "a", "{stage}");
        }
        let others = ["203.0.113.7:3000", "2001:db8:aa:100::1", "2001:db8:bb:f8::1", "2001:db8:1:4::9", "2001:db8:2::9"];
        for public in others {
            assert_eq!(nas.ask(public, 100)["candidates"], json!([]), "{stage}: {public}");
        }
        assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    }
    let rows = running.records("radius_session");
    assert_eq!(rows[0]["class"].as_str().map(str::len), Some(16), "a masked digest: {}", rows[0]);
    assert!(
        rows.iter().any(|r| r["port_limit"] == 1024) && rows.iter().all(|r| r["other_addresses"].as_str().is_none_or(|o| o.len() == 16))
    );
    assert_eq!(running.records("malformed"), Vec::<Value>::new());
}

#[test]
fn what_comes_after_the_stop_or_from_before_a_reboot_holds_nothing() {
    if !have("radclient", "late accounting messages end to end") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let nas = Nas { running: &running, now: now_ms() / 1_000 };
    let address = |n: u8| format!(", Framed-IP-Address = 203.0.113.{n}");
    // An update of before the Stop that comes after it, and one of its very second.
    nas.tell("a", "Start", nas.now - 300, &address(1));
    nas.tell("a", "Stop", nas.now - 200, &address(1));
    nas.tell("a", "Interim-Update", nas.now - 250, &address(1));
    nas.tell("a", "Interim-Update", nas.now - 200, &address(1));
    // A session that a reboot ended, its late update, and a login of before the reboot that comes after it.
    nas.tell("b", "Start", nas.now - 300, &address(2));
    nas.tell("on", "Accounting-On", nas.now - 150, "");
    nas.tell("b", "Interim-Update", nas.now - 160, &address(2));
    nas.tell("c", "Start", nas.now - 170, &address(3));
    // After the reboot the address has a new holder.
    nas.tell("d", "Start", nas.now - 140, &address(2));
    nas.tell("d", "Interim-Update", nas.now - 20, &address(2));
    for stage in ["live", "sealed"] {
        assert_eq!(nas.holder("203.0.113.1", 260).1, "a", "{stage}");
        assert_eq!(nas.holder("203.0.113.2", 250).1, "b", "{stage}");
        assert_eq!(nas.holder("203.0.113.2", 100).1, "d", "{stage}");
        for public in ["203.0.113.1", "203.0.113.3"] {
            assert_eq!(nas.ask(public, 100)["candidates"], json!([]), "{stage}: {public}");
        }
        assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    }
    let open = running.socket().call(json!({ "op": "records", "kind": "radius_session", "limit": 100 }));
    let inferred = open["ok"]["rows"].as_array().unwrap().iter().filter(|r| r["inferred"] == 1).count();
    assert_eq!(inferred, 2, "{open}");
}

#[test]
fn a_question_off_line_knows_the_addresses_that_the_last_start_knew() {
    if !have("radclient", "addresses of one's own, off line") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    let realms = "\n[[realms]]\nname = \"home\"\nown = [\"203.0.113.0/28\"]\n";
    fs::write(&file, fs::read_to_string(config("minimal.toml")).unwrap() + realms).unwrap();
    let data = dir.path().join("data");
    let running = Running::start(&data, &file, &[]);
    let nas = Nas { running: &running, now: now_ms() / 1_000 };
    nas.tell("a", "Start", nas.now - 300, ", Framed-IP-Address = 203.0.113.1");
    nas.tell("a", "Stop", nas.now - 200, ", Framed-IP-Address = 203.0.113.1");
    nas.tell("b", "Start", nas.now - 20, ", Framed-IP-Address = 203.0.113.2");
    let (ours, moment) = (nas.ask("203.0.113.1", 100), at((nas.now - 100) * 1_000));
    assert_eq!(ours["answer"], "none", "{ours}");
    assert_ne!(ours["reason"], nas.ask("203.0.113.77", 100)["reason"], "an address of nobody's");
    assert_eq!(running.stop(), 0);
    let data = data.to_str().unwrap();
    let asked = ["lookup", "--public", "203.0.113.1", "--protocol", "tcp", "--at", &moment, "--json", "--offline", "--data", data];
    assert_eq!(parsed(&weir(&asked))["reason"], ours["reason"]);
}
