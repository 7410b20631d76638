//! Loss, duplicates and reordering of datagrams, before they are sent.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::plan::Faults;
use crate::rng::Rng;

/// One exporter's line: datagrams go in in order and come out as the faults allow.
#[derive(Debug)]
pub struct Line {
    rng: Rng,
    loss: f64,
    duplicates: f64,
    reorder: u32,
    index: u64,
    held: BinaryHeap<Reverse<(u64, u64, Vec<u8>)>>,
    /// Datagrams lost so far.
    pub lost: u64,
    /// Datagrams doubled so far.
    pub doubled: u64,
}

impl Line {
    /// A line with its own random sequence.
    pub fn new(faults: &Faults, rng: Rng) -> Line {
        Line {
            rng,
            loss: faults.loss,
            duplicates: faults.duplicates,
            reorder: faults.reorder,
            index: 0,
            held: BinaryHeap::new(),
            lost: 0,
            doubled: 0,
        }
    }

    /// Takes one datagram and gives those that leave now to `send`.
    pub fn pass<E>(&mut self, datagram: Vec<u8>, mut send: impl FnMut(Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.index += 1;
        let copies = if self.rng.chance(self.loss) {
            self.lost += 1;
            0
        } else if self.rng.chance(self.duplicates) {
            self.doubled += 1;
            2
        } else {
            1
        };
        if self.reorder == 0 {
            for _ in 1..copies {
                send(datagram.clone())?;
            }
            return if copies > 0 { send(datagram) } else { Ok(()) };
        }
        for copy in 0..copies {
            let due = self.index + u64::from(self.rng.below(self.reorder + 1));
            self.held.push(Reverse((due, self.index * 2 + copy, datagram.clone())));
        }
        self.release(self.index, send)
    }

    fn release<E>(&mut self, up_to: u64, mut send: impl FnMut(Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        while self.held.peek().is_some_and(|Reverse((due, _, _))| *due <= up_to) {
            if let Some(Reverse((_, _, datagram))) = self.held.pop() {
                send(datagram)?;
            }
        }
        Ok(())
    }

    /// Gives out everything held back.
    pub fn flush<E>(&mut self, send: impl FnMut(Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.release(u64::MAX, send)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(faults: &Faults, count: u16) -> (Vec<u16>, Line) {
        let mut line = Line::new(faults, Rng::new(5, 9));
        let mut out = Vec::new();
        let mut send = |d: Vec<u8>| {
            out.push(u16::from_be_bytes([d[0], d[1]]));
            Ok::<(), ()>(())
        };
        for n in 0..count {
            line.pass(n.to_be_bytes().to_vec(), &mut send).unwrap();
        }
        line.flush(&mut send).unwrap();
        (out, line)
    }

    #[test]
    fn without_faults_all_comes_out_in_order() {
        let (out, line) = through(&Faults::default(), 500);
        assert_eq!(out, (0..500).collect::<Vec<u16>>());
        assert_eq!((line.lost, line.doubled), (0, 0));
    }

    #[test]
    fn loss_and_duplicates_are_counted_exactly() {
        let faults = Faults { loss: 0.1, duplicates: 0.2, ..Faults::default() };
        let (out, line) = through(&faults, 10_000);
        assert_eq!(out.len() as u64, 10_000 - line.lost + line.doubled);
        assert!((800..1_200).contains(&line.lost), "{}", line.lost);
        assert!((1_600..2_000).contains(&line.doubled), "{}", line.doubled);
    }

    #[test]
    fn reordering_stays_within_its_window_and_loses_nothing() {
        let faults = Faults { reorder: 8, ..Faults::default() };
        let (mut out, _) = through(&faults, 2_000);
        assert!(out.windows(2).any(|w| w[0] > w[1]), "something is overtaken");
        for (at, n) in out.iter().enumerate() {
            assert!((i64::from(*n) - at as i64).abs() <= 8, "{n} came out at {at}");
        }
        out.sort_unstable();
        assert_eq!(out, (0..2_000).collect::<Vec<u16>>());
    }
}
