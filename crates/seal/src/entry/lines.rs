//! Reading `key value` lines in a fixed order.

use std::str::FromStr;

use weir_base::time::{Day, Millis};

use super::EntryError;
use crate::limits::KIND_BYTES;
use crate::merkle::Hash;
use crate::text;

/// The lines of an entry, taken one after another.
pub(super) struct Lines<'a> {
    rest: &'a str,
    /// Number of the line last taken.
    line: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Lines<'a>, EntryError> {
        let printable = bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\n'));
        let text = str::from_utf8(bytes).ok().filter(|t| printable && t.ends_with('\n')).ok_or(EntryError::NotLines)?;
        Ok(Lines { rest: text, line: 0 })
    }

    /// The next whole line, `None` at the end.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let (line, rest) = self.rest.split_once('\n')?;
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    /// The value of the next line if its key is `key`; otherwise the line stays.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<Value<'a>> {
        let (line, rest) = self.rest.split_once('\n')?;
        let text = line.strip_prefix(key)?.strip_prefix(' ')?;
        self.rest = rest;
        self.line += 1;
        Some(Value { text, key, line: self.line })
    }

    /// The value of the next line, whose key must be `key`.
    pub(super) fn take(&mut self, key: &'static str) -> Result<Value<'a>, EntryError> {
        let line = self.line + 1;
        self.optional(key).ok_or(EntryError::Line { line, key })
    }

    pub(super) fn end(&self) -> Result<(), EntryError> {
        if self.rest.is_empty() { Ok(()) } else { Err(EntryError::Extra { line: self.line + 1 }) }
    }
}

/// The text after a key, with where it stands.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) text: &'a str,
    key: &'static str,
    line: usize,
}

impl Value<'_> {
    /// The error that says the value is not of `form`.
    pub(super) fn error(&self, form: &'static str) -> EntryError {
        EntryError::Value { line: self.line, key: self.key, form }
    }

    fn or<T>(&self, value: Option<T>, form: &'static str) -> Result<T, EntryError> {
        value.ok_or_else(|| self.error(form))
    }

    pub(super) fn decimal(&self) -> Result<u64, EntryError> {
        self.or(text::decimal(self.text), "a decimal from 0 to 18446744073709551615 without leading zeros")
    }

    pub(super) fn positive(&self) -> Result<u64, EntryError> {
        self.or(text::decimal(self.text).filter(|n| *n > 0), "a decimal from 1 to 18446744073709551615 without leading zeros")
    }

    pub(super) fn version(&self) -> Result<u32, EntryError> {
        self.or(text::decimal(self.text).and_then(|n| u32::try_from(n).ok()), "a decimal from 0 to 4294967295 without leading zeros")
    }

    /// Milliseconds that may lie before 1970.
    pub(super) fn event_time(&self) -> Result<Millis, EntryError> {
        self.or(text::signed_decimal(self.text).map(Millis), "a 64-bit decimal of milliseconds without leading zeros")
    }

    /// Milliseconds of our own clock.
    pub(super) fn time(&self) -> Result<Millis, EntryError> {
        let time = text::signed_decimal(self.text).filter(|ms| *ms >= 0);
        self.or(time.map(Millis), "a decimal of milliseconds since 1970, not negative, without leading zeros")
    }

    pub(super) fn day(&self) -> Result<Day, EntryError> {
        let day = self.text.parse::<Day>().ok().filter(|day| self.text.len() == 10 && day.to_string() == self.text);
        self.or(day, "a date like 2026-11-22")
    }

    pub(super) fn kind(&self) -> Result<String, EntryError> {
        let plain = self.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let good = plain && self.text.len() <= KIND_BYTES && self.text.starts_with(|c: char| c.is_ascii_lowercase());
        self.or(good.then(|| self.text.to_owned()), "a kind name of a-z, 0-9 and _ that starts with a letter")
    }

    pub(super) fn path(&self) -> Result<String, EntryError> {
        let path = super::is_segment_path(self.text).then(|| self.text.to_owned());
        self.or(path, "a path below segments/ of letters, digits, dots, underscores and dashes")
    }

    pub(super) fn digest(&self, prefix: &str, form: &'static str) -> Result<Hash, EntryError> {
        self.or(self.text.strip_prefix(prefix).and_then(text::hash_from_base64), form)
    }

    pub(super) fn sha256(&self) -> Result<Hash, EntryError> {
        self.digest("sha256:", "sha256: and 32 bytes in base64")
    }

    pub(super) fn sm3(&self) -> Result<Hash, EntryError> {
        self.digest("sm3:", "sm3: and 32 bytes in base64")
    }

    pub(super) fn yes_no(&self) -> Result<bool, EntryError> {
        match self.text {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err(self.error("yes or no")),
        }
    }

    pub(super) fn parsed<T: FromStr>(&self, form: &'static str) -> Result<T, EntryError> {
        self.or(self.text.parse().ok(), form)
    }
}
