//! Is there Russian-looking text in these bytes? Asked of every payload of a crawl before anything is parsed,
//! so it must cost less than the inflate before it.
//!
//! Three steps, each for what the one before could not settle:
//! 1. `survey` runs over all bytes once, in vector lanes: bytes above ASCII, pairs that are UTF-8 Cyrillic,
//!    pairs that UTF-8 forbids. Nine pages of ten end here.
//! 2. UTF-8 pages with Cyrillic pairs, and pages with numeric entities or JSON's escapes, are counted outside tags,
//!    scripts, styles and comments, up to `ENOUGH` letters; of scripts, those count that hold a page's text as data.
//! 3. Pages that are no UTF-8 are read in the five single-byte charsets of Russian; the letter pairs of the
//!    best reading (`bukvar_letters`) say whether it is language.
//!
//! `judge_beginning` asks less: whether the beginning of a page suffices to drop it.
//!
//! `corpus/extract/gate.py` is the oracle; a property test compares the two.

mod beginning;
mod charsets;
mod declared;
#[cfg(test)]
mod fuzz;
mod limits;
mod single_byte;
mod survey;
mod text;
mod verdict;
mod wide;

pub use beginning::{Beginning, judge_beginning};
use single_byte::single_byte;
pub use single_byte::{Charset, tables};
use survey::survey;
use text::count_utf8;
pub use verdict::Verdict;
use verdict::{FEW, decide};
use wide::wide;

/// Pairs that UTF-8 forbids, per byte above ASCII, from which on a page is taken for single-byte, as 1/n.
/// Cyrillic single-byte text has 1/5 (cp866) to 1/1, damaged UTF-8 rarely above 1/100.
const BROKEN: u64 = 16;
/// Sets of bytes of which Russian text of a hundred letters and more has one whole, as it has the letters а, е, и and о:
/// in lower case or in capitals, in UTF-8 (which begins them with D0) and in every single-byte charset; in cp866 р, с
/// and т, too, since the others stand where UTF-8 has its continuations. (A hundred letters lack one of the four, each
/// of 7% to 11% of Russian letters, in one text of a thousand; in other charsets than its own a set is hardly whole.)
/// Text all of capitals in cp866 or MacCyrillic alone has none.
pub const TELLING: [&[u8]; 9] = [
    &[0xd0, 0xb0, 0xb5, 0xb8, 0xbe],             // UTF-8
    &[0xd0, 0x90, 0x95, 0x98, 0x9e],             // UTF-8, capitals
    &[0xe0, 0xe5, 0xe8, 0xee],                   // windows-1251, MacCyrillic
    &[0xc0, 0xc5, 0xc8, 0xce],                   // windows-1251, capitals
    &[0xc1, 0xc5, 0xc9, 0xcf],                   // KOI8
    &[0xe1, 0xe5, 0xe9, 0xef],                   // KOI8, capitals
    &[0xa0, 0xa5, 0xa8, 0xae, 0xe0, 0xe1, 0xe2], // cp866
    &[0xd0, 0xd5, 0xd8, 0xde],                   // ISO-8859-5
    &[0xb0, 0xb5, 0xb8, 0xbe, 0xc0, 0xc1, 0xc2], // ISO-8859-5, capitals
];

/// Judges a payload. `http_charset` is the charset of the HTTP head, if any.
pub fn judge(body: &[u8], http_charset: Option<&str>) -> Verdict {
    if let Some((charset, text)) = wide(body) {
        return decide(count_utf8(&text, true), charset, &text, http_charset);
    }
    let seen = survey(body);
    let is_utf8 = u64::from(seen.broken) * BROKEN <= u64::from(seen.high);
    // In other double-byte charsets some pairs look like UTF-8; in damaged UTF-8 most still do.
    let pairs_count = is_utf8 || seen.cyrillic >= seen.broken;
    let mut verdict = Verdict {
        keep: false,
        cyrillic: 0,
        latin: 0,
        charset: "utf-8",
        pair_cost: 0,
    };
    if pairs_count && seen.cyrillic >= FEW || seen.entities || seen.escapes {
        verdict = decide(count_utf8(body, pairs_count), "utf-8", body, http_charset);
    }
    if !verdict.keep && !is_utf8 && seen.high >= FEW {
        let single = single_byte(body, http_charset);
        if single.keep || single.cyrillic >= verdict.cyrillic {
            return single;
        }
    }
    verdict
}
