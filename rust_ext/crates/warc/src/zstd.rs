//! zstd frames, with the dictionary that a WARC may carry in a skippable frame before the first record
//! (the IIPC's proposal "WARC-zstd", magic 0x184D2A5D: the dictionary, raw or itself a zstd frame).

use std::io::{self, Read};

use memchr::memmem;
use zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective};

use super::format::Format;
use super::input::Input;
use super::skim::{Bytes, zstd_bytes};
use super::window::Window;

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const DICTIONARY_FRAME: u32 = 0x184D_2A5D;
/// zstd's own tools cap dictionaries at 2 GiB; archives use 100 kB.
const MAX_DICTIONARY: usize = 64 << 20;
/// Compressed bytes that are kept of a frame, and that one may have that is passed over.
const MAX_INPUT: usize = if cfg!(test) { 2048 } else { 16 << 20 };
/// Places at which `begins_behind` looks for a frame.
const MAX_TRIALS: usize = 8;
/// Compressed bytes that are kept of a larger one, to look for the next one in (`find_frame`).
const OVERLAP: usize = if cfg!(test) { 512 } else { 64 << 10 };
/// Bytes of a frame by which one sees whether it begins with a record.
const FIRST: usize = 512;
const STEP: usize = if cfg!(test) { 128 } else { 256 << 10 };

pub struct Zstd {
    context: DCtx<'static>,
    in_frame: bool,
    frame: u64,
    /// Bytes of the frame that are decompressed but kept, up to `MAX_INPUT`: damage is noticed late.
    used: usize,
    searched_twice: u64,
    /// The bytes that a dictionary may bring into every frame.
    of_dictionary: Bytes,
    /// What its frames begin with.
    pub format: Format,
}

