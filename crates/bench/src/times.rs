//! Moves the times in IPFIX messages (RFC 7011 section 3): the export time, and observationTimeMilliseconds (323) of every record.

use std::collections::HashMap;

/// observationTimeMilliseconds, eight bytes.
const OBSERVED: u16 = 323;
const HEADER: usize = 16;

/// Record length and the place of the time in it, by template.
#[derive(Default)]
pub struct Times(HashMap<u16, (usize, usize)>);

fn two(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

impl Times {
    /// Moves every time of a message by `ms`; none when it is not a message of fields with fixed lengths.
    pub fn shift(&mut self, message: &mut [u8], ms: i64) -> Option<()> {
        let seconds = u32::from_be_bytes(message.get(4..8)?.try_into().ok()?);
        let seconds = u32::try_from(i64::from(seconds) + ms / 1_000).ok()?;
        message.get_mut(4..8)?.copy_from_slice(&seconds.to_be_bytes());
        let mut at = HEADER;
        while at < message.len() {
            let (id, len) = (two(message, at)?, usize::from(two(message, at + 2)?));
            let set = message.get_mut(at + 4..at + len)?;
            match id {
                2 => self.learn(set)?,
                256.. => {
                    let (record, place) = *self.0.get(&id)?;
                    for record in set.chunks_exact_mut(record) {
                        let field = record.get_mut(place..place + 8)?;
                        let time = i64::from_be_bytes((&*field).try_into().ok()?) + ms;
                        field.copy_from_slice(&time.to_be_bytes());
                    }
                }
                _ => {}
            }
            at += len;
        }
        Some(())
    }

    fn learn(&mut self, mut set: &[u8]) -> Option<()> {
        while set.len() >= 4 {
            let (id, count) = (two(set, 0)?, usize::from(two(set, 2)?));
            let fields = set.get(4..4 + 4 * count)?;
            let (mut length, mut place) = (0, None);
            for field in fields.chunks_exact(4) {
                if two(field, 0)? == OBSERVED {
                    place = Some(length);
                }
                length += usize::from(two(field, 2)?);
            }
            self.0.insert(id, (length, place?));
            set = set.get(4 + 4 * count..)?;
        }
        Some(())
    }
}
