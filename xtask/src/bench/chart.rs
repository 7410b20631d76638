//! Small charts as SVG, without a library: bars, or lines over a logarithmic axis (stored amounts span powers of ten).

use std::fmt::Write as _;

use super::axis::{Axis, label};
use super::figures::number;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
/// Room for the title.
const TOP: f64 = 40.0;
/// Room for the labels.
const BOTTOM: f64 = 40.0;
/// Room for the numbers of the upright axis.
const LEFT: f64 = 70.0;
/// Room for the names of the lines.
const RIGHT: f64 = 120.0;
/// From one line of text to the next.
const TEXT: f64 = 13.0;
/// Room for the names of bars that lie, for such bars, and for the number behind each.
const LYING: (f64, f64, f64) = (400.0, 300.0, 50.0);
/// How thick a bar is that lies, and how far from those of the next name.
const THICK: (f64, f64) = (12.0, 8.0);
/// Readable on white and on black, and told apart without seeing colour by the names beside them.
const COLOURS: &[&str] = &["#2a78b8", "#c9601a", "#3d8f4f", "#8a5ab5", "#b03a5b", "#7a7a2e", "#1f8a8a", "#8c6a4a"];

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Above the chart.
    pub title: String,
    /// Unit of the values; none where each line's name says its own.
    pub unit: String,
    /// Bars or lines, with the values.
    pub kind: Kind,
}

/// A name, and points (x above 0, y) from left to right.
pub type Line = (String, Vec<(f64, f64)>);

/// What is drawn. Where one value is more than a hundred times another one, the values' axis is logarithmic.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A bar for each name and value.
    Bars(Vec<(String, f64)>),
    /// Bars that lie, for names too long to stand below them: each name has one value for each of `series`.
    Lying { series: Vec<String>, bars: Vec<(String, Vec<f64>)> },
    /// Lines over a logarithmic x axis.
    Lines(Vec<Line>),
    /// The same where the upright axis always is logarithmic, too: what does not grow is level, what grows with x rises by as much. Values of 0 have no place.
    Slopes(Vec<Line>),
}

impl Chart {
    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        let values = self.values();
        let axis = match &self.kind {
            Kind::Slopes(_) => Axis::powers(&values),
            Kind::Lines(_) => Axis::of(&values),
            Kind::Bars(_) | Kind::Lying { .. } => Axis::of_bars(&values),
        };
        let (wide, high) = match &self.kind {
            Kind::Lying { series, bars } => (LYING.0 + LYING.1 + LYING.2, lying_bottom(series.len(), bars.len()) + BOTTOM),
            _ => (WIDTH, HEIGHT),
        };
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#777\">\n"
        );
        text(&mut out, LEFT, 20.0, "start", &self.heading(axis));
        match &self.kind {
            Kind::Bars(bars) => draw_bars(&mut out, bars, axis),
            Kind::Lying { series, bars } => draw_lying(&mut out, series, bars, axis),
            Kind::Lines(lines) | Kind::Slopes(lines) => draw_lines(&mut out, lines, axis),
        }
        out.push_str("</svg>\n");
        out
    }

    /// The title, and in brackets the unit and which axes are logarithmic.
    fn heading(&self, axis: Axis) -> String {
        let scale = match &self.kind {
            _ if !axis.is_logarithmic() => "",
            Kind::Lines(_) | Kind::Slopes(_) => "both axes logarithmic",
            Kind::Bars(_) | Kind::Lying { .. } => "logarithmic",
        };
        let words: Vec<&str> = [self.unit.as_str(), scale].into_iter().filter(|words| !words.is_empty()).collect();
        format!("{} ({})", self.title, words.join(", "))
    }

    fn values(&self) -> Vec<f64> {
        match &self.kind {
            Kind::Bars(bars) => bars.iter().map(|(_, value)| *value).collect(),
            Kind::Lying { bars, .. } => bars.iter().flat_map(|(_, values)| values.iter().copied()).collect(),
            Kind::Lines(lines) | Kind::Slopes(lines) => lines.iter().flat_map(|(_, points)| points.iter().map(|(_, y)| *y)).collect(),
        }
    }
}

/// How far up a value stands; none if it has no place.
fn height(axis: Axis, value: f64) -> Option<f64> {
    axis.share(value).map(|share| HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM))
}

/// The upright axis: a line across at each of its ticks, and the tick's value.
fn draw_axis(out: &mut String, axis: Axis) {
    for (value, y) in axis.ticks().into_iter().filter_map(|value| Some((value, height(axis, value)?))) {
        let _ = writeln!(out, "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#7774\"/>", WIDTH - RIGHT);
        text(out, LEFT - 6.0, y + 4.0, "end", &label(value));
    }
}

