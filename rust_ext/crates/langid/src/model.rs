//! The model's file, and its sections in memory.
//!
//! The file: the line `bukvar-langid 1`; lines of `made ...` (where the weights are from); for each section a
//! line `section SCRIPT ROWS SCALE LENGTH SHARPNESS SLOPE` and a line `labels TAG ...`; an empty line; then for
//! each section ROWS keys (u32, ascending), a bias a label (f32) and ROWS rows of a weight a label (i8), all
//! little-endian; last the FNV-1a hash (u64) of everything before it.

use std::fmt;

use crate::letters::{SCRIPT_TAGS, Script};
use crate::proof::Proof;

pub const MAGIC: &str = "bukvar-langid 1";

/// Most words that sharpen a score: beyond them a text is no surer.
const SHARPEST: f32 = 64.0;

/// Keys that are compared at once.
const AT_ONCE: usize = 8;

/// Bytes of a line of the processor's cache.
const LINE: usize = 64;

/// Why a file is not a model.
#[derive(Debug, PartialEq, Eq)]
pub enum ModelError {
    OtherKind,
    Header(String),
    Damaged,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKind => write!(
                f,
                "the file does not begin with {MAGIC:?}: it is a model of another kind"
            ),
            Self::Header(line) => write!(
                f,
                "the model's header has a line that is not understood: {line:?}"
            ),
            Self::Damaged => write!(
                f,
                "the model file is damaged: its checksum or its length is wrong"
            ),
        }
    }
}

impl std::error::Error for ModelError {}

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
    /// Tells Russian units of Russian documents without the rows above.
    pub proof: Option<Proof>,
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

    fn new(header: &Header, keys: &[u8], bias: &[u8], weights: &[u8]) -> Self {
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
            proof: None,
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
        section.proof = (section.script == Script::Cyrillic)
            .then(|| Proof::new(&section))
            .flatten();
        section
    }
}

struct Header {
    script: Script,
    rows: usize,
    numbers: [f32; 4],
    labels: Vec<String>,
}

pub struct Model {
    /// In the order of `Script`: Cyrillic, then Latin.
    pub sections: Vec<Section>,
    /// Of all sections in order, then the tags of scripts (`SCRIPT_TAGS`).
    pub labels: Vec<String>,
    /// The lines `made ...` of the header.
    pub made: Vec<String>,
}

impl Model {
    /// Reads a model file.
    pub fn parse(data: &[u8]) -> Result<Self, ModelError> {
        let text_end = data.windows(2).position(|pair| pair == b"\n\n");
        if !data.starts_with(MAGIC.as_bytes()) {
            return Err(ModelError::OtherKind);
        }
        let end = text_end.ok_or(ModelError::Damaged)?;
        let (head, mut rest) = (&data[..end], &data[end + 2..]);
        let sum = rest.len().checked_sub(8).ok_or(ModelError::Damaged)?;
        if checksum(&data[..data.len() - 8]).to_le_bytes() != rest[sum..] {
            return Err(ModelError::Damaged);
        }
        rest = &rest[..sum];
        let (headers, made) = headers(std::str::from_utf8(head).map_err(|_| ModelError::Damaged)?)?;
        let mut sections = Vec::new();
        for header in &headers {
            let labels = header.labels.len();
            let keys = take(&mut rest, header.rows, 4)?;
            if !keys_of(keys).is_sorted_by(|a, b| a < b) {
                return Err(ModelError::Damaged);
            }
            let bias = take(&mut rest, labels, 4)?;
            let weights = take(&mut rest, header.rows, labels)?;
            sections.push(Section::new(header, keys, bias, weights));
        }
        let scripts: Vec<Script> = sections.iter().map(|s| s.script).collect();
        if !rest.is_empty() || scripts != [Script::Cyrillic, Script::Latin] {
            return Err(ModelError::Damaged);
        }
        let mut labels: Vec<String> = sections.iter().flat_map(|s| s.labels.clone()).collect();
        labels.extend(SCRIPT_TAGS.map(String::from));
        Ok(Self {
            sections,
            labels,
            made,
        })
    }

    /// The first of the section's labels among all.
    pub fn first(&self, section: usize) -> usize {
        self.sections[..section].iter().map(|s| s.labels.len()).sum()
    }
}

/// FNV-1a over the bytes.
pub fn checksum(data: &[u8]) -> u64 {
    data.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &b| {
        (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01B3)
    })
}

fn take<'a>(rest: &mut &'a [u8], count: usize, size: usize) -> Result<&'a [u8], ModelError> {
    let bytes = count
        .checked_mul(size)
        .filter(|&n| n <= rest.len())
        .ok_or(ModelError::Damaged)?;
    let (taken, left) = rest.split_at(bytes);
    *rest = left;
    Ok(taken)
}

fn keys_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&key| u32::from_le_bytes(key))
}

fn headers(text: &str) -> Result<(Vec<Header>, Vec<String>), ModelError> {
    let mut headers: Vec<Header> = Vec::new();
    let mut made = Vec::new();
    for line in text.lines().skip(1) {
        let wrong = || ModelError::Header(line.chars().take(60).collect());
        let (kind, value) = line.split_once(' ').ok_or_else(wrong)?;
        match kind {
            "made" => made.push(value.to_owned()),
            "section" => headers.push(section(value).ok_or_else(wrong)?),
            "labels" => {
                let header = headers
                    .last_mut()
                    .filter(|h| h.labels.is_empty())
                    .ok_or_else(wrong)?;
                header.labels = value.split(' ').map(str::to_owned).collect();
            }
            _ => return Err(wrong()),
        }
    }
    if headers.iter().any(|h| h.labels.is_empty()) {
        return Err(ModelError::Damaged);
    }
    Ok((headers, made))
}

fn section(value: &str) -> Option<Header> {
    let mut parts = value.split(' ');
    let script = match parts.next()? {
        "Cyrl" => Script::Cyrillic,
        "Latn" => Script::Latin,
        _ => return None,
    };
    let rows: u32 = parts.next()?.parse().ok()?;
    let mut numbers = [0.0; 4];
    for number in &mut numbers {
        *number = parts.next()?.parse().ok().filter(|n: &f32| n.is_finite())?;
    }
    parts.next().is_none().then_some(Header {
        script,
        rows: rows as usize,
        numbers,
        labels: Vec::new(),
    })
}
