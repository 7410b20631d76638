//! TOTP and passkeys: enrolling, removing, signing in, and whose they are.

use super::*;
use crate::desk::ceremony::{self, Ceremony, Of};

impl World {
    pub(super) fn enrol_passkey(&self, user: &mut User) -> Soft {
        let caller = self.caller(user);
        let options = self.desk.passkey_enrol_begin(&caller, HOST, self.now()).unwrap();
        let soft = Soft::new(ORIGIN, HOST, &user.id.0, false);
        user.cookie = self.desk.passkey_enrol_finish(&caller, &soft.create(&options), "Key", self.now()).unwrap().cookie;
        self.same();
        soft
    }

    pub(super) fn passkey(&self, cookie: &str, soft: &Soft) -> Result<SignedIn, Refused> {
        let options = self.desk.passkey_begin(cookie, HOST, &self.peer(), self.now())?;
        self.desk.passkey_finish(cookie, &soft.get(&options), &self.peer(), self.now())
    }
}

#[test]
fn a_passkey_signs_in_alone_and_stands_as_the_second_factor() {
    let mut u = unit();
    let soft = u.w.enrol_passkey(&mut u.sys);
    let (w, visitor) = (&u.w, u.w.desk.visitor());
    let done = w.passkey(&visitor, &soft).unwrap();
    assert_eq!((done.next, done.account), (None, u.sys.id));
    assert!(w.session(&done.cookie).unwrap().caller.complete && w.session(&visitor).is_none());
    let half = w.desk.password("sys", &u.sys.password, &w.peer(), w.now()).unwrap();
    let options = w.desk.passkey_begin(&half.cookie, HOST, &w.peer(), w.now()).unwrap();
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
    let whole = w.desk.passkey_finish(&half.cookie, &soft.get(&options), &w.peer(), w.now()).unwrap();
    assert!(w.session(&whole.cookie).is_some() && w.session(&half.cookie).is_none());
    assert_eq!(w.desk.passkey_begin(&visitor, "evil.example", &w.peer(), w.now()).unwrap_err().code(), "conflict");
    assert_eq!(
        w.desk.passkey_begin(&visitor, "192.0.2.1", &w.peer(), w.now()).unwrap_err().code(),
        "conflict",
        "addresses have no passkeys"
    );
}

#[test]
fn replayed_foreign_and_copied_passkey_answers_are_refused() {
    let mut u = unit();
    let mut soft = u.w.enrol_passkey(&mut u.sys);
    let (w, visitor) = (&u.w, u.w.desk.visitor());
    let options = w.desk.passkey_begin(&visitor, HOST, &w.peer(), w.now()).unwrap();
    let answer = soft.get(&options);
    let finish = |cookie: &str, answer: &Value| w.desk.passkey_finish(cookie, answer, &w.peer(), w.now());
    assert!(finish(&visitor, &answer).is_ok());
    assert_eq!(finish(&visitor, &answer), Err(Refused::Expired("passkey request")), "the challenge is used");
    drop(w.desk.passkey_begin(&visitor, HOST, &w.peer(), w.now()));
    assert_eq!(finish(&visitor, &answer).unwrap_err().code(), "wrong-credentials", "an answer to another challenge");
    let (mine, theirs) = (w.desk.visitor(), w.desk.visitor());
    let options = w.desk.passkey_begin(&mine, HOST, &w.peer(), w.now()).unwrap();
    drop(w.desk.passkey_begin(&theirs, HOST, &w.peer(), w.now()));
    assert!(finish(&theirs, &soft.get(&options)).is_err(), "a challenge of another browser");
    w.later(5 * 60_000);
    assert!(finish(&mine, &soft.get(&options)).is_err(), "too late");
    soft.origin = "https://weir.example.org.evil.example".into();
    assert_eq!(w.passkey(&visitor, &soft).unwrap_err().code(), "wrong-credentials");
    soft.origin = ORIGIN.into();
    soft.user = u.op.id.0.to_vec();
    assert!(w.passkey(&visitor, &soft).is_err(), "somebody else's user handle");
    soft.user = u.sys.id.0.to_vec();
    soft.flags = 0x01;
    assert!(w.passkey(&visitor, &soft).is_err(), "nobody was verified");
    soft.flags = 0x05;
    soft.count = 9;
    assert!(w.passkey(&visitor, &soft).is_ok());
    soft.count = 8;
    assert!(w.passkey(&visitor, &soft).is_err());
    assert_eq!(w.told().iter().filter(|t| t.ends_with("passkey-cloned")).count(), 1);
    let half = w.desk.password("op", &u.op.password, &w.peer(), w.now()).unwrap();
    soft.count = 10;
    assert!(w.passkey(&half.cookie, &soft).is_err(), "not of the account that has begun to sign in");
}

#[test]
fn a_passkey_opens_an_account_that_guesses_have_locked() {
    let mut u = unit();
    let soft = u.w.enrol_passkey(&mut u.sys);
    let w = &u.w;
    for n in 0..10 {
        let refused = w.desk.password("sys", &format!("guess number {n}"), &w.peer(), w.now()).unwrap_err();
        w.later(if n < 9 { refused.retry_after().unwrap_or(0) as i64 * 1_000 } else { 0 });
    }
    assert!(w.session(&u.sys.cookie).is_none());
    let done = w.passkey(&w.desk.visitor(), &soft).unwrap();
    assert!(w.session(&done.cookie).is_some());
    assert!(w.desk.password("sys", &u.sys.password, &w.peer(), w.now()).is_ok());
}

