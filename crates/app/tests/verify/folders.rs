//! Good folders, keys, and what is not evidence.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

use weir_base::disk::{RealDisk, SharedDisk};
use weir_base::time::Millis;
use weir_record::stored::keyring::KeyId;
use weir_store::keyring::{Keyring, master};

use crate::rig::{Rig, T0, build, files, is_disposable, segments, verify, with_change};

#[test]
fn a_good_folder_is_good_and_all_of_it_was_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let before: BTreeMap<String, Vec<u8>> =
        files(dir.path()).into_iter().map(|f| (f.clone(), fs::read(dir.path().join(f)).unwrap())).collect();
    let told = verify(dir.path());
    told.assert_good("as built");
    assert_eq!(told.list("warnings"), Vec::<String>::new());
    let count = |name: &str| told.json["checked"][name].as_u64().unwrap();
    assert!(count("log_entries") > 10 && count("units") > count("files") && count("rows") > 20_000, "{}", told.json);
    assert!(count("wal_groups") >= 2 && count("state_entries") > 0 && count("keys") > 3, "{}", told.json);
    assert_eq!((count("side_entries"), count("files_without_key")), (2, 0));
    let after: BTreeMap<String, Vec<u8>> =
        files(dir.path()).into_iter().map(|f| (f.clone(), fs::read(dir.path().join(f)).unwrap())).collect();
    assert!(before == after, "verify wrote something");
    // The program goes on with what was verified, and both ways to end it leave a good folder.
    Rig::open(dir.path(), T0 + 2_000_000).end(false);
    verify(dir.path()).assert_good("after a start");
    Rig::open(dir.path(), T0 + 3_000_000).end(true);
    verify(dir.path()).assert_good("after a stop");
}

#[test]
fn what_is_no_data_folder_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    for data in [dir.path().to_owned(), dir.path().join("nowhere")] {
        let out = Command::new(env!("CARGO_BIN_EXE_weir")).args(["verify", "--data"]).arg(&data).output().unwrap();
        assert_eq!(out.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&out.stderr).contains("--data"));
    }
    assert!(!dir.path().join("nowhere").exists());
}

#[test]
fn disposable_files_may_change_and_go() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let all: Vec<String> = files(dir.path()).into_iter().filter(|f| is_disposable(f)).collect();
    assert!(all.iter().any(|f| f.starts_with("index/")) && all.iter().any(|f| f.starts_with("catalog")), "{all:?}");
    for file in all {
        fs::write(dir.path().join(&file), b"x").unwrap();
        verify(dir.path()).assert_good(&file);
        fs::remove_file(dir.path().join(&file)).unwrap();
    }
    verify(dir.path()).assert_good("without index and catalog");
}

#[test]
fn modes_keys_and_erased_days() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let key = dir.path().join("master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    verify(dir.path()).assert_bad("mode", "others may use it");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    with_change(&key, |bytes| *bytes = [&[b'a'; 64][..], b"\n"].concat(), || verify(dir.path()).assert_bad("key", "does not fit"));

    let disk: SharedDisk = Arc::new(RealDisk::new(dir.path()).unwrap());
    let ring = Keyring::open(&disk, &master::master_key(disk.as_ref()).unwrap()).unwrap();
    let day = Millis(T0).day();
    ring.destroy(&[KeyId::kind("nat_mapping", day).unwrap()]).unwrap();
    let told = verify(dir.path());
    told.assert_good("erased");
    assert!(
        told.json["checked"]["files_without_key"].as_u64().unwrap() > 0 && told.names("warnings", &format!("kind/nat_mapping/{day}")),
        "{}",
        told.json
    );
    // Without the key the file itself is still held to the log.
    let file = segments(dir.path()).into_iter().find(|p| p.to_str().unwrap().contains("nat_mapping")).unwrap();
    with_change(&file, |bytes| bytes[40] ^= 1, || verify(dir.path()).assert_bad("erased and changed", "block 0"));
    // Somebody destroys the key of a file of the write-ahead log that is still needed.
    let newest = ring.ids().iter().filter_map(|id| id.number("wal")).max().unwrap();
    ring.destroy(&[KeyId::wal(newest)]).unwrap();
    verify(dir.path()).assert_bad("wal key", "the keyring has no key for it");
}
