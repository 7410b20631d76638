//! The redacted form of a line: what names or finds a person becomes a word like `<ADDR1>`; the same value is the same word within a line.
//!
//! Replaced: what a dialect took for an account or a client's name, wherever it stands; its addresses too, even amid letters; words behind `user`,
//! `用户` and the like; in a line that speaks of signing in, words behind `for`, `by` and `as`; IPv4 and IPv6 addresses, hardware addresses, mail
//! addresses, telephone numbers, certificate numbers (18 characters). A word is of letters and digits of ASCII: in Chinese text, which has no spaces, a
//! value begins and ends where the script changes, and a Chinese account wherever it stands. What a dialect does not know and no form betrays, such as
//! a person's name in free text, stays: the page for operators says so. Secrets are not shown: [`secrets`].

use super::ahead::Ahead;
use super::classes::{BETWEEN, BEYOND, MAIL, VALUE, WORD, class, word_end};
use super::dialect::Entry;
use super::forms::{addresses, ends_word, is_hardware, is_word, mac_length, mail, may_begin, number, sure_duid};
use super::known::Known;
use super::labels;
use super::limits::{GLUED_ENTRIES, REDACTIONS};
use super::pattern::Slot;
use super::secrets;

/// Verbs of whoever stands before them (`carol logged in`), and what must stand behind.
const VERBS: [&str; 2] = [" logged ", " signed "];
const WAYS: &[&str] = &["in", "out", "on", "off", "into"];

/// Words before such a verb that are nobody; behind them stands who it is, if anybody.
const NOBODY: &[&str] =
    &["has", "have", "had", "is", "was", "were", "are", "be", "been", "being", "not", "never", "just", "already", "successfully"];

/// Replaces, line by line.
#[derive(Default)]
pub struct Redactor<'a> {
    known: Known<'a>,
    /// What a dialect found.
    found: &'a [Entry<'a>],
    /// The texts are commands, from their beginning on.
    command: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// An address.
    Addr,
    /// An account or a name.
    User,
    /// A hardware address, or a DUID.
    Mac,
    /// A mail address.
    Mail,
    /// A telephone number.
    Phone,
    /// A certificate number.
    Cert,
}

impl Word {
    fn name(self) -> &'static str {
        match self {
            Word::Addr => "ADDR",
            Word::User => "USER",
            Word::Mac => "MAC",
            Word::Mail => "MAIL",
            Word::Phone => "PHONE",
            Word::Cert => "CERT",
        }
    }
}

impl<'a> Redactor<'a> {
    /// Names a value that a dialect knows to be an account.
    pub fn account(&mut self, value: &'a str) {
        self.name(Word::User, value);
    }

