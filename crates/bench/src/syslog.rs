//! Log lines over eight TCP connections into sealed units, beside rsyslog and syslog-ng, which append them to a file.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use weir_base::clock::{Clock, SystemClock};
use weir_base::task::Stop;

use crate::lines::Lines;
use crate::proc;
use crate::shared::{Outcome, bytes_under, reading};
use crate::weir::Weir;

/// Seconds each program is fed.
const SECONDS: u64 = 60;
/// Connections.
const CONNECTIONS: usize = 8;
/// Milliseconds between looks at what a program has written.
const LOOK_MS: u64 = 50;
/// Looks without a change after which nothing more is expected.
const STILL: u32 = 60;

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let lines = Lines::new(SystemClock::new().now());
    reading("bytes a line, average", None, lines.length());
    let ours = into_weir(&lines, SECONDS)?;
    for peer in [Peer::Rsyslog, Peer::SyslogNg] {
        if let Some(theirs) = into_peer(&lines, peer)? {
            // Processors differ by a factor of two, and those that are shared do so from hour to hour (decision 0021).
            reading(&format!("weir: lines a second, of those {} took, times", peer.name()), None, ours / theirs);
        }
    }
    Ok(())
}

/// Weir alone, for so many seconds: for a profiler.
pub fn alone(seconds: u64) -> Outcome<()> {
    into_weir(&Lines::new(SystemClock::new().now()), seconds).map(drop)
}

/// Lines a second, from the first one to the last one's unit.
fn into_weir(lines: &Lines, seconds: u64) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let mut weir = Weir::start(folder.path())?;
    let (clock, before, own) = (SystemClock::new(), weir.processor()?, proc::of_self()?);
    let sent = lines.send(weir.syslog, CONNECTIONS, seconds)?;
    let taken = weir.heard(sent)?;
    weir.call(&json!({ "op": "seal" }))?;
    let (seconds, after) = (clock.monotonic().as_secs_f64(), weir.processor()?);
    eprintln!("weir: {sent} lines sent, {taken:?}");
    let kept = taken.messages.max(1) as f64;
    reading("weir: lines a second, all of them sealed", None, kept / seconds);
    reading("weir: lines kept of those sent, %", None, 100.0 * kept / sent.max(1) as f64);
    reading("weir: µs of processor a line", None, (after - before) / kept);
    eprintln!("  {:<16} {:.3} µs a line", "the senders", (proc::of_self()? - own) / kept);
    for (name, us) in weir.by_thread()? {
        eprintln!("  {name:<16} {:.3} µs a line", us / kept);
    }
    reading("weir: the most memory it held, MB", None, weir.most_memory()? as f64 / 1e6);
    let data = weir.data().to_owned();
    weir.stop()?;
    let wal = bytes_under(&data.join("wal"))?;
    reading("weir: bytes a line on disk, less the write-ahead log", None, (bytes_under(&data)? - wal) as f64 / kept);
    Ok(kept / seconds)
}

#[derive(Clone, Copy)]
enum Peer {
    Rsyslog,
    SyslogNg,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Peer::Rsyslog => "rsyslog",
            Peer::SyslogNg => "syslog-ng",
        }
    }

    fn command(self, folder: &Path, port: u16, file: &Path) -> Outcome<Command> {
        let (config, file) = (folder.join("config"), file.display());
        let (text, mut command) = match self {
            Peer::Rsyslog => (
                format!(
                    "global(workDirectory=\"{}\")\nmodule(load=\"imtcp\" MaxSessions=\"64\")\n\
                     input(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")\naction(type=\"omfile\" file=\"{file}\" asyncWriting=\"on\" ioBufferSize=\"256k\")\n",
                    folder.display()
                ),
                Command::new("rsyslogd"),
            ),
            Peer::SyslogNg => (
                format!(
                    "@version: 3.38\noptions {{ stats-freq(0); flush-lines(1000); log-fifo-size(200000); }};\n\
                     source s {{ network(ip(\"127.0.0.1\") port({port}) transport(\"tcp\") flags(syslog-protocol) max-connections(64) log-iw-size(100000)); }};\n\
                     destination d {{ file(\"{file}\"); }};\nlog {{ source(s); destination(d); flags(flow-control); }};\n"
                ),
                Command::new("syslog-ng"),
            ),
        };
        fs::write(&config, text)?;
        match self {
            Peer::Rsyslog => command.arg("-n").arg("-f").arg(&config).arg("-i").arg(folder.join("pid")),
            Peer::SyslogNg => command
                .args(["-F", "--no-caps", "-f"])
                .arg(&config)
                .arg("-R")
                .arg(folder.join("persist"))
                .arg("-p")
                .arg(folder.join("pid"))
                .arg("-c")
                .arg(folder.join("control")),
        };
        Ok(command)
    }
}

/// A running peer, ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, unless something failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lines a second, from the first one until its file grows no more; none where it is not installed.
fn into_peer(lines: &Lines, peer: Peer) -> Outcome<Option<f64>> {
    let folder = tempfile::tempdir()?;
    let file: PathBuf = folder.path().join("lines");
    let at: SocketAddr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let log = fs::File::create(folder.path().join("said"))?;
    let started = peer.command(folder.path(), at.port(), &file)?.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
    let Ok(child) = started else {
        eprintln!("{} is not installed: it is not measured", peer.name());
        return Ok(None);
    };
    let mut running = Running(child);
    let never = Stop::new();
    while TcpStream::connect(at).is_err() {
        if let Some(ended) = running.0.try_wait()? {
            return Err(format!("{} ended: {ended}; {}", peer.name(), fs::read_to_string(folder.path().join("said"))?).into());
        }
        never.wait(Duration::from_millis(LOOK_MS));
    }
    let (clock, before) = (SystemClock::new(), proc::of_process(running.0.id())?);
    let sent = lines.send(at, CONNECTIONS, SECONDS)?;
    let seconds = settled(&file, &clock)?;
    let after = proc::of_process(running.0.id())?;
    kill_process(Pid::from_child(&running.0), Signal::TERM)?;
    running.0.wait()?;
    let kept = count(&file)? as f64;
    eprintln!("{}: {sent} lines sent, {kept} written", peer.name());
    reading(&format!("{}: lines a second, all of them in its file", peer.name()), None, kept / seconds);
    reading(&format!("{}: lines kept of those sent, %", peer.name()), None, 100.0 * kept / sent.max(1) as f64);
    reading(&format!("{}: µs of processor a line", peer.name()), None, (after - before) / kept.max(1.0));
    reading(&format!("{}: bytes a line on disk", peer.name()), None, fs::metadata(&file)?.len() as f64 / kept.max(1.0));
    Ok(Some(kept / seconds))
}

/// Waits until the file grows no more; the second in which it last grew.
fn settled(file: &Path, clock: &SystemClock) -> Outcome<f64> {
    let (never, mut before, mut still, mut last) = (Stop::new(), 0, 0, 0.0);
    while still < STILL {
        let now = fs::metadata(file).map_or(0, |m| m.len());
        (still, last) = if now == before { (still + 1, last) } else { (0, clock.monotonic().as_secs_f64()) };
        before = now;
        never.wait(Duration::from_millis(LOOK_MS));
    }
    Ok(last)
}

fn count(file: &Path) -> Outcome<u64> {
    use std::io::{BufRead, BufReader};
    let (mut reader, mut lines) = (BufReader::with_capacity(1 << 20, fs::File::open(file)?), 0);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(lines);
        }
        lines += bytes.iter().filter(|b| **b == b'\n').count() as u64;
        let read = bytes.len();
        reader.consume(read);
    }
}
