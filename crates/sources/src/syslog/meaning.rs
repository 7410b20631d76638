//! From what a dialect found to values: accounts, addresses, NAT events, leases. Pure.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::kinds::{Action, Form, NatEvent};

use super::dialect::{Ends, Event, Values};
use super::forms::address;
use super::pattern::Slot;
use super::stamp::{self, Stamp};
use crate::dhcp::kea;
use crate::ipfix::limits::TOLD_BACK_MS;

fn addr(values: &Values<'_>, slot: Slot) -> Option<Addr16> {
    let value = values.get(slot)?;
    // Windows writes `::ffff:192.0.2.1`; some write a zone behind a `%`.
    let value = value.split('%').next().unwrap_or(value);
    address(value).map(Addr16::from).filter(|a| !a.is_none())
}

fn number<T: std::str::FromStr>(values: &Values<'_>, slot: Slot) -> Option<T> {
    values.get(slot)?.parse().ok()
}

/// The address somebody came from.
pub fn peer(values: &Values<'_>) -> (Option<Addr16>, Option<u16>) {
    (addr(values, Slot::Address), number::<u16>(values, Slot::Port).filter(|p| *p > 0))
}

/// What was leased: an inside address, or the prefix that was delegated where its length is told.
pub fn leased(values: &Values<'_>) -> Option<Prefix> {
    let address = addr(values, Slot::Inside)?;
    let bits = match values.get(Slot::Bits) {
        None => 128,
        Some(text) => text.parse::<u8>().ok().filter(|bits| (1..=128).contains(bits) && !address.is_v4())?,
    };
    Some(Prefix::new(address, bits))
}

/// Who holds a lease: a hardware address, else a DUID; the same text as of lease files, so that both lead to the same opaque id.
pub fn holder(values: &Values<'_>) -> Option<String> {
    hardware(values).or_else(|| kea::client("", values.get(Slot::Duid)?, "").ok()?)
}

/// A hardware address in lower case with colons; nothing else counts for one.
pub fn hardware(values: &Values<'_>) -> Option<String> {
    let hex: Vec<char> = values.get(Slot::Mac)?.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_lowercase()).collect();
    let pairs: Vec<String> = hex.chunks(2).map(|pair| pair.iter().collect()).collect();
    (hex.len() == 12).then(|| pairs.join(":"))
}

/// How long a lease is good for, in milliseconds, where its line says.
pub fn life_ms(values: &Values<'_>) -> Option<i64> {
    number::<i64>(values, Slot::Seconds).filter(|s| (1..=366 * 86_400).contains(s)).map(|s| s * 1_000)
}

/// A protocol by number or name, with what stands around it left away: `6`, `tcp`, `(17)UDP`, `UDP(17)`.
pub fn protocol(text: &str) -> Option<u8> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let name: String = text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    match name.as_str() {
        "tcp" => Some(6),
        "udp" => Some(17),
        "icmp" => Some(1),
        "icmpv" | "ipv" if text.contains("icmp") || text.contains("ICMP") => Some(58),
        "gre" => Some(47),
        "esp" => Some(50),
        "sctp" => Some(132),
        "dccp" => Some(33),
        _ => digits.parse().ok(),
    }
}

/// A moment, and whether it was told in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The moment: of one in whole seconds, the first of its second.
    pub time: Millis,
    /// It was told in whole seconds.
    pub whole: bool,
}

impl Moment {
    /// The last moment that an end may mean: one in whole seconds leaves open when within its second it was, so what is said of that second is
    /// that the mapping may still have been there.
    fn last(self) -> Millis {
        if self.whole { self.time.plus(999) } else { self.time }
    }
}

/// A time inside a message: seconds since 1970, `20261122100000`, `11222026100000` (H3C), or any form of a header.
pub fn instant(text: &str, received: Millis, zone: i32) -> Option<Moment> {
    let text = text.trim().trim_matches(['[', ']', '"']);
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (stamp, time) = if all_digits && text.len() == 14 {
        let part = |from: usize, n: usize| text.get(from..from + n).and_then(|t| t.parse::<i64>().ok());
        let (year, month, day) = if part(0, 4).is_some_and(|y| (1990..2200).contains(&y)) {
            (part(0, 4)?, part(4, 2)?, part(6, 2)?)
        } else {
            (part(4, 4)?, part(0, 2)?, part(2, 2)?)
        };
        let ms = (part(8, 2)? * 3_600 + part(10, 2)? * 60 + part(12, 2)?) * 1_000;
        let stamp = Stamp {
            year: i32::try_from(year).ok(),
            month: u8::try_from(month).ok().filter(|m| (1..=12).contains(m))?,
            day: u8::try_from(day).ok().filter(|d| (1..=31).contains(d))?,
            ms,
            whole: true,
            zone: None,
        };
        (stamp, stamp.resolve(received, zone))
    } else if all_digits && (9..=10).contains(&text.len()) {
        let time = Millis(text.parse::<i64>().ok()? * 1_000);
        return (time.since(received).abs() < super::limits::BEHIND_MS).then_some(Moment { time, whole: true });
    } else {
        let (stamp, _) = stamp::find(text)?;
        (stamp, stamp.resolve(received, zone))
    };
    (time.1 & weir_record::kinds::line_flags::ARRIVAL == 0).then_some(Moment { time: time.0, whole: stamp.whole })
}

