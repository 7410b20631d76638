//! Lines of real programs: rsyslog, syslog-ng and logger over UDP, TCP, TLS and RELP; a connection that is cut again and again.

#[path = "../src/radius/tests/sink.rs"]
mod sink;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sink::{CountingIds, MemorySink};
use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks};
use weir_record::kinds::{Authentication, Maintenance, Malformed, line_flags};
use weir_record::sink::{RecordSink, SubjectIds};
use weir_sources::syslog::config::Config;
use weir_sources::syslog::server::{Needs, Server};

/// False, with a word about what was not shown, when a program is not installed.
fn have(program: &str) -> bool {
    has(program, "-v")
}

/// The same for a program that does something else when it is given `-v`.
fn has(program: &str, version: &str) -> bool {
    let found = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "{program} is not installed");
        eprintln!("not shown, because {program} is not installed");
    }
    found
}

struct Rig {
    sink: Arc<MemorySink>,
    server: Server,
    tasks: Tasks,
}

impl Rig {
    fn start(more: &str) -> Result<Rig, String> {
        let any = "[\"127.0.0.1:0\"]";
        let text = format!("listen = {any}\nlisten_tcp = {any}\nlisten_relp = {any}\n{more}");
        let settings = toml::from_str::<Config>(&text).unwrap().check().unwrap();
        let (sink, tasks) = (MemorySink::new(), Tasks::new(Stop::new(), |ended| assert!(ended.panic.is_none(), "{ended:?}")));
        let (to, ids): (Arc<dyn RecordSink>, Arc<dyn SubjectIds>) = (sink.clone(), CountingIds::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let server = Server::start(settings, &Needs { sink: &to, ids: &ids, clock: &clock, key: None, tasks: &tasks })?;
        Ok(Rig { sink, server, tasks })
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.tasks.stop().raise();
        self.tasks.join();
    }
}

/// The real rsyslogd, until dropped. It takes lines on a socket of its own and forwards them as `actions` say.
struct Rsyslog {
    child: Child,
    socket: PathBuf,
}

impl Rsyslog {
    fn start(dir: &Path, global: &str, actions: &str) -> Rsyslog {
        let (file, socket) = (dir.join("rsyslog.conf"), dir.join("log.sock"));
        let text = format!(
            "global(workDirectory=\"{dir}\" {global})\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{socket}\" RateLimit.Interval=\"0\")\nmain_queue(queue.workerThreads=\"1\")\n{actions}\n",
            dir = dir.display(),
            socket = socket.display()
        );
        fs::write(&file, text).unwrap();
        let child = Command::new("rsyslogd")
            .args(["-n", "-f", file.to_str().unwrap(), "-i", dir.join("rsyslog.pid").to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut rsyslog = Rsyslog { child, socket };
        while !rsyslog.socket.exists() {
            assert!(rsyslog.child.try_wait().unwrap().is_none(), "rsyslogd ended: is its configuration right?");
        }
        rsyslog
    }

    /// Hands lines to it with the real logger.
    fn log(&self, tag: &str, lines: &str) {
        log(&self.socket, tag, lines);
    }
}

/// Hands lines to a program at its socket with the real logger.
fn log(socket: &Path, tag: &str, lines: &str) {
    let mut child =
        Command::new("logger").args(["-u", socket.to_str().unwrap(), "-t", tag, "-p", "auth.info"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The real syslog-ng, until dropped. It takes lines on a socket of its own and forwards them to `destinations`.
struct SyslogNg {
    child: Child,
    socket: PathBuf,
}

impl SyslogNg {
    fn start(dir: &Path, destinations: &str) -> SyslogNg {
        let (file, socket) = (dir.join("syslog-ng.conf"), dir.join("log.sock"));
        let text = format!(
            "@version: 3.35\noptions {{ stats-freq(0); time-reopen(1); }};\nsource s_own {{ unix-dgram(\"{}\"); }};\n\
             destination d_weir {{ {destinations} }};\nlog {{ source(s_own); destination(d_weir); }};\n",
            socket.display()
        );
        fs::write(&file, text).unwrap();
        let own = |option: &str, name: &str| format!("--{option}={}", dir.join(name).display());
        let child = Command::new("syslog-ng")
            .args(["--foreground", "--no-caps"])
            .args([own("cfgfile", "syslog-ng.conf"), own("persist-file", "persist"), own("pidfile", "pid"), own("control", "ctl")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ng = SyslogNg { child, socket };
        while !ng.socket.exists() {
            assert!(ng.child.try_wait().unwrap().is_none(), "syslog-ng ended: is its configuration right?");
        }
        ng
    }
}

impl Drop for SyslogNg {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn syslog_ng_over_udp_and_tcp() {
    if !has("syslog-ng", "--version") || !have("logger") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::start("").unwrap();
    let (udp, tcp) = (rig.server.udp[0].port(), rig.server.tcp[0].port());
    // RFC 3164 over UDP and with newlines over TCP, RFC 5424 over UDP and with octet counting over TCP.
    let destinations = format!(
        "network(\"127.0.0.1\" port({udp}) transport(\"udp\") persist-name(\"a\")); \
         network(\"127.0.0.1\" port({tcp}) transport(\"tcp\") persist-name(\"b\")); \
         syslog(\"127.0.0.1\" port({udp}) transport(\"udp\") persist-name(\"c\")); \
         syslog(\"127.0.0.1\" port({tcp}) transport(\"tcp\") persist-name(\"d\"));"
    );
    let ng = SyslogNg::start(dir.path(), &destinations);
    log(&ng.socket, "sshd", "Accepted password for alice from 192.0.2.7 port 50112 ssh2\n");
    for row in rig.sink.wait_rows::<Maintenance>(4) {
        assert_eq!(row.line, "Accepted password for <USER1> from <ADDR1> port 50112 ssh2");
        assert_eq!((row.app.as_deref(), row.event.as_deref(), row.facility, row.severity), (Some("sshd"), Some("sign-in"), 4, 6));
        assert_eq!(row.flags & line_flags::ARRIVAL, 0);
    }
    assert_eq!(rig.sink.rows::<Authentication>().len(), 4);
}

#[test]
fn syslog_ng_over_tls_with_a_client_certificate() {
    if !has("syslog-ng", "--version") || !have("logger") || !have("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    fs::set_permissions(file("server.key"), PermissionsExt::from_mode(0o600)).unwrap();
    let rig = Rig::start(&format!(
        "listen_tls = [\"127.0.0.1:0\"]\ntls_certificate = {:?}\ntls_key = {:?}\ntls_clients = {:?}\n",
        file("server.pem"),
        file("server.key"),
        file("ca.pem")
    ))
    .unwrap();
    let destination = format!(
        "syslog(\"localhost\" port({}) ip-protocol(4) transport(\"tls\") tls(ca-file(\"{}\") cert-file(\"{}\") key-file(\"{}\") \
         peer-verify(required-trusted)));",
        rig.server.tls[0].port(),
        file("ca.pem"),
        file("client.pem"),
        file("client.key")
    );
    let ng = SyslogNg::start(dir.path(), &destination);
    let many: String = (0..500).map(|i| format!("over tls {i}\n")).collect();
    log(&ng.socket, "app", &many);
    let mut seen: Vec<String> = rig.sink.wait_rows::<Maintenance>(500).into_iter().map(|l| l.line).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 500);
}

#[test]
fn rsyslog_over_udp_tcp_and_relp() {
    if !have("rsyslogd") || !have("logger") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::start("").unwrap();
    let modern = "TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"";
    let actions = format!(
        "module(load=\"omrelp\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{udp}\" protocol=\"udp\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tcp}\" protocol=\"tcp\" {modern})\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tcp}\" protocol=\"tcp\" TCP_Framing=\"traditional\")\n\
         action(type=\"omrelp\" target=\"127.0.0.1\" port=\"{relp}\")",
        udp = rig.server.udp[0].port(),
        tcp = rig.server.tcp[0].port(),
        relp = rig.server.relp[0].port()
    );
    let rsyslog = Rsyslog::start(dir.path(), "", &actions);
    rsyslog.log("sshd", "Accepted password for alice from 192.0.2.7 port 50112 ssh2\n");
    // Once over each way.
    for row in rig.sink.wait_rows::<Maintenance>(4) {
        assert_eq!(row.line, "Accepted password for <USER1> from <ADDR1> port 50112 ssh2");
        assert_eq!((row.app.as_deref(), row.event.as_deref(), row.facility, row.severity), (Some("sshd"), Some("sign-in"), 4, 6));
        assert_eq!(row.flags & line_flags::ARRIVAL, 0);
    }
    assert_eq!(rig.sink.rows::<Authentication>().len(), 4);
}

#[test]
fn logger_speaks_every_form() {
    if !have("logger") {
        return;
    }
    let rig = Rig::start("").unwrap();
    let (udp, tcp) = (rig.server.udp[0].port().to_string(), rig.server.tcp[0].port().to_string());
    let ways: [&[&str]; 4] = [
        &["-d", "-P", &udp, "--rfc3164"],
        &["-d", "-P", &udp, "--rfc5424"],
        &["-T", "-P", &tcp, "--rfc5424", "--octet-count"],
        &["-T", "-P", &tcp, "--rfc3164"],
    ];
    for way in ways {
        let done = Command::new("logger")
            .args(["-n", "127.0.0.1", "-t", "app", "-p", "user.notice"])
            .args(way)
            .arg("用户=李四 logged 甲")
            .status();
        assert!(done.unwrap().success(), "{way:?}");
    }
    for row in rig.sink.wait_rows::<Maintenance>(4) {
        assert_eq!((row.line.as_str(), row.app.as_deref()), ("用户=<USER1> logged 甲", Some("app")));
        assert_eq!((row.facility, row.severity), (1, 5));
    }
}

/// An authority, a server's and a client's certificate, made by the real openssl.
fn certificates(dir: &Path) {
    let run = |args: &str| {
        let done = Command::new("openssl").args(args.split(' ')).current_dir(dir).stderr(Stdio::null()).stdout(Stdio::null()).status();
        assert!(done.unwrap().success(), "openssl {args}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout";
    run(&format!("req -x509 {key} ca.key -out ca.pem -days 30 -subj /CN=authority -addext basicConstraints=critical,CA:TRUE"));
    for name in ["server", "client"] {
        fs::write(dir.join("ext"), "subjectAltName=DNS:weir.example.org,DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
        run(&format!("req {key} {name}.key -out {name}.csr -subj /CN=weir.example.org"));
        run(&format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out {name}.pem -extfile ext"));
    }
}

#[test]
fn rsyslog_over_tls_with_and_without_a_client_certificate() {
    if !have("rsyslogd") || !have("logger") || !have("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let tls = format!("listen_tls = [\"127.0.0.1:0\"]\ntls_certificate = {:?}\ntls_key = {:?}\n", file("server.pem"), file("server.key"));
    let mode = |m: u32| fs::set_permissions(file("server.key"), PermissionsExt::from_mode(m)).unwrap();
    // A key that others could read is refused, with the command that mends it.
    mode(0o644);
    assert!(Rig::start(&tls).err().unwrap().contains("chmod 600"));
    mode(0o600);
    for wants_certificate in [false, true] {
        let clients = if wants_certificate { format!("tls_clients = {:?}\n", file("ca.pem")) } else { String::new() };
        let rig = Rig::start(&format!("{tls}{clients}")).unwrap();
        let own = dir.path().join(format!("rsyslog-{wants_certificate}"));
        fs::create_dir(&own).unwrap();
        let certificate =
            format!("DefaultNetstreamDriverCertFile=\"{}\" DefaultNetstreamDriverKeyFile=\"{}\"", file("client.pem"), file("client.key"));
        let global = format!(
            "DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{}\" {}",
            file("ca.pem"),
            if wants_certificate { certificate.as_str() } else { "" }
        );
        let action = format!(
            "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{}\" protocol=\"tcp\" TCP_Framing=\"octet-counted\" StreamDriver=\"gtls\" \
             StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/name\" StreamDriverPermittedPeers=\"weir.example.org\" \
             template=\"RSYSLOG_SyslogProtocol23Format\" queue.type=\"LinkedList\" action.resumeRetryCount=\"-1\")",
            rig.server.tls[0].port()
        );
        let rsyslog = Rsyslog::start(&own, &global, &action);
        let many: String = (0..500).map(|i| format!("over tls {i}\n")).collect();
        rsyslog.log("app", &many);
        let mut seen: Vec<String> = rig.sink.wait_rows::<Maintenance>(500).into_iter().map(|l| l.line).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 500);
        if wants_certificate {
            // Without one nobody gets in, and it is told.
            let client = Command::new("openssl")
                .args(["s_client", "-quiet", "-connect", &rig.server.tls[0].to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            assert!(client.is_ok());
            assert_eq!(rig.sink.wait_rows::<Malformed>(1)[0].reason, "syslog.tls");
        }
    }
}

/// Stands between a sender and the program, and cuts the connection after so many bytes, again and again.
struct Cutter {
    address: SocketAddr,
    cuts: Arc<AtomicUsize>,
    calm: Arc<AtomicBool>,
}

impl Cutter {
    fn start(to: SocketAddr, after: usize) -> Cutter {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cutter = Cutter { address: listener.local_addr().unwrap(), cuts: Arc::default(), calm: Arc::default() };
        let (cuts, calm) = (cutter.cuts.clone(), cutter.calm.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(to) else { continue };
                let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let back = std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from_server, &mut to_client);
                    let _ = to_client.shutdown(Shutdown::Both);
                });
                let (mut client, mut server) = (client, server);
                let (mut passed, mut chunk) = (0, [0; 997]);
                while let Ok(n @ 1..) = client.read(&mut chunk) {
                    passed += n;
                    if server.write_all(&chunk[..n]).is_err() {
                        break;
                    }
                    if passed > after && !calm.load(Ordering::SeqCst) {
                        cuts.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                }
                // Answers on their way to the client are lost, as when a cable is pulled.
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
                let _ = back.join();
            }
        });
        cutter
    }
}

fn relp_through(dir: &Path, cutter: &Cutter) -> Rsyslog {
    let action = format!(
        "module(load=\"omrelp\")\naction(type=\"omrelp\" target=\"127.0.0.1\" port=\"{}\" queue.type=\"LinkedList\" queue.size=\"100000\" \
         action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\")",
        cutter.address.port()
    );
    Rsyslog::start(dir, "", &action)
}

#[test]
fn a_cut_connection_loses_no_line_and_marks_what_came_again() {
    if !have("rsyslogd") || !have("logger") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::start("").unwrap();
    let cutter = Cutter::start(rig.server.relp[0], 40_000);
    let rsyslog = relp_through(dir.path(), &cutter);
    let n = 3_000;
    let many: String = (0..n).map(|i| format!("number {i}\n")).collect();
    rsyslog.log("app", &many);
    while cutter.cuts.load(Ordering::SeqCst) < 2 {}
    cutter.calm.store(true, Ordering::SeqCst);
    let numbers = || {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        rig.sink.rows::<Maintenance>().into_iter().for_each(|l| *seen.entry(l.line).or_default() += 1);
        seen
    };
    while numbers().len() < n {}
    let extra: usize = numbers().values().map(|times| times - 1).sum();
    let marked = rig.sink.rows::<Maintenance>().iter().filter(|l| l.flags & line_flags::PERHAPS_DOUBLE != 0).count();
    assert_eq!(extra, marked, "what came again is marked, and nothing else is");
}
