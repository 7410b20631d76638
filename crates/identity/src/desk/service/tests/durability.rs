//! No change without its record, no record without its change, and a restart between any two steps.

use serde_json::json;

use super::*;

/// Everything the state holds.
type Held = BTreeMap<Vec<u8>, Vec<u8>>;

fn held(w: &World) -> Held {
    lock(&w.sink.state).clone()
}

/// A step that somebody takes, and its name.
type Step = (&'static str, fn(&Unit) -> Result<(), Refused>);

fn steps() -> Vec<Step> {
    vec![
        ("invite", |u| u.w.desk.invite(&u.w.caller(&u.sys), "A", &[Role::Reviewer], None, WHY, u.w.now()).map(drop)),
        ("roles", |u| u.w.desk.roles_change(&u.w.caller(&u.sys), u.op.id, &[], WHY, u.w.now()).map(drop)),
        ("disable", |u| u.w.desk.disable(&u.w.caller(&u.sys), u.op.id, WHY, u.w.now()).map(drop)),
        ("recover", |u| u.w.desk.recover(&u.w.caller(&u.sys), u.op.id, WHY, u.w.now()).map(drop)),
        ("ask", |u| u.w.desk.ask(&u.w.caller(&u.sys), "setting-change", &json!(1), WHY, u.w.now()).map(drop)),
        ("break-glass", |u| u.w.desk.break_glass(&u.w.caller(&u.sys), Role::Operator, 5, WHY, u.w.now()).map(drop)),
        ("token", |u| u.w.desk.token_make(&u.w.caller(&u.op), "t", &["overview.read".into()], 1, u.w.now()).map(drop)),
        ("wrong password", |u| u.w.desk.password("op", "some wrong guess", &u.w.peer(), u.w.now()).map(drop)),
        ("change", |u| u.w.desk.password_change(&u.w.caller(&u.op), &u.op.password, "another long one!", u.w.now()).map(drop)),
        ("totp", |u| {
            let half = u.w.desk.password("sys", &u.sys.password, &u.w.peer(), u.w.now()).expect("nothing is told of half a sign-in");
            u.w.desk.totp(&half.cookie, &totp::code(&u.sys.secret, u.w.now()), &u.w.peer(), u.w.now()).map(drop)
        }),
        ("enrol", |u| {
            let caller = u.w.caller(&u.op);
            let begun = u.w.desk.totp_begin(&caller, u.w.now())?;
            u.w.desk.totp_finish(&caller, &totp::code(&base32(&begun.secret), u.w.now()), u.w.now()).map(drop)
        }),
        ("passkey", |u| {
            let caller = u.w.caller(&u.op);
            let options = u.w.desk.passkey_enrol_begin(&caller, HOST, u.w.now())?;
            let soft = Soft::new(ORIGIN, HOST, &u.op.id.0, false);
            u.w.desk.passkey_enrol_finish(&caller, &soft.create(&options), "K", u.w.now()).map(drop)
        }),
    ]
}

#[test]
fn what_could_not_be_recorded_did_not_happen() {
    for (name, step) in steps() {
        let u = unit();
        u.w.later(60_000);
        let before = held(&u.w);
        for error in [SinkError::Full, SinkError::Stopped, SinkError::Failed("disk".into())] {
            *lock(&u.w.sink.fails) = Some(error.clone());
            let refused = step(&u).expect_err(name);
            assert_eq!(refused, Refused::Store(error), "{name}");
            assert_eq!((refused.code(), refused.status()), ("unavailable", 503));
            assert!(held(&u.w) == before, "{name}");
            u.w.same();
            assert!(u.w.session(&u.sys.cookie).is_some() && u.w.session(&u.op.cookie).is_some(), "{name}: no session changed either");
        }
        *lock(&u.w.sink.fails) = None;
        let groups = lock(&u.w.sink.groups).len();
        let again = step(&u);
        assert!(again.is_ok() || name == "wrong password", "{name}: {again:?}");
        assert!(lock(&u.w.sink.groups).len() > groups, "{name}: and then it is told");
        u.w.same();
    }
}

#[test]
fn a_confirmation_that_could_not_be_recorded_confirms_nothing() {
    let u = unit();
    let id = u.w.desk.invite(&u.w.caller(&u.sys), "A", &[Role::Reviewer], None, WHY, u.w.now()).unwrap().approval.unwrap();
    *lock(&u.w.sink.fails) = Some(SinkError::Full);
    assert_eq!(u.w.confirm(&u.sec, id), Err(Refused::Store(SinkError::Full)));
    *lock(&u.w.sink.fails) = None;
    assert_eq!(u.w.state_of(&u.sys, id), "waiting");
    assert_eq!(u.w.desk.accounts(&u.w.caller(&u.sys), u.w.now()).unwrap().len(), 6);
    assert_eq!(u.w.confirm(&u.sec, id).unwrap().state, "used");
    *lock(&u.w.sink.fails) = Some(SinkError::Full);
    assert!(u.w.desk.approval_result(&u.w.caller(&u.sys), id, u.w.now()).is_err());
    *lock(&u.w.sink.fails) = None;
    assert!(u.w.desk.approval_result(&u.w.caller(&u.sys), id, u.w.now()).is_ok(), "the link was not lost");
}

/// A day at the desk; `pause` comes between any two steps. Gives what is there in the evening.
fn day(pause: &mut dyn FnMut(&mut Unit)) -> Vec<String> {
    let mut u = unit();
    let ask = |u: &Unit| u.w.desk.invite(&u.w.caller(&u.sys), "New", &[Role::Reviewer], None, WHY, u.w.now()).unwrap().approval.unwrap();
    let invited = ask(&u);
    pause(&mut u);
    u.w.confirm(&u.sec, invited).unwrap();
    pause(&mut u);
    let token = u.w.desk.approval_result(&u.w.caller(&u.sys), invited, u.w.now()).unwrap();
    pause(&mut u);
    let new = u.w.accept(&token, "new");
    pause(&mut u);
    let lost = u.w.desk.recover(&u.w.caller(&u.sec), u.audit.id, WHY, u.w.now()).unwrap().approval.unwrap();
    pause(&mut u);
    u.w.confirm(&u.one, lost).unwrap();
    pause(&mut u);
    u.w.confirm(&u.two, lost).unwrap();
    pause(&mut u);
    let token = u.w.desk.approval_result(&u.w.caller(&u.sec), lost, u.w.now()).unwrap();
    pause(&mut u);
    u.audit = u.w.accept(&token, "audit");
    pause(&mut u);
    let setting = u.w.desk.ask(&u.w.caller(&u.sys), "setting-change", &json!({"a": 1}), WHY, u.w.now()).unwrap().approval.unwrap();
    pause(&mut u);
    u.w.confirm(&u.one, setting).unwrap();
    pause(&mut u);
    u.w.desk.take(&u.w.caller(&u.sys), setting, "setting-change", &json!({"a": 1}), u.w.now()).unwrap();
    pause(&mut u);
    assert!(u.w.desk.take(&u.w.caller(&u.sys), setting, "setting-change", &json!({"a": 1}), u.w.now()).is_err());
    u.w.desk.disable(&u.w.caller(&u.sys), new.id, WHY, u.w.now()).unwrap();
    pause(&mut u);
    u.w.same();
    let mut list: Vec<String> =
        u.w.desk
            .accounts(&u.w.caller(&u.sec), u.w.now())
            .unwrap()
            .into_iter()
            .map(|a| format!("{} {:?} {} {}", a.login, a.roles, a.state, a.second_factor))
            .collect();
    let mut approvals: Vec<String> =
        u.w.desk
            .approvals(&u.w.caller(&u.sec), u.w.now())
            .unwrap()
            .into_iter()
            .map(|a| format!("{} {} {}", a.kind, a.state, a.steps.len()))
            .collect();
    approvals.sort();
    list.extend(approvals);
    list
}

#[test]
fn a_restart_between_any_two_steps_changes_nothing_but_sessions() {
    let without = day(&mut |_| ());
    let mut restarts = 0;
    let with = day(&mut |u| {
        restarts += 1;
        u.w.restart();
        assert!(u.w.session(&u.sys.cookie).is_none(), "sessions end");
        for user in [&mut u.sys, &mut u.sec, &mut u.one, &mut u.two] {
            u.w.sign_in(user);
        }
    });
    assert_eq!(with, without);
    assert!(restarts > 10);
}

#[test]
fn no_name_is_in_any_record() {
    let u = unit();
    drop(day(&mut |_| ()));
    let told = u.w.told();
    assert!(told.len() > 20);
    for line in told {
        for word in ["Somebody", "Name of", "because", "password!", WHY] {
            assert!(!line.contains(word), "{line}");
        }
        assert!(!line.split([' ', '=', ',']).any(|w| ["sys", "sec", "audit", "one", "two", "op"].contains(&w)), "{line}");
    }
}

#[test]
fn a_state_of_another_version_is_refused_cleanly() {
    let u = unit();
    let good = held(&u.w);
    let open = |change: fn(&mut Held)| {
        let sink = Arc::new(Sink::default());
        let mut state = good.clone();
        change(&mut state);
        *lock(&sink.state) = state;
        Desk::open(sink, settings(), START).map(drop).map_err(|e| e.to_string())
    };
    assert!(open(|_| ()).is_ok());
    let error = open(|s| s.values_mut().next().unwrap()[0] = 2).unwrap_err();
    assert!(error.contains("another version") && error.contains("newer"), "{error}");
    assert!(open(|s| drop(s.insert(b"z".to_vec(), vec![1]))).is_err());
    assert!(open(|s| s.values_mut().next().unwrap().truncate(9)).unwrap_err().contains("damaged"));
}

#[test]
fn many_at_once_leave_one_truth() {
    let u = unit();
    let caller = u.w.caller(&u.op);
    let (desk, now) = (&u.w.desk, u.w.now());
    std::thread::scope(|scope| {
        for n in 0..8 {
            let caller = caller.clone();
            scope.spawn(move || {
                for m in 0..4 {
                    drop(desk.token_make(&caller, &format!("t{n}-{m}"), &["overview.read".into()], 1, now));
                }
            });
        }
    });
    assert_eq!(desk.tokens(&caller, now).unwrap().len(), 20, "the limit holds");
    u.w.same();
}
