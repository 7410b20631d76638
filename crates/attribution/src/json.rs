//! An answer as JSON. The shape is a contract: fields may be added, none is changed or taken away. Times are RFC 3339 in UTC+8 with
//! milliseconds, durations are text such as `2s`, what is not known is null.

use serde::Serialize;
use weir_base::time::{Millis, format_duration_ms};

use crate::answer::{Answer, Candidate, ClockNote, GapNote, MappingNote, SessionNote};
use crate::clock::skew_of;
use crate::question::{format_end, protocol_name};

#[derive(Serialize)]
struct AnswerJson {
    answer: &'static str,
    asked: AskedJson,
    candidates: Vec<CandidateJson>,
    gaps: Vec<GapJson>,
    clocks: Vec<ClockJson>,
    reason: String,
    skew: String,
    code: &'static str,
    candidates_left: usize,
    gaps_left: usize,
}

#[derive(Serialize)]
struct AskedJson {
    public: String,
    port: Option<u16>,
    protocol: Option<String>,
    at: String,
    remote: Option<String>,
}

#[derive(Serialize)]
struct CandidateJson {
    realm: String,
    subscriber: Option<String>,
    inside: InsideJson,
    mapping: Option<MappingJson>,
    session: Option<SessionJson>,
}

#[derive(Serialize)]
struct InsideJson {
    address: String,
    port: Option<u16>,
}

#[derive(Serialize)]
struct MappingJson {
    kind: &'static str,
    start: Option<String>,
    end: Option<String>,
    certain: bool,
    source: String,
}

#[derive(Serialize)]
struct SessionJson {
    id: String,
    start: String,
    end: Option<String>,
    inferred: bool,
    nas: String,
    certain: bool,
    record: String,
}

#[derive(Serialize)]
struct GapJson {
    source: String,
    start: String,
    end: String,
    lost: Option<u64>,
    id: Option<String>,
}

#[derive(Serialize)]
struct ClockJson {
    source: String,
    offset_ms: i64,
    asked_at: String,
    tolerance: String,
    basis: &'static str,
    degraded: bool,
}

fn text(time: Option<Millis>) -> Option<String> {
    time.map(Millis::to_rfc3339)
}

impl From<&Candidate> for CandidateJson {
    fn from(c: &Candidate) -> CandidateJson {
        CandidateJson {
            realm: c.realm.clone(),
            subscriber: c.subscriber.map(|id| id.to_string()),
            inside: InsideJson { address: c.inside.to_string(), port: c.inside_port },
            mapping: c.mapping.as_ref().map(MappingJson::from),
            session: c.session.as_ref().map(SessionJson::from),
        }
    }
}

impl From<&MappingNote> for MappingJson {
    fn from(m: &MappingNote) -> MappingJson {
        MappingJson { kind: m.form.name(), start: text(m.start), end: text(m.end), certain: m.certain, source: m.source.clone() }
    }
}

impl From<&SessionNote> for SessionJson {
    fn from(s: &SessionNote) -> SessionJson {
        SessionJson {
            id: s.id.clone(),
            start: s.start.to_rfc3339(),
            end: text(s.end),
            inferred: s.inferred,
            nas: s.nas.clone(),
            certain: s.certain,
            record: s.record.to_string(),
        }
    }
}

impl From<&GapNote> for GapJson {
    fn from(g: &GapNote) -> GapJson {
        GapJson {
            source: g.source.clone(),
            start: g.start.to_rfc3339(),
            end: g.end.to_rfc3339(),
            lost: g.lost,
            id: g.id.map(|id| id.to_string()),
        }
    }
}

impl From<&ClockNote> for ClockJson {
    fn from(c: &ClockNote) -> ClockJson {
        ClockJson {
            source: c.source.clone(),
            offset_ms: c.offset_ms,
            asked_at: c.asked_at.to_rfc3339(),
            tolerance: format_duration_ms(c.tolerance_ms),
            basis: c.basis.name(),
            degraded: c.degraded,
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let q = &self.asked;
        AnswerJson {
            answer: self.outcome.name(),
            asked: AskedJson {
                public: q.public.to_string(),
                port: q.port,
                protocol: q.protocol.map(protocol_name),
                at: q.at.to_rfc3339(),
                remote: q.remote.map(|(address, port)| format_end(address, port)),
            },
            candidates: self.candidates.iter().map(CandidateJson::from).collect(),
            gaps: self.gaps.iter().map(GapJson::from).collect(),
            clocks: self.clocks.iter().map(ClockJson::from).collect(),
            reason: self.reason.clone(),
            skew: format_duration_ms(skew_of(q)),
            code: self.code.name(),
            candidates_left: self.candidates_left,
            gaps_left: self.gaps_left,
        }
        .serialize(serializer)
    }
}

impl Answer {
    /// The answer as one line of JSON.
    pub fn to_json(&self) -> String {
        // Plain structs of text and numbers: nothing in them can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}
