//! Set-up, invitations, roles, recovery, disabling.

use super::*;
use crate::desk::limits::INVITATION_MS;

#[test]
fn the_first_link_makes_one_administrator_and_no_more() {
    let w = World::new();
    let token = w.desk.setup_link(w.now()).unwrap();
    assert_eq!(w.desk.setup_link(w.now()), Some(token.clone()));
    for bad in ["", "setup_", "setup_x", "link_x", &token[..token.len() - 1]] {
        assert_eq!(w.take_up(bad, "sys", "a long password, sure", &w.peer()).unwrap_err().code(), "wrong-credentials");
    }
    for (login, password) in
        [("s", "a long password, sure"), ("SYS", "a long password, sure"), ("sys", "short"), ("system", "I am System, let me in")]
    {
        assert_eq!(w.take_up(&token, login, password, &w.peer()).unwrap_err().code(), "bad-request", "{login} {password}");
    }
    let peer = w.peer();
    for _ in 0..20 {
        let short = w.take_up(&token, "sys", "short", &peer).unwrap_err();
        assert_eq!(short.code(), "bad-request", "who has the link does not wait for a typing error");
    }
    let sys = w.first();
    assert_eq!(w.account(&sys, sys.id).roles, [Role::SystemAdmin]);
    assert_eq!(w.desk.setup_link(w.now()), None);
    assert_eq!(w.take_up(&token, "sys2", "a long password, sure", &w.peer()).unwrap_err().code(), "link-used");
}

#[test]
fn during_set_up_each_role_is_given_once_and_afterwards_nothing_without_a_second_person() {
    let w = World::new();
    let sys = w.first();
    let caller = w.caller(&sys);
    let invite = |roles: &[Role]| w.desk.invite(&caller, "Somebody", roles, None, WHY, w.now());
    assert!(invite(&[Role::SystemAdmin]).unwrap().approval.is_some(), "a role somebody has waits for a second person");
    assert!(invite(&[]).is_err() && invite(&[Role::Operator, Role::Operator]).is_err());
    assert!(invite(&[Role::SecurityAdmin, Role::AuditAdmin]).is_err(), "roles that exclude one another");
    let me = w.desk.invite(&caller, "Me again", &[Role::SecurityAdmin], Some(sys.person), WHY, w.now());
    assert_eq!(me.err().map(|e| e.field()), Some(Some("roles")), "one person is one administrator");
    let link = invite(&[Role::SecurityAdmin]).unwrap().link.unwrap();
    assert!(invite(&[Role::SecurityAdmin]).unwrap().approval.is_some(), "its link waits, so the role is given");
    let sec = w.accept(&link, "sec");
    assert_eq!(w.take_up(&link, "sec2", "a long password, sure", &w.peer()).unwrap_err().code(), "link-used", "used");
    let audit = w.invite(&sys, "audit", &[Role::AuditAdmin]);
    assert!(w.desk.is_setup());
    assert!(invite(&[Role::Reviewer]).unwrap().approval.is_some());
    assert_eq!(w.desk.disable(&caller, audit.id, WHY, w.now()).err().map(|e| e.code()), Some("conflict"), "the last of them stays");
    assert!(w.desk.is_setup() && invite(&[Role::AuditAdmin]).unwrap().approval.is_some(), "set-up does not come back");
    assert!(w.session(&audit.cookie).is_some() && w.session(&sec.cookie).is_some());
}

