//! One-use links: the first account, new accounts, recovery.

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::AuthAction;

use super::{Change, Desk, Outcome};
use crate::desk::account::{self, Account, Invitation, Standing};
use crate::desk::ended::{EndedLink, LinkEnd, setup_key};
use crate::desk::limits::{CODE_TRIES, INVITATION_MS, INVITATIONS};
use crate::desk::password::{Stored, acceptable};
use crate::desk::records::{Method, PROGRAM};
use crate::desk::refused::Refused;
use crate::desk::roles::Role;
use crate::desk::secret::{self, Hash, same};
use crate::desk::store::{Entry, Look, Meta};
use crate::desk::turned::ENDED;
use crate::desk::views::{Accept, FirstLink, LinkView, Peer, SignedIn};

/// What the token of the first link begins with.
pub const SETUP: &str = "setup_";
/// What the tokens of other links begin with.
const LINK: &str = "link_";

/// What a link leads to.
#[derive(Clone)]
enum Leads {
    /// The first account.
    Setup,
    /// An account that is new, or is to be recovered, with the link.
    Account(Box<(Account, Invitation)>),
    /// Nowhere any more: how it ended, and the account it was for where that is known.
    Ended(LinkEnd, Option<Id>),
}

impl Desk {
    /// The token of the link that makes the first account; none once there is one. It stays the same until the program ends.
    pub fn setup_link(&self, _now: Millis) -> Option<String> {
        self.is_empty().then(|| self.setup.clone())
    }

    /// A link for who stands at the machine itself, while the unit is being set up: the first account's, or, when it is there, one that gives it
    /// new factors. `actor` is who asks, for the record.
    ///
    /// # Errors
    /// [`Refused::Conflict`] once the unit is set up, [`Refused::TooMany`], [`Refused::Store`].
    pub fn first_link(&self, actor: &str, now: Millis) -> Outcome<FirstLink> {
        self.change(|c| {
            if c.draft.meta().setup_at.is_some() {
                return Err(Refused::Conflict("The unit is set up: two persons recover an account at the desk."));
            }
            let all = c.draft.accounts();
            let first = all.iter().filter(|a| a.standing == Standing::Active && a.roles.contains(&Role::SystemAdmin));
            let Some(first) = first.min_by_key(|a| (a.since, a.id)) else {
                return match all.is_empty() {
                    true => {
                        c.told.act(actor, "desk-account-link", "setup=yes", now);
                        Ok(FirstLink { token: self.setup.clone(), login: None })
                    }
                    false => Err(Refused::Conflict("No system administrator is in use: another administrator gives a link at the desk.")),
                };
            };
            let (id, login) = (first.id, first.login.clone());
            let token = link(c, id, None, now)?;
            c.told.act(actor, "desk-account-link", format!("account={id} setup=yes"), now);
            Ok(FirstLink { token, login: Some(login) })
        })
        .map(|(link, _)| link)
    }

    /// What a link leads to. It is not used by that.
    ///
    /// # Errors
    /// [`Refused::WrongCredentials`] for a link that never was, [`Refused::LinkEnded`] for one that ended, [`Refused::Locked`],
    /// [`Refused::Store`].
    pub fn link_view(&self, token: &str, peer: &Peer, now: Millis) -> Outcome<LinkView> {
        self.take_try(None, Method::Link, None, peer, now)?;
        let leads = self.led(token, peer, now)?;
        self.live().throttle.right(None, false, peer.address, now);
        Ok(match leads {
            Leads::Setup | Leads::Ended(..) => LinkView::default(),
            Leads::Account(both) => LinkView {
                display: Some(both.0.display),
                recovers: both.0.standing == Standing::Active,
                code_needed: both.1.code.is_some(),
                expires: Some(both.1.expires),
            },
        })
    }

    /// What a link leads to, of a try that was charged. One that ended was no guess: the charge is taken back, and it is recorded; one that never was
    /// is a failure.
    fn led(&self, token: &str, peer: &Peer, now: Millis) -> Outcome<Leads> {
        let found = leads_to(self, &*self.store(), token, now);
        match found {
            None => Err(self.fail(None, Method::Link, None, peer, now)),
            Some(Leads::Ended(how, account)) => {
                self.live().throttle.right(None, false, peer.address, now);
                // A place that opens it again and again is recorded once a minute, with how often.
                let line = self.live().ended.count(peer, Method::Link, account, now);
                self.turned_away(ENDED, line.as_slice(), now)?;
                Err(Refused::LinkEnded(how))
            }
            Some(leads) => Ok(leads),
        }
    }

