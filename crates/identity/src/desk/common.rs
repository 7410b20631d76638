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
    "abc",
    "520",
];

/// Characters that must be left, and differ, when all that is common is taken out.
const LEFT: usize = 5;
/// A run of so many characters that follow one another, or are the same, is common.
const RUN: usize = 3;

/// True when hardly anything is left of it without what is common.
pub fn is_common(password: &str) -> bool {
    let mut text = password.to_lowercase();
    for word in WORDS {
        // A space keeps apart what stood apart.
        text = text.replace(word, " ");
    }
    let mut left = without_runs(&text);
    left.retain(|c| *c != ' ');
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
            "",
        ] {
            assert!(is_common(common), "{common}");
        }
        for good in [
            "correct horse battery",
            "mary had a lamb, once",
            "密码密码要十二个字符以上才行",
            "k7#dP-2vQx!m",
            "my password is a sentence",
            "Tr0ub4dor&3xyz9",
        ] {
            assert!(!is_common(good), "{good}");
        }
    }
}