/// What the caller of [`nat`] knows besides the line.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The source.
    pub source: u32,
    /// When the line was written.
    pub time: Millis,
    /// It says so in whole seconds.
    pub whole: bool,
    /// When it arrived.
    pub received: Millis,
    /// Minutes east of UTC of times inside the line.
    pub zone: i32,
}

/// The NAT events of a line, remote ends as they are: one, or two where it tells of both ends; what an end tells of its beginning stands before it. None when something is missing or cannot
/// be; no event when the line tells of a connection that is not translated.
pub fn nat(values: &Values<'_>, ends: Ends, form: Form, about: &About) -> Option<Vec<NatEvent>> {
    let (Some(public), Some(inside)) = (addr(values, Slot::Public), addr(values, Slot::Inside)) else { return None };
    let ported = matches!(form, Form::Session | Form::Bib);
    let first: u16 = match form {
        Form::AddressBinding => 0,
        _ => number(values, Slot::PublicPort)?,
    };
    let last = match form {
        Form::Block => {
            let count = number::<u32>(values, Slot::PublicCount).and_then(|n| n.checked_sub(1));
            let counted = count.and_then(|n| u16::try_from(u32::from(first) + n).ok());
            number(values, Slot::PublicLast).or(counted).filter(|last| *last >= first)?
        }
        Form::AddressBinding => u16::MAX,
        _ => first,
    };
    let inside_port: u16 = if ported { number(values, Slot::InsidePort).unwrap_or(0) } else { 0 };
    let protocol = values.get(Slot::Protocol).map_or(Some(0), protocol)?;
    if public == inside && (!ported || first == inside_port) {
        return Some(Vec::new());
    }
    let event = |action: u8, time: Millis| NatEvent {
        time,
        action,
        form: form as u8,
        protocol: if ported { protocol } else { 0 },
        source: about.source,
        public_address: public,
        public_port: first,
        public_port_last: last,
        inside_address: inside,
        inside_port,
        remote_address: addr(values, Slot::Remote).filter(|_| ported).unwrap_or(Addr16::NONE),
        remote_port: number(values, Slot::RemotePort).filter(|_| ported).unwrap_or(0),
        remote_tag: 0,
    };
    let at = |slot| values.get(slot).and_then(|t| instant(t, about.received, about.zone));
    let line = Moment { time: about.time, whole: about.whole };
    let (create, delete, told) = (Action::Create as u8, Action::Delete as u8, Action::Told as u8);
    Some(match ends {
        Ends::Begin | Ends::BeginOnly => vec![event(create, at(Slot::Start).unwrap_or(line).time)],
        Ends::End => {
            let end = at(Slot::End).unwrap_or(line);
            let begun = began(values, end, &at).filter(|t| *t <= end.last() && end.time.since(*t) <= TOLD_BACK_MS);
            let begun = begun.map(|time| event(told, time));
            begun.into_iter().chain([event(delete, end.last())]).collect()
        }
        Ends::Both => {
            let end = at(Slot::End).unwrap_or(line).last();
            let start = at(Slot::Start).map(|s| s.time).filter(|s| *s <= end)?;
            vec![event(create, start), event(delete, end)]
        }
    })
}

/// The first value of an entry that cannot be, in words: its field and what is wrong with it. None where records can be made of it. What [`nat`],
/// [`leased`] and [`holder`] refuse, and ports that they can only leave out.
pub fn fault(values: &Values<'_>, event: Event, about: &About) -> Option<String> {
    let shown = |slot: Slot| values.get(slot).unwrap_or_default();
    let is_bad = |slot: Slot| match slot {
        Slot::Inside | Slot::Public => addr(values, slot).is_none(),
        Slot::Remote => values.get(slot).is_some() && addr(values, slot).is_none(),
        Slot::PublicPort => number::<u16>(values, slot).is_none(),
        _ => values.get(slot).is_some() && number::<u16>(values, slot).is_none(),
    };
    let wrong = |slots: &[Slot], what: &str| {
        let slot = *slots.iter().find(|s| is_bad(**s))?;
        let value = values.get(slot).map_or("is missing".to_owned(), |v| format!("= {v:?} is {what}"));
        Some(format!("{} {value}", slot.name()))
    };
    let address = "no IPv4 or IPv6 address";
    match event {
        Event::Nothing | Event::Auth(_) => None,
        Event::Lease | Event::Release | Event::Inquiry => wrong(&[Slot::Inside], address).or_else(|| {
            if leased(values).is_none() {
                return Some(format!("bits = {:?} is no length of an IPv6 prefix", shown(Slot::Bits)));
            }
            let nobody = event == Event::Lease && holder(values).is_none();
            nobody.then(|| match (values.get(Slot::Mac), values.get(Slot::Duid)) {
                (Some(mac), _) => format!("mac = {mac:?} is no hardware address"),
                (None, Some(duid)) => format!("duid = {duid:?} is no DUID"),
                (None, None) => "mac and duid are missing: a lease needs a hardware address or a DUID".to_owned(),
            })
        }),
        Event::Nat(ends, form) => {
            let ports: &[Slot] = match form {
                Form::AddressBinding => &[],
                Form::Block => &[Slot::PublicPort, Slot::PublicLast],
                _ => &[Slot::PublicPort, Slot::InsidePort, Slot::RemotePort],
            };
            let addresses = wrong(&[Slot::Public, Slot::Inside, Slot::Remote], address).or_else(|| wrong(ports, "no port"));
            addresses.or_else(|| nat(values, ends, form, about).is_none().then(|| unmade(values, ends, form)))
        }
    }
}

