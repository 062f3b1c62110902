//! What the characters of a token tell: facts of one bit each, from its letters, closed lists and endings.

use bukvar_text::chars::{ALPHA, Classes, MARK, NUMERIC};

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
    /// A word of four or more small Russian letters; and one of those that is not known.
    pub const PLAIN: u64 = 1 << 38;
    pub const UNKNOWN: u64 = 1 << 39;
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

/// What a look at the characters tells.
pub struct Shape {
    pub flags: u64,
    pub letters: u32,
    pub odd: u32,
}

impl Shape {
    pub fn of(text: &str, classes: Classes) -> Self {
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

/// The facts of a token beside those of its shape; `lower` is its lower case, `flags` what is known before.
pub fn of_token(text: &str, lower: &str, flags: u64, chars: usize) -> u64 {
    let mut found = vowels(lower, flags) | listed(lower, text, flags) | role(lower, flags);
    if flags & is::WORD == 0 {
        let first = text.chars().next().unwrap_or(' ');
        found |= symbol_flags(first, chars == 1);
    }
    found
}

/// Lower case; in a word with a Cyrillic letter look-alikes become Cyrillic, and ё е.
pub fn lower_case(text: &str, cyrillic: bool) -> String {
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
    // «Д. Медведев» has an initial, «д. 5» an address.
    let initial = flags & is::CAPITAL != 0 && lower.chars().count() == 1;
    add(is::STREET, STREET.contains(&lower) && !initial);
    add(is::MORE, MORE.contains(&lower));
    add(is::LINK, matches!(lower, "http" | "https" | "www"));
    add(is::PHONE, flags & is::LETTERS == 0 && is_phone(text));
    let pronoun = |list: &str| list.split(' ').any(|word| word == lower);
    add(is::FIRST, pronoun(FIRST));
    add(is::SECOND, pronoun(SECOND));
    add(is::THIRD, pronoun(THIRD));
    found
}

/// Seven to twelve digits in three parts, but eight, which are a date; or ten to twelve in one or two as telephones
/// begin: with 7 or 8 and ten more, with a code of two digits from 3 or 9 and ten more, or with a code of a town.
fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let hyphens = text.bytes().filter(|&byte| byte == b'-').count();
    let first = text.bytes().next().unwrap_or(b' ');
    let starts = match digits {
        10 => b"03489".contains(&first),
        11 => b"78".contains(&first),
        12 => b"39".contains(&first),
        _ => false,
    };
    digits + hyphens == text.len() && (starts || hyphens >= 2 && (7..=12).contains(&digits) && digits != 8)
}

/// Whether a word is four or more small Russian letters and nothing else: what the table of known words holds.
pub fn is_plain_word(text: &str, chars: usize) -> bool {
    chars >= 4 && text.chars().all(|c| matches!(c, 'а'..='я' | 'ё'))
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
pub fn class_of(first: char, lower: &str, flags: u64) -> u64 {
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

pub fn fnv<'a>(bytes: impl Iterator<Item = &'a u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
