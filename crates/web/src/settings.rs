//! What the desk's HTTP side is told: where to listen, under which names, with which certificate, whom to trust.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use weir_identity::desk::Origin;

use crate::client::Client;
use crate::limits;
use crate::tls::files::Files;

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
    /// Between looks at whether a certificate is to be renewed.
    pub acme: Duration,
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
            acme: Duration::from_millis(limits::ACME_LOOK_MS),
        }
    }
}

/// What is wrong with the settings themselves: sentences that begin with the setting's name.
pub fn wrong(settings: &Settings) -> Vec<String> {
    let mut all = Vec::new();
    let mut say = |what: String| all.push(what);
    if settings.listen.is_empty() || settings.listen.len() > limits::LISTENERS {
        say(format!("desk.listen: name 1 to {} addresses", limits::LISTENERS));
    }
    if settings.names.len() > limits::NAMES {
        say(format!("desk.names: there are more than {} names", limits::NAMES));
    }
    for name in settings.names.iter().filter(|n| !is_name(n)) {
        say(format!("desk.names: {name:?} is not a host name: write it as desk.example.cn, without port or scheme"));
    }
    if settings.tls == Tls::Clear
        && let Some(open) = settings.listen.iter().find(|a| !a.ip().to_canonical().is_loopback())
    {
        say(format!(
            "desk.listen: {open} can be reached from other machines, and without TLS passwords could be read on the way: set desk.tls to \"own\", \
             \"files\" or \"acme\", or listen on 127.0.0.1"
        ));
    }
    if let Some(url) = &settings.url {
        let good = Origin::parse(url).is_some_and(|o| o.scheme == "https" && o.has_name());
        if !good {
            say(format!(
                "desk.url: {url:?} is not an address of a site: write it as https://desk.example.cn, in lower case, without a path"
            ));
        }
        if settings.tls != Tls::Clear {
            say("desk.url: it is for a proxy before the desk that ends TLS: take it away, or set desk.tls to \"clear\"".to_owned());
        }
    }
    if let Tls::Acme { directory, contact } = &settings.tls {
        if settings.names.is_empty() || settings.names.iter().any(|n| n.parse::<std::net::IpAddr>().is_ok()) {
            say("desk.names: an ACME authority needs the host names that the certificate is for, no addresses".to_owned());
        }
        if !directory.starts_with("https://") {
            say(format!("desk.acme.directory: {directory:?} is not an https URL"));
        }
        for one in contact.iter().filter(|c| !c.starts_with("mailto:")) {
            say(format!("desk.acme.contact: {one:?} must begin with mailto:"));
        }
    }
    all
}

fn is_name(name: &str) -> bool {
    let label = |l: &str| {
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !l.is_empty() && l.len() <= 63 && l.bytes().all(good) && !l.starts_with('-') && !l.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// What is wrong with the files that the settings name. For checking a configuration before it is used.
pub fn check_files(settings: &Settings) -> Option<String> {
    match &settings.tls {
        Tls::Clear | Tls::Own => None,
        // A file that is not named is a problem of the settings.
        Tls::Files { certificate, key } if certificate.as_os_str().is_empty() || key.as_os_str().is_empty() => None,
        Tls::Files { certificate, key } => Files::open(certificate.clone(), key.clone()).err().map(|e| format!("desk.tls: {e}")),
        Tls::Acme { .. } => Client::new(&settings.ca_file).err().map(|e| format!("desk.ca_file: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(listen: &[&str], tls: Tls) -> Settings {
        Settings {
            listen: listen.iter().map(|a| a.parse().unwrap()).collect(),
            tls,
            names: vec!["desk.example.cn".into()],
            url: None,
            folder: PathBuf::new(),
            ca_file: SYSTEM_CA.into(),
            version: String::new(),
            times: Times::default(),
        }
    }

    #[test]
    fn without_tls_only_this_machine_is_served() {
        for good in ["127.0.0.1:0", "[::1]:0", "127.9.9.9:1", "[::ffff:127.0.0.1]:0"] {
            assert_eq!(wrong(&settings(&[good], Tls::Clear)), Vec::<String>::new(), "{good}");
        }
        for bad in ["0.0.0.0:0", "[::]:0", "192.0.2.1:443", "[2001:db8::1]:443", "[::ffff:192.0.2.1]:1"] {
            let said = wrong(&settings(&["127.0.0.1:0", bad], Tls::Clear));
            assert!(said.len() == 1 && said[0].contains("desk.tls"), "{said:?}");
            assert_eq!(wrong(&settings(&[bad], Tls::Own)), Vec::<String>::new(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let acme = |directory: &str, contact: &str| Tls::Acme { directory: directory.into(), contact: vec![contact.into()] };
        let good = settings(&["0.0.0.0:443"], acme("https://acme.example/dir", "mailto:a@example.cn"));
        assert_eq!(wrong(&good), Vec::<String>::new());
        let clear = settings(&["127.0.0.1:0"], Tls::Clear);
        for (bad, name) in [
            (Settings { listen: vec![], ..good.clone() }, "desk.listen"),
            (Settings { names: vec!["https://x".into()], ..good.clone() }, "desk.names"),
            (Settings { names: vec![], ..good.clone() }, "desk.names"),
            (Settings { names: vec!["192.0.2.1".into()], ..good.clone() }, "desk.names"),
            (Settings { tls: acme("http://acme.example/dir", "mailto:a"), ..good.clone() }, "desk.acme.directory"),
            (Settings { tls: acme("https://acme.example/dir", "a@example.cn"), ..good.clone() }, "desk.acme.contact"),
            (Settings { url: Some("https://desk.example.cn".into()), ..good.clone() }, "desk.url"),
            (Settings { url: Some("http://desk.example.cn".into()), ..clear.clone() }, "desk.url"),
            (Settings { url: Some("https://desk.example.cn/".into()), ..clear.clone() }, "desk.url"),
            (Settings { url: Some("https://192.0.2.1".into()), ..clear.clone() }, "desk.url"),
        ] {
            let said = wrong(&bad);
            assert!(said.iter().any(|s| s.starts_with(name)), "{name}: {said:?}");
        }
        assert_eq!(wrong(&Settings { url: Some("https://desk.example.cn".into()), ..clear }), Vec::<String>::new());
    }
}
