//! What was opened, decrypted and decoded for one question, at hand for the questions that follow. Whoever asks one question has an empty shelf and drops it;
//! whoever asks many in the order of what they are about ([`crate::many`]) opens each file and decodes each page once.
//!
//! A unit that is repacked lies in another file, and is opened anew; runs are named at random and never change. What a shelf holds of a file that is
//! gone is as true as it was, and which keys there still are is asked for every question.

mod filter;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use weir_base::crypto::Secret;
use weir_base::disk::DiskFile;
use weir_base::hash::MixState;
use weir_base::lately::{Held, Lately};
use weir_base::time::Day;
use weir_record::parquet::{self, Dictionary, PageDecryptor, ParquetFailure, Span, Spot};
use weir_record::{Id, Kind};

use crate::catalog::{RunMeta, UnitMeta};
use crate::engine::StoreError;
use crate::fence::{Fence, fence_file};
use crate::index::IndexFiles;
use crate::keyring::KeyId;
use crate::limits::{FILTER_WORTH, SHELF_BLOCK_BYTES, SHELF_BYTES, SHELF_FENCES, SHELF_FILTER_BYTES, SHELF_RUNS, SHELF_UNITS};
use crate::spankey::{END_KEY_BYTES, EndKey};
use crate::table::{Stats, TableError, TableReader};
use filter::Filter;

/// A few values by key, the one used last at the end.
struct Recent<K, V>(Vec<(K, V)>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Recent<K, V> {
        Recent(Vec::new())
    }
}

impl<K, V: Clone> Recent<K, V> {
    fn get(&mut self, is: impl Fn(&K) -> bool) -> Option<V> {
        let at = self.0.iter().rposition(|(key, _)| is(key))?;
        let last = self.0.len() - 1;
        self.0.get_mut(at..)?.rotate_left(1);
        self.0.get(last).map(|(_, value)| value.clone())
    }

    fn put(&mut self, key: K, value: V, most: usize) {
        if self.0.len() >= most {
            self.0.remove(0);
        }
        self.0.push((key, value));
    }

    fn drop_if(&mut self, is: impl Fn(&K) -> bool) {
        self.0.retain(|(key, _)| !is(key));
    }
}

/// Names of keys, by kind and day; without a kind those of the index.
type KeyNames = Recent<(Option<Kind>, Day), Rc<KeyId>>;

/// What is at hand.
#[derive(Default)]
pub struct Shelf {
    runs: RefCell<Recent<Arc<RunMeta>, Rc<OpenRun>>>,
    /// Bytes of filters of runs.
    filters: Cell<usize>,
    /// By which keys are hashed for all of them.
    state: MixState,
    units: RefCell<Recent<Id, Rc<OpenUnit>>>,
    keys: RefCell<KeyNames>,
    /// Bytes of decoded pages that were asked for lately.
    held: Held,
    /// Bytes of blocks of tables that were asked for lately.
    blocks: Held,
    /// Room for what is read of a file.
    room: Rc<RefCell<Vec<u8>>>,
    stays: bool,
}

impl Shelf {
    /// An empty shelf for many questions.
    pub fn staying() -> Shelf {
        Shelf { stays: true, ..Shelf::default() }
    }

    /// The name of a day's key; whether there is such a key is asked for each time.
    pub(crate) fn key_id(&self, kind: Kind, day: Day) -> Option<Rc<KeyId>> {
        self.named((Some(kind), day), || KeyId::kind(kind.name(), day).ok())
    }

    fn named(&self, what: (Option<Kind>, Day), name: impl FnOnce() -> Option<KeyId>) -> Option<Rc<KeyId>> {
        if let Some(known) = self.keys.borrow_mut().get(|key| *key == what) {
            return Some(known);
        }
        let id = Rc::new(name()?);
        self.keys.borrow_mut().put(what, Rc::clone(&id), SHELF_UNITS);
        Some(id)
    }

