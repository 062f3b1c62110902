//! Exact and near duplicates: four phases of pure steps from files to files.
//!
//! | phase | module | reads | writes | runs in parallel over |
//! |---|---|---|---|---|
//! | sign | [`sign`] | the texts of one shard | one `.sign` file | shards |
//! | group | [`group`] | one bucket of every `.sign` file | one `.edges` file | buckets |
//! | resolve | [`resolve`] | every `.edges`, the heads of every `.sign` | one `.marks` file a shard | nothing: once |
//!
//! The fourth phase, mark, is a lookup by row and lives in Python. Every file is little-endian, of fixed
//! width, and a pure function of what was read: no clock, no hash seed, no listing order. [`mod@format`] says
//! what lies where.
//!
//! [`text`] turns a text into words, [`minhash`] words into a signature and band hashes.

pub mod format;
pub mod group;
pub mod minhash;
pub mod resolve;
pub mod sign;
pub mod text;

pub use format::DedupError;

#[cfg(test)]
mod tests;
