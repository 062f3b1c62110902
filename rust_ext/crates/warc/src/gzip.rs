//! gzip members: one at a time by libdeflate where a member fits in memory, else by a streaming inflate,
//! which also saves what a damaged member still yields.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use memchr::memmem;

use super::deflate::{Beginning, Inflater, OneShot, crc32};
use super::format::Format;
use super::input::Input;
use super::skim::{Bytes, Skim, Skimmer};
use super::window::Window;

/// Compressed bytes at hand before a one-shot attempt, which is in vain where the member has more: hardly one of
/// a crawl does. With 256 KiB, 12% of the bytes of `bench_warc crawl` lie in members that may.
const FIRST_INPUT: usize = if cfg!(test) { 256 } else { 512 << 10 };
/// Compressed bytes above which a member is streamed.
const MAX_INPUT: usize = if cfg!(test) { 2048 } else { 16 << 20 };
/// Space for output at the first attempt, and above which a member is streamed.
const FIRST_OUTPUT: usize = if cfg!(test) { 512 } else { 1 << 20 };
const MAX_OUTPUT: usize = if cfg!(test) { 4096 } else { 32 << 20 };
/// Output of one streaming step.
const STEP: usize = if cfg!(test) { 128 } else { 256 << 10 };
/// Compressed bytes that are kept of a member above `MAX_INPUT`, to look for the next one in (`search_from`).
const OVERLAP: usize = if cfg!(test) { 512 } else { 64 << 10 };

pub struct Gzip {
    inflater: Inflater,
    raw: Decompress,
    skimmer: Box<Skimmer>,
    member: Option<Member>,
    output_space: usize,
    searched_twice: u64,
    /// Bytes in which `pass_over` looked for the end of a member in vain.
    searched_in_vain: u64,
    /// What `pass_over` saw of the next member.
    ahead: Option<Beginning>,
    /// What its members begin with.
    pub format: Format,
}

/// A member that is being streamed. `used` bytes of the input are inflated but kept until `MAX_INPUT`.
struct Member {
    offset: u64,
    used: usize,
    crc: u32,
    size: u32,
}

impl Gzip {
    pub const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

    pub fn new() -> io::Result<Self> {
        let inflater = Inflater::new().ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let raw = Decompress::new(false);
        Ok(Gzip {
            inflater,
            raw,
            skimmer: Box::default(),
            member: None,
            output_space: FIRST_OUTPUT,
            searched_twice: 0,
            searched_in_vain: 0,
            ahead: None,
            format: Format::Unknown,
        })
    }

    /// Whether bytes begin as a gzip member does.
    pub fn is_magic(data: &[u8]) -> bool {
        data.starts_with(&Self::MAGIC)
    }

    /// Decompresses a whole member or one step of a large one; false at the end of the file.
    pub fn more<R: Read>(&mut self, input: &mut Input<R>, out: &mut Window) -> io::Result<bool> {
        self.ahead = None;
        if self.member.is_some() {
            self.step(input, out)?;
            return Ok(true);
        }
        loop {
            if input.fill(FIRST_INPUT)? == 0 {
                return Ok(false);
            }
            // Tapes and some writers pad with zeros behind the last member.
            match input.data().iter().position(|&b| b != 0) {
                Some(0) => break,
                zeros => input.consume(zeros.unwrap_or(usize::MAX)),
            }
        }
        if member_header(input.data()).is_some() {
            self.whole_member(input, out)?;
        } else {
            out.damage(input.offset(), "bad_gzip_header");
            self.find_member(input, 1)?;
        }
        Ok(true)
    }

    /// The first bytes of the next member, in `space`; None where there is no telling, or where the whole member
    /// fitted and has gone to `out`. Otherwise nothing is consumed: `pass_over` or `more` come next.
    pub fn look<R: Read>(
        &mut self,
        input: &mut Input<R>,
        out: &mut Window,
        space: &mut [u8],
    ) -> io::Result<Option<usize>> {
        // Lengths that lie, as of members that hold many records, shall not make the search quadratic.
        let in_vain = self.searched_in_vain > input.offset() + MAX_INPUT as u64;
        if in_vain || self.member.is_some() || input.fill(FIRST_INPUT)? == 0 {
            return Ok(None);
        }
        if !Self::is_magic(input.data()) {
            return Ok(None);
        }
        let ahead = self.ahead.take();
        match ahead.unwrap_or_else(|| self.inflater.beginning(input.data(), space)) {
            Beginning::Whole { used, written } => {
                out.mark(input.offset());
                out.append(&space[..written]);
                input.consume(used);
                Ok(None)
            }
            Beginning::Part(held) => Ok(Some(held)),
            Beginning::Bad => Ok(None),
        }
    }

