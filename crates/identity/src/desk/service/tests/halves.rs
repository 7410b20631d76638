//! A link that two persons decided on is of no use without the code, nor the code without the link.

use super::*;
use crate::desk::limits::{CODE_TRIES, ENDED_LINKS, FAILURES_FREE, INVITATION_MS};
use crate::desk::{LinkEnd, Waits};

const PASSWORD: &str = "a long password, sure";

/// An invitation that is asked for, confirmed and fetched: its account, the token of who asked, the code of who confirmed.
fn both(u: &Unit) -> (Id, String, String) {
    let asked = u.w.desk.invite(&u.w.caller(&u.sys), "New", &[Role::Reviewer], None, WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.sec, asked).unwrap();
    let code = u.w.code.borrow().clone().unwrap();
    let token = u.w.desk.approval_result(&u.w.caller(&u.sys), asked, u.w.now()).unwrap();
    let id = u.w.desk.accounts(&u.w.caller(&u.sys), u.w.now()).unwrap().into_iter().find(|a| a.state == "invited").unwrap().id;
    (id, token, code)
}

fn wrong_codes(w: &World) -> usize {
    w.told().iter().filter(|t| t.starts_with("auth-3 link") && t.ends_with(" code")).count()
}

#[test]
fn who_asked_has_the_link_and_cannot_use_it() {
    let u = unit();
    let (id, token, code) = both(&u);
    let seen = u.w.desk.link_view(&token, &u.w.peer(), u.w.now()).unwrap();
    assert_eq!((seen.display.as_deref(), seen.recovers, seen.code_needed), (Some("New"), false, true));
    for none in [None, Some(""), Some("  ")] {
        assert_eq!(u.w.take_up_with(&token, "evil", PASSWORD, none, &u.w.peer()), Err(Refused::CodeNeeded));
    }
    assert_eq!(wrong_codes(&u.w), 0, "a code that was not given is no guess");
    assert_eq!(
        u.w.take_up_with(&token, "evil", PASSWORD, Some("0000-0000"), &u.w.peer()),
        Err(Refused::CodeWrong { left: CODE_TRIES - 1 })
    );
    assert_eq!(wrong_codes(&u.w), 1);
    // Asking once more for a link of the same account is a matter for two persons as well.
    assert!(u.w.desk.recover(&u.w.caller(&u.sys), id, WHY, u.w.now()).unwrap().link.is_none());
    let typed = code.to_lowercase().replace('-', " ");
    assert!(u.w.take_up_with(&token, "new", PASSWORD, Some(&typed), &u.w.peer()).is_ok());
    assert_eq!(u.w.take_up_with(&token, "new2", PASSWORD, Some(&code), &u.w.peer()), Err(Refused::LinkEnded(LinkEnd::Used)));
}

#[test]
fn who_confirmed_has_the_code_and_no_link() {
    let u = unit();
    let asked = u.w.desk.invite(&u.w.caller(&u.sys), "New", &[Role::Reviewer], None, WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.sec, asked).unwrap();
    let code = u.w.code.borrow().clone();
    assert_eq!(u.w.desk.approval_result(&u.w.caller(&u.sec), asked, u.w.now()), Err(Refused::NotFound("approval")));
    for guess in ["link_", &format!("link_{}_{}", Id::random(), "x".repeat(43)), code.as_deref().unwrap()] {
        assert_eq!(u.w.take_up_with(guess, "evil", PASSWORD, code.as_deref(), &u.w.peer()).unwrap_err().code(), "wrong-credentials");
    }
    // Once: neither a second look nor the state has it.
    let again = u.w.desk.approval(&u.w.caller(&u.sec), asked, u.w.now()).unwrap();
    let code = code.unwrap();
    assert!(!format!("{again:?}").contains(&code));
    assert!(u.w.confirm(&u.one, asked).is_err());
    assert!(!lock(&u.w.sink.state).values().any(|v| String::from_utf8_lossy(v).contains(&code)));
    assert!(!u.w.told().iter().any(|t| t.contains(&code)));
}

