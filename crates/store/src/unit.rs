//! One sealed unit: from rows to a staged file with its log entry, and back.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt16Type};
use weir_base::crypto::Secret;
use weir_base::disk::{DiskFile, SharedDisk, write_new};
use weir_base::time::{Day, Millis};
use weir_record::canonical;
use weir_record::column::bytes16;
use weir_record::parquet::{self, PageDecryptor, PageMap};
use weir_record::stored::keyring::KeyId;
use weir_record::{Id, Kind};
use weir_seal::UnitId;
use weir_seal::entry::{Entry, Unit};
use weir_seal::filedigest::DigestBuilder;
use weir_seal::rows::{RowsRoot, SaltKey};

use crate::catalog::UnitMeta;
use crate::engine::StoreError;
use crate::index::IndexFiles;
use crate::keyring::Keyring;
use crate::limits::KEY_DAYS_BACK;
use crate::nat::mapping::Mapping;
use crate::spankey::sortable;
use crate::table::Stats;
use weir_base::net::Addr16;
use weir_record::kind::Record;
use weir_record::kinds::{NatMapping, RowType};

/// Folder of the tables that tell which page of a unit holds which public ends.
pub const FENCES: &str = "index/units";

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
}

/// The key day of a row: the UTC+8 day of its end or event, never later than sealing and never so long ago that its key is about to die.
pub fn key_day(time: Millis, sealed: Millis) -> Day {
    let today = sealed.day();
    time.day().clamp(today.plus(-KEY_DAYS_BACK), today)
}

/// Earliest and latest value of the kind's time column.
fn time_range(kind: Kind, rows: &RecordBatch) -> (Millis, Millis) {
    let column = |name: &str| {
        let index = kind.spec().index(name).unwrap_or(0);
        rows.column(index).as_primitive::<TimestampMillisecondType>().values().to_vec()
    };
    let mut times = column(kind.spec().time);
    if kind == Kind::NatMapping {
        times.extend(column("end"));
    }
    let first = times.iter().min().copied().unwrap_or(0);
    let last = times.iter().max().copied().unwrap_or(0);
    (Millis(first), Millis(last))
}

/// Root of the canonical rows of a unit.
pub fn rows_root(kind: Kind, rows: &RecordBatch, day_key: &Secret, unit: Id) -> Result<[u8; 32], StoreError> {
    let salts = SaltKey::new(day_key, UnitId(unit.0));
    let mut root = RowsRoot::new(&salts);
    let canonical = canonical::rows(kind, rows);
    let pushed = match canonical::fixed_row_len(kind) {
        Some(len) => root.push_fixed(&canonical.bytes, len),
        None => {
            let offsets: Vec<u32> =
                std::iter::once(0).chain(canonical.ends.iter().map(|e| u32::try_from(*e).unwrap_or(u32::MAX))).collect();
            root.push_variable(&canonical.bytes, &offsets)
        }
    };
    pushed.map_err(|e| StoreError::Internal(e.to_string()))?;
    Ok(root.finish())
}

/// The day key of a kind, made at first use.
pub fn day_key(keyring: &Keyring, kind: Kind, day: Day) -> Result<Secret, StoreError> {
    let id = KeyId::kind(kind.name(), day).map_err(|e| StoreError::Internal(e.to_string()))?;
    keyring.get_or_create(&[id])?.pop().ok_or_else(|| StoreError::Internal("the keyring gave no key".to_owned()))
}

/// Where and how a unit is staged.
pub struct Staging<'a> {
    /// The data folder.
    pub disk: &'a SharedDisk,
    /// The keys.
    pub keyring: &'a Keyring,
    /// When it is sealed.
    pub sealed: Millis,
    /// Keep SM3 digests too.
    pub sm3: bool,
}

