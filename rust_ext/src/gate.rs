//! Is there Russian-looking text in these bytes? Asked of every payload of a crawl before anything is parsed,
//! so it must cost less than the inflate before it.
//!
//! Three steps, each for what the one before could not settle:
//! 1. `survey` runs over all bytes once, in vector lanes: bytes above ASCII, pairs that are UTF-8 Cyrillic,
//!    pairs that UTF-8 forbids. Nine pages of ten end here.
//! 2. UTF-8 pages with Cyrillic pairs, and pages with numeric entities, are counted outside tags, scripts,
//!    styles and comments, up to `ENOUGH` letters.
//! 3. Pages that are no UTF-8 are read in the five single-byte charsets of Russian; the letter pairs of the
//!    best reading (`crate::letters`) say whether it is language.
//!
//! `corpus/extract/gate.py` is the readable twin; a property test holds the two together.

use std::fmt;
use std::sync::LazyLock;

use memchr::{memchr, memmem};

use crate::letters::{FIRST_LETTER, Letters, is_letter};

/// Cyrillic letters outside tags from which on a page stays whatever else it holds: about 40 words, fewer
/// than the 50 that the first quality rule asks for.
const ENOUGH: u32 = 256;
/// Below this many Cyrillic letters there is nothing to identify a language by.
const FEW: u32 = 10;
/// Between the two, Cyrillic must be at least this share of the letters, as 1/n, unless the page says that it
/// is Russian.
const SHARE: u32 = 8;
/// Pairs that UTF-8 forbids, per byte above ASCII, from which on a page is taken for single-byte, as 1/n.
/// Cyrillic single-byte text has 1/5 (cp866) to 1/1, damaged UTF-8 rarely above 1/100.
const BROKEN: u64 = 16;
/// Pairs of single-byte letters after which the reading is certain.
const MAX_PAIRS: u32 = 4096;
/// Mean cost of a letter pair, in tenths of a nat, below which a single-byte reading is language, and the
/// same for pages that declare a Cyrillic charset or Russian. Texts of 2,000 characters of
/// Russian have 22 to 42 (median 27), Greek, Polish, Chinese, Japanese and Korean legacy charsets 53 to 89, but
/// for one page of 42. Chosen on those same texts (docs/extract.md).
const MAX_COST: u32 = 46;
const MAX_COST_DECLARED: u32 = 56;
/// Cost of a pair above ASCII that is no pair of letters, in tenths of a nat: what the rarest pairs cost.
const NO_LETTERS: u32 = 80;
/// Where declarations are looked for.
const HEAD: usize = 4096;

/// What the gate saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub keep: bool,
    /// Cyrillic letters outside tags; counting stops once enough are seen.
    pub cyrillic: u32,
    /// ASCII letters outside tags, among what was counted.
    pub latin: u32,
    /// The reading in which the letters were counted.
    pub charset: &'static str,
    /// Mean cost of a letter pair in the best single-byte reading, in tenths of a nat; 0 where none was tried.
    pub pair_cost: u32,
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "cyrillic={} latin={} charset={} pair_cost={}",
            self.cyrillic, self.latin, self.charset, self.pair_cost
        )
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    cyrillic: u32,
    latin: u32,
}

