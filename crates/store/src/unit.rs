//! One sealed unit: from rows to a staged file with its log entry, and back.

use std::path::PathBuf;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt64Type};
use weir_base::crypto::Secret;
use weir_base::disk::{SharedDisk, write_new};
use weir_base::time::{Day, Millis};
use weir_record::canonical;
use weir_record::parquet::{self, PageMap};
use weir_record::stored::keyring::KeyId;
use weir_record::stored::words;
use weir_record::{Id, Kind};
use weir_seal::UnitId;
use weir_seal::entry::{Entry, Unit};
use weir_seal::filedigest::DigestBuilder;
use weir_seal::rows::{LEAF_HEAD, RowsError, RowsRoot, SaltKey};

use crate::catalog::UnitMeta;
use crate::engine::StoreError;
use crate::keyring::Keyring;
use crate::limits::{KEY_DAYS_BACK, LEAF_ROWS, REACH_MS, REACH_UNITS, TEXT_LEAF_ROWS, WINDOW_SLACK_MS};

/// A unit whose files are written and synced in `stage/` and wait for the commit.
pub struct StagedUnit {
    /// Its log entry.
    pub entry: Unit,
    /// Files to move: from, to.
    pub files: Vec<(PathBuf, PathBuf)>,
    /// Kind of its rows.
    pub kind: Kind,
    /// Its rows, as sealed.
    pub rows: RecordBatch,
    /// Where its pages are.
    pub map: PageMap,
    /// Its word index, where it has one.
    pub words: Option<Vec<words::Entry>>,
}

/// The key day of a row: the UTC+8 day of its end or event, never later than sealing and never so long ago that its key is about to die.
pub fn key_day(time: Millis, sealed: Millis) -> Day {
    let today = sealed.day();
    time.day().clamp(today.plus(-KEY_DAYS_BACK), today)
}

/// Earliest and latest value of the kind's time column.
fn time_range(kind: Kind, rows: &RecordBatch) -> (Millis, Millis) {
    let column = |name: &str| rows.column(kind.spec().index(name).unwrap_or(0));
    let times = column(kind.spec().time).as_primitive::<TimestampMillisecondType>().values();
    let first = times.iter().min().copied().unwrap_or(0);
    let last = if kind == Kind::NatMapping {
        let lasts = column("duration").as_primitive::<UInt64Type>().values();
        times.iter().zip(lasts).map(|(time, lasts)| time.saturating_add_unsigned(*lasts)).max()
    } else {
        times.iter().max().copied()
    };
    let last = last.unwrap_or(0);
    (Millis(first), Millis(last))
}

/// Root of the canonical rows of a unit.
pub fn rows_root(kind: Kind, rows: &RecordBatch, day_key: &Secret, unit: Id) -> Result<[u8; 32], StoreError> {
    let salts = SaltKey::new(day_key, UnitId(unit.0));
    let mut root = RowsRoot::new(&salts);
    push_rows(&mut root, kind, rows).map_err(|e| StoreError::Internal(e.to_string()))?;
    Ok(root.finish())
}

fn push_rows(root: &mut RowsRoot<'_>, kind: Kind, rows: &RecordBatch) -> Result<(), RowsError> {
    let Some(len) = canonical::fixed_row_len(kind) else {
        let (mut leaves, mut from) = (canonical::Rows::default(), 0);
        while from < rows.num_rows() {
            let n = TEXT_LEAF_ROWS.min(rows.num_rows() - from);
            leaves.clear();
            canonical::variable_rows_into(kind, &rows.slice(from, n), LEAF_HEAD, &mut leaves);
            root.push_variable_leaves(&mut leaves.bytes, &leaves.ends)?;
            from += n;
        }
        return Ok(());
    };
    // So many rows at once that their canonical bytes stay in a processor's cache; each with room for what its leaf begins with.
    let mut leaves = Vec::new();
    let mut from = 0;
    while from < rows.num_rows() {
        let n = LEAF_ROWS.min(rows.num_rows() - from);
        // Every byte is written again.
        leaves.resize(n * (LEAF_HEAD + len), 0);
        canonical::fixed_rows_into(kind, &rows.slice(from, n), LEAF_HEAD, &mut leaves);
        root.push_leaves(&mut leaves, LEAF_HEAD + len)?;
        from += n;
    }
    Ok(())
}

/// The day key of a kind, made at first use.
pub fn day_key(keyring: &Keyring, kind: Kind, day: Day) -> Result<Secret, StoreError> {
    let id = KeyId::kind(kind.name(), day).map_err(|e| StoreError::Internal(e.to_string()))?;
    keyring.get_or_create(&[id])?.pop().ok_or_else(|| StoreError::Internal("the keyring gave no key".to_owned()))
}

/// Rows of one kind and one day, in the kind's order, that are to be a unit.
pub struct PlannedUnit {
    kind: Kind,
    day: Day,
    rows: RecordBatch,
    key: Secret,
    unit: Id,
}

