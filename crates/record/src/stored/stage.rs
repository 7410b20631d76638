//! A stage: everything a commit still has to do once the log's checkpoint is swapped, so that it can be done again.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `WEIRSTG1` |
//! | 2 | version, 1 |
//! | 6 | zero |
//! | 8 | entries of the log before |
//! | 32 | root of the log before |
//! | 4 + n | the new checkpoint, a signed note |
//! | 4, each 4 + n, 4 + n | tiles: path below `log/`, bytes |
//! | 4, each 4 + n, 4 + n | moves: from, to |
//! | 4, each 4 + n | removals |
//! | 32 | SHA-256 of all before |

use weir_base::crypto::sha256;

use super::FormatError;
use super::bytes::{Cursor, put_block};
use super::limits::{STAGE_BYTES, STAGE_ITEMS, STAGE_PATH_BYTES};

const MAGIC: &[u8; 8] = b"WEIRSTG1";
const VERSION: u16 = 1;
const DIGEST: usize = 32;

/// What a commit does after the swap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// Entries of the log before.
    pub old_size: u64,
    /// Root of the log before.
    pub old_root: [u8; 32],
    /// The new checkpoint, a signed note.
    pub checkpoint: Vec<u8>,
    /// New tiles and bundles: path below `log/`, bytes.
    pub tiles: Vec<(String, Vec<u8>)>,
    /// Files to move: from, to, both in the data folder.
    pub moves: Vec<(String, String)>,
    /// Files to remove, in the data folder.
    pub removes: Vec<String>,
}

/// True for a relative path of plain names: printable ASCII, no empty part, no `.` or `..`.
pub fn is_path(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
    path.len() <= STAGE_PATH_BYTES && path.split('/').all(plain)
}

/// The stage's bytes.
pub fn encode(stage: &Stage) -> Result<Vec<u8>, FormatError> {
    for (what, count) in [("tiles", stage.tiles.len()), ("moves", stage.moves.len()), ("removals", stage.removes.len())] {
        if count > STAGE_ITEMS {
            return Err(FormatError::Limit { what, is: count as u64, most: STAGE_ITEMS as u64 });
        }
    }
    let tiles = stage.tiles.iter().map(|(path, _)| path);
    let moves = stage.moves.iter().flat_map(|(from, to)| [from, to]);
    if !tiles.chain(moves).chain(&stage.removes).all(|path| is_path(path)) {
        return Err(FormatError::Field("a path"));
    }
    let payload = stage.tiles.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() + stage.checkpoint.len();
    let mut out = Vec::with_capacity(payload.min(STAGE_BYTES) + 4_096);
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend([0; 6]);
    out.extend(stage.old_size.to_le_bytes());
    out.extend(stage.old_root);
    put_block(&mut out, &stage.checkpoint);
    out.extend((stage.tiles.len() as u32).to_le_bytes());
    for (path, bytes) in &stage.tiles {
        put_block(&mut out, path.as_bytes());
        put_block(&mut out, bytes);
    }
    out.extend((stage.moves.len() as u32).to_le_bytes());
    for path in stage.moves.iter().flat_map(|(from, to)| [from, to]) {
        put_block(&mut out, path.as_bytes());
    }
    out.extend((stage.removes.len() as u32).to_le_bytes());
    for path in &stage.removes {
        put_block(&mut out, path.as_bytes());
    }
    if out.len() + DIGEST > STAGE_BYTES {
        return Err(FormatError::Limit { what: "a stage in bytes", is: (out.len() + DIGEST) as u64, most: STAGE_BYTES as u64 });
    }
    let digest = sha256(&out);
    out.extend(digest);
    Ok(out)
}

