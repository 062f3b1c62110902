//! Merging one pretoken: the neighbours whose result has the lowest rank first, the leftmost of equals.
//!
//! Up to `SHORT` bytes all candidates lie in one small array that is searched anew for each merge, eight at a
//! time: quadratic, and for words faster than a heap. Longer runs (one word of 100 MB is legal input) are merged
//! in windows of that size (`windows`); a window that must be larger goes to a heap over a linked list: n log n.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::pairs::NONE;

/// The longest pretoken for the small array.
pub const SHORT: usize = 64;

/// What merging needs to know of a vocabulary.
pub trait Merges {
    /// The token of a single byte.
    fn byte(&self, byte: u8) -> u32;
    /// The token that two neighbouring bytes merge into, or `NONE`.
    fn bytes(&self, left: u8, right: u8) -> u32;
    /// The token that two neighbouring tokens merge into, or `NONE`.
    fn tokens(&self, left: u32, right: u32) -> u32;
    /// Bytes of a token.
    fn length(&self, token: u32) -> usize;
}

/// Bits of a position in a `SHORT` pretoken, below the rank in a candidate.
const AT_BITS: u32 = SHORT.trailing_zeros();
/// Lanes of the search for the lowest candidate: one AVX2 register of them.
const LANES: usize = 8;
/// No candidate; above all that are (27 bits). Signed, because SSE2 and AVX2 compare signed numbers.
pub(super) const NOTHING: i32 = i32::MAX;

#[inline(always)]
pub(super) fn candidate(rank: u32, at: u32) -> i32 {
    if rank == NONE {
        NOTHING
    } else {
        (rank << AT_BITS | at) as i32
    }
}

#[inline(always)]
pub(super) fn rank_and_place(candidate: i32) -> (u32, u32) {
    (
        (candidate >> AT_BITS) as u32,
        (candidate as u32) & (SHORT as u32 - 1),
    )
}

/// The lowest of candidates, whose number is a multiple of `LANES`.
#[inline(always)]
pub(super) fn lowest(candidates: &[i32]) -> i32 {
    let mut best = [NOTHING; LANES];
    for lanes in candidates.as_chunks::<LANES>().0 {
        for (best, &one) in best.iter_mut().zip(lanes) {
            *best = (*best).min(one);
        }
    }
    best.into_iter().fold(NOTHING, i32::min)
}

pub(super) fn merge_short(piece: &[u8], merges: &impl Merges, out: &mut Vec<u32>) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2(piece: &[u8], merges: &impl Merges, out: &mut Vec<u32>) {
            merge_in_place(piece, merges, out);
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, as was just asked; the test `short_and_long_merge_alike` runs it.
            unsafe { with_avx2(piece, merges, out) };
            return;
        }
    }
    merge_in_place(piece, merges, out);
}

/// Tokens stay at the position of their first byte; `alive` has a bit for each position that still begins one, so
/// that neighbours are found by counting zeros and nothing is ever moved.
#[inline(always)]
fn merge_in_place(piece: &[u8], merges: &impl Merges, out: &mut Vec<u32>) {
    let len = piece.len();
    let mut tokens = [0u32; SHORT];
    // Element i: what the token at i and the one after it merge into, and i.
    let mut candidates = [NOTHING; SHORT];
    for (token, &byte) in tokens.iter_mut().zip(piece) {
        *token = merges.byte(byte);
    }
    for (at, pair) in (0u32..).zip(piece.windows(2)) {
        candidates[at as usize] = candidate(merges.bytes(pair[0], pair[1]), at);
    }
    let mut alive = u64::MAX >> (SHORT - len);
    let searched = len.next_multiple_of(LANES);
    loop {
        let best = lowest(&candidates[..searched]);
        if best == NOTHING {
            break;
        }
        let (rank, at) = rank_and_place(best);
        let later = alive & (u64::MAX << at) << 1;
        let gone = later.trailing_zeros() & (SHORT as u32 - 1);
        tokens[at as usize] = rank;
        candidates[gone as usize] = NOTHING;
        alive &= !(1 << gone);
        let after = later & (later - 1);
        candidates[at as usize] = if after == 0 {
            NOTHING
        } else {
            candidate(merges.tokens(rank, tokens[after.trailing_zeros() as usize]), at)
        };
        let before = alive & ((1 << at) - 1);
        if before != 0 {
            let left = 63 - before.leading_zeros();
            candidates[left as usize] = candidate(merges.tokens(tokens[left as usize], rank), left);
        }
    }
    while alive != 0 {
        out.push(tokens[alive.trailing_zeros() as usize]);
        alive &= alive - 1;
    }
}

/// No neighbour on this side.
const END: u32 = u32::MAX;
/// A token that was merged into the one before it.
const GONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Node {
    token: u32,
    before: u32,
    after: u32,
}

/// Appends the tokens of a piece of less than 4 GiB, which is not empty; 20 bytes of memory a byte.
pub(super) fn merge_block(piece: &[u8], merges: &impl Merges, out: &mut Vec<u32>) {
    let last = piece.len() as u32 - 1;
    let mut nodes: Vec<Node> = (0..=last)
        .zip(piece)
        .map(|(at, &byte)| Node {
            token: merges.byte(byte),
            before: at.wrapping_sub(1),
            after: if at == last { END } else { at + 1 },
        })
        .collect();
    // Rank above, position below: the order in which merges happen.
    let queued = |rank: u32, at: u32| Reverse(u64::from(rank) << 32 | u64::from(at));
    let first: Vec<_> = (0u32..)
        .zip(piece.windows(2))
        .map(|(at, pair)| (merges.bytes(pair[0], pair[1]), at))
        .filter(|&(rank, _)| rank != NONE)
        .map(|(rank, at)| queued(rank, at))
        .collect();
    let mut heap = BinaryHeap::from(first);
    while let Some(Reverse(best)) = heap.pop() {
        let (rank, at) = ((best >> 32) as u32, best as u32);
        let node = nodes[at as usize];
        if node.token == GONE || node.after == END {
            continue;
        }
        let next = nodes[node.after as usize];
        if merges.tokens(node.token, next.token) != rank {
            continue; // what stood here has merged with something else since
        }
        nodes[node.after as usize].token = GONE;
        nodes[at as usize].token = rank;
        nodes[at as usize].after = next.after;
        if next.after != END {
            nodes[next.after as usize].before = at;
            let then = merges.tokens(rank, nodes[next.after as usize].token);
            if then != NONE {
                heap.push(queued(then, at));
            }
        }
        if node.before != END {
            let then = merges.tokens(nodes[node.before as usize].token, rank);
            if then != NONE {
                heap.push(queued(then, node.before));
            }
        }
    }
    out.extend(nodes.iter().map(|node| node.token).filter(|&token| token != GONE));
}
