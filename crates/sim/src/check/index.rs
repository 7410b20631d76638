//! The truth in memory, to be looked up by public address, port, protocol and time.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

use weir_base::net::{Addr16, Prefix};

use super::Question;
use crate::error::SimError;
use crate::truth::{self, Footer, Header, Line};

/// Lengths of prefixes that a login may hold.
const PREFIX_BITS: [u8; 2] = [64, 56];

/// A mapping or a login: who held what from when until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// (realm, account), by number; see [`TruthIndex::person`].
    pub person: u32,
    /// The inside address; `None` for a login, where the public address is the subscriber's own.
    pub inside: Option<Addr16>,
    /// Begin, milliseconds since 1970.
    pub start: i64,
    /// End; `i64::MAX` while open.
    pub end: i64,
    /// Told of in whole seconds.
    pub in_seconds: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct MappingRow {
    pub public: Addr16,
    pub port: u16,
    pub port_end: u16,
    pub protocol: u8,
    /// Where the port serves several remote ends.
    pub remote: Option<(Addr16, u16)>,
    pub exporter: u32,
    pub holder: Holder,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct LoginRow {
    pub framed: Option<Addr16>,
    pub plain: bool,
    pub prefix: Option<Prefix>,
    pub delegated: Option<Prefix>,
    pub holder: Holder,
}

/// A loaded truth file.
#[derive(Debug, Default)]
pub struct TruthIndex {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) nat_pools: Vec<Prefix>,
    pub(super) mappings: Vec<MappingRow>,
    pub(super) logins: Vec<LoginRow>,
    /// Logins one can ask about without a NAT.
    pub(super) askable: Vec<u32>,
    persons: Vec<(String, String)>,
    exporters: Vec<String>,
    person_ids: HashMap<(String, String), u32>,
    by_port: HashMap<(Addr16, u16, u8), Vec<u32>>,
    by_public: HashMap<Addr16, Vec<u32>>,
    plain: HashMap<Addr16, Vec<u32>>,
    by_prefix: HashMap<Prefix, Vec<u32>>,
    by_inside: HashMap<(String, Addr16), Vec<u32>>,
}

impl TruthIndex {
    /// Loads a truth file.
    pub fn load(path: &Path) -> Result<TruthIndex, SimError> {
        let mut index = TruthIndex::default();
        let (header, footer) = truth::read(path, |line| index.add(&line))?;
        index.close(&header, &footer);
        Ok(index)
    }

    pub(super) fn close(&mut self, header: &Header, footer: &Footer) {
        (self.from, self.to) = (header.from, footer.to);
        let coarse = |m: &MappingRow| self.exporters.get(m.exporter as usize).is_some_and(|name| header.in_seconds.contains(name));
        let marks: Vec<bool> = self.mappings.iter().map(coarse).collect();
        self.mappings.iter_mut().zip(marks).for_each(|(m, coarse)| m.holder.in_seconds = coarse);
        self.nat_pools = header.pools.iter().filter(|p| p.what == "nat").filter_map(|p| p.prefix.parse().ok()).collect();
    }

    pub(super) fn add(&mut self, line: &Line) -> Result<(), String> {
        let key = (line.realm.clone(), line.account.clone());
        let person = match self.person_ids.get(&key) {
            Some(person) => *person,
            None => {
                let person = u32::try_from(self.persons.len()).map_err(|_| "too many accounts".to_owned())?;
                self.persons.push(key.clone());
                self.person_ids.insert(key, person);
                person
            }
        };
        let address = |text: &String| text.parse::<Addr16>().map_err(|_| "an address is not understood".to_owned());
        let inside = line.inside.as_ref().map(address).transpose()?;
        let holder = Holder { person, inside, start: line.start, end: line.end.unwrap_or(i64::MAX), in_seconds: false };
        if line.form == "login" { self.add_login(line, holder) } else { self.add_mapping(line, holder, address) }
    }

