//! What is to be played: the options of `weir simulate`, checked before anything is sent.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use weir_base::time::format_duration_ms;

use crate::error::SimError;
use crate::limits;

/// Which network is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// One NAS, one NAT44 that logs sessions, 50 subscribers, pool 198.18.0.0/28, realm `home`.
    Small,
    /// One Linux box with 80 rooms behind one public address: leases and conntrack events as log lines over TCP, realm `hotel`.
    Hotel,
    /// A firewall that tells of sessions (realm `dorm`, UDP) and of port blocks (realm `staff`, TCP) in log lines, with RADIUS.
    School,
    /// Three NATs with the same inside addresses in three realms: sessions over IPFIX, port blocks over IPFIX, sessions over NetFlow v9.
    Isp,
}

impl Profile {
    /// The profile's name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Small => "small",
            Profile::Hotel => "hotel",
            Profile::School => "school",
            Profile::Isp => "isp",
        }
    }

    /// True where NATs tell in log lines.
    pub fn is_syslog(self) -> bool {
        matches!(self, Profile::Hotel | Profile::School)
    }

    /// Subscribers when the plan names no number.
    pub fn default_subscribers(self) -> u32 {
        match self {
            Profile::Small => 50,
            Profile::Hotel => 80,
            Profile::School => 240,
            Profile::Isp => 2_000,
        }
    }
}

impl FromStr for Profile {
    type Err = SimError;

    fn from_str(text: &str) -> Result<Profile, SimError> {
        [Profile::Small, Profile::Hotel, Profile::School, Profile::Isp]
            .into_iter()
            .find(|p| p.name() == text)
            .ok_or_else(|| SimError::Plan(format!("no profile is called {text:?}: use small, hotel, school or isp")))
    }
}

/// Which time the headers of export datagrams carry in [`Mode::Fast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderTime {
    /// Simulated time: bytes depend on the plan alone. The collector must not estimate a clock offset from it: set the source to
    /// `clock = "trust"`.
    Simulated,
    /// The time of sending, as a real exporter that is late with its records would write: the collector's estimate stays right, and a
    /// clock offset asked for by the plan can be measured.
    Sending,
}

/// How simulated time and real time relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Simulated time is real time, from now on, until stopped or until the duration has passed.
    Live {
        /// Length in milliseconds; `None` plays until stopped.
        duration_ms: Option<i64>,
    },
    /// A history that ends about now is sent as fast as the datagram rate allows.
    Fast {
        /// Length of the history in milliseconds.
        history_ms: i64,
        /// Export datagrams a second at most, all exporters together (UDP has no back-pressure); 0 for no limit.
        datagrams_per_second: u32,
        /// What export headers say.
        header_time: HeaderTime,
    },
}

/// What goes wrong on request. Faults never change the network or its truth, only what is sent of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Probability that an export datagram is lost.
    pub loss: f64,
    /// Probability that an export datagram is sent twice.
    pub duplicates: f64,
    /// Export datagrams may be overtaken by up to this many later ones; 0 keeps the order.
    pub reorder: u32,
    /// Probability that a RADIUS request is lost before the server sees it (it is then retransmitted).
    pub radius_loss: f64,
    /// A NAS (by name) loses power at this many milliseconds after the start.
    pub nas_reboots: Vec<(String, i64)>,
    /// An exporter's (by name) clock is ahead by this many milliseconds (behind when negative).
    pub clock_offsets: Vec<(String, i64)>,
    /// An exporter (by name) restarts its export process at this many milliseconds after the start.
    pub exporter_restarts: Vec<(String, i64)>,
}

/// Where export datagrams and accounting requests go. What has no address is not sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Targets {
    /// The collector of IPFIX.
    pub ipfix: Option<SocketAddr>,
    /// The collector of NetFlow v9; the IPFIX one when absent.
    pub netflow9: Option<SocketAddr>,
    /// The collector of log lines over UDP.
    pub syslog_udp: Option<SocketAddr>,
    /// The collector of log lines over TCP.
    pub syslog_tcp: Option<SocketAddr>,
    /// The RADIUS accounting server.
    pub radius: Option<SocketAddr>,
    /// The secret shared with the RADIUS server.
    pub radius_secret: Vec<u8>,
}

