//! Skimming a DEFLATE stream (RFC 1951): where it ends, how many bytes it holds, and which byte values cannot be
//! among them, without writing any.
//!
//! Every byte of a stream is a literal or a copy of bytes before it, and each block says in its header which literals
//! have a code in it. So a stream in none of whose blocks 0xD0 or 0xD1 has a code holds no Cyrillic in UTF-8. Bits
//! are followed from code to code by a table whose entries stand for several symbols and say only how many bits and
//! bytes these are: no copy, no branch on what a symbol is. What only the bytes would show is not noticed:
//! a wrong checksum, and a distance that points before the beginning.

mod bits;
mod code;
mod found;
#[cfg(test)]
mod tests;
mod zstd;

pub use found::{Bytes, Skim};
pub use zstd::zstd_bytes;

use bits::Bits;
use code::{Code, DISTANCE, END_OF_BLOCK, STOP, Table, distance_extra, length, written};

/// The bytes that may be in a stream up to here.
struct Seen<'a> {
    set: Bytes,
    watched: &'a [Bytes],
}

impl Seen<'_> {
    fn add(&mut self, used: &Bytes) -> Result<(), Skim> {
        self.set = self.set.united(used);
        if self.set.holds_any(self.watched) {
            return Err(Skim::Other);
        }
        Ok(())
    }
}

/// Symbols of a block with the fixed code that are followed, one by one: zlib writes such blocks where there is
/// little to write.
const MAX_FIXED: usize = 1 << 14;
/// The order in which the lengths of the codes for lengths are given.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MAX_LENGTHS: usize = 286;
const MAX_DISTANCES: usize = 30;

/// Follows streams; its tables are used again.
pub struct Skimmer {
    table: Table,
    literals: Code,
    distances: Code,
}

impl Default for Skimmer {
    fn default() -> Self {
        Skimmer {
            table: Table::new(),
            literals: Code::new(),
            distances: Code::new(),
        }
    }
}

impl Skimmer {
    /// Follows the stream at the beginning of `data` to its end, or until all values of one of the sets in `watched`
    /// may be in it or it holds more than `most` bytes.
    pub fn skim(&mut self, data: &[u8], watched: &[Bytes], most: u64) -> Skim {
        let mut bits = Bits::new(data);
        let mut seen = Seen {
            set: Bytes::default(),
            watched,
        };
        let mut holds = 0;
        loop {
            bits.refill();
            let is_last = bits.take(1) == 1;
            let block = match bits.take(2) {
                0 => stored(&mut bits, &mut seen),
                1 => self.fixed(&mut bits, &mut seen),
                2 => self.dynamic(&mut bits, &mut seen),
                _ => Err(Skim::Bad),
            };
            match block {
                _ if bits.used() > data.len() => return Skim::Cut,
                // Zeros were read behind the end.
                Err(Skim::Bad) if bits.used() + 8 > data.len() => return Skim::Cut,
                Err(end) => return end,
                Ok(length) => holds += length,
            }
            if holds > most {
                return Skim::Other;
            }
            if is_last {
                return Skim::Whole {
                    used: bits.used(),
                    holds,
                };
            }
        }
    }

