//! NAT events as sources produce them. They live in the write-ahead log and in memory; sealing pairs them into `nat_mapping` rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMillisecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array};
use arrow::buffer::ScalarBuffer;
use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::column::{UTC, addresses, addresses_of, zeros};
use crate::kind::Kind;
use crate::macros::record;

record! {
    "One NAT event (RFC 8158 section 4.3), not yet paired. Never sealed as it is."
    NatEvent = 100, "nat_event", version 1, Network, Records, time "time", transient;
    time: Millis = "When it happened, by the exporter's clock: observationTimeMilliseconds (323) or its kin", unit "ms UTC", Plain, key;
    action: u8 = "What happened: 1 created, 2 deleted, 3 gone: it ended unseen before this time, 4 told: it began then, as its end says", unit "", Plain;
    form: u8 = "What was created or deleted: 1 session, 2 BIB entry, 3 port block, 4 address binding", unit "", Plain;
    protocol: u8 = "protocolIdentifier (4); 0 where the form has none", unit "IANA", Plain, key;
    source: u32 = "Number of the exporter and observation domain (`source_entry`)", unit "", Plain, key;
    public_address: Addr16 = "postNATSourceIPv4Address (225) or postNATSourceIPv6Address (281)", unit "", Plain, key;
    public_port: u16 = "postNAPTSourceTransportPort (227), the ICMP query id, or portRangeStart (361)", unit "", Plain, key;
    public_port_last: u16 = "The same, or portRangeEnd (362)", unit "", Plain;
    inside_address: Addr16 = "sourceIPv4Address (8) or sourceIPv6Address (27)", unit "", Identifier, key;
    inside_port: u16 = "sourceTransportPort (7); 0 where the form has none", unit "", Plain;
    remote_address: Addr16 = "postNATDestination address (226, 282), else destination (12, 28), when a policy keeps it; else unspecified", unit "", Plain;
    remote_port: u16 = "postNAPTDestinationTransportPort (228) or destinationTransportPort (11), when a policy keeps it; else 0", unit "", Plain;
    remote_tag: u64 = "Keyed fingerprint of remote address and port, when a policy keeps that instead; else 0", unit "", Plain;
}

/// [`NatEvent::action`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// The mapping began.
    Create = 1,
    /// The mapping ended.
    Delete = 2,
    /// At this time it was gone: it ended before, and nobody saw when.
    Gone = 3,
    /// At this time it began, as its end says: the same as its creation, where that was seen. Stands before its end, in the same group.
    Told = 4,
}

/// [`NatEvent::form`] and `nat_mapping.form`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Form {
    /// One connection: address, port, protocol (natEvent 4 to 7).
    Session = 1,
    /// A binding information base entry: address, port, protocol, any remote (natEvent 8 to 11).
    Bib = 2,
    /// A block of ports of one public address (natEvent 16, 17; RFC 8045).
    Block = 3,
    /// A whole public address for one inside address (natEvent 14, 15).
    AddressBinding = 4,
    /// Computed from configuration (RFC 7422).
    Deterministic = 5,
}

impl Form {
    /// The form of a stored number.
    pub fn from_u8(value: u8) -> Option<Form> {
        [Form::Session, Form::Bib, Form::Block, Form::AddressBinding, Form::Deterministic].into_iter().find(|f| *f as u8 == value)
    }

    /// The word used in answers.
    pub fn name(self) -> &'static str {
        match self {
            Form::Session => "session",
            Form::Bib => "bib",
            Form::Block => "block",
            Form::AddressBinding => "address-binding",
            Form::Deterministic => "deterministic",
        }
    }
}

/// Columns under construction: plain vectors that become Arrow columns without a copy. Those of remote ends are empty as long as no row has one: mostly a
/// policy drops them.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // The fields are those of `NatEvent`.
pub struct NatEventColumns {
    pub time: Vec<i64>,
    pub action: Vec<u8>,
    pub form: Vec<u8>,
    pub protocol: Vec<u8>,
    pub source: Vec<u32>,
    pub public_address: Vec<[u8; 16]>,
    pub public_port: Vec<u16>,
    pub public_port_last: Vec<u16>,
    pub inside_address: Vec<[u8; 16]>,
    pub inside_port: Vec<u16>,
    pub remote_address: Vec<[u8; 16]>,
    pub remote_port: Vec<u16>,
    pub remote_tag: Vec<u64>,
}

