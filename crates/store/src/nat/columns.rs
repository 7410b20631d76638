//! Sealed NAT mappings, read where they stand in their columns.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Form, RowType, flags};

use crate::nat::mapping::{Mapping, Remote};

/// Where the columns of `nat_mapping` stand.
pub(crate) mod at {
    pub(crate) const PUBLIC: usize = 0;
    pub(crate) const PORT: usize = 1;
    pub(crate) const START: usize = 2;
    pub(crate) const DURATION: usize = 3;
    pub(crate) const MORE: usize = 4;
    pub(crate) const PROTOCOL: usize = 5;
    pub(crate) const FORM: usize = 6;
    pub(crate) const ROW_TYPE: usize = 7;
    pub(crate) const FLAGS: usize = 8;
    pub(crate) const INSIDE: usize = 9;
    pub(crate) const INSIDE_PORT: usize = 10;
    pub(crate) const SOURCE: usize = 11;
    pub(crate) const REMOTE: usize = 12;
    pub(crate) const REMOTE_PORT: usize = 13;
    pub(crate) const TAG: usize = 14;
}

/// The columns of sealed mappings, so that a row is read without a detour.
pub struct Columns<'a> {
    public: &'a [[u8; 16]],
    port: &'a [u16],
    start: &'a [i64],
    duration: &'a [u64],
    more: &'a [u16],
    protocol: &'a [u8],
    form: &'a [u8],
    row_type: &'a [u8],
    flags: &'a [u8],
    inside: &'a [[u8; 16]],
    inside_port: &'a [u16],
    source: &'a [u32],
    remote: &'a [[u8; 16]],
    remote_port: &'a [u16],
    tag: &'a [u64],
}

/// The cells of a column of addresses.
pub(crate) fn cells(column: &ArrayRef) -> &[[u8; 16]] {
    let column = column.as_fixed_size_binary();
    let data = &column.value_data()[column.offset() * 16..(column.offset() + column.len()) * 16];
    data.as_chunks::<16>().0
}

impl<'a> Columns<'a> {
    /// Of a batch that has the columns of `nat_mapping`.
    pub fn of(rows: &'a RecordBatch) -> Columns<'a> {
        let c = rows.columns();
        Columns {
            public: cells(&c[at::PUBLIC]),
            port: c[at::PORT].as_primitive::<UInt16Type>().values(),
            start: c[at::START].as_primitive::<TimestampMillisecondType>().values(),
            duration: c[at::DURATION].as_primitive::<UInt64Type>().values(),
            more: c[at::MORE].as_primitive::<UInt16Type>().values(),
            protocol: c[at::PROTOCOL].as_primitive::<UInt8Type>().values(),
            form: c[at::FORM].as_primitive::<UInt8Type>().values(),
            row_type: c[at::ROW_TYPE].as_primitive::<UInt8Type>().values(),
            flags: c[at::FLAGS].as_primitive::<UInt8Type>().values(),
            inside: cells(&c[at::INSIDE]),
            inside_port: c[at::INSIDE_PORT].as_primitive::<UInt16Type>().values(),
            source: c[at::SOURCE].as_primitive::<UInt32Type>().values(),
            remote: cells(&c[at::REMOTE]),
            remote_port: c[at::REMOTE_PORT].as_primitive::<UInt16Type>().values(),
            tag: c[at::TAG].as_primitive::<UInt64Type>().values(),
        }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// True for a mapping that begins and ends in its unit, of one port, with both ends seen.
    pub fn is_plain(&self, i: usize) -> bool {
        self.row_type[i] == RowType::Whole as u8 && self.flags[i] == 0 && self.more[i] == 0 && self.form[i] <= Form::Bib as u8
    }

    /// When it began.
    pub fn start(&self, i: usize) -> Millis {
        Millis(self.start[i])
    }

    /// When it ended.
    pub fn end(&self, i: usize) -> Millis {
        Millis(self.start[i].saturating_add_unsigned(self.duration[i]))
    }

    /// One row as what it says; none if its form or type is not known.
    pub fn get(&self, i: usize) -> Option<(RowType, Mapping)> {
        let row = Row {
            public: self.public[i],
            port: self.port[i],
            start: self.start[i],
            duration: self.duration[i],
            more: self.more[i],
            protocol: self.protocol[i],
            form: self.form[i],
            row_type: self.row_type[i],
            flags: self.flags[i],
            inside: self.inside[i],
            inside_port: self.inside_port[i],
            source: self.source[i],
            remote: self.remote[i],
            remote_port: self.remote_port[i],
            tag: self.tag[i],
        };
        row.says()
    }
}

/// The cells of a row of `nat_mapping`, but for the older row it names.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) public: [u8; 16],
    pub(crate) port: u16,
    pub(crate) start: i64,
    pub(crate) duration: u64,
    pub(crate) more: u16,
    pub(crate) protocol: u8,
    pub(crate) form: u8,
    pub(crate) row_type: u8,
    pub(crate) flags: u8,
    pub(crate) inside: [u8; 16],
    pub(crate) inside_port: u16,
    pub(crate) source: u32,
    pub(crate) remote: [u8; 16],
    pub(crate) remote_port: u16,
    pub(crate) tag: u64,
}

impl Row {
    /// What it says; none if its form or type is not known.
    #[inline]
    pub(crate) fn says(self) -> Option<(RowType, Mapping)> {
        let row_type = RowType::from_u8(self.row_type)?;
        let ends = !matches!(row_type, RowType::Open | RowType::Reopened) || self.flags & flags::END_INFERRED != 0;
        let begins = self.flags & flags::START_INFERRED == 0;
        let mapping = Mapping {
            form: Form::from_u8(self.form)?,
            protocol: self.protocol,
            source: self.source,
            public: Addr16(self.public),
            first: self.port,
            last: self.port.saturating_add(self.more),
            inside: Addr16(self.inside),
            inside_port: self.inside_port,
            remote: Remote { address: Addr16(self.remote), port: self.remote_port, tag: self.tag },
            start: begins.then_some(Millis(self.start)),
            end: ends.then_some(Millis(self.start.saturating_add_unsigned(self.duration))),
            flags: self.flags,
        };
        Some((row_type, mapping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_the_fields_do() {
        for (place, name) in [
            (at::PUBLIC, "public_address"),
            (at::PORT, "public_port"),
            (at::START, "start"),
            (at::DURATION, "duration"),
            (at::MORE, "public_port_more"),
            (at::PROTOCOL, "protocol"),
            (at::FORM, "form"),
            (at::ROW_TYPE, "row_type"),
            (at::FLAGS, "flags"),
            (at::INSIDE, "inside_address"),
            (at::INSIDE_PORT, "inside_port"),
            (at::SOURCE, "source"),
            (at::REMOTE, "remote_address"),
            (at::REMOTE_PORT, "remote_port"),
            (at::TAG, "remote_tag"),
        ] {
            assert_eq!(weir_record::Kind::NatMapping.spec().index(name), Some(place), "{name}");
        }
    }
}
