//! The catalogue is whole: every sentence has both languages with the same places, and every sentence that the sources make is in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::model::words::Words;

fn places(parts: &[Part]) -> BTreeSet<&str> {
    parts.iter().filter_map(|p| if let Part::Place(name) = p { Some(*name) } else { None }).collect()
}

#[test]
fn every_line_has_both_languages_and_the_same_places() {
    let mut seen = BTreeSet::new();
    for (file, text) in FILES {
        for (en, zh) in pairs(text) {
            assert!(en.is_ascii() || en.contains(['…', '’', '—']), "{file}: the English line comes first: {en}");
            // A name of a standard may be the whole of a line.
            assert!(
                zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
                    || en.contains("RFC")
                    || zh == en.replace(": ", "：")
                    || zh == "{what}。",
                "{file}: no Chinese: {en}"
            );
            assert!(!en.contains('`') || zh.contains('`'), "{file}: {en}");
            let (e, z) = (parts(en), parts(zh));
            assert_eq!(places(&e), places(&z), "{file}: {en}");
            assert_eq!(e.iter().filter(|p| matches!(p, Part::Place(_))).count(), places(&e).len(), "{file}: a place stands twice: {en}");
            assert!(
                !e.windows(2).any(|two| matches!(two, [Part::Place(_), Part::Place(_)])),
                "{file}: two places without letters between: {en}"
            );
            assert!(seen.insert(en), "{file}: twice: {en}");
        }
    }
    assert!(seen.len() > 400, "{}", seen.len());
}

#[test]
fn places_are_filled_and_sentences_in_them_are_translated() {
    for (en, zh) in [
        ("Sign in.", "请登录。"),
        ("There is no such account.", "没有该账户。"),
        ("The body is longer than 4096 bytes.", "请求内容超过 4096 字节。"),
        (
            "cgn-a: the disk is full: make room or raise the limit; records go on when there is room",
            "cgn-a：磁盘已满：请腾出空间或提高限额；有空间后将继续接收记录",
        ),
        (
            "no holder is known, but nas-a has sent nothing later than the moment: one may be missing",
            "未发现占用者，但nas-a 在该时刻之后没有发送任何内容：可能有遗漏",
        ),
    ] {
        assert_eq!(chinese(en).as_deref(), Some(zh));
    }
    assert_eq!(chinese("Nobody ever said this."), None);
    assert_eq!(Words::of("Nobody ever said this."), Words::same("Nobody ever said this."));
    // Whatever is pasted or named: nothing here may fail or take long.
    for odd in ["", ":", ": ", "{", "}", "{x}", "：：：", &"a: ".repeat(20_000), "é: é", "There is no such ."] {
        drop(chinese(odd));
    }
}

/// Rust files below a folder, tests left out.
fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    if folder.is_file() {
        out.push(folder.to_owned());
        return;
    }
    for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() {
            sources(&entry, out);
        } else if name.ends_with(".rs") && !name.contains("test") && !name.contains("fuzz") {
            out.push(entry);
        }
    }
}

/// The texts between quotes from here to the end of the call, whose bracket is open already.
fn texts_of_call(rest: &str) -> Vec<String> {
    let (mut out, mut depth, mut chars) = (Vec::new(), 1, rest.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => break,
            ')' => depth -= 1,
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' if chars.peek() == Some(&'\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                        '\\' => text.extend(chars.next()),
                        c => text.push(c),
                    }
                }
                out.push(text);
            }
            _ => {}
        }
    }
    out
}

/// A text of the sources as the catalogue's lines are: each place filled with something.
fn filled(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, (_, after))) = rest.split_once('{').and_then(|(b, tail)| Some((b, tail.split_once('}')?))) {
        out.push_str(before);
        out.push_str("x9");
        rest = after;
    }
    out + rest
}

/// Words beside each other, not only in places, and no path, format or name of a field.
fn is_sentence(text: &str) -> bool {
    let bare = filled(text).replace("x9", "\u{0}");
    let words = |two: &[&str]| two.iter().all(|w| w.chars().filter(|c| c.is_ascii_lowercase()).count() > 1 && !w.contains('\u{0}'));
    !text.contains('\n') && bare.split(' ').collect::<Vec<_>>().windows(2).any(words)
}

/// Whether there is a Chinese sentence: one of which only the colon is Chinese is none.
fn in_chinese(en: &str) -> bool {
    chinese(en).is_some_and(|zh| zh.ends_with('。') || zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)))
}

