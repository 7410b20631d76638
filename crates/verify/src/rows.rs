//! The rows of a file against the units that lie in it, one batch in memory at a time.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::crypto::Secret;
use weir_record::parquet::{self, Batches, ParquetFailure, Select, Source};
use weir_record::{Kind, canonical};
use weir_seal::rows::{LEAF_HEAD, RowsError, RowsRoot, SaltKey};

use super::facts::UnitFact;
use super::limits::LEAF_ROWS;
use super::report::Findings;

const RESTORE: &str = "restore the file from a copy; if the copy says the same, the rows were not these when they were sealed";

/// Checks the rows of every unit in a file; gives how many rows were read.
pub fn check(source: &dyn Source, kind: Kind, key: &Secret, path: &str, units: &[(u64, &UnitFact)], found: &mut Findings) -> u64 {
    let batches = match parquet::open(kind, source, key, &Select::default()) {
        Ok(batches) => batches,
        Err(e) => {
            found.problem(path, e.to_string(), RESTORE);
            return 0;
        }
    };
    let (have, want) = (batches.rows_left(), units.iter().map(|(_, u)| u.rows).sum::<u64>());
    if have != want {
        found.problem(path, format!("it has {have} rows; the log says {want}"), RESTORE);
    }
    let mut feed = Feed { batches, rest: None, read: 0 };
    let mut expected = 0;
    for (entry, unit) in units {
        let place = format!("{path}, unit of entry {entry}");
        if unit.first_row != expected {
            found.problem(
                place.as_str(),
                format!("it begins at row {}, the unit before it ends at row {expected}", unit.first_row),
                RESTORE,
            );
        }
        expected = unit.first_row.saturating_add(unit.rows);
        match one(&mut feed, kind, key, unit) {
            Ok(wrong) => wrong.into_iter().for_each(|what| found.problem(place.as_str(), what, RESTORE)),
            Err(e) => {
                found.problem(format!("{place}, after row {}", feed.read), e.to_string(), RESTORE);
                break;
            }
        }
    }
    feed.read
}

/// Rows of a file, in pieces as small as they are wanted.
struct Feed<'a> {
    batches: Batches<'a>,
    rest: Option<RecordBatch>,
    read: u64,
}

impl Feed<'_> {
    fn take(&mut self, most: u64) -> Result<Option<RecordBatch>, ParquetFailure> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match self.batches.next().transpose()? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        let len = batch.num_rows().min(usize::try_from(most).unwrap_or(usize::MAX));
        if len < batch.num_rows() {
            self.rest = Some(batch.slice(len, batch.num_rows() - len));
        }
        self.read += len as u64;
        Ok(Some(batch.slice(0, len)))
    }
}

/// What is wrong with one unit's rows.
fn one(feed: &mut Feed<'_>, kind: Kind, key: &Secret, unit: &UnitFact) -> Result<Vec<String>, ParquetFailure> {
    let salts = SaltKey::new(key, unit.unit);
    let mut root = RowsRoot::new(&salts);
    let mut times = None;
    let mut order = Order::default();
    let mut wrong = Vec::new();
    while root.rows() < unit.rows {
        let before = root.rows();
        let Some(batch) = feed.take(unit.rows - before)? else { break };
        times = span(times, kind, &batch);
        order.look(kind, &batch, before);
        if let Err(e) = push(&mut root, kind, &batch) {
            return Ok(vec![format!("its rows cannot be hashed: {e}")]);
        }
    }
    if root.rows() != unit.rows {
        wrong.push(format!("it has {} rows, the log says {}", root.rows(), unit.rows));
    } else if root.finish() != unit.rows_root {
        wrong.push("its rows are not those that were sealed: they do not lead to the rows root in the log".to_owned());
    }
    if times.is_some_and(|(first, last)| (first, last) != (unit.first.0, unit.last.0)) {
        wrong.push("its earliest or latest time is not the one in the log".to_owned());
    }
    if let Some(row) = order.broken_at.filter(|_| unit.sorted) {
        wrong.push(format!("row {row} of the unit is out of order, although the log says that it is sorted"));
    }
    Ok(wrong)
}

