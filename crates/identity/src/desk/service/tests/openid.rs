//! Sign-in with a provider, after its token was checked.

use super::*;
use crate::desk::OidcDone;
use crate::desk::oidc::{Identity, Metadata};

fn metadata() -> Metadata {
    Metadata {
        issuer: "https://id.example.org".into(),
        authorization_endpoint: "https://id.example.org/auth".into(),
        token_endpoint: "https://id.example.org/token".into(),
        jwks_uri: "https://id.example.org/keys".into(),
        secret_in_body: false,
        tells_issuer: false,
    }
}

fn subject(name: &str) -> Identity {
    Identity { issuer: "https://id.example.org".into(), subject: name.into() }
}

/// Goes to the provider and comes back.
fn round(w: &World, link: Option<&Caller>, who: &Identity) -> Result<OidcDone, Refused> {
    assert!(w.provider);
    let begun = w.desk.oidc_begin("id", &metadata(), "https://weir.example.org/cb", link, &w.peer(), w.now())?;
    let state = begun.url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let flow = w.desk.oidc_take(&begun.cookie, "id", &state, w.now())?;
    assert!(begun.url.contains(&format!("nonce={}", flow.nonce)) && !begun.url.contains(&flow.verifier));
    let out = w.desk.oidc_finish(flow, who, &w.peer(), w.now());
    w.same();
    out
}

#[test]
fn a_linked_subject_signs_in_and_is_asked_for_the_second_factor() {
    let u = unit();
    let w = &u.w;
    assert_eq!(round(w, None, &subject("mary")).err().map(|e| e.code()), Some("wrong-credentials"), "nobody is linked");
    assert!(matches!(round(w, Some(&w.caller(&u.sys)), &subject("mary")), Ok(OidcDone::Linked)));
    let Ok(OidcDone::SignedIn(done)) = round(w, None, &subject("mary")) else { panic!() };
    assert_eq!((done.account, done.next), (u.sys.id, Some(Next::Totp)));
    assert!(matches!(round(w, Some(&w.caller(&u.op)), &subject("joe")), Ok(OidcDone::Linked)));
    let Ok(OidcDone::SignedIn(done)) = round(w, None, &subject("joe")) else { panic!() };
    assert_eq!((done.account, done.next), (u.op.id, Some(Next::Totp)));
    assert_eq!(w.desk.factors(&w.caller(&u.op), w.now()).unwrap().providers, ["id"]);
    w.desk.oidc_unlink(&w.caller(&u.op), "id", w.now()).unwrap();
    assert!(round(w, None, &subject("joe")).is_err());
    assert!(!w.told().iter().any(|t| t.contains("mary") || t.contains("joe")), "no subject in a record");
}

#[test]
fn one_subject_belongs_to_one_account() {
    let u = unit();
    let w = &u.w;
    assert!(round(w, Some(&w.caller(&u.sys)), &subject("mary")).is_ok());
    assert_eq!(round(w, Some(&w.caller(&u.op)), &subject("mary")).err().map(|e| e.code()), Some("conflict"));
    assert_eq!(round(w, Some(&w.caller(&u.sys)), &subject("other")).err().map(|e| e.code()), Some("conflict"), "one link a provider");
    let foreign = Identity { issuer: "https://evil.example.org".into(), subject: "mary".into() };
    assert!(round(w, None, &foreign).is_err(), "the same subject of another issuer");
}

#[test]
fn a_flow_is_taken_once_by_its_own_cookie_and_state_and_in_time() {
    let u = unit();
    let w = &u.w;
    let begin = || w.desk.oidc_begin("id", &metadata(), "https://weir.example.org/cb", None, &w.peer(), w.now()).unwrap();
    let state = |b: &crate::desk::OidcBegun| b.url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let (a, b) = (begin(), begin());
    assert!(w.desk.oidc_take(&a.cookie, "id", &state(&b), w.now()).is_err(), "another one's state");
    assert!(w.desk.oidc_take(&a.cookie, "id", &state(&a), w.now()).is_err(), "and now it is gone");
    assert!(w.desk.oidc_take(&b.cookie, "other", &state(&b), w.now()).is_err(), "another provider's way back");
    let c = begin();
    assert!(w.desk.oidc_take(&c.cookie, "id", &state(&c), w.now()).is_ok());
    assert!(w.desk.oidc_take(&c.cookie, "id", &state(&c), w.now()).is_err(), "replayed");
    let d = begin();
    w.later(5 * 60_000);
    assert!(w.desk.oidc_take(&d.cookie, "id", &state(&d), w.now()).is_err(), "too late");
    let other = Metadata { issuer: "https://evil.example.org".into(), ..metadata() };
    assert!(w.desk.oidc_begin("id", &other, "x", None, &w.peer(), w.now()).is_err());
    assert!(w.desk.oidc_begin("none", &metadata(), "x", None, &w.peer(), w.now()).is_err());
    let peer = w.peer();
    for _ in 0..5 {
        assert_eq!(w.desk.oidc_failed(&peer, w.now()).code(), "wrong-credentials");
    }
    assert_eq!(w.desk.oidc_failed(&peer, w.now()).code(), "locked");
}

#[test]
fn a_link_counts_only_while_the_session_that_asked_lives() {
    let u = unit();
    let w = &u.w;
    let begun = w.desk.oidc_begin("id", &metadata(), "x", Some(&w.caller(&u.op)), &w.peer(), w.now()).unwrap();
    let state = begun.url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let flow = w.desk.oidc_take(&begun.cookie, "id", &state, w.now()).unwrap();
    w.desk.sign_out(&u.op.cookie, &w.peer(), w.now()).unwrap();
    assert_eq!(w.desk.oidc_finish(flow, &subject("joe"), &w.peer(), w.now()).err(), Some(Refused::NotSignedIn));
}
