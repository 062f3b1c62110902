//! Counting: documents -> pretokens with their counts, on several threads, in bounded memory.
//!
//! Each thread has a table of its own. When a table outgrows its share of the memory limit, it is written
//! beside the result as a counts file and emptied; `finish` merges what was written. So counts are exact
//! whatever the limit, and the result is the same for any number of threads and any order of documents.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};

use super::TrainError;
use super::counts::{self, Header, Keep};
use super::table::CountTable;
use super::watch::{BETWEEN, Watch};
use crate::split::{SplitError, Splitter, patterns};

/// Documents of this many bytes are worth a thread of their own.
const SHARE: usize = 1 << 18;

/// Pretokens between two looks at the clock: a fraction of a millisecond's worth.
const STRIDE: u64 = 1 << 12;

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

    /// Counts documents, given as one buffer and the n + 1 offsets between them. `watch` is looked at while it
    /// counts, on all threads.
    pub fn add(&mut self, data: &[u8], offsets: &[usize], watch: &mut Watch<'_>) -> Result<(), TrainError> {
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
        self.about.pretokens += count_parts(&self.splitter, &mut self.tables, data, &parts, watch)?;
        self.about.documents += offsets.len() as u64 - 1;
        self.about.bytes += (last - first) as u64;
        self.spill_large(watch)
    }

    fn spill_large(&mut self, watch: &mut Watch<'_>) -> Result<(), TrainError> {
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
            counts::write(&run, table, &about, watch)?;
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
            return counts::write(path, &table, &self.about, watch);
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".spill-last");
        let last = path.with_file_name(name);
        counts::write(&last, &table, &self.about, watch)?;
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

/// Counts each part into a table of its own, on a thread of its own; returns how many pretokens there were.
fn count_parts(
    splitter: &Splitter,
    tables: &mut [CountTable],
    data: &[u8],
    parts: &[&[usize]],
    watch: &mut Watch<'_>,
) -> Result<u64, TrainError> {
    let stop = &AtomicBool::new(false);
    let go_on = || !stop.load(Ordering::Relaxed);
    std::thread::scope(|scope| {
        let (done, results) = mpsc::channel();
        let mut work = tables.iter_mut().zip(parts.iter().copied());
        let own = work.next();
        let spawn = |(table, part)| {
            let done = done.clone();
            scope.spawn(move || {
                // The receiver lives as long as this scope.
                let _ = done.send(count_part(splitter, table, data, part, go_on));
            })
        };
        let others: Vec<_> = work.map(spawn).collect();
        drop(done);
        let mut told = Ok(());
        let mut own_go_on = || {
            if told.is_ok() {
                told = watch.still();
                stop.store(told.is_err(), Ordering::Relaxed);
            }
            told.is_ok()
        };
        let mut result = own.map_or(Ok(0), |(table, part)| {
            count_part(splitter, table, data, part, &mut own_go_on)
        });
        loop {
            match results.recv_timeout(BETWEEN) {
                Ok(more) => result = result.and_then(|sum| Ok(sum + more?)),
                Err(RecvTimeoutError::Timeout) => {
                    own_go_on();
                }
                // All threads have ended.
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let lost = others.into_iter().filter_map(|thread| thread.join().err());
        told.and(if lost.count() == 0 {
            result
        } else {
            Err(TrainError::Thread)
        })
    })
}

/// Counts documents into a table; breaks off when `go_on`, asked now and then, says no.
fn count_part(
    splitter: &Splitter,
    table: &mut CountTable,
    data: &[u8],
    offsets: &[usize],
    mut go_on: impl FnMut() -> bool,
) -> Result<u64, TrainError> {
    let mut pretokens = 0;
    for pair in offsets.windows(2) {
        let document = &data[pair[0]..pair[1]];
        let text = simdutf8::basic::from_utf8(document).map_err(|_| TrainError::utf8(document))?;
        splitter.for_each_until(text, |key, range| {
            pretokens += 1;
            table.see(key, &document[range]);
            if pretokens % STRIDE == 0 && !go_on() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
    }
    table.flush();
    Ok(pretokens)
}
