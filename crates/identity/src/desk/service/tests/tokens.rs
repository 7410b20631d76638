//! Tokens never do more than their account may do now.

use super::*;
use crate::desk::roles::Capability;

fn make(u: &Unit, by: &User, scope: &[&str]) -> Result<TokenView, Refused> {
    let scope: Vec<String> = scope.iter().map(|s| (*s).to_owned()).collect();
    u.w.desk.token_make(&u.w.caller(by), "script", &scope, 30, u.w.now())
}

fn may(u: &Unit, token: &str) -> Result<Vec<String>, Refused> {
    u.w.desk.bearer(token, &u.w.peer(), u.w.now()).map(|c| c.may.names())
}

#[test]
fn a_token_loses_what_its_account_loses() {
    let mut u = unit();
    let token = make(&u, &u.op, &["lookup.ask", "overview.read"]).unwrap().secret.unwrap();
    assert_eq!(may(&u, &token).unwrap(), ["overview.read", "lookup.ask"]);
    let caller = u.w.caller(&u.sys);
    let more = u.w.desk.roles_change(&caller, u.op.id, &[Role::Operator, Role::Reviewer], WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.sec, more).unwrap();
    u.w.desk.roles_change(&caller, u.op.id, &[Role::Reviewer], WHY, u.w.now()).unwrap();
    assert_eq!(may(&u, &token).unwrap(), ["overview.read"], "no longer an operator");
    u.w.desk.roles_change(&caller, u.op.id, &[], WHY, u.w.now()).unwrap();
    assert_eq!(may(&u, &token).unwrap_err().code(), "wrong-credentials", "nothing is left of it, so it is gone");
    assert_eq!((u.w.told_of("desk-token-narrow"), u.w.told_of("desk-token-remove")), (1, 1));
    let back = u.w.desk.roles_change(&u.w.caller(&u.sys), u.op.id, &[Role::Operator], WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.sec, back).unwrap();
    u.w.restart();
    assert!(may(&u, &token).is_err(), "a role that comes back wakes nothing");
}

#[test]
fn the_tokens_of_a_disabled_account_are_gone() {
    let mut u = unit();
    let token = make(&u, &u.op, &["overview.read"]).unwrap().secret.unwrap();
    u.w.desk.disable(&u.w.caller(&u.sys), u.op.id, WHY, u.w.now()).unwrap();
    assert_eq!(u.w.told_of("desk-token-remove"), 1);
    let back = u.w.desk.enable(&u.w.caller(&u.sys), u.op.id, WHY, u.w.now()).unwrap().approval.unwrap();
    u.w.confirm(&u.sec, back).unwrap();
    u.w.sign_in(&mut u.op);
    assert!(may(&u, &token).is_err());
}

#[test]
fn some_things_no_token_may() {
    let u = unit();
    for scope in [
        &["accounts.change"][..],
        &["roles.change"],
        &["settings.change"],
        &["self"],
        &["break-glass.ask"],
        &["ledger.read"],
        &["root"],
        &[],
    ] {
        assert_eq!(make(&u, &u.sys, scope).err().map(|e| e.field()), Some(Some("scope")), "{scope:?}");
    }
    assert!(make(&u, &u.sec, &["approvals.confirm"]).is_err());
    let made = make(&u, &u.sys, &["accounts.read"]).unwrap().secret.unwrap();
    let caller = u.w.desk.bearer(&made, &u.w.peer(), u.w.now()).unwrap();
    assert!(caller.actor().starts_with("token:") && u.w.desk.accounts(&caller, u.w.now()).is_ok());
    assert_eq!(u.w.desk.tokens(&caller, u.w.now()).err().map(|e| e.code()), Some("not-allowed"), "a token does not see to tokens");
    assert!(u.w.desk.totp_begin(&caller, u.w.now()).is_err());
}

#[test]
fn a_token_ends_by_time_and_by_its_account_alone() {
    let u = unit();
    let (a, b) = (make(&u, &u.op, &["overview.read"]).unwrap(), make(&u, &u.op, &["overview.read"]).unwrap());
    let (text_a, text_b) = (a.secret.unwrap(), b.secret.unwrap());
    assert_eq!(u.w.desk.token_remove(&u.w.caller(&u.sys), a.id, u.w.now()), Err(Refused::NotFound("token")));
    u.w.desk.token_remove(&u.w.caller(&u.op), a.id, u.w.now()).unwrap();
    assert_eq!(may(&u, &text_a).unwrap_err().code(), "wrong-credentials");
    assert_eq!(u.w.desk.tokens(&u.w.caller(&u.op), u.w.now()).unwrap().len(), 1);
    assert!(u.w.desk.tokens(&u.w.caller(&u.op), u.w.now()).unwrap()[0].secret.is_none());
    u.w.later(30 * 86_400_000);
    assert!(may(&u, &text_b).is_err());
    let peer = u.w.peer();
    let guess = || u.w.desk.bearer(&format!("weir_{}_guess", b.id), &peer, u.w.now()).unwrap_err();
    let codes: Vec<&str> = (0..6).map(|_| guess().code()).collect();
    assert_eq!(codes[4..], ["wrong-credentials", "locked"], "guesses have to wait");
}

