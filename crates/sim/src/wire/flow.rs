//! IPFIX (RFC 7011) and NetFlow v9 (RFC 3954) messages with the NAT events of RFC 8158.

use crate::limits::DATAGRAM_BYTES;
use crate::network::Protocol;
use crate::world::event::{Mapping, NatEvent, What};

/// Templates of an exporter; their ids follow each other.
pub const TEMPLATES: [What; 6] = [What::Session44, What::Session64, What::Bib44, What::Bib64, What::Address, What::Block];
/// The first template id after a start; RFC 7011 section 3.4.1 leaves 256 and above to data.
pub const FIRST_TEMPLATE: u16 = 256;
/// A restarted exporter numbers its templates on from here, so that old ones cannot be mistaken for new ones.
const TEMPLATE_STEP: u16 = 16;
/// natOriginatingAddressRealm and VRF are not simulated; the inside is VRF 1.
const INSIDE_VRF: u32 = 1;

/// Information elements of a template: number and length in bytes.
pub fn fields(what: What) -> &'static [(u16, u16)] {
    match what {
        What::Session44 => &[(323, 8), (230, 1), (4, 1), (8, 4), (7, 2), (225, 4), (227, 2), (12, 4), (11, 2), (234, 4)],
        What::Session64 => &[(323, 8), (230, 1), (4, 1), (27, 16), (7, 2), (225, 4), (227, 2), (28, 16), (11, 2)],
        What::Bib44 => &[(323, 8), (230, 1), (4, 1), (8, 4), (7, 2), (225, 4), (227, 2)],
        What::Bib64 => &[(323, 8), (230, 1), (4, 1), (27, 16), (7, 2), (225, 4), (227, 2)],
        What::Address => &[(323, 8), (230, 1), (8, 4), (225, 4)],
        What::Block => &[(323, 8), (230, 1), (8, 4), (225, 4), (361, 2), (362, 2)],
    }
}

fn record_bytes(what: What) -> usize {
    match what {
        What::Session44 => 32,
        What::Session64 => 52,
        What::Bib44 => 22,
        What::Bib64 => 34,
        What::Address => 17,
        What::Block => 21,
    }
}

fn template_index(what: What) -> u16 {
    match what {
        What::Session44 => 0,
        What::Session64 => 1,
        What::Bib44 => 2,
        What::Bib64 => 3,
        What::Address => 4,
        What::Block => 5,
    }
}

/// One exporter's encoder: it fills one message at a time.
#[derive(Clone, Debug)]
pub struct FlowEncoder {
    protocol: Protocol,
    domain: u32,
    first_template: u16,
    /// IPFIX: data records sent (RFC 7011 section 3.1). NetFlow v9: packets sent.
    sequence: u32,
    message: Vec<u8>,
    /// Where the open set begins, and its template.
    set: Option<(usize, What)>,
    data_records: u32,
    template_records: u16,
}

impl FlowEncoder {
    /// An exporter that has just started.
    pub fn new(protocol: Protocol, domain: u32) -> FlowEncoder {
        let mut encoder = FlowEncoder {
            protocol,
            domain,
            first_template: FIRST_TEMPLATE,
            sequence: 0,
            message: Vec::with_capacity(DATAGRAM_BYTES + 64),
            set: None,
            data_records: 0,
            template_records: 0,
        };
        encoder.open_message();
        encoder
    }

    /// The export process starts anew: the sequence is 0 again and the template ids are others. What was begun must be finished before.
    pub fn restart(&mut self) {
        self.sequence = 0;
        self.first_template = self.first_template.wrapping_add(TEMPLATE_STEP).max(FIRST_TEMPLATE);
    }

    fn header_bytes(&self) -> usize {
        match self.protocol {
            Protocol::Ipfix | Protocol::Linux | Protocol::Usg | Protocol::Nat444Tcp => 16,
            Protocol::Netflow9 => 20,
        }
    }

    fn open_message(&mut self) {
        self.message.clear();
        self.message.resize(self.header_bytes(), 0);
        self.set = None;
        self.data_records = 0;
        self.template_records = 0;
    }

    /// True if nothing has been written since the last message.
    pub fn is_empty(&self) -> bool {
        self.data_records == 0 && self.template_records == 0
    }

    /// True if a record of this kind fits into the message.
    pub fn has_room(&self, what: What) -> bool {
        // A new set's header and the padding of two sets.
        self.message.len() + record_bytes(what) + 4 + 6 <= DATAGRAM_BYTES
    }

