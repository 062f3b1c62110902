//! Runs of letters in a block of bytes, many at a time: with SSE2, which every x86-64 has, and in plain
//! integers elsewhere. A test holds the two together.

/// A run of two-byte letters U+0400..U+047F at the start of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cyrillic {
    /// Bit i is set where bytes 2i and 2i+1 are such a letter (bits 16 and up are 0).
    pub letters: u32,
    /// Byte i is the letter's code point less U+0400 where bit i of `letters` is set; else any value.
    pub codes: u128,
}

impl Cyrillic {
    /// Bit i is set where letter i is a capital (U+0400..U+042F, and the even ones from U+0460).
    #[inline(always)]
    pub fn upper(self) -> u32 {
        imp::upper(self.codes)
    }
}

#[cfg(target_arch = "x86_64")]
pub use imp::{ascii_letters, ascii_upper, cyrillic};
#[cfg(not(target_arch = "x86_64"))]
use portable as imp;
#[cfg(not(target_arch = "x86_64"))]
pub use portable::{ascii_letters, ascii_upper, cyrillic};

#[cfg(target_arch = "x86_64")]
mod imp {
    use super::{Cyrillic, sse2};

    #[inline(always)]
    pub fn cyrillic(block: &[u8; 32]) -> Cyrillic {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { sse2::cyrillic(block) }
    }

    #[inline(always)]
    pub fn upper(codes: u128) -> u32 {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { sse2::upper(codes) }
    }

    /// Bit i is set where byte i is an ASCII letter.
    #[inline(always)]
    pub fn ascii_letters(block: &[u8; 16]) -> u32 {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { sse2::ascii_letters(block) }
    }

    /// Bit i is set where byte i is an ASCII capital.
    #[inline(always)]
    pub fn ascii_upper(block: &[u8; 16]) -> u32 {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { sse2::ascii_upper(block) }
    }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::*;

    use super::Cyrillic;

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(bytes: &[u8; 16]) -> __m128i {
        let word = u128::from_le_bytes(*bytes);
        _mm_set_epi64x((word >> 64) as i64, word as i64)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn store(lanes: __m128i) -> u128 {
        let low = _mm_cvtsi128_si64(lanes) as u64;
        let high = _mm_cvtsi128_si64(_mm_unpackhi_epi64(lanes, lanes)) as u64;
        u128::from(high) << 64 | u128::from(low)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub fn cyrillic(block: &[u8; 32]) -> Cyrillic {
        let (halves, _) = block.as_chunks::<16>();
        let (a, b) = (load(&halves[0]), load(&halves[1]));
        let is_lead = |v| _mm_cmpeq_epi16(_mm_and_si128(v, _mm_set1_epi16(0xfe)), _mm_set1_epi16(0xd0));
        let letters = _mm_movemask_epi8(_mm_packs_epi16(is_lead(a), is_lead(b))) as u32;
        let code = |v| {
            let high = _mm_slli_epi16::<6>(_mm_and_si128(v, _mm_set1_epi16(1)));
            _mm_or_si128(high, _mm_and_si128(_mm_srli_epi16::<8>(v), _mm_set1_epi16(0x3f)))
        };
        Cyrillic {
            letters,
            codes: store(_mm_packus_epi16(code(a), code(b))),
        }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    pub fn upper(codes: u128) -> u32 {
        let codes = load(&codes.to_le_bytes());
        // Codes are below 0x80, so signed comparison is right.
        let capital = _mm_cmplt_epi8(codes, _mm_set1_epi8(0x30));
        let paired = _mm_cmpgt_epi8(codes, _mm_set1_epi8(0x5f));
        let even = _mm_cmpeq_epi8(_mm_and_si128(codes, _mm_set1_epi8(1)), _mm_setzero_si128());
        _mm_movemask_epi8(_mm_or_si128(capital, _mm_and_si128(paired, even))) as u32
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn between(v: __m128i, first: u8, last: u8) -> u32 {
        // Shifting `first` to -128 turns the range into one signed comparison.
        let shifted = _mm_add_epi8(v, _mm_set1_epi8((0x80u8.wrapping_sub(first)) as i8));
        let limit = _mm_set1_epi8((0x80u8.wrapping_add(last - first).wrapping_add(1)) as i8);
        _mm_movemask_epi8(_mm_cmplt_epi8(shifted, limit)) as u32
    }

    /// Bit i is set where byte i is an ASCII letter.
    #[inline]
    #[target_feature(enable = "sse2")]
    pub fn ascii_letters(block: &[u8; 16]) -> u32 {
        between(_mm_or_si128(load(block), _mm_set1_epi8(0x20)), b'a', b'z')
    }

    /// Bit i is set where byte i is an ASCII capital.
    #[inline]
    #[target_feature(enable = "sse2")]
    pub fn ascii_upper(block: &[u8; 16]) -> u32 {
        between(load(block), b'A', b'Z')
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
pub mod portable {
    use super::Cyrillic;

    pub fn cyrillic(block: &[u8; 32]) -> Cyrillic {
        let mut out = Cyrillic { letters: 0, codes: 0 };
        for (i, pair) in block.as_chunks::<2>().0.iter().enumerate() {
            out.letters |= u32::from(pair[0] & 0xfe == 0xd0) << i;
            out.codes |= u128::from((pair[0] & 1) << 6 | pair[1] & 0x3f) << (8 * i);
        }
        out
    }

    pub fn upper(codes: u128) -> u32 {
        let capital = |code: u8| code < 0x30 || (code >= 0x60 && code & 1 == 0);
        mask(&codes.to_le_bytes(), capital)
    }

    pub fn ascii_letters(block: &[u8; 16]) -> u32 {
        mask(block, |byte| byte.is_ascii_alphabetic())
    }

    pub fn ascii_upper(block: &[u8; 16]) -> u32 {
        mask(block, |byte| byte.is_ascii_uppercase())
    }

    fn mask(bytes: &[u8; 16], test: impl Fn(u8) -> bool) -> u32 {
        bytes
            .iter()
            .enumerate()
            .map(|(i, &byte)| u32::from(test(byte)) << i)
            .sum()
    }
}
