//! Approvals: asking, confirming, refusing, withdrawing, using; and break-glass, which is one.

use serde_json::Value;
use weir_base::time::Millis;
use weir_record::Id;

use super::accounts::waits;
use super::invitations::link;
use super::{Change, Desk, Outcome, perform};
use crate::desk::account::{self, Account, Standing};
use crate::desk::approval::{Approval, Ask, Kind, State, Step};
use crate::desk::break_glass;
use crate::desk::content::{self, Digest};
use crate::desk::limits::{APPROVAL_MS, APPROVALS, APPROVALS_OPEN, INVITATION_MS};
use crate::desk::records::PROGRAM;
use crate::desk::refused::Refused;
use crate::desk::roles::{Capability, Role, capabilities, emergency_capabilities};
use crate::desk::secret;
use crate::desk::store::{Entry, Look};
use crate::desk::views::{ApprovalView, Caller, Changed, StepView};

/// What the records of a step say of an approval.
pub(super) fn detail(a: &Approval) -> String {
    format!("approval={} kind={} digest={}", a.id, a.kind.name(), content::hex(&a.digest))
}

/// Asks for something; makes room for it.
pub(super) fn asked(c: &mut Change<'_>, caller: &Caller, ask: Ask, now: Millis) -> Outcome<Id> {
    let approvals = c.draft.approvals();
    if approvals.iter().filter(|a| a.state_at(now).is_open()).count() >= APPROVALS_OPEN {
        return Err(Refused::TooMany("approvals that are open"));
    }
    if approvals.len() >= APPROVALS {
        let over = approvals.iter().filter(|a| !a.state_at(now).is_open());
        let oldest = over.min_by_key(|a| (a.asked_at, a.id)).map(|a| a.id);
        oldest.into_iter().for_each(|id| c.draft.remove_approval(id));
    }
    let new = Approval::ask(ask, caller.who(), now)?;
    let id = new.id;
    c.told.act(&caller.actor(), "desk-approval-ask", format!("{} needed={}", detail(&new), new.needed), now);
    c.draft.put(Entry::Approval(new));
    Ok(id)
}

/// Does an account's confirmation still count?
fn counts(look: &impl Look, id: Id) -> bool {
    let still = |a: &Account| a.standing == Standing::Active && capabilities(&a.roles).has(Capability::ApprovalsConfirm);
    look.account(id).is_some_and(still)
}

fn digest_of(text: &str) -> Outcome<Digest> {
    let bad = || Refused::bad("digest", "A digest has 64 hex digits.");
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad());
    }
    let mut out = [0; 32];
    for (to, pair) in out.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
        *to = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
    }
    Ok(out)
}

/// Whoever held the link that makes an account's factors may be behind that account: it is no second person for what they ask.
fn from_asker(look: &impl Look, account: Id, a: &Approval) -> bool {
    look.account(account).is_some_and(|known| known.link_by == Some(a.asked_person))
}

fn view(look: &impl Look, a: &Approval, caller: &Caller, now: Millis) -> ApprovalView {
    let display = |id: Option<Id>| match id {
        Some(id) => look.account(id).map_or_else(|| id.to_string(), |a| a.display.clone()),
        None => PROGRAM.to_owned(),
    };
    let step =
        |s: &Step| StepView { actor: s.account, display: display(s.account), time: s.time, what: s.what.name(), reason: s.reason.clone() };
    let may = caller
        .needs(Capability::ApprovalsConfirm)
        .and_then(|()| if from_asker(look, caller.account, a) { Err(Refused::SamePerson) } else { a.may_confirm(caller.who(), now) });
    ApprovalView {
        id: a.id,
        kind: a.kind.name(),
        state: a.state_at(now).name(),
        content: a.content.clone(),
        digest: content::hex(&a.digest),
        reason: a.reason.clone(),
        asked_by: a.asked_by,
        asked_by_display: display(Some(a.asked_by)),
        asked_at: a.asked_at,
        expires: a.expires,
        needed: a.needed,
        steps: a.steps.iter().map(step).collect(),
        may_confirm: may.is_ok(),
        why_not: may.err().map(|e| e.what()),
        has_result: a.result.is_some() && a.asked_by == caller.account,
    }
}

