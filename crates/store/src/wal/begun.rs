//! A file has its name before its key, also after every failure.

use std::collections::BTreeSet;

use weir_base::disk::Disk;
use weir_testkit::SimDisk;

use super::tests::{LIMITS, filled, group, keyring, numbers, open_with};
use super::*;

/// A key without a file is how a judge knows that somebody else removed the file: it must not come about by itself, at no moment.
pub(super) fn assert_no_key_without_file(disk: &SimDisk) {
    let files: BTreeSet<u64> =
        disk.files().iter().filter_map(|(path, _)| path.strip_prefix(FOLDER).ok()?.to_str()?.strip_suffix(".wal")?.parse().ok()).collect();
    let Ok(ring) = keyring(disk) else { return };
    let alone: Vec<u64> = ring.ids().iter().filter_map(|id| id.number("wal")).filter(|number| !files.contains(number)).collect();
    assert_eq!(alone, [0; 0], "files: {files:?}");
}

#[test]
fn a_name_without_key_and_content_goes_and_any_other_is_refused() {
    for (content, refused) in [(&b""[..], false), (b"x", true)] {
        let disk = filled(30, LIMITS);
        let newest = disk.files().len() as u64;
        let path = file_path(newest);
        let file = disk.create(&path).unwrap();
        file.write_at(content, 0).unwrap();
        file.sync().unwrap();
        match open_with(&disk, LIMITS) {
            Err(WalError::KeyMissing { file }) => assert!(refused && file == newest && disk.exists(&path).unwrap()),
            other => {
                let (wal, recovered, seen) = other.unwrap();
                assert!(!refused && numbers(&seen).last() == Some(&30) && recovered.removed == 0 && !disk.exists(&path).unwrap());
                assert_eq!(wal.append(&[group(31)]).unwrap(), 31..32);
            }
        }
    }
}
