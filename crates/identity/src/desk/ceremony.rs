//! Ceremonies under way, in memory: a challenge or a secret that was given out and waits for its answer, once. Bounded in all and by
//! address.

use std::collections::HashMap;

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;

use super::limits::{CEREMONIES, CEREMONIES_ADDRESS, CEREMONY_MS};
use super::oidc::Flow;
use super::secret::{self, Hash};

/// What waits.
#[derive(Clone)]
pub enum Ceremony {
    /// A sign-in with a passkey.
    SignIn {
        /// Challenge.
        challenge: [u8; 32],
        /// Relying party.
        rp: String,
    },
    /// A passkey is being enrolled.
    Enrol {
        /// Challenge.
        challenge: [u8; 32],
        /// Relying party.
        rp: String,
    },
    /// TOTP is being set up.
    Totp {
        /// Secret.
        secret: Vec<u8>,
    },
    /// A browser is at an OpenID provider.
    Oidc {
        /// Random texts.
        flow: Flow,
        /// Name of the provider.
        provider: String,
        /// Redirect URI.
        redirect: String,
        /// Session and account that want to link a subject.
        link: Option<(Id, Id)>,
    },
}

/// Which kind is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// Sign-in with a passkey.
    SignIn,
    /// Enrolment of a passkey.
    Enrol,
    /// TOTP.
    Totp,
    /// OpenID.
    Oidc,
}

/// The key of what a cookie, or a session, has under way.
pub fn key(cookie: &str) -> Hash {
    secret::hash(cookie)
}

/// The key of what a session has under way, by the session's id.
pub fn key_of_session(id: Id) -> Hash {
    secret::hash(&format!("session {id}"))
}

/// All of them.
#[derive(Default)]
pub struct Ceremonies(HashMap<(Hash, Of), (Ceremony, Prefix, Millis)>);

impl Ceremonies {
    /// Begins one; what was under way under this key ends. The oldest of the address, and then of all, makes room.
    pub fn begin(&mut self, key: Hash, of: Of, ceremony: Ceremony, address: Addr16, now: Millis) {
        let place = Prefix::new(address, if address.is_v4() { 128 } else { 64 });
        self.0.remove(&(key, of));
        self.0.retain(|_, (_, _, at)| now.since(*at) < CEREMONY_MS);
        if self.0.values().filter(|(_, p, _)| *p == place).count() >= CEREMONIES_ADDRESS {
            self.end_oldest(Some(place));
        } else if self.0.len() >= CEREMONIES {
            self.end_oldest(None);
        }
        self.0.insert((key, of), (ceremony, place, now));
    }

    fn end_oldest(&mut self, place: Option<Prefix>) {
        let here = |p: &Prefix| place.is_none_or(|place| place == *p);
        let oldest = self.0.iter().filter(|(_, (_, p, _))| here(p)).min_by_key(|(_, (_, _, at))| *at).map(|(k, _)| *k);
        oldest.map(|key| self.0.remove(&key));
    }

    /// Takes one out: it cannot be answered twice.
    pub fn take(&mut self, key: Hash, of: Of, now: Millis) -> Option<Ceremony> {
        let (ceremony, _, at) = self.0.remove(&(key, of))?;
        (0..CEREMONY_MS).contains(&now.since(at)).then_some(ceremony)
    }

    /// Looks at one and leaves it.
    pub fn look(&self, key: Hash, of: Of, now: Millis) -> Option<&Ceremony> {
        self.0.get(&(key, of)).filter(|(_, _, at)| (0..CEREMONY_MS).contains(&now.since(*at))).map(|(c, _, _)| c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn some() -> Ceremony {
        Ceremony::Totp { secret: vec![1] }
    }

    #[test]
    fn a_ceremony_is_answered_once_and_in_time() {
        let (mut all, here) = (Ceremonies::default(), Addr16::v4([192, 0, 2, 1]));
        all.begin([1; 32], Of::Totp, some(), here, NOW);
        assert!(all.take([1; 32], Of::Enrol, NOW).is_none() && all.take([2; 32], Of::Totp, NOW).is_none());
        assert!(all.look([1; 32], Of::Totp, NOW.plus(CEREMONY_MS)).is_none());
        assert!(all.take([1; 32], Of::Totp, NOW.plus(CEREMONY_MS - 1)).is_some());
        assert!(all.take([1; 32], Of::Totp, NOW).is_none());
        all.begin([1; 32], Of::Totp, some(), here, NOW);
        assert!(all.take([1; 32], Of::Totp, NOW.plus(CEREMONY_MS)).is_none());
    }

    #[test]
    fn one_address_cannot_push_out_what_others_have_under_way() {
        let mut all = Ceremonies::default();
        all.begin([0xff; 32], Of::Totp, some(), Addr16::v4([198, 51, 100, 1]), NOW);
        for n in 0..2 * CEREMONIES as u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_be_bytes());
            all.begin(key, Of::Totp, some(), Addr16::v4([192, 0, 2, 1]), NOW.plus(1));
        }
        assert_eq!(all.0.len(), 1 + CEREMONIES_ADDRESS);
        assert!(all.take([0xff; 32], Of::Totp, NOW.plus(2)).is_some());
    }
}
