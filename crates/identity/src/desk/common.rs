//! Passwords that everybody tries first (NIST SP 800-63B, section 5.1.1.2: a blocklist): common words, rows of the keyboard, sequences and
//! repetitions, and what is made of them with a few characters around.

/// What common passwords are made of, in lower case, longer ones first where one holds another.
const WORDS: &[&str] = &[
    "administrator",
    "qwertyuiop",
    "asdfghjkl",
    "iloveyou",
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "woaini",
    "zhongguo",
    "changeme",
    "football",
    "baseball",
    "princess",
    "sunshine",
    "superman",
    "starwars",
    "whatever",
    "5201314",
    "microsoft",
    "hikvision",
    "mikrotik",
    "fortinet",
    "ericsson",
    "sangfor",
    "chinanet",
    "telecom",
    "juniper",
    "huawei",
    "unicom",
    "ubuntu",
    "debian",
    "nokia",
    "cisco",
    "dahua",
    "linux",
    "china",
    "invalid",
    "example",
    "localhost",
    "demo",
    "1314520",
    "zxcvbnm",
    "qazwsxedc",
    "1qaz2wsx",
    "qazwsx",
    "1q2w3e4r",
    "q1w2e3r4",
    "1q2w3e",
    "welcome",
    "letmein",
    "monkey",
    "dragon",
    "master",
    "shadow",
    "qwerty",
    "qwert",
    "asdfgh",
    "asdf",
    "admin",
    "login",
    "secret",
    "hello",
    "mima",
    "weir",
    "root",
    "user",
    "test",
    "zte",
    "h3c",
    "abc",
    "520",
];

/// Characters that must be left, and differ, when all that is common is taken out.
const LEFT: usize = 5;
/// A run of so many characters that follow one another, or are the same, is common.
const RUN: usize = 3;

/// Columns of the keyboard, from above; they are walked upwards as well.
const COLUMNS: &[&str] =
    &["1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/", "qaz", "wsx", "edc", "rfv", "tgb", "yhn", "ujm"];
/// Phrases that everybody knows, without their spaces.
const PHRASES: &[&str] = &["correcthorse", "correcthorsebatterystaplecorrect", "tobeornottobe", "letmeinplease", "thisismypassword"];
/// A single word of at most so many letters beside what is common is as good as nothing: *weidahao12345*.
const WORD: usize = 8;

/// True when hardly anything is left of it without what is common; `names`: more words that are, in lower case, longer ones first.
pub fn is_common(password: &str, names: &[String]) -> bool {
    let text = password.to_lowercase();
    let joined: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut single: Vec<char> = text.chars().collect();
    single.dedup();
    let phrase = joined.trim_end_matches(|c: char| c.is_ascii_digit());
    PHRASES.contains(&phrase) || [text, joined, single.into_iter().collect()].into_iter().any(|form| is_next_to_nothing(form, names))
}

fn is_next_to_nothing(mut text: String, names: &[String]) -> bool {
    let whole = text.clone();
    let columns = COLUMNS.iter().flat_map(|c| [(*c).to_owned(), c.chars().rev().collect()]);
    let words = WORDS.iter().map(|w| (*w).to_owned()).chain(columns).chain(names.iter().cloned());
    for word in words {
        // A space keeps apart what stood apart.
        text = text.replace(&word, " ");
    }
    let left: String = without_runs(&text).into_iter().collect();
    let mut parts = left.split_whitespace();
    if let (Some(only), None) = (parts.next(), parts.next())
        && only.chars().count() <= WORD
        && only.chars().all(|c| c.is_ascii_lowercase())
        && !whole.trim().contains(' ')
        && whole.chars().any(|c| c.is_ascii_digit())
    {
        return true;
    }
    let mut left: Vec<char> = left.chars().filter(|c| !c.is_whitespace()).collect();
    left.sort_unstable();
    left.dedup();
    left.len() < LEFT
}

/// The characters outside of runs up, down or on the spot.
fn without_runs(text: &str) -> Vec<char> {
    let all: Vec<char> = text.chars().collect();
    let step = |at: usize| Some(i64::from(u32::from(*all.get(at + 1)?)) - i64::from(u32::from(*all.get(at)?))).filter(|s| s.abs() <= 1);
    let (mut left, mut at) = (Vec::new(), 0);
    while let Some(c) = all.get(at) {
        let first = step(at);
        let mut length = 1;
        while first.is_some() && step(at + length - 1) == first {
            length += 1;
        }
        if length < RUN {
            left.push(*c);
            at += 1;
        } else {
            left.push(' ');
            at += length;
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_common_and_what_nobody_does_is_not() {
        let names = ["gateway".to_owned()];
        for common in [
            "password1234",
            "123456789012",
            "qwertyuiop12",
            "Passw0rd2026!",
            "admin@123456",
            "woaini5201314",
            "abcdefghijkl",
            "zyxwvutsrqponm",
            "qwerty123456",
            "111222333444",
            "1q2w3e4r5t6y",
            "Admin12345678",
            "iloveyou1314520",
            "weir-weir-weir",
            "correct horse",
            "Correct-Horse-2026",
            "zaq12wsxcde3",
            "1qaz2wsx3edc",
            "Huawei@12345",
            "cisco-12345678",
            "pass word 1234",
            "11223344556677",
            "aabbccddeeff",
            "weidahao12345",
            "zhangwei888888",
            "demo.invalid",
            "gateway@123456",
            "",
        ] {
            assert!(is_common(common, &names), "{common}");
        }
        for good in [
            "correct horse battery",
            "mary had a lamb, once",
            "密码密码要十二个字符以上才行",
            "k7#dP-2vQx!m",
            "my password is a sentence",
            "Tr0ub4dor&3xyz9",
            "correct horse battery staple",
            "a long password, sure",
            "another long password",
            "something else entirely",
            "china has many rivers",
            "seven green boats 1987",
            "vY8tqLw3ZpRn",
            "huawei und zwei Katzen",
        ] {
            assert!(!is_common(good, &names), "{good}");
        }
    }
}
