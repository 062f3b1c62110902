//! The file of a model, little-endian: magic, u32 bits, f32 bias, slope and offset, the weights, and u64 FNV-1a of all
//! bytes before.

use super::{BITS, Linear};

const MAGIC: &[u8; 8] = b"BKVLIN1\n";
/// Bytes before the weights.
const HEAD: usize = 24;

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Linear {
    /// The model as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.bits.to_le_bytes());
        for value in [self.bias, self.slope, self.offset].iter().chain(&self.weights) {
            out.extend(value.to_le_bytes());
        }
        out.extend(fnv(&out).to_le_bytes());
        out
    }

    /// A model from its bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if !bytes.starts_with(MAGIC) {
            return Err("not a classifier: the file must begin with BKVLIN1".to_owned());
        }
        let damaged = || "the classifier's file is damaged: write it again".to_owned();
        let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(damaged)?;
        if body.len() < HEAD || fnv(body) != u64::from_le_bytes(*sum) {
            return Err(damaged());
        }
        let (head, rest) = body[8..].split_at(4);
        let bits = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let values: Vec<f32> = rest
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .collect();
        if !BITS.contains(&bits) || values.len() != 3 + (1 << bits) || values.iter().any(|v| !v.is_finite()) {
            return Err(damaged());
        }
        Ok(Linear {
            bits,
            bias: values[0],
            slope: values[1],
            offset: values[2],
            weights: values[3..].to_vec(),
        })
    }
}
