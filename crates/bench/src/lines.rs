//! Log lines of 120 bytes on average, as a mixed network sends them: RFC 5424, many hosts, sign-ins that dialects understand among them.

use std::fmt::Write as _;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_base::time::Millis;

use crate::shared::Outcome;

/// Lines made beforehand; each connection sends them from another place on.
const LINES: u64 = 400_000;
/// Lines of one millisecond.
const LINES_A_MS: u64 = 8;
/// Lines handed to the kernel at once.
const AT_ONCE: usize = 256;

/// Lines that were made, each with its newline.
pub struct Lines(Vec<String>);

impl Lines {
    /// Makes them. Their times rise from `now` on, as those of real senders do: a store treats lines of last week otherwise than those of this minute.
    pub fn new(now: Millis) -> Lines {
        Lines((0..LINES).map(|n| line(n, now)).collect())
    }

    /// The first of them.
    pub fn some(count: usize, now: Millis) -> Vec<String> {
        (0..).take(count).map(|n| line(n, now)).collect()
    }

    /// The average length, bytes.
    pub fn length(&self) -> f64 {
        self.0.iter().map(String::len).sum::<usize>() as f64 / self.0.len() as f64
    }

    /// Sends over so many connections for so many seconds, as fast as it is taken; how many lines.
    pub fn send(&self, to: SocketAddr, connections: usize, seconds: u64) -> Outcome<u64> {
        let over = Duration::from_secs(seconds);
        let clock = SystemClock::new();
        let sent: Vec<Result<u64, String>> = std::thread::scope(|scope| {
            let clock = &clock;
            let threads: Vec<_> =
                (0..connections).map(|n| scope.spawn(move || self.stream(to, n * self.0.len() / connections, clock, over))).collect();
            threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Err("a sender ended badly".to_owned()))).collect()
        });
        Ok(sent.into_iter().sum::<Result<u64, String>>()?)
    }

    fn stream(&self, to: SocketAddr, from: usize, clock: &SystemClock, over: Duration) -> Result<u64, String> {
        let said = |e: std::io::Error| format!("a sender failed: {e}");
        let mut stream = TcpStream::connect(to).map_err(said)?;
        let (mut at, mut sent, mut bytes) = (from, 0u64, Vec::new());
        while clock.monotonic() < over {
            bytes.clear();
            let rest = self.0.get(at..(at + AT_ONCE).min(self.0.len())).unwrap_or_default();
            rest.iter().for_each(|line| bytes.extend_from_slice(line.as_bytes()));
            stream.write_all(&bytes).map_err(said)?;
            sent += rest.len() as u64;
            at = if at + rest.len() >= self.0.len() { 0 } else { at + rest.len() };
        }
        Ok(sent)
    }
}

fn line(n: u64, now: Millis) -> String {
    // A fixed stream of numbers that look random: the same lines on every machine.
    let r = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    let (host, user, port, pid) = (r % 97, r / 97 % 5_000, 1_024 + r / 7 % 60_000, 300 + r / 13 % 30_000);
    let (a, b) = (r / 31 % 250, r / 37 % 250);
    let mut text = String::new();
    let stamp = now.plus(i64::try_from(n / LINES_A_MS).unwrap_or(0)).to_rfc3339();
    // Writing to a string does not fail.
    let _ = match n % 20 {
        0 | 1 => {
            write!(text, "<38>1 {stamp} host-{host:02} sshd {pid} - - Accepted password for user{user} from 192.0.2.{a} port {port} ssh2")
        }
        2 => {
            write!(text, "<38>1 {stamp} host-{host:02} sshd {pid} - - Failed password for user{user} from 198.51.100.{b} port {port} ssh2")
        }
        3 => {
            write!(text, "<86>1 {stamp} host-{host:02} sudo {pid} - - user{user} : TTY=pts/0 ; PWD=/home ; USER=root ; COMMAND=/usr/bin/ls")
        }
        4 | 5 => {
            write!(text, "<78>1 {stamp} host-{host:02} CRON {pid} - - (root) CMD (test -x /usr/sbin/anacron || run-parts --report {user})")
        }
        6..=11 => write!(text, "<190>1 {stamp} web-{host:02} nginx {pid} - - 203.0.113.{b} GET /item/{user}?page={a} 200 {port} 0.0{a}"),
        12..=15 => {
            write!(text, "<30>1 {stamp} host-{host:02} systemd 1 - - session-{user}.scope: Deactivated successfully, took {port} ms.")
        }
        _ => write!(
            text,
            "<4>1 {stamp} fw-{host:02} kernel - - - [{pid}.{user:06}] eth{}: link is up, 1000 Mbps, full duplex, lane {port}",
            a % 4
        ),
    };
    text.push('\n');
    text
}
