//! Passwords: argon2id (RFC 9106), with its parameters beside each hash.

/// What a password check costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for Cost {
    /// 19 MiB and two passes: an attacker pays for memory, and a sign-in stays a fraction of a second.
    fn default() -> Cost {
        Cost { memory: 19_456, passes: 2 }
    }
}
