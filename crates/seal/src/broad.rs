//! The tree over the rows of a unit: eight children to a node (decision 0019).
//!
//! Level 0 is the leaf hashes in order. A level of more than one hash has a level above it: of each eight hashes side by side, and of the fewer ones
//! that may be left at the end, `node = SHA-256(0x01 ‖ child ‖ … ‖ child)`; a single one that is left goes up as it is. The only hash of the last
//! level is the root; the root of nothing is `SHA-256("")`. How many leaves there are stands beside the root, in the log entry: it fixes the shape.
//!
//! A node of eight takes five blocks of SHA-256, the seven nodes of a binary tree in its place fourteen.

use weir_lanes::BROAD;

use crate::merkle::{Hash, empty_root};

/// Computes the root from leaf hashes that come one after another, in O(log n) memory.
#[derive(Clone, Debug, Default)]
pub struct BroadRoot {
    /// Of each level, the hashes that have no node above them yet: fewer than eight.
    waiting: Vec<Vec<Hash>>,
    count: u64,
}

impl BroadRoot {
    /// Leaves pushed so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Appends leaf hashes, level by level: several nodes are hashed at a time.
    pub fn push_all(&mut self, leaves: &[Hash]) {
        self.count += leaves.len() as u64;
        let (mut below, mut above) = (Vec::new(), Vec::new());
        let mut new = leaves;
        for level in 0.. {
            if new.is_empty() {
                break;
            }
            if level == self.waiting.len() {
                self.waiting.push(Vec::new());
            }
            let waiting = &mut self.waiting[level];
            waiting.extend_from_slice(new);
            let whole = waiting.len() - waiting.len() % BROAD;
            above.clear();
            weir_lanes::broad_nodes(&waiting[..whole], &mut above);
            waiting.drain(..whole);
            std::mem::swap(&mut below, &mut above);
            new = &below;
        }
    }

    /// The root over all leaves so far. More may be pushed afterwards.
    pub fn finish(&self) -> Hash {
        // What is left at the end of a level, with what came up from below it.
        let mut up = None;
        for waiting in &self.waiting {
            let mut group = waiting.clone();
            group.extend(up);
            up = match group[..] {
                [] => None,
                [single] => Some(single),
                _ => Some(node(&group)),
            };
        }
        up.unwrap_or_else(empty_root)
    }
}

/// A node above two to eight hashes.
fn node(children: &[Hash]) -> Hash {
    weir_base::crypto::sha256(&[&[1], children.as_flattened()].concat())
}

#[cfg(test)]
mod tests;
