//! `[desk]`: where people sign in, and which accounts of the machine may use the socket.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use weir_base::time::parse_duration_ms;
use weir_identity::desk::roles::{self, Role};

use super::Problem;
use crate::limits::{SOCKET_UIDS, SQL_MS_MAX, SQL_MS_MIN};

pub use weir_web::settings::Tls as DeskTls;

/// Roles that an account of the socket may have: it cannot confirm, and no administrator for security or audit stands on a line of a file.
pub const SOCKET_ROLES: [Role; 5] = [Role::Operator, Role::SystemAdmin, Role::AuditAdmin, Role::Reviewer, Role::Inspector];

/// `[desk]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskSection {
    /// The desk runs.
    pub enabled: bool,
    /// Addresses.
    pub listen: Vec<String>,
    /// `https://desk.example.cn` where a proxy before it ends TLS.
    pub url: String,
    /// Names under which it is reached.
    pub names: Vec<String>,
    /// `none`, `own`, `files` or `acme`.
    pub tls: String,
    /// Certificate chain of `files`.
    pub tls_certificate: String,
    /// Key of `files`.
    pub tls_key: String,
    /// Directory of `acme`.
    pub acme_directory: String,
    /// Contacts of `acme`.
    pub acme_contact: Vec<String>,
    /// Authorities that OpenID providers and ACME directories are checked against.
    pub ca_file: String,
    /// How long a session lives without use.
    pub session_idle: String,
    /// How long a session lives.
    pub session_max: String,
    /// How long a statement of SQL may run.
    pub sql_max: String,
    /// OpenID providers.
    pub providers: Vec<ProviderSection>,
    /// Accounts of the socket.
    pub uids: Vec<UidSection>,
}

impl Default for DeskSection {
    fn default() -> DeskSection {
        DeskSection {
            enabled: true,
            listen: vec!["127.0.0.1:8082".to_owned()],
            url: String::new(),
            names: Vec::new(),
            tls: "none".to_owned(),
            tls_certificate: String::new(),
            tls_key: String::new(),
            acme_directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            acme_contact: Vec::new(),
            ca_file: "/etc/ssl/certs/ca-certificates.crt".to_owned(),
            session_idle: "30m".to_owned(),
            session_max: "12h".to_owned(),
            sql_max: "60s".to_owned(),
            providers: Vec::new(),
            uids: Vec::new(),
        }
    }
}

/// `[[desk.providers]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSection {
    /// Name in URLs.
    pub name: String,
    /// Title on the button.
    #[serde(default)]
    pub title: String,
    /// Issuer.
    pub issuer: String,
    /// Our id there.
    pub client_id: String,
    /// File with our secret there.
    #[serde(default)]
    pub client_secret_file: String,
}

/// `[[desk.uids]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UidSection {
    /// Number, or `owner`.
    pub uid: UidText,
    /// Name of the account, for people.
    pub account: String,
    /// Its roles.
    pub roles: Vec<String>,
}

/// A number or a word.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum UidText {
    /// Number.
    Number(u32),
    /// `owner`.
    Word(String),
}

/// Which account of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uid {
    /// The one the program runs under.
    Owner,
    /// This one.
    Number(u32),
}

/// `[[desk.uids]]`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UidSettings {
    /// Who.
    pub uid: Uid,
    /// Name of the account.
    pub account: String,
    /// Its roles.
    pub roles: Vec<Role>,
}

/// `[[desk.providers]]`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Name in URLs.
    pub name: String,
    /// Title on the button.
    pub title: String,
    /// Issuer.
    pub issuer: String,
    /// Our id there.
    pub client: String,
    /// File with our secret there; none for a public client.
    pub secret_file: Option<PathBuf>,
}

/// `[desk]`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskSettings {
    /// The desk runs.
    pub enabled: bool,
    /// Addresses.
    pub listen: Vec<SocketAddr>,
    /// Public URL where a proxy stands before it.
    pub url: Option<String>,
    /// Names.
    pub names: Vec<String>,
    /// TLS.
    pub tls: DeskTls,
    /// Authorities.
    pub ca_file: PathBuf,
    /// Milliseconds.
    pub idle_ms: i64,
    /// Milliseconds.
    pub session_ms: i64,
    /// How long a statement of SQL may run, at the desk and on the socket, in milliseconds.
    pub sql_ms: i64,
    /// OpenID providers.
    pub providers: Vec<ProviderSettings>,
    /// Accounts of the socket.
    pub uids: Vec<UidSettings>,
}

