//! Programs that are measured beside ours. A measuring program passes over one that is not there, with a line on standard error; here that is found out, so
//! that no section is written which compares us with nobody.

use super::readings::Measured;
use crate::workspace::{Workspace, output};

/// A program that stands beside ours in a section.
#[derive(Debug, PartialEq, Eq)]
pub struct Peer {
    /// How its readings begin.
    pub name: &'static str,
    /// What to do where it is missing.
    install: &'static str,
    /// What makes it say its version, to the shell.
    version: &'static str,
}

pub const NFCAPD: Peer = Peer { name: "nfcapd", install: "`make deps` installs it (package nfdump)", version: "nfcapd -V" };
pub const NFDUMP: Peer = Peer { name: "nfdump", install: "`make deps` installs it", version: "nfdump -V" };
pub const DUCKDB: Peer = Peer {
    name: "DuckDB",
    install: "`make deps` installs it into ~/.cache/weir/venv",
    version: "\"${WEIR_PYTHON:-python3}\" -c 'import duckdb; print(duckdb.__version__)'",
};
pub const CHDB: Peer = Peer {
    name: "chDB",
    install: "`scripts/deps bench` installs it into ~/.cache/weir/venv",
    version: "\"${WEIR_PYTHON:-python3}\" -c 'import chdb; print(chdb.__version__)'",
};
pub const FREERADIUS: Peer = Peer {
    name: "FreeRADIUS",
    install: "`scripts/deps bench` installs it, with the packages freeradius-postgresql and postgresql",
    version: "freeradius -v",
};
pub const RSYSLOG: Peer = Peer { name: "rsyslog", install: "`make deps` installs it", version: "rsyslogd -v" };
pub const SYSLOG_NG: Peer = Peer { name: "syslog-ng", install: "`make deps` unpacks it", version: "syslog-ng --version" };
pub const SHA256SUM: Peer = Peer { name: "sha256sum", install: "it is in the package coreutils", version: "sha256sum --version" };

/// Those that were not measured at every size at which anything was.
pub fn missing<'a>(peers: &'a [Peer], figures: &[Measured]) -> Vec<&'a Peer> {
    let at = |peer: &Peer, size: Option<f64>| figures.iter().any(|(work, x, _)| *x == size && work.starts_with(peer.name));
    peers.iter().filter(|peer| figures.iter().any(|(_, x, _)| !at(peer, *x))).collect()
}

/// Which versions stand beside us, as a sentence with a blank before it; nothing where none does.
pub fn versions(workspace: &Workspace, peers: &[Peer]) -> String {
    let each = peers.iter().map(|peer| {
        let said = output(workspace.command("sh", &["-c", &format!("{} 2>&1", peer.version)])).unwrap_or_default();
        format!("{} {}", peer.name, version(&said).unwrap_or("of an unknown version"))
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() { String::new() } else { format!(" Beside it: {}.", each.join(", ")) }
}

/// The first thing in what a program says of itself that looks like a version.
fn version(said: &str) -> Option<&str> {
    said.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.')).find(|word| word.contains('.'))
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
    fn versions_are_found_in_what_programs_say() {
        for (said, found) in [
            ("nfcapd: Version: 1.7.1\n", Some("1.7.1")),
            ("nfdump: Version: NSEL-NEL1.7.1", Some("1.7.1")),
            ("radiusd: FreeRADIUS Version 3.2.1, for host x86_64-pc-linux-gnu, built on", Some("3.2.1")),
            ("syslog-ng 3 (3.38.1)\nConfig version: 3.35", Some("3.38.1")),
            ("sh: 1: nfcapd: not found", None),
        ] {
            assert_eq!(version(said), found);
        }
        let here = Workspace::here().unwrap();
        assert_eq!(versions(&here, &[]), "");
        let peer = Peer { name: "one", install: "", version: "echo version 7.25.3" };
        assert_eq!(
            versions(&here, &[peer, Peer { name: "two", install: "", version: "false" }]),
            " Beside it: one 7.25.3, two of an unknown version."
        );
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
