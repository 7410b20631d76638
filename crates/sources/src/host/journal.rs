//! journald's journal, through `journalctl -o export -f`.
//!
//! The first start takes the newest entry, so that there is a place to go on from. A later one asks for the entry at the place that was
//! reached: when it comes, it is passed over, as it is durable already; when another comes, entries were deleted, and that is a gap.

use std::io::Read;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use weir_base::task::Stop;
use weir_base::time::Millis;

use super::config::Journal;
use super::export::{Decoder, Entry};
use super::keeper::Keeper;
use super::limits::{BATCH_ROWS, LOOK_MS, PROBE_LOOKS, READ_BYTES, TOLD_BYTES};
use super::probe::{self, Wrong, probe};
use crate::syslog::limits::LINE_BYTES;

/// A place: the time of the entry in ms, 8 bytes big-endian, and its cursor.
fn place(entry: &Entry, now: Millis) -> Vec<u8> {
    [&entry.time.unwrap_or(now).0.to_be_bytes(), entry.cursor.as_bytes()].concat()
}

fn cursor(place: &[u8]) -> Option<(Millis, &str)> {
    let (ms, cursor) = place.split_first_chunk::<8>()?;
    Some((Millis(i64::from_be_bytes(*ms)), std::str::from_utf8(cursor).ok()?))
}

/// Follows the journal until the program stops. When journalctl ends it is started again; while it finds no journal, or may read none, it is
/// asked again and again.
pub fn run(source: &Journal, keeper: &mut Keeper, stop: &Stop) {
    let mut awaited = false;
    while !stop.is_raised() {
        match follow(source, keeper, &mut awaited, stop) {
            Ok(()) => {}
            Err(e) => {
                keeper.trouble(Some(&format!("journalctl cannot be started ({e}): install systemd's journalctl, or write journal = false")))
            }
        }
        stop.wait(Duration::from_millis(LOOK_MS * 5));
    }
    keeper.hand_over(stop);
}

/// Follows the journal as long as journalctl runs. `awaited`: there was no journal yet, so all that comes is new.
fn follow(source: &Journal, keeper: &mut Keeper, awaited: &mut bool, stop: &Stop) -> std::io::Result<()> {
    let wrong = probe(source.directory.as_deref())?;
    match &wrong {
        Some(wrong) => keeper.stands(Some(wrong.sentence())),
        // That it ended before is told until entries come, or it has run for a while.
        None => keeper.mended(),
    }
    if wrong.as_ref().is_some_and(Wrong::stops) {
        *awaited |= wrong == Some(Wrong::NoFiles);
        return Ok(());
    }
    let mut child = start(source, keeper.place().and_then(cursor).map(|(_, c)| c), *awaited)?;
    let mut said = Vec::new();
    if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
        read(out, err, &mut said, source, keeper, stop);
    }
    end(&mut child);
    if !stop.is_raised() {
        let ended = "journalctl ended: it is started again; try `journalctl -n 1` as the account Weir runs as";
        let why = probe::wrong(&said, source.directory.as_deref()).map_or_else(|| ended.to_owned(), |w| w.sentence());
        keeper.trouble(Some(&why));
    }
    Ok(())
}

fn start(source: &Journal, cursor: Option<&str>, awaited: bool) -> std::io::Result<Child> {
    let mut command = Command::new("journalctl");
    command.args(["--output=export", "--follow", "--quiet", "--no-pager"]).env("LC_ALL", "C");
    match cursor {
        Some(cursor) => command.arg("--no-tail").arg(format!("--cursor={cursor}")),
        None if awaited => command.arg("--no-tail"),
        None => command.arg("--lines=1"),
    };
    command.args(source.directory.as_deref().map(probe::in_folder));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// What is there to read: entries, and words of journalctl.
fn ready(out: &ChildStdout, err: Option<&ChildStderr>) -> (bool, bool) {
    let limit = Timespec { tv_sec: 0, tv_nsec: i64::try_from(LOOK_MS).unwrap_or(200) * 1_000_000 };
    let mut fds: Vec<PollFd<'_>> =
        [PollFd::new(out, PollFlags::IN)].into_iter().chain(err.map(|e| PollFd::new(e, PollFlags::IN))).collect();
    // An interrupted wait is a short one.
    let _ = poll(&mut fds, Some(&limit));
    let is = |i: usize| fds.get(i).is_some_and(|f| !f.revents().is_empty());
    (is(0), is(1))
}

/// Reads what journalctl says; the beginning of it is kept in `said`. False when it says no more.
fn hear(err: &mut ChildStderr, said: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 512];
    let Ok(n @ 1..) = err.read(&mut buffer) else { return false };
    let room = usize::try_from(TOLD_BYTES).unwrap_or_default().saturating_sub(said.len());
    said.extend_from_slice(buffer.get(..n.min(room)).unwrap_or_default());
    true
}

/// Reads until the program stops or the stream ends. What journalctl says meanwhile goes into `said` and is told as trouble, until it is asked
/// anew and has nothing to say.
fn read(mut out: ChildStdout, err: ChildStderr, said: &mut Vec<u8>, source: &Journal, keeper: &mut Keeper, stop: &Stop) {
    let (mut decoder, mut buffer) = (Decoder::default(), vec![0; READ_BYTES]);
    let mut reached = keeper.place().map(<[u8]>::to_vec);
    let (mut err, mut looks) = (Some(err), 0);
    let folder = source.directory.as_deref();
    while !stop.is_raised() {
        let (entries_wait, words_wait) = ready(&out, err.as_ref());
        if words_wait && let Some(from) = &mut err {
            if hear(from, said) {
                keeper.stands(probe::wrong(said, folder).map(|w| w.sentence()));
                looks = 0;
            } else {
                err = None;
            }
        }
        if !entries_wait {
            looks += 1;
            if looks == PROBE_LOOKS {
                // It runs. What was wrong may be mended; where it is not, it is asked again.
                let wrong = if keeper.is_troubled() { probe(folder).ok().flatten() } else { None };
                (looks, *said) = (if wrong.is_some() { 0 } else { looks }, Vec::new());
                keeper.stands(wrong.map(|w| w.sentence()));
            }
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
    // It has ended, or is ended now: its last words are why.
    while !stop.is_raised() && err.as_ref().is_some_and(|e| ready(&out, Some(e)).1) && err.as_mut().is_some_and(|e| hear(e, said)) {}
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
