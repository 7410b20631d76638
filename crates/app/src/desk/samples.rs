//! What the counters said every ten seconds: a bounded memory for charts. By kind of source for a day, by source for an hour.

use std::collections::{BTreeMap, HashMap, VecDeque};

use weir_base::time::Millis;
use weir_store::engine::SourceInfo;
use weir_web::model::overview::{Line, Series};

use crate::limits::{SAMPLE_MS, SAMPLES, SERIES_POINTS, SPARK_POINTS};

/// Counters of one kind of source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    records: u64,
    lost: u64,
    malformed: u64,
}

/// One look at all counters.
#[derive(Clone, Debug, Default)]
struct Sample {
    at: Millis,
    kinds: BTreeMap<String, Counts>,
    sealed: u64,
}

/// Records of every source at a moment.
type BySource = (Millis, HashMap<u32, u64>);

/// The memory.
#[derive(Debug, Default)]
pub struct Samples {
    kinds: VecDeque<Sample>,
    /// The last minute and a bit, sample by sample.
    minute: VecDeque<BySource>,
    /// The last hour, minute by minute.
    hour: VecDeque<BySource>,
}

impl Samples {
    /// Takes a sample when the last one is old enough.
    pub fn take(&mut self, now: Millis, sources: impl FnOnce() -> Vec<SourceInfo>, sealed: u64) {
        // A clock that was set back begins anew.
        if self.kinds.back().is_some_and(|last| (0..SAMPLE_MS).contains(&now.since(last.at))) {
            return;
        }
        let sources = sources();
        let mut sample = Sample { at: now, sealed, ..Sample::default() };
        let mut records = HashMap::with_capacity(sources.len());
        for source in &sources {
            let counts = sample.kinds.entry(source.kind.clone()).or_default();
            counts.records += source.counters.records;
            counts.lost += source.lost.max(source.counters.lost);
            counts.malformed += source.counters.malformed;
            records.insert(source.number, source.counters.records);
        }
        push(&mut self.kinds, sample, SAMPLES);
        if self.hour.back().is_none_or(|(at, _)| !(0..60_000).contains(&now.since(*at))) {
            push(&mut self.hour, (now, records.clone()), SPARK_POINTS + 1);
        }
        push(&mut self.minute, (now, records), 7);
    }

    /// Records a second of a source over the last minute.
    pub fn rate(&self, source: u32) -> f64 {
        match (self.minute.front(), self.minute.back()) {
            (Some(first), Some(last)) => rate(first, last, source),
            _ => 0.0,
        }
    }

    /// Records a second of a source, a point a minute of the last hour.
    pub fn spark(&self, source: u32) -> Vec<f64> {
        self.hour.iter().zip(self.hour.iter().skip(1)).map(|(a, b)| rate(a, b, source)).collect()
    }

    /// The chart of the last minutes.
    pub fn series(&self, minutes: u32) -> Series {
        let wanted = usize::try_from(i64::from(minutes) * 60_000 / SAMPLE_MS).unwrap_or(SAMPLES);
        // A step that divides the hour, so that there are not more points than a chart can show.
        let every = [1, 2, 3, 6, 12, 18, 30, 36, 60].into_iter().find(|n| wanted / n <= SERIES_POINTS).unwrap_or(60);
        let from = self.kinds.len().saturating_sub(wanted + 1);
        let last = self.kinds.len().saturating_sub(1);
        let mut points: Vec<&Sample> = (from..=last).rev().step_by(every).filter_map(|i| self.kinds.get(i)).collect();
        points.reverse();
        let names: Vec<String> =
            points.iter().flat_map(|s| s.kinds.keys().cloned()).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let steps: Vec<(&Sample, &Sample)> = points.iter().copied().zip(points.iter().copied().skip(1)).collect();
        let of = |s: &Sample, kind: &str| s.kinds.get(kind).copied().unwrap_or_default();
        let line = |kind: &String| Line {
            kind: kind.clone(),
            records: steps.iter().map(|(a, b)| per_second(of(a, kind).records, of(b, kind).records, a.at, b.at)).collect(),
            lost: steps.iter().map(|(a, b)| of(b, kind).lost.saturating_sub(of(a, kind).lost)).collect(),
            malformed: steps.iter().map(|(a, b)| of(b, kind).malformed.saturating_sub(of(a, kind).malformed)).collect(),
        };
        Series {
            step_seconds: u32::try_from(every as i64 * SAMPLE_MS / 1_000).unwrap_or(10),
            times: steps.iter().map(|(_, b)| b.at.to_rfc3339()).collect(),
            lines: names.iter().map(line).collect(),
            sealed: steps.iter().map(|(a, b)| b.sealed.saturating_sub(a.sealed) as f64).collect(),
        }
    }
}

