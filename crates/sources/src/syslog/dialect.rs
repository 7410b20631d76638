//! Dialects: what the lines of one vendor or program mean, as data. One file a dialect; those in `dialects/` are part of the program, an
//! operator may add more. The form of a file stands in `docs/sources/syslog.md`.

use std::borrow::Cow;
use std::collections::HashMap;

use weir_base::hash::MixState;
use weir_record::kinds::{AuthAction, Form};

use super::limits::{NAT_ENTRIES, RULES};
use super::line::Line;
use super::pairs::{self, Pairs, Place, Read};
use super::pattern::{Found, Needle, Pattern, Slot};
use super::rulefile::{File, OneOrMore, RuleFile};

/// What a rule takes a line for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A sign-in, sign-out, failure, change of privilege or configuration.
    Auth(AuthAction),
    /// A NAT mapping began, ended, or is told of with both its ends.
    Nat(Ends, Form),
    /// An address was leased or its lease renewed.
    Lease,
    /// A lease ended.
    Release,
    /// A client asked about an address that it says it has: the answer looks like a lease and grants nothing.
    Inquiry,
    /// Understood, and nothing to keep besides the line.
    Nothing,
}

/// Which ends of a mapping a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Its beginning.
    Begin,
    /// Its beginning; this device never tells of the end.
    BeginOnly,
    /// Its end.
    End,
    /// Both.
    Both,
}

impl Event {
    /// The word in `maintenance.event`; none for nothing.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Event::Auth(action) => Some(action.name()),
            Event::Nat(..) => Some("nat"),
            Event::Lease | Event::Release | Event::Inquiry => Some("lease"),
            Event::Nothing => None,
        }
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it takes a line for.
    pub event: Event,
    keys: Vec<String>,
    programs: Vec<String>,
    /// Of a sender that names the dialect, lines without any of the keys may mean this too.
    named: bool,
    patterns: Vec<Pattern>,
    split: Option<char>,
    place: Option<Place>,
    separator: char,
    when: Vec<(String, Vec<String>)>,
    pairs: Vec<(Slot, Vec<String>)>,
    set: Vec<(Slot, String)>,
    /// What a line must hold where no key leads to this rule.
    needs: Option<Needle>,
    /// What a line's message must begin with, where every pattern says so: one of these bytes.
    begins: Option<Vec<u8>>,
}

/// One dialect.
#[derive(Clone, Debug)]
pub struct Dialect {
    /// Its name, as in the configuration.
    pub name: String,
    /// What it is for.
    pub title: String,
    rules: Vec<Rule>,
}

/// The dialects that are part of the program: name and text.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("linux", include_str!("dialects/linux.toml")),
    ("netfilter", include_str!("dialects/netfilter.toml")),
    ("dhcp", include_str!("dialects/dhcp.toml")),
    ("cisco", include_str!("dialects/cisco.toml")),
    ("huawei", include_str!("dialects/huawei.toml")),
    ("h3c", include_str!("dialects/h3c.toml")),
    ("juniper", include_str!("dialects/juniper.toml")),
    ("mikrotik", include_str!("dialects/mikrotik.toml")),
    ("a10", include_str!("dialects/a10.toml")),
    ("netscaler", include_str!("dialects/netscaler.toml")),
    ("windows", include_str!("dialects/windows.toml")),
];

fn event(word: &str, form: Option<&str>) -> Result<Event, String> {
    let form = match form {
        None | Some("session") => Form::Session,
        Some("bib") => Form::Bib,
        Some("block") => Form::Block,
        Some("address") => Form::AddressBinding,
        Some(other) => return Err(format!("form {other:?} is not known: write session, bib, block or address")),
    };
    if let Some(action) = AuthAction::ALL.into_iter().find(|a| a.name() == word) {
        return Ok(Event::Auth(action));
    }
    Ok(match word {
        "nat-begin" => Event::Nat(Ends::Begin, form),
        "nat-begin-only" => Event::Nat(Ends::BeginOnly, form),
        "nat-end" => Event::Nat(Ends::End, form),
        "nat-both" => Event::Nat(Ends::Both, form),
        "lease" => Event::Lease,
        "release" => Event::Release,
        "inquiry" => Event::Inquiry,
        "nothing" => Event::Nothing,
        _ => {
            let known = "sign-in, sign-out, failure, privilege, configuration, nat-begin, nat-begin-only, nat-end, nat-both, lease, release, \
                         inquiry, nothing";
            return Err(format!("event {word:?} is not known: write {known}"));
        }
    })
}

