//! Every setting there is: its path, its shape and its default. The walk over a file, `--set`, `config/full.toml` and the records of
//! configuration changes all go by this one table; a test holds it against the types that the measures read.

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text in quotes.
    Text,
    /// A whole number that is not negative.
    Whole,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A list of tables with these keys.
    Tables(&'static [Key]),
    /// The number of an account of the machine, or `"owner"`.
    Uid,
}

impl Shape {
    /// The shape in words, with an example.
    pub fn words(self) -> &'static str {
        match self {
            Shape::Text => "text in quotes, e.g. \"default\"",
            Shape::Whole => "a whole number without quotes, e.g. 3",
            Shape::Flag => "true or false, without quotes",
            Shape::Texts => "a list of texts, e.g. [\"192.0.2.1\"]",
            Shape::Tables(_) => "a list of tables, each with [[…]] above its keys",
            Shape::Uid => "a number without quotes, e.g. 1000, or \"owner\" for the account the program runs under",
        }
    }
}

/// A key of a table in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// True when it has no default.
    pub required: bool,
}

const fn key(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, required: false }
}

const fn required(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, required: true }
}

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its path.
    pub path: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Its default, as it would be written.
    pub default: &'static str,
}

impl Setting {
    /// The shape in words: of a number of bytes with an example that is one.
    pub fn words(&self) -> &'static str {
        match self.shape {
            Shape::Whole if self.path.ends_with("_bytes") => "a whole number of bytes without quotes, e.g. 8589934592",
            shape => shape.words(),
        }
    }
}

const fn setting(path: &'static str, shape: Shape, default: &'static str) -> Setting {
    Setting { path, shape, default }
}

const REALM: &[Key] = &[required("name", Shape::Text), key("own", Shape::Texts)];

const CLIENT: &[Key] = &[
    key("addresses", Shape::Texts),
    key("secret_file", Shape::Text),
    key("realm", Shape::Text),
    key("require_message_authenticator", Shape::Flag),
    key("interim", Shape::Text),
    key("one_session_per_port", Shape::Flag),
    key("clock", Shape::Text),
];

const DETAIL: &[Key] = &[key("path", Shape::Text), key("realm", Shape::Text), key("delete", Shape::Flag), key("interim", Shape::Text)];

const REMOTE: &[Key] = &[required("from", Shape::Text), required("policy", Shape::Text)];

const EXPORTER: &[Key] = &[
    key("name", Shape::Text),
    key("prefix", Shape::Text),
    key("domain", Shape::Whole),
    key("realm", Shape::Text),
    key("profile", Shape::Text),
    key("clock", Shape::Text),
    key("sequence", Shape::Text),
    key("pools", Shape::Texts),
];

const DEVICE: &[Key] = &[
    key("name", Shape::Text),
    key("prefix", Shape::Text),
    key("realm", Shape::Text),
    key("clock", Shape::Text),
    key("sequence", Shape::Text),
    key("pools", Shape::Texts),
];

const LAYOUT: &[Key] = &[
    key("version", Shape::Whole),
    key("header", Shape::Whole),
    key("count", Shape::Whole),
    key("count_bytes", Shape::Whole),
    key("time", Shape::Whole),
    key("sequence", Shape::Whole),
    key("sequence_bytes", Shape::Whole),
    key("record", Shape::Whole),
    key("protocol", Shape::Whole),
    key("operator", Shape::Whole),
    key("ip_version", Shape::Whole),
    key("address_bytes", Shape::Whole),
    key("inside_address", Shape::Whole),
    key("inside_port", Shape::Whole),
    key("public_address", Shape::Whole),
    key("public_port", Shape::Whole),
    key("remote_address", Shape::Whole),
    key("remote_port", Shape::Whole),
    key("start", Shape::Whole),
    key("end", Shape::Whole),
    key("time_bytes", Shape::Whole),
    key("time_unit", Shape::Text),
];

const SENDER: &[Key] = &[
    key("name", Shape::Text),
    key("addresses", Shape::Texts),
    key("realm", Shape::Text),
    key("zone", Shape::Text),
    key("dialects", Shape::Texts),
    key("clock", Shape::Text),
    key("overload", Shape::Flag),
    key("pools", Shape::Texts),
];

const NAMESPACE: &[Key] = &[key("netns", Shape::Text), key("realm", Shape::Text), key("pools", Shape::Texts)];

const PLAN: &[Key] = &[
    required("device", Shape::Text),
    required("from", Shape::Text),
    key("to", Shape::Text),
    required("realm", Shape::Text),
    required("algorithm", Shape::Text),
    required("inside", Shape::Texts),
    required("public", Shape::Texts),
    key("first_port", Shape::Whole),
    key("last_port", Shape::Whole),
    key("block_size", Shape::Whole),
    key("dynamic", Shape::Whole),
    key("ports_max", Shape::Whole),
];

