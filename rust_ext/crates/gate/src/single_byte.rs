//! Pages that are no UTF-8: read in the five single-byte charsets of Russian at once.
//!
//! Each byte costs two table look-ups whose cells hold the answers for all five charsets in lanes of a word, so
//! that neither the number of charsets nor the ends of words cost a branch.

use std::sync::LazyLock;

use super::charsets::{CHARSETS, SINGLE_BYTE};
use super::declared::declares_russian;
use super::limits::ENOUGH;
use super::text::{Counts, ascii_letters, outside_tags};
use super::verdict::{Verdict, decide};
use bukvar_letters::{FIRST_LETTER, Letters, SYMBOLS, is_letter};

/// Pairs of bytes above ASCII after which the reading is tried, doubled each time it is not yet certain: 512
/// are about 600 letters, more than twice `ENOUGH`.
const FIRST_TRIAL: u32 = 512;
/// Pairs after which no more are looked at.
const MAX_PAIRS: u32 = 4096;
/// Mean cost of a letter pair, in tenths of a nat, below which a single-byte reading is language, and the
/// same for pages that declare a Cyrillic charset or Russian. Texts of 2,000 characters of Russian have 22 to 42
/// (median 27), beginnings of codes of law up to 49, Greek, Polish, Chinese, Japanese and Korean legacy charsets
/// 52 to 89, but for one page of 42. Chosen on those same texts (docs/measured/extract.md).
const MAX_COST: u32 = 50;
const MAX_COST_DECLARED: u32 = 56;
/// Cost of a pair above ASCII that is no pair of letters, in tenths of a nat: what the rarest pairs cost.
const NO_LETTERS: u32 = 80;

/// Symbol (`bukvar_letters`) of each byte in each single-byte charset.
static SYMBOLS_OF: LazyLock<[[u8; 256]; CHARSETS]> = LazyLock::new(|| {
    let letters = Letters::get();
    SINGLE_BYTE.map(|(_, encoding)| {
        std::array::from_fn(|byte| {
            let byte = [byte as u8];
            let (text, _) = encoding.decode_without_bom_handling(&byte);
            letters.symbol(text.chars().next().unwrap_or('\u{fffd}'))
        })
    })
});

/// A charset's name and the symbol of each of its bytes.
pub type Charset = (&'static str, Vec<u8>);

/// What the oracle needs: each charset's name and byte symbols, the first letter's symbol, the number of
/// symbols, and the costs of all pairs of symbols.
pub fn tables() -> (Vec<Charset>, u8, usize, Vec<u32>) {
    let letters = Letters::get();
    let charsets = SINGLE_BYTE.iter().zip(SYMBOLS_OF.iter());
    let charsets = charsets
        .map(|((name, _), symbols)| (*name, symbols.to_vec()))
        .collect();
    let all = 0..SYMBOLS as u8;
    let costs = all
        .clone()
        .flat_map(|a| all.clone().map(move |b| letters.cost(a, b)))
        .collect();
    (charsets, FIRST_LETTER, SYMBOLS, costs)
}

/// Bits of a lane of pair costs; `STEP` times the largest cost fits.
const COST_BITS: usize = 12;
const MAX_CELL: u32 = 511;
const STEP: usize = 8;
/// Bits of a lane of counts; `PIECE` fits.
const COUNT_BITS: usize = 9;
const PIECE: usize = 256;
/// Lanes of counts behind those of the charsets' letters.
const HIGH: usize = CHARSETS;
const LATIN: usize = CHARSETS + 1;

struct Tables {
    /// By both bytes of a pair, without their top bits: its cost in each charset.
    costs: Box<[u64; 1 << 14]>,
    /// By byte: whether it is a letter in each charset, above ASCII, an ASCII letter.
    counts: [u64; 256],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let letters = Letters::get();
    let mut costs = Box::new([0; 1 << 14]);
    for (at, cell) in costs.iter_mut().enumerate() {
        for (lane, symbols) in SYMBOLS_OF.iter().enumerate() {
            let (a, b) = (symbols[0x80 | at >> 7], symbols[0x80 | at & 0x7f]);
            let is_pair = is_letter(a) && is_letter(b);
            let cost = if is_pair { letters.cost(a, b) } else { NO_LETTERS };
            *cell |= u64::from(cost.min(MAX_CELL)) << (lane * COST_BITS);
        }
    }
    let counts = std::array::from_fn(|byte| {
        let is_high = byte >= 0x80;
        let of_charsets = SYMBOLS_OF.iter().enumerate();
        let letters = of_charsets
            .map(|(lane, symbols)| u64::from(is_high && is_letter(symbols[byte])) << (lane * COUNT_BITS))
            .sum::<u64>();
        let latin = u64::from((byte as u8).is_ascii_alphabetic());
        letters | u64::from(is_high) << (HIGH * COUNT_BITS) | latin << (LATIN * COUNT_BITS)
    });
    Tables { costs, counts }
});

