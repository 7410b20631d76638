//! Opening the log: what is there, what is missing, what must be cut. Running it again after a crash in its midst ends the same.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;

use weir_base::disk::{DiskFile, SharedDisk};
use weir_record::stored::keyring::KeyId;
use weir_record::stored::wal::{Container, FileKey, HEADER_BYTES, Header};

use super::scan::{End, Found, scan};
use super::{Closed, FOLDER, Inner, WalError, aside, at, file_path};
use crate::keyring::Keyring;

/// A tail that was cut off the newest file because it is no whole frame: "cut tail, n bytes, possibly acknowledged".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Number of the file.
    pub file: u64,
    /// Where the tail began, in bytes.
    pub offset: u64,
    /// How long it was, in bytes.
    pub bytes: u64,
    /// True once it is on record ([`super::Wal::confirm_cuts`]).
    pub confirmed: bool,
}

/// Bytes that should be frames and are not, with good ones after them. Named at every start until the file is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Number of the file.
    pub file: u64,
    /// Where the damage begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub bytes: u64,
}

/// What opening the log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Groups handed to the caller.
    pub groups: u64,
    /// Cut tails that are not on record yet, of this start or an earlier one.
    pub cuts: Vec<Cut>,
    /// Damaged stretches.
    pub damage: Vec<Damage>,
    /// Numbers of groups that were acknowledged and are not there.
    pub missing: Vec<Range<u64>>,
    /// Files whose removal was finished.
    pub removed: u64,
}

struct Opened {
    number: u64,
    file: Box<dyn DiskFile>,
    len: u64,
    /// `None` when the header is damaged.
    head: Option<(Header, FileKey)>,
}

pub(super) fn run(
    disk: &SharedDisk,
    keyring: &Keyring,
    next_at_least: u64,
    on_group: &mut dyn FnMut(u64, &[u8]),
) -> Result<(Inner, Recovered), WalError> {
    aside::prepare(disk, keyring)?;
    let mut found = Recovered::default();
    let mut numbers = numbers(disk)?;
    let newest = numbers.last().copied().unwrap_or(0);
    remove_unkeyed(disk, keyring, &mut numbers)?;
    finish_removals(disk, keyring, &mut numbers, &mut found)?;
    let mut files = open_files(disk, keyring, &numbers)?;
    remove_unborn(disk, keyring, &mut files)?;
    let mut replay = Replay { next: None, found, unkept: None, on_group };
    let mut closed = VecDeque::new();
    for i in 0..files.len() {
        let Some(file) = files.get(i) else { break };
        let limit = files.iter().skip(i + 1).find_map(|later| Some(later.head.as_ref()?.0.first_group));
        let len = replay.file(disk, keyring, file, limit, i + 1 == files.len())?;
        let end = limit.or(replay.next).unwrap_or(next_at_least);
        closed.push_back(Closed { number: file.number, end, bytes: len });
    }
    let Replay { next, mut found, unkept, .. } = replay;
    let next_group = next.unwrap_or(1).max(next_at_least).max(1);
    if let Some(last) = closed.back_mut() {
        last.end = next_group;
    }
    let mut orphans = aside::orphans(disk, keyring)?;
    let gone = |file: u64| !files.iter().any(|there| there.number == file);
    orphans.extend(keyring.ids().into_iter().filter(|id| id.number("wal").is_some_and(gone)));
    keyring.destroy(&orphans)?;
    found.cuts = aside::list(disk)?.into_iter().map(|(cut, _)| cut).filter(|cut| !cut.confirmed).collect();
    found.cuts.extend(unkept);
    Ok((Inner { current: None, closed, leaving: 0, next_file: newest + 1, next_group }, found))
}

