//! Waits after failures, in memory. A try is charged before it is looked at and the charge is taken back when it was right, so that tries
//! at the same time count as well.

use std::collections::HashMap;
use std::hash::Hash as Hashed;

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;

use super::limits::{
    ACCOUNTS, FAILURES_FREE, FAILURES_LOCK, FAILURES_MS, LOOPBACK_FAILURES, LOOPBACK_MS, THROTTLE_ADDRESSES, THROTTLE_NAMES,
};
use super::secret::Hash;

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    failures: u32,
    last: Millis,
    until: Millis,
}

/// Milliseconds to wait after this many failures: nothing up to [`FAILURES_FREE`], then doubling from one second.
fn wait(failures: u32) -> i64 {
    match failures.checked_sub(FAILURES_FREE) {
        None => 0,
        Some(over) => 1_000i64.checked_shl(over.min(32)).unwrap_or(FAILURES_MS).min(FAILURES_MS),
    }
}

/// Counts by key; bounded.
struct Counts<K> {
    most: usize,
    /// Failures at which the wait becomes [`FAILURES_MS`].
    lock: u32,
    map: HashMap<K, Count>,
}

impl<K: Hashed + Eq + Copy> Counts<K> {
    fn new(most: usize, lock: u32) -> Counts<K> {
        Counts { most, lock, map: HashMap::new() }
    }

    /// Milliseconds still to wait; 0 when a try is taken.
    fn waits(&self, key: &K, now: Millis) -> i64 {
        // A clock that went back makes nobody wait longer than the longest wait.
        self.map.get(key).map_or(0, |c| c.until.since(now).clamp(0, FAILURES_MS))
    }

    fn charge(&mut self, key: K, now: Millis) {
        self.make_room(&key, now);
        let count = self.map.entry(key).or_default();
        if now.since(count.last) > FAILURES_MS {
            count.failures = 0;
        }
        count.failures = count.failures.saturating_add(1);
        count.last = now;
        count.until = now.plus(if count.failures >= self.lock { FAILURES_MS } else { wait(count.failures) });
    }

    fn make_room(&mut self, key: &K, now: Millis) {
        if self.map.len() < self.most || self.map.contains_key(key) {
            return;
        }
        self.map.retain(|_, c| now.since(c.last) <= FAILURES_MS);
        while self.map.len() >= self.most {
            let Some(oldest) = self.map.iter().min_by_key(|(_, c)| c.last).map(|(k, _)| *k) else { return };
            self.map.remove(&oldest);
        }
    }

    fn take_back(&mut self, key: &K, now: Millis) {
        if let Some(count) = self.map.get_mut(key) {
            count.failures = count.failures.saturating_sub(1);
            count.until = now;
        }
    }
}

/// Whose sign-in is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An account.
    Account(Id),
    /// A sign-in name no account has, by its hash. Counts as an account's does, so that nobody can tell.
    Name(Hash),
}

/// What it is that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// A sign-in name, for a moment: failures made it wait, whoever tries.
    Name,
    /// A sign-in name that is locked: an administrator can end that, where it is somebody's.
    Lock,
    /// The address: nothing of an account, so nobody can end it.
    Address,
}

/// Failures from the loopback: so many in a window, whoever they are of.
#[derive(Default)]
struct Shared {
    began: Millis,
    failures: u32,
}

impl Shared {
    fn is_on(&self, now: Millis) -> bool {
        // A clock that went back begins a new one.
        (0..LOOPBACK_MS).contains(&now.since(self.began))
    }

    fn waits(&self, now: Millis) -> i64 {
        let full = self.failures >= LOOPBACK_FAILURES && self.is_on(now);
        if full { self.began.plus(LOOPBACK_MS).since(now) } else { 0 }
    }

    fn charge(&mut self, now: Millis) {
        if !self.is_on(now) {
            (self.began, self.failures) = (now, 0);
        }
        self.failures = self.failures.saturating_add(1);
    }

    fn take_back(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }
}

/// Counts of failures.
pub struct Throttle {
    accounts: Counts<Id>,
    names: Counts<Hash>,
    addresses: Counts<Prefix>,
    loopback: Shared,
}

/// An address, or the /64 it lies in: who has one address of it has them all.
pub(super) fn place(address: Addr16) -> Prefix {
    Prefix::new(address, if address.is_v4() { 128 } else { 64 })
}

impl Throttle {
    /// Nothing counted.
    pub fn new() -> Throttle {
        Throttle {
            accounts: Counts::new(ACCOUNTS, FAILURES_LOCK),
            names: Counts::new(THROTTLE_NAMES, FAILURES_LOCK),
            addresses: Counts::new(THROTTLE_ADDRESSES, u32::MAX),
            loopback: Shared::default(),
        }
    }

