//! What is told of each change. Records name accounts by their random id; no name, no sign-in name, no reason is in them.

use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{AuthAction, Authentication, OperatorAction};
use weir_record::sink::Group;
use weir_record::{Id, Kind};

use super::views::Peer;

/// The program, as actor.
pub const PROGRAM: &str = "weir";

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Password alone.
    Password,
    /// Password, then a TOTP code.
    Totp,
    /// A passkey.
    Passkey,
    /// An OpenID provider.
    Oidc,
    /// An API token.
    Token,
    /// A one-use link.
    Link,
}

impl Method {
    /// The word in records.
    pub fn name(self) -> &'static str {
        match self {
            Method::Password => "password",
            Method::Totp => "totp",
            Method::Passkey => "passkey",
            Method::Oidc => "oidc",
            Method::Token => "token",
            Method::Link => "link",
        }
    }
}

/// Records of one draft.
#[derive(Default)]
pub struct Told {
    actions: Vec<OperatorAction>,
    sign_ins: Vec<Authentication>,
}

impl Told {
    /// Something was done.
    pub fn act(&mut self, actor: &str, action: &str, detail: impl Into<String>, now: Millis) {
        let (actor, action) = (actor.to_owned(), action.to_owned());
        self.actions.push(OperatorAction { time: now, actor, action, detail: detail.into(), result: "ok".into() });
    }

    /// Something was tried and refused.
    pub fn refused(&mut self, actor: &str, action: &str, detail: impl Into<String>, why: &str, now: Millis) {
        self.act(actor, action, detail, now);
        if let Some(last) = self.actions.last_mut() {
            last.result = why.to_owned();
        }
    }

    /// A sign-in, a sign-out, or one that failed.
    pub fn sign(&mut self, action: AuthAction, account: Option<Id>, how: Method, detail: Option<String>, peer: &Peer, now: Millis) {
        self.sign_ins.push(Authentication {
            time: now,
            received: now,
            action: action as u8,
            account,
            address: Some(peer.address),
            port: Some(peer.port),
            service: PROGRAM.into(),
            method: Some(how.name().into()),
            detail,
            ..Authentication::default()
        });
    }

    /// Puts the records into a group; `source` and `realm` are those of the desk.
    pub fn into_group(mut self, group: &mut Group, source: u32, realm: u32) {
        for row in &mut self.sign_ins {
            (row.source, row.realm) = (source, realm);
        }
        if !self.actions.is_empty() {
            group.batches.push((Kind::OperatorAction, OperatorAction::batch(&self.actions)));
        }
        if !self.sign_ins.is_empty() {
            group.batches.push((Kind::Authentication, Authentication::batch(&self.sign_ins)));
        }
    }
}
