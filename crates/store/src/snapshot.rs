//! The snapshot of the open tables: what an index checkpoint keeps beside the runs, so that a start reads minutes of units and not months.
//!
//! The file is a table (`docs/formats/table.md`) under the index key of its day. Keys: `g` + number: a gap; `m` + entry + row: an open
//! mapping; `o` + number: an end without a beginning; `s` + id: an open session with what it has.

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
use crate::session::span::SessionSpan;
use crate::session::table::OpenSession;
use crate::table::Stats;

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
    let mut sessions: Vec<&OpenSession> = index.sessions.iter().collect();
    sessions.sort_by_key(|s| s.session.id);
    for s in sessions {
        let mut k = vec![b's'];
        k.extend(s.session.id.0);
        writer.push(&k, &encode_session(s))?;
    }
    writer.finish()?;
    Ok(file)
}

/// A session is its spans, each with a length in 4 bytes; one without addresses has a span of no bits.
fn encode_session(open: &OpenSession) -> Vec<u8> {
    let mut out = Vec::new();
    let nothing = [(weir_base::net::Prefix { addr: weir_base::net::Addr16::NONE, bits: 0 }, open.session.start)];
    let has = if open.has.is_empty() { &nothing[..] } else { &open.has };
    for (prefix, since) in has {
        let span = SessionSpan { session: open.session.clone(), prefix: *prefix, since: *since, until: None }.encode();
        out.extend(u32::try_from(span.len()).unwrap_or(0).to_le_bytes());
        out.extend(span);
    }
    out
}

fn decode_session(mut bytes: &[u8]) -> Option<OpenSession> {
    let mut out: Option<OpenSession> = None;
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk::<4>()?;
        let (span, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        let span = SessionSpan::decode(span)?;
        let open = out.get_or_insert_with(|| OpenSession { session: span.session.clone(), has: Vec::new() });
        if span.prefix.bits > 0 {
            open.has.push((span.prefix, span.since));
        }
        bytes = rest;
    }
    out
}

/// Reads a snapshot into an empty index.
pub fn read(files: &IndexFiles, file: &str, day: Day, index: &mut Index, gaps: &mut Gaps) -> Result<(), StoreError> {
    let reader = files.open(file, day)?;
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
            let open = decode_session(value)?;
            (open.session.id == Id(key.get(1..17)?.try_into().ok()?)).then_some(())?;
            index.sessions.insert(open);
        }
        _ => return None,
    }
    Some(())
}
