//! Who asks unusually much: questions of each account within an hour, in memory. Above the limit the desk says so, once an hour as a record and
//! for a day as a notice.

use std::collections::HashMap;

use weir_base::time::Millis;
use weir_record::Id;

use super::limits::{ACCOUNTS, MASS_READ_NOTICE_MS, MASS_READ_SLOT_MS, MASS_READ_SLOTS};

/// Questions of one account: a count for each slot of the last hour.
#[derive(Clone, Debug, Default)]
struct Reads {
    slots: [u64; MASS_READ_SLOTS],
    /// The newest slot, counted from the Unix epoch.
    slot: i64,
    told: Option<Millis>,
    most: u64,
}

impl Reads {
    fn turn(&mut self, now: Millis) {
        let slot = now.0.div_euclid(MASS_READ_SLOT_MS);
        // A clock that went back counts into the newest slot.
        let passed = slot.saturating_sub(self.slot).clamp(0, MASS_READ_SLOTS as i64) as usize;
        for _ in 0..passed {
            self.slots.rotate_right(1);
            if let Some(newest) = self.slots.first_mut() {
                *newest = 0;
            }
        }
        self.slot = self.slot.max(slot);
    }

    fn sum(&self) -> u64 {
        self.slots.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }
}

/// Counts of all accounts.
#[derive(Default)]
pub struct MassReads(HashMap<Id, Reads>);

impl MassReads {
    /// Counts questions. Gives the sum of the hour when it is above `limit` and that was not told within the hour.
    pub fn count(&mut self, account: Id, questions: u64, limit: u64, now: Millis) -> Option<u64> {
        if self.0.len() >= ACCOUNTS && !self.0.contains_key(&account) {
            self.0.retain(|_, r| now.0.div_euclid(MASS_READ_SLOT_MS) - r.slot < MASS_READ_SLOTS as i64);
        }
        let reads = self.0.entry(account).or_default();
        reads.turn(now);
        if let Some(newest) = reads.slots.first_mut() {
            *newest = newest.saturating_add(questions);
        }
        let sum = reads.sum();
        let fresh = reads.told.is_none_or(|told| now.since(told) >= MASS_READ_SLOT_MS * MASS_READ_SLOTS as i64);
        (sum > limit && fresh).then_some(sum)
    }

    /// It is told.
    pub fn told(&mut self, account: Id, sum: u64, now: Millis) {
        if let Some(reads) = self.0.get_mut(&account) {
            (reads.told, reads.most) = (Some(now), sum);
        }
    }

    /// Accounts of which it was told within a day: account, since when, how many then.
    pub fn list(&self, now: Millis) -> Vec<(Id, Millis, u64)> {
        let recent = |(id, r): (&Id, &Reads)| r.told.filter(|told| now.since(*told) < MASS_READ_NOTICE_MS).map(|told| (*id, told, r.most));
        let mut list: Vec<_> = self.0.iter().filter_map(recent).collect();
        list.sort_unstable();
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    #[test]
    fn an_hour_counts_and_what_is_older_does_not() {
        let (mut reads, id) = (MassReads::default(), Id([1; 16]));
        assert_eq!(reads.count(id, 60, 100, NOW), None);
        assert_eq!(reads.count(id, 60, 100, NOW.plus(61 * 60_000)), None);
        assert_eq!(reads.count(Id([2; 16]), 60, 100, NOW), None, "another account counts for itself");
        assert_eq!(reads.count(id, 60, 100, NOW.plus(90 * 60_000)), Some(120));
        assert_eq!(reads.count(id, 1, 100, NOW.plus(90 * 60_000)), Some(121), "until it is told");
        reads.told(id, 121, NOW.plus(90 * 60_000));
        assert_eq!(reads.count(id, 1, 100, NOW.plus(91 * 60_000)), None);
        assert_eq!(reads.count(id, 200, 100, NOW.plus(150 * 60_000)), Some(200));
        assert_eq!(reads.list(NOW.plus(91 * 60_000)), [(id, NOW.plus(90 * 60_000), 121)]);
        assert!(reads.list(NOW.plus(90 * 60_000 + MASS_READ_NOTICE_MS)).is_empty());
        assert_eq!(reads.count(id, u64::MAX, 100, NOW), None, "a clock that went back, and no overflow");
    }
}
