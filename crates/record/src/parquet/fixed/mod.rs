//! The writer of kinds whose fields all have a fixed size and a value in every row: each column goes once through an encoder and the compressor,
//! straight from its Arrow buffer into the encrypted page. Files are of the same format as those of the general writer; how values are laid out is in
//! `docs/formats/unit.md`.

mod encode;
mod meta;
mod pages;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use weir_base::crypto::Secret;

use self::meta::{Chunk, GroupMeta};
use self::pages::Pages;
use super::ParquetFailure;
use super::map::{Column, Group, PageMap};
use super::write::Written;
use crate::kind::Kind;
use crate::limits::{ORDINALS, PAGE_ROWS};

/// Rows of a row group: as many pages of the shortest kind as there are ordinals.
const GROUP_ROWS: usize = (ORDINALS - 1) * PAGE_ROWS;

/// True for kinds that this writer takes.
pub(super) fn takes(kind: Kind) -> bool {
    kind.spec().fields.iter().all(|f| !f.nullable && f.ty.fixed_len().is_some())
}

/// Rows of `batches`, which have the columns of `kind`, one after the other, as one encrypted file.
pub(super) fn write(kind: Kind, batches: &[RecordBatch], key: &Secret) -> Result<Written, ParquetFailure> {
    let joined;
    let rows = match batches {
        [one] => one,
        many => {
            joined = concat_batches(&kind.schema(), many).map_err(|e| ParquetFailure::Encode(e.to_string()))?;
            &joined
        }
    };
    let mut pages = Pages::new(key, rows.num_rows());
    let mut groups = Vec::new();
    let mut metas = Vec::new();
    let mut first_row = 0;
    while first_row < rows.num_rows() {
        let len = GROUP_ROWS.min(rows.num_rows() - first_row);
        let ordinal = u16::try_from(groups.len()).unwrap_or(u16::MAX);
        let (group, meta) = write_group(kind, &rows.slice(first_row, len), ordinal, first_row as u64, &mut pages)?;
        groups.push(group);
        metas.push(meta);
        first_row += len;
    }
    for (group, meta) in groups.iter().zip(&mut metas) {
        for (number, (column, chunk)) in group.columns.iter().zip(&mut meta.chunks).enumerate() {
            chunk.offset_index = pages.offset_index(group.ordinal, u16::try_from(number).unwrap_or(u16::MAX), &column.pages);
        }
    }
    let footer = meta::footer(kind, rows.num_rows(), &metas);
    let unique = pages.unique();
    Ok(Written { bytes: pages.finish(&footer), map: PageMap { unique, groups } })
}

fn write_group(
    kind: Kind,
    rows: &RecordBatch,
    ordinal: u16,
    first_row: u64,
    pages: &mut Pages,
) -> Result<(Group, GroupMeta), ParquetFailure> {
    let mut columns: Vec<Column> = Vec::new();
    let mut chunks: Vec<Chunk> = Vec::new();
    for (number, (field, column)) in kind.spec().fields.iter().zip(rows.columns()).enumerate() {
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        let (column, chunk) = pages.column(kind, field, column, ordinal, number)?;
        columns.push(column);
        chunks.push(chunk);
    }
    let rows = u32::try_from(rows.num_rows()).unwrap_or(u32::MAX);
    Ok((Group { ordinal, first_row, rows, columns }, GroupMeta { rows: i64::from(rows), chunks }))
}