    /// Is the code the one that the link needs? Five wrong ones make it void.
    fn code_fits(&self, leads: &Leads, code: Option<&str>, peer: &Peer, now: Millis) -> Outcome<()> {
        let Leads::Account(both) = leads else { return Ok(()) };
        let (account, invitation) = (both.0.id, &both.1);
        match code.map(str::trim).filter(|code| !code.is_empty()) {
            _ if invitation.code.is_none() => return Ok(()),
            Some(code) if invitation.opens(code) => return Ok(()),
            None => {
                self.live().throttle.right(None, false, peer.address, now);
                return Err(Refused::CodeNeeded);
            }
            Some(_) => {}
        }
        let (left, _held) = self.change(|c| {
            c.told.sign(AuthAction::Failure, Some(account), Method::Link, Some("code".into()), peer, now);
            let Some(mut known) = c.draft.invitation(invitation.id).cloned() else { return Ok(0) };
            known.tries += 1;
            let left = CODE_TRIES.saturating_sub(known.tries);
            if left == 0 {
                c.draft.end_links_of(account, LinkEnd::Void, now);
                let detail = format!("account={account} approval={}", known.approval.unwrap_or_default());
                c.told.refused(PROGRAM, "desk-account-link", detail, "void", now);
            } else {
                c.draft.put(Entry::Invitation(known));
            }
            Ok(left)
        })?;
        Err(Refused::CodeWrong { left })
    }

    /// Becomes an account, or gets one back, and signs in. `display` counts for the first account alone: the name of another one is what
    /// was confirmed. A recovered account keeps its sign-in name, which must be given; its factors, tokens and provider links are gone.
    ///
    /// # Errors
    /// [`Refused::WrongCredentials`] for a link that never was, [`Refused::LinkEnded`] for one that ended, [`Refused::Bad`],
    /// [`Refused::CodeNeeded`] and [`Refused::CodeWrong`] for the code of a link that two persons decided on, [`Refused::Conflict`] for a sign-in
    /// name that is taken, [`Refused::Locked`], [`Refused::Store`].
    pub fn accept(&self, new: &Accept<'_>, peer: &Peer, now: Millis) -> Outcome<SignedIn> {
        let Accept { token, login, display, password, code } = *new;
        self.take_try(None, Method::Link, None, peer, now)?;
        let leads = self.led(token, peer, now)?;
        self.code_fits(&leads, code, peer, now)?;
        // The link is real: a name that is taken or a short password is no guess.
        self.live().throttle.right(None, false, peer.address, now);
        account::login(login)?;
        acceptable(password, login, &self.settings.names())?;
        if matches!(leads, Leads::Setup) {
            account::name("display", display)?;
        }
        let stored =
            self.passwords.make(password).ok_or(Refused::Conflict("The password could not be hashed: there is too little memory."))?;
        let (id, held) = self.change(|c| {
            // Somebody may have been faster.
            let leads = match leads_to(self, &c.draft, token, now) {
                Some(Leads::Ended(how, _)) => return Err(Refused::LinkEnded(how)),
                None => return Err(Refused::LinkEnded(LinkEnd::Used)),
                Some(leads) => leads,
            };
            if let Leads::Account(both) = &leads {
                both.1.opens(code.unwrap_or_default()).then_some(()).ok_or(Refused::LinkEnded(LinkEnd::Void))?;
            }
            let setup = matches!(leads, Leads::Setup).then(|| setup_key(token));
            accepted(c, leads, login, display, stored, now).inspect(|id| {
                if let Some((key, hash)) = setup {
                    c.draft.keep_ended(EndedLink { id: key, account: *id, hash, at: now, how: LinkEnd::Used });
                }
                c.told.sign(AuthAction::SignIn, Some(*id), Method::Link, None, peer, now);
            })
        })?;
        let next = self.store().account(id).and_then(Account::next);
        let mut live = self.live();
        live.throttle.forget(id);
        live.sessions.end_account(id, None);
        let cookie = live.sessions.begin(id, next, now, peer, now);
        live.sessions.prove(&cookie, now);
        drop((live, held));
        Ok(SignedIn { cookie, next, account: id })
    }
}

