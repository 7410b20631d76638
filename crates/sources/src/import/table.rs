//! Records of a table as databases write them.
//!
//! What it is shows in its first lines: `COPY … FROM stdin;` begins a block of pg_dump, `INSERT INTO … VALUES` one of mysqldump or of SQLite's
//! `.dump`; a tab in the names of the columns makes it tab-separated (`mysql --batch`), else it is CSV (RFC 4180) with commas, or semicolons
//! where there is no comma.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use encoding_rs::GB18030;

use super::limits::{COLUMNS, RECORD_BYTES, VALUE_BYTES};

/// One record: the line it begins in, from 1, and its values. A value that is not there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Line number.
    pub line: u64,
    /// Values in the order of the columns.
    pub values: Vec<Option<String>>,
    /// False when its bytes are neither UTF-8 nor GB18030: then its values are not what they were.
    pub readable: bool,
}

/// Why a table does not read. Holds no text of it.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file itself.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// No names of columns.
    #[error("it has no first line with the names of the columns: export it with a header")]
    NoHeader,
    /// A record that does not end.
    #[error("line {0}: the record is longer than {RECORD_BYTES} bytes: is a quote not closed?")]
    TooLong(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv(u8),
    Tabs,
    Copy,
    /// Values of `INSERT` statements; whether a backslash escapes in them, as MySQL writes.
    Insert(bool),
}

/// A table that is read record by record.
pub struct Table<R> {
    input: R,
    form: Form,
    line: u64,
    /// Names of the columns, in lower case.
    pub columns: Vec<String>,
    /// Bytes read so far.
    pub bytes: u64,
    name: String,
}

/// Words that begin a line of `CREATE TABLE` which names no column.
const NO_COLUMN: [&str; 8] = ["primary", "key", "unique", "constraint", "index", "fulltext", "foreign", "check"];

