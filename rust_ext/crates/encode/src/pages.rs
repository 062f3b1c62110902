//! Large pages for large tables: a page of 2 MiB is one fault and one entry of the address cache, where 512 pages
//! of 4 KiB are as many of both.

/// Smaller memory is left as it is: the system's page of 2 MiB would hold mostly nothing.
const LEAST: usize = 4 << 20;

/// Asks the system to back the spare capacity of `memory` with large pages. What the vector holds does not change,
/// and where the system does not have them nothing happens.
pub fn prefer_large<T>(memory: &mut Vec<T>) {
    let spare = memory.spare_capacity_mut();
    if size_of_val(spare) >= LEAST {
        advise(spare.as_mut_ptr().cast(), size_of_val(spare));
    }
}

#[cfg(target_os = "linux")]
fn advise(start: *mut u8, len: usize) {
    use std::ffi::{c_int, c_void};

    // From <sys/mman.h>, the same on every architecture that Linux runs on.
    const MADV_HUGEPAGE: c_int = 14;
    /// madvise takes whole pages; no architecture's are larger.
    const PAGE: usize = 64 << 10;

    unsafe extern "C" {
        fn madvise(start: *mut c_void, len: usize, advice: c_int) -> c_int;
    }

    let skipped = start.align_offset(PAGE);
    let whole = len.saturating_sub(skipped) / PAGE * PAGE;
    if whole > 0 {
        // SAFETY: the range lies inside memory that the caller holds, and the advice changes neither what is in it
        // nor whether it may be read and written. The test `memory_is_as_it_was` runs it.
        unsafe { madvise(start.add(skipped).cast(), whole, MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_start: *mut u8, _len: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_as_it_was() {
        for size in [0, 1, LEAST / 4, LEAST + 12_345] {
            let mut memory: Vec<u32> = Vec::with_capacity(size + 3);
            memory.extend([1, 2, 3]);
            prefer_large(&mut memory);
            memory.resize(size + 3, 4);
            assert_eq!(memory[..3], [1, 2, 3]);
            assert!(memory[3..].iter().all(|&one| one == 4));
        }
    }
}
