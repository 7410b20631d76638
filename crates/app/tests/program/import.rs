//! Past sessions of another system through the command, and what they answer.

use std::fs;
use std::process::Command;

use crate::common::{Running, at, code, now_ms, parsed, text};

/// `YYYY-MM-DD HH:MM:SS` in UTC+8.
fn sql_time(ms: i64) -> String {
    at(ms)[..19].replace('T', " ")
}

#[test]
fn a_radacct_table_comes_along() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(&dir.path().join("data"));
    let began = now_ms() - 2 * 86_400_000;
    let ended = began + 3_600_000;
    let good = |i: usize, account: &str, from: i64, to: i64| {
        format!("s{i},u{i},{account},192.0.2.1,{},{},3600,100.64.9.{i},User-Request\n", sql_time(from), sql_time(to))
    };
    let head =
        "acctsessionid,acctuniqueid,username,nasipaddress,acctstarttime,acctstoptime,acctsessiontime,framedipaddress,acctterminatecause\n";
    let many: String = (1..=200).map(|i| good(i, &format!("user-{i}"), began, ended)).collect();
    let (path, bad) = (dir.path().join("radacct.csv"), "s,u,nobody,192.0.2.1,yesterday,,,100.64.9.201,\n");
    fs::write(&path, format!("{head}{many}{bad}")).unwrap();
    let file = path.to_str().unwrap();
    // A preview tells everything and takes nothing.
    let preview = running.ask(&["import", "freeradius-sql", file, "--preview", "--json"]);
    assert_eq!(code(&preview), 1);
    let shown = parsed(&preview);
    assert_eq!((&shown["sessions"], &shown["bad"], shown["sample"].as_array().unwrap().len()), (&200.into(), &1.into(), 10), "{shown}");
    let errors = String::from_utf8_lossy(&preview.stderr).into_owned();
    assert!(errors.contains("line 202: start is not a time") && !errors.contains("nobody"), "{errors}");
    let refused = running.ask(&["import", "freeradius-sql", file]);
    assert_eq!(code(&refused), 1);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--skip-bad"));
    assert!(running.records("radius_session").is_empty());
    let done = running.ask(&["import", "freeradius-sql", file, "--skip-bad", "--name", "old", "--json"]);
    assert_eq!(code(&done), 0, "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(parsed(&done), serde_json::json!({ "sessions": 200, "rows": 400, "bad": 1 }));
    // The same file is not taken twice by mistake.
    let twice = running.ask(&["import", "freeradius-sql", file, "--skip-bad"]);
    assert_eq!(code(&twice), 1);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("--again"));
    let expect = |running: &Running| {
        for (host, when, answer) in [(7, began + 60_000, "one"), (150, ended - 60_000, "one"), (7, ended + 60_000, "unknown")] {
            let public = format!("100.64.9.{host}");
            let got = parsed(&running.ask(&["lookup", "--public", &public, "--at", &at(when), "--json"]));
            assert_eq!(got["answer"], answer, "{got}");
            if answer == "one" {
                assert_eq!(got["candidates"][0]["session"]["id"], format!("s{host}"));
            } else {
                // Somebody had the address at another time, so it is ours; and the table says nothing of what came after its last row.
                assert_eq!(got["code"], "silent", "{got}");
            }
        }
    };
    expect(&running);
    let rows = running.records("radius_session");
    assert!(rows.len() == 400 && rows.iter().all(|r| r["reason"] == "imported"), "{}", rows.len());
    let sources = text(&running.ask(&["sources"]));
    assert!(sources.contains("import/old"), "{sources}");
    let actions = running.records("operator_action");
    assert_eq!(actions.iter().filter(|a| a["action"] == "import").count(), 2);
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    expect(&running);
    // Any table will do where somebody says what stands where.
    let other = dir.path().join("logins.csv");
    fs::write(&other, format!("Who;From;To;Address\nsmith;{};{};100.64.8.1\n", sql_time(began), sql_time(ended))).unwrap();
    let columns = ["--column", "start=from", "--column", "stop=to", "--column", "account=who", "--column", "address=address"];
    let args = [&["import", "csv", other.to_str().unwrap(), "--name", "desk"][..], &columns].concat();
    let done = running.ask(&args);
    assert_eq!(code(&done), 0, "{}", String::from_utf8_lossy(&done.stderr));
    let got = parsed(&running.ask(&["lookup", "--public", "100.64.8.1", "--at", &at(began + 60_000), "--json"]));
    assert_eq!(got["answer"], "one", "{got}");
    assert_eq!(running.stop(), 0);
}

