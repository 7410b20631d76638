//! Lines of the real rsyslog, syslog-ng and logger in the real program, over every transport: search, look-up, a program that is killed. A
//! connection that is cut again and again is shown by the tests of the sources.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use weir_testkit::peers::{self, Rsyslog, SyslogNg};

use crate::common::{Running, at, code, config, have, now_ms, parsed, text, weir};

const LISTEN: [&str; 3] =
    ["sources.syslog.listen=127.0.0.1:0", "sources.syslog.listen_tcp=127.0.0.1:0", "sources.syslog.listen_relp=127.0.0.1:0"];

pub fn start(data: &Path, more: &[&str]) -> Running {
    Running::start(data, &config("minimal.toml"), &[&LISTEN[..], more].concat())
}

fn lines(running: &Running, holds: &str) -> Vec<Value> {
    running.records("maintenance").into_iter().filter(|r| r["line"].as_str().unwrap().contains(holds)).collect()
}

pub fn wait(running: &Running, holds: &str, n: usize) -> Vec<Value> {
    loop {
        let found = lines(running, holds);
        if found.len() >= n {
            return found;
        }
    }
}

fn installed() -> bool {
    have("rsyslogd", "that real rsyslog's lines are taken in") && have("logger", "the same")
}

#[test]
fn rsyslog_over_udp_tcp_and_relp() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let running = start(&dir.path().join("data"), &[]);
    let port = |what: &str| running.port(what).port();
    let actions = format!(
        "module(load=\"omrelp\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{udp}\" protocol=\"udp\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tcp}\" protocol=\"tcp\" TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tcp}\" protocol=\"tcp\" TCP_Framing=\"traditional\")\n\
         action(type=\"omrelp\" target=\"127.0.0.1\" port=\"{relp}\")",
        udp = port("syslog_udp"),
        tcp = port("syslog_tcp"),
        relp = port("syslog_relp")
    );
    let rsyslog = Rsyslog::start(dir.path(), "", &actions);
    rsyslog.log("sshd", "Accepted password for alice from 192.0.2.7 port 50112 ssh2\n");
    // Once over each way.
    let found = wait(&running, "Accepted", 4);
    for row in &found {
        assert_eq!(row["line"], "Accepted password for <USER1> from <ADDR1> port 50112 ssh2");
        assert_eq!((row["app"].as_str(), row["event"].as_str(), row["facility"].as_u64()), (Some("sshd"), Some("sign-in"), Some(4)));
    }
    let signed_in = running.records("authentication");
    assert_eq!(signed_in.len(), 4);
    let shown = serde_json::to_string(&(found, signed_in)).unwrap();
    assert!(!shown.contains("alice") && !shown.contains("192.0.2.7"), "a view shows no account and no address");
    // Sealed, checked, and found again from disk by its words.
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    let search =
        |words: &str| parsed(&running.ask(&["records", "--kind", "maintenance", "--match", words, "--json"])).as_array().unwrap().len();
    assert_eq!((search("accepted sshd"), search("PASSWORD"), search("accep*"), search("accep")), (4, 4, 4, 0));
    let asked = running.ask(&["records", "--kind", "maintenance", "--match", "192.0.2.7"]);
    assert!(code(&asked) != 0, "{}", text(&asked));
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let source = sources.as_array().unwrap().iter().find(|s| s["kind"] == "syslog").unwrap().clone();
    assert_eq!((source["name"].as_str(), source["messages"].as_u64()), (Some("syslog/127.0.0.1"), Some(4)));
    let data = dir.path().join("data");
    assert_eq!(running.stop(), 0);
    let verified = weir(&["verify", "--data", data.to_str().unwrap()]);
    assert_eq!(code(&verified), 0, "{}", text(&verified));
}

