//! Lengths of what betrays itself by its form at the beginning of a text: numbers, addresses, hardware addresses, DUIDs.

use std::net::{IpAddr, Ipv6Addr};

use super::limits::{DUID_PAIRS, ZONE_BYTES};

/// How many digits stand at the beginning.
pub fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// False where neither an address nor a hardware address nor a DUID can begin: none of their separators follows the first digits.
pub fn may_begin(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take(5).take_while(|b| b.is_ascii_hexdigit()).count();
    digits <= 4 && matches!(bytes.get(digits), Some(b'.' | b':' | b'-'))
}

/// Lengths of the addresses that `text` may begin with, longest first.
pub fn addresses(text: &str) -> impl Iterator<Item = usize> + '_ {
    let run = text.as_bytes().get(..64).unwrap_or(text.as_bytes());
    let most = run.iter().take_while(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':')).count();
    let run = run.get(..most).unwrap_or_default();
    let count = |wanted: u8| run.iter().filter(|b| **b == wanted).count();
    let (dots, colons) = (count(b'.'), count(b':'));
    // IPv6 has a place left out, or six colons and more.
    let sixes = colons >= 6 || (colons >= 2 && run.windows(2).any(|pair| pair == b"::"));
    // An address may be followed by a dot or `:port`.
    let least = if sixes { most.saturating_sub(8).max(2) } else { most + 1 };
    let four = text.get(..most).filter(|_| dots >= 3).and_then(|t| {
        let end = t.find(':').unwrap_or(t.len());
        let shown = t.get(..end)?.trim_end_matches('.');
        shown.parse::<std::net::Ipv4Addr>().ok().map(|_| shown.len())
    });
    let six = move || (least..=most).rev().filter(|n| text.get(..*n).is_some_and(|t| t.contains(':') && t.parse::<Ipv6Addr>().is_ok()));
    // RFC 4007 section 11: `fe80::1%eth0`.
    let zoned = move || six().next().and_then(|n| Some(n + zone_length(text.get(n..)?)?)).filter(|_| four.is_none());
    four.into_iter().chain(zoned()).chain(six().take(if four.is_some() { 0 } else { usize::MAX }))
}

/// Length of `%` and the name of a zone behind it.
fn zone_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('%')?;
    let most = rest.bytes().take(ZONE_BYTES).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')).count();
    let length = rest.get(..most)?.trim_end_matches('.').len();
    (length > 0).then_some(length + 1)
}

/// Length of a DHCP unique identifier at the beginning of `text`: pairs of hexadecimal digits with colons between, more than two of them.
pub fn duid_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let pair = |at: usize| bytes.get(at..at + 2).is_some_and(|p| p.iter().all(u8::is_ascii_hexdigit));
    let more = |n: usize| bytes.get(3 * n - 1) == Some(&b':') && pair(3 * n);
    let mut pairs = usize::from(pair(0));
    while pairs > 0 && pairs < DUID_PAIRS && more(pairs) {
        pairs += 1;
    }
    let end = (3 * pairs).checked_sub(1)?;
    let ends = bytes.get(end).is_none_or(|b| !b.is_ascii_hexdigit() && *b != b':');
    (pairs > 2 && ends).then_some(end)
}

/// Length of a hardware address at the beginning of `text`: `00:11:22:33:44:55`, `00-11-…`, `0011-2233-4455`, `0011.2233.4455`.
pub fn mac_length(text: &str) -> Option<usize> {
    let fits = |group: usize, separators: &[u8], length: usize| {
        let separator = text.as_bytes().get(group).copied().filter(|s| separators.contains(s))?;
        let bytes = text.as_bytes().get(..length)?;
        let even = bytes.iter().enumerate().all(|(i, b)| if i % (group + 1) == group { *b == separator } else { b.is_ascii_hexdigit() });
        let more = text.as_bytes().get(length).is_some_and(|b| b.is_ascii_hexdigit() || (*b == separator && separator == b':'));
        (even && !more).then_some(length)
    };
    fits(2, b":-", 17).or_else(|| fits(4, b"-.:", 14))
}

/// An address from text.
pub fn address(text: &str) -> Option<IpAddr> {
    text.trim_matches(['[', ']']).parse().ok()
}
