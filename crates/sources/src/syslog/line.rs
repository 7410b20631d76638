//! A log line: RFC 5424, RFC 3164, and what devices send in their place. No line is refused: what is not there is none, and what is left
//! is the message.

use weir_record::kinds::line_flags;

use super::limits::{DATA_BYTES, HEADER_CHARS, TOPICS_BYTES};
use super::stamp::{self, Stamp};

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
        let tail = self.msgid.map(|id| id.rsplit(['/', '-']).next().unwrap_or(id));
        let topic = self.app.and_then(|app| app.split_once(',')).map(|(topic, _)| topic);
        [tail, self.program(), topic].into_iter().flatten()
    }

    /// The program without the folders before it.
    pub fn program(&self) -> Option<&'a str> {
        self.app.map(|app| app.rsplit('/').next().unwrap_or(app))
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
    if let Some(rest) = rest.strip_prefix("1 ")
        && let Some(modern) = modern(rest, &line)
    {
        return modern;
    }
    legacy(&mut line);
    line
}

/// `<PRI>` with at most three digits and a value up to 191 (RFC 5424 section 6.2.1).
fn priority(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u8>().ok().filter(|p| *p <= 191).map(|p| (p, rest))
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
    let mut words = rest.splitn(5, ' ');
    line.host = field(words.next()?);
    line.app = field(words.next()?);
    line.procid = field(words.next()?);
    line.msgid = field(words.next()?);
    let rest = words.next().unwrap_or("-");
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
    let mut rest = line.message.trim_start();
    let whole = rest;
    // Cisco: `29: `, `000042: `, `R1: ` before the time.
    let mut name = None;
    for _ in 0..3 {
        let Some((word, after)) = rest.split_once(": ") else { break };
        let number = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let behind = after.trim_start();
        let behind = behind.split_once(": ").filter(|(n, _)| n.bytes().all(|b| b.is_ascii_digit())).map_or(behind, |(_, rest)| rest);
        let named = !number && is_host(word) && stamp::rfc3164(behind.trim_start()).is_some();
        if named {
            name = Some(word);
        } else if !number {
            break;
        }
        rest = after.trim_start();
    }
    // IOS XR: `RP/0/RSP0/CPU0:Nov 22 10:00:00.123 : exec[65]: …`
    if let Some((node, after)) = rest.split_once(':').filter(|(node, _)| node.contains('/') && !node.contains(' '))
        && stamp::rfc3164(after).is_some()
    {
        (name, rest) = (Some(node), after);
    }
    let Some((found, after)) = stamp::find(rest) else {
        line.message = whole;
        tag(line, whole, false);
        return;
    };
    line.stamp = Some(found);
    line.host = name.map(short);
    // A zone's name that says nothing certain (`CST`), as Cisco writes it.
    let after = match after.trim_start().split_once(':') {
        Some((zone, rest)) if (2..=5).contains(&zone.len()) && zone.bytes().all(|b| b.is_ascii_uppercase()) => rest,
        _ => after,
    };
    let mut after = after.trim_start_matches([' ', ':']);
    if line.host.is_none() && !after.starts_with('%') {
        match after.split_once(' ') {
            Some((host, rest)) if is_host(host) => {
                line.host = Some(short(host));
                after = rest.trim_start();
            }
            _ => {}
        }
    }
    tag(line, after, true);
}

fn is_host(word: &str) -> bool {
    !word.is_empty() && word.len() <= HEADER_CHARS && !word.contains(['%', '[', ']', '=', '"', '(', '<', '{']) && !word.ends_with(':')
}

