//! One pass over all bytes, in vector lanes.

use super::text::{has_entities, has_escapes};

/// What one pass over the bytes finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Survey {
    /// Bytes above ASCII.
    pub high: u32,
    /// Pairs that are a Cyrillic letter of UTF-8 (U+0400..U+047F).
    pub cyrillic: u32,
    /// Pairs that UTF-8 forbids: a continuation behind ASCII, a lead byte without continuation.
    pub broken: u32,
    /// Whether entities of Cyrillic letters are among them.
    pub entities: bool,
    /// Whether Cyrillic letters as JSON escapes them are among them.
    pub escapes: bool,
}

const LANES: usize = 32;
const BLOCK: usize = 1024;
/// Bytes behind a block in which the name of a Cyrillic letter may end that begins in it ("&jsercy;").
const NAME: usize = 8;

/// Surveys all bytes.
pub fn survey(body: &[u8]) -> Survey {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as has just been asked.
        return unsafe { survey_avx2(body) };
    }
    survey_blocks(body)
}

/// The same in lanes twice as wide as every x86-64 processor has.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn survey_avx2(body: &[u8]) -> Survey {
    survey_blocks(body)
}

#[inline(always)]
fn survey_blocks(body: &[u8]) -> Survey {
    let mut seen = Survey::default();
    let mut at = 0;
    while at < body.len() {
        let end = (at + BLOCK).min(body.len());
        let block = &body[at..end];
        let after = body.get(end).copied();
        let with_next = &body[at..(end + 1).min(body.len())];
        let (is_ascii, ampersands, backslashes) = glance(block);
        let with_name = &body[at..(end + NAME).min(body.len())];
        if ampersands && !seen.entities && begin_entities(with_name) {
            seen.entities = has_entities(&body[at..], block.len());
        }
        if backslashes && !seen.escapes {
            seen.escapes = has_escapes(&body[at..], block.len());
        }
        if is_ascii {
            seen.broken += u32::from(after.is_some_and(|b| b & 0xc0 == 0x80));
        } else {
            survey_block(with_next, &mut seen);
            if after.is_none() {
                let last = block[block.len() - 1];
                seen.high += u32::from(last >> 7);
            }
        }
        at = end;
    }
    seen
}

/// Whether a block is all ASCII, and whether "&" and "\\" are in it.
#[inline(always)]
fn glance(block: &[u8]) -> (bool, bool, bool) {
    let (mut high, mut ampersands, mut backslashes) = (0u8, 0u8, 0u8);
    for &byte in block {
        high |= byte;
        ampersands |= u8::from(byte == b'&');
        backslashes |= u8::from(byte == b'\\');
    }
    (high < 0x80, ampersands != 0, backslashes != 0)
}

/// Whether "&#" or "y;" is among the pairs of a block: a numeric entity begins, or a Cyrillic letter's name ends.
#[inline(always)]
fn begin_entities(block: &[u8]) -> bool {
    let pairs = block.iter().zip(&block[1..]);
    let is = |condition: bool| u8::from(condition);
    pairs.fold(0, |any, (&a, &b)| {
        any | is(a == b'&') & is(b == b'#') | is(a == b'y') & is(b == b';')
    }) != 0
}

/// Counts the pairs of a block of at most `BLOCK` + 1 bytes; `high` counts first bytes of pairs.
#[inline(always)]
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lanes_of_any_width_see_the_same(
            piece in proptest::collection::vec(prop_oneof![Just(b'&'), Just(b'#'), Just(0xd0), any::<u8>()], 1..700),
            ascii in proptest::collection::vec(0u8..128, 0..1500),
            entity in prop::sample::select(vec!["", "&#1088;", "&#x44f", "&#8217;", "&rcy;", "&jsercy;", "&icy"]),
        ) {
            let body = [ascii.as_slice(), &piece, entity.as_bytes(), &ascii, &piece].concat();
            let seen = survey(&body);
            prop_assert_eq!(seen, survey_blocks(&body));
            let pairs = body.windows(2).map(|w| pair(w[0], w[1]));
            let (cyrillic, broken) = pairs.fold((0, 0), |sums, p| (sums.0 + u32::from(p[1]), sums.1 + u32::from(p[2])));
            let high = body.iter().filter(|&&b| b >= 0x80).count() as u32;
            prop_assert_eq!((seen.high, seen.cyrillic, seen.broken), (high, cyrillic, broken));
            prop_assert_eq!(seen.entities, has_entities(&body, body.len()));
        }
    }
}
