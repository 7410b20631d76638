//! From a record of a table to a past session, by the names of the columns. Pure.

use serde::{Deserialize, Serialize};
use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;

use super::limits::{DAYS_BACK, VALUE_BYTES};
use super::table::Record;

/// What a column of a table may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// When the session began.
    Start,
    /// When it ended.
    Stop,
    /// When it was last heard of.
    Update,
    /// How long it lasted, in seconds.
    Duration,
    /// Acct-Session-Id.
    Session,
    /// What makes the session unique where its id does not.
    Unique,
    /// User-Name.
    Account,
    /// Calling-Station-Id.
    Caller,
    /// Called-Station-Id.
    Called,
    /// NAS-IP-Address.
    Nas,
    /// NAS-Port-Id.
    NasPort,
    /// Framed-IP-Address, or any address that the session had.
    Address,
    /// Framed-IPv6-Address.
    Address6,
    /// Framed-IPv6-Prefix.
    Prefix,
    /// Delegated-IPv6-Prefix.
    Delegated,
    /// Acct-Input-Octets.
    Input,
    /// Acct-Output-Octets.
    Output,
    /// Acct-Terminate-Cause, by name or number.
    Cause,
}

/// Field, word on the command line, column of FreeRADIUS's `radacct` (raddb/mods-config/sql/main/*/schema.sql).
const FIELDS: &[(Field, &str, &str)] = &[
    (Field::Start, "start", "acctstarttime"),
    (Field::Stop, "stop", "acctstoptime"),
    (Field::Update, "update", "acctupdatetime"),
    (Field::Duration, "duration", "acctsessiontime"),
    (Field::Session, "session", "acctsessionid"),
    (Field::Unique, "unique", "acctuniqueid"),
    (Field::Account, "account", "username"),
    (Field::Caller, "caller", "callingstationid"),
    (Field::Called, "called", "calledstationid"),
    (Field::Nas, "nas", "nasipaddress"),
    (Field::NasPort, "nas-port", "nasportid"),
    (Field::Address, "address", "framedipaddress"),
    (Field::Address6, "address6", "framedipv6address"),
    (Field::Prefix, "prefix", "framedipv6prefix"),
    (Field::Delegated, "delegated", "delegatedipv6prefix"),
    (Field::Input, "input", "acctinputoctets"),
    (Field::Output, "output", "acctoutputoctets"),
    (Field::Cause, "cause", "acctterminatecause"),
];

/// Names of Acct-Terminate-Cause (RFC 2866 section 5.10), from 1.
const CAUSES: [&str; 18] = [
    "User-Request",
    "Lost-Carrier",
    "Lost-Service",
    "Idle-Timeout",
    "Session-Timeout",
    "Admin-Reset",
    "Admin-Reboot",
    "Port-Error",
    "NAS-Error",
    "NAS-Request",
    "NAS-Reboot",
    "Port-Unneeded",
    "Port-Preempted",
    "Port-Suspended",
    "Service-Unavailable",
    "Callback",
    "User-Error",
    "Host-Request",
];

/// Which field stands in which column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(Field, usize)>);

impl Mapping {
    /// The columns of FreeRADIUS's `radacct`.
    ///
    /// # Errors
    /// Which columns are missing.
    pub fn radacct(columns: &[String]) -> Result<Mapping, String> {
        let at = |name: &str| columns.iter().position(|c| c == name);
        let found: Vec<_> = FIELDS.iter().filter_map(|(field, _, name)| Some((*field, at(name)?))).collect();
        let missing: Vec<&str> = ["acctsessionid", "username", "acctstarttime"].into_iter().filter(|n| at(n).is_none()).collect();
        if missing.is_empty() {
            Ok(Mapping(found))
        } else {
            Err(format!("columns {} are missing: is this the table radacct?", missing.join(", ")))
        }
    }

