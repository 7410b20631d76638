//! Sign-in tries that were turned away because one had to wait: the first of a place is told at once, those that follow once a minute with their
//! number. Bounded: places beyond the limit are told together, so that nobody fills the disk by trying.

use std::collections::HashMap;

use weir_base::net::Prefix;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::AuthAction;

use super::limits::{TURNED_MS, TURNED_PLACES};
use super::records::{Method, Told};
use super::throttle::place;
use super::views::Peer;

/// What the records of tries that had to wait say.
pub const TURNED_AWAY: &str = "turned-away";
/// What those of links that had ended say.
pub const ENDED: &str = "ended";

#[derive(Clone)]
struct Count {
    /// Tries that no record tells of yet.
    tries: u64,
    /// When the last record was made.
    told: Millis,
    peer: Peer,
    how: Method,
    account: Option<Id>,
}

/// Counts by place; under none those of places beyond the limit.
#[derive(Default)]
pub struct Turned(HashMap<Option<Prefix>, Count>);

/// What is to be recorded.
pub struct Line {
    /// None: of places beyond the limit, together.
    of: Option<Prefix>,
    count: Count,
}

impl Line {
    /// Puts the record where it belongs. Address and port are those of the last try; the account is named when it was the same in all of them.
    pub fn write(&self, what: &str, told: &mut Told, now: Millis) {
        let c = &self.count;
        let places = if self.of.is_none() { " places=many" } else { "" };
        told.sign(AuthAction::Failure, c.account, c.how, Some(format!("{what} tries={}{places}", c.tries)), &c.peer, now);
    }
}

impl Turned {
    /// One more try. Gives what is to be recorded now; it is taken for recorded.
    pub fn count(&mut self, peer: &Peer, how: Method, account: Option<Id>, now: Millis) -> Option<Line> {
        let key = Some(place(peer.address));
        let key = if self.0.len() < TURNED_PLACES || self.0.contains_key(&key) { key } else { None };
        let new = || Count { tries: 0, told: Millis(i64::MIN), peer: peer.clone(), how, account };
        let count = self.0.entry(key).or_insert_with(new);
        if count.tries == 0 {
            count.account = account;
        }
        count.account = count.account.filter(|known| Some(*known) == account);
        count.tries += 1;
        (count.peer, count.how) = (peer.clone(), how);
        is_old(count, now).then(|| take(key, count, now))
    }

    /// What is to be recorded by now. Places that were quiet are forgotten.
    pub fn due(&mut self, now: Millis) -> Vec<Line> {
        self.0.retain(|_, c| c.tries > 0 || !is_old(c, now));
        self.0.iter_mut().filter(|(_, c)| c.tries > 0 && is_old(c, now)).map(|(key, c)| take(*key, c, now)).collect()
    }

    /// Everything that is not recorded yet: the program ends.
    pub fn rest(&mut self, now: Millis) -> Vec<Line> {
        self.0.iter_mut().filter(|(_, c)| c.tries > 0).map(|(key, c)| take(*key, c, now)).collect()
    }

    /// How many places.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn is_old(c: &Count, now: Millis) -> bool {
    // A clock that went back makes nothing wait.
    !(0..TURNED_MS).contains(&now.since(c.told))
}

fn take(of: Option<Prefix>, count: &mut Count, now: Millis) -> Line {
    let line = Line { of, count: count.clone() };
    (count.tries, count.told) = (0, now);
    line
}

#[cfg(test)]
mod tests {
    use weir_base::net::Addr16;

    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn from(n: u32) -> Peer {
        let b = n.to_be_bytes();
        Peer { address: Addr16::v4([10, b[1], b[2], b[3]]), port: 5_000, agent: String::new() }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_once_a_minute() {
        let (mut turned, account) = (Turned::default(), Some(Id([1; 16])));
        assert_eq!(turned.count(&from(1), Method::Password, account, NOW).unwrap().count.tries, 1);
        for ms in 1..=500 {
            assert!(turned.count(&from(1), Method::Password, account, NOW.plus(ms)).is_none());
        }
        assert!(turned.due(NOW.plus(TURNED_MS - 1)).is_empty());
        let lines = turned.due(NOW.plus(TURNED_MS));
        assert_eq!((lines.len(), lines[0].count.tries, lines[0].count.account), (1, 500, account));
        assert!(turned.due(NOW.plus(TURNED_MS + 1)).is_empty(), "told once");
        assert!(turned.due(NOW.plus(2 * TURNED_MS)).is_empty() && turned.len() == 0, "a quiet place is forgotten");
        assert!(turned.count(&from(1), Method::Password, account, NOW.plus(3 * TURNED_MS)).is_some());
    }

    #[test]
    fn an_account_is_named_only_when_all_tries_were_its() {
        let mut turned = Turned::default();
        turned.count(&from(1), Method::Password, None, NOW);
        turned.count(&from(1), Method::Password, Some(Id([1; 16])), NOW);
        turned.count(&from(1), Method::Totp, Some(Id([2; 16])), NOW);
        let lines = turned.rest(NOW);
        assert_eq!((lines.len(), lines[0].count.tries, lines[0].count.account, lines[0].count.how), (1, 2, None, Method::Totp));
        assert!(turned.rest(NOW).is_empty());
    }

    #[test]
    fn many_places_make_few_records() {
        let (mut turned, mut lines) = (Turned::default(), 0);
        for n in 0..20_000 {
            lines += usize::from(turned.count(&from(n), Method::Password, None, NOW).is_some());
        }
        assert_eq!((lines, turned.len()), (TURNED_PLACES + 1, TURNED_PLACES + 1));
        let rest = turned.rest(NOW);
        assert_eq!((rest.len(), rest[0].count.tries), (1, (20_000 - TURNED_PLACES - 1) as u64));
        let mut told = Told::default();
        rest[0].write(TURNED_AWAY, &mut told, NOW);
    }
}
