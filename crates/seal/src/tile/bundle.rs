//! Entry bundles: up to 256 entries, each behind its length as a 16-bit big-endian number.

use crate::limits::{ENTRY_BYTES, TILE_WIDTH};

/// Why bytes are not an entry bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The bytes end inside an entry or its length.
    #[error("the bundle ends inside entry {entry}")]
    CutShort {
        /// Place in the bundle, from 0.
        entry: usize,
    },
    /// More than 256 entries.
    #[error("the bundle has more than 256 entries")]
    TooMany,
}

/// Splits a bundle into its entries.
///
/// # Errors
/// A [`BundleError`]; nothing of a bad bundle is returned.
pub fn decode_bundle(mut bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        if entries.len() == TILE_WIDTH {
            return Err(BundleError::TooMany);
        }
        let cut = BundleError::CutShort { entry: entries.len() };
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(cut)?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(cut)?;
        entries.push(entry);
        bytes = rest;
    }
    Ok(entries)
}

/// Appends one entry to a bundle.
///
/// # Errors
/// The entry's length when it is above [`ENTRY_BYTES`]; the bundle is then unchanged.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), usize> {
    let length = u16::try_from(entry.len()).map_err(|_| entry.len())?;
    debug_assert!(entry.len() <= ENTRY_BYTES);
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}
