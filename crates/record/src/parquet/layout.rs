//! How each column of a kind is laid out: encoding, dictionary, rows a page. The measurements behind it are in `docs/formats/unit.md`.

pub use ::parquet::basic::Encoding;

use crate::field::{Field, Type};
use crate::kind::Kind;
use crate::limits::{LONG_PAGE_ROWS, PAGE_ROWS};

/// Level of zstd for pages.
pub const ZSTD_LEVEL: i32 = 3;

/// The same of log lines: of them it takes a third less time and, where lines are alike, fewer bytes too.
pub const ZSTD_LINES: i32 = 1;

/// Level of zstd for the pages of a column.
pub fn level(kind: Kind, field: &Field) -> i32 {
    let lines = matches!((kind, field.name), (Kind::Maintenance, "line") | (Kind::MaintenanceText, "bytes"));
    if lines { ZSTD_LINES } else { ZSTD_LEVEL }
}

/// How one column is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Encoding of values; of a column with a dictionary, what it falls back to when the dictionary grows too large.
    pub encoding: Encoding,
    /// True when values go through a dictionary. [`read_page`](super::read_page) reads dictionaries of text and of numbers of at
    /// most 4 bytes.
    pub dictionary: bool,
    /// Rows a page. Delta-coded columns have as many as the longest of their kind: see [`write`](super::write).
    pub page_rows: usize,
}

/// Columns of a NAT mapping with short pages: those a look-up reads to decide, and random ports. All others are delta-coded (whose pages
/// have to be long) or take so little that a page's own 85 bytes would outweigh them.
const SHORT_PAGES: [&str; 3] = ["public_address", "inside_address", "inside_port"];

/// Ports that stand in no order where rows are sorted by public end. Differences of them would be longer than they are.
const RANDOM_PORTS: [&str; 2] = ["inside_port", "remote_port"];

/// Texts that are hardly ever the same twice: a dictionary would only be given up after it was built.
const UNLIKE: [&str; 5] = ["acct_session_id", "multi_session_id", "value", "detail", "target"];

/// The layout of a column.
pub fn layout(kind: Kind, field: &Field) -> Layout {
    let encoding = match field.ty {
        // Sorted, close or constant numbers are delta-coded; a random one takes fewer bytes split and compressed.
        Type::U16 if RANDOM_PORTS.contains(&field.name) => Encoding::BYTE_STREAM_SPLIT,
        // Durations are random too, but short ones are likelier.
        Type::U64 if kind == Kind::NatMapping && field.name == "duration" => Encoding::BYTE_STREAM_SPLIT,
        // A few remote ends are most of them: whole, the compressor finds one it has seen; byte by byte it never does.
        Type::Addr if kind == Kind::NatMapping && field.name == "remote_address" => Encoding::PLAIN,
        Type::U8 | Type::Id | Type::Addr => Encoding::BYTE_STREAM_SPLIT,
        Type::U16 | Type::U32 | Type::U64 | Type::Time => Encoding::DELTA_BINARY_PACKED,
        Type::Text | Type::Bytes => Encoding::PLAIN,
    };
    let dictionary = match field.ty {
        Type::Text => !UNLIKE.contains(&field.name),
        Type::U8 => field.name == "protocol",
        // What most remote ends listen on is a few ports.
        Type::U16 => kind == Kind::NatMapping && field.name == "remote_port",
        _ => false,
    };
    let long = kind == Kind::NatMapping && !SHORT_PAGES.contains(&field.name);
    Layout { encoding, dictionary, page_rows: if long { LONG_PAGE_ROWS } else { PAGE_ROWS } }
}