impl NatEventColumns {
    /// Rows so far.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// Appends one row.
    pub fn push(&mut self, e: &NatEvent) {
        self.time.push(e.time.0);
        self.action.push(e.action);
        self.form.push(e.form);
        self.protocol.push(e.protocol);
        self.source.push(e.source);
        self.public_address.push(e.public_address.0);
        self.public_port.push(e.public_port);
        self.public_port_last.push(e.public_port_last);
        self.inside_address.push(e.inside_address.0);
        self.inside_port.push(e.inside_port);
        let none = e.remote_address.0 == [0; 16] && e.remote_port == 0 && e.remote_tag == 0;
        if !none || self.has_remotes() {
            self.with_remotes(self.time.len() - 1);
            self.remote_address.push(e.remote_address.0);
            self.remote_port.push(e.remote_port);
            self.remote_tag.push(e.remote_tag);
        }
    }

    /// True once a row may have a remote end: then all have, or say that they have none.
    pub fn has_remotes(&self) -> bool {
        !self.remote_port.is_empty()
    }

    /// Makes the first `rows` rows say that they have no remote end, as far as they say nothing yet.
    pub fn with_remotes(&mut self, rows: usize) {
        self.remote_address.resize(rows.max(self.remote_address.len()), [0; 16]);
        self.remote_port.resize(rows.max(self.remote_port.len()), 0);
        self.remote_tag.resize(rows.max(self.remote_tag.len()), 0);
    }

    /// The batch, without copying a column.
    ///
    /// # Panics
    /// If the columns differ in length: a bug of the caller.
    pub fn into_batch(self) -> RecordBatch {
        let (rows, remotes) = (self.len(), self.has_remotes());
        let (remote_address, remote_port, remote_tag) = if remotes {
            (addresses(self.remote_address), self.remote_port.into(), self.remote_tag.into())
        } else {
            (addresses_of(zeros(16 * rows)), ScalarBuffer::new(zeros(2 * rows), 0, rows), ScalarBuffer::new(zeros(8 * rows), 0, rows))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampMillisecondArray::from(self.time).with_timezone(UTC)),
            Arc::new(UInt8Array::from(self.action)),
            Arc::new(UInt8Array::from(self.form)),
            Arc::new(UInt8Array::from(self.protocol)),
            Arc::new(UInt32Array::from(self.source)),
            addresses(self.public_address),
            Arc::new(UInt16Array::from(self.public_port)),
            Arc::new(UInt16Array::from(self.public_port_last)),
            addresses(self.inside_address),
            Arc::new(UInt16Array::from(self.inside_port)),
            remote_address,
            Arc::new(UInt16Array::new(remote_port, None)),
            Arc::new(UInt64Array::new(remote_tag, None)),
        ];
        RecordBatch::try_new(Kind::NatEvent.schema(), columns).expect("columns of one length in the order of the field table")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::{is_zeros, memory};
    use crate::kind::Record;

    #[test]
    fn columns_and_rows_agree() {
        let rows: Vec<NatEvent> = (0..5u16)
            .map(|i| NatEvent {
                time: Millis(1_000 + i64::from(i)),
                action: Action::Create as u8,
                form: Form::Session as u8,
                protocol: 6,
                source: 3,
                public_address: "203.0.113.7".parse().unwrap(),
                public_port: 1024 + i,
                public_port_last: 1024 + i,
                inside_address: "100.64.0.12".parse().unwrap(),
                inside_port: 50_000 + i,
                ..NatEvent::default()
            })
            .collect();
        let mut columns = NatEventColumns::default();
        rows.iter().for_each(|r| columns.push(r));
        let batch = columns.into_batch();
        assert_eq!(batch, NatEvent::batch(&rows));
        assert_eq!(NatEvent::rows(&batch), rows);
        assert!(batch.columns()[10..].iter().all(is_zeros), "what nobody has is no memory");
        assert!(!is_zeros(&batch.columns()[9]));
        assert!(memory(&batch) < 4_096, "{}", memory(&batch));
    }

    #[test]
    fn a_remote_end_may_come_first_last_or_never() {
        let row = |i: u16, remote: bool| NatEvent {
            public_port: i,
            remote_address: if remote { "198.51.100.9".parse().unwrap() } else { Addr16::NONE },
            remote_port: if remote { 443 } else { 0 },
            remote_tag: if remote && i.is_multiple_of(2) { 7 } else { 0 },
            ..NatEvent::default()
        };
        for which in 0..16u16 {
            let rows: Vec<NatEvent> = (0..4).map(|i| row(i, which >> i & 1 == 1)).collect();
            let mut columns = NatEventColumns::default();
            rows.iter().for_each(|r| columns.push(r));
            assert_eq!(NatEvent::rows(&columns.into_batch()), rows, "{which:04b}");
        }
    }
}