/// Chinese has no spaces: what a dialect of one's own found amid a sentence is shown nowhere, nor found by its words, sealed or not.
#[test]
fn a_name_amid_chinese_is_not_found_by_its_words() {
    let dir = tempfile::tempdir().unwrap();
    let dialect = dir.path().join("portal.toml");
    let rule = "[[rule]]\nevent = \"sign-in\"\nkeys = [\"portal\"]\nmatch = \"用户{account}从{address}登录{*}\"\n";
    fs::write(&dialect, format!("name = \"portal\"\ntitle = \"portal\"\n{rule}")).unwrap();
    let running = start(&dir.path().join("data"), &[&format!("sources.syslog.dialects=[{dialect:?}]")]);
    let mut stream = TcpStream::connect(running.port("syslog_tcp")).unwrap();
    for text in ["portal 1 - - 用户张三从192.0.2.1登录成功，欢迎张三", "door 2 - - 学号20210001登录成功，密码：hunter2"]
    {
        stream.write_all(format!("<13>1 {} web-1 {text}\n", at(now_ms() - 60_000)).as_bytes()).unwrap();
    }
    let mut shown: Vec<String> = wait(&running, "登录成功", 2).iter().map(|row| row["line"].as_str().unwrap().to_owned()).collect();
    shown.sort();
    assert_eq!(shown, ["学号<USER1>登录成功，密码：<SECRET>", "用户<USER1>从<ADDR1>登录成功，欢迎<USER1>"]);
    assert_eq!(running.records("authentication").len(), 1);
    let search =
        |words: &str| parsed(&running.ask(&["records", "--kind", "maintenance", "--match", words, "--json"])).as_array().unwrap().len();
    let found = || ["登录成功", "张三", "用户张三", "20210001", "hunter2"].map(search);
    assert_eq!(found(), [2, 0, 0, 0, 0]);
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    assert_eq!(found(), [2, 0, 0, 0, 0]);
    assert_eq!(running.stop(), 0);
}

#[test]
fn every_sender_over_every_transport() {
    let programs = [("rsyslogd", "-v"), ("syslog-ng", "--version"), ("logger", "-V"), ("openssl", "version")];
    if !programs.iter().all(|(program, version)| peers::have(program, version, "lines of every sender over every transport")) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    peers::certificates(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    fs::set_permissions(file("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let set = |key: &str, name: &str| format!("sources.syslog.{key}={}", file(name));
    let tls = [set("tls_certificate", "server.pem"), set("tls_key", "server.key"), set("tls_clients", "ca.pem")];
    let more = ["sources.syslog.listen_tls=127.0.0.1:0", &tls[0], &tls[1], &tls[2]];
    let running = start(&dir.path().join("data"), &more);
    let port = |what: &str| running.port(what).port();
    let (udp, tcp, relp, tls) = (port("syslog_udp"), port("syslog_tcp"), port("syslog_relp"), port("syslog_tls"));
    let folder = |name: &str| {
        let own = dir.path().join(name);
        fs::create_dir(&own).unwrap();
        own
    };
    let global = format!(
        "DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{}\" DefaultNetstreamDriverCertFile=\"{}\" DefaultNetstreamDriverKeyFile=\"{}\"",
        file("ca.pem"),
        file("client.pem"),
        file("client.key")
    );
    let modern = "TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"";
    let secured =
        "StreamDriver=\"gtls\" StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/name\" StreamDriverPermittedPeers=\"weir.example.org\"";
    // Over TLS it ends lines with newlines unless told to count.
    let actions = format!(
        "module(load=\"omrelp\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{udp}\" protocol=\"udp\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tcp}\" protocol=\"tcp\" {modern} StreamDriver=\"ptcp\" StreamDriverMode=\"0\")\n\
         action(type=\"omrelp\" target=\"127.0.0.1\" port=\"{relp}\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tls}\" protocol=\"tcp\" {modern} {secured})\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tls}\" protocol=\"tcp\" {secured})"
    );
    let rsyslog = Rsyslog::start(&folder("rsyslog"), &global, &actions);
    rsyslog.log("app", "told by rsyslog\n");
    let destinations = format!(
        "network(\"127.0.0.1\" port({udp}) transport(\"udp\") persist-name(\"a\")); \
         network(\"127.0.0.1\" port({tcp}) transport(\"tcp\") persist-name(\"b\")); \
         syslog(\"127.0.0.1\" port({udp}) transport(\"udp\") persist-name(\"c\")); \
         syslog(\"127.0.0.1\" port({tcp}) transport(\"tcp\") persist-name(\"d\")); \
         syslog(\"localhost\" port({tls}) ip-protocol(4) transport(\"tls\") tls(ca-file(\"{}\") cert-file(\"{}\") key-file(\"{}\") \
         peer-verify(required-trusted)));",
        file("ca.pem"),
        file("client.pem"),
        file("client.key")
    );
    let ng = SyslogNg::start(&folder("syslog-ng"), &destinations);
    peers::log(&ng.socket, "app", "told by syslog-ng\n");
    let (udp, tcp) = (udp.to_string(), tcp.to_string());
    let ways: [&[&str]; 4] = [
        &["-d", "-P", &udp, "--rfc3164"],
        &["-d", "-P", &udp, "--rfc5424"],
        &["-T", "-P", &tcp, "--rfc5424", "--octet-count"],
        &["-T", "-P", &tcp, "--rfc3164"],
    ];
    for way in ways {
        let done = Command::new("logger").args(["-n", "127.0.0.1", "-t", "app"]).args(way).arg("told by logger").status();
        assert!(done.unwrap().success(), "{way:?}");
    }
    // Once over each way, from each sender.
    for (sender, ways) in [("rsyslog", 5), ("syslog-ng", 5), ("logger", 4)] {
        let found = wait(&running, &format!("told by {sender}"), ways);
        assert_eq!(found.len(), ways, "{found:?}");
        assert!(found.iter().all(|row| row["app"] == "app"), "{found:?}");
    }
    assert_eq!(running.stop(), 0);
}

/// Stands between a sender and the program, so that the program may come back on another port.
struct Relay {
    port: u16,
    to: Arc<Mutex<Option<SocketAddr>>>,
}

impl Relay {
    fn start(to: SocketAddr) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Relay { port: listener.local_addr().unwrap().port(), to: Arc::new(Mutex::new(Some(to))) };
        let to = relay.to.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let address = *to.lock().unwrap();
                let Some(server) = address.and_then(|a| TcpStream::connect(a).ok()) else { continue };
                let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from_server, &mut to_client);
                    let _ = to_client.shutdown(Shutdown::Both);
                });
                let (mut client, mut server) = (client, server);
                let _ = std::io::copy(&mut client, &mut server);
                let _ = server.shutdown(Shutdown::Both);
            }
        });
        relay
    }
}

