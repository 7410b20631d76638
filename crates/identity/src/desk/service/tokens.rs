//! API tokens.

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::AuthAction;

use super::{Desk, Outcome};
use crate::desk::account;
use crate::desk::limits::{TOKEN_USED_MS, TOKENS_ACCOUNT};
use crate::desk::records::Method;
use crate::desk::refused::Refused;
use crate::desk::roles::Capabilities;
use crate::desk::secret::{self, same};
use crate::desk::store::{Entry, Look};
use crate::desk::token::{self, PREFIX, Token};
use crate::desk::views::{By, Caller, Next, Peer, TokenView};

fn view(t: &Token, secret: Option<String>) -> TokenView {
    TokenView { id: t.id, name: t.name.clone(), scope: Capabilities::of(&t.scope), expires: t.expires, used: t.used, secret }
}

impl Desk {
    /// The id of the token, when its text is one that holds. Asks no disk and counts as no try: for whoever must say whose rate a request is charged to.
    pub fn known_token(&self, text: &str, now: Millis) -> Option<Id> {
        let (id, hash) = secret::split(PREFIX, text)?;
        self.store().token(id).filter(|t| same(&t.hash, &hash) && now < t.expires).map(|t| t.id)
    }

    /// The caller of a token: it may what it was made for, as far as its account may that now.
    ///
    /// # Errors
    /// [`Refused::WrongCredentials`] for every token that does not hold, [`Refused::Locked`], [`Refused::Store`].
    pub fn bearer(&self, text: &str, peer: &Peer, now: Millis) -> Outcome<Caller> {
        let found = secret::split(PREFIX, text).and_then(|(id, hash)| {
            let store = self.store();
            let token = store.token(id).filter(|t| same(&t.hash, &hash) && now < t.expires)?;
            let account = store.account(token.account).filter(|a| a.is_usable(now))?;
            // Of an account that still lacks a factor it must have, made by an earlier version, a token does nothing.
            let complete = account.next() != Some(Next::Enrol);
            let may = if complete { store.may(account, now) } else { Capabilities::NONE };
            Some((token.clone(), may, account.person, complete))
        });
        let Some((token, account_may, person, complete)) = found else {
            self.take_try(None, Method::Token, None, peer, now)?;
            return Err(self.fail(None, Method::Token, None, peer, now));
        };
        if token.used.is_none_or(|used| !(0..TOKEN_USED_MS).contains(&now.since(used))) {
            let ((), _held) = self.change(|c| {
                if let Some(mut used) = c.draft.token(token.id).cloned() {
                    used.used = Some(now);
                    c.draft.put(Entry::Token(used));
                    c.told.sign(AuthAction::SignIn, Some(token.account), Method::Token, Some(format!("token={}", token.id)), peer, now);
                }
                Ok(())
            })?;
        }
        let may = token.may(account_may);
        Ok(Caller { by: By::Token(token.id), account: token.account, person, may, account_may, peer: peer.clone(), complete })
    }

    /// The account's tokens that hold.
    ///
    /// # Errors
    /// [`Refused::FactorNeeded`] while the sign-in is not complete.
    pub fn tokens(&self, caller: &Caller, now: Millis) -> Outcome<Vec<TokenView>> {
        self.own(caller, now)?;
        let store = self.store();
        Ok(store.tokens_of(caller.account).into_iter().filter(|t| now < t.expires).map(|t| view(t, None)).collect())
    }

    /// Makes a token. Its text is in the answer, and nowhere else.
    ///
    /// # Errors
    /// [`Refused::Bad`], [`Refused::TooMany`], [`Refused::Store`].
    pub fn token_make(&self, caller: &Caller, name: &str, scope: &[String], days: u32, now: Millis) -> Outcome<TokenView> {
        self.own(caller, now)?;
        caller.complete.then_some(()).ok_or(Refused::FactorNeeded)?;
        self.fresh(caller, now)?;
        account::name("name", name)?;
        let expires = token::end(days, now)?;
        let secret = secret::text();
        let (made, _held) = self.change(|c| {
            let account = c.draft.account(caller.account).ok_or(Refused::NotSignedIn)?;
            // What an emergency adds is for a person who is signed in, so it is not looked at here.
            let scope = token::scope(scope, c.draft.may(account, now))?;
            let (over, held): (Vec<Id>, Vec<Id>) = {
                let tokens = c.draft.tokens_of(caller.account);
                let (over, held): (Vec<&Token>, Vec<&Token>) = tokens.into_iter().partition(|t| now >= t.expires);
                (over.iter().map(|t| t.id).collect(), held.iter().map(|t| t.id).collect())
            };
            if held.len() >= TOKENS_ACCOUNT {
                return Err(Refused::TooMany("tokens of an account"));
            }
            over.into_iter().for_each(|id| c.draft.remove_token(id));
            let (id, hash) = (Id::random(), secret::hash(&secret));
            let token = Token { id, account: caller.account, name: name.to_owned(), scope, hash, expires, used: None };
            let names = Capabilities::of(&token.scope).names().join(",");
            c.told.act(&caller.actor(), "desk-token-make", format!("token={id} scope={names} expires={expires}"), now);
            c.draft.put(Entry::Token(token.clone()));
            Ok(token)
        })?;
        Ok(view(&made, Some(secret::with_id(PREFIX, made.id, &secret))))
    }

    /// Removes a token: from now on it does nothing.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::Store`].
    pub fn token_remove(&self, caller: &Caller, id: Id, now: Millis) -> Outcome<()> {
        self.own(caller, now)?;
        self.change(|c| {
            c.draft.token(id).filter(|t| t.account == caller.account).ok_or(Refused::NotFound("token"))?;
            c.draft.remove_token(id);
            c.told.act(&caller.actor(), "desk-token-remove", format!("token={id}"), now);
            Ok(())
        })
        .map(drop)
    }
}
