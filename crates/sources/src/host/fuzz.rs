//! Entry point for fuzzing: any bytes as what `journalctl -o export` writes and as a file of auditd, no panic, whole lines.

use super::audit;
use super::export::{Decoder, Entry};

/// Reads `data` behind its first byte as entries of the journal, in pieces, and line by line as auditd's log.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn host_lines(data: &[u8]) {
    let Some((how, stream)) = data.split_first() else { return };
    let read = |piece: usize| {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        stream.chunks(piece).for_each(|p| decoder.feed(p, &mut out));
        out.iter().map(Entry::line).collect::<Vec<_>>()
    };
    let lines = read(usize::from(*how).max(1));
    assert_eq!(lines, read(usize::MAX), "reads end anywhere");
    assert!(lines.iter().all(|line| !line.contains(&b'\n')), "an entry is one line");
    for line in stream.split(|b| *b == b'\n') {
        assert!(!audit::line(line).contains(&b'\n'), "a record is one line");
        let _ = std::str::from_utf8(line).ok().and_then(audit::parse);
    }
}
