//! The parts of the words, and the threads that help with all but the first.
//!
//! A helper waits for the next piece of work by looking at a number that rises, since a merge takes a few
//! microseconds only. Nobody needs a helper: each part lies behind a lock, and what its helper has not begun
//! when the caller is done with the first part, the caller does. So a core that is busy with something else
//! costs little, and what comes out is the same.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::part::{Merge, Part};
use crate::TrainError;
use crate::watch::Watch;
use crate::words::Symbol;

/// Words of a pair in a part from which on a helper is worth the way there and back, about half a microsecond.
const FEW: usize = if cfg!(test) { 3 } else { 48 };
/// Words for which one is woken, which takes some microseconds.
const MANY: usize = if cfg!(test) { 10 } else { 2048 };
/// Looks at the number before a helper goes to sleep: some 30 microseconds, so that it leaves its core to others
/// where it is not needed.
const SPINS: u32 = 3000;
/// Looks at a part that its helper has not begun before the caller takes it: a microsecond or two.
const PATIENCE: u32 = 100;
/// Looks at a part that its helper has begun before the caller looks at the clock: some 20 microseconds.
const LONG: u32 = 2000;
/// How much longer than the caller a helper may take: a core that others want is given away for milliseconds.
const LATE: Duration = Duration::from_micros(200);
/// What a word takes at most, or so.
const WORD: Duration = Duration::from_nanos(50);
/// How long the caller works alone after a helper was late: at first, and at most, when they are late again. Beside
/// one busy process learning took .47 s so, .58 with 16 ms, .42 on one thread.
const ALONE: Duration = Duration::from_millis(100);
const MOST_ALONE: Duration = Duration::from_millis(512);

/// What is to be done in all parts, written by the caller when all have done what was to be done before.
#[repr(align(128))]
#[derive(Default)]
struct Post {
    number: AtomicU64,
    work: AtomicU32,
    index: AtomicU32,
    left: AtomicU32,
    right: AtomicU32,
    new: AtomicU32,
}

/// Bits of `Post::work`: the new pairs are to be placed, not a pair to be walked; a penalty is in force.
const PLACE: u32 = 1;
const MORPH: u32 = 2;

/// A part, and the number of the last work done in it.
struct Held<S> {
    done: u64,
    part: Part<S>,
}

