//! How much memory the program must be allowed: its bound (`crates/store/src/engine/room.rs`) read the other way round, from what fills a seal cycle to the
//! setting that has room for it. What comes never makes it hold more; units become shorter instead, and a mapping that crosses from one into the next takes
//! twice the disk. So the figures of disk and processor are true where units may be as long as they were when those were measured.

use weir_sources::radius::limits::SESSIONS_MAX;
use weir_store::limits::{
    CYCLE_BESIDE_BYTES, CYCLE_BYTES, CYCLE_PART, ENDED_SESSION_BYTES, ENDED_SESSIONS, OPEN_MAPPING_BYTES, QUEUE_BYTES, QUEUE_BYTES_MIN,
    SESSION_BYTES,
};

use super::figures::RADIUS_SESSION_BYTES;
use crate::limits::{MEMORY_AUTO_MAX, MEMORY_BYTES_MIN, PROGRAM_BYTES, SEAL_EVERY_MS};

/// A mebibyte: settings are whole ones.
const MIB: f64 = 1_048_576.0;
/// Bytes of a NAT event that waits to be sealed: decision 0016.
const NAT_EVENT_BYTES: f64 = 20.0;
/// Bytes of a log line of 120 bytes that waits, about: as it is shown, as it came, and its other columns. Reckoned, not measured.
const LINE_HELD_BYTES: f64 = 512.0;
/// Bytes of a message of RADIUS accounting that waits, about: its 34 columns, and 512 for its places in the lists. Reckoned, not measured.
const MESSAGE_HELD_BYTES: f64 = 1_024.0;
/// Part of a cycle that is full when it is sealed, so that nobody waits for the sealer to begin.
const DUE: f64 = 0.875;
/// The queue before the writer is a sixteenth of the store's share: so many parts are left beside it.
const BESIDE_QUEUE: f64 = 15.0;
/// Seconds that a mapping of one session is open on average, as the simulator's are: lognormal, median 8 s, sigma 1.6.
const OPEN_S: f64 = 29.0;

/// What comes in the busiest second, and what is open then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// NAT events a second.
    pub nat: f64,
    /// Mappings that are open.
    pub mappings: f64,
    /// Messages of RADIUS accounting a second.
    pub radius: f64,
    /// Log lines a second.
    pub lines: f64,
    /// Subscribers whose sessions are open, as RADIUS accounting tells them.
    pub online: f64,
    /// Sessions that ended on this day.
    pub ended: f64,
}

/// Mappings that are open where so many events of sessions come a second, half of which are beginnings.
pub fn open_mappings(events: f64) -> f64 {
    events / 2.0 * OPEN_S
}

/// What the program must be allowed (`store.memory_bytes`) so that its units last a minute, or as long as with the most that it takes by itself, bytes.
pub fn setting(load: &Load) -> f64 {
    let mappings = load.mappings * OPEN_MAPPING_BYTES as f64;
    let flowing = with_queue(cycle(load) * CYCLE_PART as f64 + mappings + CYCLE_BESIDE_BYTES as f64);
    // Nothing was measured with more than the program takes by itself.
    let flowing = flowing.min(share(MEMORY_AUTO_MAX as f64));
    let all = (flowing + sessions(load)) / 2.0 * 3.0 + PROGRAM_BYTES as f64;
    (all.max(MEMORY_BYTES_MIN as f64) / MIB).ceil() * MIB
}

/// The store's share of what the program may hold; the rest is for the program itself and for statements of SQL.
fn share(setting: f64) -> f64 {
    (setting - PROGRAM_BYTES as f64) / 3.0 * 2.0
}

/// So many bytes, and the queue of a share that has room for both.
fn with_queue(bytes: f64) -> f64 {
    bytes + (bytes / BESIDE_QUEUE).clamp(QUEUE_BYTES_MIN as f64, QUEUE_BYTES as f64)
}

/// Bytes of a seal cycle in which all that comes in a minute has room. NAT events, lines and messages are sealed together, sooner where lines and messages
/// alone reach their own bound.
fn cycle(load: &Load) -> f64 {
    let others = load.lines * LINE_HELD_BYTES + load.radius * MESSAGE_HELD_BYTES;
    let minute = SEAL_EVERY_MS as f64 / 1e3;
    // Where there are no others their bound is reached after infinitely many seconds.
    let seconds = minute.min(CYCLE_BYTES as f64 * DUE / others);
    seconds * (load.nat * NAT_EVENT_BYTES + others) / DUE
}

/// Bytes of the sessions that the RADIUS source follows and remembers, and of those in the index. The source remembers an ended one for six hours, the index
/// for seven; at three times the average that is three quarters of a day's and more, so all of a day's are counted.
fn sessions(load: &Load) -> f64 {
    let followed = (load.online + load.ended).min(SESSIONS_MAX as f64);
    let ended = load.ended.min(ENDED_SESSIONS as f64);
    followed * RADIUS_SESSION_BYTES + load.online * SESSION_BYTES as f64 + ended * ENDED_SESSION_BYTES as f64
}
