#![allow(clippy::unwrap_used)] // a test may panic

use super::*;

fn key(n: u128) -> Key {
    Key(n | 0x83 << 120)
}

fn store(cache: &mut Cache, key: Key, ids: &[u32]) {
    cache.put(cache.set_of(key), key, ids);
}

fn found(cache: &Cache, key: Key) -> Option<Vec<u32>> {
    match cache.get(cache.set_of(key), key) {
        Found::Few(ids, count) => Some(ids[..count].to_vec()),
        Found::Many(ids) => Some(ids.to_vec()),
        Found::Nothing => None,
    }
}

/// A cache of a few sets is written over hundreds of times; whatever it answers is what was stored.
#[test]
fn answers_what_was_stored_or_nothing() {
    let mut cache = Cache::new(1 << 10, 7);
    let ids = |n: u32| (0..n % 9 + 1).map(|i| n + i).collect::<Vec<_>>();
    let mut hits = 0;
    for n in 0..20_000u32 {
        let one = key(u128::from(n % 97));
        match found(&cache, one) {
            Some(kept) => {
                assert_eq!(kept, ids(n % 97));
                hits += 1;
            }
            None => store(&mut cache, one, &ids(n % 97)),
        }
    }
    assert!(hits > 1_000, "{hits}");
}

#[test]
fn a_long_pretoken_is_never_found_by_its_key() {
    let cache = Cache::new(1 << 10, 7);
    assert!(found(&cache, Key::LONG).is_none());
}

#[test]
fn a_run_that_was_written_over_is_not_found() {
    let mut ring = Ring::new(8);
    let first = ring.put(&[1, 2, 3, 4, 5]).unwrap();
    assert_eq!(ring.get(first), Some(&[1, 2, 3, 4, 5][..]));
    let second = ring.put(&[6, 7, 8, 9, 10]).unwrap();
    assert_eq!(ring.get(first), None);
    assert_eq!(ring.get(second), Some(&[6, 7, 8, 9, 10][..]));
    assert!(ring.put(&[0; 9]).is_none());
}

#[test]
fn long_pretokens_stay_within_their_memory() {
    let mut cache = Cache::new(64 << 10, 7);
    for n in 0..10_000u32 {
        let piece = format!("{n:0>100}");
        cache.put_long(piece.as_bytes(), &[n]);
        assert_eq!(cache.get_long(piece.as_bytes()), Some(&[n][..]));
        assert!(cache.long.len() * (100 + LONG_OVERHEAD) <= 64 << 10);
    }
}

/// Lengths, zeros at the end, and blocks in another order all count, and the seed decides.
#[test]
fn long_pretokens_of_other_bytes_have_other_hashes() {
    let mut pieces: Vec<Vec<u8>> = (0..100).map(|length| vec![0; length]).collect();
    for at in 0..100 {
        let mut piece = vec![b'x'; 100];
        piece[at] = b'y';
        pieces.push(piece);
    }
    let hashes = |seed: u64| -> Vec<u64> {
        let seeded = Seeded(seed, !seed);
        pieces
            .iter()
            .map(|piece| seeded.hash_one(piece.as_slice()))
            .collect()
    };
    let one = hashes(0x1234_5678_9abc_def1);
    let different: std::collections::HashSet<_> = one.iter().collect();
    assert_eq!(different.len(), pieces.len());
    assert!(one.iter().zip(hashes(77)).all(|(&one, other)| one != other));
}
