//! What the log's entries say together: which units there are, and in which file each lies now.

use std::collections::{BTreeMap, HashMap, HashSet};

use weir_base::time::{Day, Millis};
use weir_record::Kind;
use weir_seal::entry::{Entry, EntryError, Genesis, Repack, Unit};
use weir_seal::{Hash, UnitId};

use super::limits::OTHER_VERSIONS;
use super::report::Findings;

const NOT_OURS: &str = "this program never writes such a log: restore the folder `log` from a copy, and find out who signed this";

/// What to do about a log that was not read whole.
pub const OTHER: &str = "use the program that wrote it; else restore the folder `log`";

/// A sealed unit.
#[derive(Clone, Debug)]
pub struct UnitFact {
    /// Its random id.
    pub unit: UnitId,
    /// Rows.
    pub rows: u64,
    /// Row of the file at which it starts.
    pub first_row: u64,
    /// Earliest event time.
    pub first: Millis,
    /// Latest event time.
    pub last: Millis,
    /// Root of its rows.
    pub rows_root: Hash,
    /// True if its rows lie in the kind's order.
    pub sorted: bool,
    /// Place in [`Facts::files`] of the file that holds it now.
    pub file: usize,
}

/// A file that an entry names.
#[derive(Clone, Debug)]
pub struct FileFact {
    /// Path in the data folder.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// Root of its blocks.
    pub root: Hash,
    /// The same with SM3, where it is kept.
    pub sm3: Option<Hash>,
    /// Name of the kind of its rows.
    pub kind: String,
    /// Version of the kind.
    pub version: u32,
    /// The day of its key.
    pub day: Day,
    /// The entry that names it.
    pub entry: u64,
    /// Entries of the units in it, by first row.
    pub units: Vec<u64>,
    /// True once a later entry has it removed.
    pub dropped: bool,
}

/// All entries together.
#[derive(Default)]
pub struct Facts {
    /// Units by entry.
    pub units: BTreeMap<u64, UnitFact>,
    /// Files in the order in which they were named.
    pub files: Vec<FileFact>,
    /// The first entry.
    pub genesis: Option<Genesis>,
    /// The last group that is sealed, at least: see [`Facts::is_surely_sequenced`].
    pub sequenced: u64,
    /// Entries taken in.
    pub entries: u64,
    by_path: HashMap<String, usize>,
    ids: HashSet<UnitId>,
    /// Versions of entries that this program does not read, each told once.
    others: HashSet<String>,
    /// The first entry that was not read: it may name what no other entry names.
    pub unread: Option<u64>,
    /// An entry behind the last heartbeat was not read: it may be a later one.
    beat_unread: bool,
}

impl Facts {
    /// The file of this path.
    pub fn file(&self, path: &str) -> Option<&FileFact> {
        self.files.get(*self.by_path.get(path)?)
    }

    /// True if no entry that was not read can have sealed more groups than [`Facts::sequenced`].
    pub fn is_surely_sequenced(&self) -> bool {
        !self.beat_unread
    }

    /// True where this entry may be a unit that was not read.
    fn may_be_unread(&self, entry: u64) -> bool {
        self.unread.is_some_and(|first| entry >= first)
    }

