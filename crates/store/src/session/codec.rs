//! The bytes of a session in the snapshot of the open tables, and of an ended one in memory.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Name, Sort};

use crate::nat::mapping::take;
use crate::session::known::{Held, Known, Stretch};
use crate::session::span::{Session, SessionSpan};
use crate::session::table::Ended;

/// Version of these bytes.
const VERSION: u8 = 2;

/// A name's first octet says so where an IPv4 address follows in 4 bytes.
const V4: u8 = 0x80;

/// A span's first octet: what it says of the session is what is said before it (without texts), it has an end, it is void.
const ALIKE: u8 = 1;
/// See [`ALIKE`].
const UNTIL: u8 = 2;
/// See [`ALIKE`].
const VOID: u8 = 4;

/// Version; presence bits u16 (1 told, 2 stop, 4 guess, 8 ended, 16 lasted, 32 subscriber, 64 acct id, 128 start certain, 256 end, 512 inferred, 1024
/// floor); id; start i64; source, realm, revision; times as differences to the start: named, last evidence, then where present first and last told, stop,
/// guess, lasted, end, floor; where present number and sealing of its end, subscriber, acct id; nas; then lists, each behind its length: what was had
/// where the stretches begin (name, since), stretches (first, last, names), names at the end, written spans. A name is its sort u8, prefix bits u8,
/// prefix 16. A span is a u8 of flags, then name-like bits and prefix, revision, since, until where present; one that says something else of the session is
/// written whole behind its length. Numbers are LEB128, differences zigzag before that, fixed integers little-endian, texts behind their lengths.
pub fn encode(known: &Known, ended: Option<Ended>) -> Vec<u8> {
    let (k, s) = (known, &known.session);
    let floor = (k.floor != Millis(i64::MIN)).then_some(k.floor);
    let bits = [
        k.told.is_some(),
        k.stop.is_some(),
        k.guess.is_some(),
        ended.is_some(),
        k.lasted.is_some(),
        s.subscriber.is_some(),
        s.acct_session_id.is_some(),
        s.start_certain,
        s.end.is_some(),
        s.inferred,
        floor.is_some(),
    ];
    let presence = bits.iter().rev().fold(0u16, |all, bit| all << 1 | u16::from(*bit));
    let mut out = Writer(Vec::with_capacity(USUAL_BYTES), s.start);
    out.0.push(VERSION);
    out.0.extend(presence.to_le_bytes());
    out.0.extend(s.id.0);
    out.0.extend(s.start.0.to_le_bytes());
    [s.source, s.realm, k.revision].iter().for_each(|n| out.number(u64::from(*n)));
    let told = k.told.into_iter().flat_map(|(first, last)| [first, last]);
    let times = [k.named, s.last_evidence].into_iter().chain(told).chain(k.stop).chain(k.guess).chain(k.lasted).chain(s.end).chain(floor);
    times.for_each(|t| out.time(t));
    if let Some(ended) = ended {
        out.number(ended.number);
        out.time(ended.sealed);
    }
    out.0.extend(s.subscriber.iter().flat_map(|id| id.0));
    s.acct_session_id.iter().chain([&s.nas]).for_each(|text| out.bytes(text.as_bytes()));
    out.number(k.base.len() as u64);
    for (name, since) in &k.base {
        out.name(name);
        out.time(*since);
    }
    out.number(k.stretches.len() as u64);
    for stretch in &k.stretches {
        out.time(stretch.first);
        out.time(stretch.last);
        out.names(&stretch.names);
    }
    out.names(&k.at_end);
    out.number(k.said.len() as u64);
    let alike = s.without_texts();
    k.said.iter().for_each(|span| out.span(span, &alike));
    out.0
}

/// Room made at once, in bytes.
const USUAL_BYTES: usize = 192;

/// Bytes, and the time that other times are told from.
struct Writer(Vec<u8>, Millis);

impl Writer {
    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn time(&mut self, t: Millis) {
        let n = t.0.wrapping_sub(self.1.0);
        self.number((n << 1 ^ n >> 63).cast_unsigned());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn names(&mut self, names: &[Name]) {
        self.number(names.len() as u64);
        names.iter().for_each(|n| self.name(n));
    }

    fn name(&mut self, name: &Name) {
        self.prefix(name.sort as u8, &name.prefix);
    }

    fn prefix(&mut self, head: u8, prefix: &Prefix) {
        match prefix.addr.0 {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] if prefix.bits == 128 => self.0.extend([head | V4, a, b, c, d]),
            addr => {
                self.0.extend([head, prefix.bits]);
                self.0.extend(addr);
            }
        }
    }