/// Where a file of that id lies, relative to the data folder: of a unit, or of several that were repacked.
pub fn unit_file(day: Day, kind: Kind, id: Id) -> String {
    format!("segments/{day}/{}/{id}.parquet", kind.name())
}

impl PlannedUnit {
    /// A unit of these rows, under the day's key.
    pub fn new(keyring: &Keyring, kind: Kind, day: Day, rows: RecordBatch) -> Result<PlannedUnit, StoreError> {
        Ok(PlannedUnit { kind, day, key: day_key(keyring, kind, day)?, rows, unit: Id::random() })
    }

    /// Where its file is going to lie.
    pub fn file(&self) -> String {
        unit_file(self.day, self.kind, self.unit)
    }

    /// Kind of its rows.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its rows.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// Makes its file and its log entry. Needs no disk.
    pub fn make(&self, sealed: Millis, sm3: bool) -> Result<MadeUnit, StoreError> {
        let PlannedUnit { kind, day, rows, key, unit } = self;
        let written = parquet::write(*kind, std::slice::from_ref(rows), key).map_err(|e| StoreError::Internal(e.to_string()))?;
        let mut digest = DigestBuilder::new(sm3);
        digest.update(&written.bytes);
        let sidecar = digest.finish();
        let (first, last) = time_range(*kind, rows);
        let entry = Unit {
            kind: kind.name().to_owned(),
            kind_version: u32::from(kind.spec().version),
            day: *day,
            unit: UnitId(unit.0),
            sealed,
            rows: rows.num_rows() as u64,
            first,
            last,
            rows_root: rows_root(*kind, rows, key, *unit)?,
            file: self.file(),
            size: written.bytes.len() as u64,
            file_root: sidecar.root(),
            file_root_sm3: sidecar.root_sm3(),
            first_row: 0,
            sorted: true,
        };
        Ok(MadeUnit { entry, bytes: written.bytes, sidecar: sidecar.encode(), map: written.map })
    }

    /// Writes what was made of it into `stage/`.
    pub fn stage(self, disk: &SharedDisk, made: MadeUnit) -> Result<StagedUnit, StoreError> {
        let MadeUnit { entry, bytes, sidecar, map } = made;
        let files = stage_files(disk, &entry.file, self.unit, &bytes, &sidecar)?;
        Ok(StagedUnit { entry, files, kind: self.kind, rows: self.rows, map, words: None })
    }
}

/// A unit in memory.
pub struct MadeUnit {
    entry: Unit,
    bytes: Vec<u8>,
    sidecar: Vec<u8>,
    map: PageMap,
}

/// Writes a file and its sidecar into `stage/`, synced; returns where they are and where they go.
pub fn stage_files(disk: &SharedDisk, file: &str, name: Id, bytes: &[u8], sidecar: &[u8]) -> Result<Vec<(PathBuf, PathBuf)>, StoreError> {
    let staged = PathBuf::from(format!("stage/{name}.parquet"));
    let staged_sidecar = PathBuf::from(format!("stage/{name}.digests"));
    write_new(disk.as_ref(), &staged, bytes)?;
    write_new(disk.as_ref(), &staged_sidecar, sidecar)?;
    if let Some(folder) = PathBuf::from(file).parent() {
        disk.create_dir(folder)?;
    }
    Ok(vec![(staged, PathBuf::from(file)), (staged_sidecar, PathBuf::from(format!("{file}.digests")))])
}

impl StagedUnit {
    /// The unit's encoded log entry.
    pub fn encoded(&self) -> Result<Vec<u8>, StoreError> {
        Entry::Unit(self.entry.clone()).encode().map_err(|e| StoreError::Internal(e.to_string()))
    }
}

/// The window of a unit: plain mappings that lie in it are found in the unit itself. The log alone tells it, so that a catalog that is lost takes nothing with it: a unit is opened
/// with the commit before, whose heartbeat is `beat` (the log's beginning, where there was none), or [`REACH_MS`] before it is sealed where that is later.
pub fn window_of(beat: Option<Millis>, sealed: Millis) -> (Millis, Millis) {
    let opened = beat.unwrap_or(sealed).max(sealed.plus(-REACH_MS)).min(sealed);
    let reach = sealed.since(opened).saturating_mul(REACH_UNITS).clamp(0, REACH_MS);
    (opened.plus(-WINDOW_SLACK_MS - reach), sealed.plus(WINDOW_SLACK_MS))
}

/// What the catalog keeps of a unit entry.
pub fn meta_of(index: u64, entry: &Unit, window: (Millis, Millis)) -> Option<UnitMeta> {
    Some(UnitMeta {
        entry: index,
        kind: entry.kind.parse().ok()?,
        day: entry.day,
        unit: Id(entry.unit.0),
        file: entry.file.as_str().into(),
        first_row: entry.first_row,
        rows: entry.rows,
        first: entry.first,
        last: entry.last,
        window,
        sealed: entry.sealed,
    })
}
