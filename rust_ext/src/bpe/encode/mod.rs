//! Text to ids and back, exactly as tiktoken and tokenizers do it.
//!
//! A document is cut into pretokens (`split`), each pretoken is looked up by its 16-byte key in a bounded
//! cache (`cache`), and only what is not there is merged (`merge`). Russian repeats itself: of the 18.6
//! million pretokens of 156 MB, 3 in 100 are new, so time goes to splitting, probing and the new ones in
//! about equal parts.
//!
//! Two kinds of vocabulary (`model`): *ordered*, where rank order is merge order and each token has the one
//! pair that makes it; and the rest (Llama 3 has 695 tokens with parts of higher rank), where, as in
//! tiktoken, any two neighbours merge whose concatenation is a token, and a pretoken that is a token as it
//! stands is that token.

mod cache;
mod merge;
mod model;
mod pairs;
mod windows;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::split::{Key, SplitError, Splitter};
use cache::Cache;
pub use model::{Model, NO_MERGE, derive_merges};

/// Why a vocabulary or a text was refused; the message says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodeError {
    /// The vocabulary is none that this encoder can run.
    Vocabulary(String),
    /// The pattern or the text was refused by the splitter.
    Split(SplitError),
    /// An id that is no token's.
    UnknownId(u32),
    /// Texts given as one buffer and offsets are not slices of UTF-8.
    Offsets(String),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vocabulary(why) => write!(f, "{why}"),
            Self::Split(error) => write!(f, "{error}"),
            Self::UnknownId(id) => write!(f, "{id} is the id of no token"),
            Self::Offsets(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for EncodeError {}

impl From<SplitError> for EncodeError {
    fn from(error: SplitError) -> Self {
        Self::Split(error)
    }
}

/// What an encoder is made of, beside the vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Memory of the cache of one thread.
    pub cache_bytes: usize,
    /// Seed of the hashes, so that no text can be made up that falls into one set of the cache; None draws
    /// one. Ids do not depend on it.
    pub seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 32 << 20,
            seed: None,
        }
    }
}

/// Pretokens looked up together: the set of each is fetched into the processor's cache while the others are
/// split.
const BATCH: usize = 64;

/// Receives the ids of pretokens, in order.
trait Sink {
    /// The first `count` (1..=4) of `ids`.
    fn few(&mut self, ids: [u32; 4], count: usize);
    fn many(&mut self, ids: &[u32]);
    /// The ids of a pretoken too long for the cache.
    fn long(&mut self, piece: &[u8], model: &Model);
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
}

/// Counts ids instead of keeping them.
struct Counter(u64);

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

/// A vocabulary made ready to encode; shared by threads, each of which borrows a cache of its own.
pub struct Encoder {
    model: Model,
    splitter: Splitter,
    options: Options,
    seed: u64,
    idle: Mutex<Vec<Cache>>,
}

