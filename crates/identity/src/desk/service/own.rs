//! One's own account: factors, password, sessions.

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::AuthAction;

use super::passkeys::{keeps_a_factor, session_key};
use super::{Desk, Held, Outcome};
use crate::desk::account::{Account, Totp};
use crate::desk::ceremony::{Ceremony, Of};
use crate::desk::limits::PROOF_MS;
use crate::desk::password::acceptable;
use crate::desk::records::Method;
use crate::desk::refused::Refused;
use crate::desk::roles::Capability;
use crate::desk::store::Look;
use crate::desk::throttle::Target;
use crate::desk::totp;
use crate::desk::views::{By, Caller, FactorsView, PasskeyView, SessionLine, SignedIn, TotpBegun};

const UNAVAILABLE: Refused = Refused::Conflict("The password could not be hashed: there is too little memory.");

impl Desk {
    /// The caller's own account.
    pub(super) fn own(&self, caller: &Caller, now: Millis) -> Outcome<Account> {
        caller.needs(Capability::Own)?;
        self.store().account(caller.account).filter(|a| a.is_usable(now)).cloned().ok_or(Refused::NotSignedIn)
    }

    /// Gives the caller's session a new cookie after a step that changed what it can do. Nothing of a sign-in is missing then.
    pub(super) fn renewed(&self, caller: &Caller, held: Held<'_>, now: Millis) -> Outcome<SignedIn> {
        let By::Session(id) = caller.by else { return Err(Refused::NotSignedIn) };
        let cookie = self.live().sessions.renew(caller.account, id, None, now).ok_or(Refused::NotSignedIn)?;
        drop(held);
        Ok(SignedIn { cookie, next: None, account: caller.account })
    }

    /// Refuses what needs a password or a passkey that was proved not long ago. A provider's word is none: it may have been asked long before.
    pub(super) fn fresh(&self, caller: &Caller, now: Millis) -> Outcome<()> {
        let By::Session(id) = caller.by else { return Err(Refused::NotAllowed("A token does not do this.")) };
        let live = self.live();
        let session = live.sessions.by_id(id, now).filter(|s| s.account == caller.account).ok_or(Refused::NotSignedIn)?;
        match session.proved.is_some_and(|at| (0..PROOF_MS).contains(&now.since(at))) {
            true => Ok(()),
            false => Err(Refused::SignInAgain),
        }
    }

    /// How the account signs in.
    ///
    /// # Errors
    /// [`Refused::FactorNeeded`] while the sign-in is half done.
    pub fn factors(&self, caller: &Caller, now: Millis) -> Outcome<FactorsView> {
        let account = self.own(caller, now)?;
        let passkey = |p: &crate::desk::account::Passkey| PasskeyView { id: p.id, name: p.name.clone(), since: p.since, used: p.used };
        Ok(FactorsView {
            password: account.password.is_some(),
            totp: account.totp.is_some(),
            passkeys: account.passkeys.iter().map(passkey).collect(),
            providers: account.subjects.iter().map(|s| s.provider.clone()).collect(),
        })
    }

    /// Changes the password. The account's other sessions end, this one gets a new cookie.
    ///
    /// # Errors
    /// [`Refused::SignInAgain`], [`Refused::WrongCredentials`] or [`Refused::Locked`] for the old one, [`Refused::Bad`] for the new one,
    /// [`Refused::Store`].
    pub fn password_change(&self, caller: &Caller, old: &str, new: &str, now: Millis) -> Outcome<SignedIn> {
        let account = self.own(caller, now)?;
        caller.complete.then_some(()).ok_or(Refused::FactorNeeded)?;
        self.fresh(caller, now)?;
        acceptable(new, &account.login, &self.settings.names())?;
        let target = Some(Target::Account(account.id));
        self.take_try(target, Method::Password, Some(&account), &caller.peer, now)?;
        if !self.passwords.check(account.password.as_ref(), old) {
            return Err(self.fail(target, Method::Password, Some("password-change"), &caller.peer, now));
        }
        let stored = self.passwords.make(new).ok_or(UNAVAILABLE)?;
        let ((), held) = self.change(|c| {
            if c.draft.account(account.id).is_none_or(|a| a.password != account.password) {
                return Err(Refused::Conflict("The password was changed meanwhile."));
            }
            c.draft.change_account(account.id, |a| a.password = Some(stored));
            c.told.act(&caller.actor(), "desk-password-change", "", now);
            Ok(())
        })?;
        let mut live = self.live();
        live.throttle.right(Some(account.id), true, caller.peer.address, now);
        let by = if let By::Session(id) = caller.by { Some(id) } else { None };
        live.sessions.end_account(account.id, by);
        drop(live);
        let done = self.renewed(caller, held, now)?;
        self.live().sessions.prove(&done.cookie, now);
        Ok(done)
    }

