//! Steps of approvals that were refused: each is a record, for each account so many a minute; what is beyond them is counted and told together,
//! so that nobody fills the disk by trying, and nothing that was tried is lost.

use std::collections::HashMap;

use weir_base::time::Millis;
use weir_record::Id;

use super::{Desk, Outcome};
use crate::desk::limits::{REFUSALS_A_WINDOW, REFUSALS_MS};
use crate::desk::refused::Refused;
use crate::desk::views::Caller;

#[derive(Clone, Copy)]
struct Window {
    began: Millis,
    told: u32,
    untold: u64,
}

/// By actor: accounts, tokens and the accounts of the socket, of which there are not many.
#[derive(Default)]
pub struct Refusals(HashMap<String, Window>);

impl Refusals {
    /// One more. Gives how many before it are to be told with it; none when it is only counted.
    fn count(&mut self, actor: &str, now: Millis) -> Option<u64> {
        let window = self.0.entry(actor.to_owned()).or_insert(Window { began: now, told: 0, untold: 0 });
        // A clock that went back makes nothing wait.
        if !(0..REFUSALS_MS).contains(&now.since(window.began)) {
            (window.began, window.told) = (now, 0);
        }
        if window.told >= REFUSALS_A_WINDOW {
            window.untold += 1;
            return None;
        }
        window.told += 1;
        Some(std::mem::take(&mut window.untold))
    }

    /// What is to be told by now, by actor; all of it at the `end`. Who was quiet is forgotten.
    fn due(&mut self, now: Millis, end: bool) -> Vec<(String, u64)> {
        let over = |w: &Window| end || !(0..REFUSALS_MS).contains(&now.since(w.began));
        let due: Vec<(String, u64)> = self.0.iter().filter(|(_, w)| over(w) && w.untold > 0).map(|(a, w)| (a.clone(), w.untold)).collect();
        self.0.retain(|_, w| !over(w));
        due
    }
}

impl Desk {
    /// Records a step that was refused, and hands its outcome on.
    pub(super) fn told_if_refused<T>(&self, actor: &str, action: &str, id: Id, out: Outcome<T>, now: Millis) -> Outcome<T> {
        match &out {
            // What could not be written down is no refusal, and a slip of the pen in a request no step.
            Ok(_) | Err(Refused::Store(_) | Refused::Bad { .. }) => return out,
            Err(refused) => {
                let Some(more) = self.live().refusals.count(actor, now) else { return out };
                let more = if more > 0 { format!(" and={more}") } else { String::new() };
                self.change(|c| {
                    c.told.refused(actor, action, format!("approval={id}{more}"), refused.code(), now);
                    Ok(())
                })
                .map(drop)?;
            }
        }
        out
    }

    /// Records that a step of an approval was refused before it came here: whoever asks lacks what it needs. Hands on why.
    pub fn approval_step_refused(&self, caller: &Caller, action: &str, id: Id, refused: Refused, now: Millis) -> Refused {
        match self.told_if_refused::<()>(&caller.actor(), action, id, Err(refused.clone()), now) {
            Err(why) => why,
            Ok(()) => refused,
        }
    }

    /// Records how many were counted and not told.
    pub(super) fn tell_refusals(&self, now: Millis, end: bool) -> Outcome<()> {
        let due = self.live().refusals.due(now, end);
        if due.is_empty() {
            return Ok(());
        }
        self.change(|c| {
            for (actor, more) in &due {
                c.told.refused(actor, "desk-approval", format!("and={more}"), "refused", now);
            }
            Ok(())
        })
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_minute_are_told_and_the_rest_together() {
        let (mut refusals, a, b, at) = (Refusals::default(), "account:1", "uid:2", Millis(1_800_000_000_000));
        for _ in 0..REFUSALS_A_WINDOW {
            assert_eq!(refusals.count(a, at), Some(0));
        }
        assert_eq!((refusals.count(a, at), refusals.count(a, at.plus(1)), refusals.count(b, at)), (None, None, Some(0)));
        assert!(refusals.due(at.plus(REFUSALS_MS - 1), false).is_empty());
        let mut later = Refusals(refusals.0.clone());
        assert_eq!(later.count(a, at.plus(REFUSALS_MS)), Some(2), "told with the next");
        assert_eq!(refusals.due(at.plus(REFUSALS_MS), false), [(a.to_owned(), 2)], "or by themselves");
        assert!(refusals.0.is_empty());
        (0..=REFUSALS_A_WINDOW).for_each(|_| _ = refusals.count(a, at));
        assert_eq!(refusals.due(at, true), [(a.to_owned(), 1)], "at the end all of it");
    }
}
