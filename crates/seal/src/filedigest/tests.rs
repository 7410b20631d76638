use proptest::prelude::*;

use super::*;
use crate::test_hex::{hash, hex};

const ABC: &str = include_str!("testdata/abc.hex");
const EMPTY: &str = include_str!("testdata/empty.hex");

fn digest(bytes: &[u8], sm3: bool) -> Sidecar {
    let mut builder = DigestBuilder::new(sm3);
    builder.update(bytes);
    builder.finish()
}

/// Bytes that differ from block to block.
fn file(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i / 251 + i) as u8).collect()
}

fn check(sidecar: &Sidecar, file: &[u8]) -> Result<(), FileDamage<String>> {
    sidecar.check(file.len() as u64, &mut |index, buf| {
        let start = index as usize * DIGEST_BLOCK_BYTES;
        buf.copy_from_slice(file.get(start..start + buf.len()).ok_or("out of reach")?);
        Ok(())
    })
}

#[test]
fn golden_sidecars() {
    for (golden, bytes, sm3) in [(ABC, &b"abc"[..], true), (EMPTY, b"", false)] {
        let sidecar = digest(bytes, sm3);
        assert_eq!(sidecar.encode(), hex(golden));
        assert_eq!(Sidecar::decode(&hex(golden)), Ok(sidecar));
    }
    assert_eq!(digest(b"abc", false).root(), merkle::leaf_hash(b"abc"));
    assert_eq!(digest(b"", true).root(), merkle::empty_root());
    let sm3_of_nothing = hash("1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b");
    assert_eq!(digest(b"", true).root_sm3(), Some(sm3_of_nothing));
    assert_eq!(digest(b"", false).root_sm3(), None);
}

#[test]
fn blocks_of_64_kib_are_the_leaves() {
    for len in [1, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let file = file(len);
        let sidecar = digest(&file, true);
        let blocks = || file.chunks(65_536);
        let sha256: Vec<Hash> = blocks().map(merkle::leaf_hash).collect();
        let sm3: Vec<Hash> = blocks().map(Sm3::leaf).collect();
        assert_eq!((sidecar.file_len(), sidecar.leaves()), (len as u64, sha256.as_slice()));
        assert_eq!(sidecar.root(), merkle::root(&sha256));
        assert_eq!(sidecar.root_sm3(), Some(merkle::root_with::<Sm3>(&sm3)));
        assert_eq!(sidecar.encode().len(), 24 + 64 * sha256.len());
        assert_eq!(check(&sidecar, &file), Ok(()));
    }
}

#[test]
fn the_first_bad_block_is_named() {
    let good = file(200_000);
    for sm3 in [false, true] {
        let sidecar = digest(&good, sm3);
        for (at, index, start, end) in [
            (0, 0, 0, 65_536),
            (65_535, 0, 0, 65_536),
            (65_536, 1, 65_536, 131_072),
            (196_607, 2, 131_072, 196_608),
            (199_999, 3, 196_608, 200_000),
        ] {
            let mut bad = good.clone();
            bad[at] ^= 0x80;
            bad[199_999] ^= 0x40;
            assert_eq!(check(&sidecar, &bad), Err(FileDamage::Block { index, start, end }));
        }
        for got in [0, 199_999, 200_001] {
            assert_eq!(check(&sidecar, &file(got)), Err(FileDamage::Length { got: got as u64, want: 200_000 }));
        }
        let error = sidecar.check(200_000, &mut |index, _| if index < 2 { Ok(()) } else { Err("gone") });
        assert!(matches!(error, Err(FileDamage::Block { index: 0, .. })));
        let error = sidecar.check(200_000, &mut |_, _| Err("gone"));
        assert_eq!(error, Err(FileDamage::Read { index: 0, error: "gone" }));
    }
    // A block that agrees with SHA-256 but not with the SM3 kept beside it is bad too.
    let mut sidecar = digest(&good, true);
    sidecar.sm3.as_mut().unwrap()[1][0] ^= 1;
    assert_eq!(check(&sidecar, &good), Err(FileDamage::Block { index: 1, start: 65_536, end: 131_072 }));
}

#[test]
fn malformed_sidecars_are_refused() {
    let good = digest(&file(100_000), true).encode();
    let length = |got| SidecarError::Length { got, want: 24 + 4 * 32, file_len: 100_000 };
    let at = |place: usize, byte: u8| {
        let mut bad = good.clone();
        bad[place] = byte;
        bad
    };
    for (bad, want) in [
        (vec![], SidecarError::NotASidecar),
        (good[..23].to_vec(), SidecarError::NotASidecar),
        (at(0, b'W'), SidecarError::NotASidecar),
        (at(8, 0), SidecarError::Version(0)),
        (at(8, 2), SidecarError::Version(2)),
        (at(9, 3), SidecarError::Header),
        (at(9, 0x80), SidecarError::Header),
        (at(10, 1), SidecarError::Header),
        (at(11, 1), SidecarError::Header),
        (at(12, 1), SidecarError::Header),
        (at(15, 1), SidecarError::Header),
        (at(16, 0xff), SidecarError::Header),
        (at(18, 2), SidecarError::Header),
        (at(9, 0), SidecarError::Length { got: good.len(), want: 24 + 2 * 32, file_len: 100_000 }),
        (good[..24].to_vec(), length(24)),
        (good[..good.len() - 1].to_vec(), length(good.len() - 1)),
        ([good.clone(), vec![0]].concat(), length(good.len() + 1)),
    ] {
        assert_eq!(Sidecar::decode(&bad), Err(want));
    }
}

proptest! {
    #[test]
    fn pieces_do_not_matter(cuts in prop::collection::vec(0usize..90_000, 0..6), sm3 in any::<bool>()) {
        let file = file(cuts.iter().sum());
        let mut builder = DigestBuilder::new(sm3);
        let mut rest = file.as_slice();
        for cut in cuts {
            let (now, later) = rest.split_at(cut);
            builder.update(now);
            rest = later;
        }
        let sidecar = builder.finish();
        prop_assert_eq!(&sidecar, &digest(&file, sm3));
        prop_assert_eq!(Sidecar::decode(&sidecar.encode()), Ok(sidecar));
    }

    #[test]
    fn no_bytes_panic(at in 0usize..152, byte in any::<u8>(), data in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = digest(&file(100_000), true).encode();
        bytes[at] = byte;
        crate::fuzz::fuzz_sidecar(&bytes);
        crate::fuzz::fuzz_sidecar(&data);
        crate::fuzz::fuzz_sidecar(&[&bytes[..24], &data].concat());
    }
}
