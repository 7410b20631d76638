//! Which of the spans that were found for a question still hold. Pure.
//!
//! A written span is never changed. When later events tell better, what it covered is covered anew, span by span or void by void, under a
//! higher revision; a question that finds the one finds the other, because both lie under the same key at the same time.

use weir_base::time::Millis;

use crate::session::span::SessionSpan;

/// Leaves the spans that no span of the same session and prefix with a higher revision supersedes, without voids, sorted.
pub fn merge(mut found: Vec<SessionSpan>) -> Vec<SessionSpan> {
    found.sort_by_key(|s| (s.session.id, s.prefix, std::cmp::Reverse(s.revision), s.since, s.until));
    let mut kept: Vec<SessionSpan> = Vec::with_capacity(found.len());
    let mut first = 0;
    for span in found {
        if kept.last().is_none_or(|k| (k.session.id, k.prefix) != (span.session.id, span.prefix)) {
            first = kept.len();
        }
        let better = |k: &SessionSpan| (k.revision > span.revision && supersedes(k, &span)) || k.says_the_same(&span);
        if !kept.iter().skip(first).any(better) {
            kept.push(span);
        }
    }
    kept.retain(|s| !s.void);
    kept.sort_by_key(|s| (s.session.id, s.prefix, s.since));
    kept
}

/// True when `new` speaks of a time that `old` speaks of. Spans that only meet do not overlap.
fn supersedes(new: &SessionSpan, old: &SessionSpan) -> bool {
    let end = |s: &SessionSpan| s.until.unwrap_or(Millis(i64::MAX));
    let overlap = old.since < end(new) && new.since < end(old);
    overlap || (new.since <= old.since && end(old) <= end(new))
}
