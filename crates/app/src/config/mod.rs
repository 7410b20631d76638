//! Configuration: defaults, then the file, then what was changed at the desk, then `--set`. Reading it gives the settings, or every problem at once.

mod check;
mod desk;
pub mod editable;
pub mod files;
pub mod layer;
pub mod schema;
pub mod set;
mod shape;
mod values;

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::{Table, Value as Toml};

use crate::limits::{CONFIG_BYTES, CONFIG_PROBLEMS};

pub use check::{Settings, StoreSettings};
pub use desk::{DeskSection, DeskSettings, ProviderSettings, SOCKET_ROLES, Uid, UidSettings};
pub use values::{Origin, Value, find};

/// One problem: where it stands, what is wrong with it and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Path of the setting, e.g. `sources.ipfix.exporters[2].prefix`; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl Problem {
    /// A problem at a path.
    pub fn new(path: impl Into<String>, what: impl Into<String>) -> Problem {
        Problem { path: path.into(), what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.what) } else { write!(f, "{} {}", self.path, self.what) }
    }
}

/// `[unit]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitSection {
    /// Name of the transparency log: never changed once the log has begun.
    pub origin: String,
    /// What the unit is under the law.
    pub kinds: Vec<String>,
}

impl Default for UnitSection {
    fn default() -> UnitSection {
        UnitSection { origin: "unnamed.invalid".to_owned(), kinds: Vec::new() }
    }
}

/// `[store]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSection {
    /// How long rows wait at most until they are sealed.
    pub seal_every: String,
    /// Rows after which a unit is sealed earlier.
    pub unit_rows: usize,
    /// Bytes of the write-ahead log at most; beyond them sources stop or count.
    pub wal_bytes: u64,
    /// Bytes of memory the program may hold; 0: half of what the machine or its control group has, at most 4 GiB.
    pub memory_bytes: u64,
    /// SM3 digests beside SHA-256.
    pub sm3: bool,
}

impl Default for StoreSection {
    fn default() -> StoreSection {
        StoreSection { seal_every: "60s".to_owned(), unit_rows: 24 << 20, wal_bytes: 8 << 30, memory_bytes: 0, sm3: false }
    }
}

/// `[measures]`: which measures run.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeasuresSection {
    /// RADIUS accounting.
    pub radius: bool,
    /// IPFIX and NetFlow v9.
    pub ipfix: bool,
    /// Syslog, where it has somewhere to listen.
    pub syslog: bool,
    /// The kernel's connection tracking.
    pub conntrack: bool,
    /// Deterministic NAT.
    pub detnat: bool,
    /// DHCP lease files.
    pub dhcp: bool,
    /// H3C's binary flow log, where it has somewhere to listen.
    pub h3c: bool,
    /// The logs of the machine Weir runs on.
    pub host: bool,
    /// Application events, where there is somewhere to listen.
    pub events: bool,
}

impl Default for MeasuresSection {
    fn default() -> MeasuresSection {
        MeasuresSection {
            radius: true,
            ipfix: true,
            syslog: true,
            conntrack: false,
            detnat: true,
            dhcp: true,
            h3c: true,
            host: false,
            events: true,
        }
    }
}

/// `[[realms]]`: what is known of an inside address space beside its sources.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealmSection {
    /// Its name.
    pub name: String,
    /// Addresses that its subscribers hold without a NAT.
    #[serde(default)]
    pub own: Vec<String>,
}

/// `[sources]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourcesSection {
    /// RADIUS accounting.
    pub radius: weir_sources::radius::config::Config,
    /// IPFIX and NetFlow v9.
    pub ipfix: weir_sources::ipfix::config::Config,
    /// Syslog.
    pub syslog: weir_sources::syslog::config::Config,
    /// The kernel's connection tracking.
    pub conntrack: weir_sources::conntrack::config::Config,
    /// Deterministic NAT.
    pub detnat: weir_sources::detnat::config::Config,
    /// DHCP lease files.
    pub dhcp: weir_sources::dhcp::config::Config,
    /// H3C's binary flow log.
    pub h3c: weir_sources::h3c::config::Config,
    /// The logs of the machine Weir runs on.
    pub host: weir_sources::host::config::Config,
    /// Application events.
    pub events: weir_sources::events::config::Config,
}

/// The configuration as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who we are.
    pub unit: UnitSection,
    /// How records are kept.
    pub store: StoreSection,
    /// What runs.
    pub measures: MeasuresSection,
    /// Inside address spaces.
    pub realms: Vec<RealmSection>,
    /// Where records come from.
    pub sources: SourcesSection,
    /// Where people sign in, and who may use the socket.
    pub desk: DeskSection,
}

/// A configuration without problems.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the program runs with.
    pub settings: Settings,
    /// Every value and where it comes from.
    pub values: Vec<Value>,
    /// All of it as it is written, defaults left out.
    pub table: Table,
}

/// The text of a configuration file.
///
/// # Errors
/// Why it cannot be read.
pub fn text_of(file: &Path) -> Result<String, Problem> {
    read(file)
}

/// A configuration from a text and the values of `--set`.
///
/// # Errors
/// Every problem there is.
pub fn parse(text: &str, set: &[String]) -> Result<Loaded, Vec<Problem>> {
    parse_with(text, &Table::new(), set)
}

