//! Two persons, from the outside.

use serde_json::json;

use super::*;
use crate::desk::refused::Over;

fn ask(u: &Unit) -> Id {
    u.w.desk.ask(&u.w.caller(&u.sys), "setting-change", &json!({"changes": {"a.b": "1"}}), WHY, u.w.now()).unwrap().approval.unwrap()
}

fn take(u: &Unit, by: &User, id: Id, value: &str) -> Result<(), Refused> {
    let out = u.w.desk.take(&u.w.caller(by), id, "setting-change", &json!({"changes": {"a.b": value}}), u.w.now());
    u.w.same();
    out.map(|reason| assert_eq!(reason, WHY, "the reason that was confirmed"))
}

#[test]
fn a_confirmed_content_is_used_once() {
    let u = unit();
    let id = ask(&u);
    assert_eq!(u.w.session(&u.sec.cookie).unwrap().waiting, 1);
    assert_eq!(u.w.session(&u.sys.cookie).unwrap().waiting, 0);
    assert_eq!(take(&u, &u.sys, id, "1").unwrap_err().code(), "conflict");
    let wrong = u.w.desk.confirm(&u.w.caller(&u.sec), id, &"0".repeat(64), u.w.now());
    assert_eq!(wrong.unwrap_err().code(), "conflict");
    for bad in ["", "zz", &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(u.w.desk.confirm(&u.w.caller(&u.sec), id, bad, u.w.now()).unwrap_err().field(), Some("digest"));
    }
    assert_eq!(u.w.confirm(&u.sec, id).unwrap().state, "confirmed");
    assert_eq!(u.w.confirm(&u.one, id).unwrap_err().code(), "conflict");
    take(&u, &u.sys, id, "1").unwrap();
    assert_eq!(take(&u, &u.sys, id, "1"), Err(Refused::Expired("approval")), "replayed");
    assert_eq!(u.w.state_of(&u.sys, id), "used");
    for action in ["desk-approval-ask", "desk-approval-confirm", "desk-approval-use"] {
        assert!(u.w.told().iter().any(|t| t.starts_with(action) && t.contains(&id.to_string())), "{action}");
    }
}

#[test]
fn the_asker_never_confirms_with_whichever_account() {
    let mut u = unit();
    let again = u.w.add(&u.sys, &u.sec, "sys-too", &[Role::Approver], Some(u.sys.person));
    assert_eq!(again.person, u.sys.person);
    let id = ask(&u);
    assert_eq!(u.w.confirm(&again, id), Err(Refused::SamePerson));
    let view = u.w.desk.approval(&u.w.caller(&again), id, u.w.now()).unwrap();
    assert!(!view.may_confirm && view.why_not.is_some());
    assert_eq!(u.w.desk.refuse(&u.w.caller(&again), id, WHY, u.w.now()), Err(Refused::SamePerson));
    assert_eq!(u.w.confirm(&u.sys, id).unwrap_err().code(), "not-allowed", "no capability at all");
    let own = u.w.desk.invite(&u.w.caller(&u.sys), "Me", &[Role::Reviewer], Some(u.sys.person), WHY, u.w.now()).unwrap().approval.unwrap();
    assert_eq!(u.w.confirm(&again, own), Err(Refused::SamePerson));
    u.w.sign_in(&mut u.sec);
    assert_eq!(u.w.confirm(&u.sec, id).unwrap().state, "confirmed");
}

#[test]
fn changed_content_makes_it_void_for_good() {
    let u = unit();
    let id = ask(&u);
    u.w.confirm(&u.sec, id).unwrap();
    assert_eq!(take(&u, &u.sec, id, "2").unwrap_err().code(), "not-allowed", "somebody else cannot make it void");
    assert_eq!(take(&u, &u.sys, id, "2"), Err(Refused::Void));
    let later = take(&u, &u.sys, id, "1").unwrap_err();
    assert_eq!(later, Refused::Over { how: Over::OtherContent, at: u.w.now() });
    assert!(later.what().contains(&u.w.now().to_string()) && later.what().contains("the one who asked"), "{}", later.what());
    assert_eq!(u.w.state_of(&u.sys, id), "void");
    assert!(u.w.told().iter().any(|t| t.starts_with("desk-approval-use account:") && t.ends_with("void")));
}

