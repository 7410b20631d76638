//! A forum that tells of its sign-ins, whose connections are cut and whose requests come twice, to a program that is killed on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use weir_base::clock::SystemClock;
use weir_base::task::Stop;
use weir_sim::{ForumPlan, Mode, play_forum};

use crate::common::{Running, code, config, parsed, text};

/// Real time, milliseconds.
const RUN_MS: i64 = 15_000;
/// Events after which the program is killed.
const KILL_AT: u64 = 1_000;

#[test]
fn soak_truth_every_event_of_a_forum_is_there_exactly_once() {
    let dir = tempfile::tempdir().unwrap();
    let (data, token) = (dir.path().join("data"), dir.path().join("forum.token"));
    fs::write(&token, "Zm9ydW0tdG9rZW4tZm9yLXRlc3Rz\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let minimal = fs::read_to_string(config("minimal.toml")).unwrap();
    let settings = dir.path().join("weir.toml");
    let own = format!(
        "{minimal}\n[sources.events]\nlisten = [\"127.0.0.1:0\"]\n[[sources.events.applications]]\nname = \"forum\"\ntoken_file = \"{}\"\n\
         service = \"forum.example.org\"\n",
        token.display()
    );
    fs::write(&settings, own).unwrap();
    let running = Running::start(&data, &settings, &[]);
    let to = running.port("events");
    let truth = dir.path().join("truth");
    let plan = ForumPlan {
        seed: 7,
        users: 300,
        rate: 250,
        mode: Mode::Live { duration_ms: Some(RUN_MS) },
        to,
        token: "Zm9ydW0tdG9rZW4tZm9yLXRlc3Rz".into(),
        cuts: 0.2,
        duplicates: 0.2,
        truth: Some(truth.clone()),
    };
    let player = std::thread::spawn(move || play_forum(&plan, &SystemClock::new(), &Stop::new()));
    let told = |running: &Running| {
        let sources = parsed(&running.ask(&["sources", "--json"]));
        sources.as_array().unwrap().iter().filter(|s| s["kind"] == "events").filter_map(|s| s["records"].as_u64()).sum::<u64>()
    };
    while told(&running) < KILL_AT {}
    running.kill();
    // The forum goes on asking at the same address.
    let running = Running::start(&data, &settings, &[&format!("sources.events.listen={to}")]);
    let played = player.join().unwrap().unwrap();
    assert!(played.cut > 20 && played.doubled > 20 && played.again > 0, "{played:?}");
    assert_eq!(played.events, (RUN_MS as u64) * 250 / 1_000);
    let check = ["simulate", "--json", "--check", truth.to_str().unwrap()];
    for _ in 0..2 {
        let checked = running.ask(&check);
        let report: Value = parsed(&checked);
        println!("{played:?}\n{}", text(&checked));
        assert_eq!((code(&checked), report["right"].as_u64()), (0, Some(played.events)), "{}", text(&checked));
        // Once as it came, once sealed.
        assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    }
    assert_eq!(running.stop(), 0);
}
