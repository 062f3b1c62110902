//! Scores of words, summed.

use crate::features::{LONGEST, features};
use crate::section::Section;
use crate::words::WORD_LETTERS;

/// Letters of the longest word that is remembered.
pub const KEPT: usize = 12;
const SLOTS: usize = 16_384;

/// Sums of weights of frequent words, by the word's letters (compared, not only hashed): the same sums come out
/// whether a word is there or not.
pub struct Cache {
    keys: Vec<[u16; KEPT]>,
    sums: Vec<i16>,
    width: usize,
}

impl Cache {
    pub fn new(section: &Section) -> Self {
        Self {
            keys: vec![[0; KEPT]; SLOTS],
            sums: vec![0; SLOTS * section.width],
            width: section.width,
        }
    }

    /// Adds the word's weights to `sums`, one a label and zeros to the section's width.
    pub fn add(&mut self, section: &Section, word: &[u32], sums: &mut [i32]) {
        let Some(key) = key(word) else {
            let mut fresh = [0; 256];
            let fresh = &mut fresh[..self.width];
            sum(section, word, fresh);
            return join(sums, fresh);
        };
        let slot = slot(&key);
        let kept = &mut self.sums[slot * self.width..(slot + 1) * self.width];
        if self.keys[slot] != key {
            kept.fill(0);
            sum(section, word, kept);
            self.keys[slot] = key;
        }
        join(sums, kept);
    }
}

#[inline]
fn join(sums: &mut [i32], kept: &[i16]) {
    for (sum, &value) in sums.iter_mut().zip(kept) {
        *sum += i32::from(value);
    }
}

/// Most features of a word: of each letter and the first edge at most `LONGEST`, and the word.
const MOST: usize = (WORD_LETTERS + 1) * LONGEST + 1;

/// At most `MOST` features with a weight of at most 127 each: no sum passes an i16.
///
/// First all hashes, then all rows, then all weights: so the reads of a step, most of which miss the first
/// caches, do not wait for one another.
fn sum(section: &Section, word: &[u32], sums: &mut [i16]) {
    let (mut hashes, mut count) = ([0; MOST], 0);
    features(word, |feature| {
        hashes[count] = feature;
        count += 1;
    });
    let (mut rows, mut known) = ([0; MOST], 0);
    for &hash in &hashes[..count] {
        let (row, is_known) = section.place(hash);
        rows[known] = row;
        known += usize::from(is_known);
    }
    // Asked for early: rows are on their way when they are added.
    let touched = rows[..known]
        .iter()
        .fold(0, |touched, &row| touched ^ section.weights(row)[0]);
    std::hint::black_box(touched);
    let (sums, _) = sums.as_chunks_mut::<16>();
    for &row in &rows[..known] {
        let (weights, _) = section.weights(row).as_chunks::<16>();
        for (sums, weights) in sums.iter_mut().zip(weights) {
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum += i16::from(weight);
            }
        }
    }
}

/// A word's letters; none of a longer word, or one with letters beyond the first plane.
pub fn key(word: &[u32]) -> Option<[u16; KEPT]> {
    let mut key = [0; KEPT];
    if word.is_empty() || word.len() > KEPT {
        return None;
    }
    for (to, &c) in key.iter_mut().zip(word) {
        *to = u16::try_from(c).ok()?;
    }
    Some(key)
}

fn slot(key: &[u16; KEPT]) -> usize {
    let mut hash = 0u64;
    for four in key.chunks_exact(4) {
        let part = four.iter().fold(0, |part, &c| part << 16 | u64::from(c));
        hash = (hash.rotate_left(23) ^ part).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    (hash >> 40) as usize % SLOTS
}

/// The probabilities of `scores`' softmax.
pub fn softmax(scores: &[f32]) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut parts: Vec<f32> = scores.iter().map(|s| (s - most).exp()).collect();
    let whole: f32 = parts.iter().sum();
    parts.iter_mut().for_each(|p| *p /= whole);
    parts
}