fn slot(name: &str) -> Result<Slot, String> {
    Slot::named(name).ok_or_else(|| format!("{name:?} is no field: write {}", Slot::names()))
}

impl Dialect {
    /// Reads a dialect file.
    ///
    /// # Errors
    /// Every problem, each with the rule it is in.
    pub fn parse(text: &str) -> Result<Dialect, Vec<String>> {
        let file: File = toml::from_str(text).map_err(|e| vec![e.to_string().trim().replace('\n', " ")])?;
        let mut problems = Vec::new();
        if file.name.is_empty() || file.name.len() > 48 || !file.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            problems.push(format!("name = {:?}: write 1 to 48 letters, digits and dashes", file.name));
        }
        if file.rule.is_empty() || file.rule.len() > RULES {
            problems.push(format!("{} rules: write 1 to {RULES}, each below [[rule]]", file.rule.len()));
        }
        let mut rules = Vec::new();
        for (i, rule) in file.rule.into_iter().take(RULES).enumerate() {
            match Rule::of(rule) {
                Ok(rule) => rules.push(rule),
                Err(e) => problems.push(format!("rule {}: {e}", i + 1)),
            }
        }
        if problems.is_empty() { Ok(Dialect { name: file.name, title: file.title, rules }) } else { Err(problems) }
    }
}

impl Rule {
    fn of(file: RuleFile) -> Result<Rule, String> {
        let event = event(&file.event, file.form.as_deref())?;
        let patterns: Vec<Pattern> =
            file.patterns.map_or(Vec::new(), OneOrMore::list).iter().map(|p| Pattern::parse(p)).collect::<Result<_, _>>()?;
        let mut pairs = Vec::new();
        for (name, keys) in file.pairs {
            pairs.push((slot(&name)?, keys.list()));
        }
        let set = file.set.into_iter().map(|(name, value)| Ok((slot(&name)?, value))).collect::<Result<Vec<_>, String>>()?;
        let place = if file.when.is_empty() && pairs.is_empty() { None } else { Some(file.from.unwrap_or(Place::Text)) };
        if patterns.is_empty() && place.is_none() {
            return Err("says nothing about lines: write match = \"…\", or pairs and when".to_owned());
        }
        let split = match file.split {
            None => None,
            Some(text) => {
                let mut chars = text.chars();
                let first = chars.next().filter(|_| chars.next().is_none());
                Some(first.ok_or_else(|| format!("split = {text:?}: write one character"))?)
            }
        };
        let has = |wanted: Slot| {
            pairs.iter().any(|(s, _)| *s == wanted)
                || set.iter().any(|(s, _)| *s == wanted)
                || (!patterns.is_empty() && patterns.iter().all(|p| p.slots().any(|s| s == wanted)))
        };
        let needs: &[Slot] = match event {
            Event::Nat(_, Form::Session | Form::Bib) => &[Slot::Public, Slot::PublicPort, Slot::Inside],
            Event::Nat(_, Form::Block) => &[Slot::Public, Slot::PublicPort, Slot::Inside],
            Event::Nat(..) => &[Slot::Public, Slot::Inside],
            Event::Lease | Event::Release | Event::Inquiry => &[Slot::Inside],
            Event::Auth(_) | Event::Nothing => &[],
        };
        if let Some(missing) = needs.iter().find(|s| !has(**s)) {
            return Err(format!("an event {:?} needs the field {missing}", file.event));
        }
        let when = file.when.into_iter().map(|(name, values)| (name, values.list())).collect();
        let separator = file.separator.unwrap_or(' ');
        let needs = match patterns.as_slice() {
            [one] if file.keys.is_empty() => Some(one.longest_literal()).filter(|t| t.len() >= 3 && !t.contains(' ')).map(Needle::new),
            _ => None,
        };
        // Pieces of a line may begin with anything.
        let begins = patterns.iter().map(Pattern::first_byte).collect::<Option<Vec<u8>>>().filter(|b| !b.is_empty() && split.is_none());
        let begins = begins.map(|mut bytes| {
            bytes.sort_unstable();
            bytes.dedup();
            bytes
        });
        Ok(Rule {
            event,
            keys: file.keys,
            programs: file.programs,
            named: file.named,
            patterns,
            split,
            place,
            separator,
            when,
            pairs,
            set,
            needs,
            begins,
        })
    }

    /// True when it says who held an address: that is believed only where the line's sender cannot be made to say it.
    fn weighs(&self) -> bool {
        matches!(self.event, Event::Nat(..) | Event::Lease | Event::Release | Event::Inquiry)
    }

