//! What people are told when something is not done: what is wrong, and what they can do.

use serde_json::json;

use crate::client::send;
use crate::rig::{PASSWORD, Rig};

#[test]
fn what_is_not_confirmed_yet_is_a_conflict_that_says_who_may() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut asker = staff.signed_in("system-admin");
    let asked = asker.post("/api/v1/accounts", &json!({"display": "New", "roles": ["reviewer"], "reason": "one more is needed"})).json();
    assert!(asked["remark"]["en"].as_str().unwrap().contains("security-admin or approver"), "{asked}");
    let early = asker.get(&format!("/api/v1/approvals/{}/result", asked["approval"].as_str().unwrap()));
    assert_eq!((early.status, early.code().as_str()), (409, "conflict"), "{}", early.text());
    assert!(early.text().contains("still confirm it: 1") && early.text().contains("security-admin or approver"), "{}", early.text());
}

#[test]
fn a_token_without_the_scope_is_told_that_it_is_the_token() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut operator = staff.signed_in("operator");
    let made = operator.post("/api/v1/me/tokens", &json!({"name": "t", "scope": ["overview.read"], "days": 1})).json();
    let (host, bearer) = (rig.host(), format!("Bearer {}", made["secret"].as_str().unwrap()));
    let ask = |path: &str, language: &str| {
        send(rig.address(), "GET", path, &[("Host", &host), ("Authorization", &bearer), ("Accept-Language", language)], b"")
    };
    for (path, english, chinese) in [
        ("/api/v1/sources", "This token was not made for sources.read", "该令牌不含 sources.read 权限"),
        ("/api/v1/ledger", "no role of its account may", "其账户的角色均无此权限"),
        ("/api/v1/me/tokens", "it needs a person who is signed in", "须由已登录人员行使"),
    ] {
        for (language, said) in [("en", english), ("zh-CN", chinese)] {
            let refused = ask(path, language);
            assert_eq!((refused.status, refused.code().as_str()), (403, "not-allowed"), "{path}");
            assert!(refused.text().contains(said), "{path}: {}", refused.text());
        }
    }
    assert!(ask("/api/v1/sources", "en").text().contains("Make a token with sources.read under My account"));
}

#[test]
fn who_fails_behind_the_loopback_makes_nobody_else_behind_it_wait() {
    let rig = Rig::new();
    let staff = rig.staff();
    for n in 0..12 {
        let body = json!({"login": format!("nobody{n}"), "password": "wrong password here"});
        let wrong = rig.browser().open().post("/api/v1/session/password", &body);
        assert_eq!((wrong.status, wrong.code().as_str()), (401, "wrong-credentials"), "{n}: {}", wrong.text());
    }
    let right = rig.browser().open().post("/api/v1/session/password", &json!({"login": "operator", "password": PASSWORD}));
    assert_eq!((right.status, &right.json()["next"]), (200, &json!("totp")), "{}", right.text());
    // One name that is tried again and again waits, and is told that it is the name.
    let guess = || rig.browser().open().post("/api/v1/session/password", &json!({"login": "nobody", "password": "wrong password here"}));
    let waits = (0..8).map(|_| guess()).find(|r| r.status == 429).expect("waits");
    assert!(waits.text().contains("with this name") && waits.text().contains("Wait 1 s"), "{}", waits.text());
    drop(staff);
}
