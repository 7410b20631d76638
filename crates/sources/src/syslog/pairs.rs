//! `name=value` pairs in a line: structured data (RFC 5424 section 6.3), key-value text as firewalls write it, and JSON objects.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::limits::PAIRS;
use super::line::Line;

/// Pairs in the order of the line. A name may come twice; the first one counts.
pub type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The first value of a name.
pub fn get<'p>(pairs: &'p Pairs<'_>, name: &str) -> Option<&'p str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_ref())
}

/// Where the pairs of a rule are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    /// Structured data.
    Data,
    /// The message.
    Text,
    /// The JSON object that the message begins with.
    Json,
}

/// Pairs of a line, read at most once each.
#[derive(Default)]
pub(super) struct Read<'a> {
    data: Option<Pairs<'a>>,
    text: Vec<(char, Pairs<'a>)>,
    json: Option<Pairs<'a>>,
}

impl<'a> Read<'a> {
    /// The pairs of a place.
    pub(super) fn pairs(&mut self, place: Place, separator: char, line: &Line<'a>) -> Option<&Pairs<'a>> {
        match place {
            Place::Data => Some(self.data.get_or_insert_with(|| line.data.map_or_else(Vec::new, of_data))),
            Place::Json => Some(self.json.get_or_insert_with(|| of_json(line.message).unwrap_or_default())),
            Place::Text => {
                if !self.text.iter().any(|(s, _)| *s == separator) {
                    self.text.push((separator, of_text(line.message, separator)));
                }
                self.text.iter().find(|(s, _)| *s == separator).map(|(_, pairs)| pairs)
            }
        }
    }
}

/// Pairs of structured data; the names of its elements are left out.
pub fn of_data(data: &str) -> Pairs<'_> {
    let mut out = Vec::new();
    let mut rest = data;
    while out.len() < PAIRS {
        let Some((before, after)) = rest.split_once("=\"") else { break };
        let name = before.rsplit([' ', '[', ']']).next().unwrap_or_default();
        let mut escaped = false;
        let end = after.find(|c: char| {
            let ends = !escaped && c == '"';
            escaped = !escaped && c == '\\';
            ends
        });
        let Some((value, next)) = end.and_then(|end| Some((after.get(..end)?, after.get(end + 1..)?))) else { break };
        out.push((Cow::Borrowed(name), unescaped(value)));
        rest = next;
    }
    out
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next @ ('"' | '\\' | ']'))) => {
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Pairs of a text whose values end at `separator`, or at a quote where they begin with one. `Name(1001)=value` loses its number.
pub fn of_text(text: &str, separator: char) -> Pairs<'_> {
    let mut out = Vec::new();
    let mut rest = text;
    while out.len() < PAIRS {
        let Some((before, after)) = rest.split_once('=') else { break };
        let name = before.rsplit([separator, ' ', ',', ';', '[', '{']).next().unwrap_or_default();
        let name = name.split_once('(').map_or(name, |(name, _)| name);
        let (value, next) = match after.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some((value, next)) => (value, next),
            None => {
                let end = after.find(separator).unwrap_or(after.len());
                let (value, next) = after.split_at(end);
                (value.trim_end_matches([',', '.']), next)
            }
        };
        if !name.is_empty() {
            out.push((Cow::Borrowed(name), Cow::Borrowed(value.trim())));
        }
        rest = next;
    }
    out
}

/// False where [`of_json`] finds no object for certain.
pub fn may_be_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{') || text.starts_with("@cee:")
}

/// Pairs of the JSON object that a text begins with, or that follows `@cee:`. Objects inside give their own members; lists are left out. An object
/// further on may be what somebody asked for: it says nothing.
pub fn of_json(text: &str) -> Option<Pairs<'static>> {
    let text = text.trim_start();
    let text = text.strip_prefix("@cee:").unwrap_or(text).trim_start();
    if !text.starts_with('{') {
        return None;
    }
    // An object may be followed by nothing but spaces; it is read as far as it goes.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let Some(Ok(Value::Object(object))) = values.next() else { return None };
    let mut out = Vec::new();
    let mut open = vec![object];
    while let Some(object) = open.pop() {
        for (name, value) in object {
            if out.len() >= PAIRS {
                return Some(out);
            }
            match value {
                Value::Object(inner) => open.push(inner),
                Value::String(text) => out.push((Cow::Owned(name), Cow::Owned(text))),
                Value::Number(number) => out.push((Cow::Owned(name), Cow::Owned(number.to_string()))),
                Value::Bool(flag) => out.push((Cow::Owned(name), Cow::Owned(flag.to_string()))),
                Value::Null | Value::Array(_) => {}
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pairs: &Pairs<'_>) -> String {
        pairs.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn pairs_of_each_kind() {
        assert_eq!(shown(&of_data("[a@1 b=\"c\\\"d\" e=\"\"][x y=\"z]\"]")), "b=c\"d|e=|y=z]");
        assert_eq!(shown(&of_data("[a@1 b=\"c")), "");
        let nf = of_text("IN=eth0 OUT= MAC=00:11 SRC=192.0.2.1 DST=198.51.100.1 SYN URGP=0", ' ');
        assert_eq!(shown(&nf), "IN=eth0|OUT=|MAC=00:11|SRC=192.0.2.1|DST=198.51.100.1|URGP=0");
        let h3c = of_text("Protocol(1001)=UDP;SrcIPAddr(1003)=192.0.2.1;Event(1048)=(8)Session created;", ';');
        assert_eq!(shown(&h3c), "Protocol=UDP|SrcIPAddr=192.0.2.1|Event=(8)Session created");
        let huawei = of_text("IPVer=4,Protocol=tcp,SourceIP=192.0.2.1,Vsys=\"a, b\".", ',');
        assert_eq!(shown(&huawei), "IPVer=4|Protocol=tcp|SourceIP=192.0.2.1|Vsys=a, b");
        let json = of_json("@cee: {\"EventID\":4624,\"event_data\":{\"IpPort\":\"50112\"},\"x\":null,\"l\":[1]} ").unwrap();
        assert_eq!((get(&json, "EventID"), get(&json, "IpPort"), json.len()), (Some("4624"), Some("50112"), 2));
        assert!(of_json("{\"a\":").is_none() && of_json("no").is_none() && of_json("[1]").is_none());
        assert!(of_json("GET /?q={\"EventID\":4624}").is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[\\PC=\"\\\\\\[\\]{}:,;]{0,80}") {
            let _ = (of_data(&text), of_text(&text, ';'), of_text(&text, ' '), of_json(&text));
        }
    }
}
