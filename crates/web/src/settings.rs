//! What the desk's HTTP side is told: where to listen, under which names, with which certificate, whom to trust.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::limits;

/// Where certificates of public authorities lie on Debian.
pub const SYSTEM_CA: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What the desk is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses to listen on, at least one. Port 0: the kernel chooses.
    pub listen: Vec<SocketAddr>,
    /// How connections are protected.
    pub tls: Tls,
    /// Names under which people reach the desk, e.g. `desk.example.cn`. Addresses and `localhost` need not be named.
    pub names: Vec<String>,
    /// `https://desk.example.cn` where a proxy before the desk ends TLS; the desk then listens on loopback in clear.
    pub url: Option<String>,
    /// The folder for its certificate, key and ACME account; made with mode 0700 where it is absent.
    pub folder: PathBuf,
    /// PEM file of the authorities that OpenID providers (which the desk's own settings name) and ACME directories are checked against: [`SYSTEM_CA`] by default.
    pub ca_file: PathBuf,
    /// The program's version, for the API page and the session.
    pub version: String,
    /// How long things may take.
    pub times: Times,
}

/// How connections are protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: for loopback alone.
    Clear,
    /// A certificate of its own, made at the first start; its fingerprint is told.
    Own,
    /// Files; they are read again when they change.
    Files {
        /// Certificate chain, PEM.
        certificate: PathBuf,
        /// Private key, PEM, mode 0600.
        key: PathBuf,
    },
    /// From an ACME authority (RFC 8555), by TLS-ALPN-01 (RFC 8737): the authority connects to port 443 of each name.
    Acme {
        /// URL of the directory.
        directory: String,
        /// `mailto:` addresses, where the authority may write.
        contact: Vec<String>,
    },
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// A TLS handshake.
    pub handshake: Duration,
    /// The head of a request, and the wait for one.
    pub head: Duration,
    /// A body.
    pub body: Duration,
    /// A connection; from then on answers close it.
    pub connection: Duration,
    /// What remains to it then.
    pub rest: Duration,
    /// A reader of an export that takes nothing.
    pub stall: Duration,
    /// Between looks at certificate files.
    pub files: Duration,
}

impl Default for Times {
    fn default() -> Times {
        Times {
            handshake: Duration::from_millis(limits::HANDSHAKE_MS),
            head: Duration::from_millis(limits::HEAD_MS),
            body: Duration::from_millis(limits::BODY_MS),
            connection: Duration::from_millis(limits::CONNECTION_MS),
            rest: Duration::from_millis(limits::CONNECTION_REST_MS),
            stall: Duration::from_millis(limits::EXPORT_STALL_MS),
            files: Duration::from_millis(limits::FILES_MS),
        }
    }
}
