//! The worker pool that counts, and its queue of tasks.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::spill::{Spilled, beside};
use crate::TrainError;
use crate::counts::{self, Header};
use crate::progress::{INTERVAL, Progress};
use crate::table::CountTable;
use bukvar_split::{SplitError, Splitter, patterns};

/// Tasks in the queue at most, per worker: one to start when the last is done, and one while that is fetched.
const WAITING: usize = 2;

/// Pretokens between two looks at the clock: a fraction of a millisecond's worth.
const STRIDE: u64 = 1 << 12;

/// A document that outlives the call that hands it over.
pub type Document = Box<dyn AsRef<[u8]> + Send + Sync>;

/// Documents to be counted, with a number that rises.
struct Task {
    number: u64,
    documents: Vec<Document>,
}

impl Task {
    fn documents(&self) -> impl Iterator<Item = &[u8]> {
        self.documents.iter().map(|document| (**document).as_ref())
    }
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    given: u64,
    /// Tasks that workers have begun.
    busy: usize,
    ended: bool,
    /// The first task, by number, that failed.
    failed: Option<(u64, TrainError)>,
}

/// What all threads share.
pub struct Shared {
    pub pattern: String,
    splitter: Splitter,
    threads: usize,
    /// Bytes that a table may hold.
    share: usize,
    spill: Option<PathBuf>,
    spilled: Mutex<Spilled>,
    queue: Mutex<Queue>,
    /// There is a task, or the end has come.
    more: Condvar,
    /// A worker has finished a task.
    done: Condvar,
    stop: AtomicBool,
}

/// A thread that panicked has ended its task; what it held is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(
        pattern: &str,
        threads: usize,
        memory: usize,
        spill: Option<&Path>,
    ) -> Result<Self, SplitError> {
        Ok(Self {
            pattern: patterns::resolve(pattern).to_owned(),
            splitter: Splitter::new(pattern)?,
            threads,
            share: memory / threads,
            spill: spill.map(Path::to_owned),
            spilled: Mutex::new(Spilled(Vec::new())),
            queue: Mutex::default(),
            more: Condvar::new(),
            done: Condvar::new(),
            stop: AtomicBool::new(false),
        })
    }

    /// Records a failed task and drops the tasks after it: `drain` returns the first error, by number.
    fn fail(&self, number: u64, error: TrainError) {
        let mut queue = locked(&self.queue);
        if queue.failed.as_ref().is_none_or(|(first, _)| number < *first) {
            queue.failed = Some((number, error));
            queue.tasks.retain(|task| task.number < number);
        }
    }

    /// A worker thread: does tasks until there are no more.
    fn work(&self) -> Tally {
        let mut worker = Tally::default();
        let mut report = |_| !self.stop.load(Ordering::Relaxed);
        let mut progress = Progress::new(&mut report);
        let mut queue = locked(&self.queue);
        while !self.stop.load(Ordering::Relaxed) {
            let Some(task) = queue.tasks.pop_front() else {
                if queue.ended {
                    break;
                }
                queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            queue.busy += 1;
            drop(queue);
            if let Err(error) = worker.count_all(self, task.documents(), &mut progress) {
                self.fail(task.number, error);
            }
            drop(task);
            queue = locked(&self.queue);
            queue.busy -= 1;
            self.done.notify_one();
        }
        worker
    }
}

/// What one thread has counted.
#[derive(Default)]
struct Tally {
    table: CountTable,
    pretokens: u64,
}