/// `program[pid]: message`, `%FACILITY-4-NAME: message`, `%%01MODULE/4/NAME(l)[7]:message`. Without a time before it (`sure` is false)
/// only what cannot be anything else is taken for a tag.
fn tag<'a>(line: &mut Line<'a>, text: &'a str, sure: bool) {
    let text = text.strip_prefix(": ").unwrap_or(text);
    line.message = text;
    if let Some(rest) = text.strip_prefix("%%") {
        vendor_name(line, rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start());
        return;
    }
    if let Some(rest) = text.strip_prefix('%')
        && let Some((name, message)) = rest.split_once(':')
        && !name.trim_end().contains(' ')
        && name.contains('-')
    {
        line.msgid = Some(short(name.trim_end()));
        line.message = message.trim_start();
        return;
    }
    if netscaler(line, text, sure) || topics(line, text) {
        return;
    }
    let Some((head, message)) = text.split_once(':') else { return };
    let (name, procid) = match head.split_once('[') {
        Some((name, pid)) => (name, pid.strip_suffix(']')),
        None => (head, None),
    };
    let bracketed = head.contains('[') == procid.is_some();
    let plain = !name.is_empty() && name.len() <= 64 && bracketed && !name.contains([' ', '"', '=', '{', '<', '(', ',', '>']);
    let spaced = message.starts_with(' ') || message.is_empty();
    let surely = sure || (spaced && name.bytes().any(|b| b.is_ascii_alphabetic()));
    if !(plain && surely) {
        return;
    }
    line.app = Some(short(name));
    line.procid = procid.filter(|p| !p.is_empty()).map(short);
    line.message = message.trim_start();
    // IOS XR and Junos name the message behind the program.
    let next = line.message;
    if next.starts_with('%') {
        let app = (line.app, line.procid);
        tag(line, next, false);
        (line.app, line.procid) = app;
        line.behind = line.msgid.is_some();
    } else if let Some((name, message)) = next.split_once(": ")
        && name.len() >= 4
        && name.contains('_')
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    {
        line.msgid = Some(short(name));
        line.message = message.trim_start();
        line.behind = true;
    }
}

/// RouterOS: `system,info,account user …`. Topics in lower case, a severity among them.
fn topics<'a>(line: &mut Line<'a>, text: &'a str) -> bool {
    let Some((word, message)) = text.split_once(' ').filter(|(word, _)| word.len() <= TOPICS_BYTES && word.contains(',')) else {
        return false;
    };
    let plain = word.split(',').all(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
    let severe = word.split(',').any(|t| matches!(t, "critical" | "debug" | "error" | "info" | "warning"));
    if plain && severe {
        line.app = Some(word);
        line.message = message.trim_start();
    }
    plain && severe
}

/// NetScaler, behind time and name: `0-PPE-0 : default LSN LSN_SESSION 2581760 0 : message`. The module is the program.
fn netscaler<'a>(line: &mut Line<'a>, text: &'a str, sure: bool) -> bool {
    let Some((engine, rest)) = text.split_once(" : ").filter(|(engine, _)| sure && engine.len() <= 32 && !engine.contains(' ')) else {
        return false;
    };
    let Some((head, message)) = rest.split_once(" : ").filter(|_| engine.contains("PPE-")) else { return false };
    let mut words = head.split(' ').filter(|w| !w.is_empty() && *w != "default");
    let (Some(module), Some(event)) = (words.next(), words.next()) else { return false };
    let word = |w: &str| w.len() <= 64 && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !(word(module) && word(event) && words.all(|w| w.bytes().all(|b| b.is_ascii_digit()))) {
        return false;
    }
    (line.app, line.msgid) = (Some(module), Some(event));
    line.message = message.trim_start();
    true
}

/// Huawei and H3C: `SHELL/5/CMDRECORD(s)[7]:message`, `NAT/6/NAT_FLOW: message`, `SHELL/5/SHELL_LOGIN: -DevIP=…; message`.
fn vendor_name<'a>(line: &mut Line<'a>, text: &'a str) {
    // H3C firewalls of several vsys: `%%10 VsysId:1 nat/6/NAT_IPV4_MATCH: …`.
    let text = text.strip_prefix("VsysId:").and_then(|t| t.split_once(' ')).map_or(text, |(_, name)| name);
    let end = text.find(['(', '[', ':', ' ']).unwrap_or(text.len());
    let Some((name, rest)) = text.split_at_checked(end) else { return };
    if !name.contains('/') {
        return;
    }
    line.msgid = Some(short(name));
    // `(l)`, `[7]` and a vsys name stand between the name and the colon.
    let mut depth = 0;
    let colon = rest.find(|c: char| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        depth == 0 && c == ':'
    });
    line.message = colon.and_then(|at| rest.get(at + 1..)).unwrap_or(rest).trim_start();
}

#[cfg(test)]
#[path = "tests/line.rs"]
mod tests;
