#![allow(clippy::unwrap_used)] // a test may panic

use std::io::Write;

use proptest::prelude::*;

use super::*;

/// Without a limit on what the stream holds.
fn skim(data: &[u8], watched: &[Bytes]) -> Skim {
    Skimmer::default().skim(data, watched, u64::MAX)
}

const NONE: &[Bytes] = &[];

fn deflate(plain: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What an inflate that writes its output finds: bytes used and the output; None where the stream is damaged or cut.
fn inflate(data: &[u8]) -> Option<(usize, Vec<u8>)> {
    let mut raw = flate2::Decompress::new(false);
    let mut plain = Vec::with_capacity(1 << 22);
    let status = raw.decompress_vec(data, &mut plain, flate2::FlushDecompress::Finish);
    matches!(status, Ok(flate2::Status::StreamEnd)).then_some((raw.total_in() as usize, plain))
}

pub(super) fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..3000),
        (any::<u8>(), 1usize..3000).prop_map(|(byte, count)| vec![byte; count]),
        "[a-d ]{1,2000}".prop_map(String::into_bytes),
        "[a-zA-Zа-я<>/= ]{1,4000}".prop_map(String::into_bytes),
        // Codes of up to 15 bits: values that are each half as frequent as the one before.
        (0u8..200, 8u32..15).prop_map(|(first, rare)| {
            let run = |n: u32| vec![first + n as u8; 1 << (rare - n)];
            (0..rare)
                .flat_map(run)
                .map(|byte| byte.wrapping_mul(167))
                .collect()
        }),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// The oracle is an inflate that writes: the same end, the same length, and no byte of the output is missing in
    /// the sets of the blocks.
    #[test]
    fn skimming_finds_what_inflating_finds(
        plain in pieces(),
        level in 0u32..10,
        rest in proptest::collection::vec(any::<u8>(), 0..20),
        watched in proptest::collection::vec(any::<u8>(), 1..3),
    ) {
        let stream = deflate(&plain, level);
        let data = [stream.as_slice(), &rest].concat();
        let whole = Skim::Whole { used: stream.len(), holds: plain.len() as u64 };
        prop_assert_eq!(skim(&data, NONE), whole);
        prop_assert_eq!(Skimmer::default().skim(&data, NONE, plain.len() as u64), whole);
        if let Some(less) = (plain.len() as u64).checked_sub(1) {
            prop_assert_eq!(Skimmer::default().skim(&data, NONE, less), Skim::Other);
        }
        let of_one = skim(&data, &[Bytes::of(&watched)]);
        if watched.iter().all(|value| plain.contains(value)) {
            prop_assert_eq!(of_one, Skim::Other);
        } else {
            prop_assert!(of_one == whole || of_one == Skim::Other);
        }
        // Compressors give no code to what they do not use.
        let unused = (0..=255u8).filter(|value| !plain.contains(value));
        prop_assert_eq!(skim(&data, &unused.map(|value| Bytes::of(&[value])).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn a_stream_that_is_cut_is_said_to_be(plain in pieces(), level in 0u32..10, at in any::<prop::sample::Index>()) {
        let stream = deflate(&plain, level);
        let cut = &stream[..at.index(stream.len())];
        prop_assert_eq!(skim(cut, NONE), Skim::Cut);
    }

    /// What inflates is skimmed alike; what does not may look sound, but never reaches behind the data.
    #[test]
    fn damaged_streams_end_in_bounds(
        plain in pieces(),
        level in 0u32..10,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut data = deflate(&plain, level);
        for (at, value) in flips {
            let place = at.index(data.len());
            data[place] ^= value;
        }
        let skimmed = skim(&data, NONE);
        if let Some((used, plain)) = inflate(&data) {
            let whole = Skim::Whole { used, holds: plain.len() as u64 };
            prop_assert!(skimmed == whole || skimmed == Skim::Other);
        }
        if let Skim::Whole { used, .. } = skimmed {
            prop_assert!(used <= data.len());
        }
    }

    #[test]
    fn any_bytes_end_in_bounds(data in proptest::collection::vec(any::<u8>(), 0..2000), watched in any::<u8>()) {
        if let Skim::Whole { used, .. } = skim(&data, &[Bytes::of(&[watched])]) {
            prop_assert!(used <= data.len());
        }
    }

    /// Following by the table and symbol by symbol come to the same.
    #[test]
    fn the_table_leads_where_the_codes_lead(plain in pieces(), level in 1u32..10) {
        let stream = deflate(&plain, level);
        let mut bits = Bits::new(&stream);
        let mut skimmer = Skimmer::default();
        bits.refill();
        if bits.take(3) >> 1 == 2 {
            let by_table = skimmer.dynamic(&mut bits, &mut Seen { set: Bytes::default(), watched: NONE }).unwrap();
            let end = (bits.used(), by_table);
            let mut bits = Bits::new(&stream);
            bits.refill();
            bits.take(3);
            let mut lengths = [0; MAX_LENGTHS + MAX_DISTANCES];
            let (literals, all) = skimmer.code_lengths(&mut bits, &mut lengths).unwrap();
            prop_assert!(skimmer.literals.set(&lengths[..literals]) && skimmer.distances.set(&lengths[literals..all]));
            let mut holds = 0;
            loop {
                match skimmer.symbol(&mut bits).unwrap() {
                    Symbol::End => break,
                    Symbol::Literal(_) => holds += 1,
                    Symbol::Length(length) => {
                        holds += length;
                        skimmer.distance(&mut bits).unwrap();
                    }
                }
            }
            prop_assert_eq!((bits.used(), holds), end);
        }
    }
}

#[test]
fn a_set_of_bytes_holds_what_was_put_in() {
    let mut set = Bytes::default();
    set.extend(&[0xd0, 1]);
    assert!(set.holds_any(&[Bytes::of(&[2]), Bytes::of(&[1, 0xd0])]));
    assert!(!set.holds_any(&[Bytes::of(&[1, 0xd0, 0xd1])]) && !set.holds_any(NONE));
}

/// A block with the fixed code: literals, each below 144, without the end.
fn fixed_block(literals: &[u8]) -> Vec<u8> {
    let mut bits = vec![true, true, false];
    for &literal in literals {
        let code = literal + 0x30;
        bits.extend((0..8).rev().map(|bit| code >> bit & 1 == 1));
    }
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
    bits.chunks(8).map(byte).collect()
}

#[test]
fn a_block_of_the_fixed_code_is_watched_by_what_is_in_it_up_to_a_length() {
    let short = [fixed_block(b"WARC"), vec![0; 2]].concat();
    let whole = Skim::Whole { used: 6, holds: 4 };
    assert_eq!(inflate(&short).unwrap(), (6, b"WARC".to_vec()));
    assert_eq!(skim(&short, &[Bytes::of(&[0xd0])]), whole);
    assert_eq!(skim(&short, &[Bytes::of(b"WAX")]), whole);
    assert_eq!(skim(&short, &[Bytes::of(b"WR")]), Skim::Other);
    let long = fixed_block(&[b'0'; MAX_FIXED]);
    assert_eq!(skim(&long, NONE), Skim::Other);
    assert_eq!(skim(&long[..1000], NONE), Skim::Cut);
}
