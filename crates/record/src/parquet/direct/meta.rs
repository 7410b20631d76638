//! Parquet's own structures in Thrift's compact protocol: page headers, offset indexes, the clear head and the footer.

use std::collections::BTreeSet;

use super::encode::{varint, zigzag};
use crate::field::{Field, Type};
use crate::kind::Kind;
use crate::parquet::map::{Page, Span};
use crate::parquet::module::UNIQUE_BYTES;
use crate::parquet::write::{KIND_KEY, kind_mark};

/// Encodings by their number in the specification.
pub(super) const PLAIN: i32 = 0;
pub(super) const RLE: i32 = 3;
pub(super) const DELTA_BINARY_PACKED: i32 = 5;
pub(super) const RLE_DICTIONARY: i32 = 8;
pub(super) const BYTE_STREAM_SPLIT: i32 = 9;

const ZSTD: i32 = 6;

/// Types in the compact protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I8: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A structure being written.
struct Thrift {
    out: Vec<u8>,
    /// Number of the last field, of each structure that is open.
    last: Vec<i16>,
}

impl Thrift {
    fn new() -> Thrift {
        Thrift { out: Vec::with_capacity(64), last: vec![0] }
    }

    fn field(&mut self, id: i16, ty: u8) {
        let last = self.last.last_mut().map_or(0, |last| std::mem::replace(last, id));
        match id - last {
            step @ 1..=15 => self.out.push((step as u8) << 4 | ty),
            _ => {
                self.out.push(ty);
                varint(&mut self.out, zigzag(i64::from(id)));
            }
        }
    }

    fn int(&mut self, id: i16, ty: u8, value: i64) {
        self.field(id, ty);
        varint(&mut self.out, zigzag(value));
    }

    fn i32(&mut self, id: i16, value: i32) {
        self.int(id, I32, i64::from(value));
    }

    fn i64(&mut self, id: i16, value: i64) {
        self.int(id, I64, value);
    }

    fn flag(&mut self, id: i16, value: bool) {
        self.field(id, if value { TRUE } else { FALSE });
    }

