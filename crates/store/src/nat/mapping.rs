//! A NAT mapping as the store knows it, and its bytes in the span index.

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Form, flags};

use crate::nat::event::{Event, end_keys, is_exact};
use crate::spankey::EndKey;

/// The remote end of a mapping, when a policy keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Remote {
    /// Address; unspecified when not kept.
    pub address: Addr16,
    /// Port; 0 when not kept.
    pub port: u16,
    /// Keyed fingerprint of both; 0 when not kept.
    pub tag: u64,
}

/// Where a row lies: log entry of its unit, and row in the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowRef {
    /// Index of the log entry.
    pub entry: u64,
    /// Row in the unit.
    pub row: u32,
}

/// A mapping, whole or in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Session, BIB, block, address binding.
    pub form: Form,
    /// IANA protocol number, 0 for none.
    pub protocol: u8,
    /// The exporter.
    pub source: u32,
    /// Public address.
    pub public: Addr16,
    /// First public port.
    pub first: u16,
    /// Last public port.
    pub last: u16,
    /// Inside address.
    pub inside: Addr16,
    /// Inside port, 0 for none.
    pub inside_port: u16,
    /// Remote end, when kept.
    pub remote: Remote,
    /// When it began; `None` when the create was not seen.
    pub start: Option<Millis>,
    /// When it ended; `None` when no delete was seen.
    pub end: Option<Millis>,
    /// Bits of [`flags`].
    pub flags: u8,
}

impl Mapping {
    /// A mapping that an event begins.
    pub fn opened(e: &Event) -> Mapping {
        Mapping { start: Some(e.time), end: None, ..Mapping::of(e) }
    }

    /// A mapping whose end tells when it began.
    pub fn told(e: &Event) -> Mapping {
        Mapping { flags: flags::START_TOLD, ..Mapping::opened(e) }
    }

    /// A mapping of which only the end is known.
    pub fn closed(e: &Event) -> Mapping {
        Mapping { start: None, end: Some(e.time), flags: flags::START_INFERRED, ..Mapping::of(e) }
    }

    fn of(e: &Event) -> Mapping {
        Mapping {
            form: e.form,
            protocol: e.protocol,
            source: e.source,
            public: e.public,
            first: e.first,
            last: e.last,
            inside: e.inside,
            inside_port: e.inside_port,
            remote: e.remote,
            start: None,
            end: None,
            flags: 0,
        }
    }

    /// True if create and delete name the same inside end and the same remote end.
    pub fn same_inside(&self, e: &Event) -> bool {
        (self.inside, self.inside_port, self.remote) == (e.inside, e.inside_port, e.remote)
    }

    /// The keys it is found by.
    pub fn keys(&self) -> Vec<EndKey> {
        end_keys(self.form, self.public, self.first, self.last, self.protocol)
    }

    /// True for one port of one address.
    pub fn is_exact(&self) -> bool {
        is_exact(self.form, self.first, self.last)
    }

    /// The first of its keys, under which tables in memory keep it.
    pub fn first_key(&self) -> Option<EndKey> {
        if self.is_exact() { Some(EndKey::exact(self.public, self.first, self.protocol)) } else { self.keys().first().copied() }
    }

    /// True if a question for this public end asks for this mapping.
    pub fn covers(&self, port: Option<u16>, protocol: Option<u8>) -> bool {
        let port_fits = port.is_none_or(|p| self.form == Form::AddressBinding || (self.first <= p && p <= self.last));
        port_fits && (self.protocol == 0 || protocol.is_none_or(|p| p == self.protocol))
    }

