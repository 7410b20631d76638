//! Every file changed, cut, grown, removed, swapped.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::rig::{build, digests, files, is_disposable, is_old_form, segments, swap, verify, with_change};

/// What may be named instead of the file itself: a changed master key is first seen at the keyring.
fn names_for(file: &str) -> Vec<&str> {
    if file == "master.key" { vec!["master.key", "keyring"] } else { vec![file] }
}

#[test]
fn one_changed_byte_is_found_and_named_in_front() {
    one_changed_byte_anywhere_is_found_and_named(|len| [0, 1, len / 3]);
}

#[test]
fn one_changed_byte_is_found_and_named_further_on() {
    one_changed_byte_anywhere_is_found_and_named(|len| [len / 2, len.saturating_sub(9), len - 1]);
}

fn one_changed_byte_anywhere_is_found_and_named(places: fn(usize) -> [usize; 3]) {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let mut seen = 0;
    for file in files(dir.path()).iter().filter(|f| !is_disposable(f)) {
        let path = dir.path().join(file);
        let len = fs::read(&path).unwrap().len();
        for at in places(len) {
            // The random mark of the side ledger is a name, not evidence.
            if file == "side/ledger" && at < 16 {
                continue;
            }
            with_change(
                &path,
                |bytes| bytes[at] ^= 0x10,
                || {
                    let (told, what) = (verify(dir.path()), format!("{file}, byte {at} of {len}"));
                    seen += 1;
                    // One slot of the keyring is enough, and a changed length in the newest frame looks like one that was being written.
                    let list = if told.code == 0 { "warnings" } else { "problems" };
                    assert!(
                        told.code == 1 || file == "keyring" || file.starts_with("wal/") || file == "side/ledger",
                        "{what}: {}",
                        told.json
                    );
                    assert!(names_for(file).iter().any(|n| told.names(list, n)), "{what}: {:#?}", told.list(list));
                },
            );
        }
    }
    assert!(seen > 50, "{seen}");
    verify(dir.path()).assert_good("after all was put back");
}

#[test]
fn a_cut_a_missing_and_a_grown_file_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    for file in files(dir.path()).iter().filter(|f| !is_disposable(f)) {
        let path = dir.path().join(file);
        let len = fs::read(&path).unwrap().len();
        for keep in [len / 2, len.saturating_sub(9)] {
            with_change(
                &path,
                |bytes| bytes.truncate(keep),
                || {
                    let (told, what) = (verify(dir.path()), format!("{file} cut to {keep} of {len}"));
                    let list = if told.code == 0 { "warnings" } else { "problems" };
                    assert!(told.code == 1 || file.starts_with("wal/") || file == "side/ledger", "{what}: {}", told.json);
                    assert!(names_for(file).iter().any(|n| told.names(list, n)), "{what}: {:#?}", told.list(list));
                },
            );
        }
        with_change(
            &path,
            |bytes| bytes.extend(*b"something"),
            || {
                let (told, what) = (verify(dir.path()), format!("{file} grown"));
                let list = if told.code == 0 { "warnings" } else { "problems" };
                // Void bytes behind a frame, and an entry of the side ledger that was never finished.
                assert!(told.code == 1 || file.starts_with("wal/") || file == "side/ledger", "{what}: {}", told.json);
                assert!(names_for(file).iter().any(|n| told.names(list, n)), "{what}: {:#?}", told.list(list));
            },
        );
        let good = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let told = verify(dir.path());
        fs::write(&path, good).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if file == "side/ledger" || is_old_form(dir.path(), file) {
            // Nothing tells that it was there: docs/verify.md.
            told.assert_good(file);
        } else {
            told.assert_bad(&format!("{file} removed"), file);
        }
    }
    verify(dir.path()).assert_good("after all was put back");
}

#[test]
fn segments_that_are_swapped_added_or_damaged_in_one_block() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let all = segments(dir.path());
    let name = |p: &Path| p.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned();
    let (a, b) = (&all[0], &all[1]);
    swap(a, b);
    let told = verify(dir.path());
    told.assert_bad("swapped", &name(a));
    told.assert_bad("swapped", &name(b));
    swap(&digests(a), &digests(b));
    let told = verify(dir.path());
    told.assert_bad("swapped with digests", &name(a));
    told.assert_bad("swapped with digests", &name(b));
    swap(a, b);
    swap(&digests(a), &digests(b));
    verify(dir.path()).assert_good("swapped back");

    let stray = a.with_file_name("0123456789abcdef0123456789abcdef.parquet");
    fs::copy(a, &stray).unwrap();
    fs::copy(digests(a), digests(&stray)).unwrap();
    let told = verify(dir.path());
    assert_eq!(told.list("problems").iter().filter(|p| p.contains("stray")).count(), 2, "{}", told.json);
    told.assert_bad("stray", &name(&stray));
    fs::remove_file(&stray).unwrap();
    fs::remove_file(digests(&stray)).unwrap();

    let large = all.iter().max_by_key(|p| fs::metadata(p).unwrap().len()).unwrap();
    assert!(fs::metadata(large).unwrap().len() > 65_536);
    with_change(
        large,
        |bytes| bytes[65_600] ^= 1,
        || verify(dir.path()).assert_bad("second block", &format!("{} from byte 65536", name(large))),
    );
    // The sidecar alone is bad: the file beside it is whole, and both are said.
    with_change(&digests(a), |bytes| bytes[30] ^= 1, || verify(dir.path()).assert_bad("sidecar", "the file beside it is whole"));
}
