//! Errors as problem documents (RFC 9457), each with what to do next.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Words;

/// Why a request was not done. Media type `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, e.g. `urn:weir:problem:not-signed-in`; the last part is one of the codes of docs/api.md.
    #[serde(rename = "type")]
    pub kind: String,
    /// In a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here. Free of personal data.
    pub detail: String,
    /// What to do next.
    pub todo: String,
    /// Field of the request that is wrong, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Seconds until it is worth trying again, where waiting helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $status:literal $title:literal;)*) => {
        /// The kinds of problem there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The last part of the type, e.g. `not-signed-in`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }

            fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// Nobody is signed in, or the session ended.
    NotSignedIn "not-signed-in" 401 "Not signed in";
    /// The password was right; the second factor is still needed.
    FactorNeeded "factor-needed" 401 "A second factor is needed";
    /// Sign-in name or factor wrong.
    WrongCredentials "wrong-credentials" 401 "Wrong credentials";
    /// Too many failures: wait.
    Locked "locked" 429 "Locked for a while";
    /// This account may not do this.
    NotAllowed "not-allowed" 403 "Not allowed";
    /// The request did not come from the desk's own page.
    Csrf "csrf" 403 "Not from this page";
    /// There is nothing here.
    NotFound "not-found" 404 "Not found";
    /// The path knows other methods.
    Method "method" 405 "Wrong method";
    /// The request is not understood.
    BadRequest "bad-request" 400 "Bad request";
    /// The link is half of what is needed: its code is missing.
    CodeNeeded "code-needed" 403 "A code is needed";
    /// The link's code is not right.
    CodeWrong "code-wrong" 403 "Wrong code";
    /// The last sign-in is too long ago for this.
    SignInAgain "sign-in-again" 403 "Sign in again";
    /// It does not fit with what is.
    Conflict "conflict" 409 "Conflict";
    /// Its time is over, or it was used.
    Expired "expired" 410 "Expired or used";
    /// The one-use link was used.
    LinkUsed "link-used" 410 "The link was used";
    /// The one-use link's time is over.
    LinkExpired "link-expired" 410 "The link has expired";
    /// The one-use link is void: a newer one took its place, wrong codes were given with it, or its account was disabled.
    LinkVoid "link-void" 410 "The link is void";
    /// Another person refused what was asked for.
    ApprovalRefused "approval-refused" 410 "The approval was refused";
    /// Who asked took it back.
    ApprovalWithdrawn "approval-withdrawn" 410 "The approval was taken back";
    /// The approval fits no longer.
    ApprovalVoid "approval-void" 409 "The approval is void";
    /// Too many requests.
    TooMany "too-many" 429 "Too many requests";
    /// The body is too long.
    TooLarge "too-large" 413 "Too large";
    /// The body did not come in time.
    Slow "slow" 408 "Too slow";
    /// The body is not JSON.
    MediaType "media-type" 415 "Wrong media type";
    /// Under a name that is not ours.
    Host "host" 421 "Wrong host";
    /// Not now.
    Unavailable "unavailable" 503 "Unavailable";
    /// A fault of this program.
    Failed "failed" 500 "Failed";
}

impl Problem {
    /// A problem: what is wrong here, and what to do next. Both free of personal data.
    pub fn new(code: Code, detail: impl Into<String>, todo: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:weir:problem:{}", code.name()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            todo: todo.into(),
            field: None,
            retry_after: None,
        }
    }

    /// The same, boxed: what a [`crate::backend::Outcome`] carries.
    pub fn boxed(code: Code, detail: impl Into<String>, todo: impl Into<String>) -> Box<Problem> {
        Box::new(Problem::new(code, detail, todo))
    }

    /// The same in Chinese, as far as the catalogue has it.
    #[must_use]
    pub fn chinese(mut self) -> Problem {
        for text in [&mut self.title, &mut self.detail, &mut self.todo] {
            *text = Words::of(std::mem::take(text)).zh;
        }
        self
    }

    /// Is it of this kind?
    pub fn is(&self, code: Code) -> bool {
        self.kind.strip_prefix("urn:weir:problem:") == Some(code.name())
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn field(mut self, field: &str) -> Problem {
        self.field = Some(field.to_owned());
        self
    }

    /// Says in how many seconds it is worth trying again.
    #[must_use]
    pub fn retry(mut self, seconds: u64) -> Problem {
        self.retry_after = Some(seconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_api_lists_every_code() {
        let page = include_str!("../../../../docs/api.md");
        for code in Code::ALL {
            let line = format!("| `{}` | {} |", code.name(), code.status());
            assert!(page.contains(&line), "docs/api.md has no line {line}");
        }
    }
}
