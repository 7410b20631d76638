//! How many golden lines there must be: by rule, by pattern and by shape.

use std::collections::{BTreeMap, BTreeSet};

use weir_record::kinds::Form;

use super::super::dialect::{BUILT_IN, Dialect, Table};
use super::super::line::{self, Line};
use super::super::pattern::Slot;
use super::super::text;
use super::golden::{Golden, golden, told};

/// Lines of each rule.
const LINES: usize = 5;

/// Shapes of each rule: texts that differ in more than the values that are found in them, numbers, and words with digits. An IPv6 address is another
/// value than an IPv4 address.
const SHAPES: usize = 3;

/// Lines of each event that are malformed.
const MALFORMED: usize = 2;

/// Forms of what stands before the message (RFC 3164 with and without year, RFC 5424, nothing …) among the lines of a dialect.
const HEADERS: usize = 3;

/// What stands between the entries of a line, in every rule of a built-in dialect that splits.
const SPLIT: char = ']';

/// Rules with fewer shapes: dialect, beginning of the rule's label, shapes, and why.
const FEWER_SHAPES: &[(&str, &str, usize, &str)] = &[
    ("linux", "sign-out login", 1, "Linux-PAM writes one form of an end, and login none of its own"),
    ("linux", "configuration crontab", 2, "crontab changes a table in two ways"),
    ("linux", "privilege CRON", 2, "cron tells of a command's beginning and end"),
    ("dhcp", "inquiry dnsmasq-dhcp", 2, "one form, and the same behind the number that log-dhcp writes"),
    ("dhcp", "release dnsmasq-dhcp", 2, "one form, and the same behind the number that log-dhcp writes"),
    ("dhcp", "release dhcpd", 2, "with a client's name and without, or: an address and a prefix"),
    ("dhcp", "lease dhcpd", 2, "with a client's name and without, or: for a time and static"),
    ("netfilter", "nat-begin session ulogd", 2, "one form, with counters and without"),
    ("netfilter", "nat-end session ulogd", 2, "one form, with counters and without"),
    ("netfilter", "nat-begin session vyos", 2, "one form with ports, one with the identifier of an echo"),
    ("netfilter", "nat-end session vyos", 2, "one form with ports, one with the identifier of an echo"),
    ("mikrotik", "sign-in pppoe", 1, "what stands behind \"logged in,\" is read as one value"),
    ("mikrotik", "sign-out pppoe", 1, "what stands behind \"logged out,\" is read as one value"),
    ("mikrotik", "sign-in hotspot", 2, "one form, on some releases behind an arrow"),
    ("mikrotik", "failure hotspot", 2, "one form, on some releases behind an arrow; the reason is one value"),
    ("mikrotik", "sign-out hotspot", 2, "one form, on some releases behind an arrow; the reason is one value"),
    ("netscaler", "nat-begin session", 2, "one form, over IPv4 and IPv6"),
    ("netscaler", "nat-end session", 2, "one form, over IPv4 and IPv6"),
    ("netscaler", "sign-in", 2, "one public line, over IPv4 and IPv6"),
    ("netscaler", "sign-out", 2, "one public line, over IPv4 and IPv6"),
    ("netscaler", "failure", 2, "one public line, over IPv4 and IPv6"),
    ("a10", "nat-begin session", 2, "the two arrows that the sources write; CEF: one form"),
    ("a10", "nat-end session", 2, "the two arrows that the sources write"),
    ("a10", "nat-begin bib", 1, "with a space before the port and without; behind a tag and in CEF: one form"),
    ("a10", "nat-end bib", 1, "with a space before the port and without; behind a tag and in CEF: one form"),
    ("a10", "nat-begin block", 1, "one form of each batch"),
    ("a10", "nat-end block", 1, "one form of each batch"),
    ("a10", "nat-begin-only session", 1, "one form of CEF"),
    ("cisco", "configuration CONFIG_I", 2, "at the console: where the configuration came from is one value"),
    ("cisco", "configuration DB_COMMIT", 1, "IOS XR writes one form of a commit"),
    ("cisco", "configuration CFGLOG_LOGGEDCMD", 1, "what stands behind \"logged command:\" is one value"),
    ("cisco", "sign-out INFO_USER_LOGOUT", 2, "one form, over IPv4 and IPv6"),
    ("cisco", "nat-begin session PLATFORM", 2, "one form, with the flags behind it and without"),
    ("cisco", "nat-end session PLATFORM", 2, "one form, with the flags behind it and without"),
    ("cisco", "sign-in 611101", 2, "one form, over IPv4 and IPv6"),
    ("cisco", "sign-out 611103", 1, "one form"),
    ("cisco", "privilege 502103", 1, "one form"),
    ("huawei", "configuration SAVE", 2, "to the device, or to a file"),
    ("huawei", "nothing SAVE", 2, "to the device, or to a file"),
    ("huawei", "failure FAIL", 2, "one form, over IPv4 and IPv6"),
    ("h3c", "sign-in FTPD_LOGIN", 2, "one form, over IPv4 and IPv6"),
    ("h3c", "failure RADIUS_AUTH_FAILURE", 2, "one form, over IPv4 and IPv6"),
    ("juniper", "nat-begin block JSERVICES", 2, "one form, over IPv4 and IPv6"),
    ("juniper", "nat-end block JSERVICES", 2, "one form, over IPv4 and IPv6"),
    ("juniper", "sign-in UI_AUTH_EVENT", 2, "two forms of text; structured: one, with the name of its element and without"),
    ("juniper", "sign-out UI_LOGOUT_EVENT", 1, "one form of text; structured: one, with the name of its element and without"),
    ("juniper", "privilege UI_CMDLINE_READ_LINE", 1, "one form of a command that starts a shell"),
    ("juniper", "failure su", 1, "FreeBSD's su writes one form"),
    ("juniper", "privilege su", 1, "FreeBSD's su writes one form"),
];