#[test]
fn a_link_ends_by_time_and_a_new_one_makes_the_old_one_void() {
    let w = World::new();
    let sys = w.first();
    let old = w.desk.invite(&w.caller(&sys), "Somebody", &[Role::Reviewer], None, WHY, w.now()).unwrap().link.unwrap();
    let id = w.desk.accounts(&w.caller(&sys), w.now()).unwrap().into_iter().find(|a| a.state == "invited").unwrap().id;
    let new = w.desk.recover(&w.caller(&sys), id, WHY, w.now()).unwrap().link.unwrap();
    let accept = |token: &str| w.take_up(token, "rev", "a long password, sure", &w.peer());
    assert_eq!(accept(&old).unwrap_err().code(), "link-void", "void");
    w.later(INVITATION_MS);
    assert_eq!(accept(&new).unwrap_err().code(), "link-expired");
    w.later(INVITATION_MS + 1);
    w.desk.tick(w.now()).unwrap();
    assert!(w.desk.store().account(id).is_none(), "nobody ever was this account");
    w.same();
    assert_eq!(w.told_of("desk-account-forget"), 1);
}

#[test]
fn a_sign_in_name_is_taken_once_and_the_confirmed_name_stays() {
    let u = unit();
    let changed = u.w.desk.invite(&u.w.caller(&u.sys), "As confirmed", &[Role::Reviewer], None, WHY, u.w.now()).unwrap();
    u.w.confirm(&u.sec, changed.approval.unwrap()).unwrap();
    let token = u.w.desk.approval_result(&u.w.caller(&u.sys), changed.approval.unwrap(), u.w.now()).unwrap();
    let accept = |login: &str| u.w.take_up(&token, login, "a long password, sure", &u.w.peer());
    assert_eq!(accept("op").unwrap_err().code(), "conflict");
    let done = accept("rev").unwrap();
    assert_eq!(u.w.account(&u.sys, done.account).display, "As confirmed");
}

#[test]
fn roles_are_taken_at_once_and_given_by_two_and_sessions_end_either_way() {
    let mut u = unit();
    let w = &u.w;
    let change = |by: &User, id: Id, roles: &[Role]| w.desk.roles_change(&w.caller(by), id, roles, WHY, w.now());
    assert_eq!(change(&u.sys, u.sys.id, &[]).err(), Some(Refused::SamePerson));
    assert_eq!(change(&u.op, u.sys.id, &[]).err().map(|e| e.code()), Some("not-allowed"));
    assert_eq!(change(&u.sys, u.op.id, &[Role::Operator]).err().map(|e| e.code()), Some("conflict"));
    assert_eq!(change(&u.sys, u.op.id, &[Role::Operator, Role::Approver]).err().map(|e| e.field()), Some(Some("roles")));
    let asked = change(&u.sys, u.op.id, &[Role::Operator, Role::Reviewer]).unwrap().approval.unwrap();
    assert_eq!(w.account(&u.sys, u.op.id).roles, [Role::Operator]);
    assert!(w.session(&u.op.cookie).is_some());
    w.confirm(&u.sec, asked).unwrap();
    assert_eq!(w.account(&u.sys, u.op.id).roles, [Role::Operator, Role::Reviewer]);
    assert!(w.session(&u.op.cookie).is_none());
    w.sign_in(&mut u.op);
    assert!(change(&u.sec, u.op.id, &[Role::Reviewer]).unwrap().approval.is_none());
    assert!(w.session(&u.op.cookie).is_none());
    assert_eq!((w.told_of("desk-role-change"), w.told_of("desk-role-remove")), (1, 1));
}

#[test]
fn what_no_longer_fits_at_the_last_confirmation_is_void() {
    let u = unit();
    let w = &u.w;
    let caller = w.caller(&u.sys);
    let more = w.desk.roles_change(&caller, u.op.id, &[Role::Operator, Role::Reviewer], WHY, w.now()).unwrap().approval.unwrap();
    w.desk.roles_change(&caller, u.op.id, &[], WHY, w.now()).unwrap();
    assert_eq!(w.confirm(&u.sec, more).unwrap().state, "void");
    assert!(w.account(&u.sys, u.op.id).roles.is_empty());
    let create = w.desk.invite(&w.caller(&u.sec), "Somebody", &[Role::Operator], None, WHY, w.now()).unwrap().approval.unwrap();
    w.add(&u.sys, &u.one, "sec2", &[Role::SecurityAdmin], None);
    let gone = w.desk.disable(&w.caller(&u.sys), u.sec.id, WHY, w.now()).unwrap().approval.unwrap();
    assert_eq!(w.confirm(&u.one, gone).unwrap().state, "used");
    assert_eq!(w.confirm(&u.one, create).unwrap().state, "void", "the one who asked is gone");
    assert!(w.told().iter().any(|t| t.starts_with("desk-approval-use weir") && t.ends_with("void")));
}

