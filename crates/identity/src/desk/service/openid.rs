//! Signing in with an OpenID provider, and linking a subject to an account. What is fetched from the provider, somebody else fetches.

use weir_base::time::Millis;
use weir_record::Id;

use super::{Desk, Outcome};
use crate::desk::account::{Account, Standing, Subject};
use crate::desk::ceremony::{self, Ceremony, Of};
use crate::desk::limits::SUBJECTS;
use crate::desk::oidc::{Flow, Identity, Metadata};
use crate::desk::records::Method;
use crate::desk::refused::Refused;
use crate::desk::secret::{self, same};
use crate::desk::store::Look;
use crate::desk::views::{By, Caller, Peer, SignedIn};

/// The browser is to be sent to a provider.
pub struct OidcBegun {
    /// A short-lived cookie for the way back (SameSite=Lax, because the way back begins at the provider).
    pub cookie: String,
    /// Where to.
    pub url: String,
}

/// A sign-in with a provider on its way back. It was taken out: there is no second one.
pub struct OidcFlow {
    /// Name of the provider.
    pub provider: String,
    /// PKCE verifier.
    pub verifier: String,
    /// Nonce.
    pub nonce: String,
    /// The redirect URI that was sent.
    pub redirect: String,
    /// Session and account that want to link a subject.
    link: Option<(Id, Id)>,
}

/// What came of a sign-in with a provider.
pub enum OidcDone {
    /// Signed in.
    SignedIn(SignedIn),
    /// The subject is now linked to the account that asked for it.
    Linked,
}

impl Desk {
    /// Begins a sign-in with a provider, or with `link` the linking of a subject to the caller's account.
    ///
    /// # Errors
    /// [`Refused::NotFound`] for a provider that is not configured, [`Refused::Conflict`] for another one's metadata.
    pub fn oidc_begin(
        &self,
        provider: &str,
        metadata: &Metadata,
        redirect: &str,
        link: Option<&Caller>,
        peer: &Peer,
        now: Millis,
    ) -> Outcome<OidcBegun> {
        let known = self.settings.provider(provider).ok_or(Refused::NotFound("provider"))?;
        if known.issuer != metadata.issuer {
            return Err(Refused::Conflict("The provider's metadata is of another issuer."));
        }
        let link = match link {
            None => None,
            Some(caller) => {
                self.own(caller, now)?;
                caller.complete.then_some(()).ok_or(Refused::FactorNeeded)?;
                self.fresh(caller, now)?;
                let By::Session(id) = caller.by else { return Err(Refused::NotSignedIn) };
                Some((id, caller.account))
            }
        };
        let (flow, cookie) = (Flow::random(), secret::text());
        let url = flow.url(metadata, &known.client, redirect);
        let waits = Ceremony::Oidc { flow, provider: provider.to_owned(), redirect: redirect.to_owned(), link };
        self.live().ceremonies.begin(ceremony::key(&cookie), Of::Oidc, waits, peer.address, now);
        Ok(OidcBegun { cookie, url })
    }

    /// What the cookie began, once. `state` is what the provider gave back, `provider` the name in the URL.
    ///
    /// # Errors
    /// [`Refused::Expired`] when nothing is under way for the cookie, [`Refused::WrongCredentials`] for another state or provider.
    pub fn oidc_take(&self, cookie: &str, provider: &str, state: &str, now: Millis) -> Outcome<OidcFlow> {
        let taken = self.live().ceremonies.take(ceremony::key(cookie), Of::Oidc, now);
        let Some(Ceremony::Oidc { flow, provider: begun, redirect, link }) = taken else {
            return Err(Refused::Expired("sign-in with a provider"));
        };
        if begun != provider || !same(flow.state.as_bytes(), state.as_bytes()) {
            return Err(Refused::WrongCredentials { retry_after: 0 });
        }
        Ok(OidcFlow { provider: begun, verifier: flow.verifier, nonce: flow.nonce, redirect, link })
    }

    /// Ends a sign-in with a provider, after the ID token was checked against the flow's nonce. A provider is a first factor: an account
    /// with a second one is asked for it.
    ///
    /// # Errors
    /// [`Refused::WrongCredentials`] when no account has the subject, [`Refused::Conflict`] when it cannot be linked, [`Refused::Locked`],
    /// [`Refused::Store`].
    pub fn oidc_finish(&self, flow: OidcFlow, identity: &Identity, peer: &Peer, now: Millis) -> Outcome<OidcDone> {
        if self.settings.provider(&flow.provider).is_none_or(|p| p.issuer != identity.issuer) {
            return Err(Refused::WrongCredentials { retry_after: 0 });
        }
        if let Some((session, account)) = flow.link {
            return self.oidc_link(session, account, &flow.provider, identity, now).map(|()| OidcDone::Linked);
        }
        let known = self.store().by_subject(&identity.issuer, &identity.subject).cloned();
        self.take_try(None, Method::Oidc, known.as_ref(), peer, now)?;
        let Some(account) = known.filter(|a| a.standing == Standing::Active) else {
            return Err(self.fail(None, Method::Oidc, Some("not-linked"), peer, now));
        };
        let linked = |a: &Account| a.subjects.iter().any(|s| s.issuer == identity.issuer && s.subject == identity.subject);
        self.first_factor(account.id, Method::Oidc, linked, peer, now).map(OidcDone::SignedIn)
    }

    /// A sign-in with a provider failed before it came to an account: throttled and recorded.
    pub fn oidc_failed(&self, peer: &Peer, now: Millis) -> Refused {
        match self.take_try(None, Method::Oidc, None, peer, now) {
            Ok(()) => self.fail(None, Method::Oidc, None, peer, now),
            Err(refused) => refused,
        }
    }

    fn oidc_link(&self, session: Id, account: Id, provider: &str, identity: &Identity, now: Millis) -> Outcome<()> {
        if self.live().sessions.by_id(session, now).is_none_or(|s| s.account != account || s.next.is_some()) {
            return Err(Refused::NotSignedIn);
        }
        self.change(|c| {
            if c.draft.by_subject(&identity.issuer, &identity.subject).is_some() {
                return Err(Refused::Conflict("This subject belongs to an account already: one subject, one account."));
            }
            let known = c.draft.account(account).filter(|a| a.is_usable(now)).ok_or(Refused::NotSignedIn)?;
            if known.subjects.len() >= SUBJECTS || known.subjects.iter().any(|s| s.provider == provider) {
                return Err(Refused::Conflict("The account is linked with this provider already, or with too many."));
            }
            let subject = Subject { provider: provider.to_owned(), issuer: identity.issuer.clone(), subject: identity.subject.clone() };
            c.draft.change_account(account, |a| a.subjects.push(subject));
            c.told.act(&format!("account:{account}"), "desk-factor-enrol", format!("factor=oidc provider={provider}"), now);
            Ok(())
        })
        .map(drop)
    }

    /// Removes the link with a provider.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::Store`].
    pub fn oidc_unlink(&self, caller: &Caller, provider: &str, now: Millis) -> Outcome<()> {
        self.own(caller, now)?;
        self.fresh(caller, now)?;
        self.change(|c| {
            let account = c.draft.account(caller.account).ok_or(Refused::NotSignedIn)?;
            account.subjects.iter().find(|s| s.provider == provider).ok_or(Refused::NotFound("link with this provider"))?;
            c.draft.change_account(caller.account, |a| a.subjects.retain(|s| s.provider != provider));
            c.told.act(&caller.actor(), "desk-factor-remove", format!("factor=oidc provider={provider}"), now);
            Ok(())
        })
        .map(drop)
    }
}
