//! Log lines that no dialect understands, counted by sender, program and the vendor's name of the message, with one of each in its redacted form.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{TimestampMillisecondType, UInt32Type};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_store::catalog::UnitMeta;
use weir_store::engine::{Store, StoreError};

use crate::QueryError;
use crate::limits::{EXAMPLE_CHARS, UNRECOGNISED_GROUPS, VIEW_ROWS};
use crate::only::{DIALECT, SOURCE};
use crate::sql::watch::Why;

const KIND: Kind = Kind::Maintenance;
/// What is read of a line: its view shows each of these as it is.
const COLUMNS: [&str; 6] = ["time", SOURCE, "app", "msgid", "line", DIALECT];

/// Lines of one sender, program and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Number of the source.
    pub source: u32,
    /// The program (APP-NAME, TAG), where lines name one.
    pub app: Option<String>,
    /// The vendor's name of the message (MSGID), where they name one.
    pub msgid: Option<String>,
    /// How many.
    pub lines: u64,
    /// Time of the newest.
    pub last: Millis,
    /// That one in its redacted form.
    pub example: String,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Grouped {
    /// Groups, those of most lines first.
    pub groups: Vec<Group>,
    /// Lines of senders and programs beyond those that are told apart.
    pub further: u64,
}

/// Counts the lines of `from..=to`. `over` says when to end.
///
/// # Errors
/// It was ended, or a unit cannot be read.
pub fn grouped(store: &Arc<Store>, from: Millis, to: Millis, over: &dyn Fn() -> Option<Why>) -> Result<Grouped, QueryError> {
    let mut count = Count { from, to, ..Count::default() };
    // What is not sealed is taken first, so that a unit sealed meanwhile is at worst seen once too often, never missed.
    for batch in store.live_batches(KIND) {
        count.add(&batch);
    }
    for mut unit in store.units_of(KIND, from, to) {
        loop {
            match count.unit(store, &unit, over) {
                // It was repacked meanwhile: its rows lie elsewhere, and none of them was read.
                Err(QueryError::Store(StoreError::Io(e))) if e.kind() == std::io::ErrorKind::NotFound => match store.unit(unit.entry) {
                    Some(now) if now.file != unit.file => unit = now,
                    _ => return Err(StoreError::Io(e).into()),
                },
                other => break other?,
            }
        }
    }
    Ok(count.done())
}

/// Source, program and message: as a group keeps them, and as they lie in a batch.
type Key = (u32, Option<String>, Option<String>);
type Lent<'a> = (u32, Option<&'a str>, Option<&'a str>);

#[derive(Default)]
struct Count {
    from: Millis,
    to: Millis,
    groups: HashMap<Key, (u64, Millis, String)>,
    further: u64,
}

impl Count {
    fn unit(&mut self, store: &Arc<Store>, unit: &UnitMeta, over: &dyn Fn() -> Option<Why>) -> Result<(), QueryError> {
        let wanted: Vec<usize> = {
            let mut all: Vec<usize> = COLUMNS.iter().filter_map(|name| KIND.spec().index(name)).collect();
            all.sort_unstable();
            all
        };
        let reader = store.open_unit(unit)?;
        let mut rest = unit.first_row..unit.first_row + unit.rows;
        while !rest.is_empty() {
            if let Some(why) = over() {
                return Err(QueryError::Ended(why));
            }
            let rows = rest.start..rest.end.min(rest.start + VIEW_ROWS);
            rest.start = rows.end;
            for batch in reader.rows(rows, Some(wanted.clone()))? {
                self.add(&batch);
            }
        }
        Ok(())
    }