    fn span(&mut self, span: &SessionSpan, alike: &Session) {
        if span.session != *alike {
            self.0.push(0);
            return self.bytes(&span.encode());
        }
        let flags = ALIKE | if span.until.is_some() { UNTIL } else { 0 } | if span.void { VOID } else { 0 };
        self.prefix(flags, &span.prefix);
        self.number(u64::from(span.revision));
        self.time(span.since);
        span.until.iter().for_each(|t| self.time(*t));
    }
}

/// What [`encode`] wrote; `None` for any other bytes.
pub fn decode(bytes: &[u8]) -> Option<(Known, Option<Ended>)> {
    let mut at = Reader(bytes, Millis(0));
    let [version, low, high] = at.array()?;
    let presence = u16::from_le_bytes([low, high]);
    if version != VERSION || presence >> 11 != 0 {
        return None;
    }
    let is = |bit: u16| presence & bit != 0;
    let id = Id(at.array()?);
    at.1 = Millis(i64::from_le_bytes(at.array()?));
    let start = at.1;
    let (source, realm, revision) = (at.number32()?, at.number32()?, at.number32()?);
    let (named, last_evidence) = (at.time()?, at.time()?);
    let told = if is(1) { Some((at.time()?, at.time()?)) } else { None };
    let (stop, guess, lasted) = (at.opt(is(2), Reader::time)?, at.opt(is(4), Reader::time)?, at.opt(is(16), Reader::time)?);
    let (end, floor) = (at.opt(is(256), Reader::time)?, at.opt(is(1_024), Reader::time)?.unwrap_or(Millis(i64::MIN)));
    let ended = at.opt(is(8), |at| Some(Ended { number: at.number()?, sealed: at.time()? }))?;
    let subscriber = at.opt(is(32), |at| at.array().map(Id))?;
    let (acct_session_id, nas) = (at.opt(is(64), Reader::text)?, at.text()?);
    let (start_certain, inferred) = (is(128), is(512));
    let session = Session { id, source, realm, subscriber, acct_session_id, nas, start, start_certain, end, inferred, last_evidence };
    let base = at.list(|at| Some::<Held>((at.name()?, at.time()?)))?;
    let stretches = at.list(|at| Some(Stretch { first: at.time()?, last: at.time()?, names: at.list(Reader::name)? }))?;
    let at_end = at.list(Reader::name)?;
    let alike = session.without_texts();
    let said = at.list(|at| at.span(&alike))?;
    let known = Known { session, revision, floor, named, told, stop, guess, lasted, base, stretches, at_end, said };
    at.0.is_empty().then_some((known, ended))
}

/// What is left of the bytes, and the time that other times are told from.
struct Reader<'a>(&'a [u8], Millis);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        take(&mut self.0)
    }

    fn number(&mut self) -> Option<u64> {
        let mut n = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(n);
            }
        }
        None
    }

    fn number32(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    fn time(&mut self) -> Option<Millis> {
        let n = self.number()?;
        Some(Millis(self.1.0.wrapping_add((n >> 1).cast_signed() ^ -(n & 1).cast_signed())))
    }

    fn opt<T>(&mut self, there: bool, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if there { read(self).map(Some) } else { Some(None) }
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let n = self.number()?;
        (0..n).map(|_| read(self)).collect()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    fn name(&mut self) -> Option<Name> {
        let [head] = self.array()?;
        Some(Name { sort: Sort::from_u8(head & !V4)?, prefix: self.prefix(head)? })
    }

    fn prefix(&mut self, head: u8) -> Option<Prefix> {
        if head & V4 != 0 {
            return Some(Prefix { addr: Addr16::v4(self.array()?), bits: 128 });
        }
        let [bits] = self.array()?;
        Some(Prefix { addr: Addr16(self.array()?), bits })
    }

    fn span(&mut self, alike: &Session) -> Option<SessionSpan> {
        let [head] = self.array()?;
        if head & ALIKE == 0 {
            return SessionSpan::decode(self.bytes()?);
        }
        let (prefix, revision, since) = (self.prefix(head)?, self.number32()?, self.time()?);
        let until = self.opt(head & UNTIL != 0, Reader::time)?;
        Some(SessionSpan { session: alike.clone(), prefix, since, until, revision, void: head & VOID != 0 })
    }
}
