//! What the desk shows, as it goes over the wire.

use weir_identity::desk::{
    AccountView, ApprovalView, Changed, FactorsView, LinkView, Notice, PasskeyView, Role, SessionLine, SessionView, StepView, TokenView,
    TotpBegun,
};

use crate::model::account::{self, Account};
use crate::model::approval::{Approval, Step};
use crate::model::overview;
use crate::model::session::{Emergency, Factors, Invitation, Me, OpenSession, Passkey, Token, TotpBegin};
use crate::model::words::Words;

fn names(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|r| r.name().to_owned()).collect()
}

impl From<&SessionView> for Me {
    fn from(v: &SessionView) -> Me {
        Me {
            id: v.caller.account.to_string(),
            login: v.login.clone(),
            display: v.display.clone(),
            roles: names(&v.roles),
            may: v.caller.may.names(),
            waiting: v.waiting,
            emergency: v.emergency.map(|(role, until)| Emergency { role: role.name().to_owned(), until: until.to_rfc3339() }),
        }
    }
}

impl From<AccountView> for Account {
    fn from(v: AccountView) -> Account {
        Account {
            id: v.id.to_string(),
            person: v.person.to_string(),
            login: v.login,
            display: v.display,
            roles: names(&v.roles),
            state: v.state.to_owned(),
            second_factor: v.second_factor,
            since: v.since.to_rfc3339(),
            last_sign_in: v.last_sign_in.map(|t| t.to_rfc3339()),
            locked_until: v.locked_until.map(|t| t.to_rfc3339()),
        }
    }
}

impl From<FactorsView> for Factors {
    fn from(v: FactorsView) -> Factors {
        Factors { password: v.password, totp: v.totp, passkeys: v.passkeys.into_iter().map(Into::into).collect(), providers: v.providers }
    }
}

impl From<PasskeyView> for Passkey {
    fn from(v: PasskeyView) -> Passkey {
        Passkey { id: v.id.to_string(), name: v.name, since: v.since.to_rfc3339(), used: v.used.map(|t| t.to_rfc3339()) }
    }
}

impl From<TotpBegun> for TotpBegin {
    fn from(v: TotpBegun) -> TotpBegin {
        TotpBegin { secret: v.secret, uri: v.uri }
    }
}

impl From<SessionLine> for OpenSession {
    fn from(v: SessionLine) -> OpenSession {
        OpenSession {
            id: v.id.to_string(),
            since: v.since.to_rfc3339(),
            used: v.used.to_rfc3339(),
            address: v.peer.address.to_string(),
            agent: v.peer.agent,
            current: v.current,
        }
    }
}

impl From<TokenView> for Token {
    fn from(v: TokenView) -> Token {
        Token {
            id: v.id.to_string(),
            name: v.name,
            scope: v.scope.names(),
            expires: v.expires.to_rfc3339(),
            used: v.used.map(|t| t.to_rfc3339()),
            secret: v.secret,
        }
    }
}

impl From<Changed> for account::Changed {
    fn from(v: Changed) -> account::Changed {
        let state = if v.approval.is_some() { "waits" } else { "done" };
        let approval = v.approval.map(|id| id.to_string());
        account::Changed { state: state.to_owned(), approval, link: v.link, remark: v.remark.map(Words::of) }
    }
}

impl From<ApprovalView> for Approval {
    fn from(v: ApprovalView) -> Approval {
        Approval {
            id: v.id.to_string(),
            kind: v.kind.to_owned(),
            state: v.state.to_owned(),
            content: v.content,
            digest: v.digest,
            reason: v.reason,
            asked_by: v.asked_by.to_string(),
            asked_by_display: v.asked_by_display,
            asked_at: v.asked_at.to_rfc3339(),
            expires: v.expires.to_rfc3339(),
            needed: v.needed,
            steps: v.steps.into_iter().map(Into::into).collect(),
            may_confirm: v.may_confirm,
            why_not: v.why_not.map(Words::of),
            has_result: v.has_result,
        }
    }
}

impl From<StepView> for Step {
    fn from(v: StepView) -> Step {
        Step {
            actor: v.actor.map(|id| id.to_string()).unwrap_or_default(),
            display: v.display,
            time: v.time.to_rfc3339(),
            what: v.what.to_owned(),
            // The program's words have their Chinese; those of people are as they wrote them.
            reason: v.reason.map(|r| if v.actor.is_none() { Words::of(r) } else { Words::same(r) }),
        }
    }
}

impl From<LinkView> for Invitation {
    fn from(v: LinkView) -> Invitation {
        Invitation { display: v.display, recovers: v.recovers, code_needed: v.code_needed, expires: v.expires.map(|t| t.to_rfc3339()) }
    }
}

impl From<Notice> for overview::Notice {
    fn from(v: Notice) -> overview::Notice {
        overview::Notice {
            level: v.level.to_owned(),
            code: v.code.to_owned(),
            text: Words::of(v.text),
            since: v.since.map(|t| t.to_rfc3339()),
        }
    }
}
