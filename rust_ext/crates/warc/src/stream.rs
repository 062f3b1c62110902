//! The decompressed stream of a file, whatever its container.

use std::io::{self, Read, Seek};

use memchr::memmem;

use super::arc;
use super::format::Format;
use super::gzip::Gzip;
use super::input::Input;
use super::lz4::Lz4;
use super::skim::Bytes;
use super::window::Window;
use super::zstd::Zstd;

/// Bytes by which a container is recognised.
const HEAD: usize = 64 << 10;
const STEP: usize = if cfg!(test) { 128 } else { 256 << 10 };

/// UTF-8's byte order mark, which editors put before a file.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

enum Codec {
    Plain,
    Gzip(Gzip),
    Zstd(Zstd),
    Lz4(Lz4),
}

/// A file's decompressed bytes, in `window`.
pub struct Stream<R> {
    input: Input<R>,
    codec: Option<Codec>,
    format: Format,
    pub window: Window,
}

impl<R: Read> Stream<R> {
    pub fn new(source: R) -> Self {
        Stream {
            input: Input::new(source),
            codec: None,
            format: Format::Unknown,
            window: Window::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.input.held() + self.window.held()
    }

    /// What its records are, as far as is known.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Says what its records are: from now on only these are looked for behind damage.
    pub fn set_format(&mut self, format: Format) {
        self.format = format;
        match self.codec.as_mut() {
            Some(Codec::Gzip(gzip)) => gzip.format = format,
            Some(Codec::Zstd(zstd)) => zstd.format = format,
            Some(Codec::Plain | Codec::Lz4(_)) | None => {}
        }
    }

    /// Decompresses some more into the window, or marks damage there; false at the end of the file.
    pub fn more(&mut self) -> io::Result<bool> {
        if self.codec.is_none() {
            self.codec = Some(recognise(&mut self.input)?);
        }
        match self.codec.as_mut() {
            Some(Codec::Gzip(gzip)) => gzip.more(&mut self.input, &mut self.window),
            Some(Codec::Zstd(zstd)) => zstd.more(&mut self.input, &mut self.window),
            Some(Codec::Lz4(lz4)) => lz4.more(&mut self.input, &mut self.window),
            Some(Codec::Plain) | None => {
                let held = self.input.fill(1)?.min(STEP);
                self.window.append(&self.input.data()[..held]);
                self.input.consume(held);
                Ok(held > 0)
            }
        }
    }
}

impl<R: Read> Stream<R> {
    /// The first bytes of the member that comes behind an empty window, as many as fit into `space`, or somewhat
    /// fewer; None where it is best decompressed into the window (which may have happened).
    pub fn look(&mut self, space: &mut [u8]) -> io::Result<Option<usize>> {
        if self.codec.is_none() {
            self.codec = Some(recognise(&mut self.input)?);
        }
        match self.codec.as_mut() {
            _ if !self.window.data().is_empty() => Ok(None),
            Some(Codec::Gzip(gzip)) => gzip.look(&mut self.input, &mut self.window, space),
            Some(Codec::Zstd(zstd)) => zstd.look(&mut self.input, &mut self.window, space),
            Some(Codec::Plain | Codec::Lz4(_)) | None => Ok(None),
        }
    }

    /// Passes over the member of which `look` gave the first bytes, if it surely holds `length` bytes. What `space`
    /// holds then belongs to the next `look`, with as much space.
    pub fn pass_over(&mut self, length: usize, space: &mut [u8]) -> io::Result<bool> {
        let passed = match self.codec.as_mut() {
            Some(Codec::Gzip(gzip)) => gzip.pass_over(&mut self.input, length, space)?,
            Some(Codec::Zstd(zstd)) => zstd.pass_over(&mut self.input, length)?,
            Some(Codec::Plain | Codec::Lz4(_)) | None => false,
        };
        if passed {
            self.window.skip(length);
        }
        Ok(passed)
    }

