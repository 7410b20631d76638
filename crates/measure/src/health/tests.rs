use std::sync::Arc;

use super::*;

type Told = Arc<Mutex<Vec<Change>>>;

fn cell() -> (Arc<HealthCell>, Told) {
    let told = Told::default();
    let hears = Arc::clone(&told);
    (Arc::new(HealthCell::new("radius", Millis(1), Box::new(move |c| lock(&hears).push(c.clone())))), told)
}

#[test]
fn changes_are_told_once_and_since_keeps_the_state() {
    let (cell, told) = cell();
    assert_eq!(cell.get(), Health { state: State::Stopped, since: Millis(1), why: "not started yet".into() });
    assert!(cell.set(State::Running, "", Millis(10)));
    assert!(!cell.set(State::Running, "", Millis(11)));
    assert!(cell.set(State::Degraded, "the disk is full", Millis(20)));
    assert!(cell.set(State::Degraded, "the clock is off", Millis(30)));
    assert_eq!(cell.get(), Health { state: State::Degraded, since: Millis(20), why: "the clock is off".into() });
    assert!(cell.set(State::Running, "", Millis(40)));
    let told = lock(&told);
    let steps: Vec<_> = told.iter().map(|c| (c.before, c.now.state, c.now.since.0, c.at.0)).collect();
    assert_eq!(
        steps,
        [
            (State::Stopped, State::Running, 10, 10),
            (State::Running, State::Degraded, 20, 20),
            (State::Degraded, State::Degraded, 20, 30),
            (State::Degraded, State::Running, 40, 40),
        ]
    );
    let action = told[1].action();
    assert_eq!((action.time, action.actor.as_str(), action.action.as_str()), (Millis(20), "weir", "measure-state"));
    assert_eq!(action.detail, "radius: running to degraded: the disk is full");
}

#[test]
fn a_panic_stops_the_measure_and_its_text_stays_inside() {
    let (cell, told) = cell();
    cell.set(State::Running, "", Millis(2));
    assert!(!cell.ended(&Ended { name: "radius-udp".into(), panic: None }, Millis(3)));
    assert_eq!(cell.get().state, State::Running);
    assert!(cell.ended(&Ended { name: "radius-udp".into(), panic: Some("secret input".into()) }, Millis(4)));
    let health = cell.get();
    assert_eq!((health.state, health.since), (State::Stopped, Millis(4)));
    assert!(health.why.contains("radius-udp") && !format!("{told:?}").contains("secret input"));
    // Whoever found it well a moment ago comes too late, and so does an orderly stop.
    assert!(!cell.set(State::Running, "takes accounting in", Millis(5)) && !cell.set(State::Stopped, "stopped", Millis(6)));
    assert_eq!(cell.get(), health);
    assert!(!cell.ended(&Ended { name: "radius-1".into(), panic: Some("again".into()) }, Millis(7)), "the first reason stays");
    assert_eq!((cell.get(), lock(&told).len()), (health, 2));
}

#[test]
fn a_long_reason_is_cut_between_letters() {
    let (cell, _) = cell();
    let long = "堰".repeat(WHY_BYTES);
    assert!(cell.set(State::Degraded, &long, Millis(2)));
    let why = cell.get().why;
    assert!(why.len() <= WHY_BYTES && why.len() > WHY_BYTES - 4 && long.starts_with(&why));
    assert!(!cell.set(State::Degraded, &long, Millis(3)), "the same reason again");
}

#[test]
fn told_changes_follow_each_other_whatever_the_threads_do() {
    let (cell, told) = cell();
    std::thread::scope(|scope| {
        for thread in 0..4i64 {
            let cell = &cell;
            scope.spawn(move || {
                for i in 0..250 {
                    let state = [State::Running, State::Degraded, State::Stopped][((thread + i) % 3) as usize];
                    cell.set(state, "", Millis(i));
                    drop(cell.get());
                }
            });
        }
    });
    let told = lock(&told);
    assert!(told.len() > 1);
    assert_eq!(told[0].before, State::Stopped);
    assert!(told.windows(2).all(|two| two[0].now.state == two[1].before));
    assert_eq!(told.last().unwrap().now, cell.get());
}

#[test]
fn a_listener_may_read_the_cell() {
    let slot: Arc<Mutex<Option<Arc<HealthCell>>>> = Arc::default();
    let (inside, seen) = (Arc::clone(&slot), Arc::new(Mutex::new(Vec::new())));
    let sees = Arc::clone(&seen);
    let hears = move |_: &Change| {
        let cell = lock(&inside).clone();
        lock(&sees).extend(cell.map(|c| c.get().state));
    };
    let cell = Arc::new(HealthCell::new("ipfix", Millis(0), Box::new(hears)));
    *lock(&slot) = Some(Arc::clone(&cell));
    cell.set(State::Running, "", Millis(1));
    assert_eq!(*lock(&seen), [State::Running]);
}
