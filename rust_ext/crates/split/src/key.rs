//! A pretoken in 16 bytes.
//!
//! Two forms, which differ in the last byte, which is never 0:
//! - `0x80 | n`: n raw bytes (1..=15) in bytes 0..n, zeros after them.
//! - `kind << 4 | n`: n (1..=14) letters U+0400..U+047F, one byte each (code point less U+0400) in bytes
//!   0..n; byte 14 holds the character before them: kind 0 none, 1 an ASCII byte, 2 the last byte of C2 xx
//!   (such as «), 3 the last byte of E2 80 xx (such as — or „).
//!
//! A pretoken that has the second form never takes the first, so that equal bytes have equal keys and
//! different bytes different ones; what fits neither is `Key::LONG`.

/// A pretoken packed into 16 bytes, or `Key::LONG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u128);

/// The most letters that fit.
pub const MAX_LETTERS: u32 = 14;
/// Bytes that the splitter's fast path looks at: a prefix, 16 two-byte letters, and a character after them.
pub(super) const WINDOW: usize = 40;
/// The most raw bytes that fit.
pub(super) const MAX_RAW: usize = 15;

const BARE: u8 = 0;
const AFTER_ASCII: u8 = 1;
const AFTER_C2: u8 = 2;
const AFTER_E280: u8 = 3;

impl Key {
    /// What does not fit; no pretoken has it as its key.
    pub const LONG: Self = Self(0);

    /// A hash of the key: a 64 x 64 -> 128 multiply, folded. With a seed that differs between processes no text can
    /// be written to collide.
    #[inline(always)]
    pub fn hash(self, seed: u64) -> u64 {
        let (low, high) = (self.0 as u64 ^ seed, (self.0 >> 64) as u64 ^ seed.rotate_left(32));
        let product = u128::from(low.wrapping_mul(0x9e37_79b9_7f4a_7c15)) * u128::from(high | 1);
        (product >> 64) as u64 ^ product as u64
    }

    /// The key of any bytes.
    pub fn of(piece: &[u8]) -> Self {
        if let Some(key) = Self::cyrillic(piece) {
            return key;
        }
        if piece.is_empty() || piece.len() > MAX_RAW {
            return Self::LONG;
        }
        let mut bytes = [0u8; 16];
        bytes[..piece.len()].copy_from_slice(piece);
        bytes[15] = 0x80 | piece.len() as u8;
        Self(u128::from_le_bytes(bytes))
    }

    fn cyrillic(piece: &[u8]) -> Option<Self> {
        let (kind, prefix, letters) = match piece {
            [0xd0 | 0xd1, ..] => (BARE, 0, piece),
            [0xc2, last, rest @ ..] => (AFTER_C2, *last, rest),
            [0xe2, 0x80, last, rest @ ..] => (AFTER_E280, *last, rest),
            [first, rest @ ..] if *first < 0x80 => (AFTER_ASCII, *first, rest),
            _ => return None,
        };
        let (pairs, odd) = letters.as_chunks::<2>();
        let fits = odd.is_empty() && (1..=MAX_LETTERS as usize).contains(&pairs.len());
        let letter = |pair: &[u8; 2]| pair[0] & 0xfe == 0xd0 && pair[1] & 0xc0 == 0x80;
        if !fits || !pairs.iter().all(letter) {
            return None;
        }
        let codes = pairs.iter().rev().fold(0u128, |codes, pair| {
            codes << 8 | u128::from((pair[0] & 1) << 6 | pair[1] & 0x3f)
        });
        Some(Self::pack(codes, pairs.len() as u32, kind, prefix))
    }

    #[inline(always)]
    fn pack(codes: u128, letters: u32, kind: u8, prefix: u8) -> Self {
        let kept = codes & ((1u128 << (8 * letters)) - 1);
        Self(kept | u128::from(prefix) << 112 | u128::from(kind << 4 | letters as u8) << 120)
    }

    /// The key of 1..=14 letters, given as codes (bytes above them may hold anything), after nothing or
    /// after one ASCII byte.
    #[inline(always)]
    pub fn of_letters(codes: u128, letters: u32, prefix: Option<u8>) -> Self {
        match prefix {
            None => Self::pack(codes, letters, BARE, 0),
            Some(byte) => Self::pack(codes, letters, AFTER_ASCII, byte),
        }
    }

