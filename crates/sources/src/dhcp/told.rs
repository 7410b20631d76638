//! Bad lines of a lease file that were told. The file is read anew at every start, and written anew by its server now and then: a line that was
//! told once is not told again. Of a line nothing is remembered but a keyed digest. Pure; time is passed in.

use std::collections::HashMap;

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::sink::StatePut;

use super::limits::{FORGET_MS, TOLD_LINES};

/// Keys of told lines in the state begin with this; the digest follows, the value is when the line was last met, 8 bytes big-endian.
pub const STATE_TAG: u8 = b'b';

/// How far apart two notes of a line are that is met again and again, in milliseconds: a day.
const NOTE_MS: i64 = 86_400_000;

#[derive(Debug)]
struct Line {
    /// When it was last noted that it was met.
    met: Millis,
    /// It was met since this program runs.
    now: bool,
}

/// What is to be done of a bad line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is new: it is recorded.
    Tell,
    /// An earlier run recorded it: it is counted.
    Count,
    /// This run met it before.
    Nothing,
}

/// The lines that were told.
#[derive(Debug, Default)]
pub struct Told {
    lines: HashMap<Id, Line>,
}

impl Told {
    /// Puts back what the state held; false for what is no such entry.
    pub fn load(&mut self, key: &[u8], value: &[u8]) -> bool {
        let digest = key.strip_prefix(&[STATE_TAG]).and_then(|rest| <[u8; 16]>::try_from(rest).ok());
        let (Some(digest), Ok(met)) = (digest, <[u8; 8]>::try_from(value)) else { return false };
        self.lines.insert(Id(digest), Line { met: Millis(i64::from_be_bytes(met)), now: false });
        true
    }

    /// Notes a line by its digest; changes of the state go to `state`.
    pub fn note(&mut self, digest: Id, now: Millis, state: &mut Vec<StatePut>) -> What {
        let what = match self.lines.get_mut(&digest) {
            Some(line) => {
                let what = if line.now { What::Nothing } else { What::Count };
                line.now = true;
                if (0..NOTE_MS).contains(&now.since(line.met)) {
                    return what;
                }
                line.met = now;
                what
            }
            None => {
                self.forget(now, state);
                self.lines.insert(digest, Line { met: now, now: true });
                What::Tell
            }
        };
        state.push(StatePut { key: key(digest), value: Some(now.0.to_be_bytes().to_vec()) });
        what
    }

    /// Makes room for one: lines that were not met for long go, and where there are none the one not met for longest.
    fn forget(&mut self, now: Millis, state: &mut Vec<StatePut>) {
        if self.lines.len() < TOLD_LINES {
            return;
        }
        let mut gone: Vec<Id> = self.lines.iter().filter(|(_, l)| now.since(l.met) > FORGET_MS).map(|(id, _)| *id).collect();
        if gone.is_empty() {
            gone.extend(self.lines.iter().min_by_key(|(id, l)| (l.met, id.0)).map(|(id, _)| *id));
        }
        for id in gone {
            self.lines.remove(&id);
            state.push(StatePut { key: key(id), value: None });
        }
    }
}

fn key(digest: Id) -> Vec<u8> {
    [&[STATE_TAG][..], &digest.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> Id {
        Id((n as u128).to_be_bytes())
    }

    #[test]
    fn a_line_is_told_once_and_counted_once_a_run() {
        let (mut told, mut state) = (Told::default(), Vec::new());
        assert_eq!(told.note(id(1), Millis(5), &mut state), What::Tell);
        assert_eq!(told.note(id(1), Millis(6), &mut state), What::Nothing);
        assert_eq!(told.note(id(2), Millis(7), &mut state), What::Tell);
        assert_eq!(state.len(), 2);
        let mut next = Told::default();
        for put in &state {
            assert!(next.load(&put.key, put.value.as_ref().unwrap()));
        }
        assert!(!next.load(b"p", &[0; 8]) && !next.load(b"b1", &[0; 8]) && !next.load(&state[0].key, &[0; 7]));
        state.clear();
        assert_eq!(next.note(id(1), Millis(8), &mut state), What::Count);
        assert_eq!(next.note(id(1), Millis(8), &mut state), What::Nothing);
        assert!(state.is_empty(), "it is noted once a day");
        assert_eq!(next.note(id(2), Millis(7 + NOTE_MS), &mut state), What::Count);
        assert_eq!(state.len(), 1);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut told, mut state) = (Told::default(), Vec::new());
        for n in 0..=TOLD_LINES {
            assert_eq!(told.note(id(n), Millis(n as i64), &mut state), What::Tell);
        }
        assert_eq!(told.lines.len(), TOLD_LINES);
        let gone: Vec<_> = state.iter().filter(|p| p.value.is_none()).map(|p| p.key.clone()).collect();
        assert_eq!(gone, [key(id(0))]);
        // Those that were not met for a month go together.
        let late = Millis(FORGET_MS + TOLD_LINES as i64);
        assert_eq!(told.note(id(TOLD_LINES + 1), late, &mut state), What::Tell);
        assert!(told.lines.len() < 3, "{}", told.lines.len());
    }
}