    /// True when a line may mean this although its sender does not name the dialect: the rule has a key, and the key is the program, or the name
    /// of the message where no other program stands before it.
    fn is_sure(&self, line: &Line<'_>) -> bool {
        let of = |names: &[String]| line.program().is_some_and(|p| names.iter().any(|n| n == p));
        !self.weighs() || (!self.keys.is_empty() && (!line.behind || of(&self.keys) || of(&self.programs)))
    }

    /// True when it cannot understand a line, which is known from a glance.
    fn is_hopeless(&self, line: &Line<'_>, json: bool) -> bool {
        let begins = |bytes: &Vec<u8>| line.message.bytes().next().is_some_and(|first| bytes.contains(&first));
        let lacks = || self.needs.as_ref().is_some_and(|needle| !needle.is_in(line.message));
        self.begins.as_ref().is_some_and(|bytes| !begins(bytes))
            || lacks()
            || (self.place == Some(Place::Json) && !json && !self.when.is_empty())
    }
}

/// What a rule knows of a line without its patterns.
type Base<'a> = Found<'a>;

/// What a rule found in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values<'a>(Found<'a>);

impl Values<'_> {
    /// A value; `-` and nothing are none.
    pub fn get(&self, slot: Slot) -> Option<&str> {
        self.0.iter().find(|(s, _)| *s == slot).map(|(_, v)| v.trim()).filter(|v| !v.is_empty() && *v != "-")
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &str)> {
        self.0.iter().map(|(slot, value)| (*slot, value.as_ref()))
    }
}

/// One thing that a line tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// What it is.
    pub event: Event,
    /// What was found.
    pub values: Values<'a>,
}

/// A line that a rule understands: its dialect and what it tells; several entries for a line of several.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood<'a> {
    /// Name of the dialect.
    pub dialect: &'a str,
    /// What it tells, at least one entry.
    pub entries: Vec<Entry<'a>>,
    /// Entries that no rule understands, and those beyond the limit.
    pub missed: u64,
}

impl Understood<'_> {
    /// What its first entry is.
    pub fn event(&self) -> Event {
        self.entries.first().map_or(Event::Nothing, |e| e.event)
    }
}

/// All dialects, indexed.
#[derive(Debug, Default)]
pub struct Table {
    dialects: Vec<Dialect>,
    keyed: HashMap<String, Vec<(usize, usize)>, MixState>,
    /// Rules without keys; and those of them that any sender's lines may mean.
    rest: Vec<(usize, usize)>,
    free: Vec<(usize, usize)>,
    /// What a message that is no JSON must begin with for any of `free`; none where one of them may hold for any message.
    free_begins: Option<Vec<u8>>,
}

impl Table {
    /// An index of dialects. Rules are tried in their order.
    pub fn new(dialects: Vec<Dialect>) -> Table {
        let mut table = Table::default();
        for (d, dialect) in dialects.iter().enumerate() {
            for (r, rule) in dialect.rules.iter().enumerate() {
                if rule.keys.is_empty() || rule.named {
                    table.rest.push((d, r));
                }
                table.free.extend((rule.keys.is_empty() && !rule.named && !rule.weighs()).then_some((d, r)));
                for key in &rule.keys {
                    table.keyed.entry(key.clone()).or_default().push((d, r));
                }
            }
        }
        let begins = |(d, r): &(usize, usize)| {
            let rule = dialects.get(*d)?.rules.get(*r)?;
            let json = rule.place == Some(Place::Json) && !rule.when.is_empty();
            rule.begins.clone().or_else(|| json.then(Vec::new))
        };
        table.free_begins = table.free.iter().map(begins).collect::<Option<Vec<Vec<u8>>>>().map(|all| all.concat());
        table.dialects = dialects;
        table
    }

    /// The dialects that are part of the program.
    ///
    /// # Panics
    /// Never: a test reads them all.
    pub fn built_in() -> Vec<Dialect> {
        BUILT_IN.iter().filter_map(|(_, text)| Dialect::parse(text).ok()).collect()
    }

    /// The dialects it holds.
    pub fn dialects(&self) -> &[Dialect] {
        &self.dialects
    }

    /// The first rule that understands a line. `only` names the dialects that may; all of them where it is empty. Then NAT events and leases are
    /// believed only of lines that a key leads to: what a program writes of strangers may hold any text.
    pub fn understand<'a>(&'a self, line: &Line<'a>, only: &[String]) -> Option<Understood<'a>> {
        let mut read = Read::default();
        let json = pairs::may_be_json(line.message);
        for (dialect, rule) in self.candidates(line, only, json) {
            if rule.is_hopeless(line, json) {
                continue;
            }
            if let Some(separator) = rule.split {
                if let Some(understood) = self.entries(line, only, dialect, separator, &mut read) {
                    return Some(understood);
                }
            } else if let Some(base) = rule.base(line, &mut read)
                && let Some(values) = rule.apply(line.message, &base)
            {
                return Some(Understood { dialect: &dialect.name, entries: vec![Entry { event: rule.event, values }], missed: 0 });
            }
        }
        None
    }