#[test]
fn one_passkey_and_one_secret_belong_to_one_account() {
    let mut u = unit();
    let soft = u.w.enrol_passkey(&mut u.sys);
    let (w, op) = (&u.w, u.w.caller(&u.op));
    let options = w.desk.passkey_enrol_begin(&op, HOST, w.now()).unwrap();
    let taken = w.desk.passkey_enrol_finish(&op, &soft.create(&options), "Key", w.now()).unwrap_err();
    assert_eq!(taken.code(), "conflict");
    let By::Session(id) = op.by else { panic!() };
    let same = Ceremony::Totp { secret: u.sys.secret.clone() };
    w.desk.live().ceremonies.begin(ceremony::key_of_session(id), Of::Totp, same, op.peer.address, w.now());
    let taken = w.desk.totp_finish(&op, &totp::code(&u.sys.secret, w.now()), w.now()).unwrap_err();
    assert_eq!(taken.code(), "conflict");
    w.same();
}

#[test]
fn an_enrolment_is_answered_by_the_session_that_began_it() {
    let u = unit();
    let (w, sys, op) = (&u.w, u.w.caller(&u.sys), u.w.caller(&u.op));
    let options = w.desk.passkey_enrol_begin(&sys, HOST, w.now()).unwrap();
    let soft = Soft::new(ORIGIN, HOST, &u.op.id.0, true);
    assert_eq!(w.desk.passkey_enrol_finish(&op, &soft.create(&options), "Key", w.now()), Err(Refused::Expired("passkey request")));
    let mut evil = Soft::new("https://evil.example", HOST, &u.sys.id.0, true);
    assert_eq!(w.desk.passkey_enrol_finish(&sys, &evil.create(&options), "Key", w.now()).unwrap_err().field(), Some("credential"));
    evil.origin = ORIGIN.into();
    assert!(w.desk.passkey_enrol_finish(&sys, &evil.create(&options), "Key", w.now()).is_err(), "the challenge went with the first answer");
    assert_eq!(w.desk.totp_finish(&op, "123456", w.now()), Err(Refused::Expired("TOTP set-up")));
}

#[test]
fn the_last_second_factor_of_a_role_that_needs_one_stays() {
    let mut u = unit();
    let w = &u.w;
    assert_eq!(w.desk.totp_remove(&w.caller(&u.sys), w.now()).unwrap_err().code(), "conflict");
    drop(w.enrol_passkey(&mut u.sys));
    w.desk.totp_remove(&w.caller(&u.sys), w.now()).unwrap();
    let factors = w.desk.factors(&w.caller(&u.sys), w.now()).unwrap();
    assert!(factors.password && !factors.totp && factors.passkeys.len() == 1);
    assert_eq!(w.desk.passkey_remove(&w.caller(&u.sys), factors.passkeys[0].id, w.now()).unwrap_err().code(), "conflict");
    assert_eq!(w.desk.passkey_remove(&w.caller(&u.op), factors.passkeys[0].id, w.now()).unwrap_err().code(), "not-found");
    assert_eq!(w.told_of("desk-factor-remove"), 1);
}

#[test]
fn every_role_needs_a_second_factor_before_it_may_do_anything() {
    for role in Role::ADMINS.into_iter().chain([Role::Operator, Role::Reviewer, Role::Approver, Role::Inspector]) {
        let w = World::new();
        let token = match role {
            Role::SystemAdmin => w.desk.setup_link(w.now()).unwrap(),
            _ => w.desk.invite(&w.caller(&w.first()), "Somebody", &[role], None, WHY, w.now()).unwrap().link.unwrap(),
        };
        let done = w.take_up(&token, "somebody", "a long password, sure", &w.peer()).unwrap();
        assert_eq!(done.next, Some(Next::Enrol), "{role}");
        let view = w.session(&done.cookie).unwrap();
        assert_eq!(view.caller.may.names(), ["self"], "{role}");
        assert_eq!(w.desk.token_make(&view.caller, "t", &["overview.read".into()], 1, w.now()).err(), Some(Refused::FactorNeeded));
        // Nor with the password alone the next time.
        let again = w.desk.password("somebody", "a long password, sure", &w.peer(), w.now()).unwrap();
        assert_eq!(again.next, Some(Next::Enrol), "{role}");
        let person = view.caller.person;
        let (login, password) = ("somebody".to_owned(), "a long password, sure".to_owned());
        let mut user = User { id: again.account, person, login, password, secret: Vec::new(), cookie: again.cookie };
        w.enrol_totp(&mut user);
        let view = w.session(&user.cookie).unwrap();
        assert!(view.caller.complete && view.caller.may.names().len() > 1, "{role}");
        assert_eq!(w.desk.totp_remove(&view.caller, w.now()).unwrap_err().code(), "conflict", "{role}: the last one stays");
    }
}

#[test]
fn an_administrator_without_a_second_factor_may_only_set_one_up() {
    let w = World::new();
    let token = w.desk.setup_link(w.now()).unwrap();
    let done = w.take_up(&token, "sys", "a long password, sure", &w.peer()).unwrap();
    assert_eq!(done.next, Some(Next::Enrol));
    let view = w.session(&done.cookie).unwrap();
    assert_eq!(view.caller.may.names(), ["self"]);
    assert_eq!(w.desk.accounts(&view.caller, w.now()), Err(Refused::FactorNeeded));
    assert_eq!(w.desk.token_make(&view.caller, "t", &["overview.read".into()], 1, w.now()).err(), Some(Refused::FactorNeeded));
    assert!(w.desk.invite(&view.caller, "B", &[Role::AuditAdmin], None, WHY, w.now()).is_err());
}
