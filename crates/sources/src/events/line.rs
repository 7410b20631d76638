//! One line: a JSON object that tells of one event.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::AuthAction;

use super::limits::{ACCOUNT_BYTES, AHEAD_MS, BEHIND_MS, LINE_BYTES, METHOD_BYTES, NAME_BYTES};

/// An event as its line tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened, by the application's clock.
    pub time: Millis,
    /// Sign-in, sign-out or failed sign-in.
    pub action: AuthAction,
    /// Who; none only where a sign-in failed.
    pub account: Option<String>,
    /// The user's address.
    pub address: Addr16,
    /// The user's source port (RFC 6302).
    pub port: Option<u16>,
    /// The service, by its domain.
    pub service: String,
    /// The machine.
    pub host: Option<String>,
    /// How: `password`, `sms`, …
    pub method: Option<String>,
}

impl std::fmt::Debug for Event {
    /// Without the account and the address: an event may stand in a panic's text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event({} {} at {})", self.action.name(), self.service, self.time)
    }
}

/// What is wrong with a line. The numbers are kept on disk beside idempotency keys: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fault {
    /// Not one JSON object.
    Json = 1,
    /// Longer than a line may be.
    Long = 2,
    /// A field nobody knows.
    Unknown = 3,
    /// A field twice.
    Twice = 4,
    /// No time, or none that reads.
    Time = 5,
    /// Later than our clock.
    Ahead = 6,
    /// Too old.
    Old = 7,
    /// No action that is known.
    Action = 8,
    /// A result that is none, or that its action cannot have.
    Result = 9,
    /// No account, or one that cannot be.
    Account = 10,
    /// No address.
    Address = 11,
    /// A port that is none.
    Port = 12,
    /// No service.
    Service = 13,
    /// A host that is none.
    Host = 14,
    /// A method that is none.
    Method = 15,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 15] = [
        Fault::Json,
        Fault::Long,
        Fault::Unknown,
        Fault::Twice,
        Fault::Time,
        Fault::Ahead,
        Fault::Old,
        Fault::Action,
        Fault::Result,
        Fault::Account,
        Fault::Address,
        Fault::Port,
        Fault::Service,
        Fault::Host,
        Fault::Method,
    ];

    /// The fault of a number.
    pub fn of(code: u8) -> Option<Fault> {
        Fault::ALL.into_iter().find(|f| *f as u8 == code)
    }

    /// The reason of its `malformed` records.
    pub fn reason(self) -> &'static str {
        match self {
            Fault::Json => "events.json",
            Fault::Long => "events.long",
            Fault::Unknown => "events.unknown-field",
            Fault::Twice => "events.field-twice",
            Fault::Time => "events.time",
            Fault::Ahead => "events.time-ahead",
            Fault::Old => "events.time-old",
            Fault::Action => "events.action",
            Fault::Result => "events.result",
            Fault::Account => "events.account",
            Fault::Address => "events.address",
            Fault::Port => "events.port",
            Fault::Service => "events.service",
            Fault::Host => "events.host",
            Fault::Method => "events.method",
        }
    }

    /// The field it lies in; `line` for the line as a whole.
    pub fn field(self) -> &'static str {
        match self {
            Fault::Json | Fault::Long | Fault::Unknown | Fault::Twice => "line",
            Fault::Time | Fault::Ahead | Fault::Old => "time",
            Fault::Action => "action",
            Fault::Result => "result",
            Fault::Account => "account",
            Fault::Address => "address",
            Fault::Port => "port",
            Fault::Service => "service",
            Fault::Host => "host",
            Fault::Method => "method",
        }
    }

    /// What is wrong and what to do. It repeats nothing of the line.
    pub fn sentence(self) -> &'static str {
        match self {
            Fault::Json => "is not one JSON object in UTF-8: write {\"time\":…,\"action\":…} and a newline",
            Fault::Long => "is longer than 8192 bytes",
            Fault::Unknown => {
                "has a field that is not known: write time, action, result, account, address, port, service, host and method only"
            }
            Fault::Twice => "has a field twice: keep one",
            Fault::Time => "is missing or does not read: write it as \"2026-11-22T10:00:00.123+08:00\", with the zone",
            Fault::Ahead => "is more than 10 minutes later than the clock here: set both clocks by NTP",
            Fault::Old => "is more than 30 days ago: it is not kept",
            Fault::Action => "is missing or not known: write \"sign-in\", \"sign-out\" or \"failure\"",
            Fault::Result => "does not fit: write \"success\" or \"failure\"; a sign-out has no \"failure\", a failure no \"success\"",
            Fault::Account => "must be 1 to 253 bytes without control characters; only a failure may have none",
            Fault::Address => "is missing or no address: write the user's IPv4 or IPv6 address",
            Fault::Port => "is no port: write the user's source port, 1 to 65535, or leave it out where it cannot be known",
            Fault::Service => "must be the domain of the service: 1 to 253 of A-Z a-z 0-9 . - _ :, here or in the configuration",
            Fault::Host => "must be 1 to 253 of A-Z a-z 0-9 . - _ :",
            Fault::Method => "must be 1 to 32 of A-Z a-z 0-9 . - _ :",
        }
    }
}

