//! The worker pool: the caller's part of the words, and a worker thread for each of the others.
//!
//! A merge takes a few microseconds only, so a worker waits for the next job by spinning on its number. No job
//! depends on a worker: each part lies behind a lock, and what its worker has not begun when the caller is done
//! with the first part, the caller does. So a core that is busy with something else costs little,
//! and the result is the same.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::part::{Merge, Part};
use crate::TrainError;
use crate::progress::Progress;
use crate::words::Symbol;

/// Words of a pair in a part from which on workers are worth the way there and back, about half a microsecond.
const FEW: usize = if cfg!(test) { 3 } else { 48 };
/// Words from which on sleeping workers are woken, which takes some microseconds.
const MANY: usize = if cfg!(test) { 10 } else { 2048 };
/// Spins before a worker goes to sleep: some 30 microseconds, so that it leaves its core to others where it is not
/// needed.
const SPINS: u32 = 3000;
/// Spins before the caller takes a part that its worker has not begun: a microsecond or two.
const PATIENCE: u32 = 100;
/// Spins before the caller, waiting for a part that its worker has begun, reads the clock: some 20 microseconds.
const LONG: u32 = 2000;
/// How much longer than the caller a worker may take: the scheduler takes a contended core away for milliseconds.
const LATE: Duration = Duration::from_micros(200);
/// What a word takes at most, or so.
const WORD: Duration = Duration::from_nanos(50);
/// How long the caller works alone after a worker was late: at first, and at most, when workers are late again.
/// Beside one busy process learning took .47 s so, .58 with 16 ms, .42 on one thread.
const ALONE: Duration = Duration::from_millis(100);
const MOST_ALONE: Duration = Duration::from_millis(512);

/// The job to do in all parts, written by the caller when the one before is done in all of them.
#[repr(align(128))]
#[derive(Default)]
struct Job {
    number: AtomicU64,
    work: AtomicU32,
    index: AtomicU32,
    left: AtomicU32,
    right: AtomicU32,
    new: AtomicU32,
}

/// Bits of `Job::work`: the new pairs are to be placed, not a pair to be walked; a penalty is in force.
const PLACE: u32 = 1;
const MORPH: u32 = 2;

/// A part, and the number of the last work done in it.
struct Held<S> {
    done: u64,
    part: Part<S>,
}

impl<S: Symbol> Held<S> {
    /// Does what is to be done, if it is not done yet. While it is not, the job does not change.
    fn catch_up(&mut self, job: &Job) -> bool {
        let number = job.number.load(Ordering::Acquire);
        if self.done == number {
            return false;
        }
        let read = |value: &AtomicU32| value.load(Ordering::Relaxed);
        let work = read(&job.work);
        if work & PLACE != 0 {
            self.part.place(work & MORPH != 0);
        } else {
            self.part.walk(Merge {
                index: read(&job.index),
                left: read(&job.left),
                right: read(&job.right),
                new: read(&job.new),
                morph: work & MORPH != 0,
            });
        }
        self.done = number;
        true
    }
}

#[repr(align(128))]
struct Slot<S> {
    /// As in `Held`, to look at without the lock.
    done: AtomicU64,
    asleep: AtomicBool,
    held: Mutex<Held<S>>,
}

impl<S> Slot<S> {
    /// The part, unless its worker holds it.
    fn try_lock(&self) -> Option<MutexGuard<'_, Held<S>>> {
        match self.held.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::WouldBlock) => None,
            // Half a merge is in the part.
            Err(TryLockError::Poisoned(_)) => panic!("a learning thread ended before its time"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held<S>> {
        loop {
            if let Some(held) = self.try_lock() {
                return held;
            }
            std::thread::yield_now();
        }
    }
}

struct Shared<S> {
    job: Job,
    slots: Vec<Slot<S>>,
    stop: AtomicBool,
}

impl<S: Symbol> Shared<S> {
    /// A worker thread: does the jobs of one part until the pool is dropped.
    fn work(&self, slot: &Slot<S>) {
        let mut seen = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let mut spins = 0;
            while self.job.number.load(Ordering::Relaxed) == seen && spins < SPINS {
                std::hint::spin_loop();
                spins += 1;
            }
            if spins == SPINS {
                // A missed wake-up is no harm: the caller does the work.
                slot.asleep.store(true, Ordering::Relaxed);
                std::thread::park();
                slot.asleep.store(false, Ordering::Relaxed);
                continue;
            }
            if let Some(mut held) = slot.try_lock() {
                if held.catch_up(&self.job) {
                    slot.done.store(held.done, Ordering::Release);
                }
                seen = held.done;
            }
        }
    }
}

/// All parts but the caller's, and their workers.
pub struct Pool<S> {
    shared: Arc<Shared<S>>,
    workers: Vec<JoinHandle<()>>,
    /// Parts whose workers did not begin in time when they were last needed.
    absent: Vec<bool>,
    /// The workers took part in the last walk.
    together: bool,
    /// After workers were late: until when the caller works alone, and for how long.
    alone: Option<(Instant, Duration)>,
}

impl<S: Symbol> Pool<S> {
    pub fn new(parts: Vec<Part<S>>) -> Self {
        let slot = |part| Slot {
            done: AtomicU64::new(0),
            asleep: AtomicBool::new(false),
            held: Mutex::new(Held { done: 0, part }),
        };
        let shared = Arc::new(Shared {
            job: Job::default(),
            slots: parts.into_iter().map(slot).collect(),
            stop: AtomicBool::new(false),
        });
        let absent = vec![false; shared.slots.len()];
        Self {
            shared,
            workers: Vec::new(),
            absent,
            together: false,
            alone: None,
        }
    }

