//! MinHash signatures (Broder 1997) and their LSH bands, over shingles of words.
//!
//! One pass: each word is hashed to 64 bits once, a shingle combines the hashes of its words, its upper 32
//! bits go through `bands * rows` functions `a * x + b mod 2^32` with odd `a`, and each keeps its least
//! value. Thirty-two bits because a vector register then holds eight of them: measured against the 61-bit
//! Mersenne prime of datasketch, the error of the estimate is the same (docs/measured/dedup.md). The inner loop holds
//! sixteen functions in registers and runs over the shingles; it is compiled three times (portable, SSE4.1,
//! AVX2) and the best one that the machine has is taken. It is integer arithmetic: the results are the same
//! everywhere.

/// Functions whose least values are held in registers together: two AVX2 registers of multipliers, two of
/// offsets, two of minima, which leaves room for the shingle and the product.
const LANES: usize = 16;

/// Odd constants with no visible structure: the first digits of the golden ratio and of MurmurHash3's
/// finaliser (Appleby, public domain).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const MURMUR_1: u64 = 0xff51_afd7_ed55_8ccd;
const MURMUR_2: u64 = 0xc4ce_b9fe_1a85_ec53;

/// MurmurHash3's 64-bit finaliser: every bit of the input moves every bit of the output.
pub fn finish(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(MURMUR_1);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(MURMUR_2);
    hash ^ (hash >> 33)
}

#[inline]
fn absorb(hash: u64, value: u64) -> u64 {
    let mixed = (hash ^ value).wrapping_mul(GOLDEN);
    mixed ^ (mixed >> 32)
}

/// Bytes that must follow a word in the buffer given to `hash_word`.
pub const PADDING: usize = 8;

/// 64 bits of the word `buffer[start..end]`: eight bytes at a time, little-endian, the last group filled with
/// zeros. Whole groups are loaded and masked, so `PADDING` bytes of any value must follow the word.
#[inline]
pub fn hash_word(buffer: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    let mut hash = absorb(0, length as u64);
    let (groups, _) = buffer[start..end + PADDING].as_chunks::<8>();
    let (whole, odd) = (length / 8, length % 8);
    for group in &groups[..whole] {
        hash = absorb(hash, u64::from_le_bytes(*group));
    }
    if odd > 0 {
        let mask = (1u64 << (8 * odd)) - 1;
        hash = absorb(hash, u64::from_le_bytes(groups[whole]) & mask);
    }
    finish(hash)
}

/// Hashes of the shingles of `length` words; a text of fewer words is one shingle of all of them, a text of
/// none has none. `shingles` is emptied first.
pub fn shingle(words: &[u64], length: usize, shingles: &mut Vec<u32>) {
    shingles.clear();
    if words.is_empty() {
        return;
    }
    let length = length.clamp(1, words.len());
    shingles.extend(words.windows(length).map(|window| {
        let hash = window
            .iter()
            .fold(length as u64, |hash, &word| absorb(hash, word));
        (finish(hash) >> 32) as u32
    }));
}

/// The functions of a signature and how it is cut into bands.
#[derive(Debug, Clone)]
pub struct MinHash {
    bands: usize,
    rows: usize,
    /// Padded to a multiple of LANES.
    multipliers: Vec<u32>,
    offsets: Vec<u32>,
}

impl MinHash {
    /// `bands * rows` functions drawn from `seed` by SplitMix64 (Steele, Lea, Flood 2014).
    pub fn new(bands: usize, rows: usize, seed: u64) -> Self {
        let padded = (bands * rows).next_multiple_of(LANES);
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_add(GOLDEN);
            let mut value = state;
            value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            value ^ (value >> 31)
        };
        let (multipliers, offsets) = (0..padded)
            .map(|_| {
                let bits = draw();
                ((bits >> 32) as u32 | 1, bits as u32)
            })
            .unzip();
        Self {
            bands,
            rows,
            multipliers,
            offsets,
        }
    }

    /// Values in a signature.
    pub fn width(&self) -> usize {
        self.bands * self.rows
    }

    /// The least value of each function over `shingles`, into `signature` (emptied first).
    pub fn sign(&self, shingles: &[u32], signature: &mut Vec<u32>) {
        signature.clear();
        signature.resize(self.multipliers.len(), u32::MAX);
        best_kernel()(&self.multipliers, &self.offsets, shingles, signature);
        signature.truncate(self.width());
    }

    /// One hash a band; equal only (but for 64-bit chance) where all rows of the same band are equal.
    pub fn band_hashes<'a>(&'a self, signature: &'a [u32]) -> impl Iterator<Item = u64> + 'a {
        signature.chunks_exact(self.rows).zip(1u64..).map(|(rows, band)| {
            finish(
                rows.iter()
                    .fold(band, |hash, &value| absorb(hash, u64::from(value))),
            )
        })
    }
}

type Kernel = fn(&[u32], &[u32], &[u32], &mut [u32]);

#[inline(always)]
fn least_values(multipliers: &[u32], offsets: &[u32], shingles: &[u32], least: &mut [u32]) {
    let (multipliers, _) = multipliers.as_chunks::<LANES>();
    let (offsets, _) = offsets.as_chunks::<LANES>();
    let (least, _) = least.as_chunks_mut::<LANES>();
    for ((multiplier, offset), out) in multipliers.iter().zip(offsets).zip(least) {
        let mut held = *out;
        for &shingle in shingles {
            for lane in 0..LANES {
                let value = multiplier[lane].wrapping_mul(shingle).wrapping_add(offset[lane]);
                held[lane] = held[lane].min(value);
            }
        }
        *out = held;
    }
}

