//! The one catalogue of what the program says to people: English sentences, and the Chinese ones beside them.
//!
//! Code makes its sentences in English, where they belong; what leaves over the API is looked up here. A line of a catalogue may have places,
//! `{name}`, that stand for what is filled in; a place that holds a sentence of the catalogue itself is translated too. The files are pairs of
//! lines: English, then Chinese; `#` begins a remark. A test reads the sources and fails on a sentence that is not here.

use std::collections::HashMap;
use std::sync::OnceLock;

/// The files, with their names.
const FILES: &[(&str, &str)] = &[
    ("problems.txt", include_str!("problems.txt")),
    ("notices.txt", include_str!("notices.txt")),
    ("kinds.txt", include_str!("kinds.txt")),
    ("settings.txt", include_str!("settings.txt")),
    ("config.txt", include_str!("config.txt")),
    ("paste.txt", include_str!("paste.txt")),
    ("answers.txt", include_str!("answers.txt")),
];

/// Sentences within sentences: so deep at most.
const DEPTH: u8 = 3;

/// A part of a line.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Letters that stand there.
    Text(&'static str),
    /// A place, by its name.
    Place(&'static str),
}

struct Line {
    en: Vec<Part>,
    zh: Vec<Part>,
    /// Letters of the English line: the line with the most of them says it best.
    letters: usize,
}

struct Catalogue {
    plain: HashMap<&'static str, &'static str>,
    /// Lines with places, the most letters first.
    lines: Vec<Line>,
}

/// Takes a line apart.
fn parts(line: &'static str) -> Vec<Part> {
    let (mut out, mut rest) = (Vec::new(), line);
    while let Some((text, (place, after))) = rest.split_once('{').and_then(|(text, tail)| Some((text, tail.split_once('}')?))) {
        if !text.is_empty() {
            out.push(Part::Text(text));
        }
        out.push(Part::Place(place));
        rest = after;
    }
    if !rest.is_empty() {
        out.push(Part::Text(rest));
    }
    out
}

/// The pairs of a file.
fn pairs(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    std::iter::from_fn(move || Some((lines.next()?, lines.next().unwrap_or_default())))
}

fn catalogue() -> &'static Catalogue {
    static ALL: OnceLock<Catalogue> = OnceLock::new();
    ALL.get_or_init(|| {
        let (mut plain, mut lines) = (HashMap::new(), Vec::new());
        for (en, zh) in FILES.iter().flat_map(|(_, text)| pairs(text)) {
            if !en.contains('{') {
                plain.insert(en, zh);
                continue;
            }
            let en = parts(en);
            let letters = en.iter().map(|p| if let Part::Text(text) = p { text.len() } else { 0 }).sum();
            lines.push(Line { en, zh: parts(zh), letters });
        }
        lines.sort_by_key(|l| std::cmp::Reverse(l.letters));
        Catalogue { plain, lines }
    })
}

/// The Chinese sentence, where there is one.
pub fn chinese(en: &str) -> Option<String> {
    find(en, DEPTH)
}

fn find(en: &str, depth: u8) -> Option<String> {
    let all = catalogue();
    if let Some(zh) = all.plain.get(en) {
        return Some((*zh).to_owned());
    }
    let (line, places) = all.lines.iter().find_map(|line| Some((line, fits(&line.en, en)?)))?;
    let mut out = String::new();
    for part in &line.zh {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Place(name) => {
                let value = places.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v);
                let inner = depth.checked_sub(1).and_then(|depth| find(value, depth));
                out.push_str(inner.as_deref().unwrap_or(value));
            }
        }
    }
    Some(out)
}

/// What stands in the places, when the sentence is of this line. Each place ends where the letters after it first follow.
fn fits<'t>(line: &[Part], text: &'t str) -> Option<Vec<(&'static str, &'t str)>> {
    let (mut rest, mut places) = (text, Vec::new());
    let mut open: Option<&'static str> = None;
    for (i, part) in line.iter().enumerate() {
        match part {
            Part::Place(name) => open = Some(*name),
            Part::Text(letters) => {
                // The last letters are those at the end.
                let last = i + 1 == line.len();
                let at = if last && open.is_some() {
                    rest.len().checked_sub(letters.len()).filter(|_| rest.ends_with(letters))?
                } else {
                    rest.find(letters)?
                };
                match open.take() {
                    Some(name) => places.push((name, rest.get(..at)?)),
                    None if at > 0 => return None,
                    None => {}
                }
                rest = rest.get(at + letters.len()..)?;
            }
        }
    }
    match open {
        Some(name) => places.push((name, rest)),
        None if !rest.is_empty() => return None,
        None => {}
    }
    Some(places)
}

#[cfg(test)]
mod tests;
