//! Finding the next record: where a length lied, and behind bytes that are no record.

use std::io::{self, Read};

use memchr::memmem;

use super::reader::{BOUNDARY, MAX_SKIPPED, Reader};

impl<R: Read> Reader<R> {
    /// Where in the next `length` bytes another record begins, by the blank lines before and the lines in it.
    pub(super) fn boundary_in(&mut self, length: usize) -> io::Result<Option<usize>> {
        let held = self.ensure(length + BOUNDARY)?;
        let data = &self.stream.window.data()[..held.min(length + BOUNDARY)];
        Ok(record_boundary(data).filter(|&at| at < length))
    }

    pub(super) fn scan(&mut self) -> io::Result<()> {
        self.scan_from(1)
    }

    /// Passes over bytes that are no record, up to the next one: "WARC/" at the beginning of a line or of a
    /// member.
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
            let keep = 8.min(data.len());
            let done = data.len() - keep;
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
        let data = self.stream.window.data();
        let starts =
            |at: usize| data[at..].starts_with(b"WARC/") && data.get(at + 5).is_some_and(u8::is_ascii_digit);
        let line = memmem::find_iter(&data[from.min(data.len())..], b"WARC/")
            .map(|at| at + from)
            .find(|&at| starts(at) && (at == 0 || data[at - 1] == b'\n'));
        let members = self.stream.window.marks_ahead().map(|(distance, _)| distance);
        let member = members
            .filter(|&at| at >= from && at < data.len())
            .find(|&at| starts(at));
        match (line, member) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Where a record begins inside a block that should have ended before: behind blank lines, a version line
/// and a header of the record kind.
fn record_boundary(block: &[u8]) -> Option<usize> {
    memmem::find_iter(block, b"\r\n\r\nWARC/")
        .map(|at| at + 4)
        .find(|&at| {
            let rest = &block[at..];
            let version = rest
                .get(5..8)
                .is_some_and(|v| v[0].is_ascii_digit() && v[1] == b'.' && v[2].is_ascii_digit());
            let line = rest.get(8..).unwrap_or_default();
            version && (line.starts_with(b"\r\nWARC-") || line.starts_with(b"\r\nContent-"))
        })
}