impl Tally {
    fn count_all<'a>(
        &mut self,
        shared: &Shared,
        documents: impl Iterator<Item = &'a [u8]>,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        for document in documents {
            self.count(shared, document, progress)?;
        }
        self.write_aside(shared, progress)
    }

    fn count(
        &mut self,
        shared: &Shared,
        document: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        let text = simdutf8::basic::from_utf8(document).map_err(|_| TrainError::utf8(document))?;
        let Self { table, pretokens } = self;
        let mut result = Ok(());
        shared.splitter.for_each_until(text, |key, range| {
            *pretokens += 1;
            table.see(key, &document[range]);
            if *pretokens % STRIDE == 0 {
                result = progress.check();
                if result.is_err() {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        table.flush();
        result
    }

    /// Empties a table that has outgrown its share.
    fn write_aside(&mut self, shared: &Shared, progress: &mut Progress<'_>) -> Result<(), TrainError> {
        let Some(path) = &shared.spill else { return Ok(()) };
        if self.table.types() == 0 || self.table.memory() <= shared.share {
            return Ok(());
        }
        let run = {
            let mut spilled = locked(&shared.spilled);
            let run = beside(path, spilled.0.len());
            spilled.0.push(run.clone());
            run
        };
        let about = Header {
            pattern: shared.pattern.clone(),
            ..Header::default()
        };
        counts::write(&run, &self.table, &about, progress)?;
        self.table = CountTable::default();
        Ok(())
    }
}

/// The calling thread and the workers, which start with the first task.
pub struct Pool {
    shared: Arc<Shared>,
    own: Tally,
    workers: Vec<JoinHandle<Tally>>,
}

impl Pool {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            own: Tally::default(),
            workers: Vec::new(),
        }
    }

    /// True if the calling thread is the only one.
    pub fn is_alone(&self) -> bool {
        self.shared.threads == 1
    }

    /// Counts on the calling thread.
    pub fn count<'a>(
        &mut self,
        documents: impl Iterator<Item = &'a [u8]>,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        self.own.count_all(&self.shared, documents, progress)
    }

    /// Queues a task; where the queue is full, does its first task on the calling thread.
    pub fn give(&mut self, documents: Vec<Document>, progress: &mut Progress<'_>) -> Result<(), TrainError> {
        while self.workers.len() + 1 < self.shared.threads {
            let shared = Arc::clone(&self.shared);
            self.workers.push(std::thread::spawn(move || shared.work()));
        }
        let mut queue = locked(&self.shared.queue);
        if queue.failed.is_none() {
            queue.given += 1;
            let number = queue.given;
            queue.tasks.push_back(Task { number, documents });
            self.shared.more.notify_one();
        }
        let failed = queue.failed.is_some();
        let full = queue.tasks.len() > WAITING * self.workers.len();
        let first = full.then(|| queue.tasks.pop_front()).flatten();
        drop(queue);
        if failed {
            return self.drain(progress);
        }
        first.map_or(Ok(()), |task| self.do_task(task, progress))
    }

    /// Does a task on the calling thread. Its error is recorded; a stop by the progress callback is returned.
    fn do_task(&mut self, task: Task, progress: &mut Progress<'_>) -> Result<(), TrainError> {
        match self.own.count_all(&self.shared, task.documents(), progress) {
            Err(TrainError::Stopped) => Err(TrainError::Stopped),
            Err(error) => {
                self.shared.fail(task.number, error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Empties the queue, waits for the workers, and returns the first error.
    fn drain(&mut self, progress: &mut Progress<'_>) -> Result<(), TrainError> {
        loop {
            progress.check()?;
            let mut queue = locked(&self.shared.queue);
            if let Some(task) = queue.tasks.pop_front() {
                drop(queue);
                self.do_task(task, progress)?;
            } else if queue.busy > 0 && !self.workers.iter().any(JoinHandle::is_finished) {
                let waited = self.shared.done.wait_timeout(queue, INTERVAL);
                drop(waited.unwrap_or_else(PoisonError::into_inner));
            } else {
                return queue.failed.take().map_or(Ok(()), |(_, error)| Err(error));
            }
        }
    }

    /// The tables of all threads, and the number of pretokens, when the last documents are counted.
    pub fn end(
        &mut self,
        last: Vec<Document>,
        progress: &mut Progress<'_>,
    ) -> Result<(Vec<CountTable>, u64), TrainError> {
        let number = locked(&self.shared.queue).given + 1;
        self.do_task(
            Task {
                number,
                documents: last,
            },
            progress,
        )?;
        self.drain(progress)?;
        locked(&self.shared.queue).ended = true;
        self.shared.more.notify_all();
        let mut tallies = vec![std::mem::take(&mut self.own)];
        for worker in self.workers.drain(..) {
            tallies.push(worker.join().map_err(|_| TrainError::Thread)?);
        }
        let pretokens = tallies.iter().map(|tally| tally.pretokens).sum();
        Ok((tallies.into_iter().map(|tally| tally.table).collect(), pretokens))
    }

    /// The files written aside; dropping the result removes them.
    pub fn spilled(&self) -> Spilled {
        Spilled(std::mem::take(&mut locked(&self.shared.spilled).0))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        locked(&self.shared.queue).ended = true;
        self.shared.more.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that panicked has printed its message.
            let _ = worker.join();
        }
    }
}
