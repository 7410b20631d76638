//! Sources: records arrive here. Each owns its sockets or files, parses, normalises, and hands groups of columns to a `RecordSink`.

pub mod ipfix;
pub mod radius;
pub mod syslog;
