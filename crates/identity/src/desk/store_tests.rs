//! Bytes of the state.

use proptest::prelude::*;

use super::*;

#[test]
fn what_fuzzing_kept_still_holds() {
    weir_testkit::corpus::replay("identity_state", crate::desk::fuzz::fuzz_entry);
}

/// Golden vectors: name, key and value as text; the version byte is written as `\1`.
const VECTORS: &str = include_str!("testdata/entries.txt");

fn vectors() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let mut out = Vec::new();
    for line in VECTORS.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        let mut parts = line.splitn(4, '|');
        let mut next = || parts.next().unwrap().trim();
        let (name, kind, id, value) = (next(), next(), next(), next());
        let mut key = kind.as_bytes().to_vec();
        key.extend((0..id.len() / 2).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).unwrap()));
        let (version, text) = value.split_once(' ').unwrap_or((value, ""));
        let mut bytes: Vec<u8> = version.strip_prefix('\\').map(|v| v.parse().unwrap()).into_iter().collect();
        bytes.extend(text.bytes());
        out.push((name.to_owned(), key, bytes));
    }
    out
}

#[test]
fn stored_entries_keep_their_bytes_and_malformed_ones_are_refused() {
    let mut good = 0;
    for (name, key, value) in vectors() {
        match Entry::decode(&key, &value) {
            Ok(entry) => {
                assert!(name.starts_with("good"), "{name}");
                assert_eq!(String::from_utf8_lossy(&entry.encode()[1..]), String::from_utf8_lossy(&value[1..]), "{name}");
                assert_eq!(encode_key(entry.key()), key, "{name}");
                good += 1;
            }
            Err(error) if name.starts_with("version") => assert_eq!(error, CodecError::Version, "{name}"),
            Err(error) => assert!(name.starts_with("bad") && error != CodecError::Version, "{name}: {error}"),
        }
    }
    assert_eq!(good, 9, "one of each kind, and a link in two halves");
}

#[test]
fn a_draft_shows_what_it_changes_and_leaves_what_is_remembered_alone() {
    let id = Id([1; 16]);
    let account = Account::invited(id, "A", &[], Millis(0));
    let mut store = Store::default();
    let mut draft = Draft::new(&store);
    draft.put(Entry::Account(account.clone()));
    assert!(draft.account(account.id).is_some());
    let (changes, puts) = draft.finish();
    assert!(store.account(account.id).is_none());
    store.take_over(changes);
    assert_eq!((puts.len(), store.accounts().len()), (1, 1));
    let mut draft = Draft::new(&store);
    draft.change_account(account.id, |a| a.display = "B".into());
    assert_eq!((draft.accounts().len(), draft.accounts()[0].display.as_str()), (1, "B"));
    draft.remove_account(account.id);
    assert!(draft.accounts().is_empty() && draft.account(account.id).is_none());
    let (changes, puts) = draft.finish();
    assert!(puts.len() == 1 && puts[0].value.is_none());
    store.take_over(changes);
    assert!(store.accounts().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_changed_entry_is_read_or_refused(which in 0usize..9, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_, mut key, value) = vectors().swap_remove(which);
        key.extend(value);
        let at = at.index(key.len());
        key[at] = byte;
        crate::desk::fuzz::fuzz_entry(&key);
    }
}
