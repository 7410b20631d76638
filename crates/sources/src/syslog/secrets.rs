//! Secrets in commands and settings: what stands behind `password`, `cipher` and the like becomes `<SECRET>` in a redacted form. Pure.
//!
//! In a command a space may stand between (`password irreversible-cipher X`, `secret 5 X`, `--password X`), and in any text behind what only settings
//! hold (`snmp-server community X`, `enable secret 5 X`, `shared-key cipher X`); in any text `=` or a colon (`PASSWORD=X`, `"password":"X"`, `password: X`).
//! Sentences about passwords are no secrets: `Accepted password for alice` and `password: authentication failure` stay as they are.

use super::labels::Lengths;
use super::limits::OPTION_BYTES;

/// Words behind which a secret stands, in a command and behind `=`.
const ALWAYS: &[&str] = &["password", "passwd", "passphrase", "secret", "psk", "community", "authkey", "sharedkey", "presharedkey"];

/// The same in Chinese, wherever they stand.
const WIDE: &[&str] = &["密码", "口令", "密钥", "密碼", "密鑰"];

/// What makes a sentence of what stands behind those.
const WIDE_SENTENCES: &[&str] = &[
    "错", "錯", "已", "不", "过期", "正确", "无效", "失败", "认证", "验证", "修改", "重置", "为空", "未", "成功", "强度", "长度", "登录",
    "被", "将",
];

/// What makes a measure of a number before it, as in `密码3次错误`.
const WIDE_UNITS: &[&str] = &["次", "天", "个", "位", "小时", "分", "日", "月"];

/// Words that make a sentence of `password: …`.
#[rustfmt::skip]
const SENTENCES: &[&str] = &[
    "expired", "expires", "expiring", "expiry", "incorrect", "invalid", "wrong", "bad", "correct", "required", "requested", "changed", "change", "check",
    "checked", "verified", "verification", "ok", "failed", "failure", "fail", "fails", "error", "denied", "accepted", "rejected", "reset", "updated",
    "success", "successful", "succeeded", "authentication", "authenticated", "auth", "login", "none", "null", "nil", "yes", "no", "true", "false",
    "enabled", "disabled", "empty", "missing", "mismatch", "mismatched", "not", "too", "must", "may", "can", "cannot", "will", "has", "have", "had", "is",
    "was", "for", "from", "of", "to", "the", "a", "an", "user", "unknown", "unable", "strength", "policy", "length", "minimum", "attempt", "attempts",
    "times", "access", "suite", "method", "mode", "type", "prompt", "this", "that", "your", "and", "or", "exchange", "negotiation", "negotiated",
];

/// Schemes of an Authorization header (RFC 9110 section 11.1).
const SCHEMES: &[&str] = &["basic", "bearer", "digest", "token", "negotiate", "ntlm", "apikey"];

/// What settings have before a word and its secret.
const SETTINGS: &[&str] =
    &["snmp-server", "snmp-agent", "snmp", "radius-server", "tacacs-server", "hwtacacs-server", "radius", "tacacs", "enable"];

/// Words between that only a setting has.
const STRONG: &[&str] = &["cipher", "simple", "irreversible-cipher", "ciphertext", "read", "write"];

/// Words behind which a secret stands only where `=` or a JSON colon stands between.
const ASSIGNED: &[&str] = &["pass", "token", "apikey", "passcode"];

/// Words behind which a secret stands only in a command.
const COMMANDED: &[&str] = &["cipher", "simple", "key", "hash", "plaintext"];

/// Words behind which a secret stands in a way of its own: of a header, and a program's.
const HEADER: &str = "authorization";
const PROGRAM: &str = "sshpass";

/// Lengths of all of these.
pub(super) const LENGTHS: Lengths = Lengths::of(LISTS);
pub(super) const LISTS: &[&[&str]] = &[ALWAYS, ASSIGNED, COMMANDED, &[HEADER, PROGRAM]];

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
    let bytes = text.as_bytes();
    // The second letter of each is rare: one look for all of them.
    let begin = |at: usize| at.checked_sub(1).filter(|from| bytes.get(*from..).is_some_and(|b| MARKS.iter().any(|m| b.starts_with(m))));
    memchr::memchr3_iter(b'm', b'M', b'X', bytes).find_map(begin)
}

