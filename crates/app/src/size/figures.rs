//! What Weir was measured to take: the figures of docs/performance.md, which a test holds them against.

/// NAT session events at one rate.
#[derive(Clone, Copy, Debug)]
pub struct Nat {
    /// Events a second.
    pub rate: f64,
    /// Microseconds of processor an event.
    pub us: f64,
    /// Bytes an event on disk, sealed and indexed, without the write-ahead log and the open tables.
    pub bytes: f64,
    /// The most memory the process held, bytes.
    pub memory: f64,
}

/// Section "NAT events over IPFIX", slowest first.
pub const NAT: &[Nat] = &[
    Nat { rate: 100_000.0, us: 0.911, bytes: 4.96, memory: 366e6 },
    Nat { rate: 300_000.0, us: 0.664, bytes: 4.21, memory: 1_055e6 },
    Nat { rate: 600_000.0, us: 0.627, bytes: 4.39, memory: 1_375e6 },
    Nat { rate: 1_000_000.0, us: 0.705, bytes: 4.78, memory: 1_841e6 },
];
/// Bytes an event that its remote end takes: section "Other records than one exporter's sessions", with remote ends kept less without.
pub const REMOTE_BYTES: f64 = 1.27;
/// A message of RADIUS accounting: section "RADIUS accounting".
pub const RADIUS_US: f64 = 26.3;
/// Bytes of the same on disk.
pub const RADIUS_BYTES: f64 = 174.0;
/// A log line: section "Log lines over TCP".
pub const LINE_US: f64 = 4.13;
/// Bytes of the same on disk, with its words.
pub const LINE_BYTES: f64 = 29.7;
/// What the process holds before anything has come: section "Starting with half a year of history".
pub const IDLE_MEMORY: f64 = 37.7e6;

/// The row of this rate: between two measured rates in proportion, below the slowest and above the fastest as those.
pub fn nat_at(rate: f64) -> Nat {
    let (Some(first), Some(last)) = (NAT.first(), NAT.last()) else { return Nat { rate, us: 0.0, bytes: 0.0, memory: 0.0 } };
    let rate = rate.clamp(first.rate, last.rate);
    let Some([low, high]) = NAT.array_windows().find(|[_, high]| rate <= high.rate) else { return *last };
    let part = (rate - low.rate) / (high.rate - low.rate);
    let between = |low: f64, high: f64| low + part * (high - low);
    Nat { rate, us: between(low.us, high.us), bytes: between(low.bytes, high.bytes), memory: between(low.memory, high.memory) }
}
