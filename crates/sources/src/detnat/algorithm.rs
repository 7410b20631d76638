//! From an inside address to its public address and ports, and back. Pure.
//!
//! Both sides are lists of address ranges, counted through in their order. Which ports an inside address has follows from its place alone.

use std::fmt;
use std::str::FromStr;

use weir_base::net::{Addr16, Prefix};

use super::limits::{ADDRESSES, RANGES};

/// Address ranges in their order: the place of an address is its number in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side(Vec<(u128, u64)>);

impl Side {
    /// Reads a list of prefixes and ranges, e.g. `203.0.113.0/28` and `10.1.0.1-10.1.255.254`.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn parse<T: AsRef<str>>(list: &[T]) -> Result<Side, String> {
        if list.is_empty() {
            return Err("is empty: name at least one prefix, e.g. [\"203.0.113.0/28\"]".to_owned());
        }
        if list.len() > RANGES {
            return Err(format!("has {} ranges, at most {RANGES} are allowed", list.len()));
        }
        let mut side = Side::default();
        for text in list {
            let (first, last) = range(text.as_ref())?;
            let count = u64::try_from(last - first).ok().and_then(|n| n.checked_add(1)).filter(|n| *n <= ADDRESSES);
            let count = count.ok_or_else(|| format!("{:?} holds more than {ADDRESSES} addresses", text.as_ref()))?;
            if side.0.iter().any(|(f, n)| first < f + u128::from(*n) && *f <= last) {
                return Err(format!("{:?} overlaps a range before it", text.as_ref()));
            }
            side.0.push((first, count));
        }
        if side.len() > ADDRESSES {
            return Err(format!("holds {} addresses, at most {ADDRESSES} are allowed", side.len()));
        }
        Ok(side)
    }

    /// Addresses in the list.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(_, n)| n).sum()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of an address.
    pub fn place(&self, address: Addr16) -> Option<u64> {
        let (number, mut before) = (u128::from_be_bytes(address.0), 0);
        for (first, count) in &self.0 {
            match number.checked_sub(*first).and_then(|n| u64::try_from(n).ok()).filter(|n| n < count) {
                Some(n) => return Some(before + n),
                None => before += count,
            }
        }
        None
    }

    /// The address at a place.
    pub fn at(&self, place: u64) -> Option<Addr16> {
        let mut left = place;
        for (first, count) in &self.0 {
            if left < *count {
                return Some(Addr16((first + u128::from(left)).to_be_bytes()));
            }
            left -= count;
        }
        None
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, count)) in self.0.iter().enumerate() {
            let (a, b) = (Addr16(first.to_be_bytes()), Addr16((first + u128::from(*count) - 1).to_be_bytes()));
            write!(f, "{}{a}-{b}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

fn range(text: &str) -> Result<(u128, u128), String> {
    let number = |a: Addr16| u128::from_be_bytes(a.0);
    if let Some((first, last)) = text.split_once('-') {
        let bad = || format!("{text:?} is not a range: write it as 10.1.0.1-10.1.255.254");
        let (first, last): (Addr16, Addr16) = (first.parse().map_err(|_| bad())?, last.parse().map_err(|_| bad())?);
        if first > last || first.is_v4() != last.is_v4() {
            return Err(bad());
        }
        return Ok((number(first), number(last)));
    }
    let prefix: Prefix = text.parse()?;
    let host = if prefix.bits == 0 { u128::MAX } else { (1u128 << (128 - u32::from(prefix.bits))) - 1 };
    Ok((number(prefix.addr), number(prefix.addr) | host))
}

/// How ports follow from places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 7422 section 2, sequential: each public address is cut into as many blocks as inside addresses share it, plus a share for the
    /// dynamic pool; the first inside addresses have the blocks of the first public address, from its first port up.
    Rfc7422 {
        /// The dynamic pool factor D: so many blocks of each public address are left to a pool that is logged.
        dynamic: u32,
        /// Most ports an inside address gets (M); 0 for no limit.
        most: u32,
    },
    /// Juniper's deterministic port blocks: blocks follow each other through the ports of all public addresses, so that one may begin on one
    /// address and end on the next.
    Juniper {
        /// Ports of a block; 0 to have it computed: 64512 / ⌈inside addresses / public addresses⌉, over the ports that are given.
        block: u32,
    },
    /// Each inside address has a public address of its own, all ports.
    OneToOne,
}

impl Algorithm {
    /// The word in configuration and records.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Rfc7422 { .. } => "rfc7422",
            Algorithm::Juniper { .. } => "juniper",
            Algorithm::OneToOne => "one-to-one",
        }
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Algorithm, String> {
        match text {
            "rfc7422" => Ok(Algorithm::Rfc7422 { dynamic: 0, most: 0 }),
            "juniper" => Ok(Algorithm::Juniper { block: 0 }),
            "one-to-one" => Ok(Algorithm::OneToOne),
            _ => Err(format!("algorithm {text:?} is not known: write \"rfc7422\", \"juniper\" or \"one-to-one\"")),
        }
    }
}