    fn add_mapping(&mut self, line: &Line, holder: Holder, address: impl Fn(&String) -> Result<Addr16, String>) -> Result<(), String> {
        let public = address(line.public.as_ref().ok_or("a mapping without a public address")?)?;
        if line.port > line.port_end || holder.inside.is_none() {
            return Err("a mapping without ports or inside address".into());
        }
        let remote = line.remote.as_deref().map(|r| r.parse::<SocketAddr>().map_err(|_| "a remote end is not understood".to_owned()));
        let remote = remote.transpose()?.map(|r| (Addr16::from(r.ip()), r.port()));
        let known = self.exporters.iter().position(|name| *name == line.exporter);
        let exporter = known.unwrap_or_else(|| {
            self.exporters.push(line.exporter.clone());
            self.exporters.len() - 1
        }) as u32;
        let row = MappingRow { public, port: line.port, port_end: line.port_end, protocol: line.protocol, remote, exporter, holder };
        let number = self.mappings.len() as u32;
        if line.port == line.port_end && line.protocol != 0 {
            self.by_port.entry((public, line.port, line.protocol)).or_default().push(number);
        } else {
            self.by_public.entry(public).or_default().push(number);
        }
        self.mappings.push(row);
        Ok(())
    }

    fn add_login(&mut self, line: &Line, mut holder: Holder) -> Result<(), String> {
        let prefix = |text: &Option<String>| text.as_ref().map(|t| t.parse::<Prefix>()).transpose();
        let (framed, prefix, delegated) = (holder.inside.take(), prefix(&line.prefix)?, prefix(&line.delegated)?);
        let number = self.logins.len() as u32;
        if let Some(framed) = framed {
            self.by_inside.entry((line.realm.clone(), framed)).or_default().push(number);
            if line.plain {
                self.plain.entry(framed).or_default().push(number);
            }
        }
        for prefix in [prefix, delegated].into_iter().flatten() {
            if !PREFIX_BITS.contains(&prefix.bits) {
                return Err(format!("a prefix of {} bits; known are {PREFIX_BITS:?}", prefix.bits));
            }
            self.by_prefix.entry(prefix).or_default().push(number);
        }
        if line.plain || prefix.is_some() || delegated.is_some() {
            self.askable.push(number);
        }
        self.logins.push(LoginRow { framed, plain: line.plain, prefix, delegated, holder });
        Ok(())
    }

    /// The realm and the account of a person.
    pub fn person(&self, person: u32) -> (&str, &str) {
        self.persons.get(person as usize).map_or(("", ""), |(realm, account)| (realm, account))
    }

    /// Persons known.
    pub fn persons(&self) -> usize {
        self.persons.len()
    }

    /// Everybody who held a question's public address, port and protocol, towards its remote end, at any time from `from` to `to`: mappings, and logins for which the
    /// address is their own.
    pub fn holders(&self, q: &Question, from: i64, to: i64) -> Vec<Holder> {
        let (public, port, protocol) = (q.public, q.port, q.protocol);
        let towards = |m: &&MappingRow| m.remote.is_none() || q.remote.is_none() || m.remote == q.remote;
        let overlaps = |h: &Holder| h.start <= to && h.end >= from;
        let mut found = Vec::new();
        let exact = port.and_then(|port| self.by_port.get(&(public, port, protocol)));
        for number in exact.into_iter().flatten() {
            found.extend(self.mappings.get(*number as usize).filter(towards).map(|m| m.holder).filter(overlaps));
        }
        for number in self.by_public.get(&public).into_iter().flatten() {
            let Some(m) = self.mappings.get(*number as usize) else { continue };
            let whole = m.port == 0 && m.port_end == u16::MAX;
            let fits = whole || port.is_some_and(|p| (m.port..=m.port_end).contains(&p));
            if fits && towards(&m) && overlaps(&m.holder) {
                found.push(m.holder);
            }
        }
        found.extend(self.logins_at(public).filter(overlaps));
        found
    }

    fn logins_at(&self, address: Addr16) -> impl Iterator<Item = Holder> + '_ {
        let prefixes = PREFIX_BITS.into_iter().filter(move |_| !address.is_v4());
        let in_prefix = prefixes.filter_map(move |bits| self.by_prefix.get(&Prefix::new(address, bits))).flatten();
        let plain = self.plain.get(&address).into_iter().flatten();
        plain.chain(in_prefix).filter_map(|n| self.logins.get(*n as usize)).map(|l| l.holder)
    }

    /// The persons who were logged in with this inside address at any time from `from` to `to`.
    pub(super) fn logged_in(&self, realm: &str, inside: Addr16, from: i64, to: i64) -> Vec<u32> {
        let by_address = self.by_inside.get(&(realm.to_owned(), inside)).into_iter().flatten();
        let framed = by_address.filter_map(|n| self.logins.get(*n as usize)).map(|l| l.holder);
        let mut found: Vec<u32> = framed
            .chain(self.logins_at(inside).filter(|h| self.person(h.person).0 == realm))
            .filter(|h| h.start <= to && h.end >= from)
            .map(|h| h.person)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
