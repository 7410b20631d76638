//! The redacted form of a line: what names or finds a person becomes a word like `<ADDR1>`; the same value is the same word within a line.
//!
//! Replaced: what a dialect took for an account or a client's name, wherever it stands; words behind `user`, `account` and the like; in a line
//! that speaks of signing in, words behind `for` and `by`; IPv4 and IPv6 addresses, hardware addresses, mail addresses, telephone numbers, certificate numbers (18 characters). What a dialect does not
//! know and no form betrays, such as a person's name in free text, stays: the page for operators says so. Secrets are not shown: [`secrets`].

use std::fmt::Write as _;

use super::forms::{addresses, duid_length, mac_length, may_begin};
use super::known::Known;
use super::limits::{DUID_SURE, REDACTIONS};
use super::secrets;

/// Words behind which an account stands. `=` or `:` may stand between, and quotes around.
const ACCOUNT_WORDS: &[&str] = &[
    "user",
    "username",
    "user-name",
    "user_name",
    "usr",
    "ruser",
    "account",
    "acct",
    "acc_user",
    "login",
    "logname",
    "loginname",
    "operator",
    "suser",
    "duser",
    "targetusername",
    "subjectusername",
    "name",
    "auid",
    "用户",
    "用户名",
    "帐号",
    "账号",
];

/// Words behind which an account stands where the line speaks of signing in, as in `session closed for frank by (uid=0)`.
const PREPOSITIONS: &[&str] = &["for", "by"];

/// Parts of words of a line that speaks of signing in.
const SIGN_IN_WORDS: &[&str] = &["assword", "ession", "uth", "ublickey", "ogin", "ogged", "ogon", "ogout", "ign-in", "ign in", "COMMAND="];

/// Words that may follow one of all those without being an account.
const NOT_ACCOUNTS: &[&str] = &[
    "uid",
    "euid",
    "gid",
    "pid",
    "tty",
    "port",
    "host",
    "illegal",
    "new",
    "next",
    "this",
    "that",
    "all",
    "any",
    "each",
    "remote",
    "local",
    "client",
    "server",
    "service",
    "method",
    "connection",
    "peer",
    "more",
    "seconds",
    "minutes",
    "timeout",
    "system",
    "is",
    "was",
    "has",
    "not",
    "from",
    "for",
    "by",
    "in",
    "out",
    "to",
    "and",
    "or",
    "the",
    "a",
    "an",
    "logged",
    "login",
    "logout",
    "name",
    "id",
    "unknown",
    "failed",
    "failure",
    "success",
    "successful",
    "succeeded",
    "with",
    "on",
    "at",
    "of",
    "session",
    "request",
    "requested",
    "account",
    "authentication",
    "password",
    "user",
    "invalid",
    "root(uid",
    "process",
    "slice",
    "manager",
    "runtime",
    "access",
    "interface",
];

