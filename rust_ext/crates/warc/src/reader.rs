//! The record loop: frames records, repairs wrong lengths, skips damage, and hands each block to `page`.

use std::io::{self, Read};

use super::arc;
use super::format::Format;
use super::header::{self, Head, MAX_HEAD};
use super::page::{self, Limits, Record};
use super::stream::{MARK, Stream};
use cut::{judged, malformed};

mod cut;
mod damage;

/// Blank bytes tolerated between records; writers use four.
const MAX_BLANK: usize = 64;
/// Step in which large records and rubble are passed over.
const STEP: usize = if cfg!(test) { 128 } else { 256 << 10 };
/// A record or rubble that inflates to more than this many times the record limit ends its member.
pub(super) const MAX_SKIPPED: u64 = 128;
/// How many times as much of a record is looked at where its first bytes are scripts and styles only.
pub(super) const FURTHER: usize = 8;

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub offset: u64,
    /// Whether a record's header begins here, and with it a member or, in plain files, what it says of itself: a place
    /// where files may be cut.
    pub is_border: bool,
    /// Whether the offset is known without all that lies before it.
    pub is_known: bool,
}

impl Place {
    /// Where a member begins.
    pub fn member(offset: u64) -> Self {
        Place {
            offset,
            is_border: true,
            is_known: true,
        }
    }

    /// Where something is that is no record.
    fn rubble(offset: u64) -> Self {
        Place {
            offset,
            is_border: false,
            is_known: true,
        }
    }
}

/// Reads a crawl file record by record. Every record comes out once: as a page, dropped with a reason, or
/// skipped by type.
pub struct Reader<R> {
    pub(super) stream: Stream<R>,
    pub(super) limits: Limits,
    /// The first bytes of the record to come, in quick reading.
    pub(super) look: Vec<u8>,
    /// Version of an ARC, as its description states.
    pub(super) version: u8,
    /// What is to be said of the file behind the record that came out last.
    pub(super) pending: Option<Record>,
    /// Where the record begins that came out last.
    pub(super) place: Place,
}

impl<R: Read> Reader<R> {
    /// A reader of a crawl file; the format is recognised by its first bytes.
    pub fn new(source: R, limits: Limits) -> Self {
        Reader {
            stream: Stream::new(source),
            limits,
            look: vec![0; FURTHER * limits.look],
            version: 1,
            pending: None,
            place: Place::default(),
        }
    }