/// Dialects with fewer forms of headers, and why.
const FEWER_HEADERS: &[(&str, usize, &str)] =
    &[("netscaler", 2, "its time stands behind the priority in one form; a file has no priority")];

/// One rule of a dialect's file, with a dialect for each of its patterns.
struct Rule {
    event: String,
    label: String,
    keys: Vec<String>,
    begins: Vec<String>,
    patterns: Vec<(String, Table)>,
}

fn list(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::Array(all) => all.iter().map(|v| v.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}

/// The words of a rule's event as golden lines have them.
fn event(rule: &toml::Table) -> String {
    let word = rule["event"].as_str().unwrap();
    let form = rule.get("form").map_or("session", |f| f.as_str().unwrap());
    let form = if form == "address" { Form::AddressBinding.name() } else { form };
    if word.starts_with("nat-") { format!("{word} {form}") } else { word.to_owned() }
}

fn file(text: &str) -> Vec<toml::Table> {
    let file = text.parse::<toml::Table>().unwrap();
    file["rule"].as_array().unwrap().iter().map(|rule| rule.as_table().unwrap().clone()).collect()
}

fn rule(name: &str, rule: &toml::Table) -> Rule {
    let table = |rule: toml::Table| {
        let mut whole = toml::Table::new();
        whole.insert("name".to_owned(), name.into());
        whole.insert("title".to_owned(), name.into());
        whole.insert("rule".to_owned(), toml::Value::Array(vec![rule.into()]));
        Table::new(vec![Dialect::parse(&toml::to_string(&whole).unwrap()).unwrap()])
    };
    let texts = rule.get("match").map_or_else(Vec::new, list);
    let one = |text: &String| {
        let mut rule = rule.clone();
        rule.insert("match".to_owned(), text.clone().into());
        (text.clone(), table(rule))
    };
    let patterns = if texts.is_empty() { vec![(String::new(), table(rule.clone()))] } else { texts.iter().map(one).collect() };
    let keys = rule.get("keys").map_or_else(Vec::new, list);
    let begins = match rule.get("from").and_then(toml::Value::as_str) {
        Some("json") => vec!["{".to_owned()],
        _ => texts.iter().map(|t| t.split('{').next().unwrap().to_owned()).filter(|t| t.len() > 2).collect(),
    };
    let by = keys.first().or(texts.first()).cloned().unwrap_or_else(|| rule["when"].to_string());
    Rule { event: event(rule), label: format!("{} {by}", event(rule)), keys, begins, patterns }
}

/// Those with keys first, as they are tried.
fn rules(name: &str, text: &str) -> Vec<Rule> {
    let (keyed, rest): (Vec<Rule>, Vec<Rule>) = file(text).iter().map(|r| rule(name, r)).partition(|r| !r.keys.is_empty());
    keyed.into_iter().chain(rest).collect()
}

/// What is left of a line when values, numbers and words with digits are made equal.
fn shape(line: &Line<'_>, pattern: &str, table: &Table, name: &str) -> String {
    let understood = table.understand(line, &[name.to_owned()]).unwrap();
    let mut values: Vec<(Slot, String)> =
        understood.entries.iter().flat_map(|e| e.values.iter().map(|(s, v)| (s, v.to_owned()))).filter(|(_, v)| v.len() > 1).collect();
    values.sort_by_key(|(_, v)| std::cmp::Reverse(v.len()));
    // What a rule without patterns reads may stand in structured data.
    let data = line.data.filter(|_| pattern.is_empty()).unwrap_or_default();
    let mut text = format!("{data} {}", line.message);
    for (slot, value) in values.iter().filter(|(_, v)| v.contains(|c: char| !c.is_ascii_digit())) {
        let kind = match slot {
            Slot::Address | Slot::Inside | Slot::Public | Slot::Remote if value.contains('%') => "zone",
            Slot::Address | Slot::Inside | Slot::Public | Slot::Remote if value.contains(':') => "six",
            _ => "",
        };
        text = text.replace(value.as_str(), &format!("<{slot}{kind}>"));
    }
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '%' | '\\' | '$');
    let mut out = String::new();
    for piece in text.split_inclusive(|c: char| !word(c)) {
        let (head, end) = piece.split_at(piece.find(|c: char| !word(c)).unwrap_or(piece.len()));
        out.push_str(if head.contains(|c: char| c.is_ascii_digit() || c == '/' || c == '\\') { "#" } else { head });
        out.push_str(end);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The form of what stands before the message: letters and numbers made equal.
fn header(text: &str, line: &Line<'_>) -> String {
    let before = text.get(..text.len().saturating_sub(line.message.len())).unwrap_or_default();
    let before = line.host.map_or(before, |host| before.split_once(host).map_or(before, |(stamp, _)| stamp));
    let mut out = String::new();
    for c in before.chars() {
        let c = if c.is_ascii_digit() {
            '0'
        } else if c.is_alphabetic() && c != 'T' && c != 'Z' {
            'a'
        } else {
            c
        };
        if !out.ends_with(c) || !matches!(c, '0' | 'a') {
            out.push(c);
        }
    }
    if line.stamp.is_none() { String::new() } else { out }
}

/// A line of several entries, each as a line of its own, those left out that say nothing: every one counts for the rule that understands it.
fn pieces<'a>(line: &Line<'a>, whole: &Table, only: &[String]) -> Vec<Line<'a>> {
    let several = whole.understand(line, only).is_some_and(|u| u.entries.len() as u64 + u.missed > 1);
    if !several {
        return vec![line.clone()];
    }
    line.message.split(SPLIT).map(str::trim).filter(|p| !p.is_empty()).map(|message| Line { message, ..line.clone() }).collect()
}

