//! From a line that a dialect understands to records: sign-ins, NAT events, leases.

use weir_base::crypto::Mac;
use weir_base::net::Addr16;
use weir_record::Id;
use weir_record::kinds::{Action, AuthAction, AuthenticationRow, Form, IdType, NatEvent};
use weir_record::sink::SubjectIds;

use super::config::{Rule, Settings};
use super::dialect::{Ends, Entry, Event, Understood, Values};
use super::leases::{Leases, Told};
use super::line::Line;
use super::mappings::Mappings;
use super::meaning::{self, About};
use super::out::Out;
use super::pattern::Slot;
use super::redact::Redactor;
use super::text;
use crate::ipfix::normalise::{Remotes, fingerprint};

/// What acting on a line needs of the engine.
pub struct Acting<'e> {
    /// Account → opaque id.
    pub ids: &'e dyn SubjectIds,
    /// Leases that are followed.
    pub leases: &'e mut Leases,
    /// Mappings whose end nobody tells.
    pub mappings: &'e mut Mappings,
    /// Where records go.
    pub out: &'e mut Out,
}

/// A line that was understood.
pub struct Seen<'l> {
    /// When and from whom.
    pub about: About,
    /// Number of the realm.
    pub realm: u32,
    /// Id of the line.
    pub id: Id,
    /// The line.
    pub line: &'l Line<'l>,
    /// The source's settings.
    pub settings: &'l Settings,
    /// The key of remote fingerprints.
    pub mac: Option<&'l Mac>,
    /// The entry of its sender.
    pub rule: &'l Rule,
}

/// What acting made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Made {
    /// Records besides the line.
    pub rows: u64,
    /// Remote ends that the policy dropped.
    pub dropped: u64,
    /// It told of NAT.
    pub nat: bool,
    /// Entries that say nothing that can be: values that no address or port has, or a public address outside the sender's pools.
    pub missed: u64,
    /// Mappings that are recorded and not followed: their end will be missing.
    pub unfollowed: u64,
}

/// Makes the records of a line. `None` when its values cannot be what the dialect takes them for: then it is not understood.
pub fn act(acting: &mut Acting<'_>, understood: &Understood<'_>, seen: &Seen<'_>) -> Option<Made> {
    let mut all = Made { missed: understood.missed, ..Made::default() };
    let mut any = false;
    for entry in &understood.entries {
        let Entry { event, values } = entry;
        let made = match event {
            Event::Nothing => Some(Made::default()),
            Event::Auth(action) => Some(authentication(acting, *action, understood.dialect, entry, seen)),
            Event::Nat(ends, form) => mapping(acting, *ends, *form, values, seen),
            Event::Lease | Event::Release | Event::Inquiry => lease(acting, *event, values, seen),
        };
        any |= made.is_some();
        match made {
            Some(made) => all.add(&made),
            None => all.missed += 1,
        }
    }
    any.then_some(all)
}

impl Made {
    fn add(&mut self, other: &Made) {
        self.rows += other.rows;
        self.dropped += other.dropped;
        self.nat |= other.nat;
        self.missed += other.missed;
        self.unfollowed += other.unfollowed;
    }
}

fn authentication(acting: &mut Acting<'_>, action: AuthAction, dialect: &str, entry: &Entry<'_>, seen: &Seen<'_>) -> Made {
    let values = &entry.values;
    let (address, port) = meaning::peer(values);
    let mut account = |slot| {
        let value = values.get(slot)?;
        let resolved = acting.ids.resolve(seen.realm, IdType::Account, text::cut(value, 253), seen.about.received);
        Some(acting.out.id(resolved))
    };
    let (who, target) = (account(Slot::Account), account(Slot::Target));
    let own = |slot| values.get(slot).map(|v| text::cut(v, 255));
    let detail = values.get(Slot::Detail).map(|detail| {
        let mut redactor = Redactor::default();
        redactor.is_command(matches!(action, AuthAction::Configuration | AuthAction::Privilege));
        redactor.found(std::slice::from_ref(entry));
        let mut shown = String::new();
        redactor.text(detail, &mut shown);
        shown
    });
    acting.out.auth.push(&AuthenticationRow {
        time: seen.about.time,
        received: seen.about.received,
        source: seen.about.source,
        realm: seen.realm,
        action: action as u8,
        account: who,
        target,
        address,
        port,
        host: seen.line.host,
        service: own(Slot::Service).or(seen.line.app).unwrap_or(dialect),
        method: own(Slot::Method),
        terminal: own(Slot::Terminal),
        detail: detail.as_deref().map(|shown| text::cut(shown, 4_096)),
        dialect,
        line: Some(seen.id),
    });
    Made { rows: 1, ..Made::default() }
}

