//! The bits of a DEFLATE stream.

use super::found::Skim;

/// The bits of a stream, the low ones first.
pub struct Bits<'a> {
    pub data: &'a [u8],
    /// Where the next byte is that is not in the buffer.
    pub at: usize,
    pub buffer: u64,
    /// Bits of the buffer that count; above them stand zeros or what comes next in the stream.
    pub count: u32,
}

impl<'a> Bits<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Bits {
            data,
            at: 0,
            buffer: 0,
            count: 0,
        }
    }

    /// Makes at least 56 bits available, behind the end of the data zeros.
    #[inline(always)]
    pub fn refill(&mut self) {
        if let Some(word) = self.data.get(self.at..self.at + 8) {
            self.buffer |= u64::from_le_bytes(word.try_into().unwrap_or_default()) << self.count;
            self.at += (63 - self.count as usize) >> 3;
            self.count |= 56;
            return;
        }
        while self.count < 56 {
            let byte = self.data.get(self.at).copied().unwrap_or(0);
            self.buffer |= u64::from(byte) << self.count;
            self.at += 1;
            self.count += 8;
        }
    }

    /// Takes up to 32 bits of those that `refill` made available.
    #[inline(always)]
    pub fn take(&mut self, bits: u32) -> u64 {
        let value = self.buffer & ((1 << bits) - 1);
        self.buffer >>= bits;
        self.count -= bits;
        value
    }

    /// Bytes of the data that are used, the last one maybe in part.
    pub fn used(&self) -> usize {
        self.at - self.count as usize / 8
    }

    pub fn within(&self) -> Result<(), Skim> {
        (self.used() <= self.data.len()).then_some(()).ok_or(Skim::Cut)
    }
}
