//! Passkeys: signing in with one, enrolling one, removing one.

use serde_json::Value;
use weir_base::crypto::random;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::AuthAction;

use super::{Change, Desk, Outcome};
use crate::desk::account::{self, Account, Passkey, Standing};
use crate::desk::ceremony::{self, Ceremony, Of};
use crate::desk::limits::PASSKEYS;
use crate::desk::records::Method;
use crate::desk::refused::Refused;
use crate::desk::settings::Origin;
use crate::desk::store::Look;
use crate::desk::views::{By, Caller, Peer, SignedIn};
use crate::desk::webauthn::{self, Assertion, Expected, Known, PasskeyError};

const NO_CEREMONY: Refused = Refused::Expired("passkey request");

impl Desk {
    /// The relying party's id for the host a browser is at.
    pub(super) fn relying_party(&self, host: &str) -> Outcome<String> {
        let known = self.settings.origins.iter().find(|o| o.host == host);
        match known.filter(|o| o.has_name()) {
            Some(origin) => Ok(origin.host.clone()),
            None => Err(Refused::Conflict("Passkeys are bound to a host name the desk is configured with; this address is none.")),
        }
    }

    /// Origins that belong to a relying party.
    fn origins_of(&self, rp: &str) -> Vec<Origin> {
        self.settings.origins.iter().filter(|o| o.host == rp).cloned().collect()
    }

    /// Options for signing in with a passkey: with a visitor's cookie any passkey, with that of a half-done sign-in one of its account.
    ///
    /// # Errors
    /// [`Refused::Conflict`] when `host` is none of the configured host names.
    pub fn passkey_begin(&self, cookie: &str, host: &str, peer: &Peer, now: Millis) -> Outcome<Value> {
        let rp = self.relying_party(host)?;
        let account = self.half_done(cookie, now).ok().map(|(account, _)| account);
        let allow: Vec<&[u8]> = account.iter().flat_map(|a| &a.passkeys).filter(|p| p.rp == rp).map(|p| &p.credential[..]).collect();
        let challenge = random::<32>();
        let options = webauthn::request(&challenge, &rp, &allow);
        self.live().ceremonies.begin(ceremony::key(cookie), Of::SignIn, Ceremony::SignIn { challenge, rp }, peer.address, now);
        Ok(options)
    }

    /// Signs in with a passkey. It counts as two factors, because its user was verified, and it opens an account that guessed passwords
    /// have locked: nobody guesses a passkey.
    ///
    /// # Errors
    /// [`Refused::Expired`] without a ceremony under way, [`Refused::WrongCredentials`], [`Refused::Locked`], [`Refused::Store`].
    pub fn passkey_finish(&self, cookie: &str, credential: &Value, peer: &Peer, now: Millis) -> Outcome<SignedIn> {
        let (taken, half) = {
            let mut live = self.live();
            let half = live.sessions.find(cookie, now).map(|s| (s.account, s.since));
            (live.ceremonies.take(ceremony::key(cookie), Of::SignIn, now), half)
        };
        let Some(Ceremony::SignIn { challenge, rp }) = taken else { return Err(NO_CEREMONY) };
        self.take_try(None, Method::Passkey, None, peer, now)?;
        let half_account = half.map(|(id, _)| id);
        let done = self.change(|c| match self.passkey_fits(&c.draft, credential, &challenge, &rp, half_account) {
            Ok((id, count)) => {
                Self::passkey_used(c, id, credential, count, now);
                c.draft.change_account(id, |a| (a.last_sign_in, a.locked_until) = (Some(now), None));
                c.told.sign(AuthAction::SignIn, Some(id), Method::Passkey, None, peer, now);
                Ok(Ok(id))
            }
            Err(error) => Ok(Err(error)),
        })?;
        let (Ok(id), held) = done else {
            let why = done.0.err();
            drop(done.1);
            let why = why.map(PasskeyError::word);
            return Err(self.fail(None, Method::Passkey, why, peer, now));
        };
        let mut live = self.live();
        live.throttle.right(Some(id), true, peer.address, now);
        live.sessions.end(cookie);
        let cookie = live.sessions.begin(id, None, half.map_or(now, |(_, since)| since), peer, now);
        live.sessions.prove(&cookie, now);
        drop((live, held));
        Ok(SignedIn { cookie, next: None, account: id })
    }

    /// Writes down that a passkey was used.
    pub(super) fn passkey_used(c: &mut Change<'_>, account: Id, credential: &Value, count: u32, now: Millis) {
        let used = Assertion::read(credential).map(|a| a.credential).unwrap_or_default();
        c.draft.change_account(account, |a| {
            for passkey in a.passkeys.iter_mut().filter(|p| p.credential == used) {
                (passkey.count, passkey.used) = (count, Some(now));
            }
        });
    }