/// One configuration: two sides, the ports, and how they go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Inside addresses.
    pub inside: Side,
    /// Public addresses.
    pub public: Side,
    /// How ports follow.
    pub algorithm: Algorithm,
    /// First port that is given to inside addresses.
    pub first_port: u16,
    /// Last port that is given.
    pub last_port: u16,
}

/// Ports of one public address that belong to one inside address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The public address.
    pub public: Addr16,
    /// First port.
    pub first: u16,
    /// Last port.
    pub last: u16,
}

impl Plan {
    /// Checks that every inside address gets at least one port.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.first_port > self.last_port {
            return Err(format!("ports {}-{} are none: the first must not be above the last", self.first_port, self.last_port));
        }
        if self.algorithm == Algorithm::OneToOne {
            return if self.inside.len() == self.public.len() {
                Ok(())
            } else {
                let (inside, public) = (self.inside.len(), self.public.len());
                Err(format!("{inside} inside and {public} public addresses: one to one needs as many of both"))
            };
        }
        let (block, room) = (self.block(), self.room());
        let needed = match self.algorithm {
            Algorithm::Juniper { .. } => self.inside.len().saturating_mul(block) <= self.public.len() * room,
            _ => true,
        };
        if block == 0 || block > room || !needed {
            return Err(format!(
                "{} inside addresses do not fit into {} public ones: add public addresses, or make blocks smaller",
                self.inside.len(),
                self.public.len()
            ));
        }
        Ok(())
    }

    /// Ports of one public address.
    fn room(&self) -> u64 {
        u64::from(self.last_port - self.first_port.min(self.last_port)) + 1
    }

    /// Inside addresses that share one public address.
    fn ratio(&self) -> u64 {
        self.inside.len().div_ceil(self.public.len().max(1)).max(1)
    }

    /// Ports of one inside address.
    pub fn block(&self) -> u64 {
        match self.algorithm {
            Algorithm::Rfc7422 { dynamic, most } => {
                let even = self.room() / (self.ratio() + u64::from(dynamic));
                if most == 0 { even } else { even.min(u64::from(most)) }
            }
            Algorithm::Juniper { block: 0 } => self.room() / self.ratio(),
            Algorithm::Juniper { block } => u64::from(block),
            Algorithm::OneToOne => 65_536,
        }
    }

    /// The ports of an inside address; none when it is not in the plan. Two pieces where a block goes over to the next public address.
    pub fn forward(&self, inside: Addr16) -> Vec<Ports> {
        let Some(place) = self.inside.place(inside) else { return Vec::new() };
        let (block, room) = (self.block(), self.room());
        let piece = |address: u64, first: u64, last: u64| {
            let port = |n: u64| u16::try_from(u64::from(self.first_port) + n).ok();
            Some(Ports { public: self.public.at(address)?, first: port(first)?, last: port(last)? })
        };
        match self.algorithm {
            Algorithm::OneToOne => self.public.at(place).map(|public| Ports { public, first: 0, last: u16::MAX }).into_iter().collect(),
            Algorithm::Rfc7422 { .. } => {
                let (address, number) = (place / self.ratio(), place % self.ratio());
                piece(address, number * block, number * block + block - 1).into_iter().collect()
            }
            Algorithm::Juniper { .. } => {
                let (mut at, end, mut out) = (place * block, place * block + block, Vec::new());
                while at < end {
                    let (address, first) = (at / room, at % room);
                    let last = (first + (end - at)).min(room) - 1;
                    out.extend(piece(address, first, last));
                    at += last - first + 1;
                }
                out
            }
        }
    }

    /// The inside address that has this public port, and all the ports of that public address it has. None when nobody has it.
    pub fn inverse(&self, public: Addr16, port: u16) -> Option<(Addr16, Ports)> {
        let address = self.public.place(public)?;
        let (block, room) = (self.block(), self.room());
        let offset = u64::from(port).checked_sub(u64::from(self.first_port)).filter(|o| *o < room);
        let place = match self.algorithm {
            Algorithm::OneToOne => address,
            Algorithm::Rfc7422 { .. } => {
                let number = offset? / block.max(1);
                (number < self.ratio()).then(|| address * self.ratio() + number)?
            }
            Algorithm::Juniper { .. } => (address * room + offset?) / block.max(1),
        };
        let inside = self.inside.at(place)?;
        let ports = self.forward(inside).into_iter().find(|p| p.public == public && (p.first..=p.last).contains(&port))?;
        Some((inside, ports))
    }
}
