//! RADIUS accounting events: clause 7.3 (login and logout time, caller number, account, address).

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "One RADIUS accounting event (RFC 2866), or a session end that Weir inferred; or a DHCP lease told in the same words (source kind `dhcp`), or an imported session (`import`). Account and caller number are opaque ids; their values are in `binding`."
    RadiusSession = 1, "radius_session", version 2, Network, Records, time "time";
    time: Millis = "When it happened, by the NAS: Event-Timestamp (RFC 2869, 55), else arrival less Acct-Delay-Time (RFC 2866, 41)", unit "ms UTC", Plain, key;
    arrived: Millis = "When it arrived here", unit "ms UTC", Plain;
    source: u32 = "Number of the source that heard it (`source_entry`)", unit "", Plain, key;
    realm: u32 = "Number of the realm (`source_entry`)", unit "", Plain, key;
    status: u8 = "Acct-Status-Type (RFC 2866, 40): 1 Start, 2 Stop, 3 Interim-Update, 7 Accounting-On, 8 Accounting-Off, 15 Failed", unit "", Plain;
    inferred: u8 = "1 when no NAS sent this: an end that Weir inferred", unit "", Plain;
    reason: Option<String> = "Why an end was inferred, or how a lease ended; `imported` where another system recorded it", unit "", Plain;
    session: Id = "Weir's id of the session: the same for all events of one session", unit "", Identifier, key;
    acct_session_id: Option<String> = "Acct-Session-Id (RFC 2866, 44)", unit "", Identifier;
    multi_session_id: Option<String> = "Acct-Multi-Session-Id (RFC 2866, 50)", unit "", Identifier;
    subscriber: Option<Id> = "Opaque id of User-Name (RFC 2865, 1)", unit "", Identifier, key;
    caller: Option<Id> = "Opaque id of Calling-Station-Id (RFC 2865, 31), the caller number", unit "", Identifier, key;
    called: Option<String> = "Called-Station-Id (RFC 2865, 30)", unit "", Plain;
    nas_address: Option<Addr16> = "NAS-IP-Address (RFC 2865, 4) or NAS-IPv6-Address (RFC 3162, 95), else the sender", unit "", Plain;
    nas_identifier: Option<String> = "NAS-Identifier (RFC 2865, 32)", unit "", Plain;
    nas_port: Option<u32> = "NAS-Port (RFC 2865, 5)", unit "", Plain;
    nas_port_id: Option<String> = "NAS-Port-Id (RFC 2869, 87)", unit "", Plain;
    nas_port_type: Option<u32> = "NAS-Port-Type (RFC 2865, 61)", unit "", Plain;
    framed_ipv4: Option<Addr16> = "Framed-IP-Address (RFC 2865, 8)", unit "", Identifier, key;
    framed_ipv6: Option<Addr16> = "Framed-IPv6-Address (RFC 6911, 168)", unit "", Identifier, key;
    framed_prefix: Option<Addr16> = "Framed-IPv6-Prefix (RFC 3162, 97)", unit "", Identifier, key;
    framed_prefix_bits: Option<u8> = "Its length", unit "bits", Plain;
    delegated_prefix: Option<Addr16> = "Delegated-IPv6-Prefix (RFC 4818, 123)", unit "", Identifier, key;
    delegated_prefix_bits: Option<u8> = "Its length", unit "bits", Plain;
    input_octets: Option<u64> = "Acct-Input-Octets and -Gigawords (RFC 2866, 42; RFC 2869, 52)", unit "octets", Plain;
    output_octets: Option<u64> = "Acct-Output-Octets and -Gigawords (RFC 2866, 43; RFC 2869, 53)", unit "octets", Plain;
    session_time: Option<u32> = "Acct-Session-Time (RFC 2866, 46)", unit "s", Plain;
    terminate_cause: Option<u32> = "Acct-Terminate-Cause (RFC 2866, 49)", unit "", Plain;
    start: Option<Millis> = "When the session began, as far as known: its Start, else event time less Acct-Session-Time", unit "ms UTC", Plain;
    start_certain: u8 = "1 when the Start was seen", unit "", Plain;
    lasted: Option<Millis> = "Of an inferred end: until when the session is known to have gone on, because its NAS spoke and told no end", unit "ms UTC", Plain;
    other_addresses: Option<String> = "Further IPv6 addresses and prefixes, where an event names more than one of a sort: `a` Framed-IPv6-Address (RFC 6911, 168), `f` Framed-IPv6-Prefix (RFC 3162, 97), `d` Delegated-IPv6-Prefix (RFC 4818, 123), each with its length, such as `d 2001:db8::/56`; one comma between two", unit "", Identifier, key;
    class: Option<Id> = "Keyed digest of the Class attributes (RFC 2865, 25): the same for the same bytes in one realm", unit "", Identifier, key;
    port_limit: Option<u32> = "IP-Port-Limit of IP-Port-Limit-Info (RFC 8045, 241.5): how many ports the subscriber may use; the smallest where there are several", unit "ports", Plain;
}

/// What told of an address or prefix: within one session a new one takes the place of the old ones of its own sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// Framed-IP-Address (RFC 2865, 8).
    V4 = 1,
    /// Framed-IPv6-Address (RFC 6911, 168).
    V6 = 2,
    /// Framed-IPv6-Prefix (RFC 3162, 97).
    Framed = 3,
    /// Delegated-IPv6-Prefix (RFC 4818, 123).
    Delegated = 4,
}

