//! A log line: RFC 5424, RFC 3164, and what devices send in their place. No line is refused: what is not there is none, and what is left
//! is the message.

use std::net::Ipv6Addr;

use weir_record::kinds::line_flags;

use self::tag::tag;
use super::limits::{DATA_BYTES, HEADER_CHARS};
use super::stamp::{self, Stamp};

mod tag;

/// No facility or severity.
pub const NONE: u8 = 255;

/// The parts of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// 0 to 23, or [`NONE`].
    pub facility: u8,
    /// 0 to 7, or [`NONE`].
    pub severity: u8,
    /// The time it states.
    pub stamp: Option<Stamp>,
    /// HOSTNAME.
    pub host: Option<&'a str>,
    /// APP-NAME or TAG.
    pub app: Option<&'a str>,
    /// PROCID.
    pub procid: Option<&'a str>,
    /// MSGID, or the vendor's name of the message.
    pub msgid: Option<&'a str>,
    /// STRUCTURED-DATA, as it stands.
    pub data: Option<&'a str>,
    /// The name of the message stands in the text behind a program: who makes that program write says what stands there.
    pub behind: bool,
    /// What is left.
    pub message: &'a str,
    /// [`line_flags`].
    pub flags: u16,
}

impl<'a> Line<'a> {
    fn bare(message: &'a str) -> Line<'a> {
        Line {
            facility: NONE,
            severity: NONE,
            stamp: None,
            host: None,
            app: None,
            procid: None,
            msgid: None,
            data: None,
            behind: false,
            message,
            flags: 0,
        }
    }

    /// What rules may be found by: the last part of the vendor's name of the message, the program, and the first of RouterOS's topics.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        let tail = self.msgid.map(|id| memchr::memrchr2(b'/', b'-', id.as_bytes()).and_then(|at| id.get(at + 1..)).unwrap_or(id));
        let topic = self.app.and_then(|app| app.get(..memchr::memchr(b',', app.as_bytes())?));
        [tail, self.program(), topic].into_iter().flatten()
    }

    /// The program without the folders before it.
    pub fn program(&self) -> Option<&'a str> {
        self.app.map(|app| memchr::memrchr(b'/', app.as_bytes()).and_then(|at| app.get(at + 1..)).unwrap_or(app))
    }
}

/// The parts of a line.
pub fn parse(text: &str) -> Line<'_> {
    let mut line = Line::bare(text.trim_end());
    let Some((pri, rest)) = priority(line.message) else {
        // A relay that takes PRI away leaves the rest as it was.
        legacy(&mut line);
        return line;
    };
    (line.facility, line.severity, line.message) = (pri >> 3, pri & 7, rest);
    // China Telecom's form of NAT logs puts a space before the version.
    if let Some(rest) = rest.trim_start().strip_prefix("1 ")
        && let Some(modern) = modern(rest, &line)
    {
        return modern;
    }
    legacy(&mut line);
    line
}

/// `<PRI>` with at most three digits and a value up to 191 (RFC 5424 section 6.2.1).
fn priority(text: &str) -> Option<(u8, &str)> {
    let bytes = text.as_bytes();
    let (mut value, mut end) = (0, 1);
    if bytes.first() != Some(&b'<') {
        return None;
    }
    while let Some(digit) = bytes.get(end).filter(|b| b.is_ascii_digit() && end < 4) {
        value = value * 10 + u32::from(digit - b'0');
        end += 1;
    }
    if end == 1 || bytes.get(end) != Some(&b'>') {
        return None;
    }
    u8::try_from(value).ok().filter(|p| *p <= 191).zip(text.get(end + 1..))
}

/// The text before the first space, and what follows it; none where no space is left. The words of a header are short.
fn word(text: &str) -> (&str, Option<&str>) {
    let space = text.bytes().position(|b| b == b' ');
    let parts = space.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    parts.map_or((text, None), |(word, rest)| (word, Some(rest)))
}

fn short(text: &str) -> &str {
    super::text::cut(text, HEADER_CHARS)
}

/// A header field of RFC 5424: `-` is none.
fn field(text: &str) -> Option<&str> {
    (!text.is_empty() && text != "-").then(|| short(text))
}

