//! Accounts: inviting, other roles, recovery, disabling, enabling, unlocking. What gives somebody more needs a second person; what takes
//! away does not.

use serde_json::{Value, json};
use weir_base::time::Millis;
use weir_record::Id;

use super::approvals::asked;
use super::invitations::link;
use super::{Change, Desk, Outcome, perform};
use crate::desk::account::{self, Account, Standing};
use crate::desk::approval::{Ask, Kind};
use crate::desk::ended::LinkEnd;
use crate::desk::limits::{APPROVAL_MS, INVITATION_MS};
use crate::desk::records::PROGRAM;
use crate::desk::refused::Refused;
use crate::desk::roles::{self, Capabilities, Capability, Role};
use crate::desk::store::{Entry, Look};
use crate::desk::token::Token;
use crate::desk::views::{AccountView, Caller, Changed};

/// The target of a change: an account of another person.
pub(super) fn other<'a>(look: &'a impl Look, caller: &Caller, id: Id) -> Outcome<&'a Account> {
    let account = look.account(id).ok_or(Refused::NotFound("account"))?;
    if account.id == caller.account || account.person == caller.person {
        return Err(Refused::SamePerson);
    }
    Ok(account)
}

/// Refuses roles that clash with those of the person's other accounts, or with one the person has in an emergency.
pub(super) fn fits_person(look: &impl Look, person: Id, but: Option<Id>, new: &[Role]) -> Outcome<()> {
    let others = look.roles_of_person(person, but).into_iter().chain(look.emergency_roles_of(person));
    let all: Vec<Role> = new.iter().copied().chain(others).collect();
    match roles::clash(&all) {
        Some((a, b)) => Err(Refused::bad("roles", format!("This person may not be both {a} and {b}, in whichever of their accounts."))),
        None => Ok(()),
    }
}

/// Somebody can still ask for accounts to be changed, and another person confirm it. Before the set-up is done the first is enough.
pub(super) fn can_go_on(look: &impl Look) -> bool {
    let active: Vec<&Account> = look.accounts().into_iter().filter(|a| a.standing == Standing::Active).collect();
    let may = |a: &Account, c| roles::capabilities(&a.roles).has(c);
    let asks = |a: &&&Account| may(a, Capability::AccountsChange);
    let confirms = |asker: &Account| active.iter().any(|a| a.person != asker.person && may(a, Capability::ApprovalsConfirm));
    let done = look.meta().setup_at.is_some();
    active.iter().filter(asks).any(|asker| !done || confirms(asker))
}

fn still_goes_on(c: &Change<'_>) -> Outcome<()> {
    match can_go_on(&c.draft) {
        true => Ok(()),
        false => Err(Refused::Conflict(
            "Afterwards nobody could ask for accounts to be changed and have it confirmed: give the role to another person first.",
        )),
    }
}

/// Once the unit is set up there is always somebody in use with each of the three administrators' roles.
pub(super) fn keeps_admins(look: &impl Look, id: Id, left: &[Role]) -> Outcome<()> {
    let Some(target) = look.account(id).filter(|a| a.standing == Standing::Active) else { return Ok(()) };
    let others: Vec<&Account> = look.accounts().into_iter().filter(|a| a.id != id && a.standing == Standing::Active).collect();
    let lost = target.roles.iter().filter(|r| r.is_admin() && !left.contains(r));
    match look.meta().setup_at.is_none() || lost.into_iter().all(|r| others.iter().any(|a| a.roles.contains(r))) {
        true => Ok(()),
        false => {
            Err(Refused::Conflict("It is the last account in use with this administrator's role: give the role to another person first."))
        }
    }
}

/// Takes something away from an account, unless nobody could go on then: the draft is as before in that case.
pub(super) fn take_away(c: &mut Change<'_>, id: Id, how: impl FnOnce(&mut Account)) -> Outcome<()> {
    let before = c.draft.account(id).cloned();
    c.draft.change_account(id, how);
    still_goes_on(c).inspect_err(|_| before.into_iter().for_each(|a| c.draft.put(Entry::Account(a))))
}

