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

use arrow::array::RecordBatch;
use weir_base::clock::Clock;
use weir_base::net::{Addr16, Prefix};
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::{Binding, Gap, IdType, Malformed, RadiusSession, Raw};
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle, StatePut, SubjectIds};

use super::config::{LeaseFile, Server, Settings};
use super::dnsmasq;
use super::kea::{self, Columns, Row};
use super::leases::{Leases, Line, Out};
use super::limits::{HEARTBEAT_MS, LINE_BYTES, LOOK_MS, READ_BYTES, WHOLE_BYTES, WRITE_MS};
use crate::radius::noise::{Bad, Noise};

/// State key of how far the file was taken: inode, birth, offset, and the moment up to which everything is here.
const POSITION_KEY: &[u8] = b"p";

/// Starts a thread for each file of `settings` under `tasks`. A file that cannot be read shows as trouble of its source and is tried again.
///
/// # Errors
/// A sentence that says what could not be had.
pub fn start(
    settings: &Settings,
    sink: &Arc<dyn RecordSink>,
    ids: &Arc<dyn SubjectIds>,
    clock: &Arc<dyn Clock>,
    tasks: &Tasks,
) -> Result<(), String> {
    for (i, file) in settings.files.iter().enumerate() {
        let mut follower = Follower::new(settings, i, file, Arc::clone(sink), Arc::clone(ids), Arc::clone(clock))
            .map_err(|e| format!("dhcp cannot start: {e}"))?;
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
    name: String,
    file: LeaseFile,
    sink: Arc<dyn RecordSink>,
    ids: Arc<dyn SubjectIds>,
    clock: Arc<dyn Clock>,
    handle: SourceHandle,
    leases: Leases,
    noise: Noise,
    out: Out,
    bindings: Vec<Binding>,
    gaps: Vec<Gap>,
    malformed: Vec<Malformed>,
    raw: Vec<Raw>,
    lines: u64,
    before: Option<Position>,
    open: Option<Open>,
    /// dnsmasq: the file as it was last read, and leases it did not list then.
    stamp: Option<Stamp>,
    missing: BTreeSet<Prefix>,
    complete: Option<Millis>,
    submitted: Millis,
}

impl Follower {
    /// Registers the file as `NAME/I` and takes back what was known of it.
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
        let name = format!("{}/{}-{index}", settings.name, file.server.name());
        let handle = sink.register(&SourceDesc {
            name: name.clone(),
            kind: "dhcp".to_owned(),
            realm: file.realm.clone(),
            peer: file.path.display().to_string(),
            profile: file.server.name().to_owned(),
            // The server runs on this machine, by its clock.
            clock: "trust".to_owned(),
            pools: Vec::new(),
        })?;
        let mut leases = Leases::new(handle.number, handle.realm, file.server.name(), settings.leases_max);
        let mut before = None;
        for (key, value) in sink.state(&name) {
            if key == POSITION_KEY {
                before = position(&value);
            } else {
                leases.load(&key, &value);
            }
        }
        let now = clock.now();
        Ok(Follower {
            name,
            file: file.clone(),
            sink,
            ids,
            clock,
            handle,
            leases,
            noise: Noise::default(),
            out: Out::default(),
            bindings: Vec::new(),
            gaps: Vec::new(),
            malformed: Vec::new(),
            raw: Vec::new(),
            lines: 0,
            before,
            open: None,
            stamp: None,
            missing: BTreeSet::new(),
            complete: None,
            submitted: now,
        })
    }

    fn run(&mut self, stop: &Stop) {
        while !stop.is_raised() {
            match self.look() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(why) => self.handle.count(|c| c.trouble = Some(why)),
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
        if self.waits() {
            self.hand_over()?;
        }
        let now = self.clock.now();
        let cannot = |e: io::Error, path: &PathBuf| format!("{} cannot be read: {e}", path.display());
        let path = self.file.path.clone();
        let more = match self.file.server {
            Server::Kea => self.kea(now),
            Server::Dnsmasq => self.dnsmasq(now),
        }
        .map_err(|e| cannot(e, &path))?;
        let more = self.leases.tick(now, &mut self.out) || more;
        if !more {
            self.complete = Some(now.plus(-WRITE_MS));
        }
        if self.waits() || !(0..HEARTBEAT_MS).contains(&now.since(self.submitted)) {
            self.hand_over()?;
        }
        self.handle.count(|c| c.trouble = None);
        Ok(more)
    }

    fn waits(&self) -> bool {
        !self.out.state.is_empty() || !self.malformed.is_empty() || !self.gaps.is_empty()
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
            self.gap(b.complete, now);
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
            self.lines += 1;
            match kea::row(open.columns.as_ref(), line) {
                Ok(Row::Header(columns)) => open.columns = Some(columns),
                Ok(Row::Lease(line)) => self.line(&line, now, fresh),
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
            self.gap(b.complete, now);
        }
        for (at, reason) in bad {
            self.bad(reason, data.get(at..).unwrap_or_default(), now);
        }
        self.lines += lines.len() as u64;
        let listed: BTreeSet<Prefix> = lines.iter().map(|l| l.prefix).collect();
        lines.iter().for_each(|l| self.line(l, now, !first));
        // A lease is gone when it is missing twice in a row.
        let missing = std::mem::take(&mut self.missing);
        self.leases.only(&|p| listed.contains(p) || !missing.contains(p), now, &mut self.out);
        self.missing = self.leases.open().filter(|p| !listed.contains(p)).collect();
        self.stamp = Some(before);
        Ok(false)
    }

    fn line(&mut self, line: &Line, now: Millis, fresh: bool) {
        let resolved = self.ids.resolve(self.handle.realm, IdType::Hardware, &line.client, now);
        let rows = self.out.rows.len();
        self.leases.take(line, resolved.id, Id::random(), now, fresh, &mut self.out);
        if self.out.rows.len() > rows {
            self.bindings.extend(resolved.binding);
        }
    }

    fn bad(&mut self, reason: &'static str, bytes: &[u8], now: Millis) {
        self.handle.count(|c| c.malformed += 1);
        let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len()).min(LINE_BYTES);
        let bytes = bytes.get(..end).unwrap_or_default();
        let bad = Bad { time: now, source: self.handle.number, peer: Addr16::NONE, reason, offset: 0, bytes };
        if let Some((malformed, raw)) = self.noise.record(&bad, Id::random(), &mut self.malformed) {
            self.malformed.push(malformed);
            self.raw.push(raw);
        }
    }

    fn gap(&mut self, start: Millis, end: Millis) {
        self.gaps.push(Gap {
            time: end,
            id: Id::random(),
            amendment: 0,
            source: self.handle.number,
            start: start.min(end),
            end,
            lost: None,
            unit: "records".to_owned(),
            reason: "stopped".to_owned(),
        });
    }

    fn hand_over(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        self.malformed.extend(self.noise.tick(now));
        let mut group = Group::new(&self.name);
        let made = self.out.rows.len() as u64;
        batch(&mut group, Kind::RadiusSession, &self.out.rows, RadiusSession::batch);
        batch(&mut group, Kind::Gap, &self.gaps, Gap::batch);
        batch(&mut group, Kind::Malformed, &self.malformed, Malformed::batch);
        batch(&mut group, Kind::Raw, &self.raw, Raw::batch);
        group.bindings.clone_from(&self.bindings);
        group.state.clone_from(&self.out.state);
        if let Some(complete) = self.complete {
            group.evidence.push((self.handle.number, complete));
            let ((inode, born), offset) = self.open.as_ref().map_or(((0, 0), 0), |o| (o.identity, o.offset));
            let value = [inode.to_be_bytes(), born.to_be_bytes(), offset.to_be_bytes(), complete.0.to_be_bytes()].concat();
            group.state.push(StatePut { key: POSITION_KEY.to_vec(), value: Some(value) });
        }
        self.submitted = now;
        if !group.is_empty() {
            self.sink.commit(group).map_err(|e| e.to_string())?;
        }
        let (lines, overflow) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.out).overflow);
        (self.bindings, self.gaps, self.malformed, self.raw) = Default::default();
        let complete = self.complete;
        self.handle.count(|c| {
            c.messages += lines;
            c.records += made;
            c.lost += overflow;
            c.last_header = complete.or(c.last_header);
            if lines > 0 {
                c.last_seen = Some(now);
            }
        });
        Ok(())
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

fn batch<R>(group: &mut Group, kind: Kind, rows: &[R], make: impl FnOnce(&[R]) -> RecordBatch) {
    if !rows.is_empty() {
        group.batches.push((kind, make(rows)));
    }
}
