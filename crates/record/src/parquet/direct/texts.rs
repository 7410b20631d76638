//! Columns of texts: their dictionary, and their pages.

use std::hash::{BuildHasher, Hasher};

use weir_base::hash::MixState;

use super::values::{Part, Values};
use crate::limits::{DICTIONARY_BYTES, TEXT_PAGE_BYTES};

/// Places of the table in which texts are looked up: more than twice as many as texts that fit into a dictionary, each with its length.
const PLACES: usize = 1 << 16;

/// Short texts that are remembered, and how long they are at most.
const RECENT: usize = 256;
const SHORT: usize = 16;

/// Short texts of late and their numbers, counted from 1, each at a place that follows from it.
struct Recent([(u128, usize, u32); RECENT]);

impl Recent {
    fn new() -> Recent {
        Recent([(0, 0, 0); RECENT])
    }

    /// What stands where a text belongs; none if the text is long.
    fn at(&mut self, key: Option<u128>) -> Option<&mut (u128, usize, u32)> {
        let key = key?;
        let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(29);
        self.0.get_mut((folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % RECENT)
    }
}

/// A short text as a number. Its length is not in it.
fn short(data: &[u8], from: usize, to: usize) -> Option<u128> {
    let len = to - from;
    if len > SHORT {
        return None;
    }
    Some(match data.get(from..)?.first_chunk::<SHORT>() {
        Some(bytes) if len > 0 => u128::from_le_bytes(*bytes) & (u128::MAX >> (8 * (SHORT - len))),
        _ => data.get(from..to)?.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte)),
    })
}

/// The texts of a column, each once, and which of them each row has.
#[derive(Default)]
pub(super) struct Names {
    /// The dictionary's plain values: each text after its length.
    pub(super) plain: Vec<u8>,
    /// How many they are.
    pub(super) count: usize,
    /// Their numbers, of all rows of all parts that have a value.
    pub(super) numbers: Vec<u32>,
}

/// The dictionary of a column; none if it would be too large.
pub(super) fn names(parts: &[Part<'_>]) -> Option<Names> {
    let hashes = MixState::default();
    // Number and place in the dictionary, the number counted from 1.
    let mut table: Vec<(u32, u32)> = vec![(0, 0); PLACES];
    let mut names = Names::default();
    let mut recent = Recent::new();
    names.numbers.reserve(parts.iter().map(|part| part.rows - part.nulls.map_or(0, |n| n.null_count())).sum());
    for part in parts {
        let Values::Texts(ends, data) = part.values else { return None };
        for row in part.valid(0, part.rows) {
            let text = text(ends, data, row);
            let key = short(data, ends[row] as usize, ends[row + 1] as usize);
            let slot = recent.at(key);
            if let (Some((held, len, number)), Some(key)) = (&slot, key)
                && (*held, *len) == (key, text.len())
                && *number > 0
            {
                names.numbers.push(number - 1);
                continue;
            }
            let mut hasher = hashes.build_hasher();
            hasher.write(text);
            let mut place = hasher.finish() as usize % PLACES;
            let number = loop {
                match table[place] {
                    (0, _) => {
                        let at = names.plain.len();
                        if at + 4 + text.len() > DICTIONARY_BYTES {
                            return None;
                        }
                        put(text, &mut names.plain);
                        names.count += 1;
                        table[place] = (names.count as u32, at as u32);
                        break names.count as u32;
                    }
                    (number, at) if is_at(&names.plain, at as usize, text) => break number,
                    _ => place = (place + 1) % PLACES,
                }
            };
            names.numbers.push(number - 1);
            if let (Some(slot), Some(key)) = (slot, key) {
                *slot = (key, text.len(), number);
            }
        }
    }
    (names.count > 0).then_some(names)
}

/// True if this text with its length stands there.
fn is_at(plain: &[u8], at: usize, text: &[u8]) -> bool {
    plain.get(at..at + 4).is_some_and(|len| len == (text.len() as u32).to_le_bytes()) && plain[at + 4..].starts_with(text)
}

/// The text of a row.
fn text<'a>(ends: &[i32], data: &'a [u8], row: usize) -> &'a [u8] {
    &data[ends[row] as usize..ends[row + 1] as usize]
}

/// A plain value: the text after its length.
fn put(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text);
}

/// The end of the page that begins at row `from`: no later than `to`, and behind the text that makes it as large as a page may be.
pub(super) fn page_end(part: &Part<'_>, from: usize, to: usize) -> usize {
    let Values::Texts(ends, _) = part.values else { return to };
    let size = |end: usize| (ends[end] - ends[from]) as usize + 4 * (end - from);
    if size(to) <= TEXT_PAGE_BYTES {
        return to;
    }
    // Sizes rise with the rows.
    let (mut low, mut high) = (from + 1, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if size(middle) >= TEXT_PAGE_BYTES { high = middle } else { low = middle + 1 }
    }
    low
}

/// The plain values of rows `from..to` that have one.
pub(super) fn plain(part: &Part<'_>, from: usize, to: usize, out: &mut Vec<u8>) {
    let Values::Texts(ends, data) = part.values else { return };
    out.reserve((ends[to] - ends[from]) as usize + 4 * (to - from));
    part.valid(from, to).for_each(|row| put(text(ends, data, row), out));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;
    use crate::kind::Kind;

    proptest::proptest! {
        #[test]
        fn each_text_has_the_number_of_where_it_first_came(
            texts in proptest::collection::vec(proptest::option::of("[ab\u{0}]{0,3}|[a]{0,18}|[x-z]{1}"), 0..200), cut in 0usize..200
        ) {
            let column: ArrayRef = Arc::new(StringArray::from(texts.clone()));
            let cut = cut.min(texts.len());
            let columns = [column.slice(0, cut), column.slice(cut, texts.len() - cut)];
            let field = Kind::Maintenance.spec().fields.iter().find(|f| f.name == "host").unwrap();
            let parts: Vec<Part<'_>> = columns.iter().map(|column| Part::of(field, column)).collect();
            let (mut known, mut plain, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
            for text in texts.iter().flatten() {
                let number = known.iter().position(|k| k == text).unwrap_or_else(|| {
                    known.push(text.clone());
                    put(text.as_bytes(), &mut plain);
                    known.len() - 1
                });
                numbers.push(number as u32);
            }
            let got = names(&parts).unwrap_or_default();
            proptest::prop_assert_eq!((got.plain, got.count, got.numbers), (plain, known.len(), numbers));
        }
    }
}