    /// Names what a dialect found: accounts, names of clients, hardware addresses, addresses.
    pub fn found(&mut self, entries: &'a [Entry<'a>]) {
        for (slot, value) in entries.iter().flat_map(|e| e.values.iter()) {
            match slot {
                Slot::Account | Slot::Target | Slot::Client => self.account(value.trim()),
                // What betrays itself is found by its form.
                Slot::Mac | Slot::Duid if !is_hardware(value) => self.name(Word::Mac, value.trim()),
                _ => {}
            }
        }
        self.found = entries;
    }

    fn name(&mut self, word: Word, value: &'a str) {
        if !value.is_empty() && value != "-" && !self.known.iter().any(|(_, v)| *v == value) && self.known.len() < REDACTIONS {
            self.known.push(word, value);
        }
    }

    /// Says that the texts are commands: a secret may stand behind a word and a space.
    pub fn is_command(&mut self, command: bool) {
        self.command = command;
    }

    /// Whoever is said to sign in or out is an account, whatever program says so.
    fn subjects(&mut self, text: &'a str) {
        // Nearly no line has either verb: one look for how both end.
        let bytes = text.as_bytes();
        let ends_verb = |g: usize| bytes.get(g + 1..).is_some_and(|b| b.starts_with(b"ed ") || b.starts_with(b"ned "));
        if !memchr::memchr_iter(b'g', bytes).any(ends_verb) {
            return;
        }
        for verb in VERBS {
            for (at, _) in text.match_indices(verb) {
                let behind = text.get(at + verb.len()..).unwrap_or_default();
                let way = behind.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
                if !WAYS.contains(&way) {
                    continue;
                }
                let before = text.get(..at).unwrap_or_default();
                let mut words = before.rsplit([' ', '"', '\'', ',', ';', ':', '=', '(', ')', '[', ']', '<', '>']);
                let word = words.find(|w| !w.is_empty() && !NOBODY.contains(w)).unwrap_or_default();
                if word.starts_with(|c: char| c.is_alphanumeric() || c == '_') && labels::may_be_account(word) {
                    self.account(word);
                }
            }
        }
    }

    /// Appends the redacted form of a text of the line to `out`. The text is walked once; what stays is copied in stretches.
    pub fn text(&mut self, text: &'a str, out: &mut String) {
        self.walk::<true>(text, out);
    }

    /// The same, with a look at every place: what fuzzing holds it against.
    pub(super) fn text_everywhere(&mut self, text: &'a str, out: &mut String) {
        self.walk::<false>(text, out);
    }

    /// The same. `PASS`: what nothing begins with goes by.
    fn walk<const PASS: bool>(&mut self, text: &'a str, out: &mut String) {
        self.subjects(text);
        let bytes = text.as_bytes();
        let mails = memchr::memchr(b'@', bytes).is_some();
        let (mut at, mut kept, mut label_ends) = (0, 0, 0);
        let (mut speaks, mut command) = (None, self.command.then_some(Some(0)));
        // A word or value may begin here; and the word before is one behind which an account stands.
        let (mut begins, mut expects) = (true, false);
        let mut ahead = Ahead::of(text);
        loop {
            if PASS && begins && !(expects || mails) && label_ends <= at && !self.known.has_more() {
                at = ahead.next(at, &self.known, !self.found.is_empty());
            }
            let Some(byte) = bytes.get(at) else { break };
            let class = class(*byte);
            // Between scripts and amid Chinese characters a value may begin anywhere.
            if (begins || class & BEYOND != 0)
                && self.may_begin(class, *byte, mails, expects)
                && let Some((word, length)) = self.value_at(text, at, mails, expects)
            {
                let value = text.get(at..at + length).unwrap_or_default();
                out.push_str(text.get(kept..at).unwrap_or_default());
                self.replace(word, value, out);
                at += length;
                (kept, expects) = (at, false);
                ahead.forget();
                begins = value.bytes().next_back().is_none_or(|b| !is_word(b));
                continue;
            }
            if class & BEYOND != 0 {
                if let Some((from, to)) = secrets::behind_wide(text, at) {
                    out.push_str(text.get(kept..from).unwrap_or_default());
                    out.push_str(secrets::SHOWN);
                    (at, kept, begins, expects) = (to, to, true, false);
                    ahead.forget();
                    continue;
                }
                (at, expects) = past_wide(text, at, &mut label_ends, expects);
                begins = true;
                continue;
            }
            if class & WORD == 0 || !begins {
                // Between a label and its account stand only `=`, `:`, spaces, quotes and brackets.
                expects &= class & BETWEEN != 0;
                at += 1;
                begins = class & WORD == 0;
                continue;
            }
            let end = word_end(bytes, at);
            if let Some((from, to)) = secret(text, at, end, &mut command) {
                out.push_str(text.get(kept..from).unwrap_or_default());
                out.push_str(secrets::SHOWN);
                (at, kept, begins, expects) = (to, to, true, false);
                ahead.forget();
                continue;
            }
            if !self.found.is_empty()
                && let Some((from, word, length)) = self.glued(text, at, end)
            {
                out.push_str(text.get(kept..from).unwrap_or_default());
                (at, expects) = (from + length, false);
                self.replace(word, text.get(from..at).unwrap_or_default(), out);
                ahead.forget();
                (kept, begins) = (at, false);
                continue;
            }
            expects = end == label_ends || text.get(at..end).is_some_and(|word| labels::leads_to(word, text, &mut speaks));
            at = end;
            begins = false;
        }
        out.push_str(text.get(kept..).unwrap_or_default());
    }

    /// False where no value can begin, whatever follows: most places of most lines.
    fn may_begin(&self, class: u8, byte: u8, mails: bool, expects: bool) -> bool {
        expects || class & VALUE != 0 || mails && class & (MAIL | BEYOND) != 0 || self.known.begins(byte)
    }

    /// The value that begins here and its length. Here a word begins, or a character above ASCII. `mails` is false where the text has no `@`.
    fn value_at(&self, text: &str, at: usize, mails: bool, expects_account: bool) -> Option<(Word, usize)> {
        let rest = text.get(at..)?;
        let first = rest.bytes().next()?;
        // What ends in Chinese has no end that could be seen.
        let ends = |v: &str| !v.bytes().next_back().is_some_and(|b| b.is_ascii()) || rest.get(v.len()..).is_some_and(ends_word);
        let mail = if mails && (first.is_ascii() || labels::wide(rest).is_none()) { mail(rest) } else { None };
        if self.known.begins(first) {
            let known = self.known.iter().filter(|(_, v)| rest.starts_with(v) && ends(v)).max_by_key(|(_, v)| v.len());
            if let Some((word, value)) = known.filter(|(_, v)| mail.is_none_or(|n| n <= v.len())) {
                return Some((*word, value.len()));
            }
        }
        // With a single colon nothing begins but what a dialect found.
        let colons = first == b':' && (rest.starts_with("::") || !self.found.is_empty());
        if (first.is_ascii_hexdigit() || colons) && may_begin(rest) {
            // A DUID holds a hardware address more often than not.
            if let Some(length) = sure_duid(rest).or_else(|| mac_length(rest)).filter(|n| rest.get(*n..).is_some_and(ends_word)) {
                return Some((Word::Mac, length));
            }
            if let Some(length) = addresses(rest).next().filter(|n| rest.get(*n..).is_some_and(ends_word)) {
                // `::` alone, and `10:00` as part of a time, are no addresses.
                if length > 2 {
                    return Some((Word::Addr, length));
                }
            }
            let told = self.told_at(text, at);
            if told.is_some() {
                return told;
            }
        }
        if let Some(length) = mail {
            return Some((Word::Mail, length));
        }
        if first.is_ascii_digit() || first == b'+' {
            let found = number(rest);
            if found.is_some() {
                return found;
            }
        }
        let expects_account = expects_account && (first.is_ascii() || labels::wide(rest).is_none());
        if expects_account { labels::account(text, at).map(|length| (Word::User, length)) } else { None }
    }

    /// Where an address that a dialect found stands behind letters of the word `text[at..end]`, as in `ip192.0.2.1`, and its length.
    fn glued(&self, text: &str, at: usize, end: usize) -> Option<(usize, Word, usize)> {
        let bytes = text.as_bytes();
        let goes_on = matches!(bytes.get(end), Some(b'.' | b':' | b'-')) && bytes.get(end - 1).is_some_and(u8::is_ascii_hexdigit);
        if !goes_on || end - at < 2 {
            return None;
        }
        // Before its first separator an address has at most four digits.
        (end.saturating_sub(4).max(at + 1)..end).find_map(|from| self.told_at(text, from).map(|(word, length)| (from, word, length)))
    }

    /// The address that a dialect found and that stands here, whatever letters stand around it, and its length.
    fn told_at(&self, text: &str, at: usize) -> Option<(Word, usize)> {
        let (before, rest) = text.split_at_checked(at)?;
        let is_digit = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_digit());
        let fits = |slot: Slot, value: &str| {
            let is_address = matches!(slot, Slot::Address | Slot::Inside | Slot::Public | Slot::Remote | Slot::Mac);
            is_address
                && value.len() > 2
                && rest.strip_prefix(value).is_some_and(|behind| !is_digit(behind.bytes().next()))
                && !(is_digit(before.bytes().next_back()) && is_digit(value.bytes().next()))
        };
        let values = self.found.iter().take(GLUED_ENTRIES).flat_map(|e| e.values.iter());
        let word = |slot: Slot| if slot == Slot::Mac { Word::Mac } else { Word::Addr };
        values.filter(|(slot, value)| fits(*slot, value)).map(|(slot, value)| (word(slot), value.len())).max_by_key(|(_, length)| *length)
    }

    fn replace(&mut self, word: Word, value: &'a str, out: &mut String) {
        let number = self.numbered(word, value);
        out.push('<');
        out.push_str(word.name());
        push_number(out, number);
        out.push('>');
    }

    /// The number of a value within the line.
    fn numbered(&mut self, word: Word, value: &'a str) -> u32 {
        let same = self.known.iter().filter(|(w, _)| *w == word).position(|(_, v)| *v == value);
        if let Some(number) = same {
            return u32::try_from(number + 1).unwrap_or(u32::MAX);
        }
        if self.known.len() < REDACTIONS {
            self.known.push(word, value);
        }
        let number = self.known.iter().filter(|(w, _)| *w == word).count();
        u32::try_from(number).unwrap_or(u32::MAX)
    }
}

