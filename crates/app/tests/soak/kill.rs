//! Killed again and again under load: what was answered is kept, and is kept once.

use serde_json::json;
use weir_sim::rng::Rng;

use crate::common::{Running, code, config, text, weir};
use crate::nas::{Nas, kept};

/// Kills of one folder. A real one is not killed more often, and every start reads what the kills before it left.
const A_FOLDER: u32 = 500;
/// Most answers until a kill.
const ANSWERS: u32 = 120;

fn kills() -> u32 {
    std::env::var("WEIR_KILLS").map_or(200, |text| text.parse().expect("WEIR_KILLS is a number"))
}

#[test]
fn soak_kill_what_was_answered_is_kept_once() {
    let mut rng = Rng::new(std::env::var("WEIR_SEED").map_or(1, |s| s.parse().unwrap()), 7);
    let all = kills();
    for done in (0..all).step_by(A_FOLDER as usize) {
        kill_again_and_again(&mut rng, (all - done).min(A_FOLDER));
        println!("{} kills in all", (done + A_FOLDER).min(all));
    }
}

fn kill_again_and_again(rng: &mut Rng, kills: u32) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let start = || Running::start(data, &config("minimal.toml"), &["store.seal_every=1s"]);
    // Long enough that the history stays behind the present, whatever the number of kills.
    let mut nas = Nas::new(3_600_000 + i64::from(kills) * i64::from(ANSWERS + 64) * 100);
    let mut before = 0;
    for round in 0..kills {
        let running = start();
        // What was answered before the kill is there, before anything else arrives.
        nas.find(&running, before..nas.sessions.len());
        before = nas.sessions.len().saturating_sub(100);
        nas.turn_to(&running);
        while nas.waiting() > 0 {
            nas.take(None);
        }
        nas.doubt(rng, 5);
        let (goal, seal) = (1 + rng.below(ANSWERS), rng.below(3) == 0);
        let mut socket = running.socket();
        for answer in 0..goal {
            nas.send();
            if seal && answer == goal / 2 {
                // Not waited for: the kill may come anywhere in the commit.
                socket.send(format!("{}\n", json!({ "op": "seal" })).as_bytes());
            }
            nas.take(None);
        }
        running.kill();
        nas.drain();
        if round % 20 == 19 {
            println!("{} kills: {} requests answered", round + 1, nas.acknowledged());
        }
    }
    let running = start();
    nas.turn_to(&running);
    while nas.waiting() > 0 {
        nas.take(None);
    }
    nas.find(&running, 0..nas.sessions.len());
    let (sessions, answered) = (nas.sessions.len() as u64, nas.acknowledged() as u64);
    assert!(answered > u64::from(kills) * 10, "{answered} answered");
    assert_eq!(kept(data), (answered, sessions, sessions), "each Start and each Stop once");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    assert_eq!(kept(data), (answered, sessions, sessions), "sealed");
    assert_eq!(running.stop(), 0);
    let verified = weir(&["verify", "--data", data.to_str().unwrap()]);
    assert_eq!(code(&verified), 0, "{}{}", text(&verified), String::from_utf8_lossy(&verified.stderr));
}
