//! Limits of application events, each with its unit.

/// Longest body of a request, in bytes.
pub const BODY_BYTES: usize = 1 << 20;

/// Most lines of one request; empty ones do not count.
pub const LINES: usize = 5_000;

/// Longest line, in bytes.
pub const LINE_BYTES: usize = 8_192;

/// Most faults that an answer tells one by one; more are counted.
pub const FAULTS_TOLD: usize = 100;

/// Longest account, in bytes: that of a RADIUS User-Name.
pub const ACCOUNT_BYTES: usize = 253;

/// Longest name of a service or a host, in bytes.
pub const NAME_BYTES: usize = 253;

/// Longest word for how somebody signed in, in bytes.
pub const METHOD_BYTES: usize = 32;

/// An event may be ahead of this machine's clock by so much, in milliseconds.
pub const AHEAD_MS: i64 = 10 * 60_000;

/// An event may be so old, in milliseconds: it may have waited in an application's spool.
pub const BEHIND_MS: i64 = 30 * 86_400_000;

/// Longest `Idempotency-Key`, in bytes.
pub const KEY_BYTES: usize = 128;

/// Keys remembered of one application; the oldest goes first.
pub const KEYS: usize = 8_192;

/// How long a key is remembered, in milliseconds.
pub const KEY_MS: i64 = 86_400_000;

/// Most applications in the configuration.
pub const APPLICATIONS: usize = 256;

/// Shortest token, in bytes.
pub const TOKEN_BYTES_MIN: usize = 20;

/// Longest token, in bytes.
pub const TOKEN_BYTES: usize = 512;

/// Most addresses to listen on, over cleartext and over TLS each.
pub const LISTENERS: usize = 16;

/// Connections at one time; further ones wait in the kernel's queue.
pub const CONNECTIONS: usize = 512;

/// Requests of one application under way; one more is answered 429.
pub const REQUESTS_OF_ONE: usize = 32;

/// Requests under way; one more is answered 503.
pub const REQUESTS: usize = 128;

/// Bytes that a connection keeps of a request's head.
pub const HEAD_BYTES: usize = 16_384;

/// Header lines of a request.
pub const HEADERS: usize = 64;

/// A connection whose TLS handshake is not done after so long is closed, in milliseconds.
pub const HANDSHAKE_MS: u64 = 10_000;

/// A connection on which no whole head came for so long is closed, in milliseconds.
pub const HEAD_MS: u64 = 15_000;

/// A body must be there after so long, in milliseconds.
pub const BODY_MS: u64 = 30_000;

/// How long a request waits for the store; then it is answered 503, in milliseconds.
pub const DURABLE_MS: u64 = 30_000;

/// From here on an answer asks for a new connection, in milliseconds.
pub const CONNECTION_MS: u64 = 300_000;

/// What is still open so long after that is cut, in milliseconds.
pub const CONNECTION_REST_MS: u64 = 120_000;

/// Rows about strangers and counted faults that wait for the next tick.
pub const STRAYS: usize = 256;

/// Seconds after which a client may try again when the store is behind.
pub const RETRY_SECONDS: u32 = 1;

/// Seconds after which a client may try again when the disk is full or failed.
pub const RETRY_FULL_SECONDS: u32 = 30;
