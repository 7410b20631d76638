//! What the desk shows, and who asks it. Plain data: the HTTP side turns it into JSON.

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;

use super::refused::Refused;
use super::roles::{Capabilities, Capability, Role};

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Address.
    pub address: Addr16,
    /// Port (RFC 6302).
    pub port: u16,
    /// What the browser calls itself; cut to [`super::limits::AGENT_BYTES`].
    pub agent: String,
}

/// What a request is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A session, by the id it has in lists.
    Session(Id),
    /// A token.
    Token(Id),
}

/// Who asks. Made by [`super::Desk::session`] and [`super::Desk::bearer`] for one request: what it may do was true at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// With what.
    pub by: By,
    /// Account.
    pub account: Id,
    /// The person behind it.
    pub person: Id,
    /// What it may do now: of a half-done sign-in nothing, of one that must still enrol a factor `self` alone.
    pub may: Capabilities,
    /// What its account may do now: of a token that may be more than what the token may.
    pub account_may: Capabilities,
    /// Where it comes from.
    pub peer: Peer,
    /// False while something is missing: a second factor to be given or to be set up.
    pub complete: bool,
}

impl Caller {
    /// The actor of records: `account:ID` or `token:ID`.
    pub fn actor(&self) -> String {
        match self.by {
            By::Session(_) => format!("account:{}", self.account),
            By::Token(id) => format!("token:{id}"),
        }
    }

    /// Checks that it may.
    ///
    /// # Errors
    /// [`Refused::FactorNeeded`] while the sign-in is not complete, [`Refused::TokenMay`] for a token, [`Refused::NotAllowed`] otherwise.
    pub fn needs(&self, c: Capability) -> Result<(), Refused> {
        match self.may.has(c) {
            true => Ok(()),
            false if !self.complete => Err(Refused::FactorNeeded),
            false if matches!(self.by, By::Token(_)) => Err(Refused::TokenMay { needs: c, account: self.account_may.has(c) }),
            false => Err(Refused::NotAllowed("No role of this account may do this.")),
        }
    }
}

/// What is missing from a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A TOTP code; a passkey of the account does as well.
    Totp,
    /// A passkey.
    Passkey,
    /// A second factor must be set up first.
    Enrol,
}

impl Next {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Next::Totp => "totp",
            Next::Passkey => "passkey",
            Next::Enrol => "enrol",
        }
    }
}

/// A step of a sign-in is done. The cookie is new at each step, the one before is void.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The session's cookie.
    pub cookie: String,
    /// What is missing.
    pub next: Option<Next>,
    /// Account.
    pub account: Id,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("next", &self.next).field("account", &self.account).finish_non_exhaustive()
    }
}

/// A one-use link is taken up.
#[derive(Clone, Copy)]
pub struct Accept<'a> {
    /// The link's token.
    pub token: &'a str,
    /// Sign-in name.
    pub login: &'a str,
    /// Name shown to people; counts for the first account alone.
    pub display: &'a str,
    /// Password.
    pub password: &'a str,
    /// The code of who confirmed, where the link needs one.
    pub code: Option<&'a str>,
}

/// A link given out at the machine itself.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstLink {
    /// Its token.
    pub token: String,
    /// The sign-in name of the account that is there already.
    pub login: Option<String>,
}

/// What a one-use link leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkView {
    /// Name shown to people; none for the first account.
    pub display: Option<String>,
    /// The account is there already: its sign-in name must be given.
    pub recovers: bool,
    /// The code of who confirmed is needed.
    pub code_needed: bool,
    /// Ends at; none for the first account's.
    pub expires: Option<Millis>,
}

/// A session, for the one who has it.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Who, and what they may.
    pub caller: Caller,
    /// Sign-in name.
    pub login: String,
    /// Name shown to people.
    pub display: String,
    /// Roles.
    pub roles: Vec<Role>,
    /// What is missing.
    pub next: Option<Next>,
    /// Seconds until it ends without use.
    pub idle_seconds: u64,
    /// Approvals that wait for this person.
    pub waiting: u64,
    /// An emergency role that is open, and its end.
    pub emergency: Option<(Role, Millis)>,
}

