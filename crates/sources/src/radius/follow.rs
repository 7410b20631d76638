//! Detail files as an input: a file or a folder of them is read from where it was left, group by group.
//!
//! The position in each file becomes durable in the same group as the records before it, so nothing is taken twice after a crash. A file is
//! known by device, inode and the digest of its first bytes, so a rename does not make it new. With `delete`, a file is renamed to
//! `….work` (as FreeRADIUS's own reader does), taken, and removed once all of it is durable and its writer has let go of it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, fcntl_lock};
use weir_base::clock::Clock;
use weir_base::crypto::sha256;
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::sink::{RecordSink, SinkError, SubjectIds};

use super::config::{DetailSettings, Settings};
use super::detail::{DetailError, Piece, first_piece, parse_block};
use super::engine::{Engine, EngineSettings, Origin, Work};
use super::limits::{
    DETAIL_BATCH_BLOCKS, DETAIL_FILES_MAX, DETAIL_FORGET_MS, DETAIL_GRACE_MS, DETAIL_HEAD_BYTES, DETAIL_READ_BYTES, DETAIL_WAIT_MS,
    GROUP_CHANGES,
};
use super::noise::Bad;
use super::normalise::digest;
use super::state::{Key, Position, put_position};

/// Starts one thread for each detail input of `settings` under `tasks`.
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
    for (i, detail) in settings.detail.iter().enumerate() {
        let mut follower = Follower::new(settings, i, detail, Arc::clone(sink), Arc::clone(ids), Arc::clone(clock))?;
        tasks
            .spawn(&format!("radius-detail-{i}"), move |stop| follower.run(stop))
            .map_err(|e| format!("no thread for radius detail: {e}"))?;
    }
    Ok(())
}

/// Reads one detail input.
pub struct Follower {
    settings: DetailSettings,
    engine: Engine,
    sink: Arc<dyn RecordSink>,
    clock: Arc<dyn Clock>,
    positions: HashMap<Key, Position>,
    /// Files at whose end we are: since when, and at which length.
    quiet: HashMap<Key, (Millis, u64)>,
    /// Arrival of the newest block: while reading old blocks, time is theirs.
    newest: Millis,
}

/// What one look at the input did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// A group became durable: look again at once.
    Progress,
    /// Nothing new.
    Idle,
}

impl Follower {
    /// Registers the input (as `NAME/detail/I`) and takes back its positions.
    ///
    /// # Errors
    /// What the sink says.
    pub fn new(
        settings: &Settings,
        index: usize,
        detail: &DetailSettings,
        sink: Arc<dyn RecordSink>,
        ids: Arc<dyn SubjectIds>,
        clock: Arc<dyn Clock>,
    ) -> Result<Follower, String> {
        let engine = EngineSettings {
            name: format!("{}/detail/{index}", settings.name),
            realm: detail.realm.clone(),
            peer: detail.path.display().to_string(),
            sessions_max: settings.sessions_max,
            missed_interims: settings.missed_interims,
            settle_ms: settings.settle_ms,
        };
        let mut engine = Engine::new(engine, Arc::clone(&sink), ids).map_err(|e| format!("radius detail cannot start: {e}"))?;
        let positions = engine.positions().into_iter().collect();
        Ok(Follower { settings: detail.clone(), engine, sink, clock, positions, quiet: HashMap::new(), newest: Millis(0) })
    }

    /// Reads until stopped.
    pub fn run(&mut self, stop: &Stop) {
        while !stop.is_raised() {
            let wait = match self.pass() {
                Ok(Pass::Progress) => {
                    self.engine.own().count(|c| c.trouble = None);
                    continue;
                }
                Ok(Pass::Idle) => DETAIL_WAIT_MS,
                Err(e) => {
                    self.engine.own().count(|c| c.trouble = Some(e));
                    DETAIL_WAIT_MS
                }
            };
            stop.wait(Duration::from_millis(wait));
        }
    }

