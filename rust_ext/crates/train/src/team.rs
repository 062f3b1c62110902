//! The same work on several things, each on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use super::TrainError;
use super::watch::Watch;

/// Does `work` with each thing and its number: with the first on the calling thread, under `watch`, with the
/// others on threads that end when it is told to stop. The results are in the order of the things; of several
/// errors the first is told.
pub fn each<T: Send, R: Send>(
    things: impl Iterator<Item = T>,
    watch: &mut Watch<'_>,
    work: impl Fn(T, usize, &mut Watch<'_>) -> Result<R, TrainError> + Sync,
) -> Result<Vec<R>, TrainError> {
    let mut things = things.enumerate();
    let Some((_, first)) = things.next() else {
        return Ok(Vec::new());
    };
    let (work, stop) = (&work, &AtomicBool::new(false));
    std::thread::scope(|scope| {
        let spawn = |(number, thing)| {
            scope.spawn(move || {
                let mut tell = |_| !stop.load(Ordering::Relaxed);
                work(thing, number, &mut Watch::new(&mut tell))
            })
        };
        let others: Vec<_> = things.map(spawn).collect();
        let first = work(first, 0, watch);
        stop.store(first.is_err(), Ordering::Relaxed);
        let join =
            |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or(Err(TrainError::Thread));
        let others = others.into_iter().map(join);
        std::iter::once(first).chain(others).collect()
    })
}