fn draw_bars(out: &mut String, bars: &[(String, f64)], axis: Axis) {
    draw_axis(out, axis);
    let slot = (WIDTH - LEFT - RIGHT) / (bars.len().max(1) as f64);
    for (place, (name, value)) in bars.iter().enumerate() {
        let (x, y) = (LEFT + slot * (place as f64 + 0.2), height(axis, *value).unwrap_or(HEIGHT - BOTTOM));
        let (wide, high) = (slot * 0.6, HEIGHT - BOTTOM - y);
        let _ = writeln!(out, "<path d=\"M{x:.1} {y:.1}h{wide:.1}v{high:.1}h-{wide:.1}z\" fill=\"{}\"/>", colour(0));
        text(out, x + wide / 2.0, y - 4.0, "middle", &number(*value));
        text(out, x + wide / 2.0, HEIGHT - BOTTOM + 16.0, "middle", name);
    }
}

/// Where the last of so many bars that lie ends.
fn lying_bottom(series: usize, bars: usize) -> f64 {
    TOP + TEXT + (THICK.0 * series as f64 + THICK.1) * bars as f64
}

fn draw_lying(out: &mut String, series: &[String], bars: &[(String, Vec<f64>)], axis: Axis) {
    let (left, long, _) = LYING;
    for (place, name) in series.iter().enumerate() {
        named(out, (left + long / 2.0 * place as f64, TOP), place, name);
    }
    let bottom = lying_bottom(series.len(), bars.len());
    for (value, x) in axis.ticks().into_iter().filter_map(|value| Some((value, left + axis.share(value)? * long))) {
        let _ = writeln!(out, "<path d=\"M{x:.1} {:.1}V{bottom:.1}\" stroke=\"#7774\"/>", TOP + TEXT);
        text(out, x, bottom + 16.0, "middle", &label(value));
    }
    let step = THICK.0 * series.len() as f64 + THICK.1;
    for (row, (name, values)) in bars.iter().enumerate() {
        let top = TOP + TEXT + THICK.1 / 2.0 + step * row as f64;
        text(out, left - 6.0, top + (step - THICK.1) / 2.0 + 4.0, "end", name);
        for (place, value) in values.iter().enumerate() {
            let (y, wide, high) = (top + THICK.0 * place as f64, axis.share(*value).unwrap_or(0.0) * long, THICK.0);
            let _ = writeln!(out, "<path d=\"M{left:.1} {y:.1}h{wide:.1}v{high:.1}h-{wide:.1}z\" fill=\"{}\"/>", colour(place));
            text(out, left + wide + 4.0, y + 10.0, "start", &number(*value));
        }
    }
}

fn draw_lines(out: &mut String, lines: &[Line], axis: Axis) {
    draw_axis(out, axis);
    let mut marks: Vec<f64> = lines.iter().flat_map(|(_, points)| points.iter().map(|(x, _)| *x)).filter(|x| *x > 0.0).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    let (Some(low), Some(high)) = (marks.first().copied(), marks.last().copied()) else { return };
    let span = (high / low).log10();
    let across = |x: f64| if span > 0.0 { LEFT + (x / low).log10() / span * (WIDTH - LEFT - RIGHT) } else { LEFT };
    for x in &marks {
        text(out, across(*x), HEIGHT - BOTTOM + 16.0, "middle", &label(*x));
    }
    let mut ends: Vec<(f64, f64, usize)> = Vec::new();
    for (place, (_, points)) in lines.iter().enumerate() {
        let seen = points.iter().filter(|(x, _)| *x > 0.0).filter_map(|(x, y)| Some((across(*x), height(axis, *y)?)));
        let (mut path, mut end) = (String::new(), None);
        for (x, y) in seen {
            let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { "M" } else { "L" });
            end = Some((x, y, place));
        }
        let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>", colour(place));
        ends.extend(end);
    }
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    for ((x, _, place), y) in ends.iter().zip(apart(ends.iter().map(|(_, y, _)| *y))) {
        named(out, (x + 6.0, y + 4.0), *place, lines.get(*place).map_or("", |(name, _)| name.as_str()));
    }
}

/// Places for the names of lines that end at these heights, from the top: no two of them in each other, none below the axis.
fn apart(ends: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut places: Vec<f64> = Vec::new();
    for end in ends {
        let below = places.last().map_or(end, |above| above + TEXT);
        places.push(end.max(below));
    }
    let mut lowest = HEIGHT - BOTTOM;
    for place in places.iter_mut().rev() {
        *place = lowest.min(*place);
        lowest = *place - TEXT;
    }
    places
}