#[test]
fn time_ends_it_before_and_after_the_confirmation() {
    let u = unit();
    let (waiting, confirmed) = (ask(&u), ask(&u));
    u.w.confirm(&u.sec, confirmed).unwrap();
    u.w.later(24 * 3_600_000);
    let (mut sys, mut sec) = (u.sys.clone(), u.sec.clone());
    u.w.sign_in(&mut sys);
    u.w.sign_in(&mut sec);
    assert_eq!(u.w.confirm(&sec, waiting), Err(Refused::Expired("approval")));
    assert_eq!(take(&u, &sys, confirmed, "1"), Err(Refused::Expired("approval")));
    assert_eq!(u.w.state_of(&sys, confirmed), "expired");
    u.w.desk.tick(u.w.now()).unwrap();
    u.w.same();
    u.w.desk.tick(u.w.now()).unwrap();
    assert_eq!(u.w.told_of("desk-approval-expire"), 2);
}

#[test]
fn refused_and_withdrawn_are_the_end_of_it() {
    let u = unit();
    let (a, b) = (ask(&u), ask(&u));
    assert_eq!(u.w.desk.refuse(&u.w.caller(&u.sec), a, "no", u.w.now()).unwrap_err().field(), Some("reason"));
    let refused = u.w.desk.refuse(&u.w.caller(&u.sec), a, "not this way", u.w.now()).unwrap();
    assert_eq!((refused.state, refused.steps[1].reason.as_deref()), ("refused", Some("not this way")));
    assert_eq!(u.w.desk.withdraw(&u.w.caller(&u.sec), b, u.w.now()).unwrap_err().code(), "not-found");
    assert_eq!(u.w.desk.withdraw(&u.w.caller(&u.sys), b, u.w.now()).unwrap().state, "withdrawn");
    for (id, how, code) in [(a, Over::Refused, "approval-refused"), (b, Over::Withdrawn, "approval-withdrawn")] {
        let over = u.w.confirm(&u.one, id).unwrap_err();
        assert_eq!((over.code(), over.clone()), (code, Refused::Over { how, at: u.w.now() }));
    }
    let list = u.w.desk.approvals(&u.w.caller(&u.sec), u.w.now()).unwrap();
    assert!(list.len() >= 5 && list.iter().any(|v| v.id == a));
    assert!(u.w.desk.approvals(&u.w.caller(&u.op), u.w.now()).unwrap().is_empty(), "one's own alone");
    assert_eq!(u.w.desk.approval(&u.w.caller(&u.op), a, u.w.now()), Err(Refused::NotFound("approval")));
}

#[test]
fn a_confirmation_counts_only_while_its_account_may_confirm() {
    let mut u = unit();
    let id = ask(&u);
    u.w.confirm(&u.one, id).unwrap();
    u.w.desk.disable(&u.w.caller(&u.sec), u.one.id, WHY, u.w.now()).unwrap();
    assert_eq!(take(&u, &u.sys, id, "1").unwrap_err().code(), "conflict");
    let recover = u.w.desk.recover(&u.w.caller(&u.sec), u.audit.id, WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.two, recover).unwrap();
    u.w.desk.disable(&u.w.caller(&u.sys), u.two.id, WHY, u.w.now()).unwrap();
    let back = u.w.desk.enable(&u.w.caller(&u.sys), u.one.id, WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.sec, back).unwrap();
    u.w.sign_in(&mut u.one);
    assert_eq!(u.w.confirm(&u.one, recover).unwrap().state, "waiting", "the first of the two is gone");
}

