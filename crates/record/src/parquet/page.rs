//! One page, decoded from its bytes, its place and the key alone.

use std::cell::RefCell;

use arrow::array::ArrayRef;
use arrow::buffer::{BooleanBuffer, NullBuffer};
use weir_base::crypto::{Aead, Secret};

use super::ParquetFailure;
use super::array::{self, PLAIN, PLAIN_DICTIONARY, Values};
use super::encoding;
use super::map::Spot;
use super::module::{self, Module, Ordinals, UNIQUE_BYTES};
use super::thrift::{STRUCT, Thrift};
use crate::field::Field;
use crate::kind::Kind;
use crate::limits::{PAGE_BYTES, PAGE_ROWS_MAX};

/// Bytes of a decompressed page whose room is kept for the next.
const ROOM_KEPT: usize = 1 << 20;
const DATA_PAGE: i64 = 0;
const DICTIONARY_PAGE: i64 = 2;
/// Encoding of levels: the hybrid of runs and bit-packed groups.
const RLE: i64 = 3;

/// What one file's pages are decrypted and decoded with. Made once a file.
pub struct PageDecryptor {
    kind: Kind,
    aead: Aead,
    unique: [u8; UNIQUE_BYTES],
}

/// The values that a column's pages point into.
#[derive(Clone, Debug)]
pub struct Dictionary(pub(super) Values);

impl PageDecryptor {
    /// For the file of `kind` whose page map has this unique part ([`PageMap::unique`](super::PageMap::unique)).
    pub fn new(kind: Kind, key: &Secret, unique: [u8; UNIQUE_BYTES]) -> PageDecryptor {
        PageDecryptor { kind, aead: key.aead(), unique }
    }

    /// The dictionary at [`Spot::dictionary`], from the bytes there, which are decrypted in place. It serves all pages of that column in that row group.
    ///
    /// # Errors
    /// [`ParquetFailure::Sealed`] if the bytes do not authenticate at this place, [`ParquetFailure::Format`] if they are not a dictionary.
    pub fn dictionary(&self, spot: &Spot, bytes: &mut [u8]) -> Result<Dictionary, ParquetFailure> {
        let at = Ordinals { group: spot.group, column: spot.column, page: 0 };
        let (header, rest) = module::open(&self.aead, &self.unique, Module::DictionaryPageHeader, at, bytes)?;
        let header = Header::read(header)?;
        let plain_values = matches!(header.encoding, PLAIN | PLAIN_DICTIONARY);
        if header.page != DICTIONARY_PAGE || !plain_values {
            return Err(ParquetFailure::Format("the header of a dictionary"));
        }
        let (data, rest) = module::open(&self.aead, &self.unique, Module::DictionaryPage, at, rest)?;
        if !rest.is_empty() {
            return Err(ParquetFailure::Format("bytes are left over after a dictionary"));
        }
        let field = self.field(spot.column)?;
        decompressed(data, header.plain_bytes, |values| Values::decode(field, values, header.values)).map(Dictionary)
    }

    fn field(&self, column: u16) -> Result<&'static Field, ParquetFailure> {
        self.kind.spec().fields.get(usize::from(column)).ok_or(ParquetFailure::Absent("column"))
    }
}

/// The column of one page: as many rows as `spot` says. `bytes` are those at [`Spot::at`], header and data module; they are decrypted in place.
///
/// A page of a column with a dictionary may need it; it is asked for whenever [`Spot::dictionary`] is there.
///
/// # Errors
/// [`ParquetFailure::Sealed`] if the bytes do not authenticate at this place, [`ParquetFailure::Format`] if they are not such a page.
pub fn read_page(
    decryptor: &PageDecryptor,
    spot: &Spot,
    bytes: &mut [u8],
    dictionary: Option<&Dictionary>,
) -> Result<ArrayRef, ParquetFailure> {
    let field = decryptor.field(spot.column)?;
    let at = Ordinals { group: spot.group, column: spot.column, page: spot.page };
    let (header, rest) = module::open(&decryptor.aead, &decryptor.unique, Module::DataPageHeader, at, bytes)?;
    let header = Header::read(header)?;
    if header.page != DATA_PAGE || header.levels != RLE {
        return Err(ParquetFailure::Format("the header of a page"));
    }
    if header.values != spot.rows as usize {
        return Err(ParquetFailure::Format("the rows of a page"));
    }
    let (data, rest) = module::open(&decryptor.aead, &decryptor.unique, Module::DataPage, at, rest)?;
    if !rest.is_empty() {
        return Err(ParquetFailure::Format("bytes are left over after a page"));
    }
    decompressed(data, header.plain_bytes, |plain| column(field, &header, plain, dictionary))
}

