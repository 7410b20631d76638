//! Who may use the socket: an account of the machine in no entry of the configuration is refused and told what to write.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::browser::{Browser, desk_of};
use crate::common::{AUDITOR, Running, WEIR, code, text};

const PASSWORD: &str = "correct horse battery";

/// The program with this entry of `desk.uids` alone.
fn start(data: &Path, uids: &str) -> Running {
    let mut command = Command::new(WEIR);
    command.arg("run").arg("--data").arg(data);
    for value in ["sources.radius.listen=127.0.0.1:0", "sources.ipfix.listen=127.0.0.1:0", "desk.listen=127.0.0.1:0"] {
        command.args(["--set", value]);
    }
    command.args(["--set", &format!("desk.uids={uids}")]);
    Running::wait(command, data)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_account_in_no_entry_is_refused_and_told_the_lines_to_add() {
    let dir = tempfile::tempdir().unwrap();
    let own = rustix::process::getuid().as_raw();
    let running = start(dir.path(), &format!("[{{uid={},account=\"other\",roles=[\"operator\"]}}]", own + 1));
    for args in [&["sources"][..], &["measures", "--json"], &["sql", "SELECT 1"], &["settings", "list"], &["seal", "--now"]] {
        let refused = running.ask(args);
        assert_eq!((code(&refused), text(&refused)), (1, String::new()), "{args:?}");
        let lines = format!("[[desk.uids]]\n  uid = {own}\n  account = \"NAME\"\n  roles = [\"operator\"]");
        assert!(said(&refused).contains(&lines), "{args:?}: {}", said(&refused));
    }
    // What is no request at all is told so to nobody either: the connection answers and stays.
    let mut socket = running.socket();
    socket.send(b"nonsense\n");
    assert!(socket.receive()["error"].is_object());
    assert_eq!(socket.call(json!({ "op": "health" }))["error"]["code"], 1);
    assert_eq!(running.stop(), 0);
    // Off line the one who may open the folder may ask: who can read the master key needs no leave of the program.
    let args =
        ["lookup", "--offline", "--public", "198.18.0.1:9", "--protocol", "udp", "--at", "2026-11-22T10:00:00+08:00", "--purpose", "drill"];
    let off_line = Command::new(WEIR).args(args).arg("--data").arg(dir.path()).output().unwrap();
    assert!(matches!(code(&off_line), 3 | 5), "{}", said(&off_line));
}

#[test]
fn an_account_does_what_its_roles_may_and_is_told_which_role_may_more() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path(), "[{uid=\"owner\",account=\"looks\",roles=[\"inspector\"]}]");
    assert_eq!(code(&running.ask(&["sources"])), 0);
    for (args, capability, role) in [
        (&["sql", "SELECT 1"][..], "sql.run", "operator"),
        (&["seal", "--now"], "seal.now", "operator"),
        (&["settings", "check", "store.sm3=true"], "settings.change", "system-admin"),
    ] {
        let refused = running.ask(args);
        assert!(
            code(&refused) == 1 && said(&refused).contains(capability) && said(&refused).contains(role),
            "{args:?}: {}",
            said(&refused)
        );
    }
    assert_eq!(fs::metadata(dir.path().join("weir.sock")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_kernel_tells_who_asks() {
    if !rustix::process::getuid().is_root() {
        eprintln!("not shown, because this is not root: two accounts of one machine on one socket");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let entries = "[{uid=\"owner\",account=\"root\",roles=[\"operator\"]},{uid=4242,account=\"looks\",roles=[\"inspector\"]}]";
    let running = start(&data, entries);
    // Others are named, so the socket lets them in; the folder is the operator's own to open.
    assert_eq!(fs::metadata(data.join("weir.sock")).unwrap().permissions().mode() & 0o777, 0o666);
    for folder in [dir.path(), &data] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
    }
    let program = dir.path().join("weir");
    fs::copy(WEIR, &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let as_uid = |uid: &str, args: &[&str]| {
        let ids = ["--reuid", uid, "--regid", uid, "--clear-groups"];
        Command::new("setpriv").args(ids).arg(&program).args(args).arg("--data").arg(&data).output().unwrap()
    };
    let looks = as_uid("4242", &["sources"]);
    assert_eq!(code(&looks), 0, "{}", said(&looks));
    assert!(said(&as_uid("4242", &["sql", "SELECT 1"])).contains("uid:4242 may not do this"));
    let stranger = as_uid("4243", &["sources"]);
    assert!(code(&stranger) == 1 && said(&stranger).contains("uid = 4243"), "{}", said(&stranger));
    assert_eq!(code(&running.ask(&["sql", "SELECT 1"])), 0);
    drop(running);
    // The program writes with its own rights: an account that is only named in the configuration does not choose where.
    let entries = "[{uid=4242,account=\"ops\",roles=[\"operator\"]}]";
    let running = start(&data, entries);
    for folder in [dir.path(), &data] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
    }
    let out = dir.path().join("theirs.parquet");
    let refused = as_uid("4242", &["export", "--kind", "config_change", "--out", out.to_str().unwrap()]);
    assert!(code(&refused) == 1 && said(&refused).contains("/api/v1/records/export") && !out.exists(), "{}", said(&refused));
    assert!(said(&as_uid("4242", &["desk", "link", "--first"])).contains("or root"));
    assert_eq!(code(&as_uid("4242", &["sql", "SELECT 1"])), 0);
    drop(running);
}

#[test]
fn no_operator_reads_who_asked_what() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path(), "[{uid=\"owner\",account=\"ops\",roles=[\"operator\"]}]");
    let today = weir_base::time::Millis(crate::common::now_ms()).day().to_string();
    let out = dir.path().join("ledger.parquet");
    for args in [
        &["records", "--kind", "question"][..],
        &["sql", "SELECT * FROM question"],
        &["sql", "SELECT actor FROM (SELECT * FROM question)"],
        &["export", "--kind", "question", "--out", out.to_str().unwrap()],
        &["key", "show", "--kind", "question", "--day", &today],
    ] {
        let refused = running.ask(args);
        assert!(code(&refused) != 0 && text(&refused).is_empty(), "{args:?}: {refused:?}");
    }
    assert!(!out.exists());
    let tables = text(&running.ask(&["sql", "SELECT table_name FROM information_schema.tables"]));
    assert!(tables.contains("nat_mapping") && !tables.contains("question"), "{tables}");
    assert_eq!(running.stop(), 0);
    let running = start(dir.path(), "[{uid=\"owner\",account=\"audit\",roles=[\"audit-admin\"]}]");
    let rows = running.records("question");
    assert!(rows.iter().any(|r| r["act"] == "sql"), "{rows:?}");
    assert_ne!(code(&running.ask(&["records", "--kind", "gap"])), 0, "and an auditor no other records");
}