    /// Begins to set TOTP up. What is set up stays until the new one is proved.
    ///
    /// # Errors
    /// [`Refused::FactorNeeded`] while the sign-in is half done.
    pub fn totp_begin(&self, caller: &Caller, now: Millis) -> Outcome<TotpBegun> {
        let account = self.own(caller, now)?;
        self.fresh(caller, now)?;
        let key = session_key(caller)?;
        let secret = totp::secret();
        let begun = TotpBegun { secret: totp::base32(&secret), uri: totp::uri(&secret, &self.settings.title, &account.login) };
        self.live().ceremonies.begin(key, Of::Totp, Ceremony::Totp { secret }, caller.peer.address, now);
        Ok(begun)
    }

    /// Proves that the app has the secret; the session gets a new cookie. The code is used by that.
    ///
    /// # Errors
    /// [`Refused::Expired`] without a set-up under way, [`Refused::Bad`] for a wrong code, [`Refused::Conflict`] for a secret that some
    /// account has already, [`Refused::Store`].
    pub fn totp_finish(&self, caller: &Caller, code: &str, now: Millis) -> Outcome<SignedIn> {
        self.own(caller, now)?;
        self.fresh(caller, now)?;
        let key = session_key(caller)?;
        let secret = match self.live().ceremonies.look(key, Of::Totp, now) {
            Some(Ceremony::Totp { secret }) => secret.clone(),
            _ => return Err(Refused::Expired("TOTP set-up")),
        };
        let wrong = || Refused::bad("code", "The code is not right: look at the app's clock, and take the newest code.");
        let step = totp::check(&secret, code, None, now).ok_or_else(wrong)?;
        let ((), held) = self.change(|c| {
            if c.draft.by_totp(&secret).is_some() {
                return Err(Refused::Conflict("This secret belongs to an account already: one secret, one account."));
            }
            c.draft.change_account(caller.account, |a| a.totp = Some(Totp { secret: secret.clone(), used: Some(step) }));
            c.told.act(&caller.actor(), "desk-factor-enrol", "factor=totp", now);
            Ok(())
        })?;
        drop(self.live().ceremonies.take(key, Of::Totp, now));
        self.renewed(caller, held, now)
    }

    /// Removes TOTP, unless it is the last second factor of an account that must have one.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::Conflict`], [`Refused::Store`].
    pub fn totp_remove(&self, caller: &Caller, now: Millis) -> Outcome<()> {
        self.own(caller, now)?;
        self.fresh(caller, now)?;
        self.change(|c| {
            let account = c.draft.account(caller.account).ok_or(Refused::NotSignedIn)?;
            account.totp.as_ref().ok_or(Refused::NotFound("TOTP of this account"))?;
            keeps_a_factor(account, account.passkeys.len())?;
            c.draft.change_account(caller.account, |a| a.totp = None);
            c.told.act(&caller.actor(), "desk-factor-remove", "factor=totp", now);
            Ok(())
        })
        .map(drop)
    }

    /// Sessions of the account, newest first.
    ///
    /// # Errors
    /// [`Refused::FactorNeeded`] while the sign-in is half done.
    pub fn sessions(&self, caller: &Caller, now: Millis) -> Outcome<Vec<SessionLine>> {
        self.own(caller, now)?;
        let live = self.live();
        let line = |s: &crate::desk::session::Session| SessionLine {
            id: s.id,
            since: s.since,
            used: s.used,
            peer: s.peer.clone(),
            current: caller.by == By::Session(s.id),
        };
        Ok(live.sessions.of(caller.account, now).into_iter().map(line).collect())
    }

    /// Ends one of the account's sessions. It ends even when that cannot be recorded.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::Store`].
    pub fn end_session(&self, caller: &Caller, id: Id, now: Millis) -> Outcome<()> {
        self.own(caller, now)?;
        self.live().sessions.end_id(caller.account, id).ok_or(Refused::NotFound("session"))?;
        self.change(|c| {
            c.told.sign(AuthAction::SignOut, Some(caller.account), Method::Password, Some("ended".into()), &caller.peer, now);
            Ok(())
        })
        .map(drop)
    }
}
