//! Sessions of the subscribers behind the NAT, as a NAS tells of them: each began some minutes or hours before the events; most have ended since, some go on.

use std::collections::BTreeSet;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::RadiusSession;
use weir_record::sink::{Group, RecordSink, SourceDesc, SourceHandle};
use weir_record::{Id, Kind};
use weir_store::engine::Store;

use crate::shared::Outcome;

/// Acct-Status-Type of a session that begins and of one that ends (RFC 2866 section 5.1).
pub const START: u8 = 1;
pub const STOP: u8 = 2;
/// Rows of one group.
const GROUP_ROWS: usize = 4_096;
/// The shortest a session may have lasted when the events begin, milliseconds; each of [`AGES`] is twice as long as the one before.
const AGE_MS: i64 = 60_000;
const AGES: u64 = 10;
/// Milliseconds in which all log out who do.
const GOING_MS: u64 = 10_000;
/// One in so many sessions goes on.
const OPEN: u64 = 4;

/// The subscribers, and who tells of them.
pub struct Subscribers {
    source: SourceHandle,
    inside: Vec<Addr16>,
    begin: i64,
}

/// The NAS that tells of them.
pub fn nas(sink: &dyn RecordSink) -> Outcome<SourceHandle> {
    let desc = SourceDesc {
        name: "bras".into(),
        kind: "radius".into(),
        realm: "bench".into(),
        peer: "127.0.0.12".into(),
        clock: "trust".into(),
        ..SourceDesc::default()
    };
    Ok(sink.register(&desc)?)
}

/// A subscriber's opaque id.
pub fn subscriber(inside: Addr16) -> Id {
    Id(inside.0)
}

/// Something about a subscriber that looks like chance and is always the same.
fn chance(inside: Addr16, of: u64) -> u64 {
    let [.., a, b, c, d] = inside.0;
    u64::from(u32::from_be_bytes([a, b, c, d]).wrapping_mul(0x9E37_79B1) >> 8) % of
}

impl Subscribers {
    /// Those who have these addresses while events that begin at `begin` happen; they log in.
    pub fn log_in(store: &Store, inside: impl Iterator<Item = Addr16>, begin: i64) -> Outcome<Subscribers> {
        let source = nas(store)?;
        let inside: BTreeSet<Addr16> = inside.collect();
        let all = Subscribers { source, inside: inside.into_iter().collect(), begin };
        all.tell(store, all.inside.iter().map(|inside| all.row(*inside, START, all.start(*inside))).collect())?;
        Ok(all)
    }

    /// Most of them log out at `end`, one after the other within ten seconds.
    pub fn log_out(&self, store: &Store, end: i64) -> Outcome<()> {
        let gone = self.inside.iter().filter(|inside| chance(**inside, OPEN) > 0);
        self.tell(store, gone.map(|inside| self.row(*inside, STOP, end + chance(*inside, GOING_MS) as i64)).collect())
    }

    fn tell(&self, store: &Store, mut rows: Vec<RadiusSession>) -> Outcome<()> {
        rows.sort_by_key(|row| row.time);
        for some in rows.chunks(GROUP_ROWS) {
            let group = Group {
                batches: vec![(Kind::RadiusSession, RadiusSession::batch(some))],
                evidence: some.last().map(|row| (self.source.number, row.time)).into_iter().collect(),
                ..Group::new("radius")
            };
            store.commit(group)?;
        }
        Ok(())
    }

    /// When its session began.
    fn start(&self, inside: Addr16) -> i64 {
        self.begin - (AGE_MS << chance(inside, AGES)) - chance(inside, AGE_MS as u64) as i64
    }

    fn row(&self, inside: Addr16, status: u8, time: i64) -> RadiusSession {
        session(&self.source, inside, status, time, self.start(inside))
    }
}

/// An event of the session on this address that began at `start`.
pub fn session(source: &SourceHandle, inside: Addr16, status: u8, time: i64, start: i64) -> RadiusSession {
    let id = (u128::from_be_bytes(inside.0) << 64 | u128::from(start as u64)).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    RadiusSession {
        time: Millis(time),
        arrived: Millis(time),
        source: source.number,
        realm: source.realm,
        status,
        session: Id(id.to_be_bytes()),
        acct_session_id: Some(format!("{:08x}", chance(inside, u64::MAX))),
        subscriber: Some(subscriber(inside)),
        framed_ipv4: Some(inside),
        start: Some(Millis(start)),
        start_certain: 1,
        ..RadiusSession::default()
    }
}
