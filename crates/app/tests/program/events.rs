//! Events of applications: the examples of `docs/examples/events` with their real interpreters, real curl and real nginx, and a program that
//! is killed.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::common::{Running, at, code, config, now_ms, parsed, text, weir};

const TOKEN: &str = "Zm9ydW0tdG9rZW4tZm9yLXRlc3Rz";

/// A folder with the program's data, a token, and a spool.
struct Rig {
    dir: tempfile::TempDir,
}

impl Rig {
    fn new() -> Rig {
        let rig = Rig { dir: tempfile::tempdir().unwrap() };
        fs::write(rig.path("token"), format!("{TOKEN}\n")).unwrap();
        fs::set_permissions(rig.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
        let minimal = fs::read_to_string(config("minimal.toml")).unwrap();
        let own = format!(
            "{minimal}\n[sources.events]\nlisten = [\"127.0.0.1:0\"]\n[[sources.events.applications]]\nname = \"forum\"\n\
             token_file = \"{}\"\nservice = \"forum.example.org\"\n",
            rig.file("token")
        );
        fs::write(rig.path("weir.toml"), own).unwrap();
        rig
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn start(&self) -> Running {
        Running::start(&self.path("data"), &self.path("weir.toml"), &[])
    }

    /// A command with what the examples need in its environment.
    fn command(&self, program: &str, running: &Running) -> Command {
        let mut command = Command::new(program);
        command
            .env("WEIR_URL", url(running))
            .env("WEIR_TOKEN_FILE", self.file("token"))
            .env("WEIR_SPOOL", self.file("spool"))
            .env("WEIR_SETTLE", "0")
            .stdin(Stdio::null());
        command
    }
}

fn url(running: &Running) -> String {
    format!("http://{}/v1/events", running.port("events"))
}

fn example(name: &str) -> String {
    weir_testkit::package().join("../../docs/examples/events").join(name).canonicalize().unwrap().display().to_string()
}

/// False, with a word about what was not shown, when a program is not installed.
fn have(program: &str, version: &str, what: &str) -> bool {
    let found = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    if !found {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "{program} is not installed: {what}");
        eprintln!("not shown, because {program} is not installed: {what}");
    }
    found
}

fn ran(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    output
}

fn line(action: &str, account: &str, port: u16) -> String {
    format!(
        "{{\"time\":\"{}\",\"action\":\"{action}\",\"account\":\"{account}\",\"address\":\"192.0.2.7\",\"port\":{port}}}\n",
        at(now_ms())
    )
}

/// Posts with curl; the status and the answer.
fn curl(running: &Running, headers: &[&str], body: &str) -> (u16, Value) {
    let mut command = Command::new("curl");
    command.args(["-sS", "-w", "\n%{http_code}", "-H", &format!("Authorization: Bearer {TOKEN}"), "--data-binary", "@-"]);
    for header in headers {
        command.args(["-H", header]);
    }
    let mut child = command.arg(url(running)).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let all = text(&output);
    let (answer, status) = all.trim_end().rsplit_once('\n').unwrap_or_else(|| panic!("{all:?}"));
    (status.parse().unwrap(), serde_json::from_str(answer).unwrap())
}

/// Sign-ins that are there: action, port, service.
fn seen(running: &Running) -> Vec<(u64, Option<u64>, String)> {
    let one = |r: Value| (r["action"].as_u64().unwrap(), r["port"].as_u64(), r["service"].as_str().unwrap().to_owned());
    let mut all: Vec<_> = running.records("authentication").into_iter().map(one).collect();
    all.sort();
    all
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_and_its_key_is_known() {
    if !have("curl", "--version", "that events come over HTTP") {
        return;
    }
    let rig = Rig::new();
    let running = rig.start();
    let body = format!("{}{}not json\n", line("sign-in", "alice", 50_112), line("sign-out", "alice", 50_113));
    let empty = curl(&running, &["Idempotency-Key: part-1"], "");
    assert!(empty.0 == 422 && empty.1["error"].as_str().unwrap().contains("send nothing while there is none"), "{empty:?}");
    let first = curl(&running, &["Idempotency-Key: part-1"], &body);
    assert_eq!((first.0, first.1["accepted"].as_u64(), first.1["errors"][0]["line"].as_u64()), (200, Some(2), Some(3)), "{first:?}");
    running.kill();
    let running = rig.start();
    assert_eq!(seen(&running), [(1, Some(50_112), "forum.example.org".to_owned()), (2, Some(50_113), "forum.example.org".to_owned())]);
    assert_eq!(curl(&running, &["Idempotency-Key: part-1"], &body), first, "the same answer");
    assert_eq!(seen(&running).len(), 2, "and nothing twice");
    // Masked in every view: one opaque id for one account, no name, no address.
    let rows = running.records("authentication");
    assert!(rows[0]["account"].is_string() && rows[0]["account"] == rows[1]["account"], "{rows:?}");
    let listed = text(&running.ask(&["records", "--kind", "authentication"]));
    let shown = format!("{rows:?}{listed}");
    assert!(listed.contains("forum.example.org") && !shown.contains("alice") && !shown.contains("192.0.2.7"), "{shown}");
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let own = sources.as_array().unwrap().iter().find(|s| s["kind"] == "events").unwrap().clone();
    assert_eq!((own["name"].as_str(), own["duplicates"].as_u64()), (Some("events/forum"), Some(2)), "{own}");
    let measures = text(&running.ask(&["measures"]));
    assert!(measures.contains("events"), "{measures}");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    assert_eq!(seen(&running).len(), 2);
    assert_eq!(running.stop(), 0);
    let data = rig.file("data");
    let verified = weir(&["verify", "--data", &data]);
    assert_eq!(code(&verified), 0, "{}", text(&verified));
}

#[test]
fn an_action_that_is_not_known_is_said_in_its_line_and_the_others_are_kept() {
    if !have("curl", "--version", "that events come over HTTP") {
        return;
    }
    let rig = Rig::new();
    let running = rig.start();
    let mut all = line("sign-in", "alice", 50_112);
    for action in ["reboot", "SIGN-IN", "", "sign_in"] {
        all.push_str(&line(action, "alice", 50_113));
    }
    all.push_str(&line("x", "alice", 50_114).replace("\"action\":\"x\",", ""));
    all.push_str(&line("x", "alice", 50_115).replace("\"x\"", "7"));
    all.push_str(&line("sign-out", "alice", 50_116));
    let (status, answer) = curl(&running, &[], &all);
    assert_eq!((status, &answer["accepted"]), (200, &2.into()), "{answer}");
    let errors = answer["errors"].as_array().unwrap();
    let lines: Vec<u64> = errors.iter().map(|e| e["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7], "{answer}");
    for error in errors {
        let said = error.to_string();
        assert!(error["field"] == "action" && said.contains("write \\\"sign-in\\\", \\\"sign-out\\\" or \\\"failure\\\""), "{said}");
        assert!(!said.contains("reboot") && !said.contains("alice"), "nothing of the line is repeated: {said}");
    }
    let forum = || "forum.example.org".to_owned();
    assert_eq!(seen(&running), [(1, Some(50_112), forum()), (2, Some(50_116), forum())]);
    let malformed = running.records("malformed");
    assert!(!malformed.is_empty() && malformed.iter().all(|m| m["reason"] == "events.action"), "{malformed:?}");
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let own = sources.as_array().unwrap().iter().find(|s| s["name"] == "events/forum").unwrap();
    assert_eq!((&own["malformed"], &own["records"]), (&6.into(), &2.into()), "{own}");
    assert_eq!(running.stop(), 0);
}

#[test]
fn a_configuration_is_checked_with_its_token_file() {
    let rig = Rig::new();
    fs::set_permissions(rig.path("token"), fs::Permissions::from_mode(0o644)).unwrap();
    let checked = weir(&["check-config", "--config", &rig.file("weir.toml")]);
    assert!(code(&checked) == 1 && text(&checked).contains("chmod 600"), "{}", text(&checked));
    let started = weir(&["run", "--config", &rig.file("weir.toml"), "--data", &rig.file("data")]);
    assert!(code(&started) == 1 && String::from_utf8_lossy(&started.stderr).contains("chmod 600"), "{started:?}");
}

#[test]
fn python_tells_of_its_users() {
    if !have("python3", "--version", "the example for Python") {
        return;
    }
    let rig = Rig::new();
    let running = rig.start();
    let call = |action: &str, more: &[&str]| {
        let mut command = rig.command("python3", &running);
        command.args([&example("weir_events.py"), &url(&running), &rig.file("token"), &rig.file("spool"), action]);
        command.args(more).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    ran(&mut call("sign-in", &["李雷", "2001:db8::7", "50112"]));
    ran(&mut call("failure", &["李雷", "192.0.2.7"]));
    let forum = || "forum.example.org".to_owned();
    assert_eq!(seen(&running), [(1, Some(50_112), forum()), (3, None, forum())]);
    assert!(!rig.path("spool").exists());
    // Nobody there: it waits in the spool, and ship.sh sends it once the program is back.
    let nowhere = url(&running);
    running.kill();
    let mut command = Command::new("python3");
    command.args([&example("weir_events.py"), &nowhere, &rig.file("token"), &rig.file("spool"), "sign-out", "李雷", "192.0.2.7", "9"]);
    assert_eq!(command.env("PYTHONDONTWRITEBYTECODE", "1").status().unwrap().code(), Some(1));
    assert_eq!(fs::metadata(rig.path("spool")).unwrap().permissions().mode() & 0o777, 0o600);
    if !have("curl", "--version", "ship.sh") {
        return;
    }
    let running = rig.start();
    ran(rig.command("sh", &running).args([&example("ship.sh"), &rig.file("spool")]));
    assert_eq!(seen(&running)[1], (2, Some(9), forum()));
    let left: Vec<_> = fs::read_dir(rig.dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|n| n.contains("part") || n.contains("taken") || n.contains("refused")), "{left:?}");
    // A wrong line is kept aside with what was said of it.
    fs::write(rig.path("spool"), "nonsense\n").unwrap();
    ran(rig.command("sh", &running).args([&example("ship.sh"), &rig.file("spool")]));
    let left: Vec<_> = fs::read_dir(rig.dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left.iter().filter(|n| n.contains("refused")).count(), 2, "{left:?}");
}

#[test]
fn php_and_its_hooks_tell_of_their_users() {
    if !have("php", "--version", "the examples for PHP, WordPress and Discuz!") {
        return;
    }
    let rig = Rig::new();
    let running = rig.start();
    let php = |code: &str| ran(rig.command("php", &running).args(["-r", code]));
    let user = "$_SERVER['REMOTE_ADDR']='192.0.2.7'; $_SERVER['REMOTE_PORT']='50112';";
    php(&format!("{user} require '{}'; exit(weir_event('sign-in', 'alice') ? 0 : 1);", example("weir.php")));
    let forum = || "forum.example.org".to_owned();
    assert_eq!(seen(&running), [(1, Some(50_112), forum())]);
    // The hooks, called as WordPress and Discuz! call them: neither runs without a database, so their callers are stood in for here.
    eprintln!("not shown: the hooks inside a real WordPress and a real Discuz!, which need a database");
    let wordpress = "function add_action($n, $f) { $GLOBALS['hooks'][$n] = $f; } \
                     function get_userdata($id) { return (object) ['user_login' => 'alice']; }";
    let calls = "foreach (['wp_login' => 'alice', 'wp_login_failed' => 'bob', 'wp_logout' => 7] as $n => $v) $GLOBALS['hooks'][$n]($v);";
    php(&format!("{user} {wordpress} require '{}'; {calls}", example("wordpress.php")));
    let discuz = "define('IN_DISCUZ', true); $_POST['username'] = 'bob'; $_G = ['member' => ['username' => 'alice']];";
    // In a plugin both files lie in one folder.
    fs::copy(example("weir.php"), rig.path("weir.php")).unwrap();
    fs::copy(example("discuz/weir_member.class.php"), rig.path("member.class.php")).unwrap();
    let calls = "$p = new plugin_weir_member(); $p->logging(); foreach (['login_succeed', 'login_invalid', 'logout_succeed'] as $m) \
                 { $p->logging_weir_message(['param' => [$m]]); $_G['member']['username'] = ''; }";
    php(&format!("{user} {discuz} require '{}'; {calls}", rig.file("member.class.php")));
    let mut actions: Vec<u64> = seen(&running).into_iter().map(|(action, ..)| action).collect();
    actions.sort_unstable();
    assert_eq!(actions, [1, 1, 1, 2, 2, 3, 3]);
    assert!(!rig.path("spool").exists(), "nothing had to wait");
}

#[test]
fn java_tells_of_its_users() {
    if !have("java", "-version", "the example for Java") || !have("javac", "-version", "the same") {
        return;
    }
    let rig = Rig::new();
    let running = rig.start();
    ran(Command::new("javac").args(["-d", &rig.file("classes"), &example("WeirEvents.java")]));
    let mut command = Command::new("java");
    command.args(["-cp", &rig.file("classes"), "WeirEvents", &url(&running), &rig.file("token"), &rig.file("spool")]);
    ran(command.args(["sign-in", "o\"brien\\\u{1F600}", "192.0.2.7", "50112"]));
    assert_eq!(seen(&running), [(1, Some(50_112), "forum.example.org".to_owned())]);
}

#[test]
fn https_with_and_without_a_client_certificate() {
    if !have("curl", "--version", "events over HTTPS") || !have("openssl", "version", "the same") {
        return;
    }
    let rig = Rig::new();
    let openssl = |args: &str| ran(Command::new("openssl").args(args.split(' ')).current_dir(rig.dir.path()));
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout";
    openssl(&format!("req -x509 {key} ca.key -out ca.pem -days 30 -subj /CN=authority -addext basicConstraints=critical,CA:TRUE"));
    fs::write(rig.path("ext"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    for name in ["server", "client"] {
        openssl(&format!("req {key} {name}.key -out {name}.csr -subj /CN={name}"));
        openssl(&format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out {name}.pem -extfile ext"));
    }
    fs::set_permissions(rig.path("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let own = fs::read_to_string(rig.path("weir.toml")).unwrap();
    let files = format!("tls_certificate = \"{}\"\ntls_key = \"{}\"", rig.file("server.pem"), rig.file("server.key"));
    let tls =
        own.replace("listen = [\"127.0.0.1:0\"]\n[[sources.events", &format!("listen_tls = [\"127.0.0.1:0\"]\n{files}\n[[sources.events"));
    assert_ne!(own, tls);
    for wants_certificate in [false, true] {
        let clients = format!("listen_tls = [\"127.0.0.1:0\"]\ntls_clients = \"{}\"", rig.file("ca.pem"));
        let config = if wants_certificate { tls.replace("listen_tls = [\"127.0.0.1:0\"]", &clients) } else { tls.clone() };
        fs::write(rig.path("weir.toml"), config).unwrap();
        let running = Running::start(&rig.path(&format!("data-{wants_certificate}")), &rig.path("weir.toml"), &[]);
        fs::write(rig.path("body"), line("sign-in", "alice", 50_112)).unwrap();
        let call = |more: &[&str]| {
            let mut command = Command::new("curl");
            command.args([
                "-sS",
                "-f",
                "-H",
                &format!("Authorization: Bearer {TOKEN}"),
                "--data-binary",
                &format!("@{}", rig.file("body")),
            ]);
            command.args(more).arg(format!("https://{}/v1/events", running.port("events_tls"))).output().unwrap().status.success()
        };
        let (ca, certificate, key) = (rig.file("ca.pem"), rig.file("client.pem"), rig.file("client.key"));
        assert!(call(&["--cacert", &ca, "--cert", &certificate, "--key", &key]));
        assert_eq!(call(&["--cacert", &ca]), !wants_certificate);
        assert!(!call(&[]), "an authority that nobody knows");
        assert_eq!(seen(&running).len(), if wants_certificate { 1 } else { 2 });
    }
}

/// A child that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn nginx_tells_of_an_applications_users() {
    if !have("nginx", "-v", "the example for nginx") || !have("curl", "--version", "the same") {
        return;
    }
    let rig = Rig::new();
    let running = rig.start();
    // The example as it is, but for where it listens and writes, and where the application is. nginx cannot be told to let the kernel choose.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let own = fs::read_to_string(example("nginx.conf")).unwrap();
    let changed = own
        .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
        .replace("/var/spool/weir/events.ndjson", &rig.file("spool"))
        .replace("http://127.0.0.1:8080", &format!("http://unix:{}", rig.file("app.sock")));
    assert_eq!(own.lines().count(), changed.lines().count());
    let application = "location /login { add_header X-Weir-Action sign-in; add_header X-Weir-Account alice; return 204; } \
                       location / { return 204; }";
    let text_of = format!(
        "daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n\
         client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;\n\
         server {{ listen unix:{dir}/app.sock; {application} }}\n{changed}}}\n",
        dir = rig.dir.path().display()
    );
    fs::write(rig.path("nginx.conf"), text_of).unwrap();
    let conf = rig.file("nginx.conf");
    let mut nginx = Ends(Command::new("nginx").args(["-c", &conf, "-e", &rig.file("error.log")]).spawn().unwrap());
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(nginx.0.try_wait().unwrap().is_none(), "nginx ended: {:?}", fs::read_to_string(rig.path("error.log")));
    }
    let at = format!("http://127.0.0.1:{port}");
    let head = text(&ran(Command::new("curl").args(["-sS", "-i", "-H", "Host: forum.example.org", &format!("{at}/login")])));
    assert!(head.contains("204") && !head.to_lowercase().contains("x-weir"), "{head}");
    ran(Command::new("curl").args(["-sS", &format!("{at}/other")]));
    // nginx writes its log after the answer.
    while fs::read_to_string(rig.path("spool")).unwrap_or_default().is_empty() {}
    let mut ship = rig.command("sh", &running);
    ship.env("WEIR_REOPEN", format!("nginx -c {conf} -e {} -s reopen", rig.file("error.log")));
    ran(ship.args([&example("ship.sh"), &rig.file("spool")]));
    let rows = seen(&running);
    assert!(matches!(rows.as_slice(), [(1, Some(1..), service)] if service == "forum.example.org"), "{rows:?}");
}
