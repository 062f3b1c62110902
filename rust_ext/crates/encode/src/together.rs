//! Merging many short pretokens side by side.
//!
//! Merging one pretoken is a chain: which pair comes next is known only when the pairs of the last merge were
//! looked up. A processor waits for most of it. Here several pretokens take one step each in turn, so that the
//! look-ups of one run while others are searched: a third of the time of merging them one by one.
//!
//! A step is free of branches. Pretokens that are finished make room for the next ones. Words of Cyrillic letters
//! begin with letters (`letters`): half the steps, and mostly in half the places.

use super::letters::{BEGIN, NEITHER, are_letters, number};
use super::merge::{Merges, NOTHING, SHORT, candidate, lowest, rank_and_place};
use super::pairs::{NO_TOKEN, NONE, Pairs};
use super::rules::{Rules, is_of_cyrillic};

/// Pretokens under way: with more of them their arrays leave the first-level cache, with fewer there is time to
/// wait for.
const ABREAST: usize = 4;

/// A pretoken to be merged, and where its tokens are.
#[derive(Clone, Copy)]
pub struct Job {
    pub start: usize,
    pub end: usize,
    /// First token in what was merged, and how many; none before it is done.
    pub from: usize,
    pub count: usize,
}

impl Job {
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end,
            from: 0,
            count: 0,
        }
    }

    pub fn ids(&self) -> std::ops::Range<usize> {
        self.from..self.from + self.count
    }
}

/// A pretoken of up to N - 2 bytes under way. Tokens stay at the place of their first byte, counted from 1; at 0
/// and behind the last byte stands `NO_TOKEN`, which merges with nothing, so that every token has neighbours.
struct Lane<const N: usize> {
    tokens: [u32; N],
    /// What the token at a place and the one after it merge into, and the place.
    candidates: [i32; N],
    /// A bit for each place where a token begins.
    alive: u64,
    job: usize,
    cyrillic: bool,
}

impl<const N: usize> Lane<N> {
    const IDLE: Self = Self {
        tokens: [NO_TOKEN; N],
        candidates: [NOTHING; N],
        alive: 0,
        job: 0,
        cyrillic: false,
    };

    /// Begins with a pretoken; false for one that does not fit.
    #[inline(always)]
    fn begin(&mut self, job: usize, piece: &[u8], rules: &Rules) -> bool {
        self.job = job;
        let before = usize::from(piece[0] < 0x80);
        let (pairs, odd) = piece[before..].as_chunks();
        if odd.is_empty() && are_letters(pairs) {
            return before + pairs.len() <= N - 2 && self.begin_letters(&piece[..before], pairs, rules);
        }
        if piece.len() > N - 2 {
            return false;
        }
        self.candidates = [NOTHING; N];
        self.cyrillic = is_of_cyrillic(piece);
        let mut before = piece[0];
        self.tokens[1] = rules.byte(before);
        for (at, &byte) in (1..N - 1).zip(&piece[1..]) {
            self.tokens[at + 1] = rules.byte(byte);
            self.candidates[at] = candidate(rules.bytes(before, byte), at as u32);
            before = byte;
        }
        self.end_at(piece.len());
        true
    }

    /// The same with letters, whole where that is sure to be right, behind an ASCII byte or none.
    #[inline(always)]
    fn begin_letters(&mut self, ascii: &[u8], letters: &[[u8; 2]], rules: &Rules) -> bool {
        self.candidates = [NOTHING; N];
        self.tokens[0] = NO_TOKEN;
        self.cyrillic = true;
        let mut last = 0;
        // The byte before and, where it is a token as it stands, what that is.
        let (mut byte, mut token) = (BEGIN, BEGIN);
        if let [ascii] = *ascii {
            last = 1;
            self.tokens[1] = rules.byte(ascii);
            (byte, token) = (usize::from(ascii), usize::from(ascii | 0x80));
        }
        for (at, &letter) in letters.iter().enumerate() {
            let next = letters.get(at + 1).map(|next| next[0]);
            let whole = rules.letters.whole(byte, letter, next);
            if whole != NONE {
                if last + 1 > N - 2 {
                    return false;
                }
                let joined = if token == NEITHER {
                    rules.cyrillic.get(self.tokens[last], whole)
                } else {
                    rules.letters.joined(token, letter)
                };
                self.candidates[last] = candidate(joined, last as u32);
                self.tokens[last + 1] = whole;
                token = number(letter);
                last += 1;
            } else {
                if last + 2 > N - 2 {
                    return false;
                }
                let [lead, rest] = letter.map(|byte| rules.byte(byte));
                self.candidates[last] = candidate(rules.cyrillic.get(self.tokens[last], lead), last as u32);
                self.candidates[last + 1] = candidate(rules.bytes(letter[0], letter[1]), last as u32 + 1);
                (self.tokens[last + 1], self.tokens[last + 2]) = (lead, rest);
                token = NEITHER;
                last += 2;
            }
            byte = usize::from(letter[1]);
        }
        self.end_at(last);
        true
    }

