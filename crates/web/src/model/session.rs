//! Who is signed in, and how one signs in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/v1/session`: answered without being signed in too.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Who is signed in; none when nobody is.
    pub account: Option<Me>,
    /// What is still needed before the sign-in is complete: `totp`, `passkey` or `enrol` (a second factor must be set up first).
    pub next: Option<String>,
    /// To be sent back as `X-Weir-CSRF` with every POST, PUT and DELETE.
    pub csrf: String,
    /// Seconds until the session ends without use.
    pub idle_seconds: Option<u64>,
    /// True while no administrator exists: only an invitation can be accepted.
    pub setup: bool,
    /// OpenID providers one can sign in with.
    pub providers: Vec<Provider>,
    /// The unit.
    pub unit: Unit,
    /// Version of the program.
    pub version: String,
}

/// The one who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// Account id, e.g. `3f2a…` (32 hex digits).
    pub id: String,
    /// Sign-in name.
    pub login: String,
    /// Name shown to people.
    pub display: String,
    /// Roles, e.g. `operator`.
    pub roles: Vec<String>,
    /// What these roles may do, e.g. `lookup.ask`: the console shows only this.
    pub may: Vec<String>,
    /// Approvals that wait for this person.
    pub waiting: u64,
    /// A role taken in an emergency: every page shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
}

/// A role taken in an emergency (break-glass).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Emergency {
    /// Role.
    pub role: String,
    /// Ends at (RFC 3339).
    pub until: String,
}

/// An OpenID provider.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// Name in URLs.
    pub name: String,
    /// Title on the button.
    pub title: String,
}

/// The unit.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Unit {
    /// Origin of its log.
    pub origin: String,
    /// Its kinds: access, information, datacenter, venue, user.
    pub kinds: Vec<String>,
    /// A demonstration: nobody in it exists.
    pub demo: bool,
}

/// `POST /api/v1/session/password`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PasswordSignIn {
    /// Sign-in name.
    pub login: String,
    /// Password.
    pub password: String,
}

/// `POST /api/v1/session/totp`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TotpSignIn {
    /// Six digits (RFC 6238).
    pub code: String,
}

/// `POST /api/v1/invitations/accept`: becomes an account and signs in. The token comes from the link's fragment, which no server sees.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Accept {
    /// The token of the one-use link.
    pub token: String,
    /// Sign-in name wanted: 2 to 32 of a-z 0-9 . _ -
    pub login: String,
    /// Name shown to people.
    pub display: String,
    /// Password: at least 12 characters.
    pub password: String,
    /// The code of who confirmed the link, where it needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// `POST /api/v1/invitations/open`: what a one-use link leads to. The link is not used by that.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Link {
    /// The token of the one-use link.
    pub token: String,
}

/// What a one-use link leads to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// The name shown to people; none for the first account, which names itself.
    pub display: Option<String>,
    /// The account is there already and gets new factors: its sign-in name stays and must be given.
    pub recovers: bool,
    /// The code of who confirmed the link must be given too.
    pub code_needed: bool,
    /// The link ends at (RFC 3339); the first account's ends with the program.
    pub expires: Option<String>,
}

/// `POST /api/v1/me/again`: signs in again within the session, before factors, password or tokens are changed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Again {
    /// Password.
    pub password: String,
    /// The code of the authenticator app, when the account has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A passkey ceremony's options, as `navigator.credentials` takes them (WebAuthn Level 3, `PublicKeyCredential…OptionsJSON`).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ceremony {
    /// Options in the JSON form; binary members are base64url.
    #[schema(value_type = Object)]
    pub public_key: serde_json::Value,
}

/// What `navigator.credentials` gave (`PublicKeyCredential.toJSON()`).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Credential {
    /// The credential in its JSON form.
    #[schema(value_type = Object)]
    pub credential: serde_json::Value,
    /// Name for the list of passkeys, when one is enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `GET /api/v1/me/factors`: how this account signs in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Factors {
    /// A password is set.
    pub password: bool,
    /// TOTP is set up.
    pub totp: bool,
    /// Passkeys.
    pub passkeys: Vec<Passkey>,
    /// OpenID subjects linked.
    pub providers: Vec<String>,
}

/// A passkey.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Passkey {
    /// Id for removing it.
    pub id: String,
    /// Name given.
    pub name: String,
    /// Enrolled at (RFC 3339).
    pub since: String,
    /// Last used at.
    pub used: Option<String>,
}

/// `POST /api/v1/me/password`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The password now.
    pub old: String,
    /// The new one: at least 12 characters.
    pub new: String,
}

/// `POST /api/v1/me/totp/begin`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TotpBegin {
    /// Secret in base32, for typing.
    pub secret: String,
    /// `otpauth://` URI, for a QR code.
    pub uri: String,
}

/// A session of this account.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenSession {
    /// Id for ending it.
    pub id: String,
    /// Since (RFC 3339).
    pub since: String,
    /// Last used.
    pub used: String,
    /// Where from.
    pub address: String,
    /// Browser, cut to 128 bytes.
    pub agent: String,
    /// The one that asks.
    pub current: bool,
}

/// An API token.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Id for removing it.
    pub id: String,
    /// Name given.
    pub name: String,
    /// What it may do: a part of what its account may.
    pub scope: Vec<String>,
    /// Ends at (RFC 3339); at most a year ahead.
    pub expires: String,
    /// Last used.
    pub used: Option<String>,
    /// The token itself: in the answer that makes it, and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// `POST /api/v1/me/tokens`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// Name, 1 to 64 characters.
    pub name: String,
    /// What it may do.
    pub scope: Vec<String>,
    /// Days it holds: 1 to 366.
    pub days: u32,
}