/// Everything that decides what is played. Two runs of one plan differ in nothing but the time they begin at.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The network.
    pub profile: Profile,
    /// The seed of every random choice.
    pub seed: u64,
    /// NAT events (creates and deletes) a simulated second.
    pub rate: u32,
    /// Subscribers, all realms together; the profile's number when `None`.
    pub subscribers: Option<u32>,
    /// Simulated and real time.
    pub mode: Mode,
    /// Stop after this many NAT events.
    pub events: Option<u64>,
    /// Collectors.
    pub targets: Targets,
    /// Source address of every exporter and NAS. `None`: each its own 127.0.0.x for `isp` with loopback collectors, else chosen by the system.
    pub bind: Option<IpAddr>,
    /// The file that says what was true.
    pub truth: Option<PathBuf>,
    /// Re-use ports, blocks and addresses within milliseconds instead of holding them.
    pub reuse: bool,
    /// How long a freed external port or block is held, in milliseconds (RFC 6888 REQ-8: 120 s).
    pub hold_ms: i64,
    /// Log a quarter of the subscribers' mappings as binding information base entries (RFC 8158 events 8 to 11).
    pub bib: bool,
    /// Give some subscribers a public address of their own through address bindings (RFC 8158 events 14 and 15).
    pub bindings: bool,
    /// Mean length of a subscriber's session in milliseconds; chosen from the mode when `None`.
    pub session_ms: Option<i64>,
    /// Interval of interim updates in milliseconds; chosen from the mode when `None`.
    pub interim_ms: Option<i64>,
    /// Share of accounting requests a NAS sends one to three seconds late, with Acct-Delay-Time.
    pub late_accounting: f64,
    /// Accounting requests without an answer a NAS keeps in flight.
    pub radius_window: usize,
    /// Milliseconds until the first retransmission; it doubles up to 16 s.
    pub radius_retry_ms: i64,
    /// Attempts before a request is given up.
    pub radius_attempts: u32,
    /// What goes wrong.
    pub faults: Faults,
}

impl Plan {
    /// A plan with the defaults of a profile: one minute of history at 1,000 events a second, sent fast, nothing going wrong.
    pub fn new(profile: Profile, seed: u64) -> Plan {
        Plan {
            profile,
            seed,
            rate: 1_000,
            subscribers: None,
            mode: Mode::Fast { history_ms: 60_000, datagrams_per_second: 2_000, header_time: HeaderTime::Simulated },
            events: None,
            targets: Targets::default(),
            bind: None,
            truth: None,
            reuse: false,
            hold_ms: 120_000,
            bib: false,
            bindings: false,
            session_ms: None,
            interim_ms: None,
            late_accounting: 0.01,
            radius_window: 128,
            radius_retry_ms: 2_000,
            radius_attempts: 6,
            faults: Faults::default(),
        }
    }

    /// Subscribers of this plan.
    pub fn subscriber_count(&self) -> u32 {
        self.subscribers.unwrap_or_else(|| self.profile.default_subscribers())
    }

    /// Length in milliseconds, `None` when it plays until stopped.
    pub fn length_ms(&self) -> Option<i64> {
        match self.mode {
            Mode::Live { duration_ms } => duration_ms,
            Mode::Fast { history_ms, .. } => Some(history_ms),
        }
    }

    /// Mean session length: a fifth of a history, so that every address passes on several times; minutes when live.
    pub fn session_mean_ms(&self) -> i64 {
        let live = match self.profile {
            Profile::Small => 600_000,
            Profile::Hotel => 120_000,
            Profile::School => 600_000,
            Profile::Isp => 1_800_000,
        };
        let scaled = self.length_ms().map_or(live, |ms| (ms / 5).clamp(10_000, live));
        self.session_ms.unwrap_or(scaled)
    }

    /// Interval of interim updates.
    pub fn interim_interval_ms(&self) -> i64 {
        self.interim_ms.unwrap_or_else(|| self.length_ms().map_or(300_000, |ms| (ms / 4).clamp(10_000, 300_000)))
    }

    /// Milliseconds within which the first subscribers log in.
    pub fn ramp_ms(&self) -> i64 {
        self.length_ms().map_or(3_000, |ms| (ms / 20).clamp(1, 3_000))
    }

    /// The clock offset of an exporter in milliseconds.
    pub fn offset_of(&self, exporter: &str) -> i64 {
        self.faults.clock_offsets.iter().find(|(name, _)| name == exporter).map_or(0, |(_, ms)| *ms)
    }

