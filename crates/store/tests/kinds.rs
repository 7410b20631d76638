//! Units of several kinds and days that one cycle makes side by side: each holds its own rows and words, and none is lost when the disk fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{Maintenance, MaintenanceText, OperatorAction};
use weir_record::sink::{Group, RecordSink, SinkError};
use weir_record::stored::words::Word;
use weir_record::{Id, Kind};
use weir_store::catalog::MemoryCatalog;
use weir_store::engine::{Store, StoreConfig};
use weir_store::table::Stats;
use weir_store::words::{WORDS, words_file};
use weir_testkit::{Rates, Rng, SimClock, SimDisk, each_seed, runs};

const T0: i64 = 1_795_312_800_000;
const DAY: i64 = 86_400_000;

struct Rig {
    disk: SimDisk,
    clock: Arc<SimClock>,
    store: Arc<Store>,
    tasks: Tasks,
}

fn open(disk: &SimDisk, clock: &Arc<SimClock>) -> (Arc<Store>, Tasks) {
    let shared: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let config = StoreConfig { unit_seconds: 86_400, ..StoreConfig::default() };
    // The catalog is lost each time: it is made again from the log.
    let (store, _) = Store::open(disk.shared(), None, Box::new(MemoryCatalog::default()), shared, &Secret([7; 32]), config).unwrap();
    let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
    store.start(&tasks).unwrap();
    (store, tasks)
}

impl Rig {
    fn new() -> Rig {
        let (disk, clock) = (SimDisk::new(), Arc::new(SimClock::new(Millis(T0))));
        let (store, tasks) = open(&disk, &clock);
        Rig { disk, clock, store, tasks }
    }

    fn close(&self) {
        self.tasks.stop().raise();
        self.store.abandon();
        self.tasks.join();
    }

    fn crash(&mut self, seed: u64) {
        self.disk.crash(seed);
        self.close();
        (self.store, self.tasks) = open(&self.disk, &self.clock);
    }

    /// One group of lines, lines as they came, and actions. Line `n` is of `n % 3` days ago, and every fifth has an action.
    fn send(&self, numbers: &[u32]) -> Result<(), SinkError> {
        let lines: Vec<Maintenance> = numbers.iter().map(|n| line(*n)).collect();
        let texts: Vec<MaintenanceText> = numbers.iter().map(|n| text(*n)).collect();
        let actions: Vec<OperatorAction> = numbers.iter().filter(|n| **n % 5 == 0).map(|n| action(*n)).collect();
        let batches = vec![
            (Kind::Maintenance, Maintenance::batch(&lines)),
            (Kind::MaintenanceText, MaintenanceText::batch(&texts)),
            (Kind::OperatorAction, OperatorAction::batch(&actions)),
        ];
        self.store.commit(Group { batches, ..Group::new("syslog") }).map(drop)
    }

    /// All sealed rows of a kind.
    fn rows<R: Record>(&self, kind: Kind) -> Vec<R> {
        let units = self.store.units().into_iter().filter(|unit| unit.kind == kind);
        units.flat_map(|unit| self.store.read_unit(&unit).unwrap()).flat_map(|batch| R::rows(&batch)).collect()
    }

    /// Asserts that each of these is sealed once, as it was, and nothing else but what was `perhaps` kept.
    fn assert_kept(&self, kept: &[u32], perhaps: &[u32]) {
        let mut lines: BTreeMap<u32, Vec<Maintenance>> = BTreeMap::new();
        self.rows::<Maintenance>(Kind::Maintenance).into_iter().for_each(|row| lines.entry(row.source).or_default().push(row));
        let mut texts: BTreeMap<u32, Vec<MaintenanceText>> = BTreeMap::new();
        self.rows::<MaintenanceText>(Kind::MaintenanceText).into_iter().for_each(|row| texts.entry(row.source).or_default().push(row));
        let mut actions: BTreeMap<String, Vec<OperatorAction>> = BTreeMap::new();
        let ours = self.rows::<OperatorAction>(Kind::OperatorAction).into_iter().filter(|row| row.actor == "test");
        ours.for_each(|row| actions.entry(row.detail.clone()).or_default().push(row));
        for n in kept {
            assert_eq!(lines.get(n), Some(&vec![line(*n)]), "{n}");
            assert_eq!(texts.get(n), Some(&vec![text(*n)]), "{n}");
            assert_eq!(actions.get(&n.to_string()), (n % 5 == 0).then(|| vec![action(*n)]).as_ref(), "{n}");
        }
        assert!(lines.keys().all(|n| kept.contains(n) || perhaps.contains(n)), "{:?}", lines.keys());
        assert_eq!(lines.keys().collect::<Vec<_>>(), texts.keys().collect::<Vec<_>>(), "a group is kept whole or not at all");
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.close();
    }
}

