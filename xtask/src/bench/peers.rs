//! Programs that are measured beside ours. A measuring program passes over one that is not there, with a line on standard error; here that is found out, so
//! that no section is written which compares us with nobody.

use super::readings::Measured;

/// A program that stands beside ours in a section.
#[derive(Debug, PartialEq, Eq)]
pub struct Peer {
    /// How its readings begin.
    pub name: &'static str,
    /// What to do where it is missing.
    install: &'static str,
}

pub const NFCAPD: Peer = Peer { name: "nfcapd", install: "`make deps` installs it (package nfdump)" };
pub const NFDUMP: Peer = Peer { name: "nfdump", install: "`make deps` installs it" };
pub const DUCKDB: Peer = Peer { name: "DuckDB", install: "`make deps` installs it into ~/.cache/weir/venv" };
pub const CHDB: Peer = Peer { name: "chDB", install: "`scripts/deps bench` installs it into ~/.cache/weir/venv" };
pub const FREERADIUS: Peer =
    Peer { name: "FreeRADIUS", install: "`scripts/deps bench` installs it, with the packages freeradius-postgresql and postgresql" };
pub const RSYSLOG: Peer = Peer { name: "rsyslog", install: "`make deps` installs it" };
pub const SYSLOG_NG: Peer = Peer { name: "syslog-ng", install: "`make deps` unpacks it" };
pub const SHA256SUM: Peer = Peer { name: "sha256sum", install: "it is in the package coreutils" };

/// Those that were not measured at every size at which anything was.
pub fn missing<'a>(peers: &'a [Peer], figures: &[Measured]) -> Vec<&'a Peer> {
    let at = |peer: &Peer, size: Option<f64>| figures.iter().any(|(work, x, _)| *x == size && work.starts_with(peer.name));
    peers.iter().filter(|peer| figures.iter().any(|(_, x, _)| !at(peer, *x))).collect()
}

/// What a section says of them, after its text.
pub fn said(missing: &[&Peer]) -> String {
    let names: Vec<&str> = missing.iter().map(|peer| peer.name).collect();
    if names.is_empty() { String::new() } else { format!("\n\nNot measured, or not at every size: {}.", names.join(", ")) }
}

/// Why a section is not written; none where all of them were measured.
pub fn refusal(section: &str, missing: &[&Peer]) -> Option<String> {
    let each: Vec<String> = missing.iter().map(|peer| format!("\n  {}: {}", peer.name, peer.install)).collect();
    let what = "not everything was measured that stands beside us in it. Install what is missing and measure again, or give --without-peers: \
                then it is written and says what it lacks. Not measured, or not at every size:";
    if each.is_empty() { None } else { Some(format!("the section '{section}' is not written, as {what}{}", each.concat())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Figure;

    fn of(work: &str, x: Option<f64>) -> Measured {
        (work.to_owned(), x, Figure::of(&[1.0]).unwrap())
    }

    #[test]
    fn a_peer_is_missing_where_it_is_not_measured_at_every_size() {
        let peers = [NFDUMP, DUCKDB];
        let names = |figures: &[Measured]| missing(&peers, figures).iter().map(|peer| peer.name).collect::<Vec<_>>();
        let ours = [of("weir: ms", Some(1.0)), of("weir: ms", Some(2.0)), of("weir: what nfdump took, times", Some(1.0))];
        assert_eq!(names(&ours), ["nfdump", "DuckDB"]);
        let mut some = ours.to_vec();
        some.extend([of("nfdump: ms", Some(1.0)), of("DuckDB: ms", Some(1.0)), of("nfdump: ms", Some(2.0))]);
        assert_eq!(names(&some), ["DuckDB"]);
        some.push(of("DuckDB: bytes", Some(2.0)));
        assert_eq!(names(&some), [""; 0]);
        assert_eq!(missing(&[NFCAPD], &[of("weir: µs", None), of("nfcapd (LZ4): µs", None)]), [&NFCAPD; 0]);
        assert_eq!(missing(&[], &ours), [&NFCAPD; 0]);
    }

    #[test]
    fn a_section_without_its_peers_is_refused_or_says_so() {
        let problem = refusal("lookup", &[&DUCKDB, &CHDB]).unwrap();
        for part in ["'lookup' is not written", "--without-peers", "DuckDB: `make deps`", "chDB: `scripts/deps bench`"] {
            assert!(problem.contains(part), "{part} not in {problem}");
        }
        assert_eq!(said(&[&DUCKDB, &CHDB]), "\n\nNot measured, or not at every size: DuckDB, chDB.");
        assert_eq!((refusal("lookup", &[]), said(&[])), (None, String::new()));
    }
}
