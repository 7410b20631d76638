//! Lines of logs: the system-maintenance log of clause 7.3.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, RecordBatch, StringBuilder, TimestampMillisecondArray, UInt8Array, UInt16Array, UInt32Array};
use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::column::{Id, UTC, addresses};
use crate::kind::Kind;
use crate::macros::record;
use crate::sparse::Sparse;

record! {
    "One line of a log (RFC 5424, RFC 3164), with addresses, accounts, hardware addresses, mail addresses, telephone and certificate numbers replaced. The line as it came is in `maintenance_text`."
    Maintenance = 20, "maintenance", version 1, Network, Records, time "time";
    time: Millis = "When it was written, by its sender; when it arrived, where the line names no time or one that cannot be (see flags)", unit "ms UTC", Plain, key;
    received: Millis = "When it arrived here", unit "ms UTC", Plain;
    source: u32 = "Number of the source that sent it (`source_entry`)", unit "", Plain, key;
    peer: Addr16 = "The sender, which may be a relay", unit "", Plain;
    facility: u8 = "Facility (RFC 5424 section 6.2.1): 0 to 23; 255 where the line names none", unit "", Plain;
    severity: u8 = "Severity (RFC 5424 section 6.2.1): 0 emergency to 7 debug; 255 where the line names none", unit "", Plain;
    flags: u16 = "Bits: 1 year inferred, 2 zone inferred, 4 time is that of arrival, 8 cut, 16 read as GB18030, 32 some bytes were no text, 64 perhaps a double of a line sent again, 128 structured data is malformed", unit "", Plain;
    host: Option<String> = "HOSTNAME (RFC 5424 section 6.2.4)", unit "", Plain, key;
    app: Option<String> = "APP-NAME (section 6.2.5), or the TAG of RFC 3164", unit "", Plain, key;
    procid: Option<String> = "PROCID (section 6.2.6)", unit "", Plain;
    msgid: Option<String> = "MSGID (section 6.2.7), or the vendor's name of the message", unit "", Plain;
    data: Option<String> = "STRUCTURED-DATA (section 6.3), redacted", unit "", Plain;
    line: String = "The message, redacted: <ADDR1>, <USER1>, <MAC1>, <MAIL1>, <PHONE1>, <CERT1> stand for values; the same number is the same value within the line", unit "", Plain;
    dialect: Option<String> = "The dialect that understood it; none for a line that no dialect understands", unit "", Plain;
    event: Option<String> = "What the dialect took it for: sign-in, sign-out, failure, privilege, configuration, nat, lease", unit "", Plain;
    text: Id = "Id of the line as it came, in `maintenance_text`", unit "", Plain;
}

record! {
    "A line of a log as it came, byte by byte. Views never show it."
    MaintenanceText = 21, "maintenance_text", version 1, Network, Raw, time "time";
    time: Millis = "When it was written, as in `maintenance`", unit "ms UTC", Plain, key;
    id: Id = "Id, named by `maintenance.text`", unit "", Plain, key;
    source: u32 = "Number of the source that sent it (`source_entry`)", unit "", Plain, key;
    bytes: Vec<u8> = "The line without its frame, in the character set it came in; cut where `maintenance.flags` says so", unit "", Raw;
}

/// A row of [`Maintenance`] whose texts lie elsewhere.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // The fields are those of `Maintenance`.
pub struct MaintenanceRow<'a> {
    pub time: Millis,
    pub received: Millis,
    pub source: u32,
    pub peer: Addr16,
    pub facility: u8,
    pub severity: u8,
    pub flags: u16,
    pub host: Option<&'a str>,
    pub app: Option<&'a str>,
    pub procid: Option<&'a str>,
    pub msgid: Option<&'a str>,
    pub data: Option<&'a str>,
    pub line: &'a str,
    pub dialect: Option<&'a str>,
    pub event: Option<&'a str>,
    pub text: Id,
}

/// Columns of lines under construction, redacted and as they came: each text is copied once, into its column.
#[derive(Debug, Default)]
pub struct LineColumns {
    time: Vec<i64>,
    received: Vec<i64>,
    source: Vec<u32>,
    peer: Vec<[u8; 16]>,
    facility: Vec<u8>,
    severity: Vec<u8>,
    flags: Vec<u16>,
    host: Sparse,
    app: Sparse,
    procid: Sparse,
    msgid: Sparse,
    data: Sparse,
    line: StringBuilder,
    dialect: Sparse,
    event: Sparse,
    text: Vec<[u8; 16]>,
    bytes: BinaryBuilder,
}

