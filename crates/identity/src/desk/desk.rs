//! SKELETON: the public shape of the desk.

use std::sync::Arc;

use serde_json::Value;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::sink::{RecordSink, SinkError};

use super::oidc::{Identity, Metadata};
use super::refused::Refused;
use super::roles::Role;
use super::settings::Settings;
use super::views::*;

/// The desk.
pub struct Desk {}

/// Why the desk does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error("the desk could not register itself: {0}")]
    Sink(#[from] SinkError),
    /// Its state.
    #[error("an entry of the desk's state is not understood ({0}): use the version of weir that wrote it, or a newer one")]
    State(String),
}

/// The browser is to be sent to an OpenID provider.
pub struct OidcBegun {
    /// A short-lived cookie (SameSite=Lax) for the way back.
    pub cookie: String,
    /// Where to.
    pub url: String,
}

/// A sign-in with a provider, on its way back: taken out once.
#[derive(Clone)]
pub struct OidcFlow {
    /// Name of the provider.
    pub provider: String,
    /// PKCE verifier (RFC 7636).
    pub verifier: String,
    /// Nonce.
    pub nonce: String,
    /// The redirect URI that was sent.
    pub redirect: String,
    pub(super) link: Option<(Id, Id)>,
}

/// What came of a sign-in with a provider.
pub enum OidcDone {
    /// Signed in.
    SignedIn(SignedIn),
    /// The subject is now linked to the account that asked.
    Linked,
}

type R<T> = Result<T, Refused>;

#[allow(unused_variables, missing_docs)]
impl Desk {
    pub fn open(sink: Arc<dyn RecordSink>, settings: Settings, now: Millis) -> Result<Desk, OpenError> {
        todo!()
    }
    pub fn settings(&self) -> &Settings {
        todo!()
    }
    /// The token of the link that makes the first account; none once there is one. The same until the program ends.
    pub fn setup_link(&self, now: Millis) -> Option<String> {
        todo!()
    }
    /// True once the three administrators were all there at one time.
    pub fn is_setup(&self) -> bool {
        todo!()
    }
    /// True while there is no account at all (`setup` of the session JSON).
    pub fn is_empty(&self) -> bool {
        todo!()
    }
    /// Ends what has ended: approvals, emergencies, invitations, sessions. Call it every few seconds.
    pub fn tick(&self, now: Millis) -> R<()> {
        todo!()
    }
    pub fn notices(&self, now: Millis) -> Vec<Notice> {
        todo!()
    }

    /// A cookie for somebody who is not signed in: carries CSRF protection and ceremonies, nothing is kept for it.
    pub fn visitor(&self) -> String {
        todo!()
    }
    /// The CSRF text of any cookie, of a visitor's too.
    pub fn csrf(&self, cookie: &str) -> String {
        todo!()
    }
    /// Compares in constant time.
    pub fn csrf_fits(&self, cookie: &str, text: &str) -> bool {
        todo!()
    }
    /// Records that a request without the right CSRF text or origin came (bounded by address).
    pub fn csrf_failed(&self, account: Option<Id>, peer: &Peer, now: Millis) -> R<()> {
        todo!()
    }
    /// The session of a cookie; counts as use of it. Half-done ones too: see `next` and `caller.complete`.
    pub fn session(&self, cookie: &str, peer: &Peer, now: Millis) -> Option<SessionView> {
        todo!()
    }
    /// The caller of `Authorization: Bearer TOKEN`.
    pub fn bearer(&self, token: &str, peer: &Peer, now: Millis) -> R<Caller> {
        todo!()
    }
    pub fn password(&self, login: &str, password: &str, peer: &Peer, now: Millis) -> R<SignedIn> {
        todo!()
    }
    pub fn totp(&self, cookie: &str, code: &str, peer: &Peer, now: Millis) -> R<SignedIn> {
        todo!()
    }
    /// `host` is the host of the origin the browser is at. Works with a visitor's cookie and with a half-done sign-in's.
    pub fn passkey_begin(&self, cookie: &str, host: &str, peer: &Peer, now: Millis) -> R<Value> {
        todo!()
    }
    pub fn passkey_finish(&self, cookie: &str, credential: &Value, peer: &Peer, now: Millis) -> R<SignedIn> {
        todo!()
    }
    /// `link`: the account that wants to link a subject; none to sign in.
    pub fn oidc_begin(
        &self,
        provider: &str,
        metadata: &Metadata,
        redirect: &str,
        link: Option<&Caller>,
        peer: &Peer,
        now: Millis,
    ) -> R<OidcBegun> {
        todo!()
    }
    /// What the cookie began, once: `state` as the provider gave it back.
    pub fn oidc_take(&self, cookie: &str, state: &str, now: Millis) -> R<OidcFlow> {
        todo!()
    }
    pub fn oidc_finish(&self, flow: OidcFlow, identity: &Identity, peer: &Peer, now: Millis) -> R<OidcDone> {
        todo!()
    }
    /// A sign-in with a provider failed (bad token, …): throttled and recorded.
    pub fn oidc_failed(&self, peer: &Peer, now: Millis) -> Refused {
        todo!()
    }
    pub fn sign_out(&self, cookie: &str, peer: &Peer, now: Millis) -> R<()> {
        todo!()
    }

