//! What must hold for any blocks in place of a table's.

use weir_base::crypto::Secret;

use super::builder::level_aad;
use super::{Stats, Table, TableError, Trailer, nonce, table_key};

/// Entries that are walked through at most: blocks may name one another many times over.
const STEPS: usize = 2_000;
const KEY: Secret = Secret([1; 32]);
const NAME: &str = "index/a.tbl";

/// A table of any blocks is walked forward, back and to any key: an error or entries, never a panic, and a block for each level at most.
///
/// The input: root level, then blocks, each after its level (one byte) and its length (two bytes); the last is the root.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_table(data: &[u8]) {
    let Some((root_level, mut rest)) = data.split_first() else { return };
    let id = [9; 16];
    let key = table_key(&KEY, NAME, &id);
    let mut trailer = Trailer { id, entries: 1, root_level: u32::from(*root_level), ..Trailer::default() };
    let mut bytes = Vec::new();
    while let Some(([level, a, b], tail)) = rest.split_first_chunk::<3>() {
        let (plain, tail) = tail.split_at(usize::from(u16::from_le_bytes([*a, *b])).min(tail.len()));
        rest = tail;
        let level = if tail.len() < 3 { usize::from(*root_level) } else { usize::from(*level) };
        let mut block = plain.to_vec();
        key.seal(nonce(trailer.blocks), &level_aad(level), &mut block);
        (trailer.root_offset, trailer.root_length) = (bytes.len() as u64, block.len() as u32);
        trailer.blocks += 1;
        bytes.append(&mut block);
    }
    bytes.extend(trailer.encode(&key));
    let len = bytes.len() as u64;
    let Ok(table) = Table::open(bytes, len, &KEY, NAME) else { return };
    let asked = data.get(4..12).unwrap_or_default();
    let _ = walk(&table, true).and_then(|()| walk(&table, false));
    let mut stats = Stats::default();
    if let Ok(Some((found, _))) = table.seek_le(asked, &mut stats) {
        assert!(found.as_slice() <= asked, "what was found is not above what was asked for");
    }
    assert!(stats.pages <= 2 + u64::from(trailer.root_level), "one block a level");
    let mut left = STEPS;
    let _ = table.range(asked, &[0xff; 40], &mut Stats::default(), &mut |found, _| {
        assert!(found <= &[0xff; 40][..], "what was found is not above the end of the range");
        left -= 1;
        left > 0
    });
}

fn walk(table: &Table<Vec<u8>>, forward: bool) -> Result<(), TableError> {
    let mut stats = Stats::default();
    let mut cursor = table.cursor(&mut stats);
    let mut here = if forward { cursor.first()? } else { cursor.last()? };
    for _ in 0..STEPS {
        if !here {
            return Ok(());
        }
        assert!(cursor.entry().is_some(), "a step that went well stands at an entry");
        here = if forward { cursor.next()? } else { cursor.prev()? };
    }
    Ok(())
}
