//! Canonical row bytes: what a leaf of the rows' tree hashes.
//!
//! A row is: kind code (2 bytes, big-endian), kind version (1 byte), then each field in the order of the field table. A nullable field
//! begins with one byte, 0 for no value (nothing follows) or 1. Numbers and instants are big-endian; ids and addresses are their 16
//! bytes; text and bytes are preceded by their length in 4 bytes, big-endian.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};

use crate::field::Type;
use crate::gather::fixed16;
use crate::kind::Kind;

/// Rows in canonical bytes, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// All rows.
    pub bytes: Vec<u8>,
    /// End of each row in `bytes`.
    pub ends: Vec<usize>,
}

impl Rows {
    /// The bytes of row `i`.
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        let end = *self.ends.get(i)?;
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        self.bytes.get(start..end)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Lets all of them go and keeps their room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Length of a canonical row when all fields are fixed and none is nullable.
pub fn fixed_row_len(kind: Kind) -> Option<usize> {
    kind.spec().fields.iter().try_fold(3, |len, f| if f.nullable { None } else { Some(len + f.ty.fixed_len()?) })
}

/// Canonical bytes of all rows of a batch that has the schema of `kind`.
pub fn rows(kind: Kind, batch: &RecordBatch) -> Rows {
    match fixed_row_len(kind) {
        Some(len) => fixed_rows(kind, batch, len),
        None => variable_rows(kind, batch),
    }
}

/// Column by column into rows of one length: no branch a value.
fn fixed_rows(kind: Kind, batch: &RecordBatch, len: usize) -> Rows {
    let n = batch.num_rows();
    let mut bytes = vec![0; n * len];
    fixed_rows_into(kind, batch, 0, &mut bytes);
    Rows { bytes, ends: (1..=n).map(|i| i * len).collect() }
}

/// Canonical bytes of the rows of a kind of fixed length, each after `room` bytes that are left as they are: `out` is cut into so many equal
/// pieces as the batch has rows.
pub fn fixed_rows_into(kind: Kind, batch: &RecordBatch, room: usize, out: &mut [u8]) {
    let Some(len) = fixed_row_len(kind).map(|len| room + len) else { return };
    let spec = kind.spec();
    let mut head = [0; 3];
    head[..2].copy_from_slice(&spec.code.to_be_bytes());
    head[2] = spec.version;
    for row in out.chunks_exact_mut(len) {
        row[room..room + 3].copy_from_slice(&head);
    }
    let mut at = room + 3;
    for (field, column) in spec.fields.iter().zip(batch.columns()) {
        let width = field.ty.fixed_len().unwrap_or(0);
        let rows = out.chunks_exact_mut(len).map(|row| &mut row[at..at + width]);
        scatter(field.ty, column, rows);
        at += width;
    }
}

fn scatter<'a>(ty: Type, column: &ArrayRef, rows: impl Iterator<Item = &'a mut [u8]>) {
    match ty {
        Type::U8 => rows.zip(column.as_primitive::<UInt8Type>().values()).for_each(|(r, v)| r[0] = *v),
        Type::U16 => rows.zip(column.as_primitive::<UInt16Type>().values()).for_each(|(r, v)| r.copy_from_slice(&v.to_be_bytes())),
        Type::U32 => rows.zip(column.as_primitive::<UInt32Type>().values()).for_each(|(r, v)| r.copy_from_slice(&v.to_be_bytes())),
        Type::U64 => rows.zip(column.as_primitive::<UInt64Type>().values()).for_each(|(r, v)| r.copy_from_slice(&v.to_be_bytes())),
        Type::Time => {
            let values = column.as_primitive::<TimestampMillisecondType>().values();
            rows.zip(values).for_each(|(r, v)| r.copy_from_slice(&v.to_be_bytes()));
        }
        Type::Id | Type::Addr => {
            rows.zip(fixed16(column)).for_each(|(r, v)| r.copy_from_slice(v));
        }
        Type::Text | Type::Bytes => {}
    }
}

fn variable_rows(kind: Kind, batch: &RecordBatch) -> Rows {
    let mut out = Rows::default();
    variable_rows_into(kind, batch, 0, &mut out);
    out
}