    /// Takes at most one group.
    ///
    /// # Errors
    /// What a file or the sink said; the same is tried again with the next call.
    pub fn pass(&mut self) -> Result<Pass, String> {
        let now = self.clock.now();
        for path in self.files()? {
            if self.file(&path, now).map_err(|e| format!("{}: {e}", path.display()))? == Pass::Progress {
                return Ok(Pass::Progress);
            }
        }
        // Everything is read: from here on time is ours.
        self.newest = self.newest.max(now);
        let mut work = Work::default();
        let more = self.engine.tick(now, &mut work);
        let gone = |p: &Position| now.since(p.at) > DETAIL_FORGET_MS;
        let forget: Vec<Key> = self.positions.iter().filter(|(_, p)| gone(p)).map(|(k, _)| *k).collect();
        for key in &forget {
            work.put(put_position(*key, None));
        }
        self.commit(work).map_err(|e| e.to_string())?;
        self.positions.retain(|key, _| !forget.contains(key));
        Ok(if more { Pass::Progress } else { Pass::Idle })
    }

    /// The files to read, oldest name first.
    fn files(&self) -> Result<Vec<PathBuf>, String> {
        let path = &self.settings.path;
        let wrong = |e: io::Error| format!("detail input {} cannot be read: {e}", path.display());
        let mut files = Vec::new();
        if path.is_dir() {
            for entry in fs::read_dir(path).map_err(wrong)? {
                let entry = entry.map_err(wrong)?;
                let is_detail = entry.file_name().to_string_lossy().starts_with("detail");
                if is_detail && entry.file_type().map_err(wrong)?.is_file() && files.len() < DETAIL_FILES_MAX {
                    files.push(entry.path());
                }
            }
        } else {
            files = [path.clone(), work_name(path)].into_iter().filter(|p| p.is_file()).collect();
        }
        files.sort();
        if self.settings.delete {
            for file in &mut files {
                if is_work(file) {
                    continue;
                }
                let work = work_name(file);
                // One that is still being taken goes first; its successor waits under its own name.
                if !work.exists() && fs::rename(&*file, &work).is_ok() {
                    *file = work;
                }
            }
            files.retain(|f| is_work(f));
            files.sort();
        }
        Ok(files)
    }

    fn file(&mut self, path: &Path, now: Millis) -> io::Result<Pass> {
        let file = match OpenOptions::new().read(true).write(self.settings.delete).open(path) {
            Ok(file) => file,
            // Renamed or removed since the folder was listed.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Pass::Idle),
            Err(e) => return Err(e),
        };
        let meta = file.metadata()?;
        let key = digest(&[b"detail", &meta.dev().to_be_bytes(), &meta.ino().to_be_bytes()]);
        let mut position = self.positions.get(&key).copied().unwrap_or_default();
        // A file that lost bytes, or begins otherwise, is another file with the same inode.
        let same = meta.len() >= position.offset && (position.head_len == 0 || head(&file, position.head_len)? == Some(position.head));
        if !same {
            position = Position::default();
        }
        if meta.len() == position.offset {
            return self.at_end(path, &file, key, position, now);
        }
        let mut data = vec![0; DETAIL_READ_BYTES.min(usize::try_from(meta.len() - position.offset).unwrap_or(usize::MAX))];
        file.read_exact_at(&mut data, position.offset)?;
        let mut work = Work::default();
        let taken = self.blocks(&data, &mut work, now).map_err(io::Error::other)?;
        if taken == 0 {
            return self.at_end(path, &file, key, position, now);
        }
        self.quiet.remove(&key);
        position.offset += taken as u64;
        self.advance(work, &file, key, position, now)?;
        Ok(Pass::Progress)
    }

    /// Makes a group and the position after it durable.
    fn advance(&mut self, mut work: Work, file: &File, key: Key, mut position: Position, now: Millis) -> io::Result<()> {
        if position.head_len < DETAIL_HEAD_BYTES {
            position.head_len = DETAIL_HEAD_BYTES.min(u32::try_from(position.offset).unwrap_or(u32::MAX));
            position.head = head(file, position.head_len)?.unwrap_or_default();
        }
        position.at = now;
        work.put(put_position(key, Some(&position)));
        // While old blocks are read, sessions miss their updates by the time of the blocks.
        self.engine.tick(self.newest, &mut work);
        self.commit(work).map_err(io::Error::other)?;
        self.positions.insert(key, position);
        Ok(())
    }

