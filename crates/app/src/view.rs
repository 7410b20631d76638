//! What a look-up must know before it reads records.

use std::collections::{BTreeMap, HashMap};

use weir_base::crypto::Mac;
use weir_base::net::Prefix;
use weir_record::sink::RecordSink;
use weir_sources::detnat::history::{History, OWNER};
use weir_store::engine::Store;
use weir_store::limits::REALMS;

use crate::config::Settings;
use crate::facts::{self, View};
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

    /// From the values of the program's last start: what a look-up off line goes by. Values that do not read are left out: they were
    /// checked before they were kept.
    pub fn stored(values: &BTreeMap<String, String>) -> Known {
        let read = |path: String| values.get(&path).and_then(|v| format!("v = {v}").parse::<toml::Table>().ok()?.remove("v"));
        let mut own = Vec::new();
        for i in 0..REALMS {
            let Some(toml::Value::String(name)) = read(format!("realms[{i}].name")) else { break };
            let Some(toml::Value::Array(prefixes)) = read(format!("realms[{i}].own")) else { continue };
            own.extend(prefixes.iter().filter_map(|p| Some((name.clone(), p.as_str()?.parse().ok()?))));
        }
        Known { own }
    }
}

/// The view now. It must be taken before records are read: what is durable later may not count for them.
pub fn now(store: &Store, front: &Front, known: &Known) -> View {
    let reach = front.reach();
    let sources: HashMap<_, _> = store.sources().into_iter().map(|s| (s.number, s)).collect();
    // Without a key nothing was ever fingerprinted, and remote ends compare by what was kept.
    let remote = store.remote_key().ok().map(|key| Mac::new(&key));
    let listeners = facts::listeners(&sources);
    let computed = History::of(&store.state(OWNER));
    View { sources, listeners, reach, clocks: front.clocks(), own: known.own.clone(), remote, computed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_last_start_knew_is_known_off_line() {
        let text = "[[realms]]\nname = \"home\"\nown = [\"203.0.113.0/24\", \"2001:db8::/32\"]\n[[realms]]\nname = \"bare\"\n\
            [[realms]]\nname = \"west\"\nown = [\"198.51.100.0/24\"]\n";
        let loaded = crate::config::parse(text, &[]).unwrap_or_else(|p| panic!("{p:?}"));
        let values: BTreeMap<_, _> = loaded.values.iter().map(|v| (v.path.clone(), v.value.clone())).collect();
        let known = Known::of(&loaded.settings);
        assert_eq!(known.own.len(), 3);
        assert_eq!(Known::stored(&values), known);
        assert_eq!(Known::stored(&BTreeMap::new()), Known::default());
        let broken =
            BTreeMap::from([("realms[0].name".to_owned(), "\"x\"".to_owned()), ("realms[0].own".to_owned(), "[\"x\", 5".to_owned())]);
        assert_eq!(Known::stored(&broken), Known::default());
    }
}