    /// The index key of a day, made at first use.
    fn index_key(&self, files: &IndexFiles, day: Day) -> Result<Secret, TableError> {
        let known = self.named((None, day), || KeyId::index(day).ok()).and_then(|id| files.keyring.get(&id));
        known.map_or_else(|| files.key(day), Ok)
    }

    /// What filters of runs know keys by.
    pub(crate) fn hashes(&self, keys: &[EndKey]) -> Vec<u64> {
        if self.stays { keys.iter().map(|key| self.state.hash_one(key.0)).collect() } else { Vec::new() }
    }

    /// A run, open.
    pub(crate) fn run(&self, files: &IndexFiles, run: &Arc<RunMeta>) -> Result<Rc<OpenRun>, TableError> {
        if let Some(open) = self.runs.borrow_mut().get(|known| Arc::ptr_eq(known, run)) {
            return Ok(open);
        }
        let table = self.table(files, &run.file, run.day)?;
        let bytes = Filter::bytes(table.entries());
        // What is let go of meanwhile is not given back: a shelf is for some thousand questions.
        let room = self.stays && self.filters.get().saturating_add(bytes) <= SHELF_FILTER_BYTES;
        if room {
            self.filters.set(self.filters.get() + bytes);
        }
        let open = Rc::new(OpenRun { table, asked: Cell::new(0), filter: OnceCell::new(), state: self.state.clone(), room });
        self.runs.borrow_mut().put(Arc::clone(run), Rc::clone(&open), SHELF_RUNS);
        Ok(open)
    }

    fn table(&self, files: &IndexFiles, file: &str, day: Day) -> Result<TableReader, TableError> {
        let table = TableReader::open(&files.disk, file.as_ref(), &self.index_key(files, day)?)?;
        Ok(if self.stays { table.keeping(&self.blocks) } else { table })
    }

    /// Where there is much on it, what was not asked for since the last time goes. Called between two questions.
    pub(crate) fn tidy(&self) {
        if self.held.get() > SHELF_BYTES {
            self.units.borrow().0.iter().for_each(|(_, unit)| unit.pages.borrow_mut().age());
            self.held.begin();
        }
        if self.blocks.get() > SHELF_BLOCK_BYTES {
            self.runs.borrow().0.iter().for_each(|(_, run)| run.table.age());
            self.units.borrow().0.iter().for_each(|(_, unit)| unit.table.age());
            self.blocks.begin();
        }
    }

    /// A unit that is open, where it lies now.
    pub(crate) fn unit_at_hand(&self, unit: &UnitMeta) -> Option<Rc<OpenUnit>> {
        self.units.borrow_mut().get(|id| *id == unit.unit).filter(|open| open.file_name == unit.file)
    }

    /// A unit, opened if it is not.
    pub(crate) fn unit(&self, files: &IndexFiles, unit: &UnitMeta) -> Result<Rc<OpenUnit>, StoreError> {
        if let Some(open) = self.unit_at_hand(unit) {
            return Ok(open);
        }
        let open = Rc::new(OpenUnit {
            file_name: Arc::clone(&unit.file),
            table: self.table(files, &fence_file(unit.unit), unit.sealed.day())?,
            stays: self.stays,
            file: OnceCell::new(),
            decryptor: OnceCell::new(),
            fences: RefCell::default(),
            here: RefCell::default(),
            dictionaries: RefCell::default(),
            pages: RefCell::new(Lately::sharing(&self.held)),
            room: Rc::clone(&self.room),
        });
        let mut units = self.units.borrow_mut();
        units.drop_if(|id| *id == unit.unit);
        units.put(unit.unit, Rc::clone(&open), SHELF_UNITS);
        Ok(open)
    }

    /// Something of this unit did not read: it is opened anew when it is asked again.
    pub(crate) fn forget(&self, unit: &UnitMeta) {
        self.units.borrow_mut().drop_if(|id| *id == unit.unit);
    }
}

