//! How much of a text is read, and the size of the table of neighbours.

/// Bytes of a text that are read, and of them those whose compression is estimated.
pub const READ: usize = 1 << 20;
pub const COMPRESSED: usize = 1 << 16;

/// Slots of the table of neighbours: one byte a hashed pair of word classes.
pub const NEIGHBOURS: usize = 1 << 18;
/// Bytes of the table of known words.
pub const KNOWN: usize = 1 << 19;