/// What a command begins with.
const MARKS: [&[u8]; 5] = [b"ommand", b"OMMAND", b"cmd", b"CMD", b"EXECVE"];

/// How sure a word is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads {
    Anywhere,
    Assigned,
    Commanded,
    /// `Authorization`, a scheme behind it.
    Scheme,
    /// The program `sshpass`.
    Sshpass,
}

fn leads(word: &str) -> Option<Leads> {
    // Nearly every word is none of them: its length, its first and its last byte say so.
    if LENGTHS.may_hold(word.as_bytes()) {
        let is = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(word));
        if is(ALWAYS) {
            return Some(Leads::Anywhere);
        } else if is(ASSIGNED) {
            return Some(Leads::Assigned);
        } else if is(COMMANDED) {
            return Some(Leads::Commanded);
        } else if word == PROGRAM {
            return Some(Leads::Sshpass);
        } else if word.eq_ignore_ascii_case(HEADER) {
            return Some(Leads::Scheme);
        }
    }
    let ends = |end: &&str| {
        let tail = word.len().checked_sub(end.len()).and_then(|at| word.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    (word.contains('_') && ENDS.iter().any(ends)).then_some(Leads::Assigned)
}

/// True for a word behind which a secret may stand.
pub fn is_one(word: &str) -> bool {
    leads(word).is_some()
}

/// The secret that stands behind the word `text[at..end]`, as bytes from and to; `commanded` where the word is part of a command.
pub fn behind(text: &str, at: usize, end: usize, commanded: bool) -> Option<(usize, usize)> {
    let word = text.get(at..end)?;
    if is_option(text, at)
        && let Some(found) = option(text, at, word, commanded)
    {
        return Some(found);
    }
    let leads = leads(word)?;
    match leads {
        Leads::Scheme => return authorization(text, end),
        Leads::Sshpass => return sshpass(text, end),
        _ => {}
    }
    let before = text.get(..at).unwrap_or_default();
    // `pam_unix(passwd:chauthtok):`.
    if before.strip_suffix('(').is_some_and(|b| b.rsplit(' ').next().is_some_and(|module| module.starts_with("pam_"))) {
        return None;
    }
    let is_setting = commanded || is_setting(before);
    if leads == Leads::Commanded && !is_setting {
        if !word.eq_ignore_ascii_case("key") {
            return None;
        }
        return told(text, end)
            .filter(|_| is_compound(before, &["api-", "access-", "secret-", "auth-"]))
            .or_else(|| spaced(text, end, false));
    }
    if let Some(from) = assigned(text, end, commanded) {
        return value(text, from, !commanded);
    }
    if let Some((from, to)) = told(text, end) {
        let told = text.get(from..to).unwrap_or_default();
        let is_number = told.bytes().all(|b| b.is_ascii_digit() || b == b':');
        // A community of BGP is a number; `token: word` is what a parser says.
        let sure = match leads {
            Leads::Assigned => is_odd(told) && !is_number,
            _ => !(is_number && word.eq_ignore_ascii_case("community")),
        };
        return sure.then_some((from, to));
    }
    if leads == Leads::Assigned { None } else { behind_spaces(text, end, commanded, is_setting) }
}

/// The secret behind a Chinese word that stands at `at`, whatever stands before it.
pub fn behind_wide(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?;
    // Nearly every character begins none.
    if !rest.starts_with(['密', '口']) {
        return None;
    }
    let label = WIDE.iter().find(|w| rest.starts_with(**w))?;
    let behind = rest.get(label.len()..)?;
    let behind = behind.strip_prefix(['为', '為', '是']).unwrap_or(behind);
    let bare = behind.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | '：' | '＝' | '“' | '‘' | '「'));
    let between = behind.get(..behind.len() - bare.len())?;
    let from = text.len() - bare.len();
    let first = bare.chars().next()?;
    let is_assigned = between.contains(['=', ':', '：', '＝']);
    // `密码）`, `密码/口令`, `密码错误`.
    let begins = first.is_ascii_alphanumeric() || "\"'!@#$%^&*".contains(first);
    if !(is_assigned || begins) {
        return None;
    }
    let (from, to) = value(text, from, true)?;
    let token = text.get(from..to)?;
    let ends = |c: char| matches!(c, '。' | '；' | '、' | '）' | '”' | '’' | '」') || (between.is_empty() && !c.is_ascii());
    let token = token.get(..token.find(ends).unwrap_or(token.len())).filter(|t| !t.is_empty())?;
    let after = text.get(from + token.len()..)?.trim_start();
    let is_measure = token.bytes().all(|b| b.is_ascii_digit()) && WIDE_UNITS.iter().any(|u| after.starts_with(u));
    let is_sentence = is_measure || is_sentence(token) || WIDE_SENTENCES.iter().any(|w| token.starts_with(w)) || is_between(token);
    (!is_sentence).then_some((from, from + token.len()))
}

