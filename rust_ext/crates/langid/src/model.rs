//! The model's file.
//!
//! The file: the line `bukvar-langid 1`; lines of `made ...` (where the weights are from); for each section a
//! line `section SCRIPT ROWS SCALE LENGTH SHARPNESS SLOPE` and a line `labels TAG ...`; an empty line; then for
//! each section ROWS keys (u32, ascending), a bias a label (f32) and ROWS rows of a weight a label (i8), all
//! little-endian; last the FNV-1a hash (u64) of everything before it.

use std::fmt;

use crate::letters::{SCRIPT_TAGS, Script};
use crate::proof::Proof;
use crate::section::{Header, Section, keys_of};

pub const MAGIC: &str = "bukvar-langid 1";

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

pub struct Model {
    /// In the order of `Script`: Cyrillic, then Latin.
    pub sections: Vec<Section>,
    /// Tells Russian units of Russian documents without the rows of the Cyrillic section.
    pub proof: Option<Proof>,
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
            proof: Proof::new(&sections[0]),
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
