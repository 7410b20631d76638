//! A small seeded generator: xoshiro256++ seeded through splitmix64. The same seed gives the same network on every machine.

/// A pseudo-random generator. Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    s: [u64; 4],
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// A generator for one purpose: the same seed with another `stream` gives an independent sequence, so that faults can be switched on
    /// without changing the network they fall on.
    pub fn new(seed: u64, stream: u64) -> Rng {
        let mut state = seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95).rotate_left(17);
        Rng { s: [splitmix(&mut state), splitmix(&mut state), splitmix(&mut state), splitmix(&mut state)] }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.s;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// A number below `n` (0 when `n` is 0).
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from((self.bits() >> 32) as u32) * u64::from(n)) >> 32) as u32
    }

    /// An integer from `low` to `high`, both included; `low` when they are the wrong way round.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let width = high.wrapping_sub(low) as u64;
        let step = if width == u64::MAX { self.bits() } else { self.bits() % (width + 1) };
        low.wrapping_add(step as i64)
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        p > 0.0 && self.unit() < p
    }

    /// A lognormal number with the given median and sigma (of the logarithm).
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let u = (1.0 - self.unit()).max(f64::MIN_POSITIVE);
        let v = self.unit();
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        median * (sigma * normal).exp()
    }

    /// An exponential number with the given mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).max(f64::MIN_POSITIVE).ln()
    }

    /// An index below `n` with cubic skew: few indices get most of the draws.
    pub fn cubic(&mut self, n: u32) -> u32 {
        let u = self.unit();
        ((u * u * u * f64::from(n)) as u32).min(n.saturating_sub(1))
    }

    /// An index below `n`, Zipf-like with exponent one (log-uniform).
    pub fn zipf(&mut self, n: u32) -> u32 {
        (f64::from(n).powf(self.unit()) as u32).saturating_sub(1).min(n.saturating_sub(1))
    }

    /// Puts a slice in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below((i + 1) as u32) as usize;
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xoshiro_matches_its_reference() {
        // First outputs of xoshiro256++ from the state {1, 2, 3, 4}, as its authors publish them.
        let mut rng = Rng { s: [1, 2, 3, 4] };
        let got: Vec<u64> = (0..4).map(|_| rng.bits()).collect();
        assert_eq!(got, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn draws_have_the_shape_they_promise() {
        let mut rng = Rng::new(7, 0);
        let n = 200_000;
        let mut logs: Vec<f64> = (0..n).map(|_| rng.lognormal(8_000.0, 1.6)).collect();
        logs.sort_by(f64::total_cmp);
        let (median, upper) = (logs[n / 2], logs[n * 8413 / 10_000]);
        assert!((median / 8_000.0 - 1.0).abs() < 0.03, "median {median}");
        assert!(((upper / median).ln() - 1.6).abs() < 0.05, "one sigma above the median {upper}");
        let low = (0..n).filter(|_| rng.cubic(1_000) < 125).count();
        assert!((low as f64 / n as f64 - 0.5).abs() < 0.01, "an eighth of the subscribers make half of the traffic: {low}");
        let head = (0..n).filter(|_| rng.zipf(10_000) < 99).count();
        assert!((head as f64 / n as f64 - 0.5).abs() < 0.01, "{head}");
        assert!((0..1_000).all(|_| (-3..=3).contains(&rng.between(-3, 3))));
        assert_eq!(rng.between(5, 1), 5);
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn streams_differ_and_seeds_repeat() {
        let draw = |seed, stream| (0..8).scan(Rng::new(seed, stream), |r, _| Some(r.bits())).collect::<Vec<_>>();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }
}
