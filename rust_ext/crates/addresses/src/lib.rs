//! Addresses of pages, judged by their bytes: no page is decoded for it.
//!
//! `url` finds host and path and brings both to one writing: small letters, punycode and percent-encoding
//! resolved. `domains` holds millions of domains in one arena with an open-addressing table. `rules` reads
//! lists (plain domains, hosts files, AdBlock-like lines, own words) and answers for an address. `suffix` knows
//! registered domains.

pub mod domains;
pub mod punycode;
pub mod rules;
pub mod suffix;
pub mod url;

pub use rules::{Lists, Matched, RuleError};
pub use suffix::Suffixes;
