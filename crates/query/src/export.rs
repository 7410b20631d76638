//! Exports: plain Parquet of a masking view, for tools that do not read encrypted files. A ledgered act.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use weir_store::engine::Store;

use crate::QueryError;
use crate::mask::{self, Mask};
use crate::rows::{Rows, Wanted};

/// Writes the rows to a new file of mode 0600; returns how many. An existing file is never replaced; a failed export leaves none.
pub fn export(store: &Arc<Store>, wanted: Wanted, path: &Path, progress: &mut dyn FnMut(u64)) -> Result<u64, QueryError> {
    let schema = mask::schema(wanted.kind)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    write(store, wanted, file, schema, progress).inspect_err(|_| {
        // Half an export must not be taken for a whole one.
        let _ = fs::remove_file(path);
    })
}

fn write(
    store: &Arc<Store>,
    wanted: Wanted,
    file: fs::File,
    schema: arrow::datatypes::SchemaRef,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, QueryError> {
    let internal = |e: parquet::errors::ParquetError| QueryError::Internal(e.to_string());
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(internal)?;
    let mask = Arc::new(Mask::new());
    let mut rows = 0;
    for batch in Rows::new(store, &mask, wanted)? {
        let batch = batch?;
        writer.write(&batch).map_err(internal)?;
        rows += batch.num_rows() as u64;
        progress(rows);
    }
    let file = writer.into_inner().map_err(internal)?;
    file.sync_all()?;
    Ok(rows)
}
