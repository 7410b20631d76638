//! Every value as text, with its path and where it comes from: for `check-config` and for the records of configuration changes.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::{Table, Value as Toml};

use super::schema::SETTINGS;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file.
    File,
    /// A change made at the desk.
    Desk,
    /// The command line.
    Set,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Value {
    /// Path, e.g. `sources.radius.clients[0].realm`.
    pub path: String,
    /// The value as it would be written.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// All values of a merged configuration, defaults filled in, in the order of the table of settings.
pub fn of(merged: &Table, file: &Table, desk: &Table, set: &[String]) -> Vec<Value> {
    let mut out = Vec::new();
    for setting in SETTINGS {
        let origin = match () {
            () if set.iter().any(|p| p == setting.path) => Origin::Set,
            () if find(desk, setting.path).is_some() => Origin::Desk,
            () if find(file, setting.path).is_some() => Origin::File,
            () => Origin::Default,
        };
        match find(merged, setting.path) {
            Some(value) => flatten(setting.path, value, origin, &mut out),
            None => out.push(Value { path: setting.path.to_owned(), value: setting.default.to_owned(), origin: Origin::Default }),
        }
    }
    out
}

/// The value at a path.
pub fn find<'a>(table: &'a Table, path: &str) -> Option<&'a Toml> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(h, r)| (h, Some(r)));
    match (table.get(head)?, rest) {
        (value, None) => Some(value),
        (Toml::Table(inner), Some(rest)) => find(inner, rest),
        _ => None,
    }
}

fn flatten(path: &str, value: &Toml, origin: Origin, out: &mut Vec<Value>) {
    match value {
        Toml::Array(list) if list.iter().any(Toml::is_table) => {
            for (i, entry) in list.iter().enumerate() {
                flatten(&format!("{path}[{i}]"), entry, origin, out);
            }
        }
        Toml::Table(table) => {
            // By name, so that moving a line in the file is no change.
            for (name, value) in table.iter().collect::<BTreeMap<_, _>>() {
                flatten(&format!("{path}.{name}"), value, origin, out);
            }
        }
        other => out.push(Value { path: path.to_owned(), value: other.to_string(), origin }),
    }
}