fn mapping(acting: &mut Acting<'_>, ends: Ends, form: Form, values: &Values<'_>, seen: &Seen<'_>) -> Option<Made> {
    let mut made = Made { nat: true, ..Made::default() };
    let events = meaning::nat(values, ends, form, &seen.about)?;
    let pools = &seen.rule.pools;
    if events.iter().any(|e| !pools.is_empty() && !pools.iter().any(|pool| pool.contains(e.public_address))) {
        return None;
    }
    for event in events {
        // What an end tells of its beginning is no record of its own.
        made.rows += u64::from(event.action != Action::Told as u8);
        nat_event(acting, event, ends == Ends::BeginOnly, seen, &mut made);
    }
    Some(made)
}

fn lease(acting: &mut Acting<'_>, event: Event, values: &Values<'_>, seen: &Seen<'_>) -> Option<Made> {
    let leased = meaning::leased(values)?;
    let holder = meaning::holder(values).map(|who| {
        let resolved = acting.ids.resolve(seen.realm, IdType::Hardware, &who, seen.about.received);
        acting.out.id(resolved)
    });
    let told = Told {
        key: (seen.realm, leased),
        holder,
        time: seen.about.time,
        received: seen.about.received,
        life_ms: meaning::life_ms(values).unwrap_or(seen.settings.lease_ms),
        source: seen.about.source,
        host: seen.line.host.map(str::to_owned),
    };
    let before = acting.out.sessions.len();
    match event {
        Event::Lease => {
            told.holder?;
            acting.leases.lease(&told, &mut acting.out.sessions);
        }
        Event::Inquiry => acting.leases.inquiry(&told),
        _ => acting.leases.release(&told, &mut acting.out.sessions),
    }
    Some(Made { rows: (acting.out.sessions.len() - before) as u64, ..Made::default() })
}

/// Takes a NAT event in, its remote end as the policy of the day says.
fn nat_event(acting: &mut Acting<'_>, mut event: NatEvent, begin_only: bool, seen: &Seen<'_>, made: &mut Made) {
    if !event.remote_address.is_none() {
        let policy = match (seen.settings.remotes.at(seen.about.received), seen.mac) {
            (Remotes::Fingerprint, None) => Remotes::Drop,
            (policy, _) => policy,
        };
        match (policy, seen.mac) {
            (Remotes::Keep, _) => {}
            (Remotes::Fingerprint, Some(mac)) => event.remote_tag = fingerprint(mac, &event.remote_address.0, event.remote_port),
            _ => made.dropped += u64::from(event.action != Action::Told as u8),
        }
        if policy != Remotes::Keep {
            (event.remote_address, event.remote_port) = (Addr16::NONE, 0);
        }
    }
    if begin_only {
        let mut events = Vec::new();
        made.unfollowed += u64::from(!acting.mappings.begin(event, seen.settings.mapping_ms, seen.rule.overload, &mut events));
        events.iter().for_each(|e| acting.out.nat.push(e));
    } else {
        acting.out.nat.push(&event);
    }
}

/// A line's message and structured data with all that must not be shown replaced.
pub fn redact(line: &Line<'_>, entries: &[Entry<'_>], message: &mut String, data: &mut String) {
    let mut redactor = Redactor::default();
    redactor.found(entries);
    message.clear();
    redactor.text(line.message, message);
    data.clear();
    if let Some(text) = line.data {
        redactor.text(text, data);
    }
}
