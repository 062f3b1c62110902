//! The weights for the words of one script, in memory.

use crate::letters::Script;

/// Most words that sharpen a score: beyond them a text is no surer.
const SHARPEST: f32 = 64.0;

/// Keys that are compared at once.
const AT_ONCE: usize = 8;

/// Bytes of a line of the processor's cache.
const LINE: usize = 64;

/// Weights for the words of one script.
pub struct Section {
    pub script: Script,
    pub labels: Vec<String>,
    /// Labels rounded up to whole vectors of 16.
    pub width: usize,
    /// Keys ascend with their rows: where the keys with each upper half begin, and the lower half of each key, then
    /// `AT_ONCE` zeros.
    starts: Vec<u32>,
    lows: Vec<u16>,
    weights: Vec<i8>,
    /// Where the first row begins, so that rows begin with a line of the processor's cache.
    start: usize,
    bias: Vec<f32>,
    scale: f32,
    /// Scores of n words are summed and divided by n to this power.
    length: f32,
    sharpness: f32,
    slope: f32,
    /// `factor` of the first numbers of words.
    factors: Vec<(f32, f32)>,
}

impl Section {
    /// The row of a feature; none where it is unknown.
    pub fn find(&self, feature: u32) -> Option<u32> {
        let (row, is_known) = self.place(feature);
        is_known.then_some(row)
    }

    /// The row of a feature, and whether it is known. Up to `AT_ONCE` keys are compared at once, without a jump
    /// that depends on them: so the reads of one feature do not wait for those of the one before.
    #[inline]
    pub fn place(&self, feature: u32) -> (u32, bool) {
        let upper = (feature >> 16) as usize;
        let (first, end) = (self.starts[upper], self.starts[upper + 1]);
        let low = feature as u16;
        let Some(keys) = self.lows[first as usize..].first_chunk::<AT_ONCE>() else {
            return (0, false);
        };
        if end - first > AT_ONCE as u32 {
            let found = (first..end).find(|&row| self.lows[row as usize] == low);
            return (found.unwrap_or(0), found.is_some());
        }
        let mut equal = 0u32;
        for (at, &key) in keys.iter().enumerate() {
            equal |= u32::from(key == low) << at;
        }
        equal &= (1 << (end - first)) - 1;
        (first + equal.trailing_zeros(), equal != 0)
    }

    /// The weights of a row, one a label and zeros to `width`.
    #[inline]
    pub fn weights(&self, row: u32) -> &[i8] {
        let start = self.start + row as usize * self.width;
        &self.weights[start..start + self.width]
    }

    /// Calibrated scores from the sums of `words` words: the logarithm of a probability up to a constant.
    pub fn scores(&self, sums: &[i32], words: u32) -> Vec<f32> {
        let (by, sharp) = self.factor_of(words);
        let bias = self.bias.iter();
        bias.zip(sums)
            .map(|(bias, &sum)| (sum as f32 * by + bias) * sharp)
            .collect()
    }

    /// How far the score of `label` from the sums of `words` words is before the best of the others; below 0
    /// where another one is before it. The same as from `scores`, without keeping them.
    pub fn lead_of(&self, label: usize, sums: &[i32], words: u32) -> f32 {
        let (by, sharp) = self.factor_of(words);
        let score = |(bias, &sum): (&f32, &i32)| (sum as f32 * by + bias) * sharp;
        let (before, after) = (&self.bias[..label], &self.bias[label + 1..]);
        let others = before
            .iter()
            .zip(sums)
            .chain(after.iter().zip(&sums[label + 1..]));
        let best = others.map(score).fold(f32::NEG_INFINITY, f32::max);
        score((&self.bias[label], &sums[label])) - best
    }

    /// The least difference of sums by which `label` leads `other` after `words` words by `lead`, biases counted, in
    /// scores that are multiplied by the words to the power of `length` and are not sharpened.
    pub fn sums_for(&self, label: usize, other: usize, words: u32, lead: f32) -> f32 {
        let biases = (self.bias[label] - self.bias[other]) * (words as f32).powf(self.length);
        (lead - biases) / self.scale
    }

    fn factor_of(&self, words: u32) -> (f32, f32) {
        match self.factors.get(words as usize) {
            Some(&factors) => factors,
            None => self.factor(words),
        }
    }

    /// What sums and biases of so many words are multiplied by.
    fn factor(&self, words: u32) -> (f32, f32) {
        let words = words.max(1) as f32;
        let sharp = (self.sharpness + self.slope * words.min(SHARPEST).ln()).exp();
        (self.scale * words.powf(-self.length), sharp)
    }

    pub fn new(header: &Header, keys: &[u8], bias: &[u8], weights: &[u8]) -> Self {
        let labels = header.labels.len();
        let width = labels.next_multiple_of(16);
        let mut starts = vec![0u32; (1 << 16) + 1];
        let mut lows = Vec::with_capacity(header.rows + AT_ONCE);
        for key in keys_of(keys) {
            starts[(key >> 16) as usize + 1] += 1;
            lows.push(key as u16);
        }
        lows.extend([0; AT_ONCE]);
        for upper in 0..1 << 16 {
            starts[upper + 1] += starts[upper];
        }
        let mut padded = vec![0i8; header.rows * width + LINE];
        let start = padded.as_ptr().align_offset(LINE).min(LINE);
        for (row, values) in weights.chunks_exact(labels).enumerate() {
            for (to, &value) in padded[start + row * width..].iter_mut().zip(values) {
                *to = value as i8;
            }
        }
        let mut section = Self {
            script: header.script,
            labels: header.labels.clone(),
            width,
            starts,
            lows,
            factors: Vec::new(),
            weights: padded,
            start,
            bias: bias
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            scale: header.numbers[0],
            length: header.numbers[1],
            sharpness: header.numbers[2],
            slope: header.numbers[3],
        };
        section.factors = (0..=SHARPEST as u32).map(|words| section.factor(words)).collect();
        section
    }
}

/// What the file's header says of a section; the numbers are scale, length, sharpness and slope.
pub struct Header {
    pub script: Script,
    pub rows: usize,
    pub numbers: [f32; 4],
    pub labels: Vec<String>,
}

/// The keys of a section's rows, ascending in a model file.
pub fn keys_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&key| u32::from_le_bytes(key))
}
