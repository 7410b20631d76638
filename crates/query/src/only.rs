//! What a list of log lines is narrowed to, beside its span and its words.

use arrow::array::{Array, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::UInt32Type;

/// Column of a line's source.
pub(crate) const SOURCE: &str = "source";
/// Column of the dialect that understood a line.
pub(crate) const DIALECT: &str = "dialect";

/// Which lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Those of this source.
    pub source: Option<u32>,
    /// Those that no dialect understands.
    pub unrecognised: bool,
}

impl Only {
    /// The columns that say whether a line is one.
    pub(crate) fn columns(self) -> impl Iterator<Item = &'static str> {
        self.source.map(|_| SOURCE).into_iter().chain(self.unrecognised.then_some(DIALECT))
    }

    /// The same for the rows of one batch.
    pub(crate) fn of(self, batch: &RecordBatch) -> Judge<'_> {
        let source = self.source.and_then(|number| Some((batch.column_by_name(SOURCE)?.as_primitive::<UInt32Type>(), number)));
        let dialect = self.unrecognised.then(|| batch.column_by_name(DIALECT)).flatten().map(|c| c.as_string::<i32>());
        Judge { source, dialect }
    }
}

/// Judges the rows of one batch.
pub(crate) struct Judge<'a> {
    source: Option<(&'a UInt32Array, u32)>,
    dialect: Option<&'a StringArray>,
}

impl Judge<'_> {
    /// True if this row is one.
    pub(crate) fn fits(&self, row: usize) -> bool {
        self.source.is_none_or(|(numbers, wanted)| numbers.value(row) == wanted) && self.dialect.is_none_or(|d| d.is_null(row))
    }
}
