//! The files that a configuration names: what is wrong with each, whatever else is wrong with the settings around it. Only measures that are
//! switched on are looked at, and only names that are written: a name that is missing is a problem of the settings.

use std::path::{Path, PathBuf};

use weir_sources::{dhcp, events, host, radius, syslog};

use super::{Config, Problem, desk};

/// Files that are missing, have wrong rights or cannot be understood; each problem says what to do.
pub fn check(config: &Config) -> Vec<Problem> {
    let (sources, measures) = (&config.sources, &config.measures);
    let mut all = Vec::new();
    if measures.radius {
        all.extend(radius::clients::check_files(&sources.radius));
    }
    if measures.syslog {
        all.extend(syslog::server::check_files(&sources.syslog));
    }
    if measures.events && sources.events.listens() {
        all.extend(events::server::check_files(&sources.events));
    }
    // What is wrong with the section itself is said already.
    let settings = desk::check(&config.desk, &mut Vec::new());
    all.extend(crate::desk::start::check_files(&settings, Path::new("weir-data")));
    all.iter().map(|text| at_its_path(text)).collect()
}

/// A sentence that begins with a path.
pub fn at_its_path(text: &str) -> Problem {
    let (path, what) = text.split_once(' ').unwrap_or(("", text));
    Problem::new(path.trim_end_matches(':'), what)
}

/// Files that are followed and not there, each with a sentence: whoever writes one has written none yet, or it is a slip.
pub fn waited_for(config: &Config) -> Vec<String> {
    let (sources, measures) = (&config.sources, &config.measures);
    let mut named: Vec<(String, &PathBuf)> = Vec::new();
    if measures.radius {
        named.extend(sources.radius.detail.iter().enumerate().map(|(i, d)| (format!("sources.radius.detail[{i}].path"), &d.path)));
    }
    if measures.dhcp {
        named.extend(sources.dhcp.files.iter().enumerate().map(|(i, f)| (format!("sources.dhcp.files[{i}].path"), &f.path)));
    }
    if measures.host {
        named.push(("sources.host.audit".to_owned(), &sources.host.audit));
        if sources.host.journal {
            named.push(("sources.host.journal_directory".to_owned(), &sources.host.journal_directory));
        }
    }
    let missing = named.into_iter().filter(|(_, path)| path.is_absolute() && !path.exists());
    let missing = missing.map(|(key, path)| format!("{key}: {} is not there, or not for us to see: it is waited for", path.display()));
    missing.chain(journal(config)).chain(interfaces(config)).collect()
}

/// What journalctl says of the journal, asked as the account that checks.
fn journal(config: &Config) -> Option<String> {
    let own = &config.sources.host;
    let folder = Some(own.journal_directory.as_path()).filter(|f| !f.as_os_str().is_empty());
    // A folder that is not there is told as that.
    if !config.measures.host || !own.journal || folder.is_some_and(|f| !f.is_absolute() || !f.exists()) {
        return None;
    }
    let key = if folder.is_some() { "sources.host.journal_directory" } else { "sources.host.journal" };
    let why = match host::probe::probe(folder) {
        Ok(wrong) => wrong?.sentence(),
        Err(e) => format!("journalctl cannot be started ({e}): install systemd's journalctl, or write journal = false"),
    };
    Some(format!("{key}: {why}"))
}

/// Interfaces that are to be listened on and are not there: they are waited for, as files are.
fn interfaces(config: &Config) -> Vec<String> {
    let captures = if config.measures.dhcp { config.sources.dhcp.capture.as_slice() } else { &[] };
    let named = captures.iter().enumerate().filter(|(_, c)| !c.interface.is_empty());
    let told = named.filter_map(|(i, c)| Some((i, dhcp::capture::missing(&c.interface)?)));
    told.map(|(i, why)| format!("sources.dhcp.capture[{i}].interface: {why}")).collect()
}
