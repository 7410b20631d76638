//! Sessions, in memory: a restart ends them all. A session is found by the hash of its cookie.

use std::collections::HashMap;

use weir_base::time::Millis;
use weir_record::Id;

use super::limits::{AGENT_BYTES, HALF_MS, SECRET_TEXT_BYTES, SESSIONS, SESSIONS_ACCOUNT};
use super::secret::{self, Hash};
use super::views::{Next, Peer};

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Id in lists.
    pub id: Id,
    /// Account.
    pub account: Id,
    /// What is missing.
    pub next: Option<Next>,
    /// When the first step was.
    pub since: Millis,
    /// When a password or a passkey was last proved in it.
    pub proved: Option<Millis>,
    /// Last used.
    pub used: Millis,
    /// Where from.
    pub peer: Peer,
}

/// All sessions.
pub struct Sessions {
    idle_ms: i64,
    longest_ms: i64,
    map: HashMap<Hash, Session>,
}

impl Sessions {
    /// None; with how long they live without use and at most, in milliseconds.
    pub fn new(idle_ms: i64, longest_ms: i64) -> Sessions {
        Sessions { idle_ms, longest_ms, map: HashMap::new() }
    }

    /// Begins a session and gives its cookie. Whatever session there was before is no part of it. `since`: when the first step was.
    pub fn begin(&mut self, account: Id, next: Option<Next>, since: Millis, peer: &Peer, now: Millis) -> String {
        self.sweep(now);
        let of_account = self.map.values().filter(|s| s.account == account).count();
        if of_account >= SESSIONS_ACCOUNT {
            self.end_oldest(|s| s.account == account);
        } else if self.map.len() >= SESSIONS {
            self.end_oldest(|s| s.next.is_some());
            if self.map.len() >= SESSIONS {
                self.end_oldest(|_| true);
            }
        }
        let mut peer = peer.clone();
        peer.agent = cut(&peer.agent, AGENT_BYTES);
        let cookie = secret::text();
        self.map.insert(secret::hash(&cookie), Session { id: Id::random(), account, next, since, proved: None, used: now, peer });
        cookie
    }

    /// A password or a passkey was proved in the session of a cookie.
    pub fn prove(&mut self, cookie: &str, now: Millis) {
        if let Some(session) = self.map.get_mut(&secret::hash(cookie)) {
            session.proved = Some(now);
        }
    }

    /// Gives a session a new cookie after a step that changed what it can do; nothing of a sign-in is missing then, unless `next` says so. The
    /// cookie before is void.
    pub fn renew(&mut self, account: Id, id: Id, next: Option<Next>, now: Millis) -> Option<String> {
        let mut session = self.end_id(account, id)?;
        (session.next, session.used) = (next, session.used.max(now));
        let cookie = secret::text();
        self.map.insert(secret::hash(&cookie), session);
        Some(cookie)
    }

    fn end_oldest(&mut self, of: impl Fn(&Session) -> bool) {
        let oldest = self.map.iter().filter(|(_, s)| of(s)).min_by_key(|(_, s)| s.used).map(|(k, _)| *k);
        oldest.map(|key| self.map.remove(&key));
    }

    fn lives(&self, s: &Session, now: Millis) -> bool {
        let half = matches!(s.next, Some(Next::Totp | Next::Passkey));
        let idle = if half { HALF_MS.min(self.idle_ms) } else { self.idle_ms };
        // A clock that went back ends what it makes look younger than new only after the same time has passed again.
        now.since(s.used) < idle && now.since(s.since) < if half { HALF_MS } else { self.longest_ms }
    }

    /// The session of a cookie. Does not count as use.
    pub fn find(&self, cookie: &str, now: Millis) -> Option<&Session> {
        if cookie.len() > SECRET_TEXT_BYTES {
            return None;
        }
        self.map.get(&secret::hash(cookie)).filter(|s| self.lives(s, now))
    }

    /// Counts as use, and gives the milliseconds it now lives without use.
    pub fn used(&mut self, cookie: &str, now: Millis) -> i64 {
        let (idle, longest) = (self.idle_ms, self.longest_ms);
        match self.map.get_mut(&secret::hash(cookie)) {
            Some(session) => {
                session.used = session.used.max(now);
                idle.min(longest - now.since(session.since))
            }
            None => 0,
        }
    }

    /// Ends the session of a cookie.
    pub fn end(&mut self, cookie: &str) -> Option<Session> {
        self.map.remove(&secret::hash(cookie))
    }

