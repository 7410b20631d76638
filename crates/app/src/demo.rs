//! `weir run --demo`: a folder of its own, a simulated network playing through the real sockets, and three things to try.

mod tape;

use std::ffi::OsStr;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use weir_base::clock::SystemClock;
use weir_base::disk::RealDisk;
use weir_base::task::Stop;
use weir_base::time::Millis;
use weir_sim::{Mode, Plan, Profile, Targets};
use weir_store::lock::FolderLock;

use crate::ask::DEMO_ORIGIN;
use crate::fail::Failure;
use crate::open;
use crate::output;
use crate::program::{Program, Show};
use crate::socket::client::Client;

use tape::Tape;

/// The demonstration's configuration: loopback, ports chosen by the kernel.
pub const CONFIG: &str = include_str!("demo/demo.toml");
/// NAT events a second.
const RATE: u32 = 40;
/// Seconds between lines of counters where there is no terminal.
const LINE_EVERY_MS: i64 = 10_000;

/// The demonstration's own folder.
pub fn folder() -> Result<PathBuf, Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
    base.map(|b| b.join("weir/demo")).ok_or_else(|| Failure::new("there is no home folder", "name a folder with --data"))
}

/// Makes the folder, or empties it when a fresh one is wanted. Only a demonstration's folder is ever emptied.
pub fn prepare(data: &Path, fresh: bool) -> Result<(), Failure> {
    let cannot =
        |e: std::io::Error| Failure::new(format!("the folder {} cannot be used ({e})", data.display()), "name another with --data");
    let used = data.join(weir_store::keyring::FILE).exists();
    let disk = if used { Some(RealDisk::new(data).map_err(cannot)?) } else { None };
    let origin = disk.as_ref().and_then(|d| open::origin_of(d));
    if origin.as_deref().is_some_and(|o| o != DEMO_ORIGIN) {
        let what = format!("{} holds real records, not a demonstration", data.display());
        return Err(Failure::new(what, "name another folder with --data, or run it without --demo"));
    }
    if fresh && used {
        let lock = FolderLock::take(data).map_err(Failure::sentence)?;
        fs::remove_dir_all(data).map_err(cannot)?;
        drop(lock);
    }
    fs::create_dir_all(data).map_err(cannot)
}

/// What to do as well where a demonstration's folder does not open: nothing in it is worth mending. Not while another program holds it.
pub fn or_fresh(failure: Failure, data: &Path) -> Failure {
    if FolderLock::take(data).is_err() {
        return failure;
    }
    Failure { todo: format!("{}; or begin anew: `weir run --demo --fresh` empties the demonstration's folder", failure.todo), ..failure }
}

/// Starts the network and gives what to show each second.
pub fn play(program: &Program, stop: &Stop) -> Result<Show, Failure> {
    let _ = program.ready()?;
    output::text(
        "\nThis is a demonstration: nobody in it exists. Addresses are 198.18.0.0/28 (reserved for tests), the log is demo.invalid,\n\
         and 50 simulated subscribers surf through a simulated NAT into the real sockets above. Ctrl-C ends it.\n\n",
    )?;
    if let Some(link) = program.desk_link() {
        output::text(&format!(
            "The desk, in a browser (this link makes the first account, once; choose any name and password, the page can be the\n\
             authenticator app itself):\n\n   {link}\n\n"
        ))?;
    }
    let tape = Tape::new(&program.data)?;
    let secret = fs::read(program.data.join("radius.secret"))
        .map_err(|e| Failure::new(format!("the secret cannot be read ({e})"), "use --fresh"))?;
    let mut plan = Plan::new(Profile::Small, Millis(program.service.clock.now().0).0.unsigned_abs());
    plan.rate = RATE;
    plan.mode = Mode::Live { duration_ms: None };
    plan.session_ms = Some(120_000);
    plan.interim_ms = Some(30_000);
    plan.truth = Some(tape.path().to_owned());
    plan.targets = Targets {
        ipfix: program.ports.ipfix_udp.first().copied(),
        radius: program.ports.radius.first().copied(),
        radius_secret: secret.trim_ascii_end().to_vec(),
        ..Targets::default()
    };
    let stop = stop.clone();
    let simulate = move || {
        if let Err(e) = weir_sim::play(&plan, &SystemClock::new(), &stop, |_| ()) {
            eprintln!("weir: the simulated network stopped: {e}");
        }
    };
    std::thread::Builder::new()
        .name("demo".to_owned())
        .spawn(simulate)
        .map_err(|e| Failure::new(format!("no thread for the simulated network ({e})"), "raise the limit of threads"))?;
    Ok(shower(program, tape))
}