fn numbers(running: &Running) -> BTreeMap<u64, usize> {
    let mut seen = BTreeMap::new();
    for row in running.records("maintenance") {
        let number = row["line"].as_str().and_then(|l| l.strip_prefix("number ")).and_then(|n| n.parse().ok());
        if let Some(number) = number {
            *seen.entry(number).or_insert(0) += 1;
        }
    }
    seen
}

fn relp_through(dir: &Path, relay: &Relay) -> Rsyslog {
    let action = format!(
        "module(load=\"omrelp\")\naction(type=\"omrelp\" target=\"127.0.0.1\" port=\"{}\" queue.type=\"LinkedList\" queue.size=\"100000\" \
         action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\")",
        relay.port
    );
    Rsyslog::start(dir, "", &action)
}

#[test]
fn a_killed_program_keeps_what_it_acknowledged_and_gets_the_rest() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let running = start(&data, &[]);
    let relay = Relay::start(running.port("syslog_relp"));
    let rsyslog = relp_through(dir.path(), &relay);
    let n = 4_000;
    let many: String = (0..n).map(|i| format!("number {i}\n")).collect();
    rsyslog.log("app", &many);
    while numbers(&running).len() < n / 4 {}
    *relay.to.lock().unwrap() = None;
    running.kill();
    let running = start(&data, &[]);
    *relay.to.lock().unwrap() = Some(running.port("syslog_relp"));
    while numbers(&running).len() < n {}
    assert!(numbers(&running).values().all(|times| *times <= 2), "a line is there once, or twice when its answer was lost");
}

