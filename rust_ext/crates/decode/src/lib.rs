//! Bytes of a page to text. Every declaration is evidence, none is an order: the bytes decide.
//!
//! 1. A byte order mark, and UTF-16 or UTF-32 seen by their zero bytes.
//! 2. UTF-8 where the bytes are UTF-8 but for some broken ones; each of those becomes U+FFFD and is counted.
//! 3. Else the Cyrillic charset in which the bytes read best (`letters`), where they read as Cyrillic at all; stretches
//!    of UTF-8 inside (`runs`) are left out of that and decoded apart.
//! 4. Else a declared charset that the bytes are valid in; else chardetng's guess, as browsers do.
//!
//! Tried and dropped: trusting a declared charset first (pages declare windows-1251 and are UTF-8, and the
//! reverse); deciding by the first kilobytes (long scripts come before the first Cyrillic letter).

mod declared;
mod detect;
mod markup;
mod names;
mod runs;

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::{DecoderResult, Encoding, UTF_8};

pub use declared::Label;
use detect::{CYRILLIC, Wide};
pub use detect::{Pairs, Reading};
use names::name_of;

/// A page's text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without byte order mark; borrowed when the body was UTF-8.
    pub text: Cow<'a, str>,
    /// The first charset declared (byte order mark, HTTP, XML, meta, in that order), used or not.
    pub declared: Option<String>,
    /// The charset used.
    pub charset: String,
    /// U+FFFD put in place of bytes that are nothing in that charset.
    pub replaced: u64,
}

/// Tenths of a nat by which a declared charset may read worse than the best one and still be used: one unlikely
/// pair. It decides on pages with a handful of letters only; with a hundred, wrong charsets lose by thousands.
const DECLARED_BONUS: u64 = 100;
/// The same, as a share of what the best reading costs above clean text's cost a pair (tenths of a nat): bytes of no
/// charset at all cost about as much in each, and by chance a little less in another.
const DECLARED_SHARE_OF_NOISE: u64 = 4;
const CLEAN_TEXT: u64 = 28;
/// A page with fewer Cyrillic letters than this is Cyrillic against its declaration only by accident: `à` is a
/// word in French and reads as one in Russian.
const FEW_LETTERS: u64 = 8;

/// Decodes a page. `http_charset` is the charset parameter of the HTTP Content-Type, if there was one.
pub fn decode<'a>(body: &'a [u8], http_charset: Option<&str>) -> Decoded<'a> {
    let (mark, body) = strip_mark(body);
    let mut labels: Vec<Label> = http_charset
        .and_then(|raw| declared::label(raw.as_bytes()))
        .into_iter()
        .collect();
    labels.extend(declared::in_body(body));
    let declared = mark
        .map(mark_name)
        .or_else(|| labels.first().map(|label| label.name.clone()));
    let wide = match mark {
        Some(Mark::Wide(wide)) => Some(wide),
        _ => detect::wide(body),
    };
    let (text, charset, replaced) = match wide {
        Some(wide) => decode_wide(body, wide),
        None => decode_narrow(body, &labels),
    };
    Decoded {
        text,
        declared,
        charset,
        replaced,
    }
}

#[derive(Clone, Copy)]
enum Mark {
    Utf8,
    Wide(Wide),
}

fn strip_mark(body: &[u8]) -> (Option<Mark>, &[u8]) {
    let marks: [(&[u8], Mark); 5] = [
        (b"\xEF\xBB\xBF", Mark::Utf8),
        // UTF-32's mark begins with UTF-16's.
        (b"\xFF\xFE\0\0", Mark::Wide(Wide::Utf32Le)),
        (b"\0\0\xFE\xFF", Mark::Wide(Wide::Utf32Be)),
        (b"\xFF\xFE", Mark::Wide(Wide::Utf16Le)),
        (b"\xFE\xFF", Mark::Wide(Wide::Utf16Be)),
    ];
    for (bytes, mark) in marks {
        if let Some(rest) = body.strip_prefix(bytes)
            && mark_holds(mark, rest)
        {
            return (Some(mark), rest);
        }
    }
    (None, body)
}

/// FF FE and FE FF are also letters (я and ю of windows-1251): two-byte text behind them must be no text in
/// eight bits, which has neither zero bytes nor many controls.
fn mark_holds(mark: Mark, rest: &[u8]) -> bool {
    match mark {
        Mark::Utf8 => true,
        Mark::Wide(_) => rest.is_empty() || rest.iter().take(4096).any(|&byte| byte < 9),
    }
}

fn mark_name(mark: Mark) -> String {
    match mark {
        Mark::Utf8 => "utf-8".to_owned(),
        Mark::Wide(wide) => wide_name(wide).to_owned(),
    }
}

