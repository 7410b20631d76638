//! The options of `weir simulate`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which network is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileArg {
    /// 50 subscribers behind one NAT
    Small,
    /// 80 rooms behind one Linux box and one public address, told in log lines (syslog over TCP)
    Hotel,
    /// A school behind a Huawei USG that tells of sessions and a NAT444 device that tells of port blocks (syslog over UDP and TCP), with RADIUS
    School,
    /// An application that tells of sign-ins, sign-outs and failures over HTTP
    Forum,
    /// Three NATs with the same inside addresses in three realms
    Isp,
}

/// What the headers of export datagrams say when a history is sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HeaderArg {
    /// The time of the history, as if it were sent when it happened. What is lost is missed where it happened.
    Simulated,
    /// The time of sending, as an exporter that is late with its records. Not together with loss: gaps then lie at the time of sending
    Sending,
}

/// `weir simulate`.
#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
    /// The network
    #[arg(long, value_enum, default_value = "small")]
    pub profile: ProfileArg,
    /// NAT events a second of simulated time
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub rate: u32,
    /// The seed: the same seed plays the same network
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Write what is true into this file
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    pub truth: Option<PathBuf>,
    /// Ask every question about this truth file instead of playing, and judge the answers
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// Questions to ask with --check
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub questions: u64,
    /// Tolerance of each question with --check
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    pub skew: String,
    /// With --check: ask nothing about so much of the run's end, where no source has spoken later and every answer is unknown
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub guard: String,
    /// Length of the history, which ends about now, or of the play with --live
    #[arg(long = "for", value_name = "DURATION", default_value = "120s")]
    pub length: String,
    /// Play in real time instead of sending a history at once
    #[arg(long)]
    pub live: bool,
    /// Stop after so many NAT events
    #[arg(long, value_name = "N")]
    pub events: Option<u64>,
    /// Export datagrams a second at most; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub datagrams: u32,
    /// Subscribers, all realms together [default: the profile's]
    #[arg(long, value_name = "N")]
    pub subscribers: Option<u32>,
    /// Where IPFIX goes [default: what runs in --data, else 127.0.0.1:4739]
    #[arg(long, value_name = "ADDR:PORT")]
    pub ipfix: Option<SocketAddr>,
    /// Where NetFlow v9 goes [default: where IPFIX goes]
    #[arg(long, value_name = "ADDR:PORT")]
    pub netflow9: Option<SocketAddr>,
    /// Where log lines over UDP go [default: what runs in --data, else 127.0.0.1:514]
    #[arg(long, value_name = "ADDR:PORT")]
    pub syslog: Option<SocketAddr>,
    /// Where log lines over TCP go [default: what runs in --data, else 127.0.0.1:514]
    #[arg(long, value_name = "ADDR:PORT")]
    pub syslog_tcp: Option<SocketAddr>,
    /// Where the forum's events go, HTTP in the clear [default: what runs in --data, else 127.0.0.1:8480]
    #[arg(long, value_name = "ADDR:PORT")]
    pub events_to: Option<SocketAddr>,
    /// File with the forum's token [default: DIR/forum.token]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Share of the forum's requests whose connection is cut, to be sent again with the same key
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub cuts: f64,
    /// Where accounting goes [default: what runs in --data, else 127.0.0.1:1813]
    #[arg(long, value_name = "ADDR:PORT")]
    pub radius: Option<SocketAddr>,
    /// File with the shared secret [default: DIR/radius.secret]
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Source address of everything sent [default: one each for isp, hotel and school]
    #[arg(long, value_name = "ADDR")]
    pub bind: Option<IpAddr>,
    /// What export headers say when a history is sent at once [default: simulated, or sending with --clock-offset]
    #[arg(long, value_enum)]
    pub header_time: Option<HeaderArg>,
    /// Share of export datagrams that are lost, e.g. 0.01
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub loss: f64,
    /// Share of export datagrams (datagrams with a log line, requests of a forum) sent twice
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub duplicates: f64,
    /// How many later datagrams may overtake one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub reorder: u32,
    /// Share of accounting requests lost before they arrive
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub radius_loss: f64,
    /// A NAS loses power: NAME@TIME after the start, e.g. bras-home@20s; may be given again
    #[arg(long, value_name = "NAME@TIME")]
    pub nas_reboot: Vec<String>,
    /// An exporter restarts: NAME@TIME after the start; may be given again
    #[arg(long, value_name = "NAME@TIME")]
    pub exporter_restart: Vec<String>,
    /// An exporter's clock is off: NAME=1500ms or NAME=-1500ms; may be given again
    #[arg(long, value_name = "NAME=OFFSET", allow_hyphen_values = true)]
    pub clock_offset: Vec<String>,
    /// Take ports and addresses again within milliseconds
    #[arg(long)]
    pub reuse: bool,
    /// Log a quarter of the mappings as BIB entries
    #[arg(long)]
    pub bib: bool,
    /// Give some subscribers a public address of their own
    #[arg(long)]
    pub bindings: bool,
    /// Where the program's data is: its sockets and the secret are read from there
    #[arg(long, value_name = "DIR", default_value = "weir-data")]
    pub data: PathBuf,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}
