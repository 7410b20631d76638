//! The configuration as it may be changed: what every setting is and where it comes from, what a change would do, and making it. A change is a line
//! in `settings.toml` in the data folder, between the configuration file and `--set`; the next start takes it in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value as Json, json};
use toml::{Table, Value};
use weir_base::disk::{self, RealDisk, SharedDisk};
use weir_base::task::lock;
use weir_record::kind::Record;
use weir_record::kinds::{OperatorAction, Question};
use weir_record::sink::RecordSink;
use weir_record::{Id, Kind};
use weir_web::model::setting::{Checked, Difference, Setting, SettingProblem, Settings};
use weir_web::model::words::Words;

use crate::config::editable::{Rule, rule};
use crate::config::schema::{SETTINGS, Shape, did_you_mean, setting_at};
use crate::config::{self, Loaded, Problem, layer, set};
use crate::fail::Failure;
use crate::ledger::{self, Asked};
use crate::limits::{MEMORY_BYTES_MAX, REASON_CHARS, REASON_CHARS_MIN, SETTING_BYTES, SETTING_CHANGES, SETTINGS_BYTES};
use crate::memory;
use crate::socket::ops::Service;

/// Changes: path → value as TOML, or none to take a change back.
pub type Changes = BTreeMap<String, Option<String>>;

/// Where the configuration comes from, and what of it was changed here.
pub struct Layers {
    disk: SharedDisk,
    file: File,
    set: Vec<String>,
    /// What was changed here when the program started.
    began: Table,
    running: Loaded,
    writing: Mutex<()>,
}

/// The configuration file.
#[derive(Clone, Debug)]
pub enum File {
    /// None was named.
    None,
    /// This one.
    Path(PathBuf),
    /// The demonstration's own.
    Text(&'static str),
}

impl File {
    /// Its text now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn text(&self) -> Result<String, Problem> {
        match self {
            File::None => Ok(String::new()),
            File::Path(path) => config::text_of(path),
            File::Text(text) => Ok((*text).to_owned()),
        }
    }
}

/// What was changed at the desk, as the file in the data folder says.
///
/// # Errors
/// It cannot be read.
pub fn stored(data: &Path) -> Result<Table, Problem> {
    let none = |e: std::io::Error| {
        Problem::new("", format!("{} cannot be read ({e}): mend it, or take it away", data.join(layer::FILE).display()))
    };
    if !data.join(layer::FILE).exists() {
        return Ok(Table::new());
    }
    let disk = RealDisk::new(data).map_err(none)?;
    read(&disk).map_err(none).and_then(|text| layer::parse(&text))
}

fn read(disk: &dyn disk::Disk) -> std::io::Result<String> {
    let path = Path::new(layer::FILE);
    if !disk.exists(path)? {
        return Ok(String::new());
    }
    String::from_utf8(disk::read(disk, path, SETTINGS_BYTES)?).map_err(|_| std::io::ErrorKind::InvalidData.into())
}

impl Layers {
    /// Of a program that started with `running`.
    pub fn new(disk: SharedDisk, file: File, set: &[String], running: &Loaded, began: &Table) -> Layers {
        Layers { disk, file, set: set.to_vec(), began: began.clone(), running: running.clone(), writing: Mutex::new(()) }
    }

    fn now(&self) -> Result<Table, Failure> {
        let failed =
            |why: String| Failure::new(format!("{} cannot be read ({why})", layer::FILE), "mend it in the data folder, or take it away");
        let text = read(self.disk.as_ref()).map_err(|e| failed(e.to_string()))?;
        layer::parse(&text).map_err(|p| failed(p.to_string()))
    }

    fn on_command_line(&self, path: &str) -> bool {
        self.set.iter().any(|text| text.split('=').next().is_some_and(|p| p.trim() == path))
    }

    /// Every setting, and the changes that the next start takes in.
    ///
    /// # Errors
    /// The file of changes cannot be read.
    pub fn settings(&self) -> Result<Settings, Failure> {
        let values = SETTINGS.iter().map(|s| {
            let rule = rule(s.path);
            Setting {
                path: s.path.to_owned(),
                value: shown(&self.running.table, s.path, s.default),
                default: s.default.to_owned(),
                origin: self.origin(s.path).to_owned(),
                shape: Words::of(s.words()),
                editable: rule != Rule::Fixed && !self.on_command_line(s.path),
                two_persons: rule == Rule::Two,
            }
        });
        Ok(Settings { values: values.collect(), pending: self.pending()? })
    }

