//! Which settings may be changed at the desk, and which of them need a second person. The list is closed: a setting that is not in it can be changed
//! on the machine alone, and a test fails until somebody has decided about a new one.
//!
//! Fixed is what names files of this machine (else the desk could make the program read them), what the state on disk belongs to, and who may
//! use the socket. Two persons need what can stop a measure, what decides which records are kept or how an answer is found, and the desk itself.

/// How a setting may be changed at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// By one person.
    One,
    /// With a second person.
    Two,
    /// Not at the desk.
    Fixed,
}

use Rule::{Fixed, One, Two};

const RULES: &[(&str, Rule)] = &[
    ("unit.origin", Fixed),
    ("unit.kinds", Two),
    ("store.seal_every", Two),
    ("store.unit_rows", Two),
    ("store.wal_bytes", Two),
    ("store.memory_bytes", Two),
    ("store.sm3", Two),
    ("measures.radius", Two),
    ("measures.ipfix", Two),
    ("measures.syslog", Two),
    ("measures.conntrack", Two),
    ("measures.detnat", Two),
    ("measures.dhcp", Two),
    ("measures.h3c", Two),
    ("measures.host", Two),
    ("measures.events", Two),
    ("realms", Two),
    ("sources.radius.name", Fixed),
    ("sources.radius.listen", Two),
    ("sources.radius.realm", Two),
    ("sources.radius.sessions_max", One),
    ("sources.radius.missed_interims", One),
    ("sources.radius.settle", One),
    ("sources.radius.receive_buffer", One),
    ("sources.radius.clients", Fixed),
    ("sources.radius.detail", Fixed),
    ("sources.ipfix.listen", Two),
    ("sources.ipfix.listen_tcp", Two),
    ("sources.ipfix.accept_unknown", Two),
    ("sources.ipfix.clock", Two),
    ("sources.ipfix.receive_buffer", One),
    ("sources.ipfix.remotes", Two),
    ("sources.ipfix.exporters", Two),
    ("sources.syslog.listen", Two),
    ("sources.syslog.listen_tcp", Two),
    ("sources.syslog.listen_tls", Two),
    ("sources.syslog.listen_relp", Two),
    ("sources.syslog.realm", Two),
    ("sources.syslog.zone", Two),
    ("sources.syslog.receive_buffer", One),
    ("sources.syslog.tls_certificate", Fixed),
    ("sources.syslog.tls_key", Fixed),
    ("sources.syslog.tls_clients", Fixed),
    ("sources.syslog.dialects", Fixed),
    ("sources.syslog.lease_time", One),
    ("sources.syslog.mapping_time", One),
    ("sources.syslog.remotes", Two),
    ("sources.syslog.senders", Two),
    ("sources.conntrack.name", Fixed),
    ("sources.conntrack.realm", Two),
    ("sources.conntrack.receive_buffer", One),
    ("sources.conntrack.connections_max", One),
    ("sources.conntrack.reconcile", One),
    ("sources.conntrack.remotes", Two),
    ("sources.conntrack.namespaces", Fixed),
    ("sources.detnat.name", Fixed),
    ("sources.detnat.plans", Two),
    ("sources.dhcp.name", Fixed),
    ("sources.dhcp.realm", Two),
    ("sources.dhcp.leases_max", One),
    ("sources.dhcp.files", Fixed),
    ("sources.dhcp.capture", Two),
    ("sources.h3c.listen", Two),
    ("sources.h3c.receive_buffer", One),
    ("sources.h3c.remotes", Two),
    ("sources.h3c.devices", Two),
    ("sources.h3c.layouts", Two),
    ("sources.host.name", Fixed),
    ("sources.host.realm", Two),
    ("sources.host.journal", Two),
    ("sources.host.journal_directory", Fixed),
    ("sources.host.audit", Fixed),
    ("sources.events.listen", Two),
    ("sources.events.listen_tls", Two),
    ("sources.events.realm", Two),
    ("sources.events.tls_certificate", Fixed),
    ("sources.events.tls_key", Fixed),
    ("sources.events.tls_clients", Fixed),
    ("sources.events.applications", Fixed),
    ("desk.enabled", Fixed),
    ("desk.listen", Two),
    ("desk.url", Two),
    ("desk.names", Two),
    ("desk.tls", Two),
    ("desk.tls_certificate", Fixed),
    ("desk.tls_key", Fixed),
    ("desk.acme_directory", Two),
    ("desk.acme_contact", Two),
    ("desk.ca_file", Fixed),
    ("desk.session_idle", Two),
    ("desk.session_max", Two),
    ("desk.sql_max", Two),
    ("desk.providers", Fixed),
    ("desk.uids", Fixed),
];

/// The rule of a setting.
pub fn rule(path: &str) -> Rule {
    RULES.iter().find(|(p, _)| *p == path).map_or(Fixed, |(_, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::{SETTINGS, Shape};

    #[test]
    fn every_setting_has_been_decided_about() {
        let decided: Vec<&str> = RULES.iter().map(|(path, _)| *path).collect();
        let all: Vec<&str> = SETTINGS.iter().map(|s| s.path).collect();
        assert_eq!(decided, all);
    }

    #[test]
    fn what_can_stop_a_measure_or_names_a_file_is_never_one_persons() {
        for setting in SETTINGS {
            let (path, rule) = (setting.path, rule(setting.path));
            let last = path.rsplit('.').next().unwrap_or_default();
            let names_file =
                last.starts_with("tls_") || last.ends_with("_file") || matches!(last, "audit" | "journal_directory" | "dialects");
            let in_entries = match setting.shape {
                Shape::Tables(keys) => keys.iter().any(|k| k.name.ends_with("_file") || matches!(k.name, "path" | "netns")),
                _ => false,
            };
            assert!(!(names_file || in_entries) || rule == Fixed, "{path} names a file of this machine");
            let stops =
                path.starts_with("measures.") || last.starts_with("listen") || path.starts_with("store.") || path.starts_with("desk.");
            assert!(!stops || rule != One, "{path} can stop a measure, the store or the desk");
        }
        assert_eq!(rule("no.such.setting"), Fixed);
    }
}