/// What an account may no longer do its tokens lose for good, and one that may nothing then goes: neither wakes when a role comes back.
pub(super) fn narrow_tokens(c: &mut Change<'_>, id: Id, now: Millis) {
    let Some(account) = c.draft.account(id) else { return };
    // Not what it may this moment: a lock ends by itself.
    let roles: &[Role] = if account.standing == Standing::Disabled { &[] } else { &account.roles };
    let may = roles::capabilities(roles);
    let tokens: Vec<Token> = c.draft.tokens_of(id).into_iter().cloned().collect();
    for mut token in tokens {
        let before = token.scope.len();
        token.scope.retain(|capability| may.has(*capability));
        let lost = before - token.scope.len();
        match (lost, token.scope.is_empty()) {
            (0, false) => {}
            (_, true) => {
                c.draft.remove_token(token.id);
                c.told.act(PROGRAM, "desk-token-remove", format!("token={} account={id}", token.id), now);
            }
            (_, false) => {
                let left = Capabilities::of(&token.scope).names().join(",");
                c.told.act(PROGRAM, "desk-token-narrow", format!("token={} account={id} scope={left}", token.id), now);
                c.draft.put(Entry::Token(token));
            }
        }
    }
}

/// Disables an account: what it has open ends.
pub(super) fn end_account(c: &mut Change<'_>, id: Id, now: Millis) -> Outcome<()> {
    keeps_admins(&c.draft, id, &[])?;
    take_away(c, id, |a| a.standing = Standing::Disabled)?;
    narrow_tokens(c, id, now);
    c.draft.end_links_of(id, LinkEnd::Void, now);
    let open: Vec<Id> = c.draft.emergencies().into_iter().filter(|e| e.account == id).map(|e| e.id).collect();
    open.into_iter().for_each(|e| c.draft.remove_emergency(e));
    Ok(())
}

fn ask_for(kind: Kind, content: Value, reason: &str, concerns: Option<Id>, needed: u32) -> Ask {
    Ask { kind, content, reason: reason.to_owned(), concerns, needed, wait_ms: APPROVAL_MS }
}

fn done() -> Changed {
    Changed { approval: None, link: None, remark: None }
}

/// A link that comes at once.
fn linked(token: String) -> Changed {
    Changed { approval: None, link: Some(token), remark: None }
}

/// It waits for others: says who they are.
pub(super) fn waits(c: &Change<'_>, caller: &Caller, id: Id) -> Changed {
    Changed { approval: Some(id), link: None, remark: Some(who_confirms(c, caller, id)) }
}

/// Who can confirm what was asked, or what to do where nobody can.
fn who_confirms(c: &Change<'_>, caller: &Caller, id: Id) -> String {
    let needed = c.draft.approval(id).map_or(1, |a| a.needed);
    let could = |a: &&Account| a.standing == Standing::Active && roles::capabilities(&a.roles).has(Capability::ApprovalsConfirm);
    let all = c.draft.accounts();
    let mut persons: Vec<Id> = all.into_iter().filter(could).map(|a| a.person).filter(|p| *p != caller.person).collect();
    persons.sort_unstable();
    persons.dedup();
    match (persons.len() >= needed as usize, needed) {
        (true, 1) => "Another person (security-admin or approver) confirms it on the page Approvals.".into(),
        (true, n) => format!("Other persons (security-admin or approver) confirm it on the page Approvals: {n} of them."),
        (false, n) => format!(
            "Not enough persons can confirm it yet ({n} needed, security-admin or approver): appoint them first; while the desk is being set up the first of each role comes at once."
        ),
    }
}

pub(super) fn names(roles: &[Role]) -> String {
    roles.iter().map(|r| r.name()).collect::<Vec<_>>().join(",")
}

