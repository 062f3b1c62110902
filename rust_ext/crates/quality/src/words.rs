//! Tokens with what is known of them, remembered from text to text.

use bukvar_text::chars::Classes;
use bukvar_text::repetition::Interner;
use bukvar_text::words::{Token, tokens};

use super::facts::{Shape, class_of, is, is_plain_word, lower_case, of_token};
use super::known::Known;
use super::lexicon::Lexicon;
use super::repeats::Numbers;

/// What is known of a token.
#[derive(Clone, Copy)]
pub struct Info {
    pub flags: u64,
    pub topics: u32,
    /// Characters, letters, and letters that are neither Russian nor ASCII.
    pub chars: u32,
    pub letters: u32,
    pub odd: u32,
    /// The first character.
    pub first: char,
    /// A number that all tokens of the same lower case share, in the text.
    pub lower: u32,
    /// The class in the table of neighbours.
    pub class: u64,
    /// Where the patterns of topic pairs stand in [`Words::parts`].
    parts: (u32, u32),
}

impl Info {
    #[inline]
    pub fn is(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    /// A symbol that begins with one of `set`.
    #[inline]
    pub fn symbol(&self, set: &str) -> bool {
        !self.is(is::WORD) && set.contains(self.first)
    }
}

/// Bytes of words that are remembered before all are forgotten; numbers of words stay below 2^21.
const REMEMBERED: usize = 8 << 20;

/// Bytes of a word that stands in front whole, and how many words do: what most look-ups find in one place.
const KEY: usize = 32;
const FRONT: usize = 1 << 15;
/// In the place of a slot: the word stands in front.
const HIT: usize = usize::MAX;

/// A word with its facts, found by its hash and compared whole.
#[derive(Clone, Copy)]
struct Front {
    key: [u8; KEY],
    length: u32,
    info: Info,
}

impl Front {
    /// No word: no word has no bytes.
    const EMPTY: Front = Front {
        key: [0; KEY],
        length: 0,
        info: Info {
            flags: 0,
            topics: 0,
            chars: 0,
            letters: 0,
            odd: 0,
            first: ' ',
            lower: 0,
            class: 0,
            parts: (0, 0),
        },
    };
}

fn hash(key: &[u8; KEY]) -> u64 {
    let mut sum = 0_u64;
    for eight in key.as_chunks::<8>().0 {
        sum = (sum.rotate_left(23) ^ u64::from_le_bytes(*eight)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    sum ^ (sum >> 32)
}

/// Remembers tokens; every look-up compares the whole token.
pub struct Words {
    pub lexicon: Lexicon,
    known: Option<Known>,
    arena: Vec<u8>,
    ids: Interner,
    lower_arena: Vec<u8>,
    lower_ids: Interner,
    /// Of every remembered token; `lower` is the number of its lower case among all.
    infos: Vec<Info>,
    parts: Vec<u32>,
    /// The tokens of the text: few, and read again and again.
    of_text: Vec<Info>,
    /// Of each remembered token its number in the text whose generation it names.
    placed: Vec<(u32, u32)>,
    lowers: Numbers,
    generation: u32,
    front: Vec<Front>,
    /// Slots of the words that were looked up ahead, and their facts where they were found ([`HIT`]).
    ahead: Vec<(usize, Info)>,
    classes: Classes,
}

impl Words {
    /// Without a table of known words none is unknown.
    pub fn new(lexicon: Lexicon, known: Option<Known>) -> Self {
        let mut words = Self {
            lexicon,
            known,
            arena: Vec::new(),
            ids: Interner::default(),
            lower_arena: Vec::new(),
            lower_ids: Interner::default(),
            infos: Vec::new(),
            parts: Vec::new(),
            of_text: Vec::new(),
            placed: Vec::new(),
            lowers: Numbers::default(),
            generation: 0,
            front: Vec::new(),
            ahead: Vec::new(),
            classes: Classes::new(),
        };
        words.forget();
        words
    }

    fn forget(&mut self) {
        self.arena.clear();
        self.lower_arena.clear();
        self.ids.start();
        self.lower_ids.start();
        self.infos.clear();
        self.parts.clear();
        self.placed.clear();
        self.generation = 0;
        self.front.clear();
        self.front.resize(FRONT, Front::EMPTY);
    }

    /// Makes room for a text: its words keep their numbers until the next call.
    pub fn start_text(&mut self) {
        if self.arena.len() > REMEMBERED || self.generation == u32::MAX {
            self.forget();
        }
        self.generation += 1;
        self.of_text.clear();
        self.lowers.start();
    }

    /// The number of a token's facts in the text.
    #[inline]
    pub fn id(&mut self, text: &str, token: &Token) -> u32 {
        let known = self.remembered(text, token) as usize;
        if self.placed[known].0 != self.generation {
            self.placed[known] = (self.generation, self.of_text.len() as u32);
            self.place(self.infos[known]);
        }
        self.placed[known].1
    }

    /// Looks words up that are new in the text, all before any is used: no look-up waits for another's memory.
    pub fn look_ahead<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        self.ahead.clear();
        let front = &self.front;
        self.ahead.extend(words.map(|word| {
            let bytes = word.as_bytes();
            let mut key = [0; KEY];
            let Some(part) = key.get_mut(..bytes.len()) else {
                return (FRONT, Front::EMPTY.info);
            };
            part.copy_from_slice(bytes);
            let at = hash(&key) as usize % FRONT;
            let known = &front[at];
            let hit = known.key == key && known.length as usize == bytes.len();
            (if hit { HIT } else { at }, known.info)
        }));
    }

    /// The number of the facts of the `number`-th word of `look_ahead`.
    #[inline]
    pub fn new_id(&mut self, number: usize, word: &str) -> u32 {
        let (at, info) = self.ahead[number];
        if at == HIT {
            return self.place(info);
        }
        let id = self.slow_new_id(word);
        let bytes = word.as_bytes();
        if at < FRONT
            && let Some(token) = tokens(word).next()
        {
            let known = self.remembered(word, &token) as usize;
            let mut key = [0; KEY];
            key[..bytes.len()].copy_from_slice(bytes);
            self.front[at] = Front {
                key,
                length: bytes.len() as u32,
                info: self.infos[known],
            };
        }
        id
    }

    fn slow_new_id(&mut self, word: &str) -> u32 {
        let known = tokens(word)
            .next()
            .map(|token| self.remembered(word, &token) as usize);
        known.map_or(0, |known| self.place(self.infos[known]))
    }

    /// Takes facts into the text, with the lower case's number in the text.
    #[inline]
    fn place(&mut self, mut info: Info) -> u32 {
        info.lower = self.lowers.number(info.lower);
        self.of_text.push(info);
        self.of_text.len() as u32 - 1
    }

    /// The number of a token among all that are remembered.
    #[inline]
    fn remembered(&mut self, text: &str, token: &Token) -> u32 {
        let bytes = &text.as_bytes()[token.start..token.end];
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        let (id, new) = self.ids.id(&self.arena, start, self.arena.len());
        if new {
            let info = self.describe(&text[token.start..token.end], token);
            self.infos.push(info);
            self.placed.push((0, 0));
        } else {
            self.arena.truncate(start);
        }
        id
    }

    #[inline]
    pub fn info(&self, id: u32) -> &Info {
        &self.of_text[id as usize]
    }

    /// The patterns of topic pairs that a token matches.
    #[inline]
    pub fn parts(&self, info: &Info) -> &[u32] {
        &self.parts[info.parts.0 as usize..info.parts.1 as usize]
    }

    fn describe(&mut self, text: &str, token: &Token) -> Info {
        let first = text.chars().next().unwrap_or(' ');
        let shape = Shape::of(text, self.classes);
        let lower = lower_case(text, shape.flags & is::CYRILLIC != 0);
        let start = self.lower_arena.len();
        self.lower_arena.extend_from_slice(lower.as_bytes());
        let (lower_id, new) = self
            .lower_ids
            .id(&self.lower_arena, start, self.lower_arena.len());
        if !new {
            self.lower_arena.truncate(start);
        }
        let mut flags = shape.flags;
        if token.is_word {
            flags |= is::WORD;
        }
        if self.lexicon.is_function(&lower) {
            flags |= is::FUNCTION;
        }
        flags |= of_token(text, &lower, flags, token.chars);
        if is_plain_word(text, token.chars) {
            let unknown = self.known.as_ref().is_some_and(|known| !known.contains(&lower));
            flags |= is::PLAIN | if unknown { is::UNKNOWN } else { 0 };
        }
        let found = self.lexicon.find(&lower);
        let parts = self.parts.len() as u32;
        self.parts.extend(found.parts);
        Info {
            flags,
            topics: found.topics,
            chars: token.chars as u32,
            letters: shape.letters,
            odd: shape.odd,
            first,
            lower: lower_id,
            class: class_of(first, &lower, flags),
            parts: (parts, self.parts.len() as u32),
        }
    }
}
