//! A group as bytes in the write-ahead log.
//!
//! Layout: version u8 (1), owner length u8 and bytes, then sections, each a tag u8: 1 batch (length u32, batch as in `walbatch`), 2 state
//! change (key length u16, key, present u8, value length u32, value), 3 evidence (source u32, time i64), 4 state change of another owner (owner
//! length u8, owner, then as 2). Bindings are batches. Integers little-endian.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use weir_base::time::Millis;

use crate::kind::{Kind, Record};
use crate::kinds::Binding;
use crate::limits::{GROUP_BATCHES, GROUP_BYTES, GROUP_STATE_PUTS};
use crate::sink::{Group, StatePut};
use crate::walbatch::{self, BatchError};

const VERSION: u8 = 1;
/// Bytes of a state change without its key and value.
const PUT_BYTES: usize = 8;
/// Bytes of a row without its texts, about: room made at once instead of a dozen times while the bytes grow.
const ROW_BYTES: usize = 40;

/// Checks a group against the limits and the schemas before it is queued.
pub fn check(group: &Group) -> Result<(), String> {
    if group.batches.len() > GROUP_BATCHES {
        return Err(format!("{} batches, at most {GROUP_BATCHES} are allowed", group.batches.len()));
    }
    if group.state.len() + group.other_state.len() > GROUP_STATE_PUTS {
        return Err(format!("{} state changes, at most {GROUP_STATE_PUTS} are allowed", group.state.len()));
    }
    if group.owner.len() > usize::from(u8::MAX) || group.state.iter().any(|p| p.key.len() > usize::from(u16::MAX)) {
        return Err("an owner's or key's name is too long".to_owned());
    }
    for (kind, batch) in &group.batches {
        if batch.schema_ref().fields() != kind.schema().fields() {
            return Err(format!("a batch does not have the columns of {kind}"));
        }
        if batch.num_rows() > crate::limits::BATCH_ROWS {
            return Err(format!("a batch of {kind} has {} rows", batch.num_rows()));
        }
    }
    Ok(())
}

/// The group's bytes; an error when they are longer than a group may be.
pub fn encode(group: &Group) -> Result<Vec<u8>, String> {
    let mut out = vec![VERSION, group.owner.len() as u8];
    out.extend(group.owner.as_bytes());
    let mut texts = None;
    for (kind, batch) in &group.batches {
        let beside = if *kind == Kind::Maintenance { texts.take() } else { None };
        section(&mut out, *kind, batch, beside);
        if *kind == Kind::MaintenanceText {
            texts = Some(batch);
        }
    }
    if !group.bindings.is_empty() {
        section(&mut out, Kind::Binding, &Binding::batch(&group.bindings), None);
    }
    let puts = group.state.iter().map(|put| PUT_BYTES + put.key.len() + put.value.as_ref().map_or(0, Vec::len));
    out.reserve(puts.sum());
    for put in &group.state {
        out.push(2);
        encode_put(&mut out, put);
    }
    for (owner, put) in &group.other_state {
        out.extend([4, owner.len() as u8]);
        out.extend(owner.as_bytes());
        encode_put(&mut out, put);
    }
    for (source, time) in &group.evidence {
        out.push(3);
        out.extend(source.to_le_bytes());
        out.extend(time.0.to_le_bytes());
    }
    if out.len() > GROUP_BYTES {
        return Err(format!("the group is {} bytes long, at most {GROUP_BYTES} are allowed", out.len()));
    }
    Ok(out)
}

fn encode_put(out: &mut Vec<u8>, put: &StatePut) {
    out.extend((put.key.len() as u16).to_le_bytes());
    out.extend(&put.key);
    out.push(u8::from(put.value.is_some()));
    let value = put.value.as_deref().unwrap_or_default();
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], BatchError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(BatchError("the group ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BatchError> {
        self.take(N)?.try_into().map_err(|_| BatchError("the group ends too early"))
    }

    fn text(&mut self) -> Result<String, BatchError> {
        let [len] = self.array()?;
        String::from_utf8(self.take(usize::from(len))?.to_vec()).map_err(|_| BatchError("an owner is not text"))
    }

    fn put(&mut self) -> Result<StatePut, BatchError> {
        let len = u16::from_le_bytes(self.array()?);
        let key = self.take(usize::from(len))?.to_vec();
        let [present] = self.array()?;
        let len = u32::from_le_bytes(self.array()?);
        let value = self.take(len as usize)?.to_vec();
        Ok(StatePut { key, value: (present != 0).then_some(value) })
    }
}

/// Bytes of the texts of a column.
fn text_bytes(column: &ArrayRef) -> usize {
    let offsets = match (column.as_string_opt::<i32>(), column.as_binary_opt::<i32>()) {
        (Some(texts), _) => texts.value_offsets(),
        (_, Some(bytes)) => bytes.value_offsets(),
        _ => return 0,
    };
    let ends = offsets.first().zip(offsets.last());
    ends.and_then(|(first, last)| usize::try_from(last - first).ok()).unwrap_or(0)
}

fn section(out: &mut Vec<u8>, kind: Kind, batch: &RecordBatch, texts: Option<&RecordBatch>) {
    out.push(1);
    let at = out.len();
    out.reserve(batch.num_rows() * ROW_BYTES + batch.columns().iter().map(text_bytes).sum::<usize>());
    out.extend([0; 4]);
    walbatch::encode_beside(kind, batch, texts, out);
    let len = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&len.to_le_bytes());
}

