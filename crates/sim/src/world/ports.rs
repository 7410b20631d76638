//! Who may have which public port when: shared pools, blocks, addresses. Times are 32-bit milliseconds since the run began.

use std::collections::VecDeque;

use crate::network::{BLOCK_PORTS, BLOCKS_PER_ADDRESS, FIRST_PORT};
use crate::rng::Rng;

/// Marks a port in use.
const USED: u32 = u32::MAX;
/// Random tries before a pool or a block counts as exhausted.
const TRIES: u32 = 12;
/// Share of allocations that take a just-freed port, where ports are re-used at once.
const RECENT: f64 = 0.7;

/// How long freed ports, blocks and addresses rest.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Milliseconds.
    pub ms: u32,
    /// Re-use within milliseconds instead.
    pub reuse: bool,
}

impl Hold {
    fn until(self, now: u32, rng: &mut Rng) -> u32 {
        let ms = if self.reuse { 1 + rng.below(5) } else { self.ms };
        now.saturating_add(ms).min(USED - 1)
    }
}

/// A run of ports of which each is free, in use, or resting.
#[derive(Clone, Debug)]
pub struct Ports {
    first: u16,
    free_at: Vec<u32>,
    recent: VecDeque<u16>,
}

impl Ports {
    /// All free.
    pub fn new(first: u16, count: u32) -> Ports {
        Ports { first, free_at: vec![0; count as usize], recent: VecDeque::new() }
    }

    /// A random free port, or `None` when a dozen tries found none.
    pub fn take(&mut self, now: u32, hold: Hold, rng: &mut Rng) -> Option<u16> {
        if hold.reuse && !self.recent.is_empty() && rng.chance(RECENT) {
            let index = self.recent.pop_front()?;
            if self.claim(index, now) {
                return Some(self.first + index);
            }
            self.recent.push_back(index);
        }
        let count = self.free_at.len() as u32;
        (0..TRIES).find_map(|_| {
            let index = rng.below(count) as u16;
            self.claim(index, now).then(|| self.first + index)
        })
    }

    fn claim(&mut self, index: u16, now: u32) -> bool {
        match self.free_at.get_mut(usize::from(index)) {
            Some(slot) if *slot <= now => {
                *slot = USED;
                true
            }
            _ => false,
        }
    }

    /// Gives a port back.
    pub fn give(&mut self, port: u16, now: u32, hold: Hold, rng: &mut Rng) {
        let index = port.wrapping_sub(self.first);
        if let Some(slot) = self.free_at.get_mut(usize::from(index)) {
            *slot = hold.until(now, rng);
            if hold.reuse {
                if self.recent.len() >= 64 {
                    self.recent.pop_front();
                }
                self.recent.push_back(index);
            }
        }
    }
}

/// Things that are handed out whole, one at a time: port blocks, addresses.
#[derive(Clone, Debug)]
pub struct Whole {
    free: VecDeque<(u32, u32)>,
}

impl Whole {
    /// The items 0 to `count` − 1 in random order.
    pub fn new(count: u32, rng: &mut Rng) -> Whole {
        let mut items: Vec<u32> = (0..count).collect();
        rng.shuffle(&mut items);
        Whole { free: items.into_iter().map(|item| (0, item)).collect() }
    }

    /// An item whose rest is over, the longest free one first.
    pub fn take(&mut self, now: u32) -> Option<u32> {
        let turn = self.free.iter().take(4).position(|(at, _)| *at <= now)?;
        self.free.remove(turn).map(|(_, item)| item)
    }

    /// Gives an item back: to the end of the queue, or, with re-use, to its head.
    pub fn give(&mut self, item: u32, now: u32, hold: Hold, rng: &mut Rng) {
        let entry = (hold.until(now, rng), item);
        if hold.reuse {
            self.free.push_front(entry);
        } else {
            self.free.push_back(entry);
        }
    }
}

/// A port block of a subscriber.
#[derive(Clone, Debug)]
pub struct Block {
    /// The block's number in its pool.
    pub number: u32,
    /// Its ports.
    pub ports: Ports,
}

impl Block {
    /// A block with all ports free.
    pub fn new(number: u32) -> Block {
        Block { number, ports: Ports::new(block_first_port(number), u32::from(BLOCK_PORTS)) }
    }
}

/// The index of a block's address within its pool.
pub fn block_address(number: u32) -> u32 {
    number / BLOCKS_PER_ADDRESS
}

/// The first port of a block.
pub fn block_first_port(number: u32) -> u16 {
    FIRST_PORT + (number % BLOCKS_PER_ADDRESS) as u16 * BLOCK_PORTS
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Hold = Hold { ms: 120_000, reuse: false };

    #[test]
    fn a_freed_port_rests() {
        let mut rng = Rng::new(1, 1);
        let mut ports = Ports::new(2_048, 1);
        assert_eq!(ports.take(0, HOLD, &mut rng), Some(2_048));
        assert_eq!(ports.take(0, HOLD, &mut rng), None);
        ports.give(2_048, 1_000, HOLD, &mut rng);
        assert_eq!(ports.take(120_999, HOLD, &mut rng), None);
        assert_eq!(ports.take(121_000, HOLD, &mut rng), Some(2_048));
    }

    #[test]
    fn with_reuse_a_port_comes_back_within_milliseconds() {
        let mut rng = Rng::new(1, 1);
        let hold = Hold { ms: 120_000, reuse: true };
        let mut ports = Ports::new(1_024, 64_512);
        let first = ports.take(0, hold, &mut rng).unwrap();
        ports.give(first, 10, hold, &mut rng);
        assert!((16..40).any(|now| ports.take(now, hold, &mut rng) == Some(first)));
    }

    #[test]
    fn blocks_cover_all_ports_from_1024() {
        assert_eq!(block_first_port(0), 1_024);
        assert_eq!(u32::from(block_first_port(62)) + u32::from(BLOCK_PORTS), 65_536);
        assert_eq!((block_address(62), block_address(63)), (0, 1));
        let mut rng = Rng::new(3, 3);
        let mut pool = Whole::new(2, &mut rng);
        let (a, b) = (pool.take(0).unwrap(), pool.take(0).unwrap());
        assert_ne!(a, b);
        assert_eq!(pool.take(0), None);
        pool.give(a, 5, HOLD, &mut rng);
        assert_eq!((pool.take(6), pool.take(120_005)), (None, Some(a)));
    }
}
