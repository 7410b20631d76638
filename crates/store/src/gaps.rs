//! Known losses of every source, in memory, after amendments.

use std::collections::{BTreeMap, HashMap};

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Gap;

use crate::limits::GAPS_A_SOURCE;

/// One loss as it is known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownGap {
    /// Its id.
    pub id: Id,
    /// Last evidence before the loss, by the source's clock.
    pub start: Millis,
    /// First evidence after it.
    pub end: Millis,
    /// How many are lost; `None` when unknown.
    pub lost: Option<u64>,
    /// How often it was amended.
    pub amendment: u32,
}

#[derive(Clone, Debug, Default)]
struct OfSource {
    /// By start and id, so that overlapping gaps are all found.
    gaps: BTreeMap<(Millis, Id), KnownGap>,
    starts: HashMap<Id, Millis>,
    /// Longest gap, in ms: how far back a search must begin.
    longest: i64,
}

/// All known losses.
#[derive(Clone, Debug, Default)]
pub struct Gaps(HashMap<u32, OfSource>);

impl Gaps {
    /// Takes a gap record or an amendment in; older amendments than the one known change nothing.
    pub fn apply(&mut self, gap: &Gap) {
        let of = self.0.entry(gap.source).or_default();
        if let Some(start) = of.starts.get(&gap.id).copied() {
            if of.gaps.get(&(start, gap.id)).is_some_and(|known| known.amendment > gap.amendment) {
                return;
            }
            of.gaps.remove(&(start, gap.id));
        }
        let known = KnownGap { id: gap.id, start: gap.start, end: gap.end.max(gap.start), lost: gap.lost, amendment: gap.amendment };
        of.longest = of.longest.max(known.end.since(known.start));
        of.starts.insert(gap.id, gap.start);
        of.gaps.insert((gap.start, gap.id), known);
        if of.gaps.len() > GAPS_A_SOURCE {
            of.coarsen();
        }
    }

    /// Losses of a source that overlap the span, those amended to nothing left out.
    pub fn between(&self, source: u32, from: Millis, to: Millis) -> Vec<KnownGap> {
        let Some(of) = self.0.get(&source) else { return Vec::new() };
        let earliest = from.plus(-of.longest);
        of.gaps
            .range((earliest, Id([0; 16]))..=(to, Id([0xff; 16])))
            .map(|(_, g)| g)
            .filter(|g| g.end >= from && g.lost != Some(0))
            .cloned()
            .collect()
    }

    /// True if anything was lost in the span.
    pub fn any(&self, source: u32, from: Millis, to: Millis) -> bool {
        let Some(of) = self.0.get(&source) else { return false };
        let earliest = from.plus(-of.longest);
        of.gaps.range((earliest, Id([0; 16]))..=(to, Id([0xff; 16]))).any(|(_, g)| g.end >= from && g.lost != Some(0))
    }

    /// The last loss that began at or before the instant.
    pub fn last_before(&self, source: u32, at: Millis) -> Option<KnownGap> {
        let of = self.0.get(&source)?;
        of.gaps.range(..=(at, Id([0xff; 16]))).rev().map(|(_, g)| g).find(|g| g.lost != Some(0)).cloned()
    }

    /// All of them as records, as they are known now.
    pub fn all(&self) -> Vec<Gap> {
        let row = |source: &u32, g: &KnownGap| Gap {
            id: g.id,
            amendment: g.amendment,
            source: *source,
            start: g.start,
            end: g.end,
            lost: g.lost,
            ..Gap::default()
        };
        self.0.iter().flat_map(|(source, of)| of.gaps.values().map(move |g| row(source, g))).collect()
    }

    /// What is lost in all, per source: counted records or packets; unknown counts as none.
    pub fn lost(&self, source: u32) -> u64 {
        self.0.get(&source).map_or(0, |of| of.gaps.values().filter_map(|g| g.lost).sum())
    }
}

impl OfSource {
    /// Joins the older half, neighbour by neighbour: fewer and wider gaps can only make an answer more careful.
    fn coarsen(&mut self) {
        let half = self.gaps.len() / 2;
        let old: Vec<_> = self.gaps.iter().take(half).map(|(k, g)| (*k, g.clone())).collect();
        for ((key, mut left), right) in old.iter().cloned().step_by(2).zip(old.iter().skip(1).step_by(2).map(|(_, g)| g)) {
            self.gaps.remove(&(right.start, right.id));
            self.starts.insert(right.id, key.0);
            left.end = left.end.max(right.end);
            left.lost = left.lost.zip(right.lost).map(|(a, b)| a + b);
            self.longest = self.longest.max(left.end.since(left.start));
            self.gaps.insert(key, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(id: u8, amendment: u32, start: i64, end: i64, lost: Option<u64>) -> Gap {
        Gap { id: Id([id; 16]), amendment, source: 1, start: Millis(start), end: Millis(end), lost, ..Gap::default() }
    }

    #[test]
    fn the_last_amendment_counts() {
        let mut gaps = Gaps::default();
        gaps.apply(&gap(1, 0, 10, 20, Some(5)));
        gaps.apply(&gap(2, 0, 15, 400, None));
        assert!(gaps.any(1, Millis(20), Millis(21)) && gaps.any(1, Millis(300), Millis(301)));
        assert!(!gaps.any(1, Millis(0), Millis(9)) && !gaps.any(1, Millis(401), Millis(500)) && !gaps.any(2, Millis(0), Millis(500)));
        assert_eq!(gaps.lost(1), 5);
        gaps.apply(&gap(1, 2, 10, 20, Some(0)));
        gaps.apply(&gap(1, 1, 10, 20, Some(3)));
        assert_eq!(gaps.lost(1), 0);
        assert_eq!(gaps.between(1, Millis(0), Millis(1000)).len(), 1);
        assert_eq!(gaps.last_before(1, Millis(14)), None);
        assert_eq!(gaps.last_before(1, Millis(15)).unwrap().id, Id([2; 16]));
    }

    #[test]
    fn a_flood_of_gaps_stays_bounded_and_covers_the_same_time() {
        let mut gaps = Gaps::default();
        for i in 0..(GAPS_A_SOURCE as i64 + 10) {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&i.to_be_bytes());
            gaps.apply(&Gap { id: Id(id), source: 1, start: Millis(i * 10), end: Millis(i * 10 + 2), lost: Some(1), ..Gap::default() });
        }
        assert!(gaps.0[&1].gaps.len() <= GAPS_A_SOURCE);
        assert_eq!(gaps.lost(1), GAPS_A_SOURCE as u64 + 10);
        for i in 0..100 {
            assert!(gaps.any(1, Millis(i * 10), Millis(i * 10)), "{i}");
        }
    }
}
