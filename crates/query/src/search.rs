//! Search by word in the redacted form of log lines: newest units first, the texts alone, and whole rows only of those that match.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch, sort_to_indices, take_record_batch};
use arrow::datatypes::TimestampMillisecondType;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_store::engine::Store;

use crate::QueryError;
use crate::limits::{SEARCH_WORD_BYTES, SEARCH_WORDS};
use crate::mask::Mask;

/// The texts of a line that are searched.
const TEXTS: [&str; 5] = ["host", "app", "msgid", "data", "line"];

/// One word, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: String,
    /// `word*`: anything may follow.
    prefix: bool,
}

/// Words that must all be in a line, in any order, whatever their case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<Word>);

impl Words {
    /// Reads words. A word of letters and digits matches whole words; `word*` their beginnings; characters of languages without spaces
    /// match wherever they stand.
    ///
    /// # Errors
    /// What cannot be searched for, and what to do.
    pub fn parse(text: &str) -> Result<Words, String> {
        let words: Vec<Word> = text
            .split_whitespace()
            .map(|w| Word { prefix: w.ends_with('*'), text: w.trim_end_matches('*').to_lowercase() })
            .filter(|w| !w.text.is_empty())
            .collect();
        if words.is_empty() || words.len() > SEARCH_WORDS {
            return Err(format!("write 1 to {SEARCH_WORDS} words"));
        }
        if words.iter().any(|w| w.text.len() > SEARCH_WORD_BYTES) {
            return Err(format!("a word is at most {SEARCH_WORD_BYTES} bytes long"));
        }
        if words.iter().any(|w| w.text.parse::<std::net::IpAddr>().is_ok() || w.text.contains('@')) {
            return Err("addresses and accounts are replaced in what is searched: `weir lookup` asks for an address".to_owned());
        }
        Ok(Words(words))
    }

    /// True when all words are in these texts together.
    pub fn fit(&self, texts: &[&str]) -> bool {
        self.0.iter().all(|w| texts.iter().any(|t| w.is_in(t.as_bytes())))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Word {
    fn is_in(&self, text: &[u8]) -> bool {
        let word = self.text.as_bytes();
        let Some(first) = word.first() else { return true };
        let (low, high) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|t| memchr::memchr2(low, high, t)) {
            let at = from + at;
            if self.fits_at(text, at) {
                return true;
            }
            from = at + 1;
        }
        false
    }

    fn fits_at(&self, text: &[u8], at: usize) -> bool {
        let word = self.text.as_bytes();
        let Some(found) = text.get(at..at + word.len()) else { return false };
        if !found.eq_ignore_ascii_case(word) {
            return false;
        }
        let edge =
            |inside: Option<&u8>, outside: Option<&u8>| !(inside.is_some_and(|b| is_word(*b)) && outside.is_some_and(|b| is_word(*b)));
        let begins = edge(word.first(), at.checked_sub(1).and_then(|i| text.get(i)));
        begins && (self.prefix || edge(word.last(), text.get(at + word.len())))
    }
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// Masked rows, oldest first: the newest that fit.
    pub rows: RecordBatch,
    /// Lines looked at.
    pub scanned: u64,
}

/// The newest `limit` lines of `from..=to` that hold all words.
pub fn lines(store: &Arc<Store>, words: &Words, from: Millis, to: Millis, limit: usize) -> Result<Found, QueryError> {
    let kind = Kind::Maintenance;
    let internal = |e: arrow::error::ArrowError| QueryError::Internal(e.to_string());
    let position = |name: &str| kind.spec().index(name).unwrap_or(0);
    let time = position(kind.spec().time);
    let mut wanted: Vec<usize> = TEXTS.iter().map(|name| position(name)).collect();
    wanted.push(time);
    wanted.sort_unstable();
    let mut scanned = 0;
    let mut hits: Vec<RecordBatch> = Vec::new();
    // What is not sealed is taken first, so that a unit sealed meanwhile is at worst seen once too often, never missed.
    for batch in store.live_batches(kind) {
        scanned += batch.num_rows() as u64;
        let fits = fits(&batch, words, from, to);
        hits.push(filter_record_batch(&batch, &fits).map_err(internal)?);
    }
    let mut units: Vec<_> = store.units().into_iter().filter(|u| u.kind == kind && u.first <= to && u.last >= from).collect();
    units.sort_by_key(|u| std::cmp::Reverse(u.last));
    for unit in units {
        if newest(&hits, time, limit).is_some_and(|oldest| oldest > unit.last) {
            break;
        }
        let texts = store.read_columns(&unit, Some(wanted.clone()))?;
        let masks: Vec<BooleanArray> = texts.iter().map(|batch| fits(batch, words, from, to)).collect();
        scanned += texts.iter().map(|b| b.num_rows() as u64).sum::<u64>();
        if masks.iter().all(|m| m.true_count() == 0) {
            continue;
        }
        for (batch, mask) in store.read_unit(&unit)?.iter().zip(&masks) {
            hits.push(filter_record_batch(batch, mask).map_err(internal)?);
        }
    }
    let all = concat_batches(&kind.schema(), &hits).map_err(internal)?;
    let order = sort_to_indices(all.column(time), None, None).map_err(internal)?;
    let order = order.slice(order.len().saturating_sub(limit), order.len().min(limit));
    let all = take_record_batch(&all, &order).map_err(internal)?;
    Ok(Found { rows: Mask::new().apply(kind, &all)?, scanned })
}

/// The time of the oldest row among the newest `limit`, once there are so many.
fn newest(hits: &[RecordBatch], time: usize, limit: usize) -> Option<Millis> {
    let mut times: Vec<i64> =
        hits.iter().flat_map(|b| b.column(time).as_primitive::<TimestampMillisecondType>().values().iter().copied()).collect();
    times.sort_unstable();
    times.len().checked_sub(limit).and_then(|at| times.get(at)).map(|t| Millis(*t))
}

fn fits(batch: &RecordBatch, words: &Words, from: Millis, to: Millis) -> BooleanArray {
    let column = |name: &str| batch.column_by_name(name).map(|c| c.as_string::<i32>());
    let texts: Vec<_> = TEXTS.iter().filter_map(|name| column(name)).collect();
    let times = batch.column_by_name(Kind::Maintenance.spec().time).map(|c| c.as_primitive::<TimestampMillisecondType>());
    let row = |i: usize| {
        let inside = times.is_none_or(|t| (from.0..=to.0).contains(&t.value(i)));
        let mut values = [""; TEXTS.len()];
        for (value, text) in values.iter_mut().zip(&texts) {
            *value = if text.is_null(i) { "" } else { text.value(i) };
        }
        inside && words.fit(&values)
    };
    (0..batch.num_rows()).map(|i| Some(row(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_case_counts_for_nothing() {
        let text = ["web-1", "sshd", "", "", "Failed password for <USER1> from <ADDR1> port 22 用户登录失败"];
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
        ] {
            assert_eq!(Words::parse(words).unwrap().fit(&text), want, "{words}");
        }
        for bad in ["", " * ", "192.0.2.7", "bob@example.org", &"x".repeat(300)] {
            assert!(Words::parse(bad).is_err(), "{bad}");
        }
    }
}
