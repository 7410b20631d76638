//! Runs of the span index are merged, so that a look-up reads few and there are few in all.

use std::sync::PoisonError;

use weir_base::task::lock;
use weir_base::time::Day;

use super::cycle::CycleState;
use super::{Store, StoreError};
use crate::catalog::{Change, RunMeta};
use crate::limits::{GATHERED_BUCKETS, GATHERED_SPANS, MERGED_RUNS, RUNS_A_BUCKET};
use crate::table::TableError;

impl Store {
    /// Buckets with many runs get one: what a look-up reads stays bounded.
    pub(super) fn merge_crowded(&self, cycle: &mut CycleState, day: Day) -> Result<(), StoreError> {
        loop {
            let crowded = self.index.read().unwrap_or_else(PoisonError::into_inner).spans.crowded();
            if crowded.is_empty() {
                return Ok(());
            }
            for (bucket, runs) in &crowded {
                for some in runs.chunks(MERGED_RUNS).filter(|some| some.len() > 1) {
                    self.merge_some(cycle, day, *bucket, some)?;
                }
            }
        }
    }

    /// One run in the place of some of a bucket; false where one of them does not read.
    fn merge_some(&self, cycle: &mut CycleState, day: Day, (level, bucket): (u8, i64), runs: &[RunMeta]) -> Result<bool, StoreError> {
        let merged = match self.files.merge(runs, level, bucket, day) {
            Ok(merged) => merged,
            Err(e) => return self.pass_over(runs, e).map(|()| false),
        };
        let old: Vec<String> = runs.iter().map(|r| r.file.clone()).collect();
        {
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            index.spans.drop_runs(runs);
            index.spans.add_runs(vec![merged.clone()]);
        }
        cycle.gone.extend(old.iter().cloned());
        cycle.owed.tell(Change { runs: vec![merged], drop_runs: old, ..Change::default() });
        self.pay(cycle)?;
        Ok(true)
    }

    /// A merge failed. Where that is for runs that do not read, these are told of and left out until the next start: one of them is not to keep
    /// all others from being merged. An error where all of them read.
    fn pass_over(&self, runs: &[RunMeta], error: TableError) -> Result<(), StoreError> {
        let unread: Vec<_> = runs.iter().filter_map(|run| Some((run, self.files.check(run).err()?))).collect();
        let Some((RunMeta { file, .. }, e)) = unread.first() else { return Err(error.into()) };
        *lock(&self.flags.trouble) = Some(format!(
            "{file} does not read, look-ups that need it fail ({e}): stop weir, move the file away and start again, and the index is made anew from the sealed units"
        ));
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        unread.iter().for_each(|(run, _)| index.spans.pass_over(run));
        Ok(())
    }

    /// Small runs of narrow buckets become few of the wide bucket around them, once that is over. Some at a time, the oldest first; what a program before this one left is
    /// gathered in some hours.
    pub(super) fn gather_runs(&self, cycle: &mut CycleState) -> Result<(), StoreError> {
        let now = self.clock.now();
        for _ in 0..GATHERED_BUCKETS {
            let scattered = self.index.read().unwrap_or_else(PoisonError::into_inner).spans.scattered(now);
            let Some((wide, runs)) = scattered else { break };
            if self.gather(cycle, wide, &runs)? {
                self.index.write().unwrap_or_else(PoisonError::into_inner).spans.gathered(wide);
            }
        }
        Ok(())
    }

    /// False where one does not read: the others are to be gathered without it.
    fn gather(&self, cycle: &mut CycleState, wide: (u8, i64), runs: &[RunMeta]) -> Result<bool, StoreError> {
        let all = match self.together(runs) {
            Ok(all) => all,
            Err(e) => return self.pass_over(runs, e).map(|()| false),
        };
        let mut whole = true;
        for some in all {
            // Under the key that they are under: when that day's key goes, so do they.
            let day = some.iter().map(|run| run.day).max().unwrap_or_default();
            whole &= self.merge_some(cycle, day, wide, some)?;
        }
        Ok(whole)
    }

    /// Stretches of runs, of more than one each, that together have not too many spans; none where they would be so many that they were merged once more.
    fn together<'a>(&self, runs: &'a [RunMeta]) -> Result<Vec<&'a [RunMeta]>, TableError> {
        let (mut all, mut first, mut spans) = (Vec::new(), 0, 0u64);
        for (number, run) in runs.iter().enumerate() {
            let own = self.files.open(&run.file, run.day)?.entries();
            if number - first >= MERGED_RUNS || spans.saturating_add(own) > GATHERED_SPANS {
                all.extend(runs.get(first..number));
                (first, spans) = (number, 0);
            }
            spans = spans.saturating_add(own);
        }
        all.extend(runs.get(first..));
        all.retain(|some| some.len() > 1);
        Ok(if all.len() > RUNS_A_BUCKET { Vec::new() } else { all })
    }
}
