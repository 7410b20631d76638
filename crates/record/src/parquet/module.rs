//! Modules of Parquet's encryption: length (4 bytes, little-endian, of what follows), nonce (12), ciphertext, tag (16); AES-256-GCM with
//! the file's unique bytes, the module's type and its ordinals as associated data.

use weir_base::crypto::{Aead, NONCE_BYTES, TAG_BYTES};

use super::ParquetFailure;

/// Bytes of the file's unique part of the associated data.
pub(super) const UNIQUE_BYTES: usize = 8;

/// Bytes of a module's length.
pub(super) const LENGTH_BYTES: usize = 4;

/// What a module is, by its number in the specification.
#[derive(Clone, Copy)]
pub(super) enum Module {
    Footer,
    DataPage,
    DictionaryPage,
    DataPageHeader,
    DictionaryPageHeader,
    OffsetIndex,
}

impl Module {
    fn code(self) -> u8 {
        match self {
            Module::Footer => 0,
            Module::DataPage => 2,
            Module::DictionaryPage => 3,
            Module::DataPageHeader => 4,
            Module::DictionaryPageHeader => 5,
            Module::OffsetIndex => 7,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Module::Footer => "the footer",
            Module::DataPage => "a page",
            Module::DictionaryPage => "a dictionary",
            Module::DataPageHeader => "a page's header",
            Module::DictionaryPageHeader => "a dictionary's header",
            Module::OffsetIndex => "an offset index",
        }
    }
}

/// Where a module stands: row group, column, and for data pages the page's ordinal.
#[derive(Clone, Copy, Default)]
pub(super) struct Ordinals {
    pub(super) group: u16,
    pub(super) column: u16,
    pub(super) page: u16,
}

pub(super) fn aad(unique: &[u8; UNIQUE_BYTES], module: Module, at: Ordinals) -> ([u8; UNIQUE_BYTES + 7], usize) {
    let mut out = [0; UNIQUE_BYTES + 7];
    let mut len = 0;
    let mut put = |bytes: &[u8]| {
        out[len..len + bytes.len()].copy_from_slice(bytes);
        len += bytes.len();
    };
    put(unique);
    put(&[module.code()]);
    if !matches!(module, Module::Footer) {
        put(&at.group.to_le_bytes());
        put(&at.column.to_le_bytes());
    }
    if matches!(module, Module::DataPage | Module::DataPageHeader) {
        put(&at.page.to_le_bytes());
    }
    (out, len)
}

/// A module as stored, and what follows it.
struct Framed<'a> {
    nonce: [u8; NONCE_BYTES],
    /// Ciphertext and tag.
    sealed: &'a mut [u8],
    rest: &'a mut [u8],
}

/// Splits the first module off `bytes`.
fn split(bytes: &mut [u8]) -> Result<Framed<'_>, ParquetFailure> {
    let (len, rest) = bytes.split_first_chunk_mut::<LENGTH_BYTES>().ok_or(ParquetFailure::Short)?;
    let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| ParquetFailure::Short)?;
    let (body, rest) = rest.split_at_mut_checked(len).ok_or(ParquetFailure::Short)?;
    let (nonce, sealed) = body.split_first_chunk_mut::<NONCE_BYTES>().ok_or(ParquetFailure::Short)?;
    if sealed.len() < TAG_BYTES {
        return Err(ParquetFailure::Short);
    }
    Ok(Framed { nonce: *nonce, sealed, rest })
}

/// Decrypts the first module of `bytes` where it stands; returns what it holds and the bytes after it.
pub(super) fn open<'a>(
    aead: &Aead,
    unique: &[u8; UNIQUE_BYTES],
    module: Module,
    at: Ordinals,
    bytes: &'a mut [u8],
) -> Result<(&'a [u8], &'a mut [u8]), ParquetFailure> {
    let Framed { nonce, sealed, rest } = split(bytes).map_err(|_| ParquetFailure::Sealed(module.name()))?;
    let (aad, len) = aad(unique, module, at);
    let plain = aead.open(nonce, &aad[..len], sealed).map_err(|_| ParquetFailure::Sealed(module.name()))?;
    Ok((plain, rest))
}
