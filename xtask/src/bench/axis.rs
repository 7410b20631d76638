//! The axis of a chart along which values stand: from 0, or over powers of ten where the least value would lie on the axis.

use super::figures::number;

/// Steps of an axis from 0.
const STEPS: u32 = 4;
/// So many times the least value is the greatest at most on an axis from 0: two powers of ten.
const SPAN_MAX: f64 = 100.0;
/// Powers of ten between two ends at most that are all named.
const POWERS_MAX: usize = 8;
/// Up to so many powers of ten, 2 and 5 stand between them.
const POWERS_FEW: usize = 2;

/// From one end of an axis to the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Axis {
    /// From 0.
    Linear(f64),
    /// From one power of ten to another.
    Powers(i32, i32),
}

impl Axis {
    /// From 0 where all values are to be seen then, else over powers of ten. What has a value of 0 stays from 0.
    pub fn of(values: &[f64]) -> Axis {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        if low > 0.0 && high.is_finite() && high / low > SPAN_MAX { Axis::powers(values) } else { Axis::Linear(round_up(high)) }
    }

    /// The same for bars: over powers of ten the least of them is to be seen, too.
    pub fn of_bars(values: &[f64]) -> Axis {
        match Axis::of(values) {
            Axis::Powers(..) => Axis::powers(&values.iter().flat_map(|value| [value / 2.0, *value]).collect::<Vec<f64>>()),
            from_zero => from_zero,
        }
    }

    /// Over powers of ten, whatever the values; those of 0 have no place.
    pub fn powers(values: &[f64]) -> Axis {
        let exponents: Vec<f64> = values.iter().copied().filter(|v| *v > 0.0 && v.is_finite()).map(f64::log10).collect();
        let low = exponents.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let high = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
        if exponents.is_empty() { Axis::Powers(0, 1) } else { Axis::Powers(low as i32, (high as i32).max(low as i32 + 1)) }
    }

    /// True over powers of ten.
    pub fn is_logarithmic(self) -> bool {
        matches!(self, Axis::Powers(..))
    }

    /// The values that are named, from one end to the other.
    pub fn ticks(self) -> Vec<f64> {
        match self {
            Axis::Linear(top) => (0..=STEPS).map(|step| top * f64::from(step) / f64::from(STEPS)).collect(),
            Axis::Powers(low, high) => {
                let powers = usize::try_from(high - low).unwrap_or(1);
                let steps: &[f64] = if powers <= POWERS_FEW { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let (every, top) = (powers.div_ceil(POWERS_MAX).max(1), 10f64.powi(high));
                let of = |power: i32| steps.iter().map(move |step| step * 10f64.powi(power));
                (low..=high).step_by(every).flat_map(of).filter(|tick| *tick <= top).collect()
            }
        }
    }

    /// How far along the axis a value stands, from 0 to 1; none if it has no place.
    pub fn share(self, value: f64) -> Option<f64> {
        let share = match self {
            Axis::Linear(top) => value / top,
            Axis::Powers(..) if value <= 0.0 => return None,
            Axis::Powers(low, high) => (value.log10() - f64::from(low)) / f64::from(high - low),
        };
        Some(share.clamp(0.0, 1.0))
    }
}

/// The next 1, 2, 4 or 8 times a power of ten: the steps of the axis are then round.
fn round_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 8.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= value).unwrap_or(value)
}

/// What stands at a tick: three digits at most, 10000000 as `10 M`, 0.5 as `0.5`.
pub fn label(value: f64) -> String {
    let (value, unit) = match value {
        v if v >= 1e9 => (v / 1e9, " G"),
        v if v >= 1e6 => (v / 1e6, " M"),
        v if v >= 1e4 => (v / 1e3, " k"),
        v => (v, ""),
    };
    let digits = number(value);
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits.as_str() };
    format!("{digits}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis) -> Vec<String> {
        axis.ticks().into_iter().map(label).collect()
    }

    #[test]
    fn an_axis_is_logarithmic_where_the_least_value_would_lie_on_it() {
        let cases: [(&[f64], Axis); 6] = [
            (&[], Axis::Linear(1.0)),
            (&[0.0], Axis::Linear(1.0)),
            (&[3.0, 300.0], Axis::Linear(400.0)),
            (&[0.147, 1412.0], Axis::Powers(-1, 4)),
            // A value of 0 has no place on a logarithmic axis.
            (&[0.0, 1.0, 1000.0], Axis::Linear(1000.0)),
            (&[1.0, 1000.0], Axis::Powers(0, 3)),
        ];
        for (values, axis) in cases {
            assert_eq!(Axis::of(values), axis, "{values:?}");
        }
        // The least bar begins below its own height.
        assert_eq!(Axis::of_bars(&[1.0, 1000.0]), Axis::Powers(-1, 3));
        assert_eq!(Axis::of_bars(&[5.0, 1000.0]), Axis::Powers(0, 3));
        assert_eq!(Axis::of_bars(&[1.0, 2.0]), Axis::Linear(2.0));
        assert_eq!(Axis::powers(&[5.0, 0.0]), Axis::Powers(0, 1));
        assert_eq!(Axis::powers(&[0.0]), Axis::Powers(0, 1));
    }

    #[test]
    fn ticks_are_round_and_neither_few_nor_many() {
        assert_eq!(labels(Axis::Linear(1.0)), ["0", "0.25", "0.5", "0.75", "1"]);
        assert_eq!(labels(Axis::Linear(2e6)), ["0", "500 k", "1 M", "1.5 M", "2 M"]);
        assert_eq!(labels(Axis::Powers(0, 1)), ["1", "2", "5", "10"]);
        assert_eq!(labels(Axis::Powers(-1, 1)), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(labels(Axis::Powers(-1, 4)), ["0.1", "1", "10", "100", "1000", "10 k"]);
        assert_eq!(labels(Axis::Powers(-3, 7)), ["0.001", "0.1", "10", "1000", "100 k", "10 M"]);
        for (low, high) in [(-2, -1), (-9, 9), (0, 8), (3, 12)] {
            let ticks = Axis::Powers(low, high).ticks();
            assert!((4..=10).contains(&ticks.len()) && ticks.is_sorted(), "{low} {high}: {ticks:?}");
        }
    }

    #[test]
    fn ticks_stand_where_their_powers_are() {
        let places = |axis: Axis, values: &[f64]| values.iter().map(|value| axis.share(*value)).collect::<Vec<_>>();
        assert_eq!(places(Axis::Linear(8.0), &[0.0, 2.0, 8.0, 9.0]), [Some(0.0), Some(0.25), Some(1.0), Some(1.0)]);
        let axis = Axis::Powers(-1, 3);
        for (step, tick) in axis.ticks().into_iter().enumerate() {
            let place = axis.share(tick).unwrap();
            assert!((place - step as f64 / 4.0).abs() < 1e-9, "{tick} stands at {place}");
        }
        assert_eq!(places(axis, &[0.0, -1.0, 0.01, 1e9]), [None, None, Some(0.0), Some(1.0)]);
    }

    #[test]
    fn the_axis_ends_at_a_round_number() {
        for (value, top) in [(0.0, 1.0), (0.3, 0.4), (1.0, 1.0), (9.0, 10.0), (4100.0, 8000.0)] {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}");
        }
    }
}
