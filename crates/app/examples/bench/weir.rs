//! The program itself, as it ships, in a folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use weir_base::task::Stop;

use super::{Outcome, proc};

/// One exporter, no RADIUS; the times in the corpus are those of its making, so the exporter's clock is not judged by them.
const CONFIG: &str = r#"
[unit]
origin = "bench.invalid"
[measures]
radius = false
[sources.ipfix]
listen = ["127.0.0.1:0"]
[[sources.ipfix.exporters]]
name = "nat"
prefix = "127.0.0.11"
realm = "bench"
profile = "rfc8158"
clock = "trust"
"#;
/// Milliseconds between looks at the counters.
const LOOK_MS: u64 = 100;
/// Looks without a change after which nothing more is expected.
const STILL: u32 = 20;

/// What was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Events kept.
    pub records: u64,
    /// Events known to be lost.
    pub lost: u64,
}

/// A running program.
pub struct Weir {
    child: Child,
    data: PathBuf,
    socket: BufReader<UnixStream>,
}

impl Weir {
    /// The program beside this one, or the one `WEIR_BIN` names.
    fn program() -> Outcome<PathBuf> {
        if let Some(path) = std::env::var_os("WEIR_BIN") {
            return Ok(path.into());
        }
        let own = std::env::current_exe()?;
        let path = own.parent().and_then(Path::parent).map(|folder| folder.join("weir")).ok_or("this program has no folder")?;
        if path.is_file() {
            Ok(path)
        } else {
            Err(format!("{} is not there: build it first (`cargo build -p weir`)", path.display()).into())
        }
    }

    /// Starts it with an empty folder `weir` under `folder`.
    pub fn start(folder: &Path) -> Outcome<Weir> {
        let (data, config) = (folder.join("weir"), folder.join("bench.toml"));
        fs::write(&config, CONFIG)?;
        let mut command = Command::new(Weir::program()?);
        command.arg("run").arg("--config").arg(&config).arg("--data").arg(&data);
        let log = fs::File::create(folder.join("weir.log"))?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        if !lines.any(|line| line.is_ok_and(|line| line == "ready")) {
            let ended = child.wait()?;
            return Err(format!("weir ended before it was ready ({ended}): {}", fs::read_to_string(folder.join("weir.log"))?).into());
        }
        let socket = BufReader::new(UnixStream::connect(data.join("weir.sock"))?);
        Ok(Weir { child, data, socket })
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where it takes datagrams.
    pub fn ipfix(&self) -> Outcome<SocketAddr> {
        let ports: Value = serde_json::from_slice(&fs::read(self.data.join("ports.json"))?)?;
        Ok(ports["ipfix_udp"][0].as_str().ok_or("no IPFIX port")?.parse()?)
    }

    /// Asks, and waits for the answer.
    pub fn call(&mut self, request: &Value) -> Outcome<Value> {
        self.socket.get_mut().write_all(format!("{request}\n").as_bytes())?;
        let mut line = String::new();
        self.socket.read_line(&mut line)?;
        let mut answer: Value = serde_json::from_str(&line)?;
        match answer.get_mut("ok").map(Value::take) {
            Some(ok) => Ok(ok),
            None => Err(format!("weir refused {}: {answer}", request["op"]).into()),
        }
    }

    /// Waits until so many events are there, or nothing more comes.
    pub fn taken(&mut self, events: u64) -> Outcome<Taken> {
        let (never, mut before, mut still) = (Stop::new(), Taken::default(), 0);
        loop {
            let sources = self.call(&json!({ "op": "sources" }))?;
            let sum = |name: &str| sources.as_array().into_iter().flatten().filter_map(|s| s[name].as_u64()).sum();
            let now = Taken { records: sum("records"), lost: sum("lost") };
            still = if now == before { still + 1 } else { 0 };
            before = now;
            if now.records >= events || still >= STILL {
                return Ok(now);
            }
            never.wait(Duration::from_millis(LOOK_MS));
        }
    }

    /// Microseconds of processor time so far.
    pub fn processor(&self) -> Outcome<f64> {
        proc::of_process(self.child.id())
    }

    /// The same by thread.
    pub fn by_thread(&self) -> Outcome<BTreeMap<String, f64>> {
        proc::by_thread(self.child.id())
    }

    /// Datagrams the kernel dropped before it.
    pub fn dropped(&self) -> Outcome<u64> {
        Ok(proc::udp_socket(self.ipfix()?.port())?.map_or(0, |(_, drops)| drops))
    }

    /// Stops it in order.
    pub fn stop(mut self) -> Outcome<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let ended = self.child.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("weir ended badly: {ended}").into()) }
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        // Ended already, unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