#[test]
fn a_look_up_answers_from_nat_lines() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(&dir.path().join("data"), &[]);
    let mut stream = TcpStream::connect(running.port("syslog_tcp")).unwrap();
    let now = now_ms();
    let line =
        |event: &str, ms: i64| format!("<134>1 {} cgn nat - NAT444 - {event} 6 100.64.0.9 - - 203.0.113.5 50000 1024 - - -\n", at(ms));
    stream.write_all(line("SessionbasedA", now - 60_000).as_bytes()).unwrap();
    stream.write_all(line("SessionbasedW", now - 20_000).as_bytes()).unwrap();
    wait(&running, "Sessionbased", 2);
    let asked =
        running.ask(&["lookup", "--public", "203.0.113.5:1024", "--protocol", "tcp", "--at", &at(now - 40_000), "--skew", "1s", "--json"]);
    let answer = parsed(&asked);
    assert_eq!(answer["answer"], "one", "{answer}");
    assert!(answer.to_string().contains("100.64.0.9"), "{answer}");
}

#[test]
fn lines_over_tls_end_with_newlines_where_their_sender_does_not_count() {
    if !peers::have("openssl", "version", "syslog over TLS as openssl sends it") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    peers::certificates(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    fs::set_permissions(file("server.key"), PermissionsExt::from_mode(0o600)).unwrap();
    let set =
        ["listen_tls=127.0.0.1:0".to_owned(), format!("tls_certificate={}", file("server.pem")), format!("tls_key={}", file("server.key"))];
    let set: Vec<String> = set.iter().map(|s| format!("sources.syslog.{s}")).collect();
    let running = start(&dir.path().join("data"), &set.iter().map(String::as_str).collect::<Vec<_>>());
    let to = running.port("syslog_tls").to_string();
    let mut client = Command::new("openssl")
        .args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-verify_hostname",
            "weir.example.org",
            "-CAfile",
            &file("ca.pem"),
            "-connect",
            &to,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Far more than a frame of octet counting could hold back, in both forms, and a line of its own for each.
    let mut stdin = client.stdin.take().unwrap();
    let long = "x".repeat(600);
    for n in 0..200 {
        let line = match n % 2 {
            0 => format!("<38>Nov 22 10:00:00 gate app[7]: plain {n} {long}\n"),
            _ => format!("<38>1 {} gate app 7 - - plain {n} {long}\n", at(now_ms())),
        };
        stdin.write_all(line.as_bytes()).unwrap();
    }
    stdin.write_all(b"<38>Nov 22 10:00:00 gate sshd[9]: Accepted password for alice from 192.0.2.7 port 50112 ssh2\n").unwrap();
    stdin.flush().unwrap();
    wait(&running, "plain", 200);
    let last = wait(&running, "Accepted", 1);
    assert_eq!(
        (&last[0]["line"], &last[0]["event"]),
        (&"Accepted password for <USER1> from <ADDR1> port 50112 ssh2".into(), &"sign-in".into())
    );
    let all = running.records("maintenance");
    assert!(all.len() == 201 && all.iter().all(|r| r["flags"].as_u64().unwrap() & 8 == 0), "each is a line, none is cut: {}", all.len());
    assert!(running.records("malformed").is_empty());
    // It does not end by itself when there is nothing more to send.
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(running.stop(), 0);
}

#[test]
fn an_end_alone_tells_who_had_a_port() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(&dir.path().join("data"), &[]);
    let mut stream = TcpStream::connect(running.port("syslog_tcp")).unwrap();
    let now = now_ms() / 1_000;
    let (began, ended) = (now - 600, now - 60);
    let line = |event: &str, port: u16, end: i64| {
        format!(
            "<190>{} USG %%01SECLOG/6/{event}(l):IPVer=4,Protocol=tcp,SourceIP=100.64.0.9,DestinationIP=192.0.2.80,SourcePort=50112,\
             DestinationPort=443,SourceNatIP=203.0.113.7,SourceNatPort={port},BeginTime={began},EndTime={end},SourceVpnID=0,VSys=public.\n",
            &at(if end > 0 { end } else { began } * 1_000)[..19].replace('T', " ")
        )
    };
    // One whose creation was lost, and one whose creation was seen.
    stream.write_all(line("SESSION_TEARDOWN", 2_048, ended).as_bytes()).unwrap();
    wait(&running, "IPVer=4", 1);
    // That something began then does not say that all of that time is here.
    let before = ["lookup", "--public", "203.0.113.7:3000", "--protocol", "tcp", "--at", &at((now - 300) * 1_000), "--json"];
    let answer = parsed(&running.ask(&before));
    assert_eq!(answer["code"], "before-records", "{answer}");
    stream.write_all(line("SESSION_BUILT", 2_049, 0).as_bytes()).unwrap();
    stream.write_all(line("SESSION_TEARDOWN", 2_049, ended).as_bytes()).unwrap();
    wait(&running, "IPVer=4", 3);
    let expect = |when: &str| {
        for (port, second, want) in
            [(2_048, now - 300, "one"), (2_049, now - 300, "one"), (2_048, now - 30, "none"), (2_049, now - 30, "none")]
        {
            let public = format!("203.0.113.7:{port}");
            let asked = ["lookup", "--public", &public, "--protocol", "tcp", "--at", &at(second * 1_000), "--skew", "1s", "--json"];
            let answer = parsed(&running.ask(&asked));
            // After it nobody is proved to have had it: nothing was heard since.
            let got = answer["answer"].as_str().unwrap();
            assert!(got == want || (want == "none" && got == "unknown"), "{when} {port}: {answer}");
            assert_eq!(answer["candidates"].as_array().unwrap().len(), usize::from(want == "one"), "{when} {port}: {answer}");
        }
    };
    expect("live");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    expect("sealed");
    // The creation came after all, and both ends once more.
    stream.write_all(line("SESSION_BUILT", 2_048, 0).as_bytes()).unwrap();
    stream.write_all(line("SESSION_TEARDOWN", 2_048, ended).as_bytes()).unwrap();
    stream.write_all(line("SESSION_TEARDOWN", 2_049, ended).as_bytes()).unwrap();
    wait(&running, "IPVer=4", 6);
    expect("late");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    expect("late and sealed");
}

