//! Log lines, written as ulogd2, dnsmasq and NAT444 firewalls write them (RFC 5424 header, PRI of RFC 5424 section 6.2.1), and session logs as a
//! Huawei USG writes them.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use weir_base::time::Millis;

use crate::network::{Protocol, Realm};
use crate::world::event::{Accounting, Mapping, NatEvent, Status, What};

/// daemon.info
const DAEMON: u8 = 30;
/// local0.info
const LOCAL0: u8 = 134;
/// local7.info
const LOCAL7: u8 = 190;
/// syslog.info
const SYSLOG: u8 = 46;

/// Writes the lines of one device.
#[derive(Clone, Debug)]
pub struct LineEncoder {
    protocol: Protocol,
    host: &'static str,
    /// When sessions that are open began, in seconds since 1970: a USG says so again at their end.
    begun: HashMap<(Ipv4Addr, u16, u8), i64>,
}

impl LineEncoder {
    /// The device of a realm.
    pub fn new(realm: &Realm) -> LineEncoder {
        LineEncoder { protocol: realm.protocol, host: realm.exporter, begun: HashMap::new() }
    }

    fn line(&self, pri: u8, at: i64, app: &str, id: &str, text: &str) -> Vec<u8> {
        format!("<{pri}>1 {} {} {app} {} {id} - {text}", Millis(at).to_rfc3339(), self.host, if app == "cgn" { "-" } else { "812" })
            .into_bytes()
    }

    /// What a NAT event is told as; `at` in milliseconds since 1970.
    pub fn nat(&mut self, event: &NatEvent, at: i64) -> Vec<u8> {
        match self.protocol {
            Protocol::Linux => self.ulogd(event, at),
            Protocol::Usg => self.usg(event, at),
            _ => self.nat444(event, at),
        }
    }

    /// Huawei USG, session logs as text: a header in local time, then fields; all times in whole seconds.
    fn usg(&mut self, event: &NatEvent, at: i64) -> Vec<u8> {
        let m = &event.mapping;
        let (seconds, key) = (at.div_euclid(1_000), (m.public, m.port, m.protocol));
        let local = Millis(at).to_rfc3339();
        let stamp = local.get(..19).unwrap_or_default().replace('T', " ");
        let (what, tail) = if event.create {
            self.begun.insert(key, seconds);
            ("SESSION_BUILT", format!("BeginTime={seconds}"))
        } else {
            let begun = self.begun.remove(&key).unwrap_or(seconds);
            ("SESSION_TEARDOWN", format!("BeginTime={begun},EndTime={seconds},SendPkts=5,SendBytes=300"))
        };
        format!(
            "<{LOCAL7}>{stamp} {} %%01SECLOG/6/{what}(l):IPVer=4,Protocol={},SourceIP={},DestinationIP={},SourcePort={},DestinationPort={},\
             SourceNatIP={},SourceNatPort={},{tail},SourceVpnID=0,DestinationVpnID=0.",
            self.host,
            word(m.protocol),
            m.inside,
            m.destination,
            m.inside_port,
            m.destination_port,
            m.public,
            m.port
        )
        .into_bytes()
    }

    /// ulogd2, input NFCT, output of printflow.c.
    fn ulogd(&self, event: &NatEvent, at: i64) -> Vec<u8> {
        let m = &event.mapping;
        let what = if event.create { "NEW" } else { "DESTROY" };
        let protocol = word(m.protocol).to_uppercase();
        let text = format!(
            "[{what}] ORIG: SRC={} DST={} PROTO={protocol} SPT={} DPT={} PKTS=0 BYTES=0 , REPLY: SRC={} DST={} PROTO={protocol} SPT={} DPT={} PKTS=0 BYTES=0 ",
            m.inside, m.destination, m.inside_port, m.destination_port, m.destination, m.public, m.destination_port, m.port
        );
        self.line(DAEMON, at, "ulogd", "-", &text)
    }

    /// draft-ietf-behave-syslog-nat-logging-06 section 4.
    fn nat444(&self, event: &NatEvent, at: i64) -> Vec<u8> {
        let Mapping { inside, inside_port, public, port, port_end, protocol, .. } = event.mapping;
        let letter = if event.create { 'A' } else { 'W' };
        let text = match event.mapping.what {
            What::Block => format!("Userbased{letter} - {inside} - - {public} - {port} {port_end} - -"),
            _ => format!("Sessionbased{letter} {protocol} {inside} - - {public} {inside_port} {port} - - -"),
        };
        self.line(LOCAL0, at, "cgn", "NAT444", &text)
    }

    /// What dnsmasq says of a lease (rfc2131.c, log_packet); nothing for what no DHCP server tells.
    pub fn lease(&self, request: &Accounting, at: i64) -> Vec<Vec<u8>> {
        let Some((login, address)) = request.login.as_ref().and_then(|l| Some((l, l.framed?))) else { return Vec::new() };
        let mac = login.caller.to_lowercase().replace('-', ":");
        let texts = match request.status {
            Status::Start => vec![
                format!("DHCPDISCOVER(br-guest) {mac}"),
                format!("DHCPOFFER(br-guest) {address} {mac}"),
                format!("DHCPREQUEST(br-guest) {address} {mac}"),
                format!("DHCPACK(br-guest) {address} {mac} phone-{}", login.nas_port),
            ],
            Status::Interim => vec![format!("DHCPREQUEST(br-guest) {address} {mac}"), format!("DHCPACK(br-guest) {address} {mac}")],
            Status::Stop => vec![format!("DHCPRELEASE(br-guest) {address} {mac}")],
            Status::On => Vec::new(),
        };
        texts.iter().map(|text| self.line(DAEMON, at, "dnsmasq-dhcp", "-", text)).collect()
    }