    /// Takes a try: charges it, or gives the milliseconds to wait, and what it is that waits. A try that has to wait is not charged.
    pub fn take(&mut self, target: Option<Target>, address: Addr16, now: Millis) -> Result<(), (i64, Waits)> {
        let waits = self.waits(target, address, now);
        if waits > 0 {
            let of_target = self.waits_of(target, now) == waits;
            let locked = target.is_some_and(|t| self.is_locked(t));
            let what = if !of_target {
                Waits::Address
            } else if locked {
                Waits::Lock
            } else {
                Waits::Name
            };
            return Err((waits, what));
        }
        match target {
            Some(Target::Account(id)) => self.accounts.charge(id, now),
            Some(Target::Name(hash)) => self.names.charge(hash, now),
            None => (),
        }
        match address.ip().is_loopback() {
            true => self.loopback.charge(now),
            false => self.addresses.charge(place(address), now),
        }
        Ok(())
    }

    /// The try was right. `complete`: nothing is missing any more, so earlier failures of the account are forgotten; otherwise only this
    /// try's charge is taken back, so that a known password gives no free codes.
    pub fn right(&mut self, account: Option<Id>, complete: bool, address: Addr16, now: Millis) {
        match account {
            Some(id) if complete => drop(self.accounts.map.remove(&id)),
            Some(id) => self.accounts.take_back(&id, now),
            None => (),
        }
        match address.ip().is_loopback() {
            true => self.loopback.take_back(),
            false => self.addresses.take_back(&place(address), now),
        }
    }

    /// Milliseconds until the next try is taken.
    pub fn waits(&self, target: Option<Target>, address: Addr16, now: Millis) -> i64 {
        let of_address = match address.ip().is_loopback() {
            true => self.loopback.waits(now),
            false => self.addresses.waits(&place(address), now),
        };
        self.waits_of(target, now).max(of_address)
    }

    fn waits_of(&self, target: Option<Target>, now: Millis) -> i64 {
        match target {
            Some(Target::Account(id)) => self.accounts.waits(&id, now),
            Some(Target::Name(hash)) => self.names.waits(&hash, now),
            None => 0,
        }
    }

    /// Has this account or name just been locked?
    pub fn is_locked(&self, target: Target) -> bool {
        let count = match target {
            Target::Account(id) => self.accounts.map.get(&id),
            Target::Name(hash) => self.names.map.get(&hash),
        };
        count.is_some_and(|c| c.failures >= FAILURES_LOCK)
    }

    /// Forgets an account's failures.
    pub fn forget(&mut self, account: Id) {
        self.accounts.map.remove(&account);
    }

    /// Entries in all.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.accounts.map.len() + self.names.map.len() + self.addresses.map.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);
    const HERE: Addr16 = Addr16::v4([192, 0, 2, 1]);

    fn from(n: u32) -> Addr16 {
        let b = n.to_be_bytes();
        Addr16::v4([10, b[1], b[2], b[3]])
    }

