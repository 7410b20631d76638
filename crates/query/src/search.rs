//! Search by word in the redacted form of log lines: newest units first, of these the rows that their word index leaves, the columns that decide
//! alone, and whole rows only where some match.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch};
use arrow::datatypes::TimestampMillisecondType;
use weir_base::time::Millis;
use weir_record::stored::words::{TEXTS, Word};
use weir_store::catalog::UnitMeta;
use weir_store::engine::{Store, StoreError, UnitReader};
use weir_store::table::Stats;
use weir_store::words::KIND;

use crate::QueryError;
use crate::limits::{SEARCH_ROWS, SEARCH_WORD_BYTES, SEARCH_WORDS};
use crate::mask::Mask;
use crate::only::Only;

/// Words that must all be in a line, in any order, whatever their case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<Word>);

impl Words {
    /// Reads words. A word of letters (a to z, whatever their case), digits and `_` matches whole words; `word*` their beginnings; other
    /// characters match as they are, and those of languages without spaces wherever they stand.
    ///
    /// # Errors
    /// What cannot be searched for, and what to do.
    pub fn parse(text: &str) -> Result<Words, String> {
        let words: Vec<Word> = text.split_whitespace().filter_map(Word::parse).collect();
        if words.is_empty() || words.len() > SEARCH_WORDS {
            return Err(format!("write 1 to {SEARCH_WORDS} words"));
        }
        if words.iter().any(|w| w.text().len() > SEARCH_WORD_BYTES) {
            return Err(format!("a word is at most {SEARCH_WORD_BYTES} bytes long"));
        }
        if words.iter().any(|w| w.text().parse::<std::net::IpAddr>().is_ok() || w.text().contains('@')) {
            return Err("addresses and accounts are replaced in what is searched: `weir lookup` asks for an address".to_owned());
        }
        Ok(Words(words))
    }

    /// True when all words are in these texts together.
    pub fn fit(&self, texts: &[&str]) -> bool {
        self.0.iter().all(|w| texts.iter().any(|t| w.is_in(t)))
    }

    /// What a word index is asked for: features that every line has in which all words are.
    fn features(&self) -> Vec<u64> {
        let mut features: Vec<u64> = self.0.iter().flat_map(Word::wanted).collect();
        features.sort_unstable();
        features.dedup();
        features
    }
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// Masked rows, oldest first: the newest that fit.
    pub rows: RecordBatch,
    /// Lines looked at.
    pub scanned: u64,
    /// Pages and bytes read of word indexes and sealed units.
    pub stats: Stats,
}

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// Words that must all be in a line; none: any line.
    pub words: Option<&'a Words>,
    /// Which lines.
    pub only: Only,
    /// Earliest time.
    pub from: Millis,
    /// Latest time.
    pub to: Millis,
    /// Lines at most.
    pub limit: usize,
}

/// The newest lines of those sought. Which rows have to be looked at for words the word indexes of units say
/// (`docs/decisions/0015-word-index.md`).
///
/// # Errors
/// If a unit cannot be read.
pub fn lines(store: &Arc<Store>, sought: &Sought<'_>) -> Result<Found, QueryError> {
    Search::new(store, *sought).run()
}

fn internal(e: arrow::error::ArrowError) -> QueryError {
    QueryError::Internal(e.to_string())
}

fn position(name: &str) -> usize {
    KIND.spec().index(name).unwrap_or(0)
}

/// One search under way.
struct Search<'a> {
    store: &'a Arc<Store>,
    sought: Sought<'a>,
    features: Vec<u64>,
    /// Positions of the time and of the columns that decide.
    wanted: Vec<usize>,
    hits: Vec<RecordBatch>,
    scanned: u64,
    stats: Stats,
    /// What the word indexes said, by file: after repacking many units lie in one.
    rows: HashMap<Arc<str>, Vec<Range<u64>>>,
}