const APPLICATION: &[Key] = &[
    required("name", Shape::Text),
    required("token_file", Shape::Text),
    key("realm", Shape::Text),
    key("service", Shape::Text),
    key("addresses", Shape::Texts),
];

const PROVIDER: &[Key] = &[
    required("name", Shape::Text),
    key("title", Shape::Text),
    required("issuer", Shape::Text),
    required("client_id", Shape::Text),
    key("client_secret_file", Shape::Text),
];

const UID: &[Key] = &[required("uid", Shape::Uid), required("account", Shape::Text), required("roles", Shape::Texts)];

const LEASES: &[Key] = &[required("path", Shape::Text), required("server", Shape::Text), key("realm", Shape::Text)];

const CAPTURE: &[Key] = &[required("interface", Shape::Text), key("realm", Shape::Text), key("server", Shape::Text)];

/// Every setting, in the order of `config/full.toml`.
pub const SETTINGS: &[Setting] = &[
    setting("unit.origin", Shape::Text, "\"unnamed.invalid\""),
    setting("unit.kinds", Shape::Texts, "[]"),
    setting("store.seal_every", Shape::Text, "\"60s\""),
    setting("store.unit_rows", Shape::Whole, "25165824"),
    setting("store.wal_bytes", Shape::Whole, "8589934592"),
    setting("store.memory_bytes", Shape::Whole, "0"),
    setting("store.sm3", Shape::Flag, "false"),
    setting("measures.radius", Shape::Flag, "true"),
    setting("measures.ipfix", Shape::Flag, "true"),
    setting("measures.syslog", Shape::Flag, "true"),
    setting("measures.conntrack", Shape::Flag, "false"),
    setting("measures.detnat", Shape::Flag, "true"),
    setting("measures.dhcp", Shape::Flag, "true"),
    setting("measures.h3c", Shape::Flag, "true"),
    setting("measures.host", Shape::Flag, "false"),
    setting("measures.events", Shape::Flag, "true"),
    setting("realms", Shape::Tables(REALM), "[]"),
    setting("sources.radius.name", Shape::Text, "\"radius\""),
    setting("sources.radius.listen", Shape::Texts, "[\"127.0.0.1:1813\"]"),
    setting("sources.radius.realm", Shape::Text, "\"default\""),
    setting("sources.radius.sessions_max", Shape::Whole, "200000"),
    setting("sources.radius.missed_interims", Shape::Whole, "3"),
    setting("sources.radius.settle", Shape::Text, "\"10s\""),
    setting("sources.radius.receive_buffer", Shape::Whole, "4194304"),
    setting("sources.radius.clients", Shape::Tables(CLIENT), "[]"),
    setting("sources.radius.detail", Shape::Tables(DETAIL), "[]"),
    setting("sources.ipfix.listen", Shape::Texts, "[\"127.0.0.1:4739\"]"),
    setting("sources.ipfix.listen_tcp", Shape::Texts, "[]"),
    setting("sources.ipfix.accept_unknown", Shape::Flag, "false"),
    setting("sources.ipfix.clock", Shape::Text, "\"measured\""),
    setting("sources.ipfix.receive_buffer", Shape::Whole, "67108864"),
    setting("sources.ipfix.remotes", Shape::Tables(REMOTE), "[]"),
    setting("sources.ipfix.exporters", Shape::Tables(EXPORTER), "[]"),
    setting("sources.syslog.listen", Shape::Texts, "[]"),
    setting("sources.syslog.listen_tcp", Shape::Texts, "[]"),
    setting("sources.syslog.listen_tls", Shape::Texts, "[]"),
    setting("sources.syslog.listen_relp", Shape::Texts, "[]"),
    setting("sources.syslog.realm", Shape::Text, "\"default\""),
    setting("sources.syslog.zone", Shape::Text, "\"+08:00\""),
    setting("sources.syslog.receive_buffer", Shape::Whole, "16777216"),
    setting("sources.syslog.tls_certificate", Shape::Text, "\"\""),
    setting("sources.syslog.tls_key", Shape::Text, "\"\""),
    setting("sources.syslog.tls_clients", Shape::Text, "\"\""),
    setting("sources.syslog.dialects", Shape::Texts, "[]"),
    setting("sources.syslog.lease_time", Shape::Text, "\"24h\""),
    setting("sources.syslog.mapping_time", Shape::Text, "\"24h\""),
    setting("sources.syslog.remotes", Shape::Tables(REMOTE), "[]"),
    setting("sources.syslog.senders", Shape::Tables(SENDER), "[]"),
    setting("sources.conntrack.name", Shape::Text, "\"conntrack\""),
    setting("sources.conntrack.realm", Shape::Text, "\"default\""),
    setting("sources.conntrack.receive_buffer", Shape::Whole, "16777216"),
    setting("sources.conntrack.connections_max", Shape::Whole, "262144"),
    setting("sources.conntrack.reconcile", Shape::Text, "\"5m\""),
    setting("sources.conntrack.remotes", Shape::Tables(REMOTE), "[]"),
    setting("sources.conntrack.namespaces", Shape::Tables(NAMESPACE), "[]"),
    setting("sources.detnat.name", Shape::Text, "\"detnat\""),
    setting("sources.detnat.plans", Shape::Tables(PLAN), "[]"),
    setting("sources.dhcp.name", Shape::Text, "\"dhcp\""),
    setting("sources.dhcp.realm", Shape::Text, "\"default\""),
    setting("sources.dhcp.leases_max", Shape::Whole, "65536"),
    setting("sources.dhcp.files", Shape::Tables(LEASES), "[]"),
    setting("sources.dhcp.capture", Shape::Tables(CAPTURE), "[]"),
    setting("sources.h3c.listen", Shape::Texts, "[]"),
    setting("sources.h3c.receive_buffer", Shape::Whole, "16777216"),
    setting("sources.h3c.remotes", Shape::Tables(REMOTE), "[]"),
    setting("sources.h3c.devices", Shape::Tables(DEVICE), "[]"),
    setting("sources.h3c.layouts", Shape::Tables(LAYOUT), "[]"),
    setting("sources.host.name", Shape::Text, "\"host\""),
    setting("sources.host.realm", Shape::Text, "\"default\""),
    setting("sources.host.journal", Shape::Flag, "true"),
    setting("sources.host.journal_directory", Shape::Text, "\"\""),
    setting("sources.host.audit", Shape::Text, "\"\""),
    setting("sources.events.listen", Shape::Texts, "[]"),
    setting("sources.events.listen_tls", Shape::Texts, "[]"),
    setting("sources.events.realm", Shape::Text, "\"default\""),
    setting("sources.events.tls_certificate", Shape::Text, "\"\""),
    setting("sources.events.tls_key", Shape::Text, "\"\""),
    setting("sources.events.tls_clients", Shape::Text, "\"\""),
    setting("sources.events.applications", Shape::Tables(APPLICATION), "[]"),
    setting("desk.enabled", Shape::Flag, "true"),
    setting("desk.listen", Shape::Texts, "[\"127.0.0.1:8082\"]"),
    setting("desk.url", Shape::Text, "\"\""),
    setting("desk.names", Shape::Texts, "[]"),
    setting("desk.tls", Shape::Text, "\"none\""),
    setting("desk.tls_certificate", Shape::Text, "\"\""),
    setting("desk.tls_key", Shape::Text, "\"\""),
    setting("desk.acme_directory", Shape::Text, "\"https://acme-v02.api.letsencrypt.org/directory\""),
    setting("desk.acme_contact", Shape::Texts, "[]"),
    setting("desk.ca_file", Shape::Text, "\"/etc/ssl/certs/ca-certificates.crt\""),
    setting("desk.session_idle", Shape::Text, "\"30m\""),
    setting("desk.session_max", Shape::Text, "\"12h\""),
    setting("desk.sql_max", Shape::Text, "\"60s\""),
    setting("desk.providers", Shape::Tables(PROVIDER), "[]"),
    setting("desk.uids", Shape::Tables(UID), "[]"),
];