impl Zstd {
    pub fn new() -> io::Result<Self> {
        let context = DCtx::try_create().ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Zstd {
            context,
            in_frame: false,
            frame: 0,
            used: 0,
            searched_twice: 0,
            of_dictionary: Bytes::default(),
            format: Format::Unknown,
        })
    }

    pub fn is_magic(data: &[u8]) -> bool {
        data.starts_with(&MAGIC) || skippable(data).is_some()
    }

    /// Whether a frame that begins with a record stands somewhere in bytes whose first ones are damaged.
    pub fn begins_behind(data: &[u8]) -> bool {
        let mut first = Vec::new();
        let mut frames = memmem::find_iter(data, &MAGIC).take(MAX_TRIALS);
        frames.any(|at| {
            first.clear();
            decode_frames(&data[at..], FIRST, &mut first);
            Format::Unknown.may_begin(&first)
        })
    }

    /// Decompresses one step; false at the end of the file.
    pub fn more<R: Read>(&mut self, input: &mut Input<R>, out: &mut Window) -> io::Result<bool> {
        if !self.in_frame {
            if input.fill(8)? == 0 {
                return Ok(false);
            }
            if let Some((magic, length)) = skippable(input.data()) {
                self.skip_frame(input, out, magic, length)?;
                return Ok(true);
            }
            if !input.data().starts_with(&MAGIC) {
                out.damage(input.offset(), "bad_zstd_header");
                self.find_frame(input, 1)?;
                return Ok(true);
            }
            self.begin(input.offset(), out);
        }
        self.step(input, out)?;
        Ok(true)
    }

    /// The first bytes of the next frame, in `space`; None where there is no telling, or where the whole frame
    /// fitted and has gone to `out`. Otherwise nothing is consumed: `pass_over` or `more` come next.
    pub fn look<R: Read>(
        &mut self,
        input: &mut Input<R>,
        out: &mut Window,
        space: &mut [u8],
    ) -> io::Result<Option<usize>> {
        // A frame whose last byte has been given may still have an end.
        while self.in_frame && out.data().is_empty() {
            self.step(input, out)?;
        }
        if self.in_frame
            || !out.data().is_empty()
            || input.fill(STEP)? == 0
            || !input.data().starts_with(&MAGIC)
        {
            return Ok(None);
        }
        let (used, written, is_whole) = self.beginning(input, space)?;
        if is_whole {
            out.mark(input.offset());
            out.append(&space[..written]);
            input.consume(used);
        }
        Ok((!is_whole && written == space.len()).then_some(written))
    }

    /// Decompresses what fits into `space` of the next frame and consumes nothing: bytes used and written, and
    /// whether that is the whole frame.
    fn beginning<R: Read>(
        &mut self,
        input: &mut Input<R>,
        space: &mut [u8],
    ) -> io::Result<(usize, usize, bool)> {
        // Resetting a session cannot fail (zstd.h); the dictionary stays loaded.
        let _ = self.context.reset(ResetDirective::SessionOnly);
        let (mut used, mut written) = (0, 0);
        loop {
            let mut source = InBuffer::around(&input.data()[used..]);
            let mut sink = OutBuffer::around(&mut space[written..]);
            let result = self.context.decompress_stream(&mut sink, &mut source);
            used += source.pos();
            written += sink.pos();
            let more = match result {
                Ok(0) => return Ok((used, written, true)),
                Ok(_) => written < space.len() && used == input.data().len() && used < MAX_INPUT,
                Err(_) => false,
            };
            if !more || input.fill(used + 1)? == used {
                return Ok((used, written, false));
            }
        }
    }

    /// Consumes the next frame without decompressing it, if its header says that it holds `length` bytes and the
    /// lengths of its blocks lead to the end of the file or to another frame.
    pub fn pass_over<R: Read>(&mut self, input: &mut Input<R>, length: usize) -> io::Result<bool> {
        self.pass_over_if(input, length, |_| true)
    }

    /// The same if the frame surely holds of none of the sets in `watched` all. Its checksum is not looked at.
    pub fn skim_over<R: Read>(
        &mut self,
        input: &mut Input<R>,
        length: usize,
        watched: &[Bytes],
    ) -> io::Result<bool> {
        let of_dictionary = self.of_dictionary;
        let is_free = |frame: &[u8]| {
            zstd_bytes(frame).is_some_and(|set| !set.united(&of_dictionary).holds_any(watched))
        };
        self.pass_over_if(input, length, is_free)
    }

    fn pass_over_if<R: Read>(
        &mut self,
        input: &mut Input<R>,
        length: usize,
        may: impl Fn(&[u8]) -> bool,
    ) -> io::Result<bool> {
        if !matches!(zstd_safe::get_frame_content_size(input.data()), Ok(Some(held)) if held == length as u64)
        {
            return Ok(false);
        }
        let size = loop {
            let held = input.data().len();
            match zstd_safe::find_frame_compressed_size(input.data()) {
                Ok(size) => break size,
                Err(_) if input.ended() || held >= MAX_INPUT => return Ok(false),
                Err(_) => input.fill((2 * held).min(MAX_INPUT))?,
            };
        };
        let ends = may(&input.data()[..size])
            && (input.fill(size + 8)? == size || Self::is_magic(&input.data()[size..]));
        if ends {
            input.consume(size);
        }
        Ok(ends)
    }

    /// Forgets the frame that is being read and goes on with the next one that begins with a record.
    pub fn restart<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<()> {
        (self.in_frame, self.used) = (false, 0);
        self.find_frame(input, 0)
    }

    pub fn between_members(&self) -> bool {
        !self.in_frame
    }

    /// Gives up the frame that is being decompressed; false where there is none.
    pub fn abandon<R: Read>(
        &mut self,
        input: &mut Input<R>,
        out: &mut Window,
        kind: &'static str,
    ) -> io::Result<bool> {
        if !self.in_frame {
            return Ok(false);
        }
        out.damage(self.frame, kind);
        self.in_frame = false;
        self.find_frame(input, self.used.max(1))?;
        Ok(true)
    }

    fn begin(&mut self, offset: u64, out: &mut Window) {
        // Resetting a session cannot fail (zstd.h); the dictionary stays loaded.
        let _ = self.context.reset(ResetDirective::SessionOnly);
        out.mark(offset);
        self.frame = offset;
        self.used = 0;
        self.in_frame = true;
    }

    fn step<R: Read>(&mut self, input: &mut Input<R>, out: &mut Window) -> io::Result<()> {
        let held = input.fill(self.used + 1)?;
        let mut source = InBuffer::around(&input.data()[self.used..held.min(self.used + STEP)]);
        let mut sink = OutBuffer::around(out.space(STEP));
        let result = self.context.decompress_stream(&mut sink, &mut source);
        let (used, written) = (source.pos(), sink.pos());
        out.advance(written);
        self.used += used;
        match result {
            Ok(0) => {
                self.in_frame = false;
                input.consume(self.used);
            }
            Ok(_) if held == self.used && used == 0 && written == 0 => {
                return self.damaged(input, out, "truncated_zstd");
            }
            Ok(_) if self.used > MAX_INPUT => {
                input.consume(self.used - OVERLAP);
                self.used = OVERLAP;
            }
            Ok(_) => {}
            Err(_) => return self.damaged(input, out, "bad_zstd"),
        }
        Ok(())
    }

    /// Leaves a damaged frame and looks for the next one from its second byte: a block whose length is wrong
    /// takes the frames behind it along before that is noticed. What is searched twice in a file stays below what
    /// was read of it and a MiB.
    fn damaged<R: Read>(
        &mut self,
        input: &mut Input<R>,
        out: &mut Window,
        kind: &'static str,
    ) -> io::Result<()> {
        out.damage(self.frame, kind);
        self.in_frame = false;
        let budget = (input.offset() + (1 << 20)).saturating_sub(self.searched_twice);
        let overlap = budget.min(self.used as u64);
        self.searched_twice += overlap;
        self.find_frame(input, (self.used - overlap as usize).max(1))
    }

    /// Consumes up to the next frame that begins with a record, or to the end of the file.
    fn find_frame<R: Read>(&mut self, input: &mut Input<R>, from: usize) -> io::Result<()> {
        let magic = memmem::Finder::new(&MAGIC);
        input.consume(from);
        while input.seek_to(&magic)? {
            input.fill(STEP)?;
            let mut first = [0; FIRST];
            let written = self.beginning(input, &mut first)?.1;
            if self.format.may_begin(&first[..written]) {
                break;
            }
            input.consume(1);
        }
        Ok(())
    }

    fn skip_frame<R: Read>(
        &mut self,
        input: &mut Input<R>,
        out: &mut Window,
        magic: u32,
        length: usize,
    ) -> io::Result<()> {
        let offset = input.offset();
        input.consume(8);
        if magic == DICTIONARY_FRAME && offset == 0 && length <= MAX_DICTIONARY {
            input.fill(length)?;
            let bytes = input.data().get(..length).unwrap_or_default();
            if bytes.is_empty() || !self.load(bytes) {
                out.damage(offset, "bad_zstd_dictionary");
            }
        }
        let mut left = length;
        while left > 0 {
            let held = input.fill(1)?.min(left);
            if held == 0 {
                break;
            }
            input.consume(held);
            left -= held;
        }
        Ok(())
    }

    fn load(&mut self, bytes: &[u8]) -> bool {
        if !bytes.starts_with(&MAGIC) {
            self.of_dictionary.extend(bytes);
            return self.context.load_dictionary(bytes).is_ok();
        }
        let mut dictionary = Vec::new();
        let complete = decode_frames(bytes, MAX_DICTIONARY, &mut dictionary);
        self.of_dictionary.extend(&dictionary);
        complete && self.context.load_dictionary(&dictionary).is_ok()
    }
}

