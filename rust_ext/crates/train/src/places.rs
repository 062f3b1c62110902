//! Which words hold which pairs: for each pair, by its index, a run of words in one arena.

use std::ops::Range;

use super::prefetch::prefetch;

/// Places of no pair that the arena may hold beside an eighth of those it needs: closing the gaps costs little
/// against 4 bytes a place.
const SLACK: usize = 1 << 20;

#[derive(Debug, Clone, Copy, Default)]
struct Run {
    start: u32,
    len: u32,
}

/// Places that the arena may hold where it needs so many.
fn most(live: usize) -> usize {
    live + live / 8 + SLACK
}

/// The same and those that a merge adds before gaps are closed, mostly.
fn room(live: usize) -> usize {
    most(live) + live / 8
}

/// The words of pairs; a word stands there once for each time it holds the pair.
#[derive(Default)]
pub struct Places {
    pub arena: Vec<u32>,
    runs: Vec<Run>,
    /// Indices in the order of the arena.
    order: Vec<u32>,
    live: usize,
}

impl Places {
    /// Room for pairs that occur so often; `fill` says where.
    pub fn with_lens(lens: &[u32]) -> Self {
        let mut all = Self {
            order: (0..lens.len() as u32).collect(),
            ..Self::default()
        };
        let mut start = 0;
        for &len in lens {
            // `len` grows as the run is filled.
            all.runs.push(Run { start, len: 0 });
            start += len;
        }
        all.live = start as usize;
        // Memory that is not touched costs nothing, but an arena that outgrows its own is copied into another.
        all.arena = vec![0; room(all.live)];
        all.arena.truncate(all.live);
        all
    }

    /// Adds a word to the run of a pair, which has room for it.
    #[inline(always)]
    pub fn fill(&mut self, index: usize, word: u32) {
        let run = &mut self.runs[index];
        self.arena[(run.start + run.len) as usize] = word;
        run.len += 1;
    }

    /// Makes room for `len` words of a pair; returns where.
    #[inline(always)]
    pub fn add(&mut self, index: u32, len: u32) -> u32 {
        let start = self.arena.len() as u32;
        self.arena.resize(self.arena.len() + len as usize, 0);
        self.live += len as usize;
        if self.runs.len() <= index as usize {
            self.runs.resize(index as usize + 1, Run::default());
        }
        self.runs[index as usize] = Run { start, len };
        self.order.push(index);
        start
    }

    /// Where the words of a pair are.
    #[inline(always)]
    pub fn of(&self, index: usize) -> Range<usize> {
        let run = self.runs.get(index).copied().unwrap_or_default();
        run.start as usize..(run.start + run.len) as usize
    }

    /// Asks for the memory of what `of` returns.
    pub fn prefetch(&self, index: usize) {
        prefetch(&self.runs, index);
    }

    /// Lets go of the words of a pair.
    pub fn forget(&mut self, index: usize) {
        if let Some(run) = self.runs.get_mut(index) {
            self.live -= run.len as usize;
            *run = Run::default();
        }
    }

    /// Moves the runs that are left to the front, where there are too many gaps.
    pub fn tidy(&mut self) {
        if self.arena.len() <= most(self.live) {
            return;
        }
        let Self {
            arena, runs, order, ..
        } = self;
        let mut to = 0;
        order.retain(|&index| {
            let run = &mut runs[index as usize];
            let from = run.start as usize;
            arena.copy_within(from..from + run.len as usize, to);
            run.start = to as u32;
            to += run.len as usize;
            run.len > 0
        });
        arena.truncate(to);
        arena.shrink_to(room(to));
    }
}
