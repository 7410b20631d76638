//! Passwords: argon2id (RFC 9106), with its parameters beside each hash.
//!
//! A check costs the same whether or not there is such an account: where there is none, a stand-in is checked. Tests count checks.

use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use weir_base::crypto::random;

use super::codec::as_base64;
use super::common::is_common;
use super::limits::{LOGIN_IN_PASSWORD_BYTES, PASSWORD_BYTES, PASSWORD_CHARS};
use super::refused::Refused;
use super::secret::same;

/// What a password check costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for Cost {
    /// 19 MiB and two passes: an attacker pays for memory, and a sign-in stays a fraction of a second.
    fn default() -> Cost {
        Cost { memory: 19_456, passes: 2 }
    }
}

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    cost: Cost,
    #[serde(with = "as_base64")]
    salt: Vec<u8>,
    #[serde(with = "as_base64")]
    hash: Vec<u8>,
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stored(…)")
    }
}

/// Makes and checks hashes.
pub struct Passwords {
    cost: Cost,
    stand_in: Stored,
    checks: AtomicU64,
}

impl Passwords {
    /// New hashes cost this much.
    pub fn new(cost: Cost) -> Passwords {
        let stand_in = Stored { cost, salt: random::<16>().to_vec(), hash: random::<32>().to_vec() };
        Passwords { cost, stand_in, checks: AtomicU64::new(0) }
    }

    /// A hash of a new password; none when the cost cannot be paid (parameters out of range, no memory).
    pub fn make(&self, password: &str) -> Option<Stored> {
        let salt = random::<16>().to_vec();
        let hash = derive(self.cost, password, &salt)?.to_vec();
        Some(Stored { cost: self.cost, salt, hash })
    }

    /// Checks a password. Without a stored one the stand-in is checked, and the answer is no.
    pub fn check(&self, stored: Option<&Stored>, password: &str) -> bool {
        self.checks.fetch_add(1, Ordering::Relaxed);
        let against = stored.unwrap_or(&self.stand_in);
        let fits = derive(against.cost, password, &against.salt).is_some_and(|hash| same(&hash, &against.hash));
        fits && stored.is_some()
    }

    /// How many were checked.
    #[cfg(test)]
    pub fn checks(&self) -> u64 {
        self.checks.load(Ordering::Relaxed)
    }
}

fn derive(cost: Cost, password: &str, salt: &[u8]) -> Option<[u8; 32]> {
    if password.len() > PASSWORD_BYTES {
        return None;
    }
    let params = Params::new(cost.memory, cost.passes, 1, Some(32)).ok()?;
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password.as_bytes(), salt, &mut out).ok()?;
    Some(out)
}

/// Refuses a password that is too short, too long, or made of next to nothing. `login` must not be in it; `names`, the words of the desk's own names,
/// are as good as nothing.
pub fn acceptable(password: &str, login: &str, names: &[String]) -> Result<(), Refused> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS || password.len() > PASSWORD_BYTES {
        return Err(Refused::bad(
            "password",
            format!("A password has at least {PASSWORD_CHARS} characters, and at most {PASSWORD_BYTES} bytes."),
        ));
    }
    let mut distinct: Vec<char> = password.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 5 {
        return Err(Refused::bad("password", "A password has at least five different characters."));
    }
    if is_common(password, names) {
        return Err(Refused::bad(
            "password",
            "This password is one of those that are tried first: take some words that nobody else puts together.",
        ));
    }
    if login.len() >= LOGIN_IN_PASSWORD_BYTES && password.to_lowercase().contains(login) {
        return Err(Refused::bad("password", "A password does not hold the sign-in name."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argon2id_gives_what_the_reference_program_gives() {
        // echo -n 'correct horse battery' | argon2 somesaltsomesalt -id -t 2 -k 64 -p 1 -r
        let got = derive(Cost { memory: 64, passes: 2 }, "correct horse battery", b"somesaltsomesalt").unwrap();
        let hex: String = got.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "84a01b5a0c90755fb183c97faf06ff33c25b2ece1ea4501b75bb92030d412bd2");
    }

    #[test]
    fn a_stored_password_is_checked_at_its_own_cost() {
        let (old, new) = (Passwords::new(Cost { memory: 8, passes: 1 }), Passwords::new(Cost { memory: 16, passes: 2 }));
        let stored = old.make("correct horse battery").unwrap();
        assert!(new.check(Some(&stored), "correct horse battery"));
        assert!(!new.check(Some(&stored), "correct horse batterx"));
        assert!(!new.check(None, "correct horse battery"));
        assert!(!new.check(Some(&stored), &"x".repeat(PASSWORD_BYTES + 1)));
        assert_eq!(new.checks(), 4);
        assert!(!format!("{stored:?}").contains("hash"));
        assert_ne!(old.make("a").unwrap(), old.make("a").unwrap(), "each has a salt of its own");
    }

    #[test]
    fn passwords_that_are_next_to_nothing_are_refused() {
        for bad in ["", "short", "aaaaaaaaaaaaaaaa", "abababababababab", "mary-had-a-little-lamb", &"x1y2z".repeat(300)] {
            assert!(acceptable(bad, "mary", &[]).is_err(), "{bad}");
        }
        for good in ["correct horse battery", "密码密码要十二个字符以上才行"] {
            assert_eq!(acceptable(good, "mary", &[]), Ok(()), "{good}");
        }
    }
}
