//! Sources: records arrive here. Each owns its sockets or files, parses, normalises, and hands groups of columns to a `RecordSink`.

pub mod conntrack;
pub mod detnat;
pub mod dhcp;
pub mod events;
pub mod h3c;
pub mod host;
pub mod import;
pub mod ipfix;
pub mod radius;
pub mod syslog;

/// A sink in memory, for the tests of every source.
#[cfg(test)]
#[path = "radius/tests/sink.rs"]
mod testing;
