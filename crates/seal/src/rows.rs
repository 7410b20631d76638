//! The root of a unit's canonical rows, checkable with the day's key.
//!
//! Leaf `n` is `SHA-256(0x00 ‖ salt(n) ‖ canonical row n)`; row numbers count from 0 within the unit, the leaves are in row order, and the tree
//! above them is the one of [`crate::broad`]. The salt (15 bytes) keeps anyone without the key from guessing rows from leaf hashes; it is never
//! stored:
//!
//! * `salt key = HKDF-SHA-256(ikm = day key, salt = empty, info = "weir/salt/v2" ‖ unit id (16 bytes), 32 bytes)`
//! * `salt(n)` = the last 15 bytes of the block `AES-256(salt key, 0x00000000 ‖ u64be(n div 256) ‖ u32be(2 + n mod 256))`.
//!
//! This is the key stream of AES-256-GCM with the nonce `0x00000000 ‖ u64be(n div 256)`, so the salts of 256 rows are the encryption of
//! 4,096 zero bytes, which processors do in hardware: several times faster than an HMAC a row, and as good a pseudo-random function far
//! beyond any number of rows. Mark and salt are as long as one such block: with them the leaf of a NAT mapping is two blocks of SHA-256 to the
//! last byte (decision 0019).

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use weir_base::crypto::Secret;

use crate::broad::BroadRoot;
use crate::limits::{ROW_BYTES, SALT_BLOCK_ROWS};
use crate::merkle::Hash;
use crate::unit_id::UnitId;

/// Bytes of a leaf before the row: the mark of a leaf and the salt.
pub const LEAF_HEAD: usize = 16;

/// What a leaf begins with: the byte 0 and the row's salt of 15 bytes.
pub type Head = [u8; LEAF_HEAD];

/// The key from which the salts of one unit come.
pub struct SaltKey(LessSafeKey);

impl SaltKey {
    /// The salt key of `unit` under the key of its day.
    pub fn new(day_key: &Secret, unit: UnitId) -> SaltKey {
        let secret = day_key.derive(&[b"weir/salt/v2".as_slice(), &unit.0].concat());
        let key = UnboundKey::new(&AES_256_GCM, &secret.0).unwrap_or_else(|_| unreachable!("the key is 32 bytes long"));
        SaltKey(LessSafeKey::new(key))
    }

    /// Appends what the leaves of `rows` rows from row `first_row` begin with. Cheapest in whole blocks of 256 rows.
    pub fn heads(&self, first_row: u64, rows: usize, out: &mut Vec<Head>) {
        let mut row = first_row;
        let end = first_row.saturating_add(rows as u64);
        while row < end {
            let within = (row % SALT_BLOCK_ROWS) as usize;
            let now = ((end - row) as usize).min(SALT_BLOCK_ROWS as usize - within);
            let mut stream = [[0; LEAF_HEAD]; SALT_BLOCK_ROWS as usize];
            self.key_stream(row / SALT_BLOCK_ROWS, stream[..within + now].as_flattened_mut());
            out.extend(stream[within..within + now].iter().map(marked));
            row += now as u64;
        }
    }

    /// What the leaf of one row begins with, for a proof about it.
    pub fn head(&self, row: u64) -> Head {
        let within = (row % SALT_BLOCK_ROWS) as usize;
        let mut stream = [[0; LEAF_HEAD]; SALT_BLOCK_ROWS as usize];
        self.key_stream(row / SALT_BLOCK_ROWS, stream[..=within].as_flattened_mut());
        marked(&stream[within])
    }

    /// Encrypts zeros in place. A nonce is used again only to make the same salts, never to encrypt anything.
    fn key_stream(&self, block: u64, zeros: &mut [u8]) {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&block.to_be_bytes());
        let sealed = self.0.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), zeros);
        // Only the key stream is wanted: the tag says nothing.
        let _tag = sealed.unwrap_or_else(|_| unreachable!("AES-GCM takes 4 KiB"));
    }
}

/// The mark of a leaf in place of the first byte.
fn marked(block: &[u8; LEAF_HEAD]) -> Head {
    let mut head = *block;
    head[0] = 0;
    head
}

/// The leaf hash of one row: `SHA-256(head ‖ row)`.
pub fn row_leaf(head: &Head, row: &[u8]) -> Hash {
    weir_base::crypto::sha256(&[head, row].concat())
}