impl Desk {
    /// Approvals, newest first: all for who may read them, one's own for everybody.
    ///
    /// # Errors
    /// [`Refused::FactorNeeded`] while the sign-in is not complete.
    pub fn approvals(&self, caller: &Caller, now: Millis) -> Outcome<Vec<ApprovalView>> {
        if !caller.may.has(Capability::ApprovalsRead) {
            self.own(caller, now)?;
        }
        let store = self.store();
        let mine = |a: &&Approval| caller.may.has(Capability::ApprovalsRead) || a.asked_by == caller.account;
        let mut list: Vec<&Approval> = store.approvals().into_iter().filter(mine).collect();
        list.sort_by_key(|a| std::cmp::Reverse((a.asked_at, a.id)));
        Ok(list.into_iter().map(|a| view(&*store, a, caller, now)).collect())
    }

    /// One approval.
    ///
    /// # Errors
    /// [`Refused::NotFound`], also for one that the caller may not see.
    pub fn approval(&self, caller: &Caller, id: Id, now: Millis) -> Outcome<ApprovalView> {
        if !caller.may.has(Capability::ApprovalsRead) {
            self.own(caller, now)?;
        }
        let store = self.store();
        let seen = |a: &&Approval| caller.may.has(Capability::ApprovalsRead) || a.asked_by == caller.account;
        store.approval(id).filter(seen).map(|a| view(&*store, a, caller, now)).ok_or(Refused::NotFound("approval"))
    }

    /// The token of the link that an approval led to: for the one who asked, once.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::NotConfirmed`], [`Refused::Conflict`] where it leads to no link, [`Refused::Expired`] when it was fetched
    /// already or it is too late, [`Refused::Store`].
    pub fn approval_result(&self, caller: &Caller, id: Id, now: Millis) -> Outcome<String> {
        self.own(caller, now)?;
        let done = self.change(|c| {
            let mut approval = c.draft.approval(id).filter(|a| a.asked_by == caller.account).ok_or(Refused::NotFound("approval"))?.clone();
            if !matches!(approval.kind, Kind::AccountCreate | Kind::AccountRecover) {
                return Err(Refused::Conflict("It leads to no link: only a new account and one that gets new factors do."));
            }
            if matches!(approval.state_at(now), State::Waiting) {
                return Err(Refused::NotConfirmed { left: approval.left() });
            }
            let account = approval.result.filter(|_| now < approval.expires.plus(INVITATION_MS)).ok_or(Refused::Expired("result"))?;
            let known = c.draft.account(account).filter(|a| a.standing != Standing::Disabled);
            known.ok_or(Refused::Expired("result"))?;
            let token = link(c, account, approval.code.map(|code| (id, code)), now)?;
            c.draft.change_account(account, |a| {
                if approval.kind == Kind::AccountRecover {
                    a.link_by = Some(caller.person);
                }
                a.wait_anew(now);
            });
            approval.result = None;
            c.told.act(&caller.actor(), "desk-account-link", format!("account={account} approval={id}"), now);
            c.draft.put(Entry::Approval(approval));
            Ok(token)
        });
        match done.map(|(token, _)| token) {
            // Somebody else's link, or no approval at all: who only asks too early or too late takes no step.
            Err(Refused::NotFound(what)) => {
                self.told_if_refused(&caller.actor(), "desk-account-link", id, Err(Refused::NotFound(what)), now)
            }
            out => out,
        }
    }

    /// Asks for what the caller then does itself with the approval's id: `setting-change`.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::Bad`], [`Refused::TooMany`], [`Refused::Store`].
    pub fn ask(&self, caller: &Caller, kind: &str, content: &Value, reason: &str, now: Millis) -> Outcome<Changed> {
        let kind = taken_kind(kind)?;
        caller.needs(Capability::SettingsChange)?;
        account::reason(reason)?;
        let ask = Ask { kind, content: content.clone(), reason: reason.to_owned(), concerns: None, needed: 1, wait_ms: APPROVAL_MS };
        self.change(|c| asked(c, caller, ask, now).map(|id| waits(c, caller, id))).map(|(changed, _)| changed)
    }

    /// Confirms what was looked at. At the last confirmation changes of accounts are done; sessions of the account that changed end. Gives the
    /// code of a link that two persons decided on, to the last one who confirms, once.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::SamePerson`], [`Refused::Conflict`] for another digest, [`Refused::Expired`], [`Refused::Void`],
    /// [`Refused::Store`].
    pub fn confirm(&self, caller: &Caller, id: Id, digest: &str, now: Millis) -> Outcome<(ApprovalView, Option<String>)> {
        let done = caller.needs(Capability::ApprovalsConfirm).and_then(|()| self.confirmed(caller, id, digest, now));
        let code = self.told_if_refused(&caller.actor(), "desk-approval-confirm", id, done, now)?;
        let store = self.store();
        store.approval(id).map(|a| (view(&*store, a, caller, now), code)).ok_or(Refused::NotFound("approval"))
    }