#[test]
fn an_import_without_a_name_is_named_by_its_file_or_its_table() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(&dir.path().join("data"));
    let began = now_ms() - 2 * 86_400_000;
    let times = format!("{};{}", sql_time(began), sql_time(began + 3_600_000));
    let columns = ["--column", "start=from", "--column", "stop=to", "--column", "account=who", "--column", "address=address"];
    // Signs that no name may have become dashes; two files are two sources.
    for (n, (file, name)) in
        [("door list (2025).csv", "door-list--2025-"), ("wlan.old.csv", "wlan.old"), ("登录.csv", "登录")].iter().enumerate()
    {
        let path = dir.path().join(file);
        fs::write(&path, format!("Who;From;To;Address\nsmith;{times};100.64.8.{n}\n")).unwrap();
        let done = running.ask(&[&["import", "csv", path.to_str().unwrap()][..], &columns].concat());
        assert_eq!(code(&done), 0, "{}", String::from_utf8_lossy(&done.stderr));
        assert!(text(&done).contains(&format!("imported as import/{name}, ")), "{}", text(&done));
    }
    // FreeRADIUS's table is always the same one, whatever its file is called.
    let path = dir.path().join("backup of monday.csv");
    let head = "acctsessionid,acctuniqueid,username,nasipaddress,acctstarttime,acctstoptime,framedipaddress\n";
    fs::write(&path, format!("{head}s,u,smith,192.0.2.1,{},{},100.64.9.1\n", sql_time(began), sql_time(began + 60_000))).unwrap();
    let done = running.ask(&["import", "freeradius-sql", path.to_str().unwrap()]);
    assert!(
        code(&done) == 0 && text(&done).contains("imported as import/radacct, "),
        "{}{}",
        text(&done),
        String::from_utf8_lossy(&done.stderr)
    );
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let mut names: Vec<&str> = sources.as_array().unwrap().iter().filter_map(|s| s["name"].as_str()?.strip_prefix("import/")).collect();
    names.sort_unstable();
    assert_eq!(names, ["door-list--2025-", "radacct", "wlan.old", "登录"]);
    assert_eq!(running.stop(), 0);
}

#[test]
fn what_was_left_out_is_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(&dir.path().join("data"));
    let began = now_ms() - 2 * 86_400_000;
    let head = "acctsessionid,acctuniqueid,username,nasipaddress,acctstarttime,acctstoptime,framedipaddress\n";
    let good = |i: u8| format!("s{i},u{i},smith,192.0.2.1,{},{},100.64.9.{i}\n", sql_time(began), sql_time(began + 60_000));
    let (path, bad) = (dir.path().join("radacct.csv"), "s,u,nobody,192.0.2.1,yesterday,,100.64.9.201\n");
    fs::write(&path, format!("{head}{}{bad}{}{bad}", good(1), good(2))).unwrap();
    let done = running.ask(&["import", "freeradius-sql", path.to_str().unwrap(), "--skip-bad", "--name", "old"]);
    assert_eq!(code(&done), 0, "{}", String::from_utf8_lossy(&done.stderr));
    let actions = running.records("operator_action");
    let notes: Vec<&str> = actions.iter().filter(|a| a["action"] == "import").map(|a| a["detail"].as_str().unwrap()).collect();
    let sum = Command::new("sha256sum").arg(&path).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap()[..64].to_owned();
    assert_eq!(
        notes,
        [
            format!("begin of radacct.csv as import/old in realm default; SHA-256 {sum}"),
            format!("end (2 lines taken, 2 lines skipped) of radacct.csv as import/old in realm default; SHA-256 {sum}"),
        ]
    );
    let skipped = running.records("malformed");
    assert_eq!((skipped.len(), &skipped[0]["reason"], &skipped[0]["count"]), (1, &"import.skipped-lines".into(), &2.into()), "{skipped:?}");
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let old = sources.as_array().unwrap().iter().find(|s| s["name"] == "import/old").unwrap().clone();
    assert_eq!((&old["malformed"], &old["messages"]), (&2.into(), &4.into()), "{old}");
    assert_eq!(running.stop(), 0);
}
