//! More senders than there are sources for: their lines are lines all the same.

use std::sync::Arc;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::{Maintenance, NatEvent};
use weir_record::sink::{RecordSink, SubjectIds};

use super::super::config::Config;
use super::super::dialect::Table;
use super::super::engine::{Engine, Origin};
use super::super::limits::SENDERS;
use crate::testing::{CountingIds, MemorySink};

#[test]
fn lines_of_one_sender_too_many_are_kept_as_what_they_are() {
    let text = "listen_relp = [\"127.0.0.1:0\"]\n[[senders]]\naddresses = [\"10.0.0.0/8\"]\nname = \"floor\"\nrealm = \"lab\"\n";
    let settings = Arc::new(toml::from_str::<Config>(text).unwrap().check().unwrap());
    let sink = MemorySink::new();
    let register: Arc<dyn RecordSink> = sink.clone();
    let ids: Arc<dyn SubjectIds> = CountingIds::new();
    let mut engine = Engine::new(settings, Box::new(register), ids, Table::new(Table::built_in()), None);
    let line = b"<134>1 2026-11-22T10:00:00+08:00 h cgn - NAT444 - SessionbasedA 6 100.64.0.9 - - 203.0.113.5 50000 1024 - - -";
    let many = SENDERS as u32 + 20;
    let origin = |n: u32| {
        let [_, a, b, c] = n.to_be_bytes();
        Origin {
            peer: Addr16::v4([10, a, b, c]),
            received: Millis(1_000),
            stream: Some(1),
            ack: Some((1, u64::from(n))),
            perhaps_double: false,
        }
    };
    for n in 0..many {
        engine.line(&origin(n), line, false).unwrap();
    }
    let (group, acks) = engine.take().unwrap();
    assert_eq!(acks.len(), many as usize, "each is answered, as each is kept");
    let batch = |kind| group.batches.iter().find(|(k, _)| *k == kind).map(|(_, batch)| batch).unwrap();
    let lines = Maintenance::rows(batch(Kind::Maintenance));
    let sources: Vec<u32> = NatEvent::rows(batch(Kind::NatEvent)).into_iter().map(|e| e.source).collect();
    assert_eq!((lines.len(), sources.len()), (many as usize, many as usize));
    assert!(group.batches.iter().all(|(kind, _)| *kind != Kind::Malformed));
    // Those that are too many share one source, named after their entry; which sender it was is in the line's record.
    let (further, handle) = sink.sources().pop().unwrap();
    assert_eq!((further.name.as_str(), further.realm.as_str(), further.clock.as_str()), ("floor/further", "lab", "trust"));
    assert_eq!(sink.sources().len(), SENDERS + 1);
    let shared: Vec<Addr16> = lines.iter().filter(|l| l.source == handle.number).map(|l| l.peer).collect();
    assert_eq!(shared, (SENDERS as u32..many).map(|n| origin(n).peer).collect::<Vec<_>>());
    assert!(sources.iter().filter(|s| **s == handle.number).count() == 20);
    // Nobody knows how far the lines of many reach.
    assert!(group.evidence.iter().all(|(source, _)| *source != handle.number) && group.evidence.len() == SENDERS);
    assert_eq!(handle.counters.lock().unwrap().messages, 20);
}
