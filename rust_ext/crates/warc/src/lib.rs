//! Crawl files to pages: one loop inflates, frames WARC and ARC records, reads HTTP heads, undoes transfer and
//! content codings, and judges the payload's raw bytes by the gate, so that a page that is not wanted costs
//! no allocation beyond a line in a table.
//!
//! Owns: the syntax of gzip members, zstd and LZ4 frames, WARC, ARC and HTTP. Reads: any `std::io::Read`, in
//! bounded memory: the record limit, plus 16 MiB of compressed and 32 MiB of decompressed bytes. Damage never
//! ends a file where a later record can be found: it comes out as a dropped record with offset and kind.

mod arc;
mod body;
mod deflate;
mod format;
mod gzip;
mod header;
mod http;
mod input;
mod lz4;
mod page;
mod part;
mod pass_over;
mod payload;
mod reader;
mod resync;
mod skim;
mod sniff;
mod stream;
mod window;
mod zstd;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod part_tests;
#[cfg(test)]
mod pass_over_tests;
#[cfg(test)]
mod tests;

pub use deflate::{Inflater, OneShot};
pub use page::{Dropped, Limits, Page, REASONS, Reason, Record};
pub use part::{Layout, PartReader};
pub use reader::Reader;
pub use skim::{Skim, Skimmer};
