//! Real senders of log lines: rsyslog, syslog-ng, logger; and certificates made by openssl.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// False, with a word about what was not shown, when a program is not installed; with `WEIR_CI=1` a failure. `version` is an option that makes
/// it end at once.
///
/// # Panics
/// With `WEIR_CI=1`, when it is not there.
pub fn have(program: &str, version: &str, what: &str) -> bool {
    let found = Command::new(program).arg(version).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "{program} is not installed, so it is not shown: {what}");
        eprintln!("not shown, because {program} is not installed: {what}");
    }
    found
}

/// The real rsyslogd, until dropped. It takes lines on a socket of its own and forwards them as `actions` say.
pub struct Rsyslog {
    child: Child,
    /// Its socket.
    pub socket: PathBuf,
}

impl Rsyslog {
    /// Starts it in a folder; `global` are further global settings.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(dir: &Path, global: &str, actions: &str) -> Rsyslog {
        let (file, socket) = (dir.join("rsyslog.conf"), dir.join("log.sock"));
        let text = format!(
            "global(workDirectory=\"{dir}\" {global})\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{socket}\" RateLimit.Interval=\"0\")\nmain_queue(queue.workerThreads=\"1\")\n{actions}\n",
            dir = dir.display(),
            socket = socket.display()
        );
        fs::write(&file, text).expect("its configuration");
        let mut command = Command::new("rsyslogd");
        command.arg("-n").arg("-f").arg(&file).arg("-i").arg(dir.join("rsyslog.pid"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("rsyslogd starts");
        let mut rsyslog = Rsyslog { child, socket };
        while !rsyslog.socket.exists() {
            assert!(rsyslog.child.try_wait().expect("its state").is_none(), "rsyslogd ended: is its configuration right?");
        }
        rsyslog
    }

    /// Hands lines to it with the real logger.
    pub fn log(&self, tag: &str, lines: &str) {
        log(&self.socket, tag, lines);
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands lines to a program at its socket with the real logger.
///
/// # Panics
/// When logger fails.
pub fn log(socket: &Path, tag: &str, lines: &str) {
    let mut command = Command::new("logger");
    command.arg("-u").arg(socket).args(["-t", tag, "-p", "auth.info"]).stdin(Stdio::piped());
    let mut child = command.spawn().expect("logger starts");
    child.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("it reads");
    assert!(child.wait().expect("its end").success(), "logger");
}

/// The real syslog-ng, until dropped. It takes lines on a socket of its own and forwards them to `destinations`.
pub struct SyslogNg {
    child: Child,
    /// Its socket.
    pub socket: PathBuf,
}

impl SyslogNg {
    /// Starts it in a folder.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(dir: &Path, destinations: &str) -> SyslogNg {
        let (file, socket) = (dir.join("syslog-ng.conf"), dir.join("log.sock"));
        let text = format!(
            "@version: 3.35\noptions {{ stats-freq(0); time-reopen(1); }};\nsource s_own {{ unix-dgram(\"{}\"); }};\n\
             destination d_weir {{ {destinations} }};\nlog {{ source(s_own); destination(d_weir); }};\n",
            socket.display()
        );
        fs::write(&file, text).expect("its configuration");
        let own = |option: &str, name: &str| format!("--{option}={}", dir.join(name).display());
        let mut command = Command::new("syslog-ng");
        command.args(["--foreground", "--no-caps"]);
        command.args([own("cfgfile", "syslog-ng.conf"), own("persist-file", "persist"), own("pidfile", "pid"), own("control", "ctl")]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("syslog-ng starts");
        let mut ng = SyslogNg { child, socket };
        while !ng.socket.exists() {
            assert!(ng.child.try_wait().expect("its state").is_none(), "syslog-ng ended: is its configuration right?");
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

/// An authority, a server's and a client's certificate for weir.example.org and localhost: `ca`, `server` and `client`, each `.pem` and `.key`.
///
/// # Panics
/// When openssl fails.
pub fn certificates(dir: &Path) {
    let run = |args: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(args.split(' ')).current_dir(dir).stderr(Stdio::null()).stdout(Stdio::null());
        assert!(openssl.status().is_ok_and(|s| s.success()), "openssl {args}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout";
    run(&format!("req -x509 {key} ca.key -out ca.pem -days 30 -subj /CN=authority -addext basicConstraints=critical,CA:TRUE"));
    for name in ["server", "client"] {
        fs::write(dir.join("ext"), "subjectAltName=DNS:weir.example.org,DNS:localhost\nbasicConstraints=CA:FALSE\n").expect("extensions");
        run(&format!("req {key} {name}.key -out {name}.csr -subj /CN=weir.example.org"));
        run(&format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out {name}.pem -extfile ext"));
    }
}
