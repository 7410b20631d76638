//! The keys under which this source keeps its state.

use weir_base::net::Addr16;

/// A key of this source's state: a letter, the socket's label, 0, the exporter's address, its domain, and a template's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Sequence(Addr16, u32),
    Template(Addr16, u32, u16),
}

impl Key {
    pub(super) fn bytes(self, label: &str) -> Vec<u8> {
        let (letter, peer, domain) = match self {
            Key::Sequence(peer, domain) => (b's', peer, domain),
            Key::Template(peer, domain, _) => (b't', peer, domain),
        };
        let mut out = vec![letter];
        out.extend(label.as_bytes());
        out.push(0);
        out.extend(peer.0);
        out.extend(domain.to_be_bytes());
        if let Key::Template(_, _, id) = self {
            out.extend(id.to_be_bytes());
        }
        out
    }

    pub(super) fn parse(bytes: &[u8], label: &str) -> Option<Key> {
        let (letter, rest) = bytes.split_first()?;
        let rest = rest.strip_prefix(label.as_bytes())?.strip_prefix(&[0])?;
        let (peer, rest) = rest.split_first_chunk::<16>()?;
        let (domain, rest) = rest.split_first_chunk::<4>()?;
        let (peer, domain) = (Addr16(*peer), u32::from_be_bytes(*domain));
        match (letter, rest) {
            (b's', []) => Some(Key::Sequence(peer, domain)),
            (b't', [a, b]) => Some(Key::Template(peer, domain, u16::from_be_bytes([*a, *b]))),
            _ => None,
        }
    }
}
