//! Where morphemes begin in a pretoken, by a list of segmented words.

use std::collections::HashMap;

use super::TrainError;
use super::table::CountTable;
use crate::split::Key;

/// Segmented words in small letters. Words of up to 14 letters U+0400..U+047F are held by their keys, with a
/// mask: bit i is set where a morpheme begins at letter i.
#[derive(Default)]
pub struct Boundaries {
    masks: CountTable,
    others: HashMap<Box<str>, Box<[u16]>>,
}

/// Words whose places in the table are asked for together.
const BATCH: usize = 32;

impl Boundaries {
    /// Reads lines `word<TAB>morph|morph|...`, in which the morphs make up the word; of a word that occurs
    /// twice, the first line counts. Empty lines and lines that begin with `#` are passed over.
    pub fn parse(text: &str) -> Result<Self, TrainError> {
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
        let mut all = Self {
            masks: CountTable::with_room(lines),
            others: HashMap::new(),
        };
        let mut batch = Vec::with_capacity(BATCH);
        let mut rest = text;
        for number in 1..=lines {
            let end = memchr::memchr(b'\n', rest.as_bytes());
            let line = &rest[..end.unwrap_or(rest.len())];
            rest = end.map_or("", |end| &rest[end + 1..]);
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let word = all.read(line).ok_or_else(|| TrainError::Boundaries {
                line: number,
                text: line.chars().take(60).collect(),
            })?;
            batch.extend(word.inspect(|&(key, _)| all.masks.prefetch(key)));
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

    /// Asks for the memory in which `mark` will look a pretoken up.
    #[inline(always)]
    pub fn prefetch(&self, piece: Key) {
        if let Some((_, key)) = piece.small_letters() {
            self.masks.prefetch(key);
        }
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
        if let Some((prefix, key)) = Key::of(piece).small_letters() {
            let mut mask = self.masks.get(key).unwrap_or(0);
            while mask != 0 {
                starts[prefix + 2 * mask.trailing_zeros() as usize] = true;
                mask &= mask - 1;
            }
        } else if let Ok(text) = std::str::from_utf8(piece) {
            self.mark_other(text, starts);
        }
    }

    fn mark_other(&self, text: &str, starts: &mut [bool]) {
        let letters = || {
            text.char_indices()
                .skip_while(|(_, c)| !c.is_alphabetic())
                .take_while(|(_, c)| c.is_alphabetic())
        };
        let small = |c: char| {
            let mut small = c.to_lowercase();
            // A letter whose small form is two would move those after it.
            if small.len() == 1 {
                small.next().unwrap_or(c)
            } else {
                c
            }
        };
        let word: String = letters().map(|(_, c)| small(c)).collect();
        let offsets: Vec<usize> = letters().map(|(at, _)| at).collect();
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
