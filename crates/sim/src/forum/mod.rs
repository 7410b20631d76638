//! A forum: an application that tells of sign-ins, sign-outs and failures by `POST /v1/events`. What its operator can ask is what was told: so
//! what is judged is that each event is there exactly once, as it was told.

mod check;
mod http;

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use weir_base::clock::Clock;
use weir_base::task::Stop;
use weir_base::time::Millis;

pub use check::{ForumReport, Row, check};

use crate::error::SimError;
use crate::limits::{FORUM_EVENTS, TRUTH_LINE_BYTES};
use crate::plan::Mode;
use crate::rng::Rng;
use http::{Cut, Door};

/// Lines of a request at most.
const LINES: usize = 20;
/// Simulated milliseconds after which a request leaves even if it is not full.
const FLUSH_MS: i64 = 200;
/// Attempts at one request, half a second apart unless the answer says otherwise.
const ATTEMPTS: u32 = 120;
/// The service that is told of.
const SERVICE: &str = "forum.example.org";
/// Share of events that are failed sign-ins.
const FAILURES: f64 = 0.15;

/// What is to be played.
#[derive(Clone, Debug)]
pub struct ForumPlan {
    /// The seed of every random choice.
    pub seed: u64,
    /// Users.
    pub users: u32,
    /// Events a second of simulated time.
    pub rate: u32,
    /// Simulated and real time; live needs a duration.
    pub mode: Mode,
    /// Where events go, HTTP in the clear.
    pub to: SocketAddr,
    /// The application's token.
    pub token: String,
    /// Share of requests whose connection is cut, before or after all was sent; they are sent again with the same key.
    pub cuts: f64,
    /// Share of requests that are sent again although they were answered.
    pub duplicates: f64,
    /// The truth file.
    pub truth: Option<PathBuf>,
}

/// What was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ForumPlayed {
    /// The first instant, milliseconds since 1970.
    pub from: i64,
    /// The last instant.
    pub to: i64,
    /// Events told.
    pub events: u64,
    /// Requests, each counted once.
    pub requests: u64,
    /// Connections cut on purpose.
    pub cut: u64,
    /// Requests sent again although they were answered.
    pub doubled: u64,
    /// Attempts without an answer, or that were told to come again.
    pub again: u64,
}

/// One event, as it is told and as it stands in the truth file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Milliseconds since 1970.
    pub time: i64,
    /// `sign-in`, `sign-out` or `failure`.
    pub action: String,
    /// How a failure is told: true as a sign-in with the result `failure`.
    pub as_result: bool,
    /// The account.
    pub account: String,
    /// The user's address.
    pub address: Ipv4Addr,
    /// The user's port.
    pub port: u16,
}

/// A truth file of a forum: one JSON object in all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ForumTruth {
    /// The version of the format.
    pub weir_forum: u32,
    /// The plan's seed.
    pub seed: u64,
    /// The service.
    pub service: String,
    /// The first instant, milliseconds since 1970.
    pub from: i64,
    /// The last instant.
    pub to: i64,
    /// Every event that was told and acknowledged.
    pub events: Vec<Told>,
}

impl ForumTruth {
    /// Reads a truth file.
    ///
    /// # Errors
    /// It cannot be read, or is none of a forum.
    pub fn load(path: &Path) -> Result<ForumTruth, SimError> {
        let text = fs::read(path).map_err(|source| SimError::ReadTruth { path: path.to_owned(), source })?;
        serde_json::from_slice(&text).map_err(|e| SimError::BadTruth { line: e.line() as u64, why: e.to_string() })
    }

    /// True for a file that begins as one of a forum.
    pub fn is_one(path: &Path) -> bool {
        use std::io::Read as _;
        let mut head = Vec::new();
        let read = fs::File::open(path).and_then(|f| f.take(TRUTH_LINE_BYTES as u64).read_to_end(&mut head));
        read.is_ok() && head.starts_with(b"{\"weir_forum\"")
    }
}

