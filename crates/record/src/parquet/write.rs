//! Writing a unit's file.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::encryption::encrypt::FileEncryptionProperties;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use ::parquet::schema::types::ColumnPath;
use weir_base::crypto::Secret;

use super::layout::{Layout, ZSTD_LEVEL, level};
use super::map::PageMap;
use super::{ParquetFailure, direct};
use crate::field::{Field, Type};
use crate::kind::Kind;
use crate::limits::{DICTIONARY_BYTES, LONG_PAGE_ROWS, ORDINALS, PAGE_ROWS, TEXT_PAGE_BYTES};

/// Key in the footer's metadata whose value names kind and version.
pub(super) const KIND_KEY: &str = "weir.kind";

/// What names a kind and its version in a footer, for example `nat_mapping/1`.
pub(super) fn kind_mark(kind: Kind) -> String {
    format!("{}/{}", kind.name(), kind.spec().version)
}

/// A written file.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file.
    pub bytes: Vec<u8>,
    /// Where its pages are.
    pub map: PageMap,
}

/// Rows of `batches`, one after the other, as one file encrypted under `key` as a whole (Parquet modular encryption, uniform, AES-256-GCM,
/// no prefix of the associated data).
///
/// The boundaries of batches leave no trace: pages and row groups are cut by row number alone. Repacking is therefore a call with the
/// batches of several units, one unit after the other; no row, order or value changes. There is one row group unless a column would need
/// more than 32,767 pages.
///
/// # Errors
/// [`ParquetFailure::Batch`] if a batch has other columns than its kind, [`ParquetFailure::Encode`] if the encoder fails.
pub fn write(kind: Kind, batches: &[RecordBatch], key: &Secret) -> Result<Written, ParquetFailure> {
    check(kind, batches)?;
    direct::write(kind, batches, key)
}

/// How rows are written for measurements.
#[derive(Clone, Copy)]
pub struct Tried<'a> {
    /// The key; without one nothing is encrypted.
    pub key: Option<&'a Secret>,
    /// Level of zstd.
    pub zstd: i32,
    /// Layout of each column.
    pub layout: &'a dyn Fn(&Field) -> Layout,
}

/// The general writer with another layout: the bytes of a file, for measurements.
///
/// # Errors
/// As [`write`].
pub fn write_tried(kind: Kind, batches: &[RecordBatch], tried: &Tried<'_>) -> Result<Vec<u8>, ParquetFailure> {
    check(kind, batches)?;
    let schema = kind.schema();
    let options = ArrowWriterOptions::new()
        .with_properties(properties(kind, batches, tried)?)
        // The Arrow schema follows from the kind; its copy would cost a kilobyte a file.
        .with_skip_arrow_metadata(true);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, Arc::clone(&schema), options).map_err(encode)?;
    // The crate looks at a page's limits once a call and once in so many values: whole pages a call make every page begin at a multiple of
    // its rows, whatever the batches are.
    chunks(batches, LONG_PAGE_ROWS, |chunk| writer.write(chunk).map_err(encode))?;
    writer.close().map_err(encode)?;
    Ok(bytes)
}

/// [`write`] with another layout, by the general writer.
///
/// # Errors
/// As [`write`].
pub fn write_as(kind: Kind, batches: &[RecordBatch], key: &Secret, layout: &dyn Fn(&Field) -> Layout) -> Result<Written, ParquetFailure> {
    let bytes = write_tried(kind, batches, &Tried { key: Some(key), zstd: ZSTD_LEVEL, layout })?;
    let map = PageMap::from_bytes(&bytes, key)?;
    debug_assert!(map.end() <= bytes.len() as u64);
    Ok(Written { bytes, map })
}

fn check(kind: Kind, batches: &[RecordBatch]) -> Result<(), ParquetFailure> {
    let schema = kind.schema();
    if batches.iter().any(|b| b.schema_ref() != &schema) { Err(ParquetFailure::Batch(kind)) } else { Ok(()) }
}

fn encode(error: ::parquet::errors::ParquetError) -> ParquetFailure {
    ParquetFailure::Encode(error.to_string())
}

