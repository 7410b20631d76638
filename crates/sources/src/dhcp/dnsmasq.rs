//! The lease file of dnsmasq, which is written as a whole. Pure.
//!
//! A line: expiry in seconds since 1970 (0: never), hardware address, address, host name or `*`, client id or `*`. After a line `duid …` follow
//! DHCPv6 leases: expiry, IAID (`T` before it: temporary), address, host name, DUID of the client. Format: dnsmasq, src/lease.c.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;

use super::kea::client;
use super::leases::{Line, Via};

/// Reads a whole file: leases, and the codes of lines that do not read with their place.
pub fn leases(file: &[u8]) -> (Vec<Line>, Vec<(usize, &'static str)>) {
    let (mut good, mut bad, mut six, mut at) = (Vec::new(), Vec::new(), false, 0);
    for line in file.split(|b| *b == b'\n') {
        let here = at;
        at += line.len() + 1;
        match lease(line, &mut six) {
            Ok(lease) => good.extend(lease),
            Err(code) => bad.push((here, code)),
        }
    }
    (good, bad)
}

fn lease(line: &[u8], six: &mut bool) -> Result<Option<Line>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "dhcp.not-text")?;
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let [expiry, second, rest @ ..] = fields.as_slice() else {
        return if fields.is_empty() { Ok(None) } else { Err("dhcp.columns") };
    };
    if *expiry == "duid" {
        *six = true;
        return Ok(None);
    }
    let [address, _host, last] = rest else { return Err("dhcp.columns") };
    let address: Addr16 = address.parse().map_err(|_| "dhcp.address")?;
    let expiry: i64 = expiry.parse().ok().filter(|n| (0..=1 << 40).contains(n)).ok_or("dhcp.expire")?;
    let named = |text: &'static str| move |v: &str| if v == text { String::new() } else { v.to_owned() };
    let last = named("*")(last);
    // Hardware types other than Ethernet stand before the address: 06-aa:bb:….
    let hardware = second.split_once('-').map_or(*second, |(_, rest)| rest);
    let client = if *six { client("", &last, "") } else { client(hardware, "", &last) }?.ok_or("dhcp.no-client")?;
    let expires = (expiry != 0).then_some(Millis(expiry * 1_000));
    Ok(Some(Line { prefix: Prefix::new(address, 128), client, acknowledged: None, expires, active: true, via: Via::default() }))
}