#[test]
fn an_emergency_needs_two_others_shows_itself_and_ends() {
    let mut u = unit();
    let glass = |by: &User, role, minutes| u.w.desk.break_glass(&u.w.caller(by), role, minutes, WHY, u.w.now());
    assert_eq!(glass(&u.op, Role::AuditAdmin, 5).err().map(|e| e.code()), Some("not-allowed"));
    assert_eq!(glass(&u.sys, Role::Operator, 61).err().map(|e| e.field()), Some(Some("minutes")));
    assert_eq!(glass(&u.sys, Role::SystemAdmin, 5).err().map(|e| e.code()), Some("conflict"));
    for never in [Role::SecurityAdmin, Role::AuditAdmin, Role::Approver] {
        assert_eq!(glass(&u.sys, never, 5).err().map(|e| e.code()), Some("not-allowed"), "{never}");
    }
    let id = glass(&u.sys, Role::Operator, 60).unwrap().approval.unwrap();
    u.w.confirm(&u.one, id).unwrap();
    assert!(u.w.session(&u.sys.cookie).unwrap().emergency.is_none());
    u.w.confirm(&u.two, id).unwrap();
    let view = u.w.session(&u.sys.cookie).unwrap();
    assert_eq!(view.emergency, Some((Role::Operator, u.w.now().plus(3_600_000))));
    let may = view.caller.may.names();
    assert!(may.contains(&"lookup.ask".to_owned()) && !may.contains(&"approvals.confirm".to_owned()));
    assert_eq!(u.w.desk.notices(u.w.now()).iter().map(|n| n.code).collect::<Vec<_>>(), ["break-glass"]);
    let token = u.w.desk.token_make(&view.caller, "t", &["lookup.ask".into()], 1, u.w.now());
    assert_eq!(token.err().map(|e| e.field()), Some(Some("scope")), "no token outlives an emergency");
    u.w.restart();
    u.w.sign_in(&mut u.sys);
    assert!(u.w.session(&u.sys.cookie).unwrap().emergency.is_some());
    u.w.later(59 * 60_000);
    u.w.sign_in(&mut u.sys);
    assert!(u.w.session(&u.sys.cookie).unwrap().emergency.is_none());
    u.w.desk.tick(u.w.now()).unwrap();
    u.w.same();
    assert_eq!((u.w.told_of("desk-break-glass-begin"), u.w.told_of("desk-break-glass-end")), (1, 1));
    let id = u.w.desk.break_glass(&u.w.caller(&u.sys), Role::Operator, 5, WHY, u.w.now()).unwrap().approval.unwrap();
    for by in [&mut u.one, &mut u.two] {
        u.w.sign_in(by);
        u.w.confirm(by, id).unwrap();
    }
    assert_eq!(u.w.desk.break_glass_end(&u.w.caller(&u.one), u.w.now()), Err(Refused::NotFound("open emergency")));
    u.w.desk.break_glass_end(&u.w.caller(&u.sys), u.w.now()).unwrap();
    assert!(u.w.session(&u.sys.cookie).unwrap().emergency.is_none());
}

