//! Lines that may have been sent twice: what a connection ended with is remembered until its sender comes back, and of lines that are
//! answered the last ones through a restart too, as nobody knows which answers arrived.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use weir_base::net::Addr16;

use super::limits::{ANSWERED, SENDERS};

/// A line's fingerprint, to tell a possible double.
pub fn digest(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Fingerprints of the last lines of connections that ended, by sender.
#[derive(Debug, Default)]
pub struct Doubles(HashMap<Addr16, HashSet<u64>>);

impl Doubles {
    /// What an earlier run of the program left.
    pub fn of(before: HashMap<Addr16, HashSet<u64>>) -> Doubles {
        Doubles(before)
    }

    /// A connection ended with these lines last.
    pub fn ended(&mut self, peer: Addr16, last: impl Iterator<Item = u64>) {
        if self.0.len() < SENDERS || self.0.contains_key(&peer) {
            self.0.insert(peer, last.collect());
        }
    }

    /// What a new connection of this sender may send again.
    pub fn suspects(&mut self, peer: Addr16) -> HashSet<u64> {
        self.0.remove(&peer).unwrap_or_default()
    }
}

/// First byte of the keys under which [`Answered`] lies in the state.
const TAG: u8 = b'd';

/// Fingerprints of the last lines that are answered, in the state: with the group that keeps the lines.
#[derive(Debug, Default)]
pub struct Answered {
    fresh: BTreeMap<Addr16, Vec<u64>>,
    /// What lies in the state: number of the entry and its lines, the oldest first.
    kept: HashMap<Addr16, VecDeque<(u64, usize)>>,
    next: u64,
    before: HashMap<Addr16, HashSet<u64>>,
}

fn key(peer: Addr16, number: u64) -> Vec<u8> {
    [&[TAG][..], &peer.0, &number.to_be_bytes()].concat()
}

impl Answered {
    /// A line of the next group that will be answered.
    pub fn note(&mut self, peer: Addr16, mark: u64) {
        if self.kept.len() < SENDERS || self.kept.contains_key(&peer) {
            self.fresh.entry(peer).or_default().push(mark);
        }
    }

    /// What the next group changes of the state.
    pub fn changes(&mut self, mut put: impl FnMut(Vec<u8>, Option<Vec<u8>>)) {
        for (peer, marks) in std::mem::take(&mut self.fresh) {
            let last = marks.get(marks.len().saturating_sub(ANSWERED)..).unwrap_or_default();
            put(key(peer, self.next), Some(last.iter().flat_map(|m| m.to_le_bytes()).collect()));
            let kept = self.kept.entry(peer).or_default();
            kept.push_back((self.next, last.len()));
            self.next += 1;
            let mut lines: usize = kept.iter().map(|(_, n)| n).sum();
            while let Some((number, n)) = kept.front().copied().filter(|(_, n)| lines - n >= ANSWERED) {
                put(key(peer, number), None);
                lines -= n;
                kept.pop_front();
            }
        }
    }

    /// Takes an entry of the state back; none if it is no such entry.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let (peer, number) = key.strip_prefix(&[TAG])?.split_first_chunk::<16>()?;
        let (peer, number) = (Addr16(*peer), u64::from_be_bytes(number.try_into().ok()?));
        let (marks, []) = value.as_chunks::<8>() else { return None };
        if marks.len() > ANSWERED {
            return None;
        }
        self.before.entry(peer).or_default().extend(marks.iter().map(|m| u64::from_le_bytes(*m)));
        let kept = self.kept.entry(peer).or_default();
        let at = kept.partition_point(|(before, _)| *before < number);
        kept.insert(at, (number, marks.len()));
        self.next = self.next.max(number.saturating_add(1));
        Some(())
    }

    /// What an earlier run of the program answered last, by sender; once.
    pub fn before(&mut self) -> HashMap<Addr16, HashSet<u64>> {
        std::mem::take(&mut self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_come_back_and_the_state_stays_small() {
        let peer = Addr16::v4([192, 0, 2, 1]);
        let mut state: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut answered = Answered::default();
        for n in 0..10 * ANSWERED as u64 {
            answered.note(peer, n);
            if n % 3 == 0 || n % 5 == 0 {
                answered.changes(|key, value| match value {
                    Some(value) => drop(state.insert(key, value)),
                    None => drop(state.remove(&key).expect("what goes was there")),
                });
            }
        }
        assert!(state.len() <= ANSWERED);
        let mut again = Answered::default();
        state.iter().for_each(|(k, v)| again.restore(k, v).unwrap());
        let before = again.before().remove(&peer).unwrap();
        let total = 10 * ANSWERED as u64;
        assert!((total - ANSWERED as u64..total - 1).all(|n| before.contains(&n)));
        assert!(before.len() < 2 * ANSWERED && again.before().is_empty());
        // A later run goes on where the earlier one was.
        again.note(peer, 7);
        let mut gone = 0;
        again.changes(|key, value| match value {
            Some(_) => assert!(!state.contains_key(&key)),
            None => gone += usize::from(state.contains_key(&key)),
        });
        assert!(gone <= 1);
        for (key, value) in [(&b"d"[..], &[0u8; 8][..]), (b"l2345678901234567890123456", &[0; 8]), (&[TAG; 25], &[0; 7])] {
            assert_eq!(again.restore(key, value), None);
        }
    }
}
