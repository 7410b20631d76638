use super::*;

fn run(level: u8, bucket: i64, name: usize) -> RunMeta {
    RunMeta { level, bucket, file: name.to_string(), day: Day(3) }
}

#[test]
fn a_moment_is_looked_for_in_the_wide_buckets_around_it() {
    for at in [0, 1, WIDE_MS - 60_001, WIDE_MS - 60_000, WIDE_MS - 1, WIDE_MS, -1, -WIDE_MS] {
        let asked = Spans::buckets(Millis(at), Millis(at));
        for (level, reach) in [(0, 60_000), (1, 480_000)] {
            // What covers it was placed then, or as much later as its spans are long.
            for placed in [at, at + 1, at + reach / 2, at + reach] {
                let of = wide((level, bucket_of(level, Millis(placed)))).unwrap();
                assert!(asked.contains(&of), "{at} {level} {placed}");
                assert_eq!(of, (level | WIDE, placed.div_euclid(WIDE_MS)), "{at} {level} {placed}");
            }
        }
    }
    assert_eq!([wide((2, 7)), wide((6, 0)), wide((WIDE, 7))], [None; 3]);
    assert_eq!([earliest(WIDE, Millis(0)), earliest(WIDE | 1, Millis(0))], [Millis(-60_000), Millis(-480_000)]);
}

#[test]
fn what_is_scattered_is_told_bucket_by_bucket_until_it_is_gathered() {
    let mut spans = Spans::default();
    let minutes = [0, 1, 63, 64, 128, 129, 130, 192, 193];
    spans.add_runs(minutes.iter().enumerate().map(|(name, minute)| run(0, *minute, name)).collect());
    spans.add_runs(vec![run(1, 0, 20), run(1, 7, 21), run(1, 8, 22), run(2, 0, 23), run(2, 0, 24)]);
    let files =
        |found: Option<(Bucket, Vec<RunMeta>)>| found.map(|(wide, runs)| (wide, runs.into_iter().map(|run| run.file).collect::<Vec<_>>()));
    let now = Millis(3 * WIDE_MS + 120_000);
    let mut told = Vec::new();
    while let Some((wide, runs)) = files(spans.scattered(now)) {
        spans.gathered(wide);
        told.push((wide, runs.join(" ")));
    }
    let want = [((WIDE, 0), "0 1 2"), ((WIDE, 2), "4 5 6"), ((WIDE | 1, 0), "20 21")];
    assert_eq!(told, want.map(|(wide, runs)| (wide, runs.to_owned())));
    // One that comes later is told with what is there.
    spans.drop_runs(&[run(0, 128, 4), run(0, 129, 5), run(0, 130, 6)]);
    spans.add_runs(vec![run(WIDE, 2, 30), run(0, 131, 31)]);
    assert_eq!(spans.scattered(now), None, "one alone");
    spans.add_runs(vec![run(0, 130, 32)]);
    assert_eq!(files(spans.scattered(now)), Some(((WIDE, 2), vec!["32".to_owned(), "31".to_owned()])));
    // What does not read is left out.
    spans.pass_over(&run(0, 130, 32));
    assert_eq!(spans.scattered(now), None, "one alone that reads");
    spans.add_runs(vec![run(0, 130, 33)]);
    assert_eq!(files(spans.scattered(now)), Some(((WIDE, 2), vec!["33".to_owned(), "31".to_owned()])));
}

#[test]
fn a_bucket_is_crowded_by_what_reads() {
    let mut spans = Spans::default();
    let runs: Vec<RunMeta> = (0..=RUNS_A_BUCKET).map(|name| run(6, 0, name)).collect();
    spans.add_runs(runs.clone());
    assert_eq!(spans.crowded(), [((6, 0), runs.clone())]);
    spans.pass_over(&runs[1]);
    assert_eq!(spans.crowded(), []);
    spans.add_runs(vec![run(6, 0, 9)]);
    let want: Vec<RunMeta> = runs.iter().filter(|run| run.file != "1").cloned().chain([run(6, 0, 9)]).collect();
    assert_eq!(spans.crowded(), [((6, 0), want)]);
    assert_eq!(spans.runs().count(), RUNS_A_BUCKET + 2, "it is there and asked as before");
}

#[test]
fn an_answer_that_would_not_be_complete_is_none() {
    let (mut spans, key) = (Spans::default(), EndKey::exact("203.0.113.1".parse().unwrap(), 53, 17));
    let at = Millis(1_795_312_800_000);
    for n in 1..=SPANS_A_KEY {
        spans.insert(&key, at, at.plus(60_000), at.plus(60_000), vec![n as u8]);
        let planned = spans.plan(&[key], at, at.plus(60_000));
        assert_eq!((planned.stored.len(), planned.checked().is_ok()), (n, n < SPANS_A_KEY));
    }
}
