//! What spares work that would be done again for every message: the digests that name NASes, and random bytes for new ids.

use std::hash::BuildHasher;

use weir_base::crypto::random;
use weir_base::hash::MixState;
use weir_base::net::Addr16;
use weir_record::Id;

use super::limits::NAS_KEYS;
use super::message::Message;
use super::normalise::nas_key;
use super::state::Key;

/// What a NAS's key is made of.
#[derive(Debug)]
struct Made {
    realm: u32,
    address: Option<Addr16>,
    identifier: Option<String>,
    sender: Option<Addr16>,
    key: Key,
}

/// Keys of NASes that were asked for lately. A NAS may take another's place; its key is then worked out again.
#[derive(Debug, Default)]
pub(super) struct NasKeys {
    hash: MixState,
    made: Vec<Option<Made>>,
}

impl NasKeys {
    /// [`nas_key`].
    pub(super) fn key(&mut self, realm: u32, message: &Message, sender: Option<Addr16>) -> Key {
        let named = (realm, message.nas_address, &message.nas_identifier, sender);
        let place = self.hash.hash_one(named) as usize % NAS_KEYS;
        if self.made.is_empty() {
            self.made.resize_with(NAS_KEYS, || None);
        }
        let Some(slot) = self.made.get_mut(place) else { return nas_key(realm, message, sender) };
        match slot {
            Some(made) if (made.realm, made.address, &made.identifier, made.sender) == named => made.key,
            _ => {
                let key = nas_key(realm, message, sender);
                *slot = Some(Made { realm, address: message.nas_address, identifier: message.nas_identifier.clone(), sender, key });
                key
            }
        }
    }
}

/// Random ids, many from one call to the operating system.
#[derive(Debug, Default)]
pub(super) struct NewIds(Vec<Id>);

impl NewIds {
    /// An id that nobody has.
    pub(super) fn next(&mut self) -> Id {
        if let Some(id) = self.0.pop() {
            return id;
        }
        let bytes: [u8; 4_096] = random();
        self.0.extend(bytes.as_chunks::<16>().0.iter().map(|id| Id(*id)));
        self.0.pop().unwrap_or_else(Id::random)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_key_is_the_same_from_memory() {
        let mut keys = NasKeys::default();
        for round in 0..2 {
            for n in 0..3 * NAS_KEYS as u32 {
                let nas_identifier = (n % 3 > 0).then(|| format!("nas-{}", n / 2));
                let nas_address = (n % 2 > 0).then(|| Addr16::v4(n.to_be_bytes()));
                let message = Message { nas_identifier, nas_address, ..Message::default() };
                let sender = (n % 5 > 0).then(|| Addr16::v4([192, 0, 2, 1]));
                assert_eq!(keys.key(n % 7, &message, sender), nas_key(n % 7, &message, sender), "{round} {n}");
            }
        }
    }

    #[test]
    fn no_id_comes_twice() {
        let mut ids = NewIds::default();
        let all: BTreeSet<Id> = (0..1_000).map(|_| ids.next()).collect();
        assert_eq!(all.len(), 1_000);
    }
}