    /// Finds the account of an answer and checks it: gives the account and the new counter.
    pub(super) fn passkey_fits(
        &self,
        look: &impl Look,
        credential: &Value,
        challenge: &[u8],
        rp: &str,
        half: Option<Id>,
    ) -> Result<(Id, u32), PasskeyError> {
        let assertion = Assertion::read(credential)?;
        let account = look.by_credential(&assertion.credential).filter(|a| a.standing == Standing::Active);
        let account = account.ok_or(PasskeyError::Credential)?;
        match half {
            Some(id) if id != account.id => return Err(PasskeyError::Credential),
            // Nobody was named before: the authenticator must say whose passkey it is (section 7.2 step 6).
            None if assertion.user.is_none() => return Err(PasskeyError::Credential),
            _ => (),
        }
        let passkey = account.passkeys.iter().find(|p| p.credential == assertion.credential && p.rp == rp);
        let passkey = passkey.ok_or(PasskeyError::Credential)?;
        let known = Known {
            credential: &passkey.credential,
            key: &passkey.key,
            count: passkey.count,
            backup_eligible: passkey.backup_eligible,
            user: &account.id.0,
        };
        let origins = self.origins_of(rp);
        let expected = Expected { challenge, origins: &origins, rp, verified: true };
        Ok((account.id, assertion.check(&expected, &known)?))
    }

    /// Options for enrolling a passkey.
    ///
    /// # Errors
    /// [`Refused::Conflict`] when `host` is none of the configured host names, [`Refused::TooMany`].
    pub fn passkey_enrol_begin(&self, caller: &Caller, host: &str, now: Millis) -> Outcome<Value> {
        let account = self.own(caller, now)?;
        self.fresh(caller, now)?;
        let rp = self.relying_party(host)?;
        if account.passkeys.len() >= PASSKEYS {
            return Err(Refused::TooMany("passkeys of an account"));
        }
        let exclude: Vec<&[u8]> = account.passkeys.iter().map(|p| &p.credential[..]).collect();
        let challenge = random::<32>();
        let options = webauthn::creation(&challenge, &rp, &self.settings.title, &account.id.0, &account.login, &account.display, &exclude);
        let key = session_key(caller)?;
        self.live().ceremonies.begin(key, Of::Enrol, Ceremony::Enrol { challenge, rp }, caller.peer.address, now);
        Ok(options)
    }

    /// Enrols a passkey; the session gets a new cookie.
    ///
    /// # Errors
    /// [`Refused::Expired`] without a ceremony under way, [`Refused::Bad`] for an answer that is not taken, [`Refused::Conflict`] for a
    /// passkey that some account has already, [`Refused::Store`].
    pub fn passkey_enrol_finish(&self, caller: &Caller, credential: &Value, name: &str, now: Millis) -> Outcome<SignedIn> {
        self.own(caller, now)?;
        self.fresh(caller, now)?;
        account::name("name", name)?;
        let taken = self.live().ceremonies.take(session_key(caller)?, Of::Enrol, now);
        let Some(Ceremony::Enrol { challenge, rp }) = taken else { return Err(NO_CEREMONY) };
        let origins = self.origins_of(&rp);
        let expected = Expected { challenge: &challenge, origins: &origins, rp: &rp, verified: true };
        let new =
            webauthn::register(credential, &expected).map_err(|e| Refused::bad("credential", format!("The passkey is not taken: {e}.")))?;
        let ((), held) = self.change(|c| {
            if c.draft.by_credential(&new.credential).is_some() {
                return Err(Refused::Conflict("This passkey belongs to an account already: one passkey, one account."));
            }
            let full = c.draft.account(caller.account).is_none_or(|a| a.passkeys.len() >= PASSKEYS);
            if full {
                return Err(Refused::TooMany("passkeys of an account"));
            }
            let passkey = Passkey {
                id: Id::random(),
                name: name.to_owned(),
                credential: new.credential,
                key: new.key,
                count: new.count,
                backup_eligible: new.backup_eligible,
                rp,
                since: now,
                used: None,
            };
            c.told.act(&caller.actor(), "desk-factor-enrol", format!("factor=passkey id={}", passkey.id), now);
            c.draft.change_account(caller.account, |a| a.passkeys.push(passkey));
            Ok(())
        })?;
        self.renewed(caller, held, now)
    }

    /// Removes a passkey, unless it is the last second factor of an account that must have one.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::Conflict`], [`Refused::Store`].
    pub fn passkey_remove(&self, caller: &Caller, id: Id, now: Millis) -> Outcome<()> {
        self.own(caller, now)?;
        self.fresh(caller, now)?;
        self.change(|c| {
            let account = c.draft.account(caller.account).ok_or(Refused::NotSignedIn)?;
            if !account.passkeys.iter().any(|p| p.id == id) {
                return Err(Refused::NotFound("passkey"));
            }
            keeps_a_factor(account, account.totp.is_some() as usize + account.passkeys.len() - 1)?;
            c.draft.change_account(caller.account, |a| a.passkeys.retain(|p| p.id != id));
            c.told.act(&caller.actor(), "desk-factor-remove", format!("factor=passkey id={id}"), now);
            Ok(())
        })
        .map(drop)
    }
}

/// The key of what the caller's session has under way.
pub(super) fn session_key(caller: &Caller) -> Outcome<[u8; 32]> {
    match caller.by {
        By::Session(id) => Ok(ceremony::key_of_session(id)),
        By::Token(_) => Err(Refused::NotAllowed("A token does not set up factors.")),
    }
}

/// Refuses to take the last second factor from an account that must have one.
pub(super) fn keeps_a_factor(account: &Account, left: usize) -> Outcome<()> {
    match left == 0 && account.needs_second_factor() {
        true => Err(Refused::Conflict("An account with a role keeps a second factor: set another one up first.")),
        false => Ok(()),
    }
}