/// Canonical bytes are made where their leaves are hashed from, so many rows at a time that they stay in a processor's cache.
fn push(root: &mut RowsRoot<'_>, kind: Kind, batch: &RecordBatch) -> Result<(), RowsError> {
    let mut leaves = canonical::Rows::default();
    for from in (0..batch.num_rows()).step_by(LEAF_ROWS) {
        let rows = batch.slice(from, LEAF_ROWS.min(batch.num_rows() - from));
        if let Some(len) = canonical::fixed_row_len(kind) {
            // Every byte is written again.
            leaves.bytes.resize(rows.num_rows() * (LEAF_HEAD + len), 0);
            canonical::fixed_rows_into(kind, &rows, LEAF_HEAD, &mut leaves.bytes);
            root.push_leaves(&mut leaves.bytes, LEAF_HEAD + len)?;
        } else {
            leaves.clear();
            canonical::variable_rows_into(kind, &rows, LEAF_HEAD, &mut leaves);
            root.push_variable_leaves(&mut leaves.bytes, &leaves.ends)?;
        }
    }
    Ok(())
}

fn column(kind: Kind, batch: &RecordBatch, name: &str) -> Option<usize> {
    kind.spec().index(name).filter(|at| *at < batch.num_columns())
}

fn instants<'a>(kind: Kind, batch: &'a RecordBatch, name: &str) -> &'a [i64] {
    column(kind, batch, name).and_then(|at| batch.column(at).as_primitive_opt::<TimestampMillisecondType>()).map_or(&[], |c| c.values())
}

/// Earliest and latest time so far. A mapping has two ends.
fn span(so_far: Option<(i64, i64)>, kind: Kind, batch: &RecordBatch) -> Option<(i64, i64)> {
    let times = instants(kind, batch, kind.spec().time);
    let lasts = column(kind, batch, "duration").filter(|_| kind == Kind::NatMapping);
    let lasts = lasts.and_then(|at| batch.column(at).as_primitive_opt::<UInt64Type>()).map_or(&[][..], |c| c.values());
    let ends = times.iter().zip(lasts).map(|(start, lasts)| start.saturating_add_unsigned(*lasts));
    times.iter().copied().chain(ends).fold(so_far, |span, time| match span {
        None => Some((time, time)),
        Some((first, last)) => Some((first.min(time), last.max(time))),
    })
}

type SortKey = ([u8; 16], u16, i64, u8, u32);

/// Mappings are sorted by public address, port, start, protocol, source; everything else by time.
#[derive(Default)]
struct Order {
    last: Option<SortKey>,
    broken_at: Option<u64>,
}

