//! auditd's log, followed across rotation: `audit.log` becomes `audit.log.1`, that `audit.log.2`, and a new file is begun.
//!
//! The file under way is read to its end before the next one is begun. At a start the file that was read last is looked for by what tells
//! files apart (inode and birth), and read on; when it is gone, a gap says since when.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weir_base::task::Stop;
use weir_base::time::Millis;

use super::audit;
use super::keeper::Keeper;
use super::limits::{AUDIT_BYTES, BATCH_ROWS, LOOK_MS, READ_BYTES, ROTATED};
use crate::dhcp::follow::{Identity, identity};

/// How far the log was taken: which file, how many bytes of it, and the time of its last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    file: Identity,
    offset: u64,
    time: Millis,
}

impl Place {
    /// Inode, birth, offset, time in ms: 8 bytes each, big-endian.
    fn bytes(self) -> Vec<u8> {
        [self.file.0, self.file.1, self.offset].map(u64::to_be_bytes).into_iter().chain([self.time.0.to_be_bytes()]).flatten().collect()
    }

    fn read(bytes: &[u8]) -> Option<Place> {
        let at = |i: usize| Some(u64::from_be_bytes(bytes.get(i * 8..i * 8 + 8)?.try_into().ok()?));
        let time = Millis(i64::from_be_bytes(bytes.get(24..32)?.try_into().ok()?));
        Some(Place { file: (at(0)?, at(1)?), offset: at(2)?, time })
    }
}

/// A file under way.
struct Open {
    file: File,
    place: Place,
}

/// Follows one log.
pub struct Follower {
    path: PathBuf,
    keeper: Keeper,
    open: Option<Open>,
    /// The line under way is longer than is kept, and marked already.
    passing: bool,
}

/// The place of a log that was not there, or could not be read, when it was first looked for: what is written into it then is ours.
const AWAITED: Identity = (0, 0);

impl Follower {
    /// A follower that goes on where the keeper's state says.
    pub fn new(path: PathBuf, keeper: Keeper) -> Follower {
        Follower { path, keeper, open: None, passing: false }
    }

