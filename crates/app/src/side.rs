//! The side ledger: where questions go that are asked while the program does not run. Each is encrypted under the ledger's key, durable
//! before its answer is shown, and becomes a `question` record with `offline = 1` at the next start.
//!
//! The file `side/ledger`: 16 random bytes, then entries: length u32 little-endian, then nonce, ciphertext and tag. A torn last entry was
//! never answered and is passed over.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_base::disk::{self, Disk};
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::Question;
use weir_record::sink::{Group, RecordSink, StatePut};
use weir_record::{Id, Kind};
use weir_store::engine::Store;

use crate::fail::Failure;
use crate::ledger::Asked;
use crate::limits::{SIDE_ENTRY_BYTES, SIDE_GROUP_ROWS, SIDE_LEDGER_BYTES};

/// Its folder.
const FOLDER: &str = "side";
/// Bytes of the random mark that tells one file from the next.
const MARK: usize = 16;
/// Owner of how far a file was taken over.
const OWNER: &str = "side-ledger";

fn path() -> PathBuf {
    Path::new(FOLDER).join("ledger")
}

/// One entry, before encryption.
#[derive(Serialize, Deserialize)]
struct Entry {
    time: i64,
    id: String,
    actor: String,
    purpose: String,
    act: String,
    target: String,
    answer: String,
    rows: u64,
}

/// Writes a question down, durable on return.
///
/// # Errors
/// Then the question must not be answered.
pub fn append(store: &Store, disk: &dyn Disk, asked: &Asked) -> Result<(), Failure> {
    let no = |e: &dyn std::fmt::Display| {
        let what = format!("the question cannot be written to the side ledger, so there is no answer ({e})");
        Failure::new(what, "make room on the disk of the data folder, or start the program and ask it")
    };
    let entry = Entry {
        time: asked.time.0,
        id: Id::random().to_string(),
        actor: asked.actor.clone(),
        purpose: asked.purpose.clone(),
        act: asked.act.to_owned(),
        target: asked.target.clone(),
        answer: asked.answer.clone(),
        rows: asked.rows,
    };
    let plain = serde_json::to_vec(&entry).map_err(|e| no(&e))?;
    let sealed = store.ledger_seal(&plain).map_err(|e| no(&e))?;
    if sealed.len() > SIDE_ENTRY_BYTES {
        return Err(no(&"it is too long"));
    }
    write(disk, &sealed).map_err(|e| no(&e))
}

fn write(disk: &dyn Disk, sealed: &[u8]) -> io::Result<()> {
    disk.create_dir(Path::new(FOLDER))?;
    let path = path();
    if !disk.exists(&path)? {
        disk::replace(disk, &path, &weir_base::crypto::random::<MARK>())?;
    }
    let file = disk.open(&path, true)?;
    let len = file.len()?;
    // What a torn entry left is written over, so that everything before the end can be read.
    let end = entries(&disk::read(disk, &path, SIDE_LEDGER_BYTES)?).end as u64;
    if len.max(end) + 4 + sealed.len() as u64 > SIDE_LEDGER_BYTES {
        return Err(io::Error::other("it is full: start the program once, which takes it over"));
    }
    let mut bytes = (sealed.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(sealed);
    file.set_len(end)?;
    file.write_at(&bytes, end)?;
    file.sync()
}

/// The entries of a file, each with the offset behind it, and where the good part ends.
struct Entries<'a> {
    all: Vec<(&'a [u8], usize)>,
    end: usize,
}

fn entries(bytes: &[u8]) -> Entries<'_> {
    let mut out = Entries { all: Vec::new(), end: MARK.min(bytes.len()) };
    while let Some((head, rest)) = bytes.get(out.end..).and_then(|b| b.split_first_chunk::<4>()) {
        let len = u32::from_le_bytes(*head) as usize;
        let Some(sealed) = rest.get(..len).filter(|_| (1..=SIDE_ENTRY_BYTES).contains(&len)) else { break };
        out.end += 4 + len;
        out.all.push((sealed, out.end));
    }
    out
}