#[test]
fn a_disabled_account_ends_at_once_and_comes_back_by_two_persons() {
    let mut u = unit();
    let token = u.w.desk.token_make(&u.w.caller(&u.op), "t", &["overview.read".into()], 9, u.w.now()).unwrap().secret.unwrap();
    let w = &u.w;
    assert!(w.desk.bearer(&token, &w.peer(), w.now()).is_ok());
    assert_eq!(w.desk.disable(&w.caller(&u.sys), u.sys.id, WHY, w.now()).err(), Some(Refused::SamePerson));
    w.desk.disable(&w.caller(&u.sys), u.op.id, WHY, w.now()).unwrap();
    assert!(w.session(&u.op.cookie).is_none() && w.desk.bearer(&token, &w.peer(), w.now()).is_err());
    assert!(w.desk.password("op", &u.op.password, &w.peer(), w.now()).is_err());
    let back = w.desk.enable(&w.caller(&u.sys), u.op.id, WHY, w.now()).unwrap().approval.unwrap();
    w.confirm(&u.one, back).unwrap();
    w.sign_in(&mut u.op);
    assert!(w.desk.bearer(&token, &w.peer(), w.now()).is_err(), "its tokens do not come back with it");
}

#[test]
fn nobody_takes_away_the_last_way_back() {
    let u = unit();
    let w = &u.w;
    let disable = |by: &User, id: Id| w.desk.disable(&w.caller(by), id, WHY, w.now()).map(drop);
    disable(&u.sys, u.one.id).unwrap();
    disable(&u.sys, u.two.id).unwrap();
    // Who asks and who confirms are left, and stay.
    for (by, last) in [(&u.sys, u.sec.id), (&u.sec, u.sys.id)] {
        assert_eq!(disable(by, last).unwrap_err().code(), "conflict");
        assert_eq!(w.desk.roles_change(&w.caller(by), last, &[], WHY, w.now()).err().map(|e| e.code()), Some("conflict"));
    }
    let back = w.desk.enable(&w.caller(&u.sys), u.two.id, WHY, w.now()).unwrap().approval.unwrap();
    assert_eq!(w.confirm(&u.sec, back).unwrap().state, "used");
}

#[test]
fn an_administrator_is_recovered_by_two_others_and_starts_anew() {
    let mut u = unit();
    let soft = u.w.enrol_passkey(&mut u.sys);
    let w = &u.w;
    let asked = w.desk.recover(&w.caller(&u.sec), u.sys.id, WHY, w.now()).unwrap().approval.unwrap();
    assert_eq!(w.confirm(&u.sec, asked).err(), Some(Refused::SamePerson));
    assert_eq!(w.confirm(&u.one, asked).unwrap().state, "waiting");
    assert_eq!(w.confirm(&u.one, asked).err().map(|e| e.code()), Some("conflict"));
    assert!(w.session(&u.sys.cookie).is_some());
    let done = w.confirm(&u.two, asked).unwrap();
    assert_eq!((done.state, done.has_result), ("used", false), "only the one who asked has a result");
    assert!(w.session(&u.sys.cookie).is_none());
    assert_eq!(w.desk.approval_result(&w.caller(&u.one), asked, w.now()).unwrap_err().code(), "not-found");
    let token = w.desk.approval_result(&w.caller(&u.sec), asked, w.now()).unwrap();
    assert_eq!(w.desk.approval_result(&w.caller(&u.sec), asked, w.now()).unwrap_err().code(), "expired", "once");
    let accept = |login: &str| w.take_up(&token, login, "a new long password!", &w.peer());
    assert_eq!(accept("other").unwrap_err().field(), Some("login"));
    let back = accept("sys").unwrap();
    assert_eq!((back.account, back.next), (u.sys.id, Some(Next::Enrol)));
    assert!(w.passkey(&w.desk.visitor(), &soft).is_err() && w.desk.password("sys", &u.sys.password, &w.peer(), w.now()).is_err());
    assert_eq!(w.account(&u.sec, u.sys.id).roles, [Role::SystemAdmin]);
}

