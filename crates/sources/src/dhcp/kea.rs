//! Lines of Kea's lease files (memfile, CSV). Pure.
//!
//! The first line names the columns; their number and order differ between versions, so they are found by name. Commas in values are written
//! as `&#x2c`. Formats: Kea Administrator Reference Manual, "Memfile - Basic Storage for Leases", and src/lib/dhcpsrv/csv_lease_file4.cc, -6.cc.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;

use super::leases::{Line, Via};
use super::limits::CLIENT_BYTES;

/// A lease that never ends has this lifetime, in seconds.
const FOR_EVER: u32 = u32::MAX;

/// Which column is where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    names: Vec<String>,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// The names of the columns.
    Header(Columns),
    /// A lease.
    Lease(Line),
    /// Nothing of interest: an empty line, or a lease that was declined when nobody had it.
    Nothing,
}

/// Reads a line without its end.
///
/// # Errors
/// A stable code of what is wrong; no text of the line.
pub fn row(columns: Option<&Columns>, line: &[u8]) -> Result<Row, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "dhcp.not-text")?.trim_end_matches('\r');
    if line.is_empty() {
        return Ok(Row::Nothing);
    }
    let values: Vec<&str> = line.split(',').collect();
    if values.first() == Some(&"address") {
        let names: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
        let has = |name: &str| names.iter().any(|n| n == name);
        return if has("valid_lifetime") && has("expire") { Ok(Row::Header(Columns { names })) } else { Err("dhcp.header") };
    }
    let columns = columns.ok_or("dhcp.no-header")?;
    if values.len() > columns.names.len() {
        return Err("dhcp.too-many-columns");
    }
    let value = |name: &str| columns.names.iter().position(|n| n == name).and_then(|i| values.get(i)).copied().unwrap_or_default();
    let number = |name: &str| value(name).parse::<i64>().ok().filter(|n| (0..=1 << 40).contains(n));
    let address: Addr16 = value("address").parse().map_err(|_| "dhcp.address")?;
    let lifetime = number("valid_lifetime").ok_or("dhcp.valid-lifetime")?;
    let expire = number("expire").ok_or("dhcp.expire")?;
    let state = if value("state").is_empty() { 0 } else { number("state").ok_or("dhcp.state")? };
    // Lease type 2 is a delegated prefix (IA_PD).
    let bits = if value("lease_type") == "2" { number("prefix_len").filter(|n| *n <= 128).ok_or("dhcp.prefix-length")? } else { 128 };
    let prefix = Prefix::new(address, bits as u8);
    let client = client(value("hwaddr"), value("duid"), value("client_id"))?;
    let Some(client) = client else {
        // A declined address has no client: it is set aside.
        return if state == 1 { Ok(Row::Nothing) } else { Err("dhcp.no-client") };
    };
    let for_ever = lifetime == i64::from(FOR_EVER);
    Ok(Row::Lease(Line {
        prefix,
        client,
        // The time of the last acknowledgement is the expiry less the lifetime. A lease for ever expires at a time that wraps.
        acknowledged: (!for_ever).then(|| Millis((expire - lifetime) * 1_000)),
        expires: (!for_ever).then_some(Millis(expire * 1_000)),
        active: state == 0 && lifetime > 0,
        via: Via::default(),
    }))
}

/// The Ethernet address in a DUID of type 1 or 3 (DUID-LLT, DUID-LL: RFC 8415 sections 11.2 and 11.4), as Kea itself writes it into its files.
fn hardware_of(duid: &str) -> Option<&str> {
    let rest = match duid.get(..12)? {
        "00:01:00:01:" => duid.get(12..)?.get(12..)?,
        "00:03:00:01:" => duid.get(12..)?,
        _ => return None,
    };
    (rest.len() == 17 && rest.split(':').filter(|pair| pair.len() == 2).count() == 6).then_some(rest)
}

/// Who the client is: its hardware address, also one that its DUID holds, else its DUID, else its client id.
pub fn client(hardware: &str, duid: &str, client_id: &str) -> Result<Option<String>, &'static str> {
    let (kind, text) = match (hardware, duid, client_id) {
        ("", "", "") => return Ok(None),
        ("", "", id) => ("client-id:", id),
        ("", duid, _) => hardware_of(duid).map_or(("duid:", duid), |hardware| ("", hardware)),
        (hardware, ..) => ("", hardware),
    };
    let good = text.len() <= CLIENT_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    if good { Ok(Some(format!("{kind}{}", text.to_ascii_lowercase()))) } else { Err("dhcp.client") }
}
