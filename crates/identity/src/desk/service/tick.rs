//! What ends by itself, and what needs a person.

use weir_base::time::Millis;
use weir_record::Id;

use super::{Change, Desk, Outcome};
use crate::desk::account::{Account, Standing};
use crate::desk::approval::Approval;
use crate::desk::ended::LinkEnd;
use crate::desk::limits::INVITATION_MS;
use crate::desk::records::PROGRAM;
use crate::desk::roles::{Capability, capabilities};
use crate::desk::store::{Entry, Look, Store};
use crate::desk::turned::{ENDED, Line, TURNED_AWAY};
use crate::desk::views::Notice;

impl Desk {
    /// Ends what has ended: approvals, emergencies, links that were not used, sessions. To be called every few seconds; nothing depends
    /// on it being on time, because every look compares with the time itself.
    ///
    /// # Errors
    /// [`crate::desk::Refused::Store`]: it is tried again the next time.
    pub fn tick(&self, now: Millis) -> Outcome<()> {
        let (turned, ended) = {
            let mut live = self.live();
            live.sessions.sweep(now);
            (live.turned.due(now), live.ended.due(now))
        };
        self.turned_away(TURNED_AWAY, &turned, now)?;
        self.turned_away(ENDED, &ended, now)?;
        self.tell_refusals(now, false)?;
        if !is_due(&self.store(), now) {
            return Ok(());
        }
        self.change(|c| {
            let over: Vec<Approval> = c.draft.approvals().into_iter().filter(|a| a.state.is_open() && a.is_over(now)).cloned().collect();
            for mut approval in over {
                approval.expire(now);
                c.told.act(PROGRAM, "desk-approval-expire", super::approvals::detail(&approval), now);
                c.draft.put(Entry::Approval(approval));
            }
            let ended: Vec<_> = c.draft.emergencies().into_iter().filter(|e| now >= e.until).cloned().collect();
            for emergency in ended {
                c.draft.remove_emergency(emergency.id);
                let detail = format!("approval={} account={} role={}", emergency.id, emergency.account, emergency.role);
                c.told.act(PROGRAM, "desk-break-glass-end", detail, now);
            }
            forget_invited(c, now);
            c.draft.forget_names(now);
            Ok(())
        })
        .map(drop)
    }

    /// Records what waits to be recorded: the program ends.
    ///
    /// # Errors
    /// [`crate::desk::Refused::Store`].
    pub fn end(&self, now: Millis) -> Outcome<()> {
        let (turned, ended) = {
            let mut live = self.live();
            (live.turned.rest(now), live.ended.rest(now))
        };
        self.turned_away(TURNED_AWAY, &turned, now)?;
        self.turned_away(ENDED, &ended, now)?;
        self.tell_refusals(now, true)
    }

    pub(super) fn turned_away(&self, what: &str, lines: &[Line], now: Millis) -> Outcome<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.change(|c| {
            lines.iter().for_each(|line| line.write(what, &mut c.told, now));
            Ok(())
        })
        .map(drop)
    }
}

/// An account whose link was never used, and can be used no more. One without a link gets time for the link to be fetched.
fn is_forgotten(look: &impl Look, account: &Account, now: Millis) -> bool {
    let link = look.invitations().into_iter().any(|l| l.account == account.id && now < l.expires);
    account.standing == Standing::Invited && !link && now.since(account.since) > 2 * INVITATION_MS
}

fn is_due(store: &Store, now: Millis) -> bool {
    store.approvals().into_iter().any(|a| a.state.is_open() && a.is_over(now))
        || store.emergencies().into_iter().any(|e| now >= e.until)
        || store.accounts().into_iter().any(|a| is_forgotten(store, a, now))
}

/// Lets accounts go that nobody ever was.
pub(super) fn forget_invited(c: &mut Change<'_>, now: Millis) {
    let gone: Vec<Id> = c.draft.accounts().into_iter().filter(|a| is_forgotten(&c.draft, a, now)).map(|a| a.id).collect();
    for id in gone {
        c.draft.end_links_of(id, LinkEnd::Over, now);
        c.draft.remove_account(id);
        c.told.act(PROGRAM, "desk-account-forget", format!("account={id}"), now);
    }
}

/// What needs a person.
pub(super) fn notices(store: &Store, now: Millis) -> Vec<Notice> {
    let mut out = Vec::new();
    for open in store.emergencies().into_iter().filter(|e| e.is_open(now)) {
        let text = format!("An emergency role is open: {} until {}.", open.role, open.until);
        out.push(Notice { level: "warning", code: "break-glass", text, since: Some(open.from) });
    }
    if !store.accounts().is_empty() && store.meta().setup_at.is_none() {
        let text = "The three administrators are not all there yet: until then accounts are made by one person.".into();
        out.push(Notice { level: "warning", code: "setup-open", text, since: None });
    } else if store.meta().setup_at.is_some() && !can_recover(store) {
        let text =
            "Too few persons can confirm: an administrator who loses their factors could not be recovered. Appoint approvers.".into();
        out.push(Notice { level: "warning", code: "few-approvers", text, since: None });
    }
    out
}

/// Could every administrator be recovered: by one who asks, and two other persons who confirm, none of them the administrator?
fn can_recover(store: &Store) -> bool {
    let active: Vec<&Account> = store.accounts().into_iter().filter(|a| a.standing == Standing::Active).collect();
    let may = |a: &Account, c| capabilities(&a.roles).has(c);
    active.iter().filter(|a| a.is_admin()).all(|lost| {
        active.iter().filter(|a| a.person != lost.person && may(a, Capability::AccountsChange)).any(|asker| {
            let confirms = |a: &&&Account| a.person != lost.person && a.person != asker.person && may(a, Capability::ApprovalsConfirm);
            let mut persons: Vec<Id> = active.iter().filter(confirms).map(|a| a.person).collect();
            persons.sort_unstable();
            persons.dedup();
            persons.len() >= 2
        })
    })
}
