//! Limits of this crate, each with its unit.

/// Longest reason a health state or a drill keeps, in bytes. Longer ones are cut.
pub const WHY_BYTES: usize = 1_024;

/// Longest name of a measure, in bytes.
pub const NAME_BYTES: usize = 32;

/// Most steps a drill result keeps.
pub const DRILL_STEPS: usize = 64;