/// Decompresses frames into `output` up to `limit` bytes; false where they are damaged, cut or larger.
/// What could be decompressed is in `output` either way.
pub fn decode_frames(bytes: &[u8], limit: usize, output: &mut Vec<u8>) -> bool {
    let Some(mut context) = DCtx::try_create() else {
        return false;
    };
    let mut source = InBuffer::around(bytes);
    let mut step = vec![0u8; STEP.min(limit.max(1))];
    loop {
        let mut sink = OutBuffer::around(step.as_mut_slice());
        let before = source.pos();
        let Ok(hint) = context.decompress_stream(&mut sink, &mut source) else {
            return false;
        };
        let written = sink.pos();
        let room = limit.saturating_sub(output.len());
        output.extend_from_slice(&step[..written.min(room)]);
        if written > room {
            return false;
        }
        if hint == 0 && source.pos() == bytes.len() {
            return true;
        }
        if written == 0 && source.pos() == before {
            return false;
        }
    }
}

/// Magic and content length of a skippable frame.
fn skippable(data: &[u8]) -> Option<(u32, usize)> {
    let magic = u32::from_le_bytes(data.get(..4)?.try_into().ok()?);
    let length = u32::from_le_bytes(data.get(4..8)?.try_into().ok()?);
    (0x184D_2A50..=0x184D_2A5F)
        .contains(&magic)
        .then_some((magic, length as usize))
}
