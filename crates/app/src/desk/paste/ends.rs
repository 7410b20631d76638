//! Finds addresses with their ports in text, in the ways logs write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::scan::is_word;

/// An address, and its port where one stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The address.
    pub address: IpAddr,
    /// Its port.
    pub port: Option<u16>,
    /// A number stands where the port does, and is none: not 1 to 65535.
    pub wrong_port: bool,
    /// Where it stands, with its port.
    pub span: (usize, usize),
    /// What the words before it say it is.
    pub side: Side,
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where it comes from.
    Source,
    /// Where it goes to.
    Destination,
    /// Not said.
    Unsaid,
}

/// Ends looked for in one line.
const MOST: usize = 16;

impl End {
    /// An IPv6 address whose last group may have been meant as a port: several digits of a decimal number.
    pub fn may_end_in_a_port(&self) -> bool {
        let IpAddr::V6(address) = self.address else { return false };
        let last = address.segments().last().map_or_else(String::new, |last| format!("{last:x}"));
        last.len() > 1 && last.bytes().all(|b| b.is_ascii_digit())
    }

    /// As a question writes it.
    pub fn text(&self) -> String {
        match (self.address, self.port) {
            (IpAddr::V4(a), Some(port)) => format!("{a}:{port}"),
            (IpAddr::V6(a), Some(port)) => format!("[{a}]:{port}"),
            (a, None) => a.to_string(),
        }
    }
}

/// An address that no public end has.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            let shared = a.octets()[0] == 100 && (64..128).contains(&a.octets()[1]);
            a.is_private() || a.is_loopback() || a.is_link_local() || a.is_unspecified() || a.is_broadcast() || a.is_multicast() || shared
        }
        IpAddr::V6(a) => {
            let first = a.segments()[0];
            a.is_loopback() || a.is_unspecified() || a.is_multicast() || first & 0xffc0 == 0xfe80 || first & 0xfe00 == 0xfc00
        }
    }
}

/// Every address in the text, in its order. What lies in `taken` is passed over.
pub fn find(text: &str, taken: &[(usize, usize)]) -> Vec<End> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() && found.len() < MOST {
        if let Some((_, end)) = taken.iter().find(|(from, to)| (*from..*to).contains(&at)) {
            at = *end;
            continue;
        }
        match end_at(text, at) {
            Some(mut end) => {
                at = end.span.1.max(at + 1);
                end.side = side(text, end.span.0, found.last());
                found.push(end);
            }
            None => at += 1,
        }
    }
    found
}

/// A text that is one address, with its port or without, and nothing else.
pub fn whole(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let text = text.trim().trim_matches(['"', '\'']);
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some((plain(address), None));
    }
    let end = end_at(text, 0)?;
    (end.span == (0, text.len())).then_some((end.address, end.port))
}

/// IPv4 in its own form, however it was written.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(a) => a.to_ipv4_mapped().map_or(address, IpAddr::V4),
        v4 => v4,
    }
}

fn end_at(text: &str, at: usize) -> Option<End> {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).and_then(|i| bytes.get(i)).copied();
    let here = bytes.get(at).copied()?;
    let fresh =
        before.is_none_or(|b| !is_word(b) && b != b'.' && (b != b':' || !here.is_ascii_hexdigit() || !before_is_address(bytes, at)));
    if !fresh {
        return None;
    }
    let (address, after) = match here {
        b'[' => bracketed(text, at)?,
        b'0'..=b'9' => v4(text, at).or_else(|| v6(text, at))?,
        b'a'..=b'f' | b'A'..=b'F' | b':' => v6(text, at)?,
        _ => return None,
    };
    let (port, after) = port(text, after, address.is_ipv6() && here != b'[');
    let wrong_port = port.is_none() && says_a_wrong_port(text.get(after..).unwrap_or_default());
    Some(End { address: plain(address), port, wrong_port, span: (at, after), side: Side::Unsaid })
}

/// `ab:` before a colon: the middle of a longer hexadecimal thing.
fn before_is_address(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(2).and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_hexdigit)
        && at.checked_sub(3).and_then(|i| bytes.get(i)).is_some_and(|b| b.is_ascii_hexdigit() || *b == b':')
        && at.checked_sub(4).and_then(|i| bytes.get(i)).is_some_and(|b| b.is_ascii_hexdigit() || *b == b':')
}

fn run(text: &str, at: usize, fits: impl Fn(u8) -> bool) -> usize {
    text.as_bytes().get(at..).unwrap_or_default().iter().take_while(|b| fits(**b)).count() + at
}

fn v4(text: &str, at: usize) -> Option<(IpAddr, usize)> {
    let mut end = run(text, at, |b| b.is_ascii_digit() || b == b'.');
    let mut run = text.get(at..end)?;
    while run.ends_with('.') {
        run = run.strip_suffix('.')?;
        end -= 1;
    }
    if text.as_bytes().get(end).is_some_and(|b| is_word(*b)) {
        return None;
    }
    // `203.0.113.7.40123`, as tcpdump writes it.
    let address = match run.match_indices('.').nth(3) {
        Some((dot, _)) => {
            end = at + dot;
            run.get(..dot)?
        }
        None => run,
    };
    address.parse::<Ipv4Addr>().ok().map(|a| (IpAddr::V4(a), end))
}

