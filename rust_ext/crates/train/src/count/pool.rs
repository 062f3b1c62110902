//! The threads that count, and the queue between them.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::spill::{Spilled, beside};
use crate::TrainError;
use crate::counts::{self, Header};
use crate::table::CountTable;
use crate::watch::{BETWEEN, Watch};
use bukvar_split::{SplitError, Splitter, patterns};

/// Tasks a helper that wait at most: one to begin with when the last is done, and one while it is fetched.
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
    /// Tasks that helpers work on.
    busy: usize,
    ended: bool,
    /// The first task, by number, that failed.
    failed: Option<(u64, TrainError)>,
}

/// What all threads know.
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
    /// A helper has done a task.
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

    /// Notes that a task failed, and drops those after it: the first failure is the one to be told.
    fn fail(&self, number: u64, error: TrainError) {
        let mut queue = locked(&self.queue);
        if queue.failed.as_ref().is_none_or(|(first, _)| number < *first) {
            queue.failed = Some((number, error));
            queue.tasks.retain(|task| task.number < number);
        }
    }

    /// Helps until the end.
    fn help(&self) -> Worker {
        let mut worker = Worker::default();
        let mut tell = |_| !self.stop.load(Ordering::Relaxed);
        let mut watch = Watch::new(&mut tell);
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
            if let Err(error) = worker.work(self, task.documents(), &mut watch) {
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
struct Worker {
    table: CountTable,
    pretokens: u64,
}

impl Worker {
    fn work<'a>(
        &mut self,
        shared: &Shared,
        documents: impl Iterator<Item = &'a [u8]>,
        watch: &mut Watch<'_>,
    ) -> Result<(), TrainError> {
        for document in documents {
            self.count(shared, document, watch)?;
        }
        self.write_aside(shared, watch)
    }

    fn count(&mut self, shared: &Shared, document: &[u8], watch: &mut Watch<'_>) -> Result<(), TrainError> {
        let text = simdutf8::basic::from_utf8(document).map_err(|_| TrainError::utf8(document))?;
        let Self { table, pretokens } = self;
        let mut told = Ok(());
        shared.splitter.for_each_until(text, |key, range| {
            *pretokens += 1;
            table.see(key, &document[range]);
            if *pretokens % STRIDE == 0 {
                told = watch.still();
                if told.is_err() {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        table.flush();
        told
    }

    /// Empties a table that has outgrown its share.
    fn write_aside(&mut self, shared: &Shared, watch: &mut Watch<'_>) -> Result<(), TrainError> {
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
        counts::write(&run, &self.table, &about, watch)?;
        self.table = CountTable::default();
        Ok(())
    }
}

/// The calling thread and its helpers, who begin when there is something to do.
pub struct Crew {
    shared: Arc<Shared>,
    own: Worker,
    helpers: Vec<JoinHandle<Worker>>,
}

impl Crew {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            own: Worker::default(),
            helpers: Vec::new(),
        }
    }

    /// True if there are no helpers to come.
    pub fn is_alone(&self) -> bool {
        self.shared.threads == 1
    }

    /// Counts on the calling thread.
    pub fn count<'a>(
        &mut self,
        documents: impl Iterator<Item = &'a [u8]>,
        watch: &mut Watch<'_>,
    ) -> Result<(), TrainError> {
        self.own.work(&self.shared, documents, watch)
    }

    /// Gives a task to whoever is free first, and helps where too many wait.
    pub fn give(&mut self, documents: Vec<Document>, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        while self.helpers.len() + 1 < self.shared.threads {
            let shared = Arc::clone(&self.shared);
            self.helpers.push(std::thread::spawn(move || shared.help()));
        }
        let mut queue = locked(&self.shared.queue);
        if queue.failed.is_none() {
            queue.given += 1;
            let number = queue.given;
            queue.tasks.push_back(Task { number, documents });
            self.shared.more.notify_one();
        }
        let failed = queue.failed.is_some();
        let full = queue.tasks.len() > WAITING * self.helpers.len();
        let first = full.then(|| queue.tasks.pop_front()).flatten();
        drop(queue);
        if failed {
            return self.drain(watch);
        }
        first.map_or(Ok(()), |task| self.do_task(task, watch))
    }

    /// An error of the task is noted; one of the watch stops everybody.
    fn do_task(&mut self, task: Task, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        match self.own.work(&self.shared, task.documents(), watch) {
            Err(TrainError::Stopped) => Err(TrainError::Stopped),
            Err(error) => {
                self.shared.fail(task.number, error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Does what waits, and waits for what the helpers are at; tells the first failure.
    fn drain(&mut self, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        loop {
            watch.still()?;
            let mut queue = locked(&self.shared.queue);
            if let Some(task) = queue.tasks.pop_front() {
                drop(queue);
                self.do_task(task, watch)?;
            } else if queue.busy > 0 && !self.helpers.iter().any(JoinHandle::is_finished) {
                let waited = self.shared.done.wait_timeout(queue, BETWEEN);
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
        watch: &mut Watch<'_>,
    ) -> Result<(Vec<CountTable>, u64), TrainError> {
        let number = locked(&self.shared.queue).given + 1;
        self.do_task(
            Task {
                number,
                documents: last,
            },
            watch,
        )?;
        self.drain(watch)?;
        locked(&self.shared.queue).ended = true;
        self.shared.more.notify_all();
        let mut workers = vec![std::mem::take(&mut self.own)];
        for helper in self.helpers.drain(..) {
            workers.push(helper.join().map_err(|_| TrainError::Thread)?);
        }
        let pretokens = workers.iter().map(|worker| worker.pretokens).sum();
        Ok((
            workers.into_iter().map(|worker| worker.table).collect(),
            pretokens,
        ))
    }

    /// What was written aside; whoever takes it removes it.
    pub fn spilled(&self) -> Spilled {
        Spilled(std::mem::take(&mut locked(&self.shared.spilled).0))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        locked(&self.shared.queue).ended = true;
        self.shared.more.notify_all();
        for helper in self.helpers.drain(..) {
            // One that panicked has said so.
            let _ = helper.join();
        }
    }
}
