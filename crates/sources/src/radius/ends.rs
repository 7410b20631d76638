//! Ends of sessions that nobody told, and the reboots that some follow from. Pure.

use weir_base::time::Millis;

use super::table::{Mark, Nas, Session};

/// An end that nobody told.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub time: Millis,
    pub arrived: Millis,
    pub reason: &'static str,
    /// Until when the session is known to have gone on.
    pub lasted: Option<Millis>,
}

/// A NAS went down or came up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reboot {
    pub on: bool,
    pub mark: Mark,
    pub word: Option<Millis>,
}

impl Reboot {
    pub fn end(&self, arrived: Millis) -> End {
        let reason = if self.on { "accounting-on" } else { "accounting-off" };
        End { time: self.mark.time, arrived, reason, lasted: self.word }
    }
}

/// The last reboots of a NAS. What goes down in order had its sessions until then; what comes up may have been down for long.
pub(super) fn reboots(nas: &Nas) -> impl Iterator<Item = Reboot> {
    let off = nas.off.map(|mark| Reboot { on: false, mark, word: Some(mark.time) });
    let on = nas.on.map(|mark| Reboot { on: true, mark, word: nas.word });
    off.into_iter().chain(on)
}

/// True when a session began before a reboot of its NAS. Times of one second, or by different clocks, are told apart by their arrival.
pub(super) fn began_before(s: &Session, reboot: &Mark) -> bool {
    let (began, arrived, stamped) = match &s.start {
        Some(start) => (start.time, start.arrived, start.stamped),
        None => (s.facts.start.unwrap_or(s.heard), s.heard_arrived, reboot.stamped),
    };
    if stamped == reboot.stamped && began != reboot.time { began < reboot.time } else { arrived < reboot.arrived }
}