/// Words that make a sentence, with what ends one.
fn is_sentence(token: &str) -> bool {
    let word = token.trim_end_matches(['.', ',', ';', ':', ')', '!', '?', ']']);
    SENTENCES.iter().any(|w| w.eq_ignore_ascii_case(word))
}

fn is_between(token: &str) -> bool {
    BETWEEN.iter().any(|w| w.eq_ignore_ascii_case(token))
}

/// No word of a sentence: it holds what is neither a letter nor `-`.
fn is_odd(token: &str) -> bool {
    let word = token.trim_end_matches(['.', ',', ';', ':', ')', '!', '?', ']']);
    word.chars().any(|c| !c.is_alphabetic() && c != '-')
}

/// True where a setting's word stands before, as in `snmp-server community` and `radius-server shared-key`.
fn is_setting(before: &str) -> bool {
    // Nearly every word before is none of them: its last letter says so.
    let bytes = before.as_bytes();
    let last = |back: usize| bytes.len().checked_sub(back).and_then(|at| bytes.get(at)).copied().unwrap_or(0);
    if !matches!((last(1), last(2)), (b'-', _) | (b' ', b'r' | b't' | b'p' | b's' | b'e' | b' ' | b'R' | b'T' | b'P' | b'S' | b'E')) {
        return false;
    }
    let before = before.strip_suffix("shared-").map_or(before, |b| b.strip_suffix("pre-").unwrap_or(b));
    let word = before.strip_suffix(' ').map(|b| b.trim_end_matches(' ')).unwrap_or_default();
    let word = word.rsplit([' ', '"', '\'', ':', '(']).next().unwrap_or_default();
    SETTINGS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

fn is_compound(before: &str, ends: &[&str]) -> bool {
    let tail = |n: usize| before.len().checked_sub(n).and_then(|at| before.get(at..));
    ends.iter().any(|end| tail(end.len()).is_some_and(|t| t.eq_ignore_ascii_case(end)))
}

/// The value behind a colon and a space, where it is no sentence: `password: hunter2`.
fn told(text: &str, end: usize) -> Option<(usize, usize)> {
    let behind = text.get(end..)?.trim_start().strip_prefix([':', '：'])?.trim_start();
    let (from, to) = value(text, text.len() - behind.len(), true)?;
    let token = text.get(from..to)?;
    // `Invalid password : server = 192.0.2.1`.
    let is_name = text.get(to..)?.trim_start().starts_with(['=', ':']) && token.bytes().all(|b| b.is_ascii_alphabetic());
    // `Elevated Token: %%1842` of Windows is the number of a text.
    (!is_name && !token.starts_with("%%") && !is_sentence(token)).then_some((from, to))
}

/// The secret behind spaces and words such as `cipher`.
fn behind_spaces(text: &str, end: usize, commanded: bool, is_setting: bool) -> Option<(usize, usize)> {
    if commanded {
        return walk(text, end).and_then(|(from, _)| value(text, from, false));
    }
    spaced(text, end, is_setting)
}

/// The same in text that need not be a command.
fn spaced(text: &str, end: usize, is_setting: bool) -> Option<(usize, usize)> {
    let (from, passed) = walk(text, end)?;
    if !is_setting && passed == Passed::Nothing {
        return None;
    }
    let (from, to) = value(text, from, true)?;
    let token = text.get(from..to)?;
    let sure = is_setting || passed == Passed::Strong || is_odd(token);
    (sure && !is_sentence(token)).then_some((from, to))
}

/// What stood between.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passed {
    Nothing,
    Number,
    Strong,
}