/// Writes rows of one kind and one day, in the kind's order, as a staged unit.
pub fn stage(at: &Staging<'_>, kind: Kind, day: Day, rows: RecordBatch) -> Result<StagedUnit, StoreError> {
    let Staging { disk, keyring, sealed, sm3 } = *at;
    let unit = Id::random();
    let key = day_key(keyring, kind, day)?;
    let written = parquet::write(kind, std::slice::from_ref(&rows), &key).map_err(|e| StoreError::Internal(e.to_string()))?;
    let mut digest = DigestBuilder::new(sm3);
    digest.update(&written.bytes);
    let sidecar = digest.finish();
    let (first, last) = time_range(kind, &rows);
    let file = format!("segments/{day}/{}/{unit}.parquet", kind.name());
    let entry = Unit {
        kind: kind.name().to_owned(),
        kind_version: u32::from(kind.spec().version),
        day,
        unit: UnitId(unit.0),
        sealed,
        rows: rows.num_rows() as u64,
        first,
        last,
        rows_root: rows_root(kind, &rows, &key, unit)?,
        file: file.clone(),
        size: written.bytes.len() as u64,
        file_root: sidecar.root(),
        file_root_sm3: sidecar.root_sm3(),
        first_row: 0,
        sorted: true,
    };
    let files = stage_files(disk, &file, unit, &written.bytes, &sidecar.encode())?;
    Ok(StagedUnit { entry, files, kind, rows, map: written.map })
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

/// What the catalog keeps of a unit entry.
pub fn meta_of(index: u64, entry: &Unit, window: (Millis, Millis)) -> Option<UnitMeta> {
    Some(UnitMeta {
        entry: index,
        kind: entry.kind.parse().ok()?,
        day: entry.day,
        unit: Id(entry.unit.0),
        file: entry.file.clone(),
        first_row: entry.first_row,
        rows: entry.rows,
        first: entry.first,
        last: entry.last,
        window,
        sealed: entry.sealed,
    })
}

/// Key of a row in a unit's fence table.
fn fence_key(addr: &[u8; 16], port: u16, start: Millis) -> [u8; 26] {
    let mut key = [0; 26];
    key[..16].copy_from_slice(addr);
    key[16..18].copy_from_slice(&port.to_be_bytes());
    key[18..].copy_from_slice(&sortable(start));
    key
}

/// Where a unit's fence table lies.
pub fn fence_file(unit: Id) -> String {
    format!("{FENCES}/{unit}.tbl")
}

/// Writes the fence table of a NAT unit: first public end of each page → where the page's columns are. `rows` are the unit's own rows, which
/// lie in the file from `first_row` on.
pub fn write_fences(files: &IndexFiles, unit: Id, day: Day, rows: &RecordBatch, map: &PageMap, first_row: u64) -> Result<(), StoreError> {
    let path = fence_file(unit);
    if files.disk.exists(path.as_ref())? {
        files.disk.remove(path.as_ref())?;
    }
    let mut writer = crate::table::TableWriter::create(&files.disk, path.as_ref(), &files.key(day)?)?;
    let (addrs, ports) = (rows.column(0).as_fixed_size_binary(), rows.column(1).as_primitive::<UInt16Type>());
    let starts = rows.column(2).as_primitive::<TimestampMillisecondType>();
    let end = first_row + rows.num_rows() as u64;
    for spot in map.spots(0, first_row..end) {
        let from = spot.range().start.max(first_row);
        let row = usize::try_from(from - first_row).unwrap_or(0);
        let key = fence_key(&bytes16(addrs, row), ports.value(row), Millis(starts.value(row)));
        let cut = from..spot.range().end.min(end);
        let mut value = cut.start.to_le_bytes().to_vec();
        value.extend(cut.end.to_le_bytes());
        value.extend(map.cut(cut).encode());
        // Two pages may begin with the same end and start: the later one is found from the earlier.
        let mut unique = key.to_vec();
        unique.extend(u32::try_from(row).unwrap_or(u32::MAX).to_be_bytes());
        writer.push(&unique, &value)?;
    }
    writer.finish()?;
    Ok(())
}

/// Whole mappings of one exact public end in one sealed unit, read page by page.
pub struct UnitLookup<'a> {
    /// Where index files lie.
    pub files: &'a IndexFiles,
    /// The day key of the unit.
    pub key: Secret,
    /// The unit.
    pub unit: &'a UnitMeta,
}

