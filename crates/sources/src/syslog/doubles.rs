//! Lines that may have been sent twice: what a connection ended with is remembered until its sender comes back.

use std::collections::{HashMap, HashSet};

use weir_base::net::Addr16;

use super::limits::SENDERS;

/// A line's fingerprint, to tell a possible double.
pub fn digest(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Fingerprints of the last lines of connections that ended, by sender.
#[derive(Debug, Default)]
pub struct Doubles(HashMap<Addr16, HashSet<u64>>);

impl Doubles {
    /// A connection ended with these lines last.
    pub fn ended(&mut self, peer: Addr16, last: impl Iterator<Item = u64>) {
        if self.0.len() < SENDERS || self.0.contains_key(&peer) {
            self.0.insert(peer, last.collect());
        }
    }

    /// What a new connection of this sender may send again.
    pub fn suspects(&mut self, peer: Addr16) -> HashSet<u64> {
        self.0.remove(&peer).unwrap_or_default()
    }
}
