//! Word types as runs of symbols in one flat array.
//!
//! A record is [count, length, capacity, symbols]. A symbol is a token id and one bit: whether a morpheme
//! begins where the symbol does (set at the start of a word, too). Vocabularies below 2^15 take two bytes a
//! symbol, so that a typical word lies in one cache line.

use super::TrainError;
use super::prefetch::prefetch;
use super::progress::Progress;

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
    /// Bit i is set where symbols i and i + 1 have the ids `first` and `second`.
    fn pairs(symbols: &[Self; LANES + 1], first: u32, second: u32) -> u32;
}

/// Pairs of symbols compared together.
pub const LANES: usize = 8;

/// What `Symbol::pairs` returns, by definition.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub fn pairs_by_one<S: Symbol>(symbols: &[S; LANES + 1], first: u32, second: u32) -> u32 {
    let pairs = symbols.windows(2).enumerate();
    pairs.fold(0, |found, (at, pair)| {
        found | u32::from(pair[0].id() == first && pair[1].id() == second) << at
    })
}

/// What symbols of either width share: the boundary is the highest bit, `$bits` bits of id stand below it.
macro_rules! id_and_boundary {
    ($symbol:ty, $count:literal, $bits:literal) => {
        const COUNT: usize = $count;
        const IDS: usize = 1 << $bits;
        #[inline(always)]
        fn new(id: u32, boundary: bool) -> Self {
            id as $symbol | <$symbol>::from(boundary) << $bits
        }
        #[inline(always)]
        fn id(self) -> u32 {
            u32::from(self & ((1 << $bits) - 1))
        }
        #[inline(always)]
        fn boundary(self) -> bool {
            self >> $bits != 0
        }
        #[inline(always)]
        fn from_number(number: u64) -> Self {
            number as $symbol
        }
        #[inline(always)]
        fn number(self) -> u64 {
            u64::from(self)
        }
    };
}

impl Symbol for u16 {
    id_and_boundary!(u16, 4, 15);

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn pairs(symbols: &[Self; LANES + 1], first: u32, second: u32) -> u32 {
        use std::arch::x86_64::*;
        // SAFETY: SSE2 is part of x86-64; 8 symbols of 2 bytes from the first and from the second lie in the
        // array, and the loads need no alignment.
        unsafe {
            let ids = _mm_set1_epi16(0x7fff);
            let left = _mm_and_si128(_mm_loadu_si128(symbols.as_ptr().cast()), ids);
            let right = _mm_and_si128(_mm_loadu_si128(symbols.as_ptr().add(1).cast()), ids);
            let left = _mm_cmpeq_epi16(left, _mm_set1_epi16(first as i16));
            let right = _mm_cmpeq_epi16(right, _mm_set1_epi16(second as i16));
            let both = _mm_and_si128(left, right);
            _mm_movemask_epi8(_mm_packs_epi16(both, _mm_setzero_si128())) as u32
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    fn pairs(symbols: &[Self; LANES + 1], first: u32, second: u32) -> u32 {
        pairs_by_one(symbols, first, second)
    }
}

impl Symbol for u32 {
    id_and_boundary!(u32, 2, 31);

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn pairs(symbols: &[Self; LANES + 1], first: u32, second: u32) -> u32 {
        use std::arch::x86_64::*;
        // SAFETY: SSE2 is part of x86-64; twice 4 symbols of 4 bytes from the first and from the second lie in
        // the array, and the loads need no alignment.
        unsafe {
            let ids = _mm_set1_epi32(0x7fff_ffff);
            let (first, second) = (_mm_set1_epi32(first as i32), _mm_set1_epi32(second as i32));
            let at = |place: usize| _mm_and_si128(_mm_loadu_si128(symbols.as_ptr().add(place).cast()), ids);
            let both = |place: usize| {
                _mm_and_si128(
                    _mm_cmpeq_epi32(at(place), first),
                    _mm_cmpeq_epi32(at(place + 1), second),
                )
            };
            let all = _mm_packs_epi32(both(0), both(4));
            _mm_movemask_epi8(_mm_packs_epi16(all, _mm_setzero_si128())) as u32
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    fn pairs(symbols: &[Self; LANES + 1], first: u32, second: u32) -> u32 {
        pairs_by_one(symbols, first, second)
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

    /// Asks for the memory of a word: two cache lines, because most records lie on two.
    #[inline(always)]
    pub fn prefetch(&self, word: usize) {
        prefetch(&self.data, word);
        prefetch(&self.data, word + 64 / size_of::<S>() - Self::HEADER);
    }

    /// How often the word occurs.
    #[inline(always)]
    pub fn count(&self, word: usize) -> i64 {
        let bits = size_of::<S>() * 8;
        let parts = self.data[word..word + S::COUNT].iter().enumerate();
        parts.fold(0, |count, (part, value)| count | value.number() << (part * bits)) as i64
    }

    /// How many symbols the word has.
    #[inline(always)]
    pub fn len(&self, word: usize) -> usize {
        self.data[word + S::COUNT].number() as usize
    }

    /// The symbols of the word.
    #[inline(always)]
    pub fn symbols(&self, word: usize) -> &[S] {
        let len = self.data[word + S::COUNT].number() as usize;
        &self.data[word + Self::HEADER..word + Self::HEADER + len]
    }

    /// The first place from `at` on, before `end`, where `first` and `second` follow each other; `end` if they
    /// do not. Places are those of `data`, and `end` is where the word ends.
    #[inline(always)]
    pub fn find(&self, mut at: usize, end: usize, first: u32, second: u32) -> usize {
        while at + 1 < end {
            // What lies behind the word is looked at, too, and left out.
            let Some(symbols) = self.data.get(at..).and_then(|rest| rest.first_chunk()) else {
                let mut rest = self.data[at..end].windows(2);
                let place = rest.position(|pair| pair[0].id() == first && pair[1].id() == second);
                return place.map_or(end, |place| at + place);
            };
            let found = at + S::pairs(symbols, first, second).trailing_zeros() as usize;
            if found < at + LANES {
                return if found + 1 < end { found } else { end };
            }
            at += LANES;
        }
        end
    }

    /// Shortens the word.
    #[inline(always)]
    pub fn set_len(&mut self, word: usize, len: usize) {
        self.data[word + S::COUNT] = S::from_number(len as u64);
    }

    /// Calls `visit` with each word, its count and its symbols.
    pub fn for_each(
        &self,
        progress: &mut Progress<'_>,
        mut visit: impl FnMut(usize, i64, &[S]),
    ) -> Result<(), TrainError> {
        let mut word = 0;
        while word < self.data.len() {
            progress.check()?;
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

    /// The words in symbols of another width, without gaps and without words of one symbol, with which `done` is
    /// called.
    pub fn widen<T: Symbol>(mut self, done: impl FnMut(S, i64)) -> Words<T> {
        self.compact(done);
        let (mut types, mut word) = (0, 0);
        while word < self.data.len() {
            word += Self::HEADER + self.len(word);
            types += 1;
        }
        let mut wide = Words::with_capacity(types, self.data.len() - types * Self::HEADER);
        word = 0;
        while word < self.data.len() {
            let symbols = self.symbols(word).iter();
            wide.push(
                self.count(word),
                symbols.map(|symbol| T::new(symbol.id(), symbol.boundary())),
            );
            word += Self::HEADER + self.len(word);
        }
        wide
    }
}
