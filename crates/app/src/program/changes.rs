//! What is configured differently from the last start becomes records.

use std::collections::BTreeMap;

use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::ConfigChange;
use weir_record::sink::{Group, RecordSink, StatePut};

use crate::config::Value;
use crate::fail::Failure;

/// Owner of the values of the last start.
const OWNER: &str = "config";

/// The values of the last start, by path.
pub fn last(sink: &dyn RecordSink) -> BTreeMap<String, String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_default();
    sink.state(OWNER).into_iter().map(|(k, v)| (text(k), text(v))).collect()
}

/// Records what differs and keeps the new values, in one commit; how many changes there were.
pub fn record(sink: &dyn RecordSink, values: &[Value], actor: &str, now: Millis) -> Result<usize, Failure> {
    let old = last(sink);
    let new: BTreeMap<String, String> = values.iter().map(|v| (v.path.clone(), v.value.clone())).collect();
    let changes = differing(&old, &new, actor, now);
    if changes.is_empty() {
        return Ok(0);
    }
    let put = |c: &ConfigChange| StatePut { key: c.path.clone().into_bytes(), value: c.new.clone().map(String::into_bytes) };
    // A long list of exporters has more changes than a group may carry.
    for chunk in changes.chunks(weir_record::limits::GROUP_STATE_PUTS) {
        let group = Group {
            batches: vec![(Kind::ConfigChange, ConfigChange::batch(chunk))],
            state: chunk.iter().map(put).collect(),
            ..Group::new(OWNER)
        };
        sink.commit(group).map_err(|e| {
            Failure::new(format!("the changes of the configuration cannot be recorded ({e})"), "make room, then start again")
        })?;
    }
    Ok(changes.len())
}

fn differing(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>, actor: &str, now: Millis) -> Vec<ConfigChange> {
    let change = |path: &String| ConfigChange {
        time: now,
        actor: actor.to_owned(),
        path: path.clone(),
        old: old.get(path).cloned(),
        new: new.get(path).cloned(),
    };
    let gone = old.keys().filter(|path| !new.contains_key(*path));
    let changed = new.iter().filter(|(path, value)| old.get(*path) != Some(value)).map(|(path, _)| path);
    changed.chain(gone).map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_differences_are_changes() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<BTreeMap<_, _>>();
        let old = map(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let new = map(&[("a", "1"), ("b", "9"), ("d", "4")]);
        let got: Vec<_> = differing(&old, &new, "uid:0", Millis(5)).into_iter().map(|c| (c.path, c.old, c.new)).collect();
        let some = |t: &str| Some(t.to_owned());
        assert_eq!(got, [("b".to_owned(), some("2"), some("9")), ("d".to_owned(), None, some("4")), ("c".to_owned(), some("3"), None)]);
        assert!(differing(&new, &new, "uid:0", Millis(5)).is_empty());
    }
}