#[test]
fn a_link_on_the_machine_itself_until_the_unit_is_set_up() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path(), "[{uid=\"owner\",account=\"ops\",roles=[\"operator\"]}]");
    let file = fs::read_to_string(dir.path().join("desk-link")).unwrap();
    let link = |running: &Running| running.ask(&["desk", "link", "--first"]);
    assert_eq!(text(&link(&running)).trim(), file.trim(), "while there is no account it is the same link");
    let mut admin = Browser::new(desk_of(dir.path()));
    assert_eq!(admin.accept(&file, "first", PASSWORD)["next"], "enrol");
    drop(admin);
    // The factors are lost before anybody else is there: neither password nor a second factor any more.
    let back = link(&running);
    assert!(code(&back) == 0 && said(&back).contains("the account first new factors"), "{}", said(&back));
    let mut again = Browser::new(desk_of(dir.path()));
    let token = text(&back).trim().rsplit('/').next().unwrap().to_owned();
    let seen = again.post("/api/v1/invitations/open", &json!({ "token": token })).ok();
    assert_eq!((&seen["recovers"], &seen["code_needed"]), (&json!(true), &json!(false)), "{seen}");
    assert_eq!(again.accept(&token, "first", "another correct horse")["next"], "enrol");
    again.enrol();
    for role in ["security-admin", "audit-admin"] {
        let invited = again.invite(role);
        Browser::new(desk_of(dir.path())).accept(&invited, role, PASSWORD);
    }
    let refused = link(&running);
    assert!(code(&refused) == 1 && said(&refused).contains("set up"), "{}", said(&refused));
    let told = running.records("operator_action");
    let links = told.iter().filter(|a| a["action"] == "desk-account-link" && a["actor"].as_str().unwrap().starts_with("uid:")).count();
    assert_eq!(links, 2, "{told:?}");
}

