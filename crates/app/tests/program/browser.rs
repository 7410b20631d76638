//! A small browser: HTTP/1.1 over loopback, one cookie jar, the CSRF token of its session.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use ring::hmac;
use serde_json::{Value, json};

use crate::common::now_ms;

/// Somebody's browser.
pub struct Browser {
    at: SocketAddr,
    cookies: BTreeMap<String, String>,
    csrf: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, of an answer that went well.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The code of a problem.
    pub fn problem(&self) -> (u16, String) {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        (self.status, value["type"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default().to_owned())
    }
}

impl Browser {
    /// A fresh one, which has opened the desk's page.
    pub fn new(at: SocketAddr) -> Browser {
        let mut browser = Browser { at, cookies: BTreeMap::new(), csrf: String::new() };
        browser.session();
        browser
    }

    /// Who is signed in.
    pub fn session(&mut self) -> Value {
        let session = self.get("/api/v1/session").ok();
        self.csrf = session["csrf"].as_str().unwrap().to_owned();
        session
    }

    /// Asks for a page.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None, &[])
    }

    /// Sends JSON.
    pub fn post(&mut self, path: &str, body: &Value) -> Answer {
        let csrf = self.csrf.clone();
        self.send("POST", path, Some(body), &[("X-Weir-CSRF", &csrf)])
    }

    /// Sends JSON as somebody who reads Chinese; the answer, whatever it is.
    pub fn post_in_chinese(&mut self, path: &str, body: &Value) -> Value {
        let csrf = self.csrf.clone();
        let answer = self.send("POST", path, Some(body), &[("X-Weir-CSRF", &csrf), ("Accept-Language", "zh-CN")]);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Sends JSON and leaves the answer to whoever reads the connection.
    pub fn begin(&self, path: &str, body: &Value) -> TcpStream {
        self.request("POST", path, Some(body), &[("X-Weir-CSRF", &self.csrf)])
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>, more: &[(&str, &str)]) -> TcpStream {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n", self.at, body.len());
        if !body.is_empty() {
            head.push_str("Content-Type: application/json\r\n");
        }
        if !self.cookies.is_empty() {
            let all: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            head.push_str(&format!("Cookie: {}\r\n", all.join("; ")));
        }
        more.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        stream
    }

    /// Sends a request as it is.
    pub fn send(&mut self, method: &str, path: &str, body: Option<&Value>, more: &[(&str, &str)]) -> Answer {
        let mut stream = self.request(method, path, body, more);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("{path}: no answer"));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let body = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            unchunked(&bytes[end + 4..])
        } else {
            bytes[end + 4..].to_vec()
        };
        for line in head.lines().filter(|l| l.to_ascii_lowercase().starts_with("set-cookie:")) {
            let (name, value) = line[11..].trim().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), body }
    }

    /// What its cookies hold.
    pub fn cookies(&self) -> Vec<String> {
        self.cookies.values().cloned().collect()
    }

    /// Becomes an account by a one-use link or its token.
    pub fn accept(&mut self, link: &str, login: &str, password: &str) -> Value {
        let token = link.trim().rsplit('/').next().unwrap();
        let body = json!({ "token": token, "login": login, "display": format!("Person {login}"), "password": password });
        self.post("/api/v1/invitations/accept", &body).ok();
        self.session()
    }

    /// Sets TOTP up, which every role needs; the secret.
    pub fn enrol(&mut self) -> Vec<u8> {
        let begun = self.post("/api/v1/me/totp/begin", &json!({})).ok();
        let secret = base32(begun["secret"].as_str().unwrap());
        self.post("/api/v1/me/totp/finish", &json!({ "code": totp(&secret, now_ms() / 1_000) })).ok();
        let session = self.session();
        assert!(session["next"].is_null(), "{session}");
        secret
    }

    /// Asks for an account during set-up; its link.
    pub fn invite(&mut self, role: &str) -> String {
        let asked = json!({ "display": format!("New {role}"), "roles": [role], "reason": "the unit is being set up" });
        let made = self.post("/api/v1/accounts", &asked).ok();
        assert_eq!(made["state"], "done", "{made}");
        made["link"].as_str().unwrap().to_owned()
    }
}

/// The desk's address, from the link file or `ports.json`.
pub fn desk_of(data: &Path) -> SocketAddr {
    let ports: Value = serde_json::from_slice(&std::fs::read(data.join("ports.json")).unwrap()).unwrap();
    ports["desk"][0].as_str().unwrap_or_else(|| panic!("no desk: {ports}")).parse().unwrap()
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(2).position(|w| w == b"\r\n") {
        let len = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap().trim(), 16).unwrap();
        if len == 0 {
            return out;
        }
        out.extend_from_slice(&bytes[end + 2..end + 2 + len]);
        bytes = &bytes[end + 4 + len..];
    }
    panic!("a chunked body without its end");
}

fn base32(text: &str) -> Vec<u8> {
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for c in text.bytes().filter(|c| *c != b'=' && *c != b' ') {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            _ => c - b'2' + 26,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

/// RFC 6238 with six digits and 30 seconds.
pub fn totp(secret: &[u8], seconds: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let mac = hmac::sign(&key, &(seconds as u64 / 30).to_be_bytes());
    let mac = mac.as_ref();
    let at = usize::from(mac[19] & 15);
    let number = u32::from_be_bytes(mac[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[test]
fn codes_are_those_of_the_standard() {
    // RFC 6238 appendix B, the last six of its eight digits.
    for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
        assert_eq!(totp(b"12345678901234567890", seconds), code);
    }
    assert_eq!(base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), b"12345678901234567890");
}
