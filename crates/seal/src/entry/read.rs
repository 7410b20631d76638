//! From bytes to entries.

use std::collections::HashSet;

use super::lines::{Lines, Value};
use super::{Entry, EntryError, Genesis, Heartbeat, Part, Repack, Unit, VERSION_LINE};
use crate::limits::{ENTRY_BYTES, PROGRAM_BYTES};
use crate::text;

pub(super) fn entry(bytes: &[u8]) -> Result<Entry, EntryError> {
    if bytes.len() > ENTRY_BYTES {
        return Err(EntryError::TooLong { bytes: bytes.len() });
    }
    let mut lines = Lines::new(bytes)?;
    let version = lines.next();
    if version != Some(VERSION_LINE) {
        return Err(other(version.unwrap_or_default()));
    }
    let entry = match lines.next() {
        Some("genesis") => Entry::Genesis(genesis(&mut lines)?),
        Some("unit") => Entry::Unit(unit(&mut lines)?),
        Some("repack") => Entry::Repack(repack(&mut lines)?),
        Some("heartbeat") => Entry::Heartbeat(heartbeat(&mut lines)?),
        _ => return Err(EntryError::UnknownType),
    };
    lines.end()?;
    Ok(entry)
}

/// What is wrong with a first line that is not this version's.
fn other(line: &str) -> EntryError {
    let number = line.strip_prefix("weir/entry/v").unwrap_or_default();
    let is_one = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if is_one { EntryError::UnknownVersion { found: line.to_owned() } } else { EntryError::NoVersion }
}

fn genesis(lines: &mut Lines<'_>) -> Result<Genesis, EntryError> {
    let origin = lines.take("origin")?;
    if !text::is_name(origin.text) {
        return Err(origin.error("a log name of at most 255 bytes without spaces and plus signs"));
    }
    let log_key = lines.take("log-key")?.parsed("an Ed25519 verifier key: name+id+base64")?;
    let program = lines.take("program")?;
    if program.text.is_empty() || program.text.len() > PROGRAM_BYTES || program.text.contains(' ') {
        return Err(program.error("a program version of 1 to 64 characters without spaces"));
    }
    let time = lines.take("time")?.time()?;
    Ok(Genesis { origin: origin.text.to_owned(), log_key, program: program.text.to_owned(), time })
}

fn unit(lines: &mut Lines<'_>) -> Result<Unit, EntryError> {
    let kind = lines.take("kind")?.kind()?;
    let kind_version = lines.take("kind-version")?.version()?;
    let day = lines.take("day")?.day()?;
    let unit = lines.take("unit")?.parsed("32 lower-case hex digits")?;
    let sealed = lines.take("sealed")?.time()?;
    let rows = lines.take("rows")?.positive()?;
    let first = lines.take("first")?.event_time()?;
    let last_value = lines.take("last")?;
    let last = last_value.event_time()?;
    if last < first {
        return Err(last_value.error("at or after the first event time"));
    }
    let rows_root = lines.take("rows-root")?.sha256()?;
    let file = lines.take("file")?.path()?;
    let size = lines.take("size")?.positive()?;
    let file_root = lines.take("file-root")?.sha256()?;
    let file_root_sm3 = lines.optional("file-root-sm3").map(|value| value.sm3()).transpose()?;
    let first_row_value = lines.take("first-row")?;
    let first_row = first_row_value.decimal()?;
    if first_row.checked_add(rows).is_none() {
        return Err(first_row_value.error("small enough: the last row's number must fit 64 bits"));
    }
    let sorted = lines.take("sorted")?.yes_no()?;
    Ok(Unit {
        kind,
        kind_version,
        day,
        unit,
        sealed,
        rows,
        first,
        last,
        rows_root,
        file,
        size,
        file_root,
        file_root_sm3,
        first_row,
        sorted,
    })
}

fn repack(lines: &mut Lines<'_>) -> Result<Repack, EntryError> {
    let kind = lines.take("kind")?.kind()?;
    let kind_version = lines.take("kind-version")?.version()?;
    let day = lines.take("day")?.day()?;
    let sealed = lines.take("sealed")?.time()?;
    let file = lines.take("file")?.path()?;
    let size = lines.take("size")?.positive()?;
    let file_root = lines.take("file-root")?.sha256()?;
    let file_root_sm3 = lines.optional("file-root-sm3").map(|value| value.sm3()).transpose()?;
    let parts = parts(lines)?;
    let drops = drops(lines, &file)?;
    Ok(Repack { kind, kind_version, day, sealed, file, size, file_root, file_root_sm3, parts, drops })
}

fn parts(lines: &mut Lines<'_>) -> Result<Vec<Part>, EntryError> {
    let mut parts = Vec::new();
    let mut seen = HashSet::new();
    let mut end = 0u64;
    let mut next = Some(lines.take("part")?);
    while let Some(value) = next {
        let part = part(&value)?;
        if part.first_row != end {
            return Err(value.error("back to back with the part before (the first starts at row 0)"));
        }
        if !seen.insert(part.entry) {
            return Err(value.error("a unit that is not there yet"));
        }
        end = end.checked_add(part.rows).ok_or_else(|| value.error("small enough: row numbers must fit 64 bits"))?;
        parts.push(part);
        next = lines.optional("part");
    }
    Ok(parts)
}

fn part(value: &Value<'_>) -> Result<Part, EntryError> {
    let mut words = value.text.split(' ').map(text::decimal);
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(Some(entry)), Some(Some(first_row)), Some(Some(rows)), None) if rows > 0 => Ok(Part { entry, first_row, rows }),
        _ => Err(value.error("three decimals: entry, first row, rows")),
    }
}

fn drops(lines: &mut Lines<'_>, file: &str) -> Result<Vec<String>, EntryError> {
    let mut drops = Vec::new();
    let mut seen = HashSet::new();
    let mut next = Some(lines.take("drops")?);
    while let Some(value) = next {
        let path = value.path()?;
        if path == file || !seen.insert(value.text) {
            return Err(value.error("an old file that is not named yet"));
        }
        drops.push(path);
        next = lines.optional("drops");
    }
    Ok(drops)
}

fn heartbeat(lines: &mut Lines<'_>) -> Result<Heartbeat, EntryError> {
    Ok(Heartbeat {
        time: lines.take("time")?.time()?,
        sequenced: lines.take("sequenced")?.decimal()?,
        open: lines.take("open")?.decimal()?,
    })
}
