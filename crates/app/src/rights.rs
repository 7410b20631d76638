//! What stands between a configuration and its sources on this machine: rights the program lacks, and one DHCP server that is heard twice.

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;

use weir_base::net::Addr16;
use weir_sources::dhcp::config::Settings as Dhcp;

use crate::config::Loaded;

/// Where the kernel says which rights this process has.
const STATUS: &str = "/proc/self/status";
/// Ports below this need a right.
const PORTS: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

/// Rights by name, with their numbers (capability.h).
const RIGHTS: [(&str, u32); 4] = [("CAP_NET_BIND_SERVICE", 10), ("CAP_NET_ADMIN", 12), ("CAP_NET_RAW", 13), ("CAP_SYS_ADMIN", 21)];

/// Rights that sources need and this process lacks, with the lines that give them.
pub fn missing(loaded: &Loaded) -> Option<String> {
    let first = fs::read_to_string(PORTS).ok().and_then(|t| t.trim().parse().ok()).unwrap_or(1_024);
    lacking(&needed(loaded, first), effective(&fs::read_to_string(STATUS).ok()?)?)
}

/// The rights that the sources need, each with the keys that need it. Ports from `first` on are free for all.
fn needed(loaded: &Loaded, first: u16) -> BTreeMap<&'static str, Vec<String>> {
    let mut needed: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut need = |right, key: String| needed.entry(right).or_default().push(key);
    for (i, capture) in loaded.settings.dhcp.iter().flat_map(|d| &d.captures).enumerate() {
        need("CAP_NET_RAW", format!("sources.dhcp.capture[{i}] ({})", capture.interface));
    }
    if let Some(conntrack) = &loaded.settings.conntrack {
        need("CAP_NET_ADMIN", "measures.conntrack".to_owned());
        if conntrack.namespaces.iter().any(|n| n.netns.is_some()) {
            need("CAP_SYS_ADMIN", "sources.conntrack.namespaces with netns".to_owned());
        }
    }
    if let Some(syslog) = &loaded.settings.syslog {
        for (key, addresses) in
            [("listen", &syslog.udp), ("listen_tcp", &syslog.tcp), ("listen_tls", &syslog.tls), ("listen_relp", &syslog.relp)]
        {
            for address in addresses.iter().filter(|a| (1..first).contains(&a.port())) {
                need("CAP_NET_BIND_SERVICE", format!("sources.syslog.{key} ({address})"));
            }
        }
    }
    needed
}

/// The effective rights in the text of a process's status.
fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn lacking(needed: &BTreeMap<&'static str, Vec<String>>, has: u64) -> Option<String> {
    let lacks = |name: &str| RIGHTS.iter().any(|(right, bit)| *right == name && has >> bit & 1 == 0);
    let missing: Vec<(&str, String)> = needed.iter().filter(|(name, _)| lacks(name)).map(|(name, keys)| (*name, keys.join(", "))).collect();
    if missing.is_empty() {
        return None;
    }
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    let why: Vec<String> = missing.iter().map(|(name, keys)| format!("{name}, which is needed by {keys}")).collect();
    let all = names.join(" ");
    let lower = names.join(",").to_lowercase();
    Some(format!(
        "whoever runs this lacks {}. If Weir runs so too, these sources stay silent. Where systemd starts it:\n  \
         mkdir -p /etc/systemd/system/weir.service.d\n  \
         printf '[Service]\\nAmbientCapabilities={all}\\n' > /etc/systemd/system/weir.service.d/rights.conf\n  \
         systemctl daemon-reload && systemctl restart weir\n\
         Where it is started by hand:\n  \
         setcap {lower}+ep \"$(command -v weir)\"",
        why.join("; and ")
    ))
}

