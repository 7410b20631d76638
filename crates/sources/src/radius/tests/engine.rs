//! What the engine carries from a refused group to the next.

use weir_base::time::Millis;
use weir_record::kinds::Gap;
use weir_record::sink::RecordSink;

use super::sink::{CountingIds, MemorySink, Mode};
use crate::radius::engine::{Engine, EngineSettings, Work};

#[test]
fn a_gap_of_a_refused_group_comes_with_the_next() {
    let sink = MemorySink::new();
    let settings = EngineSettings {
        name: "radius".into(),
        realm: "home".into(),
        peer: "127.0.0.1:1813".into(),
        sessions_max: 10,
        missed_interims: 3,
        settle_ms: 0,
    };
    let mut engine = Engine::new(settings, sink.clone(), CountingIds::new()).unwrap();
    let gap = Gap { time: Millis(5), lost: Some(7), unit: "datagrams".into(), reason: "kernel-drop".into(), ..Gap::default() };
    let mut work = Work::default();
    work.gap(gap.clone());
    for mode in [Mode::Full, Mode::Full, Mode::Keep] {
        sink.mode(mode);
        let (group, ticket) = engine.finish(std::mem::take(&mut work)).unwrap();
        engine.inbox().put(ticket, &sink.commit(group));
        engine.settle();
    }
    assert_eq!(sink.rows::<Gap>(), [gap]);
    assert!(engine.finish(Work::default()).is_none(), "told once");
}
