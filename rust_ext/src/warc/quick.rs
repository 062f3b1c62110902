//! Quick reading: a page that its first bytes show to be foreign is passed over, and the rest of its record is
//! not decompressed.
//!
//! A record is passed over only where its end is sure without that: where its length and what its container says
//! of its own size agree, and what comes behind is another record's beginning or the end of the file. Any other
//! record is read whole, so that the same records come out, in the same order and with the same offsets.

use std::io::{self, Read};

use super::header::{self, Head, MAX_HEAD};
use super::page::{self, Beginning, Reason, Record};
use super::reader::Reader;

/// Blank lines behind a record, which belong to its member.
const END: usize = 4;
/// How many times as much of a record is looked at where its first bytes are scripts and styles only.
pub(super) const FURTHER: usize = 8;

impl<R: Read> Reader<R> {
    /// The next record where it could be passed over; None where it has to be read.
    pub(super) fn pass_over(&mut self) -> io::Result<Option<Record>> {
        let window = &mut self.stream.window;
        if window.has_damage() {
            return Ok(None);
        }
        let blank = window.data().iter().position(|b| !b.is_ascii_whitespace());
        window.consume(blank.unwrap_or(window.data().len()));
        for look in [self.limits.look, FURTHER * self.limits.look] {
            let Some(held) = self.stream.look(&mut self.look[..look])? else {
                return Ok(None);
            };
            let Some((head, start, length)) = self.large_record(held) else {
                return Ok(None);
            };
            match page::judge_beginning(&head, &self.look[start..held]) {
                Beginning::Open => return Ok(None),
                Beginning::Silent => {}
                Beginning::Foreign(detail) => {
                    let offset = head.offset.unwrap_or(self.stream.look_offset());
                    let space = &mut self.look[..self.limits.look];
                    let passed = self.stream.pass_over(start + length + END, space)?;
                    return Ok(passed.then(|| page::dropped(head, offset, Reason::NotCyrillic, detail)));
                }
            }
        }
        Ok(None)
    }

    /// Header, its length and that of the block of the record whose first bytes, but not all, have been looked at.
    fn large_record(&self, held: usize) -> Option<(Head, usize, usize)> {
        let first = &self.look[..held];
        if !first.starts_with(b"WARC/") {
            return None;
        }
        let start = header::head_length(&first[..held.min(MAX_HEAD)])?;
        let head = header::parse(&first[..start]);
        let length = head
            .length
            .filter(|&n| n <= self.limits.max_record_bytes as u64)? as usize;
        (start + length > held).then_some((head, start, length))
    }
}
