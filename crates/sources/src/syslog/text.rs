//! Bytes to text: UTF-8, else GB18030, told apart a line.
//!
//! UTF-8 is hardly ever met by accident: a line whose bytes are all of it is taken for it. What is not is read as GB18030, which GBK and
//! GB2312 are part of. Bytes that are neither become U+FFFD and the line is marked.

use std::borrow::Cow;

use encoding_rs::GB18030;
use weir_record::kinds::line_flags;

/// The text of a line, and the flags that say how it was read. Control characters become spaces.
pub fn decode(bytes: &[u8]) -> (Cow<'_, str>, u16) {
    // RFC 5424 section 6.4: a byte order mark may stand before a UTF-8 message; it is taken away where the message begins.
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (clean(text), 0);
    }
    // The limit may have cut a character in two.
    let cut = std::str::from_utf8(bytes).err().filter(|e| e.error_len().is_none() && e.valid_up_to() + 4 > bytes.len());
    if let Some(good) = cut.and_then(|e| bytes.get(..e.valid_up_to())).and_then(|b| std::str::from_utf8(b).ok()).filter(|t| !t.is_ascii()) {
        return (clean(good), line_flags::NOT_TEXT);
    }
    let (text, broken) = GB18030.decode_without_bom_handling(bytes);
    let own = |text: &str| Cow::Owned(clean(text).into_owned());
    if broken { (own(&String::from_utf8_lossy(bytes)), line_flags::NOT_TEXT) } else { (own(&text), line_flags::GB18030) }
}

fn clean(text: &str) -> Cow<'_, str> {
    // Control characters are below the space, DEL, and those that UTF-8 writes with C2 first.
    // All bytes are looked at, many at once: hardly any line has one.
    let odd = |b: u8| u8::from(b < b' ') | u8::from(b == 0x7f) | u8::from(b == 0xc2);
    if text.bytes().fold(0, |any, b| any | odd(b)) == 0 {
        return Cow::Borrowed(text);
    }
    // A tab stands between fields in Windows' lines; it stays a separator.
    Cow::Owned(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

/// The longest beginning of `text` that has at most `bytes` bytes.
pub fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_character_is_found_wherever_it_stands() {
        for length in 0..50 {
            let plain = "x户".repeat(length);
            let plain = cut(&plain, length);
            assert_eq!(clean(plain), plain);
            for at in plain.char_indices().map(|(at, _)| at).chain([plain.len()]) {
                for control in ["\0", "\x1f", "\x7f", "\u{80}", "\u{9f}", "\u{a0}"] {
                    let (before, after) = plain.split_at(at);
                    let shown = if control == "\u{a0}" { control } else { " " };
                    assert_eq!(clean(&format!("{before}{control}{after}")), format!("{before}{shown}{after}"));
                }
            }
        }
    }

    #[test]
    fn character_sets_are_told_apart_a_line() {
        let (gbk, _, _) = GB18030.encode("用户 登录 成功");
        let cases: [(&[u8], &str, u16); 6] = [
            (b"plain", "plain", 0),
            ("用户 登录".as_bytes(), "用户 登录", 0),
            (&gbk, "用户 登录 成功", line_flags::GB18030),
            (b"a\x07b\tc", "a b c", 0),
            (b"\xff\xff x", "\u{fffd}\u{fffd} x", line_flags::NOT_TEXT),
            ("用户".as_bytes().split_last().unwrap().1, "用", line_flags::NOT_TEXT),
        ];
        for (bytes, text, flags) in cases {
            assert_eq!(decode(bytes), (Cow::Borrowed(text), flags), "{bytes:?}");
        }
        assert_eq!(cut("用户", 4), "用");
        assert_eq!(cut("ab", 4), "ab");
    }
}