#[test]
fn there_are_never_more_than_the_limits() {
    let u = unit();
    let mut asked = 0;
    let refused = loop {
        match u.w.desk.ask(&u.w.caller(&u.sys), "setting-change", &json!({"n": asked}), WHY, u.w.now()) {
            Ok(_) => asked += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((asked, refused.code()), (crate::desk::limits::APPROVALS_OPEN, "too-many"));
    assert_eq!(u.w.desk.ask(&u.w.caller(&u.sys), "break-glass", &json!(1), WHY, u.w.now()).map(drop).unwrap_err().field(), Some("kind"));
}

#[test]
fn an_account_of_the_socket_carries_out_what_was_decided_and_makes_nothing_void() {
    let u = unit();
    let (id, other) = (ask(&u), ask(&u));
    u.w.confirm(&u.sec, id).unwrap();
    u.w.confirm(&u.sec, other).unwrap();
    let take = |id: Id, value: &str| u.w.desk.take_socket("uid:7", id, "setting-change", &json!({"changes": {"a.b": value}}), u.w.now());
    assert_eq!(take(id, "2").unwrap_err().code(), "conflict", "another content is refused");
    u.w.same();
    assert_eq!(refused_steps(&u, id), ["desk-approval-use conflict"]);
    assert_eq!((u.w.state_of(&u.sys, id).as_str(), take(id, "1")), ("confirmed", Ok(WHY.to_owned())), "it stays what it was");
    assert_eq!(take(other, "1"), Ok(WHY.to_owned()), "with the reason that was confirmed");
    assert_eq!((u.w.state_of(&u.sys, other).as_str(), take(other, "1")), ("used", Err(Refused::Expired("approval"))));
}

/// What was told of refused steps of an approval: action, the first letters of who, how it ended.
fn refused_steps(u: &Unit, id: Id) -> Vec<String> {
    let of = format!("approval={id}");
    let told = u.w.told().into_iter().filter(|t| t.contains(&of) && !t.ends_with(" ok") && t.split(' ').any(|w| w == of));
    told.map(|t| format!("{} {}", t.split(' ').next().unwrap(), t.rsplit(' ').next().unwrap())).collect()
}

#[test]
fn every_refused_step_is_a_record() {
    let mut u = unit();
    let twin = u.w.add(&u.sys, &u.sec, "sys-too", &[Role::Approver], Some(u.sys.person));
    u.w.sign_in(&mut u.sys);
    let (id, gone, late) = (ask(&u), ask(&u), ask(&u));
    let not_confirmed = take(&u, &u.sys, id, "1");
    assert_eq!(not_confirmed.unwrap_err().code(), "conflict");
    assert!(u.w.confirm(&twin, id).is_err() && u.w.confirm(&u.sys, id).is_err());
    assert!(u.w.desk.refuse(&u.w.caller(&twin), id, WHY, u.w.now()).is_err());
    assert!(u.w.desk.confirm(&u.w.caller(&u.sec), id, &"0".repeat(64), u.w.now()).is_err(), "another digest");
    assert!(u.w.desk.withdraw(&u.w.caller(&u.sec), id, u.w.now()).is_err(), "somebody else's");
    u.w.confirm(&u.sec, id).unwrap();
    assert!(u.w.confirm(&u.sec, id).is_err(), "twice");
    take(&u, &u.sys, id, "1").unwrap();
    assert!(take(&u, &u.sys, id, "1").is_err() && u.w.confirm(&u.one, id).is_err(), "used");
    let want = [
        "desk-approval-use conflict",
        "desk-approval-confirm not-allowed",
        "desk-approval-confirm not-allowed",
        "desk-approval-refuse not-allowed",
        "desk-approval-confirm conflict",
        "desk-approval-withdraw not-found",
        "desk-approval-confirm conflict",
        "desk-approval-use expired",
        "desk-approval-confirm expired",
    ];
    assert_eq!(refused_steps(&u, id), want);
    u.w.desk.withdraw(&u.w.caller(&u.sys), gone, u.w.now()).unwrap();
    u.w.desk.refuse(&u.w.caller(&u.sec), late, WHY, u.w.now()).unwrap();
    assert!(u.w.confirm(&u.one, gone).is_err() && u.w.confirm(&u.one, late).is_err(), "withdrawn, refused");
    let over = |how: &str| vec![format!("desk-approval-confirm approval-{how}")];
    assert_eq!((refused_steps(&u, gone), refused_steps(&u, late)), (over("withdrawn"), over("refused")));
    let nothing = Id::random();
    assert!(u.w.desk.confirm(&u.w.caller(&u.two), nothing, &"0".repeat(64), u.w.now()).is_err());
    assert!(u.w.desk.approval_result(&u.w.caller(&u.two), nothing, u.w.now()).is_err());
    assert!(u.w.desk.take_socket("uid:7", nothing, "setting-change", &json!(1), u.w.now()).is_err());
    assert_eq!(
        refused_steps(&u, nothing),
        ["desk-approval-confirm not-found", "desk-account-link not-found", "desk-approval-use not-found"],
        "by whom it may be, over the socket too"
    );
}

#[test]
fn refused_steps_do_not_fill_the_disk_and_none_is_lost() {
    let u = unit();
    let id = ask(&u);
    u.w.confirm(&u.sec, id).unwrap();
    assert_eq!(take(&u, &u.sys, id, "2"), Err(Refused::Void));
    for _ in 0..500 {
        assert_eq!(take(&u, &u.sys, id, "1").unwrap_err().code(), "approval-void", "also what became void before");
        assert!(u.w.desk.take_socket("uid:7", id, "setting-change", &json!(1), u.w.now()).is_err());
    }
    let most = 2 * crate::desk::limits::REFUSALS_A_WINDOW as usize + 1;
    assert_eq!(refused_steps(&u, id).len(), most);
    u.w.desk.end(u.w.now()).unwrap();
    let rest: Vec<String> = u.w.told().into_iter().filter(|t| t.starts_with("desk-approval ") && t.contains(" and=490 ")).collect();
    assert_eq!(rest.len(), 2, "{rest:?}");
}

#[test]
fn an_emergency_and_a_role_that_never_go_together_do_not_meet_by_another_account_either() {
    let mut u = unit();
    let glass = u.w.desk.break_glass(&u.w.caller(&u.sys), Role::Operator, 60, WHY, u.w.now()).unwrap().approval.unwrap();
    let early =
        u.w.desk.invite(&u.w.caller(&u.sys), "Me", &[Role::Approver], Some(u.sys.person), WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.one, glass).unwrap();
    u.w.confirm(&u.two, glass).unwrap();
    assert!(u.w.session(&u.sys.cookie).unwrap().emergency.is_some());
    assert_eq!(u.w.confirm(&u.one, early).unwrap().state, "void", "who looks up in an emergency becomes no approver meanwhile");
    let now = u.w.desk.invite(&u.w.caller(&u.sys), "Me", &[Role::Approver], Some(u.sys.person), WHY, u.w.now());
    assert_eq!(now.err().map(|e| e.field()), Some(Some("roles")));
    u.w.desk.break_glass_end(&u.w.caller(&u.sys), u.w.now()).unwrap();
    let later = u.w.add(&u.sys, &u.one, "sys-too", &[Role::Approver], Some(u.sys.person));
    // And the other way round: asked before, confirmed when it no longer fits.
    u.w.sign_in(&mut u.sys);
    let glass = u.w.desk.break_glass(&u.w.caller(&u.sys), Role::Operator, 5, WHY, u.w.now());
    assert_eq!(glass.err().map(|e| e.code()), Some("not-allowed"), "{}", later.login);
}

#[test]
fn a_link_that_is_not_confirmed_yet_is_not_said_to_be_over() {
    let u = unit();
    let id = u.w.desk.invite(&u.w.caller(&u.sys), "New", &[Role::Reviewer], None, WHY, u.w.now()).unwrap().approval.unwrap();
    let fetched = || u.w.desk.approval_result(&u.w.caller(&u.sys), id, u.w.now());
    assert_eq!(fetched(), Err(Refused::NotConfirmed { left: 1 }));
    u.w.confirm(&u.one, id).unwrap();
    assert!(fetched().is_ok());
    assert_eq!(fetched(), Err(Refused::Expired("result")));
}

#[test]
fn what_is_not_confirmed_says_how_many_are_missing_and_who_may() {
    let u = unit();
    let lost = u.w.desk.recover(&u.w.caller(&u.sec), u.audit.id, WHY, u.w.now()).unwrap().approval.unwrap();
    let fetched = |id: Id, by: &User| u.w.desk.approval_result(&u.w.caller(by), id, u.w.now()).map(drop);
    assert_eq!(fetched(lost, &u.sec), Err(Refused::NotConfirmed { left: 2 }));
    u.w.confirm(&u.one, lost).unwrap();
    let refused = fetched(lost, &u.sec).unwrap_err();
    assert_eq!((refused.code(), refused.status()), ("conflict", 409));
    assert!(refused.what().contains("still confirm it: 1") && refused.todo().contains("approver"), "{refused:?}");
    u.w.confirm(&u.two, lost).unwrap();
    assert_eq!((fetched(lost, &u.sec), fetched(lost, &u.sec)), (Ok(()), Err(Refused::Expired("result"))));
    let setting = ask(&u);
    assert!(matches!(take(&u, &u.sys, setting, "1"), Err(Refused::NotConfirmed { left: 1 })));
    assert!(matches!(fetched(setting, &u.sys), Err(Refused::Conflict(_))), "it leads to no link");
}
