//! Password lists, fixation, replayed codes.

use super::*;
use crate::desk::Waits;

#[test]
fn a_password_list_locks_the_account_and_an_unknown_name_looks_the_same() {
    let u = unit();
    let (w, mut seen) = (&u.w, Vec::new());
    let token = w.desk.token_make(&w.caller(&u.op), "t", &["overview.read".into()], 1, w.now()).unwrap().secret.unwrap();
    assert!(w.desk.bearer(&token, &w.peer(), w.now()).is_ok());
    for n in 0..14 {
        let mut both = Vec::new();
        for login in ["op", "nobody-has-this"] {
            let before = w.desk.passwords.checks();
            let refused = w.desk.password(login, &format!("guess number {n}"), &w.peer(), w.now()).unwrap_err();
            both.push((refused, w.desk.passwords.checks() - before));
        }
        assert_eq!(both[0], both[1], "guess {n}: the same words, waits and work");
        seen.push(both[0].0.clone());
        w.later(both[0].0.retry_after().unwrap_or(0).min(100) as i64 * 1_000);
    }
    assert_eq!(seen[0], Refused::WrongCredentials { retry_after: 0 });
    assert_eq!(seen[4], Refused::WrongCredentials { retry_after: 1 });
    assert_eq!(seen[9], Refused::WrongCredentials { retry_after: 900 });
    assert!(matches!(seen[10], Refused::Locked { retry_after: 800..=900, what: Waits::Lock }), "{:?}", seen[10]);
    assert_eq!(w.account(&u.sys, u.op.id).state, "locked");
    assert!(w.session(&u.op.cookie).is_none(), "its sessions ended");
    assert!(w.desk.bearer(&token, &w.peer(), w.now()).is_err(), "its tokens do nothing");
    let right = w.desk.password("op", &u.op.password, &w.peer(), w.now());
    assert!(matches!(right, Err(Refused::Locked { .. })), "the right password does not help");
    assert_eq!(w.told_of("desk-account-lock"), 1);
    let failures: Vec<String> = w.told().into_iter().filter(|t| t.starts_with("auth-3 password")).collect();
    let turned = failures.iter().filter(|t| t.contains("turned-away")).count();
    assert_eq!((failures.len() - turned, turned), (20, 9), "what was looked at, and what had to wait");
}

#[test]
fn a_lock_outlives_a_restart_ends_by_time_and_by_an_administrator() {
    let mut u = unit();
    let lock_it = |w: &World| {
        for n in 0..10 {
            let refused = w.desk.password("op", &format!("guess number {n}"), &w.peer(), w.now()).unwrap_err();
            w.later(refused.retry_after().filter(|_| n < 9).unwrap_or(0) as i64 * 1_000);
        }
    };
    lock_it(&u.w);
    u.w.restart();
    assert!(matches!(u.w.desk.password("op", &u.op.password, &u.w.peer(), u.w.now()), Err(Refused::Locked { .. })));
    u.w.sign_in(&mut u.sys);
    let caller = u.w.caller(&u.sys);
    u.w.desk.unlock(&caller, u.op.id, WHY, u.w.now()).unwrap();
    assert!(u.w.desk.unlock(&caller, u.op.id, WHY, u.w.now()).is_err(), "not locked");
    u.w.sign_in(&mut u.op);
    lock_it(&u.w);
    u.w.later(15 * 60_000 + 1);
    u.w.sign_in(&mut u.op);
    assert_eq!(u.w.told_of("desk-account-unlock"), 1);
}

#[test]
fn one_address_that_tries_many_names_has_to_wait() {
    let u = unit();
    let (w, peer) = (&u.w, u.w.peer());
    for n in 0..5 {
        drop(w.desk.password(&format!("name-{n}"), "some guess or other", &peer, w.now()));
    }
    let checks = w.desk.passwords.checks();
    assert!(matches!(w.desk.password("op", &u.op.password, &peer, w.now()), Err(Refused::Locked { retry_after: 1, what: Waits::Address })));
    assert_eq!(w.desk.passwords.checks(), checks, "who has to wait costs nothing");
    assert!(w.desk.password("op", &u.op.password, &w.peer(), w.now()).is_ok(), "others do not wait");
}