impl Desk {
    /// The accounts, by sign-in name.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`].
    pub fn accounts(&self, caller: &Caller, now: Millis) -> Outcome<Vec<AccountView>> {
        caller.needs(Capability::AccountsRead)?;
        let store = self.store();
        let view = |a: &Account| AccountView {
            id: a.id,
            person: a.person,
            login: a.login.clone(),
            display: a.display.clone(),
            roles: a.roles.clone(),
            state: state(&*store, a, now),
            second_factor: a.has_second_factor(),
            since: a.since,
            last_sign_in: a.last_sign_in,
            locked_until: a.locked_until.filter(|until| now < *until),
        };
        let mut list: Vec<AccountView> = store.accounts().into_iter().map(view).collect();
        list.sort_by(|a, b| (&a.login, a.since, a.id).cmp(&(&b.login, b.since, b.id)));
        Ok(list)
    }

    /// The name of an account, for who reads the ledger.
    pub fn display(&self, account: Id) -> Option<String> {
        self.store().account(account).map(|a| a.display.clone())
    }

    /// The account behind a token, for who reads the ledger.
    pub fn account_of_token(&self, token: Id) -> Option<Id> {
        self.store().token(token).map(|t| t.account)
    }

    /// Invites somebody. While the unit is being set up the link comes at once, as long as nobody else has the roles; afterwards a second
    /// person confirms first. `person`: the person, when this person has an account already.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::Bad`], [`Refused::NotFound`] for a person without an account, [`Refused::TooMany`],
    /// [`Refused::Store`].
    pub fn invite(
        &self,
        caller: &Caller,
        display: &str,
        roles: &[Role],
        person: Option<Id>,
        reason: &str,
        now: Millis,
    ) -> Outcome<Changed> {
        caller.needs(Capability::AccountsChange)?;
        account::name("display", display)?;
        account::reason(reason)?;
        let roles = account::roles(roles)?;
        if roles.is_empty() {
            return Err(Refused::bad("roles", "An account needs a role."));
        }
        self.change(|c| {
            if let Some(person) = person {
                let known = c.draft.accounts().into_iter().any(|a| a.person == person);
                known.then_some(()).ok_or(Refused::NotFound("person"))?;
                fits_person(&c.draft, person, None, &roles)?;
            }
            perform::room_for_account(c, now)?;
            if c.draft.meta().setup_at.is_none() && nobody_has(c, &roles, now) {
                let id = perform::create(c, display, &roles, person, now)?;
                let token = link(c, id, None, now)?;
                let detail = format!("account={id} roles={} setup=yes", names(&roles));
                c.told.act(&caller.actor(), "desk-account-create", detail, now);
                return Ok(linked(token));
            }
            let content = json!({
                "display": display,
                "person": person.map(|p| p.to_string()),
                "roles": roles.iter().map(|r| r.name()).collect::<Vec<_>>(),
            });
            let id = asked(c, caller, ask_for(Kind::AccountCreate, content, reason, person, 1), now)?;
            let mut changed = waits(c, caller, id);
            if c.draft.meta().setup_at.is_none() {
                // Others came at once: why this one does not is no riddle.
                let who = changed.remark.unwrap_or_default();
                changed.remark = Some(format!(
                    "Somebody has one of these roles already: while the desk is being set up only the first account of each role comes without a second person. {who}"
                ));
            }
            Ok(changed)
        })
        .map(|(changed, _)| changed)
    }

