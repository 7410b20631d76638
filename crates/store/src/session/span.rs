//! The time one session held one address or prefix, and its bytes in the span index.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;

use crate::nat::mapping::take;

/// Version of the bytes below.
const VERSION: u8 = 2;

/// What is known of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Weir's id of it.
    pub id: Id,
    /// The RADIUS source that heard it.
    pub source: u32,
    /// Its realm.
    pub realm: u32,
    /// Opaque id of the account.
    pub subscriber: Option<Id>,
    /// Acct-Session-Id.
    pub acct_session_id: Option<String>,
    /// The NAS: identifier, else address.
    pub nas: String,
    /// When it began.
    pub start: Millis,
    /// True when its Start was seen.
    pub start_certain: bool,
    /// When it ended; `None` while open.
    pub end: Option<Millis>,
    /// True when the end was inferred.
    pub inferred: bool,
    /// Last event that a NAS sent of it, or last word of its NAS that would have told its end; an inferred end is none.
    pub last_evidence: Millis,
}

/// A session on one address or prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSpan {
    /// The session.
    pub session: Session,
    /// The address (all bits) or prefix.
    pub prefix: Prefix,
    /// Since when the session has it.
    pub since: Millis,
    /// Until when; `None` while it has it.
    pub until: Option<Millis>,
    /// Events of the session that were known when this was written down: of two spans of one session and prefix that overlap, the one with
    /// more counts.
    pub revision: u32,
    /// True for a correction: the session did *not* have the prefix then, whatever spans of lower revisions say.
    pub void: bool,
}

impl SessionSpan {
    /// Bytes in the span index, version 2: version, presence bits (1 subscriber, 2 acct id, 4 start certain, 8 ended, 16 inferred, 32
    /// until, 64 void), id, source u32, realm u32, revision u32, start, last evidence, since i64, prefix bits u8, prefix 16, then where
    /// present: subscriber, end i64, until i64, then texts with u16 lengths: acct id where present, nas. Integers little-endian.
    pub fn encode(&self) -> Vec<u8> {
        let s = &self.session;
        let presence = u8::from(s.subscriber.is_some())
            | u8::from(s.acct_session_id.is_some()) << 1
            | u8::from(s.start_certain) << 2
            | u8::from(s.end.is_some()) << 3
            | u8::from(s.inferred) << 4
            | u8::from(self.until.is_some()) << 5
            | u8::from(self.void) << 6;
        let mut out = vec![VERSION, presence];
        out.extend(s.id.0);
        out.extend(s.source.to_le_bytes());
        out.extend(s.realm.to_le_bytes());
        out.extend(self.revision.to_le_bytes());
        for time in [s.start, s.last_evidence, self.since] {
            out.extend(time.0.to_le_bytes());
        }
        out.push(self.prefix.bits);
        out.extend(self.prefix.addr.0);
        if let Some(id) = s.subscriber {
            out.extend(id.0);
        }
        for time in [s.end, self.until].into_iter().flatten() {
            out.extend(time.0.to_le_bytes());
        }
        for text in s.acct_session_id.iter().chain([&s.nas]) {
            out.extend(u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
            out.extend(if text.len() > usize::from(u16::MAX) { &[] } else { text.as_bytes() });
        }
        out
    }

    /// The span that [`SessionSpan::encode`] wrote; `None` for any other bytes.
    pub fn decode(bytes: &[u8]) -> Option<SessionSpan> {
        let mut at = bytes;
        let [version, presence] = take(&mut at)?;
        if version != VERSION || presence & 128 != 0 {
            return None;
        }
        let id = Id(take(&mut at)?);
        let source = u32::from_le_bytes(take(&mut at)?);
        let realm = u32::from_le_bytes(take(&mut at)?);
        let revision = u32::from_le_bytes(take(&mut at)?);
        let start = Millis(i64::from_le_bytes(take(&mut at)?));
        let last_evidence = Millis(i64::from_le_bytes(take(&mut at)?));
        let since = Millis(i64::from_le_bytes(take(&mut at)?));
        let [bits] = take(&mut at)?;
        let prefix = Prefix { addr: Addr16(take(&mut at)?), bits };
        let subscriber = if presence & 1 != 0 { Some(Id(take(&mut at)?)) } else { None };
        let end = if presence & 8 != 0 { Some(Millis(i64::from_le_bytes(take(&mut at)?))) } else { None };
        let until = if presence & 32 != 0 { Some(Millis(i64::from_le_bytes(take(&mut at)?))) } else { None };
        let acct_session_id = if presence & 2 != 0 { Some(text(&mut at)?) } else { None };
        let nas = text(&mut at)?;
        let (start_certain, inferred) = (presence & 4 != 0, presence & 16 != 0);
        let session = Session { id, source, realm, subscriber, acct_session_id, nas, start, start_certain, end, inferred, last_evidence };
        let void = presence & 64 != 0;
        at.is_empty().then_some(SessionSpan { session, prefix, since, until, revision, void })
    }

    /// True when both say the same of the same session, whatever was known when they were written down.
    pub fn says_the_same(&self, other: &SessionSpan) -> bool {
        let facts = |s: &SessionSpan| {
            let f = &s.session;
            (s.prefix, s.since, s.until, s.void, f.start, f.start_certain, f.end, f.inferred, f.last_evidence, f.subscriber)
        };
        facts(self) == facts(other)
    }

    /// The same without what only people read.
    pub fn without_texts(&self) -> SessionSpan {
        SessionSpan { session: self.session.without_texts(), ..*self }
    }
}

impl Session {
    /// The same without what only people read.
    pub fn without_texts(&self) -> Session {
        Session { acct_session_id: None, nas: String::new(), ..*self }
    }
}

fn text(at: &mut &[u8]) -> Option<String> {
    let len = usize::from(u16::from_le_bytes(take(at)?));
    let (head, tail) = at.split_at_checked(len)?;
    *at = tail;
    String::from_utf8(head.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_come_back() {
        let session = Session {
            id: Id([7; 16]),
            source: 2,
            realm: 3,
            subscriber: Some(Id([8; 16])),
            acct_session_id: Some("0A1B".into()),
            nas: "bras-1".into(),
            start: Millis(5),
            start_certain: true,
            end: Some(Millis(9)),
            inferred: true,
            last_evidence: Millis(8),
        };
        let full = SessionSpan {
            session,
            prefix: "100.64.0.12".parse().unwrap(),
            since: Millis(6),
            until: Some(Millis(9)),
            revision: 3,
            void: true,
        };
        let bare = SessionSpan {
            session: Session {
                subscriber: None,
                acct_session_id: None,
                end: None,
                inferred: false,
                start_certain: false,
                ..full.session.clone()
            },
            prefix: "2001:db8::/56".parse().unwrap(),
            since: Millis(-1),
            until: None,
            revision: 0,
            void: false,
        };
        for span in [full, bare] {
            let bytes = span.encode();
            assert_eq!(SessionSpan::decode(&bytes), Some(span));
            for cut in 0..bytes.len() {
                assert_eq!(SessionSpan::decode(&bytes[..cut]), None, "cut at {cut}");
            }
        }
    }
}
