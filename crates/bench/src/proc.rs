//! Processor time and sockets, as the kernel tells them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::shared::Outcome;

/// Microseconds of a tick: `USER_HZ` is 100 on every machine this runs on.
const TICK_US: f64 = 10_000.0;

/// Microseconds of processor time of a process so far, by the name of the thread.
pub fn by_thread(pid: u32) -> Outcome<BTreeMap<String, f64>> {
    let mut times = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and the reading.
        let Ok(stat) = fs::read_to_string(task?.path().join("stat")) else { continue };
        let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("?", |(name, _)| name);
        *times.entry(name.to_owned()).or_insert(0.0) += ticks(&stat, 14) * TICK_US;
    }
    Ok(times)
}

/// Microseconds of processor time of a process so far.
pub fn of_process(pid: u32) -> Outcome<f64> {
    Ok(ticks(&fs::read_to_string(format!("/proc/{pid}/stat"))?, 14) * TICK_US)
}

/// Microseconds of processor time of this process so far.
pub fn of_self() -> Outcome<f64> {
    Ok(ticks(&fs::read_to_string("/proc/self/stat")?, 14) * TICK_US)
}

/// Microseconds of processor time of our children that have ended and were waited for.
pub fn of_ended_children() -> Outcome<f64> {
    Ok(ticks(&fs::read_to_string("/proc/self/stat")?, 16) * TICK_US)
}

/// Processor time of this process so far, to the nanosecond.
pub fn processor_now() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0));
    Duration::new(seconds, nanoseconds)
}

/// The most memory a process has held so far, in bytes (`VmHWM` of proc(5)).
pub fn most_memory(pid: u32) -> Outcome<u64> {
    memory(pid, "VmHWM:")
}

/// The memory a process holds, in bytes (`VmRSS` of proc(5)).
pub fn memory_now(pid: u32) -> Outcome<u64> {
    memory(pid, "VmRSS:")
}

fn memory(pid: u32, name: &str) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix(name)).ok_or("the kernel does not tell the memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024)
}

/// Two fields of a `stat` file added, the first by its number in proc(5): user and system time stand side by side.
fn ticks(stat: &str, field: usize) -> f64 {
    // Field 2 is the name in brackets and may hold anything; field 3 follows it.
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    rest.split(' ').skip(field - 3).take(2).filter_map(|n| n.parse::<f64>().ok()).sum()
}

/// Bytes waiting in the receive queue of the UDP socket on this port, and datagrams it dropped; none when nobody listens.
pub fn udp_socket(port: u16) -> Outcome<Option<(u64, u64)>> {
    let table = fs::read_to_string("/proc/net/udp")?;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (Some(local), Some(remote), Some(queues), Some(drops)) = (fields.get(1), fields.get(2), fields.get(4), fields.last()) else {
            continue;
        };
        if local.ends_with(&format!(":{port:04X}")) && remote.ends_with(":0000") {
            let waiting = queues.split_once(':').and_then(|(_, rx)| u64::from_str_radix(rx, 16).ok()).unwrap_or(0);
            return Ok(Some((waiting, drops.parse()?)));
        }
    }
    Ok(None)
}
