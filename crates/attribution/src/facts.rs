//! What an answer is made from. The store implements [`Facts`]; nothing here knows how.
//!
//! Every instant of a fact is by the clock of the source that told it. Translating the question is this crate's work, not the store's.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Form;

/// The records could not be read, so there is no answer: a failure, not an `unknown`. The text names the file and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FactsError(pub String);

/// What reading a fact gives.
pub type Read<T> = Result<T, FactsError>;

/// How a pool came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKnown {
    /// It stands in the configuration.
    Configured,
    /// The exporter translated to it.
    Learned,
}

/// An exporter in whose pool an address lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSource {
    /// Number of the source.
    pub source: u32,
    /// Its name.
    pub name: String,
    /// Number of its realm.
    pub realm: u32,
    /// Name of its realm.
    pub realm_name: String,
    /// From when on its records for this pool are here and still kept, by its clock.
    pub since: Millis,
    /// How the pool came to be known.
    pub pool: PoolKnown,
    /// True when ports of the address go to different subscribers, so that an address without a port names nobody.
    pub shared: bool,
}

/// Which mappings are wanted: those of one public end that may overlap `from..=to` in the time of the source that told them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappingQuery {
    /// Public address.
    pub public: Addr16,
    /// Public port or ICMP query id. Without one only mappings of the whole address are wanted, never all ports of it.
    pub port: Option<u16>,
    /// IANA protocol number; any when none. Mappings of protocol 0 (blocks, address bindings) match every number.
    pub protocol: Option<u8>,
    /// First instant.
    pub from: Millis,
    /// Last instant.
    pub to: Millis,
}

/// The far end of a mapping, as far as it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// Kept as it was.
    End {
        /// Address.
        address: Addr16,
        /// Port.
        port: u16,
    },
    /// Kept as a keyed fingerprint of address and port.
    Tag(u64),
}

/// One mapping, both ends joined as far as they were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingFact {
    /// Number of the exporter.
    pub source: u32,
    /// What was mapped.
    pub form: Form,
    /// Inside address.
    pub inside: Addr16,
    /// Inside port; 0 where the form has none.
    pub inside_port: u16,
    /// First public port.
    pub public_first: u16,
    /// Last public port; the same as the first but for blocks and whole addresses.
    pub public_last: u16,
    /// IANA protocol number; 0 where the form has none.
    pub protocol: u8,
    /// When it began. Where that was not seen: the earliest it can have begun (for example the port's evidence before), none without a
    /// bound.
    pub start: Option<Millis>,
    /// True when its begin was seen.
    pub start_seen: bool,
    /// When it ended. Where that was not seen: the latest it can have ended; none while it is open.
    pub end: Option<Millis>,
    /// True when its end was seen.
    pub end_seen: bool,
    /// False when its two ends name different inside ends.
    pub ends_agree: bool,
    /// When the exporter last said that it existed: its begin, or a later update.
    pub last_evidence: Millis,
    /// The far end, where one was kept. Blocks, BIB entries and address bindings have none.
    pub remote: Option<Remote>,
}

/// A gap after its last amendment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapFact {
    /// Id of the gap.
    pub id: Id,
    /// Last evidence before the loss.
    pub start: Millis,
    /// First evidence after the loss.
    pub end: Millis,
    /// How many are lost; none when unknown; 0 when all came after all, and then it is no gap.
    pub lost: Option<u64>,
}

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFact {
    /// Its name.
    pub name: String,
    /// Number of its realm.
    pub realm: u32,
    /// Name of its realm.
    pub realm_name: String,
    /// The newest it sent, by its own clock.
    pub last_header: Option<Millis>,
    /// Its clock less ours in milliseconds; none when it was not measured.
    pub offset_ms: Option<i64>,
    /// How far its clock is ahead of ours, at least and at most, in milliseconds: the offset and how exactly it is known. Without it the
    /// offset counts as exact.
    pub ahead_ms: Option<(i64, i64)>,
    /// True when its clock is to be trusted as it is: the offset is not used.
    pub trust: bool,
}

/// A session: an address, or prefixes, lent to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFact {
    /// Weir's id of the session.
    pub id: Id,
    /// Number of its realm.
    pub realm: u32,
    /// Name of its realm.
    pub realm_name: String,
    /// Acct-Session-Id.
    pub acct_session_id: Option<String>,
    /// Opaque id of the subscriber.
    pub subscriber: Option<Id>,
    /// When it began, as far as known.
    pub start: Millis,
    /// True when its Start was seen.
    pub start_certain: bool,
    /// When it ended; none while it is open.
    pub end: Option<Millis>,
    /// True when its end was inferred: no NAS said so.
    pub inferred: bool,
    /// The NAS.
    pub nas: String,
    /// When the NAS last spoke of it: Start, Interim-Update or Stop.
    pub last_evidence: Millis,
    /// Number of the source.
    pub source: u32,
}

/// Addresses that subscribers hold without a NAT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPool {
    /// The addresses.
    pub prefix: Prefix,
    /// Number of the source that tells who holds them.
    pub source: u32,
    /// From when on its records for this pool are here and still kept, by its clock.
    pub since: Millis,
}

/// What the records say. Instants go in and come out by the clock of the source concerned.
pub trait Facts {
    /// The exporters in whose pool the address lies: by configuration, or because they ever translated to it. An exporter left out here
    /// is not asked in its own time, and an address of no exporter is not ours.
    fn sources_for(&self, public: Addr16) -> Read<Vec<PoolSource>>;

    /// Every mapping of that public end, of every source, that may overlap the query's time. One whose begin was not seen and that has no
    /// bound reaches back without limit; one that is open reaches on without limit.
    fn mappings(&self, query: &MappingQuery) -> Read<Vec<MappingFact>>;

    /// The last instant at or before `before` at which a source said something about that public end, if that is cheaply known. Asked
    /// without a port and a protocol of a source of sessions: about that address.
    fn evidence(&self, source: u32, public: Addr16, port: Option<u16>, protocol: Option<u8>, before: Millis) -> Read<Option<Millis>>;

    /// The gaps of a source that touch `from..=to`, each as its last amendment left it.
    fn gaps(&self, source: u32, from: Millis, to: Millis) -> Read<Vec<GapFact>>;

    /// What is known of a source, its offset as it was about the moment `at` of our clock where that is kept, else as it is.
    fn source(&self, source: u32, at: Millis) -> Read<SourceFact>;

    /// The sessions that held the address, or a framed or delegated prefix around it, at some time in `from..=to`. In one realm, or in any.
    fn sessions(&self, realm: Option<u32>, address: Addr16, from: Millis, to: Millis) -> Read<Vec<SessionFact>>;

    /// The sources of sessions in that realm (or in any) whose clock is off by more than [`crate::limits::OFFSET_JOINS_MS`] and not
    /// trusted. Sessions of these are looked for at another time.
    fn sessions_off_time(&self, realm: Option<u32>, at: Millis) -> Read<Vec<u32>>;

    /// Addresses that subscribers hold without a NAT.
    fn own_pools(&self) -> Read<Vec<OwnPool>>;

    /// The sources of sessions and leases that ever named this address, each with from when on its records are here: the address is theirs.
    fn lenders(&self, address: Addr16) -> Read<Vec<OwnPool>>;

    /// From when on a source's input lies here that cannot be read yet (sets whose template has not come, say); none when all can be read.
    fn unseen(&self, source: u32) -> Read<Option<Millis>>;

    /// The keyed fingerprint of a far end, as sources compute it; none when no policy ever kept one.
    fn remote_tag(&self, address: Addr16, port: u16) -> Read<Option<u64>>;
}
