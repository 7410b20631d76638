//! Why the desk does not do something: a stable code, what is wrong, and what to do next. Free of names and addresses.

use weir_base::time::Millis;
use weir_record::sink::SinkError;

use super::ended::LinkEnd;
use super::roles::{Capability, NEVER_A_TOKEN};
use super::throttle::Waits;

/// How an approval ended that can no longer be used, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Void: the one who asked came with another content.
    OtherContent,
    /// Void: an account of the socket came with another content (earlier versions let that be).
    OtherContentOfMachine,
    /// Void: it could not be carried out any more.
    Impossible,
    /// Another person said no.
    Refused,
    /// The one who asked took it back.
    Withdrawn,
}

impl Over {
    /// Nobody decided against it, but it fits no longer.
    pub fn is_void(self) -> bool {
        !matches!(self, Over::Refused | Over::Withdrawn)
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody is signed in.
    NotSignedIn,
    /// A second factor is missing.
    FactorNeeded,
    /// Sign-in name, password, code, passkey, token or link are not right. Which of them is not told.
    WrongCredentials {
        /// Seconds until another try is taken.
        retry_after: u64,
    },
    /// Too many failures.
    Locked {
        /// Seconds until another try is taken.
        retry_after: u64,
        /// What it is that waits.
        what: Waits,
    },
    /// The account has no capability for it.
    NotAllowed(&'static str),
    /// The token was not made for it, whatever its account may.
    TokenMay {
        /// What it would need.
        needs: Capability,
        /// The account may do it.
        account: bool,
    },
    /// It is one's own account, or one's own person.
    SamePerson,
    /// There is no such thing, or it is not for this account.
    NotFound(&'static str),
    /// A field is not as it must be.
    Bad {
        /// The field.
        field: &'static str,
        /// What it must be.
        what: String,
    },
    /// The link was real once, and leads nowhere any more.
    LinkEnded(LinkEnd),
    /// The link needs a code beside it.
    CodeNeeded,
    /// The link's code is not right.
    CodeWrong {
        /// Wrong ones it still takes; at 0 the link is void.
        left: u32,
    },
    /// The last proof of a password or a passkey is too old for this.
    SignInAgain,
    /// It does not fit what is there.
    Conflict(&'static str),
    /// It is not confirmed yet.
    NotConfirmed {
        /// Persons who must still confirm it.
        left: u32,
    },
    /// Its time is over.
    Expired(&'static str),
    /// The content is another one than was confirmed.
    Void,
    /// The approval ended before.
    Over {
        /// How.
        how: Over,
        /// When.
        at: Millis,
    },
    /// A list is full.
    TooMany(&'static str),
    /// It could not be made durable; nothing changed.
    Store(SinkError),
}

impl Refused {
    pub(super) fn bad(field: &'static str, what: impl Into<String>) -> Refused {
        Refused::Bad { field, what: what.into() }
    }

    /// The stable code, the last part of a problem's type.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::NotSignedIn => "not-signed-in",
            Refused::FactorNeeded => "factor-needed",
            Refused::WrongCredentials { .. } => "wrong-credentials",
            Refused::Locked { .. } => "locked",
            Refused::NotAllowed(_) | Refused::TokenMay { .. } | Refused::SamePerson => "not-allowed",
            Refused::NotFound(_) => "not-found",
            Refused::Bad { .. } => "bad-request",
            Refused::CodeNeeded => "code-needed",
            Refused::CodeWrong { .. } => "code-wrong",
            Refused::SignInAgain => "sign-in-again",
            Refused::Conflict(_) | Refused::NotConfirmed { .. } | Refused::Void => "conflict",
            Refused::Expired(_) => "expired",
            Refused::LinkEnded(LinkEnd::Used) => "link-used",
            Refused::LinkEnded(LinkEnd::Over) => "link-expired",
            Refused::LinkEnded(LinkEnd::Replaced | LinkEnd::Void) => "link-void",
            Refused::Over { how: Over::Refused, .. } => "approval-refused",
            Refused::Over { how: Over::Withdrawn, .. } => "approval-withdrawn",
            Refused::Over { .. } => "approval-void",
            Refused::TooMany(_) => "too-many",
            Refused::Store(_) => "unavailable",
        }
    }

    /// The HTTP status that goes with the code.
    pub fn status(&self) -> u16 {
        match self {
            Refused::NotSignedIn | Refused::FactorNeeded | Refused::WrongCredentials { .. } => 401,
            Refused::NotAllowed(_) | Refused::TokenMay { .. } | Refused::SamePerson => 403,
            Refused::CodeNeeded | Refused::CodeWrong { .. } | Refused::SignInAgain => 403,
            Refused::NotFound(_) => 404,
            Refused::Bad { .. } => 400,
            Refused::Conflict(_) | Refused::NotConfirmed { .. } | Refused::Void => 409,
            Refused::Over { how, .. } if how.is_void() => 409,
            Refused::Expired(_) | Refused::LinkEnded(_) | Refused::Over { .. } => 410,
            Refused::Locked { .. } | Refused::TooMany(_) => 429,
            Refused::Store(_) => 503,
        }
    }

    /// What is wrong.
    pub fn what(&self) -> String {
        match self {
            Refused::NotSignedIn => "Nobody is signed in, or the session has ended.".into(),
            Refused::FactorNeeded => "The sign-in is not complete: a second factor is missing.".into(),
            Refused::WrongCredentials { .. } => "What was given does not sign anybody in.".into(),
            Refused::Locked { what: Waits::Lock, .. } => "Too many sign-ins failed with this name: it is locked for a while.".into(),
            Refused::Locked { what: Waits::Name, .. } => "Too many sign-ins failed with this name: it waits for a moment.".into(),
            Refused::Locked { what: Waits::Address, .. } => {
                "Too many tries from this address failed: the address waits, and no account does.".into()
            }
            Refused::NotAllowed(what) => (*what).into(),
            Refused::TokenMay { needs, .. } if NEVER_A_TOKEN.contains(needs) => {
                format!("No token may have {needs}: it needs a person who is signed in.")
            }
            Refused::TokenMay { needs, account: true } => format!("This token was not made for {needs}, which its account may do."),
            Refused::TokenMay { needs, account: false } => format!("This token may not do {needs}: no role of its account may."),
            Refused::SamePerson => "It concerns your own account, or another account of the same person.".into(),
            Refused::NotFound(what) => format!("There is no such {what}."),
            Refused::Bad { what, .. } => what.clone(),
            Refused::LinkEnded(LinkEnd::Used) => "This link was used: it opens once.".into(),
            Refused::LinkEnded(LinkEnd::Over) => "The time of this link is over.".into(),
            Refused::LinkEnded(LinkEnd::Replaced) => "This link is void: a newer one of the same account took its place.".into(),
            Refused::LinkEnded(LinkEnd::Void) => "This link is void: wrong codes were given with it, or its account was disabled.".into(),
            Refused::CodeNeeded => "Two persons decided on this link: beside it a code is needed.".into(),
            Refused::CodeWrong { left: 0 } => "The code is not right, and the link is void now.".into(),
            Refused::CodeWrong { left } => format!("The code is not right. Tries left: {left}."),
            Refused::SignInAgain => "Your password or passkey was last given more than ten minutes ago, too long for this change.".into(),
            Refused::Conflict(what) => (*what).into(),
            Refused::NotConfirmed { left } => format!("It is not confirmed yet. Persons who must still confirm it: {left}."),
            Refused::Expired(what) => format!("The time of this {what} is over, or it was used."),
            Refused::Void => "The content is not the one that was asked for: nothing was done.".into(),
            Refused::Over { how: Over::OtherContent, at } => {
                format!("This approval became void at {at}: the one who asked for it came with another content.")
            }
            Refused::Over { how: Over::OtherContentOfMachine, at } => {
                format!("This approval became void at {at}: an account of the machine came with another content.")
            }
            Refused::Over { how: Over::Impossible, at } => {
                format!("This approval became void at {at}: the program could no longer carry it out.")
            }
            Refused::Over { how: Over::Refused, at } => {
                format!("This approval was refused at {at} by another person, whose reason its page shows.")
            }
            Refused::Over { how: Over::Withdrawn, at } => format!("This approval was taken back at {at} by the one who asked for it."),
            Refused::TooMany(what) => format!("There are as many {what} as are allowed."),
            Refused::Store(error) => format!("It could not be recorded, so nothing was changed: {error}."),
        }
    }

    /// What to do next.
    pub fn todo(&self) -> String {
        match self {
            Refused::NotSignedIn => "Sign in.".into(),
            Refused::FactorNeeded => "Give the code or the passkey, or set one up.".into(),
            Refused::WrongCredentials { .. } => "Check what was typed and try again.".into(),
            Refused::Locked { what: Waits::Lock, retry_after: n } => {
                format!("Wait {n} s, then try again; an administrator can unlock the account.")
            }
            Refused::Locked { what: Waits::Name, retry_after: n } => format!("Wait {n} s, then try again: it ends by itself."),
            Refused::Locked { retry_after: n, .. } => format!("Wait {n} s, then try again: nobody can or need unlock anything."),
            Refused::NotAllowed(_) => "Ask an administrator for a role that may do this.".into(),
            Refused::TokenMay { needs, .. } if NEVER_A_TOKEN.contains(needs) => "Sign in at the desk and do it there.".into(),
            Refused::TokenMay { needs, account: true } => {
                format!("Make a token with {needs} under My account (POST /api/v1/me/tokens), and use that.")
            }
            Refused::TokenMay { account: false, .. } => {
                "Ask an administrator for a role that may do this, then make a token for it.".into()
            }
            Refused::SamePerson => "Ask another person to do it.".into(),
            Refused::NotFound(_) => "Look at the list again: it may have gone.".into(),
            Refused::Bad { .. } => "Correct the field and send it again.".into(),
            Refused::LinkEnded(LinkEnd::Used) => "Sign in by name. Was it not you, ask an administrator: two persons decide anew.".into(),
            Refused::LinkEnded(LinkEnd::Replaced) => {
                "Use the newest one, or ask an administrator: two persons decide on another one.".into()
            }
            Refused::LinkEnded(_) => "Ask an administrator for a new one: two persons decide on it anew.".into(),
            Refused::CodeNeeded => "Ask the person who confirmed your account for the code, and give it.".into(),
            Refused::CodeWrong { left: 0 } => "Ask for a new link; two persons decide on it again.".into(),
            Refused::CodeWrong { .. } => "Ask the person who confirmed your account for the code, and type it as it was given.".into(),
            Refused::SignInAgain => "Give your password or a passkey once more, then do it again.".into(),
            Refused::Conflict(_) => "Look at what is there now, then ask again.".into(),
            Refused::NotConfirmed { .. } => {
                "Another person (security-admin or approver) confirms it on the page Approvals; then do this again.".into()
            }
            Refused::Expired(_) | Refused::Over { how: Over::Withdrawn, .. } => "Ask for a new one.".into(),
            Refused::Over { how: Over::Refused, .. } => {
                "Read the reason under Approvals; ask for a new one when it no longer holds.".into()
            }
            Refused::Void | Refused::Over { .. } => "Ask again with the content as it is now.".into(),
            Refused::TooMany(_) => "Remove some that are not needed, or wait until some end.".into(),
            Refused::Store(_) => "See the overview for why the store takes nothing, then try again.".into(),
        }
    }

    /// The field that is wrong, where one is.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Refused::Bad { field, .. } => Some(field),
            _ => None,
        }
    }

    /// Seconds until it is worth trying again, where waiting helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Refused::WrongCredentials { retry_after } | Refused::Locked { retry_after, .. } => Some(*retry_after).filter(|s| *s > 0),
            _ => None,
        }
    }
}

impl From<SinkError> for Refused {
    fn from(error: SinkError) -> Refused {
        Refused::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::roles::{Capability, TABLE};

    #[test]
    fn who_may_confirm_is_said_as_the_table_of_roles_has_it() {
        let may: Vec<&str> = TABLE.iter().filter(|l| l.may.contains(&Capability::ApprovalsConfirm)).map(|l| l.name).collect();
        assert!(Refused::NotConfirmed { left: 1 }.todo().contains(&may.join(" or ")), "{may:?}");
    }
}