fn wide_name(wide: Wide) -> &'static str {
    match wide {
        Wide::Utf16Le => "utf-16le",
        Wide::Utf16Be => "utf-16be",
        Wide::Utf32Le => "utf-32le",
        Wide::Utf32Be => "utf-32be",
    }
}

type Outcome<'a> = (Cow<'a, str>, String, u64);

fn decode_wide(body: &[u8], wide: Wide) -> Outcome<'static> {
    let name = wide_name(wide).to_owned();
    let (encoding, to_u32): (_, fn([u8; 4]) -> u32) = match wide {
        Wide::Utf16Le => return with_name(encoding_rs::UTF_16LE, body, name),
        Wide::Utf16Be => return with_name(encoding_rs::UTF_16BE, body, name),
        Wide::Utf32Le => (name, u32::from_le_bytes),
        Wide::Utf32Be => (name, u32::from_be_bytes),
    };
    let mut replaced = u64::from(!body.len().is_multiple_of(4));
    let mut text = String::with_capacity(body.len() / 4);
    for unit in body.chunks_exact(4) {
        let code = to_u32([unit[0], unit[1], unit[2], unit[3]]);
        text.push(char::from_u32(code).unwrap_or_else(|| {
            replaced += 1;
            char::REPLACEMENT_CHARACTER
        }));
    }
    if !body.len().is_multiple_of(4) {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (Cow::Owned(text), encoding, replaced)
}

fn decode_narrow<'a>(body: &'a [u8], labels: &[Label]) -> Outcome<'a> {
    // Valid UTF-8 is seen fastest; it is what most pages are.
    if let Ok(text) = std::str::from_utf8(body) {
        if let Some(encoding) = stateful(body, labels) {
            return with_name(encoding, body, name_of(encoding));
        }
        return (Cow::Borrowed(text), "utf-8".to_owned(), 0);
    }
    let survey = runs::survey(body);
    let runs = survey.utf8();
    let pairs = Pairs::count_outside(body, runs);
    let base = if survey.is_nearly_utf8() && !has_other_text(&pairs) {
        UTF_8
    } else {
        eight_bit(body, labels, &pairs, runs)
    };
    if base == UTF_8 || runs.is_empty() || !CYRILLIC.contains(&base) {
        return with_name(base, body, name_of(base));
    }
    let is_declared = labels.iter().any(|label| label.encoding == Some(base));
    let name = if survey.is_nearly_utf8() && !is_declared {
        UTF_8
    } else {
        base
    };
    decode_apart(body, base, runs, name_of(name))
}

/// Tenths of a nat a pair below which what is not UTF-8 on a page of UTF-8 is text of another charset, and the letters
/// that it has at least: clean text costs about 25, a sequence that lost a byte leaves no two letters in a row.
const OTHER_TEXT: u64 = 36;
const OTHER_LETTERS: u64 = 24;

fn has_other_text(pairs: &Pairs) -> bool {
    pairs
        .readings()
        .iter()
        .any(|reading| reading.letters >= OTHER_LETTERS && reading.reads_below(OTHER_TEXT))
}

/// Decodes runs of UTF-8 as such, and what lies between them in a charset of one byte a letter.
fn decode_apart(
    body: &[u8],
    base: &'static Encoding,
    runs: &[Range<usize>],
    name: String,
) -> Outcome<'static> {
    let mut text = String::with_capacity(body.len() * 2);
    let (mut at, mut replaced) = (0, 0);
    for run in runs {
        let (before, _, lost) = with_name(base, &body[at..run.start], String::new());
        text.push_str(&before);
        text.push_str(&String::from_utf8_lossy(&body[run.clone()]));
        replaced += lost;
        at = run.end;
    }
    let (rest, _, lost) = with_name(base, &body[at..], String::new());
    text.push_str(&rest);
    (Cow::Owned(text), name, replaced + lost)
}

/// ISO-2022-JP is ASCII with escapes: the one declared charset that valid UTF-8 may be in.
fn stateful(body: &[u8], labels: &[Label]) -> Option<&'static Encoding> {
    let declared = labels
        .iter()
        .any(|label| label.encoding == Some(encoding_rs::ISO_2022_JP));
    (declared && body.is_ascii() && memchr::memchr(0x1B, body).is_some()).then_some(encoding_rs::ISO_2022_JP)
}

fn eight_bit(body: &[u8], labels: &[Label], pairs: &Pairs, runs: &[Range<usize>]) -> &'static Encoding {
    let chosen = by_letters(body, labels, pairs, runs);
    let is_koi8 = chosen == encoding_rs::KOI8_R || chosen == encoding_rs::KOI8_U;
    if is_koi8 {
        pairs.koi8().unwrap_or(chosen)
    } else if chosen == encoding_rs::X_MAC_CYRILLIC && pairs.is_cp866_in_capitals() {
        encoding_rs::IBM866
    } else {
        chosen
    }
}

