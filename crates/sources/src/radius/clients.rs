//! Who may send here: clients by address prefix, each with its secret. The longest prefix that holds the sender wins.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_base::net::{Addr16, Prefix};

use super::auth::SharedSecret;
use super::config::Config;
use super::limits::{CLIENTS_MAX, SECRET_MAX_BYTES};

/// What a source knows of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Senders it stands for.
    pub prefix: Prefix,
    /// The shared secret.
    pub secret: SharedSecret,
    /// Realm of the NASes it speaks for.
    pub realm: String,
    /// Refuse packets without Message-Authenticator.
    pub require_message_authenticator: bool,
    /// Rhythm of interim updates in milliseconds where no message names it; 0 for none.
    pub interim_ms: i64,
    /// One session a NAS port: a Start on a port ends what was open there.
    pub port_is_exclusive: bool,
    /// Trust the NAS clocks instead of measuring them.
    pub trust_clock: bool,
}

/// All clients of a source.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    /// Longest prefixes first.
    sorted: Vec<Arc<Client>>,
}

impl Clients {
    /// Clients in any order.
    pub fn new(clients: Vec<Client>) -> Clients {
        let mut sorted: Vec<_> = clients.into_iter().map(Arc::new).collect();
        sorted.sort_by(|a, b| b.prefix.bits.cmp(&a.prefix.bits).then(a.prefix.cmp(&b.prefix)));
        Clients { sorted }
    }

    /// The client a sender belongs to.
    pub fn find(&self, sender: Addr16) -> Option<&Arc<Client>> {
        // Within one length prefixes are sorted, so each length costs one binary search.
        let mut rest = self.sorted.as_slice();
        while let Some(first) = rest.first() {
            let bits = first.prefix.bits;
            let (same, shorter) = rest.split_at(rest.partition_point(|c| c.prefix.bits == bits));
            let wanted = Prefix::new(sender, bits);
            if let Ok(at) = same.binary_search_by(|c| c.prefix.cmp(&wanted)) {
                return same.get(at);
            }
            rest = shorter;
        }
        None
    }
}

/// Reads a secret file: its bytes without trailing line ends.
///
/// # Errors
/// What is wrong and what to do: the file is missing, others may read it (its mode must be 0600 or 0400), it is empty or too long.
pub fn read_secret(path: &Path) -> Result<SharedSecret, String> {
    let shown = path.display();
    let mut file = File::open(path).map_err(|e| format!("secret file {shown} cannot be read ({e}): create it with mode 0600"))?;
    let meta = file.metadata().map_err(|e| format!("secret file {shown} cannot be looked at: {e}"))?;
    if !meta.is_file() {
        return Err(format!("secret file {shown} is not a file: name a file that holds the secret and nothing else"));
    }
    let mode = meta.permissions().mode() & 0o7777;
    if !matches!(mode, 0o600 | 0o400) {
        return Err(format!("secret file {shown} has mode {mode:04o}, so others could read it: run `chmod 600 {shown}`"));
    }
    let mut bytes = Vec::new();
    let limit = SECRET_MAX_BYTES as u64 + 2;
    file.by_ref().take(limit).read_to_end(&mut bytes).map_err(|e| format!("secret file {shown} cannot be read: {e}"))?;
    while let Some(b'\n' | b'\r') = bytes.last() {
        bytes.pop();
    }
    match bytes.len() {
        0 => Err(format!("secret file {shown} is empty: write the shared secret into it")),
        n if n > SECRET_MAX_BYTES => {
            Err(format!("secret file {shown} is longer than {SECRET_MAX_BYTES} bytes: it must hold the secret only"))
        }
        _ => Ok(SharedSecret::new(&bytes)),
    }
}

/// What is wrong with the secret files that a configuration names, each sentence with the path of its setting before it.
pub fn check_files(config: &Config) -> Vec<String> {
    let named = config.clients.iter().take(CLIENTS_MAX).enumerate().filter_map(|(i, c)| Some((i, c.secret_file.as_ref()?)));
    let wrong =
        |(i, file): (usize, &PathBuf)| read_secret(file).err().map(|what| format!("sources.radius.clients[{i}].secret_file {what}"));
    named.filter(|(_, file)| !file.as_os_str().is_empty()).filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn client(prefix: &str) -> Client {
        Client {
            prefix: prefix.parse().unwrap(),
            secret: SharedSecret::new(prefix.as_bytes()),
            realm: "r".into(),
            require_message_authenticator: false,
            interim_ms: 0,
            port_is_exclusive: false,
            trust_clock: false,
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        let all = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "10.2.0.0/16", "2001:db8::/32", "2001:db8::1/128"];
        let clients = Clients::new(all.iter().map(|p| client(p)).collect());
        for (sender, want) in [
            ("10.1.2.3", Some("10.1.2.3/32")),
            ("10.1.2.4", Some("10.1.0.0/16")),
            ("10.2.9.9", Some("10.2.0.0/16")),
            ("10.9.9.9", Some("10.0.0.0/8")),
            ("192.0.2.1", Some("0.0.0.0/0")),
            ("2001:db8::1", Some("2001:db8::1/128")),
            ("2001:db8::2", Some("2001:db8::/32")),
            ("2001:db9::2", None),
        ] {
            let got = clients.find(sender.parse().unwrap()).map(|c| c.prefix.to_string());
            assert_eq!(got.as_deref(), want, "{sender}");
        }
    }

    #[test]
    fn secret_files_must_be_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        for (text, mode, want) in [
            ("testing123\n", 0o600, Ok(SharedSecret::new(b"testing123"))),
            ("testing123\r\n\n", 0o400, Ok(SharedSecret::new(b"testing123"))),
            (" spaces stay ", 0o600, Ok(SharedSecret::new(b" spaces stay "))),
            ("x", 0o640, Err("chmod 600")),
            ("x", 0o604, Err("chmod 600")),
            ("x", 0o700, Err("chmod 600")),
            ("\n", 0o600, Err("empty")),
            (&"x".repeat(SECRET_MAX_BYTES + 1), 0o600, Err("longer")),
        ] {
            let _ = fs::remove_file(&path);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match (read_secret(&path), want) {
                (Ok(got), Ok(want)) => assert!(got == want),
                (Err(got), Err(want)) => {
                    assert!(got.contains(want), "{got}");
                    assert!(!got.contains("testing123"));
                }
                (got, want) => panic!("mode {mode:o}: {got:?}, expected {want:?}"),
            }
        }
        assert!(read_secret(&dir.path().join("none")).unwrap_err().contains("0600"));
        assert!(read_secret(dir.path()).unwrap_err().contains("not a file"));
        assert_eq!(format!("{:?}", SharedSecret::new(b"hidden")), "SharedSecret(…)");
    }
}
