//! A part of a file, so that several workers read one large file.
//!
//! A part is a range of offsets in the file. Its records are those from the first border at or behind its beginning up to
//! the first border at or behind its end; a border is where a record's header begins a member (in plain files, where a
//! header begins). So parts that touch share no record and lose none, and the reader of a part goes on behind its end
//! until a border comes. Nobody has to know the borders beforehand: a reader jumps a little before its part, goes on with
//! the first member there that begins with a record, and reads along, without a word, up to the first border. A damaged
//! member behind the jump is met as the reader of the whole file meets it, and an archive that lies inside of a record
//! is not taken for the file's own, unless it reaches from the jump to the border.
//!
//! Offsets of records that begin no member are places in the decompressed stream, which the jump leaves unknown. Where
//! one comes, the file is read again from its beginning: right for any file, and slow only for those that `Layout`
//! advises against cutting.

use std::io::{self, Cursor, Read, Seek};

use super::format::Format;
use super::page::{Limits, Record};
use super::reader::Reader;

/// How far before its part a reader begins: more than most packed records of crawls have, whose payloads end at 1 MiB
/// (Common Crawl, 5 MiB since 2025).
const BEFORE: u64 = if cfg!(test) { 4096 } else { 2 << 20 };
/// Records by which `Layout::of` knows a file.
const FIRST: usize = 4;

/// Reads the records of one part of a file.
pub struct PartReader<R> {
    reader: Reader<R>,
    start: u64,
    stop: u64,
    state: State,
    /// Whether offsets in the decompressed stream are known.
    is_placed: bool,
    /// Records that have come out.
    given: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Inside,
    Behind,
}

impl<R: Read> PartReader<R> {
    /// The whole file.
    pub fn whole(source: R, limits: Limits) -> Self {
        PartReader {
            reader: Reader::new(source, limits),
            start: 0,
            stop: u64::MAX,
            state: State::Inside,
            is_placed: true,
            given: 0,
        }
    }

    /// The next record, up to the part's end. `Before`: passes over those ahead of the part.
    fn step(&mut self) -> io::Result<Option<Record>> {
        while self.state != State::Behind {
            let record = self.reader.next_record()?;
            let place = self.reader.place;
            let passed = place.is_border && place.offset >= self.stop;
            if record.is_none() || passed {
                self.state = State::Behind;
                return Ok(None);
            }
            if self.state == State::Before && place.is_border && place.offset >= self.start {
                self.state = State::Inside;
            }
            if self.state == State::Inside {
                return Ok(record);
            }
        }
        Ok(None)
    }
}

impl<R: Read + Seek> PartReader<R> {
    /// The part from `start` up to `stop`. The source's position is the beginning of the file.
    pub fn new(source: R, limits: Limits, start: u64, stop: u64) -> io::Result<Self> {
        let mut part = PartReader::whole(source, limits);
        (part.start, part.stop) = (start, stop);
        if start > 0 {
            part.state = State::Before;
            part.jump(start.saturating_sub(BEFORE))?;
        }
        Ok(part)
    }

    /// The next record; None at the end of the part. Errors are those of the source only.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        let mut record = self.step()?;
        if record.is_some() && !self.is_placed && !self.reader.place.is_known {
            record = self.read_again()?;
        }
        self.given += u64::from(record.is_some());
        Ok(record)
    }

    /// Learns from the first record what the file is, and goes on `to` there.
    fn jump(&mut self, to: u64) -> io::Result<()> {
        let look = std::mem::take(&mut self.reader.limits.look);
        let mut known = false;
        while !known {
            let record = self.reader.next_record()?;
            if record.is_none() || self.reader.stream.offset() >= to {
                break;
            }
            known = self.reader.stream.format() != Format::Unknown;
        }
        self.reader.limits.look = look;
        if self.reader.stream.offset() >= to {
            // What has been read ahead of the part goes on into it.
            return Ok(());
        }
        self.is_placed = !self.reader.jump(to, self.stop)? || self.reader.stream.is_plain();
        if self.reader.stream.offset() >= self.stop {
            self.state = State::Behind;
        }
        Ok(())
    }

    /// Reads the file from its beginning up to the record that came out last, which now has its offset.
    fn read_again(&mut self) -> io::Result<Option<Record>> {
        self.reader.rewind()?;
        (self.state, self.is_placed) = (State::Before, true);
        for _ in 0..self.given {
            self.step()?;
        }
        self.step()
    }
}

/// How the records of a crawl file lie in it: whether it can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As they are.
    Plain,
    /// Each in a gzip member or zstd frame of its own.
    Members,
    /// Several, or all, in one member.
    Whole,
    /// Anything else: packed otherwise, or no crawl file.
    Other,
}

impl Layout {
    /// What the first bytes of a file show. A first member that does not end in them is taken for the whole file.
    pub fn of(head: &[u8]) -> Self {
        let limits = Limits {
            max_record_bytes: head.len().max(1),
            gate: true,
            look: 0,
            skim: false,
        };
        let mut reader = Reader::new(Cursor::new(head), limits);
        let mut borders = 0;
        for number in 0..FIRST {
            let Ok(Some(_)) = reader.next_record() else {
                break;
            };
            match (number, reader.place.is_border, reader.stream.format()) {
                (0, _, Format::Unknown) => return Self::Other,
                (_, true, _) => borders += 1,
                // What the end of `head` cut.
                _ if reader.stream.offset() >= head.len() as u64 => break,
                _ => return Self::Whole,
            }
        }
        match borders {
            0 => Self::Other,
            _ if reader.stream.is_plain() => Self::Plain,
            1 => Self::Whole,
            _ if reader.stream.can_jump() => Self::Members,
            _ => Self::Other,
        }
    }
}
