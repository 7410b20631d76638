//! Entry point for fuzzing: any bytes as a table or a dump of past sessions, no panic, and it ends.

use weir_base::time::Millis;

use super::sessions::{Mapping, Times, past};
use super::table::Table;

/// Reads `data` as CSV, tab-separated text or a dump with a table `radacct`.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn import_table(data: &[u8]) {
    let Ok(mut table) = Table::open(data, "radacct") else { return };
    let times = Times { zone: "+08:00".to_owned(), now: Millis(1_795_312_800_000) };
    let own = ["start", "stop", "account", "address"].map(|field| format!("{field}={}", table.columns.first().map_or("", String::as_str)));
    let mappings: Vec<Mapping> = [Mapping::radacct(&table.columns), Mapping::named(&table.columns, &own)].into_iter().flatten().collect();
    let (mut records, columns) = (0, table.columns.len());
    while let Ok(Some(record)) = table.record() {
        records += 1;
        assert!(records <= data.len(), "every record has bytes of its own");
        mappings.iter().for_each(|mapping| drop(past(&record, columns, mapping, &times)));
    }
}
