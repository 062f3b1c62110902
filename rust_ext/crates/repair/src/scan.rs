//! The gate before every repair: text that visibly needs none is recognised at memory speed.
//!
//! Plain text is ASCII and the Russian alphabet with the usual typography, without controls, entities, words of
//! two scripts, capitals after small letters inside a word (which a mix-up of KOI8 and windows-1251 makes of
//! every capital) or an unlikely share of the commonest letters (which it makes of the rest). Everything else
//! goes to the repairs, which look closely; so the gate may be wrong in one direction only.
//!
//! The loop over blocks has no branch a character and compares bytes with constants, so that the compiler turns it
//! into vector code. Tried and dropped: a table-driven automaton (one dependent load a byte, a third of the speed).

/// Bytes judged at once.
const BLOCK: usize = 64;
/// A sequence that begins in a block may end this many bytes after it.
const AHEAD: usize = 3;
/// Text with fewer letters has no stable share of common ones.
const FEW_LETTERS: u64 = 16;
/// Capitals in a block from which on their share of common letters is looked at.
const FEW_CAPITALS: u8 = 6;
/// The same share among capitals: close to the true one, since few lines are in capitals and looking costs little.
const COMMON_CAPITALS_PERCENT: u64 = 40;
/// о а и н т с as a percentage of letters: halfway between Russian and Russian in which KOI8 and windows-1251 were
/// mixed up (`bench_repair limits` prints both). Text below goes to the repairs, which look at every pair.
const COMMON_PERCENT: u64 = 31;

#[derive(Default)]
struct Tally {
    odd: bool,
    letters: u64,
    common: u64,
}

/// True when no repair can have anything to do.
pub fn is_plain(text: &[u8]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if text.len() >= BLOCK && std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as has just been asked.
        return unsafe { is_plain_avx2(text) };
    }
    is_plain_lanes(text)
}

/// The same in lanes twice as wide as every x86-64 processor has.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn is_plain_avx2(text: &[u8]) -> bool {
    is_plain_lanes(text)
}

#[inline(always)]
fn is_plain_lanes(text: &[u8]) -> bool {
    let mut tally = Tally::default();
    let mut at = 0;
    while at + BLOCK + AHEAD <= text.len() {
        let mut window = [b' '; BLOCK + AHEAD];
        window.copy_from_slice(&text[at..at + BLOCK + AHEAD]);
        judge(&window, &mut tally);
        if tally.odd {
            return false;
        }
        at += BLOCK;
    }
    while at < text.len() {
        let mut window = [b' '; BLOCK + AHEAD];
        let end = text.len().min(at + BLOCK + AHEAD);
        window[..end - at].copy_from_slice(&text[at..end]);
        judge(&window, &mut tally);
        at += BLOCK;
    }
    !tally.odd && (tally.letters < FEW_LETTERS || tally.common * 100 >= tally.letters * COMMON_PERCENT)
}

#[inline(always)]
fn judge(window: &[u8; BLOCK + AHEAD], tally: &mut Tally) {
    let mut high = 0;
    for byte in &window[..BLOCK] {
        high |= byte;
    }
    if high < 0x80 {
        tally.odd |= odd_ascii(window);
        return;
    }
    let (mut odd, mut letters, mut common) = (0u8, 0u8, 0u8);
    let (mut capitals, mut common_capitals) = (0u8, 0u8);
    for at in 0..BLOCK {
        let (byte, next, third, fourth) = (window[at], window[at + 1], window[at + 2], window[at + 3]);
        odd |= odd_character(byte, next, third) | odd_neighbours(byte, next, third, fourth);
        let (d0, d1) = (is(byte == 0xD0), is(byte == 0xD1));
        letters += d0 | d1;
        let common_capital = d0 & is_one_of(next, [0x9E, 0x90, 0x98, 0x9D, 0xA2, 0xA1]);
        common += common_capital
            | (d0 & is_one_of(next, [0xBE, 0xB0, 0xB8, 0xBD]))
            | (d1 & is_in(next, 0x81, 0x82));
        capitals += d0 & is(next < 0xB0);
        common_capitals += common_capital;
    }
    let strange_capitals = capitals >= FEW_CAPITALS
        && u64::from(common_capitals) * 100 < u64::from(capitals) * COMMON_CAPITALS_PERCENT;
    tally.odd |= odd != 0 || strange_capitals;
    tally.letters += u64::from(letters);
    tally.common += u64::from(common);
}

#[inline(always)]
fn odd_ascii(window: &[u8; BLOCK + AHEAD]) -> bool {
    let mut odd = 0;
    for at in 0..BLOCK {
        odd |= is_control(window[at]) | is_entity(window[at], window[at + 1]);
        // The next block may begin with a Cyrillic letter.
        odd |= is_latin(window[at]) & (is(window[at + 1] == 0xD0) | is(window[at + 1] == 0xD1));
    }
    odd != 0
}

#[inline(always)]
fn is(condition: bool) -> u8 {
    u8::from(condition)
}

