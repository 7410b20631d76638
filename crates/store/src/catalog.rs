//! The catalog: which unit lies in which file, which runs the span index has, and how far it is complete. It can be lost at any time: the
//! log and the unit files give it back.

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, params};
use weir_base::task::lock;
use weir_base::time::{Day, Millis};
use weir_record::{Id, Kind};

use crate::unit::unit_file;
use crate::units::Units;

/// One sealed unit and where its rows are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitMeta {
    /// Its log entry.
    pub entry: u64,
    /// Kind of its rows.
    pub kind: Kind,
    /// Key day.
    pub day: Day,
    /// Unit id.
    pub unit: Id,
    /// File, relative to the data folder. Units that lie in one file share its name: there are a quarter of a million of a kind in half a year.
    pub file: Arc<str>,
    /// First row in the file.
    pub first_row: u64,
    /// Rows.
    pub rows: u64,
    /// Earliest event time.
    pub first: Millis,
    /// Latest event time.
    pub last: Millis,
    /// Whole mappings that lie in this window are found in the unit itself; all others are in the span index.
    pub window: (Millis, Millis),
    /// When it was sealed.
    pub sealed: Millis,
}

/// One run of the span index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMeta {
    /// Level; with its highest bit the bucket is a wide one of that level (`docs/formats.md`).
    pub level: u8,
    /// Bucket of the level.
    pub bucket: i64,
    /// File, relative to the data folder.
    pub file: String,
    /// Day whose index key it is under.
    pub day: Day,
}

/// How far the index is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexState {
    /// Entries of the log that are in the runs and in the snapshot.
    pub entries: u64,
    /// The snapshot of open mappings and sessions, and the day whose index key it is under.
    pub snapshot: Option<(String, Day)>,
}

/// One change, applied as a whole.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Units to add or replace (by entry).
    pub units: Vec<UnitMeta>,
    /// Runs to add.
    pub runs: Vec<RunMeta>,
    /// Run files to forget.
    pub drop_runs: Vec<String>,
    /// Public addresses seen behind a source.
    pub pools: Vec<(u32, [u8; 16])>,
    /// New index state, in the place of the old one.
    pub index: Option<IndexState>,
    /// Size of the log the units are complete up to.
    pub log_size: Option<u64>,
}

impl Change {
    /// True if it changes nothing.
    pub fn is_empty(&self) -> bool {
        let none = self.units.is_empty() && self.runs.is_empty() && self.drop_runs.is_empty() && self.pools.is_empty();
        none && self.index.is_none() && self.log_size.is_none()
    }

    /// This one, and `later` after it, as one.
    pub fn then(&mut self, later: Change) {
        self.units.extend(later.units);
        self.runs.retain(|run| !later.drop_runs.contains(&run.file));
        self.drop_runs.extend(later.drop_runs);
        self.runs.extend(later.runs);
        self.pools.extend(later.pools);
        self.index = later.index.or(self.index.take());
        self.log_size = later.log_size.or(self.log_size);
    }
}

/// Everything in the catalog.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Units.
    pub units: Units,
    /// Runs.
    pub runs: Vec<RunMeta>,
    /// Public addresses seen behind a source.
    pub pools: Vec<(u32, [u8; 16])>,
    /// Index state.
    pub index: IndexState,
    /// Size of the log the units are complete up to.
    pub log_size: u64,
}

/// Where the catalog is kept: SQLite on one machine, memory in tests.
pub trait Catalog: Send + Sync {
    /// Reads all of it. One that another version of the program wrote is an error: it is cleared, by whoever has the folder's lock.
    fn load(&self) -> Result<Content, String>;
    /// Applies a change as a whole; doing it twice ends the same.
    fn apply(&self, change: &Change) -> Result<(), String>;
    /// Forgets everything, because it does not fit the log.
    fn clear(&self) -> Result<(), String>;
}

/// The catalog in SQLite. It is not a record: it is synced lazily.
pub struct SqliteCatalog(Mutex<Connection>);

