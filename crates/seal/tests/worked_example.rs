//! The worked example of `docs/formats/log.md`, made again: the page cannot say anything else than the code does.

use weir_base::crypto::Secret;
use weir_base::time::Millis;
use weir_seal::checkpoint::Checkpoint;
use weir_seal::entry::{Entry, Genesis, Heartbeat, Unit};
use weir_seal::filedigest::DigestBuilder;
use weir_seal::note::SigningKey;
use weir_seal::rows::{LEAF_HEAD, RowsRoot, SaltKey, row_leaf};
use weir_seal::tile;
use weir_seal::{UnitId, merkle};

const PAGE: &str = include_str!("../../../docs/formats/log.md");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The text of the page with the line breaks of its tables and blocks kept.
fn says(text: &str, what: &str) {
    assert!(PAGE.contains(text), "docs/formats/log.md must show {what}:\n{text}");
}

fn ids() -> (Secret, UnitId) {
    let unit: UnitId = "000102030405060708090a0b0c0d0e0f".parse().expect("an id");
    (Secret([0x42; 32]), unit)
}

fn example_unit() -> Unit {
    let (day_key, unit) = ids();
    let key = SaltKey::new(&day_key, unit);
    let mut rows = RowsRoot::new(&key);
    let (mut leaves, mut ends) = (Vec::new(), Vec::new());
    for row in ["one", "two", "three"] {
        leaves.extend([0; LEAF_HEAD]);
        leaves.extend(row.as_bytes());
        ends.push(leaves.len());
    }
    rows.push_variable_leaves(&mut leaves, &ends).expect("three rows");
    for (number, row) in ["one", "two", "three"].iter().enumerate() {
        let head = key.head(number as u64);
        says(&hex(&head[1..]), "a salt");
        says(&hex(&row_leaf(&head, row.as_bytes())), "a row's leaf");
    }
    says(&hex(&rows.finish()), "the root of the rows");
    let mut digests = DigestBuilder::new(false);
    digests.update(b"abc");
    let sidecar = digests.finish();
    says(&hex(&sidecar.encode()), "the sidecar");
    Unit {
        kind: "nat_mapping".into(),
        kind_version: 1,
        day: "2026-11-22".parse().expect("a day"),
        unit,
        sealed: Millis(1_795_312_860_000),
        rows: 3,
        first: Millis(1_795_312_800_001),
        last: Millis(1_795_312_859_998),
        rows_root: rows.finish(),
        file: format!("segments/nat_mapping/2026-11-22/{unit}.parquet"),
        size: 3,
        file_root: sidecar.root(),
        file_root_sm3: None,
        first_row: 0,
        sorted: true,
    }
}

#[test]
fn the_page_shows_what_the_code_makes() {
    let log_key = SigningKey::from_seed([0x07; 32], "demo.invalid").expect("a name");
    let genesis = Genesis {
        origin: "demo.invalid".into(),
        log_key: log_key.verifying_key().clone(),
        program: "weir-0.1.0".into(),
        time: Millis(1_795_312_740_000),
    };
    let heartbeat = Heartbeat { time: Millis(1_795_312_920_000), sequenced: 12, open: 0 };
    let entries = [Entry::Genesis(genesis), Entry::Unit(example_unit()), Entry::Heartbeat(heartbeat)];
    let bytes: Vec<Vec<u8>> = entries.iter().map(|e| e.encode().expect("a good entry")).collect();
    for entry in &bytes {
        says(str::from_utf8(entry).expect("ASCII"), "an entry");
        says(&hex(&merkle::leaf_hash(entry)), "the leaf hash of an entry");
    }
    let appended = tile::append(0, &bytes, &|_| Err("a new log reads nothing")).expect("the log grows");
    for (path, tile) in &appended.tiles {
        says(&format!("`{path}` ({} bytes)", tile.len()), "a tile");
    }
    says(&hex(&appended.root), "the root");
    let checkpoint = Checkpoint::new("demo.invalid", appended.size, appended.root);
    let note = checkpoint.sign(&[&log_key]).expect("a checkpoint").encode();
    says(str::from_utf8(&note).expect("UTF-8"), "the checkpoint");
    let leaves: Vec<merkle::Hash> = bytes.iter().map(|b| merkle::leaf_hash(b)).collect();
    let proof = merkle::inclusion_proof(&leaves, 1).expect("a proof");
    assert_eq!(proof, [leaves[0], leaves[2]], "the page says that the proof of entry 1 is the leaf hashes of entries 0 and 2");
}
