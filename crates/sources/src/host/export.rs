//! The Journal Export Format (systemd.io/JOURNAL_EXPORT_FORMATS): entries of fields, an empty line behind each. Pure.
//!
//! A field is `NAME=value` and a newline, or `NAME`, a newline, the length of the value as 64 bits little-endian, the value, a newline.

use super::limits::{CURSOR_BYTES, FIELD_BYTES, FIELDS, NAME_BYTES};
use weir_base::time::Millis;

/// What is looked at of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the journal.
    pub cursor: String,
    /// When journald took it in.
    pub time: Option<Millis>,
    /// Its text.
    pub message: Vec<u8>,
    /// The text was longer than is kept.
    pub cut: bool,
    /// Who wrote it: the program's own name for itself.
    pub identifier: String,
    /// Its process.
    pub pid: String,
    /// The machine.
    pub host: String,
    /// Severity, 0 to 7.
    pub priority: Option<u8>,
    /// Facility, 0 to 23.
    pub facility: Option<u8>,
}

impl Entry {
    fn take(&mut self, name: &[u8], value: &[u8], cut: bool) {
        let text = || String::from_utf8_lossy(value).into_owned();
        let number = || std::str::from_utf8(value).ok().and_then(|t| t.trim().parse::<u64>().ok());
        match name {
            b"__CURSOR" if value.len() <= CURSOR_BYTES => self.cursor = text(),
            b"__REALTIME_TIMESTAMP" => self.time = number().and_then(|us| i64::try_from(us / 1_000).ok()).map(Millis),
            b"MESSAGE" => (self.message, self.cut) = (value.to_vec(), cut),
            b"SYSLOG_IDENTIFIER" => self.identifier = text(),
            b"_COMM" if self.identifier.is_empty() => self.identifier = text(),
            b"SYSLOG_PID" => self.pid = text(),
            b"_PID" if self.pid.is_empty() => self.pid = text(),
            b"_HOSTNAME" => self.host = text(),
            b"PRIORITY" => self.priority = number().and_then(|n| u8::try_from(n).ok()).filter(|n| *n <= 7),
            b"SYSLOG_FACILITY" => self.facility = number().and_then(|n| u8::try_from(n).ok()).filter(|n| *n <= 23),
            _ => {}
        }
    }

    /// The entry as a line of RFC 5424. What cannot stand in a field of the header, such as a space, is `_` there.
    pub fn line(&self) -> Vec<u8> {
        let word = |text: &str, most: usize| match text {
            "" => "-".to_owned(),
            _ => text.chars().take(most).map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect(),
        };
        let pri = u16::from(self.facility.unwrap_or(3)) * 8 + u16::from(self.priority.unwrap_or(6));
        let time = self.time.map_or_else(|| "-".to_owned(), Millis::to_rfc3339);
        let (host, app, pid) = (word(&self.host, 255), word(&self.identifier, 48), word(&self.pid, 128));
        let mut line = format!("<{pri}>1 {time} {host} {app} {pid} - - ").into_bytes();
        // A message of several lines is one line here.
        line.extend(self.message.iter().map(|b| if matches!(b, b'\n' | b'\r') { b' ' } else { *b }));
        line
    }
}

enum Reading {
    /// The name of a field, or the whole of it.
    Head,
    /// Eight bytes of length.
    Length,
    /// So many bytes of a value, and the newline behind it.
    Value(u64),
}

/// Takes bytes as they come and gives entries.
pub struct Decoder {
    entry: Entry,
    fields: usize,
    name: Vec<u8>,
    value: Vec<u8>,
    cut: bool,
    reading: Reading,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder { entry: Entry::default(), fields: 0, name: Vec::new(), value: Vec::new(), cut: false, reading: Reading::Head }
    }
}

impl Decoder {
    fn keep(&mut self, byte: u8, most: usize) {
        if self.value.len() < most {
            self.value.push(byte);
        } else {
            self.cut = true;
        }
    }

    fn field(&mut self) {
        let (name, value) = (std::mem::take(&mut self.name), std::mem::take(&mut self.value));
        let cut = std::mem::take(&mut self.cut);
        self.fields += 1;
        if self.fields <= FIELDS {
            self.entry.take(&name, &value, cut);
        }
        self.reading = Reading::Head;
    }

    fn head(&mut self, byte: u8, out: &mut Vec<Entry>) {
        if byte != b'\n' {
            return self.keep(byte, FIELD_BYTES + NAME_BYTES);
        }
        match self.value.iter().position(|b| *b == b'=') {
            Some(at) => {
                self.name = self.value.get(..at).unwrap_or_default().to_vec();
                self.value.drain(..=at);
                self.field();
            }
            None if self.value.is_empty() => {
                let entry = std::mem::take(&mut self.entry);
                if std::mem::take(&mut self.fields) > 0 {
                    out.push(entry);
                }
            }
            None => {
                self.name = std::mem::take(&mut self.value);
                self.cut = false;
                self.reading = Reading::Length;
            }
        }
    }

    /// Takes bytes in; whole entries go to `out`.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Entry>) {
        for &byte in bytes {
            match &mut self.reading {
                Reading::Head => self.head(byte, out),
                Reading::Length => {
                    self.value.push(byte);
                    if let Ok(length) = <[u8; 8]>::try_from(self.value.as_slice()) {
                        self.value.clear();
                        self.reading = Reading::Value(u64::from_le_bytes(length));
                    }
                }
                Reading::Value(0) => self.field(),
                Reading::Value(left) => {
                    *left -= 1;
                    self.keep(byte, FIELD_BYTES);
                }
            }
        }
    }
}