/// Judges a payload. `http_charset` is the charset of the HTTP head, if any.
pub fn judge(body: &[u8], http_charset: Option<&str>) -> Verdict {
    if let Some((charset, text)) = wide(body) {
        return decide(count_utf8(text.as_bytes(), true), charset, body, http_charset);
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
    if pairs_count && seen.cyrillic >= FEW || has_entities(body) {
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

fn decide(counts: Counts, charset: &'static str, body: &[u8], http_charset: Option<&str>) -> Verdict {
    let Counts { cyrillic, latin } = counts;
    let keep = cyrillic >= ENOUGH
        || cyrillic >= FEW
            && (cyrillic.saturating_mul(SHARE) >= latin || declares_russian(body, http_charset));
    Verdict {
        keep,
        cyrillic,
        latin,
        charset,
        pair_cost: 0,
    }
}

/// What one pass over the bytes tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Survey {
    /// Bytes above ASCII.
    high: u32,
    /// Pairs that are a Cyrillic letter of UTF-8 (U+0400..U+047F).
    cyrillic: u32,
    /// Pairs that UTF-8 forbids: a continuation behind ASCII, a lead byte without continuation.
    broken: u32,
}

const LANES: usize = 32;
const BLOCK: usize = 1024;

fn survey(body: &[u8]) -> Survey {
    let mut seen = Survey::default();
    let mut at = 0;
    while at < body.len() {
        let end = (at + BLOCK).min(body.len());
        let block = &body[at..end];
        let after = body.get(end).copied();
        if block.is_ascii() {
            seen.broken += u32::from(after.is_some_and(|b| b & 0xc0 == 0x80));
        } else {
            survey_block(&body[at..(end + 1).min(body.len())], &mut seen);
            if after.is_none() {
                let last = block[block.len() - 1];
                seen.high += u32::from(last >> 7);
            }
        }
        at = end;
    }
    seen
}

/// Counts the pairs of a block of at most `BLOCK` + 1 bytes; `high` counts first bytes of pairs.
fn survey_block(block: &[u8], seen: &mut Survey) {
    let (first, second) = (&block[..block.len() - 1], &block[1..]);
    let (mut high, mut cyrillic, mut broken) = ([0u8; LANES], [0u8; LANES], [0u8; LANES]);
    let (firsts, seconds) = (first.chunks_exact(LANES), second.chunks_exact(LANES));
    for (a, b) in firsts.clone().zip(seconds.clone()) {
        for lane in 0..LANES {
            let pair = pair(a[lane], b[lane]);
            high[lane] += pair[0];
            cyrillic[lane] += pair[1];
            broken[lane] += pair[2];
        }
    }
    for (&a, &b) in firsts.remainder().iter().zip(seconds.remainder()) {
        let pair = pair(a, b);
        high[0] += pair[0];
        cyrillic[0] += pair[1];
        broken[0] += pair[2];
    }
    let sum = |lanes: &[u8; LANES]| lanes.iter().map(|&n| u32::from(n)).sum::<u32>();
    seen.high += sum(&high);
    seen.cyrillic += sum(&cyrillic);
    seen.broken += sum(&broken);
}

#[inline(always)]
fn pair(a: u8, b: u8) -> [u8; 3] {
    let continuation = b & 0xc0 == 0x80;
    let broken = (a < 0x80) & continuation | (a >= 0xc0) & !continuation;
    [
        a >> 7,
        u8::from((a & 0xfe == 0xd0) & continuation),
        u8::from(broken),
    ]
}

/// Whether numeric entities of Cyrillic letters stand in the bytes ("&#1088;", "&#x440;").
fn has_entities(body: &[u8]) -> bool {
    memmem::find_iter(body, b"&#").any(|at| entity(&body[at..]).is_some_and(|(code, _)| is_cyrillic(code)))
}

/// Code point and length of the numeric entity at the beginning of `text`.
fn entity(text: &[u8]) -> Option<(u32, usize)> {
    if text.get(1) != Some(&b'#') {
        return None;
    }
    let (radix, start) = match text.get(2)? {
        b'x' | b'X' => (16, 3),
        _ => (10, 2),
    };
    let digits = text[start..]
        .iter()
        .take(8)
        .take_while(|b| char::from(**b).is_digit(radix))
        .count();
    let number = std::str::from_utf8(&text[start..start + digits]).ok()?;
    let code = u32::from_str_radix(number, radix).ok()?;
    let closed = text.get(start + digits) == Some(&b';');
    Some((code, start + digits + usize::from(closed)))
}

fn is_cyrillic(code: u32) -> bool {
    (0x400..0x480).contains(&code)
}

/// Counts letters outside tags up to `ENOUGH` Cyrillic ones: numeric entities and, where `pairs_count`, UTF-8.
fn count_utf8(body: &[u8], pairs_count: bool) -> Counts {
    let mut counts = Counts::default();
    outside_tags(body, |text| {
        let mut at = 0;
        while at < text.len() {
            let byte = text[at];
            at += 1;
            if byte.is_ascii_alphabetic() {
                counts.latin += 1;
            } else if byte & 0xfe == 0xd0 && text.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
                counts.cyrillic += u32::from(pairs_count);
                at += 1;
            } else if byte == b'&'
                && let Some((code, length)) = entity(&text[at - 1..])
            {
                counts.cyrillic += u32::from(is_cyrillic(code));
                at += length - 1;
            }
        }
        counts.cyrillic < ENOUGH
    });
    counts
}

/// Calls `text` with each run of bytes outside tags, comments, scripts and styles, until it returns false.
fn outside_tags(body: &[u8], mut text: impl FnMut(&[u8]) -> bool) {
    let mut rest = body;
    // Closings that were looked for in vain are not looked for again: that would be quadratic.
    let mut unclosed = [false; 3];
    while !rest.is_empty() {
        let run = tag_start(rest).unwrap_or(rest.len());
        if run > 0 && !text(&rest[..run]) {
            return;
        }
        rest = &rest[run..];
        if rest.is_empty() {
            return;
        }
        let hidden = [b"<!--".as_slice(), b"<script", b"<style"]
            .iter()
            .position(|open| begins(rest, open));
        let skipped = hidden.filter(|&kind| !unclosed[kind]).and_then(|kind| {
            let length = hidden_length(rest, kind);
            unclosed[kind] = length.is_none();
            length
        });
        let length = skipped.unwrap_or_else(|| memchr(b'>', rest).map_or(rest.len(), |at| at + 1));
        rest = &rest[length..];
    }
}

/// Where the next tag begins: "<" before a letter, "/", "!" or "?".
fn tag_start(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', text).find(|&at| {
        text.get(at + 1)
            .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!' | b'?'))
    })
}

