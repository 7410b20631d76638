//! A lease file, followed: a thread each.
//!
//! Kea appends to its file and now and then begins a new one (lease file cleanup): the old one becomes `FILE.1`, and a process of its own makes
//! `FILE.2` of what still counts. The old file is read to its end before the new one is begun. At a start everything that is there is read,
//! oldest first; what was known already makes no record. dnsmasq writes its file as a whole, which is read when it changes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::net::Prefix;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::sink::{RecordSink, SinkError, SourceDesc, StatePut, SubjectIds};

use super::book::{Book, Needs};
use super::config::{LeaseFile, Server, Settings};
use super::dnsmasq;
use super::kea::{self, Columns, Row};
use super::limits::{LINE_BYTES, LOOK_MS, READ_BYTES, WHOLE_BYTES, WRITE_MS};

/// State key of how far the file was taken: inode, birth, offset, and the moment up to which everything is here.
const POSITION_KEY: &[u8] = b"p";

/// Starts a thread for each file of `settings` under `tasks`. A file that cannot be read shows as trouble of its source and is tried again.
///
/// # Errors
/// A sentence that says what could not be had.
pub fn start(settings: &Settings, needs: &Needs, tasks: &Tasks) -> Result<(), String> {
    for (i, file) in settings.files.iter().enumerate() {
        let mut follower = Follower::open(settings, i, file, needs.clone()).map_err(|e| format!("dhcp cannot start: {e}"))?;
        tasks.spawn(&format!("dhcp-{i}"), move |stop| follower.run(stop)).map_err(|e| format!("no thread for dhcp: {e}"))?;
    }
    Ok(())
}

/// What tells a file from another: inode, and when it was made, in nanoseconds since 1970, as inodes are used again. 0 where the file system does
/// not know: such a file is like no other.
pub(crate) type Identity = (u64, u64);

pub(crate) fn identity(meta: &fs::Metadata) -> Identity {
    let born = meta.created().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    (meta.ino(), born.map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(0)))
}

/// How far a file was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    file: Identity,
    offset: u64,
    complete: Millis,
}

/// A Kea file under way.
struct Open {
    file: File,
    identity: Identity,
    offset: u64,
    columns: Option<Columns>,
}

/// What tells one state of a file from the next.
type Stamp = (u64, u64, i64, i64);

/// Follows one file.
pub struct Follower {
    file: LeaseFile,
    book: Book,
    before: Option<Position>,
    open: Option<Open>,
    /// dnsmasq: the file as it was last read, and leases it did not list then.
    stamp: Option<Stamp>,
    missing: BTreeSet<Prefix>,
    complete: Option<Millis>,
}

impl Follower {
    /// Registers the file as `NAME/SERVER-I` and takes back what was known of it.
    ///
    /// # Errors
    /// What the sink says.
    pub fn new(
        settings: &Settings,
        index: usize,
        file: &LeaseFile,
        sink: Arc<dyn RecordSink>,
        ids: Arc<dyn SubjectIds>,
        clock: Arc<dyn Clock>,
    ) -> Result<Follower, SinkError> {
        Follower::open(settings, index, file, Needs { sink, ids, clock })
    }

    fn open(settings: &Settings, index: usize, file: &LeaseFile, needs: Needs) -> Result<Follower, SinkError> {
        let server = file.server.name();
        let source = SourceDesc {
            name: format!("{}/{server}-{index}", settings.name),
            kind: "dhcp".to_owned(),
            realm: file.realm.clone(),
            peer: file.path.display().to_string(),
            profile: server.to_owned(),
            // The server runs on this machine, by its clock.
            clock: "trust".to_owned(),
            pools: Vec::new(),
        };
        let (book, rest) = Book::open(&source, Some(server), settings.leases_max, needs)?;
        let before = rest.iter().find(|(key, _)| key == POSITION_KEY).and_then(|(_, value)| position(value));
        Ok(Follower { file: file.clone(), book, before, open: None, stamp: None, missing: BTreeSet::new(), complete: None })
    }