#[test]
fn five_wrong_codes_make_the_link_void_and_two_persons_decide_anew() {
    let u = unit();
    let (id, token, code) = both(&u);
    for n in 1..=CODE_TRIES {
        let wrong = u.w.take_up_with(&token, "evil", PASSWORD, Some(&format!("0000-000{n}")), &u.w.peer());
        assert_eq!(wrong, Err(Refused::CodeWrong { left: CODE_TRIES - n }));
    }
    assert_eq!(u.w.take_up_with(&token, "new", PASSWORD, Some(&code), &u.w.peer()), Err(Refused::LinkEnded(LinkEnd::Void)));
    assert_eq!(wrong_codes(&u.w), CODE_TRIES as usize);
    assert!(u.w.told().iter().any(|t| t.starts_with("desk-account-link weir account=") && t.ends_with(" void")), "{:?}", u.w.told());
    assert_eq!(u.w.account(&u.sys, id).state, "link-ended", "nobody can become it, and the list says so");
    let anew = u.w.desk.recover(&u.w.caller(&u.sys), id, WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.one, anew).unwrap();
    assert_eq!(u.w.account(&u.sys, id).state, "invited", "a new link is to be fetched");
    let token = u.w.desk.approval_result(&u.w.caller(&u.sys), anew, u.w.now()).unwrap();
    assert_eq!(u.w.account(&u.sys, id).state, "invited");
    assert_eq!(u.w.take_up_with(&token, "new", PASSWORD, Some(&code), &u.w.peer()), Err(Refused::CodeWrong { left: 4 }), "the old code");
    assert_eq!(u.w.take_up(&token, "new", PASSWORD, &u.w.peer()).unwrap().account, id);
}

#[test]
fn wrong_codes_outlive_a_restart() {
    let mut u = unit();
    let (_, token, code) = both(&u);
    for n in 1..CODE_TRIES {
        assert!(u.w.take_up_with(&token, "evil", PASSWORD, Some(&format!("0000-000{n}")), &u.w.peer()).is_err());
        u.w.restart();
    }
    assert_eq!(u.w.take_up_with(&token, "evil", PASSWORD, Some("0000-0009"), &u.w.peer()), Err(Refused::CodeWrong { left: 0 }));
    assert!(u.w.take_up_with(&token, "new", PASSWORD, Some(&code), &u.w.peer()).is_err());
}

#[test]
fn the_last_of_several_who_confirm_has_the_code_and_nothing_else_has_one() {
    let u = unit();
    let caller = |user: &User| u.w.caller(user);
    let confirm = |by: &User, id: Id| u.w.desk.confirm(&caller(by), id, &lock_digest(&u.w, id), u.w.now()).unwrap().1;
    let lost = u.w.desk.recover(&caller(&u.sec), u.audit.id, WHY, u.w.now()).unwrap().approval.unwrap();
    assert_eq!(confirm(&u.one, lost), None);
    let code = confirm(&u.two, lost);
    let token = u.w.desk.approval_result(&caller(&u.sec), lost, u.w.now()).unwrap();
    assert!(u.w.desk.link_view(&token, &u.w.peer(), u.w.now()).unwrap().recovers);
    assert_eq!(u.w.take_up_with(&token, "audit", PASSWORD, None, &u.w.peer()), Err(Refused::CodeNeeded));
    assert!(u.w.take_up_with(&token, "audit", PASSWORD, code.as_deref(), &u.w.peer()).is_ok());
    let roles =
        u.w.desk.roles_change(&caller(&u.sys), u.op.id, &[Role::Operator, Role::Reviewer], WHY, u.w.now()).unwrap().approval.unwrap();
    assert_eq!(confirm(&u.sec, roles), None);
    let setting = u.w.desk.ask(&caller(&u.sys), "setting-change", &serde_json::json!(1), WHY, u.w.now()).unwrap().approval.unwrap();
    assert_eq!(confirm(&u.sec, setting), None);
}

#[test]
fn links_of_the_set_up_need_no_code_but_those_of_two_persons_do_even_then() {
    let w = World::new();
    let token = w.desk.setup_link(w.now()).unwrap();
    assert_eq!(w.desk.link_view(&token, &w.peer(), w.now()).unwrap(), LinkView::default());
    for bad in ["", "setup_x", "link_x"] {
        assert_eq!(w.desk.link_view(bad, &w.peer(), w.now()).unwrap_err().code(), "wrong-credentials");
    }
    let sys = w.first();
    let sec = w.invite(&sys, "sec", &[Role::SecurityAdmin]);
    let second = w.desk.invite(&w.caller(&sys), "Second", &[Role::SystemAdmin], None, WHY, w.now()).unwrap().approval.unwrap();
    w.confirm(&sec, second).unwrap();
    let id = w.desk.accounts(&w.caller(&sys), w.now()).unwrap().into_iter().find(|a| a.state == "invited").unwrap().id;
    assert!(!w.desk.is_setup());
    assert!(w.desk.recover(&w.caller(&sys), id, WHY, w.now()).unwrap().link.is_none(), "no one person gets a link without a code");
}