    /// Writes all templates; meant for the beginning of a message.
    pub fn push_templates(&mut self) {
        self.close_set();
        let start = self.message.len();
        put16(&mut self.message, if self.protocol == Protocol::Ipfix { 2 } else { 0 });
        put16(&mut self.message, 0);
        // NetFlow v9 exporters of the field carry IPv4 only here; the NAT64 templates are IPFIX's.
        let wanted = TEMPLATES.into_iter().filter(|w| self.protocol == Protocol::Ipfix || !matches!(w, What::Session64 | What::Bib64));
        for what in wanted {
            put16(&mut self.message, self.first_template + template_index(what));
            put16(&mut self.message, fields(what).len() as u16);
            for (id, length) in fields(what) {
                put16(&mut self.message, *id);
                put16(&mut self.message, *length);
            }
            self.template_records += 1;
        }
        self.end_set_at(start);
    }

    /// Writes one event; `at_ms` is its observation time, milliseconds since 1970.
    pub fn push(&mut self, event: &NatEvent, at_ms: i64) {
        let what = event.mapping.what;
        if self.set.is_none_or(|(_, open)| open != what) {
            self.close_set();
            self.set = Some((self.message.len(), what));
            put16(&mut self.message, self.first_template + template_index(what));
            put16(&mut self.message, 0);
        }
        let m = &mut self.message;
        m.extend_from_slice(&at_ms.to_be_bytes());
        m.push(what.nat_event(event.create));
        push_mapping(m, &event.mapping);
        self.data_records += 1;
    }

    fn close_set(&mut self) {
        if let Some((start, _)) = self.set.take() {
            self.end_set_at(start);
        }
    }

    fn end_set_at(&mut self, start: usize) {
        if self.protocol == Protocol::Netflow9 {
            // RFC 3954 section 5.3: the set ends on a 4-byte boundary, padding counted in its length.
            while !(self.message.len() - start).is_multiple_of(4) {
                self.message.push(0);
            }
        }
        let length = (self.message.len() - start) as u16;
        patch(&mut self.message, start + 2, &length.to_be_bytes());
    }

    /// Ends the message and returns it. `header_ms` is the export time, milliseconds since 1970; `uptime_ms` the exporter's uptime (v9).
    pub fn finish(&mut self, header_ms: i64, uptime_ms: i64) -> Vec<u8> {
        self.close_set();
        let seconds = (header_ms.div_euclid(1_000)) as u32;
        let mut head = Vec::with_capacity(20);
        match self.protocol {
            Protocol::Ipfix | Protocol::Linux | Protocol::Usg | Protocol::Nat444Tcp => {
                put16(&mut head, 10);
                put16(&mut head, self.message.len() as u16);
                put32(&mut head, seconds);
                put32(&mut head, self.sequence);
                self.sequence = self.sequence.wrapping_add(self.data_records);
            }
            Protocol::Netflow9 => {
                put16(&mut head, 9);
                put16(&mut head, (self.data_records as u16).wrapping_add(self.template_records));
                put32(&mut head, uptime_ms as u32);
                put32(&mut head, seconds);
                put32(&mut head, self.sequence);
                self.sequence = self.sequence.wrapping_add(1);
            }
        }
        put32(&mut head, self.domain);
        patch(&mut self.message, 0, &head);
        let done = self.message.clone();
        self.open_message();
        done
    }
}

fn push_mapping(m: &mut Vec<u8>, mapping: &Mapping) {
    let v4 = |m: &mut Vec<u8>| m.extend_from_slice(mapping.inside.0.last_chunk::<4>().unwrap_or(&[0; 4]));
    match mapping.what {
        What::Session44 | What::Bib44 | What::Session64 | What::Bib64 => {
            m.push(mapping.protocol);
            if matches!(mapping.what, What::Session44 | What::Bib44) {
                v4(m);
            } else {
                m.extend_from_slice(&mapping.inside.0);
            }
            put16(m, mapping.inside_port);
            m.extend_from_slice(&mapping.public.octets());
            put16(m, mapping.port);
        }
        What::Address | What::Block => {
            v4(m);
            m.extend_from_slice(&mapping.public.octets());
        }
    }
    match mapping.what {
        What::Session44 => {
            m.extend_from_slice(&mapping.destination.octets());
            put16(m, mapping.destination_port);
            put32(m, INSIDE_VRF);
        }
        What::Session64 => {
            // The destination as the inside sees it: the well-known prefix of RFC 6052.
            m.extend_from_slice(&[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]);
            m.extend_from_slice(&mapping.destination.octets());
            put16(m, mapping.destination_port);
        }
        What::Block => {
            put16(m, mapping.port);
            put16(m, mapping.port_end);
        }
        What::Bib44 | What::Bib64 | What::Address => {}
    }
}

fn put16(m: &mut Vec<u8>, value: u16) {
    m.extend_from_slice(&value.to_be_bytes());
}

fn put32(m: &mut Vec<u8>, value: u32) {
    m.extend_from_slice(&value.to_be_bytes());
}

fn patch(m: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = m.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
