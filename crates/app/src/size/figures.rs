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
}

/// Slowest first: section "NAT events over IPFIX". The first row is of section "As the rate grows", units and index alone: files of a fixed size weigh much
/// beside a minute of so few events, and nothing beside months of them.
pub const NAT: &[Nat] = &[
    Nat { rate: 10_000.0, us: 3.51, bytes: 5.8 },
    Nat { rate: 100_000.0, us: 0.763, bytes: 4.98 },
    Nat { rate: 300_000.0, us: 0.508, bytes: 4.24 },
    Nat { rate: 600_000.0, us: 0.457, bytes: 4.42 },
    Nat { rate: 1_000_000.0, us: 0.532, bytes: 4.8 },
];
/// Bytes an event that its remote end takes: section "Other records than one exporter's sessions", with remote ends kept less without.
pub const REMOTE_BYTES: f64 = 1.09;
/// Microseconds of processor of the same.
pub const REMOTE_US: f64 = 0.106;
/// A message of RADIUS accounting: section "RADIUS accounting".
pub const RADIUS_US: f64 = 21.3;
/// Bytes of the same on disk.
pub const RADIUS_BYTES: f64 = 158.0;
/// Bytes in memory of a session that the RADIUS source follows or remembers: what the program held with a million of them (section "RADIUS accounting") beyond
/// what it held with 200,000 (section "Memory that is bounded", 4,096 MB allowed), by the 800,000.
pub const RADIUS_SESSION_BYTES: f64 = 1_695.0;
/// A log line: section "Log lines over TCP".
pub const LINE_US: f64 = 2.89;
/// Bytes of the same on disk, with its words.
pub const LINE_BYTES: f64 = 30.0;

/// The row of this rate: below the slowest and above the fastest as those. Between two measured rates the work of a second is in proportion, not that of an
/// event: part of it is done whatever comes, and 50,000 events a second would take more than 100,000 otherwise.
pub fn nat_at(rate: f64) -> Nat {
    let (Some(first), Some(last)) = (NAT.first(), NAT.last()) else { return Nat { rate, us: 0.0, bytes: 0.0 } };
    let rate = rate.clamp(first.rate, last.rate);
    let Some([low, high]) = NAT.array_windows().find(|[_, high]| rate <= high.rate) else { return *last };
    let part = (rate - low.rate) / (high.rate - low.rate);
    let between = |of: fn(&Nat) -> f64| (low.rate * of(low) * (1.0 - part) + high.rate * of(high) * part) / rate;
    Nat { rate, us: between(|n| n.us), bytes: between(|n| n.bytes) }
}