#[test]
fn every_step_has_a_new_cookie_and_the_one_before_is_void() {
    let mut u = unit();
    let w = &u.w;
    let visitor = w.desk.visitor();
    assert!(w.session(&visitor).is_none());
    let mut cookies = vec![visitor, u.sys.cookie.clone()];
    w.later(60_000);
    let half = w.desk.password("sys", &u.sys.password, &w.peer(), w.now()).unwrap();
    assert_eq!(half.next, Some(Next::Totp));
    let view = w.session(&half.cookie).unwrap();
    assert!(view.caller.may.names().is_empty() && !view.caller.complete, "half a sign-in may nothing");
    assert_eq!(w.desk.factors(&view.caller, w.now()), Err(Refused::FactorNeeded));
    cookies.push(half.cookie.clone());
    let whole = w.desk.totp(&half.cookie, &totp::code(&u.sys.secret, w.now()), &w.peer(), w.now()).unwrap();
    assert!(w.session(&half.cookie).is_none());
    cookies.push(whole.cookie.clone());
    u.sys.cookie = whole.cookie;
    let caller = w.caller(&u.sys);
    let renewed = w.desk.password_change(&caller, &u.sys.password, "another long password", w.now()).unwrap();
    assert!(w.session(&u.sys.cookie).is_none() && w.session(&cookies[1]).is_none(), "other sessions end with the old password");
    cookies.push(renewed.cookie.clone());
    u.sys.cookie = renewed.cookie;
    w.enrol_totp_again(&mut u.sys);
    cookies.push(u.sys.cookie.clone());
    cookies.sort_unstable();
    cookies.dedup();
    assert_eq!(cookies.len(), 6);
    w.desk.sign_out(&u.sys.cookie, &w.peer(), w.now()).unwrap();
    assert!(w.session(&u.sys.cookie).is_none());
    assert_eq!(w.told_of("auth-2"), 1);
}

impl World {
    /// A second TOTP in place of the first.
    fn enrol_totp_again(&self, user: &mut User) {
        self.enrol_totp(user);
    }
}

#[test]
fn a_code_is_taken_once_also_after_a_restart() {
    let u = unit();
    u.w.later(60_000);
    let code = totp::code(&u.sys.secret, u.w.now());
    let half = |w: &World| w.desk.password("sys", &u.sys.password, &w.peer(), w.now()).unwrap().cookie;
    let (a, b) = (half(&u.w), half(&u.w));
    assert!(u.w.desk.totp(&a, &code, &u.w.peer(), u.w.now()).is_ok());
    assert!(matches!(u.w.desk.totp(&b, &code, &u.w.peer(), u.w.now()), Err(Refused::WrongCredentials { .. })));
    let mut w = u.w;
    w.restart();
    let c = half(&w);
    assert!(matches!(w.desk.totp(&c, &code, &w.peer(), w.now()), Err(Refused::WrongCredentials { .. })));
    w.later(30_000);
    assert!(w.desk.totp(&c, &totp::code(&u.sys.secret, w.now()), &w.peer(), w.now()).is_ok());
    assert!(w.desk.totp(&a, &code, &w.peer(), w.now()).is_err(), "a cookie from before the restart");
}

#[test]
fn who_knows_the_password_cannot_guess_codes_for_ever() {
    let u = unit();
    let (w, mut tried) = (&u.w, 0);
    for n in 0..200 {
        let half = match w.desk.password("sys", &u.sys.password, &w.peer(), w.now()) {
            Ok(half) => half,
            Err(Refused::Locked { .. }) => break,
            Err(other) => panic!("{other:?}"),
        };
        let refused = w.desk.totp(&half.cookie, &format!("{n:06}"), &w.peer(), w.now()).unwrap_err();
        tried += 1;
        w.later(if tried < 10 { refused.retry_after().unwrap_or(0) as i64 * 1_000 } else { 0 });
    }
    assert_eq!(tried, 10, "the tenth wrong code locks, whatever right passwords came between");
}

#[test]
fn sessions_are_seen_and_ended_by_their_own_account_alone() {
    let mut u = unit();
    let old = u.op.clone();
    u.w.sign_in(&mut u.op);
    let (w, caller) = (&u.w, u.w.caller(&u.op));
    let list = w.desk.sessions(&caller, w.now()).unwrap();
    assert_eq!((list.len(), list.iter().filter(|s| s.current).count()), (2, 1));
    let other = list.iter().find(|s| !s.current).unwrap().id;
    assert_eq!(w.desk.end_session(&w.caller(&u.sys), other, w.now()), Err(Refused::NotFound("session")));
    w.desk.end_session(&caller, other, w.now()).unwrap();
    assert!(w.session(&old.cookie).is_none() && w.session(&u.op.cookie).is_some());
    w.later(31 * 60_000);
    assert!(w.session(&u.op.cookie).is_none(), "half an hour without use");
}

#[test]
fn the_csrf_text_belongs_to_its_cookie() {
    let u = unit();
    let (w, other) = (&u.w, u.w.desk.visitor());
    let text = w.desk.csrf(&u.op.cookie);
    assert!(w.desk.csrf_fits(&u.op.cookie, &text) && !w.desk.csrf_fits(&other, &text) && !w.desk.csrf_fits(&u.op.cookie, ""));
    assert!(!w.desk.csrf_fits("", &w.desk.csrf("")));
    let peer = w.peer();
    for _ in 0..50 {
        w.desk.csrf_failed(Some(u.op.id), &peer, w.now()).unwrap();
    }
    assert_eq!(w.told_of("desk-request"), 5, "a flood is not told one by one");
}

