//! Columns as encrypted pages.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::crypto::{Aead, NONCE_BYTES, Secret, TAG_BYTES, random};

use super::encode;
use super::meta::{self, Chunk, PageHead};
use crate::field::{Field, Type};
use crate::kind::Kind;
use crate::limits::PAGE_ROWS_MAX;
use crate::parquet::ParquetFailure;
use crate::parquet::layout::{Layout, ZSTD_LEVEL, layout};
use crate::parquet::map::{Column, Page, Span};
use crate::parquet::module::{LENGTH_BYTES, Module, Ordinals, UNIQUE_BYTES, aad};

use ::parquet::basic::Encoding;

/// Distinct values up to which a column of single bytes has a dictionary.
const FEW: usize = 16;

/// Nonces drawn from the operating system at once.
const NONCES: usize = 128;

/// Values of one column.
enum Values<'a> {
    Bytes(&'a [u8]),
    Shorts(&'a [u16]),
    Words(&'a [u32]),
    Longs(&'a [u64]),
    Times(&'a [i64]),
    Fixed(&'a [[u8; 16]]),
}

impl<'a> Values<'a> {
    fn of(field: &Field, column: &'a ArrayRef) -> Result<Values<'a>, ParquetFailure> {
        Ok(match field.ty {
            Type::U8 => Values::Bytes(column.as_primitive::<UInt8Type>().values()),
            Type::U16 => Values::Shorts(column.as_primitive::<UInt16Type>().values()),
            Type::U32 => Values::Words(column.as_primitive::<UInt32Type>().values()),
            Type::U64 => Values::Longs(column.as_primitive::<UInt64Type>().values()),
            Type::Time => Values::Times(column.as_primitive::<TimestampMillisecondType>().values()),
            Type::Id | Type::Addr => {
                let column = column.as_fixed_size_binary();
                Values::Fixed(column.value_data()[column.offset() * 16..(column.offset() + column.len()) * 16].as_chunks::<16>().0)
            }
            Type::Text | Type::Bytes => return Err(ParquetFailure::Encode("a column without a fixed size".to_owned())),
        })
    }

    fn len(&self) -> usize {
        match self {
            Values::Bytes(v) => v.len(),
            Values::Shorts(v) => v.len(),
            Values::Words(v) => v.len(),
            Values::Longs(v) => v.len(),
            Values::Times(v) => v.len(),
            Values::Fixed(v) => v.len(),
        }
    }

    /// The value of all rows as a plain value; none if they differ.
    fn constant(&self) -> Option<Vec<u8>> {
        fn one<T: Copy + PartialEq>(values: &[T]) -> Option<T> {
            let (first, rest) = values.split_first()?;
            (rest.last().is_none_or(|v| v == first) && rest.iter().all(|v| v == first)).then_some(*first)
        }
        match self {
            Values::Bytes(v) => one(v).map(|v| u32::from(v).to_le_bytes().to_vec()),
            Values::Shorts(v) => one(v).map(|v| u32::from(v).to_le_bytes().to_vec()),
            Values::Words(v) => one(v).map(|v| v.to_le_bytes().to_vec()),
            Values::Longs(v) => one(v).map(|v| v.to_le_bytes().to_vec()),
            Values::Times(v) => one(v).map(|v| v.to_le_bytes().to_vec()),
            Values::Fixed(v) => one(v).map(|v| v.to_vec()),
        }
    }

    /// Some of the values as numbers; none are for values of 16 bytes.
    fn numbers(&self, from: usize, to: usize, out: &mut Vec<u64>) {
        out.clear();
        match self {
            Values::Bytes(v) => out.extend(v[from..to].iter().map(|v| u64::from(*v))),
            Values::Shorts(v) => out.extend(v[from..to].iter().map(|v| u64::from(*v))),
            Values::Words(v) => out.extend(v[from..to].iter().map(|v| u64::from(*v))),
            Values::Longs(v) => out.extend_from_slice(&v[from..to]),
            Values::Times(v) => out.extend(v[from..to].iter().map(|v| v.cast_unsigned())),
            Values::Fixed(_) => {}
        }
    }
}

/// How the values of a column's pages are written.
enum Form {
    /// One value for all rows.
    Constant,
    /// Each value of a byte has a number.
    Few { number: Box<[u8; 256]>, width: u32 },
    /// As the layout says.
    Laid(Layout),
}

/// A file under construction: all bytes so far.
pub(super) struct Pages {
    out: Vec<u8>,
    aead: Aead,
    unique: [u8; UNIQUE_BYTES],
    nonces: Box<[u8; NONCES * NONCE_BYTES]>,
    nonces_used: usize,
    zstd: zstd::bulk::Compressor<'static>,
    numbers: Vec<u64>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Pages {
    pub(super) fn new(key: &Secret, rows: usize) -> Pages {
        let mut out = Vec::with_capacity(rows * 9 + 16_384);
        out.extend(b"PARE");
        Pages {
            out,
            aead: key.aead(),
            unique: random(),
            nonces: Box::new([0; NONCES * NONCE_BYTES]),
            nonces_used: NONCES,
            // Cannot fail but for want of memory, for which there is no way on.
            zstd: zstd::bulk::Compressor::new(ZSTD_LEVEL).expect("memory for a compressor"),
            numbers: Vec::new(),
            plain: Vec::new(),
            packed: Vec::new(),
        }
    }

    pub(super) fn unique(&self) -> [u8; UNIQUE_BYTES] {
        self.unique
    }

    /// A module: length, nonce, ciphertext, tag. Gives the bytes it takes.
    fn module(&mut self, kind: Module, at: Ordinals, plain: &[u8]) -> usize {
        if self.nonces_used == NONCES {
            *self.nonces = random();
            self.nonces_used = 0;
        }
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&self.nonces[self.nonces_used * NONCE_BYTES..][..NONCE_BYTES]);
        self.nonces_used += 1;
        let from = self.out.len();
        let len = u32::try_from(NONCE_BYTES + plain.len() + TAG_BYTES).unwrap_or(u32::MAX);
        self.out.extend(len.to_le_bytes());
        self.out.extend(nonce);
        let (aad, aad_len) = aad(&self.unique, kind, at);
        self.aead.seal_onto(nonce, &aad[..aad_len], plain, &mut self.out);
        self.out.len() - from
    }

    /// The plain data in `self.plain`, compressed, as a page. Gives where it is, and adds to the sizes of the chunk.
    fn page(&mut self, head: PageHead, at: Ordinals, chunk: &mut Chunk) -> Result<Span, ParquetFailure> {
        let failed = |e: std::io::Error| ParquetFailure::Encode(e.to_string());
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        self.zstd.compress_to_buffer(&self.plain, &mut self.packed).map_err(failed)?;
        let stored = LENGTH_BYTES + NONCE_BYTES + self.packed.len() + TAG_BYTES;
        let header = meta::page_header(&head, self.plain.len(), stored);
        let offset = self.out.len() as u64;
        let (header_kind, data_kind) = match head {
            PageHead::Dictionary { .. } => (Module::DictionaryPageHeader, Module::DictionaryPage),
            PageHead::Data { .. } => (Module::DataPageHeader, Module::DataPage),
        };
        let header_len = self.module(header_kind, at, &header);
        let packed = std::mem::take(&mut self.packed);
        let data_len = self.module(data_kind, at, &packed);
        self.packed = packed;
        chunk.plain_bytes += (header.len() + self.plain.len()) as i64;
        chunk.stored_bytes += (header_len + data_len) as i64;
        Ok(Span { offset, length: u32::try_from(header_len + data_len).unwrap_or(u32::MAX) })
    }

    /// One column of a row group.
    pub(super) fn column(
        &mut self,
        kind: Kind,
        field: &Field,
        column: &ArrayRef,
        group: u16,
        number: u16,
    ) -> Result<(Column, Chunk), ParquetFailure> {
        let values = Values::of(field, column)?;
        let rows = values.len();
        let mut chunk = Chunk { values: rows as i64, ..Chunk::default() };
        let at = Ordinals { group, column: number, page: 0 };
        let (form, dictionary) = self.form(kind, field, &values, at, &mut chunk)?;
        let page_rows = match &form {
            Form::Constant => PAGE_ROWS_MAX,
            Form::Few { .. } => layout(kind, field).page_rows,
            Form::Laid(layout) => layout.page_rows,
        };
        chunk.first_page = self.out.len() as i64;
        let mut pages = Vec::with_capacity(rows.div_ceil(page_rows));
        let mut from = 0;
        while from < rows {
            let to = rows.min(from + page_rows);
            let encoding = self.encode(field, &values, &form, from, to);
            chunk.encodings.insert(encoding);
            let at = Ordinals { page: u16::try_from(pages.len()).unwrap_or(u16::MAX), ..at };
            let span = self.page(PageHead::Data { rows: to - from, encoding }, at, &mut chunk)?;
            pages.push(Page { offset: span.offset, length: span.length, first_row: u32::try_from(from).unwrap_or(u32::MAX) });
            from = to;
        }
        Ok((Column { dictionary, first_page: 0, end_row: u32::try_from(rows).unwrap_or(u32::MAX), pages }, chunk))
    }

    /// Chooses how the values are written; writes the dictionary if there is one.
    fn form(
        &mut self,
        kind: Kind,
        field: &Field,
        values: &Values<'_>,
        at: Ordinals,
        chunk: &mut Chunk,
    ) -> Result<(Form, Option<Span>), ParquetFailure> {
        self.plain.clear();
        let (form, count) = if let Some(value) = values.constant() {
            self.plain.extend(value);
            (Form::Constant, 1)
        } else if let Values::Bytes(bytes) = values
            && let Some((known, number)) = few(bytes)
        {
            known.iter().for_each(|v| self.plain.extend(u32::from(*v).to_le_bytes()));
            let width = usize::BITS - (known.len() - 1).leading_zeros();
            (Form::Few { number, width }, known.len())
        } else {
            let mut laid = layout(kind, field);
            if let Values::Fixed(fixed) = values
                && laid.encoding == Encoding::PLAIN
                && self.splits_well(&fixed[..fixed.len().min(laid.page_rows)])?
            {
                laid.encoding = Encoding::BYTE_STREAM_SPLIT;
            }
            return Ok((Form::Laid(laid), None));
        };
        chunk.dictionary = Some(self.out.len() as i64);
        chunk.encodings.insert(meta::PLAIN);
        let span = self.page(PageHead::Dictionary { values: count }, at, chunk)?;
        Ok((form, Some(span)))
    }

    /// True if the first page of a column takes less split by byte than whole. Addresses of a few networks do, those from everywhere do not.
    fn splits_well(&mut self, first: &[[u8; 16]]) -> Result<bool, ParquetFailure> {
        let mut split = Vec::with_capacity(first.len() * 16);
        encode::split16(first, &mut split);
        let mut packed = |plain: &[u8]| self.zstd.compress(plain).map_err(|e| ParquetFailure::Encode(e.to_string()));
        Ok(packed(&split)?.len() < packed(first.as_flattened())?.len())
    }

    /// Rows `from..to` into `self.plain`; gives the encoding.
    fn encode(&mut self, field: &Field, values: &Values<'_>, form: &Form, from: usize, to: usize) -> i32 {
        self.plain.clear();
        match (form, values) {
            (Form::Constant, _) => {
                encode::run(to - from, &mut self.plain);
                meta::RLE_DICTIONARY
            }
            (Form::Few { number, width }, Values::Bytes(bytes)) => {
                let indices: Vec<u8> = bytes[from..to].iter().map(|b| number[usize::from(*b)]).collect();
                encode::indices(&indices, *width, &mut self.plain);
                meta::RLE_DICTIONARY
            }
            (Form::Laid(layout), Values::Fixed(fixed)) if layout.encoding == Encoding::PLAIN => {
                self.plain.extend_from_slice(fixed[from..to].as_flattened());
                meta::PLAIN
            }
            (_, Values::Fixed(fixed)) => {
                encode::split16(&fixed[from..to], &mut self.plain);
                meta::BYTE_STREAM_SPLIT
            }
            (Form::Laid(layout), _) if layout.encoding == Encoding::DELTA_BINARY_PACKED => {
                values.numbers(from, to, &mut self.numbers);
                let short = !matches!(field.ty, Type::U64 | Type::Time);
                encode::delta(&self.numbers, short, &mut self.plain);
                meta::DELTA_BINARY_PACKED
            }
            _ => {
                values.numbers(from, to, &mut self.numbers);
                let width = if matches!(field.ty, Type::U64 | Type::Time) { 8 } else { 4 };
                encode::split(&self.numbers, width, &mut self.plain);
                meta::BYTE_STREAM_SPLIT
            }
        }
    }

    /// The offset index of one column; gives where it is.
    pub(super) fn offset_index(&mut self, group: u16, column: u16, pages: &[Page]) -> Span {
        let offset = self.out.len() as u64;
        let length = self.module(Module::OffsetIndex, Ordinals { group, column, page: 0 }, &meta::offset_index(pages));
        Span { offset, length: u32::try_from(length).unwrap_or(u32::MAX) }
    }

    /// Ends the file.
    pub(super) fn finish(mut self, footer: &[u8]) -> Vec<u8> {
        let from = self.out.len();
        let head = meta::crypto(&self.unique);
        self.out.extend(head);
        self.module(Module::Footer, Ordinals::default(), footer);
        let len = u32::try_from(self.out.len() - from).unwrap_or(u32::MAX);
        self.out.extend(len.to_le_bytes());
        self.out.extend(b"PARE");
        self.out
    }
}

/// The few values there are, and the number of each; none if there are many.
fn few(bytes: &[u8]) -> Option<(Vec<u8>, Box<[u8; 256]>)> {
    let mut seen = [false; 256];
    bytes.iter().for_each(|b| seen[usize::from(*b)] = true);
    let known: Vec<u8> = (0..=255u8).filter(|b| seen[usize::from(*b)]).collect();
    if known.len() > FEW {
        return None;
    }
    let mut number = Box::new([0; 256]);
    known.iter().zip(0u8..).for_each(|(b, n)| number[usize::from(*b)] = n);
    Some((known, number))
}