    /// Starts the workers.
    pub fn start(&mut self) {
        for index in self.workers.len()..self.shared.slots.len() {
            let shared = Arc::clone(&self.shared);
            let work = move || shared.work(&shared.slots[index]);
            // Where no thread can be started, the caller does all.
            self.workers.extend(std::thread::Builder::new().spawn(work));
        }
    }

    /// The parts, after the current job is done in them.
    pub fn parts(&self) -> impl Iterator<Item = Locked<'_, S>> {
        self.shared.slots.iter().map(|slot| {
            let mut held = slot.lock();
            if held.catch_up(&self.shared.job) {
                slot.done.store(held.done, Ordering::Release);
            }
            Locked(held)
        })
    }

    /// Calls `visit` with the other parts where the caller did them itself the last time.
    pub fn each_at_hand(&self, mut visit: impl FnMut(&Part<S>)) {
        if !self.together {
            let held = self.shared.slots.iter().filter_map(Slot::try_lock);
            held.for_each(|held| visit(&held.part));
        }
    }

    /// Walks a pair in all parts.
    pub fn walk(&mut self, own: &mut Part<S>, merge: Merge) {
        let len = own.places.of(merge.index as usize).len();
        self.together = len >= FEW && !self.shared.slots.is_empty() && !self.is_alone();
        if !self.together {
            own.walk(merge);
            for mut other in self.parts() {
                other.part().walk(merge);
            }
            return;
        }
        self.wait(0);
        self.publish(if merge.morph { MORPH } else { 0 }, Some(merge));
        if len >= MANY {
            self.wake();
        }
        own.walk(merge);
        self.wait(len);
    }

    /// True while the caller works alone, because workers were late.
    fn is_alone(&self) -> bool {
        self.alone.is_some_and(|(until, _)| Instant::now() < until)
    }

    /// Makes the caller work alone for a time, after a worker was late.
    fn back_off(&mut self) {
        let now = Instant::now();
        let long = match self.alone {
            // Late again, and not long after.
            Some((until, long)) if now < until + 4 * long => (2 * long).min(MOST_ALONE),
            _ => ALONE,
        };
        self.alone = Some((now + long, long));
    }

    /// Places the new pairs of the merge in all parts; workers may still be at it when it returns.
    pub fn place(&mut self, own: &mut Part<S>, morph: bool) {
        if self.together {
            self.publish(if morph { PLACE | MORPH } else { PLACE }, None);
            own.place(morph);
        } else {
            own.place(morph);
            for mut other in self.parts() {
                other.part().place(morph);
            }
        }
    }

    /// Publishes a job to the workers.
    fn publish(&self, work: u32, merge: Option<Merge>) {
        let job = &self.shared.job;
        job.work.store(work, Ordering::Relaxed);
        if let Some(merge) = merge {
            job.index.store(merge.index, Ordering::Relaxed);
            job.left.store(merge.left, Ordering::Relaxed);
            job.right.store(merge.right, Ordering::Relaxed);
            job.new.store(merge.new, Ordering::Relaxed);
        }
        job.number.fetch_add(1, Ordering::Release);
    }

    fn wake(&self) {
        for (slot, worker) in self.shared.slots.iter().zip(&self.workers) {
            if slot.asleep.load(Ordering::Relaxed) {
                worker.thread().unpark();
            }
        }
    }

    /// Waits until the job is done in all parts, or does it; `words` is about how many it concerns.
    fn wait(&mut self, words: usize) {
        let number = self.shared.job.number.load(Ordering::Relaxed);
        let mut late = false;
        for (slot, absent) in self.shared.slots.iter().zip(&mut self.absent) {
            let (mut spins, mut since) = (0, None);
            while slot.done.load(Ordering::Acquire) != number {
                let take = *absent || spins >= PATIENCE || slot.asleep.load(Ordering::Relaxed);
                if take && let Some(mut held) = slot.try_lock() {
                    *absent = held.catch_up(&self.shared.job);
                    slot.done.store(number, Ordering::Release);
                    break;
                }
                *absent = false;
                spins += 1;
                if spins % LONG == 0 {
                    let waited = since.get_or_insert_with(Instant::now).elapsed();
                    late |= waited > LATE + WORD * words as u32;
                    if late {
                        // An idle core may take the worker over.
                        std::thread::sleep(LATE / 4);
                    }
                }
                std::hint::spin_loop();
            }
        }
        if late {
            self.back_off();
        }
    }

    /// Calls `work` with each part, each on a thread of its own; returns the results in order.
    pub fn each<R: Send>(
        &mut self,
        own: &mut Part<S>,
        progress: &mut Progress<'_>,
        work: impl Fn(&mut Part<S>, usize, &mut Progress<'_>) -> Result<R, TrainError> + Sync,
    ) -> Result<Vec<R>, TrainError> {
        let mut others: Vec<_> = self.parts().collect();
        let parts = std::iter::once(own).chain(others.iter_mut().map(Locked::part));
        super::super::parallel::map(parts, progress, work)
    }

    /// Ends the workers and returns the parts.
    pub fn into_parts(self) -> Vec<Part<S>> {
        let parts = self.parts().map(|mut other| std::mem::take(other.part()));
        parts.collect()
    }
}

/// A part under its lock.
pub struct Locked<'a, S>(MutexGuard<'a, Held<S>>);

impl<S> Locked<'_, S> {
    pub fn part(&mut self) -> &mut Part<S> {
        &mut self.0.part
    }
}

impl<S> Drop for Pool<S> {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker that panicked has printed its message.
            let _ = worker.join();
        }
    }
}