/// What was understood, without the name of the dialect: of a sender who names no dialect an earlier one may have said the same.
fn apart(told: &str) -> &str {
    let told = told.strip_prefix("named ").unwrap_or(told);
    told.split_once(' ').map_or(told, |(_, rest)| rest)
}

/// Lines and shapes of a rule.
#[derive(Default)]
struct Count {
    lines: BTreeSet<usize>,
    shapes: BTreeSet<String>,
    patterns: BTreeSet<usize>,
}

#[test]
fn every_rule_and_every_pattern_has_its_lines() {
    let mut thin = Vec::new();
    for (name, file) in BUILT_IN {
        let (rules, only, lines) = (rules(name, file), [(*name).to_owned()], golden(name));
        let whole = Table::new(vec![Dialect::parse(file).unwrap()]);
        let mut counts: BTreeMap<usize, Count> = BTreeMap::new();
        let mut headers = BTreeSet::new();
        for (number, Golden { bytes, want, .. }) in lines.iter().enumerate().filter(|(_, g)| g.want != "none") {
            let (decoded, _) = text::decode(bytes);
            let line = line::parse(&decoded);
            headers.insert(header(&decoded, &line));
            let pieces = pieces(&line, &whole, &only);
            for piece in &pieces {
                let tried =
                    rules.iter().enumerate().flat_map(|(r, rule)| rule.patterns.iter().enumerate().map(move |(p, one)| (r, p, one)));
                let found = tried.into_iter().find(|(_, _, (_, table))| table.understand(piece, &only).is_some());
                let Some((r, p, (pattern, table))) = found else { continue };
                if pieces.len() == 1 {
                    assert_eq!(apart(&told(table, bytes, &only)), apart(want), "{name}: {decoded}");
                }
                let count = counts.entry(r).or_default();
                count.lines.insert(number);
                count.shapes.insert(shape(piece, pattern, table, name));
                count.patterns.insert(p);
            }
        }
        for (r, rule) in rules.iter().enumerate() {
            let count = counts.remove(&r).unwrap_or_default();
            let fewer = FEWER_SHAPES.iter().find(|(d, label, ..)| d == name && rule.label.starts_with(label));
            let least = fewer.map_or(SHAPES, |(_, _, n, _)| *n);
            if count.lines.len() < LINES || count.shapes.len() < least {
                thin.push(format!(
                    "{name}: {}: {} lines of {} shapes: {:#?}",
                    rule.label,
                    count.lines.len(),
                    count.shapes.len(),
                    count.shapes
                ));
            }
            for (p, (pattern, _)) in rule.patterns.iter().enumerate().filter(|(p, _)| !count.patterns.contains(p)) {
                thin.push(format!("{name}: {}: no line of pattern {}: {pattern}", rule.label, p + 1));
            }
        }
        let least = FEWER_HEADERS.iter().find(|(d, ..)| d == name).map_or(HEADERS, |(_, n, _)| *n);
        if headers.len() < least {
            thin.push(format!("{name}: {} forms of headers: {headers:?}", headers.len()));
        }
    }
    assert!(thin.is_empty(), "{} are too thin:\n{}", thin.len(), thin.join("\n"));
}

/// A malformed line belongs to the rules whose keys it has, or whose text it begins with.
#[test]
fn every_event_has_malformed_lines() {
    let mut thin = Vec::new();
    for (name, file) in BUILT_IN {
        let lines: Vec<Golden> = golden(name).into_iter().filter(|g| g.want == "none").collect();
        let mut events: BTreeMap<String, usize> = BTreeMap::new();
        for rule in rules(name, file).into_iter().filter(|r| r.event != "nothing") {
            let belongs = |text: &str| {
                let line = line::parse(text);
                let keyed = line.keys().any(|key| rule.keys.iter().any(|k| k == key));
                keyed || (rule.keys.is_empty() && rule.begins.iter().any(|b| line.message.starts_with(b.trim_end())))
            };
            *events.entry(rule.event.clone()).or_default() += lines.iter().filter(|g| belongs(&g.text)).count();
        }
        thin.extend(events.into_iter().filter(|(_, n)| *n < MALFORMED).map(|(event, n)| format!("{name}: {event} has {n}")));
    }
    assert!(thin.is_empty(), "{}", thin.join("\n"));
}
