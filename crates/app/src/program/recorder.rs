//! Records of what the program and its operators did. What cannot be written now, because the disk is full, waits here and is tried again.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use weir_base::task::lock;
use weir_record::kinds::OperatorAction;
use weir_record::sink::RecordSink;

use crate::ledger;
use crate::limits::ACTIONS_WAITING;

/// The recorder.
pub struct Recorder {
    sink: Arc<dyn RecordSink>,
    told: Sender<OperatorAction>,
    inbox: Mutex<(Receiver<OperatorAction>, Waiting)>,
}

#[derive(Default)]
struct Waiting {
    rows: VecDeque<OperatorAction>,
    dropped: u64,
}

impl Recorder {
    /// A recorder that writes to this sink.
    pub fn new(sink: Arc<dyn RecordSink>) -> Recorder {
        let (told, inbox) = channel();
        Recorder { sink, told, inbox: Mutex::new((inbox, Waiting::default())) }
    }

    /// Where other threads tell what happened; they never wait.
    pub fn sender(&self) -> &Sender<OperatorAction> {
        &self.told
    }

    /// Adds a record.
    pub fn add(&mut self, action: OperatorAction) {
        self.tell(action);
    }

    /// Adds a record, to be written with the next flush.
    pub fn tell(&self, action: OperatorAction) {
        // The receiver lives as long as the sender: both are ours.
        let _ = self.told.send(action);
    }

    /// Writes what waits. What cannot be written stays, up to a limit; how many went beyond it is recorded too.
    pub fn flush(&self) {
        let mut inbox = lock(&self.inbox);
        let (receiver, waiting) = &mut *inbox;
        while let Ok(action) = receiver.try_recv() {
            if waiting.rows.len() >= ACTIONS_WAITING {
                waiting.rows.pop_front();
                waiting.dropped += 1;
            }
            waiting.rows.push_back(action);
        }
        let Some(last) = waiting.rows.back() else { return };
        let mut rows: Vec<OperatorAction> = waiting.rows.iter().cloned().collect();
        if waiting.dropped > 0 {
            let detail = format!("{} records of the program's own were not written: the disk was full", waiting.dropped);
            rows.push(ledger::action(last.time, "weir", "records-dropped", detail, "full"));
        }
        if self.sink.commit(ledger::actions(&rows)).is_ok() {
            *waiting = Waiting::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_base::time::Millis;
    use weir_record::kind::Record;
    use weir_record::sink::{Done, Group, Receipt, SinkError, SourceDesc, SourceHandle};

    use super::*;

    #[derive(Default)]
    struct Sometimes {
        full: Mutex<bool>,
        rows: Mutex<Vec<OperatorAction>>,
    }

    impl RecordSink for Sometimes {
        fn register(&self, _: &SourceDesc) -> Result<SourceHandle, SinkError> {
            Err(SinkError::Stopped)
        }
        fn realm(&self, _: &str) -> Result<u32, SinkError> {
            Err(SinkError::Stopped)
        }
        fn state(&self, _: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
            Vec::new()
        }
        fn submit(&self, group: Group, done: Done) {
            if *lock(&self.full) {
                return done(Err(SinkError::Full));
            }
            group.batches.iter().for_each(|(_, b)| lock(&self.rows).extend(OperatorAction::rows(b)));
            done(Ok(Receipt { group: 1 }));
        }
        fn try_submit(&self, group: Group, done: Done) {
            self.submit(group, done);
        }
    }

    #[test]
    fn what_finds_no_room_is_written_later_and_what_is_dropped_is_counted() {
        let sink = Arc::new(Sometimes::default());
        let recorder = Recorder::new(sink.clone());
        *lock(&sink.full) = true;
        for i in 0..ACTIONS_WAITING as i64 + 3 {
            recorder.tell(ledger::action(Millis(i), "weir", "disk-full", "", "full"));
        }
        recorder.flush();
        assert!(lock(&sink.rows).is_empty());
        *lock(&sink.full) = false;
        recorder.flush();
        recorder.flush();
        let rows = lock(&sink.rows);
        assert_eq!((rows.len(), rows[0].time), (ACTIONS_WAITING + 1, Millis(3)));
        assert!(rows.last().unwrap().detail.starts_with("3 records"));
    }
}