    /// The source address for the `n`-th exporter (`kind` 0) or NAS (`kind` 1) towards `to`.
    pub fn bind_for(&self, kind: u8, n: usize, to: SocketAddr) -> SocketAddr {
        let ip = match (self.bind, to.ip()) {
            (Some(ip), _) => ip,
            (None, IpAddr::V4(v4)) if v4.is_loopback() && self.profile == Profile::Isp => {
                IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11 + 10 * kind + (n as u8).min(9)))
            }
            (None, IpAddr::V4(v4)) if v4.is_loopback() && self.profile == Profile::School => {
                IpAddr::V4(Ipv4Addr::new(127, 0, 0, 31 + 10 * kind + (n as u8).min(9)))
            }
            (None, IpAddr::V4(v4)) if v4.is_loopback() && self.profile == Profile::Hotel => IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)),
            (None, IpAddr::V4(v4)) if v4.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            (None, IpAddr::V4(_)) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            (None, IpAddr::V6(_)) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        };
        SocketAddr::new(ip, 0)
    }

    /// Checks the plan by itself; names are checked against the network by [`crate::network::Network::of`].
    pub fn check(&self) -> Result<(), SimError> {
        let bad = |text: String| Err(SimError::Plan(text));
        let subs = self.subscriber_count();
        if subs == 0 || subs > limits::SUBSCRIBERS_MAX {
            return bad(format!("{subs} subscribers: choose 1 to {}", limits::SUBSCRIBERS_MAX));
        }
        if self.profile != Profile::Isp && subs > 2_000 {
            return bad(format!("{subs} subscribers do not fit profile {}: choose at most 2000, or profile isp", self.profile.name()));
        }
        if self.rate == 0 || self.rate > limits::RATE_MAX {
            return bad(format!("rate {}: choose 1 to {} events a second", self.rate, limits::RATE_MAX));
        }
        if let Some(ms) = self.length_ms().filter(|ms| !(1..=limits::RUN_MS_MAX).contains(ms)) {
            return bad(format!("length {ms} ms: choose 1ms to {}", format_duration_ms(limits::RUN_MS_MAX)));
        }
        let f = &self.faults;
        let shares =
            [("loss", f.loss), ("duplicates", f.duplicates), ("radius loss", f.radius_loss), ("late accounting", self.late_accounting)];
        if let Some((name, p)) = shares.into_iter().find(|(_, p)| !(0.0..1.0).contains(p)) {
            return bad(format!("{name} {p}: choose a share from 0 to below 1"));
        }
        if f.loss > 0.0 && self.profile.is_syslog() {
            // Nobody can know of a line that was lost: log lines have no numbers. What would then be true of an answer cannot be said.
            return bad(format!("log lines that are lost cannot be missed: choose loss 0 with profile {}", self.profile.name()));
        }
        if !f.clock_offsets.is_empty() && self.profile.is_syslog() {
            return bad(format!(
                "the clocks of log lines are taken as they are: choose no clock offset with profile {}",
                self.profile.name()
            ));
        }
        if f.reorder > limits::REORDER_MAX {
            return bad(format!("reordering over {} datagrams: choose at most {}", f.reorder, limits::REORDER_MAX));
        }
        if !(0..=3_600_000).contains(&self.hold_ms) {
            return bad(format!("ports held for {} ms: choose 0 to 1h", self.hold_ms));
        }
        let intervals = [("session length", self.session_mean_ms()), ("interim interval", self.interim_interval_ms())];
        if let Some((name, ms)) = intervals.into_iter().find(|(_, ms)| !(1_000..=30 * weir_base::time::DAY_MS).contains(ms)) {
            return bad(format!("{name} {ms} ms: choose 1s to 30d"));
        }
        if !(1..=limits::RADIUS_WINDOW_MAX).contains(&self.radius_window) || self.radius_retry_ms < 10 || self.radius_attempts == 0 {
            return bad("the RADIUS window is 1 to 256, the first retransmission after 10 ms or more, with at least one attempt".into());
        }
        if self.targets.radius.is_some() && self.targets.radius_secret.is_empty() {
            return bad("RADIUS needs the secret it shares with the server".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_plan_says_what_to_do() {
        type Change = fn(&mut Plan);
        let cases: [(&str, Change); 12] = [
            ("subscribers", |p| p.subscribers = Some(0)),
            ("profile isp", |p| p.subscribers = Some(5_000)),
            ("rate", |p| p.rate = 0),
            ("length", |p| p.mode = Mode::Live { duration_ms: Some(0) }),
            ("loss", |p| p.faults.loss = 1.0),
            ("cannot be missed", |p| (p.profile, p.faults.loss) = (Profile::School, 0.1)),
            ("clock offset", |p| (p.profile, p.faults.clock_offsets) = (Profile::Hotel, vec![("nat-hotel".into(), 5)])),
            ("duplicates", |p| p.faults.duplicates = -0.1),
            ("reordering", |p| p.faults.reorder = 1_000_000),
            ("held", |p| p.hold_ms = -1),
            ("window", |p| p.radius_window = 257),
            ("secret", |p| p.targets.radius = Some(([127, 0, 0, 1], 1813).into())),
        ];
        Plan::new(Profile::Small, 1).check().unwrap();
        for (word, change) in cases {
            let mut plan = Plan::new(Profile::Small, 1);
            change(&mut plan);
            let said = plan.check().unwrap_err().to_string();
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!("big".parse::<Profile>().unwrap_err().to_string().contains("small, hotel, school or isp"));
    }

    #[test]
    fn sources_are_told_apart_on_loopback() {
        let to: SocketAddr = ([127, 0, 0, 1], 4739).into();
        let mut plan = Plan::new(Profile::Isp, 1);
        assert_eq!(plan.bind_for(0, 2, to).to_string(), "127.0.0.13:0");
        assert_eq!(plan.bind_for(1, 0, to).to_string(), "127.0.0.21:0");
        plan.bind = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(plan.bind_for(0, 2, to).to_string(), "127.0.0.1:0");
        let small = Plan::new(Profile::Small, 1);
        assert_eq!(small.bind_for(0, 0, to).to_string(), "127.0.0.1:0");
        assert_eq!(small.bind_for(0, 0, ([192, 0, 2, 1], 4739).into()).to_string(), "0.0.0.0:0");
    }
}