/// An account, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Id.
    pub id: Id,
    /// The person behind it.
    pub person: Id,
    /// Sign-in name; empty while the invitation is open.
    pub login: String,
    /// Name shown to people.
    pub display: String,
    /// Roles.
    pub roles: Vec<Role>,
    /// `invited`, `link-ended` (nobody can become it by a link any more: a new one is needed), `active`, `locked`, `disabled`.
    pub state: &'static str,
    /// Has a second factor.
    pub second_factor: bool,
    /// Since.
    pub since: Millis,
    /// Last sign-in.
    pub last_sign_in: Option<Millis>,
    /// Locked until, when failures locked it.
    pub locked_until: Option<Millis>,
}

/// How an account signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorsView {
    /// A password is set.
    pub password: bool,
    /// TOTP is set up.
    pub totp: bool,
    /// Passkeys.
    pub passkeys: Vec<PasskeyView>,
    /// Names of the OpenID providers linked.
    pub providers: Vec<String>,
}

/// A passkey, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyView {
    /// Id for removing it.
    pub id: Id,
    /// Name given.
    pub name: String,
    /// Enrolled at.
    pub since: Millis,
    /// Last used at.
    pub used: Option<Millis>,
}

/// TOTP is being set up.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpBegun {
    /// Secret in base32.
    pub secret: String,
    /// `otpauth://` URI.
    pub uri: String,
}

/// A session of an account, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLine {
    /// Id for ending it.
    pub id: Id,
    /// Since.
    pub since: Millis,
    /// Last used.
    pub used: Millis,
    /// Where from.
    pub peer: Peer,
    /// The one that asks.
    pub current: bool,
}

/// An API token, for lists.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenView {
    /// Id for removing it.
    pub id: Id,
    /// Name given.
    pub name: String,
    /// What it was made for; it does no more of this than its account may.
    pub scope: Capabilities,
    /// Ends at.
    pub expires: Millis,
    /// Last used, to the hour.
    pub used: Option<Millis>,
    /// The token itself, from the call that makes it alone.
    pub secret: Option<String>,
}

/// What came of a change that may need two persons.
#[derive(Clone, PartialEq, Eq)]
pub struct Changed {
    /// The approval it waits for; none when it is done.
    pub approval: Option<Id>,
    /// The token of a one-use link, once.
    pub link: Option<String>,
    /// What else there is to know, in English: why it waits and who can confirm it.
    pub remark: Option<String>,
}

/// An approval, for the one who reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalView {
    /// Id.
    pub id: Id,
    /// `account-create`, ….
    pub kind: &'static str,
    /// `waiting`, `confirmed`, `used`, `refused`, `withdrawn`, `expired`, `void`.
    pub state: &'static str,
    /// What exactly is asked for.
    pub content: serde_json::Value,
    /// SHA-256 of the canonical content, in hex.
    pub digest: String,
    /// Why.
    pub reason: String,
    /// Asked by: account.
    pub asked_by: Id,
    /// Name of who asked.
    pub asked_by_display: String,
    /// Asked at.
    pub asked_at: Millis,
    /// Ends at.
    pub expires: Millis,
    /// How many persons must confirm beside the one who asks.
    pub needed: u32,
    /// Each step.
    pub steps: Vec<StepView>,
    /// May the one who reads this confirm it?
    pub may_confirm: bool,
    /// Why not, where not.
    pub why_not: Option<String>,
    /// A link waits to be fetched by the one who asked.
    pub has_result: bool,
}

/// A step of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// Who: account id; none for the program itself.
    pub actor: Option<Id>,
    /// Name.
    pub display: String,
    /// When.
    pub time: Millis,
    /// `asked`, `confirmed`, `refused`, `withdrawn`, `used`, `expired`, `void`.
    pub what: &'static str,
    /// Words, where some were given.
    pub reason: Option<String>,
}

/// Something that needs a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// `error`, `warning` or `info`.
    pub level: &'static str,
    /// A key of the message catalogue: `break-glass`, `few-approvers`, `mass-read`, `setup-open`.
    pub code: &'static str,
    /// Words for it, in English.
    pub text: String,
    /// Since.
    pub since: Option<Millis>,
}
