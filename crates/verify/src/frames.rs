//! Walking through a file of frames: the write-ahead log, and state snapshots.

use std::io;

use weir_base::disk::DiskFile;
use weir_record::stored::wal::{ALIGN, FRAME_HEADER_BYTES, FRAME_MAGIC, FileKey, FrameHeader, Groups, HEADER_BYTES, open_frame};

use super::limits::SEARCH_BYTES;

/// What lies in a file.
pub enum Item<'a> {
    /// A good frame.
    Frame(Groups<'a>),
    /// Bytes that are no frame, with a good frame after them.
    Damage {
        /// First byte.
        offset: u64,
        /// How many.
        bytes: u64,
    },
}

/// What lies behind the last good frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing, or zeros.
    Clean,
    /// The beginning of a frame that was being written.
    Torn {
        /// First byte.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// Something else.
    Bad {
        /// First byte.
        offset: u64,
        /// How many.
        bytes: u64,
    },
}

/// Reads frames one after the other, one in memory at a time.
pub struct Walk<'a> {
    file: &'a dyn DiskFile,
    key: &'a FileKey,
    len: u64,
    /// Frame numbers go up.
    least: u64,
    body: Vec<u8>,
}

impl<'a> Walk<'a> {
    /// A walk through the file as long as it is now.
    pub fn new(file: &'a dyn DiskFile, key: &'a FileKey) -> io::Result<Walk<'a>> {
        Ok(Walk { file, key, len: file.len()?, least: 0, body: Vec::new() })
    }

    /// Visits every frame and every damaged stretch in order.
    pub fn run(mut self, visit: &mut dyn FnMut(Item<'_>)) -> io::Result<Tail> {
        let mut at = (HEADER_BYTES as u64).min(self.len);
        while at < self.len {
            let found = match self.frame(at, at, visit)? {
                Some(next) => Some(next),
                None => self.search(at, visit)?,
            };
            match found {
                // The padding of the last frame may be missing.
                Some(next) => at = next.min(self.len),
                None => return self.tail(at),
            }
        }
        Ok(Tail::Clean)
    }

    /// Visits the frame at `offset`, after the damage from `damaged` to there; gives where it ends, or `None` if there is no good one.
    fn frame(&mut self, offset: u64, damaged: u64, visit: &mut dyn FnMut(Item<'_>)) -> io::Result<Option<u64>> {
        let Some(header) = self.header(offset)?.filter(|h| h.number >= self.least) else { return Ok(None) };
        let start = offset + FRAME_HEADER_BYTES as u64;
        if header.body_bytes as u64 > self.len - start {
            return Ok(None);
        }
        self.body.resize(header.body_bytes, 0);
        self.file.read_exact_at(&mut self.body, start)?;
        let Ok(groups) = open_frame(self.key, &header, &mut self.body) else { return Ok(None) };
        if damaged < offset {
            visit(Item::Damage { offset: damaged, bytes: offset - damaged });
        }
        visit(Item::Frame(groups));
        self.least = header.number.saturating_add(1);
        let end = offset + header.frame_bytes() as u64;
        self.padding(start + header.body_bytes as u64, end, visit)?;
        Ok(Some(end))
    }

    /// Nobody reads the padding, but it should be what was written.
    fn padding(&self, from: u64, to: u64, visit: &mut dyn FnMut(Item<'_>)) -> io::Result<()> {
        let mut bytes = vec![0; usize::try_from(to.min(self.len).saturating_sub(from)).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, from)?;
        if bytes.iter().any(|b| *b != 0) {
            visit(Item::Damage { offset: from, bytes: bytes.len() as u64 });
        }
        Ok(())
    }

    fn header(&self, offset: u64) -> io::Result<Option<FrameHeader>> {
        let mut head = [0; FRAME_HEADER_BYTES];
        if self.len.saturating_sub(offset) < head.len() as u64 {
            return Ok(None);
        }
        self.file.read_exact_at(&mut head, offset)?;
        Ok(FrameHeader::decode(&head).ok())
    }

    fn search(&mut self, from: u64, visit: &mut dyn FnMut(Item<'_>)) -> io::Result<Option<u64>> {
        let mut chunk = vec![0; SEARCH_BYTES];
        let mut at = from + ALIGN as u64;
        while at < self.len {
            let n = self.file.read_at(&mut chunk, at)?;
            for (i, word) in chunk.get(..n).unwrap_or_default().chunks(ALIGN).enumerate() {
                let place = at + (i * ALIGN) as u64;
                if word.starts_with(&FRAME_MAGIC)
                    && let Some(end) = self.frame(place, from, visit)?
                {
                    return Ok(Some(end));
                }
            }
            if n == 0 {
                break;
            }
            at += n.next_multiple_of(ALIGN) as u64;
        }
        Ok(None)
    }

    fn tail(&self, offset: u64) -> io::Result<Tail> {
        let bytes = self.len - offset;
        let mut zeros = true;
        let mut chunk = vec![0; SEARCH_BYTES];
        let mut at = offset;
        while zeros && at < self.len {
            let n = self.file.read_at(&mut chunk, at)?;
            zeros = n > 0 && chunk.iter().take(n).all(|byte| *byte == 0);
            at += n as u64;
        }
        if zeros {
            return Ok(Tail::Clean);
        }
        let mut head = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX).min(FRAME_MAGIC.len())];
        self.file.read_exact_at(&mut head, offset)?;
        let begun = FRAME_MAGIC.starts_with(&head);
        let whole_head = bytes >= FRAME_HEADER_BYTES as u64;
        let cut = self.header(offset)?.is_some_and(|h| h.number >= self.least && h.body_bytes as u64 > bytes - FRAME_HEADER_BYTES as u64);
        if begun && (!whole_head || cut) { Ok(Tail::Torn { offset, bytes }) } else { Ok(Tail::Bad { offset, bytes }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_base::crypto::Secret;
    use weir_record::stored::wal::{Container, Header, encode_frame};

    /// A file of two frames (groups 1 and 2; group 3), its key, and where the second frame begins.
    fn example() -> (Vec<u8>, FileKey, usize) {
        let (header, key) = Header::new(Container::Wal, 1, 1, &Secret([1; 32]));
        let mut bytes = header.encode();
        bytes.extend(encode_frame(&key, 0, 1, &[&b"one"[..], b"second"]).unwrap());
        let second = bytes.len();
        bytes.extend(encode_frame(&key, 1, 3, &[b"third"]).unwrap());
        (bytes, key, second)
    }

    fn walk(bytes: &[u8], key: &FileKey) -> (Vec<u64>, Vec<(u64, u64)>, Tail) {
        let file = tempfile::tempfile().unwrap();
        DiskFile::write_at(&file, bytes, 0).unwrap();
        let (mut groups, mut damage) = (Vec::new(), Vec::new());
        let tail = Walk::new(&file, key).unwrap().run(&mut |item| match item {
            Item::Frame(frame) => groups.extend(frame.iter().map(|(number, _)| number)),
            Item::Damage { offset, bytes } => damage.push((offset, bytes)),
        });
        (groups, damage, tail.unwrap())
    }

    #[test]
    fn every_cut_is_told_from_every_change() {
        let (bytes, key, second) = example();
        assert_eq!(walk(&bytes, &key), (vec![1, 2, 3], vec![], Tail::Clean));
        assert_eq!(walk(&[&bytes[..], &[0; 999]].concat(), &key), (vec![1, 2, 3], vec![], Tail::Clean));
        let body_end = second + FRAME_HEADER_BYTES + 12 + 4 + 5 + 16;
        for cut in second + 1..body_end {
            let torn = Tail::Torn { offset: second as u64, bytes: (cut - second) as u64 };
            assert_eq!(walk(&bytes[..cut], &key), (vec![1, 2], vec![], torn), "cut at {cut}");
        }
        // Only padding is missing.
        assert_eq!(walk(&bytes[..body_end], &key), (vec![1, 2, 3], vec![], Tail::Clean));
        for i in HEADER_BYTES..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 0x10;
            let (groups, damage, tail) = walk(&bad, &key);
            assert!(!damage.is_empty() || tail != Tail::Clean, "byte {i}");
            assert!(groups.len() == 3 || groups == [3] || groups == [1, 2], "byte {i}: {groups:?}");
            if i < second && groups == [3] {
                assert_eq!((damage, tail), (vec![(HEADER_BYTES as u64, (second - HEADER_BYTES) as u64)], Tail::Clean), "byte {i}");
            }
        }
    }

    #[test]
    fn a_frame_again_is_no_frame() {
        let (bytes, key, second) = example();
        let again = [&bytes[..], &bytes[second..]].concat();
        let rest = (bytes.len() - second) as u64;
        assert_eq!(walk(&again, &key), (vec![1, 2, 3], vec![], Tail::Bad { offset: bytes.len() as u64, bytes: rest }));
    }
}
