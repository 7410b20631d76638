//! What changes how one signs in needs a password or a passkey that was given not long ago.

use super::*;
use crate::desk::limits::PROOF_MS;

/// Everything that needs it, as `user`.
fn needing(w: &World, user: &User) -> Vec<(&'static str, Refused)> {
    let (caller, now) = (w.caller(user), w.now());
    let all = [
        ("totp_begin", w.desk.totp_begin(&caller, now).err()),
        ("totp_finish", w.desk.totp_finish(&caller, "000000", now).err()),
        ("totp_remove", w.desk.totp_remove(&caller, now).err()),
        ("passkey_enrol_begin", w.desk.passkey_enrol_begin(&caller, HOST, now).err()),
        ("passkey_enrol_finish", w.desk.passkey_enrol_finish(&caller, &Value::Null, "Key", now).err()),
        ("passkey_remove", w.desk.passkey_remove(&caller, Id::random(), now).err()),
        ("oidc_unlink", w.desk.oidc_unlink(&caller, "id", now).err()),
        ("token_make", w.desk.token_make(&caller, "t", &["overview.read".into()], 1, now).err()),
        ("password_change", w.desk.password_change(&caller, "not the old one, no", "another long password", now).err()),
    ];
    all.into_iter().filter_map(|(name, refused)| Some((name, refused?))).collect()
}

#[test]
fn after_ten_minutes_factors_password_and_tokens_want_another_proof() {
    let mut u = unit();
    u.w.sign_in(&mut u.sys);
    assert!(needing(&u.w, &u.sys).iter().all(|(_, refused)| *refused != Refused::SignInAgain));
    u.w.sign_in(&mut u.sys);
    // Used all the time, and still the proof grows old.
    u.w.later(PROOF_MS);
    let refused = needing(&u.w, &u.sys);
    assert!(refused.len() == 9 && refused.iter().all(|(_, refused)| *refused == Refused::SignInAgain), "{refused:?}");
    let w = &u.w;
    assert!(w.desk.factors(&w.caller(&u.sys), w.now()).is_ok() && w.desk.accounts(&w.caller(&u.sys), w.now()).is_ok());

    let again = |password: &str, code: Option<&str>| w.desk.again(&w.caller(&u.sys), password, code, w.now());
    assert_eq!(again("not the password at all", None).unwrap_err().code(), "wrong-credentials");
    let code = totp::code(&u.sys.secret, w.now());
    assert_eq!(again("not the password at all", Some(&code)).unwrap_err().code(), "wrong-credentials");
    assert_eq!(again(&u.sys.password, None), Err(Refused::FactorNeeded));
    assert_eq!(again(&u.sys.password, Some("000000")).unwrap_err().code(), "wrong-credentials");
    let before = w.caller(&u.sys);
    let done = again(&u.sys.password, Some(&code)).unwrap();
    assert!(w.session(&u.sys.cookie).is_none(), "the cookie before is void");
    u.sys.cookie = done.cookie;
    assert_eq!(w.caller(&u.sys).by, before.by, "it is the same session");
    let replayed = w.desk.again(&w.caller(&u.sys), &u.sys.password, Some(&code), w.now());
    assert_eq!(replayed.unwrap_err().code(), "wrong-credentials", "a code is taken once");
    assert!(w.desk.totp_begin(&w.caller(&u.sys), w.now()).is_ok());
    assert!(w.told().iter().any(|t| t.starts_with("auth-1 totp") && t.ends_with(" again")));
    assert_eq!(w.told().iter().filter(|t| t.starts_with("auth-3") && t.ends_with(" again")).count(), 4);
}

#[test]
fn a_passkey_proves_it_and_a_password_does_not_stand_in_for_one() {
    let mut u = unit();
    let soft = u.w.enrol_passkey(&mut u.sys);
    u.w.desk.totp_remove(&u.w.caller(&u.sys), u.w.now()).unwrap();
    u.w.later(PROOF_MS);
    let (w, sys) = (&u.w, u.w.caller(&u.sys));
    assert_eq!(w.desk.again(&sys, &u.sys.password, None, w.now()), Err(Refused::FactorNeeded));
    assert_eq!(w.desk.again_passkey_finish(&sys, &Value::Null, w.now()), Err(Refused::Expired("passkey request")));
    let options = w.desk.again_passkey_begin(&sys, HOST, w.now()).unwrap();
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
    let answer = soft.get(&options);
    assert!(w.desk.again_passkey_finish(&w.caller(&u.op), &answer, w.now()).is_err(), "another session's");
    let done = w.desk.again_passkey_finish(&sys, &answer, w.now()).unwrap();
    let caller = w.session(&done.cookie).unwrap().caller;
    assert!(w.desk.token_make(&caller, "t", &["overview.read".into()], 1, w.now()).is_ok());
    assert_eq!(w.desk.again_passkey_begin(&w.caller(&u.op), HOST, w.now()).unwrap_err().code(), "not-found", "it has none");
    assert!(w.told().iter().any(|t| t.starts_with("auth-1 passkey") && t.ends_with(" again")));
}

#[test]
fn guessing_in_a_session_locks_as_guessing_at_the_door_does() {
    let u = unit();
    let w = &u.w;
    for n in 0..10 {
        let Some(view) = w.session(&u.op.cookie) else { panic!("locked after {n}") };
        let refused = w.desk.again(&view.caller, &format!("guess number {n}"), None, w.now()).unwrap_err();
        w.later(refused.retry_after().filter(|_| n < 9).unwrap_or(0) as i64 * 1_000);
    }
    assert!(w.session(&u.op.cookie).is_none());
    assert_eq!(w.account(&u.sys, u.op.id).state, "locked");
}

#[test]
fn the_first_enrolment_is_within_its_time_and_not_for_ever() {
    let w = World::new();
    let done = w.take_up(&w.desk.setup_link(w.now()).unwrap(), "sys", "a long password, sure", &w.peer()).unwrap();
    w.later(PROOF_MS - 1);
    assert!(w.desk.totp_begin(&w.session(&done.cookie).unwrap().caller, w.now()).is_ok());
    w.later(1);
    let caller = w.session(&done.cookie).unwrap().caller;
    assert_eq!(w.desk.totp_begin(&caller, w.now()).err(), Some(Refused::SignInAgain));
    let again = w.desk.again(&caller, "a long password, sure", None, w.now()).unwrap();
    assert_eq!(again.next, Some(Next::Enrol), "what was missing is missing still");
    assert!(w.desk.totp_begin(&w.session(&again.cookie).unwrap().caller, w.now()).is_ok());
}