#[test]
fn the_use_of_a_token_is_told_once_an_hour() {
    let u = unit();
    let token = make(&u, &u.op, &["overview.read"]).unwrap().secret.unwrap();
    for minutes in [0, 1, 58, 2, 1, 59] {
        u.w.later(minutes * 60_000);
        may(&u, &token).unwrap();
    }
    assert_eq!(u.w.told().iter().filter(|t| t.starts_with("auth-1 token")).count(), 3);
    u.w.same();
}

#[test]
fn who_asks_unusually_much_is_told_once_an_hour() {
    let u = unit();
    let caller = u.w.caller(&u.op);
    let codes = || u.w.desk.notices(u.w.now()).into_iter().map(|n| n.code).collect::<Vec<_>>();
    u.w.desk.asked(&caller, 1_000, u.w.now()).unwrap();
    assert!(codes().is_empty());
    *lock(&u.w.sink.fails) = Some(SinkError::Full);
    assert_eq!(u.w.desk.asked(&caller, 1, u.w.now()), Err(Refused::Store(SinkError::Full)));
    *lock(&u.w.sink.fails) = None;
    for _ in 0..3 {
        u.w.desk.asked(&caller, 1, u.w.now()).unwrap();
    }
    assert_eq!((codes(), u.w.told_of("desk-mass-read")), (vec!["mass-read"], 1));
}

#[test]
fn an_account_has_at_most_twenty() {
    let u = unit();
    for _ in 0..20 {
        make(&u, &u.op, &["overview.read"]).unwrap();
    }
    assert_eq!(make(&u, &u.op, &["overview.read"]).err().map(|e| e.code()), Some("too-many"));
    for (name, days) in [("", 1), ("a\nb", 1), ("ok", 0), ("ok", 367)] {
        assert_eq!(
            u.w.desk.token_make(&u.w.caller(&u.op), name, &["overview.read".into()], days, u.w.now()).err().map(|e| e.code()),
            Some("bad-request")
        );
    }
}

#[test]
fn a_token_without_the_scope_says_that_it_is_the_token() {
    let u = unit();
    let make = |user: &User, scope: &str| {
        let made = u.w.desk.token_make(&u.w.caller(user), "t", &[scope.into()], 1, u.w.now()).unwrap();
        u.w.desk.bearer(&made.secret.unwrap(), &u.w.peer(), u.w.now()).unwrap()
    };
    let token = make(&u.op, "overview.read");
    assert_eq!(token.needs(Capability::OverviewRead), Ok(()));
    for (needs, account, what, todo) in [
        (Capability::LookupAsk, true, "not made for lookup.ask", "Make a token with lookup.ask"),
        (Capability::LedgerRead, false, "no role of its account", "Ask an administrator for a role"),
        (Capability::ApprovalsConfirm, false, "No token may have approvals.confirm", "Sign in at the desk"),
    ] {
        let refused = token.needs(needs).unwrap_err();
        assert_eq!(refused, Refused::TokenMay { needs, account });
        assert_eq!((refused.code(), refused.status()), ("not-allowed", 403));
        assert!(refused.what().contains(what) && refused.todo().contains(todo), "{} {}", refused.what(), refused.todo());
    }
    assert!(matches!(u.w.caller(&u.op).needs(Capability::LedgerRead), Err(Refused::NotAllowed(_))), "of a person it is the roles");
}

#[test]
fn a_token_of_an_account_that_lacks_its_factor_does_nothing() {
    let mut u = unit();
    let token = make(&u, &u.op, &["overview.read"]).unwrap().secret.unwrap();
    assert_eq!(may(&u, &token).unwrap(), ["overview.read"]);
    // As an account of an earlier version stands in the state: a role and no second factor.
    let mut op = u.w.desk.store().account(u.op.id).unwrap().clone();
    op.totp = None;
    let entry = crate::desk::store::Entry::Account(op);
    lock(&u.w.sink.state).insert(crate::desk::store::encode_key(entry.key()), entry.encode());
    u.w.desk = Desk::open(u.w.sink.clone(), settings(), u.w.now()).unwrap();
    assert_eq!(may(&u, &token).unwrap(), Vec::<String>::new());
    let caller = u.w.desk.bearer(&token, &u.w.peer(), u.w.now()).unwrap();
    assert_eq!(caller.needs(Capability::OverviewRead), Err(Refused::FactorNeeded), "it is the factor that is missing, no role");
    let first = u.w.desk.password("op", &u.op.password, &u.w.peer(), u.w.now()).unwrap();
    assert_eq!(first.next, Some(Next::Enrol), "and its person is asked to set one up");
    u.op.cookie = first.cookie;
    u.w.enrol_totp(&mut u.op);
    assert_eq!(may(&u, &token).unwrap(), ["overview.read"]);
}