/// Checks the section.
pub fn check(section: &DeskSection, problems: &mut Vec<Problem>) -> DeskSettings {
    let mut tell = |path: String, what: String| problems.push(Problem::new(format!("desk.{path}"), what));
    let mut listen = Vec::new();
    for (i, text) in section.listen.iter().enumerate() {
        match text.parse::<SocketAddr>() {
            Ok(at) => listen.push(at),
            Err(_) => tell(format!("listen[{i}]"), format!("{text:?} is not an address with a port: write \"127.0.0.1:8082\"")),
        }
    }
    if section.enabled && section.listen.is_empty() {
        tell("listen".into(), "is empty: name an address, or write enabled = false".into());
    }
    let tls = tls(section, &mut tell);
    if section.enabled && tls == DeskTls::Clear && listen.iter().any(|a| !a.ip().is_loopback()) {
        tell("tls".into(), "is \"none\" while others than this machine are listened to: write \"own\", \"files\" or \"acme\"".into());
    }
    for (i, name) in section.names.iter().enumerate().filter(|(_, n)| !is_name(n)) {
        tell(format!("names[{i}]"), format!("{name:?} is not a name of a machine: write \"desk.example.cn\""));
    }
    let url = Some(section.url.trim_end_matches('/').to_owned()).filter(|u| !u.is_empty());
    if url.as_deref().is_some_and(|u| weir_identity::desk::Origin::parse(u).is_none()) {
        tell("url".into(), "is not an origin: write \"https://desk.example.cn\", without a path".into());
    }
    let mut time = |key: &str, text: &str, least: i64, most: i64, words: &str| match parse_duration_ms(text) {
        Ok(ms) if (least..=most).contains(&ms) => ms,
        _ => {
            tell(key.to_owned(), format!("is out of range: write {words}"));
            least
        }
    };
    let idle_ms = time("session_idle", &section.session_idle, 60_000, 86_400_000, "1m to 24h");
    let session_ms = time("session_max", &section.session_max, 300_000, 604_800_000, "5m to 7d");
    let sql_ms = time("sql_max", &section.sql_max, SQL_MS_MIN, SQL_MS_MAX, "1s to 4m");
    let providers = providers(section, problems);
    let uids = uids(section, problems);
    let (names, ca_file) = (section.names.clone(), PathBuf::from(&section.ca_file));
    DeskSettings { enabled: section.enabled, listen, url, names, tls, ca_file, idle_ms, session_ms, sql_ms, providers, uids }
}

fn is_name(name: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.len() <= 63 && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    name.len() <= 253 && name.split('.').all(part)
}

fn tls(section: &DeskSection, tell: &mut impl FnMut(String, String)) -> DeskTls {
    match section.tls.as_str() {
        "none" => DeskTls::Clear,
        "own" => DeskTls::Own,
        "files" => {
            for (key, value) in [("tls_certificate", &section.tls_certificate), ("tls_key", &section.tls_key)] {
                if value.is_empty() {
                    tell(key.into(), "is missing: name the PEM file".into());
                }
            }
            DeskTls::Files { certificate: PathBuf::from(&section.tls_certificate), key: PathBuf::from(&section.tls_key) }
        }
        "acme" => {
            if section.names.is_empty() {
                tell("names".into(), "is empty: name what the certificate is for".into());
            }
            if !section.acme_directory.starts_with("https://") {
                tell("acme_directory".into(), "is not an https URL: write that of the authority's directory".into());
            }
            DeskTls::Acme { directory: section.acme_directory.clone(), contact: section.acme_contact.clone() }
        }
        other => {
            tell("tls".into(), format!("{other:?} is not a way: write none, own, files or acme"));
            DeskTls::Clear
        }
    }
}

fn providers(section: &DeskSection, problems: &mut Vec<Problem>) -> Vec<ProviderSettings> {
    let mut out: Vec<ProviderSettings> = Vec::new();
    for (i, p) in section.providers.iter().enumerate() {
        let mut tell = |key: &str, what: &str| problems.push(Problem::new(format!("desk.providers[{i}].{key}"), what));
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if p.name.is_empty() || p.name.len() > 32 || !p.name.bytes().all(good) {
            tell("name", "is not a name: write 1 to 32 of a-z 0-9 -");
        } else if out.iter().any(|o| o.name == p.name) {
            tell("name", "stands twice: keep one");
        }
        if !p.issuer.starts_with("https://") {
            tell("issuer", "is not an https URL: write it as the provider's discovery document does");
        }
        if p.client_id.is_empty() {
            tell("client_id", "is empty: write the id that the provider gave");
        }
        let title = if p.title.is_empty() { p.name.clone() } else { p.title.clone() };
        let secret_file = Some(PathBuf::from(&p.client_secret_file)).filter(|f| !f.as_os_str().is_empty());
        out.push(ProviderSettings { name: p.name.clone(), title, issuer: p.issuer.clone(), client: p.client_id.clone(), secret_file });
    }
    out
}

