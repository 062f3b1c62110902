//! One pass over a text: look pretokens up, merge what is not known, hand on the ids in order.
//!
//! Pretokens are looked up a batch at a time, the set of each fetched while the others are split. What a batch
//! holds that the cache does not know is merged together (`together`), and its ids are then put in where they
//! belong.

use std::ops::Range;

use super::cache::{self, Cache, Found};
use super::error::EncodeError;
use super::model::Model;
use super::nfc;
use super::options::Options;
use super::together::Job;
use super::utf16::{Buffer, KEPT, Text};
use bukvar_split::{Key, Splitter};

/// Pretokens looked up together. Three in a hundred are new, so that eight or so are merged side by side; of
/// more the sets, 128 bytes each, would leave the processor's first cache before they are looked at.
const BATCH: usize = 256;

/// Receives the ids of pretokens, in order.
pub trait Sink {
    /// The first `count` (1..=4) of `ids`.
    fn few(&mut self, ids: [u32; 4], count: usize);
    fn many(&mut self, ids: &[u32]);
    /// The ids of a pretoken too long for the cache.
    fn long(&mut self, piece: &[u8], model: &Model);
    /// How many ids it has received.
    fn position(&self) -> usize;
    /// Puts ids before earlier ones: of each (position, range in `ids`), in the order of positions.
    fn insert(&mut self, places: impl DoubleEndedIterator<Item = (usize, Range<usize>)>, ids: &[u32]);
}

impl Sink for Vec<u32> {
    #[inline(always)]
    fn few(&mut self, ids: [u32; 4], count: usize) {
        if self.capacity() - self.len() < 4 {
            self.reserve(4);
        }
        let len = self.len();
        // SAFETY: four elements of spare capacity were made sure of, all four are written, and the new
        // length counts at most four of them.
        unsafe {
            self.as_mut_ptr().add(len).cast::<[u32; 4]>().write_unaligned(ids);
            self.set_len(len + count.min(4));
        }
    }

    #[inline]
    fn many(&mut self, ids: &[u32]) {
        self.extend_from_slice(ids);
    }

    fn long(&mut self, piece: &[u8], model: &Model) {
        model.append(piece, self);
    }

    #[inline(always)]
    fn position(&self) -> usize {
        self.len()
    }

    fn insert(&mut self, places: impl DoubleEndedIterator<Item = (usize, Range<usize>)>, ids: &[u32]) {
        let mut end = self.len();
        // All that was merged is put in somewhere.
        self.resize(end + ids.len(), 0);
        let mut to = self.len();
        for (place, range) in places.rev() {
            self.copy_within(place..end, to - (end - place));
            to -= end - place + range.len();
            end = place;
            self[to..to + range.len()].copy_from_slice(&ids[range]);
        }
    }
}

/// Counts ids instead of keeping them.
pub struct Counter(pub u64);

impl Sink for Counter {
    #[inline(always)]
    fn few(&mut self, _ids: [u32; 4], count: usize) {
        self.0 += count as u64;
    }

    #[inline]
    fn many(&mut self, ids: &[u32]) {
        self.0 += ids.len() as u64;
    }

    fn long(&mut self, piece: &[u8], model: &Model) {
        self.0 += model.count(piece);
    }

    #[inline(always)]
    fn position(&self) -> usize {
        0
    }

    fn insert(&mut self, _places: impl DoubleEndedIterator<Item = (usize, Range<usize>)>, ids: &[u32]) {
        self.0 += ids.len() as u64;
    }
}

/// A pretoken that waits in a batch.
#[derive(Clone, Copy)]
struct Waiting {
    key: Key,
    set: usize,
    start: usize,
    end: usize,
}

const NOBODY: Waiting = Waiting {
    key: Key::LONG,
    set: 0,
    start: 0,
    end: 0,
};

/// A pretoken of a batch that the cache does not know; its job has the same index.
struct Missed {
    key: Key,
    set: usize,
    /// Ids before its own.
    position: usize,
}

/// What one thread works with: its cache, and room for a batch.
pub struct Worker {
    cache: Cache,
    batch: Box<[Waiting; BATCH]>,
    missed: Vec<Missed>,
    jobs: Vec<Job>,
    merged: Vec<u32>,
    buffer: Buffer,
    nfc: bool,
    normal: String,
}