/// Past spaces and the words that may stand before a secret: where it begins.
fn walk(text: &str, end: usize) -> Option<(usize, Passed)> {
    let (mut from, mut passed) = (end, Passed::Nothing);
    loop {
        let gap = text.get(from..)?.find(|c: char| c != ' ' && c != '\t').filter(|n| *n > 0)?;
        from += gap;
        let token = text.get(from..)?.split([' ', '\t', '"']).next().unwrap_or_default();
        let next = from + token.len();
        let more = text.get(next..).is_some_and(|rest| rest.starts_with([' ', '\t']) && !rest.trim_start().is_empty());
        let number = token.len() <= 2 && token.bytes().all(|b| b.is_ascii_digit()) && !token.is_empty();
        if !(more && (number || token.len() > 1 && is_between(token))) {
            return Some((from, passed));
        }
        if STRONG.iter().any(|w| w.eq_ignore_ascii_case(token)) {
            passed = Passed::Strong;
        } else if number && passed == Passed::Nothing {
            passed = Passed::Number;
        }
        from = next;
    }
}

/// What stands behind a scheme: `Authorization: Bearer X`.
fn authorization(text: &str, end: usize) -> Option<(usize, usize)> {
    let behind = text.get(end..)?;
    let bare = behind.trim_start_matches(['"', '\'', '\\', ' ', ':', '=', '：']);
    if !behind.get(..behind.len() - bare.len())?.contains([':', '=', '：']) {
        return None;
    }
    let scheme = bare.split([' ', '"', '\'']).next().unwrap_or_default();
    let from = text.len() - bare.len();
    if SCHEMES.iter().any(|s| s.eq_ignore_ascii_case(scheme)) {
        let credentials = bare.get(scheme.len()..)?.trim_start();
        return value(text, text.len() - credentials.len(), true);
    }
    value(text, from, true).filter(|(from, to)| text.get(*from..*to).is_some_and(|token| is_odd(token) && !is_sentence(token)))
}

/// The value of `-p` behind `sshpass`.
fn sshpass(text: &str, end: usize) -> Option<(usize, usize)> {
    let mut from = end;
    loop {
        let rest = text.get(from..)?;
        let bare = rest.trim_start_matches([' ', '"', '\'', ',']);
        from = text.len() - bare.len();
        let token = bare.split(' ').next().filter(|t| t.starts_with('-') && rest.len() > bare.len())?;
        if token.starts_with("-p") {
            let behind = bare.get(2..)?.trim_start();
            return value(text, text.len() - behind.len(), false);
        }
        from += token.len();
    }
}

fn is_of_curl(text: &str, at: usize) -> bool {
    let before = text.as_bytes().get(at.saturating_sub(OPTION_BYTES)..at).unwrap_or_default();
    memchr::memmem::find(before, b"curl").is_some()
}

/// The secret of an option: `-pX` in a command, `-u name:X`, `curl -uname:X`.
fn option(text: &str, at: usize, word: &str, commanded: bool) -> Option<(usize, usize)> {
    if commanded && word.starts_with('p') && word.len() > 1 {
        return Some((at + 1, value_end(text, at + 1, false)));
    }
    let rest = text.get(at..)?.strip_prefix('u')?;
    let bare = rest.trim_start_matches(' ');
    if bare.len() == rest.len() && !(word.len() > 1 && is_of_curl(text, at)) {
        return None;
    }
    let (from, to) = value(text, text.len() - bare.len(), false)?;
    let (name, secret) = text.get(from..to)?.split_once(':')?;
    let is_number = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    // `-u 1000:1000`, `-u http://h.example`.
    let is_other = name.is_empty() || secret.is_empty() || secret.starts_with("//") || (is_number(name) && is_number(secret));
    // Who it is of is not shown either.
    (!is_other).then_some((from, to))
}

/// True for an option of one letter, as in `mysql -pX`.
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