/// Interfaces and lease files that seem to hear one DHCP server: a lease would be two sessions.
pub fn heard_twice(loaded: &Loaded) -> Vec<String> {
    let own = |address: Addr16| UdpSocket::bind((address.ip(), 0)).is_ok();
    loaded.settings.dhcp.as_ref().map_or_else(Vec::new, |dhcp| twice(dhcp, own))
}

/// `own`: whether an address is one of this machine's, on which the servers of lease files run.
fn twice(dhcp: &Dhcp, own: impl Fn(Addr16) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    for (i, capture) in dhcp.captures.iter().enumerate().filter(|(_, c)| c.server.is_none_or(&own)) {
        // Only IPv4 is captured, and Kea's files say in their names what they hold.
        let v6 = |path: &std::path::Path| path.file_name().is_some_and(|n| n.to_string_lossy().contains("leases6"));
        for (j, file) in dhcp.files.iter().enumerate().filter(|(_, f)| f.realm == capture.realm && !v6(&f.path)) {
            all.push(format!(
                "sources.dhcp.capture[{i}] ({}) and sources.dhcp.files[{j}] ({}) are of one realm: where they tell of one server, each lease becomes two \
                 sessions. Keep the file and leave the interface out; or, where the interface hears another server, name that one's address in its \
                 key server",
                capture.interface,
                file.path.display()
            ));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const TEXT: &str = "[measures]\nconntrack = true\n[sources.syslog]\nlisten = [\"127.0.0.1:514\", \"127.0.0.1:5514\"]\n\
        [[sources.dhcp.capture]]\ninterface = \"eth1\"\n[[sources.dhcp.files]]\npath = \"/var/lib/kea/kea-leases4.csv\"\nserver = \"kea\"\n\
        [[sources.dhcp.files]]\npath = \"/var/lib/kea/kea-leases6.csv\"\nserver = \"kea\"\n";

    #[test]
    fn rights_that_are_missing_are_named_with_the_lines_that_give_them() {
        let loaded = config::parse(TEXT, &[]).unwrap();
        let needed = needed(&loaded, 1_024);
        let names: Vec<&str> = needed.keys().copied().collect();
        assert_eq!(names, ["CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW"]);
        assert_eq!(needed["CAP_NET_BIND_SERVICE"], ["sources.syslog.listen (127.0.0.1:514)"]);
        let told = lacking(&needed, 1 << 10).unwrap();
        assert!(told.contains("CAP_NET_RAW, which is needed by sources.dhcp.capture[0] (eth1)"), "{told}");
        assert!(
            told.contains("AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW\\n") && told.contains("setcap cap_net_admin,cap_net_raw+ep"),
            "{told}"
        );
        assert!(!told.contains("CAP_NET_BIND_SERVICE"), "{told}");
        assert_eq!(lacking(&needed, u64::MAX), None);
        assert_eq!(lacking(&super::needed(&config::parse("", &[]).unwrap(), 1_024), 0), None);
        assert_eq!(effective("Name:\tweir\nCapPrm:\t0000000000000000\nCapEff:\t0000000000003400\n"), Some(0x3400));
        assert_eq!(effective("Name:\tweir\n"), None);
    }

    #[test]
    fn one_server_heard_twice_is_told_of() {
        let dhcp = |more: &str| {
            let text = TEXT.replace("interface = \"eth1\"\n", &format!("interface = \"eth1\"\n{more}"));
            twice(config::parse(&text, &[]).unwrap().settings.dhcp.as_ref().unwrap(), |a| a == Addr16::v4([192, 0, 2, 1]))
        };
        let told = dhcp("");
        assert_eq!(told.len(), 1, "the file of DHCPv6 is no double: {told:?}");
        assert!(told[0].contains("capture[0] (eth1)") && told[0].contains("files[0]"), "{told:?}");
        assert_eq!(dhcp("server = \"192.0.2.1\"\n").len(), 1, "this machine's own server");
        assert!(dhcp("server = \"192.0.2.2\"\n").is_empty() && dhcp("realm = \"other\"\n").is_empty());
    }
}
