//! Runs over many seeds.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// How many random runs one of `parts` tests makes. `WEIR_RUNS` sets the total of them all (1,000 when it is not set).
pub fn runs(parts: u64) -> u64 {
    let total = std::env::var("WEIR_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000u64);
    total.div_ceil(parts.max(1))
}

/// Calls `body` with `count` different seeds. When one panics, the seed is printed and the panic goes on; `WEIR_SEED` runs that one seed
/// alone.
pub fn each_seed(name: &str, count: u64, mut body: impl FnMut(u64)) {
    let only = std::env::var("WEIR_SEED").ok().and_then(|text| text.parse().ok());
    let first = name.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))) << 24;
    let seeds = match only {
        Some(seed) => seed..seed + 1,
        None => first..first + count,
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(seed))) {
            eprintln!("{name}: failed with WEIR_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_different_and_a_panic_goes_on() {
        let mut seen = std::collections::BTreeSet::new();
        each_seed("a", 5, |seed| assert!(seen.insert(seed)));
        assert_eq!(seen.len(), 5);
        assert!(catch_unwind(|| each_seed("b", 1, |_| panic!("as meant"))).is_err());
    }
}
