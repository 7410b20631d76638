//! The sequence tracker against a simulated network that loses, doubles, delays and reorders, and exporters that start anew.

use std::collections::BTreeMap;

use proptest::prelude::*;
use weir_base::time::Millis;
use weir_record::Id;

use super::super::limits::{GAP_INTERVAL_MS, REORDER_MS, RESTARTS, SEQUENCE_JUMP, UNUSABLE_MS};
use super::super::sequence::{Arrived, Counting, GapNote, Sequence, Units, Verdict};

const T0_MS: i64 = 1_795_312_800_000;

#[derive(Clone, Debug)]
struct Sent {
    sequence: u32,
    units: u32,
    sent: i64,
    uptime: Option<u32>,
    checksum: u32,
}

/// One datagram of the plan: units, pause before it, whether it is lost, how long it travels, and how long its double does.
type Step = (u32, i64, bool, i64, Option<i64>);

fn step() -> impl Strategy<Value = Step> {
    let lost = prop::bool::weighted(0.1);
    let travel = prop_oneof![8 => 0i64..3, 1 => 0i64..2_000];
    (1u32..40, 0i64..300, lost, travel, prop::option::weighted(0.1, 0i64..2_000))
}

fn ids() -> impl FnMut() -> Id {
    let mut n = 0u8;
    move || {
        n = n.wrapping_add(1);
        Id([n; 16])
    }
}

fn last_of_each(notes: &[GapNote]) -> BTreeMap<Id, &GapNote> {
    notes.iter().map(|n| (n.id, n)).collect()
}

struct Outcome {
    tracker: Sequence,
    notes: Vec<GapNote>,
    taken: Vec<u32>,
    duplicates: usize,
    // When new gaps were first written.
    written: Vec<i64>,
}

fn play(counting: Counting, arrivals: &[(i64, Sent)]) -> Outcome {
    let mut out = Outcome { tracker: Sequence::new(counting), notes: vec![], taken: vec![], duplicates: 0, written: vec![] };
    let mut new_id = ids();
    let mut flush = |out: &mut Outcome, at: i64, force| {
        let notes = out.tracker.flush(Millis(at), force, &mut new_id);
        out.written.extend(notes.iter().any(|n| n.amendment == 0).then_some(at));
        out.notes.extend(notes);
    };
    for (at, sent) in arrivals {
        let export_ms = sent.sent.div_euclid(1000) * 1000;
        let m = Arrived { sequence: sent.sequence, export_ms, uptime_ms: sent.uptime, checksum: sent.checksum, arrival: Millis(*at) };
        match out.tracker.judge(m) {
            Verdict::Duplicate => out.duplicates += 1,
            Verdict::Take => {
                out.tracker.took(Units::exact(sent.units));
                out.taken.push(sent.checksum);
            }
            Verdict::Restarted => panic!("nobody restarted: {sent:?}"),
        }
        flush(&mut out, *at, false);
    }
    let end = arrivals.last().map_or(0, |a| a.0) + REORDER_MS;
    flush(&mut out, end, true);
    out
}

fn network(counting: Counting, first: u32, steps: &[Step]) -> (Vec<Sent>, Vec<(i64, usize, Sent)>) {
    let (mut sequence, mut now, mut sent, mut arrivals) = (first, T0_MS, Vec::new(), Vec::new());
    for (i, (units, pause, lost, travel, double)) in steps.iter().enumerate() {
        now += pause;
        let units = if counting == Counting::Messages { 1 } else { *units };
        let uptime = (counting == Counting::Messages).then_some((now - T0_MS) as u32);
        let message = Sent { sequence, units, sent: now, uptime, checksum: i as u32 };
        sequence = sequence.wrapping_add(units);
        if !lost {
            arrivals.push((now + travel, i, message.clone()));
            arrivals.extend(double.map(|d| (now + travel + d, i, message.clone())));
        }
        sent.push(message);
    }
    arrivals.sort_by_key(|a| a.0);
    (sent, arrivals)
}