/// What a token leads to; none when it never led anywhere.
fn leads_to(desk: &Desk, look: &impl Look, token: &str, now: Millis) -> Option<Leads> {
    let ended = |id: Id, hash: Hash| {
        let known = look.ended_link(id).filter(|e| same(&e.hash, &hash))?;
        Some(Leads::Ended(known.how, Some(known.account)))
    };
    if token.starts_with(SETUP) {
        if !same(token.as_bytes(), desk.setup.as_bytes()) {
            let (id, hash) = setup_key(token);
            return ended(id, hash);
        }
        return Some(if look.accounts().is_empty() { Leads::Setup } else { Leads::Ended(LinkEnd::Used, None) });
    }
    let (id, hash) = secret::split(LINK, token)?;
    let Some(invitation) = look.invitation(id) else { return ended(id, hash) };
    if !same(&invitation.hash, &hash) {
        return None;
    }
    if now >= invitation.expires {
        return Some(Leads::Ended(LinkEnd::Over, Some(invitation.account)));
    }
    Some(match look.account(invitation.account).filter(|a| a.standing != Standing::Disabled) {
        Some(account) => Leads::Account(Box::new((account.clone(), invitation.clone()))),
        None => Leads::Ended(LinkEnd::Void, Some(invitation.account)),
    })
}

fn accepted(c: &mut Change<'_>, leads: Leads, login: &str, display: &str, password: Stored, now: Millis) -> Outcome<Id> {
    let mut account = match leads {
        Leads::Setup => Account::invited(Id::random(), display, &[Role::SystemAdmin], now),
        Leads::Account(both) => both.0,
        Leads::Ended(how, _) => return Err(Refused::LinkEnded(how)),
    };
    let recovered = account.standing == Standing::Active;
    if recovered && account.login != login {
        return Err(Refused::bad("login", "The link is for an account with another sign-in name: give the one it has."));
    }
    if c.draft.by_login(login).is_some_and(|other| other.id != account.id) {
        return Err(Refused::Conflict("This sign-in name is taken."));
    }
    let id = account.id;
    account.login = login.to_owned();
    account.standing = Standing::Active;
    (account.password, account.last_sign_in, account.locked_until) = (Some(password), Some(now), None);
    account.totp = None;
    account.passkeys.clear();
    account.subjects.clear();
    c.draft.put(Entry::Account(account));
    let tokens: Vec<Id> = c.draft.tokens_of(id).into_iter().map(|t| t.id).collect();
    tokens.into_iter().for_each(|token| c.draft.remove_token(token));
    c.draft.end_links_of(id, LinkEnd::Used, now);
    let action = if recovered { "desk-account-recovered" } else { "desk-account-accept" };
    c.told.act(&format!("account:{id}"), action, format!("account={id}"), now);
    let there = |role: Role| c.draft.accounts().into_iter().any(|a| a.standing == Standing::Active && a.roles.contains(&role));
    if c.draft.meta().setup_at.is_none() && Role::ADMINS.into_iter().all(there) {
        c.draft.put(Entry::Meta(Meta { setup_at: Some(now) }));
        c.told.act(PROGRAM, "desk-setup-done", "", now);
    }
    Ok(id)
}

/// Makes a link for an account; links it had before are void. `half`: the approval it came of, and the hash of the code that it needs then. Gives
/// its token.
pub(super) fn link(c: &mut Change<'_>, account: Id, half: Option<(Id, Hash)>, now: Millis) -> Outcome<String> {
    c.draft.end_links_of(account, LinkEnd::Replaced, now);
    if c.draft.invitations().into_iter().filter(|i| now < i.expires).count() >= INVITATIONS {
        return Err(Refused::TooMany("links that wait to be used"));
    }
    let (id, secret) = (Id::random(), secret::text());
    let expires = now.plus(INVITATION_MS);
    let (approval, code) = half.unzip();
    c.draft.put(Entry::Invitation(Invitation { id, account, hash: secret::hash(&secret), expires, approval, code, tries: 0 }));
    Ok(secret::with_id(LINK, id, &secret))
}
