//! What a measure states about itself, and the check of the whole list before anything starts.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Component, PathBuf};

use weir_record::Kind;

use crate::clause::clause;
use crate::limits::NAME_BYTES;

/// A title in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Title {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// What a measure is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name, unique in the program: lower-case letters, digits and `-`.
    pub name: &'static str,
    /// Title.
    pub title: Title,
    /// Ids of the clauses it helps to fulfil.
    pub obligations: &'static [&'static str],
    /// Kinds of records it writes.
    pub kinds: &'static [Kind],
    /// Ports and files it will hold, from its configuration.
    pub holds: Vec<Resource>,
}

/// Something only one measure can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A UDP socket. Port 0 is chosen by the kernel and never in the way.
    Udp(SocketAddr),
    /// A listening TCP socket.
    Tcp(SocketAddr),
    /// A file it writes, or a folder whose files it takes in.
    File(PathBuf),
}

impl Resource {
    /// True when both cannot be held at once. Addresses are compared as the kernel does: an unspecified address takes every address of its
    /// family, and `[::]` takes those of IPv4 too. Paths are compared by their text: no file is touched.
    pub fn conflicts(&self, other: &Resource) -> bool {
        match (self, other) {
            (Resource::Udp(a), Resource::Udp(b)) | (Resource::Tcp(a), Resource::Tcp(b)) => sockets_conflict(*a, *b),
            (Resource::File(a), Resource::File(b)) => plain(a) == plain(b),
            _ => false,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Udp(at) => write!(f, "udp {at}"),
            Resource::Tcp(at) => write!(f, "tcp {at}"),
            Resource::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

fn sockets_conflict(a: SocketAddr, b: SocketAddr) -> bool {
    let (x, y) = (a.ip().to_canonical(), b.ip().to_canonical());
    let takes = |one: IpAddr, two: IpAddr| one == Ipv6Addr::UNSPECIFIED || (one.is_unspecified() && one.is_ipv4() == two.is_ipv4());
    a.port() == b.port() && a.port() != 0 && (x == y || takes(x, y) || takes(y, x))
}

/// The path without `.` and with `..` taken back, as far as its text says.
fn plain(path: &std::path::Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}

/// Why a list of measures cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Two measures, or one twice, want the same thing.
    #[error("{first} and {second} both want {resource}: give one of them another address or file in the configuration")]
    Conflict {
        /// The one that is listed first.
        first: &'static str,
        /// The other one.
        second: &'static str,
        /// What the second one wants.
        resource: Resource,
    },
    /// Two measures have one name.
    #[error("two measures are called {0}: a name is used once")]
    Twice(&'static str),
    /// Not a name.
    #[error("{0:?} is not a name of a measure: write 1 to {max} lower-case letters, digits and -", max = NAME_BYTES)]
    Name(&'static str),
    /// No such clause.
    #[error("{measure} names the clause {id}, which is not in the list of clauses")]
    Clause {
        /// The measure.
        measure: &'static str,
        /// The id.
        id: &'static str,
    },
    /// It fulfils nothing.
    #[error("{0} names no clause: a measure exists for a clause")]
    Purpose(&'static str),
}

/// All problems of a list of measures; empty when it can start.
pub fn check(list: &[Description]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut held: Vec<(&'static str, &Resource)> = Vec::new();
    for (at, one) in list.iter().enumerate() {
        let letters = one.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if one.name.is_empty() || one.name.len() > NAME_BYTES || !letters {
            problems.push(Problem::Name(one.name));
        }
        if list.iter().take(at).any(|other| other.name == one.name) {
            problems.push(Problem::Twice(one.name));
        }
        if one.obligations.is_empty() {
            problems.push(Problem::Purpose(one.name));
        }
        problems.extend(one.obligations.iter().filter(|id| clause(id).is_none()).map(|id| Problem::Clause { measure: one.name, id }));
        for resource in &one.holds {
            if let Some((first, _)) = held.iter().find(|(_, other)| other.conflicts(resource)) {
                problems.push(Problem::Conflict { first, second: one.name, resource: resource.clone() });
            }
            held.push((one.name, resource));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
