//! What needs two persons, as a state machine without I/O.
//!
//! An approval is over one exact content. It is confirmed by *persons*, not accounts: never by the one who asks, never by the one it
//! concerns, never twice by the same. It ends by itself, is used once, and is void as soon as the content is another one.
//!
//! ```text
//!            confirm (enough persons)         take (same digest)
//! waiting ───────────────────────► confirmed ───────────────────► used
//!    │ refuse │ withdraw │ time        │ refuse, withdraw, time, other content
//!    ▼        ▼          ▼             ▼
//! refused  withdrawn  expired       refused, withdrawn, expired, void
//! ```

use serde::{Deserialize, Serialize};
use serde_json::Value;
use weir_base::time::Millis;
use weir_record::Id;

use super::codec::{as_base64, as_base64_maybe, as_ms, as_text, as_text_maybe};
use super::content::{self, Digest};
use super::limits::{APPROVAL_MS_MAX, APPROVAL_STEPS};
use super::refused::{Over, Refused};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A new account.
    AccountCreate,
    /// More roles, or others.
    RoleChange,
    /// A link that sets an account's factors anew.
    AccountRecover,
    /// A disabled account is to be used again.
    AccountEnable,
    /// An administrator is to be disabled.
    AccountDisable,
    /// A setting that needs two persons.
    SettingChange,
    /// A role in an emergency.
    BreakGlass,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 7] = [
        Kind::AccountCreate,
        Kind::RoleChange,
        Kind::AccountRecover,
        Kind::AccountEnable,
        Kind::AccountDisable,
        Kind::SettingChange,
        Kind::BreakGlass,
    ];

    /// Its name, e.g. `account-create`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::AccountCreate => "account-create",
            Kind::RoleChange => "role-change",
            Kind::AccountRecover => "account-recover",
            Kind::AccountEnable => "account-enable",
            Kind::AccountDisable => "account-disable",
            Kind::SettingChange => "setting-change",
            Kind::BreakGlass => "break-glass",
        }
    }

    /// Is done by the program itself at the last confirmation; others are taken by the one who asked.
    pub fn is_immediate(self) -> bool {
        self != Kind::SettingChange
    }
}

/// Where an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for persons.
    Waiting,
    /// Enough persons confirmed.
    Confirmed,
    /// Done.
    Used,
    /// Another person said no.
    Refused,
    /// The one who asked took it back.
    Withdrawn,
    /// Its time is over.
    Expired,
    /// The content was another one, or can no longer be done.
    Void,
}

impl State {
    /// Its name, e.g. `waiting`.
    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Confirmed => "confirmed",
            State::Used => "used",
            State::Refused => "refused",
            State::Withdrawn => "withdrawn",
            State::Expired => "expired",
            State::Void => "void",
        }
    }

    /// Something can still come of it.
    pub fn is_open(self) -> bool {
        matches!(self, State::Waiting | State::Confirmed)
    }
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Account.
    pub account: Id,
    /// The person behind it.
    pub person: Id,
}

/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Asked for.
    Asked,
    /// Confirmed.
    Confirmed,
    /// Refused.
    Refused,
    /// Taken back.
    Withdrawn,
    /// Used.
    Used,
    /// Ended by time.
    Expired,
    /// Made void.
    Void,
}

impl What {
    /// Its name, e.g. `confirmed`.
    pub fn name(self) -> &'static str {
        match self {
            What::Asked => "asked",
            What::Confirmed => "confirmed",
            What::Refused => "refused",
            What::Withdrawn => "withdrawn",
            What::Used => "used",
            What::Expired => "expired",
            What::Void => "void",
        }
    }
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Account; none for the program itself.
    #[serde(with = "as_text_maybe")]
    pub account: Option<Id>,
    /// The person behind it.
    #[serde(with = "as_text_maybe")]
    pub person: Option<Id>,
    /// When.
    #[serde(with = "as_ms")]
    pub time: Millis,
    /// What.
    pub what: What,
    /// Words, where some were given.
    pub reason: Option<String>,
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Id.
    #[serde(with = "as_text")]
    pub id: Id,
    /// What is asked for.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// The exact content.
    pub content: Value,
    /// Its digest.
    #[serde(with = "as_base64")]
    pub digest: Digest,
    /// Why.
    pub reason: String,
    /// Who asked.
    #[serde(with = "as_text")]
    pub asked_by: Id,
    /// The person who asked.
    #[serde(with = "as_text")]
    pub asked_person: Id,
    /// The person it concerns, who may not confirm it either.
    #[serde(with = "as_text_maybe")]
    pub concerns: Option<Id>,
    /// Asked at.
    #[serde(with = "as_ms")]
    pub asked_at: Millis,
    /// Ends at.
    #[serde(with = "as_ms")]
    pub expires: Millis,
    /// Persons who must confirm.
    pub needed: u32,
    /// Steps, in order.
    pub steps: Vec<Step>,
    /// The account for which a link can be fetched by the one who asked, once.
    #[serde(with = "as_text_maybe")]
    pub result: Option<Id>,
    /// Hash of the code that whoever uses that link must give; the last one who confirmed was shown it.
    #[serde(with = "as_base64_maybe", default, skip_serializing_if = "Option::is_none")]
    pub code: Option<[u8; 32]>,
}

