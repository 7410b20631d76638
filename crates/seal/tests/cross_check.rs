//! A second implementation, in Python and from the written formats alone, agrees with this crate.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use weir_base::crypto::Secret;
use weir_base::time::Millis;
use weir_seal::checkpoint::Checkpoint;
use weir_seal::entry::{Entry, Heartbeat};
use weir_seal::filedigest::DigestBuilder;
use weir_seal::note::SigningKey;
use weir_seal::rows::{LEAF_HEAD, RowsRoot, SaltKey};
use weir_seal::tile::{self, TilePath};
use weir_seal::{Hash, UnitId};

const ROW_LEN: usize = 58;
const ROWS: usize = 600;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("below the folder")).expect("folder");
    std::fs::write(path, bytes).expect("file");
}

/// A log of 70,000 entries would take Python long; 1,100 reach level 1 and four full tiles.
fn write_log(folder: &Path) -> (u64, Hash) {
    let (mut size, mut root) = (0, weir_seal::merkle::empty_root());
    for count in [1usize, 254, 1, 0, 300, 544] {
        let entries: Vec<Vec<u8>> = (size..)
            .take(count)
            .map(|i| Entry::Heartbeat(Heartbeat { time: Millis(i as i64 * 60_000), sequenced: i * i, open: 3 }))
            .map(|entry| entry.encode().expect("a good entry"))
            .collect();
        for (index, entry) in (size..).zip(&entries) {
            write(folder, &format!("entries/{index}"), entry);
        }
        let read = |path: &TilePath| std::fs::read(folder.join(path.to_string()));
        let appended = tile::append(size, &entries, &read).expect("the log grows");
        assert_eq!(appended.old_root, root);
        for (path, bytes) in &appended.tiles {
            write(folder, &path.to_string(), bytes);
        }
        (size, root) = (appended.size, appended.root);
    }
    (size, root)
}

#[test]
fn python_agrees() {
    let found = Command::new("python3").arg("--version").output();
    if !found.is_ok_and(|out| out.status.success()) {
        eprintln!("python3 is not installed: the second implementation was NOT asked");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut expected = String::new();
    let mut line = |name: &str, value: &str| writeln!(expected, "{name} {value}").expect("a string");

    let (size, root) = write_log(folder);
    let key = SigningKey::from_seed([0x5e; 32], "cross.example/log").expect("a good name");
    let note = Checkpoint::new("cross.example/log", size, root).sign(&[&key]).expect("a good checkpoint");
    write(folder, "checkpoint", &note.encode());
    line("size", &size.to_string());
    line("root", &hex(&root));
    line("origin", "cross.example/log");
    line("vkey", &key.verifying_key().to_string());

    let file: Vec<u8> = (0..150_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut digests = DigestBuilder::new(true);
    file.chunks(9_999).for_each(|chunk| digests.update(chunk));
    let sidecar = digests.finish();
    write(folder, "file", &file);
    write(folder, "file.digests", &sidecar.encode());
    line("file-root", &hex(&sidecar.root()));
    line("file-root-sm3", &hex(&sidecar.root_sm3().expect("SM3 was asked for")));

    let (day_key, unit) = (Secret([0xd1; 32]), UnitId([0x17; 16]));
    let salt_key = SaltKey::new(&day_key, unit);
    let rows = &file[..ROWS * ROW_LEN];
    let mut tree = RowsRoot::new(&salt_key);
    for batch in rows.chunks(ROW_LEN * 77) {
        let mut leaves: Vec<u8> = batch.chunks(ROW_LEN).flat_map(|row| [&[0; LEAF_HEAD][..], row].concat()).collect();
        tree.push_leaves(&mut leaves, LEAF_HEAD + ROW_LEN).expect("whole rows");
    }
    write(folder, "rows", rows);
    line("row-len", &ROW_LEN.to_string());
    line("day-key", &hex(&day_key.0));
    line("unit", &unit.to_string());
    line("rows-root", &hex(&tree.finish()));
    for row in [0, 255, 256] {
        line(&format!("salt-{row}"), &hex(&salt_key.head(row)[1..]));
    }

    write(folder, "expected", expected.as_bytes());
    let script = weir_testkit::package().join("tests/cross_check.py");
    let out = Command::new("python3").arg(script).arg(folder).output().expect("python3 runs");
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.starts_with("agreed in "), "{said}{}", String::from_utf8_lossy(&out.stderr));
}
