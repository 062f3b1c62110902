//! A parallel map: one thread an item.

use std::sync::atomic::{AtomicBool, Ordering};

use super::TrainError;
use super::progress::Progress;

/// Calls `work` with each item and its number, and returns the results in order, or the first error. The first
/// item is done on the calling thread and reports to `progress`; the others have threads of their own, which
/// stop when that one fails.
pub fn map<T: Send, R: Send>(
    items: impl Iterator<Item = T>,
    progress: &mut Progress<'_>,
    work: impl Fn(T, usize, &mut Progress<'_>) -> Result<R, TrainError> + Sync,
) -> Result<Vec<R>, TrainError> {
    let mut items = items.enumerate();
    let Some((_, first)) = items.next() else {
        return Ok(Vec::new());
    };
    let (work, stop) = (&work, &AtomicBool::new(false));
    std::thread::scope(|scope| {
        let spawn = |(number, item)| {
            scope.spawn(move || {
                let mut report = |_| !stop.load(Ordering::Relaxed);
                work(item, number, &mut Progress::new(&mut report))
            })
        };
        let others: Vec<_> = items.map(spawn).collect();
        let first = work(first, 0, progress);
        stop.store(first.is_err(), Ordering::Relaxed);
        let join =
            |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or(Err(TrainError::Thread));
        let others = others.into_iter().map(join);
        std::iter::once(first).chain(others).collect()
    })
}
