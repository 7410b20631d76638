//! Snapshots of the state map, and the side ledger.

use std::io;

use weir_base::disk::DiskFile;
use weir_record::stored::keyring::KeyId;
use weir_record::stored::state;
use weir_record::stored::wal::{Container, FRAME_HEADER_BYTES, FileKey, FrameHeader, HEADER_BYTES, Header, open_frame};

use super::folder::Folder;
use super::keys::Keys;
use super::limits::{SIDE_ENTRY_BYTES, SMALL_FILE_BYTES};
use super::report::{Checked, Findings};

const RESTORE: &str = "restore it from a copy: sources go on from the state in it, and without it count from nothing";

/// Checks the snapshots.
pub fn check(folder: &Folder, keys: &Keys, checked: &mut Checked, found: &mut Findings) -> io::Result<()> {
    let numbers = folder.numbers("state", "state")?;
    if !keys.open {
        return Ok(());
    }
    for number in keys.numbers("state").into_iter().filter(|n| !numbers.contains(n)) {
        let place = format!("state/{number:010}.state");
        if numbers.last().is_none_or(|newest| number < *newest) {
            found.problem(place, "the keyring has a key for it, and the file is missing", RESTORE);
        } else {
            found.warning(
                place,
                "the keyring has a key for it, and there is no file: it was being written",
                "nothing, if the program was killed then",
            );
        }
    }
    for number in &numbers {
        let place = format!("state/{number:010}.state");
        let newest = numbers.last() == Some(number);
        let Some(wrapping) = keys.get(&KeyId::state(*number)) else {
            if newest {
                found.problem(place, "the keyring has no key for it", "put the keyring of this folder back");
            } else {
                found.warning(place, "its key is destroyed, and the file is still to be removed", "nothing: the next start removes it");
            }
            continue;
        };
        let file = folder.file(&place)?;
        match snapshot(file.as_ref(), *number, |header| header.key(wrapping).map_err(|e| e.to_string()))? {
            Ok(entries) => checked.state_entries += entries,
            Err((offset, why)) => found.problem(format!("{place} from byte {offset}"), why, RESTORE),
        }
    }
    Ok(())
}

type Wrong = (u64, String);

/// The number of entries, or where it is damaged.
fn snapshot(file: &dyn DiskFile, number: u64, key: impl Fn(&Header) -> Result<FileKey, String>) -> io::Result<Result<u64, Wrong>> {
    let len = file.len()?;
    let mut bytes = vec![0; HEADER_BYTES.min(usize::try_from(len).unwrap_or(HEADER_BYTES))];
    file.read_exact_at(&mut bytes, 0)?;
    let opened = Header::decode(Container::State, &bytes).map_err(|e| e.to_string()).and_then(|header| {
        if header.file != number || header.first_group == 0 {
            return Err("its header is that of another file".to_owned());
        }
        key(&header)
    });
    let key = match opened {
        Ok(opened) => opened,
        Err(why) => return Ok(Err((0, why))),
    };
    let (mut at, mut frame, mut entries) = (HEADER_BYTES as u64, 0, 0);
    loop {
        match one(file, &key, len, at, frame, entries)? {
            Ok((count, next)) => {
                (at, frame, entries) = (next, frame + 1, entries + count);
                if count == 0 {
                    let end = if at == len { Ok(entries) } else { Err((at, "bytes are left after its end".to_owned())) };
                    return Ok(end);
                }
            }
            Err(why) => return Ok(Err((at, why))),
        }
    }
}

/// One frame: how many entries it has, and where the next begins.
fn one(file: &dyn DiskFile, key: &FileKey, len: u64, at: u64, frame: u64, entries: u64) -> io::Result<Result<(u64, u64), String>> {
    let start = at + FRAME_HEADER_BYTES as u64;
    if start > len {
        return Ok(Err("it ends too early".to_owned()));
    }
    let mut head = [0; FRAME_HEADER_BYTES];
    file.read_exact_at(&mut head, at)?;
    let header = match FrameHeader::decode(&head) {
        Ok(header) if header.number == frame && header.body_bytes as u64 <= len - start => header,
        Ok(_) => return Ok(Err("it ends too early, or its frames are not in order".to_owned())),
        Err(e) => return Ok(Err(e.to_string())),
    };
    let mut body = vec![0; header.body_bytes];
    file.read_exact_at(&mut body, start)?;
    let next = at + header.frame_bytes() as u64;
    let mut padding = vec![0; usize::try_from(next.min(len) - start - header.body_bytes as u64).unwrap_or(0)];
    file.read_exact_at(&mut padding, start + header.body_bytes as u64)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Ok(Err("the padding of a frame is not zero".to_owned()));
    }
    Ok(match open_frame(key, &header, &mut body) {
        Err(e) => Err(e.to_string()),
        Ok(groups) if groups.first != entries => Err("entries are missing".to_owned()),
        Ok(groups) => match groups.iter().find_map(|(_, bytes)| state::decode(bytes).err()) {
            Some(e) => Err(format!("an entry: {e}")),
            None => Ok((u64::from(groups.count), next)),
        },
    })
}

/// Checks the ledger of questions that were asked while the program did not run.
pub fn side_ledger(folder: &Folder, keys: &Keys, checked: &mut Checked, found: &mut Findings) -> io::Result<()> {
    const FILE: &str = "side/ledger";
    const MARK: usize = 16;
    let Some(bytes) = folder.read_if_there(FILE, SMALL_FILE_BYTES)? else { return Ok(()) };
    if !keys.open {
        return Ok(());
    }
    let key = keys.get(&KeyId::ledger(1)).map(|key| key.aead());
    let Some(key) = key else {
        found.problem(FILE, "the keyring has no key ledger/1", "put the keyring of this folder back");
        return Ok(());
    };
    let mut at = MARK.min(bytes.len());
    while let Some((head, rest)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk::<4>()) {
        let len = u32::from_le_bytes(*head) as usize;
        let Some(sealed) = rest.get(..len).filter(|_| (1..=SIDE_ENTRY_BYTES).contains(&len)) else { break };
        if key.unwrap(b"weir/ledger/v1", sealed).is_err() {
            let what = "an entry does not decrypt: a question that was asked off line is lost";
            found.problem(format!("{FILE} from byte {at}"), what, "restore it from a copy; who asked is in the shell's history at best");
        }
        checked.side_entries += 1;
        at += 4 + len;
    }
    if at < bytes.len() || bytes.len() < MARK {
        let what = format!(
            "{} bytes at its end are no entry: a question that was never answered, or its end was cut",
            bytes.len().saturating_sub(at)
        );
        found.warning(format!("{FILE} from byte {at}"), what, "start the program: it takes the others over");
    }
    Ok(())
}
