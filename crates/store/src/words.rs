//! Word indexes of files of log lines: which of a file's rows a search for words has to look at. A file without one is looked at whole.

use std::ops::Range;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use weir_base::time::Day;
use weir_record::Kind;
use weir_record::stored::words::{BLOCK_ROWS, Builder, Entry, Set, TEXTS, key, owner};

use crate::index::IndexFiles;
use crate::table::{Stats, TableError, TableReader, TableWriter};

/// Folder of the tables.
pub const WORDS: &str = "index/words";

/// The kind whose files have them.
pub const KIND: Kind = Kind::Maintenance;

/// Where the word index of a unit's file lies: under the same name.
pub fn words_file(file: &str) -> String {
    let name = Path::new(file).file_stem().and_then(|name| name.to_str()).unwrap_or("unnamed");
    format!("{WORDS}/{name}.tbl")
}

/// Writes a word index, batch by batch.
pub struct WordsWriter {
    builder: Builder,
    table: TableWriter,
}

impl WordsWriter {
    /// Begins the index of a file whose rows are under the key of `day`; one that is there is replaced.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(files: &IndexFiles, file: &str, day: Day) -> Result<WordsWriter, TableError> {
        Ok(WordsWriter { builder: Builder::new(file), table: create(files, file, day)? })
    }

    /// Takes the file's next rows.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn push(&mut self, rows: &RecordBatch) -> Result<(), TableError> {
        each(&mut self.builder, rows, |entries| put(&mut self.table, &entries))
    }

    /// Writes the whole index of a file.
    ///
    /// # Errors
    /// If it cannot be written; no part of it stays.
    pub fn write<'a>(
        files: &IndexFiles,
        (file, day): (&str, Day),
        mut batches: impl Iterator<Item = &'a RecordBatch>,
    ) -> Result<(), TableError> {
        let mut writer = WordsWriter::create(files, file, day)?;
        let written = batches.try_for_each(|rows| writer.push(rows)).and_then(|()| writer.finish());
        written.inspect_err(|_| files.remove(&[words_file(file)]))
    }

    /// Ends it. Durable on return.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self) -> Result<(), TableError> {
        let WordsWriter { builder, mut table } = self;
        put(&mut table, &builder.finish())?;
        table.finish()
    }
}

/// The table of a file's index, empty.
fn create(files: &IndexFiles, file: &str, day: Day) -> Result<TableWriter, TableError> {
    let path = words_file(file);
    if files.disk.exists(path.as_ref())? {
        files.disk.remove(path.as_ref())?;
    }
    TableWriter::create(&files.disk, path.as_ref(), &files.key(day)?)
}

/// Writes an index that was made.
///
/// # Errors
/// If it cannot be written; no part of it stays.
pub fn write_made(files: &IndexFiles, (file, day): (&str, Day), entries: &[Entry]) -> Result<(), TableError> {
    let mut table = create(files, file, day)?;
    let written = put(&mut table, entries).and_then(|()| table.finish());
    written.inspect_err(|_| files.remove(&[words_file(file)]))
}

/// The index of a file of these rows, in memory.
///
/// # Errors
/// If the rows have no texts.
pub fn made(file: &str, rows: &RecordBatch) -> Result<Vec<Entry>, TableError> {
    let (mut builder, mut out) = (Builder::new(file), Vec::new());
    each(&mut builder, rows, |entries| {
        out.extend(entries);
        Ok(())
    })?;
    out.extend(builder.finish());
    Ok(out)
}

/// Takes rows in; `done` gets the entries that are complete.
fn each(builder: &mut Builder, rows: &RecordBatch, mut done: impl FnMut(Vec<Entry>) -> Result<(), TableError>) -> Result<(), TableError> {
    let texts: Vec<&StringArray> =
        TEXTS.iter().filter_map(|name| rows.column_by_name(name)).filter_map(|c| c.as_string_opt::<i32>()).collect();
    if texts.len() < TEXTS.len() {
        return Err(TableError::Other("rows without texts have no word index".to_owned()));
    }
    (0..rows.num_rows()).try_for_each(|row| done(builder.row(texts.iter().filter(|t| t.is_valid(row)).map(|t| t.value(row)))))
}

fn put(table: &mut TableWriter, entries: &[Entry]) -> Result<(), TableError> {
    entries.iter().try_for_each(|(key, value)| table.push(key, value))
}

/// Rows of a file, counted from its start and before `until`, among which are all that may hold every one of the features; in order, and apart.
///
/// # Errors
/// If there is no word index, or it is damaged.
pub fn candidates(
    files: &IndexFiles,
    (file, day): (&str, Day),
    until: u64,
    features: &[u64],
    stats: &mut Stats,
) -> Result<Vec<Range<u64>>, TableError> {
    let reader = TableReader::open(&files.disk, words_file(file).as_ref(), &files.key(day)?)?;
    let (mut out, mut told) = (Vec::new(), 0);
    let mut stretch = 0;
    while told < until {
        let mut left: Option<(u32, Vec<u32>)> = None;
        for feature in features {
            let wanted = key(stretch, *feature);
            let found = reader.seek_le(&wanted, stats)?.filter(|(found, _)| found.get(..4) == wanted.get(..4));
            let Some((_, value)) = found else { break };
            let set = Set::decode(&value)?;
            if set.owner != owner(file) {
                return Err(TableError::Other("a word index lies under the name of another file".to_owned()));
            }
            told = u64::from(set.first_block.saturating_add(set.blocks)) * BLOCK_ROWS;
            let (_, blocks) = left.take().unwrap_or_else(|| (0, (0..set.blocks).collect()));
            let blocks: Vec<u32> = blocks.into_iter().filter(|block| set.may_hold(*feature, *block)).collect();
            if blocks.is_empty() {
                left = Some((0, blocks));
                break;
            }
            left = Some((set.first_block, blocks));
        }
        // What the index does not speak of is looked at.
        let Some((first, blocks)) = left else { break };
        for block in blocks {
            let first = u64::from(first.saturating_add(block)) * BLOCK_ROWS;
            extend(&mut out, first..first + BLOCK_ROWS);
        }
        stretch += 1;
    }
    if told < until {
        extend(&mut out, told..until);
    }
    Ok(out)
}

/// Adds rows behind those that are there.
fn extend(out: &mut Vec<Range<u64>>, rows: Range<u64>) {
    match out.last_mut() {
        Some(last) if last.end >= rows.start => last.end = rows.end,
        _ => out.push(rows),
    }
}