    /// Gives an account other roles. Taking roles away is done at once, but for an administrator's once the unit is set up; that, and anything
    /// more, waits for a second person.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::SamePerson`], [`Refused::Bad`], [`Refused::Conflict`], [`Refused::Store`].
    pub fn roles_change(&self, caller: &Caller, id: Id, roles: &[Role], reason: &str, now: Millis) -> Outcome<Changed> {
        caller.needs(Capability::RolesChange)?;
        account::reason(reason)?;
        let roles = account::roles(roles)?;
        let (changed, held) = self.change(|c| {
            let target = other(&c.draft, caller, id)?.clone();
            if target.standing == Standing::Disabled {
                return Err(Refused::Conflict("The account is disabled: enable it first."));
            }
            if target.roles == roles {
                return Err(Refused::Conflict("The account has exactly these roles."));
            }
            keeps_admins(&c.draft, id, &roles)?;
            let admin = target.roles.iter().any(|r| r.is_admin() && !roles.contains(r));
            let two = admin && target.standing == Standing::Active && c.draft.meta().setup_at.is_some();
            if !two && roles.iter().all(|r| target.roles.contains(r)) {
                let detail = format!("account={id} from={} to={}", names(&target.roles), names(&roles));
                take_away(c, id, |a| a.roles = roles.clone())?;
                narrow_tokens(c, id, now);
                c.told.act(&caller.actor(), "desk-role-remove", detail, now);
                return Ok(done());
            }
            fits_person(&c.draft, target.person, Some(id), &roles)?;
            let words = |list: &[Role]| list.iter().map(|r| r.name()).collect::<Vec<_>>();
            let content = json!({"account": id.to_string(), "display": target.display, "from": words(&target.roles), "to": words(&roles)});
            asked(c, caller, ask_for(Kind::RoleChange, content, reason, Some(target.person), 1), now).map(|id| waits(c, caller, id))
        })?;
        self.end_if_done(&changed, id, held);
        Ok(changed)
    }

    /// A privilege changed at once: whoever has a session signs in again.
    fn end_if_done(&self, changed: &Changed, account: Id, held: super::Held<'_>) {
        if changed.approval.is_none() {
            self.live().sessions.end_account(account, None);
        }
        drop(held);
    }

    /// Asks for a link that sets an account's factors anew; of an administrator two other persons confirm it. While the unit is being set up, an
    /// account that one person made and whose first link was not used gets a new one at once, and the old one is void.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::SamePerson`], [`Refused::Bad`], [`Refused::Conflict`], [`Refused::Store`].
    pub fn recover(&self, caller: &Caller, id: Id, reason: &str, now: Millis) -> Outcome<Changed> {
        caller.needs(Capability::AccountsChange)?;
        account::reason(reason)?;
        self.change(|c| {
            let target = other(&c.draft, caller, id)?.clone();
            match target.standing {
                Standing::Disabled => Err(Refused::Conflict("The account is disabled: enable it first.")),
                // What two persons decided, no one person gives out anew.
                Standing::Invited if c.draft.meta().setup_at.is_none() && !target.by_two => {
                    let token = link(c, id, None, now)?;
                    c.draft.change_account(id, |a| a.since = now);
                    c.told.act(&caller.actor(), "desk-account-link", format!("account={id}"), now);
                    Ok(linked(token))
                }
                Standing::Invited | Standing::Active => {
                    let content = json!({"account": id.to_string(), "display": target.display, "login": target.login});
                    let needed = if target.roles.iter().any(|r| r.recovers_by_two()) { 2 } else { 1 };
                    asked(c, caller, ask_for(Kind::AccountRecover, content, reason, Some(target.person), needed), now)
                        .map(|id| waits(c, caller, id))
                }
            }
        })
        .map(|(changed, _)| changed)
    }