/// What follows `<PRI>1 ` (RFC 5424 section 6).
fn modern<'a>(text: &'a str, line: &Line<'a>) -> Option<Line<'a>> {
    let mut line = line.clone();
    let rest = match text.strip_prefix("- ") {
        Some(rest) => rest,
        None => {
            // Cisco's CGN writes `2011 May 31 10:30:45` here.
            let (stamp, rest) = stamp::rfc3339(text).or_else(|| stamp::rfc3164(text))?;
            line.stamp = Some(stamp);
            rest.strip_prefix(' ')?
        }
    };
    let (host, rest) = word(rest);
    let (app, rest) = word(rest?);
    let (procid, rest) = word(rest?);
    let (msgid, rest) = word(rest?);
    (line.host, line.app, line.procid, line.msgid) = (field(host), field(app), field(procid), field(msgid));
    let rest = rest.unwrap_or("-");
    let message = match rest.strip_prefix('-').filter(|r| r.is_empty() || r.starts_with(' ')) {
        Some(message) => message,
        None => match data_end(rest) {
            Some(end) => {
                let (data, message) = rest.split_at_checked(end)?;
                line.data = Some(super::text::cut(data, DATA_BYTES));
                message
            }
            None => {
                line.flags |= line_flags::BAD_DATA;
                rest
            }
        },
    };
    // rsyslog's template for RFC 5424 puts one space too many.
    let message = message.trim_start_matches(' ');
    line.message = message.strip_prefix('\u{feff}').unwrap_or(message);
    Some(line)
}

/// Where structured data ends: `[…][…]`, with `"`, `\` and `]` escaped in values (RFC 5424 section 6.3.3).
fn data_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while bytes.get(at) == Some(&b'[') {
        let (mut quoted, mut escaped) = (false, false);
        // An element has a name; a message that begins with a bracket has not always one.
        let named = bytes.get(at + 1).is_some_and(|b| b.is_ascii_graphic() && !matches!(b, b']' | b'"' | b'='));
        let length = bytes.get(at..)?.iter().position(|b| {
            let ends = !quoted && *b == b']';
            if !escaped && *b == b'"' {
                quoted = !quoted;
            }
            escaped = quoted && !escaped && *b == b'\\';
            ends
        })?;
        let element = text.get(at + 1..at + length)?;
        // `[name]` or `[name key="value" …]`; anything else is message.
        if !named || (element.contains(' ') && !element.contains("=\"")) {
            break;
        }
        at += length + 1;
    }
    (at > 0).then_some(at)
}

/// What follows `<PRI>` in RFC 3164 and its kin.
fn legacy(line: &mut Line<'_>) {
    let whole = line.message.trim_start();
    // ASA with EMBLEM and IOS without a sequence number: `:%ASA-…`, `: sw01: Nov 22 …`.
    let rest = whole.trim_start_matches([':', ' ']);
    let Some(Head { name: mut host, mut stamp, mut after, bare, .. }) = head(rest, whole.starts_with(':')) else {
        line.message = if rest.starts_with('%') { rest } else { whole };
        tag(line, line.message, false);
        return;
    };
    if host.is_none() && !after.starts_with('%') {
        match after.split_once(' ') {
            Some((word, rest)) if is_host(word) => {
                host = Some(word);
                after = rest.trim_start();
            }
            _ => {}
        }
    }
    // A relay put its own time and name before those of a device: `… 192.0.2.1 585917: Nov 22 2026 10:00:00 UTC: %SYS-…`. A card of Junos names no
    // zone: the time before it is of a clock that is known. A name that stands there may be a program as well.
    let mut program = host.filter(|_| bare);
    if let Some(inner) = head(after.trim_start_matches([':', ' ']), false).filter(Head::begins_a_line) {
        if inner.node {
            host = inner.name;
        } else {
            program = inner.name.or(program);
        }
        stamp = if services(inner.after).is_some() { stamp } else { inner.stamp.or(stamp) };
        after = inner.after;
        if let Some((word, rest)) = vendor(after) {
            (host, after) = (Some(word), rest);
        }
    }
    line.stamp = stamp;
    line.host = host.map(short);
    tag(line, after, true);
    if program.is_some() {
        (line.app, line.behind) = (program.map(short), line.msgid.is_some());
    }
}

/// What stands before the message: a name, a time.
struct Head<'a> {
    name: Option<&'a str>,
    /// None where a device tells how long it has been up.
    stamp: Option<Stamp>,
    /// The name is a node of IOS XR.
    node: bool,
    /// Neither a sequence number nor a colon stands before the name, as IOS puts one there: it may be a program's tag.
    bare: bool,
    after: &'a str,
}

impl Head<'_> {
    /// What follows is what a device puts behind its own time: then this is the beginning of a line inside that of a relay.
    fn begins_a_line(&self) -> bool {
        self.node || self.after.starts_with('%') || services(self.after).is_some() || (self.name.is_none() && vendor(self.after).is_some())
    }
}

