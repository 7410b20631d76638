//! Walks through one file of the log, from frame to frame, over damage.

use std::io;

use weir_base::disk::DiskFile;
use weir_record::stored::wal::{ALIGN, FRAME_HEADER_BYTES, FRAME_MAGIC, FileKey, FrameHeader, Groups, HEADER_BYTES, open_frame};

use crate::limits::WAL_SEARCH_BYTES;

/// What lies in a file.
pub(super) enum Found<'a> {
    /// A good frame.
    Frame { groups: Groups<'a> },
    /// Bytes that are no frame, with a good frame after them.
    Damage { offset: u64, bytes: u64 },
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// End of the last good frame.
    pub(super) good: u64,
    /// Start of the last good frame, if there is one.
    pub(super) last_frame: Option<u64>,
    /// Length of the file.
    pub(super) len: u64,
    /// True if what follows the last good frame is all zeros, or nothing.
    pub(super) zeros: bool,
}

struct Scanner<'a> {
    file: &'a dyn DiskFile,
    key: &'a FileKey,
    len: u64,
    /// Numbers go up; a frame that does not continue them is no frame of this place.
    least: u64,
    body: Vec<u8>,
}

/// Visits every frame and every damaged stretch in order. An error of the disk is an error, not damage.
pub(super) fn scan(file: &dyn DiskFile, key: &FileKey, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<End> {
    let len = file.len()?;
    let mut scanner = Scanner { file, key, len, least: 0, body: Vec::new() };
    let mut good = (HEADER_BYTES as u64).min(len);
    let mut last_frame = None;
    while good < len {
        let start = if scanner.frame(good, None, visit)?.is_some() { good } else { scanner.search(good, visit)? };
        if start >= len {
            break;
        }
        last_frame = Some(start);
        // The padding of the last frame may be missing.
        good = (start + scanner.frame_bytes()).min(len);
    }
    let zeros = scanner.zeros(good)?;
    Ok(End { good, last_frame, len, zeros })
}

impl Scanner<'_> {
    fn frame_bytes(&self) -> u64 {
        ((FRAME_HEADER_BYTES + self.body.len()) as u64).next_multiple_of(ALIGN as u64)
    }

    /// Reads the frame at `offset`, tells about the damage before it and about itself; `None` if there is no good frame there.
    fn frame(&mut self, offset: u64, damaged_from: Option<u64>, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<Option<()>> {
        let mut head = [0; FRAME_HEADER_BYTES];
        if self.len - offset < head.len() as u64 {
            return Ok(None);
        }
        self.file.read_exact_at(&mut head, offset)?;
        let Ok(header) = FrameHeader::decode(&head) else { return Ok(None) };
        let start = offset + FRAME_HEADER_BYTES as u64;
        if header.number < self.least || header.body_bytes as u64 > self.len - start {
            return Ok(None);
        }
        self.body.resize(header.body_bytes, 0);
        self.file.read_exact_at(&mut self.body, start)?;
        let Ok(groups) = open_frame(self.key, &header, &mut self.body) else { return Ok(None) };
        if let Some(from) = damaged_from {
            visit(Found::Damage { offset: from, bytes: offset - from });
        }
        self.least = header.number.saturating_add(1);
        visit(Found::Frame { groups });
        Ok(Some(()))
    }

    /// Looks for the next good frame after the bad place at `from`; the file's length if there is none.
    fn search(&mut self, from: u64, visit: &mut dyn FnMut(Found<'_>)) -> io::Result<u64> {
        let mut chunk = vec![0; WAL_SEARCH_BYTES];
        let mut at = from + ALIGN as u64;
        while at < self.len {
            let n = self.file.read_at(&mut chunk, at)?;
            for (i, word) in chunk[..n].chunks(ALIGN).enumerate() {
                let place = at + (i * ALIGN) as u64;
                if word.starts_with(&FRAME_MAGIC) && self.frame(place, Some(from), visit)?.is_some() {
                    return Ok(place);
                }
            }
            if n == 0 {
                break;
            }
            at += n.next_multiple_of(ALIGN) as u64;
        }
        Ok(self.len)
    }

    fn zeros(&self, from: u64) -> io::Result<bool> {
        let mut chunk = vec![0; WAL_SEARCH_BYTES];
        let mut at = from;
        while at < self.len {
            let n = self.file.read_at(&mut chunk, at)?;
            if n == 0 || chunk[..n].iter().any(|byte| *byte != 0) {
                return Ok(n == 0);
            }
            at += n as u64;
        }
        Ok(true)
    }
}
