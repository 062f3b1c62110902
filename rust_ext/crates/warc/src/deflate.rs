//! One-shot gzip inflation by libdeflate: about twice as fast as any streaming inflate (docs/measured/extract.md has
//! the figures), possible where a whole member and its output fit in memory.

use std::ptr::NonNull;

use libdeflate_sys as ffi;

/// What became of a one-shot attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum OneShot {
    /// Bytes of input used and of output written.
    Done { used: usize, written: usize },
    /// The output does not fit.
    NeedsSpace,
    /// The member is damaged, or not all of it is in the input.
    Bad,
}

/// What an attempt at the beginning of a member gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The whole member: bytes of input used and of output written.
    Whole { used: usize, written: usize },
    /// The member goes on; so many bytes of output are its first.
    Part(usize),
    /// The member is damaged, or not all of it is in the input.
    Bad,
}

/// Bytes that libdeflate may write behind its position before it takes them back: the largest step of its inner
/// loop (`FASTLOOP_MAX_BYTES_WRITTEN`, 299), rounded up.
const OVERRUN: usize = 320;

/// A libdeflate decompressor.
pub struct Inflater(NonNull<ffi::libdeflate_decompressor>);

// SAFETY: a libdeflate decompressor is plain memory without thread affinity; `&mut self` keeps uses apart.
unsafe impl Send for Inflater {}
// SAFETY: a shared reference gives access to nothing: every method takes `&mut self`.
unsafe impl Sync for Inflater {}

impl Inflater {
    /// None where memory for the decompressor (about 30 KB) cannot be had.
    pub fn new() -> Option<Self> {
        // SAFETY: no preconditions; null is handled by NonNull::new.
        NonNull::new(unsafe { ffi::libdeflate_alloc_decompressor() }).map(Inflater)
    }

    /// Inflates the gzip member at the beginning of `input` into `output`.
    pub fn gzip(&mut self, input: &[u8], output: &mut [u8]) -> OneShot {
        let (mut used, mut written) = (0usize, 0usize);
        // SAFETY: both slices are valid for their lengths for the whole call, the output is initialised and
        // exclusively borrowed, the decompressor is live, and libdeflate writes no more than the length it
        // is given.
        let result = unsafe {
            ffi::libdeflate_gzip_decompress_ex(
                self.0.as_ptr(),
                input.as_ptr().cast(),
                input.len(),
                output.as_mut_ptr().cast(),
                output.len(),
                &raw mut used,
                &raw mut written,
            )
        };
        match result {
            ffi::libdeflate_result_LIBDEFLATE_SUCCESS => OneShot::Done { used, written },
            ffi::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => OneShot::NeedsSpace,
            _ => OneShot::Bad,
        }
    }

    /// Inflates as much of the gzip member at the beginning of `input` as fits into `output`, or somewhat less.
    ///
    /// libdeflate writes its output in order and gives up at the first item (a literal, a match of at most 258
    /// bytes, a stored block of any length) that does not fit, but does not say how far it came. So the output is
    /// zero before, and what lies `OVERRUN` before the last byte that is not zero now was surely written.
    pub fn beginning(&mut self, input: &[u8], output: &mut [u8]) -> Beginning {
        output.fill(0);
        match self.gzip(input, output) {
            OneShot::Done { used, written } => Beginning::Whole { used, written },
            OneShot::NeedsSpace => {
                let last = output.iter().rposition(|&byte| byte != 0).unwrap_or(0);
                Beginning::Part(last.saturating_sub(OVERRUN))
            }
            OneShot::Bad => Beginning::Bad,
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: the pointer came from libdeflate_alloc_decompressor and is freed once.
        unsafe { ffi::libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}

/// CRC-32 (gzip's) of `data`, continued from `previous` (0 at the beginning).
pub fn crc32(previous: u32, data: &[u8]) -> u32 {
    // SAFETY: the slice is valid for its length.
    unsafe { ffi::libdeflate_crc32(previous, data.as_ptr().cast(), data.len()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    /// `printf 'WARC' | gzip -n`
    const MEMBER: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x0b, 0x77, 0x0c, 0x72, 0x06, 0, 0x2a, 0x40, 0x3e, 0x89, 4, 0, 0,
        0,
    ];

    #[test]
    fn a_short_output_asks_for_space_and_a_cut_input_is_bad() {
        let mut inflater = Inflater::new().unwrap();
        let mut member = MEMBER.to_vec();
        let crc = crc32(0, b"WARC").to_le_bytes();
        member[16..20].copy_from_slice(&crc);
        let mut output = [0u8; 16];
        let mut with_rest = member.clone();
        with_rest.extend_from_slice(b"next");
        assert_eq!(
            inflater.gzip(&with_rest, &mut output),
            OneShot::Done {
                used: member.len(),
                written: 4
            }
        );
        assert_eq!(&output[..4], b"WARC");
        assert_eq!(inflater.gzip(&member, &mut output[..3]), OneShot::NeedsSpace);
        assert_eq!(inflater.gzip(&member[..15], &mut output), OneShot::Bad);
        assert_eq!(inflater.gzip(&[], &mut []), OneShot::Bad);
    }

    proptest! {
        /// Of text, of what does not compress (stored blocks), of zeros and of runs, at every level, also where
        /// the member is damaged behind.
        #[test]
        fn a_beginning_is_what_the_member_begins_with(
            pieces in proptest::collection::vec(
                prop_oneof![
                    proptest::collection::vec(any::<u8>(), 1..9000),
                    (any::<u8>(), 1usize..3000).prop_map(|(byte, count)| vec![byte; count]),
                    (0u8..2, 1usize..3000).prop_map(|(byte, count)| vec![byte; count]),
                    "[a-d ]{1,2000}".prop_map(String::into_bytes),
                ],
                1..8,
            ),
            level in 0u32..10,
            space in 0usize..20_000,
            flip in any::<prop::sample::Index>(),
        ) {
            let plain = pieces.concat();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
            encoder.write_all(&plain).unwrap();
            let member = encoder.finish().unwrap();
            let mut inflater = Inflater::new().unwrap();
            let mut output = vec![1u8; space];
            match inflater.beginning(&member, &mut output) {
                Beginning::Whole { used, written } => {
                    prop_assert_eq!(used, member.len());
                    prop_assert_eq!(&output[..written], &plain[..]);
                }
                Beginning::Part(held) => {
                    prop_assert!(space < plain.len() && held <= space);
                    prop_assert_eq!(&output[..held], &plain[..held]);
                }
                Beginning::Bad => prop_assert!(false, "a sound member is bad"),
            }
            // Of a damaged one it stays within its space; decoders differ in what they make of it.
            let mut damaged = member;
            let place = 10 + flip.index(damaged.len() - 10);
            damaged[place] ^= 0x10;
            if let Beginning::Part(held) = inflater.beginning(&damaged, &mut output) {
                prop_assert!(held <= space);
            }
        }
    }

    #[test]
    fn crc_continues() {
        assert_eq!(crc32(crc32(0, b"WA"), b"RC"), crc32(0, b"WARC"));
        assert_eq!(crc32(0, &[]), 0);
    }
}