fn check(counting: Counting, first: u32, steps: &[Step]) -> Result<(), TestCaseError> {
    let (sent, arrivals) = network(counting, first, steps);
    let (Some(begin), Some(end)) = (arrivals.first().map(|a| a.1), arrivals.iter().map(|a| a.1).max()) else { return Ok(()) };
    let received: std::collections::BTreeSet<usize> = arrivals.iter().map(|a| a.1).collect();
    // Nobody can know of what was sent before the first datagram that came, or after the last.
    let truth: u64 = (begin..=end).filter(|i| !received.contains(i)).map(|i| u64::from(sent[i].units)).sum();
    let plain: Vec<(i64, Sent)> = arrivals.iter().map(|a| (a.0, a.2.clone())).collect();
    let out = play(counting, &plain);
    prop_assert_eq!(out.tracker.lost(), truth);
    let gaps = last_of_each(&out.notes);
    prop_assert_eq!(gaps.values().map(|g| g.lost.unwrap_or(u64::MAX)).sum::<u64>(), truth);
    let mut taken = out.taken.clone();
    taken.sort_unstable();
    prop_assert_eq!(&taken, &received.iter().map(|i| *i as u32).collect::<Vec<_>>(), "each datagram once");
    prop_assert_eq!(out.duplicates, arrivals.len() - received.len());
    for pair in out.written.windows(2) {
        prop_assert!(pair[1] - pair[0] >= GAP_INTERVAL_MS, "gaps begun {} ms apart", pair[1] - pair[0]);
    }
    // Each lost message was sent within the gap that counts it.
    for i in (begin..=end).filter(|i| !received.contains(i)) {
        let at = sent[i].sent;
        prop_assert!(gaps.values().any(|g| g.start <= at && at <= g.end && g.lost != Some(0)), "{at} in no gap");
    }
    for note in &out.notes {
        let amends = out.notes.iter().filter(|n| n.id == note.id && n.amendment < note.amendment).count();
        prop_assert_eq!(amends as u32, note.amendment);
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_lost_count_is_the_truth_ipfix(first in any::<u32>(), steps in prop::collection::vec(step(), 1..150)) {
        check(Counting::Records, first, &steps)?;
    }

    #[test]
    fn the_lost_count_is_the_truth_v9(first in any::<u32>(), steps in prop::collection::vec(step(), 1..150)) {
        check(Counting::Messages, first, &steps)?;
    }

    #[test]
    fn any_numbers_at_all_are_taken_without_a_panic(
        messages in prop::collection::vec((any::<u32>(), any::<u32>(), any::<Option<u32>>(), 0u32..5, any::<u16>()), 0..200),
    ) {
        let mut tracker = Sequence::new(Counting::Records);
        let (mut at, mut id) = (0, ids());
        for (sequence, secs, uptime, units, pause) in messages {
            at += i64::from(pause);
            let export_ms = i64::from(secs) * 1000;
            let m = Arrived { sequence, export_ms, uptime_ms: uptime, checksum: units, arrival: Millis(at) };
            if tracker.judge(m) != Verdict::Duplicate {
                tracker.took(Units { min: units, max: units * 2, waiting: 0, sets: 0 });
            }
            tracker.flush(Millis(at), false, &mut id);
        }
        tracker.flush(Millis(at + 60_000), true, &mut id);
    }
}

fn message(sequence: u32, ms: i64, uptime: Option<u32>) -> Arrived {
    let export_ms = (T0_MS + ms).div_euclid(1000) * 1000;
    Arrived { sequence, export_ms, uptime_ms: uptime, checksum: sequence ^ ms as u32, arrival: Millis(T0_MS + ms) }
}

fn take(tracker: &mut Sequence, m: Arrived, units: u32) -> Verdict {
    let verdict = tracker.judge(m);
    if verdict != Verdict::Duplicate {
        tracker.took(Units::exact(units));
    }
    verdict
}

#[test]
fn a_gap_is_written_at_once_and_amended_when_the_late_datagram_comes() {
    let (mut t, mut id) = (Sequence::new(Counting::Records), ids());
    take(&mut t, message(100, 0, None), 10);
    assert!(t.flush(Millis(T0_MS), false, &mut id).is_empty());
    take(&mut t, message(130, 1_500, None), 10);
    let first = t.flush(Millis(T0_MS + 1_500), false, &mut id);
    let want = GapNote { id: Id([1; 16]), amendment: 0, start: T0_MS, end: T0_MS + 1_999, lost: Some(20), reason: "sequence" };
    assert_eq!(first, std::slice::from_ref(&want));
    // Half of it was only late. The amendment waits for its second.
    take(&mut t, message(110, 900, None), 10);
    assert!(t.flush(Millis(T0_MS + 1_600), false, &mut id).is_empty());
    assert_eq!(t.flush(Millis(T0_MS + 2_500), false, &mut id), [GapNote { amendment: 1, lost: Some(10), ..want.clone() }]);
    take(&mut t, message(120, 900, None), 10);
    assert_eq!(t.flush(Millis(T0_MS + 3_500), false, &mut id), [GapNote { amendment: 2, lost: Some(0), ..want }]);
    assert_eq!((t.lost(), t.is_dirty()), (0, false));
}

#[test]
fn holes_within_a_second_join_one_gap() {
    let (mut t, mut id) = (Sequence::new(Counting::Messages), ids());
    take(&mut t, message(0, 0, Some(0)), 1);
    take(&mut t, message(2, 100, Some(100)), 1);
    assert_eq!(t.flush(Millis(T0_MS + 100), false, &mut id).len(), 1);
    for n in 2..6 {
        take(&mut t, message(2 * n, 100 + i64::from(n), Some(100 + n)), 1);
        assert!(t.flush(Millis(T0_MS + 100 + i64::from(n)), false, &mut id).is_empty());
    }
    let joined = t.flush(Millis(T0_MS + 1_100), false, &mut id);
    assert_eq!(joined.iter().map(|g| (g.amendment, g.lost)).collect::<Vec<_>>(), [(0, Some(4))]);
}

/// What happened, the message before, the message after, the verdict on it, the reason of the gap that is written.
type Case = (&'static str, Arrived, Arrived, Verdict, &'static str);

#[test]
fn restarts_are_told_from_loss_and_from_late_datagrams() {
    let wrap = u32::MAX - 500;
    let up = |ms: u32| Some(ms);
    let (restarted, take_it, restart) = (Verdict::Restarted, Verdict::Take, "exporter-restart");
    let cases: [Case; 11] = [
        ("numbers from 0 with a later header", message(5_000, 0, None), message(0, 8_000, None), restarted, restart),
        ("the first message after a restart was lost", message(5_000, 0, None), message(28, 8_000, None), restarted, restart),
        ("the clock was set back at a restart", message(5_000, 100_000, None), message(10, 0, None), restarted, restart),
        ("a late datagram", message(5_000, 2_000, None), message(4_970, 900, None), take_it, ""),
        ("v9: uptime and numbers anew", message(7, 0, up(900_000)), message(0, 5_000, up(1_000)), restarted, restart),
        ("v9: a restart that only the uptime tells", message(7, 0, up(900_000)), message(90, 60_000, up(50_000)), restarted, restart),
        ("v9: a late datagram", message(7, 2_000, up(902_000)), message(6, 1_000, up(901_000)), take_it, ""),
        ("v9: 49.7 days", message(7, 0, up(wrap)), message(8, 1_000, up(wrap.wrapping_add(1_000))), take_it, ""),
        ("v9: its clock was set an hour forward", message(7, 0, up(900_000)), message(8, 3_600_000, up(901_000)), take_it, ""),
        ("numbers went round at 2^32", message(u32::MAX - 9, 0, None), message(0, 0, None), take_it, ""),
        ("a jump too long to count", message(0, 0, None), message(SEQUENCE_JUMP + 11, 1_000, None), take_it, "sequence-jump"),
    ];
    for (name, before, after, verdict, reason) in cases {
        let mut t = Sequence::new(if before.uptime_ms.is_some() { Counting::Messages } else { Counting::Records });
        take(&mut t, before, 10);
        assert_eq!(take(&mut t, after, 10), verdict, "{name}");
        let notes = t.flush(Millis(T0_MS + 100_000), true, ids());
        let reasons: Vec<_> = notes.iter().map(|n| n.reason).collect();
        assert_eq!(reasons.join(" "), reason, "{name}");
        assert!(notes.iter().all(|n| n.lost.is_none() && n.start <= n.end), "{name}");
    }
}

#[test]
fn an_exporter_whose_numbers_make_no_sense_is_not_judged_by_them() {
    let (mut t, mut id) = (Sequence::new(Counting::Records), ids());
    let mut notes = Vec::new();
    let mut restarts = 0;
    for i in 0..600u32 {
        let at = i64::from(i) * 100;
        // Always from 0 again, with ever later headers.
        restarts += usize::from(take(&mut t, message(1_000 * (i % 2), at, None), 10) == Verdict::Restarted);
        notes.extend(t.flush(Millis(T0_MS + at), false, &mut id));
    }
    assert!(restarts < RESTARTS, "templates are not thrown away for ever: {restarts}");
    assert!(notes.iter().any(|n| n.reason == "sequence-unusable" && n.lost.is_none()));
    assert!(t.unusable());
    // After a while it gets another chance.
    let later = 600 * 100 + 2 * UNUSABLE_MS;
    take(&mut t, message(0, later, None), 10);
    take(&mut t, message(10, later, None), 10);
    assert!(!t.unusable());
}

/// A message at 100 with a set of at most ten records that waits, then one at `next` of one record.
fn waiting(next: u32) -> Sequence {
    let mut t = Sequence::new(Counting::Records);
    t.judge(message(100, 0, None));
    t.took(Units { min: 0, max: 10, waiting: 10, sets: 1 });
    t.judge(message(next, 1_000, None));
    t.took(Units::exact(1));
    t
}

fn losses(t: &mut Sequence, at: i64) -> Vec<(&'static str, Option<u64>)> {
    t.flush(Millis(T0_MS + at), true, ids()).iter().map(|n| (n.reason, n.lost)).collect()
}

#[test]
fn sets_without_a_template_make_the_next_number_a_range() {
    for (next, lost) in [(100, None), (103, None), (110, None), (111, Some(1))] {
        let expected: Vec<_> = lost.iter().map(|n| ("sequence", Some(*n))).collect();
        assert_eq!(losses(&mut waiting(next), 1_000), expected, "{next}");
    }
    // What can never be counted leaves the count open.
    let mut t = Sequence::new(Counting::Records);
    t.judge(message(100, 0, None));
    t.took(Units { min: 0, max: 10, waiting: 0, sets: 0 });
    t.judge(message(111, 1_000, None));
    t.took(Units::exact(1));
    assert_eq!(losses(&mut t, 1_000), [("sequence", None)]);
}

#[test]
fn what_a_waiting_set_did_not_carry_was_lost() {
    // (number of the next message, records the set turned out to have, lost)
    for (next, records, lost) in [(103, 3, 0), (103, 1, 2), (110, 1, 9), (110, 10, 0)] {
        let mut t = waiting(next);
        assert_eq!(losses(&mut t, 1_000), [], "{next} {records}");
        t.counted(100, records, Millis(T0_MS + 2_000));
        assert_eq!(t.lost(), lost, "{next} {records}");
        let expected: Vec<_> = Some(lost).filter(|n| *n > 0).map(|n| ("sequence", Some(n))).into_iter().collect();
        assert_eq!(losses(&mut t, 2_000), expected, "{next} {records}");
    }
    // A late message brought a part of it before the template came, and another one the rest afterwards.
    let mut t = waiting(108);
    t.judge(message(102, 500, None));
    t.took(Units::exact(3));
    t.counted(100, 2, Millis(T0_MS + 2_000));
    assert_eq!(t.lost(), 3);
    assert_eq!(losses(&mut t, 2_000), [("sequence", Some(3))]);
    t.judge(message(105, 600, None));
    t.took(Units::exact(3));
    assert_eq!(t.lost(), 0);
    assert_eq!(losses(&mut t, 3_100), [("sequence", Some(0))]);
}

#[test]
fn a_waiting_set_that_is_given_up_may_have_hidden_a_loss() {
    let mut t = waiting(103);
    t.gave_up(100, "unknown-template");
    let notes = t.flush(Millis(T0_MS + 1_000), true, ids());
    let told: Vec<_> = notes.iter().map(|n| (n.reason, n.lost, n.start - T0_MS, n.end - T0_MS)).collect();
    assert_eq!(told, [("unknown-template", None, 0, 1_999)]);
}

#[test]
fn the_number_moves_on_when_the_set_that_waited_is_counted() {
    let mut t = Sequence::new(Counting::Records);
    t.judge(message(0, 0, None));
    t.took(Units { min: 0, max: 40, waiting: 40, sets: 1 });
    // The template comes in a message of the same number.
    t.judge(message(0, 10, None));
    t.counted(0, 2, Millis(T0_MS + 10));
    t.took(Units::exact(0));
    take(&mut t, message(6, 20, None), 6);
    take(&mut t, message(2, 15, None), 4);
    assert_eq!(t.lost(), 0);
    assert_eq!(losses(&mut t, 30), []);
}

#[test]
fn a_restart_of_ours_goes_on_where_it_left_off() {
    let (mut t, mut id) = (Sequence::new(Counting::Records), ids());
    take(&mut t, message(100, 0, None), 10);
    let mut next = Sequence::new(Counting::Records);
    next.restore(&t.saved());
    take(&mut next, message(150, 9_000, None), 10);
    let notes = next.flush(Millis(T0_MS + 9_000), true, &mut id);
    assert_eq!(notes.iter().map(|n| (n.start - T0_MS, n.end - T0_MS, n.lost)).collect::<Vec<_>>(), [(0, 9_999, Some(40))]);
    // A gap that was seen and not written yet is not forgotten.
    take(&mut t, message(200, 2_000, None), 10);
    let mut next = Sequence::new(Counting::Records);
    next.restore(&t.saved());
    let notes = next.flush(Millis(T0_MS + 9_000), true, &mut id);
    assert_eq!(notes.iter().map(|n| (n.start - T0_MS, n.end - T0_MS, n.lost)).collect::<Vec<_>>(), [(0, 2_999, None)]);
}