/// The column of a page, decompressed.
pub(super) fn column(field: &Field, header: &Header, plain: &[u8], dictionary: Option<&Dictionary>) -> Result<ArrayRef, ParquetFailure> {
    let (nulls, values) = if field.nullable { levels(plain, header.values)? } else { (None, plain) };
    let count = nulls.as_ref().map_or(header.values, |n| n.len() - n.null_count());
    array::column(field, header.encoding, values, count, nulls, dictionary.map(|d| &d.0))
}

/// Which rows have a value; and the bytes after the levels.
fn levels(plain: &[u8], rows: usize) -> Result<(Option<NullBuffer>, &[u8]), ParquetFailure> {
    let short = || ParquetFailure::Format("the levels of a page end too early");
    let (len, rest) = plain.split_first_chunk::<4>().ok_or_else(short)?;
    let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| short())?;
    let (packed, values) = rest.split_at_checked(len).ok_or_else(short)?;
    let levels = encoding::hybrid(packed, 1, rows)?;
    let valid = BooleanBuffer::collect_bool(rows, |i| levels.get(i).is_some_and(|l| *l == 1));
    Ok((Some(NullBuffer::new(valid)).filter(|n| n.null_count() > 0), values))
}

/// What decompressing needs: made once a thread.
struct Zstd {
    /// Some hundred kilobytes; making one a page would cost more than the page.
    context: zstd::bulk::Decompressor<'static>,
    /// Room for a page.
    plain: Vec<u8>,
}

/// Calls `then` with `len` bytes that were compressed.
fn decompressed<T>(data: &[u8], len: usize, then: impl FnOnce(&[u8]) -> Result<T, ParquetFailure>) -> Result<T, ParquetFailure> {
    thread_local! {
        static ZSTD: RefCell<Option<Zstd>> = const { RefCell::new(None) };
    }
    let wrong = || ParquetFailure::Format("the compression of a page");
    ZSTD.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Some(Zstd { context: zstd::bulk::Decompressor::new()?, plain: Vec::new() });
        }
        let Zstd { context, plain } = slot.as_mut().ok_or_else(wrong)?;
        if plain.len() < len {
            plain.resize(len, 0);
        }
        let room = plain.get_mut(..len).ok_or_else(wrong)?;
        let done = match context.decompress_to_buffer(data, room) {
            Ok(got) if got == len => then(room),
            _ => Err(wrong()),
        };
        if plain.len() > ROOM_KEPT {
            *plain = Vec::new();
        }
        done
    })
}

/// What a page header says, as far as it is needed.
#[derive(Default)]
pub(super) struct Header {
    pub(super) page: i64,
    pub(super) plain_bytes: usize,
    pub(super) values: usize,
    pub(super) encoding: i64,
    pub(super) levels: i64,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Header, ParquetFailure> {
        let mut header = Header { page: -1, encoding: -1, levels: -1, ..Header::default() };
        Thrift::new(bytes).fields(|t, id, ty| {
            match id {
                1 => header.page = t.int()?,
                2 => header.plain_bytes = t.size()?,
                // 5 is the header of a data page, 7 that of a dictionary: both begin with the number of values and the encoding.
                5 | 7 if ty == STRUCT => t.fields(|t, id, _| {
                    match id {
                        1 => header.values = t.size()?,
                        2 => header.encoding = t.int()?,
                        3 if header.page == DATA_PAGE => header.levels = t.int()?,
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if header.plain_bytes > PAGE_BYTES {
            return Err(ParquetFailure::Limit { what: "a page", is: header.plain_bytes as u64, most: PAGE_BYTES as u64 });
        }
        if header.values > PAGE_ROWS_MAX {
            return Err(ParquetFailure::Limit { what: "the rows of a page", is: header.values as u64, most: PAGE_ROWS_MAX as u64 });
        }
        Ok(header)
    }
}
