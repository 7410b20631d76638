//! Signing in: password, TOTP, and what every way has in common.

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::AuthAction;

use super::{Desk, Outcome};
use crate::desk::account::{Account, Standing};
use crate::desk::limits::{FAILURES_MS, LOGIN_BYTES};
use crate::desk::records::{Method, PROGRAM};
use crate::desk::refused::Refused;
use crate::desk::secret;
use crate::desk::store::Look;
use crate::desk::throttle::{Target, Waits};
use crate::desk::totp;
use crate::desk::turned::TURNED_AWAY;
use crate::desk::views::{Next, Peer, SignedIn};

fn seconds(ms: i64) -> u64 {
    (ms.max(0) as u64).div_ceil(1_000)
}

impl Desk {
    /// First factor: a password. An unknown sign-in name costs the same and is answered the same.
    ///
    /// # Errors
    /// [`Refused::WrongCredentials`], [`Refused::Locked`], [`Refused::Store`].
    pub fn password(&self, login: &str, password: &str, peer: &Peer, now: Millis) -> Outcome<SignedIn> {
        let known = if login.len() <= LOGIN_BYTES { self.store().by_login(login).cloned() } else { None };
        let target = known.as_ref().map_or_else(|| Target::Name(secret::hash(login)), |a| Target::Account(a.id));
        self.take_try(Some(target), Method::Password, known.as_ref(), peer, now)?;
        let stored = known.as_ref().filter(|a| a.standing == Standing::Active).and_then(|a| a.password.as_ref());
        let right = self.passwords.check(stored, password);
        let Some(account) = known.as_ref().filter(|_| right) else {
            return Err(self.fail(Some(target), Method::Password, None, peer, now));
        };
        let unchanged = |a: &Account| a.password.as_ref() == stored;
        self.first_factor(account.id, Method::Password, unchanged, peer, now)
    }

    /// Second factor: a TOTP code, with the cookie of a half-done sign-in. A code is taken once, whatever happens in between.
    ///
    /// # Errors
    /// [`Refused::NotSignedIn`], [`Refused::WrongCredentials`], [`Refused::Locked`], [`Refused::Store`].
    pub fn totp(&self, cookie: &str, code: &str, peer: &Peer, now: Millis) -> Outcome<SignedIn> {
        let (account, since) = self.half_done(cookie, now)?;
        let proved = self.live().sessions.find(cookie, now).is_some_and(|s| s.proved.is_some());
        self.take_try(Some(Target::Account(account.id)), Method::Totp, Some(&account), peer, now)?;
        let done = self.change(|c| {
            let known = c.draft.account(account.id).filter(|a| a.is_usable(now)).and_then(|a| a.totp.as_ref());
            let Some(step) = known.and_then(|t| totp::check(&t.secret, code, t.used, now)) else { return Ok(None) };
            c.draft.change_account(account.id, |a| {
                a.last_sign_in = Some(now);
                if let Some(totp) = &mut a.totp {
                    totp.used = Some(step);
                }
            });
            c.told.sign(AuthAction::SignIn, Some(account.id), Method::Totp, None, peer, now);
            Ok(Some(()))
        })?;
        let (Some(()), held) = done else {
            drop(done);
            return Err(self.fail(Some(Target::Account(account.id)), Method::Totp, None, peer, now));
        };
        let mut live = self.live();
        live.throttle.right(Some(account.id), true, peer.address, now);
        live.sessions.end(cookie);
        let cookie = live.sessions.begin(account.id, None, since, peer, now);
        if proved {
            live.sessions.prove(&cookie, now);
        }
        drop((live, held));
        Ok(SignedIn { cookie, next: None, account: account.id })
    }

    /// Ends the session of a cookie. It ends even when that cannot be recorded.
    ///
    /// # Errors
    /// [`Refused::Store`] when it could not be recorded.
    pub fn sign_out(&self, cookie: &str, peer: &Peer, now: Millis) -> Outcome<()> {
        let Some(session) = self.live().sessions.end(cookie) else { return Ok(()) };
        self.change(|c| {
            c.told.sign(AuthAction::SignOut, Some(session.account), Method::Password, None, peer, now);
            Ok(())
        })
        .map(drop)
    }