impl<'a> Search<'a> {
    fn new(store: &'a Arc<Store>, sought: Sought<'a>) -> Search<'a> {
        let texts = TEXTS.iter().copied().filter(|_| sought.words.is_some());
        let mut wanted: Vec<usize> = texts.chain(sought.only.columns()).chain([KIND.spec().time]).map(position).collect();
        wanted.sort_unstable();
        let features = sought.words.map(Words::features).unwrap_or_default();
        Search { store, sought, features, wanted, hits: Vec::new(), scanned: 0, stats: Stats::default(), rows: HashMap::new() }
    }

    fn run(mut self) -> Result<Found, QueryError> {
        // What is not sealed is taken first, so that a unit sealed meanwhile is at worst seen once too often, never missed.
        for batch in self.store.live_batches(KIND) {
            self.scanned += batch.num_rows() as u64;
            let fits = self.fits(&batch);
            self.hits.push(filter_record_batch(&batch, &fits).map_err(internal)?);
        }
        let mut units = self.store.units_since(0, &[KIND]);
        let mut ends: HashMap<Arc<str>, u64> = HashMap::new();
        for unit in &units {
            let end = ends.entry(Arc::clone(&unit.file)).or_default();
            *end = (*end).max(unit.first_row + unit.rows);
        }
        units.retain(|u| u.first <= self.sought.to && u.last >= self.sought.from);
        units.sort_by_key(|u| std::cmp::Reverse(u.last));
        for mut unit in units {
            if self.is_done(unit.last) {
                break;
            }
            loop {
                let until = ends.get(&unit.file).copied().unwrap_or(unit.first_row + unit.rows);
                match self.unit(&unit, until) {
                    // It was repacked meanwhile: its rows lie elsewhere.
                    Err(StoreError::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => match self.store.unit(unit.entry) {
                        Some(now) if now.file != unit.file => unit = now,
                        _ => return Err(StoreError::Io(e).into()),
                    },
                    other => break other?,
                }
            }
        }
        let all = concat_batches(&KIND.schema(), &self.hits).map_err(internal)?;
        // Lines of one millisecond are told apart by their ids, so that what is cut off does not depend on how they were found.
        let by = |name: &str| SortColumn { values: Arc::clone(all.column(position(name))), options: None };
        let order = lexsort_to_indices(&[by(KIND.spec().time), by("text")], None).map_err(internal)?;
        let order = order.slice(order.len().saturating_sub(self.sought.limit), order.len().min(self.sought.limit));
        let all = take_record_batch(&all, &order).map_err(internal)?;
        Ok(Found { rows: Mask::new().apply(KIND, &all)?, scanned: self.scanned, stats: self.stats })
    }

    /// True if lines up to this time are older than all that are wanted.
    fn is_done(&self, last: Millis) -> bool {
        newest(&self.hits, position(KIND.spec().time), self.sought.limit).is_some_and(|oldest| oldest > last)
    }

    /// Looks at what the word index leaves of a unit, the newest rows first.
    fn unit(&mut self, unit: &UnitMeta, until: u64) -> Result<(), StoreError> {
        let rows = match self.rows.get(&unit.file) {
            Some(rows) => rows,
            None => {
                let rows = self.store.word_rows(unit, until, &self.features, &mut self.stats)?;
                self.rows.entry(Arc::clone(&unit.file)).or_insert(rows)
            }
        };
        let own = unit.first_row..unit.first_row + unit.rows;
        let mut parts: Vec<Range<u64>> = Vec::new();
        for rows in rows.iter().map(|r| r.start.max(own.start)..r.end.min(own.end)) {
            let mut start = rows.start;
            while start < rows.end {
                let end = (start / SEARCH_ROWS + 1).saturating_mul(SEARCH_ROWS).min(rows.end);
                parts.push(start..end);
                start = end;
            }
        }
        if parts.is_empty() {
            return Ok(());
        }
        let reader = self.store.open_unit(unit)?;
        let looked = self.parts(&reader, parts);
        self.stats = self.stats.plus(reader.stats());
        looked
    }

    fn parts(&mut self, reader: &UnitReader, parts: Vec<Range<u64>>) -> Result<(), StoreError> {
        for rows in parts.into_iter().rev() {
            let texts = reader.rows(rows.clone(), Some(self.wanted.clone()))?;
            let masks: Vec<BooleanArray> = texts.iter().map(|batch| self.fits(batch)).collect();
            self.scanned += rows.end - rows.start;
            if masks.iter().any(|m| m.true_count() > 0) {
                for (batch, mask) in reader.rows(rows, None)?.iter().zip(&masks) {
                    self.hits.push(filter_record_batch(batch, mask).map_err(|e| StoreError::Internal(e.to_string()))?);
                }
            }
            // Rows of a unit are in the order of time: what comes before is not newer.
            let first =
                texts.first().and_then(|b| Some(b.column_by_name(KIND.spec().time)?.as_primitive::<TimestampMillisecondType>().value(0)));
            if first.is_some_and(|first| self.is_done(Millis(first))) {
                break;
            }
        }
        Ok(())
    }

    fn fits(&self, batch: &RecordBatch) -> BooleanArray {
        let column = |name: &str| batch.column_by_name(name).map(|c| c.as_string::<i32>());
        let words = self.sought.words;
        let texts: Vec<_> = TEXTS.iter().filter(|_| words.is_some()).filter_map(|name| column(name)).collect();
        let only = self.sought.only.of(batch);
        let times = batch.column_by_name(KIND.spec().time).map(|c| c.as_primitive::<TimestampMillisecondType>());
        let row = |i: usize| {
            if !times.is_none_or(|t| (self.sought.from.0..=self.sought.to.0).contains(&t.value(i))) || !only.fits(i) {
                return false;
            }
            let Some(words) = words else { return true };
            let mut values = [""; TEXTS.len()];
            for (value, text) in values.iter_mut().zip(&texts) {
                *value = if text.is_null(i) { "" } else { text.value(i) };
            }
            words.fit(&values)
        };
        (0..batch.num_rows()).map(|i| Some(row(i))).collect()
    }
}

/// The time of the oldest row among the newest `limit`, once there are so many.
fn newest(hits: &[RecordBatch], time: usize, limit: usize) -> Option<Millis> {
    let mut times: Vec<i64> =
        hits.iter().flat_map(|b| b.column(time).as_primitive::<TimestampMillisecondType>().values().iter().copied()).collect();
    times.sort_unstable();
    times.len().checked_sub(limit).and_then(|at| times.get(at)).map(|t| Millis(*t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_case_counts_for_nothing() {
        let text = ["web-1", "sshd", "", "", "Failed password for <USER1> from <ADDR1> port 22 用户登录失败 Ошибка"];
        for (words, want) in [
            ("failed", true),
            ("FAILED sshd", true),
            ("fail", false),
            ("fail*", true),
            ("word", false),
            ("port 22", true),
            ("2", false),
            ("登录", true),
            ("web-1 failed", true),
            ("web", true),
            ("<ADDR1>", true),
            ("accepted", false),
            ("failed accepted", false),
            ("Ошибка", true),
            ("ошибка", false),
        ] {
            assert_eq!(Words::parse(words).unwrap().fit(&text), want, "{words}");
        }
        for bad in ["", " * ", "192.0.2.7", "bob@example.org", &"x".repeat(300)] {
            assert!(Words::parse(bad).is_err(), "{bad}");
        }
    }
}
