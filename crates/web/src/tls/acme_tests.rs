//! Orders against a real ACME authority, `pebble`, on loopback; the judge of the certificate is openssl.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use weir_base::task::Stop;
use weir_base::time::DAY_MS;
use weir_listen::{Caps, Open, Talk, bind, serve};

use super::*;
use crate::tls::{acceptor, own};

#[path = "../../tests/desk/pebble.rs"]
mod pebble;

use pebble::{free_port, pebble};

const NAME: &str = "desk.example.cn";

/// Says nothing: the handshake is what is looked at.
#[derive(Clone)]
struct Silent;

impl Talk for Silent {
    type Held = ();

    fn enter(&self, _: SocketAddr) -> Option<()> {
        Some(())
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, _: S, _: Open, _: Watcher) {}
}

/// A listener that shows `certificates`, for as long as the flag is not raised.
fn listen(certificates: &Arc<Certificates>) -> (SocketAddr, Stop) {
    let (listener, address) = bind("the test", "127.0.0.1:0".parse().unwrap()).unwrap();
    let (tls, stop) = (acceptor(certificates).unwrap(), Stop::new());
    let raised = stop.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let caps = Caps { connections: 16, handshake: Duration::from_secs(10) };
        runtime.block_on(serve(vec![(listener, Some(tls))], Silent, caps, &raised, || ()));
    });
    (address, stop)
}

/// What openssl says of the certificate that is shown; it must trust it.
fn seen(address: SocketAddr, root: &Path) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-verify_return_error", "-verify_hostname", NAME, "-servername", NAME, "-CAfile"]).arg(root);
    let output = command.args(["-connect", &address.to_string()]).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Verify return code: 0 (ok)"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap().split("-----END").next().unwrap().to_owned()
}

fn now() -> Millis {
    use weir_base::clock::Clock;
    weir_base::clock::SystemClock::new().now()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_certificate_comes_is_kept_and_is_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Arc::new(Certificates::default());
    certificates.show(own::temporary(&[NAME.to_owned()], now()).unwrap());
    let (address, stop) = listen(&certificates);
    let Some(pebble) = pebble(folder.path(), address.port()) else { return };
    let kept = folder.path().join("desk");
    let wanted = Wanted {
        directory: pebble.directory.clone(),
        contact: vec!["mailto:desk@example.cn".to_owned()],
        names: vec![NAME.to_owned()],
        folder: kept.clone(),
    };
    let (client, notices) = (Client::new(&pebble.ca).unwrap(), Notices::default());
    let open = || Acme::open(wanted.clone(), client.clone(), &certificates).unwrap();
    let mut acme = open();
    assert_eq!(acme.due(), Millis(0), "nothing is kept, so it is due at once");
    runtime().block_on(acme.renew(&certificates, &notices, now()));
    assert_eq!(notices.all().len(), 0, "{:?}", notices.all());
    let in_days = acme.due().since(now()) / DAY_MS;
    assert!((58..=60).contains(&in_days), "renewed at two thirds: in {in_days} days");

    let root = folder.path().join("root.pem");
    pebble.root(&root);
    let first = seen(address, &root);
    for name in [ACCOUNT, CERTIFICATE, KEY] {
        assert_eq!(fs::metadata(kept.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }

    // The next start takes it up without asking.
    certificates.show(own::temporary(&[NAME.to_owned()], now()).unwrap());
    let mut again = open();
    assert!(again.due() > now());
    assert_eq!(seen(address, &root), first);

    // Another name is another certificate.
    let other = Wanted { names: vec!["other.example.cn".to_owned()], ..wanted.clone() };
    assert_eq!(Acme::open(other, client.clone(), &Certificates::default()).unwrap().due(), Millis(0));

    // Renewed under the same account; connections get the new one.
    let account = fs::read(kept.join(ACCOUNT)).unwrap();
    runtime().block_on(again.renew(&certificates, &notices, now()));
    assert_eq!(notices.all().len(), 0, "{:?}", notices.all());
    assert_ne!(seen(address, &root), first);
    assert_eq!(fs::read(kept.join(ACCOUNT)).unwrap(), account);

    // The authority goes away: a notice, ever longer waits, and the certificate stays.
    let shown = seen(address, &root);
    drop(pebble);
    for wait in [60_000, 120_000, 240_000] {
        let at = now();
        runtime().block_on(again.renew(&certificates, &notices, at));
        assert_eq!(again.due(), at.plus(wait));
    }
    let told = notices.all();
    assert!(told.len() == 1 && told[0].level == "warning" && told[0].text.en.contains("cannot be reached"), "{told:?}");
    assert_eq!(seen(address, &root), shown);
    stop.raise();
}

#[test]
fn an_authority_that_cannot_reach_the_desk_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Arc::new(Certificates::default());
    // Nobody listens there.
    let Some(pebble) = pebble(folder.path(), free_port()) else { return };
    let wanted =
        Wanted { directory: pebble.directory.clone(), contact: vec![], names: vec![NAME.to_owned()], folder: folder.path().join("desk") };
    let (client, notices) = (Client::new(&pebble.ca).unwrap(), Notices::default());
    let mut acme = Acme::open(wanted, client, &certificates).unwrap();
    runtime().block_on(acme.renew(&certificates, &notices, now()));
    let told = notices.all();
    assert!(told.len() == 1 && told[0].level == "error", "{told:?}");
    assert!(told[0].text.en.contains("refused") || told[0].text.en.contains("connect"), "{told:?}");
    assert!(!folder.path().join("desk").join(CERTIFICATE).exists());
}
