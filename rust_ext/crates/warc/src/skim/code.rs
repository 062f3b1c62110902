//! Prefix codes of DEFLATE (RFC 1951), as tables that say how far to go and not what was written.

/// Bits of the stream by which an entry is looked up. With 10 and 12 a crawl is skimmed as fast; tables of 11 bits
/// fit in half of a first-level cache.
const LOOK: u32 = 11;
const SIZE: usize = 1 << LOOK;
/// Symbols of the largest alphabet: literals, end of block and lengths, two of them in no valid stream.
pub const MAX_SYMBOLS: usize = 288;
const MAX_BITS: usize = 15;

pub const END_OF_BLOCK: u16 = 256;
const FIRST_LENGTH: u16 = 257;
const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
/// Extra bits of a distance; 30 and 31 are no distances.
const DISTANCE_EXTRA: [u8; 30] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];

/// Base and extra bits of a length's symbol.
pub fn length(symbol: u16) -> Option<(u16, u32)> {
    let at = usize::from(symbol.checked_sub(FIRST_LENGTH)?);
    Some((*LENGTH_BASE.get(at)?, u32::from(*LENGTH_EXTRA.get(at)?)))
}

/// Extra bits of a distance's symbol.
pub fn distance_extra(symbol: u16) -> Option<u32> {
    DISTANCE_EXTRA
        .get(usize::from(symbol))
        .map(|&bits| u32::from(bits))
}

/// A canonical prefix code: how many codes there are of each length, and their symbols in order.
pub struct Code {
    count: [u16; MAX_BITS + 1],
    symbols: [u16; MAX_SYMBOLS],
}

impl Code {
    pub const fn new() -> Self {
        Code {
            count: [0; MAX_BITS + 1],
            symbols: [0; MAX_SYMBOLS],
        }
    }

    /// Sets the code by the length of each symbol's code; false where these are no prefix code. One that leaves codes
    /// unused is one: what it leaves is no symbol.
    pub fn set(&mut self, lengths: &[u8]) -> bool {
        self.count = [0; MAX_BITS + 1];
        for &length in lengths {
            self.count[usize::from(length)] += 1;
        }
        self.count[0] = 0;
        let mut next = [0u16; MAX_BITS + 2];
        let mut left = 1i32;
        for bits in 1..=MAX_BITS {
            left = 2 * left - i32::from(self.count[bits]);
            if left < 0 {
                return false;
            }
            next[bits + 1] = next[bits] + self.count[bits];
        }
        for (symbol, &length) in lengths.iter().enumerate().filter(|&(_, &length)| length > 0) {
            let place = &mut next[usize::from(length)];
            self.symbols[usize::from(*place)] = symbol as u16;
            *place += 1;
        }
        true
    }

    /// The symbol whose code `bits` begin with, and the code's length; None where they begin with none.
    pub fn symbol(&self, bits: u64) -> Option<(u16, u32)> {
        let (mut code, mut first, mut before) = (0u32, 0u32, 0u32);
        for length in 1..=MAX_BITS {
            code |= (bits >> (length - 1)) as u32 & 1;
            let count = u32::from(self.count[length]);
            if code < first + count {
                return Some((self.symbols[(before + code - first) as usize], length as u32));
            }
            before += count;
            first = 2 * (first + count);
            code *= 2;
        }
        None
    }

    /// Symbol, code (as the stream's bits have it) and length of each code of at most `LOOK` bits.
    fn short_codes(&self) -> impl Iterator<Item = (u16, usize, u32)> + '_ {
        let (mut code, mut at) = (0u32, 0);
        (1..=LOOK).flat_map(move |bits| {
            let count = self.count[bits as usize];
            let (first, begin) = (2 * code, at);
            code = first + u32::from(count);
            at += usize::from(count);
            (0..count).map(move |n| {
                let code = (first + u32::from(n)).reverse_bits() >> (32 - bits);
                (self.symbols[begin + usize::from(n)], code as usize, bits)
            })
        })
    }
}

/// An entry: bits 0 to 7, how many bits of the stream it stands for, at most 24; 8 to 12, how many of them come before
/// the extra bits of a length that stands last; 14 to 22, how many bytes it writes, without what those say; 24 to 28,
/// how many bits its codes have, of those it is looked up by. So the entry of symbols in a row is a sum.
const BITS: u32 = 0xff;
const BEFORE: u32 = 8;
const WRITES: u32 = 14;
const LOOKED: u32 = 24;
/// A distance comes next: the place of the table for them, in bytes.
pub const DISTANCE: u32 = (SIZE * size_of::<u32>()) as u32;
/// No entry: a code that is longer than `LOOK`, the end of the block, or no code at all.
pub const STOP: u32 = 1 << 23;
// The flag lies between the fields.
const _: () = assert!(DISTANCE == 1 << 13);

