//! Counting: documents -> pretokens with their counts, on several threads, in bounded memory.
//!
//! Each thread has a table of its own. When a table outgrows its share of the memory limit, it is written
//! beside the result as a counts file and emptied; `finish` merges what was written. So counts are exact
//! whatever the limit, and the result is the same for any number of threads and any order of documents.

use std::path::{Path, PathBuf};

use super::TrainError;
use super::counts::{self, Header, Keep};
use super::table::CountTable;
use super::watch::Watch;
use crate::split::{SplitError, Splitter, patterns};

/// Documents of this many bytes are worth a thread of their own.
const SHARE: usize = 1 << 18;

/// Counts the pretokens of documents.
pub struct Counter {
    splitter: Splitter,
    tables: Vec<CountTable>,
    memory: usize,
    about: Header,
    spill: Option<PathBuf>,
    spilled: Vec<PathBuf>,
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
        let about = Header {
            pattern: patterns::resolve(pattern).to_owned(),
            ..Header::default()
        };
        Ok(Self {
            splitter: Splitter::new(pattern)?,
            tables: (0..threads.max(1)).map(|_| CountTable::default()).collect(),
            memory,
            about,
            spill: spill.map(Path::to_owned),
            spilled: Vec::new(),
        })
    }

    /// Counts documents, given as one buffer and the n + 1 offsets between them.
    pub fn add(&mut self, data: &[u8], offsets: &[usize]) -> Result<(), TrainError> {
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
            return Ok(());
        };
        if offsets.windows(2).any(|pair| pair[0] > pair[1]) || last > data.len() {
            return Err(TrainError::Offsets);
        }
        let workers = self.tables.len().min((last - first).div_ceil(SHARE)).max(1);
        let mut parts = Vec::with_capacity(workers);
        let mut from = 0;
        for worker in 1..=workers {
            let goal = first + (last - first) / workers * worker;
            let to = if worker == workers {
                offsets.len() - 1
            } else {
                offsets.partition_point(|&o| o < goal).max(from)
            };
            parts.push(&offsets[from..=to]);
            from = to;
        }
        let splitter = &self.splitter;
        let results: Vec<Result<u64, TrainError>> = std::thread::scope(|scope| {
            let mut work = self.tables.iter_mut().zip(&parts);
            let own = work.next();
            let others: Vec<_> = work
                .map(|(table, part)| scope.spawn(move || count_part(splitter, table, data, part)))
                .collect();
            let mut results: Vec<_> = own
                .into_iter()
                .map(|(table, part)| count_part(splitter, table, data, part))
                .collect();
            results.extend(
                others
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or(Err(TrainError::Thread))),
            );
            results
        });
        for result in results {
            self.about.pretokens += result?;
        }
        self.about.documents += offsets.len() as u64 - 1;
        self.about.bytes += (last - first) as u64;
        self.spill_large()
    }

    fn spill_large(&mut self) -> Result<(), TrainError> {
        let Some(path) = &self.spill else { return Ok(()) };
        let share = self.memory / self.tables.len();
        for table in self.tables.iter_mut().filter(|table| table.memory() > share) {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(format!(".spill-{}", self.spilled.len()));
            let run = path.with_file_name(name);
            let about = Header {
                pattern: self.about.pattern.clone(),
                ..Header::default()
            };
            counts::write(&run, table, &about)?;
            self.spilled.push(run);
            *table = CountTable::default();
        }
        Ok(())
    }

    /// All counts in one table, and what is known of the text. Only for a counter that does not spill.
    pub fn into_table(mut self) -> (CountTable, Header) {
        let tables = std::mem::take(&mut self.tables);
        (joined(tables), std::mem::take(&mut self.about))
    }

    /// Writes the counts file.
    pub fn finish(mut self, path: &Path, watch: &mut Watch<'_>) -> Result<Header, TrainError> {
        let table = joined(std::mem::take(&mut self.tables));
        if self.spilled.is_empty() {
            return counts::write(path, &table, &self.about);
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".spill-last");
        let last = path.with_file_name(name);
        counts::write(&last, &table, &self.about)?;
        drop(table);
        self.spilled.push(last);
        counts::merge(
            &self.spilled,
            &[],
            path,
            Keep {
                min_count: 1,
                max_types: 0,
            },
            watch,
        )
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        for path in &self.spilled {
            // What cannot be removed is a leftover beside the result, not a wrong result.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn joined(tables: Vec<CountTable>) -> CountTable {
    let mut tables = tables.into_iter();
    let mut all = tables.next().unwrap_or_default();
    tables.for_each(|table| all.absorb(&table));
    all
}

fn count_part(
    splitter: &Splitter,
    table: &mut CountTable,
    data: &[u8],
    offsets: &[usize],
) -> Result<u64, TrainError> {
    let mut pretokens = 0;
    for pair in offsets.windows(2) {
        let document = &data[pair[0]..pair[1]];
        let text = simdutf8::basic::from_utf8(document).map_err(|_| TrainError::utf8(document))?;
        splitter.for_each(text, |key, range| {
            pretokens += 1;
            table.see(key, &document[range]);
        })?;
    }
    table.flush();
    Ok(pretokens)
}