/// `USG2110 %%01SHELL/5/…`: the name of a device of Huawei or H3C and what follows.
fn vendor(text: &str) -> Option<(&str, &str)> {
    text.split_once(' ').filter(|(word, rest)| rest.starts_with("%%") && is_host(word))
}

/// Cisco's sequence numbers and name before a time, Junos's place of a card, and the time. None where there is no time. `colon`: one stands before.
fn head(text: &str, colon: bool) -> Option<Head<'_>> {
    let (mut rest, mut name, mut counted, mut bare) = (text, None, false, false);
    // Cisco: `29: `, `000042: `, `R1: ` before the time.
    for _ in 0..3 {
        let Some((word, after)) = rest.split_once(": ") else { break };
        let behind = after.trim_start();
        let behind = behind.split_once(": ").filter(|(n, _)| is_number(n)).map_or(behind, |(_, rest)| rest).trim_start();
        let dated = || stamp::rfc3164(behind).is_some() || uptime(behind).is_some();
        let (word, number) = word.split_once(' ').filter(|(_, n)| is_number(n)).unwrap_or((word, ""));
        if is_number(word) {
            counted = true;
        } else if !word.contains(' ') && (is_host(word) || word.parse::<Ipv6Addr>().is_ok()) && dated() {
            counted |= !number.is_empty();
            (name, bare) = (Some(word), !counted && !colon);
        } else {
            break;
        }
        rest = after.trim_start();
    }
    // IOS XR: `RP/0/RSP0/CPU0:Nov 22 10:00:00.123 : exec[65]: …`
    let of_node = |n: &str| n.contains('/') && n.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'/');
    let node = rest.split_once(':').filter(|(n, after)| of_node(n) && stamp::rfc3164(after).is_some());
    if let Some((found, after)) = node {
        (name, rest) = (Some(found), after);
    }
    // `(FPC Slot 5, PIC Slot 0) ` stands before what a card of Junos says where its routing engine sends it on.
    if let Some((place, after)) = rest.strip_prefix("(FPC Slot ").and_then(|r| r.split_once(") "))
        && place.len() <= 32
    {
        if services(after).is_some() {
            return Some(Head { name, stamp: None, node: false, bare, after });
        }
        rest = after;
    }
    if let Some(after) = uptime(rest).filter(|_| counted) {
        return Some(Head { name, stamp: None, node: false, bare, after });
    }
    let (stamp, after) = stamp::find(rest)?;
    // Huawei puts DST behind the offset of summer time.
    let after = after.strip_prefix(" DST ").filter(|_| stamp.zone.is_some()).unwrap_or(after);
    // A zone's name that says nothing certain (`CST`), as Cisco writes it; one in lower case could be a program, were there no sequence number.
    let letter = |b: u8| if counted { b.is_ascii_alphabetic() } else { b.is_ascii_uppercase() };
    let after = match after.trim_start().split_once(':') {
        Some((zone, rest)) if (2..=5).contains(&zone.len()) && zone.bytes().all(letter) => rest,
        _ => after,
    };
    let after = after.trim_start_matches([' ', ':']);
    // Behind what may be a program's tag only what a device writes is the beginning of a line.
    let device = after.starts_with('%') || services(after).is_some();
    (!bare || node.is_some() || device).then_some(Head { name, stamp: Some(stamp), node: node.is_some(), bare, after })
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// `2y10w: %SYS-…`, `00:01:46: %LINK-…`: IOS where nobody set `service timestamps log datetime`. Gives the name of the message and what follows.
fn uptime(text: &str) -> Option<&str> {
    let (word, after) = text.split_once(": ")?;
    let units = word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'y' | b'w' | b'd' | b'h' | b':'));
    (units && word.len() <= 16 && word.starts_with(|c: char| c.is_ascii_digit()) && after.starts_with('%') && !is_number(word))
        .then_some(after)
}

/// Services of Junos's cards: `HOST{service-set}[jservices-nat]: JSERVICES_…: message`. Gives prefix, service, and what follows.
fn services(text: &str) -> Option<(&str, &str, &str)> {
    let (prefix, rest) = text.split_once('{')?;
    let (set, rest) = rest.split_once("}[")?;
    let (service, message) = rest.split_once("]:")?;
    let word = |w: &str, least: usize| {
        (least..=64).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    (word(prefix, 0) && word(set, 1) && word(service, 1)).then_some((prefix, service, message.trim_start()))
}

fn is_host(word: &str) -> bool {
    !word.is_empty() && word.len() <= HEADER_CHARS && !word.contains(['%', '[', ']', '=', '"', '(', '<', '{']) && !word.ends_with(':')
}

#[cfg(test)]
#[path = "tests/line.rs"]
mod tests;
