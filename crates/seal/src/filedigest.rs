//! The digest of a stored file that anyone can check without keys: a Merkle tree over its 64 KiB blocks.
//!
//! The leaf hashes lie beside the file in a sidecar (`<file>.digests`); their root stands in the log. A damaged file is so narrowed down
//! to a block. With SM3 asked for, a second tree of the same shape is kept.
//!
//! The sidecar, numbers big-endian: `"weirdgst"` (8 bytes), version 1 (1 byte), flags (1 byte: bit 0 = SM3, others 0), two zero bytes,
//! block size 65536 (u32), file length (u64), then a SHA-256 leaf hash a block, then with SM3 an SM3 leaf hash a block. Nothing follows.

use ring::digest::{Context, SHA256};
use sm3::Digest;

use crate::limits::{DIGEST_BLOCK_BYTES, FILE_BYTES};
use crate::merkle::{self, Hash, Sm3, TreeHash};

const MAGIC: &[u8; 8] = b"weirdgst";
const VERSION: u8 = 1;
const FLAG_SM3: u8 = 1;
const HEADER_BYTES: usize = 24;

/// Why bytes are not a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SidecarError {
    /// Too short or without the magic bytes.
    #[error("not a digest sidecar: it does not start with \"weirdgst\"")]
    NotASidecar,
    /// Another version.
    #[error("the sidecar has version {0}; this program reads version 1, a newer one may be needed")]
    Version(u8),
    /// Unknown flags, block size or reserved bytes, or a file length above 1 TiB.
    #[error("the sidecar's header has a value this program does not know")]
    Header,
    /// The number of hashes is not that of the file's blocks.
    #[error("the sidecar has {got} bytes where a file of {file_len} bytes needs {want}")]
    Length {
        /// Bytes of the sidecar.
        got: usize,
        /// Bytes it needs.
        want: u64,
        /// Bytes of the file as the sidecar says.
        file_len: u64,
    },
}

/// What is wrong with a file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileDamage<E> {
    /// The file is shorter or longer than when it was sealed.
    #[error("the file has {got} bytes; it was sealed with {want}")]
    Length {
        /// Bytes it has.
        got: u64,
        /// Bytes it must have.
        want: u64,
    },
    /// A block was changed.
    #[error("block {index} (bytes {start} to {end}) of the file was changed")]
    Block {
        /// The first bad block, from 0.
        index: u64,
        /// Its first byte.
        start: u64,
        /// The byte after its last.
        end: u64,
    },
    /// A block could not be read.
    #[error("block {index} of the file cannot be read: {error}")]
    Read {
        /// The block, from 0.
        index: u64,
        /// What the reader said.
        error: E,
    },
}

/// How a caller hands over a block of a file: it fills the buffer, which has the block's exact length, from the block of this number.
pub type ReadBlock<'a, E> = &'a mut dyn FnMut(u64, &mut [u8]) -> Result<(), E>;

/// The leaf hashes of a file's blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    file_len: u64,
    sha256: Vec<Hash>,
    sm3: Option<Vec<Hash>>,
}

/// Blocks of a file of `len` bytes.
fn blocks(len: u64) -> u64 {
    len.div_ceil(DIGEST_BLOCK_BYTES as u64)
}

impl Sidecar {
    /// Length of the file in bytes.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// Leaf hashes, one a block.
    pub fn leaves(&self) -> &[Hash] {
        &self.sha256
    }

    /// The root that stands in the log as `file-root`.
    pub fn root(&self) -> Hash {
        merkle::root(&self.sha256)
    }

    /// The root with SM3, where it is kept.
    pub fn root_sm3(&self) -> Option<Hash> {
        self.sm3.as_deref().map(merkle::root_with::<Sm3>)
    }