    /// The same if it surely holds `length` bytes and of none of `watched` all.
    pub fn skim_over(&mut self, length: usize, watched: &[Bytes]) -> io::Result<bool> {
        let passed = match self.codec.as_mut() {
            Some(Codec::Gzip(gzip)) => gzip.skim_over(&mut self.input, length, watched)?,
            Some(Codec::Zstd(zstd)) => zstd.skim_over(&mut self.input, length, watched)?,
            Some(Codec::Plain | Codec::Lz4(_)) | None => false,
        };
        if passed {
            self.window.skip(length);
        }
        Ok(passed)
    }

    /// Whether its records lie in the file as they are.
    pub fn is_plain(&self) -> bool {
        matches!(self.codec, Some(Codec::Plain))
    }

    /// Whether `jump` finds members.
    pub fn can_jump(&self) -> bool {
        matches!(self.codec, Some(Codec::Gzip(_) | Codec::Zstd(_)))
    }

    /// Offset in the file of what is yet to be decompressed: between members, of the next one.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// Whether the window ends where a member of the file ends; never so in plain files.
    pub fn between_members(&self) -> bool {
        match &self.codec {
            Some(Codec::Gzip(gzip)) => gzip.between_members(),
            Some(Codec::Zstd(zstd)) => zstd.between_members(),
            Some(Codec::Lz4(lz4)) => lz4.between_members(),
            Some(Codec::Plain) | None => false,
        }
    }

    /// Gives up the member that is being streamed (it inflates without end) and goes on with the next one;
    /// false where there is none such.
    pub fn abandon(&mut self, kind: &'static str) -> io::Result<bool> {
        match self.codec.as_mut() {
            Some(Codec::Gzip(gzip)) => gzip.abandon(&mut self.input, &mut self.window, kind),
            Some(Codec::Zstd(zstd)) => zstd.abandon(&mut self.input, &mut self.window, kind),
            _ => Ok(false),
        }
    }
}

impl<R: Read + Seek> Stream<R> {
    /// Goes on with the first member, in plain files with the first byte, at `offset` or behind it; members are looked
    /// for up to `stop` only. False where that can't be done: in LZ4 files, and before anything has been read.
    pub fn jump(&mut self, offset: u64, stop: u64) -> io::Result<bool> {
        match self.codec.as_mut() {
            Some(Codec::Lz4(_)) | None => return Ok(false),
            Some(Codec::Plain) => {
                self.input.jump(offset)?;
                self.window = Window::at(offset);
                return Ok(true);
            }
            Some(Codec::Gzip(_) | Codec::Zstd(_)) => {}
        }
        self.input.jump(offset)?;
        self.window = Window::default();
        self.input.look_no_further(stop);
        match self.codec.as_mut() {
            Some(Codec::Gzip(gzip)) => gzip.restart(&mut self.input)?,
            Some(Codec::Zstd(zstd)) => zstd.restart(&mut self.input)?,
            Some(Codec::Plain | Codec::Lz4(_)) | None => {}
        }
        self.input.look_no_further(u64::MAX);
        Ok(true)
    }

    /// Goes back to the beginning, as if nothing had been read.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.input.jump(0)?;
        self.window = Window::default();
        (self.codec, self.format) = (None, Format::Unknown);
        Ok(())
    }
}

fn recognise<R: Read>(input: &mut Input<R>) -> io::Result<Codec> {
    input.fill(HEAD)?;
    let data = input.data();
    if Gzip::is_magic(data) {
        Ok(Codec::Gzip(Gzip::new()?))
    } else if Zstd::is_magic(data) {
        Ok(Codec::Zstd(Zstd::new()?))
    } else if Lz4::is_magic(data) {
        Ok(Codec::Lz4(Lz4::default()))
    } else if Format::of(data.strip_prefix(MARK).unwrap_or(data)).is_some() || arc::begins_a_line(data) {
        Ok(Codec::Plain)
    } else if memmem::find(data, b"WARC/").is_none() && memmem::find(data, &Gzip::MAGIC).is_some() {
        // The first member's first bytes are damaged.
        Ok(Codec::Gzip(Gzip::new()?))
    } else if Zstd::begins_behind(data) {
        Ok(Codec::Zstd(Zstd::new()?))
    } else {
        Ok(Codec::Plain)
    }
}