/// Appends the canonical bytes of the rows of a batch to `out`, each after `room` bytes of zeros.
pub fn variable_rows_into(kind: Kind, batch: &RecordBatch, room: usize, out: &mut Rows) {
    let spec = kind.spec();
    let columns: Vec<(Option<Option<&NullBuffer>>, Values<'_>)> = spec
        .fields
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| (field.nullable.then(|| column.nulls()), Values::of(field.ty, column)))
        .collect();
    let [high, low] = spec.code.to_be_bytes();
    let head = [high, low, spec.version];
    let rows = batch.num_rows();
    out.ends.reserve(rows);
    let row_len = room + head.len() + columns.iter().map(|(nulls, values)| usize::from(nulls.is_some()) + values.least()).sum::<usize>();
    let mut at = out.bytes.len();
    // No less than the rows take, and room for what is written behind a short text before something else is.
    let most = rows * row_len + columns.iter().map(|(_, values)| values.texts()).sum::<usize>() + SHORT;
    out.bytes.resize(at + most, 0);
    for row in 0..rows {
        out.bytes[at..at + room].fill(0);
        at += room;
        out.bytes[at..at + head.len()].copy_from_slice(&head);
        at += head.len();
        for (nulls, values) in &columns {
            if let Some(nulls) = nulls {
                let valid = nulls.is_none_or(|nulls| nulls.is_valid(row));
                out.bytes[at] = u8::from(valid);
                at += 1;
                if !valid {
                    continue;
                }
            }
            at += values.put(row, &mut out.bytes[at..]);
        }
        out.ends.push(at);
    }
    out.bytes.truncate(at);
}

/// Texts up to this length are copied as so many bytes; those that are too many are written over by what follows.
const SHORT: usize = 16;

