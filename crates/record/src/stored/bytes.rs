//! A cursor over bytes that never panics.

use super::FormatError;

pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], FormatError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(FormatError::Short)?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(FormatError::Short)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, FormatError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, FormatError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, FormatError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, FormatError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Bytes with a `u32` length before them, at most `most`.
    pub(super) fn block(&mut self, what: &'static str, most: usize) -> Result<&'a [u8], FormatError> {
        let len = self.u32()?;
        let n = usize::try_from(len).unwrap_or(usize::MAX);
        if n > most {
            return Err(FormatError::Limit { what, is: u64::from(len), most: most as u64 });
        }
        self.take(n)
    }

    pub(super) fn magic(&mut self, want: &[u8; 8]) -> Result<(), FormatError> {
        if &self.array::<8>()? == want { Ok(()) } else { Err(FormatError::Magic) }
    }

    pub(super) fn version(&mut self, want: u16) -> Result<(), FormatError> {
        let version = self.u16()?;
        if version == want { Ok(()) } else { Err(FormatError::Version(version)) }
    }

    pub(super) fn end(&self) -> Result<(), FormatError> {
        if self.0.is_empty() { Ok(()) } else { Err(FormatError::Field("bytes are left over")) }
    }
}

/// Appends bytes with their `u32` length before them. Callers keep the length under the format's limit, far below 4 GiB.
pub(super) fn put_block(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(bytes);
}
