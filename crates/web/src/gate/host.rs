//! Under which names the desk answers. An unknown name is refused: a foreign page whose name is pointed at this address (DNS rebinding) gets
//! nothing. Addresses are let through, for rebinding needs a name.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

use crate::model::problem::{Code, Problem};

/// Names the desk is reached by.
#[derive(Clone, Debug)]
pub struct Names {
    names: Vec<String>,
    secure: bool,
    /// A proxy before it ends TLS and says who asks.
    pub proxied: bool,
}

/// Where a browser thinks it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    /// `https://desk.example.cn:8443`.
    pub origin: String,
    /// The host without its port.
    pub host: String,
}

impl Names {
    /// These names, over TLS (its own or a proxy's) or in clear.
    pub fn new(names: &[String], secure: bool, proxied: bool) -> Names {
        Names { names: names.iter().map(|n| n.to_ascii_lowercase()).collect(), secure, proxied }
    }

    /// Browsers reach it over TLS.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// The one `Host` of a request, if it is ours.
    ///
    /// # Errors
    /// There is none, there are two, or it is not ours.
    pub fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<Here, Box<Problem>> {
        let mut all = headers.get_all(HOST).iter();
        let one = all.next().filter(|_| all.next().is_none()).and_then(|h| h.to_str().ok());
        // A request line with a whole URL (RFC 9112 section 3.2.2) must not say another host than the header.
        let same = |text: &&str| uri.authority().is_none_or(|a| a.as_str().eq_ignore_ascii_case(text));
        let text = one.filter(same).map(str::to_ascii_lowercase);
        let found = text.and_then(|text| {
            let host = host_of(&text)?.to_owned();
            let ours = host == "localhost" || host.parse::<IpAddr>().is_ok() || self.names.contains(&host);
            ours.then(|| Here { origin: format!("{}://{text}", if self.secure { "https" } else { "http" }), host })
        });
        found.ok_or_else(|| {
            Problem::boxed(
                Code::Host,
                "The desk does not answer under this name.",
                "Use one of its names, or add this one to desk.names in the configuration.",
            )
        })
    }

    /// The `Origin` of a request, where it has one, is this very place.
    pub fn same_origin(here: &Here, headers: &HeaderMap) -> bool {
        let site = headers.get("sec-fetch-site").is_none_or(|s| matches!(s.as_bytes(), b"same-origin" | b"none"));
        site && headers.get_all(ORIGIN).iter().all(|o| o.as_bytes().eq_ignore_ascii_case(here.origin.as_bytes()))
    }
}

/// The host of `host:port`; an IPv6 address without its brackets.
fn host_of(text: &str) -> Option<&str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':').map_or(port.is_empty().then_some(""), Some)?)
        }
        None => text.split_once(':').map_or((text, ""), |(host, port)| (host, port)),
    };
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'_');
    (!host.is_empty()
        && host.bytes().all(good)
        && (port.is_empty() || port.parse::<u16>().is_ok_and(|_| port.bytes().all(|b| b.is_ascii_digit()))))
    .then_some(host)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for v in values {
            headers.append(name, HeaderValue::from_str(v).unwrap());
        }
        headers
    }

    #[test]
    fn only_names_of_ours_and_addresses_are_answered() {
        let names = Names::new(&["Desk.example.cn".to_owned()], true, false);
        let here = |hosts: &[&str], uri: &str| names.check(&headers("host", hosts), &uri.parse().unwrap()).ok();
        for (host, without_port) in [
            ("desk.example.cn", "desk.example.cn"),
            ("DESK.example.cn:8443", "desk.example.cn"),
            ("localhost:1", "localhost"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("[::1]", "::1"),
        ] {
            let found = here(&[host], "/").unwrap();
            assert_eq!((found.origin, found.host.as_str()), (format!("https://{}", host.to_lowercase()), without_port));
        }
        for bad in [
            "evil.example",
            "desk.example.cn.evil.example",
            "",
            "a@desk.example.cn",
            "desk.example.cn:x",
            "desk.example.cn:+1",
            "[::1]x",
            "[x]",
            "::1",
        ] {
            assert_eq!(here(&[bad], "/"), None, "{bad}");
        }
        assert_eq!(here(&[], "/"), None);
        assert_eq!(here(&["desk.example.cn", "desk.example.cn"], "/"), None);
        assert_eq!(here(&["desk.example.cn"], "http://evil.example/"), None);
        assert!(here(&["desk.example.cn"], "http://desk.example.cn/").is_some());
    }

    #[test]
    fn another_origin_is_seen() {
        let here = Here { origin: "https://desk.example.cn:8443".into(), host: "desk.example.cn".into() };
        let same = |values: &[&str]| Names::same_origin(&here, &headers("origin", values));
        assert!(same(&[]) && same(&["https://desk.example.cn:8443"]));
        for bad in ["null", "https://desk.example.cn", "http://desk.example.cn:8443", "https://evil.example", ""] {
            assert!(!same(&[bad]), "{bad}");
        }
        assert!(!same(&["https://desk.example.cn:8443", "https://evil.example"]));
        assert!(!Names::same_origin(&here, &headers("sec-fetch-site", &["cross-site"])));
        assert!(!Names::same_origin(&here, &headers("sec-fetch-site", &["same-site"])));
    }
}