/// Each second: the three things to try, once one of them answers; then live counters.
fn shower(program: &Program, tape: Tape) -> Show {
    let (data, terminal) = (program.data.clone(), std::io::stdout().is_terminal());
    let bar = if terminal { indicatif::ProgressBar::new_spinner() } else { indicatif::ProgressBar::hidden() };
    let (mut shown, mut said) = (false, Millis(0));
    let weir = std::env::current_exe().map_or("weir".to_owned(), |me| named(&me, &std::env::var_os("PATH").unwrap_or_default()));
    Box::new(move |store, now| {
        if !shown && let Some(example) = tape.recent(now).iter().find(|q| answers(&data, q)) {
            shown = true;
            let text = things_to_try(&weir, &data, example);
            bar.suspend(|| drop(output::text(&text)));
        }
        let sources = store.sources();
        let health = store.health();
        let sum = |kind: &str| sources.iter().filter(|s| s.kind == kind).map(|s| s.counters.records).sum::<u64>();
        let line = format!(
            "{} NAT events, {} accounting records, {} open mappings, {} rows wait to be sealed, log of {} entries",
            sum("ipfix"),
            sum("radius"),
            health.open_mappings,
            health.waiting_rows,
            health.log_size
        );
        if terminal {
            bar.set_message(line);
            bar.tick();
        } else if now.since(said) >= LINE_EVERY_MS {
            said = now;
            let _ = output::line(&line);
        }
    })
}

/// A question from the truth, as `weir lookup` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    public: String,
    protocol: u8,
    at: Millis,
}

/// True when the program answers with one holder and names the subscriber.
fn answers(data: &Path, example: &Example) -> bool {
    let question =
        json!({ "public": example.public, "protocol": example.protocol.to_string(), "at": example.at.to_rfc3339(), "skew": "1s" });
    let asked = Client::connect(data).and_then(|mut c| c.call(json!({ "op": "lookup", "purpose": "drill", "question": question })));
    asked.is_ok_and(|a| a["answer"] == "one" && a["candidates"][0]["subscriber"] != Value::Null)
}

/// How this program is called in another terminal: by its name where the shell finds it by that, else by its path.
fn named(me: &Path, search: &OsStr) -> String {
    let same = |a: &Path| fs::canonicalize(a).ok().is_some_and(|a| fs::canonicalize(me).is_ok_and(|b| a == b));
    let found = std::env::split_paths(search).map(|folder| folder.join("weir")).find(|file| file.is_file());
    if found.is_some_and(|file| same(&file)) { "weir".to_owned() } else { quoted(me) }
}

fn things_to_try(weir: &str, data: &Path, example: &Example) -> String {
    let at = if Some(data) == folder().ok().as_deref() || data != Path::new("weir-data") {
        format!(" --data {}", quoted(data))
    } else {
        String::new()
    };
    let protocol = weir_attribution::question::protocol_name(example.protocol);
    format!(
        "Three things to try in another terminal:\n\n\
         1. Who held this public address and port at this moment?\n   \
            {weir} lookup --public {} --protocol {protocol} --at {} --skew 1s --purpose drill --explain{at}\n\n\
         2. Who sends, and is anything lost?\n   \
            {weir} sources{at}\n\n\
         3. What is kept of them, with every identifier masked:\n   \
            {weir} records --kind nat_mapping --limit 5{at}\n\n",
        example.public,
        example.at.to_rfc3339(),
    )
}

/// A path that a shell takes as one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_real_records_is_never_emptied() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(weir_store::keyring::FILE), "x").unwrap();
        fs::create_dir(dir.path().join("log")).unwrap();
        fs::write(dir.path().join(weir_store::commit::CURRENT), "example.org/weir\n1\n").unwrap();
        let failure = prepare(dir.path(), true).unwrap_err();
        assert!(failure.what.contains("real records"), "{failure}");
        assert!(dir.path().join("log").exists());
        fs::write(dir.path().join(weir_store::commit::CURRENT), "demo.invalid\n1\n").unwrap();
        prepare(dir.path(), false).unwrap();
        assert!(dir.path().join("log").exists());
        prepare(dir.path(), true).unwrap();
        assert!(!dir.path().join("log").exists() && dir.path().exists());
    }

    #[test]
    fn commands_survive_a_folder_with_spaces() {
        assert_eq!(quoted(Path::new("/a/b-c.d")), "/a/b-c.d");
        assert_eq!(quoted(Path::new("/a b/it's")), "'/a b/it'\\''s'");
        let example = Example { public: "198.18.0.1:9".into(), protocol: 17, at: Millis(0) };
        let text = things_to_try("weir", Path::new("/a b"), &example);
        assert!(text.contains("weir lookup --public 198.18.0.1:9 --protocol udp --at 1970-01-01T08:00:00.000+08:00"), "{text}");
        assert_eq!(text.matches("--data '/a b'").count(), 3);
    }

    #[test]
    fn the_program_is_called_as_another_terminal_finds_it() {
        let dir = tempfile::tempdir().unwrap();
        let (built, other) = (dir.path().join("built"), dir.path().join("other"));
        for folder in [&built, &other] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("weir"), "").unwrap();
        }
        let me = built.join("weir");
        let search = |folders: &[&PathBuf]| std::env::join_paths(folders).unwrap();
        assert_eq!(named(&me, &search(&[&built, &other])), "weir");
        for elsewhere in [search(&[]), search(&[&other, &built]), search(&[&dir.path().join("none")])] {
            assert_eq!(named(&me, &elsewhere), quoted(&me), "{elsewhere:?}");
        }
    }
}