    fn confirmed(&self, caller: &Caller, id: Id, digest: &str, now: Millis) -> Outcome<Option<String>> {
        let digest = digest_of(digest)?;
        let ((ended, code), held) = self.change(|c| {
            let mut approval = c.draft.approval(id).ok_or(Refused::NotFound("approval"))?.clone();
            if from_asker(&c.draft, caller.account, &approval) {
                return Err(Refused::SamePerson);
            }
            let enough = approval.confirm(caller.who(), &digest, |account| counts(&c.draft, account), now)?;
            c.told.act(&caller.actor(), "desk-approval-confirm", detail(&approval), now);
            let ended = if enough && approval.kind.is_immediate() { perform::perform(c, &mut approval, now) } else { None };
            // The asker will have the link; who confirmed has the code. Neither alone can use it.
            let code = approval.result.map(|_| secret::code());
            approval.code = code.as_ref().map(|code| secret::code_hash(id, code));
            c.draft.put(Entry::Approval(approval));
            Ok((ended, code))
        })?;
        if let Some(account) = ended {
            self.live().sessions.end_account(account, None);
        }
        drop(held);
        Ok(code)
    }

    /// Says no.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::SamePerson`], [`Refused::Bad`], [`Refused::Expired`], [`Refused::Store`].
    pub fn refuse(&self, caller: &Caller, id: Id, reason: &str, now: Millis) -> Outcome<ApprovalView> {
        account::reason(reason)?;
        let may = caller.needs(Capability::ApprovalsConfirm);
        let done = may.and_then(|()| self.step(caller, id, "desk-approval-refuse", now, |a| a.refuse(caller.who(), reason, now)));
        self.told_if_refused(&caller.actor(), "desk-approval-refuse", id, done, now)
    }

    /// Takes back what one asked for.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::Expired`], [`Refused::Store`].
    pub fn withdraw(&self, caller: &Caller, id: Id, now: Millis) -> Outcome<ApprovalView> {
        self.own(caller, now)?;
        let done = self.step(caller, id, "desk-approval-withdraw", now, |a| a.withdraw(caller.who(), now));
        self.told_if_refused(&caller.actor(), "desk-approval-withdraw", id, done, now)
    }

    fn step(
        &self,
        caller: &Caller,
        id: Id,
        action: &str,
        now: Millis,
        step: impl FnOnce(&mut Approval) -> Outcome<()>,
    ) -> Outcome<ApprovalView> {
        self.change(|c| {
            let mut approval = c.draft.approval(id).ok_or(Refused::NotFound("approval"))?.clone();
            step(&mut approval)?;
            c.told.act(&caller.actor(), action, detail(&approval), now);
            let shown = view(&c.draft, &approval, caller, now);
            c.draft.put(Entry::Approval(approval));
            Ok(shown)
        })
        .map(|(shown, _)| shown)
    }

    /// Uses a confirmed approval for exactly this content: `Ok` once, and then the caller does it. Another content makes it void. The
    /// confirmations must still count. Gives the reason that was confirmed: it is the one to be kept, whatever is said later.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::NotFound`], [`Refused::NotConfirmed`], [`Refused::Void`],
    /// [`Refused::Expired`], [`Refused::Store`].
    pub fn take(&self, caller: &Caller, id: Id, kind: &str, content: &Value, now: Millis) -> Outcome<String> {
        caller.needs(Capability::SettingsChange)?;
        self.use_up(&caller.actor(), id, kind, content, now, |approval, kind, digest| approval.take(caller.who(), kind, digest, now))
    }

    /// As [`Desk::take`], for an account of the socket (`uid:N`), which the program has found allowed to change settings. It cannot sign in, so it is
    /// never the one who asked or confirmed.
    ///
    /// # Errors
    /// As there.
    pub fn take_socket(&self, actor: &str, id: Id, kind: &str, content: &Value, now: Millis) -> Outcome<String> {
        self.use_up(actor, id, kind, content, now, |approval, kind, digest| approval.take_socket(actor, kind, digest, now))
    }

