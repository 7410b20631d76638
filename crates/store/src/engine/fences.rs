//! Fence tables of units that are asked about: they can be thrown away at any time, and are made again from their units.

use weir_base::task::lock;

use super::{Store, StoreError};
use crate::catalog::UnitMeta;
use crate::fence::{UnitLookup, Wanted, fence_file, write_fences};
use crate::nat::mapping::Mapping;
use crate::shelf::Shelf;
use crate::table::Stats;

impl Store {
    /// Rows of one unit. Its fence table is made where it is not there, and again where it does not read, as after a crash or a failure of the disk, or where it
    /// names what its unit does not have.
    pub(super) fn rows_in(
        &self,
        lookup: &UnitLookup<'_>,
        wanted: Wanted,
        shelf: &Shelf,
        stats: &mut Stats,
    ) -> Result<Vec<Mapping>, StoreError> {
        let mut find = || lookup.find(wanted, shelf, stats).inspect_err(|_| shelf.forget(lookup.unit));
        let gone = |e: &StoreError| matches!(e, StoreError::Table(e) if e.is_not_found());
        match find() {
            Err(e) if gone(&e) || is_of_no_use(&e) => {}
            other => return other,
        }
        // Where the unit moved meanwhile its file is not there either, and the question is asked again.
        let _one_at_a_time = lock(&self.moving);
        self.ensure_fences(lookup.unit)?;
        match find() {
            // Not half of one that somebody else was making, then. Where it is the unit that is damaged, a new table says nothing else: once is enough.
            Err(e) if is_of_no_use(&e) => {
                let is_table = matches!(e, StoreError::Table(_));
                if !is_table && lock(&self.mended).contains(&lookup.unit.unit) {
                    return Err(e);
                }
                let made = self.make_fences_of(lookup.unit);
                if !is_table && made.as_ref().err().is_none_or(is_of_no_use) {
                    lock(&self.mended).insert(lookup.unit.unit);
                }
                made?;
                find()
            }
            other => other,
        }
    }

    /// Makes it where there is none.
    fn ensure_fences(&self, unit: &UnitMeta) -> Result<(), StoreError> {
        if self.disk.exists(fence_file(unit.unit).as_ref())? { Ok(()) } else { self.make_fences_of(unit) }
    }

    /// The one that is there stays until the unit has been read.
    fn make_fences_of(&self, unit: &UnitMeta) -> Result<(), StoreError> {
        if self.day_key(unit.kind, unit.day).is_none() {
            return Ok(());
        }
        let reader = self.open_unit(unit)?;
        let batches = reader.rows(unit.first_row..unit.first_row + unit.rows, None)?;
        let rows = arrow::compute::concat_batches(&unit.kind.schema(), &batches).map_err(|e| StoreError::Internal(e.to_string()))?;
        write_fences(&self.files, unit, &rows, reader.map(), unit.first_row)
    }
}

/// A fence table that is damaged, or names what is not there: something else may be damaged too, but the table can be made again.
fn is_of_no_use(error: &StoreError) -> bool {
    match error {
        StoreError::Table(e) => e.is_damage(),
        StoreError::Damaged(_) => true,
        StoreError::Io(e) => e.kind() == std::io::ErrorKind::UnexpectedEof,
        _ => false,
    }
}
