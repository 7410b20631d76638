//! What was opened, decrypted and decoded for one question, at hand for the questions that follow. Whoever asks one question has an empty shelf and drops it;
//! whoever asks many in the order of what they are about ([`crate::many`]) opens each file and decodes each page once.
//!
//! A unit that is repacked lies in another file, and is opened anew; runs are named at random and never change. What a shelf holds of a file that is
//! gone is as true as it was, and which keys there still are is asked for every question.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use weir_base::crypto::Secret;
use weir_base::disk::DiskFile;
use weir_base::hash::MixState;
use weir_base::time::Day;
use weir_record::parquet::{self, Dictionary, PageDecryptor, ParquetFailure, Span, Spot};
use weir_record::{Id, Kind};

use crate::catalog::{RunMeta, UnitMeta};
use crate::engine::StoreError;
use crate::fence::{Fence, fence_file};
use crate::index::IndexFiles;
use crate::keyring::KeyId;
use crate::limits::{SHELF_BLOCKS, SHELF_BYTES, SHELF_FENCES, SHELF_RUNS, SHELF_UNITS};
use crate::table::{Stats, TableError, TableReader};

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
    runs: RefCell<Recent<String, Rc<TableReader>>>,
    units: RefCell<Recent<Id, Rc<OpenUnit>>>,
    keys: RefCell<KeyNames>,
    /// Bytes of decoded pages that were asked for lately.
    held: Rc<Cell<usize>>,
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

    /// A run, open.
    pub(crate) fn run(&self, files: &IndexFiles, run: &RunMeta) -> Result<Rc<TableReader>, TableError> {
        if let Some(open) = self.runs.borrow_mut().get(|file| *file == run.file) {
            return Ok(open);
        }
        let table = TableReader::open(&files.disk, run.file.as_ref(), &self.index_key(files, run.day)?)?;
        let open = Rc::new(if self.stays { table.keeping(SHELF_BLOCKS) } else { table });
        self.runs.borrow_mut().put(run.file.clone(), Rc::clone(&open), SHELF_RUNS);
        Ok(open)
    }

    /// A unit that is open, where it lies now.
    pub(crate) fn unit_at_hand(&self, unit: &UnitMeta) -> Option<Rc<OpenUnit>> {
        if self.held.get() > SHELF_BYTES {
            self.units.borrow().0.iter().for_each(|(_, unit)| unit.pages.borrow_mut().age());
            self.held.set(0);
        }
        self.units.borrow_mut().get(|id| *id == unit.unit).filter(|open| open.file_name == unit.file)
    }

    /// A unit, opened if it is not.
    pub(crate) fn unit(&self, files: &IndexFiles, unit: &UnitMeta) -> Result<Rc<OpenUnit>, StoreError> {
        if let Some(open) = self.unit_at_hand(unit) {
            return Ok(open);
        }
        let table = TableReader::open(&files.disk, fence_file(unit.unit).as_ref(), &self.index_key(files, unit.sealed.day())?)?;
        let table = if self.stays { table.keeping(SHELF_BLOCKS) } else { table };
        let open = Rc::new(OpenUnit {
            file_name: Arc::clone(&unit.file),
            table,
            stays: self.stays,
            file: OnceCell::new(),
            decryptor: OnceCell::new(),
            fences: RefCell::default(),
            here: RefCell::default(),
            dictionaries: RefCell::default(),
            pages: RefCell::default(),
            held: Rc::clone(&self.held),
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

/// Row group, column and page.
type Place = (u16, u16, u16);

/// Decoded pages: those that were asked for lately, and those that were before.
#[derive(Default)]
struct Pages {
    lately: HashMap<Place, ArrayRef, MixState>,
    before: HashMap<Place, ArrayRef, MixState>,
}

impl Pages {
    fn get(&mut self, place: Place, held: &Cell<usize>) -> Option<ArrayRef> {
        if let Some(page) = self.lately.get(&place) {
            return Some(ArrayRef::clone(page));
        }
        let page = self.before.remove(&place)?;
        self.put(place, &page, held);
        Some(page)
    }

    fn put(&mut self, place: Place, page: &ArrayRef, held: &Cell<usize>) {
        held.set(held.get() + page.get_array_memory_size());
        self.lately.insert(place, ArrayRef::clone(page));
    }

    /// What was not asked for since the last time goes.
    fn age(&mut self) {
        std::mem::swap(&mut self.lately, &mut self.before);
        self.lately.clear();
    }
}

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
    pages: RefCell<Pages>,
    held: Rc<Cell<usize>>,
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
        if let Some(page) = self.pages.borrow_mut().get(place, &self.held) {
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
        self.pages.borrow_mut().put(place, &page, &self.held);
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
    use arrow::array::UInt64Array;

    use super::*;

    #[test]
    fn pages_that_are_asked_for_again_stay() {
        let (mut pages, held) = (Pages::default(), Cell::new(0));
        let page = |rows: usize| -> ArrayRef { Arc::new(UInt64Array::from(vec![7; rows])) };
        (1..=3).for_each(|n| pages.put((0, 0, n), &page(usize::from(n)), &held));
        let all = held.get();
        assert!(all > 0);
        pages.age();
        held.set(0);
        assert_eq!(pages.get((0, 0, 2), &held).map(|page| page.len()), Some(2));
        assert!((1..all).contains(&held.get()), "what is asked for again counts again");
        pages.age();
        assert_eq!([1, 2, 3].map(|n| pages.get((0, 0, n), &held).is_some()), [false, true, false]);
        assert_eq!((pages.lately.len(), pages.before.len()), (1, 0));
    }

    #[test]
    fn a_shelf_with_much_on_it_begins_to_count_anew() {
        let (shelf, time) = (Shelf::staying(), weir_base::time::Millis(0));
        let unit = UnitMeta {
            entry: 0,
            kind: Kind::NatMapping,
            day: time.day(),
            unit: Id::random(),
            file: "".into(),
            first_row: 0,
            rows: 0,
            first: time,
            last: time,
            window: (time, time),
            sealed: time,
        };
        for (held, left) in [(SHELF_BYTES, SHELF_BYTES), (SHELF_BYTES + 1, 0)] {
            shelf.held.set(held);
            assert!(shelf.unit_at_hand(&unit).is_none());
            assert_eq!(shelf.held.get(), left);
        }
    }
}