#[test]
fn tries_that_have_to_wait_are_records_too_and_not_one_each() {
    let u = unit();
    let (w, peer) = (&u.w, u.w.peer());
    let turned = |w: &World| -> Vec<u64> {
        let told = w.told();
        let tries = |t: &String| t.split("turned-away tries=").nth(1)?.split(' ').next()?.parse().ok();
        told.iter().filter(|t| t.starts_with("auth-3")).filter_map(tries).collect()
    };
    for n in 0..5 {
        drop(w.desk.password(&format!("name-{n}"), "some guess or other", &peer, w.now()));
    }
    assert!(matches!(w.desk.password("op", "a guess", &peer, w.now()), Err(Refused::Locked { .. })));
    assert_eq!(turned(w), [1], "the first at once");
    for _ in 0..700 {
        assert!(matches!(w.desk.password("op", "a guess", &peer, w.now()), Err(Refused::Locked { .. })));
    }
    assert_eq!(turned(w), [1]);
    w.desk.tick(w.now().plus(59_999)).unwrap();
    assert_eq!(turned(w), [1]);
    w.desk.tick(w.now().plus(60_000)).unwrap();
    assert_eq!(turned(w), [1, 700], "all of them, in one record");
    w.desk.tick(w.now().plus(120_000)).unwrap();
    assert_eq!(turned(w).len(), 2, "nothing more");
    // A locked account, from many places: each is told of, with the account.
    for n in 0..10 {
        let refused = w.desk.password("op", &format!("guess number {n}"), &w.peer(), w.now()).unwrap_err();
        w.later(refused.retry_after().filter(|_| n < 9).unwrap_or(0) as i64 * 1_000);
    }
    assert!(w.desk.password("op", &u.op.password, &w.peer(), w.now()).is_err());
    assert!(w.told().iter().any(|t| t.starts_with(&format!("auth-3 password {} turned-away tries=1", u.op.id))));
    // What is not told yet is told when the program ends.
    drop(w.desk.password("op", "a guess", &peer, w.now()));
    drop(w.desk.password("op", "a guess", &peer, w.now()));
    let before = turned(w).iter().sum::<u64>();
    w.desk.end(w.now()).unwrap();
    assert_eq!(turned(w).iter().sum::<u64>(), before + 1);
}

#[test]
fn a_try_that_cannot_be_recorded_is_refused_all_the_same() {
    let u = unit();
    let (w, peer) = (&u.w, u.w.peer());
    for n in 0..5 {
        drop(w.desk.password(&format!("name-{n}"), "some guess or other", &peer, w.now()));
    }
    *lock(&w.sink.fails) = Some(SinkError::Full);
    assert_eq!(w.desk.password("op", &u.op.password, &peer, w.now()), Err(Refused::Store(SinkError::Full)));
}

#[test]
fn a_restart_does_not_tell_which_names_are_somebodys() {
    let mut u = unit();
    for login in ["op", "nobody-has-this"] {
        for n in 0..10 {
            let refused = u.w.desk.password(login, &format!("guess number {n}"), &u.w.peer(), u.w.now()).unwrap_err();
            u.w.later(refused.retry_after().filter(|_| n < 9).unwrap_or(0) as i64 * 1_000);
        }
    }
    u.w.restart();
    let wait = |w: &World, login: &str| match w.desk.password(login, "one more guess", &w.peer(), w.now()) {
        Err(Refused::Locked { retry_after, .. }) => retry_after,
        other => panic!("{login}: {other:?}"),
    };
    assert!((800..=900).contains(&wait(&u.w, "op")) && (800..=900).contains(&wait(&u.w, "nobody-has-this")));
    assert_eq!((u.w.told_of("desk-account-lock"), u.w.told_of("desk-name-lock")), (1, 1));
    assert!(!u.w.told().iter().any(|t| t.contains("nobody-has-this")), "and the name is in no record");
    u.w.later(15 * 60_000);
    assert!(matches!(u.w.desk.password("nobody-has-this", "a guess", &u.w.peer(), u.w.now()), Err(Refused::WrongCredentials { .. })));
    for n in 0..10 {
        let refused = u.w.desk.password("nor-has-this", &format!("guess number {n}"), &u.w.peer(), u.w.now()).unwrap_err();
        u.w.later(refused.retry_after().filter(|_| n < 9).unwrap_or(0) as i64 * 1_000);
    }
    assert_eq!(u.w.desk.store().name_locks().len(), 1, "one that has ended makes room");
    u.w.same();
}