/// Beginnings of words that make a number before them a measure, as in `for 30 seconds`.
const UNITS: &[&str] = &["sec", "min", "hour", "day", "times", "attempts", "bytes", "packets", "ms"];

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
        if !value.is_empty() && value != "-" && !self.known.iter().any(|(_, v)| *v == value) && self.known.len() < REDACTIONS {
            self.known.push(Word::User, value);
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
        let ends_verb = |d: usize| matches!(d.checked_sub(2).and_then(|at| bytes.get(at..at + 4)), Some(b"ged " | b"ned "));
        if !memchr::memchr_iter(b'd', bytes).any(ends_verb) {
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
                let is_account = word.starts_with(is_word) && !is_label(word) && !NOT_ACCOUNTS.iter().any(|w| w.eq_ignore_ascii_case(word));
                if is_account {
                    self.account(word);
                }
            }
        }
    }

    /// Appends the redacted form of a text of the line to `out`. The text is walked once; what stays is copied in stretches.
    pub fn text(&mut self, text: &'a str, out: &mut String) {
        self.subjects(text);
        let bytes = text.as_bytes();
        let mails = bytes.contains(&b'@');
        let (mut at, mut kept) = (0, 0);
        let mut speaks = None;
        let mut command: Option<Option<usize>> = self.command.then_some(Some(0));
        // A word or value may begin here; and the word before is one behind which an account stands.
        let (mut begins, mut expects) = (true, false);
        while let Some(byte) = bytes.get(at) {
            let class = class(*byte);
            if begins && self.may_begin(class, *byte, mails, expects) {
                let rest = text.get(at..).unwrap_or_default();
                if let Some((word, length)) = self.value_at(rest, mails, expects) {
                    let value = rest.get(..length).unwrap_or_default();
                    out.push_str(text.get(kept..at).unwrap_or_default());
                    self.replace(word, value, out);
                    at += length;
                    (kept, expects) = (at, false);
                    begins = value.chars().next_back().is_none_or(|c| !is_word(c));
                    continue;
                }
            }
            if class & BEYOND != 0 {
                let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
                if !is_word(c) || !begins {
                    expects &= c == '：' && !is_word(c);
                    at += c.len_utf8();
                    begins = !is_word(c);
                    continue;
                }
            } else if class & WORD == 0 || !begins {
                // Between a label and its account stand only `=`, `:`, spaces, quotes and brackets.
                expects &= class & BETWEEN != 0;
                at += 1;
                begins = class & WORD == 0;
                continue;
            }
            let end = word_end(text, at);
            if let Some((from, to)) = secret(text, at, end, &mut command) {
                out.push_str(text.get(kept..from).unwrap_or_default());
                out.push_str(secrets::SHOWN);
                (at, kept, begins, expects) = (to, to, true, false);
                continue;
            }
            expects = text.get(at..end).is_some_and(|word| leads_to_account(word, text, &mut speaks));
            at = end;
            begins = false;
        }
        out.push_str(text.get(kept..).unwrap_or_default());
    }

    /// False where no value can begin, whatever follows: most places of most lines.
    fn may_begin(&self, class: u8, byte: u8, mails: bool, expects: bool) -> bool {
        expects
            || class & VALUE != 0
            || mails && class & (MAIL | BEYOND) != 0
            || self.known.iter().any(|(_, v)| v.as_bytes().first() == Some(&byte))
    }

    /// The value that begins here, at the beginning of a word, and its length. `mails` is false where the text has no `@`.
    fn value_at(&self, rest: &str, mails: bool, expects_account: bool) -> Option<(Word, usize)> {
        let known = self.known.iter().filter(|(_, v)| rest.starts_with(v) && rest.get(v.len()..).is_some_and(ends_word));
        let mail = if mails { mail(rest) } else { None };
        if let Some((word, value)) = known.max_by_key(|(_, v)| v.len()).filter(|(_, v)| mail.is_none_or(|n| n <= v.len())) {
            return Some((*word, value.len()));
        }
        let first = rest.bytes().next()?;
        if (first.is_ascii_hexdigit() || first == b':') && may_begin(rest) {
            // A DUID holds a hardware address more often than not.
            let duid = duid_length(rest).filter(|n| *n >= 3 * DUID_SURE - 1);
            if let Some(length) = duid.or_else(|| mac_length(rest)).filter(|n| rest.get(*n..).is_some_and(ends_word)) {
                return Some((Word::Mac, length));
            }
            if let Some(length) = addresses(rest).next().filter(|n| rest.get(*n..).is_some_and(ends_word)) {
                // `::` alone, and `10:00` as part of a time, are no addresses.
                if length > 2 {
                    return Some((Word::Addr, length));
                }
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
        if expects_account {
            let length = rest.find([' ', ',', ';', '"', '\'', ']', ')', '(', '>', '<', '=']).unwrap_or(rest.len());
            let word = rest.get(..length)?.trim_end_matches(['.', ':']);
            let is_account = word.chars().next().is_some_and(|c| is_word(c) || c == '-')
                && !NOT_ACCOUNTS.iter().any(|w| w.eq_ignore_ascii_case(word))
                && !is_label(word)
                && !is_measure(word, rest.get(length..).unwrap_or_default());
            return is_account.then_some((Word::User, word.len()));
        }
        None
    }

    fn replace(&mut self, word: Word, value: &'a str, out: &mut String) {
        let number = self.numbered(word, value);
        // Writing to a string does not fail.
        let _ = write!(out, "<{}{number}>", word.name());
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

/// Letters, digits and `_`.
const WORD: u8 = 1;
/// What an address, a hardware address or a number may begin with.
const VALUE: u8 = 2;
/// What may stand before the `@` of a mail address.
const MAIL: u8 = 4;
/// What may stand between a label and its account.
const BETWEEN: u8 = 8;
/// Part of a character above ASCII.
const BEYOND: u8 = 16;

/// What each byte may be part of.
const CLASSES: [u8; 256] = classes();

fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

const fn classes() -> [u8; 256] {
    let mut out = [0; 256];
    let mut byte = 0u8;
    loop {
        let mut class = 0;
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            class |= WORD | MAIL;
        }
        if byte.is_ascii_hexdigit() || matches!(byte, b':' | b'+') {
            class |= VALUE;
        }
        if matches!(byte, b'.' | b'-' | b'+' | b'%') {
            class |= MAIL;
        }
        if matches!(byte, b'=' | b':' | b' ' | b'"' | b'\'' | b'[' | b'(' | b'<' | b'`') {
            class |= BETWEEN;
        }
        if !byte.is_ascii() {
            class |= BEYOND;
        }
        out[byte as usize] = class;
        if byte == u8::MAX {
            return out;
        }
        byte += 1;
    }
}

/// Where the word that begins at `at` ends.
fn word_end(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let ascii = rest.iter().position(|b| class(*b) & WORD == 0).unwrap_or(rest.len());
    if rest.get(ascii).is_none_or(u8::is_ascii) {
        return at + ascii;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(|c| !is_word(c)).unwrap_or(rest.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !is_word(c))
}

fn is_label(word: &str) -> bool {
    let lengths = word.bytes().next().and_then(|first| LABELS.get(usize::from(first))).copied().unwrap_or(0);
    word.len() < 16 && lengths >> word.len() & 1 == 1 && ACCOUNT_WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Which lengths the words of [`ACCOUNT_WORDS`] have that begin with a byte, whatever its case: bit `n` for `n` bytes. None is longer than 15.
const LABELS: [u16; 256] = labels();

const fn labels() -> [u16; 256] {
    let mut out = [0; 256];
    let mut at = 0;
    while at < ACCOUNT_WORDS.len() {
        let word = ACCOUNT_WORDS[at].as_bytes();
        assert!(word.len() < 16);
        out[word[0].to_ascii_lowercase() as usize] |= 1 << word.len();
        out[word[0].to_ascii_uppercase() as usize] |= 1 << word.len();
        at += 1;
    }
    out
}

/// `30` before ` seconds`: no account.
fn is_measure(word: &str, behind: &str) -> bool {
    let unit = behind.trim_start();
    word.bytes().all(|b| b.is_ascii_digit()) && UNITS.iter().any(|u| unit.starts_with(u))
}

/// The secret that the word `text[at..end]` leads to. `command`: where a command begins in the text, looked for once and only where it matters.
fn secret(text: &str, at: usize, end: usize, command: &mut Option<Option<usize>>) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    // Nearly every word is none of them: its first letter says so, or the sign before it.
    let first = bytes.get(at).map_or(0, u8::to_ascii_lowercase);
    let option = first == b'p' && at > 1 && bytes.get(at - 1) == Some(&b'-');
    let named =
        matches!(first, b'p' | b's' | b'c' | b'k' | b'h' | b't' | b'a' | 0x80..) || bytes.get(at..end).is_some_and(|w| w.contains(&b'_'));
    if bytes.get(end..end + 3) == Some(b"://") {
        return secrets::of_address(text, end + 3);
    }
    if !(option || named && text.get(at..end).is_some_and(secrets::is_one)) {
        return None;
    }
    let from = *command.get_or_insert_with(|| secrets::command(text));
    secrets::behind(text, at, end, from.is_some_and(|from| from <= at))
}

/// Whether what stands behind this word of the text may be an account.
///
/// `speaks`: whether the text speaks of signing in, looked at once for a text and only where it matters.
fn leads_to_account(word: &str, text: &str, speaks: &mut Option<bool>) -> bool {
    is_label(word)
        || word.len() <= 3
            && PREPOSITIONS.iter().any(|p| p.eq_ignore_ascii_case(word))
            && *speaks.get_or_insert_with(|| SIGN_IN_WORDS.iter().any(|part| text.contains(part)))
}

/// `name@domain` at the beginning: the domain needs no dot, accounts of access networks have none.
fn mail(rest: &str) -> Option<usize> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%');
    let at = rest.find(|c| !allowed(c)).filter(|n| *n > 0 && *n <= 64)?;
    let domain = rest.get(at..)?.strip_prefix('@')?;
    let length = domain.find(|c| !allowed(c)).unwrap_or(domain.len());
    let domain = domain.get(..length)?.trim_end_matches(['.', '-']);
    // `%rule@32473` in structured data is no mail address: its right side is a number.
    (!domain.is_empty() && !domain.bytes().all(|b| b.is_ascii_digit())).then_some(at + 1 + domain.len())
}

/// Telephone and certificate numbers: Chinese mobile numbers with or without +86, numbers that begin with + and 8 to 15 digits,
/// resident identity numbers (17 digits and a digit or X).
fn number(rest: &str) -> Option<(Word, usize)> {
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

#[cfg(test)]
#[path = "tests/redact.rs"]
mod tests;
