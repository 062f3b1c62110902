//! Finding the next record: where a length lied, and behind bytes that are no record.

use std::io::{self, Read, Seek};

use super::arc;
use super::format::Format;
use super::reader::{MAX_SKIPPED, Reader};

impl<R: Read> Reader<R> {
    /// Where in the next `length` bytes another record begins, by the blank lines before and the lines in it.
    pub(super) fn boundary_in(&mut self, length: usize) -> io::Result<Option<usize>> {
        let format = self.stream.format();
        let held = self.ensure(length + format.ahead())?;
        let data = &self.stream.window.data()[..held.min(length + format.ahead())];
        Ok(format.begins_inside(data).filter(|&at| at < length))
    }

    pub(super) fn scan(&mut self) -> io::Result<()> {
        self.scan_from(1)
    }

    /// Passes over bytes that are no record, up to the next one: in WARC, "WARC/" at the beginning of a line or of
    /// a member; in ARC, a header line.
    pub(super) fn scan_from(&mut self, from: usize) -> io::Result<()> {
        let mut from = from;
        let mut passed = 0u64;
        let budget = MAX_SKIPPED * self.limits.max_record_bytes as u64;
        loop {
            let data = self.stream.window.data();
            if let Some(at) = self.next_start(from) {
                self.stream.window.consume(at);
                return Ok(());
            }
            // Keeps the line feed before a start and what of the start is there.
            let done = data.len() - self.unsettled().min(data.len());
            passed += done as u64;
            self.stream.window.consume(done);
            from = from.saturating_sub(done);
            if passed > budget && self.stream.abandon("bad_bomb")? {
                return Ok(());
            }
            if !self.stream.more()? {
                self.stream.window.consume(self.stream.window.data().len());
                return Ok(());
            }
        }
    }

    fn next_start(&self, from: usize) -> Option<usize> {
        let members = self.stream.window.marks_ahead().map(|(distance, _)| distance);
        self.stream
            .format()
            .next_start(self.stream.window.data(), from, members)
    }

    /// Bytes at the end of what is held in which a start may stand that is not yet seen to be one.
    fn unsettled(&self) -> usize {
        if self.stream.format() == Format::Warc {
            8
        } else {
            arc::MAX_LINE + 8
        }
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Goes on with a record at `to` or behind it, or at the end of the file; false where it can't, and goes on as
    /// before. Members are looked for up to `stop` only.
    pub(super) fn jump(&mut self, to: u64, stop: u64) -> io::Result<bool> {
        if !self.stream.jump(to, stop)? {
            return Ok(false);
        }
        self.pending = None;
        if self.stream.is_plain() {
            self.scan()?;
        }
        Ok(true)
    }

    /// Goes back to the beginning of the file, as if nothing had been read.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.stream.rewind()?;
        self.pending = None;
        self.version = 1;
        Ok(())
    }
}
