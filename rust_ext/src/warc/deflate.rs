//! One-shot gzip inflation by libdeflate: about twice as fast as any streaming inflate (docs/extract.md has
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

    #[test]
    fn crc_continues() {
        assert_eq!(crc32(crc32(0, b"WA"), b"RC"), crc32(0, b"WARC"));
        assert_eq!(crc32(0, &[]), 0);
    }
}