impl<R: BufRead> Table<R> {
    /// Reads up to the names of the columns. `name` is the table looked for in a dump.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(input: R, name: &str) -> Result<Table<R>, TableError> {
        let name = name.to_ascii_lowercase();
        let mut table = Table { input, form: Form::Tabs, line: 0, columns: Vec::new(), bytes: 0, name };
        let (mut first, mut created, mut creating) = (true, Vec::new(), false);
        while let Some(raw) = table.head()? {
            let (text, _) = decode(&raw);
            let text = text.trim_start_matches('\u{feff}').trim_end();
            if let Some(columns) = copy_columns(text, &table.name) {
                (table.form, table.columns) = (Form::Copy, columns);
                return Ok(table);
            }
            if let Some(columns) = insert_columns(text, &table.name) {
                table.columns = if columns.is_empty() { created } else { columns };
                table.form = Form::Insert(text.contains('`'));
                return if table.columns.is_empty() { Err(TableError::NoHeader) } else { Ok(table) };
            }
            // mysqldump and SQLite say in CREATE TABLE what the values are.
            if creating {
                creating = !text.trim_start().starts_with(')');
                let word = text.split_whitespace().next().unwrap_or_default();
                let column = bare(word);
                if creating
                    && !column.is_empty()
                    && !NO_COLUMN.contains(&column.as_str())
                    && created.len() < COLUMNS
                    && !word.starts_with('-')
                {
                    created.push(column);
                }
            } else if text.get(..13).is_some_and(|h| h.eq_ignore_ascii_case("CREATE TABLE ")) {
                let words: Vec<&str> = text.split(['(', ' ']).filter(|w| !w.is_empty()).collect();
                creating = words.iter().any(|w| bare(w) == table.name) && text.ends_with('(');
            } else if first && !text.is_empty() && !is_statement(text) {
                table.form = match text {
                    t if t.contains('\t') => Form::Tabs,
                    t if !t.contains(',') && t.contains(';') => Form::Csv(b';'),
                    _ => Form::Csv(b','),
                };
                let values = table.split(text.as_bytes());
                table.columns = values.into_iter().take(COLUMNS).map(|v| v.unwrap_or_default().trim().to_ascii_lowercase()).collect();
                return Ok(table);
            }
            first &= text.is_empty();
        }
        Err(TableError::NoHeader)
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn record(&mut self) -> Result<Option<Record>, TableError> {
        if let Form::Insert(backslash) = self.form {
            return self.tuple(backslash);
        }
        loop {
            let line = self.line + 1;
            let Some(mut raw) = self.raw()? else { return Ok(None) };
            if self.form == Form::Copy && raw.starts_with(b"\\.") {
                return Ok(None);
            }
            // A quoted value may hold ends of lines.
            let open = |raw: &[u8]| raw.iter().filter(|b| **b == b'"').count() % 2 == 1;
            let mut quoted = matches!(self.form, Form::Csv(_)) && open(&raw);
            while quoted {
                if raw.len() > RECORD_BYTES {
                    return Err(TableError::TooLong(line));
                }
                let Some(more) = self.raw()? else { break };
                quoted ^= open(&more);
                raw.extend(more);
            }
            let end = raw.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |at| at + 1);
            raw.truncate(end);
            if !raw.is_empty() {
                let (text, readable) = decode(&raw);
                return Ok(Some(Record { line, values: self.split(text.as_bytes()), readable }));
            }
        }
    }

    /// One byte.
    fn byte(&mut self) -> Result<Option<u8>, TableError> {
        let byte = self.input.fill_buf()?.first().copied();
        if let Some(b) = byte {
            self.input.consume(1);
            self.bytes += 1;
            self.line += u64::from(b == b'\n');
        }
        Ok(byte)
    }

    /// A line with its end, or the begin of an `INSERT` up to its first values: such a line may be as long as the table.
    fn head(&mut self) -> Result<Option<Vec<u8>>, TableError> {
        let mut raw = Vec::new();
        while let Some(b) = self.byte()? {
            raw.push(b);
            let values = raw.ends_with(b"VALUES") && raw.starts_with(b"INSERT INTO ");
            if b == b'\n' || values {
                return Ok(Some(raw));
            }
            if raw.len() > RECORD_BYTES {
                return Err(TableError::TooLong(self.line + 1));
            }
        }
        Ok((!raw.is_empty()).then_some(raw))
    }

    /// The next values in parentheses of this `INSERT`, or of the next one into the table.
    fn tuple(&mut self, backslash: bool) -> Result<Option<Record>, TableError> {
        loop {
            match self.byte()? {
                None => return Ok(None),
                Some(b'(') => break,
                Some(b';') => loop {
                    let Some(raw) = self.head()? else { return Ok(None) };
                    if insert_columns(String::from_utf8_lossy(&raw).trim_end(), &self.name).is_some() {
                        break;
                    }
                },
                Some(_) => {}
            }
        }
        let line = self.line + 1;
        let (mut values, mut value, mut quoted, mut was_quoted, mut size) = (Vec::new(), Vec::new(), false, false, 0);
        let mut readable = true;
        while let Some(b) = self.byte()? {
            size += 1;
            if size > RECORD_BYTES {
                return Err(TableError::TooLong(line));
            }
            match b {
                b'\\' if quoted && backslash && !waits(&value) => match self.byte()? {
                    Some(b'n') => value.push(b'\n'),
                    Some(b't') => value.push(b'\t'),
                    Some(b'r') => value.push(b'\r'),
                    Some(b'0') => value.push(0),
                    Some(other) => value.push(other),
                    None => {}
                },
                // Two quotes in a row are one: the first ends the text, the second goes on with it.
                b'\'' if !quoted && was_quoted => {
                    value.push(b'\'');
                    quoted = true;
                }
                b'\'' => (quoted, was_quoted) = (!quoted, true),
                b',' | b')' if !quoted => {
                    let (text, good) = decode(&value);
                    let text = text.into_owned();
                    readable &= good;
                    values.push(given(if was_quoted { text } else { text.trim().to_owned() }, was_quoted));
                    (value, was_quoted) = (Vec::new(), false);
                    if b == b')' {
                        return Ok(Some(Record { line, values, readable }));
                    }
                }
                b => value.push(b),
            }
        }
        Err(TableError::TooLong(line))
    }

    /// A line with its end.
    fn raw(&mut self) -> Result<Option<Vec<u8>>, TableError> {
        let mut raw = Vec::new();
        let read = self.input.by_ref().take(RECORD_BYTES as u64 + 1).read_until(b'\n', &mut raw)?;
        self.line += 1;
        self.bytes += read as u64;
        if read > RECORD_BYTES {
            return Err(TableError::TooLong(self.line));
        }
        Ok((read > 0).then_some(raw))
    }

    fn split(&self, record: &[u8]) -> Vec<Option<String>> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.form {
            Form::Tabs | Form::Copy | Form::Insert(_) => record.split(|b| *b == b'\t').map(|v| unescape(v).map(|v| text(&v))).collect(),
            Form::Csv(comma) => {
                let (mut values, mut value, mut quoted, mut was_quoted) = (Vec::new(), Vec::new(), false, false);
                let mut bytes = record.iter().copied().peekable();
                while let Some(b) = bytes.next() {
                    match b {
                        b'"' if quoted && bytes.peek() == Some(&b'"') => {
                            value.push(b'"');
                            bytes.next();
                        }
                        b'"' => (quoted, was_quoted) = (!quoted, true),
                        b if b == comma && !quoted => {
                            values.push(given(text(&value), was_quoted));
                            (value, was_quoted) = (Vec::new(), false);
                        }
                        b => value.push(b),
                    }
                }
                values.push(given(text(&value), was_quoted));
                values
            }
        }
    }
}