impl<S: Symbol> Held<S> {
    /// Does what is to be done, if it is not done yet. While it is not, the post does not change.
    fn catch_up(&mut self, post: &Post) -> bool {
        let number = post.number.load(Ordering::Acquire);
        if self.done == number {
            return false;
        }
        let read = |value: &AtomicU32| value.load(Ordering::Relaxed);
        let work = read(&post.work);
        if work & PLACE != 0 {
            self.part.place(work & MORPH != 0);
        } else {
            self.part.walk(Merge {
                index: read(&post.index),
                left: read(&post.left),
                right: read(&post.right),
                new: read(&post.new),
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
    /// The part, unless its helper is at it.
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
    post: Post,
    slots: Vec<Slot<S>>,
    stop: AtomicBool,
}

impl<S: Symbol> Shared<S> {
    /// Helps with one part until the end.
    fn help(&self, slot: &Slot<S>) {
        let mut seen = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let mut spins = 0;
            while self.post.number.load(Ordering::Relaxed) == seen && spins < SPINS {
                std::hint::spin_loop();
                spins += 1;
            }
            if spins == SPINS {
                // A call that is missed is no harm: the caller does the work.
                slot.asleep.store(true, Ordering::Relaxed);
                std::thread::park();
                slot.asleep.store(false, Ordering::Relaxed);
                continue;
            }
            if let Some(mut held) = slot.try_lock() {
                if held.catch_up(&self.post) {
                    slot.done.store(held.done, Ordering::Release);
                }
                seen = held.done;
            }
        }
    }
}

/// All parts but the caller's, and their helpers.
pub struct Crew<S> {
    shared: Arc<Shared<S>>,
    helpers: Vec<JoinHandle<()>>,
    /// Whose helpers did not come in time when they were last needed.
    absent: Vec<bool>,
    /// The last pair was walked by the helpers, too.
    together: bool,
    /// Helpers were late: until when the caller works alone, and for how long.
    alone: Option<(Instant, Duration)>,
}

impl<S: Symbol> Crew<S> {
    pub fn new(parts: Vec<Part<S>>) -> Self {
        let slot = |part| Slot {
            done: AtomicU64::new(0),
            asleep: AtomicBool::new(false),
            held: Mutex::new(Held { done: 0, part }),
        };
        let shared = Arc::new(Shared {
            post: Post::default(),
            slots: parts.into_iter().map(slot).collect(),
            stop: AtomicBool::new(false),
        });
        let absent = vec![false; shared.slots.len()];
        Self {
            shared,
            helpers: Vec::new(),
            absent,
            together: false,
            alone: None,
        }
    }

    /// Starts the helpers.
    pub fn start(&mut self) {
        for index in self.helpers.len()..self.shared.slots.len() {
            let shared = Arc::clone(&self.shared);
            let help = move || shared.help(&shared.slots[index]);
            // Without a helper the caller does all.
            self.helpers.extend(std::thread::Builder::new().spawn(help));
        }
    }

    /// The parts, when what was to be done in them is done.
    pub fn parts(&self) -> impl Iterator<Item = Locked<'_, S>> {
        self.shared.slots.iter().map(|slot| {
            let mut held = slot.lock();
            if held.catch_up(&self.shared.post) {
                slot.done.store(held.done, Ordering::Release);
            }
            Locked(held)
        })
    }

    /// Shows the parts that the caller did itself the last time.
    pub fn each_at_hand(&self, mut show: impl FnMut(&Part<S>)) {
        if !self.together {
            let held = self.shared.slots.iter().filter_map(Slot::try_lock);
            held.for_each(|held| show(&held.part));
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
        self.tell(if merge.morph { MORPH } else { 0 }, Some(merge));
        if len >= MANY {
            self.wake();
        }
        own.walk(merge);
        self.wait(len);
    }

    /// True while helpers that were late are not waited for.
    fn is_alone(&self) -> bool {
        self.alone.is_some_and(|(until, _)| Instant::now() < until)
    }

    /// A helper that has begun was late.
    fn be_alone(&mut self) {
        let now = Instant::now();
        let long = match self.alone {
            // They were late again, and not long after.
            Some((until, long)) if now < until + 4 * long => (2 * long).min(MOST_ALONE),
            _ => ALONE,
        };
        self.alone = Some((now + long, long));
    }

    /// Places the new pairs of the merge in all parts; helpers may be at it still when it returns.
    pub fn place(&mut self, own: &mut Part<S>, morph: bool) {
        if self.together {
            self.tell(if morph { PLACE | MORPH } else { PLACE }, None);
            own.place(morph);
        } else {
            own.place(morph);
            for mut other in self.parts() {
                other.part().place(morph);
            }
        }
    }

    fn tell(&self, work: u32, merge: Option<Merge>) {
        let post = &self.shared.post;
        post.work.store(work, Ordering::Relaxed);
        if let Some(merge) = merge {
            post.index.store(merge.index, Ordering::Relaxed);
            post.left.store(merge.left, Ordering::Relaxed);
            post.right.store(merge.right, Ordering::Relaxed);
            post.new.store(merge.new, Ordering::Relaxed);
        }
        post.number.fetch_add(1, Ordering::Release);
    }

    fn wake(&self) {
        for (slot, helper) in self.shared.slots.iter().zip(&self.helpers) {
            if slot.asleep.load(Ordering::Relaxed) {
                helper.thread().unpark();
            }
        }
    }

    /// Waits until all parts have done what is to be done, with about so many words, or does it.
    fn wait(&mut self, words: usize) {
        let number = self.shared.post.number.load(Ordering::Relaxed);
        let mut late = false;
        for (slot, absent) in self.shared.slots.iter().zip(&mut self.absent) {
            let (mut spins, mut since) = (0, None);
            while slot.done.load(Ordering::Acquire) != number {
                let take = *absent || spins >= PATIENCE || slot.asleep.load(Ordering::Relaxed);
                if take && let Some(mut held) = slot.try_lock() {
                    *absent = held.catch_up(&self.shared.post);
                    slot.done.store(number, Ordering::Release);
                    break;
                }
                *absent = false;
                spins += 1;
                if spins % LONG == 0 {
                    let waited = since.get_or_insert_with(Instant::now).elapsed();
                    late |= waited > LATE + WORD * words as u32;
                    if late {
                        // An idle core may fetch the helper.
                        std::thread::sleep(LATE / 4);
                    }
                }
                std::hint::spin_loop();
            }
        }
        if late {
            self.be_alone();
        }
    }

    /// Does something with each part, each on a thread of its own; the results are in their order.
    pub fn each<R: Send>(
        &mut self,
        own: &mut Part<S>,
        watch: &mut Watch<'_>,
        work: impl Fn(&mut Part<S>, usize, &mut Watch<'_>) -> Result<R, TrainError> + Sync,
    ) -> Result<Vec<R>, TrainError> {
        let mut others: Vec<_> = self.parts().collect();
        let parts = std::iter::once(own).chain(others.iter_mut().map(Locked::part));
        super::super::team::each(parts, watch, work)
    }

    /// Ends the helpers; the parts are the caller's.
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

impl<S> Drop for Crew<S> {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for helper in self.helpers.drain(..) {
            helper.thread().unpark();
            // One that panicked has said so.
            let _ = helper.join();
        }
    }
}
