//! TLS, judged by curl and openssl: the desk's own certificate, certificates from files that are exchanged while it runs, and the refusal to go
//! without on an open address.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use weir_web::Server;
use weir_web::settings::{SYSTEM_CA, Settings, Times, Tls};

use crate::pebble::{free_port, pebble};
use crate::rig::Rig;

/// `curl`, by the desk's name, trusting one certificate.
fn curl(rig: &Rig, trusted: &Path, path: &str) -> (bool, String) {
    let port = rig.address().port();
    let mut command = Command::new("curl");
    command
        .args(["-sS", "--include", "--max-time", "30", "--resolve", &format!("desk.example.cn:{port}:127.0.0.1"), "--cacert"])
        .arg(trusted);
    let output = command.arg(format!("https://desk.example.cn:{port}{path}")).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// What openssl says of a handshake.
fn openssl(rig: &Rig, arguments: &[&str]) -> String {
    let connect = rig.address().to_string();
    let output = Command::new("openssl").args(["s_client", "-connect", &connect]).args(arguments).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_desks_own_certificate_is_trusted_by_who_compared_it() {
    let rig = Rig::with(Tls::Own, Times::default(), |_, _| ());
    let own = rig.folder.path().join("desk/own.pem");
    let (fine, text) = curl(&rig, &own, "/api/v1/session");
    assert!(fine, "{text}");
    let lower = text.to_lowercase();
    assert!(lower.contains("strict-transport-security: max-age=31536000"), "{text}");
    assert!(lower.contains("set-cookie: __host-weir=") && lower.contains("; secure"), "{text}");
    assert!(!curl(&rig, Path::new(SYSTEM_CA), "/").0, "nobody else vouches for it");
    assert!(rig.running.url.starts_with("https://desk.example.cn:"), "{}", rig.running.url);
    let print = Command::new("openssl").args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(&own).output().unwrap();
    assert!(String::from_utf8_lossy(&print.stdout).contains(rig.running.fingerprint.as_ref().unwrap()));

    for version in ["-tls1_2", "-tls1_3"] {
        assert!(openssl(&rig, &[version]).contains("BEGIN CERTIFICATE"), "{version}");
    }
    assert!(!openssl(&rig, &["-tls1_1"]).contains("BEGIN CERTIFICATE"));
    // Nobody asked an authority, so its challenge finds nothing.
    assert!(!openssl(&rig, &["-alpn", "acme-tls/1", "-servername", "desk.example.cn"]).contains("BEGIN CERTIFICATE"));
}

fn write(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (certificate, key) = (folder.join("c.pem"), folder.join("k.pem"));
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    (certificate, key)
}

#[test]
fn new_files_are_taken_up_without_a_restart_and_broken_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = write(folder.path(), "desk.example.cn");
    let tls = Tls::Files { certificate: certificate.clone(), key: key.clone() };
    let rig = Rig::with(tls, Times { files: Duration::from_millis(20), ..Times::default() }, |_, _| ());
    let first = folder.path().join("first.pem");
    fs::copy(&certificate, &first).unwrap();
    assert!(curl(&rig, &first, "/healthz").0);

    write(folder.path(), "desk.example.cn");
    while !curl(&rig, &certificate, "/healthz").0 {
        std::thread::yield_now();
    }
    assert!(!curl(&rig, &first, "/healthz").0, "the old one is not shown any more");

    let second = folder.path().join("second.pem");
    fs::copy(&certificate, &second).unwrap();
    fs::write(&certificate, "broken").unwrap();
    for _ in 0..5 {
        let (fine, text) = curl(&rig, &second, "/healthz");
        assert!(fine, "the one that was good stays: {text}");
    }
}

#[test]
fn a_desk_that_starts_with_nothing_gets_its_certificate_from_an_authority() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(pebble) = pebble(folder.path(), port) else { return };
    let tls = Tls::Acme { directory: pebble.directory.clone(), contact: vec!["mailto:desk@example.cn".into()] };
    let rig = Rig::with(tls, Times::default(), |settings, _| {
        settings.listen = vec![([127, 0, 0, 1], port).into()];
        settings.ca_file = pebble.ca.clone();
    });
    let root = folder.path().join("root.pem");
    pebble.root(&root);
    while !curl(&rig, &root, "/healthz").0 {
        std::thread::yield_now();
    }
    // A challenge is over when the order is.
    assert!(!openssl(&rig, &["-alpn", "acme-tls/1", "-servername", "desk.example.cn"]).contains("BEGIN CERTIFICATE"));
    assert!(rig.folder.path().join("desk/acme.pem").exists());
}

#[test]
fn an_open_address_without_tls_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let settings = |listen: &str, tls| Settings {
        listen: vec![listen.parse().unwrap()],
        tls,
        names: vec![],
        url: None,
        folder: folder.path().into(),
        ca_file: SYSTEM_CA.into(),
        version: String::new(),
        times: Times::default(),
    };
    let said = Server::bind(settings("0.0.0.0:0", Tls::Clear)).unwrap_err();
    assert!(said.contains("without TLS") && said.contains("desk.tls"), "{said}");
    let taken = Server::bind(settings("127.0.0.1:0", Tls::Clear)).unwrap();
    let again = Server::bind(settings(&taken.addresses()[0].to_string(), Tls::Clear)).unwrap_err();
    assert!(again.contains("the desk cannot listen on") && again.contains("another program"), "{again}");
    let missing = Tls::Files { certificate: folder.path().join("no.pem"), key: folder.path().join("no.key") };
    let said: Vec<String> = weir_web::check_files(&settings("0.0.0.0:0", missing)).into_iter().collect();
    assert!(said.len() == 1 && said[0].contains("no.pem"), "{said:?}");
}
