//! A sliding window over the compressed bytes of a file.

use std::io::{self, Read, Seek, SeekFrom};

use memchr::memmem;

/// Most bytes asked of the source at a time: so many that a request to an object store pays.
/// Here and below, tests use small sizes, so that small inputs meet every boundary.
const CHUNK: usize = if cfg!(test) { 61 } else { 1 << 20 };
/// Bytes of the buffer: what is not consumed is moved to its beginning once for so many bytes less `CHUNK`.
const ROOM: usize = if cfg!(test) { 150 } else { 5 << 19 };

/// Buffered compressed bytes with their absolute offset. What is not consumed stays, so a damaged member
/// can be searched again from its first byte.
pub struct Input<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    ended: bool,
    /// Offset from which `seek_to` looks no further.
    horizon: u64,
}

impl<R: Read> Input<R> {
    pub fn new(source: R) -> Self {
        Input {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            horizon: u64::MAX,
        }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// The bytes read and not yet consumed.
    pub fn data(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Absolute offset of `data()[0]` in the file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the source has no bytes beyond `data()`.
    pub fn ended(&self) -> bool {
        self.ended
    }

    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Makes `seek_to` stop at the first chunk that begins at `offset` or behind it, as at the end of the file.
    pub fn look_no_further(&mut self, offset: u64) {
        self.horizon = offset;
    }

    /// Consumes up to the next place where `magic` stands, or to the end of the file; false there.
    pub fn seek_to(&mut self, magic: &memmem::Finder<'_>) -> io::Result<bool> {
        loop {
            self.fill(CHUNK)?;
            if let Some(found) = magic.find(self.data()) {
                self.consume(found);
                return Ok(true);
            }
            // The magic may begin in the last bytes.
            let keep = if self.ended { 0 } else { magic.needle().len() - 1 };
            self.consume(self.data().len().saturating_sub(keep));
            if self.ended || self.offset >= self.horizon {
                return Ok(false);
            }
        }
    }

    /// Reads until `data()` holds at least `want` bytes or the source ends; returns how many it holds.
    pub fn fill(&mut self, want: usize) -> io::Result<usize> {
        while self.end - self.start < want && !self.ended {
            if self.buffer.len() < self.end + CHUNK {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            if self.buffer.len() < self.end + CHUNK {
                self.buffer.resize((want + CHUNK).max(ROOM), 0);
            }
            let stop = self.end + CHUNK;
            let read = read_retrying(&mut self.source, &mut self.buffer[self.end..stop])?;
            self.ended = read == 0;
            self.end += read;
        }
        Ok(self.end - self.start)
    }
}

impl<R: Read + Seek> Input<R> {
    /// Goes on at an offset of the file; what is held is let go.
    pub fn jump(&mut self, offset: u64) -> io::Result<()> {
        self.source.seek(SeekFrom::Start(offset))?;
        (self.start, self.end, self.offset, self.ended) = (0, 0, offset, false);
        Ok(())
    }
}

fn read_retrying<R: Read>(source: &mut R, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
