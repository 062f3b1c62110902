//! What is known of a token from its characters alone, remembered from text to text.

use bukvar_text::chars::{ALPHA, Classes, MARK, NUMERIC};
use bukvar_text::repetition::Interner;
use bukvar_text::words::{Token, tokens};

use super::lexicon::Lexicon;
use super::repeats::Numbers;

/// Facts of a token, one bit each.
pub mod is {
    pub const WORD: u64 = 1;
    pub const LETTERS: u64 = 1 << 1;
    pub const FUNCTION: u64 = 1 << 2;
    pub const CYRILLIC: u64 = 1 << 3;
    pub const LATIN: u64 = 1 << 4;
    pub const MIXED: u64 = 1 << 5;
    pub const DIGIT: u64 = 1 << 6;
    pub const CAPITAL: u64 = 1 << 7;
    pub const UPPER: u64 = 1 << 8;
    pub const BROKEN_CASE: u64 = 1 << 9;
    pub const NO_VOWEL: u64 = 1 << 10;
    pub const LOWER_START: u64 = 1 << 11;
    pub const PHONE: u64 = 1 << 12;
    pub const MONEY: u64 = 1 << 13;
    pub const STREET: u64 = 1 << 14;
    pub const LINK: u64 = 1 << 15;
    pub const MORE: u64 = 1 << 16;
    pub const PAST: u64 = 1 << 17;
    pub const INFINITIVE: u64 = 1 << 18;
    pub const IMPERATIVE: u64 = 1 << 19;
    pub const ADJECTIVE: u64 = 1 << 20;
    pub const ABSTRACT: u64 = 1 << 21;
    pub const NAME: u64 = 1 << 22;
    pub const FIRST: u64 = 1 << 23;
    pub const SECOND: u64 = 1 << 24;
    pub const THIRD: u64 = 1 << 25;
    pub const DASH: u64 = 1 << 26;
    pub const END: u64 = 1 << 27;
    pub const CLOSING: u64 = 1 << 28;
    pub const CODE: u64 = 1 << 29;
    pub const COMMA: u64 = 1 << 30;
    pub const STOP: u64 = 1 << 31;
    pub const EXCLAMATION: u64 = 1 << 32;
    pub const QUESTION: u64 = 1 << 33;
    pub const COLON: u64 = 1 << 34;
    pub const QUOTE: u64 = 1 << 35;
    pub const BRACKET: u64 = 1 << 36;
    pub const EMOJI: u64 = 1 << 37;
}

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

