//! The desk. Every change is a draft over what is remembered; the draft's entries and the records that tell of it are one group, and the
//! draft is taken over only when that group is durable.
//!
//! Three locks, always in this order: `writer` (one change at a time, held while the group becomes durable), `store` (what is remembered),
//! `live` (sessions, throttles, ceremonies). Whoever only reads never waits for a disk.

use std::sync::{Arc, Mutex, MutexGuard};

use weir_base::crypto::{Mac, Secret};
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle};

use super::approval::Who;
use super::ceremony::Ceremonies;
use super::codec::CodecError;
use super::mass_read::MassReads;
use super::password::Passwords;
use super::records::Told;
use super::refused::Refused;
use super::roles::{Capabilities, Capability, emergency_capabilities};
use super::secret;
use super::session::Sessions;
use super::settings::Settings;
use super::store::{Draft, Look, Store};
use super::throttle::Throttle;
use super::turned::Turned;
use super::views::{By, Caller, Next, Notice, Peer, SessionView};

mod accounts;
mod again;
mod approvals;
mod invitations;
mod openid;
mod own;
mod passkeys;
mod perform;
mod refusals;
mod sign_in;
mod tick;
mod tokens;

pub use openid::{OidcBegun, OidcDone, OidcFlow};

/// Owner of the desk's state, and name and kind of its source.
pub const OWNER: &str = "desk";

/// What a call gives, or why not.
pub(super) type Outcome<T> = Result<T, Refused>;

/// Why the desk does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error("the desk could not register itself: {0}")]
    Sink(#[from] SinkError),
    /// Its state.
    #[error(
        "an entry of the desk's state is not understood ({0}): use the version of weir that wrote it, or a newer one; if it is damaged, run weir verify"
    )]
    State(#[from] CodecError),
}

/// The desk. Shared by all threads; calls block until what they change is durable.
pub struct Desk {
    settings: Settings,
    sink: Arc<dyn RecordSink>,
    source: SourceHandle,
    passwords: Passwords,
    csrf: Mac,
    setup: String,
    writer: Mutex<()>,
    store: Mutex<Store>,
    live: Mutex<Live>,
}

/// What a restart ends.
pub(super) struct Live {
    pub(super) sessions: Sessions,
    pub(super) throttle: Throttle,
    /// Bounds the records of requests that are no sign-ins.
    pub(super) noise: Throttle,
    /// Tries that had to wait.
    pub(super) turned: Turned,
    /// Links that were opened and had ended.
    pub(super) ended: Turned,
    /// Steps of approvals that were refused.
    pub(super) refusals: refusals::Refusals,
    pub(super) ceremonies: Ceremonies,
    pub(super) reads: MassReads,
}

/// A change under way.
pub(super) struct Change<'a> {
    pub(super) draft: Draft<'a>,
    pub(super) told: Told,
}

/// Held after a change until what follows from it in memory is done too.
pub(super) type Held<'a> = MutexGuard<'a, ()>;

impl Desk {
    /// Opens the desk over what its state holds.
    ///
    /// # Errors
    /// [`OpenError`] when an entry is not understood, or the store does not take its registration.
    pub fn open(sink: Arc<dyn RecordSink>, settings: Settings, _now: Millis) -> Result<Desk, OpenError> {
        let store = Store::read(sink.state(OWNER))?;
        let desc =
            SourceDesc { name: OWNER.into(), kind: OWNER.into(), realm: "default".into(), clock: "trust".into(), ..SourceDesc::default() };
        let source = sink.register(&desc)?;
        let live = Live {
            sessions: Sessions::new(settings.idle_ms, settings.session_ms),
            throttle: Throttle::new(),
            noise: Throttle::new(),
            turned: Turned::default(),
            ended: Turned::default(),
            refusals: refusals::Refusals::default(),
            ceremonies: Ceremonies::default(),
            reads: MassReads::default(),
        };
        Ok(Desk {
            passwords: Passwords::new(settings.cost),
            settings,
            sink,
            source,
            csrf: Mac::new(&Secret::random()),
            setup: format!("{}{}", invitations::SETUP, secret::text()),
            writer: Mutex::new(()),
            store: Mutex::new(store),
            live: Mutex::new(live),
        })
    }

    /// What the configuration says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// True while there is no account at all.
    pub fn is_empty(&self) -> bool {
        lock(&self.store).accounts().is_empty()
    }

