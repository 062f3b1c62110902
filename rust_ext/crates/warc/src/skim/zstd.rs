//! Skimming a zstd frame (RFC 8878): which byte values cannot be in it. Its blocks say how long they are, so nothing
//! is followed: a block's literals are stored, one byte over and over, or in a Huffman code whose description says
//! which bytes have a code. What else a block writes are copies.

use super::found::Bytes;

const MAGIC_BYTES: usize = 4;
/// Weights of a Huffman code are written in a code of their own of at most so many bits (RFC 8878, 4.2.1.2).
const MAX_ACCURACY: u32 = 6;
const MAX_WEIGHT: usize = 12;
const MAX_WEIGHTS: usize = 255;

/// The bytes that may be in a frame beside those of its dictionary; None where it is no frame that can be followed.
pub fn zstd_bytes(frame: &[u8]) -> Option<Bytes> {
    let mut set = Bytes::default();
    let mut code = None;
    let mut rest = frame.get(header_length(frame)?..)?;
    loop {
        let (head, behind) = rest.split_first_chunk::<3>()?;
        let head = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        let (is_last, kind, size) = (head & 1 == 1, head >> 1 & 3, (head >> 3) as usize);
        let length = if kind == 1 { 1 } else { size };
        let (block, behind) = behind.split_at_checked(length)?;
        match kind {
            0 | 1 => set.extend(block),
            2 => literals(block, &mut set, &mut code)?,
            _ => return None,
        }
        if is_last {
            return Some(set);
        }
        rest = behind;
    }
}

fn header_length(frame: &[u8]) -> Option<usize> {
    let descriptor = *frame.get(MAGIC_BYTES)?;
    let single = descriptor >> 5 & 1;
    let size_of_size = match descriptor >> 6 {
        0 => usize::from(single),
        flag => 1 << flag,
    };
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    Some(MAGIC_BYTES + 1 + usize::from(1 - single) + dictionary + size_of_size)
}

/// Adds the literals that a compressed block may write. `code` is the frame's last Huffman code, which a block may use
/// again.
fn literals(block: &[u8], set: &mut Bytes, code: &mut Option<Bytes>) -> Option<()> {
    let first = *block.first()?;
    let (kind, form) = (first & 3, first >> 2 & 3);
    if kind < 2 {
        let head = [0, 1, 0, 2][usize::from(form)];
        let written = match form {
            1 => usize::from(first >> 4) | usize::from(*block.get(1)?) << 4,
            3 => {
                usize::from(first >> 4) | usize::from(*block.get(1)?) << 4 | usize::from(*block.get(2)?) << 12
            }
            _ => usize::from(first >> 3),
        };
        let length = if kind == 1 { 1 } else { written };
        set.extend(block.get(1 + head..)?.get(..length)?);
        return Some(());
    }
    if kind == 2 {
        *code = Some(huffman(block.get([3, 3, 4, 5][usize::from(form)]..)?)?);
    }
    *set = set.united(&(*code)?);
    Some(())
}

/// The bytes with a code in a Huffman code, given its description.
fn huffman(description: &[u8]) -> Option<Bytes> {
    let (&head, rest) = description.split_first()?;
    let weights = if head >= 128 {
        let count = usize::from(head) - 127;
        let packed = rest.get(..count.div_ceil(2))?;
        let weights = packed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        weights.take(count).collect()
    } else {
        fse_weights(rest.get(..usize::from(head))?)?
    };
    let mut set = Bytes::default();
    for (value, _) in (0..=255).zip(&weights).filter(|&(_, &weight)| weight > 0) {
        set.insert(value);
    }
    // The last one's weight is what the others leave.
    set.insert(u8::try_from(weights.len()).ok()?);
    Some(set)
}

/// A state of the code of weights: its weight, and how many bits are added to which state to make the next one.
#[derive(Clone, Copy, Default)]
struct State {
    weight: u8,
    bits: u32,
    base: usize,
}

/// Weights written by two states in turn.
fn fse_weights(data: &[u8]) -> Option<Vec<u8>> {
    let (shares, accuracy, used) = shares(data)?;
    let states = states(&shares, accuracy)?;
    let mut bits = Backwards::new(data.get(used..)?)?;
    let mut turn = [bits.take(accuracy)?, bits.take(accuracy)?];
    let mut weights = Vec::new();
    for now in [0, 1].into_iter().cycle() {
        let state = states.get(turn[now])?;
        weights.push(state.weight);
        if weights.len() > MAX_WEIGHTS {
            return None;
        }
        let Some(more) = bits.take(state.bits) else {
            // The other state's weight is the last one.
            weights.push(states.get(turn[1 - now])?.weight);
            break;
        };
        turn[now] = state.base + more;
    }
    Some(weights)
}

