//! The state behind the simulated disk and what each operation does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use weir_base::disk::Entry;

use super::{Fault, Rates};
use crate::rng::Rng;

const SECTOR: u64 = 512;
const BLOCK: u64 = 4_096;

/// A change of a file's bytes that is not durable yet.
#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
}

#[derive(Debug, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
    blocks: BTreeSet<u64>,
}

/// A change of names that is not durable yet. Each names the folder whose sync keeps it.
#[derive(Clone, Debug)]
enum NameOp {
    Link {
        path: PathBuf,
        ino: u64,
    },
    Unlink {
        path: PathBuf,
        ino: u64,
    },
    /// Within one folder: atomic.
    Rename {
        from: PathBuf,
        to: PathBuf,
        ino: u64,
    },
    /// The old name of a rename across folders; goes only where `to` already names the file.
    UnlinkMoved {
        from: PathBuf,
        to: PathBuf,
        ino: u64,
    },
}

#[derive(Default)]
pub(super) struct State {
    inodes: BTreeMap<u64, Inode>,
    live: BTreeMap<PathBuf, u64>,
    durable: BTreeMap<PathBuf, u64>,
    names: Vec<NameOp>,
    dirs: BTreeSet<PathBuf>,
    next_ino: u64,
    epoch: u64,
    loss: Option<Rng>,
    pub(super) ops: u64,
    pub(super) reads: u64,
    pub(super) off: bool,
    pub(super) plan: BTreeMap<u64, Fault>,
    pub(super) read_plan: BTreeSet<u64>,
    pub(super) chance: Option<(Rng, Rates)>,
    pub(super) capacity: Option<u64>,
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

fn injected() -> io::Error {
    io::Error::other("simulated failure")
}

fn power_off() -> io::Error {
    io::Error::other("simulated power cut")
}

fn index(n: u64) -> usize {
    usize::try_from(n).expect("a simulated file fits in memory")
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::SetLen(len) => bytes.resize(index(*len), 0),
        Change::Write { offset, bytes: new } => {
            let (start, end) = (index(*offset), index(*offset) + new.len());
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(new);
        }
    }
}

/// Applies the sectors of a write that `keep` picks.
fn apply_torn(bytes: &mut Vec<u8>, change: &Change, mut keep: impl FnMut(u64) -> bool) {
    let Change::Write { offset, bytes: new } = change else { return };
    let mut at = 0;
    while at < new.len() {
        let place = offset + at as u64;
        let end = new.len().min(at + index(SECTOR - place % SECTOR));
        if keep(at as u64) {
            apply(bytes, &Change::Write { offset: place, bytes: new[at..end].to_vec() });
        }
        at = end;
    }
}

impl NameOp {
    fn folder(&self) -> PathBuf {
        match self {
            NameOp::Link { path, .. } | NameOp::Unlink { path, .. } => parent(path),
            NameOp::Rename { from, .. } | NameOp::UnlinkMoved { from, .. } => parent(from),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            NameOp::Link { path, ino } => {
                names.insert(path.clone(), *ino);
            }
            NameOp::Unlink { path, ino } => {
                if names.get(path) == Some(ino) {
                    names.remove(path);
                }
            }
            NameOp::Rename { from, to, ino } => {
                if names.get(from) == Some(ino) {
                    names.remove(from);
                }
                names.insert(to.clone(), *ino);
            }
            NameOp::UnlinkMoved { from, to, ino } => {
                if names.get(from) == Some(ino) {
                    names.remove(from);
                    names.insert(to.clone(), *ino);
                }
            }
        }
    }
}

impl Inode {
    /// Decides which unsynced changes reached the platter, then forgets the rest.
    fn settle(&mut self, rng: &mut Rng) {
        let mut pending = std::mem::take(&mut self.pending);
        let grown = self.live.len();
        let old = self.durable.len();
        match rng.below(4) {
            0 => pending.clear(),
            1 => pending.iter().for_each(|change| apply(&mut self.durable, change)),
            mixed => {
                if mixed == 3 {
                    rng.shuffle(&mut pending);
                }
                for change in &pending {
                    match rng.below(4) {
                        0 => {}
                        1 => apply(&mut self.durable, change),
                        2 => {
                            let Change::Write { bytes, .. } = change else { continue };
                            let cut = rng.below(bytes.len() as u64 + 1);
                            apply_torn(&mut self.durable, change, |at| at < cut);
                        }
                        _ => apply_torn(&mut self.durable, change, |_| rng.coin()),
                    }
                }
            }
        }
        // The new length can be there without the bytes: zeros, or whatever lay in those blocks.
        if grown > self.durable.len() && !pending.is_empty() && rng.below(4) == 0 {
            let from = self.durable.len().max(old);
            self.durable.resize(grown, 0);
            if rng.coin() {
                let junk = rng.bytes(grown - from);
                self.durable[from..].copy_from_slice(&junk);
            }
        }
    }