fn begins(text: &[u8], with: &[u8]) -> bool {
    text.get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// Length of the comment (0), script (1) or style (2) at the beginning of `rest`, up to its closing.
fn hidden_length(rest: &[u8], kind: usize) -> Option<usize> {
    if kind == 0 {
        return memmem::find(rest, b"-->").map(|at| at + 3);
    }
    let close: &[u8] = if kind == 1 { b"</script" } else { b"</style" };
    memmem::find_iter(rest, b"</").find(|&at| begins(&rest[at..], close))
}

/// Charset and text of a payload in UTF-16 or UTF-32, known by its byte-order mark or by the zeros and fours
/// that stand in every second byte; at most `MAX_WIDE` bytes of it.
fn wide(body: &[u8]) -> Option<(&'static str, String)> {
    const MAX_WIDE: usize = 8 << 20;
    let charset = wide_charset(body)?;
    let body = &body[..body.len().min(MAX_WIDE)];
    let unit = |bytes: &[u8]| match (charset, bytes) {
        ("utf-16le", &[a, b]) => u32::from(u16::from_le_bytes([a, b])),
        ("utf-16be", &[a, b]) => u32::from(u16::from_be_bytes([a, b])),
        ("utf-32le", &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        (_, &[a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
        _ => 0,
    };
    let width = if charset.starts_with("utf-16") { 2 } else { 4 };
    let text = body
        .chunks_exact(width)
        .map(|bytes| char::from_u32(unit(bytes)).unwrap_or('\u{fffd}'))
        .collect();
    Some((charset, text))
}

fn wide_charset(body: &[u8]) -> Option<&'static str> {
    match body {
        [0xff, 0xfe, 0, 0, ..] => return Some("utf-32le"),
        [0, 0, 0xfe, 0xff, ..] => return Some("utf-32be"),
        [0xff, 0xfe, ..] => return Some("utf-16le"),
        [0xfe, 0xff, ..] => return Some("utf-16be"),
        _ => {}
    }
    let sample = &body[..body.len().min(HEAD)];
    memchr(0, &sample[..sample.len().min(256)])?;
    let mut pages = [0usize; 4];
    let mut zeros = [0usize; 4];
    for (at, &byte) in sample.iter().enumerate() {
        pages[at % 4] += usize::from(byte == 0 || byte == 4);
        zeros[at % 4] += usize::from(byte == 0);
    }
    let quarter = sample.len() / 4;
    let most = |count: usize| count * 10 >= quarter * 8 && quarter > 0;
    match [most(pages[0]), most(pages[1]), most(pages[2]), most(pages[3])] {
        [_, true, true, true] if most(zeros[2]) && most(zeros[3]) => Some("utf-32le"),
        [true, true, true, _] if most(zeros[0]) && most(zeros[1]) => Some("utf-32be"),
        [_, true, _, true] => Some("utf-16le"),
        [true, _, true, _] => Some("utf-16be"),
        _ => None,
    }
}

/// Single-byte charsets of Russian; a tie goes to the first.
const SINGLE_BYTE: [(&str, &encoding_rs::Encoding); 5] = [
    ("windows-1251", encoding_rs::WINDOWS_1251),
    ("koi8-u", encoding_rs::KOI8_U),
    ("ibm866", encoding_rs::IBM866),
    ("iso-8859-5", encoding_rs::ISO_8859_5),
    ("x-mac-cyrillic", encoding_rs::X_MAC_CYRILLIC),
];

/// Symbol (`crate::letters`) of each byte in each single-byte charset.
static SYMBOLS: LazyLock<[[u8; 256]; 5]> = LazyLock::new(|| {
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

/// What the readable twin needs: each charset's name and byte symbols, the first letter's symbol, the number of
/// symbols, and the costs of all pairs of symbols.
pub fn tables() -> (Vec<Charset>, u8, usize, Vec<u32>) {
    let letters = Letters::get();
    let charsets = SINGLE_BYTE.iter().zip(SYMBOLS.iter());
    let charsets = charsets
        .map(|((name, _), symbols)| (*name, symbols.to_vec()))
        .collect();
    let all = 0..crate::letters::SYMBOLS as u8;
    let costs = all
        .clone()
        .flat_map(|a| all.clone().map(move |b| letters.cost(a, b)))
        .collect();
    (charsets, FIRST_LETTER, crate::letters::SYMBOLS, costs)
}

/// Counts letters outside tags in the single-byte charset whose letter pairs cost least.
fn single_byte(body: &[u8], http_charset: Option<&str>) -> Verdict {
    let letters = Letters::get();
    let mut costs = [0u32; SINGLE_BYTE.len()];
    let mut bytes = [0u32; 256];
    let mut pairs = 0;
    outside_tags(body, |text| {
        let mut before = b' ';
        for &byte in text {
            bytes[usize::from(byte)] += 1;
            if byte & before >= 0x80 && pairs < MAX_PAIRS {
                pairs += 1;
                for (cost, symbols) in costs.iter_mut().zip(SYMBOLS.iter()) {
                    let (a, b) = (symbols[usize::from(before)], symbols[usize::from(byte)]);
                    *cost += if is_letter(a) && is_letter(b) {
                        letters.cost(a, b)
                    } else {
                        NO_LETTERS
                    };
                }
            }
            before = byte;
        }
        pairs < MAX_PAIRS
    });
    let best = (0..costs.len()).min_by_key(|&at| (costs[at], at)).unwrap_or(0);
    let sum = |test: &dyn Fn(usize) -> bool| (0..256).filter(|&b| test(b)).map(|b| bytes[b]).sum::<u32>();
    let cyrillic = sum(&|b| b >= 0x80 && is_letter(SYMBOLS[best][b]));
    let high = sum(&|b| b >= 0x80);
    let latin = sum(&|b| (b as u8).is_ascii_alphabetic());
    let pair_cost = costs[best] / pairs.max(1);
    // Letters among the bytes above ASCII, in runs of letters, as likely as those of language.
    let like_words = pairs > 0 && cyrillic * 2 >= high && pairs * 2 >= cyrillic;
    let language = like_words
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
    let verdict = decide(
        Counts { cyrillic, latin },
        SINGLE_BYTE[best].0,
        body,
        http_charset,
    );
    Verdict { pair_cost, ..verdict }
}

/// Whether the HTTP head or the first bytes declare a Cyrillic charset or Russian as the language.
fn declares_russian(body: &[u8], http_charset: Option<&str>) -> bool {
    if http_charset.is_some_and(is_cyrillic_label) {
        return true;
    }
    let head = body[..body.len().min(HEAD)].to_ascii_lowercase();
    let value = |at: usize| {
        let value = head[at..].trim_ascii_start();
        let value = value
            .strip_prefix(b"\"")
            .or(value.strip_prefix(b"'"))
            .unwrap_or(value);
        let end = value
            .iter()
            .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
        &value[..end.unwrap_or(value.len())]
    };
    let charsets = memmem::find_iter(&head, b"charset=").map(|at| value(at + 8));
    let mut languages = memmem::find_iter(&head, b"lang=").map(|at| value(at + 5));
    charsets.flat_map(std::str::from_utf8).any(is_cyrillic_label)
        || languages.any(|v| v == b"ru" || v.starts_with(b"ru-") || v.starts_with(b"ru_"))
}

fn is_cyrillic_label(label: &str) -> bool {
    let encoding = encoding_rs::Encoding::for_label(label.trim().as_bytes());
    encoding.is_some_and(|e| SINGLE_BYTE.iter().any(|(_, known)| *known == e) || e == encoding_rs::KOI8_R)
}
