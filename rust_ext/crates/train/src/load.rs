//! Counts -> words to learn from, in parts, one a thread.
//!
//! Which part a pretoken belongs to follows from its bytes, so that each part can be read without the others, and
//! all hold pairs alike. In a part words are sorted as in counts files: words that end alike lie together, and
//! a merge finds its words in fewer places of memory.

use std::path::Path;

use super::TrainError;
use super::boundaries::{Boundaries, Word};
use super::counts::{Piece, Reader};
use super::parallel;
use super::parameters::{Parameters, Source, Start};
use super::progress::Progress;
use super::table::{CountTable, Entry};
use super::words::{MAX_BYTES, Symbol, Words};
use bukvar_split::Key;

/// Pretokens whose words are looked up in the boundaries together.
const BATCH: usize = 32;
/// Pretokens between two looks at the clock while they are read.
const STRIDE: usize = 1 << 12;
/// Types that are worth a thread of their own.
const SHARE: u64 = 1 << 14;

/// What was read.
pub struct Loaded<S> {
    /// The parts, at least one.
    pub words: Vec<Words<S>>,
    /// Bytes of all words, each as often as it occurs.
    pub tokens: i64,
    pub characters: i64,
    /// Pretokens left out because they were too long.
    pub left_out: u64,
}

/// Reads counts in at most as many parts as there are threads; with `start`, of words that can hold a new token, and
/// as its tokens.
pub fn load<S: Symbol>(
    source: Source<'_>,
    parameters: &Parameters,
    (boundaries, start): (Option<&Boundaries>, Option<&Start<'_>>),
    progress: &mut Progress<'_>,
) -> Result<Loaded<S>, TrainError> {
    let types: u64 = match &source {
        Source::Tables(tables) => tables.iter().map(|table| table.types() as u64).sum(),
        Source::Owned(tables) => tables.iter().map(|table| table.types() as u64).sum(),
        Source::File(path) => {
            let reader = Reader::open(path)?;
            reader.header().short_types + reader.header().long_types
        }
    };
    let most = types / SHARE;
    let parts = parameters.threads.min(most as usize).max(1);
    let new = || Loader::<S>::new(parameters, boundaries, start);
    let loaders = match source {
        Source::Tables(tables) => {
            let sorted = sort(tables, parts, progress)?;
            read_sorted(sorted, tables, new, progress)?
        }
        Source::Owned(mut tables) => {
            let sorted = sort(&tables, parts, progress)?;
            tables.iter_mut().for_each(CountTable::let_go_of_short);
            read_sorted(sorted, &tables, new, progress)?
        }
        Source::File(path) => parallel::map(0..parts, progress, |part, _, progress| {
            let mut loader = new();
            loader.read_file(path, Class { part, parts }, progress)?;
            Ok(loader)
        })?,
    };
    let mut loaded = Loaded {
        words: Vec::new(),
        tokens: 0,
        characters: 0,
        left_out: 0,
    };
    for loader in loaders {
        loaded.words.push(loader.words);
        loaded.tokens += loader.tokens;
        loaded.characters += loader.characters;
        loaded.left_out += loader.left_out;
    }
    if loaded.words.iter().all(|words| words.data.is_empty()) {
        Err(TrainError::Empty)
    } else {
        Ok(loaded)
    }
}

/// The pretokens of one part.
#[derive(Debug, Clone, Copy)]
struct Class {
    part: usize,
    parts: usize,
}

impl Class {
    #[inline(always)]
    fn of_hash(self, hash: u64) -> bool {
        ((u128::from(hash) * self.parts as u128) >> 64) as usize == self.part
    }

    #[inline(always)]
    fn has(self, low: u64, high: u64) -> bool {
        self.parts == 1 || self.of_hash((low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn has_long(self, piece: &[u8]) -> bool {
        let mix = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.parts == 1 || self.of_hash(piece.iter().fold(0, mix))
    }
}

/// The entries of tables that have a key, by part, sorted; equal ones are added up.
fn sort(
    tables: &[CountTable],
    parts: usize,
    progress: &mut Progress<'_>,
) -> Result<Vec<Vec<Entry>>, TrainError> {
    parallel::map(0..parts, progress, |part, _, progress| {
        let class = Class { part, parts };
        let types: usize = tables.iter().map(CountTable::types).sum();
        let mut entries = Vec::with_capacity(types / parts + types / 64);
        for table in tables {
            progress.check()?;
            entries.extend(table.entries().filter(|entry| class.has(entry.low, entry.high)));
        }
        progress.check()?;
        entries.sort_unstable_by_key(|entry| (entry.high, entry.low));
        entries.dedup_by(|next, kept| {
            let same = (next.high, next.low) == (kept.high, kept.low);
            if same {
                kept.count += next.count;
            }
            same
        });
        Ok(entries)
    })
}

fn read_sorted<'a, S: Symbol>(
    sorted: Vec<Vec<Entry>>,
    tables: &[CountTable],
    new: impl Fn() -> Loader<'a, S> + Sync,
    progress: &mut Progress<'_>,
) -> Result<Vec<Loader<'a, S>>, TrainError> {
    let parts = sorted.len();
    parallel::map(sorted.into_iter(), progress, |entries, part, progress| {
        let mut loader = new();
        loader.read_entries(entries, tables, Class { part, parts }, progress)?;
        Ok(loader)
    })
}

/// Turns counts into words.
struct Loader<'a, S> {
    words: Words<S>,
    ids: [u32; 256],
    boundaries: Option<&'a Boundaries>,
    start: Option<&'a Start<'a>>,
    /// Tokens of the word at hand.
    ranks: Vec<u32>,
    starts: Vec<bool>,
    waiting: Vec<(Key, u64, Option<Word>)>,
    tokens: i64,
    characters: i64,
    left_out: u64,
    max_bytes: usize,
}

impl<'a, S: Symbol> Loader<'a, S> {
    fn new(
        parameters: &Parameters,
        boundaries: Option<&'a Boundaries>,
        start: Option<&'a Start<'a>>,
    ) -> Self {
        let mut ids = [0; 256];
        (0..)
            .zip(parameters.alphabet)
            .for_each(|(id, byte)| ids[usize::from(byte)] = id);
        Self {
            words: Words { data: Vec::new() },
            ids,
            boundaries,
            start,
            ranks: Vec::new(),
            starts: Vec::new(),
            waiting: Vec::with_capacity(BATCH),
            tokens: 0,
            characters: 0,
            left_out: 0,
            max_bytes: parameters.max_pretoken_bytes.min(MAX_BYTES),
        }
    }

    fn read_entries(
        &mut self,
        short: Vec<Entry>,
        tables: &[CountTable],
        class: Class,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        let mut long: Vec<(&[u8], u64)> = Vec::new();
        for table in tables {
            long.extend(table.long().filter(|(piece, _)| class.has_long(piece)));
        }
        long.sort_unstable();
        long.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let types = short.len() + long.len();
        let short_bytes: usize = short.iter().map(|entry| entry.key().decoded_len()).sum();
        let long_bytes = long.iter().map(|(piece, _)| piece.len());
        let long_bytes: usize = long_bytes.filter(|&len| len <= self.max_bytes).sum();
        self.words = Words::with_capacity(types, short_bytes + long_bytes);
        for (done, entry) in short.iter().enumerate() {
            if done.is_multiple_of(STRIDE) {
                progress.update("read", done, types)?;
            }
            self.wait((entry.key(), entry.count));
        }
        self.push_waiting();
        long.iter().for_each(|&(piece, count)| self.push(piece, count));
        Ok(())
    }

    fn read_file(
        &mut self,
        path: &Path,
        class: Class,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        let mut reader = Reader::open(path)?;
        let types = reader.header().short_types + reader.header().long_types;
        // What the header says is checked by what follows; until then it is good for a hint.
        let hint = |number: u64| (number / class.parts as u64).min(1 << 32) as usize;
        self.words = Words::with_capacity(hint(types), hint(reader.header().type_bytes));
        let mut done = 0;
        while let Some((piece, count)) = reader.read()? {
            if done % STRIDE == 0 {
                progress.update("read", done, types as usize)?;
            }
            done += 1;
            match piece {
                Piece::Short(key) if class.has(key.0 as u64, (key.0 >> 64) as u64) => self.wait((key, count)),
                Piece::Long(piece) if class.has_long(&piece) => self.push(&piece, count),
                _ => {}
            }
        }
        self.push_waiting();
        Ok(())
    }

    /// Takes a record; under boundaries, holds it back until those of its word are on their way from memory.
    #[inline(always)]
    fn wait(&mut self, (key, count): (Key, u64)) {
        let Some(boundaries) = self.boundaries else {
            return self.push_short(key, count, None);
        };
        self.waiting.push((key, count, boundaries.prefetch(key)));
        if self.waiting.len() == BATCH {
            self.push_waiting();
        }
    }

    fn push_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for (key, count, word) in waiting.drain(..) {
            self.push_short(key, count, word);
        }
        self.waiting = waiting;
    }

    #[inline(always)]
    fn push_short(&mut self, key: Key, count: u64, word: Option<Word>) {
        let mut bytes = [0; 32];
        let len = key.decode(&mut bytes);
        let piece = &bytes[..len];
        if let (Some(boundaries), Some(word)) = (self.boundaries, word) {
            let starts = boundaries.starts(word);
            self.push_marked(piece, count, |at| starts >> at & 1 != 0);
        } else {
            self.push(piece, count);
        }
    }

    fn push(&mut self, piece: &[u8], count: u64) {
        if let Some(boundaries) = self.boundaries {
            let mut starts = std::mem::take(&mut self.starts);
            boundaries.find(piece, &mut starts);
            self.push_marked(piece, count, |at| starts[at]);
            self.starts = starts;
        } else {
            self.push_marked(piece, count, |_| false);
        }
    }

    #[inline(always)]
    fn push_marked(&mut self, piece: &[u8], count: u64, starts: impl Fn(usize) -> bool) {
        if piece.len() > self.max_bytes {
            self.left_out += count;
            return;
        }
        if let Some(start) = self.start {
            return self.push_tokens(start, piece, count, starts);
        }
        self.tokens += count as i64 * piece.len() as i64;
        let characters = piece.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        self.characters += count as i64 * characters as i64;
        let ids = &self.ids;
        let symbols = piece.iter().enumerate();
        self.words.push(
            count as i64,
            symbols.map(|(at, &byte)| S::new(ids[usize::from(byte)], starts(at))),
        );
    }

    fn push_tokens(&mut self, start: &Start<'_>, piece: &[u8], count: u64, starts: impl Fn(usize) -> bool) {
        if !piece.iter().any(|&byte| start.required[usize::from(byte)]) {
            return;
        }
        (start.segment)(piece, &mut self.ranks);
        self.tokens += count as i64 * self.ranks.len() as i64;
        let characters = piece.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        self.characters += count as i64 * characters as i64;
        let mut at = 0;
        let symbols = self.ranks.iter().map(|&rank| {
            let symbol = S::new(rank, starts(at));
            at += start.tokens[rank as usize].len();
            symbol
        });
        self.words.push(count as i64, symbols);
    }
}
