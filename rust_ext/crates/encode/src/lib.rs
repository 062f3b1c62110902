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
mod error;
mod letters;
mod merge;
mod model;
mod nfc;
mod options;
mod pages;
mod pairs;
mod pass;
mod rules;
mod together;
mod utf16;
mod windows;

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bukvar_split::Splitter;
pub use error::EncodeError;
pub use model::{Model, NO_MERGE, derive_merges};
pub use options::Options;
use pass::{Counter, Worker};
pub use utf16::Text;

/// What Russian and English come to, about; arrays grow where there are more ids.
const BYTES_PER_ID: usize = 5;

/// The ids of many texts.
#[derive(Debug)]
pub struct Batch {
    pub ids: Vec<u32>,
    /// Where each text begins in `ids`, and the end.
    pub offsets: Vec<i64>,
}

impl Batch {
    /// Batches one behind the other; the first is not copied.
    pub fn joined(parts: Vec<Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap_or_default();
        for part in parts {
            let base = all.ids.len() as i64;
            all.ids.extend_from_slice(&part.ids);
            all.offsets
                .extend(part.offsets[1..].iter().map(|&end| base + end));
        }
        all
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            ids: Vec::new(),
            offsets: vec![0],
        }
    }
}

/// Ids that stand before and behind the ids of each text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around {
    pub before: Option<u32>,
    pub after: Option<u32>,
}

/// A vocabulary made ready to encode; shared by threads, each of which borrows a cache of its own.
pub struct Encoder {
    model: Model,
    splitter: Splitter,
    options: Options,
    seed: u64,
    idle: Mutex<Vec<Worker>>,
}

impl Encoder {
    /// An encoder of a model and a split pattern. Err where the pattern does not compile.
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

    /// The model that it encodes by.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The ids of one text.
    pub fn encode<'a>(&self, text: impl Into<Text<'a>>) -> Result<Vec<u32>, EncodeError> {
        let text = text.into();
        let mut ids = Vec::with_capacity(text.size() / BYTES_PER_ID + 8);
        self.with_worker(|worker| worker.run(text, &self.splitter, &self.model, &mut ids))?;
        Ok(ids)
    }

    /// How many ids one text has.
    pub fn count<'a>(&self, text: impl Into<Text<'a>>) -> Result<u64, EncodeError> {
        let text = text.into();
        let mut counter = Counter(0);
        self.with_worker(|worker| worker.run(text, &self.splitter, &self.model, &mut counter))?;
        Ok(counter.0)
    }

    /// The ids of all texts in one array, those of `around` included, and the offsets at which each text begins (and
    /// the end).
    pub fn encode_batch(
        &self,
        texts: &[Text<'_>],
        around: Around,
        threads: usize,
    ) -> Result<Batch, EncodeError> {
        let parts = over_shares(texts, Text::size, threads, |texts| {
            let mut part = Batch::default();
            part.ids
                .reserve(texts.iter().map(Text::size).sum::<usize>() / BYTES_PER_ID + 8);
            self.append(texts, around, &mut part)?;
            Ok::<_, EncodeError>(part)
        })?;
        Ok(Batch::joined(parts))
    }

    /// How many ids each text has.
    pub fn count_batch(&self, texts: &[Text<'_>], threads: usize) -> Result<Vec<i64>, EncodeError> {
        let parts = over_shares(texts, Text::size, threads, |texts| {
            let mut counts = Vec::with_capacity(texts.len());
            self.append_counts(texts, &mut counts)?;
            Ok::<_, EncodeError>(counts)
        })?;
        Ok(parts.concat())
    }

    /// Puts the ids of texts, those of `around` included, behind those of `batch`.
    pub fn append(&self, texts: &[Text<'_>], around: Around, batch: &mut Batch) -> Result<(), EncodeError> {
        self.with_worker(|worker| {
            for &text in texts {
                batch.ids.extend(around.before);
                worker.run(text, &self.splitter, &self.model, &mut batch.ids)?;
                batch.ids.extend(around.after);
                batch.offsets.push(batch.ids.len() as i64);
            }
            Ok(())
        })
    }

    /// Appends how many ids each text has.
    pub fn append_counts(&self, texts: &[Text<'_>], counts: &mut Vec<i64>) -> Result<(), EncodeError> {
        self.with_worker(|worker| {
            for &text in texts {
                let mut counter = Counter(0);
                worker.run(text, &self.splitter, &self.model, &mut counter)?;
                counts.push(counter.0 as i64);
            }
            Ok(())
        })
    }

    /// The bytes that ids stand for, one after another.
    pub fn decode(&self, ids: &[u32]) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::with_capacity(ids.len() * 6);
        for &id in ids {
            bytes.extend_from_slice(self.model.token_of_id(id).ok_or(EncodeError::UnknownId(id))?);
        }
        Ok(bytes)
    }

    fn with_worker<T>(&self, work: impl FnOnce(&mut Worker) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut worker = taken.unwrap_or_else(|| Worker::new(&self.options, self.seed));
        let result = work(&mut worker);
        idle().push(worker);
        result
    }
}

/// The texts that lie between successive `offsets` of `data`, as Arrow keeps them.
pub fn slices<'a>(data: &'a [u8], offsets: &[i64]) -> Result<Vec<Text<'a>>, EncodeError> {
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
        slice
            .map(Text::Utf8)
            .ok_or_else(|| wrong("offsets do not rise, or cut a character"))
    };
    offsets.windows(2).map(slice).collect()
}

/// Runs `work` on consecutive shares of `texts` of about equal size, one share a thread; results come in the order
/// of the texts, so they are the same for any number of threads.
pub fn over_shares<T: Sync, R: Send, E: Send>(
    texts: &[T],
    size: impl Fn(&T) -> usize,
    threads: usize,
    work: impl Fn(&[T]) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let shares = shares(texts, size, threads.max(1));
    if shares.len() <= 1 {
        return Ok(vec![work(texts)?]);
    }
    let results: Vec<Result<R, E>> = std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || work(&texts[share])))
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

/// Cuts texts into at most `count` consecutive shares of about equal size.
fn shares<T>(texts: &[T], size: impl Fn(&T) -> usize, count: usize) -> Vec<Range<usize>> {
    let total: usize = texts.iter().map(|text| size(text) + 1).sum();
    let mut shares = Vec::new();
    let (mut start, mut seen) = (0, 0);
    for (index, text) in texts.iter().enumerate() {
        seen += size(text) + 1;
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