#[test]
fn a_way_back_on_the_machine_itself_while_the_unit_is_being_set_up() {
    let w = World::new();
    let new = w.desk.first_link("uid:0", w.now()).unwrap();
    assert_eq!((Some(new.token), new.login), (w.desk.setup_link(w.now()), None));
    let sys = w.first();
    w.invite(&sys, "sec", &[Role::SecurityAdmin]);
    let back = w.desk.first_link("uid:0", w.now()).unwrap();
    assert_eq!(back.login.as_deref(), Some("sys"));
    assert!(w.session(&sys.cookie).is_some(), "until it is used nothing changed");
    let done = w.take_up_with(&back.token, "sys", "a new long password!", None, &w.peer()).unwrap();
    assert_eq!((done.account, done.next), (sys.id, Some(Next::Enrol)));
    assert!(w.session(&sys.cookie).is_none() && w.desk.password("sys", &sys.password, &w.peer(), w.now()).is_err());
    assert_eq!(w.told().iter().filter(|t| t.starts_with("desk-account-link uid:0 ") && t.contains("setup=yes")).count(), 2);
    let u = unit();
    assert_eq!(u.w.desk.first_link("uid:0", u.w.now()).err().map(|e| e.code()), Some("conflict"), "two persons do it now");
}

#[test]
fn a_link_that_was_real_once_says_how_it_ended_and_is_no_guess() {
    let mut u = unit();
    let (id, first, code) = both(&u);
    let setup = u.w.desk.setup_link(u.w.now());
    assert_eq!(setup, None);
    let anew = u.w.desk.recover(&u.w.caller(&u.sys), id, WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.one, anew).unwrap();
    let second = u.w.desk.approval_result(&u.w.caller(&u.sys), anew, u.w.now()).unwrap();
    let here = u.w.peer();
    let seen = |w: &World, token: &str| w.desk.link_view(token, &here, w.now()).map(drop);
    for _ in 0..4 * FAILURES_FREE {
        assert_eq!(seen(&u.w, &first), Err(Refused::LinkEnded(LinkEnd::Replaced)));
        assert_eq!(u.w.take_up_with(&first, "new", PASSWORD, Some(&code), &here), Err(Refused::LinkEnded(LinkEnd::Replaced)));
    }
    assert!(seen(&u.w, &second).is_ok(), "the address does not wait");
    let told = |w: &World| -> Vec<String> {
        let tries = |t: &String| t.starts_with("auth-3 link").then(|| t.split(&format!("{id} ended tries=")).nth(1).map(str::to_owned));
        w.told().iter().filter_map(tries).flatten().collect()
    };
    assert_eq!(told(&u.w), ["1"], "it is recorded, and nobody fills the disk by it");
    u.w.desk.end(u.w.now()).unwrap();
    assert_eq!(told(&u.w), ["1".to_owned(), (8 * FAILURES_FREE - 1).to_string()], "and none is lost");
    // The id alone opens nothing, and says nothing.
    let guess = format!("{}_{}", first.rsplit_once('_').unwrap().0, "x".repeat(43));
    assert_eq!(seen(&u.w, &guess).unwrap_err().code(), "wrong-credentials");
    let used = u.w.take_up(&second, "new", PASSWORD, &u.w.peer());
    assert!(used.is_ok(), "{used:?}");
    assert_eq!(seen(&u.w, &second), Err(Refused::LinkEnded(LinkEnd::Used)));
    // Its time is over, whether or not that was looked at.
    let (id, third, _) = both(&u);
    u.w.later(INVITATION_MS);
    assert_eq!(seen(&u.w, &third), Err(Refused::LinkEnded(LinkEnd::Over)));
    u.w.later(2 * INVITATION_MS);
    u.w.desk.tick(u.w.now()).unwrap();
    u.w.restart();
    assert!(!u.w.desk.store().accounts().iter().any(|a| a.id == id), "the account went");
    for (token, how) in [(&first, LinkEnd::Replaced), (&second, LinkEnd::Used), (&third, LinkEnd::Over)] {
        assert_eq!(seen(&u.w, token), Err(Refused::LinkEnded(how)), "a restart forgets none of them");
    }
}