    /// True once the three administrators were all there at one time.
    pub fn is_setup(&self) -> bool {
        lock(&self.store).meta().setup_at.is_some()
    }

    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Makes a change: drafts it, makes entries and records durable as one group, takes it over. When the group does not become durable
    /// nothing changed.
    pub(super) fn change<T>(&self, draft: impl FnOnce(&mut Change<'_>) -> Outcome<T>) -> Outcome<(T, Held<'_>)> {
        let writer = lock(&self.writer);
        let store = lock(&self.store);
        let mut change = Change { draft: Draft::new(&store), told: Told::default() };
        let out = draft(&mut change)?;
        let Change { draft, told } = change;
        let (changes, state) = draft.finish();
        drop(store);
        let mut group = Group { state, ..Group::new(OWNER) };
        told.into_group(&mut group, self.source.number, self.source.realm);
        if !group.is_empty() {
            let rows = group.rows() as u64;
            self.sink.commit(group)?;
            self.source.count(|c| {
                c.messages += 1;
                c.records += rows;
            });
        }
        lock(&self.store).take_over(changes);
        Ok((out, writer))
    }

    /// A cookie for somebody who is not signed in: carries the CSRF text and ceremonies; nothing is kept for it.
    pub fn visitor(&self) -> String {
        secret::text()
    }

    /// The CSRF text of a cookie, of a visitor's too. It changes with the cookie.
    pub fn csrf(&self, cookie: &str) -> String {
        let tag = self.csrf.of(&[cookie.as_bytes()]);
        tag.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Does the text belong to the cookie? Takes the same time wherever they differ.
    pub fn csrf_fits(&self, cookie: &str, text: &str) -> bool {
        !cookie.is_empty() && secret::same(self.csrf(cookie).as_bytes(), text.as_bytes())
    }

    /// Records that a request came without the right CSRF text or from a foreign origin. A place that sends many is recorded for the
    /// first ones alone.
    ///
    /// # Errors
    /// [`Refused::Store`].
    pub fn csrf_failed(&self, account: Option<Id>, peer: &Peer, now: Millis) -> Outcome<()> {
        if self.live().noise.take(None, peer.address, now).is_err() {
            return Ok(());
        }
        let actor = account.map_or_else(|| super::records::PROGRAM.to_owned(), |id| format!("account:{id}"));
        self.change(|c| {
            c.told.refused(&actor, "desk-request", "", "csrf", now);
            Ok(())
        })
        .map(drop)
    }

    /// Counts questions that were asked with the caller's account; above the configured number within an hour it is recorded, and a notice.
    /// To be called before they are answered.
    ///
    /// # Errors
    /// [`Refused::Store`] when it could not be recorded: then nothing should be answered.
    pub fn asked(&self, caller: &Caller, questions: u64, now: Millis) -> Outcome<()> {
        let over = self.live().reads.count(caller.account, questions, self.settings.mass_read, now);
        let Some(sum) = over else { return Ok(()) };
        let ((), held) = self.change(|c| {
            c.told.act(super::records::PROGRAM, "desk-mass-read", format!("account={} questions={sum}", caller.account), now);
            Ok(())
        })?;
        self.live().reads.told(caller.account, sum, now);
        drop(held);
        Ok(())
    }

    /// The id of a cookie's session, half-done ones too. Counts as no use, and waits for no disk: for whoever must say whose rate a request is charged to.
    pub fn known_session(&self, cookie: &str, now: Millis) -> Option<Id> {
        self.live().sessions.find(cookie, now).map(|s| s.id)
    }

    /// The session of a cookie; counts as use. Half-done ones are shown too, see [`SessionView::next`] and [`Caller::complete`].
    pub fn session(&self, cookie: &str, peer: &Peer, now: Millis) -> Option<SessionView> {
        let store = self.store();
        let mut live = self.live();
        let session = live.sessions.find(cookie, now)?.clone();
        let Some(account) = store.account(session.account).filter(|a| a.is_usable(now)) else {
            live.sessions.end(cookie);
            return None;
        };
        let emergency = store.emergency_of(account.id, now);
        let may = match session.next {
            None => store.may(account, now).or(emergency.map(|e| emergency_capabilities(e.role)).unwrap_or_default()),
            Some(Next::Enrol) => Capabilities::of(&[Capability::Own]),
            Some(_) => Capabilities::NONE,
        };
        let idle = live.sessions.used(cookie, now);
        let caller = Caller {
            by: By::Session(session.id),
            account: account.id,
            person: account.person,
            may,
            account_may: may,
            peer: peer.clone(),
            complete: session.next.is_none(),
        };
        let waiting = if may.has(Capability::ApprovalsConfirm) {
            store.approvals().into_iter().filter(|a| a.may_confirm(caller.who(), now).is_ok()).count() as u64
        } else {
            0
        };
        Some(SessionView {
            login: account.login.clone(),
            display: account.display.clone(),
            roles: account.roles.clone(),
            next: session.next,
            idle_seconds: (idle.max(0) / 1_000) as u64,
            waiting,
            emergency: emergency.map(|e| (e.role, e.until)),
            caller,
        })
    }

    /// What needs a person, of what the desk knows.
    pub fn notices(&self, now: Millis) -> Vec<Notice> {
        let mut out = tick::notices(&self.store(), now);
        for (account, since, questions) in self.live().reads.list(now) {
            let text = format!("Account {account} asked {questions} questions within an hour: find out why.");
            out.push(Notice { level: "warning", code: "mass-read", text, since: Some(since) });
        }
        out
    }
}

impl Caller {
    /// As a step of an approval names it.
    pub(super) fn who(&self) -> Who {
        Who { account: self.account, person: self.person }
    }
}

#[cfg(test)]
mod tests;
