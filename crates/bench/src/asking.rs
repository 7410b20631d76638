//! Questions one after the other, each with its time, its processor time, its pages and its bytes; every answer is held against the truth.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Advice, fadvise};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use weir_base::clock::{Clock, SystemClock};
use weir_base::time::Millis;
use weir_store::engine::Store;
use weir_store::nat::mapping::Mapping;

use crate::records::Was;
use crate::shared::{Outcome, percentile, reading};

/// Either way around the moment, milliseconds.
pub const SKEW_MS: i64 = 2_000;

/// What it took.
#[derive(Default)]
pub struct Asked {
    /// Milliseconds by the wall.
    pub wall: Vec<f64>,
    /// Milliseconds of the processor.
    pub processor: Vec<f64>,
    pages: Vec<f64>,
    bytes: Vec<f64>,
    right: usize,
}

impl Asked {
    /// Prints it all.
    pub fn told(&mut self, how: &str, x: u64) {
        let x = Some(x);
        let count = self.wall.len().max(1) as f64;
        reading(&format!("{how}, p50, ms"), x, percentile(&mut self.wall, 0.5));
        reading(&format!("{how}, p99, ms"), x, percentile(&mut self.wall, 0.99));
        reading(&format!("{how}, processor, p50, ms"), x, percentile(&mut self.processor, 0.5));
        reading(&format!("{how}, processor, p99, ms"), x, percentile(&mut self.processor, 0.99));
        reading(&format!("{how}, pages read, median"), x, percentile(&mut self.pages, 0.5));
        reading(&format!("{how}, pages read, worst"), x, percentile(&mut self.pages, 1.0));
        reading(&format!("{how}, bytes read, median"), x, percentile(&mut self.bytes, 0.5));
        reading(&format!("{how}, bytes read, worst"), x, percentile(&mut self.bytes, 1.0));
        reading(&format!("{how}, the one holder found, %"), x, 100.0 * self.right as f64 / count);
    }

    /// Prints only the times.
    pub fn times(&mut self, how: &str, x: u64) {
        reading(&format!("{how}, p50, ms"), Some(x), percentile(&mut self.wall, 0.5));
        reading(&format!("{how}, p99, ms"), Some(x), percentile(&mut self.wall, 0.99));
        reading(&format!("{how}, processor, p99, ms"), Some(x), percentile(&mut self.processor, 0.99));
        reading(&format!("{how}, the one holder found, %"), Some(x), 100.0 * self.right as f64 / self.wall.len().max(1) as f64);
    }
}

/// Processor time of this thread.
pub fn of_thread() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Asks about each of them; with a folder, its files leave the machine's cache before each question.
pub fn ask(store: &Store, held: &[Was], cold: Option<&Path>) -> Outcome<Asked> {
    let (clock, mut asked) = (SystemClock::new(), Asked::default());
    for was in held {
        if let Some(folder) = cold {
            forget(folder)?;
        }
        let at = Millis(was.at());
        let (begun, busy) = (clock.monotonic(), of_thread());
        let (found, stats) = store.mappings(was.public, Some(was.port), Some(was.protocol), at.plus(-SKEW_MS), at.plus(SKEW_MS))?;
        asked.wall.push((clock.monotonic() - begun).as_secs_f64() * 1e3);
        asked.processor.push((of_thread() - busy).as_secs_f64() * 1e3);
        asked.pages.push(stats.pages as f64);
        asked.bytes.push(stats.bytes as f64);
        asked.right += usize::from(is_right(&found, was)?);
    }
    Ok(asked)
}

/// True when the holder alone is found. An answer that names another alone is wrong, and then nothing here counts.
pub fn is_right(found: &[Mapping], was: &Was) -> Outcome<bool> {
    let at = Millis(was.at());
    let mut holders = found.iter().filter(|m| m.start.is_none_or(|s| s <= at) && m.end.is_none_or(|e| e >= at));
    match (holders.next(), holders.next()) {
        (Some(one), None) if one.inside == was.inside => Ok(true),
        (Some(_), None) => Err("an answer names somebody else than the truth does".into()),
        _ => Ok(false),
    }
}

/// The same of an answer that the process gave.
pub fn is_one(answer: &Value, inside: &str) -> Outcome<bool> {
    let held = answer["inside"].as_array().ok_or("an answer without holders")?;
    match held.as_slice() {
        [one] if one == inside => Ok(true),
        [_] => Err("an answer names somebody else than the truth does".into()),
        _ => Ok(false),
    }
}

/// Takes files out of the machine's cache, as far as the kernel lets them go.
pub fn forget(folder: &Path) -> Outcome<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            forget(&path)?;
        } else {
            fadvise(&File::open(&path)?, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}
