//! The bytes of a session in the snapshot of the open tables.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::kinds::{Name, Sort};

use crate::nat::mapping::take;
use crate::session::known::{Held, Known, Stretch};
use crate::session::span::SessionSpan;
use crate::session::table::Ended;

/// Version of these bytes.
const VERSION: u8 = 1;

/// Version, presence bits (1 told, 2 stop, 4 guess, 8 ended, 16 lasted), floor and named i64, then where present: first and last told, stop,
/// guess, lasted (i64 each), number u64 and sealing i64 of its end; then lists, each behind a u16 count: what was had where the stretches begin (name, since
/// i64), stretches (first, last i64, names), names at the end; then the session as a span of no bits and its written spans, each behind a
/// u32 length. A name is its sort u8, prefix bits u8, prefix 16. Integers little-endian.
pub fn encode(known: &Known, ended: Option<Ended>) -> Vec<u8> {
    let k = known;
    let presence = u8::from(k.told.is_some())
        | u8::from(k.stop.is_some()) << 1
        | u8::from(k.guess.is_some()) << 2
        | u8::from(ended.is_some()) << 3
        | u8::from(k.lasted.is_some()) << 4;
    let mut out = vec![VERSION, presence];
    let told = k.told.into_iter().flat_map(|(first, last)| [first, last]);
    for time in [k.floor, k.named].into_iter().chain(told).chain(k.stop).chain(k.guess).chain(k.lasted) {
        out.extend(time.0.to_le_bytes());
    }
    if let Some(ended) = ended {
        out.extend(ended.number.to_le_bytes());
        out.extend(ended.sealed.0.to_le_bytes());
    }
    count(&mut out, k.base.len());
    for (name, since) in &k.base {
        put_name(&mut out, name);
        out.extend(since.0.to_le_bytes());
    }
    count(&mut out, k.stretches.len());
    for stretch in &k.stretches {
        out.extend(stretch.first.0.to_le_bytes());
        out.extend(stretch.last.0.to_le_bytes());
        put_names(&mut out, &stretch.names);
    }
    put_names(&mut out, &k.at_end);
    let nothing = Prefix { addr: Addr16::NONE, bits: 0 };
    let head =
        SessionSpan { session: k.session.clone(), prefix: nothing, since: Millis(0), until: None, revision: k.revision, void: false };
    for span in std::iter::once(&head).chain(&k.said) {
        let bytes = span.encode();
        out.extend(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
        out.extend(bytes);
    }
    out
}

fn count(out: &mut Vec<u8>, n: usize) {
    // The limits of a session are far below.
    out.extend(u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes());
}

fn put_names(out: &mut Vec<u8>, names: &[Name]) {
    count(out, names.len());
    names.iter().for_each(|n| put_name(out, n));
}

fn put_name(out: &mut Vec<u8>, name: &Name) {
    out.extend([name.sort as u8, name.prefix.bits]);
    out.extend(name.prefix.addr.0);
}

/// What [`encode`] wrote; `None` for any other bytes.
pub fn decode(bytes: &[u8]) -> Option<(Known, Option<Ended>)> {
    let mut at = bytes;
    let [version, presence] = take(&mut at)?;
    if version != VERSION || presence & !31 != 0 {
        return None;
    }
    let (floor, named) = (time(&mut at)?, time(&mut at)?);
    let told = if presence & 1 != 0 { Some((time(&mut at)?, time(&mut at)?)) } else { None };
    let stop = if presence & 2 != 0 { Some(time(&mut at)?) } else { None };
    let guess = if presence & 4 != 0 { Some(time(&mut at)?) } else { None };
    let lasted = if presence & 16 != 0 { Some(time(&mut at)?) } else { None };
    let ended = if presence & 8 != 0 { Some(Ended { number: u64::from_le_bytes(take(&mut at)?), sealed: time(&mut at)? }) } else { None };
    let base = list(&mut at, |at| Some::<Held>((name(at)?, time(at)?)))?;
    let stretches = list(&mut at, |at| Some(Stretch { first: time(at)?, last: time(at)?, names: list(at, name)? }))?;
    let at_end = list(&mut at, name)?;
    let head = span(&mut at)?;
    let mut said = Vec::new();
    while !at.is_empty() {
        said.push(span(&mut at)?);
    }
    let (session, revision) = (head.session, head.revision);
    Some((Known { session, revision, floor, named, told, stop, guess, lasted, base, stretches, at_end, said }, ended))
}

fn time(at: &mut &[u8]) -> Option<Millis> {
    take(at).map(|b| Millis(i64::from_le_bytes(b)))
}

fn name(at: &mut &[u8]) -> Option<Name> {
    let [sort, bits] = take(at)?;
    Some(Name { sort: Sort::from_u8(sort)?, prefix: Prefix { addr: Addr16(take(at)?), bits } })
}

fn list<T>(at: &mut &[u8], read: impl Fn(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let n = u16::from_le_bytes(take(at)?);
    (0..n).map(|_| read(at)).collect()
}

fn span(at: &mut &[u8]) -> Option<SessionSpan> {
    let len = u32::from_le_bytes(take(at)?) as usize;
    let (head, rest) = at.split_at_checked(len)?;
    *at = rest;
    SessionSpan::decode(head)
}
