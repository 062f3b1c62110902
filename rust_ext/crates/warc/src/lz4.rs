//! LZ4 frames, block by block (lz4_Frame_format.md 1.6.3). Checksums are not verified: what an LZ4 archive
//! yields is checked by the record's own syntax only.

use std::io::{self, Read};

use lz4_flex::block::{decompress_into, decompress_into_with_dict};
use memchr::memmem;

use super::input::Input;
use super::window::Window;

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// The format's reach of matches into earlier blocks.
const REACH: usize = 64 << 10;

#[derive(Default)]
pub struct Lz4 {
    frame: Option<Frame>,
    history: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Frame {
    offset: u64,
    linked: bool,
    block_checksum: bool,
    content_checksum: bool,
    max_block: usize,
}

impl Lz4 {
    pub fn is_magic(data: &[u8]) -> bool {
        data.starts_with(&MAGIC)
    }

    pub fn between_members(&self) -> bool {
        self.frame.is_none()
    }

    /// Decompresses one block; false at the end of the file.
    pub fn more<R: Read>(&mut self, input: &mut Input<R>, out: &mut Window) -> io::Result<bool> {
        if input.fill(19)? == 0 && self.frame.is_none() {
            return Ok(false);
        }
        let Some(frame) = self.frame else {
            match frame_header(input.data(), input.offset()) {
                Some((frame, length)) => {
                    out.mark(frame.offset);
                    self.history.clear();
                    self.frame = Some(frame);
                    input.consume(length);
                }
                None => {
                    out.damage(input.offset(), "bad_lz4_header");
                    find_frame(input)?;
                }
            }
            return Ok(true);
        };
        if let Some(kind) = self.block(frame, input, out)? {
            out.damage(frame.offset, kind);
            self.frame = None;
            find_frame(input)?;
        }
        Ok(true)
    }

    fn block<R: Read>(
        &mut self,
        frame: Frame,
        input: &mut Input<R>,
        out: &mut Window,
    ) -> io::Result<Option<&'static str>> {
        let Some(head) = input.data().get(..4) else {
            return Ok(Some("truncated_lz4"));
        };
        let head = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        if head == 0 {
            input.consume(4 + if frame.content_checksum { 4 } else { 0 });
            self.frame = None;
            return Ok(None);
        }
        let length = (head & 0x7fff_ffff) as usize;
        if length > frame.max_block {
            return Ok(Some("bad_lz4"));
        }
        let whole = 4 + length + if frame.block_checksum { 4 } else { 0 };
        if input.fill(whole)? < whole {
            return Ok(Some("truncated_lz4"));
        }
        let block = &input.data()[4..4 + length];
        let space = &mut out.space(frame.max_block)[..frame.max_block];
        let written = if head >> 31 == 1 {
            space[..length].copy_from_slice(block);
            length
        } else {
            let result = if frame.linked {
                decompress_into_with_dict(block, space, &self.history)
            } else {
                decompress_into(block, space)
            };
            match result {
                Ok(written) => written,
                Err(_) => return Ok(Some("bad_lz4")),
            }
        };
        if frame.linked {
            self.history.extend_from_slice(&space[..written]);
            let old = self.history.len().saturating_sub(REACH);
            self.history.drain(..old);
        }
        out.advance(written);
        input.consume(whole);
        Ok(None)
    }
}

fn frame_header(data: &[u8], offset: u64) -> Option<(Frame, usize)> {
    let (flags, descriptor) = (*data.get(4)?, *data.get(5)?);
    if !Lz4::is_magic(data) || flags >> 6 != 1 {
        return None;
    }
    let max_block = match (descriptor >> 4) & 7 {
        4 => 64 << 10,
        5 => 256 << 10,
        6 => 1 << 20,
        7 => 4 << 20,
        _ => return None,
    };
    let mut length = 7;
    length += if flags & 8 != 0 { 8 } else { 0 };
    length += if flags & 1 != 0 { 4 } else { 0 };
    let frame = Frame {
        offset,
        linked: flags & 0x20 == 0,
        block_checksum: flags & 0x10 != 0,
        content_checksum: flags & 4 != 0,
        max_block,
    };
    (data.len() >= length).then_some((frame, length))
}

/// Passes over the damaged frame's first byte and what follows up to the next frame.
fn find_frame<R: Read>(input: &mut Input<R>) -> io::Result<()> {
    input.consume(1);
    input.seek_to(&memmem::Finder::new(&MAGIC)).map(drop)
}