/// A name in the colour of what it names.
fn named(out: &mut String, (x, y): (f64, f64), place: usize, words: &str) {
    let _ = write!(out, "<g fill=\"{}\">", colour(place));
    text(out, x, y, "start", words);
    out.push_str("</g>\n");
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(kind: Kind) -> String {
        Chart { title: "a < b & c".into(), unit: "ms".into(), kind }.svg()
    }

    #[test]
    fn bars_stand_in_proportion_and_words_are_escaped() {
        let svg = chart(Kind::Bars(vec![("ours".into(), 2.0), ("theirs".into(), 4.0)]));
        assert!(svg.contains(">a &lt; b &amp; c (ms)</text>"), "{svg}");
        // The plot is 240 high: 4 of 4 fills it, 2 of 4 half of it.
        assert!(svg.contains("v120.0h-") && svg.contains("v240.0h-"), "{svg}");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_line_over_powers_of_ten_has_even_steps() {
        let points = vec![(1e5, 1.0), (1e6, 1.0), (1e7, 2.0)];
        let svg = chart(Kind::Lines(vec![("weir".into(), points)]));
        assert!(svg.contains("M70.0 160.0L295.0 160.0L520.0 40.0"), "{svg}");
        for label in [">100 k<", ">1 M<", ">10 M<", ">weir<", "(ms)<"] {
            assert!(svg.contains(label), "{label} not in {svg}");
        }
    }

    #[test]
    fn what_grows_alike_rises_alike_on_two_logarithmic_axes() {
        let lines = vec![
            ("a".into(), vec![(1.0, 1.0), (10.0, 10.0), (100.0, 100.0)]),
            ("b".into(), vec![(1.0, 0.0), (10.0, 10.0), (100.0, 100.0)]),
        ];
        let svg = chart(Kind::Slopes(lines));
        assert!(svg.contains("M70.0 280.0L295.0 160.0L520.0 40.0") && svg.contains("M295.0 160.0L520.0 40.0"), "{svg}");
        assert!(svg.contains("y=\"44.0\" text-anchor=\"start\">a<") && svg.contains("y=\"57.0\" text-anchor=\"start\">b<"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_is_still_a_document() {
        for kind in [
            Kind::Bars(vec![]),
            Kind::Bars(vec![("a".into(), 0.0)]),
            Kind::Lying { series: vec![], bars: vec![] },
            Kind::Lines(vec![]),
            Kind::Slopes(vec![]),
            Kind::Slopes(vec![("a".into(), vec![(5.0, 0.0)])]),
            Kind::Lines(vec![("a".into(), vec![])]),
            Kind::Lines(vec![("a".into(), vec![(5.0, 0.0)])]),
        ] {
            let svg = chart(kind);
            assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn what_is_a_hundred_times_as_large_stands_on_a_logarithmic_axis() {
        let line = |name: &str, y: f64| (name.to_owned(), vec![(1e5, y), (1e7, y)]);
        let svg = chart(Kind::Lines(vec![line("ours", 0.1), line("theirs", 1e3)]));
        assert!(svg.contains("(ms, both axes logarithmic)<"), "{svg}");
        // Four powers of ten over 240: each is 60 high.
        assert!(svg.contains("M70.0 280.0L520.0 280.0") && svg.contains("M70.0 40.0L520.0 40.0"), "{svg}");
        for (value, y) in [("0.1", 284), ("1", 224), ("10", 164), ("100", 104), ("1000", 44)] {
            assert!(svg.contains(&format!("y=\"{y}.0\" text-anchor=\"end\">{value}<")), "{value} not at {y} in {svg}");
        }
        // The least bar is seen: from 0.1 up to 1, a quarter of the axis.
        let svg = chart(Kind::Bars(vec![("ours".into(), 1.0), ("theirs".into(), 1e3), ("nobody's".into(), 10.0)]));
        assert!(
            svg.contains("(ms, logarithmic)<") && svg.contains("v60.0h-") && svg.contains("v240.0h-") && svg.contains("v120.0h-"),
            "{svg}"
        );
    }

    #[test]
    fn names_of_lines_keep_apart_and_stay_beside_the_chart() {
        assert_eq!(apart([40.0, 40.0, 60.0, 200.0].into_iter()), [40.0, 53.0, 66.0, 200.0]);
        assert_eq!(apart([200.0, 279.0, 280.0].into_iter()), [200.0, 267.0, 280.0]);
    }

    #[test]
    fn bars_that_lie_stand_in_proportion_beside_their_names() {
        let bars = vec![("one way".into(), vec![2.0, 4.0]), ("another".into(), vec![1.0, 3.0])];
        let svg = chart(Kind::Lying { series: vec!["without".into(), "with".into()], bars });
        for part in [">one way<", ">another<", ">without<", ">with<", "h300.0v12.0", "h150.0v12.0", "h75.0v12.0", "h225.0v12.0"] {
            assert!(svg.contains(part), "{part} not in {svg}");
        }
        assert!(svg.contains("viewBox=\"0 0 750 157\""), "{svg}");
    }
}
