//! Where morphemes begin in a pretoken, by a list of segmented words.

use std::collections::HashMap;

use super::TrainError;
use super::parallel;
use super::progress::Progress;
use super::table::Entry;
use bukvar_split::Key;

mod masks;
mod read;

use masks::Masks;

/// Segmented words in small letters. Words of up to 14 letters U+0400..U+047F are held by their keys, with a
/// mask: bit i is set where a morpheme begins at letter i.
#[derive(Default)]
pub struct Boundaries {
    /// By `bin`; none where there are no such words.
    masks: Vec<Masks>,
    others: HashMap<Box<str>, Box<[u16]>>,
    /// Among the others are words that hold ASCII.
    ascii: bool,
}

/// Tables, by hash: one of all words of a large file, 12 MB, would not stay in the cache while it is filled.
const BINS: usize = 16;

/// The word of a pretoken: in small letters, and how many bytes stand before it.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    prefix: usize,
    key: Key,
}

impl Boundaries {
    /// The table that a word belongs to.
    #[inline(always)]
    fn bin(key: Key) -> usize {
        let hash = (key.0 as u64 ^ (key.0 >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (hash >> (64 - BINS.ilog2())) as usize
    }

    /// Bit i is set where a morpheme begins at letter i of a word of letters.
    #[inline(always)]
    fn mask(&self, key: Key) -> u64 {
        self.masks.get(Self::bin(key)).map_or(0, |table| table.get(key))
    }

    /// Asks for the memory in which `starts` will look the word of a pretoken up; none for pretokens that are to
    /// looked up by `find`.
    #[inline(always)]
    pub fn prefetch(&self, piece: Key) -> Option<Word> {
        let (prefix, key) = piece.small_letters()?;
        if let Some(table) = self.masks.get(Self::bin(key)) {
            table.prefetch(key);
        }
        Some(Word { prefix, key })
    }

    /// Bit i is set where a morpheme begins at byte i of the word's pretoken, its first byte included.
    #[inline(always)]
    pub fn starts(&self, word: Word) -> u32 {
        // Bit i to bit 2i: two bytes a letter.
        let mut bits = self.mask(word.key) as u32;
        bits = (bits | bits << 8) & 0x00ff_00ff;
        bits = (bits | bits << 4) & 0x0f0f_0f0f;
        bits = (bits | bits << 2) & 0x3333_3333;
        bits = (bits | bits << 1) & 0x5555_5555;
        1 | bits << word.prefix
    }

    /// Words held, for a message.
    pub fn words(&self) -> usize {
        self.masks.iter().map(Masks::words).sum::<usize>() + self.others.len()
    }

    /// Sets `starts` true at the bytes of a pretoken where a morpheme begins, its first byte included. The
    /// word looked up is the first run of letters, in small letters.
    pub fn find(&self, piece: &[u8], starts: &mut Vec<bool>) {
        starts.clear();
        starts.resize(piece.len(), false);
        starts[0] = true;
        if let Some(word) = self.prefetch(Key::of(piece)) {
            let found = self.starts(word);
            let bits = starts.iter_mut().enumerate();
            bits.for_each(|(at, start)| *start = found >> at & 1 != 0);
        } else if (self.ascii || !piece.is_ascii())
            && let Ok(text) = std::str::from_utf8(piece)
        {
            self.find_other(text, starts);
        }
    }

    fn find_other(&self, text: &str, starts: &mut [bool]) {
        let letters = text.char_indices().skip_while(|(_, c)| !is_letter(*c));
        let letters = letters.take_while(|(_, c)| is_letter(*c));
        let (mut word, mut offsets) = (String::new(), Vec::new());
        for (at, letter) in letters {
            word.push(small(letter));
            offsets.push(at);
        }
        let mut set = |start: usize| {
            if let Some(&at) = offsets.get(start) {
                starts[at] = true;
            }
        };
        if let Some(found) = self.others.get(word.as_str()) {
            found.iter().for_each(|&start| set(start.into()));
            return;
        }
        let key = Key::of(word.as_bytes());
        if key.letters().is_some() {
            let mask = self.mask(key);
            (0..64).filter(|bit| mask >> bit & 1 != 0).for_each(set);
        }
    }
}

/// `char::is_alphabetic`, at once for the letters that are many.
fn is_letter(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_alphabetic(),
        'А'..='я' => true,
        _ => c.is_alphabetic(),
    }
}

fn small(c: char) -> char {
    match c {
        '\0'..='\x7f' => c.to_ascii_lowercase(),
        'а'..='я' => c,
        _ => {
            let mut small = c.to_lowercase();
            // A letter whose small form is two would move those after it.
            if small.len() == 1 {
                small.next().unwrap_or(c)
            } else {
                c
            }
        }
    }
}
