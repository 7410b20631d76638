//! How much memory the program may hold, and what of it the store gets.

use std::fs;
use std::path::Path;

use crate::limits::{MEMORY_AUTO_MAX, MEMORY_BYTES_MIN, PROGRAM_BYTES};

/// The store's share of a configured limit; 0 means half of what the machine or its control group has. The rest is for the program itself, and
/// for the four statements of SQL that may run at once, which take an eighth of the store's share each.
pub fn store_share(configured: u64) -> u64 {
    share(if configured == 0 { automatic(&|path| fs::read_to_string(path).ok()) } else { configured })
}

fn share(all: u64) -> u64 {
    all.saturating_sub(PROGRAM_BYTES) / 3 * 2
}

/// What the machine or a control group of this process has, where a configured limit is more than that.
pub fn more_than_there_is(configured: u64) -> Option<u64> {
    less_than(configured, &|path| fs::read_to_string(path).ok())
}

fn less_than(configured: u64, read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    least(read).filter(|there| configured > (*there).max(MEMORY_BYTES_MIN))
}

/// Half of the machine's memory, or of the least that a control group of this process allows.
fn automatic(read: &dyn Fn(&Path) -> Option<String>) -> u64 {
    (least(read).unwrap_or(MEMORY_BYTES_MIN * 2) / 2).clamp(MEMORY_BYTES_MIN, MEMORY_AUTO_MAX)
}

/// The machine's memory, or the least that a control group of this process allows.
fn least(read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| {
        let kib = text.lines().find_map(|l| l.strip_prefix("MemTotal:"))?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
        kib.checked_mul(1_024)
    });
    groups(read).into_iter().chain(machine).min()
}

/// Limits of the control groups this process is in, and of those above them.
fn groups(read: &dyn Fn(&Path) -> Option<String>) -> Vec<u64> {
    let mut out = Vec::new();
    for line in read(Path::new("/proc/self/cgroup")).unwrap_or_default().lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            c if c.split(',').any(|c| c == "memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let mut at = Path::new(path);
        loop {
            let file = Path::new(root).join(at.strip_prefix("/").unwrap_or(at)).join(file);
            out.extend(read(&file).and_then(|text| text.trim().parse::<u64>().ok()));
            let Some(up) = at.parent() else { break };
            at = up;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_least_that_binds() {
        const GIB: u64 = 1 << 30;
        let machine = "MemTotal:        8388608 kB\nMemFree: 1 kB\n";
        // Control groups of this process, files, what is taken.
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u64);
        let cases: [Case<'_>; 5] = [
            ("", &[], 4 * GIB),
            ("0::/weir.service\n", &[("/sys/fs/cgroup/weir.service/memory.max", "max\n")], 4 * GIB),
            ("0::/a/b\n", &[("/sys/fs/cgroup/a/memory.max", "2147483648\n"), ("/sys/fs/cgroup/a/b/memory.max", "max\n")], GIB),
            ("9:cpu:/x\n5:memory:/y\n", &[("/sys/fs/cgroup/memory/y/memory.limit_in_bytes", "3221225472\n")], 3 * GIB / 2),
            ("0::/a\n", &[("/sys/fs/cgroup/a/memory.max", "1000000\n")], MEMORY_BYTES_MIN),
        ];
        for (own, files, want) in cases {
            let read = |path: &Path| match path.to_str()? {
                "/proc/meminfo" => Some(machine.to_owned()),
                "/proc/self/cgroup" => Some(own.to_owned()),
                other => files.iter().find(|(name, _)| *name == other).map(|(_, text)| (*text).to_owned()),
            };
            assert_eq!(automatic(&read), want, "{own}");
            let there = least(&read).unwrap().max(MEMORY_BYTES_MIN);
            assert!(less_than(there, &read).is_none() && less_than(0, &read).is_none());
            assert_eq!(less_than(there + 1, &read), least(&read), "{own}");
        }
        assert_eq!(automatic(&|_| None), MEMORY_BYTES_MIN);
        assert!(share(MEMORY_BYTES_MIN) >= 128 << 20 && share(0) == 0 && store_share(4 * GIB) > 2 * GIB);
    }
}