const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS unit (entry INTEGER PRIMARY KEY, kind TEXT NOT NULL, day INTEGER NOT NULL, unit BLOB NOT NULL, file ANY NOT NULL,
  first_row INTEGER NOT NULL, rows INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, win_from INTEGER NOT NULL,
  win_to INTEGER NOT NULL, sealed INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS run (file TEXT PRIMARY KEY, level INTEGER NOT NULL, bucket INTEGER NOT NULL, day INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pool (source INTEGER NOT NULL, addr BLOB NOT NULL, PRIMARY KEY (source, addr)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL, text TEXT) STRICT;
PRAGMA user_version = 3;
";

/// Version 1 had windows of units that the log does not tell; version 2 had ids and names of files as text, in twice as many bytes.
const VERSION: i64 = 3;

const CLEAR: &str = "DROP TABLE IF EXISTS unit; DROP TABLE IF EXISTS run; DROP TABLE IF EXISTS pool; DROP TABLE IF EXISTS meta;";

impl SqliteCatalog {
    /// Opens or makes the catalog at this path. A file that is not a catalog, or one of a later version, is an error: delete it, it is rebuilt. What is there
    /// stays as it is: another program may have the folder.
    pub fn open(path: &Path) -> Result<SqliteCatalog, String> {
        let hint = |e: rusqlite::Error| format!("the catalog cannot be opened ({e}): delete catalog.sqlite, the next start rebuilds it");
        let db = Connection::open(path).map_err(hint)?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(hint)?;
        if version > VERSION {
            return Err(format!(
                "the catalog has version {version}, this program knows {VERSION}: delete catalog.sqlite, the next start rebuilds it"
            ));
        }
        db.execute_batch(SETTINGS).map_err(hint)?;
        if version == 0 {
            db.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT;")).map_err(hint)?;
        }
        Ok(SqliteCatalog(Mutex::new(db)))
    }
}

fn run(e: rusqlite::Error) -> String {
    format!("the catalog failed: {e}")
}

/// Names of files, as the catalog has them: where one is made of the unit's kind and day and of an id, as all are, that id alone.
#[derive(Default)]
struct FileNames {
    known: HashMap<(Id, Kind, Day), Arc<str>>,
}

impl FileNames {
    /// What stands in the catalog for a unit's file.
    fn value(unit: &UnitMeta) -> ToSqlOutput<'_> {
        let id = unit.file.rsplit_once('/').and_then(|(_, name)| name.strip_suffix(".parquet")?.parse::<Id>().ok());
        match id.filter(|id| *unit.file == *unit_file(unit.day, unit.kind, *id)) {
            Some(id) => ToSqlOutput::Owned(Value::Blob(id.0.to_vec())),
            None => ToSqlOutput::Borrowed(ValueRef::Text(unit.file.as_bytes())),
        }
    }

    /// The name that it stands for, of a unit of this kind and day.
    fn name(&mut self, value: ValueRef<'_>, kind: Kind, day: Day, units: &Units) -> Option<Arc<str>> {
        match value {
            ValueRef::Blob(id) => {
                let id = Id(id.try_into().ok()?);
                let name = self.known.entry((id, kind, day)).or_insert_with(|| unit_file(day, kind, id).into());
                Some(Arc::clone(name))
            }
            ValueRef::Text(name) => std::str::from_utf8(name).ok().map(|name| units.name(name)),
            _ => None,
        }
    }
}

fn unit_of(r: &rusqlite::Row<'_>, names: &mut FileNames, units: &Units) -> rusqlite::Result<Option<UnitMeta>> {
    let (kind, unit, day) = (r.get_ref(1)?.as_str()?, r.get_ref(3)?.as_blob()?, Day(r.get(2)?));
    let (Ok(kind), Ok(unit)) = (Kind::from_str(kind), unit.try_into()) else { return Ok(None) };
    let Some(file) = names.name(r.get_ref(4)?, kind, day, units) else { return Ok(None) };
    Ok(Some(UnitMeta {
        entry: r.get::<_, i64>(0)? as u64,
        kind,
        day,
        unit: Id(unit),
        file,
        first_row: r.get::<_, i64>(5)? as u64,
        rows: r.get::<_, i64>(6)? as u64,
        first: Millis(r.get(7)?),
        last: Millis(r.get(8)?),
        window: (Millis(r.get(9)?), Millis(r.get(10)?)),
        sealed: Millis(r.get(11)?),
    }))
}

impl Catalog for SqliteCatalog {
    fn load(&self) -> Result<Content, String> {
        let db = lock(&self.0);
        let version: i64 = db.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(run)?;
        if version != VERSION {
            return Err(format!("it has version {version}, this program knows {VERSION}"));
        }
        let (mut content, mut names) = (Content::default(), FileNames::default());
        let mut all = db.prepare("SELECT * FROM unit ORDER BY entry").map_err(run)?;
        let mut rows = all.query([]).map_err(run)?;
        while let Some(row) = rows.next().map_err(run)? {
            if let Some(unit) = unit_of(row, &mut names, &content.units).map_err(run)? {
                content.units.insert(unit);
            }
        }
        content.units.shrink();
        let mut all = db.prepare("SELECT file, level, bucket, day FROM run").map_err(run)?;
        let runs = all.query_map([], |r| Ok(RunMeta { file: r.get(0)?, level: r.get(1)?, bucket: r.get(2)?, day: Day(r.get(3)?) }));
        content.runs = runs.map_err(run)?.collect::<Result<_, _>>().map_err(run)?;
        let mut all = db.prepare("SELECT source, addr FROM pool").map_err(run)?;
        let pools = all.query_map([], |r| Ok((r.get(0)?, r.get(1)?)));
        content.pools = pools.map_err(run)?.collect::<Result<_, _>>().map_err(run)?;
        let mut all = db.prepare("SELECT key, number, text FROM meta").map_err(run)?;
        let metas = all.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?, r.get::<_, Option<String>>(2)?)));
        for meta in metas.map_err(run)? {
            match meta.map_err(run)? {
                (key, number, _) if key == "log_size" => content.log_size = number as u64,
                (key, number, _) if key == "index" => content.index.entries = number as u64,
                (key, number, Some(file)) if key == "snapshot" => content.index.snapshot = Some((file, Day(number as i32))),
                _ => {}
            }
        }
        Ok(content)
    }

    fn apply(&self, change: &Change) -> Result<(), String> {
        let mut db = lock(&self.0);
        let tx = db.transaction().map_err(run)?;
        for u in &change.units {
            let mut put = tx.prepare_cached("INSERT OR REPLACE INTO unit VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)").map_err(run)?;
            put.execute(params![
                u.entry as i64,
                u.kind.name(),
                u.day.0,
                u.unit.0,
                FileNames::value(u),
                u.first_row as i64,
                u.rows as i64,
                u.first.0,
                u.last.0,
                u.window.0.0,
                u.window.1.0,
                u.sealed.0
            ])
            .map_err(run)?;
        }
        for file in &change.drop_runs {
            tx.prepare_cached("DELETE FROM run WHERE file = ?1").map_err(run)?.execute([file]).map_err(run)?;
        }
        for r in &change.runs {
            let mut put = tx.prepare_cached("INSERT OR REPLACE INTO run VALUES (?1,?2,?3,?4)").map_err(run)?;
            put.execute(params![r.file, r.level, r.bucket, r.day.0]).map_err(run)?;
        }
        for (source, addr) in &change.pools {
            let mut put = tx.prepare_cached("INSERT OR IGNORE INTO pool VALUES (?1,?2)").map_err(run)?;
            put.execute(params![source, addr]).map_err(run)?;
        }
        let meta = |key: &str, number: i64, text: Option<&str>| {
            tx.execute("INSERT OR REPLACE INTO meta VALUES (?1,?2,?3)", params![key, number, text]).map_err(run)
        };
        if let Some(index) = &change.index {
            meta("index", index.entries as i64, None)?;
            match &index.snapshot {
                Some((file, day)) => meta("snapshot", i64::from(day.0), Some(file))?,
                None => tx.execute("DELETE FROM meta WHERE key = 'snapshot'", []).map_err(run)?,
            };
        }
        if let Some(size) = change.log_size {
            meta("log_size", size as i64, None)?;
        }
        tx.commit().map_err(run)
    }

    fn clear(&self) -> Result<(), String> {
        let mut db = lock(&self.0);
        // For good, so that after a power cut it does not come back beside a log that is another one.
        db.execute_batch("PRAGMA synchronous = FULL").map_err(run)?;
        let tx = db.transaction().map_err(run)?;
        tx.execute_batch(CLEAR).and_then(|()| tx.execute_batch(SCHEMA)).map_err(run)?;
        tx.commit().map_err(run)?;
        db.execute_batch("PRAGMA synchronous = NORMAL").map_err(run)
    }
}

/// A catalog in memory, for tests and for opening a folder without writing to it.
#[derive(Default)]
pub struct MemoryCatalog(Mutex<Content>);

impl Catalog for MemoryCatalog {
    fn load(&self) -> Result<Content, String> {
        Ok(lock(&self.0).clone())
    }

    fn apply(&self, change: &Change) -> Result<(), String> {
        let mut content = lock(&self.0);
        for unit in &change.units {
            content.units.insert(unit.clone());
        }
        content.runs.retain(|r| !change.drop_runs.contains(&r.file));
        for run in &change.runs {
            content.runs.retain(|r| r.file != run.file);
            content.runs.push(run.clone());
        }
        for pool in &change.pools {
            content.pools.retain(|p| p != pool);
            content.pools.push(*pool);
        }
        if let Some(index) = &change.index {
            content.index = index.clone();
        }
        content.log_size = change.log_size.unwrap_or(content.log_size);
        Ok(())
    }

    fn clear(&self) -> Result<(), String> {
        *lock(&self.0) = Content::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
