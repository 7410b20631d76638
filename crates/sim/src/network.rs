//! The network a plan describes: realms, exporters, NAS, pools. Plain data, to be shown, configured against, and played.

use std::net::{Ipv4Addr, Ipv6Addr};

use weir_base::net::{Addr16, Prefix};

use crate::error::SimError;
use crate::plan::{Plan, Profile};

/// Lowest external port a NAT here hands out; the 64,512 ports from here on are 63 blocks of 1,024.
pub const FIRST_PORT: u16 = 1_024;
/// Ports of one block.
pub const BLOCK_PORTS: u16 = 1_024;
/// Blocks of one public address.
pub const BLOCKS_PER_ADDRESS: u32 = 63;

/// What an exporter writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// IPFIX, version 10 (RFC 7011).
    Ipfix,
    /// NetFlow version 9 (RFC 3954).
    Netflow9,
    /// Log lines of a Linux router: ulogd2's conntrack events and dnsmasq's leases, handed on by a local rsyslog over TCP (RFC 5424, RFC 6587).
    Linux,
    /// Session logs of a Huawei USG firewall (SECLOG/6/SESSION_BUILT, SESSION_TEARDOWN) over UDP (RFC 5426): times in whole seconds.
    Usg,
    /// Log lines of a firewall, NAT444 as draft-ietf-behave-syslog-nat-logging describes them, over TCP (RFC 6587).
    Nat444Tcp,
}

impl Protocol {
    /// True for log lines.
    pub fn is_syslog(self) -> bool {
        matches!(self, Protocol::Linux | Protocol::Usg | Protocol::Nat444Tcp)
    }

    /// True where times are in whole seconds: when a mapping began or ended is known to a second.
    pub fn is_in_seconds(self) -> bool {
        self == Protocol::Usg
    }

    /// True where lines go over a connection.
    pub fn is_stream(self) -> bool {
        matches!(self, Protocol::Linux | Protocol::Nat444Tcp)
    }
}

/// What a NAT logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logging {
    /// Each session's create and delete.
    Sessions,
    /// Each port block's allocation and de-allocation.
    Blocks,
}

/// How a NAT gives out external ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortScheme {
    /// Any free port of the subscriber's public address.
    Shared,
    /// As `Shared`, and one port serves several sessions towards different remote ends, as Linux does.
    Overload,
    /// Within the subscriber's own block of 1,024.
    Blocks,
}

/// One realm with its NAS and its NAT, which is an exporter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// The realm's name.
    pub name: &'static str,
    /// The NAS's name (NAS-Identifier).
    pub nas: &'static str,
    /// NAS-IP-Address.
    pub nas_address: Ipv4Addr,
    /// The exporter's name.
    pub exporter: &'static str,
    /// What the exporter writes.
    pub protocol: Protocol,
    /// Observation domain id (IPFIX) or source id (v9).
    pub domain: u32,
    /// What the NAT logs.
    pub logging: Logging,
    /// How the NAT gives out ports.
    pub scheme: PortScheme,
    /// First inside address.
    pub inside: Ipv4Addr,
    /// The NAT's public addresses.
    pub pool: Prefix,
    /// First address of the pool as a number, and how many there are to use.
    pub pool_first: u32,
    /// Public addresses shared by port.
    pub pool_addresses: u32,
    /// First public address of one-to-one bindings (RFC 8158 events 14 and 15), with their number; 0 when there are none.
    pub bound: (u32, u32),
    /// First public address given to subscribers without a NAT, with their number.
    pub plain: (u32, u32),
    /// Prefix of framed and delegated IPv6 prefixes; `None` where there is no IPv6.
    pub ipv6: Option<Prefix>,
    /// True if some subscribers have IPv6 only and go through a NAT64.
    pub nat64: bool,
    /// True where log lines of leases say who is there, and no RADIUS.
    pub leases: bool,
    /// Subscribers.
    pub subscribers: u32,
}

/// All realms of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The realms; exporter and NAS number n belong to realm n.
    pub realms: Vec<Realm>,
}

impl Network {
    /// The network of a plan, which is checked with all its names.
    pub fn of(plan: &Plan) -> Result<Network, SimError> {
        plan.check()?;
        let subs = plan.subscriber_count();
        let realms = match plan.profile {
            Profile::Small => vec![small(plan, subs)],
            Profile::Hotel => vec![hotel(subs)],
            Profile::School => vec![school(0, subs - subs / 4), school(1, subs / 4)],
            Profile::Isp => (0..3u32).map(|i| isp(plan, i, subs / 3 + u32::from(i < subs % 3))).collect(),
        };
        let network = Network { realms };
        network.check_names(plan)?;
        Ok(network)
    }

