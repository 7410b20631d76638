//! The columns of a batch of RADIUS events that sessions are made of, looked up once a batch: of 34 these are twenty.

use arrow::array::{Array, AsArray, FixedSizeBinaryArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt8Array, UInt32Array};
use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::column::bytes16;
use weir_record::kinds::{RadiusSession, names};
use weir_record::{Id, Kind};

/// The columns of one batch.
pub struct SessionRows<'a> {
    time: &'a TimestampMillisecondArray,
    source: &'a UInt32Array,
    realm: &'a UInt32Array,
    status: &'a UInt8Array,
    inferred: &'a UInt8Array,
    session: &'a FixedSizeBinaryArray,
    acct_session_id: &'a StringArray,
    subscriber: &'a FixedSizeBinaryArray,
    nas_address: &'a FixedSizeBinaryArray,
    nas_identifier: &'a StringArray,
    framed_ipv4: &'a FixedSizeBinaryArray,
    framed_ipv6: &'a FixedSizeBinaryArray,
    framed_prefix: &'a FixedSizeBinaryArray,
    framed_prefix_bits: &'a UInt8Array,
    delegated_prefix: &'a FixedSizeBinaryArray,
    delegated_prefix_bits: &'a UInt8Array,
    start: &'a TimestampMillisecondArray,
    start_certain: &'a UInt8Array,
    lasted: &'a TimestampMillisecondArray,
    other_addresses: &'a StringArray,
}

fn at<T>(column: &FixedSizeBinaryArray, row: usize, make: impl Fn([u8; 16]) -> T) -> Option<T> {
    column.is_valid(row).then(|| make(bytes16(column, row)))
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn time(column: &TimestampMillisecondArray, row: usize) -> Option<Millis> {
    column.is_valid(row).then(|| Millis(column.value(row)))
}

fn bits(column: &UInt8Array, row: usize) -> Option<u8> {
    column.is_valid(row).then(|| column.value(row))
}

impl<'a> SessionRows<'a> {
    /// The columns of a batch of this kind.
    pub fn of(batch: &'a RecordBatch) -> SessionRows<'a> {
        let column = |name: &str| batch.column(Kind::RadiusSession.spec().index(name).unwrap_or(0));
        SessionRows {
            time: column("time").as_primitive(),
            source: column("source").as_primitive(),
            realm: column("realm").as_primitive(),
            status: column("status").as_primitive(),
            inferred: column("inferred").as_primitive(),
            session: column("session").as_fixed_size_binary(),
            acct_session_id: column("acct_session_id").as_string(),
            subscriber: column("subscriber").as_fixed_size_binary(),
            nas_address: column("nas_address").as_fixed_size_binary(),
            nas_identifier: column("nas_identifier").as_string(),
            framed_ipv4: column("framed_ipv4").as_fixed_size_binary(),
            framed_ipv6: column("framed_ipv6").as_fixed_size_binary(),
            framed_prefix: column("framed_prefix").as_fixed_size_binary(),
            framed_prefix_bits: column("framed_prefix_bits").as_primitive(),
            delegated_prefix: column("delegated_prefix").as_fixed_size_binary(),
            delegated_prefix_bits: column("delegated_prefix_bits").as_primitive(),
            start: column("start").as_primitive(),
            start_certain: column("start_certain").as_primitive(),
            lasted: column("lasted").as_primitive(),
            other_addresses: column("other_addresses").as_string(),
        }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// The session of a row.
    pub fn session(&self, row: usize) -> Id {
        Id(bytes16(self.session, row))
    }

    /// What a row says that a session is made of; its other fields are empty.
    pub fn row(&self, row: usize) -> RadiusSession {
        RadiusSession {
            time: Millis(self.time.value(row)),
            source: self.source.value(row),
            realm: self.realm.value(row),
            status: self.status.value(row),
            inferred: self.inferred.value(row),
            session: self.session(row),
            acct_session_id: text(self.acct_session_id, row).map(str::to_owned),
            subscriber: at(self.subscriber, row, Id),
            nas_address: at(self.nas_address, row, Addr16),
            nas_identifier: text(self.nas_identifier, row).map(str::to_owned),
            framed_ipv4: at(self.framed_ipv4, row, Addr16),
            framed_ipv6: at(self.framed_ipv6, row, Addr16),
            framed_prefix: at(self.framed_prefix, row, Addr16),
            framed_prefix_bits: bits(self.framed_prefix_bits, row),
            delegated_prefix: at(self.delegated_prefix, row, Addr16),
            delegated_prefix_bits: bits(self.delegated_prefix_bits, row),
            start: time(self.start, row),
            start_certain: self.start_certain.value(row),
            lasted: time(self.lasted, row),
            other_addresses: text(self.other_addresses, row).map(str::to_owned),
            ..RadiusSession::default()
        }
    }

    /// Every prefix a row names goes to `to`, each once.
    pub fn prefixes(&self, row: usize, to: &mut Vec<Prefix>) {
        let v4 = at(self.framed_ipv4, row, Addr16);
        let v6 = at(self.framed_ipv6, row, Addr16);
        let framed = at(self.framed_prefix, row, Addr16).zip(bits(self.framed_prefix_bits, row));
        let delegated = at(self.delegated_prefix, row, Addr16).zip(bits(self.delegated_prefix_bits, row));
        let others = text(self.other_addresses, row);
        if v6.or(framed.map(|(addr, _)| addr)).or(delegated.map(|(addr, _)| addr)).is_none() && others.is_none() {
            return to.extend(v4.map(|addr| Prefix::new(addr, 128)));
        }
        to.extend(names(v4, v6, framed, delegated, others).iter().map(|name| name.prefix));
        to.sort_unstable();
        to.dedup();
    }
}