fn push<T>(list: &mut VecDeque<T>, value: T, most: usize) {
    list.push_back(value);
    while list.len() > most {
        list.pop_front();
    }
}

fn rate(a: &BySource, b: &BySource, source: u32) -> f64 {
    let of = |s: &BySource| s.1.get(&source).copied().unwrap_or(0);
    per_second(of(a), of(b), a.0, b.0)
}

fn per_second(before: u64, after: u64, from: Millis, to: Millis) -> f64 {
    let ms = to.since(from);
    if ms <= 0 { 0.0 } else { (after.saturating_sub(before) as f64 * 1_000.0 / ms as f64 * 100.0).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use weir_record::sink::SourceCounters;

    use super::*;

    fn source(number: u32, kind: &str, records: u64) -> SourceInfo {
        SourceInfo {
            number,
            name: String::new(),
            kind: kind.to_owned(),
            realm: String::new(),
            realm_number: 1,
            peer: String::new(),
            profile: String::new(),
            clock: String::new(),
            since: Millis(0),
            counters: SourceCounters { records, malformed: records / 10, ..SourceCounters::default() },
            lost: records / 100,
        }
    }

    fn filled(samples: i64) -> Samples {
        let mut all = Samples::default();
        for i in 0..samples {
            all.take(Millis(i * SAMPLE_MS), || vec![source(1, "ipfix", i as u64 * 1_000), source(2, "radius", 7)], i as u64 * 50);
        }
        all
    }

    #[test]
    fn rates_and_charts_come_from_differences() {
        let all = filled(361);
        assert_eq!((all.rate(1), all.rate(2), all.rate(9)), (100.0, 0.0, 0.0));
        assert_eq!(all.spark(1), vec![100.0; 60]);
        let hour = all.series(60);
        assert_eq!((hour.step_seconds, hour.times.len(), hour.lines.len()), (10, 360, 2));
        assert_eq!(
            (hour.lines[0].kind.as_str(), hour.lines[0].records[359], hour.lines[0].lost[0], hour.lines[0].malformed[0]),
            ("ipfix", 100.0, 10, 100)
        );
        assert_eq!((hour.sealed[0], hour.sealed.len()), (50.0, 360));
        assert_eq!(hour.times[359], Millis(360 * SAMPLE_MS).to_rfc3339());
        assert_eq!(all.series(5).times.len(), 30);
        assert!(Samples::default().series(60).times.is_empty());
    }

    #[test]
    fn a_day_is_kept_and_no_more() {
        let all = filled(20_000);
        assert_eq!((all.kinds.len(), all.minute.len(), all.hour.len()), (SAMPLES, 7, SPARK_POINTS + 1));
        let day = all.series(1_440);
        assert!(day.times.len() <= SERIES_POINTS && day.times.len() >= 240, "{}", day.times.len());
        assert_eq!(day.lines[0].records[0], 100.0);
    }

    #[test]
    fn samples_too_close_together_are_left_out_and_a_clock_set_back_is_not() {
        let mut all = filled(3);
        all.take(Millis(2 * SAMPLE_MS + 5), || panic!("not yet"), 0);
        all.take(Millis(0), || vec![source(1, "ipfix", 0)], 0);
        assert_eq!(all.kinds.len(), 4);
        assert_eq!(all.rate(1), 0.0);
    }
}
