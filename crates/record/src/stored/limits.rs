//! Limits of the stored formats, each with its unit.

/// Longest key id, in bytes of text.
pub const KEY_ID_BYTES: usize = 64;

/// Smallest keyring slot, in bytes.
pub const SLOT_BYTES_MIN: usize = 4_096;

/// Size of a keyring slot unless told otherwise, in bytes: room for about 15,000 keys.
pub const SLOT_BYTES: usize = 1 << 20;

/// Largest keyring slot, in bytes.
pub const SLOT_BYTES_MAX: usize = 64 << 20;

/// Longest body of a frame of the write-ahead log, in bytes, ciphertext and tag. A whole group must fit.
pub const FRAME_BODY_BYTES: usize = 72 << 20;

/// Largest stage, in bytes.
pub const STAGE_BYTES: usize = 256 << 20;

/// Most files, moves or removals a stage may name, each.
pub const STAGE_ITEMS: usize = 65_536;

/// Longest path in a stage, in bytes.
pub const STAGE_PATH_BYTES: usize = 512;

/// Longest owner name in the state map, in bytes of text.
pub const STATE_OWNER_BYTES: usize = 64;

/// Longest key in the state map, in bytes.
pub const STATE_KEY_BYTES: usize = 65_535;

/// Longest value in the state map, in bytes.
pub const STATE_VALUE_BYTES: usize = 16 << 20;

/// Plain bytes of one chunk of a state snapshot; an entry may make its chunk longer by its own size.
pub const STATE_CHUNK_BYTES: usize = 1 << 20;

/// Bytes of a table's block before encryption; one large value may make its block longer.
pub const TABLE_BLOCK_BYTES: usize = 4_096;

/// Entries of a table's block from one whole key to the next.
pub const TABLE_RESTART_ENTRIES: usize = 16;

/// Longest key in a table, in bytes.
pub const TABLE_KEY_BYTES: usize = 1_024;

/// Longest value in a table, in bytes.
pub const TABLE_VALUE_BYTES: usize = 16 << 20;

/// Bytes of blocks that an open table keeps in memory beside its root and counts as asked for lately: sixteen or so, and as many from before.
pub const TABLE_AT_HAND_BYTES: usize = 96 << 10;

/// Most levels of a table: with two entries a block this is more entries than there are bytes.
pub const TABLE_LEVELS: usize = 64;

/// Features of words in one block of a word index; a block with more is looked at by every search.
pub const WORDS_A_BLOCK: usize = 262_144;

/// Features of words, each in each of its blocks, of one stretch of a word index: 32 MiB of numbers, up to
/// three times as much in memory while its sets are made.
pub const WORDS_A_STRETCH: usize = 4 << 20;

/// Blocks of one stretch of a word index.
pub const WORDS_STRETCH_BLOCKS: u32 = 1_024;

/// Features after which a set of a word index ends, so that it fits into a block of a table.
pub const WORDS_A_SET: usize = 2_600;

/// Most features of a set: as many more as there are blocks with one and the same word, and some to spare. A set with more is looked at by
/// every search.
pub const WORDS_A_SET_MOST: usize = 65_536;