/// Nearly every number has one digit.
fn push_number(out: &mut String, number: u32) {
    if number > 9 {
        push_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// Goes past one character above ASCII: where it ends, and whether an account may stand there. `label_ends`: where the Chinese label ends that was met
/// last; its characters are gone past one by one, as a known account may begin amid them.
fn past_wide(text: &str, at: usize, label_ends: &mut usize, expects: bool) -> (usize, bool) {
    let rest = text.get(at..).unwrap_or_default();
    if *label_ends <= at
        && let Some(length) = labels::wide(rest)
    {
        *label_ends = at + length;
    }
    let c = rest.chars().next().unwrap_or(' ');
    let next = at + c.len_utf8();
    (next, next == *label_ends || (expects && labels::is_between(c)))
}

/// The secret that the word `text[at..end]` leads to. `command`: where a command begins in the text, looked for once and only where it matters.
fn secret(text: &str, at: usize, end: usize, command: &mut Option<Option<usize>>) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    // Nearly every word is none of them: its first letter says so, or the sign before it.
    let first = bytes.get(at).map_or(0, u8::to_ascii_lowercase);
    let option = matches!(first, b'p' | b'u') && at > 1 && bytes.get(at - 1) == Some(&b'-');
    let named = matches!(first, b'p' | b's' | b'c' | b'k' | b'h' | b't' | b'a') || bytes.get(at..end).is_some_and(|w| w.contains(&b'_'));
    if bytes.get(end..end + 3) == Some(b"://") {
        return secrets::of_address(text, end + 3);
    }
    if !(option || named && text.get(at..end).is_some_and(secrets::is_one)) {
        return None;
    }
    let from = *command.get_or_insert_with(|| secrets::command(text));
    secrets::behind(text, at, end, from.is_some_and(|from| from <= at))
}

#[cfg(test)]
#[path = "tests/redact.rs"]
mod tests;

#[cfg(test)]
#[path = "tests/ahead.rs"]
mod ahead_of;

#[cfg(test)]
#[path = "tests/chinese.rs"]
mod chinese;
