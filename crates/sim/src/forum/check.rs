//! Compares what was told with the records that came of it, as the masked view shows them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ForumTruth;
use crate::limits::SHOWN_WRONG;

/// A record of kind `authentication`, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Row {
    /// RFC 3339.
    pub time: String,
    /// 1 sign-in, 2 sign-out, 3 failed sign-in.
    pub action: u8,
    /// Opaque: the same for the same account within one view.
    #[serde(default)]
    pub account: Option<String>,
    /// Masked: the same for the same address within one view.
    #[serde(default)]
    pub address: Option<String>,
    /// The port.
    #[serde(default)]
    pub port: Option<u16>,
    /// Masked or not: only rows of the forum's service may be handed in.
    #[serde(default)]
    pub method: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ForumReport {
    /// Events told.
    pub told: u64,
    /// There exactly once, as told.
    pub right: u64,
    /// Not there.
    pub missing: u64,
    /// There more than once.
    pub twice: u64,
    /// There, though never told.
    pub strange: u64,
    /// There, with another action, port, account or address, or under an id that stands for another account.
    pub different: u64,
    /// The first wrong ones, in words.
    pub shown: Vec<String>,
}

impl ForumReport {
    /// Everything that is not right: must be zero.
    pub fn wrong(&self) -> u64 {
        self.missing + self.twice + self.strange + self.different
    }

    fn show(&mut self, text: String) {
        if self.shown.len() < SHOWN_WRONG {
            self.shown.push(text);
        }
    }
}

impl fmt::Display for ForumReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} events told, {} there exactly once as told", self.told, self.right)?;
        for (name, n) in [
            ("wrong", self.wrong()),
            ("missing", self.missing),
            ("twice", self.twice),
            ("strange", self.strange),
            ("different", self.different),
        ] {
            writeln!(f, "  {name:<10} {n:>8}")?;
        }
        self.shown.iter().try_for_each(|text| writeln!(f, "  WRONG {text}"))
    }
}

/// A bijection that is learned: false when it is broken.
#[derive(Default)]
struct Pairs {
    there: HashMap<String, String>,
    back: HashMap<String, String>,
}

impl Pairs {
    fn fits(&mut self, own: &str, shown: Option<&str>) -> bool {
        let Some(shown) = shown else { return false };
        let there = self.there.entry(own.to_owned()).or_insert_with(|| shown.to_owned()) == shown;
        let back = self.back.entry(shown.to_owned()).or_insert_with(|| own.to_owned()) == own;
        there && back
    }
}

/// Judges the rows of one view. No two events of a forum share a millisecond: the time names the event.
pub fn check(truth: &ForumTruth, rows: &[Row]) -> ForumReport {
    let mut by_time: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    let mut report = ForumReport { told: truth.events.len() as u64, ..ForumReport::default() };
    for row in rows {
        match row.time.parse::<weir_base::time::Millis>() {
            Ok(time) => by_time.entry(time.0).or_default().push(row),
            Err(_) => report.strange += 1,
        }
    }
    let (mut accounts, mut addresses) = (Pairs::default(), Pairs::default());
    for told in &truth.events {
        let at = weir_base::time::Millis(told.time);
        let found = by_time.remove(&told.time).unwrap_or_default();
        let Some(row) = found.first() else {
            report.missing += 1;
            report.show(format!("missing: {} of {} at {at}", told.action, told.account));
            continue;
        };
        if found.len() > 1 {
            report.twice += 1;
            report.show(format!("{} times: {} of {} at {at}", found.len(), told.action, told.account));
            continue;
        }
        let action = match told.action.as_str() {
            "sign-in" => 1,
            "sign-out" => 2,
            _ => 3,
        };
        let plain = row.action == action && row.port == Some(told.port) && row.method.as_deref() == Some("password");
        let who = accounts.fits(&told.account, row.account.as_deref());
        let place = addresses.fits(&told.address.to_string(), row.address.as_deref());
        if plain && who && place {
            report.right += 1;
        } else {
            report.different += 1;
            report.show(format!("different: {} of {} at {at}, port {}: {row:?}", told.action, told.account, told.port));
        }
    }
    for (time, rows) in by_time {
        report.strange += rows.len() as u64;
        report.show(format!("never told: {} at {}", rows.len(), weir_base::time::Millis(time)));
    }
    report
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use weir_base::time::Millis;

    use super::super::Told;
    use super::*;

    fn rig() -> (ForumTruth, Vec<Row>) {
        let told = |n: i64, action: &str, who: u8| Told {
            time: 1_795_312_800_000 + n,
            action: action.into(),
            as_result: false,
            account: format!("member{who}"),
            address: Ipv4Addr::new(198, 19, 0, who),
            port: 1_024 + n as u16,
        };
        let events = vec![told(1, "sign-in", 1), told(2, "failure", 2), told(3, "sign-in", 2), told(4, "sign-out", 1)];
        let row = |t: &Told| Row {
            time: Millis(t.time).to_rfc3339(),
            action: ["", "sign-in", "sign-out", "failure"].iter().position(|a| *a == t.action).unwrap() as u8,
            account: Some(format!("id of {}", t.account)),
            address: Some(format!("mask of {}", t.address)),
            port: Some(t.port),
            method: Some("password".into()),
        };
        let rows = events.iter().map(row).collect();
        (ForumTruth { weir_forum: 1, seed: 1, service: "f".into(), from: 0, to: 9, events }, rows)
    }

    #[test]
    fn each_kind_of_error_is_seen() {
        let (truth, rows) = rig();
        assert_eq!((check(&truth, &rows).right, check(&truth, &rows).wrong()), (4, 0));
        type Change = fn(&mut Vec<Row>);
        let cases: [(&str, Change); 7] = [
            ("missing", |r| drop(r.remove(1))),
            ("twice", |r| r.push(r[0].clone())),
            ("strange", |r| r.push(Row { time: Millis(5).to_rfc3339(), ..r[0].clone() })),
            ("different", |r| r[3].action = 1),
            ("different", |r| r[3].port = None),
            ("different", |r| r[3].account = r[2].account.clone()),
            ("different", |r| r[3].address = r[2].address.clone()),
        ];
        for (what, change) in cases {
            let mut rows = rows.clone();
            change(&mut rows);
            let report = check(&truth, &rows);
            let counts = serde_json::to_value(&report).unwrap();
            assert_eq!((counts[what].as_u64(), report.wrong()), (Some(1), 1), "{what}: {report}");
        }
    }
}