fn uids(section: &DeskSection, problems: &mut Vec<Problem>) -> Vec<UidSettings> {
    let mut out: Vec<UidSettings> = Vec::new();
    if section.uids.len() > SOCKET_UIDS {
        problems.push(Problem::new("desk.uids", format!("{} entries: at most {SOCKET_UIDS} are allowed", section.uids.len())));
    }
    for (i, entry) in section.uids.iter().take(SOCKET_UIDS).enumerate() {
        let mut tell = |key: &str, what: String| problems.push(Problem::new(format!("desk.uids[{i}].{key}"), what));
        let uid = match &entry.uid {
            UidText::Number(n) => Uid::Number(*n),
            UidText::Word(word) => {
                // The walk over the file has said so already where it is another word.
                if word != "owner" {
                    tell("uid", "is no account: write a number, or \"owner\"".into());
                }
                Uid::Owner
            }
        };
        if out.iter().any(|o| o.uid == uid) {
            tell("uid", "stands twice: keep one".into());
        }
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        if entry.account.is_empty() || entry.account.len() > 32 || !entry.account.bytes().all(good) {
            tell("account", "is not a name: write 1 to 32 of a-z 0-9 . _ -".into());
        }
        if entry.roles.is_empty() {
            tell("roles", "is empty: write [\"operator\"]".into());
        }
        let mut held = Vec::new();
        for (j, name) in entry.roles.iter().enumerate() {
            let allowed = || SOCKET_ROLES.iter().map(|r| r.name()).collect::<Vec<_>>().join(", ");
            match name.parse::<Role>() {
                Ok(role) if !SOCKET_ROLES.contains(&role) => tell(
                    &format!("roles[{j}]"),
                    format!("{name} is only for accounts that sign in at the desk: an account of the socket may be {}", allowed()),
                ),
                Ok(role) if held.contains(&role) => tell(&format!("roles[{j}]"), format!("{name} stands twice: keep one")),
                Ok(role) => held.push(role),
                Err(_) => tell(&format!("roles[{j}]"), format!("{name:?} is not a role: write {}", allowed())),
            }
        }
        if held.contains(&Role::AuditAdmin) && held.len() > 1 {
            tell("roles", "audit-admin stands alone: who asks does not read who asked".into());
        }
        if let Some((a, b)) = roles::clash(&held) {
            tell("roles", format!("{a} and {b} never go together: keep one"));
        }
        out.push(UidSettings { uid, account: entry.account.clone(), roles: held });
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::config;

    fn problems(text: &str) -> Vec<String> {
        config::parse(text, &[]).map_or_else(|all| all.iter().map(ToString::to_string).collect(), |_| Vec::new())
    }

    #[test]
    fn accounts_of_the_socket_are_never_who_confirms_and_who_audits_does_nothing_else() {
        let entry = |roles: &str| format!("[[desk.uids]]\nuid = \"owner\"\naccount = \"ops\"\nroles = [{roles}]\n");
        assert!(problems(&entry("\"operator\", \"system-admin\"")).is_empty() && problems(&entry("\"audit-admin\"")).is_empty());
        for (roles, said) in [
            ("\"security-admin\"", "only for accounts that sign in"),
            ("\"audit-admin\", \"operator\"", "audit-admin stands alone"),
            ("\"approver\"", "only for accounts that sign in"),
            ("\"operator\", \"inspector\"", "never go together"),
            ("\"king\"", "is not a role"),
            ("\"operator\", \"operator\"", "stands twice"),
            ("", "is empty"),
        ] {
            let got = problems(&entry(roles));
            assert!(got.iter().any(|p| p.contains(said)), "{roles}: {got:?}");
        }
        let twice = format!("{}{}", entry("\"operator\""), entry("\"operator\""));
        assert!(problems(&twice).iter().any(|p| p.contains("desk.uids[1].uid stands twice")));
        for uid in ["-1", "\"root\"", "4294967296", "true"] {
            let text = format!("[[desk.uids]]\nuid = {uid}\naccount = \"ops\"\nroles = [\"operator\"]\n");
            assert!(problems(&text).iter().any(|p| p.contains("desk.uids[0].uid")), "{uid}: {:?}", problems(&text));
        }
    }

    #[test]
    fn a_desk_that_others_reach_is_protected() {
        for (text, said) in [
            ("listen = [\"0.0.0.0:8082\"]", "desk.tls is \"none\""),
            ("tls = \"ssl\"", "write none, own, files or acme"),
            ("tls = \"files\"", "desk.tls_key is missing"),
            ("tls = \"acme\"", "desk.names is empty"),
            ("listen = []", "desk.listen is empty"),
            ("listen = [\"here\"]", "is not an address with a port"),
            ("url = \"desk\"", "is not an origin"),
            ("names = [\"Desk!\"]", "is not a name of a machine"),
            ("session_idle = \"1s\"", "desk.session_idle is out of range"),
        ] {
            let got = problems(&format!("[desk]\n{text}\n"));
            assert!(got.iter().any(|p| p.contains(said)), "{text}: {got:?}");
        }
        assert!(problems("[desk]\nlisten = [\"0.0.0.0:8443\"]\ntls = \"own\"\n").is_empty());
        assert!(problems("[desk]\nenabled = false\nlisten = []\n").is_empty());
    }
}
