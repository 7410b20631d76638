//! A question, and how it is read from text.

use weir_base::net::Addr16;
use weir_base::time::{Millis, format_duration_ms};

use crate::limits::{SKEW_MS_MAX, TEXT_BYTES_MAX};

/// Who held this public address and port at this moment?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The public address.
    pub public: Addr16,
    /// The public port, or the ICMP query id.
    pub port: Option<u16>,
    /// IANA protocol number.
    pub protocol: Option<u8>,
    /// The moment, by the asker's clock.
    pub at: Millis,
    /// The far end: address, and port where known.
    pub remote: Option<(Addr16, Option<u16>)>,
    /// How far the asker's clock may be off, in milliseconds either way.
    pub skew_ms: i64,
}

/// Why a question is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// Not an address with or without a port.
    #[error("{what} is not an address with a port: write it as 203.0.113.7:40123 or [2001:db8::1]:443, or the address alone")]
    End {
        /// Which end.
        what: &'static str,
    },
    /// No number, or above 65535. 0 is taken: an ICMP query id may be that.
    #[error("the port of {what} is no port: write a number from 1 to 65535")]
    Port {
        /// Which end.
        what: &'static str,
    },
    /// Not a protocol.
    #[error("the protocol is not understood: write tcp, udp, icmp, icmpv6 or its number from 1 to 255")]
    Protocol,
    /// Skew outside of what is useful.
    #[error("the skew must be from 0ms to {max}: a wider tolerance would name everybody", max = format_duration_ms(SKEW_MS_MAX))]
    Skew,
}

impl Question {
    /// Checks what types cannot say.
    pub fn check(&self) -> Result<(), QuestionError> {
        if (0..=SKEW_MS_MAX).contains(&self.skew_ms) { Ok(()) } else { Err(QuestionError::Skew) }
    }
}

/// Reads `203.0.113.7:40123`, `203.0.113.7`, `[2001:db8::1]:443`, `[2001:db8::1]` or `2001:db8::1`. `what` names the end in errors: the
/// text itself is not repeated, as it may be a subscriber's address.
pub fn parse_end(what: &'static str, text: &str) -> Result<(Addr16, Option<u16>), QuestionError> {
    let bad = || QuestionError::End { what };
    if text.len() > TEXT_BYTES_MAX {
        return Err(bad());
    }
    if let Ok(address) = text.parse::<Addr16>() {
        return Ok((address, None));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or_else(bad)?;
        let address = address.parse::<std::net::Ipv6Addr>().map_err(|_| bad())?.into();
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address, Some(parse_port(what, port)?))),
            None if rest.is_empty() => Ok((address, None)),
            None => Err(bad()),
        };
    }
    let (address, port) = text.split_once(':').ok_or_else(bad)?;
    let address = address.parse::<std::net::Ipv4Addr>().map_err(|_| bad())?;
    Ok((address.into(), Some(parse_port(what, port)?)))
}

fn parse_port(what: &'static str, text: &str) -> Result<u16, QuestionError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(QuestionError::Port { what })
}

/// Protocols with a name: (name, IANA number).
const PROTOCOLS: &[(&str, u8)] = &[("icmp", 1), ("tcp", 6), ("udp", 17), ("icmpv6", 58), ("sctp", 132)];

/// Reads `tcp`, `udp`, `icmp` or a number.
pub fn parse_protocol(text: &str) -> Result<u8, QuestionError> {
    let named = PROTOCOLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| *number);
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    named.or_else(|| text.parse().ok().filter(|n| digits && *n != 0)).ok_or(QuestionError::Protocol)
}

/// The name of a protocol, or its number.
pub fn protocol_name(protocol: u8) -> String {
    PROTOCOLS.iter().find(|(_, number)| *number == protocol).map_or_else(|| protocol.to_string(), |(name, _)| (*name).to_owned())
}

/// An address with its port as text, IPv6 in brackets.
pub fn format_end(address: Addr16, port: Option<u16>) -> String {
    match (port, address.is_v4()) {
        (None, _) => address.to_string(),
        (Some(port), true) => format!("{address}:{port}"),
        (Some(port), false) => format!("[{address}]:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_read_and_write() {
        for (text, address, port) in [
            ("203.0.113.7:40123", "203.0.113.7", Some(40123)),
            ("203.0.113.7", "203.0.113.7", None),
            ("203.0.113.7:0", "203.0.113.7", Some(0)),
            ("203.0.113.7:65535", "203.0.113.7", Some(65535)),
            ("[2001:db8::1]:443", "2001:db8::1", Some(443)),
            ("2001:db8::1", "2001:db8::1", None),
        ] {
            let got = parse_end("--public", text).unwrap();
            assert_eq!(got, (address.parse().unwrap(), port), "{text}");
            assert_eq!(format_end(got.0, got.1), text);
        }
        assert_eq!(parse_end("--public", "[2001:db8::1]").unwrap(), ("2001:db8::1".parse().unwrap(), None));
    }

    #[test]
    fn bad_ends_say_what_to_write_and_do_not_repeat_the_text() {
        for bad in [
            "",
            "x",
            "198.51.100.7:",
            "198.51.100.7:65536",
            "198.51.100.7:+1",
            "198.51.100.7:-1",
            "198.51.100:1",
            "[2001:db8::5",
            "[198.51.100.7]:1",
        ] {
            let error = parse_end("--public", bad).unwrap_err().to_string();
            assert!(error.contains("--public"), "{error}");
            assert!(bad.len() < 2 || !error.contains(bad), "{error}");
        }
        for bad in
            ["[2001:db8::5]443", "[2001:db8::5]:", "[]:1", "[2001:db8::5]:70000", "198.51.100.7:1:2", " 198.51.100.7", "198.51.100.7:１"]
        {
            assert!(parse_end("--remote", bad).is_err(), "{bad}");
        }
        assert!(parse_end("--public", &"1".repeat(1_000)).is_err());
    }

    #[test]
    fn protocols_read_and_write() {
        for (text, number) in [("tcp", 6), ("UDP", 17), ("icmp", 1), ("6", 6), ("255", 255), ("icmpv6", 58)] {
            assert_eq!(parse_protocol(text), Ok(number), "{text}");
        }
        for bad in ["", "0", "256", "-1", "+6", "ip", "6 "] {
            assert_eq!(parse_protocol(bad), Err(QuestionError::Protocol), "{bad}");
        }
        assert_eq!((protocol_name(6).as_str(), protocol_name(99).as_str()), ("tcp", "99"));
    }

    #[test]
    fn a_skew_of_hours_is_refused() {
        let question = |skew_ms| Question { public: Addr16::NONE, port: None, protocol: None, at: Millis(0), remote: None, skew_ms };
        assert_eq!(question(2_000).check(), Ok(()));
        for skew in [-1, SKEW_MS_MAX + 1, i64::MIN] {
            assert!(question(skew).check().unwrap_err().to_string().contains("10m"));
        }
    }
}