    fn check_names(&self, plan: &Plan) -> Result<(), SimError> {
        let f = &plan.faults;
        let exporters: Vec<&str> = self.realms.iter().map(|r| r.exporter).collect();
        let nases: Vec<&str> = self.realms.iter().map(|r| r.nas).collect();
        let lists = [
            ("exporter", &exporters, f.clock_offsets.iter().chain(&f.exporter_restarts).collect::<Vec<_>>()),
            ("NAS", &nases, f.nas_reboots.iter().collect()),
        ];
        for (what, known, named) in lists {
            if let Some((name, _)) = named.into_iter().find(|(name, _)| !known.contains(&name.as_str())) {
                return Err(SimError::Plan(format!("no {what} is called {name:?}: this network has {}", known.join(", "))));
            }
        }
        Ok(())
    }
}

fn number(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from(Ipv4Addr::new(a, b, c, d))
}

fn v4_prefix(first: u32, addresses: u32) -> Prefix {
    Prefix::new(Addr16::from(Ipv4Addr::from(first)), 96 + addresses.leading_zeros() as u8 + 1)
}

fn ipv6(realm: u16) -> Prefix {
    Prefix::new(Addr16::from(Ipv6Addr::new(0x2001, 0xdb8, realm << 12, 0, 0, 0, 0, 0)), 36)
}

fn small(plan: &Plan, subscribers: u32) -> Realm {
    let first = number(198, 18, 0, 0);
    let bound = if plan.bindings { 2 } else { 0 };
    Realm {
        name: "home",
        nas: "bras-home",
        nas_address: Ipv4Addr::new(192, 0, 2, 1),
        exporter: "nat-home",
        protocol: Protocol::Ipfix,
        domain: 1,
        logging: Logging::Sessions,
        scheme: PortScheme::Shared,
        inside: Ipv4Addr::new(100, 64, 0, 2),
        pool: v4_prefix(first, 16),
        pool_first: first + 1,
        pool_addresses: 14 - bound,
        bound: (first + 15 - bound, bound),
        plain: (0, 0),
        ipv6: Some(ipv6(0)),
        nat64: false,
        leases: false,
        subscribers,
    }
}

fn hotel(subscribers: u32) -> Realm {
    let first = number(198, 18, 1, 1);
    Realm {
        name: "hotel",
        nas: "gate-hotel",
        nas_address: Ipv4Addr::new(192, 0, 2, 2),
        exporter: "nat-hotel",
        protocol: Protocol::Linux,
        domain: 7,
        logging: Logging::Sessions,
        scheme: PortScheme::Overload,
        inside: Ipv4Addr::new(192, 168, 88, 10),
        pool: v4_prefix(first, 1),
        pool_first: first,
        pool_addresses: 1,
        bound: (0, 0),
        plain: (0, 0),
        ipv6: None,
        nat64: false,
        leases: true,
        subscribers,
    }
}

/// The firewall of a school, a USG, tells of the sessions of the dormitories over UDP; a NAT444 device tells of the port blocks of the staff over TCP.
fn school(i: u32, subscribers: u32) -> Realm {
    let (blocks, first) = (i == 1, number(198, 18, 2 + 2 * i as u8, 0));
    let addresses = if blocks { pool_size(subscribers, 8) } else { 16 };
    Realm {
        name: if blocks { "staff" } else { "dorm" },
        nas: if blocks { "aaa-staff" } else { "aaa-dorm" },
        nas_address: Ipv4Addr::new(192, 0, 2, 31 + i as u8),
        exporter: if blocks { "fw-staff" } else { "fw-dorm" },
        protocol: if blocks { Protocol::Nat444Tcp } else { Protocol::Usg },
        domain: 0,
        logging: if blocks { Logging::Blocks } else { Logging::Sessions },
        scheme: if blocks { PortScheme::Blocks } else { PortScheme::Shared },
        inside: Ipv4Addr::new(100, 64, 0, 2),
        pool: v4_prefix(first, addresses),
        pool_first: first + if blocks { 0 } else { 1 },
        pool_addresses: if blocks { addresses } else { 14 },
        bound: (0, 0),
        plain: (0, 0),
        ipv6: None,
        nat64: false,
        leases: false,
        subscribers,
    }
}

