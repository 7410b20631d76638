//! Every role over every route of the API's own document: a route that were missing from the document could not be reached by a program, and one
//! that lets a role too far fails here.

use serde_json::{Value, json};
use weir_base::task::lock;
use weir_identity::desk::roles;

use crate::client::send;
use crate::rig::Rig;

/// The golden table of who may do what, which the desk's own tests compare with its code: role, capabilities.
fn golden() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut table: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in include_str!("../../../identity/src/desk/testdata/roles.txt").lines() {
        match line.strip_prefix("  x ") {
            Some(capability) => table.last_mut().unwrap().1.push(capability),
            None if line.is_empty() || line.starts_with([' ', '#']) => {}
            None => table.push((line.split(' ').next().unwrap(), vec!["self"])),
        }
    }
    assert_eq!(table.len(), roles::TABLE.len());
    table
}

/// Method, path with its parts filled in, what it needs.
fn operations(rig: &Rig) -> Vec<(String, String, String)> {
    let document = rig.get("/api/v1/openapi.json").json();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = path.replace("{id}", &"0".repeat(32)).replace("{number}", "1").replace("{name}", "none");
            all.push((method.to_uppercase(), path, operation["x-weir-needs"].as_str().unwrap().to_owned()));
        }
    }
    // Who signs out cannot go on.
    all.sort_by_key(|(method, path, _)| (method == "DELETE" && (path == "/api/v1/session" || path.ends_with("/totp")), path.clone()));
    assert!(all.len() >= 60, "{}", all.len());
    all
}

#[test]
fn every_role_over_every_route() {
    let rig = Rig::new();
    let staff = rig.staff();
    let operations = operations(&rig);
    for (role, may) in golden() {
        let mut browser = staff.signed_in(role);
        for (method, path, needs) in &operations {
            rig.clock.advance(1_000);
            lock(&rig.program.asked).clear();
            let reply = browser.ask(method, path, &json!({}));
            let shown = format!("{role} {method} {path} ({needs}): {} {}", reply.status, reply.text());
            // Metrics are asked from this very machine.
            let allowed = may.contains(&needs.as_str()) || matches!(needs.as_str(), "none" | "sign-in" | "metrics.read");
            if allowed {
                // `{}` is not what most take, and the ids are nobody's: all that is judged is that it came through.
                assert!(reply.status != 403 && reply.status < 500, "{shown}");
                assert!(!matches!(reply.code().as_str(), "not-signed-in" | "factor-needed" | "csrf"), "{shown}");
            } else {
                assert_eq!((reply.status, reply.code().as_str()), (403, "not-allowed"), "{shown}");
                assert_eq!(*lock(&rig.program.asked), [], "{shown}: the program was asked");
            }
        }
    }
}

#[test]
fn nobody_and_half_a_sign_in_get_nowhere() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut half = rig.browser().open();
    let first = half.post("/api/v1/session/password", &json!({"login": "audit-admin", "password": crate::rig::PASSWORD})).json();
    assert_eq!((&first["next"], &first["account"]), (&json!("totp"), &Value::Null), "not even the name is told before the second factor");
    for (method, path, needs) in operations(&rig) {
        if matches!(needs.as_str(), "none" | "sign-in" | "metrics.read") {
            continue;
        }
        rig.clock.advance(1_000);
        let nobody = rig.browser().open().ask(&method, &path, &json!({}));
        assert_eq!((nobody.status, nobody.code().as_str()), (401, "not-signed-in"), "{method} {path}");
        let half = half.ask(&method, &path, &json!({}));
        assert_eq!((half.status, half.code().as_str()), (401, "factor-needed"), "{method} {path}");
    }
    assert_eq!(*lock(&rig.program.asked), []);
    drop(staff);
}