/// The stage that `bytes` hold. A torn one fails: its commit never happened.
pub fn decode(bytes: &[u8]) -> Result<Stage, FormatError> {
    let (body, digest) = bytes.split_last_chunk::<DIGEST>().ok_or(FormatError::Short)?;
    let mut at = Cursor(body);
    at.magic(MAGIC)?;
    if sha256(body) != *digest {
        return Err(FormatError::Checksum);
    }
    at.version(VERSION)?;
    if at.array::<6>()? != [0; 6] {
        return Err(FormatError::Field("a reserved field is not zero"));
    }
    let mut stage = Stage { old_size: at.u64()?, old_root: at.array()?, ..Stage::default() };
    stage.checkpoint = at.block("a checkpoint in bytes", STAGE_BYTES)?.to_vec();
    for _ in 0..count(&mut at)? {
        let path = path(&mut at)?;
        stage.tiles.push((path, at.block("a tile in bytes", STAGE_BYTES)?.to_vec()));
    }
    for _ in 0..count(&mut at)? {
        stage.moves.push((path(&mut at)?, path(&mut at)?));
    }
    for _ in 0..count(&mut at)? {
        stage.removes.push(path(&mut at)?);
    }
    at.end()?;
    Ok(stage)
}

fn count(at: &mut Cursor<'_>) -> Result<u32, FormatError> {
    let count = at.u32()?;
    if count as usize > STAGE_ITEMS {
        return Err(FormatError::Limit { what: "items of a stage", is: u64::from(count), most: STAGE_ITEMS as u64 });
    }
    Ok(count)
}

fn path(at: &mut Cursor<'_>) -> Result<String, FormatError> {
    let bytes = at.block("a path in bytes", STAGE_PATH_BYTES)?;
    let text = std::str::from_utf8(bytes).ok().filter(|text| is_path(text)).ok_or(FormatError::Field("a path"))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> Stage {
        Stage {
            old_size: 258,
            old_root: [0x77; 32],
            checkpoint: b"a\n1\nb\n".to_vec(),
            tiles: vec![("tile/0/000.p/1".into(), vec![1, 2])],
            moves: vec![("stage/u".into(), "units/u".into())],
            removes: vec!["units/o".into()],
        }
    }

    fn redigest(mut body: Vec<u8>) -> Vec<u8> {
        let digest = sha256(&body);
        body.extend(digest);
        body
    }

    #[test]
    fn golden() {
        let hex: String = encode(&example()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        let want: String = include_str!("testdata/stage.hex").lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(hex, want);
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_seen() {
        let bytes = encode(&example()).unwrap();
        assert_eq!(decode(&bytes).unwrap(), example());
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 2;
            assert!(decode(&bad).is_err(), "byte {i}");
            assert!(decode(&bytes[..i]).is_err(), "cut {i}");
        }
    }

    #[test]
    fn a_stage_that_lies_is_refused() {
        let good = encode(&example()).unwrap();
        let body = &good[..good.len() - DIGEST];
        assert!(decode(&redigest(body.to_vec())).is_ok());
        assert!(decode(&redigest([body, &[0]].concat())).is_err(), "bytes left over");
        for cut in 0..body.len() {
            assert!(decode(&redigest(body[..cut].to_vec())).is_err(), "cut {cut}");
        }
        let tiles_at = 16 + 40 + 4 + example().checkpoint.len();
        let mut many = body.to_vec();
        many[tiles_at..tiles_at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(decode(&redigest(many)), Err(FormatError::Limit { .. })));
        for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a b", "a\n", "密", "a\\b", &"x".repeat(513)] {
            assert!(!is_path(path), "{path}");
            assert!(encode(&Stage { removes: vec![path.into()], ..example() }).is_err());
            let raw = [&body[..body.len() - 4 - 7], &(path.len() as u32).to_le_bytes(), path.as_bytes()].concat();
            assert!(decode(&redigest(raw)).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(old_size: u64, tiles in proptest::collection::vec(("[a-z0-9.]{3,9}/x", proptest::collection::vec(any::<u8>(), 0..50)), 0..5),
                      moves in proptest::collection::vec(("[a-z]{1,9}", "[a-z]{1,9}/[0-9]{1,3}"), 0..5), removes in proptest::collection::vec("[A-Z]{1,9}", 0..5)) {
            let stage = Stage { old_size, tiles, moves, removes, ..example() };
            prop_assert_eq!(decode(&encode(&stage).unwrap()).unwrap(), stage);
        }

        #[test]
        fn junk_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            let _ = decode(&redigest([&MAGIC[..], &[1, 0, 0, 0, 0, 0, 0, 0], &bytes].concat()));
        }
    }
}
