//! `weir simulate`: plays a small network into real sockets, or asks a running program about it and judges the answers.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::task::Stop;
use weir_base::time::{Millis, parse_duration_ms};
use weir_sim::{Answer, Asker, CheckOptions, Faults, ForumTruth, HeaderTime, Mode, Plan, Played, Profile, Question, Report, Targets};

use crate::cli::{HeaderArg, ProfileArg, SimulateArgs};
use crate::fail::{FAILED, Failure};
use crate::limits::{DETOUR_MS, SETTLE_MS, SETTLE_STEP_MS, SETTLED_MS};
use crate::output;
use crate::ports::Ports;
use crate::signals;
use crate::socket::client::Client;

mod forum;

/// Runs the command.
pub fn run(args: &SimulateArgs) -> Result<ExitCode, Failure> {
    match &args.check {
        Some(truth) if ForumTruth::is_one(truth) => forum::check(truth, args),
        Some(truth) => check(truth, args),
        None if args.profile == ProfileArg::Forum => forum::play(args),
        None => play(args),
    }
}

fn play(args: &SimulateArgs) -> Result<ExitCode, Failure> {
    let plan = plan(args)?;
    let stop = Stop::new();
    signals::raise_on_signal(&stop)?;
    let bar = indicatif::ProgressBar::new_spinner();
    let shown = |p: &Played| bar.set_message(format!("{} events, {} datagrams, {} lost on purpose", p.tally.events, p.datagrams, p.lost));
    let done = weir_sim::play(&plan, &SystemClock::new(), &stop, |p| {
        shown(p);
        bar.tick();
    });
    bar.finish_and_clear();
    let played = done.map_err(Failure::sentence)?;
    settle(args, &played, &stop);
    if args.json {
        output::json(&summary(&played))?;
    } else {
        let r = played.radius;
        output::line(&format!(
            "{} NAT events in {} datagrams ({} lost on purpose, {} sent twice), {} accounting requests ({} answered, {} sent again)",
            played.encoded, played.datagrams, played.lost, played.doubled, r.requests, r.answered, r.retransmitted
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until the program that runs in the data folder has all that was sent: a gap that was only a detour, say, takes it a second. Without such
/// a program, or after a while, it does not wait any longer.
fn settle(args: &SimulateArgs, played: &Played, stop: &Stop) {
    let Ok(mut client) = Client::connect(&args.data) else { return };
    let (clock, end) = (SystemClock::new(), Millis(played.to));
    let until = clock.monotonic() + Duration::from_millis(SETTLE_MS);
    while clock.monotonic() < until && !stop.wait(Duration::from_millis(SETTLE_STEP_MS)) {
        let Ok(Value::Array(sources)) = client.call(json!({ "op": "sources" })) else { return };
        let reaches =
            |s: &Value| s["complete_to"].as_str().and_then(|t| t.parse::<Millis>().ok()).is_some_and(|t| end.since(t) <= SETTLED_MS);
        // RADIUS never gets there: a NAS may still send an event of the last seconds again. Nor do lines over UDP: nobody knows which were lost.
        let speaks = |s: &&Value| s["kind"] != "radius" && (s["kind"] != "syslog" || s["complete_to"].is_string());
        if sources.iter().filter(speaks).all(reaches) {
            // Only now does the time begin after which a gap that was filled by a late datagram is taken back.
            stop.wait(Duration::from_millis(DETOUR_MS));
            return;
        }
    }
}

fn summary(p: &Played) -> Value {
    json!({
        "from": p.from, "to": p.to, "events": p.tally.events, "encoded": p.encoded, "datagrams": p.datagrams, "lost": p.lost,
        "doubled": p.doubled, "refused": p.refused,
        "radius": { "requests": p.radius.requests, "answered": p.radius.answered, "retransmitted": p.radius.retransmitted,
                    "unanswered": p.radius.unanswered, "bad": p.radius.bad },
    })
}

/// The plan that the options ask for.
fn plan(args: &SimulateArgs) -> Result<Plan, Failure> {
    let profile = match args.profile {
        ProfileArg::Small => Profile::Small,
        ProfileArg::Hotel => Profile::Hotel,
        ProfileArg::School => Profile::School,
        ProfileArg::Isp => Profile::Isp,
        ProfileArg::Forum => return Err(Failure::usage("a forum has no network", "play it by itself")),
    };
    let length = duration("--for", &args.length)?;
    let header_time = match args.header_time {
        Some(HeaderArg::Simulated) => HeaderTime::Simulated,
        Some(HeaderArg::Sending) => HeaderTime::Sending,
        None if args.clock_offset.is_empty() => HeaderTime::Simulated,
        None => HeaderTime::Sending,
    };
    let mut plan = Plan::new(profile, args.seed);
    plan.rate = args.rate;
    plan.subscribers = args.subscribers;
    plan.mode = if args.live {
        Mode::Live { duration_ms: Some(length) }
    } else {
        Mode::Fast { history_ms: length, datagrams_per_second: args.datagrams, header_time }
    };
    plan.events = args.events;
    plan.targets = targets(args, profile)?;
    plan.bind = args.bind;
    plan.truth = args.truth.clone();
    plan.reuse = args.reuse;
    plan.bib = args.bib;
    plan.bindings = args.bindings;
    plan.faults = Faults {
        loss: args.loss,
        duplicates: args.duplicates,
        reorder: args.reorder,
        radius_loss: args.radius_loss,
        nas_reboots: args.nas_reboot.iter().map(|t| named("--nas-reboot", t, '@')).collect::<Result<_, _>>()?,
        clock_offsets: args.clock_offset.iter().map(|t| named("--clock-offset", t, '=')).collect::<Result<_, _>>()?,
        exporter_restarts: args.exporter_restart.iter().map(|t| named("--exporter-restart", t, '@')).collect::<Result<_, _>>()?,
    };
    plan.check().map_err(|e| Failure { code: crate::fail::USAGE, ..Failure::sentence(e) })?;
    Ok(plan)
}

/// Where it goes: what the options name, else what runs in the data folder, else the usual ports on this machine.
fn targets(args: &SimulateArgs, profile: Profile) -> Result<Targets, Failure> {
    let ports = Ports::read(&args.data);
    let usual = |port: u16| Some(SocketAddr::from(([127, 0, 0, 1], port)));
    let running = |list: fn(&Ports) -> &Vec<SocketAddr>| ports.as_ref().and_then(|p| list(p).first().copied());
    let radius = args.radius.or_else(|| running(|p| &p.radius)).or_else(|| usual(1813).filter(|_| ports.is_none()));
    let ipfix = args.ipfix.or_else(|| running(|p| &p.ipfix_udp)).or_else(|| usual(4739).filter(|_| ports.is_none()));
    let radius = radius.filter(|_| profile != Profile::Hotel);
    let ipfix = ipfix.filter(|_| !profile.is_syslog());
    let lines = |asked: Option<SocketAddr>, list: fn(&Ports) -> &Vec<SocketAddr>| {
        asked.or_else(|| running(list)).or_else(|| usual(514).filter(|_| ports.is_none())).filter(|_| profile.is_syslog())
    };
    let (syslog_udp, syslog_tcp) = (lines(args.syslog, |p| &p.syslog_udp), lines(args.syslog_tcp, |p| &p.syslog_tcp));
    if profile.is_syslog() && (syslog_tcp.is_none() || (profile == Profile::School && syslog_udp.is_none())) {
        let what = format!("profile {} tells in log lines, and nobody listens for them", profile.name());
        return Err(Failure::new(
            what,
            "give [sources.syslog] `listen` and `listen_tcp`, or name the addresses with --syslog and --syslog-tcp",
        ));
    }
    let secret_file = args.secret_file.clone().unwrap_or_else(|| args.data.join("radius.secret"));
    let radius_secret = match (radius, fs::read(&secret_file)) {
        (None, _) => Vec::new(),
        (Some(_), Ok(bytes)) => bytes.trim_ascii_end().to_vec(),
        (Some(_), Err(e)) => {
            let what = format!("the shared secret {} cannot be read ({e})", secret_file.display());
            return Err(Failure::new(what, "name it with --secret-file, or name the program's folder with --data"));
        }
    };
    Ok(Targets { ipfix, netflow9: args.netflow9, syslog_udp, syslog_tcp, radius, radius_secret })
}

fn duration(what: &str, text: &str) -> Result<i64, Failure> {
    parse_duration_ms(text).map_err(|e| Failure::usage(format!("{what}: {text:?} is not a duration"), e.to_string()))
}

/// `NAME@20s`, `NAME=-1500ms`.
fn named(what: &str, text: &str, sign: char) -> Result<(String, i64), Failure> {
    let (name, time) = text
        .split_once(sign)
        .ok_or_else(|| Failure::usage(format!("{what}: {text:?} has no {sign:?}"), format!("write it as NAME{sign}20s")))?;
    let (minus, time) = time.strip_prefix('-').map_or((1, time), |t| (-1, t));
    Ok((name.to_owned(), minus * duration(what, time)?))
}

fn check(truth: &Path, args: &SimulateArgs) -> Result<ExitCode, Failure> {
    let skew_ms = duration("--skew", &args.skew)?;
    let guard_ms = duration("--guard", &args.guard)?;
    let options = CheckOptions { questions: args.questions, seed: args.seed, skew_ms, guard_ms };
    let mut asker = OverSocket { client: Client::connect(&args.data)? };
    let bar = indicatif::ProgressBar::new(args.questions);
    let report = weir_sim::check::check(truth, &options, &mut asker, |r| bar.set_position(r.asked));
    bar.finish_and_clear();
    let report = report.map_err(Failure::sentence)?;
    show(&report, args.json)?;
    // Wrong is zero, always: anything else is a failure, whatever the rest looks like.
    Ok(ExitCode::from(if report.wrong == 0 { 0 } else { FAILED }))
}

fn show(report: &Report, json: bool) -> Result<(), Failure> {
    if json { output::line(&report.to_json()) } else { output::text(&report.to_string()) }
}

/// Asks over the socket, many questions in flight.
pub struct OverSocket {
    /// The connection.
    pub client: Client,
}

impl Asker for OverSocket {
    fn ask(&mut self, batch: &[Question]) -> std::io::Result<Vec<Answer>> {
        let requests = batch.iter().map(|q| json!({ "op": "lookup", "purpose": "operate", "question": question(q) })).collect();
        let answers = self.client.call_all(requests).map_err(|e| std::io::Error::other(e.what))?;
        answers.into_iter().map(|a| serde_json::from_value(a).map_err(std::io::Error::other)).collect()
    }
}

fn question(q: &Question) -> Value {
    json!({
        "public": weir_attribution::question::format_end(q.public, q.port),
        "protocol": if q.protocol == 0 { Value::Null } else { json!(q.protocol.to_string()) },
        "at": q.at.to_rfc3339(),
        "remote": q.remote.map(|(address, port)| weir_attribution::question::format_end(address, Some(port))),
        "skew": format!("{}ms", q.skew_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_with_their_names() {
        assert_eq!(named("--nas-reboot", "bras-home@20s", '@'), Ok(("bras-home".to_owned(), 20_000)));
        assert_eq!(named("--clock-offset", "cgn-a=-1500ms", '='), Ok(("cgn-a".to_owned(), -1_500)));
        for bad in ["cgn-a", "cgn-a=1", "cgn-a=--1s", "cgn-a=x"] {
            let failure = named("--clock-offset", bad, '=').unwrap_err();
            assert_eq!(failure.code, crate::fail::USAGE, "{bad}");
        }
    }
}
