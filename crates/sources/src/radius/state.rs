//! What the source remembers across a restart, as state entries that become durable together with the records they belong to.
//!
//! Keys: `s` and 16 bytes, a session; `n` and 16 bytes, a NAS; `d` and 16 bytes, the position in a detail file. Values begin with a version
//! octet; an entry of another version or one that does not read is dropped (it can only make a retransmission look new). Integers are
//! big-endian. Entries hold opaque ids, never an account or a caller number.

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::RadiusSession;
use weir_record::sink::StatePut;

use super::limits::STATE_ENTRY_BYTES;
use super::table::{Block, Mark, Nas, Session};

const VERSION: u8 = 2;

/// A 16-byte digest that names a session, a NAS or a file in state keys.
pub type Key = [u8; 16];

/// One entry read back.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A session.
    Session(Key, Box<Session>),
    /// A NAS.
    Nas(Key, Nas),
    /// A position in a detail file.
    Detail(Key, Position),
}

/// How far a detail file was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Bytes taken from the file's begin.
    pub offset: u64,
    /// Bytes from the file's begin that `head` covers.
    pub head_len: u32,
    /// Digest of those bytes: tells a file from another that got its inode.
    pub head: [u8; 16],
    /// When it was last read, for forgetting files long gone.
    pub at: Millis,
}

/// The change that stores a session (or removes it).
pub fn put_session(key: Key, session: Option<&Session>) -> StatePut {
    put(b's', key, session.map(|s| encode(|w| w.session(s))))
}

/// The change that stores a NAS.
pub fn put_nas(key: Key, nas: Option<&Nas>) -> StatePut {
    put(b'n', key, nas.map(|n| encode(|w| w.nas(n))))
}

/// The change that stores a position (or removes it).
pub fn put_position(key: Key, position: Option<&Position>) -> StatePut {
    put(
        b'd',
        key,
        position.map(|p| {
            encode(|w| {
                w.bytes(&p.offset.to_be_bytes());
                w.bytes(&p.head_len.to_be_bytes());
                w.bytes(&p.head);
                w.time(p.at);
            })
        }),
    )
}

fn put(tag: u8, key: Key, value: Option<Vec<u8>>) -> StatePut {
    StatePut { key: [&[tag][..], &key].concat(), value }
}

/// Reads one entry; `None` for what this version does not understand.
pub fn read(key: &[u8], value: &[u8]) -> Option<Entry> {
    let (tag, key) = key.split_first()?;
    let key: Key = key.try_into().ok()?;
    let (&VERSION, rest) = value.split_first()? else { return None };
    if value.len() > STATE_ENTRY_BYTES {
        return None;
    }
    let mut r = Reader(rest);
    let entry = match tag {
        b's' => Entry::Session(key, Box::new(r.session()?)),
        b'n' => Entry::Nas(key, Nas { on: r.mark()?, off: r.mark()?, word: r.opt(Reader::time)?, version: 0 }),
        b'd' => {
            let (offset, head_len) = (u64::from_be_bytes(r.array()?), u32::from_be_bytes(r.array()?));
            Entry::Detail(key, Position { offset, head_len, head: r.array()?, at: r.time()? })
        }
        _ => return None,
    };
    r.0.is_empty().then_some(entry)
}

fn encode(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer(vec![VERSION]);
    write(&mut w);
    w.0
}

