//! What becomes of the remote ends of NAT events.
//!
//! RFC 6888 REQ-12: a CGN should not log destinations unless it must. So they are dropped here by default, before anything is written,
//! and counted. A policy with a date keeps them, or keeps a fingerprint under a key that is not with the records: with it one can tell
//! whether a mapping led to a given remote end, but not list where people went.

use std::str::FromStr;

use weir_base::crypto::Mac;
use weir_base::time::Millis;
use weir_record::kinds::NatEventColumns;

/// What is kept of remote ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remotes {
    /// Nothing.
    #[default]
    Drop,
    /// Address and port.
    Keep,
    /// 64 bits of HMAC-SHA-256 over address and port.
    Fingerprint,
}

impl FromStr for Remotes {
    type Err = String;

    fn from_str(text: &str) -> Result<Remotes, String> {
        match text {
            "drop" => Ok(Remotes::Drop),
            "keep" => Ok(Remotes::Keep),
            "fingerprint" => Ok(Remotes::Fingerprint),
            _ => Err(format!("policy {text:?} is not known: write \"drop\", \"keep\" or \"fingerprint\"")),
        }
    }
}

/// What is kept, by date. Before the first step everything is dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemotePolicy {
    steps: Vec<(Millis, Remotes)>,
}

impl RemotePolicy {
    /// A policy of steps with rising times.
    pub fn new(steps: Vec<(Millis, Remotes)>) -> RemotePolicy {
        RemotePolicy { steps }
    }

    /// What is kept of records that arrive at `now`.
    pub fn at(&self, now: Millis) -> Remotes {
        self.steps.iter().rev().find(|(from, _)| *from <= now).map_or(Remotes::Drop, |(_, policy)| *policy)
    }
}

/// The fingerprint of a remote end: the first 8 bytes, big-endian, of HMAC-SHA-256 over the 16-byte address and the 2-byte big-endian
/// port. Never 0, which means "none". The look-up computes the same from the remote end it is asked about.
pub fn fingerprint(mac: &Mac, address: &[u8; 16], port: u16) -> u64 {
    let digest = mac.of(&[address, &port.to_be_bytes()]);
    digest.first_chunk::<8>().map_or(1, |b| u64::from_be_bytes(*b)).max(1)
}

/// Turns the remote ends of the rows from `start` on into fingerprints. Rows without a remote end stay without one.
pub fn to_fingerprints(mac: &Mac, columns: &mut NatEventColumns, start: usize) {
    let addresses = columns.remote_address.iter_mut().skip(start);
    let ports = columns.remote_port.iter_mut().skip(start);
    for ((address, port), tag) in addresses.zip(ports).zip(columns.remote_tag.iter_mut().skip(start)) {
        if *address != [0; 16] {
            *tag = fingerprint(mac, address, *port);
            (*address, *port) = ([0; 16], 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_base::crypto::Secret;
    use weir_base::net::Addr16;
    use weir_record::kinds::NatEvent;

    use super::*;

    #[test]
    fn the_policy_begins_on_its_day() {
        use Remotes::{Drop, Fingerprint, Keep};
        let policy = RemotePolicy::new(vec![(Millis(100), Keep), (Millis(200), Fingerprint)]);
        let got = [0, 99, 100, 199, 200, 999].map(|t| policy.at(Millis(t)));
        assert_eq!(got, [Drop, Drop, Keep, Keep, Fingerprint, Fingerprint]);
        assert_eq!(RemotePolicy::default().at(Millis(i64::MAX)), Drop);
    }

    #[test]
    fn a_fingerprint_replaces_the_remote_end() {
        let mac = Mac::new(&Secret([7; 32]));
        let remote: Addr16 = "198.51.100.9".parse().unwrap();
        let mut columns = NatEventColumns::default();
        let event = NatEvent { remote_address: remote, remote_port: 443, ..NatEvent::default() };
        columns.push(&event);
        columns.push(&event);
        columns.push(&NatEvent::default());
        to_fingerprints(&mac, &mut columns, 1);
        assert_eq!(columns.remote_tag, [0, fingerprint(&mac, &remote.0, 443), 0]);
        assert_eq!(columns.remote_port, [443, 0, 0]);
        assert_eq!(columns.remote_address, [remote.0, [0; 16], [0; 16]]);
        assert_ne!(fingerprint(&mac, &remote.0, 443), fingerprint(&mac, &remote.0, 80));
        assert_ne!(fingerprint(&mac, &remote.0, 443), fingerprint(&Mac::new(&Secret([8; 32])), &remote.0, 443));
    }
}