    /// Ends a session of an account by its id.
    pub fn end_id(&mut self, account: Id, id: Id) -> Option<Session> {
        let key = self.map.iter().find(|(_, s)| s.account == account && s.id == id).map(|(k, _)| *k)?;
        self.map.remove(&key)
    }

    /// Ends the sessions of an account, but for one.
    pub fn end_account(&mut self, account: Id, but: Option<Id>) {
        self.map.retain(|_, s| s.account != account || Some(s.id) == but);
    }

    /// A session by its id, while it lives.
    pub fn by_id(&self, id: Id, now: Millis) -> Option<&Session> {
        self.map.values().find(|s| s.id == id && self.lives(s, now))
    }

    /// Sessions of an account, newest first.
    pub fn of(&self, account: Id, now: Millis) -> Vec<&Session> {
        let mut list: Vec<&Session> = self.map.values().filter(|s| s.account == account && self.lives(s, now)).collect();
        list.sort_by_key(|s| (std::cmp::Reverse(s.since), s.id));
        list
    }

    /// Forgets those that have ended.
    pub fn sweep(&mut self, now: Millis) {
        let mut map = std::mem::take(&mut self.map);
        map.retain(|_, s| self.lives(s, now));
        self.map = map;
    }

    /// How many.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.map.len()
    }
}

/// A text of at most `most` bytes, cut between characters.
pub fn cut(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use weir_base::net::Addr16;

    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn peer() -> Peer {
        Peer { address: Addr16::v4([192, 0, 2, 1]), port: 5_000, agent: "é".repeat(100) }
    }

    #[test]
    fn sessions_end_without_use_and_after_their_time() {
        let mut sessions = Sessions::new(1_000, 3_000);
        let cookie = sessions.begin(Id([1; 16]), None, NOW, &peer(), NOW);
        assert!(sessions.find(&cookie, NOW.plus(999)).is_some() && sessions.find(&cookie, NOW.plus(1_000)).is_none());
        for ms in [900, 1_800, 2_600] {
            assert!(sessions.find(&cookie, NOW.plus(ms)).is_some());
            sessions.used(&cookie, NOW.plus(ms));
        }
        assert!(sessions.find(&cookie, NOW.plus(2_999)).is_some() && sessions.find(&cookie, NOW.plus(3_000)).is_none());
        let half = sessions.begin(Id([1; 16]), Some(Next::Totp), NOW, &peer(), NOW);
        assert!(sessions.find(&half, NOW).is_some_and(|s| s.peer.agent.len() == 128));
        sessions.sweep(NOW.plus(10_000));
        assert_eq!(sessions.len(), 0);
        assert!(sessions.find(&"x".repeat(10_000), NOW).is_none() && sessions.end("unknown").is_none());
    }

    #[test]
    fn an_account_has_at_most_ten_and_the_one_used_longest_ago_goes() {
        let mut sessions = Sessions::new(100_000, 100_000);
        let cookies: Vec<String> =
            (0..=SESSIONS_ACCOUNT as i64).map(|n| sessions.begin(Id([1; 16]), None, NOW.plus(n), &peer(), NOW.plus(n))).collect();
        let now = NOW.plus(100);
        assert_eq!(sessions.of(Id([1; 16]), now).len(), SESSIONS_ACCOUNT);
        assert!(sessions.find(&cookies[0], now).is_none() && sessions.find(&cookies[1], now).is_some());
        let keep = sessions.find(&cookies[5], now).unwrap().id;
        sessions.end_account(Id([1; 16]), Some(keep));
        assert_eq!(sessions.of(Id([1; 16]), now).len(), 1);
        assert!(sessions.end_id(Id([2; 16]), keep).is_none(), "not by another account");
        assert!(sessions.end_id(Id([1; 16]), keep).is_some());
    }

    #[test]
    fn there_are_never_more_than_the_limit() {
        let mut sessions = Sessions::new(100_000, 100_000);
        let whole = sessions.begin(Id([255; 16]), None, NOW, &peer(), NOW);
        for n in 0..SESSIONS as u32 + 5 {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&n.to_be_bytes());
            sessions.begin(Id(id), Some(Next::Totp), NOW.plus(1), &peer(), NOW.plus(1));
        }
        assert_eq!(sessions.len(), SESSIONS);
        assert!(sessions.find(&whole, NOW.plus(1)).is_some(), "half-done ones go first");
    }
}