    /// Bytes of memory in its buffers.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.stream.held() + self.look.capacity()
    }

    /// The next record; None at the end. Errors are those of the source only: what is wrong with the bytes
    /// comes out as a dropped record.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        if let Some(record) = self.pending.take() {
            self.place.is_border = false;
            return Ok(Some(record));
        }
        if self.limits.look > 0
            && let Some(passed) = self.pass_over()?
        {
            return Ok(Some(passed));
        }
        if let Some(damaged) = self.skip_blank()? {
            return Ok(Some(damaged));
        }
        if self.ensure(5)? == 0 {
            // Damage behind the last byte, such as a truncated empty member.
            return Ok(self.damage_here());
        }
        let window = &self.stream.window;
        let (offset, rubble) = (window.source_offset(), window.rubble_offset());
        let is_known = self.stream.is_plain() || window.member_here().is_some();
        let (length, head) = match self.head()? {
            Ok(found) => found,
            Err(kind) => {
                self.place = Place::rubble(rubble);
                self.scan()?;
                let kind = self.take_damage().unwrap_or(kind);
                return Ok(Some(malformed(Head::default(), rubble, kind)));
            }
        };
        self.place = Place {
            offset,
            is_border: is_known,
            is_known,
        };
        self.stream.window.consume(length);
        match head.length {
            None => {
                self.scan_from(0)?;
                if self.stream.format() == Format::Arc && head.record_type == "warcinfo" {
                    // The description of the file: of it nothing is wanted but its version.
                    return Ok(Some(Record::Skipped(head.record_type)));
                }
                Ok(Some(malformed(head, offset, "bad_content_length")))
            }
            Some(length) if length > self.limits.max_record_bytes as u64 => {
                // A wrong length mostly is of a small record.
                let most = self.limits.max_record_bytes;
                if self.ends_within(most)? {
                    return self.record(head, offset, most).map(Some);
                }
                self.too_large(head, offset, length)
            }
            Some(length) => self.record(head, offset, length as usize).map(Some),
        }
    }

    /// Cuts the block out, judges it and passes over it.
    fn record(&mut self, head: Head, offset: u64, length: usize) -> io::Result<Record> {
        if let Some(kind) = self.cut_here()?.filter(|&kind| length > 0 || kind != "truncated") {
            return Ok(self.without_block(head, offset, kind));
        }
        let held = self.ensure(length + 4)?;
        let damaged = self.damage_within(length, 4);
        let sound = damaged.is_none() && held >= length && self.ends_well(length)?;
        let next = if sound {
            self.hidden_in(&head, length)
        } else {
            self.boundary_in(length)?
        };
        let sound = sound && next.is_none();
        // A member whose bytes were overwritten may go on behind the block and turn out damaged there.
        let damaged = if sound || next.is_some() {
            damaged
        } else {
            self.damage_behind(length)?
        };
        let (used, damage) = match (next, damaged) {
            _ if sound => (length, None),
            (Some(at), _) => (at, Some("length_too_large")),
            (None, Some((at, kind))) => (at, Some(kind)),
            (None, None) if held < length => (held, Some("truncated")),
            (None, None) => (length, Some("length_too_small")),
        };
        let block = &self.stream.window.data()[..used.min(length)];
        if self.stream.format() == Format::Arc && head.record_type == "warcinfo" {
            self.version = arc::version(block);
        }
        let (record, cut) = judged(head, offset, block, damage, &self.limits);
        self.pending = cut;
        self.stream.window.consume(used);
        // The record stands for the damage that it touches.
        self.take_damage();
        if damage == Some("length_too_small") {
            // Rubble between two records, or the rest of this one.
            let rubble = self.stream.window.rubble_offset();
            self.scan_from(0)?;
            self.pending = Some(malformed(Head::default(), rubble, "not_a_record"));
        }
        Ok(record)
    }

    /// A record whose member ends or is damaged right behind its header.
    fn without_block(&mut self, head: Head, offset: u64, kind: &'static str) -> Record {
        let (record, cut) = judged(head, offset, &[], Some(kind), &self.limits);
        self.pending = cut;
        self.take_damage();
        record
    }

    /// Where a record begins inside of a block that ends well: a wrong length may reach to the end of a later record.
    /// Where the member, or the HTTP head by its own length, says that the block is one, what it shows is its own.
    fn hidden_in(&self, head: &Head, length: usize) -> Option<usize> {
        if self.ends_at_member(length) {
            return None;
        }
        let block = &self.stream.window.data()[..length];
        let hidden = self.stream.format().hidden_inside(block)?;
        (!page::has_length(head, block)).then_some(hidden)
    }

    /// Whether what follows a block of `length` bytes is blank and then a record, or the end of its member.
    fn ends_well(&mut self, length: usize) -> io::Result<bool> {
        if self.ends_at_member(length) {
            return Ok(true);
        }
        let format = self.stream.format();
        let data = self.stream.window.data();
        let blank = data[length..].iter().all(u8::is_ascii_whitespace);
        if blank && data.len() < length + MAX_BLANK && self.stream.between_members() {
            return Ok(true);
        }
        // In WARC the first bytes decide.
        let ahead = if format == Format::Warc { 0 } else { format.ahead() };
        let held = self.ensure(length + MAX_BLANK + ahead)?;
        let rest = &self.stream.window.data()[length..held.min(length + MAX_BLANK + ahead)];
        let begin = rest.iter().take(MAX_BLANK).position(|b| !b.is_ascii_whitespace());
        Ok(begin.is_none_or(|at| format.begins(&rest[at..]).unwrap_or(true)))
    }

    /// Whether a member begins behind a block of `length` bytes and blank ones: whatever it holds, even damage,
    /// is not the block's.
    fn ends_at_member(&self, length: usize) -> bool {
        let window = &self.stream.window;
        let mut members = window.marks_ahead().filter(|(_, mark)| mark.damage.is_none());
        let behind = members
            .find(|&(at, _)| at >= length)
            .and_then(|(at, _)| window.data().get(length..at));
        behind.is_some_and(|rest| rest.len() <= MAX_BLANK && rest.trim_ascii().is_empty())
    }

    /// Whether a block that should be longer ends within `most` bytes: at another record, at damage or with the file.
    fn ends_within(&mut self, most: usize) -> io::Result<bool> {
        let mut reach = STEP.min(most);
        loop {
            if self.ensure(reach)? < reach || self.boundary_in(reach)?.is_some() {
                return Ok(true);
            }
            if reach == most {
                return Ok(false);
            }
            reach = (4 * reach).min(most);
        }
    }

    /// Passes over a record above the size limit without holding it.
    fn too_large(&mut self, head: Head, offset: u64, length: u64) -> io::Result<Option<Record>> {
        let mut left = length;
        let budget = MAX_SKIPPED * self.limits.max_record_bytes as u64;
        let mut damage = None;
        while left > 0 {
            if let Some(kind) = self.cut_here()? {
                damage = Some(kind);
                self.take_damage();
                break;
            }
            let step = left.min(STEP as u64) as usize;
            let boundary = self.boundary_in(step)?;
            if let Some(at) = boundary {
                self.stream.window.consume(at);
                damage = Some("length_too_large");
                break;
            }
            let held = self.ensure(step)?;
            if held < step {
                self.stream.window.consume(held);
                damage = Some(self.take_damage().unwrap_or("truncated"));
                break;
            }
            // A boundary may begin in the last bytes of a step.
            let done = if left > step as u64 {
                step - self.stream.format().ahead().min(step / 2)
            } else {
                step
            };
            self.stream.window.consume(done);
            left -= done as u64;
            if length - left > budget && self.stream.abandon("bad_bomb")? {
                damage = Some("bad_bomb");
                self.stream.window.consume(self.stream.window.data().len());
                self.take_damage();
                break;
            }
        }
        Ok(Some(page::too_large(head, offset, length, damage, &self.limits)))
    }

    /// The record header at the position with its length, or what is wrong with it.
    fn head(&mut self) -> io::Result<Result<(usize, Head), &'static str>> {
        if self.stream.format() == Format::Unknown {
            self.recognise()?;
        }
        if self.stream.format() == Format::Arc {
            let line = self.header(arc::MAX_LINE, |data| memchr::memchr(b'\n', data).map(|at| at + 1))?;
            let found = line.and_then(|_| arc::parse(self.stream.window.data(), self.version));
            return Ok(found.ok_or("bad_arc_header"));
        }
        if !self.stream.window.data().starts_with(b"WARC/") {
            return Ok(Err("not_a_record"));
        }
        let Some(length) = self.header(MAX_HEAD, header::head_length)? else {
            return Ok(Err("bad_warc_header"));
        };
        Ok(Ok((length, header::parse(&self.stream.window.data()[..length]))))
    }

    /// Learns from the first record what the file is; a byte order mark before it is passed over.
    fn recognise(&mut self) -> io::Result<()> {
        if self.stream.window.data().starts_with(MARK) {
            self.stream.window.consume(MARK.len());
        }
        if !self.stream.window.data().starts_with(b"WARC/") {
            self.ensure(arc::MAX_LINE)?;
        }
        if let Some(format) = Format::of(self.stream.window.data()) {
            self.stream.set_format(format);
        }
        Ok(())
    }

    /// Length of the header at the position, as `length_of` returns it; None where it does not end in `most` bytes.
    fn header(
        &mut self,
        most: usize,
        length_of: impl Fn(&[u8]) -> Option<usize>,
    ) -> io::Result<Option<usize>> {
        // What is held first: a short record shall not bring the next member in.
        let mut want = self.stream.window.data().len().clamp(5, 512);
        loop {
            let held = self.ensure(want)?;
            let data = &self.stream.window.data()[..held.min(most)];
            if let Some(length) = length_of(data) {
                return Ok(Some(length));
            }
            if held < want || want >= most {
                return Ok(None);
            }
            want = (2 * want).max(512);
        }
    }

    /// Passes over blank bytes between records; a damaged member met there comes out as a record of its own.
    fn skip_blank(&mut self) -> io::Result<Option<Record>> {
        loop {
            if let Some(record) = self.damage_here() {
                return Ok(Some(record));
            }
            let data = self.stream.window.data();
            let blank = data
                .iter()
                .position(|b| !b.is_ascii_whitespace())
                .unwrap_or(data.len());
            let ahead = self
                .stream
                .window
                .marks_ahead()
                .find(|(_, mark)| mark.damage.is_some());
            if let Some((distance, _)) = ahead.filter(|&(distance, _)| distance <= blank) {
                self.stream.window.consume(distance);
                continue;
            }
            let all = blank == data.len();
            self.stream.window.consume(blank);
            if !all || !self.stream.more()? && self.stream.window.data().is_empty() {
                return Ok(self.damage_here());
            }
        }
    }

    /// Makes `want` bytes available at the position, unless the file, damage, or a member that begins with a
    /// record comes first; returns how many there are up to that.
    pub(super) fn ensure(&mut self, want: usize) -> io::Result<usize> {
        loop {
            let held = self.stream.window.data().len();
            let (cut, unknown) = self.cut(want);
            if let Some(cut) = cut {
                return Ok(cut);
            }
            if held >= want && !unknown {
                return Ok(held);
            }
            if !self.stream.more()? {
                return Ok(self.stream.window.data().len());
            }
        }
    }
}