#[test]
fn a_value_that_cannot_be_fails_a_dialect_test() {
    let dir = tempfile::tempdir().unwrap();
    let (file, samples) = (dir.path().join("nat.toml"), dir.path().join("samples"));
    let rule = "event = \"nat-end\"\nkeys = [\"fw\"]\nsplit = \"]\"\nseparator = \",\"\nwhen = { Event = [\"closed\"] }\n\
                pairs = { inside = \"SrcIP\", inside_port = \"SrcPort\", public = \"NatIP\", public_port = \"NatPort\", protocol = \"Proto\" }\n";
    fs::write(&file, format!("name = \"nat\"\ntitle = \"nat\"\n[[rule]]\n{rule}")).unwrap();
    let line = |inside: &str, port: &str, protocol: &str| {
        format!("<13>Nov 22 10:00:00 h fw: [Event=closed,SrcIP={inside},SrcPort=9,NatIP=203.0.113.5,NatPort={port},Proto={protocol}]\n")
    };
    let all =
        [line("100.64.0.9", "1024", "6"), line("nonsense", "1024", "6"), line("100.64.0.9", "70000", "6"), line("100.64.0.9", "1024", "x")];
    fs::write(&samples, all.concat()).unwrap();
    let tried = weir(&["dialect", "test", file.to_str().unwrap(), samples.to_str().unwrap()]);
    let told = text(&tried);
    assert_eq!(code(&tried), 1);
    for words in [
        "1: nat end session",
        "protocol=\"6\"",
        "2: not understood: inside = \"nonsense\" is no IPv4 or IPv6 address",
        "3: not understood: public_port = \"70000\" is no port",
        "4: not understood: protocol = \"x\" is neither a number nor a protocol",
        "1 of 4 lines understood",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_dialect_is_tried_on_samples() {
    let dir = tempfile::tempdir().unwrap();
    let (file, samples) = (dir.path().join("door.toml"), dir.path().join("samples"));
    fs::write(
        &file,
        "name = \"door\"\ntitle = \"doors\"\n[[rule]]\nevent = \"sign-in\"\nkeys = [\"door\"]\nmatch = \"opened by {account}\"\n",
    )
    .unwrap();
    fs::write(&samples, "<13>Nov 22 10:00:00 h door: opened by carol\n<13>Nov 22 10:00:00 h door: stuck\n").unwrap();
    let (file, samples) = (file.to_str().unwrap(), samples.to_str().unwrap());
    let tried = weir(&["dialect", "test", file, samples]);
    assert_eq!(text(&tried), "1: sign-in account=\"carol\"\n2: not understood\n1 of 2 lines understood\n");
    assert_eq!(code(&tried), 1, "a sample that is not understood is a failure");
    // What a built-in dialect would make of a sample is said as well, also where it would only of a sender that names it.
    fs::write(
        samples,
        "<38>Nov 22 10:00:00 h sshd[1]: Accepted password for carol from 192.0.2.7 port 1024 ssh2\n\
         <134>Nov 22 10:00:00 h relay: NAT-TCP-N: 100.64.0.12:50112 -> 203.0.113.5:1024\n",
    )
    .unwrap();
    let told = text(&weir(&["dialect", "test", file, samples]));
    assert!(told.contains("1: not understood; the built-in dialect linux understands it, and comes first"), "{told}");
    assert!(told.contains("2: not understood; the built-in dialect a10 understands it of a sender whose entry names a10"), "{told}");
    fs::write(file, "name = \"door\"\ntitle = \"doors\"\n[[rule]]\nevent = \"open\"\nmatch = \"{who}\"\n").unwrap();
    let wrong = weir(&["dialect", "test", file, samples]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("rule 1: event \"open\" is not known"), "{wrong:?}");
    assert!(text(&weir(&["dialect", "list"])).contains("huawei"));
    // What cannot be told apart is refused when the file is read.
    for (pattern, why) in [
        ("{account} as {account}", "rule 1: \"{account} as {account}\": the field {account} stands twice"),
        ("{account}{address}", "rule 1: \"{account}{address}\": nothing stands between {account} and {address}"),
    ] {
        fs::write(file, format!("name = \"door\"\ntitle = \"doors\"\n[[rule]]\nevent = \"sign-in\"\nmatch = \"{pattern}\"\n")).unwrap();
        let wrong = weir(&["dialect", "test", file, samples]);
        assert!(code(&wrong) != 0 && String::from_utf8_lossy(&wrong.stderr).contains(why), "{wrong:?}");
    }
    // Nothing to try is no success.
    for nothing in ["", "\n \n"] {
        fs::write(samples, nothing).unwrap();
        let tried = weir(&["dialect", "test", "linux", samples]);
        let said = String::from_utf8_lossy(&tried.stderr).into_owned();
        assert!(code(&tried) == 1 && said.contains("holds no line") && said.contains("one a line"), "{tried:?}");
    }
}

#[test]
fn datagrams_without_a_line_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(&dir.path().join("data"), &[]);
    let (socket, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), running.port("syslog_udp"));
    socket.send_to(b"<13>Nov 22 10:00:00 h door: first", to).unwrap();
    wait(&running, "first", 1);
    for empty in [&b""[..], b"\0\0", b"\n", b"\r\n\0"] {
        socket.send_to(empty, to).unwrap();
    }
    socket.send_to(b"<13>Nov 22 10:00:00 h door: last\n", to).unwrap();
    wait(&running, "last", 1);
    let bad = loop {
        let bad = running.records("malformed");
        if bad.len() >= 4 {
            break bad;
        }
    };
    assert!(bad.len() == 4 && bad.iter().all(|m| m["reason"] == "syslog.empty" && m["source"] != 0), "{bad:?}");
    let sources = parsed(&running.ask(&["sources", "--json"]));
    let own = sources.as_array().unwrap().iter().find(|s| s["kind"] == "syslog").unwrap().clone();
    assert_eq!((&own["messages"], &own["malformed"]), (&2.into(), &4.into()), "{own}");
    assert_eq!(running.stop(), 0);
}