    /// A block with the fixed code, symbol by symbol, as any literal may be in it.
    fn fixed(&mut self, bits: &mut Bits, seen: &mut Seen) -> Result<u64, Skim> {
        let mut lengths = [8u8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        if !self.literals.set(&lengths) || !self.distances.set(&[5; 30]) {
            return Err(Skim::Bad);
        }
        let (mut holds, mut used) = (0, Bytes::default());
        for _ in 0..MAX_FIXED {
            match self.symbol(bits)? {
                Symbol::End => return seen.add(&used).map(|()| holds),
                Symbol::Literal(value) => {
                    used.insert(value);
                    holds += 1;
                }
                Symbol::Length(length) => {
                    self.distance(bits)?;
                    holds += length;
                }
            }
        }
        Err(Skim::Other)
    }

    fn dynamic(&mut self, bits: &mut Bits, seen: &mut Seen) -> Result<u64, Skim> {
        let mut lengths = [0u8; MAX_LENGTHS + MAX_DISTANCES];
        let (literals, all) = self.code_lengths(bits, &mut lengths)?;
        let mut used = Bytes::default();
        for (value, _) in (0..=255).zip(&lengths).filter(|&(_, &length)| length > 0) {
            used.insert(value);
        }
        seen.add(&used)?;
        let is_code = self.literals.set(&lengths[..literals]) && self.distances.set(&lengths[literals..all]);
        if !is_code || lengths[usize::from(END_OF_BLOCK)] == 0 {
            return Err(Skim::Bad);
        }
        self.table.set(&self.literals, &self.distances);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("bmi2") {
            // SAFETY: the processor has BMI2, as has just been asked.
            return unsafe { self.block_bmi2(bits) };
        }
        self.block(bits)
    }

    /// The lengths of a block's codes; how many of them are for literals, and how many there are in all.
    fn code_lengths(
        &mut self,
        bits: &mut Bits,
        lengths: &mut [u8; MAX_LENGTHS + MAX_DISTANCES],
    ) -> Result<(usize, usize), Skim> {
        bits.refill();
        let literals = bits.take(5) as usize + 257;
        let distances = bits.take(5) as usize + 1;
        let given = bits.take(4) as usize + 4;
        if literals > MAX_LENGTHS || distances > MAX_DISTANCES {
            return Err(Skim::Bad);
        }
        let mut of_lengths = [0u8; 19];
        for &symbol in &ORDER[..given] {
            bits.refill();
            of_lengths[symbol] = bits.take(3) as u8;
        }
        if !self.literals.set(&of_lengths) {
            return Err(Skim::Bad);
        }
        let (all, mut at) = (literals + distances, 0);
        while at < all {
            bits.refill();
            let (symbol, code) = self.literals.symbol(bits.buffer).ok_or(Skim::Bad)?;
            bits.take(code);
            let (length, count) = match symbol {
                16 => {
                    let before = at.checked_sub(1).ok_or(Skim::Bad)?;
                    (lengths[before], 3 + bits.take(2) as usize)
                }
                17 => (0, 3 + bits.take(3) as usize),
                18 => (0, 11 + bits.take(7) as usize),
                _ => (symbol as u8, 1),
            };
            lengths[at..]
                .get_mut(..count.min(all - at))
                .unwrap_or_default()
                .fill(length);
            at += count;
        }
        (at == all).then_some((literals, all)).ok_or(Skim::Bad)
    }

    /// The same with the instructions for shifts by a variable that processors have had since 2013.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "bmi2")]
    fn block_bmi2(&self, bits: &mut Bits) -> Result<u64, Skim> {
        self.block(bits)
    }

    /// Follows the codes of a block to its end; the bytes that they write.
    #[inline(always)]
    fn block(&self, bits: &mut Bits) -> Result<u64, Skim> {
        let mut holds = 0;
        loop {
            if run(&self.table, bits, &mut holds) {
                self.distance(bits)?;
                continue;
            }
            match self.symbol(bits)? {
                Symbol::End => return Ok(holds),
                Symbol::Literal(_) => holds += 1,
                Symbol::Length(length) => {
                    holds += length;
                    self.distance(bits)?;
                }
            }
        }
    }

    /// One literal, length or end of block.
    fn symbol(&self, bits: &mut Bits) -> Result<Symbol, Skim> {
        bits.refill();
        let (symbol, code) = self.literals.symbol(bits.buffer).ok_or(Skim::Bad)?;
        bits.take(code);
        bits.within()?;
        match symbol {
            END_OF_BLOCK => Ok(Symbol::End),
            0..END_OF_BLOCK => Ok(Symbol::Literal(symbol as u8)),
            _ => {
                let (base, extra) = length(symbol).ok_or(Skim::Bad)?;
                Ok(Symbol::Length(u64::from(base) + bits.take(extra)))
            }
        }
    }

    /// Passes over a distance.
    fn distance(&self, bits: &mut Bits) -> Result<(), Skim> {
        bits.refill();
        let (symbol, code) = self.distances.symbol(bits.buffer).ok_or(Skim::Bad)?;
        bits.take(code);
        bits.take(distance_extra(symbol).ok_or(Skim::Bad)?);
        bits.within()
    }
}

enum Symbol {
    Literal(u8),
    Length(u64),
    End,
}

/// Follows codes by the table as long as it has entries for them and the input has words; whether a distance comes
/// next.
#[inline(always)]
fn run(table: &Table, bits: &mut Bits, holds: &mut u64) -> bool {
    let Bits {
        data,
        mut at,
        mut buffer,
        mut count,
    } = *bits;
    let mut before = 0;
    'words: while let Some(word) = data.get(at..at + 8) {
        buffer |= u64::from_le_bytes(word.try_into().unwrap_or_default()).wrapping_shl(count);
        at += 7 - (count >> 3 & 7) as usize;
        count |= 56;
        for _ in 0..2 {
            let entry = table.next(buffer, before);
            if entry & STOP != 0 {
                break 'words;
            }
            *holds += written(entry, buffer);
            buffer = buffer.wrapping_shr(entry);
            count = count.wrapping_sub(entry);
            before = entry;
        }
    }
    (bits.at, bits.buffer, bits.count) = (at, buffer, count & 63);
    before & DISTANCE != 0
}

/// A stored block.
fn stored(bits: &mut Bits, seen: &mut Seen) -> Result<u64, Skim> {
    let at = bits.used();
    let head = bits.data.get(at..at + 4).ok_or(Skim::Cut)?;
    let length = u16::from_le_bytes([head[0], head[1]]);
    if length != !u16::from_le_bytes([head[2], head[3]]) {
        return Err(Skim::Bad);
    }
    let end = at + 4 + usize::from(length);
    let block = bits.data.get(at + 4..end).ok_or(Skim::Cut)?;
    let mut used = Bytes::default();
    used.extend(block);
    seen.add(&used)?;
    (bits.at, bits.buffer, bits.count) = (end, 0, 0);
    Ok(u64::from(length))
}
