//! The pattern language of dialects: text with named fields.
//!
//! `Accepted {method} for {account:last} from {address} port {port}`: text stands for itself, a space for one or more spaces, a field for
//! a value of its type. A pattern is held against the beginning of a message; `{*}` stands for anything, and `$` at the end says that
//! nothing may follow. `{{` is a brace. Matching takes a bounded number of steps, whatever the line.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;

use super::forms::{addresses, digits, duid_length, mac_length};
use super::limits::{MATCH_STEPS, PATTERN_PARTS};

/// What a value is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The account that acted.
    Account,
    /// The account it became or changed.
    Target,
    /// Where it came from.
    Address,
    /// The port it came from.
    Port,
    /// The program or service.
    Service,
    /// How.
    Method,
    /// Terminal or line.
    Terminal,
    /// What was done.
    Detail,
    /// IP protocol, by name or number.
    Protocol,
    /// Inside address.
    Inside,
    /// Inside port.
    InsidePort,
    /// Public address.
    Public,
    /// Public port, or the first of a block.
    PublicPort,
    /// Last port of a block.
    PublicLast,
    /// Number of ports of a block.
    PublicCount,
    /// Remote address.
    Remote,
    /// Remote port.
    RemotePort,
    /// When a mapping or lease began.
    Start,
    /// When it ended.
    End,
    /// How long a mapping that ended had lasted: seconds, or hours, minutes and seconds with colons.
    Lasted,
    /// When a mapping began and ended by a clock whose zone is not known: only the time between them counts.
    Since,
    /// See [`Slot::Since`].
    Until,
    /// Hardware address.
    Mac,
    /// How long a lease is good for, in seconds.
    Seconds,
    /// The name a client gives itself.
    Client,
    /// The DHCP unique identifier of a client (RFC 8415 section 11).
    Duid,
    /// Length of a delegated prefix, in bits.
    Bits,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Address,
    Port,
    Number,
    Mac,
    Duid,
    /// Anything but spaces.
    Word,
    /// Anything, as little as fits.
    Text,
    /// Anything, as much as fits.
    Last,
}

const SLOTS: &[(&str, Slot, Form)] = &[
    ("account", Slot::Account, Form::Word),
    ("target", Slot::Target, Form::Word),
    ("address", Slot::Address, Form::Address),
    ("port", Slot::Port, Form::Port),
    ("service", Slot::Service, Form::Word),
    ("method", Slot::Method, Form::Word),
    ("terminal", Slot::Terminal, Form::Word),
    ("detail", Slot::Detail, Form::Text),
    ("protocol", Slot::Protocol, Form::Word),
    ("inside", Slot::Inside, Form::Address),
    ("inside_port", Slot::InsidePort, Form::Port),
    ("public", Slot::Public, Form::Address),
    ("public_port", Slot::PublicPort, Form::Port),
    ("public_last", Slot::PublicLast, Form::Port),
    ("public_count", Slot::PublicCount, Form::Number),
    ("remote", Slot::Remote, Form::Address),
    ("remote_port", Slot::RemotePort, Form::Port),
    ("start", Slot::Start, Form::Text),
    ("end", Slot::End, Form::Text),
    ("lasted", Slot::Lasted, Form::Word),
    ("since", Slot::Since, Form::Text),
    ("until", Slot::Until, Form::Text),
    ("mac", Slot::Mac, Form::Mac),
    ("seconds", Slot::Seconds, Form::Number),
    ("client", Slot::Client, Form::Word),
    ("duid", Slot::Duid, Form::Duid),
    ("bits", Slot::Bits, Form::Number),
];

const FORMS: &[(&str, Form)] = &[
    ("address", Form::Address),
    ("port", Form::Port),
    ("number", Form::Number),
    ("mac", Form::Mac),
    ("duid", Form::Duid),
    ("word", Form::Word),
    ("text", Form::Text),
    ("last", Form::Last),
];

impl Slot {
    /// The slot of a name.
    pub fn named(name: &str) -> Option<Slot> {
        SLOTS.iter().find(|(n, _, _)| *n == name).map(|(_, slot, _)| *slot)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        SLOTS.iter().find(|(_, slot, _)| *slot == self).map_or("", |(name, _, _)| name)
    }

    /// Every name, for messages.
    pub fn names() -> String {
        SLOTS.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Option<Slot>, Form),
}

/// A pattern ready to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    whole: bool,
    /// Of a pattern that begins with a field: a word that every matching line holds.
    needs: Option<Needle>,
}

/// A text that is looked for often.
#[derive(Clone, Debug)]
pub struct Needle(memmem::Finder<'static>);

impl Needle {
    /// A text, ready to be looked for.
    pub fn new(text: &str) -> Needle {
        Needle(memmem::Finder::new(text.as_bytes()).into_owned())
    }

    /// True when a text holds it.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.find(text.as_bytes()).is_some()
    }
}

