//! Where morphemes begin in a pretoken, by a list of segmented words.

use std::collections::HashMap;

use super::TrainError;
use super::table::CountTable;
use crate::split::Key;
use crate::split::key::MAX_LETTERS;
use crate::split::lanes::cyrillic;

/// Segmented words in small letters. Words of up to 14 letters U+0400..U+047F are held by their keys, with a
/// mask: bit i is set where a morpheme begins at letter i.
#[derive(Default)]
pub struct Boundaries {
    masks: CountTable,
    others: HashMap<Box<str>, Box<[u16]>>,
    /// Among the others are words that hold ASCII.
    ascii: bool,
}

/// Words whose places in the table are asked for together.
const BATCH: usize = 32;
/// Bytes of a line of Russian, on average: the table grows where there are more.
const LINE: usize = 40;

/// The word of a pretoken: in small letters, and how many bytes stand before it.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    prefix: usize,
    key: Key,
}

/// The word, the mask and the length of the line that the text begins with, if it is one of 1..=14 letters
/// U+0400..U+047F: nearly all are.
#[inline(always)]
fn letters(text: &[u8]) -> Option<(Key, u64, usize)> {
    let run = |at: usize| -> Option<(u128, u32)> {
        let run = cyrillic(text.get(at..)?.first_chunk()?);
        let letters = run.letters.trailing_ones();
        Some((run.codes & ((1u128 << (8 * letters.min(15))) - 1), letters))
    };
    let (word, letters) = run(0)?;
    let mut at = 2 * letters as usize + 1;
    if !(1..=MAX_LETTERS).contains(&letters) || text[at - 1] != b'\t' {
        return None;
    }
    let (mut codes, mut done, mut mask) = (0, 0, 0);
    loop {
        let (more, len) = run(at)?;
        if done + len > letters {
            return None;
        }
        codes |= more << (8 * done);
        done += len;
        at += 2 * len as usize + 1;
        match text[at - 1] {
            b'|' => mask |= 1 << done,
            b'\n' => break,
            _ => return None,
        }
    }
    (codes == word).then(|| (Key::of_letters(word, letters, None), mask, at))
}

impl Boundaries {
    /// Reads lines `word<TAB>morph|morph|...`, in which the morphs make up the word; of a word that occurs
    /// twice, the first line counts. Empty lines and lines that begin with `#` are passed over.
    pub fn parse(text: &str) -> Result<Self, TrainError> {
        let mut all = Self {
            masks: CountTable::with_room(text.len() / LINE),
            others: HashMap::new(),
            ascii: false,
        };
        let mut batch = Vec::with_capacity(BATCH);
        let (mut rest, mut number) = (text, 0);
        while !rest.is_empty() {
            number += 1;
            if let Some((key, mask, len)) = letters(rest.as_bytes()) {
                all.masks.prefetch(key);
                batch.push((key, mask));
                rest = &rest[len..];
            } else {
                let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
                rest = after;
                let line = line.strip_suffix('\r').unwrap_or(line);
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let word = all.read(line).ok_or_else(|| TrainError::Boundaries {
                    line: number,
                    text: line.chars().take(60).collect(),
                })?;
                batch.extend(word);
            }
            if batch.len() == BATCH {
                all.add(&mut batch);
            }
        }
        all.add(&mut batch);
        Ok(all)
    }

    /// The key of a line's word, if it is one of letters, and its mask; other words are kept here. `None` for a
    /// line of another form.
    fn read(&mut self, line: &str) -> Option<std::option::IntoIter<(Key, u64)>> {
        let (word, morphs) = line.split_at(memchr::memchr(b'\t', line.as_bytes())?);
        let (word, morphs) = (word.as_bytes(), &morphs.as_bytes()[1..]);
        let key = Key::of(word);
        let short = key.letters().is_some();
        let (mut mask, mut starts) = (0u64, Vec::new());
        let (mut at, mut letters) = (0, 0u32);
        for &byte in morphs {
            if byte == b'|' {
                if short {
                    mask |= 1 << letters;
                } else {
                    starts.push(u16::try_from(letters).ok()?);
                }
            } else {
                if word.get(at) != Some(&byte) {
                    return None;
                }
                at += 1;
                letters += u32::from(byte & 0xc0 != 0x80);
            }
        }
        if at != word.len() || word.is_empty() {
            return None;
        }
        if !short {
            let word = &line[..word.len()];
            self.ascii |= word.bytes().any(|byte| byte.is_ascii());
            self.others.entry(word.into()).or_insert_with(|| starts.into());
        }
        Some(short.then_some((key, mask)).into_iter())
    }

    fn add(&mut self, batch: &mut Vec<(Key, u64)>) {
        for (key, mask) in batch.drain(..) {
            if self.masks.get(key).is_none() {
                self.masks.add(key, mask);
            }
        }
    }

    /// Asks for the memory in which `starts` will look the word of a pretoken up; none for pretokens that are to
    /// be asked of `mark`.
    #[inline(always)]
    pub fn prefetch(&self, piece: Key) -> Option<Word> {
        let (prefix, key) = piece.small_letters()?;
        self.masks.prefetch(key);
        Some(Word { prefix, key })
    }

    /// Bit i is set where a morpheme begins at byte i of the word's pretoken, its first byte included.
    #[inline(always)]
    pub fn starts(&self, word: Word) -> u32 {
        let mut mask = self.masks.get(word.key).unwrap_or(0);
        let mut starts = 1u32;
        while mask != 0 {
            // The mask may name the end of the word, which is no start.
            starts |= 1u32
                .checked_shl(word.prefix as u32 + 2 * mask.trailing_zeros())
                .unwrap_or(0);
            mask &= mask - 1;
        }
        starts
    }

    /// Words held, for a message.
    pub fn words(&self) -> usize {
        self.masks.types() + self.others.len()
    }

    /// Sets `starts` true at the bytes of a pretoken where a morpheme begins, its first byte included. The
    /// word looked up is the first run of letters, in small letters.
    pub fn mark(&self, piece: &[u8], starts: &mut Vec<bool>) {
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
            self.mark_other(text, starts);
        }
    }

    fn mark_other(&self, text: &str, starts: &mut [bool]) {
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
            let mask = self.masks.get(key).unwrap_or(0);
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
