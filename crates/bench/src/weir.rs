//! The measured process: `weir-bench serve` with an empty folder.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use weir_base::task::Stop;

use crate::cgroup::Group;
use crate::shared::Outcome;
use crate::{proc, serve};

/// Milliseconds between looks at the counters.
const LOOK_MS: u64 = 100;
/// Looks without a change after which nothing more is expected: as long as a store that holds as much as it may seals before it goes on.
const STILL: u32 = 200;

/// What was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Events kept.
    pub records: u64,
    /// Messages (datagrams, lines) taken in.
    pub messages: u64,
    /// Events known to be lost.
    pub lost: u64,
    /// Datagrams that it says the kernel dropped before it.
    pub dropped: u64,
}

/// A running process.
pub struct Weir {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    data: PathBuf,
    /// Where it takes NAT events over IPFIX.
    pub ipfix: SocketAddr,
    /// Where it takes RADIUS accounting.
    pub radius: SocketAddr,
    /// Where it takes log lines over TCP.
    pub syslog: SocketAddr,
}

impl Weir {
    /// Starts it with an empty folder `weir` under `folder`.
    pub fn start(folder: &Path) -> Outcome<Weir> {
        Weir::begin(folder, Command::new(std::env::current_exe()?))
    }

    /// The same where the remote ends of sessions are kept.
    pub fn start_keeping(folder: &Path) -> Outcome<Weir> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env(serve::REMOTES, "1");
        Weir::begin(folder, command)
    }

    /// Starts it with a folder that is there.
    pub fn resume(data: &Path) -> Outcome<Weir> {
        Weir::serve(data.to_owned(), Command::new(std::env::current_exe()?))
    }

    /// The same where the program may hold so many bytes, in this control group.
    pub fn start_within(folder: &Path, bytes: u64, group: Option<&Group>) -> Outcome<Weir> {
        let program = std::env::current_exe()?;
        let mut command = group.map_or_else(|| Command::new(&program), |group| group.command(&program));
        command.env(serve::MEMORY, bytes.to_string());
        Weir::begin(folder, command)
    }

    fn begin(folder: &Path, command: Command) -> Outcome<Weir> {
        let data = folder.join("weir");
        std::fs::create_dir(&data)?;
        Weir::serve(data, command)
    }

    fn serve(data: PathBuf, mut command: Command) -> Outcome<Weir> {
        command.arg("serve").arg(&data).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let requests = child.stdin.take().ok_or("no standard input")?;
        let mut answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line)?;
        let at = |name: &str| -> Outcome<SocketAddr> { Ok(ready[name].as_str().ok_or("it does not say where it listens")?.parse()?) };
        let (ipfix, radius, syslog) = (at("ipfix")?, at("radius")?, at("syslog")?);
        Ok(Weir { child, requests, answers, data, ipfix, radius, syslog })
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Asks, and waits for the answer.
    pub fn call(&mut self, request: &Value) -> Outcome<Value> {
        writeln!(self.requests, "{request}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let mut answer: Value = serde_json::from_str(&line)?;
        match answer.get_mut("ok").map(Value::take) {
            Some(ok) => Ok(ok),
            None => Err(format!("{} failed: {answer}", request["op"]).into()),
        }
    }

    /// Waits until so many events are there, or nothing more comes.
    pub fn taken(&mut self, events: u64) -> Outcome<Taken> {
        self.until(|now| now.records >= events)
    }

    /// Waits until so many messages are there, or nothing more comes.
    pub fn heard(&mut self, messages: u64) -> Outcome<Taken> {
        self.until(|now| now.messages >= messages)
    }

    fn until(&mut self, enough: impl Fn(&Taken) -> bool) -> Outcome<Taken> {
        let (never, mut before, mut still) = (Stop::new(), Taken::default(), 0);
        loop {
            let sources = self.call(&json!({ "op": "taken" }))?;
            let number = |name: &str| sources[name].as_u64().unwrap_or(0);
            let now = Taken { records: number("records"), messages: number("messages"), lost: number("lost"), dropped: number("dropped") };
            still = if now == before { still + 1 } else { 0 };
            before = now;
            if enough(&now) || still >= STILL {
                return Ok(now);
            }
            never.wait(Duration::from_millis(LOOK_MS));
        }
    }

    /// Microseconds of processor time so far.
    pub fn processor(&self) -> Outcome<f64> {
        proc::of_process(self.child.id())
    }

    /// The most memory it has held so far, bytes.
    pub fn most_memory(&self) -> Outcome<u64> {
        proc::most_memory(self.child.id())
    }

    /// The same by thread.
    pub fn by_thread(&self) -> Outcome<BTreeMap<String, f64>> {
        proc::by_thread(self.child.id())
    }

    /// Datagrams the kernel dropped before it.
    pub fn dropped(&self) -> Outcome<u64> {
        Ok(proc::udp_socket(self.ipfix.port())?.map_or(0, |(_, drops)| drops))
    }

    /// Stops it in order.
    pub fn stop(mut self) -> Outcome<()> {
        writeln!(self.requests, "{}", json!({ "op": "stop" }))?;
        let ended = self.child.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("it ended badly: {ended}").into()) }
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        // Ended already, unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