fn portable(multipliers: &[u32], offsets: &[u32], shingles: &[u32], least: &mut [u32]) {
    least_values(multipliers, offsets, shingles, least);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::least_values;

    #[target_feature(enable = "avx2")]
    fn with_avx2(multipliers: &[u32], offsets: &[u32], shingles: &[u32], least: &mut [u32]) {
        least_values(multipliers, offsets, shingles, least);
    }

    #[target_feature(enable = "sse4.1")]
    fn with_sse41(multipliers: &[u32], offsets: &[u32], shingles: &[u32], least: &mut [u32]) {
        least_values(multipliers, offsets, shingles, least);
    }

    pub fn avx2(multipliers: &[u32], offsets: &[u32], shingles: &[u32], least: &mut [u32]) {
        assert!(is_x86_feature_detected!("avx2"));
        // SAFETY: the line above holds the only condition, that the machine has AVX2 (the check is cached by
        // the standard library). `every_kernel_gives_the_same_values` runs it.
        unsafe { with_avx2(multipliers, offsets, shingles, least) }
    }

    pub fn sse41(multipliers: &[u32], offsets: &[u32], shingles: &[u32], least: &mut [u32]) {
        assert!(is_x86_feature_detected!("sse4.1"));
        // SAFETY: as above, for SSE4.1.
        unsafe { with_sse41(multipliers, offsets, shingles, least) }
    }
}

/// The kernels that this machine can run, best first, with their names.
pub fn kernels() -> Vec<(&'static str, Kernel)> {
    let mut found: Vec<(&'static str, Kernel)> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") {
            found.push(("avx2", x86::avx2));
        }
        if is_x86_feature_detected!("sse4.1") {
            found.push(("sse4.1", x86::sse41));
        }
    }
    found.push(("portable", portable));
    found
}

fn best_kernel() -> Kernel {
    static BEST: std::sync::OnceLock<Kernel> = std::sync::OnceLock::new();
    *BEST.get_or_init(|| kernels().first().map_or(portable, |&(_, kernel)| kernel))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signature(scheme: &MinHash, shingles: &[u32]) -> Vec<u32> {
        let mut values = Vec::new();
        scheme.sign(shingles, &mut values);
        values
    }

    proptest! {
        #[test]
        fn every_kernel_gives_the_same_values(
            shingles in prop::collection::vec(any::<u32>(), 0..300), seed: u64, bands in 1usize..20, rows in 1usize..12
        ) {
            let scheme = MinHash::new(bands, rows, seed);
            let plain: Vec<u32> = (0..scheme.width())
                .map(|i| {
                    let (a, b) = (scheme.multipliers[i], scheme.offsets[i]);
                    shingles.iter().map(|&x| a.wrapping_mul(x).wrapping_add(b)).min().unwrap_or(u32::MAX)
                })
                .collect();
            for (name, kernel) in kernels() {
                let mut least = vec![u32::MAX; scheme.multipliers.len()];
                kernel(&scheme.multipliers, &scheme.offsets, &shingles, &mut least);
                prop_assert_eq!(&least[..scheme.width()], &plain[..], "{}", name);
            }
            prop_assert_eq!(scheme.band_hashes(&plain).count(), bands);
        }

        #[test]
        fn a_signature_does_not_depend_on_order_or_repetition(mut shingles in prop::collection::vec(any::<u32>(), 1..50)) {
            let scheme = MinHash::new(14, 8, 1);
            let before = signature(&scheme, &shingles);
            shingles.extend_from_within(..);
            shingles.reverse();
            prop_assert_eq!(before, signature(&scheme, &shingles));
        }
    }

    #[test]
    fn a_short_text_is_one_shingle_and_an_empty_one_none() {
        let mut shingles = Vec::new();
        shingle(&[1, 2, 3], 5, &mut shingles);
        assert_eq!(shingles.len(), 1);
        shingle(&[1, 2, 3, 4, 5, 6], 5, &mut shingles);
        assert_eq!(shingles.len(), 2);
        shingle(&[], 5, &mut shingles);
        assert!(shingles.is_empty());
    }

    #[test]
    fn shingles_of_different_lengths_differ() {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        shingle(&[0], 5, &mut one);
        shingle(&[0, 0], 5, &mut two);
        assert_ne!(one, two);
    }

    #[test]
    fn what_follows_a_word_does_not_enter_its_hash() {
        for length in 0..20 {
            let word = vec![b'x'; length];
            let (one, two) = (
                [&word[..], &[0; PADDING]].concat(),
                [&word[..], &[255; PADDING]].concat(),
            );
            assert_eq!(hash_word(&one, 0, length), hash_word(&two, 0, length));
        }
    }

    #[test]
    fn words_that_differ_only_in_trailing_zeros_differ() {
        let buffer = [b"a\0\0\0\0\0\0\0\0\0".as_slice(), &[7; PADDING]].concat();
        let hashes: std::collections::BTreeSet<u64> = (0..10).map(|end| hash_word(&buffer, 0, end)).collect();
        assert_eq!(hashes.len(), 10);
    }
}
