//! The demonstration: what a newcomer sees.

use std::process::Command;

use crate::common::{Running, WEIR, code, text};

#[test]
fn the_demonstration_prints_a_look_up_that_answers() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("demo");
    let mut command = Command::new(WEIR);
    command.args(["run", "--demo", "--data"]).arg(&data);
    let mut running = Running::wait(command, &data);
    assert!(running.banner.iter().any(|l| l.contains("demo.invalid")), "{:?}", running.banner);
    let printed = running.lines.by_ref().map(Result::unwrap).find(|l| l.contains(" lookup --public ")).unwrap();
    // As a newcomer does it: the line goes into a shell that knows nothing of where the program was built.
    let output = Command::new("sh").args(["-c", printed.trim()]).output().unwrap();
    assert_eq!(code(&output), 0, "{printed}: {}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    assert!(text(&output).contains("subscriber"), "{}", text(&output));
    assert_eq!(running.stop(), 0);
    // The folder is used again, and a real one is refused.
    let mut command = Command::new(WEIR);
    command.args(["run", "--demo", "--data"]).arg(&data);
    assert_eq!(Running::wait(command, &data).stop(), 0);
    let real = dir.path().join("real");
    assert_eq!(Running::minimal(&real).stop(), 0);
    let refused = Command::new(WEIR).args(["run", "--demo", "--fresh", "--data"]).arg(&real).output().unwrap();
    assert_eq!(code(&refused), 1);
    assert!(real.join("keyring").exists());
}

#[test]
fn a_demonstration_that_does_not_open_says_how_to_begin_anew() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("demo");
    let demo = |fresh: bool| {
        let mut command = Command::new(WEIR);
        command.args(["run", "--demo", "--data"]).arg(&data).args(fresh.then_some("--fresh"));
        command
    };
    let running = Running::wait(demo(false), &data);
    let held = demo(false).output().unwrap();
    assert_eq!(code(&held), 1);
    let told = String::from_utf8_lossy(&held.stderr);
    assert!(told.contains("in use by process") && !told.contains("--fresh"), "{told}");
    assert_eq!(running.stop(), 0);
    std::fs::write(data.join("log.key"), "x").unwrap();
    let refused = demo(false).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(code(&refused), 1, "{told}");
    assert!(told.contains("weir run --demo --fresh"), "{told}");
    assert_eq!(Running::wait(demo(true), &data).stop(), 0);
}