    fn use_up(
        &self,
        actor: &str,
        id: Id,
        kind: &str,
        content: &Value,
        now: Millis,
        take: impl FnOnce(&mut Approval, Kind, &Digest) -> Outcome<()>,
    ) -> Outcome<String> {
        let kind = taken_kind(kind)?;
        let digest = content::digest(content)?;
        let done = self.change(|c| {
            let mut approval = c.draft.approval(id).ok_or(Refused::NotFound("approval of this account"))?.clone();
            let open = approval.state.is_open();
            if approval.state == State::Confirmed && !approval.is_backed(|account| counts(&c.draft, account)) {
                return Err(Refused::Conflict("Who confirmed it may no longer confirm anything: ask again."));
            }
            let out = take(&mut approval, kind, &digest);
            match &out {
                Ok(()) => c.told.act(actor, "desk-approval-use", detail(&approval), now),
                Err(Refused::Void) if open && approval.state == State::Void => {
                    c.told.refused(actor, "desk-approval-use", detail(&approval), "void", now);
                }
                Err(other) => return Err(other.clone()),
            }
            let reason = approval.reason.clone();
            c.draft.put(Entry::Approval(approval));
            Ok(out.map(|()| reason))
        });
        match done {
            // That it became void is recorded with it.
            Ok((out, _held)) => out,
            Err(refused) => self.told_if_refused(actor, "desk-approval-use", id, Err(refused), now),
        }
    }

    /// Asks for a role in an emergency; two other persons confirm it, and it is open from that moment.
    ///
    /// # Errors
    /// [`Refused::NotAllowed`], [`Refused::Bad`], [`Refused::Conflict`], [`Refused::Store`].
    pub fn break_glass(&self, caller: &Caller, role: Role, minutes: u32, reason: &str, now: Millis) -> Outcome<Changed> {
        caller.needs(Capability::BreakGlassAsk)?;
        self.own(caller, now)?;
        account::reason(reason)?;
        let content = break_glass::content(caller.account, role, minutes)?;
        let needed = break_glass::NEEDED;
        let ask = Ask { kind: Kind::BreakGlass, content, reason: reason.to_owned(), concerns: None, needed, wait_ms: APPROVAL_MS };
        self.change(|c| {
            let account = c.draft.account(caller.account).ok_or(Refused::NotSignedIn)?;
            if account.roles.contains(&role) || c.draft.emergency_of(caller.account, now).is_some() {
                return Err(Refused::Conflict("The account has this role, or an emergency is open already."));
            }
            fits_in_an_emergency(&c.draft, caller.person, role)?;
            asked(c, caller, ask, now).map(|id| waits(c, caller, id))
        })
        .map(|(changed, _)| changed)
    }

    /// Ends one's own emergency before its time.
    ///
    /// # Errors
    /// [`Refused::NotFound`] when none is open, [`Refused::Store`].
    pub fn break_glass_end(&self, caller: &Caller, now: Millis) -> Outcome<()> {
        self.own(caller, now)?;
        self.change(|c| {
            let open = c.draft.emergency_of(caller.account, now).ok_or(Refused::NotFound("open emergency"))?.clone();
            c.draft.remove_emergency(open.id);
            c.told.act(&caller.actor(), "desk-break-glass-end", format!("approval={} role={}", open.id, open.role), now);
            Ok(())
        })
        .map(drop)
    }
}

/// A role that never goes together with one the person has does not in an emergency either, with whichever account; and one of which an
/// emergency gives nothing is not opened.
pub(super) fn fits_in_an_emergency(look: &impl Look, person: Id, role: Role) -> Outcome<()> {
    let accounts = look.accounts().into_iter().filter(|a| a.person == person).flat_map(|a| a.roles.iter().copied());
    let held: Vec<Role> = accounts.chain(look.emergency_roles_of(person)).collect();
    if held.iter().any(|own| !own.goes_with(role)) {
        return Err(Refused::NotAllowed("This role never goes together with one the person has, in an emergency neither."));
    }
    let own = capabilities(&held);
    if role.line().may.iter().all(|c| own.has(*c) || !emergency_capabilities(role).has(*c)) {
        return Err(Refused::NotAllowed("An emergency gives nothing of this role that the person does not have."));
    }
    Ok(())
}

/// A kind that is asked for by name and taken by the one who asked.
fn taken_kind(name: &str) -> Outcome<Kind> {
    let found = Kind::ALL.into_iter().find(|k| k.name() == name && !k.is_immediate());
    found.ok_or_else(|| Refused::bad("kind", "Only setting-change is asked for in this way."))
}
