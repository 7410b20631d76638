//! Sets whose template is not known yet, kept raw until it comes.
//!
//! RFC 7011 section 8 and RFC 3954 section 9 let a collector keep them. What does not find its template in time is given back, so that
//! it becomes a gap of unknown count and a `raw` record instead of silence.

use std::collections::VecDeque;

use weir_base::time::Millis;

use super::limits::{PENDING_BYTES, PENDING_MS};
use super::parser::Header;

/// Bookkeeping counted for each set besides its bytes.
const OVERHEAD: usize = 96;

/// A set waiting for its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Header of its message.
    pub header: Header,
    /// TCP session, 0 for UDP: templates belong to their session.
    pub session: u64,
    /// Template number.
    pub template: u16,
    /// When it came.
    pub arrival: Millis,
    /// Records of its message that could be counted when it came.
    pub counted: u32,
    /// The set's bytes without its header.
    pub body: Vec<u8>,
}

/// The waiting sets of one exporter, oldest first.
#[derive(Debug)]
pub struct Pending {
    sets: VecDeque<Waiting>,
    bytes: usize,
    limit: usize,
}

impl Default for Pending {
    fn default() -> Pending {
        Pending::with_limit(PENDING_BYTES)
    }
}

impl Pending {
    /// A store for at most `limit` bytes.
    pub fn with_limit(limit: usize) -> Pending {
        Pending { sets: VecDeque::new(), bytes: 0, limit }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// True if nothing waits.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Export time of the oldest waiting set of a domain, in milliseconds since the epoch.
    pub fn oldest(&self, domain: u32) -> Option<i64> {
        self.sets.iter().find(|w| w.header.domain == domain).map(|w| w.header.export_ms())
    }

    /// Keeps a set; gives back what had to go to make room, oldest first (the set itself when it alone is too large).
    pub fn push(&mut self, waiting: Waiting) -> Vec<Waiting> {
        self.bytes += cost(&waiting);
        self.sets.push_back(waiting);
        let mut out = Vec::new();
        while self.bytes > self.limit {
            match self.pop() {
                Some(old) => out.push(old),
                None => break,
            }
        }
        out
    }

    /// Takes the sets of a domain and session that waited for this template, oldest first.
    pub fn take(&mut self, domain: u32, session: u64, template: u16) -> Vec<Waiting> {
        let (mut out, mut kept) = (Vec::new(), VecDeque::with_capacity(self.sets.len()));
        for waiting in self.sets.drain(..) {
            if (waiting.header.domain, waiting.session, waiting.template) == (domain, session, template) {
                self.bytes -= cost(&waiting);
                out.push(waiting);
            } else {
                kept.push_back(waiting);
            }
        }
        self.sets = kept;
        out
    }

    /// Takes what has waited too long.
    pub fn expire(&mut self, now: Millis) -> Vec<Waiting> {
        let mut out = Vec::new();
        while self.sets.front().is_some_and(|w| now.since(w.arrival) >= PENDING_MS) {
            out.extend(self.pop());
        }
        out
    }

    /// Takes everything: the source stops.
    pub fn drain(&mut self) -> Vec<Waiting> {
        self.bytes = 0;
        self.sets.drain(..).collect()
    }

    fn pop(&mut self) -> Option<Waiting> {
        let old = self.sets.pop_front()?;
        self.bytes -= cost(&old);
        Some(old)
    }
}

fn cost(waiting: &Waiting) -> usize {
    waiting.body.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::super::parser::Version;
    use super::*;

    fn waiting(domain: u32, template: u16, at: i64, len: usize) -> Waiting {
        let header = Header { version: Version::Ipfix, export_secs: 7, sequence: 0, domain, uptime_ms: None };
        Waiting { header, session: 0, template, arrival: Millis(at), counted: 0, body: vec![0; len] }
    }

    #[test]
    fn the_limit_pushes_out_the_oldest() {
        let mut p = Pending::with_limit(2 * (100 + OVERHEAD));
        assert!(p.push(waiting(1, 256, 0, 100)).is_empty());
        assert!(p.push(waiting(1, 257, 1, 100)).is_empty());
        assert_eq!(p.push(waiting(1, 258, 2, 100)).iter().map(|w| w.template).collect::<Vec<_>>(), [256]);
        assert_eq!(p.push(waiting(1, 259, 3, 1_000)).len(), 3, "one too large takes everything with it and itself");
        assert_eq!((p.bytes(), p.is_empty()), (0, true));
    }

    #[test]
    fn sets_are_taken_by_domain_and_template_in_order() {
        let mut p = Pending::default();
        for (domain, template, at) in [(1, 256, 0), (2, 256, 1), (1, 257, 2), (1, 256, 3)] {
            p.push(waiting(domain, template, at, 10));
        }
        assert_eq!(p.take(1, 0, 256).iter().map(|w| w.arrival.0).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(p.take(1, 0, 256), []);
        assert_eq!(p.take(1, 9, 257), [], "another session's template");
        assert_eq!(p.oldest(2), Some(7_000));
        assert_eq!(p.oldest(3), None);
        assert_eq!(p.expire(Millis(PENDING_MS)), []);
        assert_eq!(p.expire(Millis(PENDING_MS + 1)).iter().map(|w| w.header.domain).collect::<Vec<_>>(), [2]);
        assert_eq!(p.drain().len(), 1);
        assert_eq!(p.bytes(), 0);
    }
}