    fn origin(&self, path: &str) -> &'static str {
        // Entries of a list of tables are values of their own, all with one origin.
        let of = self.running.values.iter().find(|v| v.path == path || v.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('[')));
        match of.map(|v| v.origin) {
            Some(config::Origin::File) => "file",
            Some(config::Origin::Desk) => "desk",
            Some(config::Origin::Set) => "set",
            Some(config::Origin::Default) | None => "default",
        }
    }

    /// Changes made here that the next start takes in.
    ///
    /// # Errors
    /// The file of changes cannot be read.
    pub fn pending(&self) -> Result<Vec<Difference>, Failure> {
        let now = self.now()?;
        let one = |s: &config::schema::Setting| {
            let (before, after) = (config::find(&self.began, s.path), config::find(&now, s.path));
            (before != after).then(|| Difference {
                path: s.path.to_owned(),
                old: Some(shown(&self.running.table, s.path, s.default)),
                new: after.map(Value::to_string),
                two_persons: rule(s.path) == Rule::Two,
            })
        };
        Ok(SETTINGS.iter().filter_map(one).collect())
    }

    /// What changes would do.
    ///
    /// # Errors
    /// The file of changes cannot be read.
    pub fn check(&self, changes: &Changes) -> Result<Checked, Failure> {
        self.checked(changes).map(|(checked, _)| checked)
    }

    fn checked(&self, changes: &Changes) -> Result<(Checked, Table), Failure> {
        let before = self.now()?;
        let file = self.file.text();
        let file = file.map_err(|_| {
            Failure::new("the configuration file cannot be read", "mend it on the machine: `weir check-config` says what is wrong")
        })?;
        // What the next start would have without the change; where that would not come, every value is a change.
        let next = config::parse_with(&file, &before, &self.set).map(|l| l.table).unwrap_or_default();
        let mut after = before.clone();
        let mut problems = Vec::new();
        if changes.is_empty() || changes.len() > SETTING_CHANGES {
            problems.push(problem("", format!("there are {} changes: make 1 to {SETTING_CHANGES} at once", changes.len())));
        }
        for (path, value) in changes.iter().take(SETTING_CHANGES) {
            match self.changed(&after, &next, path, value.as_deref()) {
                Ok(table) => after = table,
                Err(text) => problems.push(problem(path, text)),
            }
        }
        // What is wrong already is not the change's fault: it is told with the change all the same, as the next start would not come.
        if let Err(all) = config::parse_with(&file, &after, &self.set) {
            problems.extend(all.into_iter().map(|p| problem(&p.path, p.what)));
        }
        let differences: Vec<Difference> =
            changes.keys().filter_map(|path| setting_at(path)).filter_map(|s| self.difference(s, &before, &after)).collect();
        // What cannot be read yet will need a second person all the same.
        let unread = |p: &SettingProblem| changes.contains_key(&p.path) && rule(&p.path) == Rule::Two;
        let two_persons = differences.iter().any(|d| d.two_persons) || problems.iter().any(unread);
        Ok((Checked { differences, problems, two_persons }, after))
    }

    fn difference(&self, s: &config::schema::Setting, before: &Table, after: &Table) -> Option<Difference> {
        let (old, new) = (config::find(before, s.path), config::find(after, s.path));
        let effective = || shown(&self.running.table, s.path, s.default);
        (old != new).then(|| Difference {
            path: s.path.to_owned(),
            old: Some(old.map_or_else(effective, Value::to_string)),
            new: new.map(Value::to_string),
            two_persons: rule(s.path) == Rule::Two,
        })
    }

    /// The table with one change; as it was where the value is already so.
    fn changed(&self, table: &Table, next: &Table, path: &str, value: Option<&str>) -> Result<Table, String> {
        let Some(setting) = setting_at(path) else {
            let known: Vec<&str> = SETTINGS.iter().map(|s| s.path).collect();
            let near = did_you_mean(path, &known)
                .map_or_else(|| "the list of settings shows all".to_owned(), |near| format!("did you mean {near}?"));
            return Err(format!("is not a setting: {near}"));
        };
        if rule(path) == Rule::Fixed {
            return Err("cannot be changed here: change it in the configuration file, on the machine itself".to_owned());
        }
        let Some(text) = value else { return Ok(layer::without(table, path)) };
        if self.on_command_line(path) {
            return Err("is set on the command line, which counts more: take it away where the program is started".to_owned());
        }
        let value = Some(text.trim()).filter(|t| t.len() <= SETTING_BYTES).and_then(|t| set::value_of(t, setting.shape));
        let value = value.ok_or_else(|| match setting.shape {
            // A number it is, and one that nothing can hold.
            Shape::Whole if text.trim().len() > 18 && text.trim().bytes().all(|b| b.is_ascii_digit()) => {
                format!("is too large a number: write 0 to {}", i64::MAX)
            }
            _ => format!("does not fit: write {}", setting.words()),
        })?;
        if let ("store.memory_bytes", Some(n)) = (path, value.as_integer().and_then(|n| u64::try_from(n).ok()))
            && let Some(there) = memory::more_than_there_is(n).filter(|_| n <= MEMORY_BYTES_MAX)
        {
            return Err(format!(
                "is more than this machine or its control group has, {there} bytes: write that or less, or 0 for half of it"
            ));
        }
        let mut out = table.clone();
        let already = config::find(next, path).cloned().or_else(|| set::value_of(setting.default, setting.shape));
        if already.as_ref() == Some(&value) {
            return Ok(out);
        }
        set::put(&mut out, path, value);
        Ok(out)
    }

    /// Makes changes. The record of it is durable before the file is, and the file is when this returns.
    ///
    /// # Errors
    /// There are problems, nothing would change, or it cannot be written down.
    pub fn change(&self, service: &Service, actor: &str, changes: &Changes, reason: &str) -> Result<Vec<Difference>, Failure> {
        let reason = reason.trim();
        if !(REASON_CHARS_MIN..=REASON_CHARS).contains(&reason.chars().count()) {
            return Err(Failure::usage("a reason is needed", format!("write why, in {REASON_CHARS_MIN} to {REASON_CHARS} characters")));
        }
        let _one = lock(&self.writing);
        let (checked, after) = self.checked(changes)?;
        if let Some(first) = checked.problems.first() {
            let more = checked.problems.len() - 1;
            let rest = if more == 0 { String::new() } else { format!("; and {more} more problems") };
            return Err(Failure::usage(
                format!("{} {}{rest}", first.path, first.text.en).trim().to_owned(),
                "mend the change, then try again",
            ));
        }
        if checked.differences.is_empty() {
            return Err(Failure::usage("nothing would change", "look at the settings and at what waits for the next start"));
        }
        self.record(service, actor, &checked.differences, reason)?;
        let written = disk::replace(self.disk.as_ref(), Path::new(layer::FILE), layer::write(&after).as_bytes());
        if let Err(e) = written {
            let failed = ledger::action(service.clock.now(), actor, "settings-change", "could not be written", "failed");
            // The record of the attempt is there already; this one only says how it went.
            let _ = service.front.commit(ledger::actions(&[failed]));
            return Err(Failure::new(
                format!("{} cannot be written ({e}): nothing was changed", layer::FILE),
                "make room in the data folder, then try again",
            ));
        }
        Ok(checked.differences)
    }

    /// The operator's action, and the reason, which is encrypted: reasons may name people.
    fn record(&self, service: &Service, actor: &str, differences: &[Difference], reason: &str) -> Result<(), Failure> {
        let now = service.clock.now();
        let words = |d: &Difference| format!("{}: {}", d.path, d.new.as_deref().unwrap_or("taken back"));
        let action = |d: &Difference| ledger::action(now, actor, "settings-change", words(d), "ok");
        let rows: Vec<OperatorAction> = differences.iter().map(action).collect();
        let target = json!({ "reason": reason, "changes": differences.iter().map(words).collect::<Vec<_>>() }).to_string();
        let asked = Asked {
            time: now,
            actor: actor.to_owned(),
            purpose: "operate".to_owned(),
            act: "settings-change",
            target,
            answer: "rows".to_owned(),
            rows: differences.len() as u64,
        };
        let question = asked.record(&service.store, false).map_err(Failure::sentence)?;
        let mut group = ledger::actions(&rows);
        group.batches.push((Kind::Question, Question::batch(&[question])));
        service.front.commit(group).map(drop).map_err(|e| {
            Failure::new(
                format!("the change cannot be recorded, so it is not made ({e})"),
                "make room on the disk of the data folder, then try again",
            )
        })
    }
}