    /// Bytes in the span index, version 1: version, form, protocol, flags, presence bits (1 start, 2 end, 4 inside IPv6, 8 remote, 16
    /// public IPv6), source u32, first u16, last u16, inside port u16, start and end i64 where present, public address, inside address, remote
    /// (16 + 2 + 8) where present. Integers little-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        self.encode_into(&mut out);
        out
    }

    /// Appends what [`Mapping::encode`] gives.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let remote = self.remote != Remote::default();
        let presence = u8::from(self.start.is_some())
            | u8::from(self.end.is_some()) << 1
            | u8::from(!self.inside.is_v4()) << 2
            | u8::from(remote) << 3
            | u8::from(!self.public.is_v4()) << 4;
        out.extend_from_slice(&[1, self.form as u8, self.protocol, self.flags, presence]);
        out.extend_from_slice(&self.source.to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.last.to_le_bytes());
        out.extend_from_slice(&self.inside_port.to_le_bytes());
        for time in [self.start, self.end].into_iter().flatten() {
            out.extend_from_slice(&time.0.to_le_bytes());
        }
        for addr in [&self.public, &self.inside] {
            out.extend_from_slice(if addr.is_v4() { &addr.0[12..] } else { &addr.0[..] });
        }
        if remote {
            out.extend_from_slice(&self.remote.address.0);
            out.extend_from_slice(&self.remote.port.to_le_bytes());
            out.extend_from_slice(&self.remote.tag.to_le_bytes());
        }
    }

    /// The mapping that [`Mapping::encode`] wrote; `None` for any other bytes.
    pub fn decode(bytes: &[u8]) -> Option<Mapping> {
        let mut at = bytes;
        let [version, form, protocol, flags, presence] = take(&mut at)?;
        if version != 1 {
            return None;
        }
        let source = u32::from_le_bytes(take(&mut at)?);
        let first = u16::from_le_bytes(take(&mut at)?);
        let last = u16::from_le_bytes(take(&mut at)?);
        let inside_port = u16::from_le_bytes(take(&mut at)?);
        let mut time = |bit: u8| -> Option<Option<Millis>> {
            if presence & bit == 0 { Some(None) } else { Some(Some(Millis(i64::from_le_bytes(take(&mut at)?)))) }
        };
        let (start, end) = (time(1)?, time(2)?);
        let mut addr = |bit: u8| -> Option<Addr16> {
            if presence & bit == 0 { Some(Addr16::v4(take(&mut at)?)) } else { Some(Addr16(take(&mut at)?)) }
        };
        let (public, inside) = (addr(16)?, addr(4)?);
        let mut remote = Remote::default();
        if presence & 8 != 0 {
            remote.address = Addr16(take(&mut at)?);
            remote.port = u16::from_le_bytes(take(&mut at)?);
            remote.tag = u64::from_le_bytes(take(&mut at)?);
        }
        let form = Form::from_u8(form)?;
        at.is_empty().then_some(Mapping { form, protocol, source, public, first, last, inside, inside_port, remote, start, end, flags })
    }
}

pub(crate) fn take<const N: usize>(at: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = at.split_first_chunk::<N>()?;
    *at = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn addr() -> impl Strategy<Value = Addr16> {
        prop_oneof![any::<[u8; 4]>().prop_map(Addr16::v4), any::<[u8; 16]>().prop_map(Addr16)]
    }

    fn mapping() -> impl Strategy<Value = Mapping> {
        let time = || proptest::option::of(any::<i64>().prop_map(Millis));
        (
            1u8..=5,
            any::<(u8, u32, u16, u16, u16, u8)>(),
            addr(),
            addr(),
            proptest::option::of((addr(), any::<(u16, u64)>())),
            time(),
            time(),
        )
            .prop_map(|(form, (protocol, source, first, last, inside_port, flags), public, inside, remote, start, end)| Mapping {
                form: Form::from_u8(form).unwrap(),
                protocol,
                source,
                public,
                first,
                last,
                inside,
                inside_port,
                remote: remote.map_or(Remote::default(), |(address, (port, tag))| Remote { address, port, tag }),
                start,
                end,
                flags,
            })
    }

    proptest! {
        #[test]
        fn mappings_come_back(m in mapping()) {
            let bytes = m.encode();
            prop_assert_eq!(Mapping::decode(&bytes), Some(m));
            for cut in 0..bytes.len() {
                prop_assert_eq!(Mapping::decode(&bytes[..cut]), None);
            }
        }
    }
}
