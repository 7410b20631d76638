//! What one line is, and the question in it.

use serde_json::Value;
use weir_web::model::lookup::Question;

use super::columns::{Column, Values, askable, pairs};
use super::ends::{self, End, Side};
use super::time::{self, Basis, Moment, Unclear};

/// What a line gave.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What it was taken for.
    pub form: &'static str,
    /// The question.
    pub question: Option<Question>,
    /// What was assumed.
    pub assumed: Vec<String>,
    /// Why there is none.
    pub problem: Option<String>,
}

/// The parts of a question before they are put together.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// The end asked about.
    pub public: Option<End>,
    /// The moment.
    pub moment: Option<Moment>,
    /// Why there is no moment.
    pub unclear: Option<Unclear>,
    /// Protocol.
    pub protocol: Option<String>,
    /// The far end.
    pub remote: Option<End>,
    /// The tolerance.
    pub skew: Option<String>,
    /// What was assumed beside what the moment assumes.
    pub assumed: Vec<String>,
}

impl Parts {
    /// From named values.
    pub fn of(values: &Values, basis: &Basis) -> Parts {
        let (moment, unclear) = match values.moment(basis) {
            None => (None, None),
            Some(Ok(moment)) => (Some(moment), None),
            Some(Err(unclear)) => (None, unclear),
        };
        let (public, remote) = (values.public(), values.remote());
        Parts { public, moment, unclear, protocol: values.protocol(), remote, skew: values.skew(), assumed: Vec::new() }
    }

    /// Fills what is missing from another reading of the same line.
    fn or(mut self, other: Parts) -> Parts {
        self.public = match (self.public, other.public) {
            (Some(own), Some(seen)) if own.port.is_none() && !own.wrong_port && own.address == seen.address => Some(seen),
            (own, seen) => own.or(seen),
        };
        self.unclear = self.unclear.or(other.unclear);
        // A time with its zone counts more than one without.
        self.moment = match (self.moment, other.moment) {
            (Some(own), Some(seen)) if !own.zoned && seen.zoned && own.span == (0, 0) => Some(seen),
            (own, seen) => own.or(seen),
        };
        self.protocol = self.protocol.or(other.protocol);
        self.remote = self.remote.or(other.remote);
        self.assumed.extend(other.assumed);
        self
    }

    /// The question, or why there is none.
    pub fn found(self, form: &'static str) -> Found {
        let (public, moment) = match (self.public, self.moment) {
            (Some(public), Some(moment)) => (public, moment),
            (None, _) => {
                return Found {
                    // Nothing in it was taken for anything.
                    form: if form == "plain" { "" } else { form },
                    problem: Some("no address in it: write it as 203.0.113.7:40123 2026-11-22 10:00:00".to_owned()),
                    ..Found::default()
                };
            }
            (Some(_), None) => {
                let why = self.unclear.map_or("no time in it: write it as 203.0.113.7:40123 2026-11-22 10:00:00", Unclear::words);
                return Found { form, problem: Some(why.to_owned()), ..Found::default() };
            }
        };
        if [self.public, self.remote].iter().flatten().any(|end| end.wrong_port) {
            let problem = Some("a port is 1 to 65535: write it as 203.0.113.7:40123 2026-11-22 10:00:00".to_owned());
            return Found { form, problem, ..Found::default() };
        }
        let mut assumed = self.assumed;
        assumed.extend(moment.assumed.iter().cloned());
        if public.port.is_none() && public.may_end_in_a_port() {
            assumed.push("the whole is taken for an address: a port behind it is written [2001:db8::1]:443".to_owned());
        } else if public.port.is_none() {
            assumed.push("no port stands with the address: an address that several share needs one".to_owned());
        }
        let remote = self.remote.filter(|r| r.address != public.address && askable(r.address));
        if remote.is_some() {
            assumed.push("the far end is the one the line names".to_owned());
        }
        let skew = self.skew.or_else(|| moment.minute.then(|| "32s".to_owned()));
        let question =
            Question { public: public.text(), at: moment.at.to_rfc3339(), protocol: self.protocol, remote: remote.map(|r| r.text()), skew };
        Found { form, question: Some(question), assumed, problem: None }
    }
}

