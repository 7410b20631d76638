//! The end of a file: what stands in the clear, the footer, and the offset indexes it points at.

use std::io;

use ::parquet::arrow::parquet_to_arrow_schema;
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use weir_base::crypto::{Aead, Secret};

use super::ParquetFailure;
use super::map::{Column, Group, Page, PageMap, Span};
use super::module::{self, Module, Ordinals, UNIQUE_BYTES};
use super::thrift::{BINARY, FALSE, LIST, STRUCT, Thrift};
use super::write::{KIND_KEY, kind_mark};
use crate::kind::Kind;
use crate::limits::{FOOTER_BYTES, OFFSET_INDEX_BYTES, ORDINALS};

const MAGIC: &[u8; 4] = b"PARE";
const PLAIN_MAGIC: &[u8; 4] = b"PAR1";
const TAIL: usize = 8;

/// Reads `len` bytes at an offset of a file.
pub(super) type ReadAt<'a> = dyn Fn(u64, usize) -> io::Result<Vec<u8>> + 'a;

pub(super) struct Footer {
    unique: [u8; UNIQUE_BYTES],
    metadata: ParquetMetaData,
    aead: Aead,
}

/// Reads exactly `len` bytes.
fn exactly(read: &ReadAt<'_>, offset: u64, len: usize) -> Result<Vec<u8>, ParquetFailure> {
    let bytes = read(offset, len)?;
    if bytes.len() == len { Ok(bytes) } else { Err(ParquetFailure::Short) }
}

impl Footer {
    pub(super) fn load(read: &ReadAt<'_>, len: u64, key: &Secret) -> Result<Footer, ParquetFailure> {
        let tail_at = len.checked_sub(TAIL as u64).ok_or(ParquetFailure::Short)?;
        let tail = exactly(read, tail_at, TAIL)?;
        let (size, magic) = tail.split_first_chunk::<4>().ok_or(ParquetFailure::Short)?;
        match magic {
            m if m == MAGIC => {}
            m if m == PLAIN_MAGIC => return Err(ParquetFailure::NotEncrypted),
            // The mark at the start tells a file that was cut from something else.
            _ if exactly(read, 0, 4).is_ok_and(|head| head == MAGIC) => return Err(ParquetFailure::Short),
            _ => return Err(ParquetFailure::NotEncrypted),
        }
        if exactly(read, 0, 4)? != MAGIC {
            return Err(ParquetFailure::Format("the mark at its start is wrong"));
        }
        let size = u32::from_le_bytes(*size);
        let footer_at = tail_at.checked_sub(u64::from(size)).ok_or(ParquetFailure::Short)?;
        let size = usize::try_from(size).ok().filter(|s| *s <= FOOTER_BYTES);
        let size = size.ok_or(ParquetFailure::Limit { what: "the footer", is: tail_at - footer_at, most: FOOTER_BYTES as u64 })?;
        let bytes = exactly(read, footer_at, size)?;
        let mut thrift = Thrift::new(&bytes);
        let unique = crypto_metadata(&mut thrift)?;
        let aead = key.aead();
        let mut sealed = thrift.left.to_vec();
        let (plain, rest) = module::open(&aead, &unique, Module::Footer, Ordinals::default(), &mut sealed)?;
        if !rest.is_empty() {
            return Err(ParquetFailure::Format("bytes are left over after the footer"));
        }
        let metadata = ParquetMetaDataReader::decode_metadata(plain).map_err(|_| ParquetFailure::Format("the footer's structure"))?;
        Ok(Footer { unique, metadata, aead })
    }

    /// That the file holds rows of `kind`, in its present version.
    pub(super) fn check_kind(&self, kind: Kind) -> Result<(), ParquetFailure> {
        let file = self.metadata.file_metadata();
        let pairs = file.key_value_metadata().map(Vec::as_slice).unwrap_or_default();
        let mark = pairs.iter().find(|pair| pair.key == KIND_KEY).and_then(|pair| pair.value.clone()).unwrap_or_default();
        if mark != kind_mark(kind) {
            return Err(ParquetFailure::Kind { want: kind, is: mark });
        }
        let schema = parquet_to_arrow_schema(file.schema_descr(), None).map_err(|_| ParquetFailure::Format("the schema"))?;
        let same = schema.fields() == kind.schema().fields();
        if same { Ok(()) } else { Err(ParquetFailure::Format("the columns are not those of its kind")) }
    }

