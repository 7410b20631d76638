//! The root of a unit's canonical rows, checkable with the day's key.
//!
//! Leaf `n` of the tree is `SHA-256(0x00 ‖ salt(n) ‖ canonical row n)`; row numbers count from 0 within the unit and the leaves are in
//! row order. The salt (32 bytes) keeps anyone without the key from guessing rows from leaf hashes; it is never stored:
//!
//! * `salt key = HKDF-SHA-256(ikm = day key, salt = empty, info = "weir/salt/v1" ‖ unit id (16 bytes), 32 bytes)`
//! * `salt(n) = A(n, 0) ‖ A(n, 1)` with
//!   `A(n, i) = AES-256(salt key, 0x00000000 ‖ u64be(n div 256) ‖ u32be(2 + 2 · (n mod 256) + i))`, one 16-byte block each.
//!
//! This is the key stream of AES-256-GCM with the nonce `0x00000000 ‖ u64be(n div 256)`, so the salts of 256 rows are the encryption of
//! 8,192 zero bytes, which processors do in hardware: several times faster than an HMAC a row, and as good a pseudo-random function far
//! beyond any number of rows.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest;
use weir_base::crypto::Secret;

use crate::limits::{ROW_BYTES, SALT_BLOCK_ROWS};
use crate::merkle::{Hash, RootBuilder};
use crate::unit_id::UnitId;

/// The salt of one row: 32 bytes.
pub type Salt = [u8; 32];

/// Bytes of a leaf before the row: the mark of a leaf and the salt.
pub const LEAF_HEAD: usize = 33;

/// The key from which the salts of one unit come.
pub struct SaltKey(LessSafeKey);

impl SaltKey {
    /// The salt key of `unit` under the key of its day.
    pub fn new(day_key: &Secret, unit: UnitId) -> SaltKey {
        let secret = day_key.derive(&[b"weir/salt/v1".as_slice(), &unit.0].concat());
        let key = UnboundKey::new(&AES_256_GCM, &secret.0).unwrap_or_else(|_| unreachable!("the key is 32 bytes long"));
        SaltKey(LessSafeKey::new(key))
    }

    /// Appends the salts of `rows` rows from row `first_row` to `out`. Cheapest in whole blocks of 256 rows.
    pub fn salts(&self, first_row: u64, rows: usize, out: &mut Vec<Salt>) {
        let mut row = first_row;
        let end = first_row.saturating_add(rows as u64);
        while row < end {
            let within = (row % SALT_BLOCK_ROWS) as usize;
            let now = ((end - row) as usize).min(SALT_BLOCK_ROWS as usize - within);
            let mut stream = [[0; 32]; SALT_BLOCK_ROWS as usize];
            self.key_stream(row / SALT_BLOCK_ROWS, stream[..within + now].as_flattened_mut());
            out.extend_from_slice(&stream[within..within + now]);
            row += now as u64;
        }
    }

    /// The salt of one row, for a proof about it.
    pub fn salt(&self, row: u64) -> Salt {
        let within = (row % SALT_BLOCK_ROWS) as usize;
        let mut stream = [[0; 32]; SALT_BLOCK_ROWS as usize];
        self.key_stream(row / SALT_BLOCK_ROWS, stream[..=within].as_flattened_mut());
        stream[within]
    }

    /// Encrypts zeros in place. A nonce is used again only to make the same salts, never to encrypt anything.
    fn key_stream(&self, block: u64, zeros: &mut [u8]) {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&block.to_be_bytes());
        let sealed = self.0.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), zeros);
        // Only the key stream is wanted: the tag says nothing.
        let _tag = sealed.unwrap_or_else(|_| unreachable!("AES-GCM takes 8 KiB"));
    }
}

/// The leaf hash of one row: `SHA-256(0x00 ‖ salt ‖ row)`.
pub fn row_leaf(salt: &Salt, row: &[u8]) -> Hash {
    let mut buf = Vec::with_capacity(33 + row.len());
    leaf_with(&mut buf, salt, row)
}