    /// Takes in one entry; entries come in their order.
    pub fn entry(&mut self, index: u64, bytes: &[u8], found: &mut Findings) {
        self.entries += 1;
        let place = format!("log entry {index}");
        let entry = Entry::decode(bytes);
        if entry.is_err() {
            self.unread.get_or_insert(index);
            self.beat_unread = true;
        }
        match entry {
            Err(EntryError::UnknownVersion { found: version }) if self.others.contains(&version) => {}
            Err(EntryError::UnknownVersion { found: version }) if self.others.len() < OTHER_VERSIONS => {
                let what = EntryError::UnknownVersion { found: version.clone() };
                found.problem(place, format!("{what}. Entries of one version are told once"), OTHER);
                self.others.insert(version);
            }
            Err(e) => found.problem(place, e.to_string(), OTHER),
            Ok(Entry::Genesis(genesis)) if index == 0 => self.genesis = Some(genesis),
            Ok(Entry::Genesis(_)) => found.problem(place, "a log begins only once, and this is not its first entry", NOT_OURS),
            Ok(other) => {
                if index == 0 {
                    found.problem(place.as_str(), "the first entry is not the beginning of a log", NOT_OURS);
                }
                let wrong = match other {
                    Entry::Unit(unit) => self.unit(index, unit),
                    Entry::Repack(repack) => self.repack(index, repack),
                    Entry::Heartbeat(beat) if beat.sequenced < self.sequenced => {
                        Err("it counts fewer groups than an entry before it".to_owned())
                    }
                    Entry::Heartbeat(beat) => {
                        (self.sequenced, self.beat_unread) = (beat.sequenced, false);
                        Ok(())
                    }
                    Entry::Genesis(_) => Ok(()),
                };
                if let Err(what) = wrong {
                    found.problem(place, what, NOT_OURS);
                }
            }
        }
    }

    fn add_file(&mut self, file: FileFact) -> Result<usize, String> {
        if self.by_path.contains_key(&file.path) {
            return Err(format!("it names {}, which an entry before it named already", file.path));
        }
        self.by_path.insert(file.path.clone(), self.files.len());
        self.files.push(file);
        Ok(self.files.len() - 1)
    }

    fn unit(&mut self, index: u64, unit: Unit) -> Result<(), String> {
        let known = kind_is_known(&unit.kind, unit.kind_version);
        if !self.ids.insert(unit.unit) {
            return Err(format!("the unit {} was sealed before", unit.unit));
        }
        let file = self.add_file(FileFact {
            path: unit.file,
            size: unit.size,
            root: unit.file_root,
            sm3: unit.file_root_sm3,
            kind: unit.kind,
            version: unit.kind_version,
            day: unit.day,
            entry: index,
            units: vec![index],
            dropped: false,
        })?;
        // The file is the log's all the same.
        known?;
        let (first, last, rows_root) = (unit.first, unit.last, unit.rows_root);
        let fact =
            UnitFact { unit: unit.unit, rows: unit.rows, first_row: unit.first_row, first, last, rows_root, sorted: unit.sorted, file };
        self.units.insert(index, fact);
        Ok(())
    }

    fn repack(&mut self, index: u64, repack: Repack) -> Result<(), String> {
        let mut wrong = kind_is_known(&repack.kind, repack.kind_version).and_then(|()| self.parts_fit(&repack));
        let file = self.add_file(FileFact {
            path: repack.file,
            size: repack.size,
            root: repack.file_root,
            sm3: repack.file_root_sm3,
            kind: repack.kind,
            version: repack.kind_version,
            day: repack.day,
            entry: index,
            units: repack.parts.iter().map(|p| p.entry).collect(),
            dropped: false,
        })?;
        for part in &repack.parts {
            let Some(unit) = self.units.get_mut(&part.entry) else { continue };
            if let Some(old) = self.files.get_mut(unit.file) {
                old.units.retain(|entry| *entry != part.entry);
            }
            (unit.file, unit.first_row) = (file, part.first_row);
        }
        // One thing that does not fit must not hide where the other units lie now.
        for path in &repack.drops {
            wrong = wrong.and(self.drop_file(path));
        }
        let left = self.files.iter().rev().find(|f| f.units.is_empty() && !f.dropped);
        wrong.and(left.map_or(Ok(()), |left| Err(format!("it leaves {} without a unit and does not drop it", left.path))))
    }

    fn parts_fit(&self, repack: &Repack) -> Result<(), String> {
        for part in &repack.parts {
            let unit = match self.units.get(&part.entry) {
                None if self.may_be_unread(part.entry) => continue,
                None => return Err(format!("it moves entry {}, which is no unit before it", part.entry)),
                Some(unit) => unit,
            };
            let old = self.files.get(unit.file);
            if old.is_none_or(|f| f.kind != repack.kind || f.version != repack.kind_version || f.day != repack.day) {
                return Err(format!("it moves the unit of entry {}, which is of another kind or day", part.entry));
            }
            if unit.rows != part.rows {
                return Err(format!("it gives the unit of entry {} {} rows; it has {}", part.entry, part.rows, unit.rows));
            }
        }
        Ok(())
    }

