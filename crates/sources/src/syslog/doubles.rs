//! Lines that may have been sent twice: the last lines of a sender over all its connections, so that one that comes back meets what it sent
//! before, whether or not the end of its old connection was seen; and of lines that are answered the last ones through a restart too, as
//! nobody knows which answers arrived.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hasher;

use weir_base::hash::{Mix, MixState};
use weir_base::net::Addr16;

use super::limits::{ANSWERED, DOUBLES, DOUBLES_ALL, SENDERS};
use super::recent::Recent;

/// A line's fingerprint, to tell a possible double.
pub fn digest(bytes: &[u8]) -> u64 {
    // Four beside each other: the processor does not wait for one before it begins the next.
    let (fours, rest) = bytes.as_chunks::<32>();
    let mut lanes = [1, 3, 5, 7].map(Mix::of);
    for four in fours {
        lanes.iter_mut().zip(four.as_chunks::<8>().0).for_each(|(lane, eight)| lane.write(eight));
    }
    let mut mix = Mix::of(bytes.len() as u64);
    lanes.iter().for_each(|lane| mix.write_u64(lane.finish()));
    mix.write(rest);
    mix.finish()
}

/// The last lines of one sender.
#[derive(Debug, Default)]
struct Memory {
    lines: Recent,
    /// Connections that are open.
    open: usize,
    /// Its place among those without any, the one that has none for the longest time first.
    idle: u64,
}

/// Fingerprints of the last lines over connections, by sender.
#[derive(Debug, Default)]
pub struct Doubles {
    senders: HashMap<Addr16, Memory, MixState>,
    idle: BTreeMap<u64, Addr16>,
    lines: usize,
    next: u64,
}

impl Doubles {
    /// What an earlier run of the program left; its connections have the number 0.
    pub fn of(before: HashMap<Addr16, HashSet<u64>>) -> Doubles {
        let mut doubles = Doubles::default();
        for (peer, marks) in before {
            doubles.opened(peer);
            for mark in marks {
                doubles.line(peer, 0, mark);
            }
            doubles.ended(peer);
        }
        doubles
    }

    /// A connection of this sender was opened.
    pub fn opened(&mut self, peer: Addr16) {
        if self.senders.len() >= SENDERS && !self.senders.contains_key(&peer) {
            self.let_go();
        }
        let memory = self.senders.entry(peer).or_default();
        memory.open += 1;
        self.idle.remove(&memory.idle);
    }

    /// A line came over a connection; true when another connection of its sender brought the same shortly before.
    pub fn line(&mut self, peer: Addr16, connection: u64, mark: u64) -> bool {
        if self.lines >= DOUBLES_ALL {
            self.let_go();
        }
        let Some(memory) = self.senders.get_mut(&peer) else { return false };
        let perhaps = memory.lines.note(connection, mark);
        self.lines += 1;
        while memory.lines.len() > DOUBLES || (self.lines > DOUBLES_ALL && memory.lines.len() > 1) {
            memory.lines.forget_oldest();
            self.lines -= 1;
        }
        perhaps
    }

    /// A connection of this sender ended.
    pub fn ended(&mut self, peer: Addr16) {
        let Some(memory) = self.senders.get_mut(&peer) else { return };
        memory.open = memory.open.saturating_sub(1);
        if memory.open == 0 {
            self.next += 1;
            memory.idle = self.next;
            self.idle.insert(self.next, peer);
        }
    }

    /// Forgets who has had no connection for the longest time.
    fn let_go(&mut self) {
        let Some((_, peer)) = self.idle.pop_first() else { return };
        self.lines -= self.senders.remove(&peer).map_or(0, |m| m.lines.len());
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
    /// Entries of who was let go, to be taken out of the state.
    gone: Vec<Vec<u8>>,
    next: u64,
    before: HashMap<Addr16, HashSet<u64>>,
}

fn key(peer: Addr16, number: u64) -> Vec<u8> {
    [&[TAG][..], &peer.0, &number.to_be_bytes()].concat()
}

impl Answered {
    /// A line of the next group that will be answered.
    pub fn note(&mut self, peer: Addr16, mark: u64) {
        if !self.fresh.contains_key(&peer) && !self.kept.contains_key(&peer) && self.kept.len() + self.fresh.len() >= SENDERS {
            self.let_go();
        }
        self.fresh.entry(peer).or_default().push(mark);
    }

