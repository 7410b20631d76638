//! The writer: takes groups from the queue, makes them durable together, and tells their sources.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use weir_base::task::lock;
use weir_record::group;
use weir_record::kind::Record;
use weir_record::kinds::{Gap, OperatorAction, SourceEntry};
use weir_record::sink::{Done, Group, Receipt, SinkError};
use weir_record::{Kind, sink::StatePut};

use super::Store;
use crate::limits::{BYTES_A_SYNC, GROUPS_A_SYNC};
use crate::wal::WalError;

/// A group, its bytes, and who wants to hear of it.
type Waiting = (Box<Ready>, Done);

/// A group, what is written of it, and the room it takes in the queue.
pub(super) type Ready = (Group, Vec<u8>, usize);

/// A group on its way to the log.
pub(super) enum Submit {
    /// Write it.
    Group(Box<Ready>, Done),
    /// Everything before this is written; stop.
    Stop,
}

impl Store {
    pub(super) fn run_writer(&self, queue: &Receiver<Submit>) {
        let mut stopping = false;
        while !stopping {
            let Ok(first) = queue.recv() else { return };
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(submit) = next.take() {
                match submit {
                    Submit::Stop => stopping = true,
                    Submit::Group(group, done) => {
                        bytes += group.1.len();
                        batch.push((group, done));
                    }
                }
                if batch.len() < GROUPS_A_SYNC && bytes < BYTES_A_SYNC && !stopping {
                    next = queue.try_recv().ok();
                }
            }
            let room: usize = batch.iter().map(|(group, _)| group.2).sum();
            self.write(batch);
            self.queued.give_back(room);
        }
        // Whoever still got in hears that nothing was kept.
        while let Ok(Submit::Group(_, done)) = queue.try_recv() {
            done(Err(SinkError::Stopped));
        }
    }

    pub(super) fn stop_writer(&self) {
        if !self.flags.stopping.swap(true, Ordering::SeqCst) {
            let _ = self.queue.send(Submit::Stop);
        }
    }

    fn write(&self, batch: Vec<Waiting>) {
        if batch.is_empty() {
            return;
        }
        self.wait_for_room();
        let frames: Vec<&[u8]> = batch.iter().map(|(g, _)| g.1.as_slice()).collect();
        match self.wal.append(&frames) {
            Ok(numbers) => {
                let mut ready = Vec::with_capacity(batch.len());
                for (number, (group, done)) in numbers.zip(batch) {
                    self.take_in(number, group.0);
                    ready.push((number, done));
                }
                if self.flags.full.swap(false, Ordering::SeqCst) {
                    *lock(&self.flags.full_since) = None;
                    self.note("disk-room", "records go on");
                }
                ready.into_iter().for_each(|(group, done)| done(Ok(Receipt { group })));
                self.wake_sealer_if_due();
            }
            Err(error) => self.refuse(batch, &error),
        }
    }

    fn refuse(&self, batch: Vec<Waiting>, error: &WalError) {
        let told = match error {
            WalError::Full(_) => SinkError::Full,
            other => SinkError::Failed(other.to_string()),
        };
        self.flags.refused_groups.fetch_add(batch.len() as u64, Ordering::Relaxed);
        if told == SinkError::Full && !self.flags.full.swap(true, Ordering::SeqCst) {
            *lock(&self.flags.full_since) = Some(self.clock.now());
        }
        *lock(&self.flags.trouble) = Some(error.to_string());
        batch.into_iter().for_each(|(_, done)| done(Err(told.clone())));
    }

    /// Too much waits to be sealed: the writer waits, so the queue fills, so sources wait or count.
    fn wait_for_room(&self) {
        let mut held = lock(&self.room.0);
        while self.too_much_waits() && !self.flags.stopping.load(Ordering::SeqCst) {
            self.wake_sealer();
            held = self.room.1.wait_timeout(held, Duration::from_millis(200)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Puts a durable group into memory. Also the path of recovery.
    pub(super) fn take_in(&self, number: u64, group: Group) {
        let now = self.clock.now();
        let puts = group.state.iter().map(|p| (group.owner.as_str(), p));
        let others = group.other_state.iter().map(|(owner, p): &(String, StatePut)| (owner.as_str(), p));
        self.state.apply_all(number, puts.chain(others));
        for (kind, batch) in &group.batches {
            match kind {
                Kind::Gap => {
                    let mut gaps = self.gaps.write().unwrap_or_else(PoisonError::into_inner);
                    Gap::rows(batch).iter().for_each(|g| gaps.apply(g));
                }
                Kind::SourceEntry => {
                    let mut registry = lock(&self.registry);
                    SourceEntry::rows(batch).iter().for_each(|e| registry.apply(e));
                }
                _ => {}
            }
        }
        {
            let registry = lock(&self.registry);
            group.evidence.iter().for_each(|(source, time)| registry.evidence(*source, *time));
        }
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let bindings = (!group.bindings.is_empty()).then(|| (Kind::Binding, weir_record::kinds::Binding::batch(&group.bindings)));
        live.current.last_group = live.current.last_group.max(number);
        for (kind, batch) in group.batches.into_iter().chain(bindings) {
            live.current.push(number, kind, batch, now);
        }
    }

    /// Records what the program itself did, straight into the log: for the writer's own thread, which must not wait for itself.
    pub(super) fn note(&self, action: &str, detail: &str) {
        let row = OperatorAction {
            time: self.clock.now(),
            actor: "weir".to_owned(),
            action: action.to_owned(),
            detail: detail.to_owned(),
            result: "ok".to_owned(),
        };
        let group =
            Group { owner: "store".to_owned(), batches: vec![(Kind::OperatorAction, OperatorAction::batch(&[row]))], ..Group::default() };
        let Ok(bytes) = group::encode(&group) else { return };
        match self.wal.append(&[bytes]) {
            Ok(numbers) => numbers.for_each(|n| self.take_in(n, group.clone())),
            Err(e) => *lock(&self.flags.trouble) = Some(e.to_string()),
        }
    }
}
