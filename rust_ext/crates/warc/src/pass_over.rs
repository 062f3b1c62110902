//! A page that its first bytes show to be foreign is passed over, and the rest of its record is not decompressed,
//! only skimmed: its compressed form shows where it ends and that no Cyrillic is in it (`skim`). In quick reading
//! the rest is not even skimmed.
//!
//! A record is passed over only where its end is sure without decompressing it: where its length and what its
//! container says of its own size agree with where skimming ends or, in quick reading, with another record's
//! beginning or the end of the file. Any other record is read whole, so that the same records come out, in the same
//! order and with the same offsets.

use std::io::{self, Read};
use std::sync::LazyLock;

use super::header::{self, Head, MAX_HEAD};
use super::page::{self, Beginning, Reason, Record};
use super::reader::{FURTHER, Place, Reader};
use super::skim::Bytes;
use bukvar_gate as gate;

/// Blank lines behind a record, which belong to its member.
const END: usize = 4;
static TELLING: LazyLock<[Bytes; gate::TELLING.len()]> = LazyLock::new(|| gate::TELLING.map(Bytes::of));

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
                    let offset = self.stream.offset();
                    let length = start + length + END;
                    let passed = if self.limits.skim {
                        self.stream.skim_over(length, &*TELLING)?
                    } else {
                        self.stream
                            .pass_over(length, &mut self.look[..self.limits.look])?
                    };
                    self.place = Place::member(offset);
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
