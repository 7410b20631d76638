//! Columns as encrypted pages.

use weir_base::crypto::{Aead, NONCE_BYTES, Secret, TAG_BYTES, random};

use super::meta::{self, Chunk, PageHead};
use super::values::{self, Few, Part, Values};
use super::{all_fixed, encode, is_text, levels, texts};
use crate::field::{Field, Type};
use crate::kind::Kind;
use crate::limits::{LONG_PAGE_ROWS, PAGE_ROWS_MAX};
use crate::parquet::ParquetFailure;
use crate::parquet::layout::{Layout, ZSTD_LEVEL, layout, level};
use crate::parquet::map::{Column, Page, Span};
use crate::parquet::module::{LENGTH_BYTES, Module, Ordinals, UNIQUE_BYTES, aad};

use ::parquet::basic::Encoding;

/// Nonces drawn from the operating system at once.
const NONCES: usize = 128;

/// How the values of a column's pages are written.
enum Form {
    /// No row has a value.
    Absent,
    /// One value for all rows.
    Constant,
    /// Each value, of one or two bytes, has a number.
    Few { number: Vec<u8>, width: u32 },
    /// Each text has a number: those of all rows that have a value.
    Names { numbers: Vec<u32>, width: u32 },
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
    fixed: Vec<[u8; 16]>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Pages {
    /// A file of so many rows with so many bytes of texts.
    pub(super) fn new(key: &Secret, rows: usize, texts: usize) -> Pages {
        // About what they will take.
        let mut out = Vec::with_capacity(rows * 9 + texts / 8 + 16_384);
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
            fixed: Vec::new(),
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
        (kind, field): (Kind, &Field),
        parts: &[Part<'_>],
        group: u16,
        number: u16,
    ) -> Result<(Column, Chunk), ParquetFailure> {
        let rows: usize = parts.iter().map(|part| part.rows).sum();
        let mut chunk = Chunk { values: rows as i64, ..Chunk::default() };
        let at = Ordinals { group, column: number, page: 0 };
        self.zstd.set_compression_level(level(kind, field)).map_err(|e| ParquetFailure::Encode(e.to_string()))?;
        let (form, dictionary) = self.form((kind, field), parts, at, &mut chunk)?;
        let page_rows = match &form {
            // One value is all there is of many rows, but whoever wants one row of them gets them all.
            Form::Constant if all_fixed(kind) => PAGE_ROWS_MAX,
            Form::Constant | Form::Absent => LONG_PAGE_ROWS,
            Form::Few { .. } | Form::Names { .. } => layout(kind, field).page_rows,
            Form::Laid(layout) => layout.page_rows,
        };
        if field.nullable {
            chunk.encodings.insert(meta::RLE);
        }
        chunk.first_page = self.out.len() as i64;
        let mut pages = Vec::with_capacity(rows.div_ceil(page_rows));
        // Rows, and values, of the parts before.
        let (mut before, mut used) = (0, 0);
        for part in parts {
            let mut from = 0;
            while from < part.rows {
                // Parts begin at multiples of all pages' rows. A page of long texts ends early, and the one after it ends where it would have.
                let mut to = part.rows.min((from / page_rows + 1) * page_rows);
                if matches!(form, Form::Laid(_)) && is_text(field.ty) {
                    to = texts::page_end(part, from, to);
                }
                self.plain.clear();
                if field.nullable {
                    levels::levels(part.nulls, from, to, &mut self.plain);
                }
                let encoding = self.encode(field, part, &form, (from, to), &mut used);
                chunk.encodings.insert(encoding);
                let at = Ordinals { page: u16::try_from(pages.len()).unwrap_or(u16::MAX), ..at };
                let span = self.page(PageHead::Data { rows: to - from, encoding }, at, &mut chunk)?;
                let first_row = u32::try_from(before + from).unwrap_or(u32::MAX);
                pages.push(Page { offset: span.offset, length: span.length, first_row });
                from = to;
            }
            before += part.rows;
        }
        Ok((Column { dictionary, first_page: 0, end_row: u32::try_from(rows).unwrap_or(u32::MAX), pages }, chunk))
    }

    /// Chooses how the values are written; writes the dictionary if there is one.
    fn form(
        &mut self,
        (kind, field): (Kind, &Field),
        parts: &[Part<'_>],
        at: Ordinals,
        chunk: &mut Chunk,
    ) -> Result<(Form, Option<Span>), ParquetFailure> {
        let mut laid = layout(kind, field);
        self.plain.clear();
        let (form, count) = if parts.iter().all(Part::is_absent) {
            return Ok((Form::Absent, None));
        } else if let Some(value) = values::constant(parts) {
            self.plain.extend(value);
            (Form::Constant, 1)
        } else if let Some((Few { known, number }, width)) = self.few(parts, laid)? {
            known.iter().for_each(|v| self.plain.extend(v.to_le_bytes()));
            (Form::Few { number, width }, known.len())
        } else if let Some(names) = (is_text(field.ty) && laid.dictionary).then(|| texts::names(parts)).flatten() {
            self.plain.extend_from_slice(&names.plain);
            (Form::Names { numbers: names.numbers, width: width(names.count) }, names.count)
        } else {
            if let Some(Part { values: Values::Fixed(fixed), .. }) = parts.first()
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

    /// The few values of a column, and how many bits a number of theirs has; none if they are many. Of ports none, too, if the first page takes less split by
    /// byte: where they repeat in an order that a compressor finds.
    fn few(&mut self, parts: &[Part<'_>], laid: Layout) -> Result<Option<(Few, u32)>, ParquetFailure> {
        let Some(few) = values::few(parts, laid.dictionary) else { return Ok(None) };
        let mut bits = width(few.known.len());
        if let Some(Part { values: Values::Shorts(ports), nulls: None, .. }) = parts.first() {
            let first = &ports[..ports.len().min(laid.page_rows)];
            let indices: Vec<u32> = first.iter().map(|port| u32::from(few.number[usize::from(*port)])).collect();
            let numbers: Vec<u64> = first.iter().map(|port| u64::from(*port)).collect();
            let (mut tight, mut wide, mut split) = (Vec::new(), Vec::new(), Vec::new());
            encode::indices(&indices, bits, &mut tight);
            // A byte each: more to compress, and what comes again lies as it lay before.
            encode::indices(&indices, u8::BITS, &mut wide);
            encode::split(&numbers, 4, &mut split);
            let (tight, wide, split) = (self.packed_len(&tight)?, self.packed_len(&wide)?, self.packed_len(&split)?);
            if split <= tight.min(wide) {
                return Ok(None);
            }
            if wide < tight {
                bits = u8::BITS;
            }
        }
        Ok(Some((few, bits)))
    }

    /// Bytes of a page's data when they are compressed.
    fn packed_len(&mut self, plain: &[u8]) -> Result<usize, ParquetFailure> {
        self.zstd.compress(plain).map(|packed| packed.len()).map_err(|e| ParquetFailure::Encode(e.to_string()))
    }

    /// True if the first page of a column takes less split by byte than whole. Addresses of a few networks do, those from everywhere do not.
    fn splits_well(&mut self, first: &[[u8; 16]]) -> Result<bool, ParquetFailure> {
        let mut split = Vec::with_capacity(first.len() * 16);
        encode::split16(first, &mut split);
        Ok(self.packed_len(&split)? < self.packed_len(first.as_flattened())?)
    }

    /// The values of rows `from..to` behind what stands in `self.plain`; gives the encoding. Of texts with numbers so many are `used` already.
    fn encode(&mut self, field: &Field, part: &Part<'_>, form: &Form, (from, to): (usize, usize), used: &mut usize) -> i32 {
        match (form, &part.values) {
            (Form::Absent, _) => meta::PLAIN,
            (Form::Constant, _) => {
                encode::run(to - from, &mut self.plain);
                meta::RLE_DICTIONARY
            }
            (Form::Few { number, width }, Values::Bytes(bytes)) => {
                let indices: Vec<u32> = part.valid(from, to).map(|i| u32::from(number[usize::from(bytes[i])])).collect();
                encode::indices(&indices, *width, &mut self.plain);
                meta::RLE_DICTIONARY
            }
            (Form::Few { number, width }, Values::Shorts(shorts)) => {
                let indices: Vec<u32> = part.valid(from, to).map(|i| u32::from(number[usize::from(shorts[i])])).collect();
                encode::indices(&indices, *width, &mut self.plain);
                meta::RLE_DICTIONARY
            }
            (Form::Names { numbers, width }, _) => {
                let count = part.count(from, to);
                encode::indices(&numbers[*used..*used + count], *width, &mut self.plain);
                *used += count;
                meta::RLE_DICTIONARY
            }
            (_, Values::Texts(..)) => {
                texts::plain(part, from, to, &mut self.plain);
                meta::PLAIN
            }
            (_, Values::Fixed(fixed)) => {
                self.fixed.clear();
                let fixed = if part.nulls.is_some() {
                    self.fixed.extend(part.valid(from, to).map(|i| fixed[i]));
                    self.fixed.as_slice()
                } else {
                    &fixed[from..to]
                };
                if matches!(form, Form::Laid(layout) if layout.encoding == Encoding::PLAIN) {
                    self.plain.extend_from_slice(fixed.as_flattened());
                    return meta::PLAIN;
                }
                encode::split16(fixed, &mut self.plain);
                meta::BYTE_STREAM_SPLIT
            }
            (Form::Laid(layout), _) if layout.encoding == Encoding::DELTA_BINARY_PACKED => {
                part.numbers(from, to, &mut self.numbers);
                let short = !matches!(field.ty, Type::U64 | Type::Time);
                encode::delta(&self.numbers, short, &mut self.plain);
                meta::DELTA_BINARY_PACKED
            }
            _ => {
                part.numbers(from, to, &mut self.numbers);
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

/// Bits of a number below `count`, at least one.
fn width(count: usize) -> u32 {
    (usize::BITS - count.saturating_sub(1).leading_zeros()).max(1)
}