/// What is asked for, before it is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What.
    pub kind: Kind,
    /// Exactly.
    pub content: Value,
    /// Why.
    pub reason: String,
    /// The person it concerns.
    pub concerns: Option<Id>,
    /// Persons who must confirm: at least one.
    pub needed: u32,
    /// How long it may wait, in milliseconds.
    pub wait_ms: i64,
}

const OVER: &str = "approval";

impl Approval {
    /// Asks.
    ///
    /// # Errors
    /// [`Refused::Bad`] for a content without a canonical form.
    pub fn ask(ask: Ask, who: Who, now: Millis) -> Result<Approval, Refused> {
        let digest = content::digest(&ask.content)?;
        let mut new = Approval {
            id: Id::random(),
            kind: ask.kind,
            state: State::Waiting,
            content: ask.content,
            digest,
            reason: ask.reason,
            asked_by: who.account,
            asked_person: who.person,
            concerns: ask.concerns,
            asked_at: now,
            expires: now.plus(ask.wait_ms.clamp(1, APPROVAL_MS_MAX)),
            needed: ask.needed.max(1),
            steps: Vec::new(),
            result: None,
            code: None,
        };
        new.step(Some(who), What::Asked, None, now);
        Ok(new)
    }

    fn step(&mut self, who: Option<Who>, what: What, reason: Option<String>, now: Millis) {
        let (account, person) = (who.map(|w| w.account), who.map(|w| w.person));
        self.steps.push(Step { account, person, time: now, what, reason });
    }

    /// Its time is over, whether or not that was recorded.
    pub fn is_over(&self, now: Millis) -> bool {
        now >= self.expires
    }

    /// Its state now: `expired` as soon as its time is over.
    pub fn state_at(&self, now: Millis) -> State {
        if self.state.is_open() && self.is_over(now) { State::Expired } else { self.state }
    }

    fn open(&self, now: Millis) -> Result<(), Refused> {
        match self.state_at(now) {
            state if state.is_open() => Ok(()),
            State::Void | State::Refused | State::Withdrawn => Err(self.over()),
            _ => Err(Refused::Expired(OVER)),
        }
    }

    /// How it ended, when and by whom, of what its last step says.
    fn over(&self) -> Refused {
        let Some(last) = self.steps.last() else { return Refused::Expired(OVER) };
        let machine = || last.reason.as_deref().is_some_and(|why| why.starts_with("uid:"));
        let how = match last.what {
            What::Refused => Over::Refused,
            What::Withdrawn => Over::Withdrawn,
            What::Void if last.account.is_some() => Over::OtherContent,
            What::Void if machine() => Over::OtherContentOfMachine,
            What::Void => Over::Impossible,
            _ => return Refused::Expired(OVER),
        };
        Refused::Over { how, at: last.time }
    }

    /// May this person stand as another person here? Whoever asked may not, nor may the one it concerns, nor one who did already.
    ///
    /// # Errors
    /// [`Refused::SamePerson`], [`Refused::Conflict`], or why it is no longer open.
    pub fn may_confirm(&self, who: Who, now: Millis) -> Result<(), Refused> {
        self.open(now)?;
        if who.person == self.asked_person || who.account == self.asked_by || self.concerns == Some(who.person) {
            return Err(Refused::SamePerson);
        }
        if self.state != State::Waiting {
            return Err(Refused::Conflict("It is confirmed already."));
        }
        let done = |s: &Step| s.what == What::Confirmed && (s.person == Some(who.person) || s.account == Some(who.account));
        if self.steps.iter().any(done) {
            return Err(Refused::Conflict("This person has confirmed it already; another one is needed."));
        }
        if self.steps.len() >= APPROVAL_STEPS {
            return Err(Refused::TooMany("steps"));
        }
        Ok(())
    }

    /// Confirms what was looked at: another digest is refused. `counts` says whether an account that confirmed before still may.
    /// True when that was the last confirmation needed.
    ///
    /// # Errors
    /// As [`Approval::may_confirm`]; [`Refused::Conflict`] for another digest.
    pub fn confirm(&mut self, who: Who, digest: &Digest, counts: impl Fn(Id) -> bool, now: Millis) -> Result<bool, Refused> {
        self.may_confirm(who, now)?;
        if *digest != self.digest {
            return Err(Refused::Conflict("What was looked at is not what is asked for."));
        }
        self.step(Some(who), What::Confirmed, None, now);
        if self.is_backed(|account| account == who.account || counts(account)) {
            self.state = State::Confirmed;
        }
        Ok(self.state == State::Confirmed)
    }

