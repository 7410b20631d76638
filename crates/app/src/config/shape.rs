//! The walk over what was written: unknown keys, wrong shapes and missing keys, all of them, each with its path.

use toml::{Table, Value};

use super::Problem;
use super::schema::{Key, Shape, did_you_mean, names_below, setting_at};
use crate::limits::CONFIG_LIST;

/// Checks `table` and takes out what is wrong, so that the rest can be checked further.
pub fn check(table: &mut Table) -> Vec<Problem> {
    let mut problems = Vec::new();
    walk("", table, &mut problems);
    problems
}

fn walk(path: &str, table: &mut Table, problems: &mut Vec<Problem>) {
    let names = names_below(path);
    let mut wrong = Vec::new();
    for (name, value) in table.iter_mut() {
        let at = join(path, name);
        if !names.contains(&name.as_str()) {
            problems.push(unknown(at, name, &names));
            wrong.push(name.clone());
        } else if let Some(setting) = setting_at(&at) {
            let before = problems.len();
            check_value(&at, value, setting.shape, problems);
            if problems.len() > before && !matches!(setting.shape, Shape::Tables(_)) {
                wrong.push(name.clone());
            }
        } else if let Value::Table(inner) = value {
            walk(&at, inner, problems);
        } else {
            problems.push(Problem::new(at.clone(), format!("is a section, not a value: write [{at}] above its keys")));
            wrong.push(name.clone());
        }
    }
    wrong.iter().for_each(|name| drop(table.remove(name)));
}

fn check_value(at: &str, value: &mut Value, shape: Shape, problems: &mut Vec<Problem>) {
    let fits = match (shape, &*value) {
        (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Boolean(_)) => true,
        (Shape::Uid, Value::String(text)) => text == "owner",
        (Shape::Uid, Value::Integer(n)) => u32::try_from(*n).is_ok(),
        (Shape::Whole, Value::Integer(n)) => {
            if *n < 0 {
                problems.push(Problem::new(at, format!("{n} is negative: write a number from 0 on")));
            }
            true
        }
        (Shape::Texts | Shape::Tables(_), Value::Array(list)) if list.len() > CONFIG_LIST => {
            problems.push(Problem::new(at, format!("{} entries: at most {CONFIG_LIST} are allowed", list.len())));
            true
        }
        (Shape::Texts, Value::Array(list)) => list.iter().all(Value::is_str),
        (Shape::Tables(_), Value::Array(list)) => list.iter().all(Value::is_table),
        _ => false,
    };
    if !fits {
        problems.push(Problem::new(at, format!("has the wrong shape: write {}", shape.words())));
        if matches!(shape, Shape::Tables(_)) {
            *value = Value::Array(Vec::new());
        }
    } else if let (Shape::Tables(keys), Value::Array(list)) = (shape, value) {
        for (i, entry) in list.iter_mut().enumerate() {
            if let Value::Table(entry) = entry {
                check_entry(&format!("{at}[{i}]"), entry, keys, problems);
            }
        }
    }
}

fn check_entry(at: &str, entry: &mut Table, keys: &[Key], problems: &mut Vec<Problem>) {
    let names: Vec<&str> = keys.iter().map(|k| k.name).collect();
    let mut wrong = Vec::new();
    for (name, value) in entry.iter_mut() {
        let path = join(at, name);
        let before = problems.len();
        match keys.iter().find(|k| k.name == name) {
            Some(key) => check_value(&path, value, key.shape, problems),
            None => problems.push(unknown(path, name, &names)),
        }
        if problems.len() > before {
            wrong.push(name.clone());
        }
    }
    wrong.iter().for_each(|name| drop(entry.remove(name)));
    for key in keys.iter().filter(|k| k.required) {
        if !entry.contains_key(key.name) {
            if !wrong.iter().any(|w| w == key.name) {
                problems.push(Problem::new(join(at, key.name), format!("is missing: write {}", key.shape.words())));
            }
            // Something stands in for it, so that the rest of the entry can be read; what is said about it is not listed again.
            let stand_in = if key.shape == Shape::Texts { Value::Array(Vec::new()) } else { Value::String(String::new()) };
            entry.insert(key.name.to_owned(), stand_in);
        }
    }
}

fn unknown(at: String, name: &str, names: &[&str]) -> Problem {
    let hint = match did_you_mean(name, names) {
        Some(near) => format!("did you mean {near:?}?"),
        None if names.is_empty() => "nothing stands here".to_owned(),
        None => format!("what may stand here: {}", names.join(", ")),
    };
    Problem::new(at, format!("is not a setting: {hint}"))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