fn problem(path: &str, text: impl Into<String>) -> SettingProblem {
    SettingProblem { path: path.to_owned(), text: Words::of(text) }
}

/// A value as it would be written, or the default.
fn shown(table: &Table, path: &str, default: &str) -> String {
    config::find(table, path).map_or_else(|| default.to_owned(), Value::to_string)
}

/// What is confirmed of a change: exactly these changes.
pub fn content(changes: &Changes) -> Json {
    json!({ "changes": changes })
}

/// A change over the socket: what needs two persons needs an approval that another person confirmed at the desk.
///
/// # Errors
/// As [`Layers::change`]; an approval is missing or does not fit.
pub fn over_socket(service: &Service, actor: &str, changes: &Changes, reason: &str, approval: Option<&str>) -> Result<Json, Failure> {
    let checked = service.layers.check(changes)?;
    let (mut kept, mut other) = (reason.to_owned(), false);
    if checked.problems.is_empty() && checked.two_persons {
        let desk = service.desk.as_ref().ok_or_else(|| {
            Failure::new(
                "this change needs a second person, and the desk does not run",
                "change the configuration file, on the machine itself",
            )
        })?;
        let ask = "ask for it at the desk under Settings, let another person confirm it, then give its id with --approval";
        let id = approval.ok_or_else(|| Failure::new("this change needs a second person", ask))?;
        let id: Id = id.parse().map_err(|_| Failure::usage("--approval is not an id", "copy it from the approval's page at the desk"))?;
        // What two persons decided on is kept with the reason they decided on.
        kept = desk
            .take_socket(actor, id, "setting-change", &content(changes), service.clock.now())
            .map_err(|r| Failure::new(r.what(), r.todo()))?;
        other = kept.trim() != reason.trim();
    }
    let done = service.layers.change(service, actor, changes, &kept)?;
    let mut out = json!({ "differences": done });
    if other && let Some(fields) = out.as_object_mut() {
        fields.insert("remark".to_owned(), json!(Words::of(format!("Kept is the reason that was confirmed: {kept}"))));
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