impl PartialEq for Needle {
    fn eq(&self, other: &Needle) -> bool {
        self.0.needle() == other.0.needle()
    }
}

impl Eq for Needle {}

/// Values found in a line: of a pattern in its order.
pub type Found<'a> = Vec<(Slot, Cow<'a, str>)>;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it and what may stand there.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let (body, whole) = text.strip_suffix('$').map_or((text, false), |body| (body, true));
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), body);
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                literal.push(c);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let (field, after) = after.split_once('}').ok_or_else(|| format!("{text:?}: a field is not closed with }}"))?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                let part = Part::field(field)?;
                if let (Some(Part::Field(_, before)), Part::Field(_, now)) = (parts.last(), &part)
                    && before.is_open()
                    && now.is_open()
                {
                    return Err(format!("{text:?}: two fields that hold anything stand side by side; put text between them"));
                }
                parts.push(part);
                rest = after;
            } else {
                literal.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        match parts.len() {
            0 => Err("a pattern is empty".to_owned()),
            n if n > PATTERN_PARTS => Err(format!("{text:?}: {n} parts, at most {PATTERN_PARTS} are allowed")),
            _ => {
                tell_apart(&parts).map_err(|what| format!("{text:?}: {what}"))?;
                Ok(Pattern { needs: needs(&parts), parts, whole })
            }
        }
    }

    /// The byte that every matching text begins with, where the pattern begins with a text.
    pub fn first_byte(&self) -> Option<u8> {
        match self.parts.first() {
            Some(Part::Literal(text)) => text.bytes().next(),
            _ => None,
        }
    }

    /// The slots it fills.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.parts.iter().filter_map(|p| if let Part::Field(slot, _) = p { *slot } else { None })
    }

    /// The longest text that every matching line holds.
    pub fn longest_literal(&self) -> &str {
        let literal = |p: &Part| if let Part::Literal(text) = p { text.len() } else { 0 };
        self.parts.iter().max_by_key(|p| literal(p)).map_or("", |p| if let Part::Literal(text) = p { text } else { "" })
    }

    /// The values of a message that fits.
    pub fn find<'a>(&self, text: &'a str) -> Option<Found<'a>> {
        if self.needs.as_ref().is_some_and(|needle| !needle.is_in(text)) {
            return None;
        }
        let mut found = Vec::new();
        let mut steps = MATCH_STEPS;
        step(&self.parts, self.whole, text, &mut found, &mut steps).then_some(found)
    }
}

/// Checks that each field stands once, and that something stands between two of them.
fn tell_apart(parts: &[Part]) -> Result<(), String> {
    let slot = |part: &Part| if let Part::Field(slot, _) = part { *slot } else { None };
    for (i, part) in parts.iter().enumerate() {
        let Some(this) = slot(part) else { continue };
        if let Some(next) = parts.get(i + 1).and_then(slot) {
            return Err(format!(
                "nothing stands between {{{this}}} and {{{next}}}, so where one ends cannot be told: put text between them"
            ));
        }
        if parts.iter().skip(i + 1).any(|later| slot(later) == Some(this)) {
            return Err(format!("the field {{{this}}} stands twice: a line has one value of it; write {{*}} for what is not kept"));
        }
    }
    Ok(())
}

/// The longest word between spaces of all texts of a pattern that begins with a field. One that begins with text fails there soon enough.
fn needs(parts: &[Part]) -> Option<Needle> {
    if matches!(parts.first(), Some(Part::Literal(_))) {
        return None;
    }
    let texts = parts.iter().filter_map(|p| if let Part::Literal(text) = p { Some(text) } else { None });
    let longest = texts.flat_map(|t| t.split(' ')).max_by_key(|word| word.len()).filter(|word| word.len() >= 2)?;
    Some(Needle::new(longest))
}

impl Part {
    fn field(text: &str) -> Result<Part, String> {
        if text == "*" {
            return Ok(Part::Field(None, Form::Text));
        }
        let (name, form) = text.split_once(':').map_or((text, None), |(n, f)| (n, Some(f)));
        let form = form.map(|f| {
            let known = || FORMS.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", ");
            FORMS
                .iter()
                .find(|(n, _)| *n == f)
                .map(|(_, form)| *form)
                .ok_or_else(|| format!("{{{text}}}: {f:?} is no form: write {}", known()))
        });
        let form = form.transpose()?;
        if name == "*" {
            return Ok(Part::Field(None, form.unwrap_or(Form::Text)));
        }
        let known = SLOTS.iter().find(|(n, _, _)| *n == name);
        let (_, slot, own) = known.ok_or_else(|| format!("{{{text}}}: {name:?} is no field: write *, {}", Slot::names()))?;
        Ok(Part::Field(Some(*slot), form.unwrap_or(*own)))
    }
}