#[test]
fn the_first_link_is_known_as_used_after_a_restart_and_a_guess_still_counts() {
    let mut w = World::new();
    let token = w.desk.setup_link(w.now()).unwrap();
    w.first();
    let here = w.peer();
    assert_eq!(w.desk.link_view(&token, &here, w.now()), Err(Refused::LinkEnded(LinkEnd::Used)));
    w.restart();
    assert_eq!(w.desk.link_view(&token, &here, w.now()), Err(Refused::LinkEnded(LinkEnd::Used)));
    for n in 1..=FAILURES_FREE {
        let wrong = w.desk.link_view(&format!("setup_{n}"), &here, w.now()).unwrap_err();
        assert_eq!(wrong.code(), "wrong-credentials");
    }
    assert_eq!(w.desk.link_view(&format!("setup_{token}"), &here, w.now()).unwrap_err().code(), "locked", "who guesses waits");
}

#[test]
fn of_so_many_ended_links_the_oldest_go() {
    let w = World::new();
    let sys = w.first();
    let invited = w.desk.invite(&w.caller(&sys), "Somebody", &[Role::SecurityAdmin], None, WHY, w.now()).unwrap();
    let (first, id) = (invited.link.unwrap(), w.desk.store().accounts().iter().find(|a| a.id != sys.id).unwrap().id);
    for _ in 0..ENDED_LINKS - 1 {
        w.later(1);
        w.desk.recover(&w.caller(&sys), id, WHY, w.now()).unwrap();
    }
    let seen = |w: &World| w.desk.link_view(&first, &w.peer(), w.now()).unwrap_err().code();
    // The first account's own is one of them, and the oldest.
    let kept = |w: &World| w.desk.store().ended_links().len();
    assert_eq!((kept(&w), seen(&w)), (ENDED_LINKS, "link-void"));
    for _ in 0..2 {
        w.later(1);
        w.desk.recover(&w.caller(&sys), id, WHY, w.now()).unwrap();
    }
    assert_eq!((kept(&w), seen(&w)), (ENDED_LINKS, "wrong-credentials"));
    w.same();
}

#[test]
fn who_gives_wrong_codes_is_told_that_the_address_waits_and_no_account() {
    let u = unit();
    let (_, first, _) = both(&u);
    let here = u.w.peer();
    let mut tries = 0;
    let waits = loop {
        match u.w.take_up_with(&first, "evil", PASSWORD, Some("0000-0000"), &here) {
            Err(refused @ Refused::Locked { .. }) => break refused,
            other => assert!(matches!(other, Err(Refused::CodeWrong { .. } | Refused::LinkEnded(_))), "{other:?}"),
        }
        tries += 1;
        assert!(tries < 20, "wrong codes are bounded by the address too");
    };
    assert!(matches!(waits, Refused::Locked { retry_after: 1, what: Waits::Address }), "{waits:?}");
    assert!(!waits.todo().contains("administrator") && waits.todo().contains("Wait 1 s"), "{}", waits.todo());
}

#[test]
fn an_account_whose_link_ran_out_stays_while_two_persons_give_it_a_new_one() {
    let mut u = unit();
    let (id, _, _) = both(&u);
    let day = 24 * 3_600_000;
    u.w.later(5 * day);
    u.w.sign_in(&mut u.sys);
    u.w.sign_in(&mut u.one);
    assert_eq!(u.w.account(&u.sys, id).state, "link-ended");
    let anew = u.w.desk.recover(&u.w.caller(&u.sys), id, WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.one, anew).unwrap();
    // Seven days and eight after it was made, and eight and a half: the link is there to be fetched, and it was fetched.
    for days in [2, 1] {
        u.w.later(days * day);
        u.w.desk.tick(u.w.now()).unwrap();
        u.w.sign_in(&mut u.sys);
        assert_eq!(u.w.account(&u.sys, id).state, "invited");
    }
    u.w.later(day / 2);
    u.w.sign_in(&mut u.sys);
    let token = u.w.desk.approval_result(&u.w.caller(&u.sys), anew, u.w.now()).unwrap();
    u.w.later(4 * day);
    u.w.desk.tick(u.w.now()).unwrap();
    u.w.sign_in(&mut u.sys);
    assert_eq!(u.w.account(&u.sys, id).state, "link-ended", "it ran out, and the account waits for another one");
    assert_eq!(u.w.desk.link_view(&token, &u.w.peer(), u.w.now()), Err(Refused::LinkEnded(LinkEnd::Over)));
}
