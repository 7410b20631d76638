//! The program itself, `weir` beside `weir-bench`, on a folder that was made here.

use std::fs;
use std::io::Write as _;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use weir_base::clock::{Clock, SystemClock};

use crate::cgroup::Group;
use crate::proc;
use crate::shared::Outcome;
use crate::sources::SECRET;

/// As the folders here are made: the log's name, and the exporters. Everything else is as it is where nobody says anything, SQL and the desk among it.
const CONFIG: &str = r#"
[unit]
origin = "bench.invalid"
[sources.ipfix]
listen = ["127.0.0.1:0"]
[[sources.ipfix.exporters]]
name = "nat"
prefix = "127.0.0.11"
realm = "bench"
profile = "rfc8158"
clock = "trust"
[[sources.ipfix.exporters]]
prefix = "127.1.0.0/16"
realm = "bench"
profile = "rfc8158"
clock = "trust"
[desk]
listen = ["127.0.0.1:0"]
[[desk.uids]]
uid = "owner"
account = "owner"
roles = ["operator", "system-admin"]
"#;

/// What it takes besides, where that is measured: RADIUS from a NAS here, and log lines over TCP.
const BESIDES: &str = r#"
[sources.radius]
listen = ["127.0.0.1:0"]
realm = "bench"
[[sources.radius.clients]]
addresses = ["127.0.0.0/8"]
secret_file = "SECRET"
[sources.syslog]
listen_tcp = ["127.0.0.1:0"]
realm = "bench"
[store]
memory_bytes = LIMIT
"#;

/// `weir run`, until dropped.
pub struct Program {
    child: Child,
    program: PathBuf,
    data: PathBuf,
    /// How long it took from its start until it said that it was ready.
    pub ready: Duration,
}

impl Program {
    /// Starts it on a folder, its configuration beside that, and waits until it says that it is ready.
    pub fn start(data: &Path, config: &Path) -> Outcome<Program> {
        fs::write(config, CONFIG)?;
        Program::begin(data, config, None)
    }

    /// The same where it may hold so many bytes, in this control group, and takes RADIUS and log lines, too.
    pub fn start_within(data: &Path, config: &Path, bytes: u64, group: &Group) -> Outcome<Program> {
        let secret = config.with_extension("secret");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&secret)?;
        writeln!(file, "{SECRET}")?;
        let besides =
            BESIDES.replace("SECRET", secret.to_str().ok_or("the folder's name is no text")?).replace("LIMIT", &bytes.to_string());
        fs::write(config, format!("{CONFIG}{besides}"))?;
        Program::begin(data, config, Some(group))
    }

    fn begin(data: &Path, config: &Path, group: Option<&Group>) -> Outcome<Program> {
        let program = std::env::current_exe()?.with_file_name("weir");
        if !program.is_file() {
            return Err(format!("{} is not there: `cargo build --package weir` with the same profile makes it", program.display()).into());
        }
        let clock = SystemClock::new();
        let mut command = match group {
            Some(group) => group.command(&program),
            None => Command::new(&program),
        };
        command.arg("run").arg("--config").arg(config).arg("--data").arg(data).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let said = lines.map_while(Result::ok).take_while(|line| line != "ready").collect::<Vec<_>>();
        let ready = clock.monotonic();
        if let Some(ended) = child.try_wait()? {
            return Err(format!("weir ended before it was ready: {ended}: {}", said.join("; ")).into());
        }
        Ok(Program { child, program, data: data.to_owned(), ready })
    }

    /// Runs one of its commands to the end.
    pub fn ask(&self, words: &[&str]) -> Outcome<Output> {
        Ok(Command::new(&self.program).args(words).arg("--data").arg(&self.data).output()?)
    }

    /// Where it listens, by the name of `ports.json`.
    pub fn at(&self, what: &str) -> Outcome<SocketAddr> {
        let ports: Value = serde_json::from_slice(&fs::read(self.data.join("ports.json"))?)?;
        Ok(ports[what][0].as_str().ok_or_else(|| format!("it does not listen for {what}"))?.parse()?)
    }

    /// Bytes of memory it holds now, and the most it has held.
    pub fn memory(&self) -> Outcome<(u64, u64)> {
        Ok((proc::memory_now(self.child.id())?, proc::most_memory(self.child.id())?))
    }

    /// Microseconds of processor time so far.
    pub fn processor(&self) -> Outcome<f64> {
        proc::of_process(self.child.id())
    }

    /// Stops it in order.
    pub fn stop(mut self) -> Outcome<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let ended = self.child.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("weir ended badly: {ended}").into()) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Ended already, unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