/// [`row_leaf`] with a buffer that is used again: one contiguous digest is faster than three updates.
fn leaf_with(buf: &mut Vec<u8>, salt: &Salt, row: &[u8]) -> Hash {
    buf.clear();
    buf.push(0);
    buf.extend_from_slice(salt);
    buf.extend_from_slice(row);
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, buf).as_ref());
    out
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
    first_row: u64,
    tree: RootBuilder,
    salts: Vec<Salt>,
    leaves: Vec<Hash>,
    buf: Vec<u8>,
}

impl<'k> RowsRoot<'k> {
    /// From the unit's first row.
    pub fn new(key: &'k SaltKey) -> RowsRoot<'k> {
        RowsRoot::starting_at(key, 0)
    }

    /// From row `first_row`, to work on several cores: runs of 2^k rows, each starting at a multiple of its length, are put together
    /// with [`RootBuilder::push_subtree`].
    pub fn starting_at(key: &'k SaltKey, first_row: u64) -> RowsRoot<'k> {
        RowsRoot { key, first_row, tree: RootBuilder::new(), salts: Vec::new(), leaves: Vec::new(), buf: Vec::new() }
    }

    /// Rows pushed so far.
    pub fn rows(&self) -> u64 {
        self.tree.count()
    }

    /// Appends rows of `row_len` bytes each that lie back to back.
    ///
    /// # Errors
    /// [`RowsError::Width`]; nothing is appended then.
    pub fn push_fixed(&mut self, rows: &[u8], row_len: usize) -> Result<(), RowsError> {
        if row_len == 0 || row_len > ROW_BYTES || !rows.len().is_multiple_of(row_len) {
            return Err(RowsError::Width { bytes: rows.len(), row: row_len });
        }
        self.push_rows(rows.len() / row_len, rows.chunks_exact(row_len));
        Ok(())
    }

    /// Appends rows of differing length: row `i` is `rows[offsets[i]..offsets[i + 1]]`. One offset more than rows, first 0, last the
    /// buffer's length.
    ///
    /// # Errors
    /// [`RowsError::Offset`]; nothing is appended then.
    pub fn push_variable(&mut self, rows: &[u8], offsets: &[u32]) -> Result<(), RowsError> {
        let ends_fit = offsets.first() == Some(&0) && offsets.last().is_some_and(|end| *end as usize == rows.len());
        let fits = |pair: &[u32]| matches!(pair, [start, end] if start <= end && (end - start) as usize <= ROW_BYTES);
        if let Some(row) = offsets.windows(2).position(|pair| !fits(pair)) {
            return Err(RowsError::Offset { row });
        }
        if !ends_fit {
            return Err(RowsError::Offset { row: offsets.len().saturating_sub(1) });
        }
        let row = |pair: &[u32]| &rows[pair[0] as usize..pair[1] as usize];
        self.push_rows(offsets.len() - 1, offsets.windows(2).map(row));
        Ok(())
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
        self.salts.clear();
        self.key.salts(self.first_row + self.tree.count(), leaves.len() / stride, &mut self.salts);
        for (salt, leaf) in self.salts.iter().zip(leaves.chunks_exact_mut(stride)) {
            leaf[0] = 0;
            leaf[1..LEAF_HEAD].copy_from_slice(salt);
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
        self.salts.clear();
        self.key.salts(self.first_row + self.tree.count(), ends.len(), &mut self.salts);
        let mut start = 0;
        for (salt, end) in self.salts.iter().zip(ends) {
            let leaf = &mut leaves[start..*end];
            leaf[0] = 0;
            leaf[1..LEAF_HEAD].copy_from_slice(salt);
            start = *end;
        }
        self.leaves.clear();
        weir_lanes::each_of(leaves, ends, &mut self.leaves);
        self.tree.push_all(&self.leaves);
        Ok(())
    }

    fn push_rows<'r>(&mut self, count: usize, rows: impl Iterator<Item = &'r [u8]>) {
        self.salts.clear();
        self.key.salts(self.first_row + self.tree.count(), count, &mut self.salts);
        self.leaves.clear();
        for (salt, row) in self.salts.iter().zip(rows) {
            let leaf = leaf_with(&mut self.buf, salt, row);
            self.leaves.push(leaf);
        }
        self.tree.push_all(&self.leaves);
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
