//! Who may use the socket: an account of the machine in no entry of the configuration is refused and told what to write.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::common::{Running, WEIR, code, text};

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
}