    fn settled(&mut self) {
        self.pending.clear();
        self.live = self.durable.clone();
        self.blocks = (0..(self.live.len() as u64).div_ceil(BLOCK)).collect();
    }
}

impl State {
    pub(super) fn heal(&mut self) {
        self.plan.clear();
        self.read_plan.clear();
        self.chance = None;
    }

    pub(super) fn restart(&mut self) {
        self.epoch += 1;
        self.heal();
    }

    pub(super) fn crash(&mut self, seed: u64) {
        self.restart();
        self.off = false;
        let mut rng = Rng::new(seed);
        let mut manner: BTreeMap<PathBuf, u64> = BTreeMap::new();
        for op in std::mem::take(&mut self.names) {
            let manner = *manner.entry(op.folder()).or_insert_with(|| rng.below(4));
            if manner == 0 || (manner != 1 && rng.coin()) {
                op.apply(&mut self.durable);
            }
        }
        self.live = self.durable.clone();
        let kept: BTreeSet<u64> = self.live.values().copied().collect();
        self.inodes.retain(|ino, _| kept.contains(ino));
        for inode in self.inodes.values_mut() {
            inode.settle(&mut rng);
            inode.settled();
        }
        let folders: Vec<PathBuf> = self.live.keys().map(|path| parent(path)).collect();
        self.dirs.extend(folders.into_iter().filter(|dir| dir != Path::new("")));
        self.loss = Some(rng);
    }

    /// Counts an operation that changes something; the error is what it must answer, before (`Err`) or after (`Ok(Some)`) it is done.
    fn step(&mut self) -> io::Result<Option<io::Error>> {
        if self.off {
            return Err(power_off());
        }
        let op = self.ops;
        self.ops += 1;
        let fault = self.plan.remove(&op).or_else(|| {
            let (rng, rates) = self.chance.as_mut()?;
            if rng.per_mille(rates.power_off) {
                Some(if rng.coin() { Fault::PowerOffBefore } else { Fault::PowerOffAfter })
            } else if rng.per_mille(rates.error) {
                Some(if rng.coin() { Fault::NoEffect } else { Fault::WithEffect })
            } else {
                None
            }
        });
        match fault {
            None => Ok(None),
            Some(Fault::NoEffect) => Err(injected()),
            Some(Fault::WithEffect) => Ok(Some(injected())),
            Some(Fault::PowerOffBefore) => {
                self.off = true;
                Err(power_off())
            }
            Some(Fault::PowerOffAfter) => {
                self.off = true;
                Ok(Some(power_off()))
            }
        }
    }

    fn step_read(&mut self) -> io::Result<()> {
        if self.off {
            return Err(power_off());
        }
        let read = self.reads;
        self.reads += 1;
        if self.read_plan.remove(&read) { Err(injected()) } else { Ok(()) }
    }

