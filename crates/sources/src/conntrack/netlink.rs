//! Netlink messages and attributes (linux/netlink.h). Pure. Numbers in headers are in the machine's own byte order.

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    /// Stable code for `malformed` records.
    pub reason: &'static str,
    /// Where, in bytes from the begin of what was read.
    pub offset: usize,
}

impl Fault {
    pub(super) fn new(reason: &'static str, offset: usize) -> Fault {
        Fault { reason, offset }
    }
}

/// `nlmsg_type` of control messages.
pub const NLMSG_ERROR: u16 = 2;
/// The last message of a dump.
pub const NLMSG_DONE: u16 = 3;
/// The kernel lost something of a dump.
pub const NLMSG_OVERRUN: u16 = 4;
/// `nlmsg_flags`: the table changed under a dump; it must be asked again.
pub const NLM_F_DUMP_INTR: u16 = 0x10;
/// `nlmsg_flags`: the event tells of something new (with [`NLM_F_CREATE`]).
pub const NLM_F_EXCL: u16 = 0x200;
/// `nlmsg_flags`: see [`NLM_F_EXCL`].
pub const NLM_F_CREATE: u16 = 0x400;
/// `nlmsg_flags`: this is part of a dump.
pub const NLM_F_MULTI: u16 = 2;

const HEADER: usize = 16;
const ATTRIBUTE: usize = 4;
/// The two top bits of an attribute's type say "nested" and "network byte order".
const TYPE_MASK: u16 = 0x3fff;

/// One message of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`: the number of the request it answers; 0 of an event.
    pub sequence: u32,
    /// What follows the header.
    pub body: &'a [u8],
    /// The whole message.
    pub bytes: &'a [u8],
}

/// The messages of one datagram. After a fault nothing follows: where the next message begins is not known then.
pub struct Messages<'a> {
    rest: &'a [u8],
    at: usize,
}

/// Takes a datagram apart.
pub fn messages(datagram: &[u8]) -> Messages<'_> {
    Messages { rest: datagram, at: 0 }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

/// Lengths count to the next multiple of four.
fn align(length: usize) -> usize {
    length.saturating_add(3) & !3
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let at = self.at;
        let fail = |this: &mut Messages<'a>, reason| {
            this.rest = &[];
            Some(Err(Fault::new(reason, at)))
        };
        let head = (u32_at(self.rest, 0), u16_at(self.rest, 4), u16_at(self.rest, 6), u32_at(self.rest, 8));
        let (Some(length), Some(kind), Some(flags), Some(sequence)) = head else { return fail(self, "netlink-header") };
        let length = length as usize;
        let Some(bytes) = self.rest.get(..length).filter(|_| length >= HEADER) else { return fail(self, "netlink-length") };
        let body = bytes.get(HEADER..).unwrap_or_default();
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        self.at += align(length);
        Some(Ok(Message { kind, flags, sequence, body, bytes }))
    }
}

/// One attribute: its type without the flag bits, and its value.
pub type Attribute<'a> = (u16, &'a [u8]);

/// The attributes of a message or of a nested attribute. After a fault nothing follows.
pub struct Attributes<'a> {
    rest: &'a [u8],
    at: usize,
}

/// Takes attributes apart; `at` is where `bytes` begin, for offsets in faults.
pub fn attributes(bytes: &[u8], at: usize) -> Attributes<'_> {
    Attributes { rest: bytes, at }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(usize, Attribute<'a>), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        // What is left below four bytes is the padding of the last one.
        if self.rest.len() < ATTRIBUTE {
            return None;
        }
        let at = self.at;
        let head = u16_at(self.rest, 0).zip(u16_at(self.rest, 2));
        let found = head.and_then(|(length, kind)| Some((length, kind, self.rest.get(ATTRIBUTE..usize::from(length))?)));
        let Some((length, kind, value)) = found else {
            self.rest = &[];
            return Some(Err(Fault::new("netlink-attribute", at)));
        };
        let step = align(usize::from(length));
        self.rest = self.rest.get(step..).unwrap_or_default();
        self.at += step;
        Some(Ok((at + ATTRIBUTE, (kind & TYPE_MASK, value))))
    }
}

/// The error number of an `NLMSG_ERROR` message; 0 is an acknowledgement.
pub fn error_number(message: &Message<'_>) -> Option<i32> {
    (message.kind == NLMSG_ERROR).then(|| message.body.first_chunk().copied().map(i32::from_ne_bytes)).flatten()
}
