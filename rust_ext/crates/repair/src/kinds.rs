//! The repairs, which of them are wanted, and how often each was applied.

/// The repairs, in the order of their counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Characters restored from text decoded in the wrong charset.
    Mojibake = 0,
    /// Entities that were escaped twice.
    Entities = 1,
    /// Control characters removed or replaced by what they stand for.
    Controls = 2,
    /// Zero-width characters and idle direction marks removed.
    ZeroWidth = 3,
    /// Soft hyphens removed.
    SoftHyphens = 4,
    /// Stress marks removed.
    Stress = 5,
    /// Characters composed (й from и and a breve).
    Nfc = 6,
    /// Letters of the wrong script in a word of another.
    Homoglyphs = 7,
}

/// Number of kinds.
pub const KINDS: usize = 8;

/// Which repairs are wanted: bit n for the kind n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options(pub u8);

impl Options {
    /// Every repair.
    pub const ALL: Self = Self(u8::MAX);

    /// True when the repair is wanted.
    pub fn wants(&self, kind: Kind) -> bool {
        self.0 >> (kind as u8) & 1 == 1
    }
}

/// How often each repair was applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts(pub [i32; KINDS]);

impl Counts {
    /// Counts `more` repairs of a kind.
    pub fn add(&mut self, kind: Kind, more: usize) {
        let cell = &mut self.0[kind as usize];
        *cell = cell.saturating_add(i32::try_from(more).unwrap_or(i32::MAX));
    }
}
