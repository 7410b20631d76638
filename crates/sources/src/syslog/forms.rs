//! Lengths of what betrays itself by its form at the beginning of a text: numbers, addresses, hardware addresses, DUIDs, mail addresses.
//!
//! A word is of letters and digits of ASCII: where one meets another script, as in `从192.0.2.1登录`, a value begins or ends.

use std::net::{IpAddr, Ipv6Addr};

use super::limits::{DUID_PAIRS, DUID_SURE, MAIL_NAME_BYTES, ZONE_BYTES};
use super::redact::Word;

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
    let (mut most, mut dots, mut colons, mut gap) = (0, 0, 0, false);
    for byte in run {
        match byte {
            b'.' => dots += 1,
            b':' => {
                gap |= most > 0 && run[most - 1] == b':';
                colons += 1;
            }
            b if b.is_ascii_hexdigit() => {}
            _ => break,
        }
        most += 1;
    }
    // IPv6 has a place left out, or six colons and more.
    let sixes = colons >= 6 || gap;
    // An address may be followed by a dot or `:port`.
    let least = if sixes { most.saturating_sub(8).max(2) } else { most + 1 };
    let four = text.get(..most).filter(|_| dots >= 3).and_then(|t| {
        let end = if colons > 0 { t.find(':').unwrap_or(t.len()) } else { t.len() };
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

/// True for a hardware address or a DUID that betrays itself by its form.
pub fn is_hardware(text: &str) -> bool {
    mac_length(text) == Some(text.len()) || sure_duid(text) == Some(text.len())
}

/// Length of what is a DUID at the beginning of `text`, whatever stands before it.
pub fn sure_duid(text: &str) -> Option<usize> {
    duid_length(text).filter(|n| *n >= 3 * DUID_SURE - 1)
}

/// Part of a word: a letter, a digit or `_` of ASCII.
pub const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// True where no word goes on.
pub fn ends_word(rest: &str) -> bool {
    rest.bytes().next().is_none_or(|b| !is_word(b))
}

/// `name@domain` at the beginning: the domain needs no dot, accounts of access networks have none.
///
/// In Chinese text a name of three letters and more is all of it (`发给bob@example.org`); before fewer stands the rest of a name (`张三01@isp`). A domain of
/// ASCII ends where another script begins.
pub fn mail(rest: &str) -> Option<usize> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%');
    let mut run = rest.char_indices().take_while(|(at, _)| *at <= MAIL_NAME_BYTES);
    let (at, _) = run.find(|(_, c)| !allowed(*c)).filter(|(at, c)| *at > 0 && *c == '@')?;
    let name = rest.get(..at)?;
    let tail = name.bytes().rev().take_while(u8::is_ascii).count();
    if tail < name.len() && tail >= 3 {
        return None;
    }
    let domain = rest.get(at + 1..)?;
    let mut before = '.';
    let ends = |c: char| {
        let changes = !c.is_ascii() && before.is_ascii_alphanumeric();
        before = c;
        changes || !allowed(c)
    };
    let length = domain.find(ends).unwrap_or(domain.len());
    let domain = domain.get(..length)?.trim_end_matches(['.', '-']);
    // `%rule@32473` in structured data is no mail address: its right side is a number.
    (!domain.is_empty() && !domain.bytes().all(|b| b.is_ascii_digit())).then_some(at + 1 + domain.len())
}

/// Telephone and certificate numbers: Chinese mobile numbers with or without +86, numbers that begin with + and 8 to 15 digits,
/// resident identity numbers (17 digits and a digit or X).
pub fn number(rest: &str) -> Option<(Word, usize)> {
    let signed = rest.strip_prefix('+');
    let body = signed.unwrap_or(rest);
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    let after = body.get(digits..)?;
    if signed.is_some() {
        return ((8..=15).contains(&digits) && ends_word(after)).then_some((Word::Phone, digits + 1));
    }
    if digits == 17 && after.starts_with(['X', 'x']) && after.get(1..).is_some_and(ends_word) {
        return Some((Word::Cert, 18));
    }
    if !ends_word(after) {
        return None;
    }
    let mobile = |t: &str| t.len() == 11 && t.starts_with('1') && t.as_bytes().get(1).is_some_and(|b| (b'3'..=b'9').contains(b));
    let own = body.get(..digits)?;
    match digits {
        11 if mobile(own) => Some((Word::Phone, 11)),
        13 if own.strip_prefix("86").is_some_and(mobile) => Some((Word::Phone, 13)),
        18 if own.get(6..8).is_some_and(|c| matches!(c, "19" | "20")) => Some((Word::Cert, 18)),
        _ => None,
    }
}

/// An address from text.
pub fn address(text: &str) -> Option<IpAddr> {
    text.trim_matches(['[', ']']).parse().ok()
}