fn v6(text: &str, at: usize) -> Option<(IpAddr, usize)> {
    let end = run(text, at, |b| b.is_ascii_hexdigit() || b == b':' || b == b'.');
    let run = text.get(at..end)?.trim_end_matches('.');
    let run = if run.ends_with("::") { run } else { run.trim_end_matches(':') };
    if run.matches(':').count() < 2 || text.as_bytes().get(at + run.len()).is_some_and(|b| is_word(*b)) {
        return None;
    }
    let address = run.parse::<Ipv6Addr>().ok().filter(|a| !a.is_unspecified())?;
    Some((IpAddr::V6(address), at + run.len()))
}

fn bracketed(text: &str, at: usize) -> Option<(IpAddr, usize)> {
    let inside = text.get(at + 1..)?;
    let close = inside.find(']').filter(|n| *n <= 45)?;
    let address = inside.get(..close)?.parse::<IpAddr>().ok()?;
    Some((address, at + close + 2))
}

/// A port right behind an address: `:40123`, `/40123`, `#40123`, `(40123)`, `.40123`, ` port 40123`, `, port: 40123`.
fn port(text: &str, at: usize, bare_v6: bool) -> (Option<u16>, usize) {
    let rest = text.get(at..).unwrap_or_default();
    let direct = |sign: &str| rest.strip_prefix(sign).and_then(number).map(|(n, len)| (n, sign.len() + len));
    let found = (if bare_v6 { None } else { direct(":").or_else(|| direct(".")) })
        .or_else(|| direct("#"))
        // A prefix length is no port.
        .or_else(|| direct("/").filter(|(n, _)| *n > 128))
        .or_else(|| direct("(").filter(|(_, len)| rest.get(*len..).is_some_and(|r| r.starts_with(')'))).map(|(n, len)| (n, len + 1)))
        .or_else(|| spoken(rest));
    match found {
        Some((port, len)) => (Some(port), at + len),
        None => (None, at),
    }
}

/// `:70000` or ` port 0` behind an address: meant as a port, and none.
fn says_a_wrong_port(rest: &str) -> bool {
    let digits = |text: &str| {
        let len = text.bytes().take_while(u8::is_ascii_digit).count();
        let next = text.as_bytes().get(len).copied();
        len > 0 && next.is_none_or(|b| !is_word(b) && !matches!(b, b':' | b'.' | b'-' | b'/')) && number(text).is_none()
    };
    rest.strip_prefix(':').is_some_and(digits) || behind_the_word(rest).is_some_and(digits)
}

/// ` port 40123`, `, source port: 40123`, ` 端口 40123`.
fn spoken(rest: &str) -> Option<(u16, usize)> {
    let left = behind_the_word(rest)?;
    let (port, len) = number(left)?;
    Some((port, rest.len() - left.len() + len))
}

/// What stands behind the word for a port.
fn behind_the_word(rest: &str) -> Option<&str> {
    let left = rest.trim_start_matches([' ', ',', ';', '(', '"', '\t']);
    let lower: String = left.chars().take(16).collect::<String>().to_ascii_lowercase();
    let word =
        ["source port", "src port", "srcport", "sport", "port", "源端口", "端口号", "端口"].iter().find(|w| lower.starts_with(**w))?;
    Some(left.get(word.len()..)?.trim_start_matches([' ', ':', '=', '"', '#', '\t']))
}

/// A port number, and how many bytes it takes.
pub fn number(text: &str) -> Option<(u16, usize)> {
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    if text.as_bytes().get(len).is_some_and(|b| is_word(*b)) || !(1..=5).contains(&len) {
        return None;
    }
    let port = text.get(..len)?.parse().ok().filter(|p| *p != 0)?;
    Some((port, len))
}

/// What the words before an address say it is.
fn side(text: &str, at: usize, before: Option<&End>) -> Side {
    let from = before.map_or(0, |e| e.span.1).max(at.saturating_sub(48));
    let start = (from..=at).find(|i| text.is_char_boundary(*i)).unwrap_or(at);
    let words = text.get(start..at).unwrap_or_default().to_ascii_lowercase();
    if before.is_some() && (words.contains("->") || words.contains("=>") || words.trim() == ">") {
        return Side::Destination;
    }
    let last = |names: &[&str]| names.iter().filter_map(|n| position(&words, n)).max();
    let source = last(&["src", "source", "from", "client", "saddr", "attacker", "offender", "源", "来自", "来源", "攻击"]);
    let destination =
        last(&["dst", "dest", "destination", "daddr", "to", "target", "victim", "server", "host", "upstream", "目的", "目标"]);
    match (source, destination) {
        (None, None) => Side::Unsaid,
        (s, d) if s >= d => Side::Source,
        _ => Side::Destination,
    }
}

/// The last place where a word stands as a word, or begins one that is made of it (`src_ip`, `source-address`).
fn position(words: &str, name: &str) -> Option<usize> {
    words.match_indices(name).map(|(at, _)| at).filter(|at| begins(words, *at, name)).last()
}

fn begins(words: &str, at: usize, name: &str) -> bool {
    let bytes = words.as_bytes();
    let before = at.checked_sub(1).and_then(|i| bytes.get(i)).is_none_or(|b| !b.is_ascii_alphanumeric());
    let after = bytes.get(at + name.len()).is_none_or(|b| !b.is_ascii_alphanumeric());
    !name.is_ascii() || (before && (after || words.get(at + name.len()..).is_some_and(|r| r.starts_with("ip") || r.starts_with("addr"))))
}
