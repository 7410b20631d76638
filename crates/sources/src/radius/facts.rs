//! What is kept of a session between its messages: what an end that nobody told repeats.
//!
//! Messages seldom change it, so all copies of a session share it, and of a session whose end was told next to nothing is left: half a million of
//! them are remembered.

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Name, RadiusSession, names};

/// The facts of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Number of the source.
    pub source: u32,
    /// Number of the realm.
    pub realm: u32,
    /// Weir's id of the session.
    pub session: Id,
    /// When it began, as far as known.
    pub start: Option<Millis>,
    /// 1 when its Start was seen.
    pub start_certain: u8,
    /// None where nothing is named.
    named: Option<Arc<Named>>,
}

/// What messages name: see the columns of [`RadiusSession`] of the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Acct-Session-Id.
    pub acct_session_id: Option<String>,
    /// Acct-Multi-Session-Id.
    pub multi_session_id: Option<String>,
    /// Opaque id of the account.
    pub subscriber: Option<Id>,
    /// Opaque id of the caller number.
    pub caller: Option<Id>,
    /// Called-Station-Id.
    pub called: Option<String>,
    /// Address of the NAS.
    pub nas_address: Option<Addr16>,
    /// NAS-Identifier.
    pub nas_identifier: Option<String>,
    /// NAS-Port.
    pub nas_port: Option<u32>,
    /// NAS-Port-Id.
    pub nas_port_id: Option<String>,
    /// NAS-Port-Type.
    pub nas_port_type: Option<u32>,
    /// Framed-IP-Address.
    pub framed_ipv4: Option<Addr16>,
    /// Framed-IPv6-Address.
    pub framed_ipv6: Option<Addr16>,
    /// Framed-IPv6-Prefix.
    pub framed_prefix: Option<Addr16>,
    /// Its length, bits.
    pub framed_prefix_bits: Option<u8>,
    /// Delegated-IPv6-Prefix.
    pub delegated_prefix: Option<Addr16>,
    /// Its length, bits.
    pub delegated_prefix_bits: Option<u8>,
    /// Further addresses and prefixes.
    pub other_addresses: Option<String>,
    /// Digest of the Class attributes.
    pub class: Option<Id>,
}

/// Does the same with every field that a newer message replaces by itself.
macro_rules! each {
    ($then:ident, $($with:tt)*) => {
        $then!($($with)*; acct_session_id multi_session_id subscriber caller called nas_address nas_identifier nas_port nas_port_id nas_port_type
            framed_ipv4 framed_ipv6 framed_prefix framed_prefix_bits delegated_prefix delegated_prefix_bits class)
    };
}

macro_rules! copied {
    ($from:ident, $to:ident; $($field:ident)*) => {{ $( $to.$field.clone_from(&$from.$field); )* }};
}

macro_rules! newer {
    ($from:ident, $to:ident; $($field:ident)*) => {{ $( if $from.$field.is_some() { $to.$field.clone_from(&$from.$field); } )* }};
}

macro_rules! differs {
    ($from:ident, $to:ident; $($field:ident)*) => { false $( || ($from.$field.is_some() && $from.$field != $to.$field) )* };
}

impl Named {
    fn of(row: &RadiusSession) -> Named {
        let mut named = Named { other_addresses: row.other_addresses.clone(), ..Named::default() };
        each!(copied, row, named);
        named
    }

    /// Every address and prefix it names, sorted, each once.
    pub fn names(&self) -> Vec<Name> {
        let prefix = |addr: Option<Addr16>, bits: Option<u8>| addr.zip(bits);
        let (framed, delegated) =
            (prefix(self.framed_prefix, self.framed_prefix_bits), prefix(self.delegated_prefix, self.delegated_prefix_bits));
        names(self.framed_ipv4, self.framed_ipv6, framed, delegated, self.other_addresses.as_deref())
    }
}

impl Deref for Facts {
    type Target = Named;

    fn deref(&self) -> &Named {
        static NOTHING: LazyLock<Named> = LazyLock::new(Named::default);
        self.named.as_deref().unwrap_or(&NOTHING)
    }
}

impl Facts {
    /// What a message says of its session.
    pub fn of(row: &RadiusSession) -> Facts {
        let RadiusSession { source, realm, session, start, start_certain, .. } = *row;
        Facts { source, realm, session, start, start_certain, named: None }.with(Named::of(row))
    }

    /// The same with other names.
    pub fn with(self, named: Named) -> Facts {
        Facts { named: (named != Named::default()).then(|| Arc::new(named)), ..self }
    }

    /// What is kept of a session whose end was told: enough to know its late messages.
    pub fn slim(&self) -> Facts {
        Facts { named: None, ..*self }
    }

    /// True when something is named.
    pub fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// True when both name the same because neither has changed since they were one.
    pub(super) fn names_alike(&self, other: &Facts) -> bool {
        match (&self.named, &other.named) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    /// Takes over what a newer message says; what it does not say stays.
    pub fn merge(&mut self, row: &RadiusSession) {
        // Further prefixes belong to those that are named first.
        let further = row.framed_ipv6.or(row.framed_prefix).or(row.delegated_prefix).is_some();
        let old = &**self;
        let others = further && row.other_addresses != old.other_addresses;
        let new = others || each!(differs, row, old);
        if !new {
            return;
        }
        let named = Arc::make_mut(self.named.get_or_insert_default());
        each!(newer, row, named);
        if further {
            named.other_addresses.clone_from(&row.other_addresses);
        }
    }

    /// A row that repeats it.
    pub fn row(&self) -> RadiusSession {
        let Facts { source, realm, session, start, start_certain, .. } = *self;
        let named = &**self;
        let mut row = RadiusSession {
            source,
            realm,
            session,
            start,
            start_certain,
            other_addresses: named.other_addresses.clone(),
            ..RadiusSession::default()
        };
        each!(copied, named, row);
        row
    }
}
