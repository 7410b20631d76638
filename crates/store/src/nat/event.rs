//! One NAT event in memory.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::column::bytes16;
use weir_record::kinds::{Action, Form, NatEvent};

use crate::nat::mapping::Remote;
use crate::spankey::EndKey;

/// A NAT event, read from the columns of `nat_event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, by the exporter's clock.
    pub time: Millis,
    /// Created or deleted.
    pub create: bool,
    /// True for an end that nobody saw: it came before `time`; and for a creation that only the end tells of.
    pub inferred: bool,
    /// What.
    pub form: Form,
    /// IANA protocol number, 0 for none.
    pub protocol: u8,
    /// The exporter.
    pub source: u32,
    /// Public address.
    pub public: Addr16,
    /// First port.
    pub first: u16,
    /// Last port.
    pub last: u16,
    /// Inside address.
    pub inside: Addr16,
    /// Inside port.
    pub inside_port: u16,
    /// Remote end, when kept.
    pub remote: Remote,
}

impl Event {
    /// Where it sorts: events of one public end of one exporter stand together, in time order.
    pub fn sort_key(&self) -> (Addr16, u16, u16, u8, u8, u32, i64) {
        (self.public, self.first, self.last, self.protocol, self.form as u8, self.source, self.time.0)
    }

    /// True if both events speak of the same public end of the same exporter.
    pub fn same_end(&self, other: &Event) -> bool {
        (self.public, self.first, self.last, self.protocol, self.form, self.source)
            == (other.public, other.first, other.last, other.protocol, other.form, other.source)
    }

    /// As it is stored.
    pub fn record(&self) -> NatEvent {
        let action = match (self.create, self.inferred) {
            (true, false) => Action::Create,
            (true, true) => Action::Told,
            (false, true) => Action::Gone,
            (false, false) => Action::Delete,
        };
        NatEvent {
            time: self.time,
            action: action as u8,
            form: self.form as u8,
            protocol: self.protocol,
            source: self.source,
            public_address: self.public,
            public_port: self.first,
            public_port_last: self.last,
            inside_address: self.inside,
            inside_port: self.inside_port,
            remote_address: self.remote.address,
            remote_port: self.remote.port,
            remote_tag: self.remote.tag,
        }
    }

    /// The keys it is looked up by.
    pub fn keys(&self) -> Vec<EndKey> {
        end_keys(self.form, self.public, self.first, self.last, self.protocol)
    }
}

const CREATE: u8 = Action::Create as u8;
const GONE: u8 = Action::Gone as u8;
const TOLD: u8 = Action::Told as u8;

/// True for one port of one address: such a mapping has one key.
pub fn is_exact(form: Form, first: u16, last: u16) -> bool {
    matches!(form, Form::Session | Form::Bib) && first == last
}

/// The keys under which a mapping of this form is found.
pub fn end_keys(form: Form, public: Addr16, first: u16, last: u16, protocol: u8) -> Vec<EndKey> {
    match form {
        _ if is_exact(form, first, last) => vec![EndKey::exact(public, first, protocol)],
        Form::AddressBinding => vec![EndKey::whole(public)],
        _ => EndKey::of_range(public, first, last),
    }
}

/// All events of a batch. Rows whose form is not known are left out: a source never makes them.
pub fn events(batch: &RecordBatch) -> impl Iterator<Item = Event> {
    rows(batch).flatten()
}

/// The event of each row of a batch; none where its form is not known.
pub fn rows(batch: &RecordBatch) -> impl Iterator<Item = Option<Event>> {
    let c = batch.columns();
    let (time, action) = (c[0].as_primitive::<TimestampMillisecondType>(), c[1].as_primitive::<UInt8Type>());
    let (form, protocol, source) = (c[2].as_primitive::<UInt8Type>(), c[3].as_primitive::<UInt8Type>(), c[4].as_primitive::<UInt32Type>());
    let (public, first, last) = (c[5].as_fixed_size_binary(), c[6].as_primitive::<UInt16Type>(), c[7].as_primitive::<UInt16Type>());
    let (inside, inside_port) = (c[8].as_fixed_size_binary(), c[9].as_primitive::<UInt16Type>());
    let (remote, remote_port, tag) = (c[10].as_fixed_size_binary(), c[11].as_primitive::<UInt16Type>(), c[12].as_primitive::<UInt64Type>());
    (0..batch.num_rows()).map(move |i| {
        Some(Event {
            time: Millis(time.value(i)),
            create: matches!(action.value(i), CREATE | TOLD),
            inferred: matches!(action.value(i), GONE | TOLD),
            form: Form::from_u8(form.value(i))?,
            protocol: protocol.value(i),
            source: source.value(i),
            public: Addr16(bytes16(public, i)),
            first: first.value(i),
            last: last.value(i),
            inside: Addr16(bytes16(inside, i)),
            inside_port: inside_port.value(i),
            remote: Remote { address: Addr16(bytes16(remote, i)), port: remote_port.value(i), tag: tag.value(i) },
        })
    })
}
