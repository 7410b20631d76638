//! Which version a device sends of which nothing is kept. Pure.
//!
//! One datagram is no proof: anybody can send one in its name, and what is no flow log at all begins with some byte too. A version that exists (1, 5,
//! 7) is believed at once, the newest of them; another one where it is most of what came lately.

/// Versions that devices send (H3C's references name 1.0, 3.0, 5.0 and 7.0).
const KNOWN: [u8; 3] = [1, 5, 7];

/// Datagrams that are looked back on.
const LATELY: usize = 16;

/// The versions of the last datagrams.
#[derive(Clone, Debug, Default)]
pub struct Unread {
    /// The newest version that exists of which nothing is kept, until a datagram that is read comes.
    known: Option<u8>,
    /// First bytes of the last datagrams, the newest last; none for one that is read.
    lately: Vec<Option<u8>>,
}

impl Unread {
    /// A datagram came; `read`: there is a layout for it.
    pub fn heard(&mut self, data: &[u8], read: bool) {
        let Some(first) = data.first().copied() else { return };
        if read {
            self.known = None;
        } else if KNOWN.contains(&first) {
            self.known = Some(first);
        }
        if self.lately.len() >= LATELY {
            self.lately.remove(0);
        }
        self.lately.push((!read).then_some(first));
    }

    /// The version to speak of; none where what comes is read.
    pub fn version(&self) -> Option<u8> {
        let most = |v: &&u8| self.lately.iter().filter(|l| **l == Some(**v)).count() * 2 > self.lately.len();
        self.known.or_else(|| self.lately.iter().flatten().find(most).copied())
    }
}

/// What is wrong with a device that sends a version of which nothing is kept.
pub fn version_trouble(version: u8) -> String {
    match version {
        1 => "it sends version 1.0, which tells no translated address, so none of its flows is kept: set `userlog flow export version 3` on it".to_owned(),
        other => format!(
            "it sends version {other}, whose layout is in no public document: write it from the device's manual under [[sources.h3c.layouts]], or set `userlog flow export version 3` on it"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(versions: &[u8]) -> Option<u8> {
        let mut unread = Unread::default();
        versions.iter().for_each(|v| unread.heard(&[*v, 4], *v == 3));
        unread.version()
    }

    #[test]
    fn a_stray_datagram_hides_nothing() {
        for (versions, want) in [
            (&[][..], None),
            (&[3, 3], None),
            (&[1], Some(1)),
            (&[5, 5, b'x'], Some(5)),
            (&[1, b'x', b'x', b'x'], Some(1)),
            (&[1, 5], Some(5)),
            (&[5, 3], None),
            (&[3, 5], Some(5)),
            (&[3, 3, b'x'], None),
            (&[3, 3, b'x', 3], None),
            // A version that nobody has named yet, and nothing but it.
            (&[9], Some(9)),
            (&[9, 9, 9, b'x'], Some(9)),
            (&[9, b'x'], None),
            (&[3, 9, 9, 9], Some(9)),
        ] {
            assert_eq!(after(versions), want, "{versions:?}");
        }
        assert_eq!(after(&[[3; 100].as_slice(), &[9; 16]].concat()), Some(9));
        assert_eq!(after(&[]), None);
        let mut none = Unread::default();
        none.heard(&[], false);
        assert_eq!(none.version(), None);
    }
}