impl Sort {
    const ALL: [Sort; 4] = [Sort::V4, Sort::V6, Sort::Framed, Sort::Delegated];

    /// The sort of a stored number.
    pub fn from_u8(value: u8) -> Option<Sort> {
        Sort::ALL.into_iter().find(|s| *s as u8 == value)
    }

    /// The letter in `other_addresses`; there is one IPv4 address at most, so it has none there.
    fn letter(self) -> &'static str {
        ["4", "a", "f", "d"][self as usize - 1]
    }
}

/// An address or prefix, and what told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// What told of it.
    pub sort: Sort,
    /// The address (all bits) or prefix.
    pub prefix: Prefix,
}

impl RadiusSession {
    /// Every address and prefix the row names, sorted, each once.
    pub fn names(&self) -> Vec<Name> {
        let framed = self.framed_prefix.zip(self.framed_prefix_bits);
        let delegated = self.delegated_prefix.zip(self.delegated_prefix_bits);
        names(self.framed_ipv4, self.framed_ipv6, framed, delegated, self.other_addresses.as_deref())
    }

    /// Sets the IPv6 fields: the first of each sort has its own field, the others go to `other_addresses`.
    pub fn set_ipv6(&mut self, names: &[Name]) {
        let mut others = Vec::new();
        for Name { sort, prefix } in names {
            let slot = match sort {
                Sort::V4 => continue,
                Sort::V6 => &mut self.framed_ipv6,
                Sort::Framed => &mut self.framed_prefix,
                Sort::Delegated => &mut self.delegated_prefix,
            };
            if slot.is_some() {
                others.push(format!("{} {prefix}", sort.letter()));
                continue;
            }
            *slot = Some(prefix.addr);
            match sort {
                Sort::Framed => self.framed_prefix_bits = Some(prefix.bits),
                Sort::Delegated => self.delegated_prefix_bits = Some(prefix.bits),
                Sort::V4 | Sort::V6 => {}
            }
        }
        self.other_addresses = Some(others.join(",")).filter(|t| !t.is_empty());
    }
}

/// What these columns of a row name, sorted, each once: addresses, prefixes with their lengths, and further ones in their written form.
pub fn names(
    v4: Option<Addr16>,
    v6: Option<Addr16>,
    framed: Option<(Addr16, u8)>,
    delegated: Option<(Addr16, u8)>,
    others: Option<&str>,
) -> Vec<Name> {
    let mut out = Vec::new();
    for (sort, addr) in [(Sort::V4, v4), (Sort::V6, v6)] {
        out.extend(addr.map(|addr| Name { sort, prefix: Prefix::new(addr, 128) }));
    }
    for (sort, prefix) in [(Sort::Framed, framed), (Sort::Delegated, delegated)] {
        out.extend(prefix.map(|(addr, bits)| Name { sort, prefix: Prefix::new(addr, bits) }));
    }
    let Some(others) = others else { return out };
    out.extend(others.split(',').filter_map(name));
    out.sort_unstable();
    out.dedup();
    out
}

fn name(text: &str) -> Option<Name> {
    let (letter, prefix) = text.split_once(' ')?;
    let sort = Sort::ALL.into_iter().skip(1).find(|s| s.letter() == letter)?;
    Some(Name { sort, prefix: prefix.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> impl Strategy<Value = Vec<Name>> {
        let one = (2u8..5, any::<[u8; 16]>(), 0u8..=128).prop_filter_map("a sort", |(sort, addr, bits)| {
            let sort = Sort::from_u8(sort)?;
            Some(Name { sort, prefix: Prefix::new(Addr16(addr), if sort == Sort::V6 { 128 } else { bits }) })
        });
        proptest::collection::vec(one, 0..12)
    }

    proptest! {
        #[test]
        fn every_name_comes_back(mut names in names()) {
            let mut row = RadiusSession::default();
            row.set_ipv6(&names);
            names.sort_unstable();
            names.dedup();
            prop_assert_eq!(row.names(), names);
        }

        #[test]
        fn any_text_is_read(text in ".{0,60}") {
            RadiusSession { other_addresses: Some(text), ..RadiusSession::default() }.names();
        }
    }

    #[test]
    fn more_than_one_prefix_has_a_written_form() {
        let name = |sort, text: &str| Name { sort, prefix: text.parse().unwrap() };
        let mut row = RadiusSession { framed_ipv4: "100.64.0.1".parse().ok(), ..RadiusSession::default() };
        row.set_ipv6(&[
            name(Sort::Delegated, "2001:db8:aa::/56"),
            name(Sort::Delegated, "2001:db8:bb::/60"),
            name(Sort::V6, "2001:db8::7"),
            name(Sort::V6, "2001:db8::8"),
            name(Sort::Framed, "2001:db8:1:2::/64"),
        ]);
        assert_eq!(row.other_addresses.as_deref(), Some("d 2001:db8:bb::/60,a 2001:db8::8/128"));
        assert_eq!((row.delegated_prefix_bits, row.framed_prefix_bits), (Some(56), Some(64)));
        assert_eq!(row.names().len(), 6);
        for broken in ["", "d", "d x", "4 100.64.0.1", "q 2001:db8::/56", "d 2001:db8::/129", ",,"] {
            let row = RadiusSession { other_addresses: Some(broken.to_owned()), ..RadiusSession::default() };
            assert_eq!(row.names(), [], "{broken}");
        }
    }
}
