//! Exports, read by somebody else: DuckDB, which knows nothing of us.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::{Running, code, config, ledger, parsed};

/// Prints the columns and their types, then every row, in the file's own order, as JSON. Moments are milliseconds.
const SCRIPT: &str = r#"
import duckdb, json, sys
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
path = sys.argv[1].replace("'", "''")
shape = con.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
names, types = [c[0] for c in shape], [c[1] for c in shape]
value = {"TIMESTAMP WITH TIME ZONE": "epoch_ms(\"%s\")", "BLOB": "lower(hex(\"%s\"))"}
columns = ", ".join(value.get(t, "\"%s\"") % n for n, t in zip(names, types))
rows = con.execute(f"SELECT {columns} FROM read_parquet('{path}')").fetchall()
count = con.execute(f"SELECT count(*) FROM read_parquet('{path}')").fetchone()[0]
json.dump({"names": names, "types": types, "rows": rows, "count": count}, sys.stdout)
"#;

/// The Python that has DuckDB; none, with a word about what was not shown, where there is none.
fn python() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let named = std::env::var_os("WEIR_PYTHON").map(PathBuf::from);
    let candidates = named.into_iter().chain([home.join(".cache/weir/venv/bin/python"), PathBuf::from("python3")]);
    let has = |python: &PathBuf| Command::new(python).args(["-c", "import duckdb"]).output().is_ok_and(|o| o.status.success());
    let found = candidates.into_iter().find(has);
    if found.is_none() {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "DuckDB is not installed: run `make deps`");
        eprintln!("not shown, because DuckDB is not installed: it reads what is exported");
    }
    found
}

fn duckdb(python: &Path, file: &Path) -> Value {
    let output = Command::new(python).args(["-c", SCRIPT]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parsed(&output)
}

/// How often each value of a column occurs.
fn tally<'a>(values: impl Iterator<Item = &'a Value>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    values.for_each(|v| *counts.entry(v.to_string()).or_default() += 1);
    counts
}

/// Accounts, caller numbers and inside addresses of a truth file.
fn people(truth: &Path) -> BTreeSet<String> {
    let mut people = BTreeSet::new();
    for line in std::fs::read_to_string(truth).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        people.extend(["account", "caller", "inside"].iter().filter_map(|f| Some(line[f].as_str()?.to_owned())).filter(|t| t.len() > 6));
    }
    assert!(people.len() > 60);
    people
}

#[test]
fn duckdb_reads_an_export_and_finds_the_rows_that_sql_finds() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir.path().join("data"), &config("minimal.toml"), &["sources.ipfix.clock=trust"]);
    let truth = dir.path().join("truth");
    let history = ["--profile", "small", "--rate", "200", "--seed", "11", "--truth", truth.to_str().unwrap(), "--json"];
    let played = running.ask(&[&["simulate"], &history[..]].concat());
    assert_eq!(code(&played), 0, "{}", String::from_utf8_lossy(&played.stderr));
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);

    let (people, mut counts) = (people(&truth), Vec::new());
    for kind in ["nat_mapping", "radius_session", "config_change"] {
        let file = dir.path().join(format!("{kind}.parquet"));
        let exported = running.ask(&["export", "--kind", kind, "--out", file.to_str().unwrap(), "--json"]);
        assert_eq!(code(&exported), 0, "{}", String::from_utf8_lossy(&exported.stderr));
        let seen = duckdb(&python, &file);
        // DataFusion over the store, DuckDB over the file: two engines, one set of rows.
        let rows = parsed(&running.ask(&["sql", &format!("SELECT * FROM {kind}"), "--json"]));
        let rows = rows.as_array().unwrap();
        assert!(rows.len() > 20, "{kind}: {} rows", rows.len());
        assert_eq!(seen["count"].as_u64().unwrap(), rows.len() as u64, "{kind}");
        assert_eq!(parsed(&exported)["rows"], seen["count"], "{kind}");
        counts.push(rows.len() as u64);
        let names: Vec<&str> = seen["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        let mut compared = 0;
        for (at, name) in names.iter().enumerate() {
            let there = tally(seen["rows"].as_array().unwrap().iter().map(|r| &r[at]));
            let here = tally(rows.iter().map(|r| &r[*name]));
            // A masked value is another one in every statement and every export, but it stands in as many rows.
            let sizes = |t: &BTreeMap<String, usize>| {
                let mut sizes: Vec<usize> = t.values().copied().collect();
                sizes.sort_unstable();
                sizes
            };
            assert_eq!(sizes(&there), sizes(&here), "{kind}.{name}");
            compared += usize::from(there == here);
        }
        assert!(compared > 3, "{kind}: only {compared} columns are the same value by value");
        let shown = seen["rows"].to_string();
        people.iter().for_each(|who| assert!(!shown.contains(who), "{kind}: somebody can be read"));
    }
    // Each export stands in the ledger before its file is there, and again with the number of its rows.
    assert_eq!(running.stop(), 0);
    let ledger: Vec<Value> = ledger(&dir.path().join("data")).into_iter().filter(|r| r["act"] == "export").collect();
    let said: Vec<&str> = ledger.iter().map(|r| r["answer"].as_str().unwrap()).collect();
    assert_eq!(said, ["begun", "rows", "begun", "rows", "begun", "rows"]);
    let written: Vec<u64> = ledger.iter().filter(|r| r["answer"] == "rows").map(|r| r["rows"].as_u64().unwrap()).collect();
    assert_eq!(written, counts);
    assert!(ledger.iter().all(|r| r["purpose"] == "export" && r["actor"].as_str().unwrap().starts_with("uid:")), "{ledger:?}");
}
