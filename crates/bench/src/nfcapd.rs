//! nfcapd and nfdump, the tools a user would otherwise pick.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use weir_base::clock::{Clock, SystemClock};
use weir_base::task::Stop;

use crate::proc;
use crate::shared::{Outcome, bytes_under};

/// Bytes of its socket's buffer, as many as Weir asks for: it gets what the machine allows.
const BUFFER_BYTES: &str = "67108864";
/// Milliseconds between looks at its socket.
const LOOK_MS: u64 = 20;

/// A running nfcapd.
pub struct Nfcapd {
    child: Child,
    folder: PathBuf,
    /// Where it listens.
    pub at: SocketAddr,
    before: f64,
}

/// What nfcapd left behind.
pub struct Kept {
    /// Microseconds of processor time, from its start to its end.
    pub processor_us: f64,
    /// Events in its files.
    pub events: u64,
    /// Datagrams the kernel dropped before it.
    pub dropped: u64,
    /// Bytes of its files.
    pub bytes: u64,
    folder: PathBuf,
}

impl Nfcapd {
    /// Starts it, LZ4 compression on, in a folder of its own; none when it is not installed.
    pub fn start(folder: &Path) -> Outcome<Option<Nfcapd>> {
        let flows = folder.join("flows");
        fs::create_dir(&flows)?;
        let at = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new("nfcapd");
        command.args(["-b", "127.0.0.1", "-p", &at.port().to_string(), "-t", "3600", "-B", BUFFER_BYTES, "-y", "-w"]).arg(&flows);
        let log = fs::File::create(folder.join("nfcapd.log"))?;
        let before = proc::of_ended_children()?;
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let Ok(child) = started else {
            eprintln!("nfcapd is not installed: nothing beside weir is measured");
            return Ok(None);
        };
        let mut nfcapd = Nfcapd { child, folder: flows, at, before };
        let never = Stop::new();
        while proc::udp_socket(at.port())?.is_none() {
            if let Some(ended) = nfcapd.child.try_wait()? {
                return Err(format!("nfcapd ended: {ended}").into());
            }
            never.wait(Duration::from_millis(LOOK_MS));
        }
        Ok(Some(nfcapd))
    }

    /// Lets it read what waits, ends it, and says what it kept.
    pub fn finish(mut self) -> Outcome<Kept> {
        let never = Stop::new();
        let dropped = loop {
            match proc::udp_socket(self.at.port())? {
                Some((0, drops)) => break drops,
                Some(_) => never.wait(Duration::from_millis(LOOK_MS)),
                None => return Err("nfcapd is gone".into()),
            };
        };
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        self.child.wait()?;
        let processor_us = proc::of_ended_children()? - self.before;
        // It begins a new file where the hour does: all of them.
        let told = Command::new("nfdump").arg("-I").arg("-R").arg(&self.folder).output()?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let events = told.lines().find_map(|l| l.strip_prefix("Flows: ")).ok_or("nfdump counts nothing")?.trim().parse()?;
        Ok(Kept { processor_us, events, dropped, bytes: bytes_under(&self.folder)?, folder: self.folder.clone() })
    }
}

impl Drop for Nfcapd {
    fn drop(&mut self) {
        // Ended already, unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Kept {
    /// Milliseconds nfdump takes for one filter, and the lines it finds.
    pub fn ask(&self, filter: &str) -> Outcome<(f64, usize)> {
        let clock = SystemClock::new();
        let told = Command::new("nfdump").arg("-R").arg(&self.folder).args(["-q", "-o", "nel", filter]).output()?;
        let took = clock.monotonic().as_secs_f64() * 1e3;
        Ok((took, String::from_utf8_lossy(&told.stdout).lines().filter(|line| !line.trim().is_empty()).count()))
    }
}