impl Form {
    fn is_open(self) -> bool {
        matches!(self, Form::Text | Form::Last)
    }
}

/// Tries the parts against the beginning of `text`.
fn step<'a>(parts: &[Part], whole: bool, text: &'a str, found: &mut Found<'a>, steps: &mut usize) -> bool {
    if *steps == 0 {
        return false;
    }
    *steps -= 1;
    let Some((part, rest)) = parts.split_first() else { return !whole || text.trim_end().is_empty() };
    let take = |length: usize, found: &mut Found<'a>, slot: &Option<Slot>, steps: &mut usize| {
        let Some((value, after)) = text.split_at_checked(length) else { return false };
        let before = found.len();
        if let Some(slot) = slot {
            found.push((*slot, Cow::Borrowed(value)));
        }
        let good = step(rest, whole, after, found, steps);
        if !good {
            found.truncate(before);
        }
        good
    };
    match part {
        Part::Literal(literal) => literal_end(literal, text).is_some_and(|n| take(n, found, &None, steps)),
        Part::Field(slot, Form::Address) => addresses(text).any(|n| take(n, found, slot, steps)),
        Part::Field(slot, Form::Port) => {
            let n = digits(text);
            text.get(..n).is_some_and(|t| t.parse::<u16>().is_ok()) && take(n, found, slot, steps)
        }
        Part::Field(slot, Form::Number) => {
            let n = digits(text);
            n > 0 && n <= 10 && take(n, found, slot, steps)
        }
        Part::Field(slot, Form::Mac) => mac_length(text).is_some_and(|n| take(n, found, slot, steps)),
        Part::Field(slot, Form::Duid) => duid_length(text).is_some_and(|n| take(n, found, slot, steps)),
        Part::Field(slot, Form::Word) => {
            let most = text.find(' ').unwrap_or(text.len());
            // As much as the next text leaves: `user{account},` ends before the comma.
            match rest.first() {
                Some(Part::Literal(next)) if !next.starts_with(' ') => {
                    ends(next, text).take_while(|n| *n <= most).any(|n| n > 0 && take(n, found, slot, steps))
                }
                _ => most > 0 && take(most, found, slot, steps),
            }
        }
        Part::Field(slot, form) => match rest.first() {
            None => take(text.len(), found, slot, steps),
            Some(Part::Literal(next)) => {
                if *form == Form::Last {
                    let all: Vec<usize> = ends(next, text).collect();
                    all.into_iter().rev().any(|n| take(n, found, slot, steps))
                } else {
                    ends(next, text).any(|n| take(n, found, slot, steps))
                }
            }
            // A field of a form of its own follows: every place where one may begin is tried.
            Some(Part::Field(..)) => starts(text).any(|n| take(n, found, slot, steps)),
        },
    }
}

/// Where `literal` may begin in `text`.
fn ends<'t>(literal: &'t str, text: &'t str) -> impl Iterator<Item = usize> + 't {
    let first = literal.split(' ').next().unwrap_or_default();
    let spaced = first.is_empty();
    let wanted = if spaced { " " } else { first }.as_bytes();
    let mut next = 0;
    let byte = wanted.first().copied().unwrap_or(b' ');
    memchr::memchr_iter(byte, text.as_bytes()).filter(move |at| {
        let Some(rest) = text.get(*at..).filter(|t| *at >= next && t.as_bytes().starts_with(wanted)) else { return false };
        next = at + wanted.len();
        literal_end(literal, rest).is_some()
    })
}

/// Beginnings of words and numbers.
fn starts(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut before = ' ';
    text.char_indices().filter_map(move |(at, c)| {
        let begins = c.is_ascii_alphanumeric() && !before.is_ascii_alphanumeric() || (c == ':' && before == ' ');
        before = c;
        begins.then_some(at)
    })
}

/// How much of `text` a literal takes; a space takes all spaces.
fn literal_end(literal: &str, text: &str) -> Option<usize> {
    let (mut literal, mut rest) = (literal.as_bytes(), text.as_bytes());
    while let Some((wanted, more)) = literal.split_first() {
        let (found, after) = rest.split_first()?;
        if wanted != found {
            return None;
        }
        (literal, rest) = (more, after);
        if *wanted == b' ' {
            // Several spaces in either are one.
            literal = past_spaces(literal);
            rest = past_spaces(rest);
        }
    }
    Some(text.len() - rest.len())
}

fn past_spaces(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b" ") {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
#[path = "tests/pattern.rs"]
mod tests;
