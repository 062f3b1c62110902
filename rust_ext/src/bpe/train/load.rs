//! Counts -> words to learn from.

use std::path::Path;

use super::TrainError;
use super::boundaries::{Boundaries, Word};
use super::counts::{Piece, Reader};
use super::learn::{Parameters, Source};
use super::watch::Watch;
use super::words::{MAX_BYTES, Symbol, Words};
use crate::split::Key;

/// Pretokens whose words are looked up in the boundaries together.
const BATCH: usize = 32;
/// Pretokens between two looks at the clock while they are read.
const STRIDE: usize = 1 << 12;

/// Turns counts into words.
pub struct Loader<'a, S> {
    pub words: Words<S>,
    ids: [u32; 256],
    boundaries: Option<&'a Boundaries>,
    starts: Vec<bool>,
    waiting: Vec<(Key, u64, Option<Word>)>,
    /// Bytes of all words, each as often as it occurs.
    pub tokens: i64,
    pub characters: i64,
    /// Pretokens left out because they were too long.
    pub left_out: u64,
    max_bytes: usize,
}

impl<'a, S: Symbol> Loader<'a, S> {
    pub fn load(
        source: Source<'_>,
        parameters: &Parameters,
        boundaries: Option<&'a Boundaries>,
        watch: &mut Watch<'_>,
    ) -> Result<Self, TrainError> {
        let mut ids = [0; 256];
        (0..)
            .zip(parameters.alphabet)
            .for_each(|(id, byte)| ids[usize::from(byte)] = id);
        let mut loader = Self {
            words: Words { data: Vec::new() },
            ids,
            boundaries,
            starts: Vec::new(),
            waiting: Vec::with_capacity(BATCH),
            tokens: 0,
            characters: 0,
            left_out: 0,
            max_bytes: parameters.max_pretoken_bytes.min(MAX_BYTES),
        };
        match source {
            Source::Table(table) => {
                let (short, long) = (table.short().collect(), table.long().collect::<Vec<_>>());
                loader.read_table(short, &long, watch)?;
            }
            Source::Owned(table) => {
                let (short, long) = table.into_entries();
                let long: Vec<_> = long.iter().map(|(piece, count)| (&**piece, *count)).collect();
                loader.read_table(short, &long, watch)?;
            }
            Source::File(path) => loader.read_file(path, watch)?,
        }
        if loader.words.data.is_empty() {
            Err(TrainError::Empty)
        } else {
            Ok(loader)
        }
    }

    /// Sorted as files are: words that end alike then lie together, and a merge finds its words in fewer places
    /// of memory.
    fn read_table(
        &mut self,
        mut short: Vec<(Key, u64)>,
        long: &[(&[u8], u64)],
        watch: &mut Watch<'_>,
    ) -> Result<(), TrainError> {
        short.sort_unstable_by_key(|record| record.0);
        let types = short.len() + long.len();
        let short_bytes: usize = short.iter().map(|(key, _)| key.decoded_len()).sum();
        let long_bytes = long.iter().map(|(piece, _)| piece.len());
        let long_bytes: usize = long_bytes.filter(|&len| len <= self.max_bytes).sum();
        self.words = Words::with_capacity(types, short_bytes + long_bytes);
        for (done, &record) in short.iter().enumerate() {
            if done.is_multiple_of(STRIDE) {
                watch.at("read", done, types)?;
            }
            self.wait(record);
        }
        self.push_waiting();
        long.iter().for_each(|&(piece, count)| self.push(piece, count));
        Ok(())
    }

    fn read_file(&mut self, path: &Path, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        let mut reader = Reader::open(path)?;
        let types = reader.header().short_types + reader.header().long_types;
        // What the header says is checked by what follows; until then it is good for a hint.
        let hint = |number: u64| number.min(1 << 32) as usize;
        self.words = Words::with_capacity(hint(types), hint(reader.header().type_bytes));
        let mut done = 0;
        while let Some((piece, count)) = reader.read()? {
            if done % STRIDE == 0 {
                watch.at("read", done, types as usize)?;
            }
            done += 1;
            match piece {
                Piece::Short(key) => self.wait((key, count)),
                Piece::Long(piece) => self.push(&piece, count),
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
            boundaries.mark(piece, &mut starts);
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
}