/// The values of a column, found once for all its rows.
enum Values<'a> {
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    Time(&'a [i64]),
    Fixed(&'a [[u8; 16]]),
    Variable(&'a [i32], &'a [u8]),
}

impl<'a> Values<'a> {
    fn of(ty: Type, column: &'a ArrayRef) -> Values<'a> {
        match ty {
            Type::U8 => Values::U8(column.as_primitive::<UInt8Type>().values()),
            Type::U16 => Values::U16(column.as_primitive::<UInt16Type>().values()),
            Type::U32 => Values::U32(column.as_primitive::<UInt32Type>().values()),
            Type::U64 => Values::U64(column.as_primitive::<UInt64Type>().values()),
            Type::Time => Values::Time(column.as_primitive::<TimestampMillisecondType>().values()),
            Type::Id | Type::Addr => Values::Fixed(fixed16(column)),
            Type::Text => {
                let column = column.as_string::<i32>();
                Values::Variable(column.value_offsets(), column.value_data())
            }
            Type::Bytes => {
                let column = column.as_binary::<i32>();
                Values::Variable(column.value_offsets(), column.value_data())
            }
        }
    }

    /// Bytes of a value, less its text.
    fn least(&self) -> usize {
        match self {
            Values::U8(_) => 1,
            Values::U16(_) => 2,
            Values::U32(_) | Values::Variable(..) => 4,
            Values::U64(_) | Values::Time(_) => 8,
            Values::Fixed(_) => 16,
        }
    }

    /// Bytes of the texts of all rows.
    fn texts(&self) -> usize {
        let Values::Variable(offsets, _) = self else { return 0 };
        offsets.first().zip(offsets.last()).map_or(0, |(first, last)| (last - first) as usize)
    }

    /// Writes the value of a row to the beginning of `out`; gives its length. What is behind it may be written over.
    fn put(&self, row: usize, out: &mut [u8]) -> usize {
        fn put<const N: usize>(out: &mut [u8], bytes: &[u8; N]) -> usize {
            out[..N].copy_from_slice(bytes);
            N
        }
        match self {
            Values::U8(values) => put(out, &[values[row]]),
            Values::U16(values) => put(out, &values[row].to_be_bytes()),
            Values::U32(values) => put(out, &values[row].to_be_bytes()),
            Values::U64(values) => put(out, &values[row].to_be_bytes()),
            Values::Time(values) => put(out, &values[row].to_be_bytes()),
            Values::Fixed(values) => put(out, &values[row]),
            Values::Variable(offsets, data) => {
                let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
                let len = to - from;
                let at = put(out, &u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
                match data[from..].first_chunk::<SHORT>() {
                    Some(bytes) if len <= SHORT => _ = put(&mut out[at..], bytes),
                    _ => out[at..at + len].copy_from_slice(&data[from..to]),
                }
                at + len
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Id;
    use crate::kind::Record;
    use crate::kinds::{Gap, Maintenance, MaintenanceText, NatMapping};
    use weir_base::time::Millis;

    /// The plain way: value after value, each after `room` zeros a row.
    fn plain(kind: Kind, batch: &RecordBatch, room: usize, out: &mut Rows) {
        let text = |out: &mut Vec<u8>, bytes: &[u8]| {
            out.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
            out.extend(bytes);
        };
        for row in 0..batch.num_rows() {
            let bytes = &mut out.bytes;
            bytes.extend(vec![0; room]);
            bytes.extend(kind.spec().code.to_be_bytes());
            bytes.push(kind.spec().version);
            for (field, column) in kind.spec().fields.iter().zip(batch.columns()) {
                if field.nullable {
                    bytes.push(u8::from(column.is_valid(row)));
                }
                if column.is_null(row) {
                    continue;
                }
                match field.ty {
                    Type::U8 => bytes.push(column.as_primitive::<UInt8Type>().value(row)),
                    Type::U16 => bytes.extend(column.as_primitive::<UInt16Type>().value(row).to_be_bytes()),
                    Type::U32 => bytes.extend(column.as_primitive::<UInt32Type>().value(row).to_be_bytes()),
                    Type::U64 => bytes.extend(column.as_primitive::<UInt64Type>().value(row).to_be_bytes()),
                    Type::Time => bytes.extend(column.as_primitive::<TimestampMillisecondType>().value(row).to_be_bytes()),
                    Type::Id | Type::Addr => bytes.extend(column.as_fixed_size_binary().value(row)),
                    Type::Text => text(bytes, column.as_string::<i32>().value(row).as_bytes()),
                    Type::Bytes => text(bytes, column.as_binary::<i32>().value(row)),
                }
            }
            out.ends.push(out.bytes.len());
        }
    }

    proptest::proptest! {
        #[test]
        fn lines_are_as_they_are_written_the_plain_way(
            texts in proptest::collection::vec(("[a-z\u{0}户]{0,20}", 0usize..200, 0u8..16), 0..30), room in 0usize..40, skip in 0usize..4
        ) {
            let lines: Vec<Maintenance> = texts.iter().map(|(text, len, has)| Maintenance {
                host: (has & 1 > 0).then(|| text.clone()),
                app: (has & 2 > 0).then(|| "x".repeat(*len / 8)),
                data: (has & 4 > 0).then(String::new),
                event: (has & 8 > 0).then(|| "e".repeat(*len % 18)),
                line: "y".repeat(*len),
                text: Id([*has; 16]),
                ..Maintenance::default()
            }).collect();
            let raw: Vec<MaintenanceText> =
                texts.iter().map(|(text, len, _)| MaintenanceText { bytes: text.bytes().cycle().take(*len).collect(), ..Default::default() }).collect();
            let skip = skip.min(texts.len());
            for (kind, batch) in [(Kind::Maintenance, Maintenance::batch(&lines)), (Kind::MaintenanceText, MaintenanceText::batch(&raw))] {
                let mut want = Rows { bytes: vec![7; 3], ends: vec![3] };
                let mut got = want.clone();
                for part in [batch.slice(skip, texts.len() - skip), batch] {
                    plain(kind, &part, room, &mut want);
                    variable_rows_into(kind, &part, room, &mut got);
                }
                proptest::prop_assert_eq!(&got, &want);
            }
        }
    }

    #[test]
    fn fixed_and_variable_encoders_agree() {
        let row = NatMapping {
            public_address: "203.0.113.7".parse().unwrap(),
            public_port: 40_123,
            start: Millis(1),
            duration: 2,
            ref_entry: 7,
            ..NatMapping::default()
        };
        let batch = NatMapping::batch(&[row.clone(), NatMapping { protocol: 17, ..row }]);
        assert_eq!(fixed_row_len(Kind::NatMapping), Some(103));
        let fixed = rows(Kind::NatMapping, &batch);
        assert_eq!(fixed, variable_rows(Kind::NatMapping, &batch));
        assert_eq!(fixed.len(), 2);
        assert_eq!(&fixed.get(0).unwrap()[..3], [0, 2, 2]);
        assert_eq!(&fixed.get(0).unwrap()[19..21], 40_123u16.to_be_bytes());
    }

    #[test]
    fn golden_gap_row() {
        let gap = Gap { time: Millis(258), unit: "records".into(), lost: Some(3), ..Gap::default() };
        let got = rows(Kind::Gap, &Gap::batch(&[gap]));
        let mut want = vec![0, 5, 1, 0, 0, 0, 0, 0, 0, 1, 2];
        want.extend([0; 16]); // id
        want.extend([0; 4]); // amendment
        want.extend([0; 4]); // source
        want.extend([0; 16]); // start, end
        want.extend([1, 0, 0, 0, 0, 0, 0, 0, 3]); // lost
        want.extend([0, 0, 0, 7]);
        want.extend(b"records");
        want.extend([0, 0, 0, 0]); // reason
        assert_eq!(got.bytes, want);
    }
}