fn time(n: u32) -> Millis {
    Millis(T0 - i64::from(n % 3) * DAY + i64::from(n))
}

fn line(n: u32) -> Maintenance {
    // Lines of one day have a word that those of no other day have.
    let line = format!("day{}word number{n}", n % 3);
    Maintenance { time: time(n), source: n, host: Some("h1".to_owned()), line, text: Id([n as u8; 16]), ..Maintenance::default() }
}

fn text(n: u32) -> MaintenanceText {
    MaintenanceText { time: time(n), id: Id([n as u8; 16]), source: n, bytes: format!("{n} ").repeat(40).into_bytes() }
}

fn action(n: u32) -> OperatorAction {
    let (actor, action, result) = ("test".to_owned(), "seal".to_owned(), "ok".to_owned());
    OperatorAction { time: time(n), actor, action, detail: n.to_string(), result }
}

#[test]
fn units_of_one_cycle_stand_by_kind_and_day_each_with_its_rows_and_words() {
    let rig = Rig::new();
    let numbers: Vec<u32> = (0..300).collect();
    rig.send(&numbers).unwrap();
    let before = rig.store.units().len();
    rig.store.seal_now().unwrap();
    rig.assert_kept(&numbers, &[]);
    let units = &rig.store.units()[before..];
    let order: Vec<_> = units.iter().map(|unit| (unit.kind, unit.day)).collect();
    assert!(order.is_sorted(), "{order:?}");
    // Lines as they came are larger than lines, and those larger than actions: made first, they do not stand first.
    assert!(
        [Kind::OperatorAction, Kind::Maintenance, Kind::MaintenanceText]
            .iter()
            .all(|kind| order.iter().filter(|(k, _)| k == kind).count() == 3)
    );
    let tables = || rig.disk.files().into_iter().filter(|(path, _)| path.starts_with(WORDS)).collect::<Vec<_>>();
    let made = tables();
    assert_eq!(made.len(), 3);
    for unit in units.iter().filter(|unit| unit.kind == Kind::Maintenance) {
        assert!(made.iter().any(|(path, _)| path.to_str() == Some(&words_file(&unit.file))), "{}", unit.file);
        for ago in 0..3 {
            let wanted = Word::parse(&format!("day{ago}word")).unwrap().wanted();
            let rows = rig.store.word_rows(unit, unit.rows, &wanted, &mut Stats::default()).unwrap();
            let is_its = unit.first.day() == Millis(T0 - ago * DAY).day();
            assert_eq!(!rows.is_empty(), is_its, "{ago} days ago in {}", unit.day);
        }
    }
    // Under another file's name, or another day's key, a search would have made them again.
    assert_eq!(tables(), made);
}

#[test]
fn soak_faults_every_kind_is_kept_when_the_disk_fails() {
    each_seed("kinds-faults", runs(16), |seed| {
        let mut rng = Rng::new(seed);
        let mut rig = Rig::new();
        let (mut kept, mut perhaps, mut next) = (Vec::new(), Vec::new(), 0);
        for _ in 0..3 {
            rig.disk.fail_by_chance(rng.next_u64(), Rates { error: 30, power_off: 0 });
            for _ in 0..8 {
                rig.clock.advance(rng.below(20_000));
                let numbers: Vec<u32> = (next..next + 1 + rng.below(12) as u32).collect();
                next += numbers.len() as u32;
                if rig.send(&numbers).is_ok() {
                    kept.extend(numbers)
                } else {
                    perhaps.extend(numbers)
                }
                if rng.below(3) == 0 {
                    // May fail: the cycle is tried again, and nothing is lost by it.
                    let _ = rig.store.seal_now();
                }
            }
            rig.disk.heal();
            rig.crash(rng.next_u64());
            rig.store.seal_now().unwrap();
            rig.assert_kept(&kept, &perhaps);
        }
    });
}
