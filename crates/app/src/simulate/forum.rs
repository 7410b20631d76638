//! `weir simulate --profile forum`: an application's events, posted to a running program and compared with the records that came of them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use weir_base::clock::SystemClock;
use weir_base::task::Stop;
use weir_base::time::Millis;
use weir_sim::{ForumPlan, ForumReport, ForumTruth, HeaderTime, Mode};

use super::{duration, signals};
use crate::cli::SimulateArgs;
use crate::fail::{FAILED, Failure};
use crate::output;
use crate::ports::Ports;
use crate::socket::client::Client;

/// Users when no number is named.
const USERS: u32 = 500;
/// Where the program listens for events when nothing says where.
const PORT: u16 = 8480;

pub(super) fn play(args: &SimulateArgs) -> Result<ExitCode, Failure> {
    if [args.cuts, args.duplicates].iter().any(|share| !(0.0..1.0).contains(share)) {
        return Err(Failure::usage("--cuts and --duplicates are shares", "choose from 0 to below 1"));
    }
    let length = duration("--for", &args.length)?;
    let mode = if args.live {
        Mode::Live { duration_ms: Some(length) }
    } else {
        Mode::Fast { history_ms: length, datagrams_per_second: 0, header_time: HeaderTime::Sending }
    };
    let file = args.token_file.clone().unwrap_or_else(|| args.data.join("forum.token"));
    let token = fs::read_to_string(&file).map_err(|e| {
        Failure::new(format!("the token {} cannot be read ({e})", file.display()), "name the application's token file with --token-file")
    })?;
    let running = Ports::read(&args.data).and_then(|p| p.events.first().copied());
    let plan = ForumPlan {
        seed: args.seed,
        users: args.subscribers.unwrap_or(USERS),
        rate: args.rate,
        mode,
        to: args.events_to.or(running).unwrap_or(SocketAddr::from(([127, 0, 0, 1], PORT))),
        token: token.trim().to_owned(),
        cuts: args.cuts,
        duplicates: args.duplicates,
        truth: args.truth.clone(),
    };
    let stop = Stop::new();
    signals::raise_on_signal(&stop)?;
    let p = weir_sim::play_forum(&plan, &SystemClock::new(), &stop).map_err(Failure::sentence)?;
    if args.json {
        output::json(&serde_json::to_value(p).unwrap_or_default())?;
    } else {
        output::line(&format!(
            "{} events in {} requests ({} cut on purpose, {} sent twice, {} tried again)",
            p.events, p.requests, p.cut, p.doubled, p.again
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn check(truth: &Path, args: &SimulateArgs) -> Result<ExitCode, Failure> {
    let truth = ForumTruth::load(truth).map_err(Failure::sentence)?;
    let report = judge(&truth, &mut Client::connect(&args.data)?)?;
    if args.json {
        output::json(&serde_json::to_value(&report).unwrap_or_default())?;
    } else {
        output::text(&report.to_string())?;
    }
    Ok(ExitCode::from(if report.wrong() == 0 { 0 } else { FAILED }))
}

/// What an operator asks: the records of these minutes, in one view, so that a mask stands for one account throughout.
fn judge(truth: &ForumTruth, client: &mut Client) -> Result<ForumReport, Failure> {
    // The end is not included.
    let (from, to) = (Millis(truth.from).to_rfc3339(), Millis(truth.to + 1).to_rfc3339());
    let limit = truth.events.len() * 2 + 1_000;
    let answer = client.call(json!({ "op": "records", "kind": "authentication", "from": from, "to": to, "limit": limit }))?;
    let odd =
        |e: serde_json::Error| Failure::new(format!("a record is not understood ({e})"), "use the same version of the program for both");
    let mut rows = Vec::new();
    for row in answer["rows"].as_array().into_iter().flatten().filter(|r| r["service"] == truth.service) {
        rows.push(serde_json::from_value(row.clone()).map_err(odd)?);
    }
    Ok(weir_sim::forum::check(truth, &rows))
}
