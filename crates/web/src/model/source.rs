//! Sources: who sends, how much, what is lost, whose clock is off.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Words;

/// A source.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// Number.
    pub number: u32,
    /// Name.
    pub name: String,
    /// `radius`, `ipfix`, `syslog`, ….
    pub kind: String,
    /// Realm.
    pub realm: String,
    /// The sender, or the file it reads.
    pub peer: String,
    /// Exporter profile.
    pub profile: String,
    /// `measured` or `trust`.
    pub clock: String,
    /// Since.
    pub since: String,
    /// `ok`, `silent` (nothing for five minutes), `trouble`.
    pub state: String,
    /// Why it is in trouble.
    pub trouble: Option<Words>,
    /// Last message.
    pub last_seen: Option<String>,
    /// Everything it sent up to here is kept.
    pub complete_to: Option<String>,
    /// Its clock less ours, in ms.
    pub offset_ms: Option<i64>,
    /// Records a second over the last minute.
    pub rate: f64,
    /// Messages.
    pub messages: u64,
    /// Records.
    pub records: u64,
    /// Inputs not understood.
    pub malformed: u64,
    /// Records known to be lost.
    pub lost: u64,
    /// Understood but not kept.
    pub ignored: u64,
    /// Lines no dialect understands.
    pub unrecognised: u64,
    /// Doubles.
    pub duplicates: u64,
    /// Records a second over the last hour, a point a minute.
    pub spark: Vec<f64>,
}

/// Something that was not understood: its reason and its shape, never its bytes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Malformed {
    /// When.
    pub time: String,
    /// Reason code.
    pub reason: String,
    /// Where in the input.
    pub offset: Option<u64>,
    /// Length of the input in bytes.
    pub bytes: Option<u64>,
    /// Its shape, with letters and digits replaced.
    pub shape: Option<String>,
}

/// How to point a device here.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Guide {
    /// Kind of source, e.g. `ipfix`.
    pub kind: String,
    /// Vendor or program, e.g. `Juniper MX`.
    pub vendor: String,
    /// Commands to copy, with this program's own ports filled in.
    pub commands: String,
    /// What to mind, in English.
    pub note: String,
    /// The same in Chinese.
    pub note_zh: String,
}