    /// Consumes the next member without inflating it, if it surely holds `length` bytes and ends where the file
    /// does or another member begins with a record.
    ///
    /// A member's last four bytes are the length of what it holds. The first place where these stand decides, so
    /// that of a member whose successor is damaged the end is not taken for another one's; four bytes stand at a
    /// given place by chance once in 2^32.
    pub fn pass_over<R: Read>(
        &mut self,
        input: &mut Input<R>,
        length: usize,
        space: &mut [u8],
    ) -> io::Result<bool> {
        let Some(header) = member_header(input.data()) else {
            return Ok(false);
        };
        let size = (length as u32).to_le_bytes();
        let size = memmem::Finder::new(&size);
        // Stored blocks of 16 KiB, the smallest that a compressor writes, take five bytes more each.
        let most = (header + length + length / 3000 + 64).min(MAX_INPUT);
        let mut from = header;
        loop {
            let end = input.data().len().min(most);
            if let Some(at) = size.find(&input.data()[from..end]) {
                let end = from + at + 4;
                let ends = input.fill(end + FIRST_INPUT)? == end
                    || self.goes_on_with_record(&input.data()[end..], space);
                if ends {
                    input.consume(end);
                } else {
                    self.searched_in_vain += end as u64;
                }
                return Ok(ends);
            }
            if end == most || input.ended() {
                self.searched_in_vain += end as u64;
                return Ok(false);
            }
            // The size may begin in the last bytes.
            from = from.max(end.saturating_sub(3));
            input.fill(input.data().len() + 1)?;
        }
    }

    /// Consumes the next member without inflating it, if skimming shows that it holds `length` bytes, as its trailer
    /// says, too, and of none of the sets in `watched` all. Its checksum is not looked at.
    pub fn skim_over<R: Read>(
        &mut self,
        input: &mut Input<R>,
        length: usize,
        watched: &[Bytes],
    ) -> io::Result<bool> {
        let Some(header) = member_header(input.data()) else {
            return Ok(false);
        };
        loop {
            let held = input.data().len();
            match self.skimmer.skim(&input.data()[header..], watched, length as u64) {
                Skim::Whole { used, holds } => {
                    let end = header + used + 8;
                    input.fill(end)?;
                    let size = input.data().get(end - 4..end);
                    let sound = holds == length as u64 && size == Some(&(length as u32).to_le_bytes());
                    if sound {
                        input.consume(end);
                    }
                    return Ok(sound);
                }
                Skim::Cut if held < MAX_INPUT && !input.ended() => {
                    input.fill((held * 4).min(MAX_INPUT))?;
                }
                Skim::Cut | Skim::Other | Skim::Bad => return Ok(false),
            }
        }
    }

    fn whole_member<R: Read>(&mut self, input: &mut Input<R>, out: &mut Window) -> io::Result<()> {
        loop {
            let held = input.data().len();
            match self.inflater.gzip(input.data(), out.space(self.output_space)) {
                OneShot::Done { used, written } => {
                    out.mark(input.offset());
                    out.advance(written);
                    input.consume(used);
                    return Ok(());
                }
                OneShot::NeedsSpace if self.output_space < MAX_OUTPUT => self.output_space *= 2,
                OneShot::Bad if held < MAX_INPUT && !input.ended() => {
                    input.fill((held * 4).min(MAX_INPUT))?;
                }
                _ => break,
            }
        }
        out.mark(input.offset());
        let header = member_header(input.data()).unwrap_or(0);
        self.raw.reset(false);
        self.member = Some(Member {
            offset: input.offset(),
            used: header,
            crc: 0,
            size: 0,
        });
        Ok(())
    }

    fn step<R: Read>(&mut self, input: &mut Input<R>, out: &mut Window) -> io::Result<()> {
        let Some(member) = self.member.as_mut() else {
            return Ok(());
        };
        input.fill(member.used + 1)?;
        let (taken, given) = (self.raw.total_in(), self.raw.total_out());
        let space = &mut out.space(STEP)[..STEP];
        let status = self
            .raw
            .decompress(&input.data()[member.used..], space, FlushDecompress::None);
        let taken = (self.raw.total_in() - taken) as usize;
        let given = (self.raw.total_out() - given) as usize;
        member.crc = crc32(member.crc, &space[..given]);
        member.size = member.size.wrapping_add(given as u32);
        member.used += taken;
        out.advance(given);
        let offset = member.offset;
        let damage = match status {
            Err(_) => Some("bad_gzip"),
            Ok(Status::StreamEnd) => return self.finish(input, out),
            Ok(_) if taken == 0 && given == 0 && input.ended() => Some("truncated_gzip"),
            Ok(_) => None,
        };
        if damage.is_none() && taken == 0 && given == 0 {
            input.fill(input.data().len() + 1)?;
        }
        if let Some(kind) = damage {
            let used = member.used;
            out.damage(offset, kind);
            self.member = None;
            let from = self.search_from(used, input.offset());
            return self.find_member(input, from);
        }
        if member.used > MAX_INPUT {
            input.consume(member.used - OVERLAP);
            member.used = OVERLAP;
        }
        Ok(())
    }

