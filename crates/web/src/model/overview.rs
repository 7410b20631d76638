//! Is everything all right?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Words;

/// `GET /api/v1/overview`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// The program's clock now (RFC 3339).
    pub now: String,
    /// Running since.
    pub since: String,
    /// The store.
    pub store: StoreState,
    /// The measures.
    pub measures: Vec<MeasureState>,
    /// Newest gaps, newest first, at most 50.
    pub gaps: Vec<GapState>,
    /// What needs a person, worst first: full disk, source in trouble, break-glass open, ….
    pub notices: Vec<Notice>,
}

/// The store.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoreState {
    /// The disk is full.
    pub full: bool,
    /// Rows not sealed yet.
    pub waiting_rows: u64,
    /// When something was last sealed.
    pub last_sealed: Option<String>,
    /// Entries of the log.
    pub log_size: u64,
    /// Open mappings.
    pub open_mappings: u64,
    /// Open sessions.
    pub open_sessions: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Bytes of the data folder's file system that are free.
    pub free_bytes: u64,
    /// Why it is not well.
    pub trouble: Option<Words>,
}

/// A measure.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MeasureState {
    /// Name.
    pub name: String,
    /// Title in Chinese.
    pub zh: String,
    /// Title in English.
    pub en: String,
    /// `running`, `degraded`, `stopped`.
    pub state: String,
    /// Since.
    pub since: String,
    /// Why.
    pub why: Option<Words>,
    /// Clauses it helps to fulfil.
    pub clauses: Vec<ClauseName>,
    /// Its last drill.
    pub last_drill: Option<String>,
}

/// A clause.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClauseName {
    /// Id, e.g. `8.2`.
    pub id: String,
    /// Title in Chinese.
    pub zh: String,
    /// Title in English.
    pub en: String,
}

/// Records known to be lost.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GapState {
    /// Source number.
    pub source: u32,
    /// Source name.
    pub name: String,
    /// From.
    pub from: String,
    /// To.
    pub to: String,
    /// How many, when known.
    pub count: Option<u64>,
    /// Why.
    pub reason: String,
}

/// Something that needs a person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// `error`, `warning` or `info`.
    pub level: String,
    /// What, as a key of the message catalogue, e.g. `disk-full`.
    pub code: String,
    /// Words for it.
    pub text: Words,
    /// Since.
    pub since: Option<String>,
}

/// `GET /api/v1/overview/series?minutes=60`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// Seconds between two points.
    pub step_seconds: u32,
    /// End of each step (RFC 3339).
    pub times: Vec<String>,
    /// A line a kind of source (`ipfix`, `radius`, …).
    pub lines: Vec<Line>,
    /// Rows sealed in each step.
    pub sealed: Vec<f64>,
}

/// A line of the chart; its lists are as long as `times`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Kind of source.
    pub kind: String,
    /// Records a second.
    pub records: Vec<f64>,
    /// Records known to be lost, in each step.
    pub lost: Vec<u64>,
    /// Inputs not understood, in each step.
    pub malformed: Vec<u64>,
}
