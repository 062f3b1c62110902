//! Addresses of pages, judged by their bytes: no page is decoded for it.
//!
//! `url` finds host and path and brings both to one writing: small letters, punycode and percent-encoding
//! resolved. `domains` holds millions of domains in one arena with an open-addressing table. `lines` reads a
//! list's line (plain domains, hosts files, AdBlock-like lines, own words), `builder` the lists, and `lists`
//! answers for an address. `suffix` knows registered domains.

pub mod builder;
pub mod domains;
mod lines;
mod lists;
pub mod punycode;
pub mod suffix;
pub mod url;

pub use builder::{Builder, RuleError};
pub use lists::{Lists, Matched, Scratch};
pub use suffix::Suffixes;
