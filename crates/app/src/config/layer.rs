//! What was changed at the desk: `settings.toml` in the data folder, between the file and `--set`. Only settings that may be changed there
//! may stand in it.

use toml::{Table, Value};

use super::editable::{self, Rule};
use super::schema::SETTINGS;
use super::{Problem, set, values};

/// The file in the data folder.
pub const FILE: &str = "settings.toml";

/// Puts the layer over what the file says, setting by setting.
pub fn join(table: &mut Table, layer: &Table) -> Vec<Problem> {
    let mut known = Table::new();
    let mut problems = Vec::new();
    for (path, value) in of(layer) {
        if editable::rule(path) == Rule::Fixed {
            problems.push(Problem::new(path, format!("cannot be changed at the desk: take it out of {FILE} in the data folder")));
        } else {
            set::put(table, path, value.clone());
        }
        set::put(&mut known, path, value.clone());
    }
    if known != *layer {
        problems.push(Problem::new("", format!("{FILE} in the data folder names what is no setting: take it out, or take the file away")));
    }
    problems
}

/// The settings in a layer.
pub fn of(layer: &Table) -> impl Iterator<Item = (&'static str, &Value)> {
    SETTINGS.iter().filter_map(|s| Some((s.path, values::find(layer, s.path)?)))
}

/// Reads a layer.
///
/// # Errors
/// It is not TOML.
pub fn parse(text: &str) -> Result<Table, Problem> {
    text.parse::<Table>().map_err(|_| Problem::new("", format!("{FILE} in the data folder is not TOML: mend it, or take it away")))
}

/// A layer as a file.
pub fn write(layer: &Table) -> String {
    format!(
        "# Settings changed at the desk or with `weir settings set`. They count more than the configuration file and less than --set.\n\
         # Take a line away to take a change back; the next start reads this file.\n\n{layer}"
    )
}

/// A layer without one setting.
pub fn without(layer: &Table, path: &str) -> Table {
    let mut out = Table::new();
    for (other, value) in of(layer).filter(|(p, _)| *p != path) {
        set::put(&mut out, other, value.clone());
    }
    out
}