impl Worker {
    pub fn new(options: &Options, seed: u64) -> Self {
        Self {
            cache: Cache::new(options.cache_bytes, seed),
            batch: Box::new([NOBODY; BATCH]),
            missed: Vec::new(),
            jobs: Vec::new(),
            merged: Vec::new(),
            buffer: Buffer::default(),
            nfc: options.nfc,
            normal: String::new(),
        }
    }

    /// Hands the ids of a text to `sink`.
    pub fn run(
        &mut self,
        text: Text<'_>,
        splitter: &Splitter,
        model: &Model,
        sink: &mut impl Sink,
    ) -> Result<(), EncodeError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let done = match text {
            Text::Utf8(text) => self.run_form(text, splitter, model, sink),
            Text::Utf16(units) => match buffer.read(units) {
                Ok(text) => self.run_form(text, splitter, model, sink),
                Err(error) => Err(error),
            },
        };
        self.buffer = buffer;
        done
    }

    /// The text in the form that the vocabulary wants.
    fn run_form(
        &mut self,
        text: &str,
        splitter: &Splitter,
        model: &Model,
        sink: &mut impl Sink,
    ) -> Result<(), EncodeError> {
        if !self.nfc {
            return self.run_utf8(text, splitter, model, sink);
        }
        let mut normal = std::mem::take(&mut self.normal);
        let done = self.run_utf8(nfc::normalized(text, &mut normal), splitter, model, sink);
        if normal.capacity() <= KEPT {
            self.normal = normal;
        }
        done
    }

    fn run_utf8(
        &mut self,
        text: &str,
        splitter: &Splitter,
        model: &Model,
        sink: &mut impl Sink,
    ) -> Result<(), EncodeError> {
        let bytes = text.as_bytes();
        let mut waiting = 0;
        splitter.for_each(text, |key, Range { start, end }| {
            let set = self.cache.set_of(key);
            self.cache.prefetch(set);
            self.batch[waiting] = Waiting { key, set, start, end };
            waiting += 1;
            if waiting == BATCH {
                self.flush(bytes, BATCH, model, sink);
                waiting = 0;
            }
        })?;
        self.flush(bytes, waiting, model, sink);
        Ok(())
    }

    #[inline]
    fn flush(&mut self, text: &[u8], waiting: usize, model: &Model, sink: &mut impl Sink) {
        for at in 0..waiting.min(BATCH) {
            let one = &self.batch[at];
            match self.cache.get(one.set, one.key) {
                Found::Few(ids, count) => sink.few(ids, count),
                Found::Many(ids) => sink.many(ids),
                Found::Nothing => self.miss(text, at, model, sink),
            }
        }
        if !self.missed.is_empty() {
            self.settle(text, model, sink);
        }
    }

    #[cold]
    #[inline(never)]
    fn miss(&mut self, text: &[u8], at: usize, model: &Model, sink: &mut impl Sink) {
        let Waiting { key, set, start, end } = self.batch[at];
        if end - start > cache::LONGEST {
            self.settle(text, model, sink);
            return sink.long(&text[start..end], model);
        }
        if key == Key::LONG
            && let Some(ids) = self.cache.get_long(&text[start..end])
        {
            return sink.many(ids);
        }
        let position = sink.position();
        self.missed.push(Missed { key, set, position });
        self.jobs.push(Job::new(start, end));
    }

    /// Merges what was missed, stores it and puts it in.
    #[inline(never)]
    fn settle(&mut self, text: &[u8], model: &Model, sink: &mut impl Sink) {
        self.merged.clear();
        model.merge_all(text, &mut self.jobs, &mut self.merged);
        for (missed, job) in self.missed.iter().zip(&self.jobs) {
            let ids = &self.merged[job.ids()];
            if missed.key == Key::LONG {
                self.cache.put_long(&text[job.start..job.end], ids);
            } else {
                self.cache.put(missed.set, missed.key, ids);
            }
        }
        let places = self.missed.iter().zip(&self.jobs);
        sink.insert(
            places.map(|(missed, job)| (missed.position, job.ids())),
            &self.merged,
        );
        self.missed.clear();
        self.jobs.clear();
    }
}