    fn add(&mut self, batch: &RecordBatch) {
        let text = |name: &str| batch.column_by_name(name).map(|c| c.as_string::<i32>());
        let (Some(app), Some(msgid), Some(line), Some(dialect)) = (text("app"), text("msgid"), text("line"), text(DIALECT)) else { return };
        let (Some(time), Some(source)) = (batch.column_by_name("time"), batch.column_by_name(SOURCE)) else { return };
        let (time, source) = (time.as_primitive::<TimestampMillisecondType>(), source.as_primitive::<UInt32Type>());
        // Of each group of this batch how many, and where the newest is.
        let mut here: HashMap<Lent<'_>, (u64, usize)> = HashMap::new();
        for row in 0..batch.num_rows() {
            let at = Millis(time.value(row));
            if dialect.is_null(row) && at >= self.from && at <= self.to {
                let group = here.entry((source.value(row), optional(app, row), optional(msgid, row))).or_insert((0, row));
                group.0 += 1;
                if time.value(row) >= time.value(group.1) {
                    group.1 = row;
                }
            }
        }
        for ((source, app, msgid), (lines, row)) in here {
            let key = (source, app.map(str::to_owned), msgid.map(str::to_owned));
            if self.groups.len() >= UNRECOGNISED_GROUPS && !self.groups.contains_key(&key) {
                self.further += lines;
                continue;
            }
            let group = self.groups.entry(key).or_insert((0, Millis(i64::MIN), String::new()));
            group.0 += lines;
            let at = Millis(time.value(row));
            if at >= group.1 {
                (group.1, group.2) = (at, line.value(row).chars().take(EXAMPLE_CHARS).collect());
            }
        }
    }

    fn done(self) -> Grouped {
        let group = |((source, app, msgid), (lines, last, example))| Group { source, app, msgid, lines, last, example };
        let mut groups: Vec<Group> = self.groups.into_iter().map(group).collect();
        groups.sort_by(|a, b| (b.lines, a.source, &a.app, &a.msgid).cmp(&(a.lines, b.source, &b.app, &b.msgid)));
        Grouped { groups, further: self.further }
    }
}

fn optional(column: &StringArray, row: usize) -> Option<&str> {
    (!column.is_null(row)).then(|| column.value(row))
}

#[cfg(test)]
mod tests {
    use weir_base::net::Addr16;
    use weir_record::kind::Record;
    use weir_record::kinds::Maintenance;

    use super::*;

    fn line(source: u32, app: Option<&str>, time: i64, line: &str, dialect: Option<&str>) -> Maintenance {
        Maintenance {
            time: Millis(time),
            source,
            peer: Addr16::v4([192, 0, 2, 1]),
            app: app.map(str::to_owned),
            line: line.to_owned(),
            dialect: dialect.map(str::to_owned),
            ..Maintenance::default()
        }
    }

    #[test]
    fn lines_are_counted_by_sender_and_program_with_the_newest_as_example() {
        let mut count = Count { from: Millis(10), to: Millis(50), ..Count::default() };
        let long = "x".repeat(EXAMPLE_CHARS + 9);
        count.add(&Maintenance::batch(&[
            line(1, Some("door"), 20, "open", None),
            line(1, Some("door"), 40, "shut", None),
            line(1, Some("sshd"), 40, "Accepted", Some("linux")),
            line(1, Some("door"), 60, "too late", None),
            line(2, Some("door"), 30, &long, None),
        ]));
        count.add(&Maintenance::batch(&[
            line(1, Some("door"), 10, "first", None),
            line(1, None, 9, "early", None),
            line(3, None, 50, "last", None),
        ]));
        let told = count.done();
        let got: Vec<_> = told.groups.iter().map(|g| (g.source, g.app.as_deref(), g.lines, g.last.0, g.example.as_str())).collect();
        assert_eq!(got, [(1, Some("door"), 3, 40, "shut"), (2, Some("door"), 1, 30, &long[..EXAMPLE_CHARS]), (3, None, 1, 50, "last")]);
        assert_eq!(told.further, 0);
    }

    #[test]
    fn programs_beyond_those_that_are_told_apart_are_counted_together() {
        let mut count = Count { from: Millis(0), to: Millis(9), ..Count::default() };
        let many: Vec<Maintenance> = (0..UNRECOGNISED_GROUPS + 7).map(|n| line(1, Some(&format!("p{n}")), 1, "x", None)).collect();
        count.add(&Maintenance::batch(&many));
        count.add(&Maintenance::batch(&many));
        let told = count.done();
        assert_eq!((told.groups.len(), told.further), (UNRECOGNISED_GROUPS, 14));
        assert!(told.groups.iter().all(|g| g.lines == 2));
    }
}