#[test]
fn a_recovered_account_is_no_second_person_for_who_held_its_link() {
    let u = unit();
    let w = &u.w;
    let asked = w.desk.recover(&w.caller(&u.sys), u.one.id, WHY, w.now()).unwrap().approval.unwrap();
    assert_eq!(w.confirm(&u.sec, asked).unwrap().state, "waiting", "an approver needs two");
    assert_eq!(w.confirm(&u.two, asked).unwrap().state, "used");
    let token = w.desk.approval_result(&w.caller(&u.sys), asked, w.now()).unwrap();
    let again = w.accept(&token, &u.one.login);
    let wanted = w.desk.invite(&w.caller(&u.sys), "Somebody", &[Role::Operator], None, WHY, w.now()).unwrap().approval.unwrap();
    assert_eq!(w.confirm(&again, wanted).err(), Some(Refused::SamePerson));
    assert_eq!(w.confirm(&u.two, wanted).unwrap().state, "used");
    let other = w.desk.invite(&w.caller(&u.sec), "Somebody", &[Role::Operator], None, WHY, w.now()).unwrap().approval.unwrap();
    assert_eq!(w.confirm(&again, other).unwrap().state, "used", "for others it is");
}

#[test]
fn notices_say_what_needs_a_person() {
    let codes = |w: &World| w.desk.notices(w.now()).into_iter().map(|n| n.code).collect::<Vec<_>>();
    let w = World::new();
    assert!(codes(&w).is_empty());
    let sys = w.first();
    assert_eq!(codes(&w), ["setup-open"]);
    let sec = w.invite(&sys, "sec", &[Role::SecurityAdmin]);
    w.invite(&sys, "audit", &[Role::AuditAdmin]);
    assert_eq!(codes(&w), ["few-approvers"]);
    let one = w.add(&sys, &sec, "one", &[Role::Approver], None);
    assert_eq!(codes(&w), ["few-approvers"]);
    w.add(&sys, &one, "two", &[Role::Approver], None);
    assert!(codes(&w).is_empty());
}

#[test]
fn there_are_never_more_than_a_thousand_accounts() {
    let mut u = unit();
    for n in 6..1_000 {
        let mut account = crate::desk::account::Account::invited(Id::random(), "Filler", &[Role::Reviewer], u.w.now());
        (account.login, account.standing) = (format!("filler-{n}"), crate::desk::account::Standing::Active);
        let entry = crate::desk::store::Entry::Account(account);
        lock(&u.w.sink.state).insert(crate::desk::store::encode_key(entry.key()), entry.encode());
    }
    u.w.desk = Desk::open(u.w.sink.clone(), settings(), u.w.now()).unwrap();
    u.w.sign_in(&mut u.sys);
    let refused = u.w.desk.invite(&u.w.caller(&u.sys), "One more", &[Role::Reviewer], None, WHY, u.w.now());
    assert_eq!(refused.err().map(|e| e.code()), Some("too-many"));
}

#[test]
fn lists_are_for_who_may_read_them() {
    let u = unit();
    let w = &u.w;
    assert_eq!(w.desk.accounts(&w.caller(&u.op), w.now()).err().map(|e| e.code()), Some("not-allowed"));
    assert_eq!(w.desk.accounts(&w.caller(&u.audit), w.now()).unwrap().len(), 6);
    assert_eq!(w.desk.display(u.op.id).unwrap(), "Somebody");
}