    /// The key of 1..=14 letters, given as codes (bytes above them may hold anything), after nothing, an ASCII
    /// byte, C2 xx, or E2 80 xx: the first 0 to 3 bytes of `piece`.
    #[inline(always)]
    pub(super) fn of_prefixed<const PREFIX: usize>(codes: u128, letters: u32, piece: &[u8; WINDOW]) -> Self {
        match PREFIX {
            0 => Self::pack(codes, letters, BARE, 0),
            1 => Self::pack(codes, letters, AFTER_ASCII, piece[0]),
            2 => Self::pack(codes, letters, AFTER_C2, piece[1]),
            _ => Self::pack(codes, letters, AFTER_E280, piece[2]),
        }
    }

    /// The key of the first `len` (1..=15) of 16 bytes, which have no Cyrillic form.
    #[inline(always)]
    pub(super) fn of_raw(bytes: &[u8; 16], len: u32) -> Self {
        let kept = u128::from_le_bytes(*bytes) & ((1u128 << (8 * len)) - 1);
        Self(kept | u128::from(0x80 | len as u8) << 120)
    }

    /// True for what `of` can return, `LONG` excepted: to be asked of keys that were read from a file.
    pub fn is_valid(self) -> bool {
        let control = (self.0 >> 120) as u8;
        let fits = if control & 0x80 != 0 {
            control & 0x7f <= MAX_RAW as u8
        } else {
            control >> 4 <= AFTER_E280 && u32::from(control & 0x0f) <= MAX_LETTERS
        };
        let mut bytes = [0; 32];
        fits && self != Self::LONG && {
            let len = self.decode(&mut bytes);
            Self::of(&bytes[..len]) == self
        }
    }

    /// The number of letters, if the key is that of letters U+0400..U+047F with nothing before them.
    pub fn letters(self) -> Option<u32> {
        let control = (self.0 >> 120) as u8;
        (control < 0x10 && control > 0).then_some(u32::from(control))
    }

    /// The key of the small letters of a word U+0400..U+047F, without what stands before them, and how many
    /// bytes that is; none if that is a letter, too.
    #[inline]
    pub fn small_letters(self) -> Option<(usize, Self)> {
        let control = (self.0 >> 120) as u8;
        if control & 0x80 != 0 || control == 0 {
            return None;
        }
        let letters = u32::from(control & 0x0f);
        let mut bytes = self.0.to_le_bytes();
        let prefix = usize::from(control >> 4);
        // ª, µ and º are the letters among C2 xx; E2 80 xx has none.
        let is_letter = match control >> 4 {
            AFTER_ASCII => bytes[14].is_ascii_alphabetic(),
            AFTER_C2 => matches!(bytes[14], 0xaa | 0xb5 | 0xba),
            _ => false,
        };
        if is_letter {
            return None;
        }
        // All 16 bytes, those that are no letters too: so that it is done in one go. `pack` drops them.
        for code in &mut bytes {
            *code = code.wrapping_add(match *code {
                0..0x10 => 0x50,
                0x10..0x30 => 0x20,
                0x60.. => 1 - (*code & 1),
                _ => 0,
            });
        }
        Some((prefix, Self::pack(u128::from_le_bytes(bytes), letters, BARE, 0)))
    }

    /// How many bytes the pretoken has; of `Key::LONG`, none.
    pub fn decoded_len(self) -> usize {
        let control = (self.0 >> 120) as usize;
        if control & 0x80 != 0 {
            return control & 0x7f;
        }
        // The kind is the number of bytes of what stands before the letters.
        (control >> 4) + 2 * (control & 0x0f)
    }

    /// Writes the pretoken's bytes into `out` and returns how many they are; of `Key::LONG`, none.
    pub fn decode(self, out: &mut [u8; 32]) -> usize {
        let bytes = self.0.to_le_bytes();
        let control = bytes[15];
        if control & 0x80 != 0 {
            let len = (control & 0x7f) as usize;
            out[..len].copy_from_slice(&bytes[..len]);
            return len;
        }
        let mut len = match control >> 4 {
            AFTER_ASCII => put(out, 0, &[bytes[14]]),
            AFTER_C2 => put(out, 0, &[0xc2, bytes[14]]),
            AFTER_E280 => put(out, 0, &[0xe2, 0x80, bytes[14]]),
            _ => 0,
        };
        for &code in &bytes[..(control & 0x0f) as usize] {
            len = put(out, len, &[0xd0 | code >> 6, 0x80 | code & 0x3f]);
        }
        len
    }
}

fn put(out: &mut [u8; 32], at: usize, bytes: &[u8]) -> usize {
    out[at..at + bytes.len()].copy_from_slice(bytes);
    at + bytes.len()
}