impl UnitLookup<'_> {
    /// Whole rows of `addr` and `port` that overlap `from..=to`.
    pub fn find(&self, addr: Addr16, port: u16, from: Millis, to: Millis, stats: &mut Stats) -> Result<Vec<Mapping>, StoreError> {
        let reader = crate::table::TableReader::open(
            &self.files.disk,
            fence_file(self.unit.unit).as_ref(),
            &self.files.key(self.unit.sealed.day())?,
        )?;
        let mut first = fence_key(&addr.0, port, self.unit.window.0).to_vec();
        first.extend([0; 4]);
        let mut last = fence_key(&addr.0, port, to).to_vec();
        last.extend([0xff; 4]);
        let mut pages: Vec<Vec<u8>> = Vec::new();
        reader.range_back(&[], &first, stats, &mut |_, v| {
            pages.push(v.to_vec());
            false
        })?;
        reader.range_back(&first, &last, stats, &mut |_, v| {
            pages.push(v.to_vec());
            true
        })?;
        pages.sort();
        pages.dedup();
        let file: Arc<dyn DiskFile> = Arc::from(self.files.disk.open(self.unit.file.as_ref(), false)?);
        let mut found = Vec::new();
        for value in pages {
            self.page(&value, addr, port, from, to, file.as_ref(), stats, &mut found)?;
        }
        Ok(found)
    }

    #[allow(clippy::too_many_arguments)]
    fn page(
        &self,
        value: &[u8],
        addr: Addr16,
        port: u16,
        from: Millis,
        to: Millis,
        file: &dyn DiskFile,
        stats: &mut Stats,
        found: &mut Vec<Mapping>,
    ) -> Result<(), StoreError> {
        let damaged =
            || StoreError::Damaged(format!("the index of unit {} is damaged: delete the index folder, it is rebuilt", self.unit.unit));
        let (start, rest) = value.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (end, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let rows = u64::from_le_bytes(*start)..u64::from_le_bytes(*end);
        let map = PageMap::decode(rest).map_err(|_| damaged())?;
        let pages = PageDecryptor::new(Kind::NatMapping, &self.key, map.unique);
        let mut column = |name: &str| -> Result<arrow::array::ArrayRef, StoreError> {
            let index = Kind::NatMapping.spec().index(name).unwrap_or(0);
            let spot = map.locate(rows.start, index).ok_or_else(damaged)?;
            let mut read = |at: parquet::Span| -> Result<Vec<u8>, StoreError> {
                let mut bytes = vec![0; at.length as usize];
                file.read_exact_at(&mut bytes, at.offset)?;
                stats.pages += 1;
                stats.bytes += u64::from(at.length);
                Ok(bytes)
            };
            let failed = |e: parquet::ParquetFailure| StoreError::Damaged(e.to_string());
            let dictionary = match spot.dictionary {
                Some(at) => Some(pages.dictionary(&spot, &read(at)?).map_err(failed)?),
                None => None,
            };
            let page = parquet::read_page(&pages, &spot, &read(spot.at)?, dictionary.as_ref()).map_err(failed)?;
            let skip = usize::try_from(rows.start.saturating_sub(spot.first_row)).unwrap_or(0);
            let len = usize::try_from(rows.end - rows.start).unwrap_or(0).min(page.len().saturating_sub(skip));
            Ok(page.slice(skip, len))
        };
        let (addrs, ports) = (column("public_address")?, column("public_port")?);
        let (addrs, ports) = (addrs.as_fixed_size_binary(), ports.as_primitive::<UInt16Type>());
        let hit: Vec<usize> = (0..addrs.len()).filter(|i| addrs.value(*i) == addr.0 && ports.value(*i) == port).collect();
        let (Some(low), Some(high)) = (hit.first().copied(), hit.last().copied()) else { return Ok(()) };
        // Rows of one end stand together: take the stretch, then read its other columns.
        let mut columns = Vec::with_capacity(Kind::NatMapping.spec().fields.len());
        for field in Kind::NatMapping.spec().fields {
            columns.push(column(field.name)?.slice(low, high - low + 1));
        }
        for row in 0..=(high - low) {
            let row = NatMapping::row(&columns, row);
            let whole = row.row_type == RowType::Whole as u8;
            if whole && row.start <= to && row.end >= from && !crate::index::needs_span(&row, self.unit.window) {
                found.extend(Mapping::from_row(&row));
            }
        }
        Ok(())
    }
}