struct Writer(Vec<u8>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn time(&mut self, t: Millis) {
        self.bytes(&t.0.to_be_bytes());
    }

    fn opt<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn text(&mut self, value: Option<&String>) {
        self.opt(value, |w, t| {
            // Attribute values are at most 253 octets, four characters each when escaped: two octets hold the length.
            let t = t.as_bytes().get(..t.len().min(usize::from(u16::MAX))).unwrap_or_default();
            w.bytes(&(t.len() as u16).to_be_bytes());
            w.bytes(t);
        });
    }

    fn mark(&mut self, mark: Option<&Mark>) {
        self.opt(mark, |w, m| {
            w.time(m.time);
            w.time(m.arrived);
            w.0.push(u8::from(m.stamped));
            w.bytes(&m.fingerprint);
        });
    }

    fn nas(&mut self, nas: &Nas) {
        self.mark(nas.on.as_ref());
        self.mark(nas.off.as_ref());
        self.opt(nas.word, |w, t| w.time(t));
    }

    fn session(&mut self, s: &Session) {
        self.bytes(&s.nas);
        self.0.push(u8::from(s.open) | (u8::from(s.inferred) << 1) | (u8::from(s.displaced) << 2));
        for mark in [&s.start, &s.stop, &s.interim] {
            self.mark(mark.as_ref());
        }
        for t in [s.ended, s.heard, s.heard_arrived, Millis(s.interim_ms)] {
            self.time(t);
        }
        self.0.push(u8::try_from(s.blocks.len()).unwrap_or(u8::MAX));
        for b in s.blocks.iter().take(usize::from(u8::MAX)) {
            self.0.push(b.protocol);
            self.bytes(&b.public.0);
            self.bytes(&b.inside.0);
            self.bytes(&b.first.to_be_bytes());
            self.bytes(&b.last.to_be_bytes());
            self.opt(b.inside_port, |w, p| w.bytes(&p.to_be_bytes()));
        }
        self.facts(&s.facts);
    }

    fn facts(&mut self, f: &RadiusSession) {
        let u32_ = |w: &mut Writer, n: u32| w.bytes(&n.to_be_bytes());
        let id = |w: &mut Writer, i: Id| w.bytes(&i.0);
        let addr = |w: &mut Writer, a: Addr16| w.bytes(&a.0);
        u32_(self, f.source);
        u32_(self, f.realm);
        self.bytes(&f.session.0);
        for t in [&f.acct_session_id, &f.multi_session_id, &f.called, &f.nas_identifier, &f.nas_port_id, &f.other_addresses] {
            self.text(t.as_ref());
        }
        self.opt(f.subscriber, id);
        self.opt(f.caller, id);
        self.opt(f.class, id);
        for a in [f.nas_address, f.framed_ipv4, f.framed_ipv6, f.framed_prefix, f.delegated_prefix] {
            self.opt(a, addr);
        }
        for bits in [f.framed_prefix_bits, f.delegated_prefix_bits] {
            self.opt(bits, |w, b| w.0.push(b));
        }
        for n in [f.nas_port, f.nas_port_type] {
            self.opt(n, u32_);
        }
        self.opt(f.start, |w, t| w.time(t));
        self.0.push(f.start_certain);
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[b]| b)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn time(&mut self) -> Option<Millis> {
        self.array().map(|b| Millis(i64::from_be_bytes(b)))
    }

    fn opt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.u8()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<Option<String>> {
        self.opt(|r| {
            let len = usize::from(u16::from_be_bytes(r.array()?));
            let (head, rest) = r.0.split_at_checked(len)?;
            r.0 = rest;
            String::from_utf8(head.to_vec()).ok()
        })
    }

    fn mark(&mut self) -> Option<Option<Mark>> {
        self.opt(|r| Some(Mark { time: r.time()?, arrived: r.time()?, stamped: r.u8()? != 0, fingerprint: r.array()? }))
    }

    fn session(&mut self) -> Option<Session> {
        let nas = self.array()?;
        let flags = self.u8()?;
        let (start, stop, interim) = (self.mark()?, self.mark()?, self.mark()?);
        let (ended, heard, heard_arrived, interim_ms) = (self.time()?, self.time()?, self.time()?, self.time()?.0);
        let blocks = (0..self.u8()?).map(|_| self.block()).collect::<Option<Vec<_>>>()?;
        let (open, inferred, displaced) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
        let facts = self.facts()?;
        Some(Session {
            nas,
            open,
            inferred,
            displaced,
            start,
            stop,
            interim,
            ended,
            heard,
            heard_arrived,
            interim_ms,
            blocks,
            facts,
            version: 0,
        })
    }

    fn block(&mut self) -> Option<Block> {
        let protocol = self.u8()?;
        let (public, inside) = (Addr16(self.array()?), Addr16(self.array()?));
        let (first, last) = (u16::from_be_bytes(self.array()?), u16::from_be_bytes(self.array()?));
        let inside_port = self.opt(|r| r.array().map(u16::from_be_bytes))?;
        Some(Block { protocol, public, inside, first, last, inside_port })
    }

    fn facts(&mut self) -> Option<RadiusSession> {
        let id = |r: &mut Self| r.array().map(Id);
        let addr = |r: &mut Self| r.array().map(Addr16);
        Some(RadiusSession {
            source: self.u32()?,
            realm: self.u32()?,
            session: Id(self.array()?),
            acct_session_id: self.text()?,
            multi_session_id: self.text()?,
            called: self.text()?,
            nas_identifier: self.text()?,
            nas_port_id: self.text()?,
            other_addresses: self.text()?,
            subscriber: self.opt(id)?,
            caller: self.opt(id)?,
            class: self.opt(id)?,
            nas_address: self.opt(addr)?,
            framed_ipv4: self.opt(addr)?,
            framed_ipv6: self.opt(addr)?,
            framed_prefix: self.opt(addr)?,
            delegated_prefix: self.opt(addr)?,
            framed_prefix_bits: self.opt(Self::u8)?,
            delegated_prefix_bits: self.opt(Self::u8)?,
            nas_port: self.opt(Self::u32)?,
            nas_port_type: self.opt(Self::u32)?,
            start: self.opt(Self::time)?,
            start_certain: self.u8()?,
            ..RadiusSession::default()
        })
    }
}
