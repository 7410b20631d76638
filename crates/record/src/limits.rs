//! Limits of this crate, each with its unit.

/// Most rows one batch may carry.
pub const BATCH_ROWS: usize = 1 << 20;

/// Most batches one group may carry.
pub const GROUP_BATCHES: usize = 256;

/// Most state changes one group may carry.
pub const GROUP_STATE_PUTS: usize = 65_536;

/// Longest encoded group, in bytes.
pub const GROUP_BYTES: usize = 64 << 20;

/// Longest text or bytes value in a record, in bytes. Longer input is cut by the source and marked.
pub const VALUE_BYTES: usize = 65_535;

/// Rows of one page.
pub const PAGE_ROWS: usize = 2_048;

/// Rows of one page of columns that take next to no bytes a row, where the page's own bytes would outweigh them.
pub const LONG_PAGE_ROWS: usize = 8_192;

/// Most rows a page may claim to hold.
pub const PAGE_ROWS_MAX: usize = 65_536;

/// Size at which a page of text or bytes is closed, in bytes before compression.
pub const TEXT_PAGE_BYTES: usize = 256 << 10;

/// Size at which a dictionary of texts is given up, in bytes.
pub const DICTIONARY_BYTES: usize = 64 << 10;

/// Most bytes a page or a dictionary may have after decompression. A page is closed at [`TEXT_PAGE_BYTES`], and one value may follow.
pub const PAGE_BYTES: usize = 16 << 20;

/// Most pages of one column in one row group, and most row groups of one file: both are 16-bit signed in the associated data.
pub const ORDINALS: usize = 32_767;

/// Longest footer of a unit's file, in bytes.
pub const FOOTER_BYTES: usize = 64 << 20;

/// Longest offset index of one column of one row group, in bytes: 32,767 entries of at most 32 bytes.
pub const OFFSET_INDEX_BYTES: usize = 1 << 20;

/// Rows of one batch that is read back: a multiple of both page sizes.
pub const READ_ROWS: usize = 65_536;