/// Each weight's share of the states (-1: one state with the lowest probability), the accuracy, and bytes used.
fn shares(data: &[u8]) -> Option<(Vec<i32>, u32, usize)> {
    let mut at = 0;
    let mut take = |bits: u32| {
        let value = (0..bits).map(|bit| {
            let place = at + bit as usize;
            data.get(place / 8)
                .map(|byte| u32::from(byte >> (place % 8) & 1) << bit)
        });
        let value = value.sum::<Option<u32>>();
        at += bits as usize;
        value
    };
    let accuracy = take(4)? + 5;
    if accuracy > MAX_ACCURACY {
        return None;
    }
    let mut left = 1i32 << accuracy;
    let mut shares = Vec::new();
    while left > 0 {
        // A value from 0 to left + 1; the lowest ones take a bit less.
        let bits = 32 - (left as u32 + 1).leading_zeros();
        let spare = (1 << bits) - (left as u32 + 2);
        let low = take(bits - 1)?;
        let value = if low < spare {
            low
        } else {
            let value = low | take(1)? << (bits - 1);
            if value >= 1 << (bits - 1) {
                value - spare
            } else {
                value
            }
        };
        let share = value as i32 - 1;
        shares.push(share);
        left -= share.abs();
        if share == 0 {
            loop {
                let zeros = take(2)?;
                shares.extend((0..zeros).map(|_| 0));
                if zeros < 3 {
                    break;
                }
            }
        }
        if shares.len() > MAX_WEIGHT + 1 {
            return None;
        }
    }
    (left == 0).then_some((shares, accuracy, at.div_ceil(8)))
}

fn states(shares: &[i32], accuracy: u32) -> Option<Vec<State>> {
    let size = 1usize << accuracy;
    let mut states = vec![State::default(); size];
    let mut high = size;
    let mut next: Vec<u32> = shares.iter().map(|&share| share.unsigned_abs()).collect();
    for weight in (0..shares.len()).filter(|&weight| shares[weight] < 0) {
        high = high.checked_sub(1)?;
        states[high].weight = weight as u8;
    }
    let step = (size >> 1) + (size >> 3) + 3;
    let mut at = 0;
    for (weight, &share) in shares.iter().enumerate() {
        for _ in 0..share.max(0) {
            states[at].weight = weight as u8;
            at = (at + step) % size;
            while at >= high {
                at = (at + step) % size;
            }
        }
    }
    for state in &mut states {
        let count = &mut next[usize::from(state.weight)];
        state.bits = accuracy - count.checked_ilog2()?;
        state.base = ((*count as usize) << state.bits) - size;
        *count += 1;
    }
    Some(states)
}

/// Bits read from the end of the data, behind the highest one of its last byte.
struct Backwards<'a> {
    data: &'a [u8],
    left: usize,
}

impl<'a> Backwards<'a> {
    fn new(data: &'a [u8]) -> Option<Self> {
        let mark = data.last()?.checked_ilog2()? as usize;
        let left = 8 * (data.len() - 1) + mark;
        Some(Backwards { data, left })
    }

    /// The next bits as a number; None where there are fewer.
    fn take(&mut self, bits: u32) -> Option<usize> {
        self.left = self.left.checked_sub(bits as usize)?;
        let bit = |n: usize| {
            let place = self.left + n;
            usize::from(self.data[place / 8] >> (place % 8) & 1) << n
        };
        Some((0..bits as usize).map(bit).sum())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use proptest::prelude::*;

    use super::super::tests::pieces;
    use super::*;

    fn compress(plain: &[u8], level: i32) -> Vec<u8> {
        let mut frame = vec![0; zstd_safe::compress_bound(plain.len())];
        let length = zstd_safe::compress(frame.as_mut_slice(), plain, level).unwrap();
        frame.truncate(length);
        frame
    }

    proptest! {
        /// No byte of the text is missing, and none that it lacks is there: the compressor gives no code to these
        /// but where it uses a block's code again.
        #[test]
        fn the_bytes_are_those_of_the_text(plain in pieces(), level in 1i32..20) {
            let found = zstd_bytes(&compress(&plain, level)).unwrap();
            let mut set = Bytes::default();
            set.extend(&plain);
            prop_assert_eq!(found, set);
        }

        #[test]
        fn damaged_frames_end(
            plain in pieces(),
            level in 1i32..20,
            flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut frame = compress(&plain, level);
            for (at, value) in flips {
                let place = at.index(frame.len());
                frame[place] ^= value;
            }
            zstd_bytes(&frame);
            zstd_bytes(&frame[..cut.index(frame.len())]);
        }

        #[test]
        fn any_description_of_a_code_ends(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            huffman(&data);
            fse_weights(&data);
        }
    }

    #[test]
    fn long_texts_have_many_blocks() {
        let plain: Vec<u8> = (0..3_000_000u32)
            .map(|n| (n.wrapping_mul(n) >> 7) as u8 % 190)
            .collect();
        let mut set = Bytes::default();
        set.extend(&plain);
        assert_eq!(zstd_bytes(&compress(&plain, 3)), Some(set));
    }
}