fn numbers(disk: &SharedDisk) -> Result<Vec<u64>, WalError> {
    let folder = Path::new(FOLDER);
    // Names an earlier process changed and did not sync must not be taken for durable.
    disk.sync_dir(folder).map_err(at(folder))?;
    let entries = disk.list(folder).map_err(at(folder))?;
    let mut numbers: Vec<u64> = entries.iter().filter_map(|entry| entry.name.strip_suffix(".wal")?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The name of a file is there before its key: an empty newest file without a key was being begun, and nothing in it was promised.
fn remove_unkeyed(disk: &SharedDisk, keyring: &Keyring, numbers: &mut Vec<u64>) -> Result<(), WalError> {
    let Some(&newest) = numbers.last() else { return Ok(()) };
    let path = file_path(newest);
    if keyring.get(&KeyId::wal(newest)).is_some() || !disk.open(&path, false).and_then(|file| file.is_empty()).map_err(at(&path))? {
        return Ok(());
    }
    numbers.pop();
    disk.remove(&path).map_err(at(&path))?;
    disk.sync_dir(Path::new(FOLDER)).map_err(at(Path::new(FOLDER)))
}

/// Removes the files at the old end whose keys are gone. A keyless file anywhere else means that the keyring is not this log's.
fn finish_removals(disk: &SharedDisk, keyring: &Keyring, numbers: &mut Vec<u64>, found: &mut Recovered) -> Result<(), WalError> {
    let keyless = |number: &u64| keyring.get(&KeyId::wal(*number)).is_none();
    let run = numbers.iter().take_while(|number| keyless(number)).count();
    if let Some(&file) = numbers.iter().skip(run).find(|number| keyless(number)) {
        return Err(WalError::KeyMissing { file });
    }
    if let (Some(&file), true) = (numbers.last(), run == numbers.len()) {
        return Err(WalError::KeyMissing { file });
    }
    for number in numbers.drain(..run) {
        let path = file_path(number);
        disk.remove(&path).map_err(at(&path))?;
        found.removed += 1;
    }
    if run > 0 {
        disk.sync_dir(Path::new(FOLDER)).map_err(at(Path::new(FOLDER)))?;
    }
    Ok(())
}

fn open_files(disk: &SharedDisk, keyring: &Keyring, numbers: &[u64]) -> Result<Vec<Opened>, WalError> {
    let mut out = Vec::with_capacity(numbers.len());
    for &number in numbers {
        let path = file_path(number);
        let wrapping = keyring.get(&KeyId::wal(number)).ok_or(WalError::KeyMissing { file: number })?;
        let read = || {
            let file = disk.open(&path, true)?;
            let len = file.len()?;
            let mut bytes = vec![0; HEADER_BYTES.min(usize::try_from(len).unwrap_or(HEADER_BYTES))];
            file.read_exact_at(&mut bytes, 0)?;
            Ok((file, len, bytes))
        };
        let (file, len, bytes) = read().map_err(at(&path))?;
        let head = Header::decode(Container::Wal, &bytes).ok().filter(|header| header.file == number);
        let head = head.and_then(|header| header.key(&wrapping).ok().map(|key| (header, key)));
        out.push(Opened { number, file, len, head });
    }
    Ok(out)
}

/// A newest file without a whole header and without anything after it was never begun: nothing in it was promised. It is emptied before its
/// key goes, and goes last, as if it had never had one.
fn remove_unborn(disk: &SharedDisk, keyring: &Keyring, files: &mut Vec<Opened>) -> Result<(), WalError> {
    let unborn = |file: &Opened| file.head.is_none() && file.len <= HEADER_BYTES as u64;
    while let Some(file) = files.pop_if(|file| unborn(file)) {
        let path = file_path(file.number);
        file.file.set_len(0).and_then(|()| file.file.sync()).map_err(at(&path))?;
        keyring.destroy(&[KeyId::wal(file.number)])?;
        disk.remove(&path).map_err(at(&path))?;
        disk.sync_dir(Path::new(FOLDER)).map_err(at(Path::new(FOLDER)))?;
    }
    Ok(())
}

struct Replay<'a> {
    /// Number the next group must have; `None` before the first header.
    next: Option<u64>,
    found: Recovered,
    /// A tail that was left in its file because there is no room to keep it aside.
    unkept: Option<Cut>,
    on_group: &'a mut dyn FnMut(u64, &[u8]),
}

impl Replay<'_> {
    /// Replays one file; groups from `limit` on are void. Returns the file's length.
    fn file(&mut self, disk: &SharedDisk, keyring: &Keyring, opened: &Opened, limit: Option<u64>, newest: bool) -> Result<u64, WalError> {
        let number = opened.number;
        let Some((header, key)) = &opened.head else {
            self.found.damage.push(Damage { file: number, offset: 0, bytes: opened.len });
            return Ok(opened.len);
        };
        self.skip_to(header.first_group);
        let limit_or_all = limit.unwrap_or(u64::MAX);
        let end = scan(opened.file.as_ref(), key, &mut |item| match item {
            Found::Damage { offset, bytes } => self.found.damage.push(Damage { file: number, offset, bytes }),
            Found::Frame { groups } => {
                for (group, bytes) in groups.iter().filter(|(group, _)| *group < limit_or_all) {
                    self.group(group, bytes);
                }
            }
        });
        let end = end.map_err(at(&file_path(number)))?;
        let tail = end.len - end.good;
        if newest {
            self.settle_newest(disk, keyring, header, opened, &end)?;
            return Ok(if end.zeros { end.len } else { end.good });
        }
        // A bad tail of an older file is what a failed append left, unless groups are missing after it.
        if !end.zeros && limit.is_none_or(|limit| self.next.is_some_and(|next| next < limit)) {
            self.found.damage.push(Damage { file: number, offset: end.good, bytes: tail });
        }
        Ok(end.len)
    }

    fn skip_to(&mut self, group: u64) {
        if let Some(next) = self.next.filter(|next| *next < group) {
            self.found.missing.push(next..group);
        }
        self.next = Some(self.next.map_or(group, |next| next.max(group)));
    }

    fn group(&mut self, number: u64, bytes: &[u8]) {
        if self.next.is_some_and(|next| number < next) {
            return;
        }
        self.skip_to(number);
        (self.on_group)(number, bytes);
        self.found.groups += 1;
        self.next = Some(number.saturating_add(1));
    }

    /// Cuts a bad tail off the newest file, and makes sure that its last frame, just handed out, is on the disk: after a failed sync it may
    /// be in memory only, and a sync would not say so. Writing the same bytes again cannot harm them.
    fn settle_newest(&mut self, disk: &SharedDisk, keyring: &Keyring, header: &Header, opened: &Opened, end: &End) -> Result<(), WalError> {
        let file = opened.file.as_ref();
        let path = file_path(opened.number);
        if !end.zeros {
            match aside::keep(disk, keyring, header, file, end.good) {
                Ok(()) => file.set_len(end.good).map_err(at(&path))?,
                // A full disk must not stop the start. This file is never appended to, so the tail may stay where it is.
                Err(WalError::Full(_)) => {
                    self.unkept = Some(Cut { file: opened.number, offset: end.good, bytes: end.len - end.good, confirmed: false });
                }
                Err(error) => return Err(error),
            }
        }
        let rewrite = || -> std::io::Result<()> {
            let from = end.last_frame.unwrap_or(0);
            let mut bytes = vec![0; usize::try_from(end.good - from).map_err(std::io::Error::other)?];
            file.read_exact_at(&mut bytes, from)?;
            file.write_at(&bytes, from)?;
            file.sync()
        };
        rewrite().map_err(at(&path))
    }
}
