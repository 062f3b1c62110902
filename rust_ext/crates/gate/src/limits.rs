//! How much of a page is looked at.

/// Cyrillic letters outside tags from which on a page stays whatever else it holds: about 40 words, fewer
/// than the 50 that the first quality rule asks for.
pub const ENOUGH: u32 = 256;
/// Where declarations are looked for.
pub const HEAD: usize = 4096;