/// Fields of a line, before anything is known of their values.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Fields {
    time: Option<Value>,
    action: Option<Value>,
    result: Option<Value>,
    account: Option<Value>,
    address: Option<Value>,
    port: Option<Value>,
    service: Option<Value>,
    host: Option<Value>,
    method: Option<Value>,
}

/// Reads a line. `service` is that of lines that name none.
///
/// # Errors
/// The first fault, in the order of [`Fault`].
pub fn parse(line: &[u8], received: Millis, service: Option<&str>) -> Result<Event, Fault> {
    if line.len() > LINE_BYTES {
        return Err(Fault::Long);
    }
    // An array would do for the derived reader; here a line is an object.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(Fault::Json);
    }
    let fields: Fields = serde_json::from_slice(line).map_err(|e| kind_of(&e))?;
    let time = time(fields.time.as_ref(), received)?;
    let action = action(fields.action.as_ref(), fields.result.as_ref())?;
    Ok(Event {
        time,
        action,
        account: account(fields.account.as_ref(), action)?,
        address: address(fields.address.as_ref())?,
        port: port(fields.port.as_ref())?,
        service: match text(fields.service.as_ref(), Fault::Service)? {
            None => service.ok_or(Fault::Service)?.to_owned(),
            Some(own) => name(own, NAME_BYTES, Fault::Service)?,
        },
        host: optional(fields.host.as_ref(), NAME_BYTES, Fault::Host)?,
        method: optional(fields.method.as_ref(), METHOD_BYTES, Fault::Method)?,
    })
}

fn kind_of(error: &serde_json::Error) -> Fault {
    if !error.is_data() {
        return Fault::Json;
    }
    let text = error.to_string();
    if text.starts_with("unknown field") {
        Fault::Unknown
    } else if text.starts_with("duplicate field") {
        Fault::Twice
    } else {
        Fault::Json
    }
}

/// A text; empty and `null` are as good as missing, which is what servers write for a variable without a value.
fn text(value: Option<&Value>, fault: Fault) -> Result<Option<&str>, Fault> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|t| !t.is_empty())),
        Some(_) => Err(fault),
    }
}

fn time(value: Option<&Value>, received: Millis) -> Result<Millis, Fault> {
    let time: Millis = text(value, Fault::Time)?.and_then(|t| t.parse().ok()).ok_or(Fault::Time)?;
    match time.since(received) {
        ms if ms > AHEAD_MS => Err(Fault::Ahead),
        ms if ms < -BEHIND_MS => Err(Fault::Old),
        _ => Ok(time),
    }
}

fn action(action: Option<&Value>, result: Option<&Value>) -> Result<AuthAction, Fault> {
    let result = text(result, Fault::Result)?;
    if !matches!(result, None | Some("success" | "failure")) {
        return Err(Fault::Result);
    }
    match (text(action, Fault::Action)?, result) {
        (Some("sign-in"), Some("failure")) | (Some("failure"), None | Some("failure")) => Ok(AuthAction::Failure),
        (Some("sign-in"), _) => Ok(AuthAction::SignIn),
        (Some("sign-out"), None | Some("success")) => Ok(AuthAction::SignOut),
        (Some("sign-out" | "failure"), _) => Err(Fault::Result),
        _ => Err(Fault::Action),
    }
}

fn account(value: Option<&Value>, action: AuthAction) -> Result<Option<String>, Fault> {
    match text(value, Fault::Account)? {
        None if action == AuthAction::Failure => Ok(None),
        Some(account) if account.len() <= ACCOUNT_BYTES && !account.chars().any(char::is_control) => Ok(Some(account.to_owned())),
        _ => Err(Fault::Account),
    }
}

fn address(value: Option<&Value>) -> Result<Addr16, Fault> {
    let ip: IpAddr = text(value, Fault::Address)?.and_then(|t| t.parse().ok()).ok_or(Fault::Address)?;
    Some(Addr16::from(ip)).filter(|a| !a.is_none() && !a.ip().is_unspecified()).ok_or(Fault::Address)
}

/// A number, or its digits in quotes; empty and `null`: not known.
fn port(value: Option<&Value>) -> Result<Option<u16>, Fault> {
    let number = match value {
        Some(Value::Number(number)) => number.as_u64().and_then(|n| u16::try_from(n).ok()),
        other => match text(other, Fault::Port)? {
            None => return Ok(None),
            Some(digits) => Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit())).and_then(|d| d.parse().ok()),
        },
    };
    number.filter(|n| *n != 0).map(Some).ok_or(Fault::Port)
}

fn optional(value: Option<&Value>, bytes: usize, fault: Fault) -> Result<Option<String>, Fault> {
    text(value, fault)?.map(|t| name(t, bytes, fault)).transpose()
}

/// A name that is shown to everybody: no room for a sentence about a person.
fn name(text: &str, bytes: usize, fault: Fault) -> Result<String, Fault> {
    if is_name(text, bytes) { Ok(text.to_owned()) } else { Err(fault) }
}

/// True for a name of a service, a host or a method.
pub fn is_name(text: &str, bytes: usize) -> bool {
    (1..=bytes).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
}