    /// The last token is at a place.
    #[inline(always)]
    fn end_at(&mut self, last: usize) {
        self.tokens[0] = NO_TOKEN;
        self.tokens[last + 1] = NO_TOKEN;
        self.alive = u64::MAX >> (62 - last);
    }

    /// One merge; false where there is none.
    #[inline(always)]
    fn step(&mut self, pairs: &Pairs) -> bool {
        let best = lowest(&self.candidates);
        if best == NOTHING {
            return false;
        }
        let (rank, at) = rank_and_place(best);
        let place = |bit: u32| bit as usize & (N - 1);
        // Something stands before and something behind the two tokens: sentinels, if nothing else.
        let later = self.alive & (u64::MAX << at) << 1;
        let gone = place(later.trailing_zeros());
        let after = place((later & later.wrapping_sub(1)).trailing_zeros());
        let before = place(63 - (self.alive & ((1 << at) - 1) | 1).leading_zeros());
        self.alive &= !(1 << gone);
        let with_after = pairs.get(rank, self.tokens[after]);
        let with_before = pairs.get(self.tokens[before], rank);
        self.tokens[place(at)] = rank;
        self.candidates[gone] = NOTHING;
        self.candidates[place(at)] = candidate(with_after, at);
        self.candidates[before] = candidate(with_before, before as u32);
        true
    }

    /// Appends the tokens that are left.
    #[inline(always)]
    fn finish(&self, out: &mut Vec<u32>) {
        // Without the sentinels: the lowest bit and the highest.
        let mut alive = self.alive & !1;
        while alive & alive.wrapping_sub(1) != 0 {
            out.push(self.tokens[alive.trailing_zeros() as usize & (N - 1)]);
            alive &= alive - 1;
        }
    }
}

/// Merges all jobs of up to `SHORT` - 2 bytes that are not done, appending their tokens to `out`.
pub fn merge_all(text: &[u8], rules: &Rules, jobs: &mut [Job], out: &mut Vec<u32>) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
        fn with_avx2(text: &[u8], rules: &Rules, jobs: &mut [Job], out: &mut Vec<u32>) {
            merge_both(text, rules, jobs, out);
        }
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") {
            // SAFETY: the processor has what the function needs, as was just asked; the test
            // `side_by_side_is_one_by_one` runs it.
            unsafe { with_avx2(text, rules, jobs, out) };
            return;
        }
    }
    merge_both(text, rules, jobs, out);
}

/// Most pretokens fit 32 places; only what does not takes the time of 64.
#[inline(always)]
fn merge_both(text: &[u8], rules: &Rules, jobs: &mut [Job], out: &mut Vec<u32>) {
    merge_sized::<16>(text, rules, jobs, out);
    merge_sized::<32>(text, rules, jobs, out);
    merge_sized::<SHORT>(text, rules, jobs, out);
}

#[inline(always)]
fn merge_sized<const N: usize>(text: &[u8], rules: &Rules, jobs: &mut [Job], out: &mut Vec<u32>) {
    let mut lanes = [Lane::<N>::IDLE; ABREAST];
    let mut next = 0;
    let mut start = |lane: &mut Lane<N>, jobs: &[Job]| {
        while let Some(job) = jobs.get(next) {
            next += 1;
            if job.count == 0 && lane.begin(next - 1, &text[job.start..job.end], rules) {
                return true;
            }
        }
        false
    };
    let mut running = 0;
    while running < ABREAST && start(&mut lanes[running], jobs) {
        running += 1;
    }
    while running > 0 {
        let mut at = 0;
        while at < running {
            let lane = &mut lanes[at];
            let pairs = if lane.cyrillic {
                &rules.cyrillic
            } else {
                &rules.pairs
            };
            if lane.step(pairs) {
                at += 1;
                continue;
            }
            let job = &mut jobs[lane.job];
            job.from = out.len();
            lane.finish(out);
            job.count = out.len() - job.from;
            if start(lane, jobs) {
                at += 1;
            } else {
                running -= 1;
                lanes.swap(at, running);
            }
        }
    }
}
