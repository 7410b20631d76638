//! Cookies (RFC 6265bis): read by name, written with everything that keeps them here.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::limits::SECRET_BYTES;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// The session's, or a visitor's: SameSite=Strict, until the browser closes.
    Session,
    /// Of a sign-in with an OpenID provider: SameSite=Lax, for the way back comes from the provider's site; ten minutes.
    Oidc,
}

impl Cookie {
    /// Its name; `__Host-` binds it to this host and to TLS.
    pub fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Cookie::Session, true) => "__Host-weir",
            (Cookie::Session, false) => "weir",
            (Cookie::Oidc, true) => "__Host-weir-oidc",
            (Cookie::Oidc, false) => "weir-oidc",
        }
    }

    /// Its value in a request; none when it stands there twice, is too long or has strange bytes.
    pub fn read(self, headers: &HeaderMap, secure: bool) -> Option<String> {
        let pairs = headers.get_all(COOKIE).iter().filter_map(|h| h.to_str().ok()).flat_map(|h| h.split(';'));
        let mut found = pairs.filter_map(|p| p.trim().split_once('=')).filter(|(name, _)| *name == self.name(secure)).map(|(_, v)| v);
        let value = found.next()?;
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        (found.next().is_none() && !value.is_empty() && value.len() <= SECRET_BYTES && value.bytes().all(good)).then(|| value.to_owned())
    }

    /// The header that sets it; an empty value takes it away.
    pub fn set(self, value: &str, secure: bool) -> Option<HeaderValue> {
        let same_site = if self == Cookie::Session { "Strict" } else { "Lax" };
        let age = match (self, value.is_empty()) {
            (_, true) => "; Max-Age=0",
            (Cookie::Oidc, false) => "; Max-Age=600",
            (Cookie::Session, false) => "",
        };
        let tls = if secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!("{}={value}; Path=/; HttpOnly; SameSite={same_site}{age}{tls}", self.name(secure))).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_when_it_stands_once() {
        for (header, found) in [
            ("weir=abc", Some("abc")),
            ("a=b; weir=abc; weir-oidc=x", Some("abc")),
            ("weir=abc; weir=abc", None),
            ("weir=", None),
            ("weir=a b", None),
            ("weir=\"abc\"", None),
            ("__Host-weir=abc", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(header));
            assert_eq!(Cookie::Session.read(&headers, false).as_deref(), found, "{header}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&format!("weir={}", "a".repeat(SECRET_BYTES + 1))).unwrap());
        assert_eq!(Cookie::Session.read(&headers, false), None);
    }

    #[test]
    fn a_cookie_is_kept_to_this_host() {
        assert_eq!(Cookie::Session.set("a", true).unwrap(), "__Host-weir=a; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(Cookie::Oidc.set("a", false).unwrap(), "weir-oidc=a; Path=/; HttpOnly; SameSite=Lax; Max-Age=600");
        assert_eq!(Cookie::Session.set("", false).unwrap(), "weir=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }
}
