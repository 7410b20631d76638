//! The body of a fuzz target: what must hold for any text that somebody pastes. A panic is a finding.

use weir_base::time::Millis;

use super::paste;

/// Every line told of stands in the text, and is a question or says why not.
pub fn app_paste(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let count = text.lines().count();
    let Ok(read) = paste::read(&text, "+08:00", Millis(1_795_312_800_000)) else { return };
    assert!(read.lines.len() <= count, "more lines are told of than there are");
    for line in &read.lines {
        assert!((1..=count).contains(&(line.line as usize)), "a line stands outside the text");
        let problem = line.problem.as_ref().map_or("", |p| p.en.as_str());
        assert!(line.question.is_none() || problem.is_empty(), "a question has no problem");
        if let Some(question) = &line.question {
            assert!(weir_attribution::question::parse_end("public", &question.public).is_ok(), "the end can be asked about");
            assert!(question.at.parse::<Millis>().is_ok(), "the moment can be asked about");
        }
    }
}

#[cfg(test)]
#[test]
fn kept_inputs_never_panic() {
    weir_testkit::corpus::replay("app_paste", app_paste);
}
