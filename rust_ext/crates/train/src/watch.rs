//! Telling how far the work is, and being told to stop.

use std::time::{Duration, Instant};

use super::TrainError;

/// Time between two reports: a bar that moves, and an interrupt that is felt at once, for nothing.
pub const BETWEEN: Duration = Duration::from_millis(100);

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// "read" (pretokens), "learn" (merges) or "merge" (records of counts files).
    pub stage: &'static str,
    pub done: u64,
    pub total: u64,
}

/// Reports to `tell`, ten times a second at most; false from it stops the work.
pub struct Watch<'a> {
    tell: &'a mut dyn FnMut(Step) -> bool,
    last: Step,
    due: Instant,
}

impl<'a> Watch<'a> {
    pub fn new(tell: &'a mut dyn FnMut(Step) -> bool) -> Self {
        let last = Step {
            stage: "read",
            done: 0,
            total: 0,
        };
        Self {
            tell,
            last,
            due: Instant::now() + BETWEEN,
        }
    }

    /// The work is so far. Reads the clock: call it a million times a second at most.
    pub fn at(&mut self, stage: &'static str, done: usize, total: usize) -> Result<(), TrainError> {
        self.last = Step {
            stage,
            done: done as u64,
            total: total as u64,
        };
        self.still()
    }

    /// The work goes on where it was.
    pub fn still(&mut self) -> Result<(), TrainError> {
        let now = Instant::now();
        if now < self.due {
            return Ok(());
        }
        self.due = now + BETWEEN;
        self.tell()
    }

    /// A stage is done: reported however short it was.
    pub fn end(&mut self, stage: &'static str, total: usize) -> Result<(), TrainError> {
        let total = total as u64;
        self.last = Step {
            stage,
            done: total,
            total,
        };
        self.tell()
    }

    fn tell(&mut self) -> Result<(), TrainError> {
        if (self.tell)(self.last) {
            Ok(())
        } else {
            Err(TrainError::Stopped)
        }
    }
}