impl Order {
    fn look(&mut self, kind: Kind, batch: &RecordBatch, before: u64) {
        let at = |name| column(kind, batch, name).filter(|_| kind == Kind::NatMapping).map(|at| batch.column(at));
        let address = at("public_address").and_then(|c| c.as_fixed_size_binary_opt());
        let port = at("public_port").and_then(|c| c.as_primitive_opt::<UInt16Type>());
        let protocol = at("protocol").and_then(|c| c.as_primitive_opt::<UInt8Type>());
        let source = at("source").and_then(|c| c.as_primitive_opt::<UInt32Type>());
        for (row, time) in instants(kind, batch, kind.spec().time).iter().enumerate() {
            let address = address.and_then(|c| c.value(row).try_into().ok()).unwrap_or_default();
            let numbers = (port.map_or(0, |c| c.value(row)), protocol.map_or(0, |c| c.value(row)), source.map_or(0, |c| c.value(row)));
            let key = (address, numbers.0, *time, numbers.1, numbers.2);
            if self.last.is_some_and(|last| last > key) && self.broken_at.is_none() {
                self.broken_at = Some(before + row as u64);
            }
            self.last = Some(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_base::time::Millis;
    use weir_record::kind::Record;
    use weir_record::kinds::{Gap, NatMapping};
    use weir_seal::UnitId;
    use weir_seal::broad::BroadRoot;
    use weir_seal::rows::row_leaf;

    fn root_of(kind: Kind, batch: &RecordBatch, key: &Secret, unit: UnitId) -> [u8; 32] {
        // Row by row, by another implementation of SHA-256 than the judge's.
        let salts = SaltKey::new(key, unit);
        let mut root = BroadRoot::default();
        let rows = canonical::rows(kind, batch);
        (0..rows.len()).for_each(|i| root.push_all(&[row_leaf(&salts.head(i as u64), rows.get(i).unwrap())]));
        root.finish()
    }

    fn fact(kind: Kind, rows: &RecordBatch, key: &Secret, n: u8, first_row: u64) -> UnitFact {
        let (first, last) = span(None, kind, rows).unwrap();
        let mut facts = super::super::facts::Facts::default();
        let entry = weir_seal::entry::Entry::Unit(weir_seal::entry::Unit {
            kind: kind.name().into(),
            kind_version: u32::from(kind.spec().version),
            day: weir_base::time::Day(20_000),
            unit: UnitId([n; 16]),
            sealed: Millis(0),
            rows: rows.num_rows() as u64,
            first: Millis(first),
            last: Millis(last),
            rows_root: root_of(kind, rows, key, UnitId([n; 16])),
            file: "segments/x".into(),
            size: 1,
            file_root: [0; 32],
            file_root_sm3: None,
            first_row,
            sorted: true,
        });
        facts.entry(1, &entry.encode().unwrap(), &mut Findings::default());
        facts.units.remove(&1).unwrap()
    }

    fn gaps(times: &[i64]) -> RecordBatch {
        Gap::batch(&times.iter().map(|t| Gap { time: Millis(*t), reason: format!("r{t}"), ..Gap::default() }).collect::<Vec<_>>())
    }

    #[test]
    fn units_back_to_back_are_good_and_every_lie_about_them_is_named() {
        let key = Secret([5; 32]);
        let (one, two) = (gaps(&[1, 2, 2]), gaps(&[-4, 9]));
        let file = parquet::write(Kind::Gap, &[one.clone(), two.clone()], &key).unwrap().bytes;
        let (a, b) = (fact(Kind::Gap, &one, &key, 1, 0), fact(Kind::Gap, &two, &key, 2, 3));
        let judge = |units: &[(u64, &UnitFact)], key: &Secret, file: &Vec<u8>| {
            let mut found = Findings::default();
            let read = check(file, Kind::Gap, key, "f", units, &mut found);
            (read, found.problems.listed.into_iter().map(|p| format!("{}: {}", p.place, p.what)).collect::<Vec<_>>())
        };
        assert_eq!(judge(&[(1, &a), (2, &b)], &key, &file), (5, vec![]));
        let lies = [
            (UnitFact { rows_root: [0; 32], ..b.clone() }, "f, unit of entry 2: its rows are not those"),
            (UnitFact { unit: UnitId([9; 16]), ..b.clone() }, "its rows are not those"),
            (UnitFact { first: Millis(-5), ..b.clone() }, "earliest or latest"),
            (UnitFact { last: Millis(8), ..b.clone() }, "earliest or latest"),
            (UnitFact { rows: 3, ..b.clone() }, "it has 5 rows; the log says 6"),
            (UnitFact { rows: 1, ..b.clone() }, "it has 5 rows; the log says 4"),
            (UnitFact { first_row: 4, ..b.clone() }, "it begins at row 4"),
        ];
        for (lie, want) in lies {
            let told = judge(&[(1, &a), (2, &lie)], &key, &file).1;
            assert!(told.iter().any(|t| t.contains(want)), "{want}: {told:?}");
        }
        assert!(judge(&[(2, &b), (1, &a)], &key, &file).1.len() >= 2, "swapped");
        assert!(judge(&[(1, &a)], &Secret([6; 32]), &file).1[0].contains("does not decrypt"));
        assert!(judge(&[(1, &a)], &key, &file[..file.len() - 9].to_vec()).1[0].contains("cut short"));
    }

    #[test]
    fn order_is_that_of_the_kind_and_only_asked_for_where_the_log_says_so() {
        let key = Secret([5; 32]);
        let mapping = |port: u16, start: i64| NatMapping { public_port: port, start: Millis(start), duration: 1, ..NatMapping::default() };
        let batches = [
            (Kind::NatMapping, NatMapping::batch(&[mapping(1, 5), mapping(1, 6), mapping(2, 1)]), None),
            (Kind::NatMapping, NatMapping::batch(&[mapping(1, 6), mapping(1, 5)]), Some("row 1")),
            (Kind::NatMapping, NatMapping::batch(&[mapping(2, 1), mapping(3, 1), mapping(1, 5)]), Some("row 2")),
            (Kind::Gap, gaps(&[1, 1, 2]), None),
            (Kind::Gap, gaps(&[2, 1]), Some("row 1")),
        ];
        for (kind, batch, want) in batches {
            let file = parquet::write(kind, std::slice::from_ref(&batch), &key).unwrap().bytes;
            for sorted in [true, false] {
                let unit = UnitFact { sorted, ..fact(kind, &batch, &key, 1, 0) };
                let mut found = Findings::default();
                check(&file, kind, &key, "f", &[(1, &unit)], &mut found);
                let told: Vec<_> = found.problems.listed.iter().map(|p| p.what.as_str()).collect();
                match want.filter(|_| sorted) {
                    Some(want) => assert!(told.len() == 1 && told[0].contains(want), "{told:?}"),
                    None => assert!(told.is_empty(), "{told:?}"),
                }
            }
        }
    }
}
