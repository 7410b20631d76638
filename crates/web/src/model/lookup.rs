//! Questions: who held this public address and port at this moment?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Words;

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Question {
    /// Public address with its port, e.g. `203.0.113.7:40123` or `[2001:db8::1]:443`.
    pub public: String,
    /// The moment with its zone, e.g. `2026-11-22T10:00:00.123+08:00`.
    pub at: String,
    /// `tcp`, `udp`, `icmp` or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The far end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// How far the asker's clock may be off, e.g. `2s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<String>,
}

/// `POST /api/v1/lookup`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ask {
    /// Questions, 1 to 1,000: one ledger record each.
    pub questions: Vec<Question>,
    /// `operate`, `security-event` or `drill`.
    pub purpose: String,
    /// Say how the answers came about.
    #[serde(default)]
    pub explain: bool,
}

/// Answers, in the order of the questions.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Answers {
    /// As `weir lookup --json` shows an answer (docs/answers.md), with `reason_zh` beside `reason`; or `{"error": {"what", "todo"}}`, both `{"en", "zh"}`.
    #[schema(value_type = Vec<Object>)]
    pub answers: Vec<serde_json::Value>,
}

/// `POST /api/v1/lookup/read`: what people paste.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Paste {
    /// A line or a table, at most 1,000 lines: `203.0.113.7:40123 2026-11-22 10:00:00`, a web server's log line, a firewall's line, CSV.
    pub text: String,
    /// Zone for times that name none, e.g. `+08:00`.
    pub zone: String,
}

/// What was read from a paste.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Read {
    /// A line each.
    pub lines: Vec<ReadLine>,
}

/// A line of a paste.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReadLine {
    /// Line number, from 1.
    pub line: u32,
    /// The question in it.
    pub question: Option<Question>,
    /// What it was taken for: `plain`, `csv`, `combined-log`, `syslog`, `iptables`, `json`, ….
    pub form: Option<String>,
    /// What was assumed, e.g. that a time without a zone is in the given one.
    pub assumed: Vec<Words>,
    /// Why there is no question in it.
    pub problem: Option<Words>,
}
