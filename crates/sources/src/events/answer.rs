//! What a client is told, and how that is kept beside an idempotency key.

use serde_json::{Value, json};

use super::limits::FAULTS_TOLD;
use super::line::Fault;

/// The counts of a request, and what is wrong with which line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Events that are kept.
    pub accepted: u32,
    /// Lines that are not.
    pub refused: u32,
    /// Kept events that do not tell the source port.
    pub without_port: u32,
    /// Line numbers from 1, with their faults: the first [`FAULTS_TOLD`].
    pub faults: Vec<(u32, Fault)>,
}

impl Answer {
    /// True when the body held no line at all.
    pub fn is_empty(&self) -> bool {
        self.accepted == 0 && self.refused == 0
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let fault = |(line, fault): &(u32, Fault)| json!({ "line": line, "field": fault.field(), "what": fault.sentence() });
        json!({
            "accepted": self.accepted,
            "refused": self.refused,
            "without_port": self.without_port,
            "errors": self.faults.iter().map(fault).collect::<Vec<_>>(),
        })
    }

    /// The status: 422 when not one line was good, and when there was none.
    pub fn status(&self) -> u16 {
        if self.accepted == 0 { 422 } else { 200 }
    }

    /// Adds its bytes: accepted, refused, without port, u32 each; number of faults u16; each line u32 and fault u8; little-endian.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for count in [self.accepted, self.refused, self.without_port] {
            out.extend(count.to_le_bytes());
        }
        let told = self.faults.get(..self.faults.len().min(FAULTS_TOLD)).unwrap_or_default();
        out.extend(u16::try_from(told.len()).unwrap_or(u16::MAX).to_le_bytes());
        for (line, fault) in told {
            out.extend(line.to_le_bytes());
            out.push(*fault as u8);
        }
    }

    /// Reads what [`Answer::encode`] wrote; `None` when it is anything else.
    pub fn decode(bytes: &[u8]) -> Option<Answer> {
        let (accepted, rest) = u32_of(bytes)?;
        let (refused, rest) = u32_of(rest)?;
        let (without_port, rest) = u32_of(rest)?;
        let (count, mut rest) = rest.split_first_chunk::<2>()?;
        let count = usize::from(u16::from_le_bytes(*count));
        let mut faults = Vec::new();
        while !rest.is_empty() {
            let (line, tail) = u32_of(rest)?;
            let (code, tail) = tail.split_first()?;
            faults.push((line, Fault::of(*code)?));
            rest = tail;
        }
        (faults.len() == count && count <= FAULTS_TOLD).then_some(Answer { accepted, refused, without_port, faults })
    }
}

fn u32_of(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*first), rest))
}
