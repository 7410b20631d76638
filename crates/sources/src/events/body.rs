//! A body: lines, each an event or a fault.

use weir_base::time::Millis;

use super::answer::Answer;
use super::limits::{FAULTS_TOLD, LINES};
use super::line::{self, Event, Fault};

/// A body has more lines than a request may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// What a body holds.
#[derive(Debug, Default)]
pub struct Decoded<'a> {
    /// Events, in the order of their lines.
    pub events: Vec<Event>,
    /// Lines that are none, with what is wrong.
    pub refused: Vec<(&'a [u8], Fault)>,
    /// What the client is told.
    pub answer: Answer,
}

/// Reads a body that arrived at `received`. Lines end with `\n` or `\r\n`; empty ones are passed over.
///
/// # Errors
/// There are more than [`LINES`].
pub fn decode<'a>(body: &'a [u8], received: Millis, service: Option<&str>) -> Result<Decoded<'a>, TooMany> {
    let mut out = Decoded::default();
    let mut count = 0;
    for (i, line) in body.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        count += 1;
        if count > LINES {
            return Err(TooMany);
        }
        match line::parse(line, received, service) {
            Ok(event) => {
                out.answer.accepted += 1;
                out.answer.without_port += u32::from(event.port.is_none());
                out.events.push(event);
            }
            Err(fault) => {
                out.answer.refused += 1;
                if out.answer.faults.len() < FAULTS_TOLD {
                    out.answer.faults.push((u32::try_from(i + 1).unwrap_or(u32::MAX), fault));
                }
                out.refused.push((line, fault));
            }
        }
    }
    Ok(out)
}
