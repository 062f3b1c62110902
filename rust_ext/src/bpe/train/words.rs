//! Word types as runs of symbols in one flat array.
//!
//! A record is [count, length, capacity, symbols]. A symbol is a token id and one bit: whether a morpheme
//! begins where the symbol does (set at the start of a word, too). Vocabularies below 2^15 take two bytes a
//! symbol, so that a typical word lies in one cache line.

use super::TrainError;
use super::watch::Watch;

/// A token id with its boundary bit.
pub trait Symbol: Copy + PartialEq + std::fmt::Debug + Send + 'static {
    /// Elements that hold a 64-bit count.
    const COUNT: usize;
    /// The largest id plus one.
    const IDS: usize;
    fn new(id: u32, boundary: bool) -> Self;
    fn id(self) -> u32;
    fn boundary(self) -> bool;
    fn from_number(number: u64) -> Self;
    fn number(self) -> u64;
}

impl Symbol for u16 {
    const COUNT: usize = 4;
    const IDS: usize = 1 << 15;
    #[inline(always)]
    fn new(id: u32, boundary: bool) -> Self {
        id as u16 | u16::from(boundary) << 15
    }
    #[inline(always)]
    fn id(self) -> u32 {
        u32::from(self & 0x7fff)
    }
    #[inline(always)]
    fn boundary(self) -> bool {
        self >> 15 != 0
    }
    #[inline(always)]
    fn from_number(number: u64) -> Self {
        number as u16
    }
    #[inline(always)]
    fn number(self) -> u64 {
        u64::from(self)
    }
}

impl Symbol for u32 {
    const COUNT: usize = 2;
    const IDS: usize = 1 << 31;
    #[inline(always)]
    fn new(id: u32, boundary: bool) -> Self {
        id | u32::from(boundary) << 31
    }
    #[inline(always)]
    fn id(self) -> u32 {
        self & 0x7fff_ffff
    }
    #[inline(always)]
    fn boundary(self) -> bool {
        self >> 31 != 0
    }
    #[inline(always)]
    fn from_number(number: u64) -> Self {
        number as u32
    }
    #[inline(always)]
    fn number(self) -> u64 {
        u64::from(self)
    }
}

/// Elements between two looks at the clock: a millisecond's worth.
const STRIDE: usize = 1 << 20;

/// The longest word type that a record holds, in bytes.
pub const MAX_BYTES: usize = 0xffff;

/// All word types; a word is named by where its record starts.
pub struct Words<S> {
    pub data: Vec<S>,
}

impl<S: Symbol> Words<S> {
    /// Elements before the symbols of a record.
    pub const HEADER: usize = S::COUNT + 2;

    /// Room for `types` words of `bytes` bytes in all.
    pub fn with_capacity(types: usize, bytes: usize) -> Self {
        Self {
            data: Vec::with_capacity(types * Self::HEADER + bytes),
        }
    }

    /// Adds a word of 1..=`MAX_BYTES` symbols.
    pub fn push(&mut self, count: i64, symbols: impl ExactSizeIterator<Item = S>) {
        let bits = size_of::<S>() * 8;
        self.data
            .extend((0..S::COUNT).map(|part| S::from_number(count as u64 >> (part * bits))));
        self.data.extend([S::from_number(symbols.len() as u64); 2]);
        self.data.extend(symbols);
    }

    /// How often the word occurs.
    #[inline(always)]
    pub fn count(&self, word: usize) -> i64 {
        let bits = size_of::<S>() * 8;
        let parts = self.data[word..word + S::COUNT].iter().enumerate();
        parts.fold(0, |count, (part, value)| count | value.number() << (part * bits)) as i64
    }

    /// The symbols of the word.
    #[inline(always)]
    pub fn symbols(&self, word: usize) -> &[S] {
        let len = self.data[word + S::COUNT].number() as usize;
        &self.data[word + Self::HEADER..word + Self::HEADER + len]
    }

    /// The symbols of the word, to be changed.
    #[inline(always)]
    pub fn symbols_mut(&mut self, word: usize) -> &mut [S] {
        let len = self.data[word + S::COUNT].number() as usize;
        &mut self.data[word + Self::HEADER..word + Self::HEADER + len]
    }

    /// Shortens the word.
    #[inline(always)]
    pub fn set_len(&mut self, word: usize, len: usize) {
        self.data[word + S::COUNT] = S::from_number(len as u64);
    }

    /// Calls `visit` with each word, its count and its symbols.
    pub fn for_each(
        &self,
        watch: &mut Watch<'_>,
        mut visit: impl FnMut(usize, i64, &[S]),
    ) -> Result<(), TrainError> {
        let mut word = 0;
        while word < self.data.len() {
            watch.still()?;
            let end = self.data.len().min(word + STRIDE);
            while word < end {
                visit(word, self.count(word), self.symbols(word));
                word += Self::HEADER + self.data[word + S::COUNT + 1].number() as usize;
            }
        }
        Ok(())
    }

    /// Closes the gaps that merges left, and lets go of words of one symbol, with which `done` is called.
    /// Words move: what names them is void.
    pub fn compact(&mut self, mut done: impl FnMut(S, i64)) {
        let (mut from, mut to) = (0, 0);
        while from < self.data.len() {
            let len = self.data[from + S::COUNT].number() as usize;
            let capacity = self.data[from + S::COUNT + 1].number() as usize;
            if len == 1 {
                done(self.data[from + Self::HEADER], self.count(from));
            } else {
                self.data.copy_within(from..from + Self::HEADER + len, to);
                self.data[to + S::COUNT + 1] = S::from_number(len as u64);
                to += Self::HEADER + len;
            }
            from += Self::HEADER + capacity;
        }
        self.data.truncate(to);
    }
}