impl LineColumns {
    /// None, with room for as many as these.
    pub fn like(other: &LineColumns) -> LineColumns {
        let rows = other.len();
        let about = |bytes: &[u8]| bytes.len() + bytes.len() / 8;
        LineColumns {
            time: Vec::with_capacity(rows),
            received: Vec::with_capacity(rows),
            source: Vec::with_capacity(rows),
            peer: Vec::with_capacity(rows),
            facility: Vec::with_capacity(rows),
            severity: Vec::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            host: Sparse::like(&other.host, rows),
            app: Sparse::like(&other.app, rows),
            procid: Sparse::like(&other.procid, rows),
            msgid: Sparse::like(&other.msgid, rows),
            data: Sparse::like(&other.data, rows),
            line: StringBuilder::with_capacity(rows, about(other.line.values_slice())),
            dialect: Sparse::like(&other.dialect, rows),
            event: Sparse::like(&other.event, rows),
            text: Vec::with_capacity(rows),
            bytes: BinaryBuilder::with_capacity(rows, about(other.bytes.values_slice())),
        }
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// Appends a line, and its bytes as they came.
    pub fn push(&mut self, row: &MaintenanceRow<'_>, bytes: &[u8]) {
        self.time.push(row.time.0);
        self.received.push(row.received.0);
        self.source.push(row.source);
        self.peer.push(row.peer.0);
        self.facility.push(row.facility);
        self.severity.push(row.severity);
        self.flags.push(row.flags);
        self.host.push(row.host);
        self.app.push(row.app);
        self.procid.push(row.procid);
        self.msgid.push(row.msgid);
        self.data.push(row.data);
        self.line.append_value(row.line);
        self.dialect.push(row.dialect);
        self.event.push(row.event);
        self.text.push(row.text.0);
        self.bytes.append_value(bytes);
    }

    /// The batches of both kinds: the lines' bytes, and the lines, which the write-ahead log tells by them.
    ///
    /// # Panics
    /// Never: the columns have one length.
    pub fn into_batches(mut self) -> [(Kind, RecordBatch); 2] {
        let time = |times: Vec<i64>| Arc::new(TimestampMillisecondArray::from(times).with_timezone(UTC)) as ArrayRef;
        let (times, ids) = (time(self.time), addresses(self.text));
        let sources: ArrayRef = Arc::new(UInt32Array::from(self.source));
        let texts: Vec<ArrayRef> = vec![Arc::clone(&times), Arc::clone(&ids), Arc::clone(&sources), Arc::new(self.bytes.finish())];
        let lines: Vec<ArrayRef> = vec![
            times,
            time(self.received),
            sources,
            addresses(self.peer),
            Arc::new(UInt8Array::from(self.facility)),
            Arc::new(UInt8Array::from(self.severity)),
            Arc::new(UInt16Array::from(self.flags)),
            self.host.finish(),
            self.app.finish(),
            self.procid.finish(),
            self.msgid.finish(),
            self.data.finish(),
            Arc::new(self.line.finish()),
            self.dialect.finish(),
            self.event.finish(),
            ids,
        ];
        let batch = |kind: Kind, columns| (kind, RecordBatch::try_new(kind.schema(), columns).expect("columns of one length"));
        [batch(Kind::MaintenanceText, texts), batch(Kind::Maintenance, lines)]
    }
}

/// Bits of `maintenance.flags`.
pub mod line_flags {
    /// The line names no year.
    pub const YEAR_INFERRED: u16 = 1;
    /// The line names no zone.
    pub const ZONE_INFERRED: u16 = 2;
    /// The line names no time, or one that cannot be: it is that of arrival.
    pub const ARRIVAL: u16 = 4;
    /// The line was longer than the limit.
    pub const CUT: u16 = 8;
    /// It was no UTF-8 and was read as GB18030.
    pub const GB18030: u16 = 16;
    /// Some bytes were text in neither character set.
    pub const NOT_TEXT: u16 = 32;
    /// The same line came shortly before a connection of the same sender broke.
    pub const PERHAPS_DOUBLE: u16 = 64;
    /// What should be structured data is not; it stands in the message.
    pub const BAD_DATA: u16 = 128;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Record;

    #[test]
    fn columns_and_rows_agree() {
        let (mut columns, mut lines, mut texts) = (LineColumns::default(), Vec::new(), Vec::new());
        for n in 0..5u16 {
            let (time, text) = (Millis(1_000 + i64::from(n)), Id([n as u8; 16]));
            let (host, data) = ((n != 2).then(|| format!("h{n}")), (n == 3).then(|| "[a]".to_owned()));
            let row = Maintenance {
                time,
                received: Millis(7),
                source: 3,
                facility: 4,
                flags: n,
                host,
                data,
                line: format!("line {n}"),
                text,
                ..Maintenance::default()
            };
            let borrowed = MaintenanceRow {
                time,
                received: row.received,
                source: row.source,
                peer: row.peer,
                facility: row.facility,
                severity: row.severity,
                flags: row.flags,
                host: row.host.as_deref(),
                app: None,
                procid: None,
                msgid: None,
                data: row.data.as_deref(),
                line: &row.line,
                dialect: None,
                event: None,
                text,
            };
            columns.push(&borrowed, &[n as u8]);
            texts.push(MaintenanceText { time, id: text, source: 3, bytes: vec![n as u8] });
            lines.push(row);
        }
        assert_eq!(columns.len(), 5);
        let [(_, bytes), (_, got)] = columns.into_batches();
        assert_eq!(Maintenance::rows(&got), lines);
        assert_eq!((got, bytes), (Maintenance::batch(&lines), MaintenanceText::batch(&texts)));
    }
}
