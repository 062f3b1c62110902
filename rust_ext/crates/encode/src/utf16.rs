//! UTF-16, which is how Python holds most text that is not ASCII, into UTF-8.
//!
//! CPython makes the UTF-8 of such a string in a seventh of the time that its tokens take, and keeps it with the
//! string for good; its UTF-16 is a plain copy. From that UTF-8 is made here, eight characters at a time, in a
//! buffer that is used again.

use super::error::EncodeError;

/// Characters that are turned together.
const LANES: usize = 8;
/// The most bytes of UTF-8 a unit comes to: three in a unit, four in two.
const WIDEST: usize = 3;
/// A buffer larger than this is not kept for the next text.
pub(super) const KEPT: usize = 4 << 20;

/// Text in either form.
#[derive(Debug, Clone, Copy)]
pub enum Text<'a> {
    /// UTF-8.
    Utf8(&'a str),
    /// Units of 16 bits in the processor's order of bytes.
    Utf16(&'a [u8]),
}

impl Text<'_> {
    /// Bytes, in the form that it has.
    pub fn size(&self) -> usize {
        match self {
            Self::Utf8(text) => text.len(),
            Self::Utf16(units) => units.len(),
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Utf8(text)
    }
}

/// Room for the UTF-8 of one text, used again for the next.
#[derive(Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// The text as UTF-8; refused where half of a pair of surrogates stands alone.
    pub fn read<'a>(&'a mut self, units: &[u8]) -> Result<&'a str, EncodeError> {
        let needed = units.len() / 2 * WIDEST + 2 * LANES;
        if self.0.len() > KEPT && needed <= KEPT {
            self.0 = Vec::new();
        }
        if self.0.len() < needed {
            self.0.resize(needed, 0);
        }
        let len = convert(units.as_chunks::<2>().0, &mut self.0).ok_or(EncodeError::Surrogate)?;
        // SAFETY: `convert` wrote the encodings of Unicode scalars, one after another, and says where they end;
        // the test `as_the_standard_library_reads_it` compares them.
        Ok(unsafe { std::str::from_utf8_unchecked(&self.0[..len]) })
    }
}

/// Writes the UTF-8 of `units` and returns its length; none where a surrogate stands alone.
fn convert(units: &[[u8; 2]], out: &mut [u8]) -> Option<usize> {
    #[cfg(all(target_arch = "x86_64", target_endian = "little"))]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("ssse3") && has!("popcnt") {
            // SAFETY: the processor has SSSE3 and POPCNT, as was just asked; every test of this module runs it.
            return unsafe { wide::convert(units, out) };
        }
    }
    let mut to = 0;
    let mut at = 0;
    while at < units.len() {
        (at, to) = one(units, at, out, to)?;
    }
    Some(to)
}

/// Writes the character at `at`; where the next one is, and where it goes.
#[inline(always)]
fn one(units: &[[u8; 2]], at: usize, out: &mut [u8], to: usize) -> Option<(usize, usize)> {
    let unit = |at: usize| units.get(at).map(|&unit| u16::from_ne_bytes(unit));
    let first = unit(at)?;
    let pair = [first, unit(at + 1).unwrap_or(0)];
    let both = usize::from(first & 0xfc00 == 0xd800) + 1;
    let character = char::decode_utf16(pair[..both].iter().copied()).next()?.ok()?;
    let len = character.encode_utf8(&mut out[to..]).len();
    Some((at + both, to + len))
}

#[cfg(all(target_arch = "x86_64", target_endian = "little"))]
mod wide {
    use std::arch::x86_64::*;

    use super::{LANES, one};

    /// By the set of ASCII characters among eight (bit i: character i): which of 16 bytes, two a character, are kept.
    const KEEP: [[u8; 16]; 256] = {
        let mut table = [[0x80; 16]; 256];
        let mut ascii = 0;
        while ascii < 256 {
            let (mut lane, mut to) = (0, 0);
            while lane < LANES {
                table[ascii][to] = 2 * lane as u8;
                to += 1;
                if ascii >> lane & 1 == 0 {
                    table[ascii][to] = 2 * lane as u8 + 1;
                    to += 1;
                }
                lane += 1;
            }
            ascii += 1;
        }
        table
    };