/// Why a buffer is not a list of rows, or a root is not the one expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    /// The buffer is not a whole number of rows, or a row is empty or above 1 MiB.
    #[error("{bytes} bytes are not a whole number of rows of {row} bytes")]
    Width {
        /// Bytes in the buffer.
        bytes: usize,
        /// Bytes a row.
        row: usize,
    },
    /// The offsets do not rise from 0 to the buffer's length.
    #[error("the offset of row {row} does not fit the buffer of rows")]
    Offset {
        /// The row within the buffer, from 0.
        row: usize,
    },
    /// Another number of rows.
    #[error("there are {got} rows; {want} were sealed")]
    Count {
        /// Rows there are.
        got: u64,
        /// Rows there must be.
        want: u64,
    },
    /// Another root: a row, their order or the key is not the sealed one.
    #[error("the rows are not those that were sealed: a row or their order was changed, or the key is of another day or unit")]
    Root,
}

/// Computes the root of a unit's rows as they come, in batches of any size.
pub struct RowsRoot<'k> {
    key: &'k SaltKey,
    tree: BroadRoot,
    heads: Vec<Head>,
    leaves: Vec<Hash>,
}

impl<'k> RowsRoot<'k> {
    /// From the unit's first row.
    pub fn new(key: &'k SaltKey) -> RowsRoot<'k> {
        RowsRoot { key, tree: BroadRoot::default(), heads: Vec::new(), leaves: Vec::new() }
    }

    /// Rows pushed so far.
    pub fn rows(&self) -> u64 {
        self.tree.count()
    }

    /// Appends rows that lie back to back, `stride` bytes each, of which the first [`LEAF_HEAD`] are room for what a leaf begins with: nothing is
    /// copied.
    ///
    /// # Errors
    /// [`RowsError::Width`]; nothing is appended then.
    pub fn push_leaves(&mut self, leaves: &mut [u8], stride: usize) -> Result<(), RowsError> {
        if stride <= LEAF_HEAD || stride - LEAF_HEAD > ROW_BYTES || !leaves.len().is_multiple_of(stride) {
            return Err(RowsError::Width { bytes: leaves.len(), row: stride });
        }
        self.next_heads(leaves.len() / stride);
        for (head, leaf) in self.heads.iter().zip(leaves.chunks_exact_mut(stride)) {
            leaf[..LEAF_HEAD].copy_from_slice(head);
        }
        self.leaves.clear();
        weir_lanes::each(leaves, stride, &mut self.leaves);
        self.tree.push_all(&self.leaves);
        Ok(())
    }

    /// Appends rows of differing length: row `i` ends at `ends[i]` and begins where the one before ended, with [`LEAF_HEAD`] bytes of room for what a leaf
    /// begins with: nothing is copied.
    ///
    /// # Errors
    /// [`RowsError::Offset`]; nothing is appended then.
    pub fn push_variable_leaves(&mut self, leaves: &mut [u8], ends: &[usize]) -> Result<(), RowsError> {
        let mut start = 0;
        for (row, end) in ends.iter().enumerate() {
            let len = end.checked_sub(std::mem::replace(&mut start, *end));
            if len.is_none_or(|len| len < LEAF_HEAD || len - LEAF_HEAD > ROW_BYTES) {
                return Err(RowsError::Offset { row });
            }
        }
        if start != leaves.len() {
            return Err(RowsError::Offset { row: ends.len() });
        }
        self.next_heads(ends.len());
        let mut start = 0;
        for (head, end) in self.heads.iter().zip(ends) {
            leaves[start..start + LEAF_HEAD].copy_from_slice(head);
            start = *end;
        }
        self.leaves.clear();
        weir_lanes::each_of(leaves, ends, &mut self.leaves);
        self.tree.push_all(&self.leaves);
        Ok(())
    }

    fn next_heads(&mut self, rows: usize) {
        self.heads.clear();
        self.key.heads(self.tree.count(), rows, &mut self.heads);
    }

    /// The root over all rows so far.
    pub fn finish(&self) -> Hash {
        self.tree.finish()
    }

    /// Compares with what a log entry says.
    ///
    /// # Errors
    /// [`RowsError::Count`] or [`RowsError::Root`].
    pub fn check(&self, rows: u64, root: &Hash) -> Result<(), RowsError> {
        if self.rows() != rows {
            return Err(RowsError::Count { got: self.rows(), want: rows });
        }
        if self.finish() == *root { Ok(()) } else { Err(RowsError::Root) }
    }
}

#[cfg(test)]
mod tests;
