//! An account: who it belongs to, its roles, how it signs in. A *person* is an id that several accounts may share: what needs two persons
//! counts persons.

use serde::{Deserialize, Serialize};
use weir_base::time::Millis;
use weir_record::Id;

use super::codec::{as_base64, as_base64_maybe, as_ms, as_ms_maybe, as_text, as_text_maybe, as_texts};
use super::limits::{LOGIN_BYTES, NAME_CHARS, REASON_CHARS, REASON_CHARS_MIN};
use super::password::Stored;
use super::refused::Refused;
use super::roles::Role;
use super::secret;
use super::views::Next;

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its link was not used yet.
    Invited,
    /// In use.
    Active,
    /// Ended.
    Disabled,
}

/// TOTP of an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totp {
    /// Shared secret.
    #[serde(with = "as_base64")]
    pub secret: Vec<u8>,
    /// The last step whose code was used.
    pub used: Option<i64>,
}

/// A passkey of an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkey {
    /// Id in lists.
    #[serde(with = "as_text")]
    pub id: Id,
    /// Name given.
    pub name: String,
    /// Credential id.
    #[serde(with = "as_base64")]
    pub credential: Vec<u8>,
    /// COSE key.
    #[serde(with = "as_base64")]
    pub key: Vec<u8>,
    /// Signature counter.
    pub count: u32,
    /// May be backed up.
    pub backup_eligible: bool,
    /// Relying party it is for.
    pub rp: String,
    /// Enrolled at.
    #[serde(with = "as_ms")]
    pub since: Millis,
    /// Last used.
    #[serde(with = "as_ms_maybe")]
    pub used: Option<Millis>,
}

/// A subject of an OpenID provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Name of the provider in the configuration.
    pub provider: String,
    /// Issuer.
    pub issuer: String,
    /// Subject.
    pub subject: String,
}

/// An account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Id.
    #[serde(with = "as_text")]
    pub id: Id,
    /// The person behind it.
    #[serde(with = "as_text")]
    pub person: Id,
    /// Sign-in name; empty while invited.
    pub login: String,
    /// Name shown to people.
    pub display: String,
    /// Roles, each once, in the order of the table.
    #[serde(with = "as_texts")]
    pub roles: Vec<Role>,
    /// Where it stands.
    pub standing: Standing,
    /// Since.
    #[serde(with = "as_ms")]
    pub since: Millis,
    /// Last sign-in.
    #[serde(with = "as_ms_maybe")]
    pub last_sign_in: Option<Millis>,
    /// Locked until, by failures.
    #[serde(with = "as_ms_maybe")]
    pub locked_until: Option<Millis>,
    /// Password.
    pub password: Option<Stored>,
    /// TOTP.
    pub totp: Option<Totp>,
    /// Passkeys.
    pub passkeys: Vec<Passkey>,
    /// OpenID subjects.
    pub subjects: Vec<Subject>,
    /// The person who fetched the link that made this account's factors anew: what that person asks, it never confirms.
    #[serde(with = "as_text_maybe", default, skip_serializing_if = "Option::is_none")]
    pub link_by: Option<Id>,
    /// Two persons made it: no one person gives out a link for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_two: bool,
}

impl Account {
    /// A new account, not in use yet.
    pub fn invited(person: Id, display: &str, roles: &[Role], now: Millis) -> Account {
        Account {
            id: Id::random(),
            person,
            login: String::new(),
            display: display.to_owned(),
            roles: roles.to_vec(),
            standing: Standing::Invited,
            since: now,
            last_sign_in: None,
            locked_until: None,
            password: None,
            totp: None,
            passkeys: Vec::new(),
            subjects: Vec::new(),
            link_by: None,
            by_two: false,
        }
    }

    /// Locked by failures, now.
    pub fn is_locked(&self, now: Millis) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// In use and not locked.
    pub fn is_usable(&self, now: Millis) -> bool {
        self.standing == Standing::Active && !self.is_locked(now)
    }

