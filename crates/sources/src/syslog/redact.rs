//! The redacted form of a line: what names or finds a person becomes a word like `<ADDR1>`; the same value is the same word within a line.
//!
//! Replaced: what a dialect took for an account or a client's name, wherever it stands; words behind `user`, `account` and the like; IPv4
//! and IPv6 addresses, hardware addresses, mail addresses, telephone numbers, certificate numbers (18 characters). What a dialect does not
//! know and no form betrays, such as a person's name in free text, stays: the page for operators says so.

use super::limits::{DUID_SURE, REDACTIONS};
use super::pattern::{addresses, duid_length, mac_length};

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

/// Words that may follow one of those without being an account.
const NOT_ACCOUNTS: &[&str] = &[
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

/// Replaces, line by line.
#[derive(Default)]
pub struct Redactor<'a> {
    known: Vec<(Word, &'a str)>,
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
            self.known.push((Word::User, value));
        }
    }

    /// The redacted form of a text of the line.
    pub fn text(&mut self, text: &'a str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        let mut at = 0;
        // True while the word before is one behind which an account stands.
        let mut expects_account = false;
        while at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let begins = text.get(..at).and_then(|t| t.chars().next_back()).is_none_or(|c| !is_word(c));
            if begins && let Some((word, length)) = self.value_at(rest, expects_account) {
                let value = rest.get(..length).unwrap_or_default();
                out.push_str(&self.replacement(word, value));
                at += length;
                expects_account = false;
                continue;
            }
            let Some(c) = rest.chars().next() else { break };
            if begins && is_word(c) {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let word = rest.get(..length).unwrap_or_default();
                expects_account = is_label(word);
                out.push_str(word);
                at += length;
            } else {
                // Between a label and its account stand only `=`, `:`, spaces, quotes and brackets.
                expects_account &= matches!(c, '=' | ':' | ' ' | '"' | '\'' | '[' | '(' | '<' | '：' | '`');
                out.push(c);
                at += c.len_utf8();
            }
        }
        out
    }

    /// The value that begins here, at the beginning of a word, and its length.
    fn value_at(&self, rest: &str, expects_account: bool) -> Option<(Word, usize)> {
        let known = self.known.iter().filter(|(_, v)| rest.starts_with(v) && rest.get(v.len()..).is_some_and(ends_word));
        let mail = mail(rest);
        if let Some((word, value)) = known.max_by_key(|(_, v)| v.len()).filter(|(_, v)| mail.is_none_or(|n| n <= v.len())) {
            return Some((*word, value.len()));
        }
        let first = rest.bytes().next()?;
        if first.is_ascii_hexdigit() || first == b':' {
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
        if let Some(found) = number(rest) {
            return Some(found);
        }
        if expects_account {
            let length = rest.find([' ', ',', ';', '"', '\'', ']', ')', '(', '>', '<', '=']).unwrap_or(rest.len());
            let word = rest.get(..length)?.trim_end_matches(['.', ':']);
            let is_account = word.chars().next().is_some_and(|c| is_word(c) || c == '-')
                && !NOT_ACCOUNTS.iter().any(|w| w.eq_ignore_ascii_case(word))
                && !is_label(word);
            return is_account.then_some((Word::User, word.len()));
        }
        None
    }

    fn replacement(&mut self, word: Word, value: &'a str) -> String {
        let known = self.numbered(word, value);
        format!("<{}{known}>", word.name())
    }

    /// The number of a value within the line.
    fn numbered(&mut self, word: Word, value: &'a str) -> u32 {
        let same = self.known.iter().filter(|(w, _)| *w == word).position(|(_, v)| *v == value);
        if let Some(number) = same {
            return u32::try_from(number + 1).unwrap_or(u32::MAX);
        }
        if self.known.len() < REDACTIONS {
            self.known.push((word, value));
        }
        let number = self.known.iter().filter(|(w, _)| *w == word).count();
        u32::try_from(number).unwrap_or(u32::MAX)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !is_word(c))
}

fn is_label(word: &str) -> bool {
    ACCOUNT_WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redacted(text: &str, accounts: &[&str]) -> String {
        let mut redactor = Redactor::default();
        accounts.iter().for_each(|a| redactor.account(a));
        redactor.text(text)
    }

    #[test]
    fn what_names_a_person_is_replaced() {
        for (text, accounts, want) in [
            ("Accepted password for bob from 192.0.2.7 port 22", &["bob"][..], "Accepted password for <USER1> from <ADDR1> port 22"),
            ("bobby met bob, and bob's bob@x.org", &["bob"], "bobby met <USER1>, and <USER1>'s <MAIL1>"),
            ("192.0.2.7 192.0.2.8 192.0.2.7:80", &[], "<ADDR1> <ADDR2> <ADDR1>:80"),
            ("src=2001:db8::1, [2001:db8::2]:443 fe80::1%eth0", &[], "src=<ADDR1>, [<ADDR2>]:443 <ADDR3>"),
            ("duid 00:01:00:01:2a:b3:c4:d5:00:11:22:33:44:55 iaid", &[], "duid <MAC1> iaid"),
            ("at 10:00:00 on 2026-11-22 1.2.3 v1.2.3.4x", &[], "at 10:00:00 on 2026-11-22 1.2.3 v1.2.3.4x"),
            ("mac 00:11:22:33:44:55 0011-2233-4455", &[], "mac <MAC1> <MAC2>"),
            (
                "call 13800138000 or +8613800138000, not 12345678901 or 138001380001",
                &[],
                "call <PHONE1> or <PHONE2>, not 12345678901 or 138001380001",
            ),
            ("id 11010519491231002X 110105194912310021", &[], "id <CERT1> <CERT2>"),
            ("user=alice uid=0; User 'carol' logged in", &[], "user=<USER1> uid=0; User '<USER2>' logged in"),
            ("session opened for user dave(uid=1000) by (uid=0)", &[], "session opened for user <USER1>(uid=1000) by (uid=0)"),
            ("user logged in; user is gone; no user", &[], "user logged in; user is gone; no user"),
            ("用户名=张三 用户 li.si 登录", &[], "用户名=<USER1> 用户 <USER2> 登录"),
            ("[x@32473 user=\"eve\"]", &[], "[x@32473 user=\"<USER1>\"]"),
            ("0555123@isp user123@adsl.example.cn.", &[], "<MAIL1> <MAIL2>."),
        ] {
            assert_eq!(redacted(text, accounts), want, "{text}");
        }
    }

    #[test]
    fn the_same_value_has_the_same_number_in_every_text_of_a_line() {
        let mut redactor = Redactor::default();
        assert_eq!(redactor.text("a=192.0.2.1 b=192.0.2.2"), "a=<ADDR1> b=<ADDR2>");
        assert_eq!(redactor.text("192.0.2.2 192.0.2.3"), "<ADDR2> <ADDR3>");
    }

    proptest! {
        #[test]
        fn no_address_is_left(a in any::<[u8; 4]>(), before in "[a-z ]{0,8}", after in "[ ,;:)a-z]{0,4}") {
            let shown = std::net::Ipv4Addr::from(a).to_string();
            // A letter right behind an address makes it part of a word, as in a version number.
            prop_assume!(!after.starts_with(|c: char| c.is_ascii_alphanumeric()));
            let out = redacted(&format!("{before} {shown}{after}"), &[]);
            prop_assert!(!out.contains(&shown), "{}", out);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,120}", account in "\\PC{0,8}") {
            let _ = redacted(&text, &[&account]);
        }
    }
}
