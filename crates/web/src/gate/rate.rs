//! How often an address or a session may ask: a bucket each, in a bounded table.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use weir_base::net::{Addr16, Prefix};
use weir_base::task::lock;
use weir_record::Id;

use crate::limits::{
    ADDRESS_BURST, ADDRESS_RATE, LOOPBACK_SIGN_IN_BURST, LOOPBACK_SIGN_IN_RATE, RATES, SESSION_BURST, SESSION_RATE, SIGN_IN_BURST,
    SIGN_IN_RATE,
};
use crate::model::problem::{Code, Problem};

/// Whose rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// An address; of IPv6 its /64.
    Address(Addr16),
    /// Sign-in steps of an address.
    SignIn(Addr16),
    /// One-use links that an address opens or takes up: a share of its own, so that who opens one again and again stops no sign-in.
    Link(Addr16),
    /// Questions of an address for whether the program is ready, and for its metrics.
    Probe(Addr16),
    /// A session or a token.
    Session(Id),
    /// Everybody for whom the table has no room.
    Rest,
}

impl Who {
    /// An address.
    pub fn address(address: Addr16) -> Who {
        Who::Address(network(address))
    }

    /// Sign-in steps of an address.
    pub fn sign_in(address: Addr16) -> Who {
        Who::SignIn(network(address))
    }

    /// One-use links of an address.
    pub fn link(address: Addr16) -> Who {
        Who::Link(network(address))
    }

    /// What an address asks of the program's state.
    pub fn probe(address: Addr16) -> Who {
        Who::Probe(network(address))
    }

    /// How many at once, and how many a second.
    fn measure(self) -> (f64, f64) {
        match self {
            Who::Address(_) | Who::Probe(_) | Who::Rest => (ADDRESS_BURST, ADDRESS_RATE),
            // Behind the loopback there may be many people, through tunnels.
            Who::SignIn(address) | Who::Link(address) if address.ip().is_loopback() => (LOOPBACK_SIGN_IN_BURST, LOOPBACK_SIGN_IN_RATE),
            Who::SignIn(_) | Who::Link(_) => (SIGN_IN_BURST, SIGN_IN_RATE),
            Who::Session(_) => (SESSION_BURST, SESSION_RATE),
        }
    }
}

/// One household, one bucket: an IPv6 customer has at least a /64 of addresses to choose from.
pub fn network(address: Addr16) -> Addr16 {
    if address.is_v4() { address } else { Prefix::new(address, 64).addr }
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Duration,
}

/// All buckets.
#[derive(Default)]
pub struct Rates(Mutex<HashMap<Who, Bucket>>);

impl Rates {
    /// Takes one, at a monotonic time.
    ///
    /// # Errors
    /// There is none left: says in how many seconds there is.
    pub fn take(&self, who: Who, now: Duration) -> Result<(), Box<Problem>> {
        let mut all = lock(&self.0);
        let mut who = who;
        if all.len() >= RATES && !all.contains_key(&who) {
            // Whose bucket is full again need not be remembered.
            all.retain(|who, bucket| refilled(*who, *bucket, now) < who.measure().0);
            // Sessions and tokens are few: what others do in front of the door never puts them together.
            if all.len() >= RATES && !matches!(who, Who::Session(_)) {
                who = Who::Rest;
            }
        }
        let (burst, rate) = who.measure();
        let bucket = all.entry(who).or_insert(Bucket { left: burst, at: now });
        let left = refilled(who, *bucket, now);
        *bucket = Bucket { left, at: now };
        if left >= 1.0 {
            bucket.left = left - 1.0;
            return Ok(());
        }
        let seconds = ((1.0 - left) / rate).ceil().max(1.0) as u64;
        let problem = Problem::new(Code::TooMany, "There are too many requests from here.", "Wait, then go on more slowly.");
        Err(Box::new(problem.retry(seconds)))
    }
}

fn refilled(who: Who, bucket: Bucket, now: Duration) -> f64 {
    let (burst, rate) = who.measure();
    (bucket.left + now.saturating_sub(bucket.at).as_secs_f64() * rate).min(burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Addr16 {
        Addr16::v4(n.to_be_bytes())
    }

    #[test]
    fn a_bucket_empties_and_fills() {
        let rates = Rates::default();
        let who = Who::sign_in(address(1));
        let burst = SIGN_IN_BURST as u32;
        for _ in 0..burst {
            rates.take(who, Duration::ZERO).unwrap();
        }
        let refused = rates.take(who, Duration::ZERO).unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (429, Some(2)));
        rates.take(Who::sign_in(address(2)), Duration::ZERO).unwrap();
        rates.take(who, Duration::from_secs(2)).unwrap();
        assert!(rates.take(who, Duration::from_secs(2)).is_err());
    }

    #[test]
    fn addresses_of_one_v6_network_share_a_bucket() {
        let of = |text: &str| Who::address(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn the_table_is_bounded_and_what_has_rested_leaves_it() {
        let rates = Rates::default();
        let many = u32::try_from(RATES).unwrap();
        for n in 0..many + 1_000 {
            let _ = rates.take(Who::address(address(n)), Duration::ZERO);
        }
        assert_eq!(lock(&rates.0).len(), RATES + 1);
        rates.take(Who::Session(Id([1; 16])), Duration::ZERO).expect("a session has its own");
        assert!(rates.take(Who::address(address(many + 5_000)), Duration::ZERO).is_err(), "the shared bucket is empty");
        rates.take(Who::address(address(many + 5_000)), Duration::from_secs(60)).unwrap();
        assert_eq!(lock(&rates.0).len(), 1);
    }
}