    /// Columns as `field=column` says.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn named(columns: &[String], pairs: &[String]) -> Result<Mapping, String> {
        let words = || FIELDS.iter().map(|f| f.1).collect::<Vec<_>>().join(", ");
        let mut found: Vec<(Field, usize)> = Vec::new();
        for pair in pairs {
            let (word, column) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is not a column: write it as start=login_time"))?;
            let field =
                FIELDS.iter().find(|f| f.1 == word).ok_or_else(|| format!("there is no field {word:?}; the fields are: {}", words()))?.0;
            let at = columns.iter().position(|c| *c == column.to_ascii_lowercase());
            let at = at.ok_or_else(|| format!("there is no column {column:?}; the columns are: {}", columns.join(", ")))?;
            if found.iter().any(|(f, _)| *f == field) {
                return Err(format!("the field {word:?} is named twice: keep one"));
            }
            found.push((field, at));
        }
        let has = |f: Field| found.iter().any(|(g, _)| *g == f);
        let address = has(Field::Address) || has(Field::Address6) || has(Field::Prefix) || has(Field::Delegated);
        if !has(Field::Start) || !address || !(has(Field::Account) || has(Field::Caller)) {
            return Err(format!("start, an address and an account or a caller must be named; the fields are: {}", words()));
        }
        Ok(Mapping(found))
    }

    /// The words of the fields that are there, for people.
    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().filter_map(|(f, _)| Some(FIELDS.iter().find(|g| g.0 == *f)?.1)).collect()
    }
}

/// A session of the past. Account and caller are in the clear: it goes to the program and no further.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Past {
    /// When it began, in milliseconds since 1970.
    pub start: Option<i64>,
    /// When it ended.
    pub stop: Option<i64>,
    /// When it was last heard of.
    pub update: Option<i64>,
    /// Seconds it lasted.
    pub duration: Option<u32>,
    /// Acct-Session-Id.
    pub session: Option<String>,
    /// What makes it unique.
    pub unique: Option<String>,
    /// User-Name.
    pub account: Option<String>,
    /// Calling-Station-Id.
    pub caller: Option<String>,
    /// Called-Station-Id.
    pub called: Option<String>,
    /// NAS address.
    pub nas: Option<String>,
    /// NAS-Port-Id.
    pub nas_port: Option<String>,
    /// IPv4 address.
    pub address: Option<String>,
    /// IPv6 address.
    pub address6: Option<String>,
    /// Framed prefix.
    pub prefix: Option<String>,
    /// Delegated prefix.
    pub delegated: Option<String>,
    /// Octets in.
    pub input: Option<u64>,
    /// Octets out.
    pub output: Option<u64>,
    /// Terminate cause.
    pub cause: Option<u32>,
}

/// What is wrong with a line. Holds no value of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Line number, from 1.
    pub line: u64,
    /// What is wrong and what is expected.
    pub what: String,
}

/// How times without a zone are read, and what is too old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// The zone, e.g. `+08:00`.
    pub zone: String,
    /// Now.
    pub now: Millis,
}

/// Reads a record.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn past(record: &Record, columns: usize, mapping: &Mapping, times: &Times) -> Result<Past, BadLine> {
    let bad = |what: String| BadLine { line: record.line, what };
    if !record.readable {
        return Err(bad("holds bytes that are neither UTF-8 nor GB18030: export the table as UTF-8".to_owned()));
    }
    if record.values.len() != columns {
        return Err(bad(format!("{} values where {columns} columns are: is a separator or a quote missing?", record.values.len())));
    }
    let mut p = Past::default();
    for (field, at) in &mapping.0 {
        let Some(value) = record.values.get(*at).and_then(Option::as_deref).map(str::trim).filter(|v| !v.is_empty()) else { continue };
        set(&mut p, *field, value, times).map_err(|what| {
            let word = FIELDS.iter().find(|f| f.0 == *field).map_or("?", |f| f.1);
            bad(format!("{word} {what}"))
        })?;
    }
    let whole = p.start.or(p.stop.and_then(|t| Some(t - i64::from(p.duration?) * 1_000)));
    let Some(start) = whole else { return Err(bad("has neither a start nor a stop with a duration".to_owned())) };
    p.start = Some(start);
    if p.stop.is_some_and(|t| t < start) {
        return Err(bad("stop is before start".to_owned()));
    }
    let last = Millis(p.stop.or(p.update).unwrap_or(start).max(start));
    if last > times.now || Millis(start) > times.now {
        return Err(bad("lies in the future: is the zone right (--zone)?".to_owned()));
    }
    if last.day() < times.now.day().plus(-DAYS_BACK) {
        return Err(bad(format!("ended more than {DAYS_BACK} days ago: it would be erased at once, so it is not taken")));
    }
    if p.account.is_none() && p.caller.is_none() {
        return Err(bad("has neither an account nor a caller".to_owned()));
    }
    Ok(p)
}