    /// Follows until the program stops.
    pub fn run(&mut self, stop: &Stop) {
        while !stop.is_raised() {
            match self.look(stop) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(e) => {
                    let why = format!("{} cannot be read ({e}): is auditd running, and may Weir read its folder?", self.path.display());
                    self.keeper.trouble(Some(&why));
                }
            }
            self.keeper.tick();
            stop.wait(Duration::from_millis(LOOK_MS));
        }
        self.keeper.hand_over(stop);
    }

    /// Takes what is there and makes it durable; true if there may be more.
    ///
    /// # Errors
    /// What the file said.
    pub fn look(&mut self, stop: &Stop) -> io::Result<bool> {
        if self.open.is_none() {
            match self.begin() {
                Ok(open) => self.open = Some(open),
                Err(e) => {
                    if self.keeper.place().is_none() {
                        let place = Place { file: AWAITED, offset: 0, time: self.keeper.now() };
                        self.keeper.stand(place.bytes());
                        self.keeper.hand_over(stop);
                    }
                    return Err(e);
                }
            }
        }
        let more = self.piece(stop)?;
        let moved = !more && self.next()?;
        let kept = self.keeper.hand_over(stop);
        Ok(kept && (more || moved))
    }

    fn rotated(&self, n: u32) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        if n > 0 {
            name.push(format!(".{n}"));
        }
        PathBuf::from(name)
    }

    fn at_start(&self, path: &Path) -> io::Result<Open> {
        let file = File::open(path)?;
        let place = Place { file: identity(&file.metadata()?), offset: 0, time: self.keeper.now() };
        Ok(Open { file, place })
    }

    /// The files there are, with their numbers: 0 is the log itself.
    fn files(&self) -> Vec<u32> {
        (0..=ROTATED).take_while(|n| *n == 0 || self.rotated(*n).exists()).collect()
    }

    /// The file to begin with.
    fn begin(&mut self) -> io::Result<Open> {
        let Some(before) = self.keeper.place().and_then(Place::read) else {
            // The first start: what was written before is not ours.
            let mut open = self.at_start(&self.path)?;
            open.place.offset = whole_lines(&open.file)?;
            self.keeper.stand(open.place.bytes());
            return Ok(open);
        };
        let files = self.files();
        if before.file == AWAITED {
            // All of it is new; of a file that could not be read, what stood there already comes along.
            return self.at_start(&self.path);
        }
        for n in &files {
            // A file may be moved on while we look.
            let Ok(file) = File::open(self.rotated(*n)) else { continue };
            let meta = file.metadata()?;
            if before.file.1 != 0 && identity(&meta) == before.file && meta.len() >= before.offset {
                return Ok(Open { file, place: before });
            }
        }
        // Everything that is still there came later, or some of it: what is between is lost.
        let oldest = files.last().copied().unwrap_or(0);
        let open = self.at_start(&self.rotated(oldest))?;
        let now = self.keeper.now();
        self.keeper.gap(before.time, first_time(&open.file).unwrap_or(now), "audit-log-gone");
        Ok(open)
    }

    /// Turns to the file after the one under way, when there is one; true then.
    fn next(&mut self) -> io::Result<bool> {
        let Some(open) = &self.open else { return Ok(false) };
        if fs::metadata(&self.path).is_ok_and(|m| identity(&m) == open.place.file) {
            return Ok(false);
        }
        let files = self.files();
        let is_it = |n: &&u32| fs::metadata(self.rotated(**n)).is_ok_and(|m| identity(&m) == open.place.file);
        let (mine, last) = (files.iter().find(is_it).copied(), open.place);
        // Between leaving the old name and making the new file the log has no file: the next look finds one.
        let Ok(next) = self.at_start(&self.rotated(mine.map_or(files.last().copied().unwrap_or(0), |n| n.saturating_sub(1)))) else {
            return Ok(false);
        };
        // Lines may have come between the last read and the rename: the old file is left when nothing is left in it.
        if open.file.metadata()?.len() > open.place.offset && self.rest_is_whole()? {
            return Ok(true);
        }
        if mine.is_none() {
            let now = self.keeper.now();
            self.keeper.gap(last.time, first_time(&next.file).unwrap_or(now), "audit-log-gone");
        }
        self.keeper.stand(next.place.bytes());
        self.open = Some(next);
        Ok(true)
    }

    /// True when the file under way has another whole line.
    fn rest_is_whole(&self) -> io::Result<bool> {
        let Some(open) = &self.open else { return Ok(false) };
        Ok(whole_lines(&open.file)? > open.place.offset)
    }

    /// Takes whole lines of the file under way; true if there may be more.
    fn piece(&mut self, stop: &Stop) -> io::Result<bool> {
        let Some(open) = &mut self.open else { return Ok(false) };
        let length = open.file.metadata()?.len();
        if length < open.place.offset {
            let now = self.keeper.now();
            self.keeper.gap(open.place.time, now, "audit-log-cut");
            (open.place.offset, self.passing) = (0, false);
        }
        let mut data = vec![0; usize::try_from((length - open.place.offset).min(READ_BYTES as u64)).unwrap_or(READ_BYTES)];
        open.file.read_exact_at(&mut data, open.place.offset)?;
        let mut taken = 0;
        for line in data.split_inclusive(|b| *b == b'\n') {
            let whole = line.ends_with(b"\n");
            // A line that does not fit into what is read is cut: it would never end.
            if !(whole || taken == 0 && line.len() >= READ_BYTES) {
                break;
            }
            taken += line.len();
            let rest = std::mem::replace(&mut self.passing, !whole);
            open.place.offset += line.len() as u64;
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            if rest || text.is_empty() {
                continue;
            }
            open.place.time = std::str::from_utf8(text).ok().and_then(audit::parse).map_or(open.place.time, |a| a.time);
            let made = audit::line(text.get(..text.len().min(AUDIT_BYTES)).unwrap_or_default());
            if !self.keeper.line(&made, !whole || text.len() > AUDIT_BYTES, open.place.bytes(), stop) {
                return Ok(false);
            }
            if self.keeper.rows() >= BATCH_ROWS {
                break;
            }
        }
        self.keeper.stand(open.place.bytes());
        Ok(taken > 0)
    }
}

/// How many bytes of a file are whole lines.
fn whole_lines(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut buffer = vec![0; READ_BYTES];
    while end > 0 {
        let begin = end.saturating_sub(READ_BYTES as u64);
        let piece = buffer.get_mut(..usize::try_from(end - begin).unwrap_or(READ_BYTES)).unwrap_or_default();
        file.read_exact_at(piece, begin)?;
        if let Some(at) = piece.iter().rposition(|b| *b == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// The time of the first line of a file.
fn first_time(file: &File) -> Option<Millis> {
    let mut start = vec![0; 256];
    let n = file.read_at(&mut start, 0).ok()?;
    let text = String::from_utf8_lossy(start.get(..n)?);
    audit::parse(text.lines().next()?).map(|a| a.time)
}