/// Calls whose texts leave over the API, and where.
const CALLS: &[(&str, &[&str])] = &[
    ("../web/src", &["Problem::new(", "Problem::boxed(", "nothing_here("]),
    (
        "../identity/src/desk",
        &["Refused::bad(", "Refused::Conflict(", "Refused::NotAllowed(", "Refused::NotFound(", "Refused::Expired(", "Refused::TooMany("],
    ),
    ("../app/src/words.rs", &["Failure::usage("]),
    ("../app/src/statements.rs", &["Failure::new(", "Failure::usage("]),
    ("../query/src/sql/told.rs", &["say("]),
    ("../query/src/sql/watch.rs", &["=> ("]),
    ("../app/src/views.rs", &["Failure::new(", "Failure::usage("]),
    ("../app/src/ask.rs", &["Failure::new(", "Failure::usage("]),
    ("../app/src/ledger.rs", &["Failure::new("]),
    ("../app/src/config", &["Problem::new(", "tell("]),
    ("../sources/src/conntrack/config.rs", &["push("]),
    ("../sources/src/detnat/config.rs", &["push("]),
    ("../sources/src/dhcp/config.rs", &["push("]),
    ("../sources/src/events/config.rs", &["push("]),
    ("../sources/src/h3c/config.rs", &["push("]),
    ("../sources/src/h3c/layout.rs", &["push("]),
    ("../sources/src/host/config.rs", &["push("]),
    ("../sources/src/ipfix/config.rs", &["add("]),
    ("../sources/src/radius/config.rs", &["push("]),
    ("../sources/src/syslog/config.rs", &["add("]),
    ("../store/src/engine", &["trouble) = Some("]),
    ("../sources/src", &["trouble = Some(", "trouble(Some(", ".trouble("]),
    ("../app/src/measures", &["State::Stopped, ", "State::Degraded, ", "State::Running, "]),
    ("../app/src/desk/overview.rs", &["tell("]),
    ("../app/src/desk/paste", &["problem = Some(", "assumed.push("]),
    ("../app/src/desk", &["problem::field(", "problem::not_found(", "tell(", "Failure::new(", "Failure::usage(", "problem(path, "]),
];

#[test]
fn every_sentence_of_the_sources_is_here() {
    let here = weir_testkit::package();
    let (mut missing, mut seen) = (BTreeSet::new(), 0);
    for (folder, calls) in CALLS {
        let mut files = Vec::new();
        sources(&here.join(folder), &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for call in *calls {
                for (at, _) in text.match_indices(call) {
                    for said in texts_of_call(&text[at + call.len()..]).iter().filter(|t| is_sentence(t)) {
                        seen += 1;
                        if !in_chinese(&filled(said)) {
                            missing.insert(format!("{}: {said}", file.file_name().unwrap().to_string_lossy()));
                        }
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "no Chinese for:\n{}", missing.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(seen > 150, "{seen}: are the calls still named as above?");
}

/// Why an answer is what it is: whole sentences, and those that begin with a clause that stands elsewhere in the file.
#[test]
fn every_reason_of_an_answer_is_here() {
    let file = weir_testkit::package().join("../attribution/src/words.rs");
    let text = std::fs::read_to_string(file).unwrap();
    let said = texts_of_call(text.split_once("-> String {").unwrap().1);
    let (begun, whole): (Vec<&String>, Vec<&String>) = said.iter().partition(|t| t.ends_with(", but") || t.ends_with(", and"));
    // A clause that a sentence ends with is no sentence of its own.
    let (ends, whole): (Vec<&String>, Vec<&String>) = whole.into_iter().partition(|t| t.starts_with("so "));
    let mut seen = 0;
    for text in whole.iter().filter(|t| is_sentence(t)) {
        let mut all = vec![(*text).clone()];
        if text.contains("{what}") {
            all = begun.iter().map(|what| text.replace("{what}", what)).collect();
        }
        if text.contains("{rest}") {
            all = ends.iter().map(|rest| text.replace("{rest}", rest)).collect();
        }
        let known = all.iter().filter(|t| in_chinese(&filled(t))).count();
        // Of two ways to begin not each fits each sentence.
        assert!(known == all.len() || (known >= 2 && text.contains("{what}")), "no Chinese for: {text}");
        seen += 1;
    }
    assert!(seen > 25, "{seen}: are the reasons still here?");
}

/// Options are for the command line: over the API and on its pages they are fields, which have names of their own.
#[test]
fn no_sentence_of_a_problem_names_an_option() {
    for (file, text) in FILES.iter().filter(|(file, _)| *file != "config.txt") {
        for (en, zh) in pairs(text) {
            assert!(!en.contains("--") && !zh.contains("--"), "{file}: {en}");
        }
    }
}

#[test]
fn every_problem_of_the_desk_and_every_title_is_here() {
    for code in crate::model::problem::Code::ALL {
        let problem = crate::model::problem::Problem::new(*code, "x", "y");
        assert!(chinese(&problem.title).is_some(), "{}", problem.title);
    }
    // The file of refusals as it stands: what is said and what to do of each.
    let text = std::fs::read_to_string(weir_testkit::package().join("../identity/src/desk/refused.rs")).unwrap();
    let said: Vec<String> = texts_of_call(&text).into_iter().collect();
    drop(said);
    for (line, next) in text.lines().zip(text.lines().skip(1)) {
        // What is too long for its line stands on the next.
        let Some((_, rest)) = line.split_once("=> ") else { continue };
        let rest = if rest == "{" { next } else { rest };
        for said in texts_of_call(rest).iter().filter(|t| t.contains(' ')) {
            assert!(chinese(&filled(said)).is_some(), "no Chinese for: {said}");
        }
    }
}
