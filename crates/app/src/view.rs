//! What a look-up must know before it reads records.

use std::collections::HashMap;

use weir_base::crypto::Mac;
use weir_base::net::Prefix;
use weir_record::sink::RecordSink;
use weir_sources::detnat::history::{History, OWNER};
use weir_store::engine::Store;

use crate::config::Settings;
use crate::facts::View;
use crate::front::Front;

/// The part of the configuration that look-ups use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Addresses that subscribers hold without a NAT: name of the realm and prefix.
    pub own: Vec<(String, Prefix)>,
}

impl Known {
    /// From the settings.
    pub fn of(settings: &Settings) -> Known {
        Known { own: settings.realms.iter().flat_map(|r| r.own.iter().map(|p| (r.name.clone(), *p))).collect() }
    }
}

/// The view now. It must be taken before records are read: what is durable later may not count for them.
pub fn now(store: &Store, front: &Front, known: &Known) -> View {
    let reach = front.reach();
    let sources: HashMap<_, _> = store.sources().into_iter().map(|s| (s.number, s)).collect();
    // Without a key nothing was ever fingerprinted, and remote ends compare by what was kept.
    let remote = store.remote_key().ok().map(|key| Mac::new(&key));
    let computed = History::of(&store.state(OWNER));
    View { sources, reach, own: known.own.clone(), remote, computed }
}
