//! What the desk says of wrong requests: in the words of the request, in both languages, and what to write instead.

use serde_json::{Value, json};

use crate::browser::{Browser, desk_of};
use crate::common::{Running, at, now_ms};
use crate::desk::{first, somebody};

/// A problem document is free of options of the command line, in both languages.
fn judged(browser: &mut Browser, method: &str, path: &str, body: &Value, seen: &mut usize) {
    let mut said = Vec::new();
    if method == "POST" {
        said.push(browser.post_in_chinese(path, body));
    } else {
        said.push(serde_json::from_slice(&browser.send(method, path, None, &[("Accept-Language", "zh-CN")]).body).unwrap_or_default());
    }
    let english = if method == "POST" { browser.post(path, body) } else { browser.send(method, path, None, &[]) };
    said.push(serde_json::from_slice(&english.body).unwrap_or_default());
    for problem in said.iter().filter(|p| p["type"].as_str().is_some_and(|t| t.starts_with("urn:weir:problem:"))) {
        *seen += 1;
        assert!(!problem.to_string().contains("--"), "{method} {path} {body}: {problem}");
    }
}

#[test]
fn no_problem_of_any_route_names_an_option_of_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut admin = first(&running);
    let operator = somebody(&running, &mut admin, "operator");
    let document = admin.get("/api/v1/openapi.json").ok();
    let nobody = Browser::new(desk_of(dir.path()));
    let (mut seen, mut routes) = (0, 0);
    for mut browser in [admin, operator, nobody] {
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys().map(|m| m.to_uppercase()) {
                // What ends the session, and what is no JSON.
                if (method == "DELETE" && path == "/api/v1/session") || path.ends_with("openapi.json") {
                    continue;
                }
                let path = path.replace("{id}", &"0".repeat(32)).replace("{provider}", "none").replace("{number}", "9");
                judged(&mut browser, &method, &path, &json!({}), &mut seen);
                routes += 1;
            }
        }
    }
    assert!(routes > 180 && seen > 150, "{routes} {seen}");
}

#[test]
fn wrong_fields_are_named_as_the_request_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut admin = first(&running);
    let mut operator = somebody(&running, &mut admin, "operator");
    let (early, late) = (at(now_ms() - 60_000), at(now_ms()));
    let search = |more: Value| {
        let mut body = json!({ "kind": "nat_mapping" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (path, body, field, en, zh) in [
        (
            "/api/v1/records/search",
            search(json!({ "from": late, "to": early })),
            "from",
            "\"from\" is after \"to\"",
            "\"from\" 晚于 \"to\"",
        ),
        ("/api/v1/records/search", search(json!({ "from": "yesterday" })), "from", "\"from\" is not a time", "\"from\""),
        ("/api/v1/records/search", search(json!({ "to": "x" })), "to", "\"to\" is not a time", "\"to\""),
        (
            "/api/v1/records/search",
            search(json!({ "match": "a" })),
            "match",
            "\"match\" searches log lines only",
            "\"match\" 只适用于日志行",
        ),
        (
            "/api/v1/records/search",
            search(json!({ "kind": "maintenance", "match": "" })),
            "match",
            "\"match\" cannot",
            "\"match\" 无法检索",
        ),
        (
            "/api/v1/records/export",
            search(json!({ "from": late, "to": early, "format": "csv", "reason": "for a test" })),
            "from",
            "\"from\" is after \"to\"",
            "\"from\" 晚于 \"to\"",
        ),
    ] {
        let chinese = operator.post_in_chinese(path, &body);
        let english: Value = serde_json::from_slice(&operator.post(path, &body).body).unwrap();
        assert_eq!((&english["status"], &english["field"]), (&json!(400), &json!(field)), "{english}");
        assert!(
            english["detail"].as_str().unwrap().contains(en) && chinese["detail"].as_str().unwrap().contains(zh),
            "{english} {chinese}"
        );
        assert!(!english.to_string().contains("--") && !chinese.to_string().contains("--"), "{english} {chinese}");
    }
}

#[test]
fn wrong_questions_are_told_in_the_words_of_the_request_and_of_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut admin = first(&running);
    let mut operator = somebody(&running, &mut admin, "operator");
    let (early, late) = (at(now_ms() - 60_000), at(now_ms()));
    let question = |public: &str, more: Value| {
        let mut question = json!({ "public": public, "at": early, "protocol": "udp" });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        question
    };
    for (question, what, todo) in [
        (question("198.18.0.9:70000", json!({})), "the port of \"public\" is no port", "write a number from 1 to 65535"),
        (question("198.18.0.9:4242", json!({ "remote": "198.51.100.9:x" })), "the port of \"remote\" is no port", "1 to 65535"),
        (question("198.18.0", json!({})), "\"public\" is not an address", "203.0.113.7:40123"),
        (question("198.18.0.9:4242", json!({ "at": "noon" })), "\"at\" is not understood as a time", "with the zone"),
        (question("198.18.0.9:4242", json!({ "skew": "wide" })), "\"skew\" is not a duration", "150ms"),
        (question("203.0.113.7:4242", json!({})), "a drill may only ask", "as \"purpose\""),
    ] {
        let asked = operator.post("/api/v1/lookup", &json!({ "questions": [question], "purpose": "drill" })).ok();
        let error = &asked["answers"][0]["error"];
        assert!(error["what"]["en"].as_str().unwrap().contains(what) && error["todo"]["en"].as_str().unwrap().contains(todo), "{asked}");
        assert!(!error.to_string().contains("--") && error["what"]["zh"] != error["what"]["en"], "{error}");
        assert_ne!(error["todo"]["zh"], error["todo"]["en"], "{error}");
    }
    // The command line says its options.
    for (args, what) in [
        (&["records", "--kind", "nat_mapping", "--from", &late, "--to", &early][..], "--from is after --to"),
        (&["lookup", "--public", "198.18.0.9:70000", "--at", &early], "the port of --public is no port"),
    ] {
        let refused = running.ask(args);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(crate::common::code(&refused) == 2 && said.contains(what), "{args:?}: {said}");
    }
}
