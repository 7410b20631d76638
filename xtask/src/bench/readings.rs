//! What runs of a measuring program printed. The programs are in `crates/bench`, so that nothing for measuring
//! is in what ships; each prints one JSON object a line: `{"work":"…","value":1.5}`, with `"x"` where
//! the same work is measured at several sizes.

use serde_json::Value;

use super::chart::Line;
use super::figures::Figure;
use crate::workspace::Result;

/// What was measured, at which size where that varies, and what several runs gave.
pub type Measured = (String, Option<f64>, Figure);

/// One reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What was measured.
    pub work: String,
    /// At which size (e.g. stored mappings), where that varies.
    pub x: Option<f64>,
    /// The value, in the benchmark's unit.
    pub value: f64,
}

/// Reads what one run printed; lines that are not JSON objects are the program's talk and are passed over.
pub fn read(printed: &str) -> Result<Vec<Reading>> {
    let mut readings = Vec::new();
    for line in printed.lines().filter(|line| line.starts_with('{')) {
        let object: Value = serde_json::from_str(line).map_err(|e| format!("a reading is not JSON ({e}): {line}"))?;
        let (work, value) = (object.get("work").and_then(Value::as_str), object.get("value").and_then(Value::as_f64));
        let (Some(work), Some(value)) = (work, value) else {
            return Err(format!("a reading needs \"work\" (text) and \"value\" (number): {line}"));
        };
        readings.push(Reading { work: work.to_owned(), x: object.get("x").and_then(Value::as_f64), value });
    }
    if readings.is_empty() { Err("the measuring program printed no reading".to_owned()) } else { Ok(readings) }
}

/// The readings of several runs joined: one figure for each work and size, in the order of the first run.
pub fn joined(runs: &[Vec<Reading>]) -> Result<Vec<Measured>> {
    let first = runs.first().ok_or("nothing was measured: runs must be at least 1")?;
    let mut figures = Vec::new();
    for reading in first {
        let same = |other: &&Reading| other.work == reading.work && other.x == reading.x;
        let values: Vec<f64> = runs.iter().filter_map(|run| run.iter().find(same).map(|other| other.value)).collect();
        if values.len() != runs.len() {
            return Err(format!("'{}' was not measured in every run", reading.work));
        }
        let figure = Figure::of(&values).ok_or_else(|| format!("'{}' gave something that is not a number", reading.work))?;
        figures.push((reading.work.clone(), reading.x, figure));
    }
    Ok(figures)
}

/// Figures as lines over their sizes: what was measured, and the line's name. What is not there is no line.
pub fn lines(named: &[(&str, &str)], figures: &[Measured]) -> Vec<Line> {
    let line = |(reading, name): &(&str, &str)| {
        let points = figures.iter().filter(|(work, _, _)| work == reading).filter_map(|(_, x, figure)| Some(((*x)?, figure.median)));
        ((*name).to_owned(), points.collect::<Vec<_>>())
    };
    named.iter().map(line).filter(|(_, points)| !points.is_empty()).collect()
}

/// Figures as bars: what was measured, and the bar's name. Of a program that was not measured at all there is no bar; a mistake is one of which other things
/// were measured, but not this.
pub fn bars(named: &[(&str, &str)], figures: &[Measured]) -> Result<Vec<(String, f64)>> {
    let program = |work: &str| work.split_once(": ").map_or(work, |(program, _)| program).to_owned();
    let mut bars = Vec::new();
    for (reading, name) in named {
        match figures.iter().find(|(work, _, _)| work == reading) {
            Some((_, _, figure)) => bars.push(((*name).to_owned(), figure.median)),
            None if figures.iter().any(|(work, _, _)| program(work) == program(reading)) => {
                return Err(format!("the chart shows '{reading}', which was not measured: mend its name in xtask/src/bench"));
            }
            None => {}
        }
    }
    Ok(bars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_read_and_talk_is_passed_over() {
        let text = "warming up\n{\"work\":\"a\",\"value\":2}\n{\"work\":\"b\",\"x\":1e5,\"value\":0.5}\n";
        let expected = [Reading { work: "a".into(), x: None, value: 2.0 }, Reading { work: "b".into(), x: Some(1e5), value: 0.5 }];
        assert_eq!(read(text).unwrap(), expected);
        for bad in ["", "talk", "{", "{\"work\":\"a\"}", "{\"value\":1}", "{\"work\":\"a\",\"value\":\"1\"}"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn runs_are_joined_by_work_and_size() {
        let run = |a: f64, b: f64| {
            vec![Reading { work: "a".into(), x: Some(1.0), value: a }, Reading { work: "a".into(), x: Some(2.0), value: b }]
        };
        let figures = joined(&[run(3.0, 10.0), run(1.0, 30.0), run(2.0, 20.0)]).unwrap();
        let medians: Vec<f64> = figures.iter().map(|(_, _, figure)| figure.median).collect();
        assert_eq!(medians, [2.0, 20.0]);
        assert!(joined(&[]).is_err());
        assert!(joined(&[run(1.0, 2.0), run(1.0, 2.0)[..1].to_vec()]).is_err());
    }

    #[test]
    fn what_is_not_there_is_not_drawn_unless_that_is_a_mistake() {
        let of = |work: &str, x: Option<f64>, value: f64| (work.to_owned(), x, Figure::of(&[value]).unwrap());
        let sizes = [of("a", Some(1.0), 5.0), of("b", Some(1.0), 6.0), of("a", Some(2.0), 7.0), of("a", None, 8.0)];
        assert_eq!(lines(&[("a", "A"), ("c", "C")], &sizes), [("A".to_owned(), vec![(1.0, 5.0), (2.0, 7.0)])]);
        let figures = [of("ours: rows", None, 1.0), of("ours: bytes", None, 2.0)];
        assert_eq!(bars(&[("ours: rows", "ours"), ("theirs: rows", "theirs")], &figures), Ok(vec![("ours".to_owned(), 1.0)]));
        assert!(bars(&[("ours: lines", "ours")], &figures).unwrap_err().contains("'ours: lines'"));
    }
}
