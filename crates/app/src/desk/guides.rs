//! How to point a device here: commands to copy, with this program's own address and ports filled in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use serde::Deserialize;
use weir_web::model::source::Guide;

use crate::ports::Ports;

/// The table: commands and notes are data.
const TABLE: &str = include_str!("guides.toml");

#[derive(Deserialize)]
struct Table {
    guide: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    kind: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "a test holds the commands against this page"))]
    page: String,
    vendor: String,
    commands: String,
    #[serde(default)]
    extra: String,
    note: String,
    note_zh: String,
}

/// A port in the commands: its mark, where the program listens, and the port of the pages where it does not.
struct Place<'a> {
    mark: &'static str,
    at: &'a [SocketAddr],
    usual: u16,
}

fn places(ports: &Ports) -> [Place<'_>; 8] {
    [
        Place { mark: "%IPFIX%", at: &ports.ipfix_udp, usual: 4739 },
        Place { mark: "%RADIUS%", at: &ports.radius, usual: 1813 },
        Place { mark: "%SYSLOG_UDP%", at: &ports.syslog_udp, usual: 514 },
        Place { mark: "%SYSLOG_TLS%", at: &ports.syslog_tls, usual: 6514 },
        Place { mark: "%RELP%", at: &ports.syslog_relp, usual: 2514 },
        Place { mark: "%H3C%", at: &ports.h3c_udp, usual: 9020 },
        Place { mark: "%EVENTS_TLS%", at: &ports.events_tls, usual: 8443 },
        Place { mark: "%EVENTS%", at: &ports.events, usual: 8480 },
    ]
}

/// Every guide.
pub fn list(ports: &Ports) -> Vec<Guide> {
    let Ok(table) = toml::from_str::<Table>(TABLE) else { return Vec::new() };
    let own = own_address();
    table.guide.into_iter().map(|line| filled(line, ports, own)).collect()
}

fn filled(line: Line, ports: &Ports, own: Option<IpAddr>) -> Guide {
    let (mut commands, mut note, mut note_zh) = (format!("{}{}", line.commands, line.extra), line.note, line.note_zh);
    let mut address = own;
    for place in places(ports) {
        if !commands.contains(place.mark) {
            continue;
        }
        let first = place.at.first();
        commands = commands.replace(place.mark, &first.map_or(place.usual, SocketAddr::port).to_string());
        match first.map(SocketAddr::ip) {
            None => {
                note.push_str(&format!(" Not listened to yet: the port shown is the usual one ({}).", place.usual));
                note_zh.push_str(&format!(" 目前尚未监听：所示为常用端口（{}）。", place.usual));
            }
            Some(ip) if ip.is_loopback() => {
                note.push_str(" Listens on this machine alone now: name an address that the device reaches.");
                note_zh.push_str(" 目前只监听本机：请配置设备可达的地址。");
            }
            Some(ip) if !ip.is_unspecified() => address = Some(ip),
            Some(_) => {}
        }
    }
    let shown = address.map_or_else(|| "192.0.2.53".to_owned(), |ip| ip.to_string());
    if address.is_none() && commands.contains("%ADDRESS%") {
        note.push_str(" Put this machine's address for 192.0.2.53.");
        note_zh.push_str(" 把 192.0.2.53 换成本机地址。");
    }
    Guide {
        kind: line.kind,
        vendor: line.vendor,
        commands: commands.replace("%ADDRESS%", &shown).trim_start_matches('\n').to_owned(),
        note,
        note_zh,
    }
}

/// The address this machine speaks from; nothing is sent to find it out. None without a route.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // The range for documentation: there is nobody, and connecting a datagram socket only looks the route up.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_stands_in_the_pages() {
        let table: Table = toml::from_str(TABLE).unwrap();
        assert!(table.guide.len() >= 20);
        for line in table.guide {
            let path = weir_testkit::package().join("../../docs/sources").join(&line.page);
            let page = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let mut commands = line.commands.clone();
            for place in places(&Ports::default()) {
                commands = commands.replace(place.mark, &place.usual.to_string());
            }
            for command in commands.replace("%ADDRESS%", "192.0.2.53").lines().filter(|l| !l.trim().is_empty()) {
                // A page may say more in the same line.
                assert!(page.lines().any(|l| l.starts_with(command)), "{}: {command:?} is not in {}", line.vendor, line.page);
            }
        }
    }

    #[test]
    fn own_ports_and_addresses_are_filled_in() {
        let at = |text: &str| vec![text.parse().unwrap()];
        let ports =
            Ports { ipfix_udp: at("198.51.100.9:5000"), radius: at("0.0.0.0:1899"), syslog_udp: at("127.0.0.1:5514"), ..Ports::default() };
        let table: Table = toml::from_str(TABLE).unwrap();
        let own = Some("203.0.113.53".parse().unwrap());
        let all: Vec<Guide> = table.guide.into_iter().map(|l| filled(l, &ports, own)).collect();
        let of = |vendor: &str| all.iter().find(|g| g.vendor.contains(vendor)).unwrap_or_else(|| panic!("{vendor}"));
        assert!(of("Juniper MX").commands.contains("destination-address 198.51.100.9 destination-port 5000"));
        assert!(of("FreeRADIUS").commands.contains("ipaddr = 203.0.113.53\n\tport = 1899"));
        assert!(
            of("MikroTik").commands.contains("remote=203.0.113.53 remote-port=5514") && of("MikroTik").note.contains("this machine alone")
        );
        assert!(of("rsyslog").commands.contains("port=\"2514\"") && of("rsyslog").note.contains("Not listened to yet"));
        for guide in &all {
            assert!(!guide.commands.contains('%') && !guide.note.is_empty(), "{}", guide.vendor);
            assert!(guide.note_zh.chars().any(|c| c > '\u{4e00}'), "{}", guide.vendor);
        }
        let kinds: std::collections::BTreeSet<&str> = all.iter().map(|g| g.kind.as_str()).collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["conntrack", "dhcp", "events", "h3c", "ipfix", "radius", "syslog"]);
    }
}
