//! Sorted tables on disk. Their format is in `record::stored::table`; here is only I/O.
//!
//! There is no cache that outlives a question: the operating system keeps pages of files, and what a question reads is counted, not guessed.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use weir_base::crypto::Secret;
use weir_base::disk::{DiskFile, SharedDisk};
use weir_base::lately::Held;
use weir_base::task::lock;
use weir_record::stored::table::{BlockSource, Builder, Cursor, Pair, Table};

pub use weir_record::stored::table::{Stats, TableError};

use crate::limits::TABLE_WRITE_BYTES;

/// What blocks are written through: a file, and bytes not yet handed to it.
struct Sink {
    file: Box<dyn DiskFile>,
    held: Vec<u8>,
    offset: u64,
}

impl Sink {
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= TABLE_WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.held, self.offset)?;
        self.offset += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }
}

/// Under which a table opens: its path, so that no table passes for another.
fn name(path: &Path) -> Result<&str, TableError> {
    path.to_str().ok_or_else(|| TableError::Other("the path of a table is no text".to_owned()))
}

type Write = Box<dyn FnMut(&[u8]) -> io::Result<()> + Send>;

/// A table that is being written. Dropped before [`TableWriter::finish`] it leaves a file that no reader opens.
pub struct TableWriter {
    disk: SharedDisk,
    dir: PathBuf,
    sink: Arc<Mutex<Sink>>,
    builder: Builder<Write>,
}

impl TableWriter {
    /// Begins the table `path`, which must not exist; its folder is made when absent. It is encrypted under a key of its own, derived from
    /// `index_key` and its path: a table that lies where another was written does not open.
    ///
    /// # Errors
    /// If the file exists or cannot be created.
    pub fn create(disk: &SharedDisk, path: &Path, index_key: &Secret) -> Result<TableWriter, TableError> {
        let dir = path.parent().unwrap_or(Path::new("")).to_owned();
        if !dir.as_os_str().is_empty() && !disk.exists(&dir)? {
            disk.create_dir(&dir)?;
        }
        let sink = Arc::new(Mutex::new(Sink { file: disk.create(path)?, held: Vec::new(), offset: 0 }));
        let inner = Arc::clone(&sink);
        let write: Write = Box::new(move |bytes| lock(&inner).take(bytes));
        Ok(TableWriter { disk: Arc::clone(disk), dir, sink, builder: Builder::new(index_key, name(path)?, write) })
    }

    /// Appends an entry; its key is not lower than the one before. Equal keys keep their order.
    ///
    /// # Errors
    /// [`TableError::Order`]; a key or value over its limit; a failure to write.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), TableError> {
        self.builder.push(key, value)
    }

    /// Entries so far.
    pub fn entries(&self) -> u64 {
        self.builder.entries()
    }

    /// Ends the table. Durable on return, its name too.
    ///
    /// # Errors
    /// If it cannot be written or synced; the file is then no table.
    pub fn finish(self) -> Result<(), TableError> {
        self.builder.finish()?;
        let mut sink = lock(&self.sink);
        sink.flush()?;
        sink.file.sync()?;
        self.disk.sync_dir(&self.dir)?;
        Ok(())
    }
}

/// An open file as a source of blocks.
struct Blocks(Box<dyn DiskFile>);

impl BlockSource for Blocks {
    fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let got = self.0.read_at(&mut bytes, offset)?;
        bytes.truncate(got);
        Ok(bytes)
    }
}

/// An open table. What opening it read is counted with its first question.
pub struct TableReader(Table<Blocks>);

impl TableReader {
    /// Opens the table `path`: reads its trailer and its root.
    ///
    /// # Errors
    /// If there is no such file ([`TableError::is_not_found`]), or it is cut, changed, or written under another key or another path.
    pub fn open(disk: &SharedDisk, path: &Path, index_key: &Secret) -> Result<TableReader, TableError> {
        let file = disk.open(path, false)?;
        let len = file.len()?;
        Ok(TableReader(Table::open(Blocks(file), len, index_key, name(path)?)?))
    }

    /// See [`Table::keeping`].
    #[must_use]
    pub fn keeping(self, held: &Held) -> TableReader {
        TableReader(self.0.keeping(held))
    }

    /// See [`Table::age`].
    pub fn age(&self) {
        self.0.age();
    }

    /// Entries.
    pub fn entries(&self) -> u64 {
        self.0.entries()
    }

    /// The last entry whose key is not above `key`.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn seek_le(&self, key: &[u8], stats: &mut Stats) -> Result<Option<Pair>, TableError> {
        self.0.seek_le(key, stats)
    }

    /// Entries with `first <= key <= last`, ascending, until `each` returns false.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn range(
        &self,
        first: &[u8],
        last: &[u8],
        stats: &mut Stats,
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), TableError> {
        self.0.range(first, last, stats, each)
    }

    /// Entries with `first <= key <= last`, descending, until `each` returns false.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn range_back(
        &self,
        first: &[u8],
        last: &[u8],
        stats: &mut Stats,
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), TableError> {
        self.0.range_back(first, last, stats, each)
    }
}

/// One table's next entry in a merge; the highest of the heap is the lowest key, then the lowest value.
type Next = Reverse<(Vec<u8>, Vec<u8>, usize)>;

fn refill(cursors: &mut [Cursor<'_, Blocks>], table: usize, heap: &mut BinaryHeap<Next>) {
    if let Some((key, value)) = cursors.get(table).and_then(Cursor::entry) {
        heap.push(Reverse((key.to_vec(), value.to_vec(), table)));
    }
}

/// Writes the entries of all `readers` into `writer` and ends it. Durable on return. Entries of equal key are all kept, except that an entry
/// equal in key and value to another is written once: it says the same thing, as after work that was done twice.
///
/// # Errors
/// If a table cannot be read or is damaged, or the new one cannot be written.
pub fn merge(readers: &[TableReader], mut writer: TableWriter) -> Result<(), TableError> {
    let mut stats = vec![Stats::default(); readers.len()];
    let mut cursors: Vec<_> = readers.iter().zip(&mut stats).map(|(reader, stats)| reader.0.cursor(stats)).collect();
    let mut heap: BinaryHeap<Next> = BinaryHeap::with_capacity(cursors.len());
    for table in 0..cursors.len() {
        if let Some(cursor) = cursors.get_mut(table) {
            cursor.first()?;
        }
        refill(&mut cursors, table, &mut heap);
    }
    let mut before: Option<Pair> = None;
    while let Some(Reverse((key, value, table))) = heap.pop() {
        if let Some(cursor) = cursors.get_mut(table) {
            cursor.next()?;
        }
        refill(&mut cursors, table, &mut heap);
        if before.as_ref().is_some_and(|(k, v)| *k == key && *v == value) {
            continue;
        }
        writer.push(&key, &value)?;
        before = Some((key, value));
    }
    writer.finish()
}
