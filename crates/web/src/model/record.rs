//! Records through the masking view.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Words;

/// A kind that has a view.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KindShape {
    /// Name, e.g. `nat_mapping`.
    pub name: String,
    /// What it is.
    pub doc: Words,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Words can be searched in it.
    pub searchable: bool,
}

/// A column.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Column {
    /// Name.
    pub name: String,
    /// What it is.
    pub doc: Words,
    /// Unit; empty where there is none.
    pub unit: String,
    /// `plain`, `identifier` (masked: a new stand-in for every request), ….
    pub class: String,
}

/// `POST /api/v1/records/search`: in a body, because words that are searched for belong into no URL.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecordsQuery {
    /// Kind.
    pub kind: String,
    /// From (RFC 3339).
    pub from: Option<String>,
    /// To.
    pub to: Option<String>,
    /// Source number.
    pub source: Option<u32>,
    /// Words that must all be in a line; kind `maintenance` only.
    #[serde(rename = "match")]
    pub words: Option<String>,
    /// Lines that no dialect understands alone; kind `maintenance` only.
    pub unrecognised: Option<bool>,
    /// Rows at most, 1 to 1,000.
    pub limit: Option<u32>,
}

/// Rows, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Records {
    /// Names of the columns, in order.
    pub columns: Vec<String>,
    /// Rows: an object each.
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<serde_json::Value>,
    /// There are older rows: ask again with `to` just before the oldest of these.
    pub more: bool,
}

/// `POST /api/v1/records/export`: answered as a stream; the ledger has it before the first byte, and the rows written after the last.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// Kind.
    pub kind: String,
    /// From (RFC 3339).
    pub from: Option<String>,
    /// To.
    pub to: Option<String>,
    /// `csv` or `jsonl`.
    pub format: String,
    /// Why, in words: 4 to 200 characters.
    pub reason: String,
}

/// `POST /api/v1/sql`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Statement {
    /// One SELECT over the masking views.
    pub statement: String,
}

/// What a statement gives.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Table {
    /// Names of the columns, in order.
    pub columns: Vec<String>,
    /// Rows: an object each.
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<serde_json::Value>,
    /// There are more rows than these.
    pub cut: bool,
}

/// `POST /api/v1/records/{id}/text`: opens a log line as it came; itself a record of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenText {
    /// When the line was written (RFC 3339): the column `time` of its record.
    pub time: String,
    /// Why, in words: 4 to 200 characters.
    pub reason: String,
}

/// A log line as it came.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Text {
    /// The line; bytes that are no text are replaced.
    pub text: String,
}
