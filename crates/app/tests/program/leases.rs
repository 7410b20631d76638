//! A DHCP server's lease file through the program: an address, and a computed NAT before it, lead to the hardware address that had the lease.

use std::fs;

use serde_json::Value;

use crate::common::{Running, at, code, now_ms, parsed};

#[test]
fn a_lease_says_who_had_an_address() {
    let dir = tempfile::tempdir().unwrap();
    let leases = dir.path().join("kea-leases4.csv");
    let now = now_ms() / 1_000;
    let lease =
        |host: u8, at: i64, lifetime: i64| format!("100.64.0.{host},02:00:00:00:00:0{host},,{lifetime},{},1,0,0,,0,\n", at + lifetime);
    let head = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";
    // One that is over, then the same address for another client, and one that goes on.
    let other = format!("100.64.0.1,02:00:00:00:00:0a,,7200,{},1,0,0,,0,\n", now - 3_600 + 7_200);
    fs::write(&leases, format!("{head}{}{other}{}", lease(1, now - 9_000, 1_800), lease(2, now - 600, 7_200))).unwrap();
    let config = dir.path().join("weir.toml");
    let text = format!(
        "[unit]\norigin = \"leases.invalid\"\n[measures]\nradius = false\nipfix = false\n[[realms]]\nname = \"north\"\nown = [\"100.64.0.0/24\"]\n\
         [[sources.dhcp.files]]\npath = {:?}\nserver = \"kea\"\nrealm = \"north\"\n[[sources.detnat.plans]]\ndevice = \"cgn\"\n\
         from = \"2026-01-01T00:00:00+08:00\"\nrealm = \"north\"\nalgorithm = \"rfc7422\"\ninside = [\"100.64.0.0/30\"]\npublic = [\"198.51.100.1\"]\n",
        leases.to_str().unwrap()
    );
    fs::write(&config, text).unwrap();
    let running = Running::start(&dir.path().join("data"), &config, &[]);
    let source = || {
        let all = parsed(&running.ask(&["sources", "--json"]));
        all.as_array().unwrap().iter().find(|s| s["kind"] == "dhcp").cloned().unwrap_or_default()
    };
    let complete = || source()["complete_to"].as_str().and_then(|t| t.parse::<weir_base::time::Millis>().ok()).map_or(0, |t| t.0 / 1_000);
    while complete() <= now {}
    let ask = |public: &str, seconds: i64| -> Value {
        parsed(&running.ask(&["lookup", "--public", public, "--at", &at(seconds * 1_000), "--json"]))
    };
    let expect = || {
        let (before, after) = (ask("100.64.0.1", now - 8_000), ask("100.64.0.1", now - 1_800));
        for answer in [&before, &after] {
            assert_eq!((&answer["answer"], &answer["candidates"][0]["session"]["nas"]), (&"one".into(), &"kea".into()), "{answer}");
        }
        assert_ne!(before["candidates"][0]["subscriber"], after["candidates"][0]["subscriber"]);
        // Between the two nobody had it: its time was over, and nothing was lost.
        assert_eq!(ask("100.64.0.1", now - 5_000)["candidates"], serde_json::json!([]));
        // The same subscriber through the NAT: each of four inside addresses has 16,128 ports.
        let through = ask("198.51.100.1:17152", now - 1_800);
        assert_eq!(through["candidates"][0]["inside"]["address"], "100.64.0.1", "{through}");
        assert_eq!((&through["answer"], &through["candidates"][0]["subscriber"]), (&"one".into(), &after["candidates"][0]["subscriber"]));
    };
    expect();
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    expect();
    let rows = running.records("radius_session");
    let ends: Vec<&Value> = rows.iter().filter(|r| r["status"] == 2).map(|r| &r["reason"]).collect();
    assert_eq!((rows.len(), ends), (4, vec![&Value::from("lease-expired")]), "{rows:?}");
    assert_eq!((&source()["records"], &source()["malformed"]), (&4.into(), &0.into()));
    assert_eq!(running.stop(), 0);
    // Lines that do not read are told once, however often the program starts.
    let good = fs::read_to_string(&leases).unwrap();
    fs::write(&leases, format!("{good}nonsense\n100.64.0.3,02:00:00:00:00:03,,soon,1,1,0,0,,0,\n")).unwrap();
    for _ in 0..3 {
        let running = Running::start(&dir.path().join("data"), &config, &[]);
        let counted = || {
            let all = parsed(&running.ask(&["sources", "--json"]));
            all.as_array().unwrap().iter().find(|s| s["kind"] == "dhcp").map(|s| s["malformed"].clone())
        };
        while counted() != Some(2.into()) {}
        assert_eq!(running.stop(), 0);
    }
    let running = Running::start(&dir.path().join("data"), &config, &[]);
    let bad = running.records("malformed");
    assert_eq!(bad.len(), 2, "{bad:?}");
    assert_eq!(running.stop(), 0);
}