    /// The rules that may hold for a line, in their order.
    fn candidates<'t>(&'t self, line: &Line<'_>, only: &[String], json: bool) -> impl Iterator<Item = (&'t Dialect, &'t Rule)> {
        let keyed = line.keys().filter_map(|key| self.keyed.get(key)).flatten();
        let hopeless = |begins: &Vec<u8>| !json && line.message.bytes().next().is_none_or(|first| !begins.contains(&first));
        let unkeyed: &[(usize, usize)] = match &self.free_begins {
            _ if !only.is_empty() => &self.rest,
            Some(begins) if hopeless(begins) => &[],
            _ => &self.free,
        };
        let all = keyed.chain(unkeyed).filter_map(|(d, r)| {
            let dialect = self.dialects.get(*d)?;
            Some((dialect, dialect.rules.get(*r)?))
        });
        all.filter(|(dialect, rule)| if only.is_empty() { rule.is_sure(line) } else { only.contains(&dialect.name) })
    }

    /// A line of several entries, each held against every rule of the dialect that splits so.
    fn entries<'a>(
        &'a self,
        line: &Line<'a>,
        only: &[String],
        dialect: &'a Dialect,
        separator: char,
        read: &mut Read<'a>,
    ) -> Option<Understood<'a>> {
        let mut rules = Vec::new();
        for (_, rule) in self.candidates(line, only, true).filter(|(d, r)| d.name == dialect.name && r.split == Some(separator)) {
            // Pairs of the text are those of each entry.
            let base = if rule.place == Some(Place::Text) { Some(Vec::new()) } else { rule.base(line, read) };
            rules.extend(base.map(|base| (rule, base)));
        }
        let apply = |rule: &'a Rule, base: &Base<'a>, piece: &'a str| match rule.place {
            Some(Place::Text) => rule.apply(piece, &rule.held(&pairs::of_text(piece, rule.separator))?),
            _ => rule.apply(piece, base),
        };
        let (mut entries, mut missed) = (Vec::new(), 0);
        for piece in line.message.split(separator).map(str::trim).filter(|p| !p.is_empty()) {
            let found =
                if entries.len() < NAT_ENTRIES { rules.iter().find_map(|(r, b)| Some((r.event, apply(r, b, piece)?))) } else { None };
            match found {
                Some((event, values)) => entries.push(Entry { event, values }),
                None => missed += 1,
            }
        }
        (!entries.is_empty()).then_some(Understood { dialect: &dialect.name, entries, missed })
    }
}

impl Rule {
    /// What is known before a pattern is tried; none when the line is not this rule's.
    fn base<'a>(&self, line: &Line<'a>, read: &mut Read<'a>) -> Option<Base<'a>> {
        match self.place {
            Some(place) => self.held(read.pairs(place, self.separator, line)?),
            None => Some(Vec::new()),
        }
    }

    /// What the pairs of a line, or of an entry, tell; none when they are not this rule's.
    fn held<'a>(&self, pairs: &Pairs<'a>) -> Option<Base<'a>> {
        let mut base: Base<'a> = Vec::new();
        for (name, values) in &self.when {
            let value = pairs::get(pairs, name)?;
            if !values.iter().any(|v| v == value || v.strip_suffix('*').is_some_and(|begin| value.starts_with(begin))) {
                return None;
            }
        }
        for (slot, names) in &self.pairs {
            let found = names.iter().find_map(|n| pairs.iter().find(|(name, _)| name == n));
            base.extend(found.map(|(_, value)| (*slot, value.clone())));
        }
        Some(base)
    }

    /// What a text tells by this rule.
    fn apply<'a>(&'a self, text: &'a str, base: &Base<'a>) -> Option<Values<'a>> {
        let mut all = if self.patterns.is_empty() { Vec::new() } else { self.patterns.iter().find_map(|p| p.find(text))? };
        all.extend_from_slice(base);
        all.extend(self.set.iter().map(|(slot, value)| (*slot, Cow::Borrowed(value.as_str()))));
        Some(Values(all))
    }
}

#[cfg(test)]
#[path = "tests/dialect.rs"]
mod tests;
