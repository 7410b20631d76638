//! The judge of data folders over a history, beside `sha256sum` over the same files, which proves less: that bytes are what they were.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_verify::{Quiet, check};

use crate::shared::{Outcome, reading};
use crate::{fold, proc};

/// Events a second of the history, and its seconds.
const RATE: u64 = 100_000;
const SECONDS: u64 = 120;
/// It is judged again and again for so long.
const LAST: Duration = Duration::from_secs(60);

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    fold::play(RATE, SECONDS, folder.path(), None)?;
    judge(folder.path())
}

/// The same over a folder that is there already, as for a profiler: again and again for [`LAST`].
pub fn judge(folder: &Path) -> Outcome<()> {
    let (clock, mut rows, mut bytes, mut took, mut times) = (SystemClock::new(), 0.0, 0.0, 0.0, 0.0);
    while clock.monotonic() < LAST {
        let before = proc::processor_now();
        let report = check(folder, &Quiet).ok_or("what was written is no data folder")?;
        took += (proc::processor_now() - before).as_secs_f64();
        if !report.findings.is_good() {
            return Err(format!("what was written does not verify: {}", report.text()).into());
        }
        rows = report.checked.rows as f64;
        bytes = report.checked.bytes as f64;
        times += 1.0;
    }
    eprintln!("{rows} rows, {bytes} bytes, {times} times in {took:.2} s");
    reading("weir: records verified a second of one core", None, rows * times / took);
    reading("weir: megabytes of files a second of one core", None, bytes * times / 1e6 / took);
    let mut files = Vec::new();
    under(&folder.join("segments"), &mut files)?;
    let before = proc::of_ended_children()?;
    let told = Command::new("sha256sum").args(&files).output()?;
    let sum = (proc::of_ended_children()? - before) / 1e6;
    if told.status.success() {
        reading("sha256sum: the same records a second of one core, bytes only", None, rows / sum);
    }
    Ok(())
}

fn under(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            under(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