/// Bytes as text: UTF-8, else GB18030, which GBK and GB2312 are part of. False when they are neither.
fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), true);
    }
    let (text, broken) = GB18030.decode_without_bom_handling(bytes);
    (text, !broken)
}

/// True when a character of GB18030 is not whole yet: its second byte may look like a backslash.
fn waits(value: &[u8]) -> bool {
    if value.len() > 4 * VALUE_BYTES || std::str::from_utf8(value).is_ok() {
        return false;
    }
    let (mut rest, mut lead) = (value, false);
    while let Some((first, more)) = rest.split_first() {
        let length = match more.first() {
            _ if first.is_ascii() => 1,
            None => {
                lead = true;
                1
            }
            Some(second) if second.is_ascii_digit() => 4,
            Some(_) => 2,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    lead
}

/// An empty value, or one that says so, is none.
fn given(value: String, quoted: bool) -> Option<String> {
    (!value.is_empty() && (quoted || (value != "NULL" && value != "\\N"))).then_some(value)
}

/// Backslash sequences of `COPY` and of `mysql --batch`.
fn unescape(value: &[u8]) -> Option<Vec<u8>> {
    if matches!(value, b"" | b"\\N" | b"NULL") {
        return None;
    }
    let (mut out, mut bytes) = (Vec::with_capacity(value.len()), value.iter().copied());
    while let Some(b) = bytes.next() {
        out.push(match b {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'r') => b'\r',
                Some(b'0') => 0,
                Some(other) => other,
                None => b'\\',
            },
            b => b,
        });
    }
    Some(out)
}

/// A name without its quotes, in lower case.
fn bare(word: &str) -> String {
    word.trim_matches(['`', '"', '[', ']', ',', '\'', ';']).to_ascii_lowercase()
}

/// True for what stands in a dump around the tables.
fn is_statement(line: &str) -> bool {
    let comment = ["--", "/*", "\\"].iter().any(|c| line.starts_with(c));
    let words = ["SET ", "PRAGMA ", "BEGIN ", "BEGIN;", "DROP ", "LOCK ", "SELECT ", "USE ", "CREATE ", "COPY ", "INSERT "];
    comment || words.iter().any(|w| line.get(..w.len()).is_some_and(|h| h.eq_ignore_ascii_case(w)))
}

/// The columns of `INSERT INTO name (a, b) VALUES`; an empty list where it names none. None for another statement or table.
fn insert_columns(line: &str, name: &str) -> Option<Vec<String>> {
    let rest = line.strip_prefix("INSERT INTO ")?.strip_suffix("VALUES")?.trim_end();
    let (table, columns) = rest.split_once('(').map_or((rest, ""), |(t, c)| (t, c.trim_end_matches(')')));
    let named = bare(table.trim().rsplit('.').next()?) == name;
    named.then(|| columns.split(',').map(|c| bare(c.trim())).filter(|c| !c.is_empty()).take(COLUMNS).collect())
}

/// The columns of `COPY schema.name (a, b, "c") FROM stdin;`.
fn copy_columns(line: &str, name: &str) -> Option<Vec<String>> {
    let (table, rest) = line.strip_prefix("COPY ")?.split_once('(')?;
    let table = table.trim().rsplit('.').next()?.trim_matches('"');
    let (columns, end) = rest.split_once(')')?;
    let named = table.eq_ignore_ascii_case(name) && end.trim_start().to_ascii_lowercase().starts_with("from stdin");
    named.then(|| columns.split(',').take(COLUMNS).map(|c| c.trim().trim_matches('"').to_ascii_lowercase()).collect())
}