fn properties(kind: Kind, batches: &[RecordBatch], tried: &Tried<'_>) -> Result<WriterProperties, ParquetFailure> {
    let layout = tried.layout;
    let zstd = |level| ZstdLevel::try_new(level).map(Compression::ZSTD).map_err(encode);
    let fields = kind.spec().fields;
    // The crate has one row limit for all columns, and looks at a column's own size limit after each write batch. So columns with the
    // longer pages run to the row limit, and the others are closed by the size of so many plain values. Delta-coded values are of no known
    // size: such a column can only run to the row limit.
    let most_rows = fields.iter().map(|f| layout(f).page_rows).max().unwrap_or(PAGE_ROWS);
    // No page ends within a write batch.
    let least_rows = fields.iter().map(|f| layout(f).page_rows).min().unwrap_or(PAGE_ROWS);
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(zstd(tried.zstd)?)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_write_page_header_statistics(false)
        .set_bloom_filter_enabled(false)
        .set_dictionary_enabled(false)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_write_batch_size(least_rows.min(PAGE_ROWS))
        .set_data_page_row_count_limit(most_rows)
        .set_data_page_size_limit(TEXT_PAGE_BYTES)
        .set_max_row_group_row_count(Some(group_rows(kind, batches)))
        .set_created_by("weir".to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(KIND_KEY.to_owned(), kind_mark(kind))]));
    if let Some(key) = tried.key {
        builder = builder.with_file_encryption_properties(FileEncryptionProperties::builder(key.0.to_vec()).build().map_err(encode)?);
    }
    for field in fields {
        let path = ColumnPath::from(field.name);
        let as_laid_out = layout(field);
        builder = builder.set_column_encoding(path.clone(), as_laid_out.encoding);
        builder = builder.set_column_dictionary_enabled(path.clone(), as_laid_out.dictionary);
        if tried.zstd == ZSTD_LEVEL && level(kind, field) != ZSTD_LEVEL {
            builder = builder.set_column_compression(path.clone(), zstd(level(kind, field))?);
        }
        if let Some(width) = field.ty.fixed_len() {
            let stored = if width < 4 { 4 } else { width };
            let size = if as_laid_out.page_rows < most_rows { stored * as_laid_out.page_rows } else { usize::MAX };
            builder = builder.set_column_data_page_size_limit(path, size);
        }
    }
    Ok(builder.build())
}

/// Rows of a row group such that no column needs more pages than there are ordinals.
pub(super) fn group_rows(kind: Kind, batches: &[RecordBatch]) -> usize {
    let longest = kind.spec().fields.iter().enumerate().map(|(i, f)| longest(f.ty, i, batches)).max().unwrap_or(0);
    // Half of what fits, because a page may be closed before it is full.
    let page = if longest == 0 { PAGE_ROWS } else { (TEXT_PAGE_BYTES / (longest + 4) / 2).clamp(1, PAGE_ROWS) };
    let rows = ORDINALS * page;
    (rows - rows % LONG_PAGE_ROWS).max(LONG_PAGE_ROWS)
}

/// Bytes of the longest value of a column; 0 for columns of fixed size.
fn longest(ty: Type, column: usize, batches: &[RecordBatch]) -> usize {
    let lengths = |batch: &RecordBatch| {
        let column = batch.column(column);
        let offsets = match ty {
            Type::Text => column.as_string::<i32>().value_offsets(),
            Type::Bytes => column.as_binary::<i32>().value_offsets(),
            _ => return 0,
        };
        let longest = offsets.windows(2).map(|ends| ends[1] - ends[0]).fold(0, i32::max);
        usize::try_from(longest).unwrap_or(0)
    };
    batches.iter().map(lengths).max().unwrap_or(0)
}

/// Calls `each` with the rows of `batches` in pieces of a multiple of `size` rows; only the last may be shorter. Long batches are not copied.
pub(super) fn chunks(
    batches: &[RecordBatch],
    size: usize,
    mut each: impl FnMut(&RecordBatch) -> Result<(), ParquetFailure>,
) -> Result<(), ParquetFailure> {
    let mut held: Vec<RecordBatch> = Vec::new();
    let mut rows = 0;
    for batch in batches {
        let mut at = 0;
        while at < batch.num_rows() {
            let left = batch.num_rows() - at;
            let take = if rows == 0 && left >= size { left - left % size } else { left.min(size - rows) };
            let piece = batch.slice(at, take);
            at += take;
            rows += take;
            held.push(piece);
            if rows >= size {
                flush(&mut held, &mut each)?;
                rows = 0;
            }
        }
    }
    flush(&mut held, &mut each)
}

fn flush(held: &mut Vec<RecordBatch>, each: &mut impl FnMut(&RecordBatch) -> Result<(), ParquetFailure>) -> Result<(), ParquetFailure> {
    match held.as_slice() {
        [] => {}
        [one] => each(one)?,
        [first, ..] => each(&concat_batches(first.schema_ref(), held.iter()).map_err(|e| ParquetFailure::Encode(e.to_string()))?)?,
    }
    held.clear();
    Ok(())
}
