//! What the source remembers across a restart, as state entries that become durable together with the records they belong to.
//!
//! Keys: `s` and 16 bytes, a session; `u` and the same 16 bytes, what an update told of it since; `n` and 16 bytes, a NAS; `d` and 16 bytes, the position
//! in a detail file. Values begin with a version octet; an entry of another version or one that does not read is dropped (it can only make a
//! retransmission look new). An `u` without its `s` means nothing. Times after the first of an entry are written as the difference to it, zigzag and in
//! groups of seven bits (LEB128), other integers big-endian. Entries hold opaque ids, never an account or a caller number.

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::sink::StatePut;

use super::facts::{Facts, Named};
use super::limits::STATE_ENTRY_BYTES;
use super::table::{Block, Mark, Nas, Session};

const VERSION: u8 = 3;
/// Room made for an entry at once, in bytes.
const USUAL_BYTES: usize = 320;

/// A 16-byte digest that names a session, a NAS or a file in state keys.
pub type Key = [u8; 16];

/// One entry read back.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A session.
    Session(Key, Box<Session>),
    /// What an update told of a session.
    Update(Key, Update),
    /// A NAS.
    Nas(Key, Nas),
    /// A position in a detail file.
    Detail(Key, Position),
}

/// What an update that changed nothing else told of an open session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// See [`Session::interim`].
    pub interim: Option<Mark>,
    /// See [`Session::heard`].
    pub heard: Millis,
    /// See [`Session::heard_arrived`].
    pub heard_arrived: Millis,
    /// See [`Session::interim_ms`].
    pub interim_ms: i64,
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
    put(b's', key, session.map(|s| encode(s.heard_arrived, |w| w.session(s))))
}

/// The change that stores what the last update told of a session (or removes it): a quarter of the session.
pub fn put_update(key: Key, session: Option<&Session>) -> StatePut {
    let told = |w: &mut Writer, s: &Session| {
        w.mark(s.interim.as_ref());
        w.time(s.heard);
        w.number(s.interim_ms);
    };
    put(b'u', key, session.map(|s| encode(s.heard_arrived, |w| told(w, s))))
}

/// The change that stores a NAS.
pub fn put_nas(key: Key, nas: Option<&Nas>) -> StatePut {
    let first = |n: &Nas| n.on.or(n.off).map(|m| m.time).or(n.word).unwrap_or_default();
    put(b'n', key, nas.map(|n| encode(first(n), |w| w.nas(n))))
}

/// The change that stores a position (or removes it).
pub fn put_position(key: Key, position: Option<&Position>) -> StatePut {
    put(
        b'd',
        key,
        position.map(|p| {
            encode(p.at, |w| {
                w.bytes(&p.offset.to_be_bytes());
                w.bytes(&p.head_len.to_be_bytes());
                w.bytes(&p.head);
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
    let (first, rest) = rest.split_first_chunk()?;
    let mut r = Reader(rest, i64::from_be_bytes(*first));
    let entry = match tag {
        b's' => Entry::Session(key, Box::new(r.session()?)),
        b'u' => {
            let (interim, heard, interim_ms) = (r.mark()?, r.time()?, r.number()?);
            Entry::Update(key, Update { interim, heard, heard_arrived: Millis(r.1), interim_ms })
        }
        b'n' => Entry::Nas(key, Nas { on: r.mark()?, off: r.mark()?, word: r.opt(Reader::time)?, version: 0 }),
        b'd' => {
            let (offset, head_len) = (u64::from_be_bytes(r.array()?), u32::from_be_bytes(r.array()?));
            Entry::Detail(key, Position { offset, head_len, head: r.array()?, at: Millis(r.1) })
        }
        _ => return None,
    };
    r.0.is_empty().then_some(entry)
}

fn encode(first: Millis, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer(Vec::with_capacity(USUAL_BYTES), first.0);
    w.0.push(VERSION);
    w.bytes(&first.0.to_be_bytes());
    write(&mut w);
    w.0
}

/// An entry, and the time it begins with.
struct Writer(Vec<u8>, i64);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn time(&mut self, t: Millis) {
        self.number(t.0.wrapping_sub(self.1));
    }

    fn number(&mut self, n: i64) {
        let mut rest = (n.cast_unsigned() << 1) ^ (n >> 63).cast_unsigned();
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
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
        self.time(s.ended);
        self.time(s.heard);
        self.number(s.interim_ms);
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

    fn facts(&mut self, f: &Facts) {
        let u32_ = |w: &mut Writer, n: u32| w.bytes(&n.to_be_bytes());
        let id = |w: &mut Writer, i: Id| w.bytes(&i.0);
        let addr = |w: &mut Writer, a: Addr16| w.bytes(&a.0);
        u32_(self, f.source);
        u32_(self, f.realm);
        self.bytes(&f.session.0);
        self.opt(f.start, |w, t| w.time(t));
        self.0.push(f.start_certain);
        self.0.push(u8::from(f.is_named()));
        if !f.is_named() {
            return;
        }
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
    }
}

/// What is left of an entry, and the time it begins with.
struct Reader<'a>(&'a [u8], i64);

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
        self.number().map(|n| Millis(self.1.wrapping_add(n)))
    }

    fn number(&mut self) -> Option<i64> {
        let mut n = 0u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some((n >> 1).cast_signed() ^ -((n & 1).cast_signed()));
            }
        }
        None
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
        let (ended, heard, heard_arrived, interim_ms) = (self.time()?, self.time()?, Millis(self.1), self.number()?);
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
            updated: false,
        })
    }

    fn block(&mut self) -> Option<Block> {
        let protocol = self.u8()?;
        let (public, inside) = (Addr16(self.array()?), Addr16(self.array()?));
        let (first, last) = (u16::from_be_bytes(self.array()?), u16::from_be_bytes(self.array()?));
        let inside_port = self.opt(|r| r.array().map(u16::from_be_bytes))?;
        Some(Block { protocol, public, inside, first, last, inside_port })
    }

    fn facts(&mut self) -> Option<Facts> {
        let (source, realm, session) = (self.u32()?, self.u32()?, Id(self.array()?));
        let (start, start_certain) = (self.opt(Self::time)?, self.u8()?);
        let mut facts = Facts::default();
        (facts.source, facts.realm, facts.session, facts.start, facts.start_certain) = (source, realm, session, start, start_certain);
        match self.u8()? {
            0 => Some(facts),
            1 => Some(facts.with(self.named()?)),
            _ => None,
        }
    }

    fn named(&mut self) -> Option<Named> {
        let id = |r: &mut Self| r.array().map(Id);
        let addr = |r: &mut Self| r.array().map(Addr16);
        Some(Named {
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
        })
    }
}