    fn inode(&mut self, ino: u64, epoch: u64) -> io::Result<&mut Inode> {
        if epoch != self.epoch {
            return Err(io::Error::other("this file was opened before the crash"));
        }
        self.inodes.get_mut(&ino).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn used(&self) -> u64 {
        let linked: BTreeSet<u64> = self.live.values().copied().collect();
        linked.iter().filter_map(|ino| self.inodes.get(ino)).map(|inode| inode.blocks.len() as u64 * BLOCK).sum()
    }

    pub(super) fn read(&mut self, ino: u64, epoch: u64, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.step_read()?;
        let inode = self.inode(ino, epoch)?;
        let from = inode.live.get(index(offset)..).unwrap_or_default();
        let n = from.len().min(buf.len());
        buf[..n].copy_from_slice(&from[..n]);
        Ok(n)
    }

    pub(super) fn len(&mut self, ino: u64, epoch: u64) -> io::Result<u64> {
        self.step_read()?;
        Ok(self.inode(ino, epoch)?.live.len() as u64)
    }

    pub(super) fn write(&mut self, ino: u64, epoch: u64, buf: &[u8], offset: u64) -> io::Result<()> {
        let told = self.step()?;
        let mut room = self.capacity.map_or(u64::MAX, |limit| limit.saturating_sub(self.used())) / BLOCK;
        let inode = self.inode(ino, epoch)?;
        let mut fits = buf.len();
        if !buf.is_empty() {
            for block in offset / BLOCK..(offset + buf.len() as u64).div_ceil(BLOCK) {
                if inode.blocks.contains(&block) {
                    continue;
                }
                if room == 0 {
                    fits = index((block * BLOCK).saturating_sub(offset));
                    break;
                }
                room -= 1;
                inode.blocks.insert(block);
            }
        }
        if fits > 0 {
            let change = Change::Write { offset, bytes: buf[..fits].to_vec() };
            apply(&mut inode.live, &change);
            inode.pending.push(change);
        }
        if fits < buf.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        told.map_or(Ok(()), Err)
    }

    pub(super) fn set_len(&mut self, ino: u64, epoch: u64, len: u64) -> io::Result<()> {
        let told = self.step()?;
        let inode = self.inode(ino, epoch)?;
        let change = Change::SetLen(len);
        apply(&mut inode.live, &change);
        inode.pending.push(change);
        inode.blocks.retain(|block| *block < len.div_ceil(BLOCK));
        told.map_or(Ok(()), Err)
    }

    pub(super) fn sync(&mut self, ino: u64, epoch: u64) -> io::Result<()> {
        let step = self.step();
        let off = self.off;
        let mut rng = self.loss.take().unwrap_or_else(|| Rng::new(0));
        let result = self.inode(ino, epoch).and_then(|inode| match step {
            Ok(told) => {
                for change in std::mem::take(&mut inode.pending) {
                    apply(&mut inode.durable, &change);
                }
                told.map_or(Ok(()), Err)
            }
            Err(e) if off => Err(e),
            Err(e) => {
                inode.settle(&mut rng);
                if rng.coin() {
                    inode.settled();
                }
                Err(e)
            }
        });
        self.loss = Some(rng);
        result
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<(u64, u64)> {
        let told = self.step()?;
        self.folder_exists(path)?;
        if self.live.contains_key(path) || self.dirs.contains(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if self.capacity.is_some_and(|limit| self.used() >= limit) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let ino = self.next_ino;
        self.next_ino += 1;
        self.inodes.insert(ino, Inode::default());
        self.live.insert(path.to_owned(), ino);
        self.names.push(NameOp::Link { path: path.to_owned(), ino });
        told.map_or(Ok((ino, self.epoch)), Err)
    }

    fn folder_exists(&self, path: &Path) -> io::Result<()> {
        let folder = parent(path);
        if folder == Path::new("") || self.dirs.contains(&folder) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    pub(super) fn open(&mut self, path: &Path) -> io::Result<(u64, u64)> {
        self.step_read()?;
        let ino = *self.live.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok((ino, self.epoch))
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let told = self.step()?;
        self.folder_exists(to)?;
        let ino = self.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.live.insert(to.to_owned(), ino);
        let (from, to) = (from.to_owned(), to.to_owned());
        if parent(&from) == parent(&to) {
            self.names.push(NameOp::Rename { from, to, ino });
        } else {
            self.names.push(NameOp::Link { path: to.clone(), ino });
            self.names.push(NameOp::UnlinkMoved { from, to, ino });
        }
        told.map_or(Ok(()), Err)
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let told = self.step()?;
        let ino = self.live.remove(path).ok_or(io::ErrorKind::NotFound)?;
        self.names.push(NameOp::Unlink { path: path.to_owned(), ino });
        told.map_or(Ok(()), Err)
    }

    pub(super) fn list(&mut self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.step_read()?;
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut out = Vec::new();
        for (path, ino) in self.live.iter().filter(|(path, _)| path.parent() == Some(dir)) {
            let len = self.inodes.get(ino).map_or(0, |inode| inode.live.len() as u64);
            out.push(Entry { name: name(path), len, is_dir: false });
        }
        for path in self.dirs.iter().filter(|path| path.parent() == Some(dir)) {
            out.push(Entry { name: name(path), len: 0, is_dir: true });
        }
        out.sort();
        Ok(out)
    }

    pub(super) fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        let told = self.step()?;
        let mut path = PathBuf::new();
        for part in dir.components() {
            path.push(part);
            if self.live.contains_key(&path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            self.dirs.insert(path.clone());
        }
        told.map_or(Ok(()), Err)
    }

    pub(super) fn remove_dir(&mut self, dir: &Path) -> io::Result<()> {
        let told = self.step()?;
        let inside = |path: &PathBuf| path != dir && path.starts_with(dir);
        if self.live.keys().any(inside) || self.dirs.iter().any(inside) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        if !self.dirs.remove(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        told.map_or(Ok(()), Err)
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        let told = self.step()?;
        if dir != Path::new("") && !self.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let (now, later) = std::mem::take(&mut self.names).into_iter().partition::<Vec<_>, _>(|op| op.folder() == dir);
        self.names = later;
        for op in now {
            op.apply(&mut self.durable);
        }
        told.map_or(Ok(()), Err)
    }

    pub(super) fn exists(&mut self, path: &Path) -> io::Result<bool> {
        self.step_read()?;
        Ok(self.live.contains_key(path) || self.dirs.contains(path) || path == Path::new(""))
    }

    pub(super) fn damage(&mut self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let ino = self.live.get(path).unwrap_or_else(|| panic!("no file {} to damage", path.display()));
        let inode = self.inodes.get_mut(ino).expect("a name has its file");
        change(&mut inode.live);
        inode.durable.clone_from(&inode.live);
        inode.pending.clear();
    }

    pub(super) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.live.iter().filter_map(|(path, ino)| Some((path.clone(), self.inodes.get(ino)?.live.clone()))).collect()
    }
}
