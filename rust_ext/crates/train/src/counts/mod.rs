//! Counts files: what counting leaves and learning takes.
//!
//! All integers are little-endian. Header: `BUKVCNT1`; then u64: length of the pattern, documents, bytes of
//! text, pretokens, pretokens dropped, types dropped, short types, long types, bytes of all types; then the
//! pattern, a regular expression in UTF-8. Short records of 24 bytes follow: the key of `split::Key` (16
//! bytes, one little-endian integer) and the count, keys rising. Then the long records: u64 length, u64
//! count, bytes, in the order of their bytes. The file ends with `BUKVEND1`. Equal counts make equal files.
//!
//! `merge` adds files up, holding one record of each in memory.

mod file;
mod merge;

pub use file::{Header, Piece, Reader, write};
pub use merge::{Keep, merge};
