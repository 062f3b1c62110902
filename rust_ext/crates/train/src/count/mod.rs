//! Counting: documents -> pretokens with their counts, on several threads, in bounded memory.
//!
//! Each thread has a table of its own. When a table outgrows its share of the memory limit, it is written
//! beside the result as a counts file and emptied; `finish` merges what was written. So counts are exact
//! whatever the limit, and the result is the same for any number of threads and any order of documents.
//!
//! Documents are queued for a worker pool (`pool`), which empties the queue while the caller looks for more. When
//! the queue is full, the caller counts what stands first in it, so that no thread waits before the end.

use std::path::Path;
use std::sync::Arc;

use super::TrainError;
use super::counts::{self, Header, Keep};
use super::progress::Progress;
use super::table::CountTable;
use bukvar_split::SplitError;

mod pool;
mod spill;

pub use pool::Document;
use pool::{Pool, Shared};
use spill::beside;

/// Documents of this many bytes are handed over together: half a millisecond's worth. Less text than that is
/// counted without workers.
const SHARE: usize = 1 << 18;

/// Counts the pretokens of documents.
pub struct Counter {
    pool: Pool,
    waiting: Vec<Document>,
    waiting_bytes: usize,
    about: Header,
}

impl Counter {
    /// `threads` at least 1; `memory` in bytes for the tables of all threads. Without a `spill` path (beside
    /// which tables too large are written) tables may grow past the limit.
    pub fn new(
        pattern: &str,
        threads: usize,
        memory: usize,
        spill: Option<&Path>,
    ) -> Result<Self, SplitError> {
        let shared = Shared::new(pattern, threads.max(1), memory, spill)?;
        let about = Header {
            pattern: shared.pattern.clone(),
            ..Header::default()
        };
        Ok(Self {
            pool: Pool::new(Arc::new(shared)),
            waiting: Vec::new(),
            waiting_bytes: 0,
            about,
        })
    }

    /// Counts documents, given as one buffer and the n + 1 offsets between them. Reports to `progress` while it
    /// counts.
    pub fn add(
        &mut self,
        data: &[u8],
        offsets: &[usize],
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        let (Some(_), Some(&last)) = (offsets.first(), offsets.last()) else {
            return Ok(());
        };
        if offsets.windows(2).any(|pair| pair[0] > pair[1]) || last > data.len() {
            return Err(TrainError::Offsets);
        }
        if self.pool.is_alone() {
            let documents = offsets.windows(2).map(|pair| &data[pair[0]..pair[1]]);
            return self.count(documents, progress);
        }
        // Workers read them after this call has ended.
        let documents = offsets
            .windows(2)
            .map(|pair| Box::new(data[pair[0]..pair[1]].to_vec()) as Document);
        self.queue(documents, progress)
    }

    /// Counts documents, now or later: an error, that of the first document with one, may come with a later
    /// call.
    pub fn hand_over(
        &mut self,
        documents: Vec<Document>,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        if self.pool.is_alone() {
            self.count(documents.iter().map(|document| (**document).as_ref()), progress)
        } else {
            self.queue(documents.into_iter(), progress)
        }
    }

    fn count<'a>(
        &mut self,
        documents: impl Iterator<Item = &'a [u8]>,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        let about = &mut self.about;
        let seen = documents.inspect(|document| describe(about, document));
        self.pool.count(seen, progress)
    }

    fn queue(
        &mut self,
        documents: impl Iterator<Item = Document>,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        for document in documents {
            let bytes = (*document).as_ref();
            describe(&mut self.about, bytes);
            self.waiting_bytes += bytes.len();
            self.waiting.push(document);
            if self.waiting_bytes >= SHARE {
                self.waiting_bytes = 0;
                self.pool.give(std::mem::take(&mut self.waiting), progress)?;
            }
        }
        Ok(())
    }

    /// The tables of all threads, and what was written aside.
    fn end(&mut self, progress: &mut Progress<'_>) -> Result<Vec<CountTable>, TrainError> {
        let (tables, pretokens) = self.pool.end(std::mem::take(&mut self.waiting), progress)?;
        self.about.pretokens += pretokens;
        Ok(tables)
    }

    /// The tables of all threads, whose counts are to be added up, and what is known of the text. Only for a
    /// counter that does not spill.
    pub fn into_tables(
        mut self,
        progress: &mut Progress<'_>,
    ) -> Result<(Vec<CountTable>, Header), TrainError> {
        let tables = self.end(progress)?;
        Ok((tables, std::mem::take(&mut self.about)))
    }

    /// Writes the counts file.
    pub fn finish(mut self, path: &Path, progress: &mut Progress<'_>) -> Result<Header, TrainError> {
        let table = CountTable::joined(self.end(progress)?);
        let mut all = self.pool.spilled();
        if all.0.is_empty() {
            return counts::write(path, &table, &self.about, progress);
        }
        let last = beside(path, "last");
        counts::write(&last, &table, &self.about, progress)?;
        drop(table);
        all.0.push(last);
        let keep = Keep {
            min_count: 1,
            max_types: 0,
        };
        counts::merge(&all.0, &[], path, keep, progress)
    }
}

/// Counts a document in the header.
fn describe(about: &mut Header, document: &[u8]) {
    about.documents += 1;
    about.bytes += document.len() as u64;
}