/// The group that `bytes` hold. Bindings come back as batches.
pub fn decode(bytes: &[u8]) -> Result<Group, BatchError> {
    let mut reader = Reader(bytes);
    if reader.array()? != [VERSION] {
        return Err(BatchError("another version of the group format"));
    }
    let mut group = Group { owner: reader.text()?, ..Group::default() };
    // The last lines as they came that no lines as they are shown were told by yet.
    let mut texts = None;
    while !reader.0.is_empty() {
        match reader.array()? {
            [1] => {
                let len = u32::from_le_bytes(reader.array()?) as usize;
                let beside: Option<&(Kind, RecordBatch)> = texts.and_then(|at: usize| group.batches.get(at));
                let (kind, batch, over) = walbatch::decode_beside(reader.take(len)?, beside.map(|(_, texts)| texts))?;
                if !over.is_empty() {
                    return Err(BatchError("bytes are left after a batch"));
                }
                match kind {
                    Kind::MaintenanceText => texts = Some(group.batches.len()),
                    Kind::Maintenance => texts = None,
                    _ => {}
                }
                group.batches.push((kind, batch));
            }
            [2] => group.state.push(reader.put()?),
            [3] => {
                let source = u32::from_le_bytes(reader.array()?);
                group.evidence.push((source, Millis(i64::from_le_bytes(reader.array()?))));
            }
            [4] => {
                let owner = reader.text()?;
                group.other_state.push((owner, reader.put()?));
            }
            _ => return Err(BatchError("an unknown section")),
        }
    }
    Ok(group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{Gap, IdType, Maintenance, MaintenanceText};

    #[test]
    fn a_group_comes_back_with_bindings_as_a_batch() {
        let binding = Binding { id_type: IdType::Account as u8, value: "a@b".into(), ..Binding::default() };
        let group = Group {
            owner: "radius".into(),
            batches: vec![(Kind::Gap, Gap::batch(&[Gap::default(), Gap { lost: Some(2), ..Gap::default() }]))],
            state: vec![StatePut { key: vec![1], value: Some(vec![2; 300]) }, StatePut { key: vec![], value: None }],
            bindings: vec![binding.clone()],
            other_state: vec![("identity".into(), StatePut { key: vec![7], value: Some(vec![8]) })],
            evidence: vec![(7, Millis(-5))],
        };
        check(&group).unwrap();
        let bytes = encode(&group).unwrap();
        let back = decode(&bytes).unwrap();
        assert_eq!((&back.owner, &back.state, &back.evidence), (&group.owner, &group.state, &group.evidence));
        assert_eq!(back.other_state, group.other_state);
        assert_eq!(back.batches.len(), 2);
        assert_eq!(Binding::rows(&back.batches[1].1), [binding]);
        for cut in 0..bytes.len() {
            if let Ok(g) = decode(&bytes[..cut]) {
                assert!(g.batches.len() + g.state.len() + g.evidence.len() + g.other_state.len() < 6, "cut at {cut}");
            }
        }
        let wrong = Group { batches: vec![(Kind::Raw, Gap::batch(&[]))], ..Group::default() };
        assert!(check(&wrong).unwrap_err().contains("raw"));
    }

    #[test]
    fn lines_are_told_by_those_that_came_before_them_in_the_group() {
        let line = "Accepted password for [1] from 192.0.2.7 port 4711 ssh2";
        let texts =
            |n: usize| MaintenanceText::batch(&vec![MaintenanceText { bytes: format!("<38>{line}").into(), ..Default::default() }; n]);
        let lines = |n: usize| Maintenance::batch(&vec![Maintenance { line: line.to_owned(), ..Default::default() }; n]);
        let of = |batches: &[(Kind, RecordBatch)]| encode(&Group { batches: batches.to_vec(), ..Group::default() }).unwrap();
        let (came, shown) = ((Kind::MaintenanceText, texts(50)), (Kind::Maintenance, lines(50)));
        let (before, after) = (of(&[came.clone(), shown.clone()]), of(&[shown.clone(), came.clone()]));
        assert!(before.len() + 49 * line.len() < after.len(), "{} {}", before.len(), after.len());
        // Of several the last one, once; and none of another number of rows.
        let twice = of(&[came.clone(), shown.clone(), shown.clone()]);
        assert!(twice.len() > before.len() + 50 * line.len());
        let several = [came.clone(), (Kind::MaintenanceText, texts(3)), shown.clone(), (Kind::Maintenance, lines(3))];
        for batches in
            [vec![came.clone(), shown.clone()], vec![came.clone(), shown.clone(), shown.clone()], vec![shown, came], several.to_vec()]
        {
            assert_eq!(decode(&of(&batches)).unwrap().batches, batches);
        }
        // Without them the lines are not read.
        let (version_owner, section) = (2, 5 + u32::from_le_bytes(before[3..7].try_into().unwrap()) as usize);
        let cut = [&before[..version_owner], &before[version_owner + section..]].concat();
        assert_eq!(decode(&cut).unwrap_err().0, "the texts it is told by are not there");
    }
}
