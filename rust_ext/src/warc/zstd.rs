//! zstd frames, with the dictionary that a WARC may carry in a skippable frame before the first record
//! (the IIPC's proposal "WARC-zstd", magic 0x184D2A5D: the dictionary, raw or itself a zstd frame).

use std::io::{self, Read};

use memchr::memmem;
use zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective};

use super::input::Input;
use super::window::Window;

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const DICTIONARY_FRAME: u32 = 0x184D_2A5D;
/// zstd's own tools cap dictionaries at 2 GiB; archives use 100 kB.
const MAX_DICTIONARY: usize = 64 << 20;
const STEP: usize = if cfg!(test) { 128 } else { 256 << 10 };

pub struct Zstd {
    context: DCtx<'static>,
    in_frame: bool,
    frame: u64,
}

impl Zstd {
    pub fn new() -> io::Result<Self> {
        let context = DCtx::try_create().ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Zstd {
            context,
            in_frame: false,
            frame: 0,
        })
    }

    pub fn is_magic(data: &[u8]) -> bool {
        data.starts_with(&MAGIC) || skippable(data).is_some()
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
                find_frame(input)?;
                return Ok(true);
            }
            self.begin(input.offset(), out);
        }
        self.step(input, out)?;
        Ok(true)
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
        find_frame(input)?;
        Ok(true)
    }

    fn begin(&mut self, offset: u64, out: &mut Window) {
        // Resetting a session cannot fail (zstd.h); the dictionary stays loaded.
        let _ = self.context.reset(ResetDirective::SessionOnly);
        out.mark(offset);
        self.frame = offset;
        self.in_frame = true;
    }

    fn step<R: Read>(&mut self, input: &mut Input<R>, out: &mut Window) -> io::Result<()> {
        let held = input.fill(1)?;
        let mut source = InBuffer::around(&input.data()[..held.min(STEP)]);
        let mut sink = OutBuffer::around(out.space(STEP));
        let result = self.context.decompress_stream(&mut sink, &mut source);
        let (used, written) = (source.pos(), sink.pos());
        out.advance(written);
        match result {
            Ok(0) => {
                self.in_frame = false;
                input.consume(used);
            }
            Ok(_) if held == 0 && written == 0 => {
                out.damage(self.frame, "truncated_zstd");
                self.in_frame = false;
            }
            Ok(_) => input.consume(used),
            Err(_) => {
                out.damage(self.frame, "bad_zstd");
                self.in_frame = false;
                find_frame(input)?;
            }
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
            return self.context.load_dictionary(bytes).is_ok();
        }
        let mut dictionary = Vec::new();
        let complete = decode_frames(bytes, MAX_DICTIONARY, &mut dictionary);
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

/// Passes over the damaged frame's first byte and what follows up to the next frame.
fn find_frame<R: Read>(input: &mut Input<R>) -> io::Result<()> {
    input.consume(1);
    input.seek_to(&memmem::Finder::new(&MAGIC)).map(drop)
}