/// Plays a forum until its end, or until `stop` is raised.
///
/// # Errors
/// The program did not take an event, or the truth file could not be written.
pub fn play_forum(plan: &ForumPlan, clock: &dyn Clock, stop: &Stop) -> Result<ForumPlayed, SimError> {
    let (length, live) = match plan.mode {
        Mode::Live { duration_ms: Some(ms) } => (ms, true),
        Mode::Live { duration_ms: None } => return Err(SimError::Plan("a forum is played for a time: name it with --for".into())),
        Mode::Fast { history_ms, .. } => (history_ms, false),
    };
    let count = u64::try_from(length).unwrap_or(0).saturating_mul(u64::from(plan.rate)) / 1_000;
    if plan.users == 0 || count == 0 || count > FORUM_EVENTS {
        return Err(SimError::Plan(format!("{count} events of {} users: choose 1 to {FORUM_EVENTS} by --rate and --for", plan.users)));
    }
    let from = if live { clock.now().0 } else { clock.now().0 - length };
    let mut world = Forum::new(plan, from);
    let mut door = Door::new(plan.to, plan.token.clone());
    let mut played = ForumPlayed { from, ..ForumPlayed::default() };
    let (mut told, mut batch): (Vec<Told>, Vec<Told>) = (Vec::new(), Vec::new());
    for n in 0..count {
        let at = from + (n * 1_000 / u64::from(plan.rate)) as i64;
        if live {
            stop.wait(Duration::from_millis(u64::try_from(at - clock.now().0).unwrap_or(0)));
        }
        if stop.is_raised() {
            break;
        }
        if batch.len() >= LINES || batch.first().is_some_and(|first| at - first.time >= FLUSH_MS) {
            send(plan, &mut world.rng, &mut door, &batch, &mut played, stop)?;
            told.append(&mut batch);
        }
        batch.push(world.next_event(at));
    }
    if !batch.is_empty() {
        send(plan, &mut world.rng, &mut door, &batch, &mut played, stop)?;
        told.append(&mut batch);
    }
    played.to = told.last().map_or(from, |last| last.time);
    if let Some(path) = &plan.truth {
        let truth = ForumTruth { weir_forum: 1, seed: plan.seed, service: SERVICE.into(), from, to: played.to, events: told };
        let text = serde_json::to_vec(&truth).map_err(|e| SimError::WriteTruth { path: path.clone(), source: e.into() })?;
        fs::write(path, text).map_err(|source| SimError::WriteTruth { path: path.clone(), source })?;
    }
    Ok(played)
}

/// Sends one request until it is acknowledged, with what goes wrong on request.
fn send(plan: &ForumPlan, rng: &mut Rng, door: &mut Door, batch: &[Told], played: &mut ForumPlayed, stop: &Stop) -> Result<(), SimError> {
    let fail = |why: String| SimError::Post { to: plan.to, why };
    played.requests += 1;
    // A key names a request of this run: the same seed may be played again.
    let key = format!("forum-{}-{}-{}", plan.seed, played.from, played.requests);
    let body = body(batch);
    if rng.chance(plan.cuts) {
        played.cut += 1;
        // Half way through, or so late that only the answer is lost. What then happened nobody at this end can know.
        door.cut(&key, &body, if rng.chance(0.5) { Cut::HalfWay } else { Cut::Unanswered });
    }
    let mut left = ATTEMPTS;
    let answer = loop {
        left -= 1;
        match door.post(&key, &body) {
            Ok(answer) if answer.status == 200 => break answer,
            Ok(answer) if !matches!(answer.status, 408 | 409 | 429 | 503) => {
                return Err(fail(format!("status {}: {}", answer.status, answer.text())));
            }
            Ok(answer) if left == 0 => return Err(fail(format!("status {} to the last of {ATTEMPTS} attempts", answer.status))),
            Err(e) if left == 0 => return Err(fail(e.to_string())),
            Ok(_) | Err(_) => played.again += 1,
        }
        if stop.wait(Duration::from_millis(500)) {
            return Err(fail("stopped before an answer came".into()));
        }
    };
    if answer.accepted() != Some(batch.len() as u64) {
        return Err(fail(format!("{} events were told, the answer is {}", batch.len(), answer.text())));
    }
    if rng.chance(plan.duplicates) {
        played.doubled += 1;
        match door.post(&key, &body) {
            Ok(second) if second.replayed && second.status == 200 && second.body == answer.body => {}
            Ok(second) => return Err(fail(format!("a request sent again was answered {} {}", second.status, second.text()))),
            // The program may end between the two: nothing was lost.
            Err(_) => played.again += 1,
        }
    }
    played.events += batch.len() as u64;
    Ok(())
}