    #[inline]
    #[target_feature(enable = "ssse3")]
    fn load(bytes: &[u8; 16]) -> __m128i {
        let word = u128::from_le_bytes(*bytes);
        _mm_set_epi64x((word >> 64) as i64, word as i64)
    }

    #[inline]
    #[target_feature(enable = "ssse3")]
    fn store(lanes: __m128i, out: &mut [u8; 16]) {
        let low = _mm_cvtsi128_si64(lanes) as u64;
        let high = _mm_cvtsi128_si64(_mm_unpackhi_epi64(lanes, lanes)) as u64;
        *out = (u128::from(high) << 64 | u128::from(low)).to_le_bytes();
    }

    /// A bit for each 16-bit lane that is all ones.
    #[inline]
    #[target_feature(enable = "ssse3")]
    fn bits(lanes: __m128i) -> u32 {
        _mm_movemask_epi8(_mm_packs_epi16(lanes, _mm_setzero_si128())) as u32
    }

    #[target_feature(enable = "ssse3,popcnt")]
    pub fn convert(units: &[[u8; 2]], out: &mut [u8]) -> Option<usize> {
        let zero = _mm_setzero_si128();
        let (mut at, mut to) = (0, 0);
        while let Some(block) = units[at..].first_chunk::<LANES>() {
            let block = load(block.as_flattened().first_chunk()?);
            let ascii = _mm_cmpeq_epi16(_mm_and_si128(block, _mm_set1_epi16(0xff80u16 as i16)), zero);
            // Lanes above U+07FF are greater than 0 after this; the others are 0.
            let narrow = bits(_mm_cmpeq_epi16(
                _mm_subs_epu16(block, _mm_set1_epi16(0x7ff)),
                zero,
            ));
            let lead = _mm_or_si128(_mm_srli_epi16::<6>(block), _mm_set1_epi16(0xc0));
            let trail = _mm_or_si128(_mm_and_si128(block, _mm_set1_epi16(0x3f)), _mm_set1_epi16(0x80));
            let two = _mm_or_si128(lead, _mm_slli_epi16::<8>(trail));
            let both = _mm_or_si128(_mm_and_si128(ascii, block), _mm_andnot_si128(ascii, two));
            let ascii = bits(ascii);
            let kept = _mm_shuffle_epi8(both, load(&KEEP[ascii as usize & 0xff]));
            // What is written behind the characters that count is written over.
            store(kept, out[to..].first_chunk_mut()?);
            // Nearly always; and a branch, so that the next block is known without waiting for this one.
            if narrow == 0xff {
                to += 2 * LANES - ascii.count_ones() as usize;
                at += LANES;
                continue;
            }
            let count = narrow.trailing_ones();
            to += (2 * count - (ascii & ((1 << count) - 1)).count_ones()) as usize;
            at += count as usize;
            (at, to) = one(units, at, out, to)?;
        }
        while at < units.len() {
            (at, to) = one(units, at, out, to)?;
        }
        Some(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn units(text: &[u16]) -> Vec<u8> {
        text.iter().flat_map(|unit| unit.to_ne_bytes()).collect()
    }

    fn unit() -> impl Strategy<Value = u16> {
        prop_oneof![
            0..0x80u16,
            0x400..0x460u16,
            0x780..0x820u16,
            0xd7f0..0xe010u16,
            any::<u16>()
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Any units, surrogates alone and in pairs among them; the buffer holds what was there before.
        #[test]
        fn as_the_standard_library_reads_it(texts in prop::collection::vec(prop::collection::vec(unit(), 0..50), 1..4)) {
            let mut buffer = Buffer::default();
            for text in texts {
                let expected = String::from_utf16(&text).map_err(|_| EncodeError::Surrogate);
                prop_assert_eq!(buffer.read(&units(&text)).map(str::to_owned), expected);
            }
        }
    }

    #[test]
    fn all_scalars_come_out_alike() {
        let text: String = (0..=char::MAX as u32).filter_map(char::from_u32).collect();
        let wide: Vec<u16> = text.encode_utf16().collect();
        let mut buffer = Buffer::default();
        assert!(buffer.read(&units(&wide)) == Ok(&text));
        assert!(buffer.0.len() > KEPT || text.len() < KEPT);
        assert_eq!(buffer.read(&units(&[0x44f, 0x21])), Ok("я!"));
    }
}