fn by_letters(body: &[u8], labels: &[Label], pairs: &Pairs, runs: &[Range<usize>]) -> &'static Encoding {
    let readings = pairs.readings();
    let declared: Vec<&'static Encoding> = labels.iter().filter_map(|label| label.encoding).collect();
    // What a declared charset may cost more than the best one where the page bears it out.
    let noise = readings
        .iter()
        .map(|reading| reading.cost.saturating_sub(CLEAN_TEXT * reading.pairs))
        .min();
    let bonus = DECLARED_BONUS.max(noise.unwrap_or(0) / DECLARED_SHARE_OF_NOISE);
    let handicap = |reading: &Reading| {
        let bears_out = declared.contains(&reading.encoding) && reading.is_cyrillic();
        if bears_out { 0 } else { bonus }
    };
    // min_by_key keeps the first of equals: CYRILLIC's order breaks ties.
    let best = readings
        .iter()
        .min_by_key(|reading| reading.cost + handicap(reading));
    let foreign = declared
        .iter()
        .copied()
        .find(|encoding| is_valid_in(body, encoding));
    match (best, foreign) {
        (Some(best), None) if best.is_cyrillic() => by_text(body, runs, best.encoding, &declared),
        (Some(best), Some(foreign)) if best.is_cyrillic() => {
            let few = best.letters < FEW_LETTERS && !CYRILLIC.contains(&foreign);
            if few {
                foreign
            } else {
                by_text(body, runs, best.encoding, &declared)
            }
        }
        (_, Some(foreign)) => foreign,
        (_, None) => guess(body),
    }
}

/// The best charset against the declared Cyrillic ones, by the text alone: bytes of nothing stand in comments, scripts
/// and attributes, and on a small page they outweigh its letters. windows-1251 counts as declared beside MacCyrillic,
/// which has nearly all small letters in common with it and is a hundred times rarer.
fn by_text(
    body: &[u8],
    runs: &[Range<usize>],
    best: &'static Encoding,
    declared: &[&'static Encoding],
) -> &'static Encoding {
    let candidates: Vec<&Encoding> = CYRILLIC
        .into_iter()
        .filter(|encoding| {
            let by_default = best == encoding_rs::X_MAC_CYRILLIC && *encoding == encoding_rs::WINDOWS_1251;
            by_default || declared.contains(encoding)
        })
        .collect();
    if candidates.is_empty() || candidates.contains(&best) {
        return best;
    }
    let readings = Pairs::count_outside(body, &markup::united(&markup::ranges(body), runs)).readings();
    let of_best = readings.iter().find(|reading| reading.encoding == best);
    let as_well = readings
        .iter()
        .filter(|reading| candidates.contains(&reading.encoding) && reading.is_cyrillic())
        .filter(|reading| of_best.is_none_or(|best| reading.cost <= best.cost + DECLARED_BONUS))
        .min_by_key(|reading| reading.cost);
    as_well.map_or(best, |reading| reading.encoding)
}

/// True when a declared charset fits: not UTF (seen before), and at most one byte sequence in a hundred is malformed.
fn is_valid_in(body: &[u8], encoding: &'static Encoding) -> bool {
    if !encoding.is_ascii_compatible() || encoding == UTF_8 {
        return false;
    }
    let (text, had_errors) = encoding.decode_without_bom_handling(body);
    if !had_errors {
        return true;
    }
    let (mut broken, mut foreign) = (0u64, 0u64);
    for char in text.chars().filter(|char| !char.is_ascii()) {
        foreign += 1;
        broken += u64::from(char == char::REPLACEMENT_CHARACTER);
    }
    broken * 100 <= foreign
}

fn guess(body: &[u8]) -> &'static Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(body, true);
    detector.guess(None, chardetng::Utf8Detection::Deny)
}

/// Decodes with replacement, and counts the replacements (U+FFFD that the body itself holds is not one).
fn with_name<'a>(encoding: &'static Encoding, body: &[u8], name: String) -> Outcome<'a> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder
        .max_utf8_buffer_length(body.len())
        .unwrap_or(body.len() * 3);
    // A body is mostly ASCII or two bytes a character; the worst case is asked for only where it is met.
    let mut text = String::with_capacity(room.min(body.len() * 2 + 16));
    let (mut from, mut replaced) = (0, 0);
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(&body[from..], &mut text, true);
        from += read;
        match result {
            DecoderResult::InputEmpty => return (Cow::Owned(text), name, replaced),
            DecoderResult::OutputFull => text.reserve(body.len() - from + 64),
            DecoderResult::Malformed(_, _) => {
                replaced += 1;
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
}

#[cfg(test)]
mod tests;
