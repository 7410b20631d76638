//! Secrets in commands and settings: what stands behind `password`, `cipher` and the like becomes `<SECRET>` in a redacted form. Pure.
//!
//! In a command a space may stand between (`password irreversible-cipher X`, `secret 5 X`, `--password X`); in any text `=` or a JSON colon (`PASSWORD=X`,
//! `"password":"X"`). Sentences about passwords are no commands: `Accepted password for alice` stays as it is.

/// Words behind which a secret stands, in a command and behind `=`.
const ALWAYS: &[&str] =
    &["password", "passwd", "passphrase", "secret", "psk", "community", "authkey", "sharedkey", "presharedkey", "密码", "口令", "密钥"];

/// Words behind which a secret stands only where `=` or a JSON colon stands between.
const ASSIGNED: &[&str] = &["pass", "token", "apikey", "passcode"];

/// Words behind which a secret stands only in a command.
const COMMANDED: &[&str] = &["cipher", "simple", "key", "hash", "plaintext"];

/// Ends of names, as in `db_password`.
const ENDS: &[&str] = &["_password", "_passwd", "_pass", "_secret", "_token", "_key", "_psk"];

/// Words between a word of those above and the secret.
const BETWEEN: &[&str] = &[
    "read",
    "write",
    "irreversible",
    "cipher",
    "simple",
    "hash",
    "plain",
    "plaintext",
    "plain-text",
    "encrypted",
    "ciphertext",
    "md5",
    "sha",
    "sha256",
    "sha512",
    "ascii",
    "string",
    "irreversible-cipher",
    "is",
    "hex",
    "text",
    "phrase",
    "pre-shared-key",
    "shared-key",
    "scrypt",
];

/// What the redacted form shows instead.
pub const SHOWN: &str = "<SECRET>";

/// Where a command begins that the text tells of: `COMMAND=…`, `Command is …`, `CMD (…`.
pub fn command(text: &str) -> Option<usize> {
    ["ommand", "OMMAND", "cmd", "CMD", "EXECVE"].iter().filter_map(|mark| text.find(mark)).min()
}

/// How sure a word is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads {
    Anywhere,
    Assigned,
    Commanded,
}

fn leads(word: &str) -> Option<Leads> {
    // None is shorter, and what is longer has one of the ends.
    if word.len() < 3 {
        return None;
    }
    let is = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    let ends = |end: &&str| {
        let tail = word.len().checked_sub(end.len()).and_then(|at| word.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    match word.len() {
        3..=12 if is(ALWAYS) => Some(Leads::Anywhere),
        3..=12 if is(ASSIGNED) => Some(Leads::Assigned),
        3..=12 if is(COMMANDED) => Some(Leads::Commanded),
        _ if word.contains('_') && ENDS.iter().any(ends) => Some(Leads::Assigned),
        _ => None,
    }
}

/// True for a word behind which a secret may stand.
pub fn is_one(word: &str) -> bool {
    leads(word).is_some()
}

/// The secret that stands behind the word `text[at..end]`, as bytes from and to; `commanded` where the word is part of a command.
pub fn behind(text: &str, at: usize, end: usize, commanded: bool) -> Option<(usize, usize)> {
    let word = text.get(at..end)?;
    if commanded && word.starts_with('p') && word.len() > 1 && is_option(text, at) {
        return Some((at + 1, value_end(text, at + 1, false)));
    }
    let leads = leads(word)?;
    if leads == Leads::Commanded && !commanded {
        return None;
    }
    if let Some(from) = assigned(text, end, commanded) {
        return value(text, from, !commanded);
    }
    if leads == Leads::Assigned || !commanded {
        return None;
    }
    let mut from = end;
    loop {
        let gap = text.get(from..)?.find(|c: char| c != ' ' && c != '\t').filter(|n| *n > 0)?;
        from += gap;
        let token = text.get(from..)?.split([' ', '\t', '"']).next().unwrap_or_default();
        let next = from + token.len();
        let more = text.get(next..).is_some_and(|rest| rest.starts_with([' ', '\t']) && !rest.trim_start().is_empty());
        let passed = BETWEEN.iter().any(|w| w.eq_ignore_ascii_case(token))
            || (token.len() <= 2 && token.bytes().all(|b| b.is_ascii_digit()) && !token.is_empty());
        if !(more && passed) {
            return value(text, from, false);
        }
        from = next;
    }
}

/// True for `-p` with its value behind it, as mysql takes it.
fn is_option(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.strip_suffix('-').is_some_and(|b| b.ends_with([' ', '"', '\'', '\t']))
}

/// Where the value begins behind `=`, behind `":`, or behind a colon with nothing between.
fn assigned(text: &str, end: usize, commanded: bool) -> Option<usize> {
    let rest = text.get(end..)?;
    let bare = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let quoted = bare.len() < rest.len();
    let behind = bare.trim_start().strip_prefix(['=', ':', '：'])?;
    let colon = !bare.trim_start().starts_with('=');
    let value = behind.trim_start();
    // `password: authentication failure` is a sentence.
    let sure = !colon || quoted || commanded || (value.len() == behind.len() && bare.starts_with([':', '：']));
    (sure && !value.is_empty()).then(|| text.len() - value.len())
}

fn value(text: &str, from: usize, listed: bool) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (from, end) = match quote {
        Some(quote) => (from + 1, from + 1 + rest.get(1..)?.find(quote).unwrap_or(rest.len() - 1)),
        None => (from, value_end(text, from, listed)),
    };
    (end > from).then_some((from, end))
}

/// Where a value without quotes ends: at a space or a quote; where it is one of a list, at what parts its members too.
fn value_end(text: &str, from: usize, listed: bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'') || (listed && matches!(c, ',' | ';' | '&' | '，'));
    from + rest.find(ends).unwrap_or(rest.len())
}

/// The password of an address with one, as in `https://alice:secret@host`: what stands between the colon and the last `@` before the next slash or space.
/// `at` is behind the `://`.
pub fn of_address(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?;
    let host = rest.get(..rest.find(|c: char| c == '/' || c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(rest.len()))?;
    let end = host.rfind('@')?;
    let colon = host.get(..end)?.find(':')?;
    (colon + 1 < end).then_some((at + colon + 1, at + end))
}

#[cfg(test)]
#[path = "tests/secrets.rs"]
mod tests;
