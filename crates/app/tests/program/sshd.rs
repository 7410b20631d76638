//! A real sshd: a sign-in, a sign-out and a failed sign-in, told by the real rsyslog to the program.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;
use serde_json::Value;
use weir_testkit::peers::{self, Rsyslog};

use crate::common::{Running, code, config, parsed};

const SHOWN: &str = "sign-ins of a real sshd";

/// sshd with a host key, a configuration and a log of its own. As with inetd it is started for each connection, on a port that the kernel chose.
struct Sshd {
    dir: PathBuf,
    listener: TcpListener,
}

impl Sshd {
    fn new(dir: &Path) -> Sshd {
        let file = |name: &str| dir.join(name).display().to_string();
        for name in ["host", "own"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &file(name)]).stdin(Stdio::null()).status();
            assert!(made.unwrap().success());
        }
        fs::copy(file("own.pub"), file("authorized_keys")).unwrap();
        File::create(dir.join("sshd.log")).unwrap();
        let text = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication yes\n\
             KbdInteractiveAuthentication no\nLogLevel INFO\nPidFile none\n",
            file("host"),
            file("authorized_keys")
        );
        fs::write(dir.join("sshd_config"), text).unwrap();
        let asked = "#!/bin/sh\necho not-the-password\n";
        fs::write(dir.join("ask"), asked).unwrap();
        fs::set_permissions(dir.join("ask"), fs::Permissions::from_mode(0o755)).unwrap();
        Sshd { dir: dir.to_owned(), listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    /// Serves one connection.
    fn serve(&self, stream: TcpStream) -> Child {
        let place = fs::canonicalize("/usr/sbin/sshd").unwrap();
        let run = format!("exec {} -i -f {} -E {}", place.display(), self.file("sshd_config"), self.file("sshd.log"));
        let mut command = if geteuid().is_root() {
            // As root it wants a folder under /run, which it gets in a mount namespace of its own.
            let mut command = Command::new("unshare");
            command.args(["-m", "sh", "-c", &format!("mount -t tmpfs none /run && mkdir -m 755 /run/sshd && {run}")]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", &run]);
            command
        };
        let (input, output) = (OwnedFd::from(stream.try_clone().unwrap()), OwnedFd::from(stream));
        command.stdin(input).stdout(output).stderr(Stdio::null()).spawn().unwrap()
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// The real client with these arguments; gives the port it came from, and whether it got in.
    fn client(&self, account: &str, more: &[&str]) -> (u16, bool) {
        let port = self.listener.local_addr().unwrap().port().to_string();
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-p", &port, "-l", account, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
        command.args(["-o", "NumberOfPasswordPrompts=1"]).args(more).args(["127.0.0.1", "true"]);
        command.env("SSH_ASKPASS", self.dir.join("ask")).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", "none");
        let mut client = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (stream, peer) = self.listener.accept().unwrap();
        let mut server = self.serve(stream);
        let inside = client.wait().unwrap().success();
        server.wait().unwrap();
        (peer.port(), inside)
    }
}

fn me() -> String {
    let said = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_real_sshd_tells_of_sign_ins_failures_and_sign_outs() {
    let programs = [("/usr/sbin/sshd", "-V"), ("ssh", "-V"), ("ssh-keygen", "-?"), ("rsyslogd", "-v")];
    if !programs.iter().all(|(program, version)| peers::have(program, version, SHOWN)) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let listen = ["sources.syslog.listen_tcp=127.0.0.1:0"];
    let running = Running::start(&dir.path().join("data"), &config("minimal.toml"), &listen);
    let sshd = Sshd::new(dir.path());
    let actions = format!(
        "module(load=\"imfile\")\ninput(type=\"imfile\" File=\"{}\" Tag=\"sshd:\" Facility=\"auth\" Severity=\"info\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{}\" protocol=\"tcp\" TCP_Framing=\"octet-counted\" \
         template=\"RSYSLOG_SyslogProtocol23Format\")",
        sshd.file("sshd.log"),
        running.port("syslog_tcp").port()
    );
    let _rsyslog = Rsyslog::start(dir.path(), "", &actions);
    let account = me();
    let (good, inside) = sshd.client(&account, &["-o", "BatchMode=yes", "-i", &sshd.file("own")]);
    assert!(inside, "{}", fs::read_to_string(sshd.file("sshd.log")).unwrap());
    let (bad, inside) = sshd.client("nobody-of-this-name", &["-o", "PubkeyAuthentication=no"]);
    assert!(!inside);
    let all = || -> Vec<Value> {
        let answer = running.ask(&["records", "--kind", "authentication", "--json"]);
        assert_eq!(code(&answer), 0, "{}", String::from_utf8_lossy(&answer.stderr));
        parsed(&answer).as_array().unwrap().iter().filter(|r| !r["address"].is_null()).cloned().collect()
    };
    let of = |rows: &[Value], action: u64, port: u16| rows.iter().find(|r| r["action"] == action && r["port"] == port).cloned();
    // Signed in and out from one port, failed from another. An id is the same within one answer, so all are taken from one.
    let (rows, (signed_in, signed_out, failed)) = loop {
        let rows = all();
        let three = (of(&rows, 1, good), of(&rows, 2, good), of(&rows, 3, bad));
        if let (Some(signed_in), Some(signed_out), Some(failed)) = three {
            break (rows, (signed_in, signed_out, failed));
        }
    };
    assert_eq!(signed_in["method"], "publickey", "{signed_in}");
    assert_eq!((&signed_in["account"], &signed_in["service"]), (&signed_out["account"], &"sshd".into()));
    assert_ne!(failed["account"], signed_in["account"], "{failed}");
    assert_eq!((&failed["address"], &signed_out["address"]), (&signed_in["address"], &signed_in["address"]));
    assert!(of(&rows, 1, bad).is_none() && of(&rows, 3, good).is_none(), "nobody is taken for another");
    let shown = serde_json::to_string(&[signed_in, signed_out, failed]).unwrap();
    assert!(!shown.contains("nobody-of-this-name") && !shown.contains("127.0.0.1"), "a view names nobody: {shown}");
    assert_eq!(running.stop(), 0);
}