#[test]
fn without_the_console_the_socket_keeps_its_rules() {
    let dir = tempfile::tempdir().unwrap();
    let on = |set: &[&str]| Running::start(dir.path(), &crate::common::config("minimal.toml"), set);
    // An approval that two persons made while the console ran.
    let running = on(&[]);
    let mut admin = Browser::new(desk_of(dir.path()));
    admin.accept(&fs::read_to_string(dir.path().join("desk-link")).unwrap(), "first", PASSWORD);
    admin.enrol();
    let mut security = Browser::new(desk_of(dir.path()));
    security.accept(&admin.invite("security-admin"), "second", PASSWORD);
    security.enrol();
    let mut decide = |measure: &str| {
        let change = json!({ "changes": { measure: "false" }, "reason": "it moves to another machine" });
        let id = admin.post("/api/v1/settings", &change).ok()["approval"].as_str().unwrap().to_owned();
        let digest = security.get(&format!("/api/v1/approvals/{id}")).ok()["digest"].clone();
        security.post(&format!("/api/v1/approvals/{id}/confirm"), &json!({ "digest": digest })).ok();
        id
    };
    let (id, other) = (decide("measures.radius"), decide("measures.h3c"));
    assert_eq!(running.stop(), 0);

    let off = "desk.enabled=false";
    let running = on(&[off]);
    let set =
        |change: &str, approval: &[&str]| running.ask(&[&["settings", "set", change, "--reason", "it moves away"], approval].concat());
    let refused = set("measures.radius=false", &[]);
    assert!(code(&refused) == 1 && said(&refused).contains("second person"), "{}", said(&refused));
    // A value that is no value, or that is so already, is no other content; one that is changes nothing either: this account asked for nothing.
    for slip in ["measures.radius=flase", "measures.radius=true", "measures.radios=false"] {
        assert_ne!(code(&set(slip, &["--approval", &id])), 0, "{slip}");
    }
    let another = set("measures.ipfix=false", &["--approval", &other]);
    assert!(code(&another) == 1 && said(&another).contains("the approval stays as it is"), "{}", said(&another));
    let stays = set("measures.h3c=false", &["--approval", &other]);
    assert_eq!(code(&stays), 0, "nobody voids what another asked for: {}", said(&stays));
    assert_eq!(code(&running.ask(&["sql", "SELECT * FROM question"])), 2, "the ledger is closed to an operator");
    let past = crate::common::at(crate::common::now_ms() - 60_000);
    assert_eq!(code(&running.ask(&["lookup", "--public", "198.18.0.9:4242", "--protocol", "udp", "--at", &past])), 3);
    let done = set("measures.radius=false", &["--approval", &id]);
    assert_eq!(code(&done), 0, "what two persons decided is carried out: {}", said(&done));
    assert_ne!(code(&set("measures.radius=false", &["--approval", &id])), 0, "once");
    assert_eq!(running.stop(), 0);

    let running = on(&[off, AUDITOR]);
    let acts: Vec<String> = running.records("question").iter().map(|q| q["act"].as_str().unwrap().to_owned()).collect();
    assert!(
        acts.iter().any(|a| a == "lookup") && acts.iter().any(|a| a == "settings-change") && acts.iter().any(|a| a == "sql"),
        "{acts:?}"
    );
}
