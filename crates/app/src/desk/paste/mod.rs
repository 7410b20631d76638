//! Reads what people paste: `203.0.113.7:40123 2026-11-22 10:00:00`, lines of web servers, firewalls and syslog, tables, JSON, lines of abuse
//! mails. Nothing is asked; every guess is said. A function of its text, its zone and its moment alone.

mod columns;
mod ends;
mod forms;
mod scan;
mod table;
mod time;

use weir_base::time::Millis;
use weir_web::model::lookup::{Read, ReadLine};
use weir_web::model::words::Words;

use crate::limits::{PASTE_LINE_BYTES, PASTE_LINES};
use columns::{Column, Values};
use forms::{Found, Parts};
use table::Heading;
use time::Basis;

/// Reads a text. Lines without a zone are read by `zone`, lines without a year by `now`.
///
/// # Errors
/// The zone is none, or the text has too many lines.
pub fn read(text: &str, zone: &str, now: Millis) -> Result<Read, String> {
    let zone = columns::zone(zone).ok_or_else(|| "the zone is not understood: write it as +08:00".to_owned())?;
    let basis = Basis { zone, now };
    let lines: Vec<&str> = text.lines().collect();
    if lines.iter().filter(|l| !l.trim().is_empty()).count() > PASTE_LINES {
        return Err(format!("more than {PASTE_LINES} lines at once: paste them in parts, or ask a file with `weir lookup` on the machine"));
    }
    let mut reader = Reader { basis, out: Vec::new(), heading: None, block: Block::default() };
    for (i, line) in lines.iter().enumerate() {
        reader.line(i as u32 + 1, line);
    }
    reader.close();
    Ok(Read { lines: reader.out })
}

/// Lines `name: value` that stand together and make one question.
#[derive(Default)]
struct Block {
    values: Values,
    /// Line numbers; the first is the one the question is told at.
    lines: Vec<u32>,
}

struct Reader {
    basis: Basis,
    out: Vec<ReadLine>,
    heading: Option<Heading>,
    block: Block,
}

impl Reader {
    fn line(&mut self, number: u32, raw: &str) {
        if raw.len() > PASTE_LINE_BYTES {
            self.close();
            return self
                .tell(number, Found { problem: Some(format!("the line is longer than {PASTE_LINE_BYTES} bytes")), ..Found::default() });
        }
        let plain = scan::plain(raw);
        // Quoted mail.
        let line = plain.trim().trim_start_matches(['>', '*', '•']).trim();
        if line.is_empty() {
            self.heading = None;
            return self.close();
        }
        if let Some(heading) = &self.heading {
            if Heading::is_rule(line) {
                return;
            }
            let found = heading.row(plain.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}'), &self.basis);
            return self.tell(number, found);
        }
        if let Some(heading) = Heading::read(line) {
            self.close();
            self.heading = Some(heading);
            return;
        }
        let found = forms::line(line, &self.basis);
        if found.question.is_none()
            && let Some(values) = part(line)
        {
            return self.part(number, values);
        }
        self.close();
        self.tell(number, found);
    }

    fn part(&mut self, number: u32, values: Values) {
        if self.block.values.overlaps(&values) {
            self.close();
        }
        self.block.values.join(values);
        self.block.lines.push(number);
        if self.block.lines.len() >= 64 {
            self.close();
        }
    }

    /// Ends a block of lines that belong together.
    fn close(&mut self) {
        let Block { values, lines } = std::mem::take(&mut self.block);
        let Some(first) = lines.first() else { return };
        self.tell(*first, Parts::of(&values, &self.basis).found("mail"));
        for number in lines.iter().skip(1) {
            let assumed = vec![format!("belongs to line {first}")];
            self.tell(*number, Found { form: "mail", assumed, ..Found::default() });
        }
    }

    fn tell(&mut self, line: u32, found: Found) {
        let form = Some(found.form).filter(|f| !f.is_empty()).map(str::to_owned);
        let assumed = found.assumed.into_iter().map(Words::of).collect();
        self.out.push(ReadLine { line, question: found.question, form, assumed, problem: found.problem.map(Words::of) });
    }
}

/// A line that is a name and a value, and no more.
fn part(line: &str) -> Option<Values> {
    let (name, value) = line.split_once(':').or_else(|| line.split_once('\t'))?;
    let (column, _) = columns::column(name)?;
    let mut values = columns::pairs(line);
    if !values.has(column) {
        values.put(name, value);
    }
    (column != Column::Skew && !values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests;
