//! Limits of the desk's HTTP side, each with its unit.

/// Longest body of a request, in bytes.
pub const BODY_BYTES: usize = 256 * 1024;

/// Longest body of a paste or of questions (1,000 lines), in bytes.
pub const PASTE_BYTES: usize = 1 << 20;

/// Bytes that a connection keeps of a request's head.
pub const HEAD_BYTES: usize = 16_384;

/// Header lines of a request.
pub const HEADERS: usize = 64;

/// Addresses to listen on.
pub const LISTENERS: usize = 16;

/// Connections at one time; further ones wait in the kernel's queue.
pub const CONNECTIONS: usize = 512;

/// Connections of one address at one time (IPv6: of one /64); a further one is closed.
pub const CONNECTIONS_OF_ONE: usize = 64;

/// A connection whose TLS handshake is not done after so long is closed, in milliseconds.
pub const HANDSHAKE_MS: u64 = 10_000;

/// A connection on which no whole head came for so long is closed, in milliseconds.
pub const HEAD_MS: u64 = 15_000;

/// A body must be there after so long, in milliseconds.
pub const BODY_MS: u64 = 20_000;

/// From here on an answer asks for a new connection, in milliseconds.
pub const CONNECTION_MS: u64 = 300_000;

/// What is still open so long after that is cut, in milliseconds: an export must be through by then.
pub const CONNECTION_REST_MS: u64 = 3_600_000;

/// How long open requests may take once the program stops, in milliseconds.
pub const STOP_MS: u64 = 5_000;

/// Requests that ask the program at one time: a thread each; a further one waits.
pub const WORK: usize = 16;

/// Requests that wait for a thread; one more is answered 503.
pub const WORK_WAITS: usize = 64;

/// Statements of SQL that ask the program at one time, a thread each; one more is answered 503. The program itself runs fewer.
pub const STATEMENTS: usize = 8;

/// Steps of sign-ins at one time: checking a password takes memory and time on purpose.
pub const SIGN_INS: usize = 4;

/// Steps of sign-ins that wait; one more is answered 503.
pub const SIGN_INS_WAIT: usize = 64;

/// Exports under way; one more is answered 503.
pub const EXPORTS: usize = 4;

/// Parts of an export between the store and the reader.
pub const EXPORT_PARTS: usize = 4;

/// An export whose reader takes nothing for so long is cut, in milliseconds.
pub const EXPORT_STALL_MS: u64 = 30_000;

/// Addresses and sessions whose rate is watched; when all are busy, new ones share one measure.
pub const RATES: usize = 8_192;

/// Requests that an address may send at once; an hour's rest is never more than this.
pub const ADDRESS_BURST: f64 = 400.0;

/// Requests a second of an address in the long run.
pub const ADDRESS_RATE: f64 = 40.0;

/// Requests that a session or a token may send at once.
pub const SESSION_BURST: f64 = 120.0;

/// Requests a second of a session or a token in the long run.
pub const SESSION_RATE: f64 = 12.0;

/// Sign-in steps that an address may try at once, beside the waits that the desk itself imposes.
pub const SIGN_IN_BURST: f64 = 30.0;

/// Sign-in steps a second of an address in the long run.
pub const SIGN_IN_RATE: f64 = 0.5;

/// The same of this machine's own loopback, behind which there may be many people.
pub const LOOPBACK_SIGN_IN_BURST: f64 = 120.0;

/// The same in the long run, a second.
pub const LOOPBACK_SIGN_IN_RATE: f64 = 2.0;

/// Bytes of a `User-Agent` that are kept with a session.
pub const AGENT_BYTES: usize = 128;

/// Longest cookie or token that is looked at, in bytes.
pub const SECRET_BYTES: usize = 512;

/// Longest answer of an OpenID provider or an ACME authority, in bytes.
pub const ANSWER_BYTES: usize = 256 * 1024;

/// An OpenID provider or an ACME authority must have answered after so long, in milliseconds.
pub const ANSWER_MS: u64 = 10_000;

/// Discovery documents and keys of a provider are kept for so long, in milliseconds.
pub const PROVIDER_KEPT_MS: i64 = 3_600_000;

/// Keys of a provider are asked for again at most so often when an unknown one signs, in milliseconds.
pub const PROVIDER_AGAIN_MS: i64 = 60_000;

/// Certificate files are looked at so often, in milliseconds.
pub const FILES_MS: u64 = 10_000;

/// The desk's own certificate holds so many days: the longest that browsers take from an authority (CA/Browser Forum, 825 until 2020).
pub const OWN_DAYS: i32 = 397;

/// The desk's own certificate is made anew at a start when fewer days than this are left.
pub const OWN_DAYS_LEFT: i64 = 30;

/// First wait after an ACME failure, in milliseconds; it doubles.
pub const ACME_WAIT_MS: u64 = 60_000;

/// Longest wait after an ACME failure, in milliseconds.
pub const ACME_WAIT_MAX_MS: u64 = 6 * 3_600_000;

/// An ACME order must be done after so long, in milliseconds.
pub const ACME_ORDER_MS: u64 = 300_000;

/// Whether a certificate is to be renewed is looked at so often, in milliseconds.
pub const ACME_LOOK_MS: u64 = 10_000;

/// What has ended in the desk is ended so often, in milliseconds.
pub const DESK_TICK_MS: u64 = 2_000;

/// Names in one certificate.
pub const NAMES: usize = 32;