    /// Did enough persons confirm it, of those whose confirmation counts?
    pub fn is_backed(&self, counts: impl Fn(Id) -> bool) -> bool {
        let confirmed = |s: &&Step| s.what == What::Confirmed && s.account.is_some_and(&counts);
        let mut persons: Vec<Id> = self.steps.iter().filter(confirmed).filter_map(|s| s.person).collect();
        persons.sort_unstable();
        persons.dedup();
        persons.len() >= self.needed as usize
    }

    /// How many persons must still confirm it, one at least while it waits.
    pub fn left(&self) -> u32 {
        let mut persons: Vec<Id> = self.steps.iter().filter(|s| s.what == What::Confirmed).filter_map(|s| s.person).collect();
        persons.sort_unstable();
        persons.dedup();
        self.needed.saturating_sub(u32::try_from(persons.len()).unwrap_or(u32::MAX)).max(1)
    }

    /// Another person says no.
    ///
    /// # Errors
    /// [`Refused::SamePerson`] for the one who asked, or why it is no longer open.
    pub fn refuse(&mut self, who: Who, reason: &str, now: Millis) -> Result<(), Refused> {
        self.open(now)?;
        if who.person == self.asked_person {
            return Err(Refused::SamePerson);
        }
        self.step(Some(who), What::Refused, Some(reason.to_owned()), now);
        self.state = State::Refused;
        Ok(())
    }

    /// The one who asked takes it back.
    ///
    /// # Errors
    /// [`Refused::NotFound`] for anybody else, or why it is no longer open.
    pub fn withdraw(&mut self, who: Who, now: Millis) -> Result<(), Refused> {
        if who.account != self.asked_by {
            return Err(Refused::NotFound("approval of this account"));
        }
        self.open(now)?;
        self.step(Some(who), What::Withdrawn, None, now);
        self.state = State::Withdrawn;
        Ok(())
    }

    /// Uses it for `content`, once. [`Refused::Void`] when the content is another one: then it is void, and that has to be kept.
    ///
    /// # Errors
    /// [`Refused::NotFound`] for another account or kind, [`Refused::NotConfirmed`], or why it is no longer open.
    pub fn take(&mut self, who: Who, kind: Kind, content: &Digest, now: Millis) -> Result<(), Refused> {
        if who.account != self.asked_by {
            return Err(Refused::NotFound("approval of this account"));
        }
        self.use_up(Some(who), None, kind, content, now)
    }

    /// As [`Approval::take`], for an account of the socket: it carries out on the machine what was asked for and confirmed at the desk. Its name is the
    /// step's reason. Such an account asked for nothing, so another content is refused and changes nothing: only the one who asked makes it void.
    ///
    /// # Errors
    /// As there, but for another content, which is a [`Refused::Conflict`].
    pub fn take_socket(&mut self, actor: &str, kind: Kind, content: &Digest, now: Millis) -> Result<(), Refused> {
        if kind == self.kind && self.state_at(now).is_open() && *content != self.digest {
            return Err(Refused::Conflict(
                "The content is not the one that was asked for: nothing was done, and the approval stays as it is.",
            ));
        }
        self.use_up(None, Some(actor.to_owned()), kind, content, now)
    }

    fn use_up(&mut self, who: Option<Who>, why: Option<String>, kind: Kind, content: &Digest, now: Millis) -> Result<(), Refused> {
        if kind != self.kind {
            return Err(Refused::NotFound("approval of this account"));
        }
        self.open(now)?;
        if *content != self.digest {
            self.void(who, why, now);
            return Err(Refused::Void);
        }
        if self.state != State::Confirmed {
            return Err(Refused::NotConfirmed { left: self.left() });
        }
        self.step(who, What::Used, why, now);
        self.state = State::Used;
        Ok(())
    }

    /// The program did what was asked.
    pub fn done(&mut self, now: Millis) {
        if self.state == State::Confirmed {
            self.step(None, What::Used, None, now);
            self.state = State::Used;
        }
    }

    /// Nothing can come of it any more.
    pub fn void(&mut self, who: Option<Who>, why: Option<String>, now: Millis) {
        if self.state.is_open() {
            self.step(who, What::Void, why, now);
            self.state = State::Void;
        }
    }

    /// Marks it expired when its time is over; true when that is new.
    pub fn expire(&mut self, now: Millis) -> bool {
        let due = self.state.is_open() && self.is_over(now);
        if due {
            self.step(None, What::Expired, None, now);
            self.state = State::Expired;
        }
        due
    }
}

#[cfg(test)]
#[path = "approval_tests.rs"]
mod tests;