/// Reads one line.
pub fn line(text: &str, basis: &Basis) -> Found {
    if let Some(found) = json(text, basis) {
        return found;
    }
    let form = form_of(text);
    let seen = seen(text, form, basis);
    let named = if matches!(form, "combined-log" | "cisco-asa") { Values::default() } else { pairs(text) };
    let named = Parts::of(&named, basis);
    let parts = named.or(seen);
    parts.found(form)
}

/// What a line looks like.
fn form_of(text: &str) -> &'static str {
    let has = |all: &[&str]| all.iter().all(|w| text.contains(w));
    let clf = text.split_once(" [").is_some_and(|(head, rest)| {
        head.split(' ').count() >= 3 && rest.get(..12).is_some_and(|t| t.as_bytes().get(2) == Some(&b'/')) && rest.contains("] \"")
    });
    match () {
        () if has(&["SRC=", "DST="]) => "iptables",
        () if has(&["%ASA-"]) || has(&["%FTD-"]) || has(&["%PIX-"]) => "cisco-asa",
        () if has(&["RT_FLOW"]) || has(&["source-address=\""]) || has(&["PFE_FW_SYSLOG_IP"]) => "juniper",
        () if clf => "combined-log",
        () if text.starts_with('<') && text.get(..6).is_some_and(|t| t.contains('>')) => "syslog",
        () if syslog_header(text) => "syslog",
        () if pairs(text).has(Column::Public) => "named",
        () => "plain",
    }
}

/// `Nov 22 10:00:00 host program[1]:`.
fn syslog_header(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let month = words.next().is_some_and(|w| w.len() == 3 && w.bytes().all(|b| b.is_ascii_alphabetic()));
    month && words.nth(1).is_some_and(|w| w.matches(':').count() == 2) && text.split_whitespace().take(6).any(|w| w.ends_with(':'))
}

/// What can be seen in a line without names: its moments and its addresses.
fn seen(text: &str, form: &'static str, basis: &Basis) -> Parts {
    let (moments, unclear) = time::find(text, basis);
    let spans: Vec<(usize, usize)> = moments.iter().map(|m| m.span).collect();
    let mut all = ends::find(text, &spans);
    // `203.0.113.7 40123 …`, `203.0.113.7,40123,…`: a lone number behind an address is its port where the line has no other form.
    if form == "plain" {
        lone_ports(text, &mut all, &spans);
    }
    let mut assumed = Vec::new();
    let source = all.iter().find(|e| e.side == Side::Source).or_else(|| all.iter().find(|e| e.side != Side::Destination)).or(all.first());
    let mut public = source.copied();
    if let Some(found) = public
        && !askable(found.address)
        && let Some(other) = all.iter().find(|e| askable(e.address) && e.side != Side::Destination)
    {
        assumed.push("the first address is a private one: the public one beside it is asked about".to_owned());
        public = Some(*other);
    }
    let mut remote = if matches!(form, "combined-log" | "syslog") {
        None
    } else {
        all.iter()
            .find(|e| Some(e.span) != public.map(|p| p.span) && Some(e.address) != public.map(|p| p.address) && e.side != Side::Source)
            .copied()
    };
    if form == "cisco-asa"
        && let Some(translated) = asa_translated(text, &all)
    {
        (public, remote) = translated;
        assumed.clear();
    }
    if form == "combined-log"
        && let Some(end) = public.as_mut().filter(|e| e.port.is_none())
        && let Some(port) = last_number(text)
    {
        end.port = Some(port);
        assumed.push("the number at the end of the line is taken for the client's port".to_owned());
    }
    let mut moment = best(moments);
    if moment.is_none() {
        moment = lone_epoch(text, &all);
    }
    Parts { public, moment, unclear, protocol: protocol(text, form), remote, skew: None, assumed }
}

/// The public end, and the remote one, of an ASA's line about our side going out: `Built outbound … for FAR (FAR) to INSIDE (PUBLIC)`,
/// `Built dynamic … translation from INSIDE to PUBLIC`.
fn asa_translated(text: &str, all: &[End]) -> Option<(Option<End>, Option<End>)> {
    let last = all.last().copied().filter(|_| all.len() > 1);
    if text.contains(" outbound ") {
        last.map(|end| (Some(end), all.first().copied()))
    } else if text.contains(" translation from ") {
        last.map(|end| (Some(end), None))
    } else {
        None
    }
}