    /// The account of a half-done sign-in that waits for a second factor, and when it began.
    pub(super) fn half_done(&self, cookie: &str, now: Millis) -> Outcome<(Account, Millis)> {
        let store = self.store();
        let live = self.live();
        let session = live.sessions.find(cookie, now).ok_or(Refused::NotSignedIn)?;
        if !matches!(session.next, Some(Next::Totp | Next::Passkey)) {
            return Err(Refused::Conflict("This sign-in does not wait for a second factor."));
        }
        let account = store.account(session.account).filter(|a| a.is_usable(now)).ok_or(Refused::NotSignedIn)?;
        Ok((account.clone(), session.since))
    }

    /// Charges a try, or refuses it because one has to wait. A refused one is recorded too: the first of a place at once, those that follow
    /// together, with their number.
    ///
    /// # Errors
    /// [`Refused::Locked`], [`Refused::Store`] when it cannot be recorded.
    pub(super) fn take_try(&self, target: Option<Target>, how: Method, account: Option<&Account>, peer: &Peer, now: Millis) -> Outcome<()> {
        let locked = match (target, account) {
            (_, Some(account)) => account.locked_until,
            (Some(Target::Name(hash)), None) => self.store().name_lock(&hash).map(|l| l.until),
            _ => None,
        };
        let ((waits, what), told) = {
            let mut live = self.live();
            let waits = match locked.filter(|until| now < *until) {
                Some(until) => (until.since(now).min(FAILURES_MS), Waits::Lock),
                None => match live.throttle.take(target, peer.address, now) {
                    Ok(()) => return Ok(()),
                    Err(waits) => waits,
                },
            };
            (waits, live.turned.count(peer, how, account.map(|a| a.id), now))
        };
        if let Some(told) = told {
            self.change(|c| {
                told.write(TURNED_AWAY, &mut c.told, now);
                Ok(())
            })
            .map(drop)?;
        }
        Err(Refused::Locked { retry_after: seconds(waits), what })
    }

    /// Records a try that failed, and locks the account when there were too many: its sessions end.
    pub(super) fn fail(&self, target: Option<Target>, how: Method, why: Option<&str>, peer: &Peer, now: Millis) -> Refused {
        let account = if let Some(Target::Account(id)) = target { Some(id) } else { None };
        let (locks, waits) = {
            let live = self.live();
            (target.filter(|t| live.throttle.is_locked(*t)), live.throttle.waits(target, peer.address, now))
        };
        let done = self.change(|c| {
            c.told.sign(AuthAction::Failure, account, how, why.map(str::to_owned), peer, now);
            let until = now.plus(FAILURES_MS);
            match locks {
                Some(Target::Account(id)) if c.draft.account(id).is_some_and(|a| a.standing == Standing::Active) => {
                    c.draft.change_account(id, |a| a.locked_until = Some(until));
                    c.told.act(PROGRAM, "desk-account-lock", format!("account={id}"), now);
                }
                // A name that nobody has is locked as long, over a restart too: otherwise a restart would tell which names are somebody's.
                Some(Target::Name(name)) => {
                    c.draft.lock_name(name, until, now);
                    c.told.act(PROGRAM, "desk-name-lock", "", now);
                }
                _ => {}
            }
            Ok(())
        });
        match done {
            Ok(((), held)) => {
                if let Some(Target::Account(id)) = locks {
                    self.live().sessions.end_account(id, None);
                }
                drop(held);
                Refused::WrongCredentials { retry_after: seconds(waits) }
            }
            Err(refused) => refused,
        }
    }

    /// A first factor was right: the sign-in is complete, or waits for a second one. `still` says whether the account is as it was looked at.
    pub(super) fn first_factor(
        &self,
        id: Id,
        how: Method,
        still: impl FnOnce(&Account) -> bool,
        peer: &Peer,
        now: Millis,
    ) -> Outcome<SignedIn> {
        let (next, held) = self.change(|c| {
            let account = c.draft.account(id).filter(|a| a.is_usable(now) && still(a));
            let next = account.ok_or(Refused::WrongCredentials { retry_after: 0 })?.next();
            if !matches!(next, Some(Next::Totp | Next::Passkey)) {
                c.draft.change_account(id, |a| a.last_sign_in = Some(now));
                c.told.sign(AuthAction::SignIn, Some(id), how, next.map(|n| n.name().to_owned()), peer, now);
            }
            Ok(next)
        })?;
        let mut live = self.live();
        live.throttle.right(Some(id), !matches!(next, Some(Next::Totp | Next::Passkey)), peer.address, now);
        let cookie = live.sessions.begin(id, next, now, peer, now);
        if how == Method::Password {
            live.sessions.prove(&cookie, now);
        }
        drop((live, held));
        Ok(SignedIn { cookie, next, account: id })
    }
}
