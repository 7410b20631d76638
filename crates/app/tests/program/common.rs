//! A running program, and ways to talk to it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// The program.
pub const WEIR: &str = env!("CARGO_BIN_EXE_weir");

/// Ports chosen by the kernel, and whoever runs the test may use the socket.
pub const FREE_PORTS: [&str; 5] = [
    "sources.radius.listen=127.0.0.1:0",
    "sources.ipfix.listen=127.0.0.1:0",
    "sources.ipfix.listen_tcp=127.0.0.1:0",
    "desk.listen=127.0.0.1:0",
    "desk.uids=[{uid=\"owner\",account=\"owner\",roles=[\"operator\",\"system-admin\"]}]",
];

/// Whoever runs the test reads the ledger, and nothing else.
pub const AUDITOR: &str = "desk.uids=[{uid=\"owner\",account=\"owner\",roles=[\"audit-admin\"]}]";

/// The desk's part of the same, for a configuration that is written by the test.
pub const FREE_DESK: &str =
    "[desk]\nlisten = [\"127.0.0.1:0\"]\n[[desk.uids]]\nuid = \"owner\"\naccount = \"owner\"\nroles = [\"operator\", \"system-admin\"]\n";

/// The same where a configuration has syslog on a port of its own.
const FREE_SYSLOG: [&str; 2] = ["sources.syslog.listen=127.0.0.1:0", "sources.syslog.listen_tcp=127.0.0.1:0"];

/// A file of the project's `config` folder.
pub fn config(name: &str) -> PathBuf {
    weir_testkit::package().join("../../config").join(name)
}

/// Runs a command to its end.
pub fn weir(args: &[&str]) -> Output {
    Command::new(WEIR).args(args).output().expect("the program starts")
}

/// The exit code.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// Standard output as text.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard output as JSON.
pub fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
        panic!("{e}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    })
}

/// `weir run`, until dropped.
pub struct Running {
    pub child: Child,
    pub lines: std::io::Lines<BufReader<ChildStdout>>,
    /// What it said before it was ready.
    pub banner: Vec<String>,
    pub data: PathBuf,
}

impl Running {
    /// Starts the minimal configuration with free ports.
    pub fn minimal(data: &Path) -> Running {
        Running::start(data, &config("minimal.toml"), &[])
    }

    /// Starts a configuration with free ports, and waits until it is ready.
    pub fn start(data: &Path, config: &Path, set: &[&str]) -> Running {
        let mut command = Command::new(WEIR);
        command.arg("run").arg("--config").arg(config).arg("--data").arg(data);
        let syslog = fs::read_to_string(config).is_ok_and(|text| text.contains("listen = [\"127.0.0.1:5514\"]"));
        for value in FREE_PORTS.iter().chain(FREE_SYSLOG.iter().filter(|_| syslog)).chain(set) {
            command.args(["--set", value]);
        }
        Running::wait(command, data)
    }

    /// Starts a command and waits until it says that it is ready.
    pub fn wait(mut command: Command, data: &Path) -> Running {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = Vec::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            if line == "ready" {
                return Running { child, lines, banner, data: data.to_owned() };
            }
            banner.push(line);
        }
        let ended = child.wait();
        panic!("it ended before it was ready: {ended:?} {banner:#?}");
    }

    /// Where it listens: `radius`, `ipfix_udp` or `ipfix_tcp`.
    pub fn port(&self, what: &str) -> SocketAddr {
        let ports: Value = serde_json::from_slice(&fs::read(self.data.join("ports.json")).unwrap()).unwrap();
        ports[what][0].as_str().unwrap().parse().unwrap()
    }

    /// Runs a command against it.
    pub fn ask(&self, args: &[&str]) -> Output {
        let mut all = args.to_vec();
        all.extend(["--data", self.data.to_str().unwrap()]);
        weir(&all)
    }

    /// A connection to its socket.
    pub fn socket(&self) -> Socket {
        Socket(BufReader::new(UnixStream::connect(self.data.join("weir.sock")).unwrap()))
    }

    /// The rows of a kind.
    pub fn records(&self, kind: &str) -> Vec<Value> {
        let answer = self.socket().call(json!({ "op": "records", "kind": kind, "limit": 100_000 }));
        answer["ok"]["rows"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Kills it as the kernel does: nothing is written any more.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it in order; its exit code.
    pub fn stop(mut self) -> i32 {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended where a test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ledger of a folder whose program has ended, as an audit administrator reads it.
pub fn ledger(data: &Path) -> Vec<Value> {
    let running = Running::start(data, &config("minimal.toml"), &[AUDITOR]);
    let rows = running.records("question");
    assert_eq!(running.stop(), 0);
    rows
}

/// A connection to `weir.sock`.
pub struct Socket(BufReader<UnixStream>);

impl Socket {
    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// Nothing more is sent; answers still come.
    pub fn close_sending(&self) {
        self.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// The next answer.
    pub fn receive(&mut self) -> Value {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the connection was closed");
        serde_json::from_str(&line).unwrap()
    }

    /// One request, one answer.
    pub fn call(&mut self, request: Value) -> Value {
        self.send(format!("{request}\n").as_bytes());
        self.receive()
    }
}

/// False, with a word about what was not shown, when a program is not installed.
pub fn have(program: &str, what: &str) -> bool {
    let found = Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "{program} is not installed: {what}");
        eprintln!("not shown, because {program} is not installed: {what}");
    }
    found
}

/// Sends accounting with radclient; true when it was answered.
pub fn radclient(to: SocketAddr, secret: &Path, attributes: &str) -> bool {
    let mut child = Command::new("radclient")
        .args(["-r", "1", "-t", "10", "-S", secret.to_str().unwrap(), &to.to_string(), "acct"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(attributes.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

/// Milliseconds since 1970, from the clock all programs of the test share.
pub fn now_ms() -> i64 {
    use weir_base::clock::Clock;
    weir_base::clock::SystemClock::new().now().0
}

/// A moment as text.
pub fn at(ms: i64) -> String {
    weir_base::time::Millis(ms).to_rfc3339()
}
