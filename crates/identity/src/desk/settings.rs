//! What the configuration says about the desk.

use std::fmt;

use super::limits::{MASS_READ, NAME_IN_PASSWORD_BYTES, SESSION_IDLE_MS, SESSION_MS};
use super::password::Cost;

/// An origin the desk is reached at (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `https`, or `http` on the loopback.
    pub scheme: String,
    /// Host name or address; an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Origin {
    /// An origin from its text, e.g. `https://weir.example.org:8443`.
    pub fn parse(text: &str) -> Option<Origin> {
        let (scheme, rest) = text.split_once("://")?;
        let default = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let (host, port) = match rest.strip_prefix('[') {
            Some(v6) => {
                let (host, port) = v6.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some("")))
            }
            None => rest.split_once(':').map_or((rest, Some("")), |(host, port)| (host, Some(port))),
        };
        let port = match port? {
            "" => default,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            _ => return None,
        };
        let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-' | b':');
        (!host.is_empty() && host.len() <= 253 && host.bytes().all(good)).then(|| Origin { scheme: scheme.into(), host: host.into(), port })
    }

    /// True for a host that passkeys can be made for: a name, not an address.
    pub fn has_name(&self) -> bool {
        self.host.parse::<std::net::IpAddr>().is_err()
    }
}

impl Settings {
    /// The words of the names this desk is reached at, in lower case: what a guesser reads in the address bar.
    pub fn names(&self) -> Vec<String> {
        let named = self.origins.iter().filter(|o| o.has_name());
        let words = named.flat_map(|o| o.host.split(['.', '-'])).filter(|w| w.len() >= NAME_IN_PASSWORD_BYTES);
        let mut all: Vec<String> = words.map(str::to_lowercase).collect();
        all.sort_by_key(|w| std::cmp::Reverse(w.len()));
        all.dedup();
        all
    }
}

impl fmt::Display for Origin {
    /// As a browser writes it: the port only when it is not the scheme's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.scheme.as_str(), self.port) {
            ("https", 443) | ("http", 80) => write!(f, "{}://{host}", self.scheme),
            (scheme, port) => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}

/// An OpenID provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    /// Name in URLs.
    pub name: String,
    /// Title on the button.
    pub title: String,
    /// Its issuer, exactly as its discovery document says.
    pub issuer: String,
    /// Our client id there.
    pub client: String,
    /// Our client secret there; empty for a public client.
    pub secret: String,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("name", &self.name).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What the configuration says about the desk.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Origins the desk is reached at: what passkeys are bound to and what unsafe requests may come from.
    pub origins: Vec<Origin>,
    /// OpenID providers.
    pub providers: Vec<Provider>,
    /// How long a session lives without use, in milliseconds.
    pub idle_ms: i64,
    /// How long a session lives at most, in milliseconds.
    pub session_ms: i64,
    /// What a password check costs.
    pub cost: Cost,
    /// Questions of one account within an hour above which the desk says so.
    pub mass_read: u64,
    /// Title of the unit, shown by authenticators.
    pub title: String,
    /// A demonstration: nobody in it exists.
    pub demo: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            origins: Vec::new(),
            providers: Vec::new(),
            idle_ms: SESSION_IDLE_MS,
            session_ms: SESSION_MS,
            cost: Cost::default(),
            mass_read: MASS_READ,
            title: "Weir".into(),
            demo: false,
        }
    }
}

impl Settings {
    /// The provider of this name.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|p| p.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        for (text, host, port) in [
            ("https://weir.example.org", "weir.example.org", 443),
            ("https://weir.example.org:8443", "weir.example.org", 8443),
            ("http://localhost:8080", "localhost", 8080),
            ("http://[::1]:8080", "::1", 8080),
            ("http://[::1]", "::1", 80),
        ] {
            let origin = Origin::parse(text).unwrap();
            assert_eq!((origin.host.as_str(), origin.port, origin.to_string().as_str()), (host, port, text));
        }
        for bad in [
            "",
            "weir",
            "ftp://a",
            "https://",
            "https://A",
            "https://a/b",
            "https://a:x",
            "https://a:+1",
            "https://a:65536",
            "http://[::1",
            "http://[x]",
            "http://::1",
            "https://a@b",
            "null",
            "https://a:443:1",
        ] {
            assert_eq!(Origin::parse(bad), None, "{bad}");
        }
        assert!(Origin::parse("http://localhost").unwrap().has_name() && !Origin::parse("http://[::1]").unwrap().has_name());
    }
}