    /// Where nobody was it yet: it gets its time anew, so that a link can be fetched and used.
    pub fn wait_anew(&mut self, now: Millis) {
        if self.standing == Standing::Invited {
            self.since = now;
        }
    }

    /// Has one of the three administrators' roles.
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(|r| r.is_admin())
    }

    /// Has a second factor.
    pub fn has_second_factor(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }

    /// Must have one: every role looks people up, reads records, sees states of the unit or decides.
    pub fn needs_second_factor(&self) -> bool {
        !self.roles.is_empty()
    }

    /// What is missing after the first factor.
    pub fn next(&self) -> Option<Next> {
        match (&self.totp, self.passkeys.is_empty()) {
            (Some(_), _) => Some(Next::Totp),
            (None, false) => Some(Next::Passkey),
            (None, true) => self.needs_second_factor().then_some(Next::Enrol),
        }
    }

    /// The word for lists.
    pub fn state(&self, now: Millis) -> &'static str {
        match self.standing {
            Standing::Invited => "invited",
            Standing::Disabled => "disabled",
            Standing::Active if self.is_locked(now) => "locked",
            Standing::Active => "active",
        }
    }
}

/// A one-use link. While it waits its account is `invited`, or is to be recovered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Id: the first part of the link's token.
    #[serde(with = "as_text")]
    pub id: Id,
    /// The account it is for.
    #[serde(with = "as_text")]
    pub account: Id,
    /// Hash of the second part.
    #[serde(with = "as_base64")]
    pub hash: [u8; 32],
    /// Ends at.
    #[serde(with = "as_ms")]
    pub expires: Millis,
    /// The approval it came of; then the code of who confirmed it is needed too.
    #[serde(with = "as_text_maybe", default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Id>,
    /// Hash of that code.
    #[serde(with = "as_base64_maybe", default, skip_serializing_if = "Option::is_none")]
    pub code: Option<[u8; 32]>,
    /// Codes that were wrong.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Invitation {
    /// Is this the code it needs? True when it needs none.
    pub fn opens(&self, code: &str) -> bool {
        match (self.approval, &self.code) {
            (Some(approval), Some(hash)) => secret::same(hash, &secret::code_hash(approval, code)),
            _ => true,
        }
    }
}

/// Checks a sign-in name: 2 to 32 of a-z 0-9 . _ -
pub fn login(text: &str) -> Result<(), Refused> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    match (2..=LOGIN_BYTES).contains(&text.len()) && text.bytes().all(good) {
        true => Ok(()),
        false => Err(Refused::bad("login", format!("A sign-in name has 2 to {LOGIN_BYTES} of a-z 0-9 . _ -"))),
    }
}

/// Checks a name shown to people.
pub fn name(field: &'static str, text: &str) -> Result<(), Refused> {
    match printable(text, 1, NAME_CHARS) {
        true => Ok(()),
        false => {
            Err(Refused::bad(field, format!("A name has 1 to {NAME_CHARS} characters that can be printed, and no blank at its ends.")))
        }
    }
}

/// Checks a reason.
pub fn reason(text: &str) -> Result<(), Refused> {
    match printable(text, REASON_CHARS_MIN, REASON_CHARS) {
        true => Ok(()),
        false => Err(Refused::bad(
            "reason",
            format!("A reason has {REASON_CHARS_MIN} to {REASON_CHARS} characters that can be printed, on one line."),
        )),
    }
}

fn printable(text: &str, min: usize, max: usize) -> bool {
    // Directions and other format characters would let a text look like another one.
    let hidden =
        |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.len() <= max * 4 && (min..=max).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(hidden)
}

/// Checks roles: each once, and none that excludes another. Gives them in the order of the table.
pub fn roles(list: &[Role]) -> Result<Vec<Role>, Refused> {
    let mut sorted = list.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != list.len() {
        return Err(Refused::bad("roles", "A role is named twice."));
    }
    match super::roles::clash(&sorted) {
        Some((a, b)) => Err(Refused::bad("roles", format!("One person may not be both {a} and {b}."))),
        None => Ok(sorted),
    }
}