/// One JSON object a line.
fn body(batch: &[Told]) -> Vec<u8> {
    let mut text = String::new();
    for t in batch {
        let (action, result) = match t.action.as_str() {
            "failure" if t.as_result => ("sign-in", ",\"result\":\"failure\""),
            action => (action, ""),
        };
        let _ = writeln!(
            text,
            r#"{{"time":"{}","action":"{action}"{result},"account":"{}","address":"{}","port":{},"method":"password"}}"#,
            Millis(t.time).to_rfc3339(),
            t.account,
            t.address,
            t.port
        );
    }
    text.into_bytes()
}

/// Who is signed in.
struct Forum {
    rng: Rng,
    signed_in: Vec<bool>,
    last: i64,
}

impl Forum {
    fn new(plan: &ForumPlan, from: i64) -> Forum {
        Forum { rng: Rng::new(plan.seed, 400), signed_in: vec![false; plan.users as usize], last: from - 1 }
    }

    /// The next event, at `at` or just after the one before: no two have the same millisecond.
    fn next_event(&mut self, at: i64) -> Told {
        self.last = at.max(self.last + 1);
        let user = self.rng.cubic(self.signed_in.len() as u32);
        let failure = self.rng.chance(FAILURES);
        let as_result = failure && self.rng.chance(0.5);
        let action = match self.signed_in.get_mut(user as usize) {
            _ if failure => "failure",
            Some(there) => {
                *there = !*there;
                if *there { "sign-in" } else { "sign-out" }
            }
            None => "sign-in",
        };
        Told {
            time: self.last,
            action: action.to_owned(),
            as_result,
            account: format!("member{user:05}"),
            // A user has one address, of the benchmarking range.
            address: Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 19, 0, 1)) + user),
            port: 1_024 + self.rng.below(64_512) as u16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_sign_in_before_they_sign_out_and_no_two_events_share_a_moment() {
        let plan = ForumPlan {
            seed: 3,
            users: 40,
            rate: 2_000,
            mode: Mode::Live { duration_ms: None },
            to: ([127, 0, 0, 1], 1).into(),
            token: String::new(),
            cuts: 0.0,
            duplicates: 0.0,
            truth: None,
        };
        let mut forum = Forum::new(&plan, 1_000);
        let events: Vec<Told> = (0..2_000).map(|n| forum.next_event(1_000 + n / 2)).collect();
        assert!(events.windows(2).all(|w| w[0].time < w[1].time));
        for user in events.iter().map(|e| &e.account).collect::<std::collections::BTreeSet<_>>() {
            let mut there = false;
            for e in events.iter().filter(|e| e.account == *user && e.action != "failure") {
                assert_eq!(e.action == "sign-in", !there, "{e:?}");
                there = !there;
            }
        }
        assert!(events.iter().any(|e| e.as_result) && events.iter().any(|e| e.action == "failure" && !e.as_result));
        assert!(play_forum(&plan, &weir_base::clock::SystemClock::new(), &Stop::new()).is_err(), "a forum needs a length");
    }
}