    pub fn factors(&self, caller: &Caller) -> R<FactorsView> {
        todo!()
    }
    /// Ends the other sessions of the account.
    pub fn password_change(&self, caller: &Caller, old: &str, new: &str, now: Millis) -> R<SignedIn> {
        todo!()
    }
    pub fn totp_begin(&self, caller: &Caller, now: Millis) -> R<TotpBegun> {
        todo!()
    }
    pub fn totp_finish(&self, caller: &Caller, code: &str, now: Millis) -> R<SignedIn> {
        todo!()
    }
    pub fn totp_remove(&self, caller: &Caller, now: Millis) -> R<()> {
        todo!()
    }
    pub fn passkey_enrol_begin(&self, caller: &Caller, host: &str, now: Millis) -> R<Value> {
        todo!()
    }
    pub fn passkey_enrol_finish(&self, caller: &Caller, credential: &Value, name: &str, now: Millis) -> R<SignedIn> {
        todo!()
    }
    pub fn passkey_remove(&self, caller: &Caller, id: Id, now: Millis) -> R<()> {
        todo!()
    }
    pub fn sessions(&self, caller: &Caller, now: Millis) -> R<Vec<SessionLine>> {
        todo!()
    }
    pub fn end_session(&self, caller: &Caller, id: Id, now: Millis) -> R<()> {
        todo!()
    }
    pub fn tokens(&self, caller: &Caller, now: Millis) -> R<Vec<TokenView>> {
        todo!()
    }
    pub fn token_make(&self, caller: &Caller, name: &str, scope: &[String], days: u32, now: Millis) -> R<TokenView> {
        todo!()
    }
    pub fn token_remove(&self, caller: &Caller, id: Id, now: Millis) -> R<()> {
        todo!()
    }

    pub fn accounts(&self, caller: &Caller, now: Millis) -> R<Vec<AccountView>> {
        todo!()
    }
    /// The name of an account, for the ledger.
    pub fn display(&self, account: Id) -> Option<String> {
        todo!()
    }
    /// The account and name behind a token, for the ledger.
    pub fn display_of_token(&self, token: Id) -> Option<String> {
        todo!()
    }
    pub fn invite(&self, caller: &Caller, display: &str, roles: &[Role], person: Option<Id>, reason: &str, now: Millis) -> R<Changed> {
        todo!()
    }
    pub fn accept(&self, token: &str, login: &str, display: &str, password: &str, peer: &Peer, now: Millis) -> R<SignedIn> {
        todo!()
    }
    pub fn roles_change(&self, caller: &Caller, account: Id, roles: &[Role], reason: &str, now: Millis) -> R<Changed> {
        todo!()
    }
    pub fn recover(&self, caller: &Caller, account: Id, reason: &str, now: Millis) -> R<Changed> {
        todo!()
    }
    pub fn disable(&self, caller: &Caller, account: Id, reason: &str, now: Millis) -> R<Changed> {
        todo!()
    }
    pub fn enable(&self, caller: &Caller, account: Id, reason: &str, now: Millis) -> R<Changed> {
        todo!()
    }
    pub fn unlock(&self, caller: &Caller, account: Id, reason: &str, now: Millis) -> R<Changed> {
        todo!()
    }

    /// All for `approvals.read`; one's own for everybody.
    pub fn approvals(&self, caller: &Caller, now: Millis) -> R<Vec<ApprovalView>> {
        todo!()
    }
    pub fn approval(&self, caller: &Caller, id: Id, now: Millis) -> R<ApprovalView> {
        todo!()
    }
    /// The link that an approval led to: for the one who asked, once.
    pub fn approval_result(&self, caller: &Caller, id: Id, now: Millis) -> R<String> {
        todo!()
    }
    /// Asks for a settings change: `kind` `setting-change`; used with [`Desk::take`].
    pub fn ask(&self, caller: &Caller, kind: &str, content: &Value, reason: &str, now: Millis) -> R<Id> {
        todo!()
    }
    pub fn confirm(&self, caller: &Caller, id: Id, digest: &str, now: Millis) -> R<ApprovalView> {
        todo!()
    }
    pub fn refuse(&self, caller: &Caller, id: Id, reason: &str, now: Millis) -> R<ApprovalView> {
        todo!()
    }
    pub fn withdraw(&self, caller: &Caller, id: Id, now: Millis) -> R<ApprovalView> {
        todo!()
    }
    /// Uses a confirmed approval of exactly this content: `Ok` once, then do it.
    pub fn take(&self, caller: &Caller, id: Id, kind: &str, content: &Value, now: Millis) -> R<()> {
        todo!()
    }
    /// As [`Desk::take`], for an account of the socket, which cannot be the one who confirmed.
    pub fn take_socket(&self, actor: &str, id: Id, kind: &str, content: &Value, now: Millis) -> R<()> {
        todo!()
    }
    pub fn break_glass(&self, caller: &Caller, role: Role, minutes: u32, reason: &str, now: Millis) -> R<Changed> {
        todo!()
    }
    /// Ends one's own emergency before its time.
    pub fn break_glass_end(&self, caller: &Caller, now: Millis) -> R<()> {
        todo!()
    }
}