    fn drop_file(&mut self, path: &str) -> Result<(), String> {
        let old = match self.by_path.get(path).and_then(|at| self.files.get_mut(*at)) {
            // An entry that was not read may have named it.
            None if self.unread.is_some() => return Ok(()),
            None => return Err(format!("it drops {path}, which no entry named")),
            Some(old) => old,
        };
        if !old.units.is_empty() {
            return Err(format!("it drops {path}, in which a unit still lies"));
        }
        match std::mem::replace(&mut old.dropped, true) {
            true => Err(format!("it drops {path}, which was dropped before")),
            false => Ok(()),
        }
    }
}

fn kind_is_known(name: &str, version: u32) -> Result<(), String> {
    let kind: Kind = name.parse().map_err(|_| format!("the record kind {name:?} is not known to this program"))?;
    if u32::from(kind.spec().version) == version {
        return Ok(());
    }
    Err(format!("version {version} of the record kind {name} is not known to this program, which knows {}", kind.spec().version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_seal::entry::{Heartbeat, Part};

    fn unit(n: u8) -> Unit {
        Unit {
            kind: "gap".into(),
            kind_version: 1,
            day: Day(20_000),
            unit: UnitId([n; 16]),
            sealed: Millis(5),
            rows: 3,
            first: Millis(1),
            last: Millis(2),
            rows_root: [0; 32],
            file: format!("segments/{n}"),
            size: 10,
            file_root: [0; 32],
            file_root_sm3: None,
            first_row: 0,
            sorted: true,
        }
    }

    fn repack(parts: &[(u64, u64, u64)], drops: &[&str]) -> Entry {
        Entry::Repack(Repack {
            kind: "gap".into(),
            kind_version: 1,
            day: Day(20_000),
            sealed: Millis(6),
            file: "segments/new".into(),
            size: 20,
            file_root: [1; 32],
            file_root_sm3: None,
            parts: parts.iter().map(|(entry, first_row, rows)| Part { entry: *entry, first_row: *first_row, rows: *rows }).collect(),
            drops: drops.iter().map(|d| (*d).to_owned()).collect(),
        })
    }

    fn tell(last: &Entry) -> (Facts, Findings) {
        let (mut facts, mut found) = (Facts::default(), Findings::default());
        let key = weir_seal::note::SigningKey::from_seed([7; 32], "demo.invalid").unwrap().verifying_key().clone();
        let genesis = Genesis { origin: "demo.invalid".into(), log_key: key, program: "weir-0".into(), time: Millis(0) };
        let beat = Entry::Heartbeat(Heartbeat { time: Millis(5), sequenced: 9, open: 0 });
        let entries = [&Entry::Genesis(genesis), &Entry::Unit(unit(1)), &Entry::Unit(unit(2)), &beat, last];
        for (index, entry) in (0u64..).zip(entries) {
            facts.entry(index, &entry.encode().unwrap(), &mut found);
        }
        (facts, found)
    }

    #[test]
    fn a_repack_moves_units_and_drops_their_files() {
        let (facts, found) = tell(&repack(&[(1, 0, 3), (2, 3, 3)], &["segments/1", "segments/2"]));
        assert!(found.is_good(), "{found:?}");
        assert_eq!(facts.file("segments/new").unwrap().units, [1, 2]);
        assert!(facts.file("segments/1").unwrap().dropped && facts.file("segments/2").unwrap().units.is_empty());
        assert_eq!((facts.units[&2].first_row, facts.sequenced, facts.entries), (3, 9, 5));
    }

    #[test]
    fn entries_that_contradict_those_before_are_named() {
        let both = [(1, 0, 3), (2, 3, 3)];
        let cases = [
            (repack(&both, &["segments/1"]), "leaves segments/2"),
            (repack(&[(1, 0, 3)], &["segments/1", "segments/2"]), "in which a unit still lies"),
            (repack(&both, &["segments/1", "segments/2", "segments/9"]), "which no entry named"),
            (repack(&[(3, 0, 3)], &["segments/1"]), "no unit before it"),
            (repack(&[(1, 0, 4)], &["segments/1"]), "4 rows; it has 3"),
            (Entry::Unit(unit(1)), "was sealed before"),
            (Entry::Unit(Unit { file: "segments/1".into(), ..unit(3) }), "named already"),
            (Entry::Unit(Unit { kind: "no_such".into(), ..unit(3) }), "not known"),
            (Entry::Unit(Unit { kind_version: 99, ..unit(3) }), "version 99"),
            (Entry::Heartbeat(Heartbeat { time: Millis(1), sequenced: 8, open: 0 }), "fewer groups"),
        ];
        for (entry, want) in cases {
            let (_, found) = tell(&entry);
            assert_eq!(found.problems.listed.len(), 1, "{want}");
            let problem = &found.problems.listed[0];
            assert!(problem.what.contains(want) && problem.place == "log entry 4", "{want}: {problem:?}");
        }
        let (facts, _) = tell(&Entry::Unit(Unit { kind_version: 99, ..unit(3) }));
        assert!(facts.file("segments/3").is_some() && facts.unread.is_none(), "its file is the log's all the same");
        let (mut facts, mut found) = (Facts::default(), Findings::default());
        let lines = ["weir/entry/v1\n", "weir/entry/v1\n", "weird\n", "weir/entry/v3\n", "weir/entry/v1\n", "weird\n"];
        for (index, line) in (0..).zip(lines) {
            facts.entry(index, line.as_bytes(), &mut found);
        }
        let told: Vec<(&str, &str)> = found.problems.listed.iter().map(|p| (p.place.as_str(), p.what.as_str())).collect();
        let want = [("0", "version weir/entry/v1:"), ("2", "names no version"), ("3", "version weir/entry/v3:"), ("5", "names no version")];
        let fits =
            told.iter().zip(want).all(|((place, what), (index, part))| *place == format!("log entry {index}") && what.contains(part));
        assert!(told.len() == want.len() && fits, "each version once: {told:?}");
        assert_eq!(facts.unread, Some(0));
    }

    #[test]
    fn what_speaks_of_entries_that_were_not_read_is_not_wrong() {
        let (mut facts, mut found) = tell(&Entry::Unit(unit(3)));
        let beat = |sequenced| Entry::Heartbeat(Heartbeat { time: Millis(7), sequenced, open: 0 }).encode().unwrap();
        assert!(facts.is_surely_sequenced());
        // Entry 5 is a unit, and 6 a heartbeat, of a version to come.
        facts.entry(5, b"weir/entry/v9\n", &mut found);
        facts.entry(6, b"weir/entry/v9\n", &mut found);
        assert!(!facts.is_surely_sequenced() && found.problems.listed.len() == 1, "{found:?}");
        facts.entry(7, &repack(&[(4, 0, 3), (5, 3, 8)], &["segments/3", "segments/5"]).encode().unwrap(), &mut found);
        assert_eq!(found.problems.listed.len(), 1, "{found:?}");
        assert_eq!(facts.file("segments/new").unwrap().units, [4, 5]);
        facts.entry(8, &beat(12), &mut found);
        assert!(facts.is_surely_sequenced() && facts.sequenced == 12);
        // What stood before them was read, so this is none of them.
        let wrong = Entry::Repack(Repack { file: "segments/newer".into(), ..repack_of(&repack(&[(3, 0, 3)], &["segments/2"])) });
        facts.entry(9, &wrong.encode().unwrap(), &mut found);
        assert!(found.problems.listed.last().unwrap().what.contains("no unit before it"), "{found:?}");
    }

    fn repack_of(entry: &Entry) -> Repack {
        let Entry::Repack(repack) = entry else { panic!("no repack") };
        repack.clone()
    }
}
