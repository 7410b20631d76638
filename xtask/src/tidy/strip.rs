//! Rust source without its comments and literals, so that a word in a sentence is not taken for code.

/// The source with every comment and every string or character literal replaced by spaces; lines stay where they are.
pub fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match literal_end(&chars, at) {
            Some(end) => end.min(chars.len()),
            None => {
                // A name is copied whole, so that the `r` of `for` does not open a raw string.
                let end = at + 1 + if is_word(chars[at]) { chars[at + 1..].iter().take_while(|c| is_word(**c)).count() } else { 0 };
                out.extend(&chars[at..end]);
                at = end;
                continue;
            }
        };
        out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where the comment or literal that opens at `at` ends (exclusive), or `None` if none opens here.
fn literal_end(chars: &[char], at: usize) -> Option<usize> {
    let next = chars.get(at + 1).copied();
    match (chars[at], next) {
        ('/', Some('/')) => Some(at + chars[at..].iter().take_while(|c| **c != '\n').count()),
        ('/', Some('*')) => Some(block_end(chars, at)),
        ('"', _) => Some(quoted_end(chars, at + 1)),
        ('b' | 'c', Some('"')) => Some(quoted_end(chars, at + 2)),
        ('b' | 'c', Some('r')) => raw_end(chars, at + 2),
        ('r', Some('"' | '#')) => raw_end(chars, at + 1),
        ('\'', _) => char_end(chars, at),
        _ => None,
    }
}

fn block_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut here) = (0usize, at);
    while here < chars.len() {
        match (chars[here], chars.get(here + 1)) {
            ('/', Some('*')) => (depth, here) = (depth + 1, here + 2),
            ('*', Some('/')) => (depth, here) = (depth - 1, here + 2),
            _ => here += 1,
        }
        if depth == 0 {
            return here;
        }
    }
    here
}

fn quoted_end(chars: &[char], mut here: usize) -> usize {
    while here < chars.len() {
        match chars[here] {
            '\\' => here += 2,
            '"' => return here + 1,
            _ => here += 1,
        }
    }
    here
}

/// `here` is at the first `#` or at the quote. A raw identifier (`r#type`) has no quote and is no literal.
fn raw_end(chars: &[char], here: usize) -> Option<usize> {
    let hashes = chars[here..].iter().take_while(|c| **c == '#').count();
    if chars.get(here + hashes) != Some(&'"') {
        return None;
    }
    let mut end = here + hashes + 1;
    while end < chars.len() {
        if chars[end] == '"' && chars[end + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return Some(end + 1 + hashes);
        }
        end += 1;
    }
    Some(end)
}

/// A character literal; a lifetime is none.
fn char_end(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        let close = chars.get(at + 3..)?.iter().position(|c| *c == '\'')?;
        return Some(at + 4 + close);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_go_and_code_stays() {
        let cases = [
            ("a // todo\nb", "a        \nb"),
            ("a /* x /* y */ z */ b", "a                   b"),
            ("f(\"a\\\"b\") + 1", "f(      ) + 1"),
            ("x = r#\"a\"b\"# ;", "x =          ;"),
            ("b\"x\" br\"y\" c\"z\"", "               "),
            ("'a' '\\n' '\\'' &'a str", "              &'a str"),
            ("for r in r#type {}", "for r in r#type {}"),
            ("\"never closed", "             "),
            ("/* never closed", "               "),
            ("'", "'"),
            ("堰 // 堰", "堰     "),
        ];
        for (source, expected) in cases {
            assert_eq!(code_only(source), expected, "{source}");
        }
    }

    #[test]
    fn lines_stay_where_they_are() {
        let source = "let a = \"one\ntwo\"; /* three\nfour */ b";
        assert_eq!(code_only(source).lines().count(), source.lines().count());
    }
}
