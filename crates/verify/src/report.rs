//! What was looked at and what was found.

use serde::Serialize;

use super::limits::FINDINGS;

/// One thing that is wrong, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// File in the data folder, with an offset, an entry or a row where there is one.
    #[serde(rename = "where")]
    pub place: String,
    /// What it means.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// A list that stops growing at [`FINDINGS`] and goes on counting.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The first ones.
    pub listed: Vec<Finding>,
    /// How many more there are.
    pub more: u64,
}

impl List {
    fn push(&mut self, finding: Finding) {
        if self.listed.contains(&finding) {
            return;
        }
        if self.listed.len() < FINDINGS { self.listed.push(finding) } else { self.more += 1 }
    }

    /// True if nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

/// Problems and warnings of one part of the folder.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What makes the folder bad.
    pub problems: List,
    /// What does not, but should be known.
    pub warnings: List,
}

impl Findings {
    /// Something is wrong.
    pub fn problem(&mut self, place: impl Into<String>, what: impl Into<String>, hint: &str) {
        self.problems.push(Finding { place: place.into(), what: what.into(), hint: hint.to_owned() });
    }

    /// Something is worth knowing.
    pub fn warning(&mut self, place: impl Into<String>, what: impl Into<String>, hint: &str) {
        self.warnings.push(Finding { place: place.into(), what: what.into(), hint: hint.to_owned() });
    }

    /// True if nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// Takes another part's findings over.
    pub fn take(&mut self, other: Findings) {
        for (to, from) in [(&mut self.problems, other.problems), (&mut self.warnings, other.warnings)] {
            to.more += from.more;
            from.listed.into_iter().for_each(|finding| to.push(finding));
        }
    }
}

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Keys in the keyring.
    pub keys: u64,
    /// Entries of the log.
    pub log_entries: u64,
    /// Sealed units.
    pub units: u64,
    /// Files that hold them now.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// Rows whose root was computed anew.
    pub rows: u64,
    /// Files whose rows could not be read because the key is gone: only their digest was checked.
    pub files_without_key: u64,
    /// Files of the write-ahead log.
    pub wal_files: u64,
    /// Groups in them.
    pub wal_groups: u64,
    /// Entries of state snapshots.
    pub state_entries: u64,
    /// Entries of the side ledger.
    pub side_entries: u64,
}

/// The whole result.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How much was checked.
    pub checked: Checked,
    /// What was found.
    pub findings: Findings,
}

#[derive(Serialize)]
struct Shown<'a> {
    ok: bool,
    checked: &'a Checked,
    problems: &'a [Finding],
    more_problems: u64,
    warnings: &'a [Finding],
    more_warnings: u64,
}

impl Report {
    /// The report as JSON.
    pub fn json(&self) -> impl Serialize + '_ {
        let (problems, warnings) = (&self.findings.problems, &self.findings.warnings);
        Shown {
            ok: self.findings.is_good(),
            checked: &self.checked,
            problems: &problems.listed,
            more_problems: problems.more,
            warnings: &warnings.listed,
            more_warnings: warnings.more,
        }
    }

    /// The report for a person.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (mark, list) in [("BAD", &self.findings.problems), ("note", &self.findings.warnings)] {
            for f in &list.listed {
                out.push_str(&format!("{mark}  {}: {}\n      {}\n", f.place, f.what, f.hint));
            }
            if list.more > 0 {
                out.push_str(&format!("{mark}  and {} more like these\n", list.more));
            }
        }
        let c = &self.checked;
        out.push_str(&format!(
            "{} log entries, {} units in {} files ({} bytes), {} rows; {} groups in {} write-ahead files; {} state entries; {} keys\n",
            c.log_entries, c.units, c.files, c.bytes, c.rows, c.wal_groups, c.wal_files, c.state_entries, c.keys
        ));
        let bad = self.findings.problems.listed.len() as u64 + self.findings.problems.more;
        out.push_str(&if bad == 0 { "good: everything agrees with the log\n".to_owned() } else { format!("bad: {bad} problems\n") });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_limit_is_counted_and_nothing_is_told_twice() {
        let mut findings = Findings::default();
        for i in 0..FINDINGS + 5 {
            findings.problem(format!("f{i}"), "bad", "mend it");
        }
        findings.problem("f0", "bad", "mend it");
        assert_eq!((findings.problems.listed.len(), findings.problems.more), (FINDINGS, 5));
        let mut whole = Findings::default();
        whole.take(findings);
        whole.warning("w", "odd", "look");
        let report = Report { findings: whole, ..Report::default() };
        assert!(report.text().contains("BAD  f0: bad\n      mend it\n") && report.text().contains("bad: 1005 problems"));
        let json = serde_json::to_value(report.json()).unwrap();
        assert_eq!(
            (&json["ok"], &json["problems"][0]["where"], &json["warnings"][0]["what"]),
            (&false.into(), &"f0".into(), &"odd".into())
        );
        assert!(Report::default().text().ends_with("good: everything agrees with the log\n"));
    }
}
