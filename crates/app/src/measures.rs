//! The one list of measures.

mod conntrack;
mod detnat;
mod dhcp;
mod events;
mod h3c;
mod host;
mod ipfix;
mod radius;
mod register;
mod source;
mod syslog;

use std::path::Path;

use weir_base::crypto::Secret;

use crate::config::Settings;
use crate::fail::Failure;

pub use register::{Register, Registered};
use source::Collect;

/// What making the measures gives.
pub struct Made {
    /// The measures that the configuration switches on.
    pub measures: Vec<Box<dyn Registered>>,
    /// Secrets that were made or found in the data folder, to be printed.
    pub secrets: Vec<std::path::PathBuf>,
}

/// Makes every measure that the configuration switches on.
pub fn list(settings: &Settings, data: &Path, remote_key: &Secret) -> Result<Made, Failure> {
    let mut made = Made { measures: Vec::new(), secrets: Vec::new() };
    if let Some(settings) = &settings.radius {
        made.measures.push(Box::new(Collect::new(radius::Radius::new(settings, data, &mut made.secrets)?)));
    }
    if let Some(settings) = &settings.ipfix {
        made.measures.push(Box::new(Collect::new(ipfix::Ipfix::new(settings, remote_key))));
    }
    if let Some(settings) = settings.syslog.as_ref().filter(|s| s.listens()) {
        made.measures.push(Box::new(Collect::new(syslog::Syslog::new(settings, remote_key))));
    }
    if let Some(settings) = &settings.conntrack {
        made.measures.push(Box::new(Collect::new(conntrack::Conntrack::new(settings, remote_key))));
    }
    if let Some(settings) = &settings.detnat {
        made.measures.push(Box::new(Collect::new(detnat::Detnat::new(settings))));
    }
    if let Some(settings) = &settings.dhcp {
        made.measures.push(Box::new(Collect::new(dhcp::Dhcp::new(settings))));
    }
    if let Some(settings) = &settings.h3c {
        made.measures.push(Box::new(Collect::new(h3c::H3c::new(settings, remote_key))));
    }
    if let Some(settings) = &settings.host {
        made.measures.push(Box::new(Collect::new(host::Host::new(settings))));
    }
    if let Some(settings) = &settings.events {
        made.measures.push(Box::new(Collect::new(events::Events::new(settings))));
    }
    Ok(made)
}

#[cfg(test)]
mod tests;