    /// Forgets who was answered least recently.
    fn let_go(&mut self) {
        let newest = |kept: &VecDeque<(u64, usize)>| kept.back().map(|(number, _)| *number);
        let Some(peer) = self.kept.iter().min_by_key(|(_, kept)| newest(kept)).map(|(peer, _)| *peer) else { return };
        let numbers = self.kept.remove(&peer).unwrap_or_default();
        self.gone.extend(numbers.into_iter().map(|(number, _)| key(peer, number)));
    }

    /// What the next group changes of the state.
    pub fn changes(&mut self, mut put: impl FnMut(Vec<u8>, Option<Vec<u8>>)) {
        std::mem::take(&mut self.gone).into_iter().for_each(|key| put(key, None));
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

    fn peer(n: usize) -> Addr16 {
        let n = u32::try_from(n).unwrap().to_be_bytes();
        Addr16::v4([10, n[1], n[2], n[3]])
    }

    #[test]
    fn lines_of_another_connection_are_perhaps_doubles_whether_it_ended_or_not() {
        let mut doubles = Doubles::default();
        doubles.opened(peer(1));
        assert!(!doubles.line(peer(1), 1, 7) && !doubles.line(peer(1), 1, 7), "said twice on purpose");
        doubles.opened(peer(1));
        assert!(doubles.line(peer(1), 2, 7), "the old connection has not ended as far as we know");
        assert!(!doubles.line(peer(1), 2, 7));
        assert!(doubles.line(peer(1), 1, 7), "what the old one still held comes after the new one's");
        doubles.ended(peer(1));
        doubles.ended(peer(1));
        // One that broke before it sent anything does not make anybody forget.
        doubles.opened(peer(1));
        doubles.ended(peer(1));
        doubles.opened(peer(1));
        doubles.opened(peer(2));
        assert!(!doubles.line(peer(2), 5, 7), "another sender's");
        assert!(doubles.line(peer(1), 4, 7));
        // So many new lines later nothing is sent again any more.
        (0..DOUBLES as u64).for_each(|n| assert!(!doubles.line(peer(1), 4, 100 + n)));
        assert!(!doubles.line(peer(1), 6, 7));
        assert_eq!(doubles.lines, DOUBLES + 1);
    }

    #[test]
    fn memory_is_bounded_and_who_left_first_is_forgotten_first() {
        let mut doubles = Doubles::default();
        for n in 0..2 * SENDERS {
            doubles.opened(peer(n));
            (0..DOUBLES as u64).for_each(|mark| assert!(!doubles.line(peer(n), n as u64 + 1, mark)));
            doubles.ended(peer(n));
            assert!(doubles.lines <= DOUBLES_ALL && doubles.senders.len() <= SENDERS);
        }
        let last = 2 * SENDERS - 1;
        for (n, known) in [(last, true), (0, false)] {
            doubles.opened(peer(n));
            assert_eq!(doubles.line(peer(n), u64::MAX, 3), known);
        }
        // Nobody to let go: the busy one's own oldest lines go.
        let mut doubles = Doubles::default();
        let many = DOUBLES_ALL / DOUBLES + 5;
        for n in 0..many {
            doubles.opened(peer(n));
            for mark in 0..DOUBLES as u64 {
                doubles.line(peer(n), n as u64 + 1, mark);
            }
        }
        assert!(doubles.lines <= DOUBLES_ALL + many && doubles.senders.len() == many);
    }

    #[test]
    fn who_was_answered_least_recently_makes_room() {
        let mut state: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut answered = Answered::default();
        for n in 0..SENDERS + 10 {
            answered.note(peer(n), n as u64);
            answered.changes(|key, value| match value {
                Some(value) => drop(state.insert(key, value)),
                None => drop(state.remove(&key).expect("what goes was there")),
            });
        }
        assert_eq!(state.len(), SENDERS);
        let mut again = Answered::default();
        state.iter().for_each(|(k, v)| again.restore(k, v).unwrap());
        let before = again.before();
        assert!(!before.contains_key(&peer(9)) && before.contains_key(&peer(10)) && before.contains_key(&peer(SENDERS + 9)));
    }

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