#[test]
fn a_token_does_what_its_scope_and_its_account_may_and_never_what_no_token_may() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut operator = staff.signed_in("operator");
    let scope = ["overview.read", "records.read", "seal.now"];
    let made = operator.post("/api/v1/me/tokens", &json!({"name": "t", "scope": scope, "days": 1}));
    let token = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(token.starts_with("weir_"), "{token}");
    assert_eq!(operator.get("/api/v1/me/tokens").json()[0]["secret"], Value::Null);
    let bearer = format!("Bearer {token}");
    let host = rig.host();
    for (method, path, needs) in operations(&rig) {
        rig.clock.advance(1_000);
        if matches!(needs.as_str(), "none" | "sign-in" | "metrics.read") {
            continue;
        }
        let headers = [("Host", host.as_str()), ("Authorization", &bearer), ("Content-Type", "application/json")];
        let reply = send(rig.address(), &method, &path, &headers, if method == "POST" { b"{}" } else { b"" });
        let shown = format!("{method} {path} ({needs}): {} {}", reply.status, reply.text());
        match scope.contains(&needs.as_str()) {
            true => assert!(reply.status != 403 && reply.status != 401, "{shown}"),
            false => assert_eq!((reply.status, reply.code().as_str()), (403, "not-allowed"), "{shown}"),
        }
    }
    let asked = lock(&rig.program.asked).clone();
    assert!(asked.iter().any(|(what, who)| *what == "seal" && who.starts_with("token:")), "{asked:?}");

    // Beyond the account, and what no token may: refused where it is made.
    for scope in ["accounts.read", "self", "no.such"] {
        let refused = operator.post("/api/v1/me/tokens", &json!({"name": "t", "scope": [scope], "days": 1}));
        assert!((400..500).contains(&refused.status), "{scope}: {}", refused.text());
    }
    for bad in ["Bearer", "Bearer weir_x", &format!("Bearer {token}x"), "Basic abc", &format!("Token {token}")] {
        let reply = send(rig.address(), "GET", "/api/v1/overview", &[("Host", &host), ("Authorization", bad)], b"");
        assert_eq!(reply.status, 401, "{bad}");
    }
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(operator.ask("DELETE", &format!("/api/v1/me/tokens/{id}"), &Value::Null).status, 204);
    let reply = send(rig.address(), "GET", "/api/v1/overview", &[("Host", &host), ("Authorization", &bearer)], b"");
    assert_eq!(reply.status, 401);
}

/// What each part of the API may need, written down once more: the document says what the program does, this says what it should do.
#[test]
fn every_route_needs_what_its_part_of_the_api_is_about() {
    let rig = Rig::new();
    let open = [
        "GET /api/v1/openapi.json",
        "GET /api/v1/session",
        "DELETE /api/v1/session",
        "GET /healthz",
        "GET /readyz",
        "POST /api/v1/session/password",
        "POST /api/v1/session/totp",
        "POST /api/v1/session/passkey/begin",
        "POST /api/v1/session/passkey/finish",
        "POST /api/v1/invitations/open",
        "POST /api/v1/invitations/accept",
        "GET /api/v1/session/oidc/none/begin",
        "GET /api/v1/session/oidc/none/callback",
    ];
    let parts: [(&str, &[&str]); 16] = [
        ("/metrics", &["metrics.read"]),
        ("/api/v1/me", &["self"]),
        ("/api/v1/roles", &["self"]),
        ("/api/v1/overview", &["overview.read"]),
        ("/api/v1/lookup", &["lookup.ask"]),
        ("/api/v1/records/export", &["records.export"]),
        ("/api/v1/records", &["records.read", "text.open"]),
        ("/api/v1/sql", &["sql.run"]),
        ("/api/v1/sources", &["sources.read"]),
        ("/api/v1/ledger", &["ledger.read", "ledger.open"]),
        ("/api/v1/accounts", &["accounts.read", "accounts.change", "roles.change"]),
        ("/api/v1/approvals", &["self", "approvals.confirm"]),
        ("/api/v1/break-glass/end", &["self"]),
        ("/api/v1/break-glass", &["break-glass.ask"]),
        ("/api/v1/settings", &["settings.read", "settings.change"]),
        ("/api/v1/seal", &["seal.now"]),
    ];
    for (method, path, needs) in operations(&rig) {
        let shown = format!("{method} {path}");
        match needs.as_str() {
            "none" | "sign-in" => assert!(open.contains(&shown.as_str()), "{shown} is open to everybody"),
            needs => {
                let (_, about) =
                    parts.iter().find(|(part, _)| path.starts_with(part)).unwrap_or_else(|| panic!("{shown} is new: say what it needs"));
                assert!(about.contains(&needs), "{shown} needs {needs}");
                let reads = needs.ends_with(".read") || needs == "self";
                assert!(method != "GET" || reads, "{shown} reads with {needs}");
                let asks = ["self", "lookup.ask", "records.read", "text.open", "sql.run", "records.export", "ledger.open", "seal.now"]
                    .contains(&needs);
                assert_eq!(path.ends_with("/text"), needs == "text.open", "{shown}");
                assert!(method == "GET" || asks || needs.ends_with(".change") || needs.ends_with(".confirm") || needs == "break-glass.ask");
            }
        }
    }
}
