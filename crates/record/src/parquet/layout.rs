//! How each column of a kind is laid out: encoding, dictionary, rows a page. The measurements behind it are in `docs/formats/unit.md`.

use ::parquet::basic::Encoding;

use crate::field::{Field, Type};
use crate::kind::Kind;
use crate::limits::{LONG_PAGE_ROWS, PAGE_ROWS};

/// Level of zstd for every page.
pub const ZSTD_LEVEL: i32 = 3;

/// How one column is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Encoding of values; of a column with a dictionary, what it falls back to when the dictionary grows too large.
    pub encoding: Encoding,
    /// True when values go through a dictionary. [`read_page`](super::read_page) reads dictionaries of text only.
    pub dictionary: bool,
    /// Rows a page. Delta-coded columns have as many as the longest of their kind: see [`write`](super::write).
    pub page_rows: usize,
}

/// Columns of a NAT mapping that take a byte a row or less: ports in sorted order, and what hardly ever changes within a unit.
const THIN: [&str; 11] = [
    "public_port",
    "public_port_last",
    "form",
    "row_type",
    "flags",
    "source",
    "remote_address",
    "remote_port",
    "remote_tag",
    "ref_entry",
    "ref_row",
];

/// Texts that are hardly ever the same twice: a dictionary would only be given up after it was built.
const UNLIKE: [&str; 5] = ["acct_session_id", "multi_session_id", "value", "detail", "target"];

/// The layout of a column.
pub fn layout(kind: Kind, field: &Field) -> Layout {
    // Sorted or nearly constant numbers are delta-coded; a random one takes fewer bytes split and compressed.
    let random = field.name == "inside_port";
    let encoding = match field.ty {
        Type::U16 if random => Encoding::BYTE_STREAM_SPLIT,
        Type::U8 | Type::Time | Type::Id | Type::Addr => Encoding::BYTE_STREAM_SPLIT,
        Type::U16 | Type::U32 | Type::U64 => Encoding::DELTA_BINARY_PACKED,
        Type::Text | Type::Bytes => Encoding::PLAIN,
    };
    let thin = kind == Kind::NatMapping && THIN.contains(&field.name);
    Layout {
        encoding,
        dictionary: field.ty == Type::Text && !UNLIKE.contains(&field.name),
        page_rows: if thin { LONG_PAGE_ROWS } else { PAGE_ROWS },
    }
}
