//! The options of `weir size`.

use clap::{Args, ValueEnum};

/// What the translators tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogArg {
    /// Every session, when it begins and when it ends
    Sessions,
    /// Blocks of ports, when they are given and taken back; each is counted as a session, for want of a measurement
    Blocks,
    /// Nothing: the mapping is computed from the configuration (RFC 7422, Juniper, one to one)
    Deterministic,
    /// Nothing is translated: logins alone
    None,
}

/// `weir size`.
#[derive(Args, Clone, Debug)]
pub struct SizeArgs {
    /// Subscribers: lines, rooms, pupils, whoever has an inside address of their own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub subscribers: u64,
    /// What the translators tell
    #[arg(long, value_enum, default_value = "sessions")]
    pub log: LogArg,
    /// Keep the remote ends of sessions
    #[arg(long)]
    pub remotes: bool,
    /// Connections of a subscriber on a day; 33000 is the estimate of RFC 7422
    #[arg(long, value_name = "N", default_value_t = 33_000, value_parser = clap::value_parser!(u64).range(0..=100_000_000))]
    pub connections: u64,
    /// Blocks of ports that a subscriber is given on a day, with --log blocks
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    pub blocks: u64,
    /// Logins of a subscriber on a day, as RADIUS accounting tells them
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    pub logins: u64,
    /// Minutes between interim updates of a session that is on all day; 0 for none
    #[arg(long, value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=1_440))]
    pub interim: u64,
    /// Log lines of all machines together on a day
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1_000_000_000_000))]
    pub lines: u64,
    /// Days that records are kept
    #[arg(long, value_name = "DAYS", default_value_t = 184, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    pub days: u64,
    /// How many times the busiest minutes are above the average of the day
    #[arg(long, value_name = "FACTOR", default_value_t = 3.0, value_parser = factor)]
    pub busy: f64,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|f| (1.0..=1_000.0).contains(f));
    factor.ok_or_else(|| format!("{text:?} is not a factor: write a number from 1 to 1000, e.g. 3"))
}

impl SizeArgs {
    /// Those that are left out, for this many subscribers.
    #[cfg(test)]
    pub fn of(subscribers: u64, log: LogArg) -> SizeArgs {
        SizeArgs {
            subscribers,
            log,
            remotes: false,
            connections: 33_000,
            blocks: 24,
            logins: 2,
            interim: 10,
            lines: 0,
            days: 184,
            busy: 3.0,
            json: false,
        }
    }
}
