//! What is done at the last confirmation. Everything is looked at again: what no longer fits makes the approval void.

use serde_json::Value;
use weir_base::time::Millis;
use weir_record::Id;

use super::accounts::{end_account, fits_person, keeps_admins, names, narrow_tokens, take_away};
use super::approvals::detail;
use super::{Change, Outcome};
use crate::desk::account::{self, Account, Standing};
use crate::desk::approval::{Approval, Kind};
use crate::desk::break_glass::{self, Emergency};
use crate::desk::limits::ACCOUNTS;
use crate::desk::records::PROGRAM;
use crate::desk::refused::Refused;
use crate::desk::roles::Role;
use crate::desk::store::{Entry, Look};

/// Does what was asked, or makes the approval void. Gives the account whose sessions end.
pub(super) fn perform(c: &mut Change<'_>, approval: &mut Approval, now: Millis) -> Option<Id> {
    let asker = c.draft.account(approval.asked_by).is_some_and(|a| a.standing == Standing::Active);
    let out = if asker { what(c, approval, now) } else { Err(Refused::Conflict("The account that asked is no longer in use.")) };
    match out {
        Ok(ended) => {
            approval.done(now);
            c.told.act(PROGRAM, "desk-approval-use", detail(approval), now);
            ended
        }
        Err(refused) => {
            approval.void(None, Some(refused.what()), now);
            c.told.refused(PROGRAM, "desk-approval-use", detail(approval), "void", now);
            None
        }
    }
}

fn what(c: &mut Change<'_>, approval: &mut Approval, now: Millis) -> Outcome<Option<Id>> {
    let content = approval.content.clone();
    let actor = format!("account:{}", approval.asked_by);
    match approval.kind {
        Kind::AccountCreate => {
            let roles = roles(&content, "roles")?;
            let person = content.get("person").and_then(Value::as_str).map(|text| text.parse().map_err(|_| unreadable())).transpose()?;
            let id = create(c, text(&content, "display")?, &roles, person, now)?;
            c.draft.change_account(id, |a| a.by_two = true);
            approval.result = Some(id);
            c.told.act(&actor, "desk-account-create", format!("account={id} roles={} approval={}", names(&roles), approval.id), now);
            Ok(None)
        }
        Kind::RoleChange => {
            let (target, from, to) = (target(c, &content)?, roles(&content, "from")?, roles(&content, "to")?);
            if target.roles != from || target.standing == Standing::Disabled {
                return Err(Refused::Conflict("The account has other roles by now, or is disabled."));
            }
            fits_person(&c.draft, target.person, Some(target.id), &to)?;
            let detail = format!("account={} from={} to={} approval={}", target.id, names(&from), names(&to), approval.id);
            keeps_admins(&c.draft, target.id, &to)?;
            take_away(c, target.id, |a| a.roles = to)?;
            narrow_tokens(c, target.id, now);
            c.told.act(&actor, "desk-role-change", detail, now);
            Ok(Some(target.id))
        }
        Kind::AccountRecover => {
            let target = target(c, &content)?;
            if target.standing == Standing::Disabled {
                return Err(Refused::Conflict("The account is disabled by now."));
            }
            approval.result = Some(target.id);
            c.draft.change_account(target.id, |a| a.wait_anew(now));
            c.told.act(&actor, "desk-account-recover", format!("account={} approval={}", target.id, approval.id), now);
            Ok(Some(target.id))
        }
        Kind::AccountEnable => {
            let (target, roles) = (target(c, &content)?, roles(&content, "roles")?);
            if target.standing != Standing::Disabled || target.roles != roles {
                return Err(Refused::Conflict("The account is not disabled, or has other roles by now."));
            }
            fits_person(&c.draft, target.person, Some(target.id), &roles)?;
            let standing = if target.password.is_some() { Standing::Active } else { Standing::Invited };
            c.draft.change_account(target.id, |a| (a.standing, a.since) = (standing, now));
            c.told.act(&actor, "desk-account-enable", format!("account={} approval={}", target.id, approval.id), now);
            Ok(None)
        }
        Kind::AccountDisable => {
            let (target, roles) = (target(c, &content)?, roles(&content, "roles")?);
            if target.standing != Standing::Active || target.roles != roles {
                return Err(Refused::Conflict("The account is not in use, or has other roles by now."));
            }
            end_account(c, target.id, now)?;
            c.told.act(&actor, "desk-account-disable", format!("account={} approval={}", target.id, approval.id), now);
            Ok(Some(target.id))
        }
        Kind::BreakGlass => {
            let (account, role, minutes) = break_glass::read(&content).ok_or_else(unreadable)?;
            if account != approval.asked_by {
                return Err(unreadable());
            }
            super::approvals::fits_in_an_emergency(&c.draft, approval.asked_person, role)?;
            let until = now.plus(i64::from(minutes) * 60_000);
            c.draft.put(Entry::Emergency(Emergency { id: approval.id, account, role, from: now, until }));
            let detail = format!("approval={} role={role} minutes={minutes}", approval.id);
            c.told.act(&actor, "desk-break-glass-begin", detail, now);
            Ok(None)
        }
        Kind::SettingChange => Err(unreadable()),
    }
}

/// A content is always one this program wrote; one that is not is not acted on.
fn unreadable() -> Refused {
    Refused::Conflict("The content is not one of this kind.")
}

fn text<'a>(content: &'a Value, name: &str) -> Outcome<&'a str> {
    content.get(name).and_then(Value::as_str).ok_or_else(unreadable)
}

fn roles(content: &Value, name: &str) -> Outcome<Vec<Role>> {
    let list = content.get(name).and_then(Value::as_array).ok_or_else(unreadable)?;
    let role = |v: &Value| v.as_str().and_then(|text| text.parse().ok()).ok_or_else(unreadable);
    account::roles(&list.iter().map(role).collect::<Outcome<Vec<Role>>>()?)
}

fn target(c: &Change<'_>, content: &Value) -> Outcome<Account> {
    let id = text(content, "account")?.parse().map_err(|_| unreadable())?;
    c.draft.account(id).cloned().ok_or(Refused::NotFound("account"))
}

/// Makes an account that waits for its link to be used.
pub(super) fn create(c: &mut Change<'_>, display: &str, roles: &[Role], person: Option<Id>, now: Millis) -> Outcome<Id> {
    room_for_account(c, now)?;
    if let Some(person) = person {
        fits_person(&c.draft, person, None, roles)?;
    }
    let account = Account::invited(person.unwrap_or_else(Id::random), display, roles, now);
    let id = account.id;
    c.draft.put(Entry::Account(account));
    Ok(id)
}

/// Refuses one account too many.
pub(super) fn room_for_account(c: &mut Change<'_>, now: Millis) -> Outcome<()> {
    super::tick::forget_invited(c, now);
    match c.draft.accounts().len() < ACCOUNTS {
        true => Ok(()),
        false => Err(Refused::TooMany("accounts")),
    }
}
