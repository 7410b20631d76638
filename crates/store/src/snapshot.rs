//! The snapshot of the open tables: what an index checkpoint keeps beside the runs, so that a start reads minutes of units and not months.
//!
//! The file is a table (`docs/formats/table.md`) under the index key of its day. Keys: `g` + number: a gap; `m` + public address + the rest of the first key + number: an open
//! mapping, after the entry and row that say so; `l` + first address and bits of a block + source: addresses
//! that sessions had; `o` + number: an end without a beginning; `p` + number: a length of prefixes; `s` + id: a session, open or ended lately; `v`: the
//! version of all this. A snapshot of another version is not read: the index is made again from the sealed units.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::{Day, Millis};
use weir_record::Id;
use weir_record::kind::Record;
use weir_record::kinds::Gap;
use weir_record::{Kind, walbatch};

use crate::engine::StoreError;
use crate::gaps::Gaps;
use crate::index::{Index, IndexFiles};
use crate::nat::mapping::{Mapping, RowRef};
use crate::nat::open::Open;
use crate::session::codec;
use crate::table::Stats;

/// Version of keys and values.
const VERSION: u8 = 4;

/// Folder of the snapshots.
pub const FOLDER: &str = "index/open";

fn key(tag: u8, a: u64, b: u64) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend(a.to_be_bytes());
    out.extend(b.to_be_bytes());
    out
}

/// Key and value of an open mapping, over what `key` and `value` held: there may be millions.
fn put_open(rest: u32, number: u32, open: &Open, key: &mut Vec<u8>, value: &mut Vec<u8>) {
    key.clear();
    key.push(b'm');
    key.extend_from_slice(&open.mapping.public.0);
    key.extend_from_slice(&rest.to_be_bytes());
    key.extend_from_slice(&number.to_be_bytes());
    value.clear();
    value.extend_from_slice(&open.row.entry.to_le_bytes());
    value.extend_from_slice(&open.row.row.to_le_bytes());
    open.mapping.encode_into(value);
}

/// Writes the snapshot durably; returns its file.
pub fn write(files: &IndexFiles, index: &Index, gaps: &Gaps, day: Day) -> Result<String, StoreError> {
    let (file, mut writer) = files.create(FOLDER, day)?;
    for (i, gap) in gaps.all().into_iter().enumerate() {
        let mut value = Vec::new();
        walbatch::encode(Kind::Gap, &Gap::batch(&[gap]), &mut value);
        writer.push(&key(b'g', i as u64, 0), &value)?;
    }
    for (source, block, hosts) in index.lent.in_order() {
        let mut key = vec![b'l'];
        key.extend(block.addr.0);
        key.push(block.bits);
        key.extend(source.to_be_bytes());
        writer.push(&key, &hosts)?;
    }
    let mut before = None;
    let mut number = 0u32;
    let (mut k, mut value) = (Vec::new(), Vec::new());
    for (rest, o) in index.open.in_order() {
        // A key seldom stands for more than one.
        number = if before == Some((o.mapping.public, rest)) { number + 1 } else { 0 };
        before = Some((o.mapping.public, rest));
        put_open(rest, number, &o, &mut k, &mut value);
        writer.push(&k, &value)?;
    }
    for (i, (mapping, seen)) in index.orphans.iter().enumerate() {
        let mut value = seen.0.to_le_bytes().to_vec();
        value.extend(mapping.encode());
        writer.push(&key(b'o', i as u64, 0), &value)?;
    }
    for bits in &index.lengths {
        writer.push(&key(b'p', u64::from(*bits), 0), &[])?;
    }
    for (id, bytes) in index.sessions.encoded() {
        let mut k = vec![b's'];
        k.extend(id.0);
        writer.push(&k, &bytes)?;
    }
    writer.push(b"v", &[VERSION])?;
    writer.finish()?;
    Ok(file)
}

/// Reads a snapshot into an empty index.
pub fn read(files: &IndexFiles, file: &str, day: Day, index: &mut Index, gaps: &mut Gaps) -> Result<(), StoreError> {
    let reader = files.open(file, day)?;
    let mut version = false;
    reader.range(b"v", b"v", &mut Stats::default(), &mut |_, value| {
        version = value == [VERSION];
        false
    })?;
    if !version {
        return Err(StoreError::Damaged("the index snapshot is of another version".to_owned()));
    }
    let mut bad = false;
    reader.range(&[], &[0xff; 32], &mut Stats::default(), &mut |key, value| {
        bad |= take(key, value, index, gaps).is_none();
        !bad
    })?;
    if bad { Err(StoreError::Damaged("the index snapshot is damaged".to_owned())) } else { Ok(()) }
}

