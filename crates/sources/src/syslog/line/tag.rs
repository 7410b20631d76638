//! What stands before a message, behind time and host: a program, the name of the message, as programs and devices write them.

use super::super::limits::TOPICS_BYTES;
use super::{Line, services, short};

/// `program[pid]: message`, `%FACILITY-4-NAME: message`, `%%01MODULE/4/NAME(l)[7]:message`. Without a time before it (`sure` is false)
/// only what cannot be anything else is taken for a tag.
pub(super) fn tag<'a>(line: &mut Line<'a>, text: &'a str, sure: bool) {
    let text = text.strip_prefix(": ").unwrap_or(text);
    line.message = text;
    if let Some(rest) = text.strip_prefix("%%") {
        vendor_name(line, rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start());
        return;
    }
    // A member of a stack: `(Stack) %%10WEB/5/LOGIN: …`.
    if let Some((_, rest)) = text.strip_prefix('(').and_then(|t| t.split_once(") %%")).filter(|(member, _)| sure && member.len() <= 32) {
        vendor_name(line, rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start());
        return;
    }
    if let Some((prefix, service, message)) = services(text).filter(|_| sure) {
        line.host = line.host.or(Some(prefix).filter(|p| !p.is_empty()));
        (line.app, line.message) = (Some(short(service)), message);
        name_behind(line);
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
    } else {
        name_behind(line);
    }
}

/// `UI_COMMIT: message`: the name of a message behind a program.
fn name_behind(line: &mut Line<'_>) {
    if let Some((name, message)) = line.message.split_once(": ")
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
    if sure && netscaler_compact(line, text) {
        return true;
    }
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

/// The same in its compact form: `0-PE2:default LSN 87 0:A&PDMC|C-…`. Module and message code are one: what happened stands in the message.
fn netscaler_compact<'a>(line: &mut Line<'a>, text: &'a str) -> bool {
    let Some((engine, rest)) = text.split_once(':') else { return false };
    let Some((first, second)) = engine.split_once("-PE") else { return false };
    let number = |w: &str| !w.is_empty() && w.len() <= 20 && w.bytes().all(|b| b.is_ascii_digit());
    let Some((head, message)) = rest.split_once(':').filter(|_| number(first) && number(second)) else { return false };
    let mut words = head.split(' ').filter(|w| !w.is_empty() && *w != "default");
    if words.next() != Some("LSN") || !(words.next().is_some_and(number) && words.next().is_some_and(number) && words.next().is_none()) {
        return false;
    }
    (line.app, line.msgid) = (Some("LSN"), Some("LSN"));
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