    fn binary(&mut self, id: i16, bytes: &[u8]) {
        self.field(id, BINARY);
        self.bytes(bytes);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        varint(&mut self.out, bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn list(&mut self, id: i16, ty: u8, len: usize) {
        self.field(id, LIST);
        if len < 15 {
            self.out.push((len as u8) << 4 | ty);
        } else {
            self.out.push(0xf0 | ty);
            varint(&mut self.out, len as u64);
        }
    }

    /// A structure as a field.
    fn inner(&mut self, id: i16, fields: impl FnOnce(&mut Thrift)) {
        self.field(id, STRUCT);
        self.element(fields);
    }

    /// A structure as an element of a list.
    fn element(&mut self, fields: impl FnOnce(&mut Thrift)) {
        self.last.push(0);
        fields(self);
        self.out.push(0);
        self.last.pop();
    }

    fn end(mut self) -> Vec<u8> {
        self.out.push(0);
        self.out
    }
}

/// What a page header says besides sizes.
#[derive(Clone, Copy)]
pub(super) enum PageHead {
    Data { rows: usize, encoding: i32 },
    Dictionary { values: usize },
}

fn size(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// `PageHeader`. `stored` is what the data takes in the file, encrypted.
pub(super) fn page_header(head: &PageHead, plain: usize, stored: usize) -> Vec<u8> {
    let mut t = Thrift::new();
    t.i32(1, if matches!(head, PageHead::Data { .. }) { 0 } else { 2 });
    t.i32(2, size(plain));
    t.i32(3, size(stored));
    match head {
        PageHead::Data { rows, encoding } => t.inner(5, |t| {
            t.i32(1, size(*rows));
            t.i32(2, *encoding);
            t.i32(3, RLE);
            t.i32(4, RLE);
        }),
        PageHead::Dictionary { values } => t.inner(7, |t| {
            t.i32(1, size(*values));
            t.i32(2, PLAIN);
        }),
    }
    t.end()
}

/// `OffsetIndex`.
pub(super) fn offset_index(pages: &[Page]) -> Vec<u8> {
    let mut t = Thrift::new();
    t.list(1, STRUCT, pages.len());
    for page in pages {
        t.element(|t| {
            t.i64(1, page.offset.cast_signed());
            t.i32(2, page.length.cast_signed());
            t.i64(3, i64::from(page.first_row));
        });
    }
    t.end()
}

/// `FileCryptoMetaData`: AES-GCM for everything, the file's unique bytes, no prefix.
pub(super) fn crypto(unique: &[u8; UNIQUE_BYTES]) -> Vec<u8> {
    let mut t = Thrift::new();
    t.inner(1, |t| {
        t.inner(1, |t| {
            t.binary(2, unique);
            t.flag(3, false);
        })
    });
    t.end()
}

/// A column in a row group, as the footer tells it.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) values: i64,
    pub(super) encodings: BTreeSet<i32>,
    pub(super) plain_bytes: i64,
    pub(super) stored_bytes: i64,
    pub(super) first_page: i64,
    pub(super) dictionary: Option<i64>,
    pub(super) offset_index: Span,
}

/// A row group, as the footer tells it.
pub(super) struct GroupMeta {
    pub(super) rows: i64,
    pub(super) chunks: Vec<Chunk>,
}

fn physical(ty: Type) -> i32 {
    match ty {
        Type::U8 | Type::U16 | Type::U32 => 1,
        Type::U64 | Type::Time => 2,
        Type::Id | Type::Addr => 7,
        Type::Text | Type::Bytes => 6,
    }
}

fn schema_element(t: &mut Thrift, field: &Field) {
    t.i32(1, physical(field.ty));
    if physical(field.ty) == 7 {
        t.i32(2, 16);
    }
    // Required, or optional.
    t.i32(3, i32::from(field.nullable));
    t.binary(4, field.name.as_bytes());
    let bits = match field.ty {
        Type::U8 => 8,
        Type::U16 => 16,
        Type::U32 => 32,
        Type::U64 => 64,
        Type::Time => {
            t.i32(6, 9);
            // TimestampType: adjusted to UTC, milliseconds.
            t.inner(10, |t| {
                t.inner(8, |t| {
                    t.flag(1, true);
                    t.inner(2, |t| t.inner(1, |_| {}));
                })
            });
            return;
        }
        Type::Text => {
            // UTF8, and StringType.
            t.i32(6, 0);
            t.inner(10, |t| t.inner(1, |_| {}));
            return;
        }
        _ => return,
    };
    // UINT_8 to UINT_64 are 11 to 14.
    t.i32(
        6,
        match bits {
            8 => 11,
            16 => 12,
            32 => 13,
            _ => 14,
        },
    );
    t.inner(10, |t| {
        t.inner(10, |t| {
            t.field(1, I8);
            t.out.push(bits);
            t.flag(2, false);
        })
    });
}

fn chunk_meta(t: &mut Thrift, field: &Field, chunk: &Chunk) {
    t.i32(1, physical(field.ty));
    t.list(2, I32, chunk.encodings.len());
    chunk.encodings.iter().for_each(|e| varint(&mut t.out, zigzag(i64::from(*e))));
    t.list(3, BINARY, 1);
    t.bytes(field.name.as_bytes());
    t.i32(4, ZSTD);
    t.i64(5, chunk.values);
    t.i64(6, chunk.plain_bytes);
    t.i64(7, chunk.stored_bytes);
    t.i64(9, chunk.first_page);
    if let Some(dictionary) = chunk.dictionary {
        t.i64(11, dictionary);
    }
}

fn group_meta(t: &mut Thrift, kind: Kind, ordinal: usize, group: &GroupMeta) {
    t.list(1, STRUCT, group.chunks.len());
    for (field, chunk) in kind.spec().fields.iter().zip(&group.chunks) {
        t.element(|t| {
            t.i64(2, 0);
            t.inner(3, |t| chunk_meta(t, field, chunk));
            t.i64(4, chunk.offset_index.offset.cast_signed());
            t.i32(5, chunk.offset_index.length.cast_signed());
            // ColumnCryptoMetaData: encrypted with the footer's key.
            t.inner(8, |t| t.inner(1, |_| {}));
        });
    }
    t.i64(2, group.chunks.iter().map(|c| c.plain_bytes).sum());
    t.i64(3, group.rows);
    let first = group.chunks.first().map_or(0, |c| c.dictionary.unwrap_or(c.first_page));
    t.i64(5, first);
    t.i64(6, group.chunks.iter().map(|c| c.stored_bytes).sum());
    t.int(7, I16, ordinal as i64);
}

/// `FileMetaData`.
pub(super) fn footer(kind: Kind, rows: usize, groups: &[GroupMeta]) -> Vec<u8> {
    let fields = kind.spec().fields;
    let mut t = Thrift::new();
    t.i32(1, 1);
    t.list(2, STRUCT, fields.len() + 1);
    t.element(|t| {
        t.binary(4, b"weir");
        t.i32(5, size(fields.len()));
    });
    fields.iter().for_each(|field| t.element(|t| schema_element(t, field)));
    t.i64(3, rows as i64);
    t.list(4, STRUCT, groups.len());
    for (ordinal, group) in groups.iter().enumerate() {
        t.element(|t| group_meta(t, kind, ordinal, group));
    }
    t.list(5, STRUCT, 1);
    t.element(|t| {
        t.binary(1, KIND_KEY.as_bytes());
        t.binary(2, kind_mark(kind).as_bytes());
    });
    t.binary(6, b"weir");
    t.end()
}
