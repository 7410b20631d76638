//! journald's journal, through `journalctl -o export -f`.
//!
//! The first start takes the newest entry, so that there is a place to go on from. A later one asks for the entry at the place that was
//! reached: when it comes, it is passed over, as it is durable already; when another comes, entries were deleted, and that is a gap.

use std::io::Read;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use weir_base::task::Stop;
use weir_base::time::Millis;

use super::config::Journal;
use super::export::{Decoder, Entry};
use super::keeper::Keeper;
use super::limits::{BATCH_ROWS, LOOK_MS, READ_BYTES};
use crate::syslog::limits::LINE_BYTES;

/// A place: the time of the entry in ms, 8 bytes big-endian, and its cursor.
fn place(entry: &Entry, now: Millis) -> Vec<u8> {
    [&entry.time.unwrap_or(now).0.to_be_bytes(), entry.cursor.as_bytes()].concat()
}

fn cursor(place: &[u8]) -> Option<(Millis, &str)> {
    let (ms, cursor) = place.split_first_chunk::<8>()?;
    Some((Millis(i64::from_be_bytes(*ms)), std::str::from_utf8(cursor).ok()?))
}

/// Follows the journal until the program stops. When journalctl ends it is started again.
pub fn run(source: &Journal, keeper: &mut Keeper, stop: &Stop) {
    while !stop.is_raised() {
        match start(source, keeper.place().and_then(cursor).map(|(_, c)| c)) {
            Ok(mut child) => {
                if let Some(out) = child.stdout.take() {
                    read(out, keeper, stop);
                }
                end(&mut child);
                if !stop.is_raised() {
                    keeper.trouble(Some("journalctl ended: it is started again; try `journalctl -n 1` as the account Weir runs as"));
                }
            }
            Err(e) => {
                keeper.trouble(Some(&format!("journalctl cannot be started ({e}): install systemd's journalctl, or write journal = false")))
            }
        }
        stop.wait(Duration::from_millis(LOOK_MS * 5));
    }
    keeper.hand_over(stop);
}

fn start(source: &Journal, cursor: Option<&str>) -> std::io::Result<Child> {
    let mut command = Command::new("journalctl");
    command.args(["--output=export", "--follow", "--quiet", "--no-pager"]);
    match cursor {
        Some(cursor) => command.arg("--no-tail").arg(format!("--cursor={cursor}")),
        None => command.arg("--lines=1"),
    };
    if let Some(directory) = &source.directory {
        command.arg(format!("--directory={}", directory.display()));
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads until the program stops or the stream ends.
fn read(mut out: ChildStdout, keeper: &mut Keeper, stop: &Stop) {
    let (mut decoder, mut buffer) = (Decoder::default(), vec![0; READ_BYTES]);
    let mut reached = keeper.place().map(<[u8]>::to_vec);
    while !stop.is_raised() {
        let limit = Timespec { tv_sec: 0, tv_nsec: i64::try_from(LOOK_MS).unwrap_or(200) * 1_000_000 };
        let ready = {
            let mut fds = [PollFd::new(&out, PollFlags::IN)];
            // An interrupted wait is a short one.
            let _ = poll(&mut fds, Some(&limit));
            fds.first().is_some_and(|f| !f.revents().is_empty())
        };
        if !ready {
            keeper.tick();
            if !keeper.hand_over(stop) {
                return;
            }
            continue;
        }
        let n = match out.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => n,
        };
        let mut entries = Vec::new();
        decoder.feed(buffer.get(..n).unwrap_or_default(), &mut entries);
        for entry in entries {
            if !take(&entry, &mut reached, keeper, stop) {
                return;
            }
        }
        if keeper.rows() >= BATCH_ROWS && !keeper.hand_over(stop) {
            return;
        }
    }
    keeper.hand_over(stop);
}

/// Takes an entry; `reached` is the place an earlier run came to, until the first entry has come.
fn take(entry: &Entry, reached: &mut Option<Vec<u8>>, keeper: &mut Keeper, stop: &Stop) -> bool {
    let now = keeper.now();
    if let Some(before) = reached.take()
        && let Some((then, cursor)) = cursor(&before)
    {
        if cursor == entry.cursor {
            return true;
        }
        keeper.gap(then, entry.time.unwrap_or(now), "journal-cursor-gone");
    }
    let line = entry.line();
    let cut = entry.cut || line.len() > LINE_BYTES;
    let bytes = line.get(..line.len().min(LINE_BYTES)).unwrap_or_default();
    keeper.line(bytes, cut, place(entry, now), stop)
}
