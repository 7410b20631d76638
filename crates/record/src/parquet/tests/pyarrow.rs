//! Another implementation reads our files with the key alone, and computes the same canonical bytes from them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use weir_base::crypto::{Secret, sha256};

use super::generate::batch;
use crate::canonical;
use crate::kind::Kind;
use crate::parquet::write;

const SCRIPT: &str = include_str!("../testdata/canonical.py");

/// A Python that has pyarrow with what a plain footer key needs.
fn python() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let candidates = [home.join(".cache/weir/venv/bin/python"), PathBuf::from("python3")];
    let can = "from pyarrow.parquet.encryption import create_decryption_properties";
    candidates.into_iter().find(|python| {
        let tried = Command::new(python).args(["-c", can]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[test]
fn pyarrow_reads_every_kind_with_the_key() {
    let Some(python) = python() else {
        let say = "pyarrow 26 was not found: `python3 -m venv ~/.cache/weir/venv && ~/.cache/weir/venv/bin/pip install pyarrow`";
        assert!(std::env::var_os("WEIR_CI").is_none(), "{say}");
        eprintln!("not shown: {say}");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let (mut input, mut want) = (String::new(), Vec::new());
    for (i, kind) in Kind::sealed().enumerate() {
        let key = Secret::random();
        let rows = [batch(kind, 2_500, i as u64), batch(kind, 9_000, 100 + i as u64)];
        let path = dir.path().join(kind.name());
        std::fs::write(&path, write(kind, &rows, &key).unwrap().bytes).unwrap();
        write!(input, "{} {} {} {}", path.display(), hex(&key.0), kind.spec().code, kind.spec().version).unwrap();
        for field in kind.spec().fields {
            write!(input, " {}:{}:{}", field.name, field.ty.name(), u8::from(field.nullable)).unwrap();
        }
        input.push('\n');
        let bytes: Vec<u8> = rows.iter().flat_map(|rows| canonical::rows(kind, rows).bytes).collect();
        want.push(hex(&sha256(&bytes)));
    }
    let mut child = Command::new(python).args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let got: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(got, want);
}
