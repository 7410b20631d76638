//! Entry points for fuzzing: any bytes, no panic, promises kept.

use weir_base::time::Millis;

use super::dialect::{Dialect, Table};
use super::frame::Framer;
use super::limits::LINE_BYTES;
use super::redact::Redactor;
use super::{line, meaning, relp, text};

/// Any bytes as a line: decoded, taken apart, understood, redacted.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn syslog_line(data: &[u8]) {
    static TABLE: std::sync::LazyLock<Table> = std::sync::LazyLock::new(|| Table::new(Table::built_in()));
    let (decoded, _) = text::decode(data.get(..LINE_BYTES.min(data.len())).unwrap_or_default());
    let line = line::parse(&decoded);
    assert!(decoded.contains(line.message), "a message is part of its line");
    let mut redactor = Redactor::default();
    let _ = line.stamp.map(|s| s.resolve(Millis(1_795_000_000_000), 480));
    if let Some(understood) = TABLE.understand(&line, &[]) {
        for super::dialect::Entry { event, values } in &understood.entries {
            let about = meaning::About { source: 1, time: Millis(0), whole: false, received: Millis(0), zone: 480 };
            if let super::dialect::Event::Nat(ends, form) = event {
                let _ = meaning::nat(values, *ends, *form, &about);
            }
            let _ = (meaning::peer(values), meaning::leased(values), meaning::holder(values), meaning::life_ms(values));
        }
    }
    let (mut shown, mut everywhere) = (String::new(), String::new());
    redactor.text(line.message, &mut shown);
    Redactor::default().text_everywhere(line.message, &mut everywhere);
    assert_eq!(shown, everywhere, "what goes by holds nothing");
    let understood = TABLE.understand(&line, &[]);
    let entries = understood.as_ref().map_or(&[][..], |u| u.entries.as_slice());
    super::act::redact(&line, entries, &mut shown, &mut String::new());
    let mut redactor = Redactor::default();
    redactor.found(entries);
    everywhere.clear();
    redactor.text_everywhere(line.message, &mut everywhere);
    assert_eq!(shown, everywhere, "nor where a dialect found something");
}

/// Any bytes as a stream of frames, in pieces: what comes out does not depend on where reads end.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn syslog_frames(data: &[u8]) {
    let Some((how, stream)) = data.split_first() else { return };
    let piece = usize::from(how >> 1).max(1);
    let run = |piece: usize| {
        let (mut framer, mut lines) = (Framer::new(), Vec::new());
        let mut out = |line: &[u8], cut: bool| lines.push((line.to_vec(), cut));
        let good = stream.chunks(piece).all(|p| framer.push(p, &mut out).is_ok());
        framer.finish(&mut out);
        (lines, good)
    };
    let (lines, good) = run(piece);
    assert!(lines.iter().all(|(line, _)| line.len() <= LINE_BYTES));
    assert_eq!((lines, good), run(usize::MAX), "reads end anywhere");
    let (mut reader, mut commands) = (relp::Reader::default(), 0u64);
    let _ = stream.chunks(piece).all(|p| reader.push(p, &mut |c| commands += u64::from(c.data.len() <= LINE_BYTES)).is_ok());
}

/// Any text as a dialect file.
pub fn syslog_dialect(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Dialect::parse(text);
    }
}