    /// Forgets the member that is being read and goes on with the next one that begins with a record.
    pub fn restart<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<()> {
        (self.member, self.ahead) = (None, None);
        self.find_member(input, 0)
    }

    pub fn between_members(&self) -> bool {
        self.member.is_none()
    }

    /// Gives up the member that is being streamed; false where there is none.
    pub fn abandon<R: Read>(
        &mut self,
        input: &mut Input<R>,
        out: &mut Window,
        kind: &'static str,
    ) -> io::Result<bool> {
        let Some(member) = self.member.take() else {
            return Ok(false);
        };
        out.damage(member.offset, kind);
        self.find_member(input, member.used.max(1))?;
        Ok(true)
    }

    /// Checks the trailer: CRC-32 and length modulo 2^32.
    fn finish<R: Read>(&mut self, input: &mut Input<R>, out: &mut Window) -> io::Result<()> {
        let Some(member) = self.member.take() else {
            return Ok(());
        };
        input.fill(member.used + 8)?;
        let trailer = input.data().get(member.used..member.used + 8);
        let expected = [member.crc.to_le_bytes(), member.size.to_le_bytes()].concat();
        let Some(trailer) = trailer else {
            out.damage(member.offset, "truncated_gzip");
            let from = self.search_from(member.used, input.offset());
            return self.find_member(input, from);
        };
        if trailer == expected {
            input.consume(member.used + 8);
            return Ok(());
        }
        out.damage(member.offset, "bad_gzip_checksum");
        let from = self.search_from(member.used, input.offset());
        self.find_member(input, from)
    }

    /// Where to look for the next member after one turned out damaged at `used`: behind its own first byte, since
    /// an inflater that missed the member's end may have run on through any number of others before it noticed.
    /// What is searched, and then inflated, twice in a file stays below what was read of it and a MiB, so that
    /// no input makes the search quadratic.
    fn search_from(&mut self, used: usize, offset: u64) -> usize {
        let budget = (offset + (1 << 20)).saturating_sub(self.searched_twice);
        let overlap = budget.min(used as u64);
        self.searched_twice += overlap;
        (used - overlap as usize).max(1)
    }

    /// Consumes up to the next member that begins with a record, or to the end of the file.
    fn find_member<R: Read>(&mut self, input: &mut Input<R>, from: usize) -> io::Result<()> {
        let magic = memmem::Finder::new(&Self::MAGIC);
        input.consume(from);
        while input.seek_to(&magic)? {
            input.fill(FIRST_INPUT)?;
            if self.begins_record(input.data(), input.ended()) {
                break;
            }
            input.consume(1);
        }
        Ok(())
    }

    /// Whether a member begins here that begins with a record, looked into once for this and the next `look`.
    fn goes_on_with_record(&mut self, data: &[u8], space: &mut [u8]) -> bool {
        let beginning = self.inflater.beginning(data, space);
        let held = match beginning {
            Beginning::Whole { written, .. } => written,
            Beginning::Part(held) => held,
            Beginning::Bad => return self.begins_record(data, false),
        };
        let is_record = self.format.may_begin(&space[..held]);
        self.ahead = is_record.then_some(beginning);
        is_record
    }

    /// Whether a member begins here that begins with a record. Of one that the end of the file cuts before that
    /// shows (`ended`), it is taken for granted, so that it does not vanish without a word.
    fn begins_record(&mut self, data: &[u8], ended: bool) -> bool {
        let Some(header) = member_header(data) else {
            return ended && data.len() < 512;
        };
        self.raw.reset(false);
        let mut first = [0u8; 512];
        // An error may come with output; only the output counts here.
        let result = self
            .raw
            .decompress(&data[header..], &mut first, FlushDecompress::None);
        let held = (self.raw.total_out() as usize).min(first.len());
        let is_cut = ended && held < first.len() && !matches!(result, Err(_) | Ok(Status::StreamEnd));
        is_cut || self.format.may_begin(&first[..held])
    }
}

/// Length of the member header at the beginning of `data` (RFC 1952); None where it is none or incomplete.
fn member_header(data: &[u8]) -> Option<usize> {
    let flags = *data.get(3)?;
    if !Gzip::is_magic(data) || flags & 0xe0 != 0 {
        return None;
    }
    let mut length = 10;
    if flags & 4 != 0 {
        let extra = data.get(length..length + 2)?;
        length += 2 + usize::from(u16::from_le_bytes([extra[0], extra[1]]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            length += memchr::memchr(0, data.get(length..)?)? + 1;
        }
    }
    if flags & 2 != 0 {
        length += 2;
    }
    (data.len() >= length).then_some(length)
}