    /// The sidecar as bytes: 24 + 32 (or 64 with SM3) a block.
    pub fn encode(&self) -> Vec<u8> {
        let sm3 = self.sm3.as_deref().unwrap_or_default();
        let mut out = Vec::with_capacity(HEADER_BYTES + 32 * (self.sha256.len() + sm3.len()));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[VERSION, if self.sm3.is_some() { FLAG_SM3 } else { 0 }, 0, 0]);
        out.extend_from_slice(&(DIGEST_BLOCK_BYTES as u32).to_be_bytes());
        out.extend_from_slice(&self.file_len.to_be_bytes());
        out.extend_from_slice(self.sha256.as_flattened());
        out.extend_from_slice(sm3.as_flattened());
        out
    }

    /// Reads a sidecar. It is only to be believed when its root is the one in the log.
    ///
    /// # Errors
    /// A [`SidecarError`] that names what is malformed.
    pub fn decode(bytes: &[u8]) -> Result<Sidecar, SidecarError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(SidecarError::NotASidecar)?;
        let (head, hashes) = rest.split_first_chunk::<16>().ok_or(SidecarError::NotASidecar)?;
        let [version, flags, zero_a, zero_b, b0, b1, b2, b3, length @ ..] = *head;
        if version != VERSION {
            return Err(SidecarError::Version(version));
        }
        let block = u32::from_be_bytes([b0, b1, b2, b3]);
        let file_len = u64::from_be_bytes(length);
        if flags & !FLAG_SM3 != 0 || zero_a != 0 || zero_b != 0 || block as usize != DIGEST_BLOCK_BYTES || file_len > FILE_BYTES {
            return Err(SidecarError::Header);
        }
        let trees = if flags & FLAG_SM3 == 0 { 1 } else { 2 };
        let want = HEADER_BYTES as u64 + 32 * trees * blocks(file_len);
        if bytes.len() as u64 != want {
            return Err(SidecarError::Length { got: bytes.len(), want, file_len });
        }
        let (hashes, _) = hashes.as_chunks::<32>();
        let (sha256, sm3) = hashes.split_at_checked(blocks(file_len) as usize).ok_or(SidecarError::Header)?;
        Ok(Sidecar { file_len, sha256: sha256.to_vec(), sm3: (trees == 2).then(|| sm3.to_vec()) })
    }

    /// Checks a file of `file_len` bytes against this sidecar, block by block.
    ///
    /// # Errors
    /// The first [`FileDamage`]. It says nothing about the sidecar: compare [`Sidecar::root`] with the log first.
    pub fn check<E>(&self, file_len: u64, read_block: ReadBlock<'_, E>) -> Result<(), FileDamage<E>> {
        if file_len != self.file_len {
            return Err(FileDamage::Length { got: file_len, want: self.file_len });
        }
        let mut buf = vec![0; DIGEST_BLOCK_BYTES];
        for (index, want) in (0u64..).zip(&self.sha256) {
            let start = index * DIGEST_BLOCK_BYTES as u64;
            let length = (file_len - start).min(DIGEST_BLOCK_BYTES as u64);
            buf.truncate(length as usize);
            read_block(index, &mut buf).map_err(|error| FileDamage::Read { index, error })?;
            let sm3_want = self.sm3.as_ref().and_then(|sm3| sm3.get(index as usize));
            let good = merkle::leaf_hash(&buf) == *want && sm3_want.is_none_or(|want| Sm3::leaf(&buf) == *want);
            if !good {
                return Err(FileDamage::Block { index, start, end: start + length });
            }
        }
        Ok(())
    }
}

/// Digests a file while it is being written. Memory: 32 (or 64) bytes a block.
pub struct DigestBuilder {
    done: Sidecar,
    /// Bytes of the current block so far.
    filled: usize,
    sha256: Context,
    sm3: Option<sm3::Sm3>,
}

impl DigestBuilder {
    /// An empty file; `with_sm3` keeps SM3 beside SHA-256.
    pub fn new(with_sm3: bool) -> DigestBuilder {
        DigestBuilder {
            done: Sidecar { file_len: 0, sha256: Vec::new(), sm3: with_sm3.then(Vec::new) },
            filled: 0,
            sha256: leaf_context(),
            sm3: with_sm3.then(|| sm3::Sm3::new_with_prefix([0])),
        }
    }

    /// The next bytes of the file, in pieces of any length.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(DIGEST_BLOCK_BYTES - self.filled));
            self.sha256.update(now);
            if let Some(sm3) = &mut self.sm3 {
                sm3.update(now);
            }
            self.filled += now.len();
            self.done.file_len += now.len() as u64;
            if self.filled == DIGEST_BLOCK_BYTES {
                self.end_block();
            }
            bytes = later;
        }
    }

    fn end_block(&mut self) {
        let context = std::mem::replace(&mut self.sha256, leaf_context());
        let mut leaf = [0; 32];
        leaf.copy_from_slice(context.finish().as_ref());
        self.done.sha256.push(leaf);
        if let (Some(sm3), Some(leaves)) = (&mut self.sm3, &mut self.done.sm3) {
            let context = std::mem::replace(sm3, sm3::Sm3::new_with_prefix([0]));
            leaves.push(context.finalize().into());
        }
        self.filled = 0;
    }

    /// The digests of all bytes given.
    pub fn finish(mut self) -> Sidecar {
        if self.filled > 0 {
            self.end_block();
        }
        self.done
    }
}

fn leaf_context() -> Context {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context
}

#[cfg(test)]
mod tests;
