//! Signing in again within a session: what changes factors, password or tokens needs a proof that is not old. The session gets a new cookie and
//! stays the same one otherwise.

use serde_json::Value;
use weir_base::crypto::random;
use weir_base::time::Millis;
use weir_record::kinds::AuthAction;

use super::passkeys::session_key;
use super::{Desk, Held, Outcome};
use crate::desk::ceremony::{Ceremony, Of};
use crate::desk::records::Method;
use crate::desk::refused::Refused;
use crate::desk::store::Look;
use crate::desk::throttle::Target;
use crate::desk::totp;
use crate::desk::views::{By, Caller, SignedIn};
use crate::desk::webauthn;

/// What the records of it say.
const AGAIN: &str = "again";

impl Desk {
    /// Proves the password once more, and the second factor where it is TOTP; an account whose second factor is a passkey uses that instead.
    ///
    /// # Errors
    /// [`Refused::WrongCredentials`], [`Refused::Locked`], [`Refused::FactorNeeded`] without a code or where only a passkey does,
    /// [`Refused::Store`].
    pub fn again(&self, caller: &Caller, password: &str, code: Option<&str>, now: Millis) -> Outcome<SignedIn> {
        let account = self.own(caller, now)?;
        let target = Some(Target::Account(account.id));
        self.take_try(target, Method::Password, Some(&account), &caller.peer, now)?;
        if !self.passwords.check(account.password.as_ref(), password) {
            return Err(self.fail(target, Method::Password, Some(AGAIN), &caller.peer, now));
        }
        let code = code.map(str::trim).filter(|code| !code.is_empty());
        if (account.totp.is_some() && code.is_none()) || (account.totp.is_none() && !account.passkeys.is_empty()) {
            self.live().throttle.right(Some(account.id), false, caller.peer.address, now);
            return Err(Refused::FactorNeeded);
        }
        let how = if account.totp.is_some() { Method::Totp } else { Method::Password };
        let (right, held) = self.change(|c| {
            let known = c.draft.account(account.id).filter(|a| a.is_usable(now) && a.password == account.password);
            let known = known.ok_or(Refused::NotSignedIn)?;
            if let Some(totp) = &known.totp {
                let Some(step) = code.and_then(|code| totp::check(&totp.secret, code, totp.used, now)) else { return Ok(false) };
                c.draft.change_account(account.id, |a| {
                    if let Some(totp) = &mut a.totp {
                        totp.used = Some(step);
                    }
                });
            }
            c.told.sign(AuthAction::SignIn, Some(account.id), how, Some(AGAIN.into()), &caller.peer, now);
            Ok(true)
        })?;
        if !right {
            drop(held);
            return Err(self.fail(target, Method::Totp, Some(AGAIN), &caller.peer, now));
        }
        self.live().throttle.right(Some(account.id), true, caller.peer.address, now);
        self.proved(caller, held, now)
    }

    /// Options for proving a passkey of the account once more.
    ///
    /// # Errors
    /// [`Refused::Conflict`] when `host` is none of the configured host names, [`Refused::NotFound`] when the account has no passkey for it.
    pub fn again_passkey_begin(&self, caller: &Caller, host: &str, now: Millis) -> Outcome<Value> {
        let account = self.own(caller, now)?;
        let (rp, key) = (self.relying_party(host)?, session_key(caller)?);
        let allow: Vec<&[u8]> = account.passkeys.iter().filter(|p| p.rp == rp).map(|p| &p.credential[..]).collect();
        if allow.is_empty() {
            return Err(Refused::NotFound("passkey of this account"));
        }
        let challenge = random::<32>();
        let options = webauthn::request(&challenge, &rp, &allow);
        self.live().ceremonies.begin(key, Of::SignIn, Ceremony::SignIn { challenge, rp }, caller.peer.address, now);
        Ok(options)
    }

    /// Proves a passkey of the account once more.
    ///
    /// # Errors
    /// [`Refused::Expired`] without a ceremony under way, [`Refused::WrongCredentials`], [`Refused::Locked`], [`Refused::Store`].
    pub fn again_passkey_finish(&self, caller: &Caller, credential: &Value, now: Millis) -> Outcome<SignedIn> {
        let account = self.own(caller, now)?;
        let taken = self.live().ceremonies.take(session_key(caller)?, Of::SignIn, now);
        let Some(Ceremony::SignIn { challenge, rp }) = taken else { return Err(Refused::Expired("passkey request")) };
        self.take_try(None, Method::Passkey, Some(&account), &caller.peer, now)?;
        let (done, held) = self.change(|c| match self.passkey_fits(&c.draft, credential, &challenge, &rp, Some(account.id)) {
            Ok((id, count)) => {
                Self::passkey_used(c, id, credential, count, now);
                c.told.sign(AuthAction::SignIn, Some(id), Method::Passkey, Some(AGAIN.into()), &caller.peer, now);
                Ok(None)
            }
            Err(error) => Ok(Some(error)),
        })?;
        if let Some(error) = done {
            drop(held);
            return Err(self.fail(None, Method::Passkey, Some(error.word()), &caller.peer, now));
        }
        self.live().throttle.right(Some(account.id), true, caller.peer.address, now);
        self.proved(caller, held, now)
    }

    /// The session has a fresh proof and a new cookie. What it still needs, it still needs.
    fn proved(&self, caller: &Caller, held: Held<'_>, now: Millis) -> Outcome<SignedIn> {
        let By::Session(id) = caller.by else { return Err(Refused::NotSignedIn) };
        let mut live = self.live();
        let next = live.sessions.by_id(id, now).ok_or(Refused::NotSignedIn)?.next;
        let cookie = live.sessions.renew(caller.account, id, next, now).ok_or(Refused::NotSignedIn)?;
        live.sessions.prove(&cookie, now);
        drop((live, held));
        Ok(SignedIn { cookie, next, account: caller.account })
    }
}