    fn run(&mut self, stop: &Stop) {
        while !stop.is_raised() {
            match self.look() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(why) => self.book.trouble(Some(why)),
            }
            stop.wait(Duration::from_millis(LOOK_MS));
        }
    }

    /// Takes what is there and makes it durable; true if there is more.
    ///
    /// # Errors
    /// What the file or the sink said. What was taken is kept and handed over with the next look.
    pub fn look(&mut self) -> Result<bool, String> {
        // What could not be handed over goes first: more is taken only when it is durable.
        if self.book.waits() {
            self.hand_over()?;
        }
        let now = self.book.now();
        let cannot = |e: io::Error, path: &PathBuf| format!("{} cannot be read: {e}", path.display());
        let path = self.file.path.clone();
        let more = match self.file.server {
            Server::Kea => self.kea(now),
            Server::Dnsmasq => self.dnsmasq(now),
        }
        .map_err(|e| cannot(e, &path))?;
        let more = self.book.tick(now) || more;
        if !more {
            self.complete = Some(now.plus(-WRITE_MS));
        }
        if self.book.waits() || self.book.is_due(now) {
            self.hand_over()?;
        }
        self.book.trouble(None);
        Ok(more)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.file.path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    }

    fn kea(&mut self, now: Millis) -> io::Result<bool> {
        if self.open.is_none() {
            self.kea_start(now)?;
        }
        let Some(mut open) = self.open.take() else { return Ok(false) };
        let current = fs::metadata(&self.file.path).map(|m| identity(&m));
        let read = self.pieces(&mut open, now, true, READ_BYTES as u64);
        let done = !matches!(read, Ok(true) | Err(_));
        let moved = done && current.as_ref().is_ok_and(|now| *now != open.identity);
        // The old file was left before its successor had its name: what has been read now is all of it.
        self.open = if moved { Some(begin(&self.file.path)?) } else { Some(open) };
        read.map(|more| more || moved)
    }

    /// Reads everything that is there, oldest first, and begins with the file itself.
    fn kea_start(&mut self, now: Millis) -> io::Result<()> {
        let mut open = begin(&self.file.path)?;
        let (older, newer) = (self.beside(".2"), self.beside(".1"));
        let before = self.before;
        let same = |m: fs::Metadata| before.is_some_and(|b| identity(&m) == b.file && b.file.1 != 0 && m.len() >= b.offset);
        // The file that was read last is still there, so nothing between then and now is missing.
        let whole = open.file.metadata().is_ok_and(same) || fs::metadata(&newer).is_ok_and(same);
        let completed = self.beside(".completed");
        for path in [if completed.exists() { completed } else { older }, newer] {
            // They come and go while Kea cleans up.
            if let Ok(mut old) = begin(&path) {
                while self.pieces(&mut old, now, whole, u64::MAX)? {}
            }
        }
        while self.pieces(&mut open, now, whole, u64::MAX)? {}
        if let Some(b) = before.filter(|_| !whole) {
            self.gap(b, now);
        }
        self.open = Some(open);
        Ok(())
    }

    /// Takes whole lines of a file, about `most` bytes; true if there may be more.
    fn pieces(&mut self, open: &mut Open, now: Millis, fresh: bool, most: u64) -> io::Result<bool> {
        let length = open.file.metadata()?.len();
        if length < open.offset {
            // Somebody wrote it anew in place.
            (open.offset, open.columns) = (0, None);
        }
        let take = (length - open.offset).min(READ_BYTES as u64).min(most);
        let mut data = vec![0; usize::try_from(take).unwrap_or(READ_BYTES)];
        open.file.read_exact_at(&mut data, open.offset)?;
        let whole = data.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        if whole == 0 && data.len() > LINE_BYTES {
            self.bad("dhcp.line-too-long", &data, now);
            open.offset += data.len() as u64;
            return Ok(true);
        }
        for line in data.get(..whole).unwrap_or_default().split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            self.book.counted(1, 0);
            match kea::row(open.columns.as_ref(), line) {
                Ok(Row::Header(columns)) => open.columns = Some(columns),
                Ok(Row::Lease(line)) => self.book.line(&line, now, fresh),
                Ok(Row::Nothing) => {}
                Err(reason) => self.bad(reason, line, now),
            }
        }
        open.offset += whole as u64;
        Ok(whole > 0 && open.offset < length)
    }

    fn dnsmasq(&mut self, now: Millis) -> io::Result<bool> {
        let stamp = |m: fs::Metadata| -> Stamp { (m.ino(), m.len(), m.mtime(), m.mtime_nsec()) };
        let before = stamp(fs::metadata(&self.file.path)?);
        if self.stamp == Some(before) && self.missing.is_empty() {
            return Ok(false);
        }
        let mut data = Vec::new();
        File::open(&self.file.path)?.take(WHOLE_BYTES).read_to_end(&mut data)?;
        // It is written in place: what changes under the reading is read again.
        let whole = data.is_empty() || data.last() == Some(&b'\n');
        if stamp(fs::metadata(&self.file.path)?) != before || !whole {
            return Ok(false);
        }
        let (lines, bad) = dnsmasq::leases(&data);
        let first = self.stamp.is_none();
        if let Some(b) = self.before.filter(|_| first) {
            self.gap(b, now);
        }
        for (at, reason) in bad {
            self.bad(reason, data.get(at..).unwrap_or_default(), now);
        }
        self.book.counted(lines.len() as u64, 0);
        let listed: BTreeSet<Prefix> = lines.iter().map(|l| l.prefix).collect();
        lines.iter().for_each(|l| self.book.line(l, now, !first));
        // A lease is gone when it is missing twice in a row.
        let missing = std::mem::take(&mut self.missing);
        self.book.only(&|p| listed.contains(p) || !missing.contains(p), now);
        self.missing = self.book.open_leases().filter(|p| !listed.contains(p)).collect();
        self.stamp = Some(before);
        Ok(false)
    }

    fn bad(&mut self, reason: &'static str, bytes: &[u8], now: Millis) {
        let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len()).min(LINE_BYTES);
        self.book.bad_line(reason, bytes.get(..end).unwrap_or_default(), now);
    }

    fn gap(&mut self, before: Position, now: Millis) {
        self.book.gap((before.complete, now), None, "records", "stopped");
    }

    fn hand_over(&mut self) -> Result<(), String> {
        let state = self.complete.map(|complete| {
            let ((inode, born), offset) = self.open.as_ref().map_or(((0, 0), 0), |o| (o.identity, o.offset));
            let value = [inode.to_be_bytes(), born.to_be_bytes(), offset.to_be_bytes(), complete.0.to_be_bytes()].concat();
            StatePut { key: POSITION_KEY.to_vec(), value: Some(value) }
        });
        self.book.hand_over(self.complete, state)
    }
}

fn begin(path: &PathBuf) -> io::Result<Open> {
    let file = File::open(path)?;
    let identity = identity(&file.metadata()?);
    Ok(Open { file, identity, offset: 0, columns: None })
}

fn position(value: &[u8]) -> Option<Position> {
    let (words, over) = value.as_chunks::<8>();
    let &[inode, born, offset, complete] = words else { return None };
    let file = (u64::from_be_bytes(inode), u64::from_be_bytes(born));
    over.is_empty().then_some(Position { file, offset: u64::from_be_bytes(offset), complete: Millis(i64::from_be_bytes(complete)) })
}
