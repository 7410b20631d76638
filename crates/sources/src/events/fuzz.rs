//! Entry point for fuzzing: any bytes as a body, no panic, promises kept.

use weir_base::time::Millis;
use weir_record::Id;

use super::answer::Answer;
use super::body;
use super::keys::{Begin, Keys};
use super::limits::{ACCOUNT_BYTES, AHEAD_MS, BEHIND_MS, FAULTS_TOLD, LINE_BYTES, LINES, METHOD_BYTES, NAME_BYTES};
use super::line::is_name;

/// 2026-11-22T10:00:00+08:00.
const NOW: Millis = Millis(1_795_312_800_000);

/// Any bytes as the body of a request: every line is an event within the limits or a fault, the answer counts both, comes back from disk as
/// it was, and repeats nothing of what was sent. The bytes as state of a key give an answer that encodes to them, or none.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn events_lines(data: &[u8]) {
    if let Some(answer) = Answer::decode(data) {
        let mut again = Vec::new();
        answer.encode(&mut again);
        assert_eq!(again, data);
    }
    let lines = data.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()).count();
    let Ok(decoded) = body::decode(data, NOW, Some("forum.example.org")) else {
        assert!(lines > LINES);
        return;
    };
    let answer = &decoded.answer;
    assert_eq!(answer.accepted as usize, decoded.events.len());
    assert_eq!(answer.refused as usize, decoded.refused.len());
    assert!(decoded.events.len() + decoded.refused.len() <= lines && answer.faults.len() <= FAULTS_TOLD);
    for event in &decoded.events {
        assert!((-BEHIND_MS..=AHEAD_MS).contains(&event.time.since(NOW)));
        assert!(event.account.as_ref().is_none_or(|a| (1..=ACCOUNT_BYTES).contains(&a.len()) && !a.chars().any(char::is_control)));
        assert!(!event.address.is_none() && event.port != Some(0));
        assert!(is_name(&event.service, NAME_BYTES) && event.host.as_ref().is_none_or(|h| is_name(h, NAME_BYTES)));
        assert!(event.method.as_ref().is_none_or(|m| is_name(m, METHOD_BYTES)));
    }
    assert!(decoded.events.len() <= data.len() && LINE_BYTES >= NAME_BYTES);
    let mut bytes = Vec::new();
    answer.encode(&mut bytes);
    assert_eq!(Answer::decode(&bytes).as_ref(), Some(answer));
    let mut keys = Keys::default();
    let (key, body) = (Id([1; 16]), Id([2; 16]));
    assert_eq!(keys.begin(1, key, body, NOW), Begin::New);
    let put = Keys::put(1, key, body, answer, NOW);
    let mut back = Keys::restore(&[(put.key, put.value.unwrap_or_default()), (data.to_vec(), data.to_vec())], NOW);
    assert_eq!(back.begin(1, key, body, NOW), Begin::Known(answer.clone()));
}