#[test]
fn an_administrator_is_disabled_by_two_and_the_last_of_each_sort_stays() {
    let u = unit();
    let w = &u.w;
    let disable = |by: &User, id: Id| w.desk.disable(&w.caller(by), id, WHY, w.now());
    for last in [u.sec.id, u.audit.id] {
        assert_eq!(disable(&u.sys, last).err().map(|e| e.code()), Some("conflict"), "the last one");
        let roles = w.desk.roles_change(&w.caller(&u.sys), last, &[Role::Reviewer], WHY, w.now());
        assert_eq!(roles.err().map(|e| e.code()), Some("conflict"), "nor by taking the role away");
    }
    let second = w.add(&u.sys, &u.one, "audit2", &[Role::AuditAdmin, Role::Approver], None);
    let asked = disable(&u.sys, u.audit.id).unwrap().approval.expect("two persons");
    let other = disable(&u.sys, second.id).unwrap().approval.unwrap();
    assert!(w.session(&u.audit.cookie).is_some());
    assert_eq!(w.confirm(&u.one, asked).unwrap().state, "used");
    assert_eq!((w.account(&u.sys, u.audit.id).state, w.session(&u.audit.cookie).is_some()), ("disabled", false));
    assert_eq!(w.confirm(&u.one, other).unwrap().state, "void", "by now it is the last one");
    assert_eq!(w.account(&u.sys, second.id).state, "active");
    assert!(w.told().iter().any(|t| t.starts_with("desk-account-disable account:") && t.contains(&format!("approval={asked}"))));
    // An administrator's role is taken away by two as well; another role at once.
    let third = w.add(&u.sys, &u.one, "audit3", &[Role::AuditAdmin, Role::Approver], None);
    let change = |roles: &[Role]| w.desk.roles_change(&w.caller(&u.sys), third.id, roles, WHY, w.now()).unwrap().approval;
    assert_eq!(change(&[Role::AuditAdmin]), None);
    let taken = change(&[]).expect("two persons");
    assert_eq!(w.confirm(&u.two, taken).unwrap().state, "used");
    assert!(w.account(&u.sys, third.id).roles.is_empty());
}

#[test]
fn whoever_has_to_wait_is_told_why_and_who_can_confirm() {
    let w = World::new();
    let sys = w.first();
    let invite = |role: Role| w.desk.invite(&w.caller(&sys), "Somebody", &[role], None, WHY, w.now()).unwrap();
    let op = invite(Role::Operator);
    assert!(op.link.is_some() && op.remark.is_none(), "the first of a role comes at once");
    let second = invite(Role::Operator);
    let said = second.remark.unwrap();
    assert!(second.approval.is_some() && said.contains("only the first account of each role"), "{said}");
    assert!(said.contains("Not enough persons can confirm it yet (1 needed"), "{said}");
    w.accept(&invite(Role::SecurityAdmin).link.unwrap(), "sec");
    let third = invite(Role::Operator).remark.unwrap();
    assert!(third.contains("Another person (security-admin or approver) confirms it"), "{third}");
    let u = unit();
    let waits = |changed: Changed| changed.remark.filter(|_| changed.approval.is_some()).unwrap();
    let by = u.w.caller(&u.sys);
    let new = waits(u.w.desk.invite(&by, "New", &[Role::Reviewer], None, WHY, u.w.now()).unwrap());
    assert!(new.starts_with("Another person"), "after the set-up it needs no reason: {new}");
    let lost = waits(u.w.desk.recover(&by, u.audit.id, WHY, u.w.now()).unwrap());
    assert!(lost.contains("2 of them"), "{lost}");
    assert!(waits(u.w.desk.ask(&by, "setting-change", &serde_json::json!(1), WHY, u.w.now()).unwrap()).starts_with("Another person"));
}