fn set(p: &mut Past, field: Field, value: &str, times: &Times) -> Result<(), String> {
    if value.len() > VALUE_BYTES {
        return Err(format!("is longer than {VALUE_BYTES} bytes"));
    }
    let text = || Some(value.to_owned());
    let number = || value.parse::<u64>().map_err(|_| "is not a whole number".to_owned());
    let address = |what: &str| value.parse::<Addr16>().map_err(|_| format!("is not {what}"));
    let prefix = || value.parse::<Prefix>().map(|_| text()).map_err(|_| "is not an address prefix".to_owned());
    let zero = |a: Addr16| a.ip().is_unspecified();
    match field {
        Field::Start => p.start = time(value, &times.zone)?,
        Field::Stop => p.stop = time(value, &times.zone)?,
        Field::Update => p.update = time(value, &times.zone)?,
        Field::Duration => p.duration = Some(u32::try_from(number()?).map_err(|_| "is too long")?),
        Field::Session => p.session = text(),
        Field::Unique => p.unique = text(),
        Field::Account => p.account = text(),
        Field::Caller => p.caller = text(),
        Field::Called => p.called = text(),
        Field::Nas => p.nas = Some(address("an address")?.to_string()),
        Field::NasPort => p.nas_port = text(),
        // One column may hold addresses of both families.
        Field::Address | Field::Address6 => match address("an address")? {
            a if zero(a) => {}
            a if a.is_v4() => p.address = Some(a.to_string()),
            a => p.address6 = Some(a.to_string()),
        },
        Field::Prefix => p.prefix = prefix()?,
        Field::Delegated => p.delegated = prefix()?,
        Field::Input => p.input = Some(number()?),
        Field::Output => p.output = Some(number()?),
        // A cause of its own making says nothing here.
        Field::Cause => p.cause = CAUSES.iter().zip(1..).find(|(n, _)| **n == value).map(|(_, i)| i).or(value.parse().ok()),
    }
    Ok(())
}

/// Numbers between separators, each with two digits at least: `2026/1/5` is `2026-01-05`.
fn padded(text: &str, separators: &[char], join: &str) -> Option<String> {
    let parts: Vec<String> = text.split(separators).map(|p| format!("{p:0>2}")).collect();
    (parts.len() == 2 || parts.len() == 3).then(|| parts.join(join))
}

/// `2026-11-22 10:00:00` or, as Excel writes it, `2026/11/2 9:05`, with a fraction and a zone or without, RFC 3339, or seconds since 1970. MySQL's zero date is none.
fn time(value: &str, zone: &str) -> Result<Option<i64>, String> {
    if value.starts_with("0000-00-00") {
        return Ok(None);
    }
    let bad = || "is not a time: write it as 2026-11-22 10:00:00, with a zone or with --zone, or as seconds since 1970".to_owned();
    if value.len() <= 11 && value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse::<i64>().map(|s| Some(s * 1_000)).map_err(|_| bad());
    }
    let (date, clock) = value.split_once([' ', 'T']).ok_or_else(bad)?;
    let (date, clock) = (padded(date, &['-', '/'], "-").ok_or_else(bad)?, clock.trim_start());
    let at = clock.find(['+', '-', 'Z']).unwrap_or(clock.len());
    let (clock, given) = clock.split_at_checked(at).ok_or_else(bad)?;
    let zone = match given.len() {
        0 => zone.to_owned(),
        // PostgreSQL writes +08.
        3 => format!("{given}:00"),
        5 => format!("{}:{}", given.get(..3).unwrap_or_default(), given.get(3..).unwrap_or_default()),
        _ => given.to_owned(),
    };
    let clock = padded(clock.trim(), &[':'], ":").ok_or_else(bad)?;
    // Excel leaves the seconds out.
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    format!("{date}T{clock}{seconds}{zone}").parse::<Millis>().map(|t| Some(t.0)).map_err(|_| bad())
}