/// An open run.
pub(crate) struct OpenRun {
    table: TableReader,
    /// Keys it was asked for.
    asked: Cell<u64>,
    /// None where it could not be read.
    filter: OnceCell<Option<Filter>>,
    state: MixState,
    /// There is memory for a filter.
    room: bool,
}

impl OpenRun {
    /// The run.
    pub(crate) fn table(&self) -> &TableReader {
        &self.table
    }

    /// False if it holds no span of the key with this hash ([`Shelf::hashes`]).
    pub(crate) fn may_hold(&self, files: &IndexFiles, run: &RunMeta, hash: Option<u64>, stats: &mut Stats) -> bool {
        let Some(hash) = hash else { return true };
        if self.filter.get().is_none() {
            self.asked.set(self.asked.get() + 1);
            if !self.room || self.asked.get() < self.table.entries() / FILTER_WORTH {
                return true;
            }
        }
        // Where something of it does not read, whoever asks for that is told so.
        let filter = self.filter.get_or_init(|| read_keys(files, run, &self.state, stats).ok());
        filter.as_ref().is_none_or(|filter| filter.may_hold(hash))
    }
}

/// Reads all of a run. It is opened anew: not all of it is to be at hand afterwards.
fn read_keys(files: &IndexFiles, run: &RunMeta, state: &MixState, stats: &mut Stats) -> Result<Filter, TableError> {
    let table = files.open(&run.file, run.day)?;
    let (mut filter, mut before) = (Filter::of(table.entries()), [0; END_KEY_BYTES]);
    table.range(&[], &[0xff; END_KEY_BYTES + 12], stats, &mut |of, _| {
        if let Some(of) = of.first_chunk::<END_KEY_BYTES>().filter(|of| **of != before) {
            filter.insert(state.hash_one(of));
            before = *of;
        }
        true
    })?;
    Ok(filter)
}

/// Row group, column and page.
type Place = (u16, u16, u16);

/// The page a question about these keys lies in: keys from the first, included, to the second.
type Here = (Vec<u8>, Vec<u8>, Rc<Fence>);

/// An open NAT unit: its fence table, its file, and what was decoded of both.
pub(crate) struct OpenUnit {
    file_name: Arc<str>,
    table: TableReader,
    stays: bool,
    /// Opened for the first page that is read.
    file: OnceCell<Box<dyn DiskFile>>,
    decryptor: OnceCell<PageDecryptor>,
    fences: RefCell<Recent<Vec<u8>, Rc<Fence>>>,
    here: RefCell<Option<Here>>,
    /// By row group and column.
    dictionaries: RefCell<HashMap<(u16, u16), Rc<Dictionary>, MixState>>,
    pages: RefCell<Lately<Place, ArrayRef>>,
    room: Rc<RefCell<Vec<u8>>>,
}

impl OpenUnit {
    /// The fence table.
    pub(crate) fn table(&self) -> &TableReader {
        &self.table
    }

    /// True when the one page that holds rows of these keys is known already.
    pub(crate) fn is_at_hand(&self, first: &[u8], last: &[u8]) -> bool {
        self.here.borrow().as_ref().is_some_and(|(from, to, _)| from.as_slice() <= first && last < to.as_slice())
    }