    /// Disables an account: its sessions and tokens end at once. Never one's own, never the last one with an administrator's role, and never one
    /// without which nobody could be brought back. Once the unit is set up a second person confirms that an administrator is disabled.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::SamePerson`], [`Refused::Bad`], [`Refused::Conflict`], [`Refused::Store`].
    pub fn disable(&self, caller: &Caller, id: Id, reason: &str, now: Millis) -> Outcome<Changed> {
        caller.needs(Capability::AccountsChange)?;
        account::reason(reason)?;
        let (changed, held) = self.change(|c| {
            let target = other(&c.draft, caller, id)?.clone();
            if target.standing == Standing::Disabled {
                return Err(Refused::Conflict("The account is disabled already."));
            }
            if c.draft.meta().setup_at.is_some() && target.standing == Standing::Active && target.is_admin() {
                keeps_admins(&c.draft, id, &[])?;
                let words: Vec<&str> = target.roles.iter().map(|r| r.name()).collect();
                let content = json!({"account": id.to_string(), "display": target.display, "roles": words});
                return asked(c, caller, ask_for(Kind::AccountDisable, content, reason, Some(target.person), 1), now)
                    .map(|id| waits(c, caller, id));
            }
            end_account(c, id, now)?;
            c.told.act(&caller.actor(), "desk-account-disable", format!("account={id}"), now);
            Ok(done())
        })?;
        self.end_if_done(&changed, id, held);
        Ok(changed)
    }

    /// Asks for a disabled account to be used again.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::SamePerson`], [`Refused::Bad`], [`Refused::Conflict`], [`Refused::Store`].
    pub fn enable(&self, caller: &Caller, id: Id, reason: &str, now: Millis) -> Outcome<Changed> {
        caller.needs(Capability::AccountsChange)?;
        account::reason(reason)?;
        self.change(|c| {
            let target = other(&c.draft, caller, id)?.clone();
            if target.standing != Standing::Disabled {
                return Err(Refused::Conflict("The account is not disabled."));
            }
            fits_person(&c.draft, target.person, Some(id), &target.roles)?;
            let words: Vec<&str> = target.roles.iter().map(|r| r.name()).collect();
            let content = json!({"account": id.to_string(), "display": target.display, "roles": words});
            asked(c, caller, ask_for(Kind::AccountEnable, content, reason, Some(target.person), 1), now).map(|id| waits(c, caller, id))
        })
        .map(|(changed, _)| changed)
    }

    /// Unlocks an account that failures have locked.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::SamePerson`], [`Refused::Bad`], [`Refused::Conflict`], [`Refused::Store`].
    pub fn unlock(&self, caller: &Caller, id: Id, reason: &str, now: Millis) -> Outcome<Changed> {
        caller.needs(Capability::AccountsChange)?;
        account::reason(reason)?;
        let ((), held) = self.change(|c| {
            if !other(&c.draft, caller, id)?.is_locked(now) {
                return Err(Refused::Conflict("The account is not locked."));
            }
            c.draft.change_account(id, |a| a.locked_until = None);
            c.told.act(&caller.actor(), "desk-account-unlock", format!("account={id}"), now);
            Ok(())
        })?;
        self.live().throttle.forget(id);
        drop(held);
        Ok(done())
    }
}

/// The word for lists: an account that waits for its link to be used is `invited` as long as there is one that can be, or one to be fetched, and
/// `link-ended` from then on.
fn state(look: &impl Look, account: &Account, now: Millis) -> &'static str {
    let link = || look.invitations().into_iter().any(|l| l.account == account.id && now < l.expires);
    let to_fetch = || look.approvals().into_iter().any(|a| a.result == Some(account.id) && now < a.expires.plus(INVITATION_MS));
    match account.standing {
        Standing::Invited if !link() && !to_fetch() => "link-ended",
        _ => account.state(now),
    }
}

/// True when none of the roles belongs to an account in use, or to one whose link can still be used.
fn nobody_has(c: &Change<'_>, roles: &[Role], now: Millis) -> bool {
    let links = c.draft.invitations();
    let counts = |a: &&Account| match a.standing {
        Standing::Active => true,
        Standing::Disabled => false,
        Standing::Invited => links.iter().any(|l| l.account == a.id && now < l.expires),
    };
    !c.draft.accounts().into_iter().filter(counts).any(|a| a.roles.iter().any(|r| roles.contains(r)))
}