impl Encoder {
    pub fn new(model: Model, pattern: &str, options: Options) -> Result<Self, EncodeError> {
        let splitter = Splitter::new(pattern)?;
        let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one(0u64));
        Ok(Self {
            model,
            splitter,
            options,
            seed,
            idle: Mutex::new(Vec::new()),
        })
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The ids of one text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        let mut ids = Vec::with_capacity(text.len() / 5 + 8);
        self.with_cache(|cache| self.run(text, cache, &mut ids))?;
        Ok(ids)
    }

    /// How many ids one text has.
    pub fn count(&self, text: &str) -> Result<u64, EncodeError> {
        let mut counter = Counter(0);
        self.with_cache(|cache| self.run(text, cache, &mut counter))?;
        Ok(counter.0)
    }

    /// The ids of all texts in one array, and the offsets at which each text begins (and the end).
    pub fn encode_batch(&self, texts: &[&str], threads: usize) -> Result<(Vec<u32>, Vec<i64>), EncodeError> {
        let parts = self.over_shares(texts, threads, |texts, cache| {
            let bytes: usize = texts.iter().map(|text| text.len()).sum();
            // One id for five bytes is what Russian and English come to; the array grows where it is more.
            let mut ids = Vec::with_capacity(bytes / 5 + 8);
            let mut ends = Vec::with_capacity(texts.len());
            for text in texts {
                self.run(text, cache, &mut ids)?;
                ends.push(ids.len());
            }
            Ok((ids, ends))
        })?;
        let mut offsets = Vec::with_capacity(texts.len() + 1);
        offsets.push(0);
        let mut parts = parts.into_iter();
        let (mut ids, ends) = parts.next().unwrap_or_default();
        offsets.extend(ends.iter().map(|&end| end as i64));
        for (more, ends) in parts {
            let base = ids.len();
            ids.extend_from_slice(&more);
            offsets.extend(ends.iter().map(|&end| (base + end) as i64));
        }
        Ok((ids, offsets))
    }

    /// How many ids each text has.
    pub fn count_batch(&self, texts: &[&str], threads: usize) -> Result<Vec<i64>, EncodeError> {
        let parts = self.over_shares(texts, threads, |texts, cache| {
            let mut counts = Vec::with_capacity(texts.len());
            for text in texts {
                let mut counter = Counter(0);
                self.run(text, cache, &mut counter)?;
                counts.push(counter.0 as i64);
            }
            Ok(counts)
        })?;
        Ok(parts.concat())
    }

    /// The bytes that ids stand for, one after another.
    pub fn decode(&self, ids: &[u32]) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::with_capacity(ids.len() * 6);
        for &id in ids {
            bytes.extend_from_slice(self.model.token_of_id(id).ok_or(EncodeError::UnknownId(id))?);
        }
        Ok(bytes)
    }

    /// Runs `work` on consecutive shares of `texts` of about equal bytes, one share a thread; results come in
    /// the order of the texts, so they are the same for any number of threads.
    fn over_shares<T: Send>(
        &self,
        texts: &[&str],
        threads: usize,
        work: impl Fn(&[&str], &mut Cache) -> Result<T, EncodeError> + Sync,
    ) -> Result<Vec<T>, EncodeError> {
        let shares = shares(texts, threads.max(1));
        if shares.len() <= 1 {
            return Ok(vec![self.with_cache(|cache| work(texts, cache))?]);
        }
        let results: Vec<Result<T, EncodeError>> = std::thread::scope(|scope| {
            let work = &work;
            let running: Vec<_> = shares
                .into_iter()
                .map(|share| scope.spawn(move || self.with_cache(|cache| work(&texts[share], cache))))
                .collect();
            running
                .into_iter()
                .map(|one| {
                    one.join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect()
        });
        results.into_iter().collect()
    }

    fn with_cache<T>(&self, work: impl FnOnce(&mut Cache) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut cache = taken.unwrap_or_else(|| Cache::new(self.options.cache_bytes, self.seed));
        let result = work(&mut cache);
        idle().push(cache);
        result
    }

    fn run(&self, text: &str, cache: &mut Cache, sink: &mut impl Sink) -> Result<(), EncodeError> {
        let bytes = text.as_bytes();
        let mut batch = [NOBODY; BATCH];
        let mut waiting = 0;
        self.splitter.for_each(text, |key, Range { start, end }| {
            let set = cache.set_of(key);
            cache.prefetch(set);
            batch[waiting] = Waiting { key, set, start, end };
            waiting += 1;
            if waiting == BATCH {
                self.flush(bytes, &batch, cache, sink);
                waiting = 0;
            }
        })?;
        self.flush(bytes, &batch[..waiting], cache, sink);
        Ok(())
    }

    #[inline]
    fn flush(&self, text: &[u8], batch: &[Waiting], cache: &mut Cache, sink: &mut impl Sink) {
        for one in batch {
            match cache.get(one.set, one.key) {
                cache::Found::Few(ids, count) => sink.few(ids, count),
                cache::Found::Many(ids) => sink.many(ids),
                cache::Found::Nothing => self.miss(&text[one.start..one.end], one, cache, sink),
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn miss(&self, piece: &[u8], one: &Waiting, cache: &mut Cache, sink: &mut impl Sink) {
        if piece.len() > cache::LONGEST {
            return sink.long(piece, &self.model);
        }
        if one.key == Key::LONG
            && let Some(ids) = cache.get_long(piece)
        {
            sink.many(ids);
            return;
        }
        let ids = cache.scratch();
        self.model.merge(piece, ids);
        sink.many(ids);
        if one.key == Key::LONG {
            cache.put_long(piece);
        } else {
            cache.put(one.set, one.key);
        }
    }
}

/// The texts that lie between successive `offsets` of `data`, as Arrow keeps them.
pub fn slices<'a>(data: &'a [u8], offsets: &[i64]) -> Result<Vec<&'a str>, EncodeError> {
    let wrong = |why: &str| EncodeError::Offsets(why.to_owned());
    let at = |offset: i64| usize::try_from(offset).map_err(|_| wrong("an offset is negative"));
    let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
        return Ok(Vec::new());
    };
    let (first, last) = (at(first)?, at(last)?);
    let used = data
        .get(first..last)
        .ok_or_else(|| wrong("offsets lie outside the data"))?;
    let text = simdutf8::basic::from_utf8(used).map_err(|_| wrong("the texts are not UTF-8"))?;
    let slice = |pair: &[i64]| {
        let (start, end) = (at(pair[0])?.checked_sub(first), at(pair[1])?.checked_sub(first));
        let slice = start.zip(end).and_then(|(start, end)| text.get(start..end));
        slice.ok_or_else(|| wrong("offsets do not rise, or cut a character"))
    };
    offsets.windows(2).map(slice).collect()
}

/// Cuts texts into at most `count` consecutive shares of about equal bytes.
fn shares(texts: &[&str], count: usize) -> Vec<Range<usize>> {
    let total: usize = texts.iter().map(|text| text.len() + 1).sum();
    let mut shares = Vec::new();
    let (mut start, mut seen) = (0, 0);
    for (index, text) in texts.iter().enumerate() {
        seen += text.len() + 1;
        if seen * count >= total * (shares.len() + 1) {
            shares.push(start..index + 1);
            start = index + 1;
        }
    }
    if start < texts.len() {
        shares.push(start..texts.len());
    }
    shares
}

#[cfg(test)]
mod tests;
