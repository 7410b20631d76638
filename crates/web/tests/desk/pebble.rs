//! A real ACME authority, `pebble`, on loopback. Names are answered by a few lines of DNS here.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::generate_simple_self_signed;

/// Days that its certificates hold.
const DAYS: i64 = 90;

/// A name server that says 127.0.0.1 to every question for an address, until the test ends.
pub fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buf = [0_u8; 1_500];
        while let Ok((n, from)) = socket.recv_from(&mut buf) {
            let end = 12 + buf[12..n].iter().position(|b| *b == 0).unwrap() + 5;
            let is_a = buf[end - 4..end - 2] == [0, 1];
            let mut answer = buf[..end].to_vec();
            answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            socket.send_to(&answer, from).unwrap();
        }
    });
    address
}

/// It runs until it is dropped.
pub struct Pebble {
    child: Child,
    /// URL of its directory.
    pub directory: String,
    roots: String,
    /// Who vouches for its own TLS.
    pub ca: PathBuf,
}

impl Pebble {
    /// Writes the certificate that its chains end in.
    pub fn root(&self, to: &Path) {
        let status = Command::new("curl").args(["-sS", "--cacert"]).arg(&self.ca).arg("-o").arg(to).arg(&self.roots).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody has, chosen by the kernel.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts it, or says that it is not there. It connects to `desk_port` for every name.
pub fn pebble(folder: &Path, desk_port: u16) -> Option<Pebble> {
    let own = generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (ca, key, config) = (folder.join("pebble.pem"), folder.join("pebble.key"), folder.join("pebble.json"));
    fs::write(&ca, own.cert.pem()).unwrap();
    fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let (port, management) = (free_port(), free_port());
    let settings = serde_json::json!({"pebble": {
        "listenAddress": format!("127.0.0.1:{port}"), "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": ca, "privateKey": key, "httpPort": 1, "tlsPort": desk_port,
        "ocspResponderURL": "", "externalAccountBindingRequired": false, "certificateValidityPeriod": DAYS * 86_400,
    }});
    fs::write(&config, settings.to_string()).unwrap();
    let mut command = Command::new("pebble");
    command.args(["-strict", "-dnsserver", &name_server().to_string(), "-config"]).arg(&config);
    command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0").env("PEBBLE_AUTHZREUSE", "0");
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = spawned else {
        assert!(std::env::var_os("WEIR_CI").is_none(), "pebble is missing: run scripts/deps");
        eprintln!("not shown: a certificate from a real ACME authority, for pebble is not installed (scripts/deps)");
        return None;
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.by_ref().map(Result::unwrap).find(|l| l.contains("ACME directory available")).expect("pebble starts");
    std::thread::spawn(move || lines.for_each(drop));
    let at = |port, path| format!("https://localhost:{port}/{path}");
    Some(Pebble { child, directory: at(port, "dir"), roots: at(management, "roots/0"), ca })
}
