//! Addresses as they are stored: 16 bytes, IPv4 as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IPv4 or IPv6 address in 16 bytes; IPv4 is `::ffff:a.b.c.d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr16(pub [u8; 16]);

impl Addr16 {
    /// The unspecified address, used where a field has no value.
    pub const NONE: Addr16 = Addr16([0; 16]);

    /// An IPv4 address from its four bytes.
    pub const fn v4(b: [u8; 4]) -> Addr16 {
        Addr16([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, b[0], b[1], b[2], b[3]])
    }

    /// The address in the standard library's form, IPv4 unmapped.
    pub fn ip(self) -> IpAddr {
        let v6 = Ipv6Addr::from(self.0);
        v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
    }

    /// True for an IPv4-mapped address.
    pub fn is_v4(self) -> bool {
        self.0[..12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    }

    /// True for [`Addr16::NONE`].
    pub fn is_none(self) -> bool {
        self == Addr16::NONE
    }
}

impl From<IpAddr> for Addr16 {
    fn from(ip: IpAddr) -> Addr16 {
        match ip {
            IpAddr::V4(v4) => Addr16::v4(v4.octets()),
            IpAddr::V6(v6) => Addr16(v6.octets()),
        }
    }
}

impl From<Ipv4Addr> for Addr16 {
    fn from(ip: Ipv4Addr) -> Addr16 {
        Addr16::v4(ip.octets())
    }
}

impl From<Ipv6Addr> for Addr16 {
    fn from(ip: Ipv6Addr) -> Addr16 {
        Addr16(ip.octets())
    }
}

impl fmt::Display for Addr16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}

impl FromStr for Addr16 {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Addr16, Self::Err> {
        text.parse::<IpAddr>().map(Addr16::from)
    }
}

/// An address prefix such as `203.0.113.0/24` or `2001:db8::/56`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The first address, host bits zero.
    pub addr: Addr16,
    /// Prefix length in bits of the 16-byte form (IPv4 lengths plus 96).
    pub bits: u8,
}

impl Prefix {
    /// A prefix of the 16-byte form; host bits are cleared. `bits` above 128 is taken as 128.
    pub fn new(addr: Addr16, bits: u8) -> Prefix {
        let bits = bits.min(128);
        let mask = if bits == 0 { 0 } else { u128::MAX << (128 - u32::from(bits)) };
        Prefix { addr: Addr16((u128::from_be_bytes(addr.0) & mask).to_be_bytes()), bits }
    }

    /// True if `addr` lies inside.
    pub fn contains(self, addr: Addr16) -> bool {
        Prefix::new(addr, self.bits) == self
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.addr.is_v4() && self.bits >= 96 { self.bits - 96 } else { self.bits };
        write!(f, "{}/{shown}", self.addr)
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Prefix, String> {
        let bad = || format!("{text:?} is not an address prefix: write it as 203.0.113.0/24 or 2001:db8::/56");
        let (addr, len) = text.split_once('/').unwrap_or((text, ""));
        let addr: Addr16 = addr.parse().map_err(|_| bad())?;
        let max = if addr.is_v4() { 32 } else { 128 };
        let len: u8 = if len.is_empty() { max } else { len.parse().map_err(|_| bad())? };
        if len > max {
            return Err(bad());
        }
        let prefix = Prefix::new(addr, if addr.is_v4() { len + 96 } else { len });
        if prefix.addr != addr {
            return Err(format!("{text:?} has host bits set: did you mean {prefix}?"));
        }
        Ok(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_contain() {
        let p: Prefix = "203.0.113.0/24".parse().unwrap();
        assert!(p.contains("203.0.113.7".parse().unwrap()));
        assert!(!p.contains("203.0.114.7".parse().unwrap()));
        assert_eq!(p.to_string(), "203.0.113.0/24");
        let p: Prefix = "2001:db8:1:2::/64".parse().unwrap();
        assert!(p.contains("2001:db8:1:2::9".parse().unwrap()));
        assert_eq!("10.0.0.1".parse::<Prefix>().unwrap().to_string(), "10.0.0.1/32");
        for bad in ["203.0.113.1/24", "203.0.113.0/33", "x/8", "", "10.0.0.0/-1"] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }
}