    pub(super) fn map(&self, read: &ReadAt<'_>) -> Result<PageMap, ParquetFailure> {
        let mut groups = Vec::new();
        let mut first_row = 0u64;
        for (g, group) in self.metadata.row_groups().iter().enumerate() {
            let ordinal = ordinal(g)?;
            let rows = u32::try_from(group.num_rows()).map_err(|_| ParquetFailure::Format("the rows of a row group"))?;
            let columns = group.columns().iter().enumerate();
            let columns =
                columns.map(|(c, column)| self.column(read, Ordinals { group: ordinal, column: self::ordinal(c)?, page: 0 }, rows, column));
            groups.push(Group { ordinal, first_row, rows, columns: columns.collect::<Result<_, _>>()? });
            first_row += u64::from(rows);
        }
        let map = PageMap { unique: self.unique, groups };
        map.check()?;
        Ok(map)
    }

    fn column(&self, read: &ReadAt<'_>, at: Ordinals, rows: u32, column: &ColumnChunkMetaData) -> Result<Column, ParquetFailure> {
        let bad = || ParquetFailure::Format("a column has no offset index");
        let offset = column.offset_index_offset().and_then(|v| u64::try_from(v).ok()).ok_or_else(bad)?;
        let len = column.offset_index_length().and_then(|v| usize::try_from(v).ok()).ok_or_else(bad)?;
        if len > OFFSET_INDEX_BYTES {
            return Err(ParquetFailure::Limit { what: "an offset index", is: len as u64, most: OFFSET_INDEX_BYTES as u64 });
        }
        let mut bytes = exactly(read, offset, len)?;
        let (plain, _) = module::open(&self.aead, &self.unique, Module::OffsetIndex, at, &mut bytes)?;
        let pages = offset_index(plain)?;
        let dictionary = match column.dictionary_page_offset() {
            None => None,
            Some(offset) => {
                let wrong = ParquetFailure::Format("the place of a dictionary");
                let offset = u64::try_from(offset).ok();
                let length = pages.first().zip(offset).and_then(|(p, offset)| u32::try_from(p.offset.checked_sub(offset)?).ok());
                let (offset, length) = offset.zip(length).ok_or(wrong)?;
                Some(Span { offset, length })
            }
        };
        Ok(Column { dictionary, first_page: 0, end_row: rows, pages })
    }
}

fn ordinal(i: usize) -> Result<u16, ParquetFailure> {
    let fits = u16::try_from(i).ok().filter(|o| usize::from(*o) < ORDINALS);
    fits.ok_or(ParquetFailure::Limit { what: "an ordinal", is: i as u64, most: ORDINALS as u64 })
}

/// The clear structure before the footer: AES-GCM for everything, no prefix, and the file's unique bytes.
pub(super) fn crypto_metadata(thrift: &mut Thrift<'_>) -> Result<[u8; UNIQUE_BYTES], ParquetFailure> {
    let mut unique = None;
    let mut strange = false;
    thrift.fields(|t, id, ty| {
        if (id, ty) != (1, STRUCT) {
            return Ok(false);
        }
        t.fields(|t, id, ty| {
            if (id, ty) != (1, STRUCT) {
                strange = true;
                return Ok(false);
            }
            t.fields(|t, id, ty| {
                match (id, ty) {
                    (2, BINARY) => {
                        unique = <[u8; UNIQUE_BYTES]>::try_from(t.binary()?).ok();
                        return Ok(true);
                    }
                    // Whether a prefix is to be supplied: it is not.
                    (3, FALSE) => {}
                    _ => strange = true,
                }
                Ok(false)
            })?;
            Ok(true)
        })?;
        Ok(true)
    })?;
    unique.filter(|_| !strange).ok_or(ParquetFailure::Format("its way of encryption"))
}

pub(super) fn offset_index(bytes: &[u8]) -> Result<Vec<Page>, ParquetFailure> {
    let mut pages = Vec::new();
    Thrift::new(bytes).fields(|t, id, ty| {
        if (id, ty) != (1, LIST) {
            return Ok(false);
        }
        let (element, count) = t.list()?;
        if element != STRUCT || count > ORDINALS {
            return Err(ParquetFailure::Format("an offset index"));
        }
        pages.reserve_exact(count);
        for _ in 0..count {
            let mut page = Page::default();
            t.fields(|t, id, _| {
                let bad = |_| ParquetFailure::Format("an offset index");
                match id {
                    1 => page.offset = u64::try_from(t.int()?).map_err(bad)?,
                    2 => page.length = u32::try_from(t.int()?).map_err(bad)?,
                    3 => page.first_row = u32::try_from(t.int()?).map_err(bad)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            pages.push(page);
        }
        Ok(true)
    })?;
    Ok(pages)
}
