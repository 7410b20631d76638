//! The snapshot of the open tables: what an index checkpoint keeps beside the runs, so that a start reads minutes of units and not months.
//!
//! The file is a table (`docs/formats/table.md`) under the index key of its day. Keys: `g` + number: a gap; `m` + entry + row: an open
//! mapping; `o` + number: an end without a beginning; `p` + number: a length of prefixes; `s` + id: a session, open or ended lately; `v`: the
//! version of all this. A snapshot of another version is not read: the index is made again from the sealed units.

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
const VERSION: u8 = 3;

/// Folder of the snapshots.
pub const FOLDER: &str = "index/open";

fn key(tag: u8, a: u64, b: u64) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend(a.to_be_bytes());
    out.extend(b.to_be_bytes());
    out
}

/// Writes the snapshot durably; returns its file.
pub fn write(files: &IndexFiles, index: &Index, gaps: &Gaps, day: Day) -> Result<String, StoreError> {
    let (file, mut writer) = files.create(FOLDER, day)?;
    for (i, gap) in gaps.all().into_iter().enumerate() {
        let mut value = Vec::new();
        walbatch::encode(Kind::Gap, &Gap::batch(&[gap]), &mut value);
        writer.push(&key(b'g', i as u64, 0), &value)?;
    }
    let mut open: Vec<Open> = index.open.iter().collect();
    open.sort_unstable_by_key(|o| o.row);
    for o in open {
        writer.push(&key(b'm', o.row.entry, u64::from(o.row.row)), &o.mapping.encode())?;
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
    reader.range(&[], &[0xff; 20], &mut Stats::default(), &mut |key, value| {
        bad |= take(key, value, index, gaps).is_none();
        !bad
    })?;
    if bad { Err(StoreError::Damaged("the index snapshot is damaged".to_owned())) } else { Ok(()) }
}

fn take(key: &[u8], value: &[u8], index: &mut Index, gaps: &mut Gaps) -> Option<()> {
    match key.first()? {
        b'g' => Gap::rows(&walbatch::decode(value).ok()?.1).iter().for_each(|g| gaps.apply(g)),
        b'm' => {
            let entry = u64::from_be_bytes(key.get(1..9)?.try_into().ok()?);
            let row = u32::try_from(u64::from_be_bytes(key.get(9..17)?.try_into().ok()?)).ok()?;
            index.open.insert(Open { mapping: Mapping::decode(value)?, row: RowRef { entry, row } });
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
