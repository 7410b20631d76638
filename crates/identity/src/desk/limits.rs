//! Limits of the desk, each with its unit.

/// Most accounts, invited and disabled ones too.
pub const ACCOUNTS: usize = 1_000;
/// Most links waiting to be used.
pub const INVITATIONS: usize = 200;
/// Most links of which is kept that they ended; the oldest go first, and are then as if they had never been.
pub const ENDED_LINKS: usize = 1_000;
/// How long a link can be used, in milliseconds.
pub const INVITATION_MS: i64 = 72 * 3_600_000;
/// Wrong codes that make a link void.
pub const CODE_TRIES: u32 = 5;
/// How old the last proof of a password or a passkey may be where factors, password or tokens are changed, in milliseconds.
pub const PROOF_MS: i64 = 10 * 60_000;
/// Most sessions in all.
pub const SESSIONS: usize = 4_096;
/// Most sessions of an account: the one used longest ago ends when another begins.
pub const SESSIONS_ACCOUNT: usize = 10;
/// How long a session lives without use, in milliseconds.
pub const SESSION_IDLE_MS: i64 = 30 * 60_000;
/// How long a session lives at most, in milliseconds.
pub const SESSION_MS: i64 = 12 * 3_600_000;
/// How long a sign-in may stay half done, in milliseconds.
pub const HALF_MS: i64 = 10 * 60_000;
/// Most tokens of an account.
pub const TOKENS_ACCOUNT: usize = 20;
/// Most days a token holds.
pub const TOKEN_DAYS: u32 = 366;
/// A token's use is recorded once in this time, in milliseconds.
pub const TOKEN_USED_MS: i64 = 3_600_000;
/// Most approvals kept; of those that are over the oldest go first.
pub const APPROVALS: usize = 2_000;
/// Most approvals waiting or confirmed at once.
pub const APPROVALS_OPEN: usize = 200;
/// Most steps of an approval.
pub const APPROVAL_STEPS: usize = 32;
/// How long an approval waits unless said otherwise, in milliseconds.
pub const APPROVAL_MS: i64 = 24 * 3_600_000;
/// How long an approval may wait at most, in milliseconds.
pub const APPROVAL_MS_MAX: i64 = 7 * 24 * 3_600_000;
/// Largest content of an approval in canonical form, in bytes.
pub const CONTENT_BYTES: usize = 65_536;
/// Deepest nesting of a content.
pub const CONTENT_DEPTH: usize = 16;
/// Longest emergency, in minutes.
pub const BREAK_GLASS_MINUTES: u32 = 60;
/// Questions of one account within an hour above which the desk says so, unless configured otherwise.
pub const MASS_READ: u64 = 1_000;
/// Length of a slot in which questions are counted, in milliseconds.
pub const MASS_READ_SLOT_MS: i64 = 5 * 60_000;
/// Slots of an hour.
pub const MASS_READ_SLOTS: usize = 12;
/// How long the notice stays, in milliseconds.
pub const MASS_READ_NOTICE_MS: i64 = 24 * 3_600_000;
/// Failures of an account, or from an address, before waits begin.
pub const FAILURES_FREE: u32 = 5;
/// Failures that lock an account.
pub const FAILURES_LOCK: u32 = 10;
/// Time in which failures count together, in milliseconds; an account is locked this long too.
pub const FAILURES_MS: i64 = 15 * 60_000;
/// Failures from this machine's own loopback that are taken in a window. Behind it there may be many people, through tunnels: they share no wait that
/// doubles, only this number; accounts, names and links have their own counts as everywhere.
pub const LOOPBACK_FAILURES: u32 = 60;
/// The window, in milliseconds.
pub const LOOPBACK_MS: i64 = 60_000;
/// Most unknown sign-in names whose failures are counted; the oldest go first.
pub const THROTTLE_NAMES: usize = 8_192;
/// Most addresses whose failures are counted; the oldest go first.
pub const THROTTLE_ADDRESSES: usize = 8_192;
/// Most unknown sign-in names that are locked at once and stay so over a restart; the one that ends first goes.
pub const NAME_LOCKS: usize = 1_024;
/// Words of the desk's own host names that count as common in a password have at least so many bytes.
pub const NAME_IN_PASSWORD_BYTES: usize = 4;
/// Tries that were turned away are recorded once in this time for a place, in milliseconds.
pub const TURNED_MS: i64 = 60_000;
/// Most places whose turned-away tries are recorded by themselves; those of others are recorded together.
pub const TURNED_PLACES: usize = 256;
/// Refused steps of approvals that are recorded one by one for an account in a window; those beyond are counted and told together.
pub const REFUSALS_A_WINDOW: u32 = 10;
/// The window, in milliseconds.
pub const REFUSALS_MS: i64 = 60_000;
/// Most ceremonies (passkey, TOTP set-up, OpenID) under way.
pub const CEREMONIES: usize = 4_096;
/// Most ceremonies under way from one address.
pub const CEREMONIES_ADDRESS: usize = 64;
/// How long a ceremony may take, in milliseconds.
pub const CEREMONY_MS: i64 = 5 * 60_000;
/// Most passkeys of an account.
pub const PASSKEYS: usize = 10;
/// Most OpenID subjects of an account.
pub const SUBJECTS: usize = 8;
/// Longest sign-in name, in bytes.
pub const LOGIN_BYTES: usize = 32;
/// Longest name shown to people, and names of passkeys and tokens, in characters.
pub const NAME_CHARS: usize = 64;
/// Sign-in names from this length on, in bytes, may not be part of the password.
pub const LOGIN_IN_PASSWORD_BYTES: usize = 4;
/// Shortest password, in characters.
pub const PASSWORD_CHARS: usize = 12;
/// Longest password, in bytes.
pub const PASSWORD_BYTES: usize = 1_024;
/// Shortest reason, in characters.
pub const REASON_CHARS_MIN: usize = 4;
/// Longest reason, in characters.
pub const REASON_CHARS: usize = 200;
/// Longest name of a browser that is kept, in bytes.
pub const AGENT_BYTES: usize = 128;
/// Longest cookie, token or link that is looked at, in bytes.
pub const SECRET_TEXT_BYTES: usize = 256;
/// Longest entry of the desk's state, in bytes.
pub const ENTRY_BYTES: usize = 256 << 10;
/// Largest credential JSON of a passkey, in bytes of each binary member.
pub const CREDENTIAL_BYTES: usize = 64 << 10;
/// Longest credential id, in bytes (WebAuthn Level 3 section 4).
pub const CREDENTIAL_ID_BYTES: usize = 1_023;
/// Largest discovery document or key set of a provider, in bytes.
pub const PROVIDER_DOC_BYTES: usize = 256 << 10;
/// Most keys of a provider.
pub const PROVIDER_KEYS: usize = 64;
/// Largest ID token, in bytes.
pub const ID_TOKEN_BYTES: usize = 16 << 10;
/// Longest OpenID subject, in bytes (OpenID Connect Core section 2).
pub const SUBJECT_BYTES: usize = 255;
/// How far a provider's clock may be off, in milliseconds.
pub const PROVIDER_SKEW_MS: i64 = 60_000;
/// How old an ID token may be, in milliseconds.
pub const ID_TOKEN_AGE_MS: i64 = 10 * 60_000;