/// The moment of a line with several: one with a zone, then one with a year, then the first.
fn best(moments: Vec<Moment>) -> Option<Moment> {
    moments.into_iter().rev().max_by_key(|m| (m.zoned, m.dated))
}

fn lone_ports(text: &str, all: &mut [End], spans: &[(usize, usize)]) {
    let ends: Vec<(usize, usize)> = all.iter().map(|e| e.span).collect();
    for end in all.iter_mut().filter(|e| e.port.is_none()) {
        let rest = text.get(end.span.1..).unwrap_or_default();
        let gap = rest.len() - rest.trim_start_matches([' ', ',', ';', '\t', '|']).len();
        let at = end.span.1 + gap;
        let inside = |list: &[(usize, usize)]| list.iter().any(|(from, to)| (*from..*to).contains(&at));
        if gap == 0 || inside(spans) || inside(&ends) {
            continue;
        }
        let Some((port, len)) = text.get(at..).and_then(ends::number) else { continue };
        // Not the first part of something longer: `2026-11-22`, `10:00`.
        let after = text.as_bytes().get(at + len);
        if after.is_none_or(|b| matches!(b, b' ' | b',' | b';' | b'\t' | b'|')) {
            end.port = Some(port);
            end.span.1 = at + len;
        }
    }
}

/// A word of ten or thirteen digits where there is no other time.
fn lone_epoch(text: &str, all: &[End]) -> Option<Moment> {
    let mut from = 0;
    for word in text.split([' ', ',', ';', '\t', '|', '[', ']', '=', '"', '(', ')']) {
        let at = from;
        from += word.len() + 1;
        let inside = all.iter().any(|e| (e.span.0..e.span.1).contains(&at));
        if !inside && let Some(found) = time::epoch(word.trim_end_matches([':', '.'])) {
            return Some(Moment { at: found, span: (at, at + word.len()), zoned: true, dated: true, minute: false, assumed: Vec::new() });
        }
    }
    None
}

/// A number behind the last quote of a web server's line, when nothing else stands there.
fn last_number(text: &str) -> Option<u16> {
    let (_, tail) = text.trim_end().rsplit_once('"')?;
    ends::number(tail.trim()).filter(|(port, len)| *port >= 1024 && *len == tail.trim().len()).map(|(port, _)| port)
}

fn protocol(text: &str, form: &str) -> Option<String> {
    if form == "combined-log" {
        return Some(if text.contains(" HTTP/3") { "udp" } else { "tcp" }.to_owned());
    }
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    let known = words.into_iter().find(|w| matches!(w.as_str(), "tcp" | "udp" | "icmp" | "sctp" | "icmpv6"));
    known.or_else(|| ["sshd", "ssh2", "HTTP/1", "HTTP/2"].iter().any(|w| text.contains(w)).then(|| "tcp".to_owned()))
}

/// A line of JSON; none when it is not one.
fn json(text: &str, basis: &Basis) -> Option<Found> {
    let open = text.find('{').filter(|at| *at == 0 || text.get(..*at).is_some_and(|head| head.ends_with(' ') && head.len() < 96))?;
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text.get(open..)?.trim_end_matches(',')) else { return None };
    let (mut values, mut words) = (Values::default(), Vec::new());
    flatten("", &Value::Object(object), 0, &mut values, &mut words);
    let mut parts = Parts::of(&values, basis);
    for word in words.iter().filter(|w| w.len() > 12) {
        if parts.public.is_some() && parts.moment.is_some() {
            break;
        }
        parts = parts.or(seen(word, "syslog", basis));
    }
    Some(parts.found("json"))
}

fn flatten(path: &str, value: &Value, depth: usize, values: &mut Values, words: &mut Vec<String>) {
    if depth > 8 || words.len() > 64 {
        return;
    }
    match value {
        Value::Object(object) => object.iter().for_each(|(key, inner)| flatten(&format!("{path}{key}"), inner, depth + 1, values, words)),
        Value::Array(list) => list.iter().take(4).for_each(|inner| flatten(path, inner, depth + 1, values, words)),
        Value::String(text) => words.extend(Some(text.clone()).filter(|t| !values.put(path, t))),
        Value::Number(number) => drop(values.put(path, &number.to_string())),
        _ => {}
    }
}
