//! What skimming looks for and finds.

/// A set of byte values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bytes([u64; 4]);

impl Bytes {
    pub fn of(values: &[u8]) -> Self {
        let mut set = Bytes::default();
        set.extend(values);
        set
    }

    pub fn insert(&mut self, value: u8) {
        self.0[usize::from(value >> 6)] |= 1 << (value & 63);
    }

    pub fn extend(&mut self, values: &[u8]) {
        for &value in values {
            self.insert(value);
        }
    }

    pub fn united(mut self, other: &Bytes) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
        self
    }

    /// Whether one of the sets is whole in this one.
    pub fn holds_any(&self, sets: &[Bytes]) -> bool {
        let holds = |set: &Bytes| self.0.iter().zip(set.0).all(|(mine, theirs)| theirs & !mine == 0);
        sets.iter().any(holds)
    }
}

/// What skimming found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skim {
    /// The stream's end: bytes of input used, bytes that it holds.
    Whole { used: usize, holds: u64 },
    /// A whole set of what was watched for may be among them, or they are more than was asked for.
    Other,
    /// The stream goes on behind the input.
    Cut,
    /// No DEFLATE stream.
    Bad,
}
