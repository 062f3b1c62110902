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

impl Boundaries {
    /// Reads lines `word<TAB>morph|morph|...`, in which the morphs make up the word; of a word that occurs
    /// twice, the first line counts. Empty lines and lines that begin with `#` are passed over.
    pub fn parse(text: &str) -> Result<Self, TrainError> {
        let mut all = Self::default();
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            let bad = || TrainError::Boundaries {
                line: number + 1,
                text: line.chars().take(60).collect(),
            };
            let (word, morphs) = line.split_once('\t').ok_or_else(bad)?;
            all.add(word, morphs).ok_or_else(bad)?;
        }
        Ok(all)
    }

    fn add(&mut self, word: &str, morphs: &str) -> Option<()> {
        let mut starts = Vec::new();
        let (mut rest, mut letters) = (word, 0);
        for morph in morphs.split('|') {
            rest = rest.strip_prefix(morph)?;
            letters += morph.chars().count();
            starts.push(u16::try_from(letters).ok()?);
        }
        // The last one is the end of the word.
        starts.pop();
        if !rest.is_empty() || word.is_empty() {
            return None;
        }
        match Key::of(word.as_bytes()) {
            key if key.letters().is_some() => {
                if self.masks.get(key).is_none() {
                    self.masks
                        .add(key, starts.iter().fold(0, |mask, &start| mask | 1 << start));
                }
            }
            _ => {
                self.others.entry(word.into()).or_insert_with(|| starts.into());
            }
        }
        Some(())
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