    /// The fences that hold rows of these keys, the last one first.
    pub(crate) fn fences(&self, first: &[u8], last: &[u8], stats: &mut Stats) -> Result<Vec<Rc<Fence>>, StoreError> {
        if let Some((from, to, fence)) = self.here.borrow().as_ref()
            && from.as_slice() <= first
            && last < to.as_slice()
        {
            return Ok(vec![Rc::clone(fence)]);
        }
        // Back from the last page that can hold such rows to the one in which they begin.
        let mut found: Vec<(Vec<u8>, Option<Rc<Fence>>)> = Vec::new();
        let mut fences = self.fences.borrow_mut();
        self.table.range_back(&[], last, stats, &mut |key, value| {
            let fence = fences.get(|k| k == key).or_else(|| {
                let fence = Rc::new(Fence::decode(value)?);
                fences.put(key.to_vec(), Rc::clone(&fence), SHELF_FENCES);
                Some(fence)
            });
            found.push((key.to_vec(), fence));
            key > first
        })?;
        if let (true, [(key, Some(fence))]) = (self.stays, found.as_slice()) {
            let mut next = vec![0xff; last.len() + 1];
            self.table.range(last, &[0xff; 40], stats, &mut |key, _| {
                next = key.to_vec();
                false
            })?;
            *self.here.borrow_mut() = Some((key.clone(), next, Rc::clone(fence)));
        }
        let whole: Option<Vec<Rc<Fence>>> = found.into_iter().map(|(_, fence)| fence).collect();
        whole.ok_or_else(|| StoreError::Damaged("an entry of a fence table".to_owned()))
    }

    /// A page of a column.
    pub(crate) fn page(
        &self,
        files: &IndexFiles,
        key: &Secret,
        unique: [u8; 8],
        spot: &Spot,
        stats: &mut Stats,
    ) -> Result<ArrayRef, StoreError> {
        let place = (spot.group, spot.column, spot.page);
        if let Some(page) = self.pages.borrow_mut().get(place) {
            return Ok(page);
        }
        let failed = |e: ParquetFailure| StoreError::Damaged(e.to_string());
        let decryptor = self.decryptor.get_or_init(|| PageDecryptor::new(Kind::NatMapping, key, unique));
        let dictionary = match spot.dictionary {
            None => None,
            Some(at) => {
                let known = self.dictionaries.borrow().get(&(spot.group, spot.column)).map(Rc::clone);
                Some(match known {
                    Some(known) => known,
                    None => {
                        let mut bytes = self.room.borrow_mut();
                        let bytes = self.read(files, at, &mut bytes, stats)?;
                        let read = Rc::new(decryptor.dictionary(spot, bytes).map_err(failed)?);
                        self.dictionaries.borrow_mut().insert((spot.group, spot.column), Rc::clone(&read));
                        read
                    }
                })
            }
        };
        let mut bytes = self.room.borrow_mut();
        let bytes = self.read(files, spot.at, &mut bytes, stats)?;
        let page = parquet::read_page(decryptor, spot, bytes, dictionary.as_deref()).map_err(failed)?;
        self.pages.borrow_mut().put(place, ArrayRef::clone(&page), page.get_array_memory_size());
        Ok(page)
    }

    fn read<'b>(&self, files: &IndexFiles, at: Span, room: &'b mut Vec<u8>, stats: &mut Stats) -> Result<&'b mut [u8], StoreError> {
        let file = match self.file.get() {
            Some(file) => file,
            None => {
                let file = files.disk.open(Path::new(&*self.file_name), false)?;
                self.file.get_or_init(|| file)
            }
        };
        if room.len() < at.length as usize {
            room.resize(at.length as usize, 0);
        }
        let bytes = &mut room[..at.length as usize];
        file.read_exact_at(bytes, at.offset)?;
        stats.pages += 1;
        stats.bytes += u64::from(at.length);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_with_much_on_it_begins_to_count_anew() {
        for (pages, blocks) in [(0, 0), (SHELF_BYTES, SHELF_BLOCK_BYTES), (SHELF_BYTES + 1, 7), (7, SHELF_BLOCK_BYTES + 1)] {
            let shelf = Shelf::staying();
            Lately::sharing(&shelf.held).put((), (), pages);
            Lately::sharing(&shelf.blocks).put((), (), blocks);
            shelf.tidy();
            let left = |held: usize, most: usize| if held > most { 0 } else { held };
            assert_eq!((shelf.held.get(), shelf.blocks.get()), (left(pages, SHELF_BYTES), left(blocks, SHELF_BLOCK_BYTES)));
        }
    }
}
