//! From a unit's size to what it needs. Plain arithmetic over measured figures: each step is a line that an engineer can redo by hand.

use serde::Serialize;

use super::figures::{self, nat_at};
use super::memory::{self, Load};
use crate::cli::{LogArg, SizeArgs};

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;
/// Events of a mapping: it begins, it ends.
const ENDS: f64 = 2.0;
/// Messages of a login: start and stop; interims come besides.
const LOGIN_MESSAGES: f64 = 2.0;
/// Minutes of a day.
const DAY_MINUTES: f64 = 1_440.0;
/// What a connection takes as a line of text, bytes: the estimate of RFC 7422, section 1.
const TEXT_BYTES: f64 = 150.0;
/// Part of the disk that stays free: repacking writes before it takes away, and a full disk stops everything.
const FREE: f64 = 0.25;
/// A machine's memory for each byte that the program may hold: where nobody says otherwise it takes half.
const MACHINE: f64 = 2.0;
/// Part of a core's time that is planned for: the rest is for questions, verification and what nobody foresaw.
const BUSY_CORE: f64 = 0.5;
/// The write-ahead log as it is bounded by default (`store.wal_bytes`), bytes.
pub const WAL_BYTES: f64 = 8_589_934_592.0;

/// What comes, as it is named.
const SESSIONS: &str = "NAT session events";
const BLOCKS: &str = "port block events";
const RADIUS: &str = "RADIUS accounting messages";
const LINES: &str = "log lines";

/// One sort of record.
#[derive(Clone, Debug, Serialize)]
pub struct Flow {
    /// What comes.
    pub what: &'static str,
    /// Of it on a day.
    pub a_day: f64,
    /// Of it in a second, over the day.
    pub a_second: f64,
    /// Of it in a second when it is busiest.
    pub busiest: f64,
    /// Bytes on disk of each.
    pub bytes_each: f64,
    /// Bytes on disk of a day.
    pub bytes_a_day: f64,
    /// Cores at the busiest, whole work from the socket to the index.
    pub cores: f64,
}

/// What a unit needs.
#[derive(Clone, Debug, Serialize)]
pub struct Need {
    /// Days that are kept.
    pub days: u64,
    /// What comes in.
    pub flows: Vec<Flow>,
    /// Bytes of records when the first days are destroyed and as many come.
    pub records_bytes: f64,
    /// Bytes of disk to buy: records, write-ahead log, and what stays free.
    pub disk_bytes: f64,
    /// Cores to buy.
    pub cores: u64,
    /// Bytes the program must be allowed to hold: `store.memory_bytes`.
    pub store_memory_bytes: f64,
    /// Bytes of memory to buy.
    pub memory_bytes: f64,
    /// What the same connections take as lines of text of 150 bytes (RFC 7422, section 1), bytes; none where no session is logged.
    pub text_bytes: Option<f64>,
    /// The busiest second is beyond what was measured: another machine, or several.
    pub beyond: bool,
}

fn flow(what: &'static str, a_day: f64, busy: f64, bytes_each: f64, us: f64) -> Flow {
    let a_second = a_day / DAY_S;
    let busiest = a_second * busy;
    Flow { what, a_day, a_second, busiest, bytes_each, bytes_a_day: a_day * bytes_each, cores: busiest * us / 1e6 }
}

/// What this unit needs.
pub fn need(args: &SizeArgs) -> Need {
    let subscribers = args.subscribers as f64;
    let mut flows = Vec::new();
    let mappings = match args.log {
        LogArg::Sessions => Some((SESSIONS, args.connections)),
        LogArg::Blocks => Some((BLOCKS, args.blocks)),
        LogArg::Deterministic | LogArg::None => None,
    };
    if let Some((what, each)) = mappings {
        let a_day = subscribers * each as f64 * ENDS;
        // By the rate over the day: repacking evens the minutes out. The processor is held against the busiest minutes.
        let (usual, busiest) = (nat_at(a_day / DAY_S), nat_at(a_day / DAY_S * args.busy));
        let kept = args.remotes && args.log == LogArg::Sessions;
        let (bytes, us) = if kept { (figures::REMOTE_BYTES, figures::REMOTE_US) } else { (0.0, 0.0) };
        flows.push(flow(what, a_day, args.busy, usual.bytes + bytes, busiest.us + us));
    }
    let interims = if args.interim == 0 { 0.0 } else { DAY_MINUTES / args.interim as f64 };
    let messages = subscribers * (args.logins as f64 * LOGIN_MESSAGES + interims);
    flows.push(flow(RADIUS, messages, args.busy, figures::RADIUS_BYTES, figures::RADIUS_US));
    flows.push(flow(LINES, args.lines as f64, args.busy, figures::LINE_BYTES, figures::LINE_US));
    flows.retain(|f| f.a_day > 0.0);
    summed(args, flows)
}

/// What comes in the busiest second, and what is open then: everybody is online, and where blocks are logged has one.
fn busiest_load(args: &SizeArgs, flows: &[Flow]) -> Load {
    let busiest = |what: &str| flows.iter().find(|f| f.what == what).map_or(0.0, |f| f.busiest);
    let (sessions, blocks, radius) = (busiest(SESSIONS), busiest(BLOCKS), busiest(RADIUS));
    let subscribers = args.subscribers as f64;
    let all_where = |rate: f64| if rate > 0.0 { subscribers } else { 0.0 };
    Load {
        nat: sessions + blocks,
        mappings: memory::open_mappings(sessions) + all_where(blocks),
        radius,
        lines: busiest(LINES),
        online: all_where(radius),
        ended: subscribers * args.logins as f64,
    }
}

fn summed(args: &SizeArgs, flows: Vec<Flow>) -> Need {
    let sum = |of: fn(&Flow) -> f64| flows.iter().map(of).sum::<f64>();
    let records_bytes = sum(|f| f.bytes_a_day) * args.days as f64;
    let load = busiest_load(args, &flows);
    let fastest = figures::NAT.last().map_or(0.0, |n| n.rate);
    let store_memory_bytes = memory::setting(&load);
    Need {
        days: args.days,
        records_bytes,
        disk_bytes: (records_bytes + WAL_BYTES) / (1.0 - FREE),
        cores: (sum(|f| f.cores) / BUSY_CORE).ceil().max(1.0) as u64,
        store_memory_bytes,
        memory_bytes: store_memory_bytes * MACHINE,
        text_bytes: (args.log == LogArg::Sessions)
            .then_some(args.subscribers as f64 * args.connections as f64 * TEXT_BYTES * args.days as f64),
        beyond: load.nat > fastest,
        flows,
    }
}
