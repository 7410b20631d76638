//! The writer of units: each column goes once through an encoder and the compressor, straight from its Arrow buffers into the encrypted page. How
//! values are laid out is in `docs/formats/unit.md`; the general writer of the `parquet` crate makes files of the same format and is kept to
//! measure other layouts with.

mod encode;
mod levels;
mod meta;
mod pages;
mod texts;
mod values;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use weir_base::crypto::Secret;

use self::meta::{Chunk, GroupMeta};
use self::pages::Pages;
use self::values::Part;
use super::ParquetFailure;
use super::map::{Column, Group, PageMap};
use super::write::{Written, chunks, group_rows};
use crate::field::Type;
use crate::kind::Kind;
use crate::limits::{LONG_PAGE_ROWS, ORDINALS, PAGE_ROWS};

/// Rows of a row group of fields of fixed size: as many pages of the shortest kind as there are ordinals.
const GROUP_ROWS: usize = (ORDINALS - 1) * PAGE_ROWS;

/// True for kinds whose fields all have a fixed size and a value in every row. Their constant columns have longer pages.
fn all_fixed(kind: Kind) -> bool {
    kind.spec().fields.iter().all(|f| !f.nullable && f.ty.fixed_len().is_some())
}

/// Rows of `batches`, which have the columns of `kind`, one after the other, as one encrypted file.
pub(super) fn write(kind: Kind, batches: &[RecordBatch], key: &Secret) -> Result<Written, ParquetFailure> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut pieces = Vec::new();
    let group_rows = if all_fixed(kind) {
        match batches {
            [one] => pieces.push(one.clone()),
            many => pieces.push(concat_batches(&kind.schema(), many).map_err(|e| ParquetFailure::Encode(e.to_string()))?),
        }
        GROUP_ROWS
    } else {
        // Never all texts in one column: its ends are numbers of 31 bits.
        chunks(batches, LONG_PAGE_ROWS, |piece| {
            pieces.push(piece.clone());
            Ok(())
        })?;
        group_rows(kind, batches)
    };
    let mut pages = Pages::new(key, rows, pieces.iter().map(text_bytes).sum());
    let mut groups = Vec::new();
    let mut metas = Vec::new();
    let mut first_row = 0;
    while first_row < rows {
        let len = group_rows.min(rows - first_row);
        let ordinal = u16::try_from(groups.len()).unwrap_or(u16::MAX);
        let (group, meta) = write_group(kind, &between(&pieces, first_row, len), ordinal, first_row as u64, &mut pages)?;
        groups.push(group);
        metas.push(meta);
        first_row += len;
    }
    for (group, meta) in groups.iter().zip(&mut metas) {
        for (number, (column, chunk)) in group.columns.iter().zip(&mut meta.chunks).enumerate() {
            chunk.offset_index = pages.offset_index(group.ordinal, u16::try_from(number).unwrap_or(u16::MAX), &column.pages);
        }
    }
    let footer = meta::footer(kind, rows, &metas);
    let unique = pages.unique();
    Ok(Written { bytes: pages.finish(&footer), map: PageMap { unique, groups } })
}

/// Bytes of the texts of a batch, those of its buffers: no more than room is made by them.
fn text_bytes(batch: &RecordBatch) -> usize {
    let bytes = batch.columns().iter().map(|column| match (column.as_string_opt::<i32>(), column.as_binary_opt::<i32>()) {
        (Some(texts), _) => span(texts.value_offsets()),
        (_, Some(bytes)) => span(bytes.value_offsets()),
        _ => 0,
    });
    bytes.sum()
}

fn span(offsets: &[i32]) -> usize {
    let ends = offsets.first().zip(offsets.last());
    ends.and_then(|(first, last)| usize::try_from(last - first).ok()).unwrap_or(0)
}

/// So many rows of the pieces from one on.
fn between(pieces: &[RecordBatch], first: usize, len: usize) -> Vec<RecordBatch> {
    let (mut out, mut at) = (Vec::new(), 0);
    for piece in pieces {
        let (from, to) = (first.max(at), (first + len).min(at + piece.num_rows()));
        if from < to {
            out.push(piece.slice(from - at, to - from));
        }
        at += piece.num_rows();
    }
    out
}

fn write_group(
    kind: Kind,
    pieces: &[RecordBatch],
    ordinal: u16,
    first_row: u64,
    pages: &mut Pages,
) -> Result<(Group, GroupMeta), ParquetFailure> {
    let mut columns: Vec<Column> = Vec::new();
    let mut chunks: Vec<Chunk> = Vec::new();
    for (number, field) in kind.spec().fields.iter().enumerate() {
        let parts: Vec<Part<'_>> = pieces.iter().map(|piece| Part::of(field, piece.column(number))).collect();
        let (column, chunk) = pages.column((kind, field), &parts, ordinal, u16::try_from(number).unwrap_or(u16::MAX))?;
        columns.push(column);
        chunks.push(chunk);
    }
    let rows = pieces.iter().map(RecordBatch::num_rows).sum::<usize>();
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    Ok((Group { ordinal, first_row, rows, columns }, GroupMeta { rows: i64::from(rows), chunks }))
}

/// True for columns of texts and bytes.
fn is_text(ty: Type) -> bool {
    matches!(ty, Type::Text | Type::Bytes)
}
