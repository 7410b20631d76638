//! Subscribers and the addresses a NAS gives them.

use std::net::{Ipv4Addr, Ipv6Addr};

use weir_base::net::{Addr16, Prefix};

use super::event::Login;
use super::ports::Block;
use crate::network::Realm;
use crate::plan::{Plan, Profile};

/// No mapping.
pub const NONE: u32 = u32::MAX;

/// How a subscriber reaches the Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Through the NAT44.
    Nat44,
    /// IPv6 only, through the NAT64.
    Nat64,
    /// With a public address of its own, no NAT.
    Plain,
    /// Through a one-to-one address binding.
    Bound,
}

/// Kinds, for tables.
pub const KINDS: usize = 4;

/// One subscriber.
#[derive(Debug)]
pub struct Sub {
    /// The realm's index.
    pub realm: usize,
    /// Number within the realm.
    pub k: u32,
    /// How it reaches the Internet.
    pub kind: Kind,
    /// The session, while online.
    pub login: Option<Box<Login>>,
    /// The address slot, while online.
    pub slot: u32,
    /// Counts log-ins and log-outs: a planned task of an older turn is void.
    pub turn: u32,
    /// Where this subscriber stands in the list of those offline.
    pub waiting_at: u32,
    /// First of its open mappings.
    pub first_open: u32,
    /// Its port block, where sessions are logged.
    pub block: Option<Box<Block>>,
    /// Port blocks held, where blocks are logged.
    pub blocks: u8,
    /// Octets in and out a second of this session.
    pub speed: (u64, u64),
}

impl Sub {
    /// A subscriber, offline.
    pub fn new(plan: &Plan, realm: usize, k: u32, desc: &Realm) -> Sub {
        let isp = plan.profile == Profile::Isp;
        let kind = match k {
            k if isp && k % 40 == 7 => Kind::Plain,
            k if desc.nat64 && k % 20 == 3 => Kind::Nat64,
            k if desc.bound.1 > 0 && k % 25 == 5 => Kind::Bound,
            _ => Kind::Nat44,
        };
        Sub { realm, k, kind, login: None, slot: 0, turn: 0, waiting_at: NONE, first_open: NONE, block: None, blocks: 0, speed: (0, 0) }
    }

    /// True if its NAT44 and NAT64 mappings are logged as binding information base entries.
    pub fn bib(&self, plan: &Plan) -> bool {
        plan.bib && !plan.profile.is_syslog() && (self.k + self.k / 20) % 4 == 1
    }
}

/// User-Name. The three realms of `isp` use the same names for different people: only (realm, account) names a person.
pub fn account(profile: Profile, k: u32) -> String {
    match profile {
        Profile::Small => format!("home{k:04}@home.example"),
        Profile::Hotel => format!("room{:03}", 101 + (k / 20) * 100 + k % 20),
        Profile::School => format!("s{k:06}@school.example"),
        Profile::Isp => format!("user{k:06}@isp.example"),
    }
}

/// Calling-Station-Id: numbers under the country code 999, which is not assigned, or locally administered hardware addresses.
pub fn caller(profile: Profile, realm: usize, k: u32) -> String {
    match profile {
        Profile::Hotel => format!("02-00-00-{:02X}-{:02X}-{:02X}", (k >> 16) & 255, (k >> 8) & 255, k & 255),
        _ => format!("9990{}{k:07}", realm + 1),
    }
}

/// The addresses of a slot: Framed-IP-Address, Framed-IPv6-Prefix, Delegated-IPv6-Prefix.
pub fn addresses(desc: &Realm, kind: Kind, slot: u32) -> (Option<Ipv4Addr>, Option<Prefix>, Option<Prefix>) {
    let framed = match kind {
        Kind::Nat44 | Kind::Bound => Some(Ipv4Addr::from(u32::from(desc.inside).wrapping_add(slot))),
        Kind::Plain => Some(Ipv4Addr::from(desc.plain.0.wrapping_add(slot))),
        Kind::Nat64 => None,
    };
    let Some(base) = desc.ipv6 else { return (framed, None, None) };
    // Below the realm's /36 a kind has its own 2^20 prefixes of /64 and its own 2^17 of /56.
    let base = u128::from_be_bytes(base.addr.0);
    let tag = match kind {
        Kind::Nat44 | Kind::Bound => 0u128,
        Kind::Nat64 => 1,
        Kind::Plain => 2,
    };
    let slot = u128::from(slot);
    let prefix = Prefix::new(Addr16((base | (tag << 84) | (slot << 64)).to_be_bytes()), 64);
    let delegated = Prefix::new(Addr16((base | (1 << 91) | (tag << 89) | (slot << 72)).to_be_bytes()), 56);
    let dual = kind == Kind::Nat64 || slot % 3 == 0;
    (framed, dual.then_some(prefix), (dual && slot % 2 == 0).then_some(delegated))
}

/// The inside address a NAT sees for a session: the framed one, or one within the framed prefix.
pub fn inside(login: &Login) -> Addr16 {
    match (login.framed, login.prefix) {
        (Some(v4), _) => Addr16::from(v4),
        (None, Some(prefix)) => {
            let host = u128::from(u64::from(login.nas_port) | 0x0200_0000_0000_0000);
            Addr16::from(Ipv6Addr::from(u128::from_be_bytes(prefix.addr.0) | host))
        }
        (None, None) => Addr16::NONE,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::network::Network;

    #[test]
    fn no_two_slots_share_an_address() {
        let mut plan = Plan::new(Profile::Isp, 1);
        plan.subscribers = Some(crate::limits::SUBSCRIBERS_MAX);
        let mut seen = HashSet::new();
        for (n, desc) in Network::of(&plan).unwrap().realms.iter().enumerate() {
            for (kind, count) in [(Kind::Nat44, 110_000), (Kind::Nat64, 6_000), (Kind::Plain, desc.plain.1)] {
                for slot in 0..count {
                    let (framed, prefix, delegated) = addresses(desc, kind, slot);
                    if let Some(v4) = framed {
                        assert!(seen.insert((n, Addr16::from(v4), 0)), "{v4}");
                    }
                    for p in [prefix, delegated].into_iter().flatten() {
                        assert!(desc.ipv6.is_some_and(|base| base.contains(p.addr)), "{p} lies in the realm's range");
                        assert!(seen.insert((9, p.addr, p.bits)), "{p}");
                        // A /64 must not lie within a delegated /56 of somebody else.
                        assert!(!seen.contains(&(9, Prefix::new(p.addr, 56).addr, 56)) || p.bits == 56, "{p}");
                    }
                }
            }
        }
    }

    #[test]
    fn callers_and_accounts_are_distinct_within_a_realm() {
        for profile in [Profile::Small, Profile::Hotel, Profile::School, Profile::Isp] {
            let names: HashSet<(String, String)> = (0..2_000).map(|k| (account(profile, k), caller(profile, 0, k))).collect();
            let accounts: HashSet<&String> = names.iter().map(|n| &n.0).collect();
            assert_eq!((names.len(), accounts.len()), (2_000, 2_000));
        }
        assert_eq!(account(Profile::Hotel, 79), "room420");
    }
}