fn take(key: &[u8], value: &[u8], index: &mut Index, gaps: &mut Gaps) -> Option<()> {
    match key.first()? {
        b'g' => Gap::rows(&walbatch::decode(value).ok()?.1).iter().for_each(|g| gaps.apply(g)),
        b'l' => {
            let (addr, rest) = key.get(1..)?.split_first_chunk::<16>()?;
            let (bits, source) = rest.split_first()?;
            index.lent.add(u32::from_be_bytes(source.try_into().ok()?), Prefix::new(Addr16(*addr), *bits), value.try_into().ok()?);
        }
        b'm' => {
            let (entry, rest) = value.split_first_chunk::<8>()?;
            let (row, mapping) = rest.split_first_chunk::<4>()?;
            let row = RowRef { entry: u64::from_le_bytes(*entry), row: u32::from_le_bytes(*row) };
            index.open.insert(Open { mapping: Mapping::decode(mapping)?, row });
        }
        b'o' => {
            let (seen, mapping) = value.split_first_chunk::<8>()?;
            index.orphans.insert(Mapping::decode(mapping)?, Millis(i64::from_le_bytes(*seen)));
        }
        b's' => {
            let (known, ended) = codec::decode(value)?;
            (known.session.id == Id(key.get(1..17)?.try_into().ok()?)).then_some(())?;
            index.sessions.insert(known, ended);
        }
        b'p' => {
            let bits = u8::try_from(u64::from_be_bytes(key.get(1..9)?.try_into().ok()?)).ok()?;
            index.lengths.insert(bits);
        }
        b'v' => {}
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use weir_base::crypto::Secret;
    use weir_base::disk::{RealDisk, SharedDisk};
    use weir_record::kinds::Form;

    use super::*;
    use crate::keyring::Keyring;
    use crate::nat::mapping::Mapping;

    fn open(n: u32, port: u16, inside: u8, form: Form) -> Open {
        let mapping = Mapping {
            form,
            protocol: if form == Form::Session { 6 } else { 0 },
            source: 1,
            public: Addr16::v4([203, 0, 113, (n % 5) as u8]),
            first: port,
            last: if form == Form::Session { port } else { port + 63 },
            inside: Addr16::v4([100, 64, 0, inside]),
            inside_port: port,
            remote: Default::default(),
            start: Some(Millis(i64::from(n))),
            end: None,
            flags: 0,
        };
        Open { mapping, row: RowRef { entry: u64::from(n), row: n } }
    }

    #[test]
    fn open_mappings_come_back_those_of_one_key_and_of_many_ports_among_them() {
        let dir = tempfile::tempdir().unwrap();
        let disk: SharedDisk = Arc::new(RealDisk::new(dir.path()).unwrap());
        disk.create_dir(Path::new(FOLDER)).unwrap();
        let keyring = Arc::new(Keyring::open_or_create(&disk, &Secret([7; 32])).unwrap());
        let files = IndexFiles { disk, keyring };
        let mut index = Index::default();
        // Every tenth stands under a key that another one has.
        let mut all: Vec<Open> = (0..2_000).map(|n| open(n, (n / 5 * 5) as u16, (n % 10 / 9) as u8, Form::Session)).collect();
        all.extend((0..50).map(|n| open(n, 40_000 + n as u16 * 64, 3, Form::Block)));
        all.extend((0..100).map(|n| open(n, (n / 5 * 5) as u16, 9, Form::Session)));
        all.iter().for_each(|o| index.open.insert(*o));
        let lent: Vec<Prefix> = ["203.0.113.9/32", "198.51.100.0/22", "2001:db8:7::/48"].iter().map(|p| p.parse().unwrap()).collect();
        lent.iter().for_each(|p| index.lent.learn(4, *p));
        let file = write(&files, &index, &Gaps::default(), Day(20_000)).unwrap();
        let (mut again, mut gaps) = (Index::default(), Gaps::default());
        read(&files, &file, Day(20_000), &mut again, &mut gaps).unwrap();
        for address in ["203.0.113.9", "203.0.113.8", "198.51.103.1", "2001:db8:7::1", "2001:db8:8::1"] {
            let address: Addr16 = address.parse().unwrap();
            assert_eq!(again.lent.sources(address), index.lent.sources(address));
        }
        let sorted = |index: &Index| {
            let mut all: Vec<Open> = index.open.in_order().map(|(_, open)| open).collect();
            all.sort_unstable_by_key(|o| (o.row, o.mapping.first, o.mapping.inside));
            all
        };
        all.sort_unstable_by_key(|o| (o.row, o.mapping.first, o.mapping.inside));
        assert_eq!((sorted(&again), again.open.len()), (all, 2_150));
        let block = open(3, 40_000 + 3 * 64, 3, Form::Block).mapping;
        let last = block.keys().last().copied().unwrap();
        assert!(again.open.find(&[last]).iter().any(|o| o.mapping == block), "a block is found by the last of its keys");
    }
}