    #[test]
    fn waits_double_and_the_tenth_failure_locks() {
        let (mut throttle, mut now, account) = (Throttle::new(), NOW, Target::Account(Id([1; 16])));
        let mut waits = Vec::new();
        for n in 0..10 {
            throttle.take(Some(account), from(n), now).unwrap();
            let ms = throttle.waits(Some(account), from(99), now);
            waits.push(ms / 1_000);
            assert!(ms == 0 || throttle.take(Some(account), from(99), now).map_err(|(ms, _)| ms) == Err(ms));
            now = now.plus(ms);
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 900]);
        assert!(throttle.is_locked(account));
        assert_eq!(throttle.take(Some(account), from(99), NOW.plus(0)).map_err(|(_, what)| what), Err(Waits::Lock));
        assert_eq!(throttle.waits(Some(Target::Account(Id([2; 16]))), from(99), now), 0, "another account does not wait");
    }

    #[test]
    fn an_unknown_name_waits_as_an_account_does() {
        let (mut throttle, mut now) = (Throttle::new(), NOW);
        for n in 0..12 {
            let both = [Target::Account(Id([1; 16])), Target::Name([1; 32])].map(|t| {
                let taken = throttle.take(Some(t), from(2 * n + u32::from(t == Target::Name([1; 32]))), now);
                (taken, throttle.waits(Some(t), from(1_000), now))
            });
            assert_eq!(both[0], both[1]);
            now = now.plus(both[0].1);
        }
    }

    #[test]
    fn an_address_waits_whatever_it_tries_and_a_64_counts_as_one() {
        let mut throttle = Throttle::new();
        for n in 0..5u8 {
            throttle.take(Some(Target::Name([n; 32])), HERE, NOW).unwrap();
        }
        assert_eq!(throttle.take(Some(Target::Name([9; 32])), HERE, NOW), Err((1_000, Waits::Address)));
        assert_eq!(throttle.take(None, "2001:db8::1".parse().unwrap(), NOW), Ok(()));
        for _ in 0..4 {
            throttle.take(None, "2001:db8::2".parse().unwrap(), NOW).unwrap();
        }
        assert_eq!(throttle.take(None, "2001:db8::3".parse().unwrap(), NOW), Err((1_000, Waits::Address)));
        assert_eq!(throttle.take(None, "2001:db8:0:1::3".parse().unwrap(), NOW), Ok(()));
    }

    #[test]
    fn behind_the_loopback_nobody_makes_others_wait_long_and_all_together_are_bounded() {
        let (mut throttle, here) = (Throttle::new(), Addr16::v4([127, 0, 0, 1]));
        let account = Some(Target::Account(Id([1; 16])));
        for n in 0..FAILURES_LOCK {
            throttle.take(account, here, NOW.plus(i64::from(n) * 1_000 * 60)).ok();
        }
        assert!(throttle.waits(account, here, NOW.plus(540_000)) > 0, "who fails waits with the account");
        let mut throttle = Throttle::new();
        for n in 0..20u8 {
            throttle.take(Some(Target::Name([n; 32])), here, NOW).unwrap();
        }
        assert_eq!(throttle.waits(account, here, NOW), 0, "others behind the same address do not");
        throttle.take(account, here, NOW).unwrap();
        throttle.right(Some(Id([1; 16])), true, here, NOW);
        let mut taken = 20;
        for n in 0..1_000u32 {
            let mut hash = [9; 32];
            hash[..4].copy_from_slice(&n.to_be_bytes());
            taken += u32::from(throttle.take(Some(Target::Name(hash)), "::1".parse().unwrap(), NOW.plus(1)).is_ok());
        }
        assert_eq!(taken, LOOPBACK_FAILURES, "spread over names they are bounded all the same");
        assert_eq!(throttle.take(account, here, NOW.plus(1)), Err((LOOPBACK_MS - 1, Waits::Address)));
        assert_eq!(throttle.take(account, here, NOW.plus(LOOPBACK_MS)), Ok(()), "a minute, and never more");
        assert_eq!(throttle.take(Some(Target::Name([77; 32])), here, NOW.plus(-LOOPBACK_MS)), Ok(()), "nor by a clock that went back");
    }

    #[test]
    fn a_right_password_gives_no_free_codes() {
        let (mut throttle, id) = (Throttle::new(), Id([1; 16]));
        for n in 0..4 {
            throttle.take(Some(Target::Account(id)), from(n), NOW).unwrap();
        }
        throttle.take(Some(Target::Account(id)), from(7), NOW).unwrap();
        throttle.right(Some(id), false, from(7), NOW);
        throttle.take(Some(Target::Account(id)), from(8), NOW).unwrap();
        assert_eq!(throttle.waits(Some(Target::Account(id)), from(9), NOW), 1_000, "the earlier four still count");
        throttle.right(Some(id), true, from(8), NOW);
        assert_eq!(throttle.waits(Some(Target::Account(id)), from(9), NOW), 0);
    }

    #[test]
    fn failures_are_forgotten_after_a_while_and_a_clock_that_steps_back_locks_nobody_out() {
        let (mut throttle, account) = (Throttle::new(), Some(Target::Account(Id([1; 16]))));
        for n in 0..5 {
            throttle.take(account, from(n), NOW).unwrap();
        }
        let later = NOW.plus(FAILURES_MS + 1);
        throttle.take(account, from(6), later).unwrap();
        assert_eq!(throttle.waits(account, from(7), later), 0);
        for n in 0..4 {
            throttle.take(account, from(n), later).unwrap();
        }
        assert_eq!(throttle.waits(account, from(9), later.plus(-365 * 86_400_000)), FAILURES_MS);
    }

    #[test]
    fn it_stays_bounded() {
        let mut throttle = Throttle::new();
        for n in 0..20_000u32 {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&n.to_be_bytes());
            throttle.take(Some(Target::Name(hash)), from(n), NOW.plus(i64::from(n))).unwrap();
        }
        assert!(throttle.len() <= THROTTLE_NAMES + THROTTLE_ADDRESSES);
        assert_eq!(wait(u32::MAX), FAILURES_MS);
    }
}