    /// Takes whole blocks out of `data`; returns how many bytes they are.
    fn blocks(&mut self, data: &[u8], work: &mut Work, now: Millis) -> Result<usize, SinkError> {
        let mut taken = 0;
        for _ in 0..DETAIL_BATCH_BLOCKS {
            let rest = data.get(taken..).unwrap_or_default();
            match first_piece(rest) {
                Piece::Blank(n) => taken += n,
                Piece::Partial => break,
                Piece::TooLong(n) => {
                    self.bad(work, rest, DetailError::TooLong, now);
                    taken += n;
                }
                Piece::Block(block, n) => {
                    self.block(block, work, now)?;
                    taken += n;
                }
            }
            if work.changes() >= GROUP_CHANGES {
                break;
            }
        }
        Ok(taken)
    }

    fn block(&mut self, block: &[u8], work: &mut Work, now: Millis) -> Result<(), SinkError> {
        let parsed = match parse_block(block) {
            Ok(parsed) => parsed,
            Err(e) => {
                self.bad(work, block, e, now);
                return Ok(());
            }
        };
        let arrived = parsed.taken.filter(|t| *t <= now).unwrap_or(now);
        self.newest = self.newest.max(arrived);
        let origin = Origin {
            realm: self.settings.realm.clone(),
            sender: parsed.sender,
            arrived,
            now,
            interim_ms: self.settings.interim_ms,
            port_is_exclusive: false,
            measurable: false,
        };
        // Told before or not, recorded or refused: the block is taken when its group is durable.
        self.engine.take(work, parsed.message, &origin, block).map(drop)
    }

    fn bad(&mut self, work: &mut Work, bytes: &[u8], e: DetailError, now: Millis) {
        let source = self.engine.own().number;
        self.engine.bad(work, &Bad { time: now, source, peer: Addr16::NONE, reason: e.reason(), offset: e.offset(), bytes });
    }

    /// Everything whole is taken. With `delete`, a file nobody has written to for a while goes.
    fn at_end(&mut self, path: &Path, file: &File, key: Key, mut position: Position, now: Millis) -> io::Result<Pass> {
        let length = file.metadata()?.len();
        if !self.settings.delete {
            return Ok(Pass::Idle);
        }
        let (since, at) = *self.quiet.entry(key).or_insert((now, length));
        if at != length {
            self.quiet.insert(key, (now, length));
            return Ok(Pass::Idle);
        }
        if now.since(since) < DETAIL_GRACE_MS {
            return Ok(Pass::Idle);
        }
        // FreeRADIUS holds this lock while it writes and opens the file anew when it finds its name gone.
        if fcntl_lock(file, FlockOperation::NonBlockingLockExclusive).is_err() || file.metadata()?.len() != length {
            return Ok(Pass::Idle);
        }
        if position.offset < length {
            let mut tail = vec![0; usize::try_from(length - position.offset).unwrap_or(0).min(DETAIL_READ_BYTES)];
            file.read_exact_at(&mut tail, position.offset)?;
            let mut work = Work::default();
            self.bad(&mut work, &tail, DetailError::Torn, now);
            position.offset = length;
            self.advance(work, file, key, position, now)?;
        }
        fs::remove_file(path)?;
        self.quiet.remove(&key);
        self.positions.remove(&key);
        let mut work = Work::default();
        work.put(put_position(key, None));
        self.commit(work).map_err(io::Error::other)?;
        Ok(Pass::Progress)
    }

    fn commit(&mut self, work: Work) -> Result<(), SinkError> {
        let Some((group, ticket)) = self.engine.finish(work) else { return Ok(()) };
        let result = self.sink.commit(group);
        self.engine.inbox().put(ticket, &result);
        self.engine.settle();
        result.map(drop)
    }
}

fn head(file: &File, length: u32) -> io::Result<Option<[u8; 16]>> {
    let mut bytes = vec![0; length as usize];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => Ok(sha256(&bytes).first_chunk().copied()),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}

fn is_work(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "work")
}

fn work_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".work");
    PathBuf::from(name)
}
