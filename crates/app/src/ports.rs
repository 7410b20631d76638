//! `ports.json` in the data folder: where the running program listens, for those who let the kernel choose the ports.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The file.
pub const FILE: &str = "ports.json";

/// Where the program listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// Process id.
    pub pid: u32,
    /// RADIUS accounting, UDP.
    pub radius: Vec<SocketAddr>,
    /// IPFIX and NetFlow v9, UDP.
    pub ipfix_udp: Vec<SocketAddr>,
    /// IPFIX, TCP.
    pub ipfix_tcp: Vec<SocketAddr>,
    /// Syslog, UDP.
    #[serde(default)]
    pub syslog_udp: Vec<SocketAddr>,
    /// Syslog, TCP.
    #[serde(default)]
    pub syslog_tcp: Vec<SocketAddr>,
    /// Syslog, TLS.
    #[serde(default)]
    pub syslog_tls: Vec<SocketAddr>,
    /// RELP.
    #[serde(default)]
    pub syslog_relp: Vec<SocketAddr>,
    /// H3C's flow log, UDP.
    #[serde(default)]
    pub h3c_udp: Vec<SocketAddr>,
    /// Application events, HTTP.
    #[serde(default)]
    pub events: Vec<SocketAddr>,
    /// Application events, HTTPS.
    #[serde(default)]
    pub events_tls: Vec<SocketAddr>,
    /// The desk, HTTP or HTTPS.
    #[serde(default)]
    pub desk: Vec<SocketAddr>,
    /// The desk, as a browser goes there.
    #[serde(default)]
    pub desk_url: Option<String>,
}

impl Ports {
    /// What the program in this folder wrote, if it did.
    pub fn read(data: &Path) -> Option<Ports> {
        fs::read(data.join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }

    /// Writes the file as a whole. It is a hint for people and tests, not a record: it is not synced.
    pub fn write(&self, data: &Path) -> std::io::Result<()> {
        let tmp = data.join("ports.json.tmp");
        fs::write(&tmp, serde_json::to_vec_pretty(self)?)?;
        fs::rename(&tmp, data.join(FILE))
    }

    /// Takes the file away.
    pub fn remove(data: &Path) {
        let _ = fs::remove_file(data.join(FILE));
    }
}