/// The setting at exactly this path.
pub fn setting_at(path: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.path == path)
}

/// The names that may stand directly below this path ("" for the top).
pub fn names_below(path: &str) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for setting in SETTINGS {
        let rest = if path.is_empty() { Some(setting.path) } else { setting.path.strip_prefix(path).and_then(|r| r.strip_prefix('.')) };
        if let Some(name) = rest.and_then(|r| r.split('.').next())
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// The name that was probably meant.
pub fn did_you_mean<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|k| (distance(name, k), *k)).min()?;
    (near.0 <= 1 + name.len() / 4).then_some(near.1)
}

/// Edits (insert, remove, replace, swap neighbours) between two names.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let above = rows.get(i).cloned().unwrap_or_default();
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |r: &[usize], n: usize| r.get(n).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&above, j) + usize::from(x != y)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(rows.get(i - 1).map_or(usize::MAX, |r| at(r, j - 1)) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|r| r.last()).copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_understood() {
        let known = ["listen", "listen_tcp", "clients", "realm"];
        for (name, want) in [
            ("lisen", Some("listen")),
            ("lsiten", Some("listen")),
            ("client", Some("clients")),
            ("listen_tpc", Some("listen_tcp")),
            ("relam", Some("realm")),
            ("secret", None),
            ("x", None),
        ] {
            assert_eq!(did_you_mean(name, &known), want, "{name}");
        }
        assert_eq!(names_below("sources"), ["radius", "ipfix", "syslog", "conntrack", "detnat", "dhcp", "h3c", "host", "events"]);
        assert_eq!(names_below("unit"), ["origin", "kinds"]);
        assert!(names_below("nothing").is_empty());
    }
}