/// Several times the blocks its subscribers need at once, as freed blocks rest; a power of two of at least 32 addresses.
fn pool_size(subscribers: u32, times: u32) -> u32 {
    (subscribers.saturating_mul(times) / BLOCKS_PER_ADDRESS + 4).next_power_of_two().max(32)
}

fn isp(plan: &Plan, i: u32, subscribers: u32) -> Realm {
    const NAMES: [(&str, &str, &str); 3] =
        [("north", "bras-north", "cgn-a"), ("south", "bras-south", "cgn-b"), ("west", "bras-west", "cgn-c")];
    let (name, nas, exporter) = NAMES[i as usize % NAMES.len()];
    // Where blocks themselves are the mappings, they come and go more often.
    let addresses = pool_size(subscribers, if i == 1 { 8 } else { 4 });
    // 198.18.128.0/17, 198.19.0.0/17, 198.19.128.0/17: a NAT each, of the reserved benchmarking range 198.18.0.0/15.
    let first = number(198, 18, 128, 0) + i * 0x8000;
    let bound = if plan.bindings && i != 1 { addresses / 8 } else { 0 };
    // Subscribers without a NAT get addresses from the upper half of their realm's /17.
    let plain = (first + 0x4000, subscribers / 20 + 8);
    Realm {
        name,
        nas,
        nas_address: Ipv4Addr::new(192, 0, 2, 11 + i as u8),
        exporter,
        protocol: if i == 2 { Protocol::Netflow9 } else { Protocol::Ipfix },
        domain: 1_000 + i,
        logging: if i == 1 { Logging::Blocks } else { Logging::Sessions },
        scheme: PortScheme::Blocks,
        inside: Ipv4Addr::new(100, 64, 0, 2),
        pool: v4_prefix(first, addresses),
        pool_first: first,
        pool_addresses: addresses - bound,
        bound: (first + addresses - bound, bound),
        plain,
        ipv6: Some(ipv6(i as u16 + 1)),
        nat64: i == 0,
        leases: false,
        subscribers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_isp_has_three_realms_with_the_same_inside_and_pools_of_their_own() {
        let network = Network::of(&Plan::new(Profile::Isp, 1)).unwrap();
        let realms = &network.realms;
        assert_eq!(realms.iter().map(|r| r.subscribers).sum::<u32>(), 2_000);
        assert!(realms.iter().all(|r| r.inside == Ipv4Addr::new(100, 64, 0, 2)));
        let pools: Vec<String> = realms.iter().map(|r| r.pool.to_string()).collect();
        assert_eq!(pools, ["198.18.128.0/26", "198.19.0.0/25", "198.19.128.0/26"]);
        assert_eq!(Network::of(&Plan::new(Profile::Small, 1)).unwrap().realms[0].pool.to_string(), "198.18.0.0/28");
        assert_eq!(Network::of(&Plan::new(Profile::Hotel, 1)).unwrap().realms[0].pool.to_string(), "198.18.1.1/32");
        let school = Network::of(&Plan::new(Profile::School, 1)).unwrap().realms;
        let shown: Vec<(String, u32)> = school.iter().map(|r| (r.pool.to_string(), r.subscribers)).collect();
        assert_eq!(shown, [("198.18.2.0/28".to_owned(), 180), ("198.18.4.0/27".to_owned(), 60)]);
    }

    #[test]
    fn the_largest_network_stays_in_its_ranges() {
        let mut plan = Plan::new(Profile::Isp, 1);
        plan.subscribers = Some(crate::limits::SUBSCRIBERS_MAX);
        for realm in Network::of(&plan).unwrap().realms {
            assert!(realm.pool_addresses <= 0x4000, "{}", realm.pool_addresses);
            assert!(realm.plain.1 <= 0x4000);
        }
    }

    #[test]
    fn a_fault_names_a_member_of_the_network() {
        let mut plan = Plan::new(Profile::Isp, 1);
        plan.faults.clock_offsets.push(("cgn-z".into(), 5));
        assert!(Network::of(&plan).unwrap_err().to_string().contains("cgn-a, cgn-b, cgn-c"));
        plan.faults.clock_offsets.clear();
        plan.faults.nas_reboots.push(("cgn-a".into(), 5));
        assert!(Network::of(&plan).unwrap_err().to_string().contains("bras-north"));
    }
}