/// As [`parse`], with what was changed at the desk between the file and `--set`.
///
/// # Errors
/// Every problem there is.
pub fn parse_with(text: &str, desk: &Table, set: &[String]) -> Result<Loaded, Vec<Problem>> {
    looked_at(text, desk, set).0
}

/// Reads a configuration: the file, if any, then the values of `--set` in their order. Gives it, or every problem there is; and what was written as far
/// as it can be read, wrong or not, so that the files it names can be looked at whatever else is wrong.
pub fn load(file: Option<&Path>, set: &[String]) -> (Result<Loaded, Vec<Problem>>, Option<Config>) {
    match file.map(read).transpose() {
        Ok(text) => looked_at(&text.unwrap_or_default(), &Table::new(), set),
        Err(problem) => (Err(vec![problem]), None),
    }
}

fn looked_at(text: &str, desk: &Table, set: &[String]) -> (Result<Loaded, Vec<Problem>>, Option<Config>) {
    let mut table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(e) => return (Err(vec![syntax(text, &e)]), None),
    };
    let from_file = table.clone();
    let mut problems = layer::join(&mut table, desk);
    let mut from_set = Vec::new();
    for text in set {
        match set::apply(&mut table, text) {
            Ok(path) => from_set.push(path),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(shape::check(&mut table));
    let values = values::of(&table, &from_file, desk, &from_set);
    let written = table.clone();
    let config = fitting(table, &mut problems);
    let checked = config.as_ref().map_err(|e| vec![e.clone()]).and_then(check::check);
    let result = match checked {
        Ok(settings) if problems.is_empty() => Ok(Loaded { settings, values, table: written }),
        Ok(_) => Err(cut(problems)),
        Err(more) => {
            // What the walk found already is not said again in other words.
            let known: Vec<String> = problems.iter().map(|p| p.path.clone()).collect();
            problems.extend(more.into_iter().filter(|p| !known.contains(&p.path)));
            Err(cut(problems))
        }
    };
    (result, config.ok())
}

/// What the types make of a table. The walk has taken out all that does not fit but numbers that their setting cannot hold: they become problems and
/// are taken out here. What is left then is a fault of the table of settings, and a test looks for it.
fn fitting(table: Table, problems: &mut Vec<Problem>) -> Result<Config, Problem> {
    let mut written = Toml::Table(table);
    for _ in 0..CONFIG_PROBLEMS {
        let message = match written.clone().try_into::<Config>() {
            Ok(config) => return Ok(config),
            Err(e) => e.message().to_owned(),
        };
        let Some((number, path)) = too_large(&message).and_then(|number| Some((number, take_number("", &mut written, number)?))) else {
            return Err(Problem::new("", format!("the configuration cannot be read: {message}: please report this")));
        };
        problems.push(Problem::new(path, format!("= {number} is too large a number for this setting: write less")));
    }
    Err(Problem::new("", "very many numbers are too large for their settings: mend these first"))
}

/// The number that the reader named because its setting holds no such one.
fn too_large(message: &str) -> Option<i64> {
    message.strip_prefix("invalid value: integer `")?.split('`').next()?.parse().ok()
}

/// Takes the first such number out; the path where it stood.
fn take_number(at: &str, value: &mut Toml, number: i64) -> Option<String> {
    let is_it = |v: &Toml| v.as_integer() == Some(number);
    match value {
        Toml::Table(table) => {
            let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
            if let Some(name) = table.iter().find(|(_, v)| is_it(v)).map(|(name, _)| name.clone()) {
                table.remove(&name);
                return Some(below(&name));
            }
            table.iter_mut().find_map(|(name, v)| take_number(&below(name), v, number))
        }
        Toml::Array(list) => match list.iter().position(is_it) {
            Some(i) => {
                list.remove(i);
                Some(format!("{at}[{i}]"))
            }
            None => list.iter_mut().enumerate().find_map(|(i, v)| take_number(&format!("{at}[{i}]"), v, number)),
        },
        _ => None,
    }
}

fn cut(mut problems: Vec<Problem>) -> Vec<Problem> {
    if let Some(more) = problems.len().checked_sub(CONFIG_PROBLEMS).filter(|n| *n > 0) {
        problems.truncate(CONFIG_PROBLEMS);
        problems.push(Problem::new("", format!("and {more} more problems: mend these first")));
    }
    problems
}

fn read(path: &Path) -> Result<String, Problem> {
    let bad = |e: std::io::Error| Problem::new("", format!("{} cannot be read ({e}): name an existing file with --config", path.display()));
    let file = std::fs::File::open(path).map_err(bad)?;
    let mut text = String::new();
    file.take(CONFIG_BYTES + 1).read_to_string(&mut text).map_err(bad)?;
    if text.len() as u64 > CONFIG_BYTES {
        return Err(Problem::new("", format!("{} is longer than {CONFIG_BYTES} bytes: is this the right file?", path.display())));
    }
    Ok(text)
}

fn syntax(text: &str, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |s| s.start).min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let reason = error.message().lines().collect::<Vec<_>>().join(", ");
    Problem::new("", format!("line {line}, column {column} is not TOML ({reason}): mend it and look again"))
}

#[cfg(test)]
mod tests;