/// What was seen of a page so far.
#[derive(Default)]
struct Reading {
    costs: [u32; CHARSETS],
    letters: [u32; CHARSETS],
    high: u32,
    latin: u32,
    pairs: u32,
}

impl Reading {
    /// Counts at most `PIECE` bytes of text that come after `before`.
    fn add(&mut self, tables: &Tables, piece: &[u8], mut before: u8) {
        if piece.is_ascii() {
            self.latin += ascii_letters(piece);
            return;
        }
        let (mut counts, mut pairs) = (0u64, 0u32);
        for step in piece.chunks(STEP) {
            let mut costs = 0u64;
            for &byte in step {
                counts += tables.counts[usize::from(byte)];
                // All ones where both bytes are above ASCII.
                let both = i64::from((before & byte).cast_signed() >> 7).cast_unsigned();
                let at = usize::from(before & 0x7f) << 7 | usize::from(byte & 0x7f);
                costs += tables.costs[at] & both;
                pairs += (both & 1) as u32;
                before = byte;
            }
            for (lane, cost) in self.costs.iter_mut().enumerate() {
                *cost += (costs >> (lane * COST_BITS)) as u32 & ((1 << COST_BITS) - 1);
            }
        }
        let count = |lane: usize| (counts >> (lane * COUNT_BITS)) as u32 & ((1 << COUNT_BITS) - 1);
        for (lane, letters) in self.letters.iter_mut().enumerate() {
            *letters += count(lane);
        }
        self.high += count(HIGH);
        self.latin += count(LATIN);
        self.pairs += pairs;
    }

    /// The charset whose letter pairs cost least, and their mean cost.
    fn best(&self) -> (usize, u32) {
        let costs = self.costs.iter().enumerate();
        let best = costs
            .min_by_key(|&(at, &cost)| (cost, at))
            .map_or(0, |(at, _)| at);
        (best, self.costs[best] / self.pairs.max(1))
    }

    /// Letters among the bytes above ASCII, in runs of letters.
    fn like_words(&self, charset: usize) -> bool {
        let cyrillic = self.letters[charset];
        self.pairs > 0 && cyrillic * 2 >= self.high && self.pairs * 2 >= cyrillic
    }

    /// Whether no further byte can matter.
    fn certain(&self) -> bool {
        let (charset, cost) = self.best();
        cost < MAX_COST && self.letters[charset] >= ENOUGH && self.like_words(charset)
    }
}

/// Counts letters outside tags in the single-byte charset whose letter pairs cost least.
pub fn single_byte(body: &[u8], http_charset: Option<&str>) -> Verdict {
    let tables = &*TABLES;
    let mut reading = Reading::default();
    let mut trial = FIRST_TRIAL;
    outside_tags(body, |text, is_data| {
        let mut before = b' ';
        for piece in text.chunks(PIECE) {
            let latin = reading.latin;
            reading.add(tables, piece, before);
            if is_data {
                reading.latin = latin; // keys
            }
            before = piece[piece.len() - 1];
            if reading.pairs >= trial {
                if reading.pairs >= MAX_PAIRS || reading.certain() {
                    return false;
                }
                while trial <= reading.pairs {
                    trial *= 2;
                }
            }
        }
        true
    });
    let (best, pair_cost) = reading.best();
    let (cyrillic, latin) = (reading.letters[best], reading.latin);
    let language = reading.like_words(best)
        && (pair_cost < MAX_COST || pair_cost < MAX_COST_DECLARED && declares_russian(body, http_charset));
    if !language {
        return Verdict {
            keep: false,
            cyrillic: 0,
            latin,
            charset: "none",
            pair_cost,
        };
    }
    let counts = Counts { cyrillic, latin };
    let verdict = decide(counts, SINGLE_BYTE[best].0, body, http_charset);
    Verdict { pair_cost, ..verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_and_counts_fit_their_lanes() {
        let letters = Letters::get();
        let all = FIRST_LETTER..SYMBOLS as u8;
        assert!(
            all.clone()
                .all(|a| all.clone().all(|b| letters.cost(a, b) <= MAX_CELL))
        );
        const { assert!(STEP as u32 * MAX_CELL < 1 << COST_BITS && COST_BITS * CHARSETS <= 64) };
        const { assert!(PIECE < 1 << COUNT_BITS && COUNT_BITS * (LATIN + 1) <= 64) };
    }
}
