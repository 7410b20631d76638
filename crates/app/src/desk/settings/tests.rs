//! Whatever is refused at a field is said in Chinese too.

use std::sync::Arc;

use weir_testkit::disk::SimDisk;

use super::*;
use crate::config::schema::Key;

fn layers() -> Layers {
    let loaded = config::parse_with("", &Table::new(), &[]).unwrap();
    Layers::new(Arc::new(SimDisk::new()), File::None, &[], &loaded, &Table::new())
}

/// Values that do not fit, for any setting: of another shape, out of range, names that are nothing, files that are not there.
const BAD: &[&str] = &[
    "-1",
    "0",
    "1",
    "70000",
    "9223372036854775807",
    "99999999999999999999",
    "\"\"",
    "\"x y\"",
    "\"none\"",
    "\"-5s\"",
    "\"99999d\"",
    "\"/nowhere/at/all\"",
    "\"300.1.2.3\"",
    "\"127.0.0.1:99999\"",
    "\"+99:00\"",
    "\"http://\"",
    "[]",
    "[1]",
    "[\"\"]",
    "[\"x y\"]",
    "[\"0.0.0.0:99999\"]",
    "[\"127.0.0.1:80\", \"127.0.0.1:80\"]",
    "[\"192.0.2.0/99\"]",
    "true",
    "nonsense here",
    "8 GiB",
    "[{ }]",
    "[{ nothing = 1 }]",
];

/// Tables with each key in turn: absent, of a wrong shape, of a wrong value.
fn tables(keys: &[Key]) -> Vec<String> {
    let value = |key: &Key| match key.shape {
        Shape::Text => "\"x\"",
        Shape::Texts => "[\"192.0.2.1\"]",
        Shape::Flag => "true",
        Shape::Whole | Shape::Uid | Shape::Tables(_) => "1",
    };
    let entry = |odd: &str, with: &str| {
        let all = keys.iter().map(|k| format!("{} = {}", k.name, if k.name == odd { with } else { value(k) }));
        format!("[{{ {} }}]", all.collect::<Vec<_>>().join(", "))
    };
    let odd = ["\"\"", "\"x y\"", "-1", "99999999", "[\"\"]", "[\"x y\", \"x y\"]", "\"/nowhere/at/all\"", "\"99999d\"", "true"];
    let mut out: Vec<String> = keys.iter().flat_map(|k| odd.iter().map(move |with| (k.name, *with))).map(|(k, w)| entry(k, w)).collect();
    let one = entry("", "");
    out.push(format!("{}, {}]", one.trim_end_matches(']'), one.trim_start_matches('[')));
    out.push("[{ }]".to_owned());
    out
}

/// English words beside each other, outside of quotes: what nobody has translated.
fn english(zh: &str) -> bool {
    let bare: String = zh.split('"').step_by(2).collect::<Vec<_>>().join("\u{4e00}");
    let word = |w: &&str| w.len() > 1 && w.bytes().all(|b| b.is_ascii_lowercase());
    let parts = bare.split(|c: char| !c.is_ascii()).map(|part| part.split_whitespace().collect::<Vec<_>>());
    parts.into_iter().any(|words| words.windows(3).any(|three| three.iter().all(word)))
}

#[test]
fn every_refused_value_is_said_in_chinese() {
    let layers = layers();
    let (mut missing, mut seen) = (std::collections::BTreeSet::new(), 0);
    for setting in SETTINGS.iter() {
        let mut values: Vec<String> = BAD.iter().map(|v| (*v).to_owned()).collect();
        if let Shape::Tables(keys) = setting.shape {
            values.extend(tables(keys));
        }
        for value in values {
            let checked = layers.check(&Changes::from([(setting.path.to_owned(), Some(value))])).unwrap();
            for problem in checked.problems {
                seen += 1;
                if problem.text.zh == problem.text.en || english(&problem.text.zh) {
                    missing.insert(format!("{}: {} / {}", problem.path, problem.text.en, problem.text.zh));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{} of {seen}:\n{}", missing.len(), missing.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(seen > 1_000, "{seen}");
    assert!(english("无法读取（no such file here）") && !english("请填写 \"one two three\" 或 RFC 8158"));
}