#[inline(always)]
fn is_in(byte: u8, from: u8, to: u8) -> u8 {
    is(byte.wrapping_sub(from) <= to - from)
}

#[inline(always)]
fn is_one_of<const N: usize>(byte: u8, wanted: [u8; N]) -> u8 {
    let mut found = 0;
    for other in wanted {
        found |= is(byte == other);
    }
    found
}

#[inline(always)]
fn is_control(byte: u8) -> u8 {
    (is(byte < 0x20) & is(byte != b'\n') & is(byte != b'\t')) | is(byte == 0x7F)
}

#[inline(always)]
fn is_latin(byte: u8) -> u8 {
    is_in(byte | 0x20, b'a', b'z')
}

#[inline(always)]
fn is_entity(byte: u8, next: u8) -> u8 {
    is(byte == b'&') & (is_latin(next) | is(next == b'#'))
}

/// A character that is neither ASCII, nor Russian, nor usual between Russian words.
#[inline(always)]
fn odd_character(byte: u8, next: u8, third: u8) -> u8 {
    // Ё, А..п
    let d0 = is(byte == 0xD0) & (is_in(next, 0x90, 0xBF) | is(next == 0x81));
    // р..я, ё
    let d1 = is(byte == 0xD1) & (is_in(next, 0x80, 0x8F) | is(next == 0x91));
    // no-break space § © « ® ° »
    let c2 = is(byte == 0xC2) & is_one_of(next, [0xA0, 0xA7, 0xA9, 0xAB, 0xAE, 0xB0, 0xBB]);
    // – — ‘ ’ “ ” „ • …, ₽ €, № ™
    let e2 = is(byte == 0xE2)
        & ((is(next == 0x80) & is_one_of(third, [0x93, 0x94, 0x98, 0x99, 0x9C, 0x9D, 0x9E, 0xA2, 0xA6]))
            | (is(next == 0x82) & is_one_of(third, [0xAC, 0xBD]))
            | (is(next == 0x84) & is_one_of(third, [0x96, 0xA2])));
    let lead = is(byte >= 0xC0);
    (lead & (1 ^ (d0 | d1 | c2 | e2))) | is_control(byte) | is_entity(byte, next)
}

/// A word of two scripts, or a capital after a small letter inside a Cyrillic word.
#[inline(always)]
fn odd_neighbours(byte: u8, next: u8, third: u8, fourth: u8) -> u8 {
    let next_is_cyrillic = is(next == 0xD0) | is(next == 0xD1);
    let is_cyrillic = is(byte == 0xD0) | is(byte == 0xD1);
    let small = (is(byte == 0xD0) & is(next >= 0xB0)) | is(byte == 0xD1);
    let capital_follows = is(third == 0xD0) & (is_in(fourth, 0x90, 0xAF) | is(fourth == 0x81));
    // What UTF-8 read as windows-1251 leaves between clean words: „– of №, В« of «; and € in a word, я as a Mac reads it.
    let number = is(byte == 0xE2) & is(next == 0x80) & is(third == 0x9E) & is(fourth == 0xE2);
    let quote = is(byte == 0xD0) & is(next == 0x92) & is(third == 0xC2) & is(fourth != 0xA0);
    let euro = is_cyrillic & is(third == 0xE2) & is(fourth == 0x82);
    (is_latin(byte) & next_is_cyrillic)
        | (is_cyrillic & is_latin(third))
        | (small & capital_follows)
        | number
        | quote
        | euro
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_plain_wherever_the_blocks_fall() {
        let text =
            "Она мыла раму — «ту самую», №5, за 10 ₽… The frame cost 10 €.\n\tЁж и Анна, объём, ещё.\n";
        for start in 0..BLOCK {
            assert!(
                is_plain(format!("{}{}", " ".repeat(start), text.repeat(4)).as_bytes()),
                "{start}"
            );
        }
    }

    #[test]
    fn whatever_may_need_repair_is_not_plain_wherever_the_blocks_fall() {
        let suspects = [
            "a\u{ad}b",
            "ко\u{301}т",
            "caf\u{e9}",
            "\r",
            "x\u{0}",
            "&amp;",
            "&#1088;",
            "кOт",
            "Oт",
            "тO",
            "приВет",
            "и\u{306}",
            "\u{200b}",
            "\u{feff}",
            "ї",
            "ѣ",
            "Ð",
            "\u{fffd}",
            "╨",
            "\u{7f}",
            "日",
            "в„–5",
            "В«А",
            "т€г",
        ];
        for suspect in suspects {
            for start in 0..2 * BLOCK {
                let text = format!("{}{suspect} и так далее и тому подобное", " ".repeat(start));
                assert!(!is_plain(text.as_bytes()), "{suspect:?} at {start}");
            }
        }
    }

    #[test]
    fn capitals_read_in_the_wrong_charset_are_not_plain() {
        assert!(!is_plain(
            "оюлърмхй мюундхряъ б онкэгнбюмхх декнбнцн жемрпю опедопхърхъ".as_bytes()
        ));
    }
}