const DASHES: &str = "—–-―−‒";
const ENDS: &str = ".!?…‼⁇⁈⁉";
const CLOSING: &str = "»”\"'’)]“";
const CODE: &str = "{};=<>\\|_@#$%^&*~+/";
const VOWELS: &str = "аеиоуыэюяіїєѣ";
const MONEY: &[&str] = &[
    "руб",
    "рублей",
    "рубля",
    "рубль",
    "р",
    "грн",
    "евро",
    "долларов",
    "usd",
    "eur",
];
const STREET: &[&str] = &[
    "ул",
    "д",
    "пр",
    "пер",
    "пл",
    "кв",
    "г",
    "обл",
    "корп",
    "наб",
    "бул",
    "аллея",
    "ш",
    "тел",
];
const MORE: &[&str] = &["подробнее", "далее", "полностью", "more", "дальше"];
const PAST: &[&str] = &["л", "ла", "ло", "ли", "лся", "лась", "лось", "лись"];
const INFINITIVE: &[&str] = &["ть", "ться", "ти", "тись", "чь"];
const IMPERATIVE: &[&str] = &["йте", "ите", "йтесь", "итесь"];
const ADJECTIVE: &[&str] = &[
    "ый", "ий", "ая", "яя", "ое", "ее", "ые", "ие", "ого", "его", "ому", "ему", "ых", "их", "ыми", "ими",
    "ой",
];
const ABSTRACT: &[&str] = &[
    "ние",
    "ния",
    "нию",
    "нием",
    "ний",
    "ниях",
    "ция",
    "ции",
    "цию",
    "цией",
    "ций",
    "ость",
    "ости",
    "остью",
    "ство",
    "ства",
    "ством",
];
const NAME: &[&str] = &[
    "ович",
    "евич",
    "овна",
    "евна",
    "ична",
    "овича",
    "евича",
    "овны",
    "евны",
    "ичны",
    "ов",
    "ова",
    "ев",
    "ева",
    "ин",
    "ина",
    "ский",
    "ская",
    "енко",
];
const FIRST: &str = "я мне меня мной мы нас нам нами мой моя мое мои моего моей моему моим моих мою наш наша наше наши нашего нашей нашему нашим наших нашу";
const SECOND: &str = "ты тебя тебе тобой вы вас вам вами твой твоя твое твои твоего твоей ваш ваша ваше ваши вашего вашей вашему вашим ваших вашу";
const THIRD: &str = "он она оно они его ее ей ему им ими их него нее ней нему ним ними них нем";

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
    pub fn new(lexicon: Lexicon) -> Self {
        let mut words = Self {
            lexicon,
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
        flags |= vowels(&lower, flags) | listed(&lower, text, flags) | role(&lower, flags);
        if !token.is_word {
            flags |= symbol_flags(first, token.chars == 1);
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

/// What a look at the characters tells.
struct Shape {
    flags: u64,
    letters: u32,
    odd: u32,
}

impl Shape {
    fn of(text: &str, classes: Classes) -> Self {
        let mut shape = Shape {
            flags: 0,
            letters: 0,
            odd: 0,
        };
        let (mut any_lower, mut any_upper) = (false, false);
        let mut before: Option<(char, bool, bool)> = None;
        for (at, c) in text.chars().enumerate() {
            let class = classes.of(c);
            let letter = class & ALPHA != 0 && class & MARK == 0;
            let cyrillic = letter && ('\u{400}'..='\u{52F}').contains(&c);
            let latin = letter && c <= '\u{24F}';
            if class & NUMERIC != 0 {
                shape.flags |= is::DIGIT;
            }
            if letter {
                if shape.letters == 0 {
                    shape.flags |= if c.is_uppercase() { is::CAPITAL } else { 0 };
                    shape.flags |= if at == 0 && c.is_lowercase() {
                        is::LOWER_START
                    } else {
                        0
                    };
                }
                shape.letters += 1;
                any_lower |= c.is_lowercase();
                any_upper |= c.is_uppercase();
                shape.odd += u32::from(!is_plain(c));
            }
            shape.flags |= if cyrillic { is::CYRILLIC } else { 0 } | if latin { is::LATIN } else { 0 };
            if let Some((previous, was_cyrillic, was_latin)) = before {
                if was_cyrillic && latin || was_latin && cyrillic {
                    shape.flags |= is::MIXED;
                }
                if was_cyrillic && cyrillic && previous.is_lowercase() && c.is_uppercase() {
                    shape.flags |= is::BROKEN_CASE;
                }
            }
            before = Some((c, cyrillic, latin));
        }
        shape.flags |= if shape.letters > 0 { is::LETTERS } else { 0 };
        shape.flags |= if shape.letters >= 2 && !any_lower && any_upper {
            is::UPPER
        } else {
            0
        };
        shape
    }
}

/// A letter of Russian or of ASCII.
fn is_plain(c: char) -> bool {
    c < '\u{80}' || matches!(c, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё')
}

/// Lower case; in a word with a Cyrillic letter look-alikes become Cyrillic, and ё е.
fn lower_case(text: &str, cyrillic: bool) -> String {
    let lower = text.to_lowercase();
    if !cyrillic {
        return lower;
    }
    lower
        .chars()
        .map(|c| match c {
            'a' => 'а',
            'e' | 'ё' => 'е',
            'o' => 'о',
            'p' => 'р',
            'c' => 'с',
            'x' => 'х',
            'y' => 'у',
            'k' => 'к',
            'm' => 'м',
            't' => 'т',
            'b' => 'в',
            'h' => 'н',
            'i' => 'і',
            other => other,
        })
        .collect()
}

fn vowels(lower: &str, flags: u64) -> u64 {
    let cyrillic = |c: &char| ('\u{400}'..='\u{52F}').contains(c) && c.is_alphabetic() && !c.is_numeric();
    let mut letters = lower.chars().filter(cyrillic);
    let enough = letters.clone().count() >= 3;
    let none = !letters.any(|c| VOWELS.contains(c));
    if enough && none && flags & is::UPPER == 0 {
        is::NO_VOWEL
    } else {
        0
    }
}

/// Facts from short closed lists.
fn listed(lower: &str, text: &str, flags: u64) -> u64 {
    let mut found = 0;
    let mut add = |flag: u64, yes: bool| found |= if yes { flag } else { 0 };
    add(is::MONEY, MONEY.contains(&lower));
    add(is::STREET, STREET.contains(&lower));
    add(is::MORE, MORE.contains(&lower));
    add(is::LINK, matches!(lower, "http" | "https" | "www"));
    add(is::PHONE, flags & is::LETTERS == 0 && is_phone(text));
    let pronoun = |list: &str| list.split(' ').any(|word| word == lower);
    add(is::FIRST, pronoun(FIRST));
    add(is::SECOND, pronoun(SECOND));
    add(is::THIRD, pronoun(THIRD));
    found
}

/// Seven digits or more in three parts, or ten and more; neither a date (eight digits) nor a pair of years.
fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let hyphens = text.bytes().filter(|&byte| byte == b'-').count();
    digits + hyphens == text.len() && digits >= 7 && digits != 8 && (hyphens >= 2 || digits >= 10)
}

/// What the ending of a Cyrillic word of four letters or more suggests.
fn role(lower: &str, flags: u64) -> u64 {
    let plain = flags & is::CYRILLIC != 0 && flags & is::FUNCTION == 0;
    if !plain || lower.chars().count() < 4 {
        return 0;
    }
    let ends = |list: &[&str]| list.iter().any(|end| lower.ends_with(end));
    let mut found = 0;
    for (flag, list) in [
        (is::PAST, PAST),
        (is::INFINITIVE, INFINITIVE),
        (is::IMPERATIVE, IMPERATIVE),
        (is::ADJECTIVE, ADJECTIVE),
        (is::ABSTRACT, ABSTRACT),
    ] {
        found |= if ends(list) { flag } else { 0 };
    }
    found
        | if flags & is::CAPITAL != 0 && ends(NAME) {
            is::NAME
        } else {
            0
        }
}

fn symbol_flags(first: char, one: bool) -> u64 {
    let mut found = 0;
    for (flag, set) in [
        (is::DASH, DASHES),
        (is::END, ENDS),
        (is::CLOSING, CLOSING),
        (is::CODE, CODE),
        (is::COMMA, ","),
        (is::EXCLAMATION, "!"),
        (is::QUESTION, "?"),
        (is::COLON, ":;"),
        (is::QUOTE, "«»“”„\"‟"),
        (is::BRACKET, "()[]"),
    ] {
        found |= if set.contains(first) { flag } else { 0 };
    }
    let emoji = matches!(first, '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}');
    for (flag, yes) in [
        (is::STOP, one && first == '.'),
        (is::LINK, first == '@'),
        (is::EMOJI, emoji),
    ] {
        found |= if yes { flag } else { 0 };
    }
    found
}

/// FNV-1a of the class's name: the symbol, 0 for a number, L without Cyrillic, a function word itself, else a
/// hyphen and the last three letters.
fn class_of(first: char, lower: &str, flags: u64) -> u64 {
    let mut buffer = [0; 4];
    if flags & is::WORD == 0 {
        return fnv(first.encode_utf8(&mut buffer).as_bytes().iter());
    }
    if flags & is::LETTERS == 0 {
        return fnv(b"0".iter());
    }
    if flags & is::CYRILLIC == 0 {
        return fnv(b"L".iter());
    }
    if flags & is::FUNCTION != 0 {
        return fnv(lower.as_bytes().iter());
    }
    let start = lower.char_indices().rev().nth(2).map_or(0, |(at, _)| at);
    fnv(b"-".iter().chain(&lower.as_bytes()[start..]))
}

fn fnv<'a>(bytes: impl Iterator<Item = &'a u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The slot of two neighbouring classes.
#[inline]
pub fn neighbour_slot(first: u64, second: u64) -> usize {
    let mixed = first.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ second;
    (mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 46) as usize
}

/// The classes of the tokens of each line of `text`: what the table of neighbours is fitted to.
pub fn word_classes(words: &mut Words, text: &str) -> Vec<Vec<u64>> {
    words.start_text();
    text.split('\n')
        .map(|line| {
            tokens(line)
                .map(|token| {
                    let id = words.id(line, &token);
                    words.info(id).class
                })
                .collect()
        })
        .collect()
}