const fn pack(bits: u32, before: u32, writes: u32, looked: u32) -> u32 {
    bits | before << BEFORE | writes << WRITES | looked << LOOKED
}

/// Bytes that an entry writes, given the stream's bits that it was looked up by.
#[inline(always)]
pub fn written(entry: u32, bits: u64) -> u64 {
    let extra = (bits & !(u64::MAX << (entry & BITS))).wrapping_shr(entry >> BEFORE & 0x1f);
    u64::from(entry >> WRITES & 0x1ff) + extra
}

/// What the next bits of a block mean, by `LOOK` of them: in the first half where a literal or length comes next, in
/// the second where a distance does. An entry stands for as many symbols as its bits hold whole: two literals, or
/// one, then a length, then, where the length has no extra bits, its distance.
pub struct Table {
    halves: Box<[u32; 2 * SIZE]>,
    literals: Box<[u32; SIZE]>,
}

impl Table {
    pub fn new() -> Self {
        Table {
            halves: Box::new([0; 2 * SIZE]),
            literals: Box::new([0; SIZE]),
        }
    }

    /// The entry for the stream's next bits behind `before`.
    #[inline(always)]
    pub fn next(&self, bits: u64, before: u32) -> u32 {
        let first = self.halves.as_ptr();
        // SAFETY: `DISTANCE` is the size of half of the table in bytes and the only bit kept of `before`; the index
        // is below half of the table's length.
        unsafe {
            *first
                .byte_add((before & DISTANCE) as usize)
                .add(bits as usize & (SIZE - 1))
        }
    }

    /// Sets the table for a block's two codes, symbol by symbol: an entry and what it is joined with stand far apart,
    /// but the entries of a symbol are joined with entries that follow one another.
    pub fn set(&mut self, literals: &Code, distances: &Code) {
        let (joined, of_distances) = self.halves.split_at_mut(SIZE);
        of_distances.fill(STOP);
        for (symbol, code, bits) in distances.short_codes() {
            let entry =
                distance_extra(symbol).map_or(STOP, |extra| pack(bits + extra, bits + extra, 0, bits));
            spread(of_distances, code, bits, |_| entry);
        }
        self.literals.fill(STOP);
        for (symbol, code, bits) in literals.short_codes() {
            match length(symbol) {
                Some((base, 0)) => {
                    // With its distance, where `LOOK` bits hold both codes.
                    let alone = pack(bits, bits, u32::from(base), bits);
                    spread(&mut self.literals[..], code, bits, |behind| {
                        join(alone, bits, of_distances[behind], alone | DISTANCE)
                    });
                }
                Some((base, extra)) => {
                    let entry = pack(bits + extra, bits, u32::from(base), bits) | DISTANCE;
                    spread(&mut self.literals[..], code, bits, |_| entry);
                }
                None => {
                    let entry = if symbol < END_OF_BLOCK {
                        pack(bits, bits, 1, bits)
                    } else {
                        STOP
                    };
                    spread(&mut self.literals[..], code, bits, |_| entry);
                }
            }
        }
        joined.copy_from_slice(&self.literals[..]);
        for (_, code, bits) in literals
            .short_codes()
            .filter(|&(symbol, ..)| symbol < END_OF_BLOCK)
        {
            let alone = pack(bits, bits, 1, bits);
            spread(joined, code, bits, |behind| {
                join(alone, bits, self.literals[behind], alone)
            });
        }
    }
}

/// Sets the entries of a code, given the bits behind it.
#[inline(always)]
fn spread(table: &mut [u32], code: usize, bits: u32, entry: impl Fn(usize) -> u32) {
    for behind in 0..SIZE >> bits {
        table[code + (behind << bits)] = entry(behind);
    }
}

/// The entry of a code and of what comes behind it, if `LOOK` bits hold that one's code, too; else `alone`.
#[inline(always)]
fn join(entry: u32, bits: u32, behind: u32, alone: u32) -> u32 {
    let joins = behind & STOP == 0 && bits + (behind >> LOOKED) <= LOOK;
    if joins { entry.wrapping_add(behind) } else { alone }
}
