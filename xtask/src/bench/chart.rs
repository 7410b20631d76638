//! Small charts as SVG, without a library: bars, or lines over a logarithmic axis (stored amounts span powers of ten).

use std::fmt::Write as _;

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
/// Steps of the upright axis.
const TICKS: u32 = 4;
/// Readable on white and on black, and told apart without seeing colour by the names beside them.
const COLOURS: &[&str] = &["#2a78b8", "#c9601a", "#3d8f4f", "#8a5ab5", "#b03a5b", "#7a7a2e"];

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Above the chart.
    pub title: String,
    /// Unit of the upright axis.
    pub unit: String,
    /// Bars or lines, with the values.
    pub kind: Kind,
}

/// What is drawn.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A bar for each name and value.
    Bars(Vec<(String, f64)>),
    /// Named lines through points (x above 0, y); the x axis is logarithmic.
    Lines(Vec<(String, Vec<(f64, f64)>)>),
    /// The same where the upright axis is logarithmic, too: what does not grow is level, what grows with x rises by as much. Values of 0 have no place.
    Slopes(Vec<(String, Vec<(f64, f64)>)>),
}

/// From the bottom to the top of the upright axis.
#[derive(Clone, Copy, Debug)]
enum Axis {
    /// From 0.
    Linear(f64),
    /// From one power of ten to another.
    Powers(i32, i32),
}

impl Axis {
    fn powers(values: impl Iterator<Item = f64>) -> Axis {
        let exponents: Vec<f64> = values.filter(|v| *v > 0.0 && v.is_finite()).map(f64::log10).collect();
        let low = exponents.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let high = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
        if exponents.is_empty() { Axis::Powers(0, 1) } else { Axis::Powers(low as i32, (high as i32).max(low as i32 + 1)) }
    }

    fn ticks(self) -> Vec<f64> {
        match self {
            Axis::Linear(top) => (0..=TICKS).map(|tick| top * f64::from(tick) / f64::from(TICKS)).collect(),
            Axis::Powers(low, high) => (low..=high).map(|power| 10f64.powi(power)).collect(),
        }
    }

    /// How far up a value stands; none if it has no place.
    fn height(self, value: f64) -> Option<f64> {
        let share = match self {
            Axis::Linear(top) => value / top,
            Axis::Powers(..) if value <= 0.0 => return None,
            Axis::Powers(low, high) => (value.log10() - f64::from(low)) / f64::from(high - low),
        };
        Some(HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM))
    }
}

impl Chart {
    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#777\">\n"
        );
        text(&mut out, LEFT, 20.0, "start", &format!("{} ({})", self.title, self.unit));
        let axis = match &self.kind {
            Kind::Slopes(_) => Axis::powers(self.values()),
            _ => Axis::Linear(round_up(self.values().fold(0.0, f64::max))),
        };
        for (value, y) in axis.ticks().into_iter().filter_map(|value| Some((value, axis.height(value)?))) {
            let _ = writeln!(out, "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#7774\"/>", WIDTH - RIGHT);
            text(&mut out, LEFT - 6.0, y + 4.0, "end", &if value >= 1e4 { short(value) } else { number(value) });
        }
        match &self.kind {
            Kind::Bars(bars) => draw_bars(&mut out, bars, axis),
            Kind::Lines(lines) | Kind::Slopes(lines) => draw_lines(&mut out, lines, axis),
        }
        out.push_str("</svg>\n");
        out
    }

    fn values(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        match &self.kind {
            Kind::Bars(bars) => Box::new(bars.iter().map(|(_, value)| *value)),
            Kind::Lines(lines) | Kind::Slopes(lines) => Box::new(lines.iter().flat_map(|(_, points)| points.iter().map(|(_, y)| *y))),
        }
    }
}

fn draw_bars(out: &mut String, bars: &[(String, f64)], axis: Axis) {
    let slot = (WIDTH - LEFT - RIGHT) / (bars.len().max(1) as f64);
    for (place, (name, value)) in bars.iter().enumerate() {
        let (x, y) = (LEFT + slot * (place as f64 + 0.2), axis.height(*value).unwrap_or(HEIGHT - BOTTOM));
        let (wide, high) = (slot * 0.6, HEIGHT - BOTTOM - y);
        let _ = writeln!(out, "<path d=\"M{x:.1} {y:.1}h{wide:.1}v{high:.1}h-{wide:.1}z\" fill=\"{}\"/>", colour(0));
        text(out, x + wide / 2.0, y - 4.0, "middle", &number(*value));
        text(out, x + wide / 2.0, HEIGHT - BOTTOM + 16.0, "middle", name);
    }
}

fn draw_lines(out: &mut String, lines: &[(String, Vec<(f64, f64)>)], axis: Axis) {
    let mut marks: Vec<f64> = lines.iter().flat_map(|(_, points)| points.iter().map(|(x, _)| *x)).filter(|x| *x > 0.0).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    let (Some(low), Some(high)) = (marks.first().copied(), marks.last().copied()) else { return };
    let span = (high / low).log10();
    let across = |x: f64| if span > 0.0 { LEFT + (x / low).log10() / span * (WIDTH - LEFT - RIGHT) } else { LEFT };
    for x in &marks {
        text(out, across(*x), HEIGHT - BOTTOM + 16.0, "middle", &short(*x));
    }
    let mut named: Vec<f64> = Vec::new();
    for (place, (name, points)) in lines.iter().enumerate() {
        let mut path = String::new();
        for (x, y) in points.iter().filter(|(x, _)| *x > 0.0).filter_map(|(x, y)| Some((x, axis.height(*y)?))) {
            let _ = write!(path, "{}{:.1} {y:.1}", if path.is_empty() { "M" } else { "L" }, across(*x));
        }
        let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>", colour(place));
        if let Some((x, y)) = points.last().and_then(|(x, y)| Some((x, axis.height(*y)?))) {
            // Names of lines that end beside each other stand one below the other.
            let y = named.iter().fold(y, |y, other: &f64| if (y - other).abs() < 13.0 { other + 13.0 } else { y });
            named.push(y);
            text(out, across(*x) + 6.0, y + 4.0, "start", name);
        }
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

/// The next 1, 2, 4 or 8 times a power of ten: the steps of the axis are then round.
fn round_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 8.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= value).unwrap_or(value)
}

/// 10000000 as `10 M`.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{} G", number(v / 1e9)),
        v if v >= 1e6 => format!("{} M", number(v / 1e6)),
        v if v >= 1e3 => format!("{} k", number(v / 1e3)),
        v => number(v),
    }
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
        for label in [">100 k<", ">1.00 M<", ">10.0 M<", ">weir<"] {
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
    fn the_axis_ends_at_a_round_number() {
        for (value, top) in [(0.0, 1.0), (0.3, 0.4), (1.0, 1.0), (9.0, 10.0), (4100.0, 8000.0)] {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}");
        }
    }
}