/// Why [`nat`] makes nothing of addresses and ports that can be.
fn unmade(values: &Values<'_>, ends: Ends, form: Form) -> String {
    let shown = |slot: Slot| values.get(slot).unwrap_or_default();
    if values.get(Slot::Protocol).is_some_and(|p| protocol(p).is_none()) {
        return format!("protocol = {:?} is neither a number nor a protocol that is known by name", shown(Slot::Protocol));
    }
    if form == Form::Block {
        return format!("public_last = {:?} and public_count = {:?} make no block", shown(Slot::PublicLast), shown(Slot::PublicCount));
    }
    if ends == Ends::Both {
        return format!("start = {:?} is no time before the end and within 30 days of now", shown(Slot::Start));
    }
    "its values make no mapping".to_owned()
}

/// When a mapping began whose end is `end`, where its line says: the first moment that this may be.
fn began(values: &Values<'_>, end: Moment, at: &dyn Fn(Slot) -> Option<Moment>) -> Option<Millis> {
    if let Some(start) = at(Slot::Start) {
        return Some(start.time);
    }
    let second = end.time.plus(-end.time.0.rem_euclid(1_000));
    if let (Some(since), Some(until)) = (at(Slot::Since), at(Slot::Until)) {
        return Some(second.plus(-until.time.since(since.time))).filter(|_| until.time >= since.time);
    }
    // In whole seconds, rounded down as those of the end are: a second more may have passed.
    values.get(Slot::Lasted).and_then(lasted).map(|seconds| second.plus(-(seconds + 1) * 1_000))
}

/// Seconds, or hours, minutes and seconds with colons.
fn lasted(text: &str) -> Option<i64> {
    let mut seconds = 0i64;
    for part in text.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(i64::from(part.parse::<u32>().ok()?))?;
    }
    (seconds <= TOLD_BACK_MS / 1_000 && text.bytes().filter(|b| *b == b':').count() < 3).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_in_whole_seconds_lasts_to_the_end_of_its_second() {
        let received: Millis = "2026-11-22T10:00:05+08:00".parse().unwrap();
        for (text, last) in [
            ("1795312800", "10:00:00.999"),
            ("20261122100000", "10:00:00.999"),
            ("2026/11/22 10:00:00", "10:00:00.999"),
            ("2026-11-22T10:00:00.000+08:00", "10:00:00.000"),
            ("2026-11-22 10:00:00.5", "10:00:00.500"),
        ] {
            let moment = instant(text, received, 480).unwrap();
            assert_eq!(moment.last().to_rfc3339(), format!("2026-11-22T{last}+08:00"), "{text}");
        }
    }

    #[test]
    fn protocols_and_times_inside_messages() {
        for (text, want) in [
            ("6", Some(6)),
            ("tcp", Some(6)),
            ("UDP", Some(17)),
            ("(17)UDP", Some(17)),
            ("ICMP", Some(1)),
            ("ICMPv6", Some(58)),
            ("x", None),
        ] {
            assert_eq!(protocol(text), want, "{text}");
        }
        let received: Millis = "2026-11-22T10:00:05+08:00".parse().unwrap();
        for (text, want) in [
            ("1795312800", Some("2026-11-22T10:00:00.000+08:00")),
            ("20261122100000", Some("2026-11-22T10:00:00.000+08:00")),
            ("11222026100000", Some("2026-11-22T10:00:00.000+08:00")),
            ("2026/11/22 10:00:00", Some("2026-11-22T10:00:00.000+08:00")),
            ("20269922100000", None),
            ("0", None),
            ("1", None),
        ] {
            assert_eq!(instant(text, received, 480).map(|m| m.time.to_rfc3339()).as_deref(), want, "{text}");
        }
    }
}
