//! How far everything is kept: a note in the state, so that what was taken and could not be kept before the program ended is told of by the
//! next start, although there was no room to record it.

use std::collections::BTreeSet;

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Gap;
use weir_record::sink::{SourceNo, StatePut};

/// Key of the note.
const NOTE: &[u8] = b"t";
/// First byte of the keys that name sources which tell of NAT over UDP.
const NAT: u8 = b'u';
/// A thread may hold lines it has read and not handed over yet, for so long, in milliseconds.
const IN_HAND_MS: i64 = 1_000;

/// How far everything is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// What came before is durable.
    pub through: Millis,
    /// The program had stopped then, and nothing was left.
    pub clean: bool,
}

impl Stand {
    /// As state.
    pub fn put(self) -> StatePut {
        let through = if self.clean { self.through } else { self.through.plus(-IN_HAND_MS) };
        let mut value = through.0.to_be_bytes().to_vec();
        value.push(u8::from(self.clean));
        StatePut { key: NOTE.to_vec(), value: Some(value) }
    }
}

/// What an earlier run left.
#[derive(Debug, Default)]
pub struct Before {
    stand: Option<Stand>,
    nat: BTreeSet<SourceNo>,
}

/// The state entry that says of a source that it tells of NAT over UDP.
pub fn nat_put(source: SourceNo) -> StatePut {
    StatePut { key: [&[NAT][..], &source.to_be_bytes()].concat(), value: Some(Vec::new()) }
}

impl Before {
    /// Takes an entry of the state back; none if it is no such entry.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        if key == NOTE {
            let (through, [clean @ (0 | 1)]) = value.split_first_chunk::<8>()? else { return None };
            self.stand = Some(Stand { through: Millis(i64::from_be_bytes(*through)), clean: *clean == 1 });
            return Some(());
        }
        let number = key.strip_prefix(&[NAT])?.try_into().ok()?;
        if !value.is_empty() {
            return None;
        }
        self.nat.insert(u32::from_be_bytes(number));
        Some(())
    }

    /// What may be missing between the earlier run and this one: of everybody, and of each source that tells of NAT over UDP. Of one that tells
    /// of it over a connection, its first line says so. After a clean stop only what came over UDP (`udp`) while nobody listened.
    pub fn gaps(&self, udp: bool, now: Millis) -> Vec<Gap> {
        let Some(stand) = self.stand.filter(|s| udp || !s.clean) else { return Vec::new() };
        let gap = |source| Gap {
            time: now,
            id: Id::random(),
            source,
            start: stand.through.min(now),
            end: now,
            lost: None,
            unit: "lines".to_owned(),
            reason: if stand.clean { "stopped" } else { "unclean-stop" }.to_owned(),
            ..Gap::default()
        };
        std::iter::once(0).chain(self.nat.iter().copied()).map(gap).collect()
    }

    /// True if this source is known to tell of NAT over UDP.
    pub fn tells_of_nat(&self, source: SourceNo) -> bool {
        self.nat.contains(&source)
    }

    /// From now on this source is known to; the entry for the state, once.
    pub fn note_nat(&mut self, source: SourceNo) -> Option<StatePut> {
        self.nat.insert(source).then(|| nat_put(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_kept_is_told_of_at_the_next_start() {
        let begin = |puts: &[StatePut], udp| {
            let mut before = Before::default();
            for put in puts {
                before.restore(&put.key, put.value.as_ref().unwrap()).unwrap();
            }
            let rows = before.gaps(udp, Millis(90_000));
            rows.into_iter().map(|g| (g.source, g.start.0, g.end.0, g.reason)).collect::<Vec<_>>()
        };
        let stand = |clean| Stand { through: Millis(50_000), clean }.put();
        assert!(begin(&[], true).is_empty(), "the first start");
        assert!(begin(&[stand(true)], false).is_empty());
        assert_eq!(begin(&[stand(true)], true), [(0, 50_000, 90_000, "stopped".to_owned())]);
        let unclean = |source| (source, 49_000, 90_000, "unclean-stop".to_owned());
        assert_eq!(begin(&[stand(false)], false), [unclean(0)]);
        assert_eq!(begin(&[stand(false), nat_put(7)], true), [unclean(0), unclean(7)]);
        let mut before = Before::default();
        for (key, value) in
            [(&b"t"[..], &[0u8; 8][..]), (b"t", &[2; 9]), (b"t", &[0; 10]), (b"u123", &[]), (b"u1234", &[1]), (b"n1234", &[])]
        {
            assert_eq!(before.restore(key, value), None);
        }
        assert_eq!((before.note_nat(3), before.note_nat(3)), (Some(nat_put(3)), None));
        assert!(before.tells_of_nat(3) && !before.tells_of_nat(4));
    }
}