    /// The mark of rsyslog's immark: the device is alive. A USG has none.
    pub fn mark(&self, at: i64) -> Option<Vec<u8>> {
        (self.protocol != Protocol::Usg).then(|| self.line(SYSLOG, at, "rsyslogd", "-", "-- MARK --"))
    }
}

fn word(protocol: u8) -> &'static str {
    if protocol == 6 { "tcp" } else { "udp" }
}

/// A frame of octet counting (RFC 6587 section 3.4.1).
pub fn framed(line: &[u8]) -> Vec<u8> {
    let mut frame = format!("{} ", line.len()).into_bytes();
    frame.extend_from_slice(line);
    frame
}

#[cfg(test)]
mod tests {
    use weir_base::net::Addr16;

    use super::*;
    use crate::network::Network;
    use crate::plan::{Plan, Profile};
    use crate::world::event::Login;

    fn encoder(profile: Profile, n: usize) -> LineEncoder {
        LineEncoder::new(&Network::of(&Plan::new(profile, 1)).unwrap().realms[n])
    }

    fn event(what: What, create: bool) -> NatEvent {
        let block = what == What::Block;
        let mapping = Mapping {
            what,
            inside: Addr16::v4([100, 64, 0, 12]),
            inside_port: if block { 0 } else { 50_112 },
            public: Ipv4Addr::new(198, 18, 1, 1),
            port: 1_024,
            port_end: if block { 2_047 } else { 1_024 },
            protocol: if block { 0 } else { 6 },
            destination: Ipv4Addr::new(192, 0, 2, 80),
            destination_port: 443,
        };
        NatEvent { at: 0, create, mapping }
    }

    #[test]
    fn lines_are_those_of_the_programs_that_write_them() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let at = 1_795_312_800_123;
        let (mut hotel, mut dorm, mut staff) = (encoder(Profile::Hotel, 0), encoder(Profile::School, 0), encoder(Profile::School, 1));
        let head = Millis(at).to_rfc3339();
        assert_eq!(
            text(hotel.nat(&event(What::Session44, false), at)),
            format!(
                "<30>1 {head} nat-hotel ulogd 812 - - [DESTROY] ORIG: SRC=100.64.0.12 DST=192.0.2.80 PROTO=TCP SPT=50112 DPT=443 PKTS=0 BYTES=0 , REPLY: SRC=192.0.2.80 DST=198.18.1.1 PROTO=TCP SPT=443 DPT=1024 PKTS=0 BYTES=0 "
            )
        );
        let fields = "(l):IPVer=4,Protocol=tcp,SourceIP=100.64.0.12,DestinationIP=192.0.2.80,SourcePort=50112,DestinationPort=443,SourceNatIP=198.18.1.1,SourceNatPort=1024";
        assert_eq!(
            [text(dorm.nat(&event(What::Session44, true), at)), text(dorm.nat(&event(What::Session44, false), at + 4_000))],
            [
                format!(
                    "<190>2026-11-22 10:00:00 fw-dorm %%01SECLOG/6/SESSION_BUILT{fields},BeginTime=1795312800,SourceVpnID=0,DestinationVpnID=0."
                ),
                format!(
                    "<190>2026-11-22 10:00:04 fw-dorm %%01SECLOG/6/SESSION_TEARDOWN{fields},BeginTime=1795312800,EndTime=1795312804,SendPkts=5,SendBytes=300,SourceVpnID=0,DestinationVpnID=0."
                )
            ]
        );
        assert_eq!((dorm.mark(at), staff.mark(at).is_some()), (None, true));
        assert_eq!(
            text(staff.nat(&event(What::Session44, true), at)),
            format!("<134>1 {head} fw-staff cgn - NAT444 - SessionbasedA 6 100.64.0.12 - - 198.18.1.1 50112 1024 - - -")
        );
        assert_eq!(
            text(staff.nat(&event(What::Block, false), at)),
            format!("<134>1 {head} fw-staff cgn - NAT444 - UserbasedW - 100.64.0.12 - - 198.18.1.1 - 1024 2047 - -")
        );
        let login = Login {
            account: "room101".into(),
            caller: "02-00-00-00-00-0A".into(),
            called: String::new(),
            session: "1".into(),
            nas_port: 11,
            framed: Some(Ipv4Addr::new(192, 168, 88, 10)),
            plain: false,
            prefix: None,
            delegated: None,
            start: 0,
        };
        let stop = Accounting { status: Status::Stop, at: 0, delay_s: 0, login: Some(login), octets_in: 0, octets_out: 0, cause: 1 };
        let told: Vec<String> = hotel.lease(&stop, at).into_iter().map(text).collect();
        assert_eq!(told, [format!("<30>1 {head} nat-hotel dnsmasq-dhcp 812 - - DHCPRELEASE(br-guest) 192.168.88.10 02:00:00:00:00:0a")]);
        assert_eq!(framed(b"abc"), b"3 abc");
    }
}
