//! Progress reports, by which the caller can also stop the work.

use std::time::{Duration, Instant};

use super::TrainError;

/// Time between two reports: often enough for a bar that moves and for Ctrl-C, too rare to cost anything.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// How much of the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// "read" (pretokens), "learn" (merges) or "merge" (records of counts files).
    pub stage: &'static str,
    /// What is done of it.
    pub done: u64,
    /// What is to do in all; 0 where that is not known.
    pub total: u64,
}

/// Calls back with the progress, ten times a second at most; where the callback returns false, the work stops
/// with `TrainError::Stopped`.
pub struct Progress<'a> {
    callback: &'a mut dyn FnMut(Step) -> bool,
    last: Step,
    due: Instant,
}

impl<'a> Progress<'a> {
    /// Progress that calls `callback`.
    pub fn new(callback: &'a mut dyn FnMut(Step) -> bool) -> Self {
        let last = Step {
            stage: "read",
            done: 0,
            total: 0,
        };
        Self {
            callback,
            last,
            due: Instant::now() + INTERVAL,
        }
    }

    /// Sets how much is done, and reports it if a report is due. Reads the clock: call it a million times a
    /// second at most.
    pub fn update(&mut self, stage: &'static str, done: usize, total: usize) -> Result<(), TrainError> {
        self.last = Step {
            stage,
            done: done as u64,
            total: total as u64,
        };
        self.check()
    }

    /// Reports the last step again if a report is due: lets the caller stop work that has no steps of its own.
    pub fn check(&mut self) -> Result<(), TrainError> {
        let now = Instant::now();
        if now < self.due {
            return Ok(());
        }
        self.due = now + INTERVAL;
        self.report()
    }

    /// Reports the end of a stage, at once.
    pub fn finish(&mut self, stage: &'static str, total: usize) -> Result<(), TrainError> {
        let total = total as u64;
        self.last = Step {
            stage,
            done: total,
            total,
        };
        self.report()
    }

    fn report(&mut self) -> Result<(), TrainError> {
        if (self.callback)(self.last) {
            Ok(())
        } else {
            Err(TrainError::Stopped)
        }
    }
}
