//! As much of Thrift's compact protocol as Parquet's own small structures need: integers, bytes, booleans, lists, structures; all else is
//! skipped.

use super::ParquetFailure;

const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
const I8: u8 = 3;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;

/// Structures within structures; Parquet's own go four deep.
const DEPTH: u8 = 16;

const SHORT: ParquetFailure = ParquetFailure::Format("a structure ends too early");

pub(super) struct Thrift<'a> {
    pub(super) left: &'a [u8],
}

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Thrift<'a> {
        Thrift { left: bytes }
    }

    fn byte(&mut self) -> Result<u8, ParquetFailure> {
        let (first, rest) = self.left.split_first().ok_or(SHORT)?;
        self.left = rest;
        Ok(*first)
    }

    fn varint(&mut self) -> Result<u64, ParquetFailure> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ParquetFailure::Format("a number in a structure is too long"))
    }

    pub(super) fn int(&mut self) -> Result<i64, ParquetFailure> {
        let raw = self.varint()?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    pub(super) fn size(&mut self) -> Result<usize, ParquetFailure> {
        usize::try_from(self.int()?).map_err(|_| ParquetFailure::Format("a size is negative"))
    }

    pub(super) fn binary(&mut self) -> Result<&'a [u8], ParquetFailure> {
        let len = usize::try_from(self.varint()?).map_err(|_| SHORT)?;
        let (head, rest) = self.left.split_at_checked(len).ok_or(SHORT)?;
        self.left = rest;
        Ok(head)
    }

    /// Element type and count.
    pub(super) fn list(&mut self) -> Result<(u8, usize), ParquetFailure> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => usize::try_from(self.varint()?).map_err(|_| SHORT)?,
            n => usize::from(n),
        };
        // Every element takes at least one byte, so a count beyond the bytes is false and is never allocated for.
        if count > self.left.len() { Err(SHORT) } else { Ok((head & 15, count)) }
    }

    /// Calls `each` with the number and type of every field of a structure; `each` says whether it read the field.
    pub(super) fn fields(
        &mut self,
        mut each: impl FnMut(&mut Thrift<'a>, i64, u8) -> Result<bool, ParquetFailure>,
    ) -> Result<(), ParquetFailure> {
        let mut id = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            id = match head >> 4 {
                0 => self.int()?,
                delta => id.saturating_add(i64::from(delta)),
            };
            if !each(self, id, head & 15)? {
                self.skip(head & 15, DEPTH)?;
            }
        }
    }

    fn skip(&mut self, ty: u8, depth: u8) -> Result<(), ParquetFailure> {
        let depth = depth.checked_sub(1).ok_or(ParquetFailure::Format("structures are nested too deep"))?;
        match ty {
            TRUE | FALSE => Ok(()),
            I8 => self.byte().map(drop),
            4..=I64 => self.varint().map(drop),
            DOUBLE => {
                self.left = self.left.get(8..).ok_or(SHORT)?;
                Ok(())
            }
            BINARY => self.binary().map(drop),
            LIST | SET => {
                let (ty, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip_element(ty, depth))
            }
            MAP => self.skip_map(depth),
            STRUCT => loop {
                let head = self.byte()?;
                if head == 0 {
                    return Ok(());
                }
                if head >> 4 == 0 {
                    self.int()?;
                }
                self.skip(head & 15, depth)?;
            },
            _ => Err(ParquetFailure::Format("a structure has a field of an unknown type")),
        }
    }

    fn skip_map(&mut self, depth: u8) -> Result<(), ParquetFailure> {
        let count = self.varint()?;
        if count == 0 {
            return Ok(());
        }
        let types = self.byte()?;
        if count > self.left.len() as u64 {
            return Err(SHORT);
        }
        (0..count).try_for_each(|_| {
            self.skip_element(types >> 4, depth)?;
            self.skip_element(types & 15, depth)
        })
    }

    /// Booleans take a byte as elements and none as fields.
    fn skip_element(&mut self, ty: u8, depth: u8) -> Result<(), ParquetFailure> {
        if matches!(ty, TRUE | FALSE) { self.byte().map(drop) } else { self.skip(ty, depth) }
    }
}