/// What was taken over at a start.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Questions that are records now.
    pub questions: usize,
    /// Entries that could not be read: a fault worth a record.
    pub damaged: usize,
}

/// Takes the side ledger over: its questions become records, then the file goes. Safe to be cut off anywhere and done again.
pub fn take_over(store: &Store, sink: &dyn RecordSink, disk: &dyn Disk) -> Result<Taken, Failure> {
    let failed =
        |e: &dyn std::fmt::Display| Failure::new(format!("the side ledger cannot be taken over ({e})"), "make room, then start again");
    let path = path();
    if !disk.exists(&path).map_err(|e| failed(&e))? {
        return Ok(Taken::default());
    }
    let bytes = disk::read(disk, &path, SIDE_LEDGER_BYTES).map_err(|e| failed(&e))?;
    let mark = bytes.get(..MARK).unwrap_or_default().to_vec();
    let done = sink.state(OWNER).into_iter().find(|(key, _)| *key == mark).and_then(|(_, v)| v.try_into().ok().map(u64::from_le_bytes));
    let mut taken = Taken::default();
    let todo: Vec<_> = entries(&bytes).all.into_iter().filter(|(_, end)| *end as u64 > done.unwrap_or(0)).collect();
    for chunk in todo.chunks(SIDE_GROUP_ROWS) {
        let rows: Vec<Question> = chunk.iter().filter_map(|(sealed, _)| question(store, sealed)).collect();
        taken.questions += rows.len();
        taken.damaged += chunk.len() - rows.len();
        let end = chunk.last().map_or(0, |(_, end)| *end as u64);
        let group = Group {
            batches: vec![(Kind::Question, Question::batch(&rows))],
            state: vec![StatePut { key: mark.clone(), value: Some(end.to_le_bytes().to_vec()) }],
            ..Group::new(OWNER)
        };
        sink.commit(group).map_err(|e| failed(&e))?;
    }
    let gone = disk.remove(&path).and_then(|()| disk.sync_dir(Path::new(FOLDER)));
    gone.map_err(|e| failed(&e))?;
    let forget = Group { state: vec![StatePut { key: mark, value: None }], ..Group::new(OWNER) };
    sink.commit(forget).map_err(|e| failed(&e))?;
    Ok(taken)
}

fn question(store: &Store, sealed: &[u8]) -> Option<Question> {
    let entry: Entry = serde_json::from_slice(&store.ledger_open(sealed).ok()?).ok()?;
    Some(Question {
        time: Millis(entry.time),
        id: entry.id.parse().ok()?,
        actor: entry.actor,
        purpose: entry.purpose,
        act: entry.act,
        target: store.ledger_seal(entry.target.as_bytes()).ok()?,
        answer: entry.answer,
        rows: entry.rows,
        offline: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_end_does_not_hide_what_stands_before_it() {
        let mut bytes = vec![9; MARK];
        for body in [&b"one"[..], b"three"] {
            bytes.extend((body.len() as u32).to_le_bytes());
            bytes.extend_from_slice(body);
        }
        let whole = bytes.len();
        let bodies = |bytes: &[u8]| entries(bytes).all.iter().map(|(b, _)| b.to_vec()).collect::<Vec<_>>();
        assert_eq!(bodies(&bytes), [b"one".to_vec(), b"three".to_vec()]);
        assert_eq!(entries(&bytes).end, whole);
        for cut in MARK + 7..whole {
            assert_eq!((bodies(&bytes[..cut]).len(), entries(&bytes[..cut]).end), (1, MARK + 7), "{cut}");
        }
        for cut in 0..MARK + 7 {
            assert!(bodies(&bytes[..cut]).is_empty());
        }
        bytes.extend(u32::MAX.to_le_bytes());
        assert_eq!(entries(&bytes).end, whole);
        bytes.truncate(whole);
        bytes.extend(0u32.to_le_bytes());
        assert_eq!(entries(&bytes).end, whole);
    }
}
