//! Chains of digit groups: what a number broken up by spaces, hyphens, brackets and line ends consists of.

use crate::chars::{alike, digit, is_hyphen, is_ignorable, is_letter, is_space, lower, sep};
use crate::separators::{Between, separators};
use crate::words::{PLUS, numeral, room};

/// Groups that one chain holds at most; a longer one (a table) goes on in a new chain.
const MOST_GROUPS: usize = 1000;
/// Digits of one group that are kept; a longer group can't be part of any number.
pub const MOST_DIGITS: usize = 20;
/// Letters of a word that is looked at.
const LONGEST_WORD: usize = 14;

/// Values of up to `MOST_DIGITS` + 1 digits, in place: a page of tables has a hundred thousand groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    values: [u8; MOST_DIGITS + 1],
    count: u8,
}

impl Digits {
    fn collect(from: impl Iterator<Item = u8>) -> Self {
        let mut made = Self {
            values: [0; MOST_DIGITS + 1],
            count: 0,
        };
        for (place, value) in made.values.iter_mut().zip(from) {
            *place = value;
            made.count += 1;
        }
        made
    }
}

impl std::ops::Deref for Digits {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.values[..usize::from(self.count)]
    }
}

/// One group: digits written together, or a numeral in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Bytes of the text.
    pub start: usize,
    pub end: usize,
    /// Values; `MOST_DIGITS` + 1 of them where the group is longer.
    pub digits: Digits,
    /// How many of the digits are written as letters.
    pub letters: usize,
    pub words: bool,
    /// By how many digits more the numerals can be meant, a bit each: «пятьсот сорок два» is 542, or 500 and 42.
    pub slack: u16,
    /// Separators before it, `chars::sep`; 0 before the first group.
    pub before: u16,
    /// A plus stands before it; the word «плюс» is part of the group.
    pub plus: bool,
    /// A letter stands right before or after it.
    pub glued_before: bool,
    pub glued_after: bool,
}

impl Group {
    /// A word of letters that look like digits, «о» or «ЗЗ»: a number's part only inside of one.
    pub fn is_letters(&self) -> bool {
        self.letters == self.digits.len() && !self.words
    }
}

/// A run of letters, digits and characters without width.
struct Run {
    end: usize,
    digits: usize,
    alike: usize,
    others: usize,
}

fn run(text: &str, start: usize) -> Run {
    // Most runs are digits and nothing else.
    let bytes = &text.as_bytes()[start..];
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits > 0
        && bytes
            .get(digits)
            .is_none_or(|b| b.is_ascii() && !b.is_ascii_alphabetic())
    {
        return Run {
            end: start + digits,
            digits,
            alike: 0,
            others: 0,
        };
    }
    let mut found = Run {
        end: start,
        digits: 0,
        alike: 0,
        others: 0,
    };
    for (at, c) in text[start..].char_indices() {
        if digit(c).is_some() {
            found.digits += 1;
        } else if is_letter(c) {
            if alike(c).is_some() {
                found.alike += 1;
            } else {
                found.others += 1;
            }
        } else if !is_ignorable(c) {
            break;
        }
        found.end = start + at + c.len_utf8();
    }
    // Characters without width at the end belong to nothing.
    while let Some(c) = text[start..found.end]
        .chars()
        .next_back()
        .filter(|&c| is_ignorable(c))
    {
        found.end -= c.len_utf8();
    }
    found
}

fn values(text: &str) -> Digits {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Digits::collect(text.bytes().map(|b| b - b'0'));
    }
    Digits::collect(text.chars().filter_map(|c| digit(c).or_else(|| alike(c))))
}

/// The numeral that the run of letters at `start` is, and «плюс» as `None`.
fn word(text: &str, start: usize, end: usize) -> Option<Option<u16>> {
    let mut small = [0; LONGEST_WORD * 2];
    let mut length = 0;
    for c in text[start..end].chars().filter(|&c| !is_ignorable(c)) {
        let c = lower(c);
        // Numerals and «плюс» are Russian letters, two bytes each, and begin with one of nine.
        let fits = c.len_utf8() == 2 && length + 2 <= small.len();
        if !fits || (length == 0 && !matches!(c, 'в' | 'д' | 'н' | 'о' | 'п' | 'с' | 'т' | 'ч' | 'ш'))
        {
            return None;
        }
        c.encode_utf8(&mut small[length..]);
        length += 2;
    }
    let small = std::str::from_utf8(&small[..length]).ok()?;
    if small == PLUS {
        return Some(None);
    }
    numeral(small).map(Some)
}

/// The start of the run of letters and digits that byte `at` lies in, or of the letter before it that stands for
/// a digit; not before `floor`.
pub fn run_start(text: &str, at: usize, floor: usize) -> usize {
    let mut start = at;
    for (n, c) in text[floor..at].char_indices().rev() {
        if digit(c).is_none() && !is_letter(c) && !is_ignorable(c) {
            break;
        }
        start = floor + n;
    }
    lead(text, start, floor).unwrap_or(start)
}

/// The start of a lone letter that looks like a digit, one space or hyphen before byte `start`: «S 024».
fn lead(text: &str, start: usize, floor: usize) -> Option<usize> {
    let mut before = text[floor..start].char_indices().rev();
    before.next().filter(|&(_, c)| is_space(c) || is_hyphen(c))?;
    let (at, _) = before.next().filter(|&(_, c)| alike(c).is_some())?;
    let apart = before
        .next()
        .is_none_or(|(_, c)| digit(c).is_none() && !is_letter(c) && !is_hyphen(c));
    apart.then_some(floor + at)
}

/// A chain and the byte where the search for the next one goes on.
pub fn lex(text: &str, start: usize, groups: &mut Vec<Group>) -> usize {
    groups.clear();
    let mut at = start;
    let mut between = Between {
        mask: 0,
        plus: plus_before(text, start),
        end: start,
    };
    let mut resume = start;
    let mut plus_word = None;
    while groups.len() < MOST_GROUPS {
        let found = run(text, at);
        resume = found.end.max(resume);
        if found.end == at {
            break;
        }
        if found.digits == 0 && found.alike + found.others > 0 {
            match word(text, at, found.end) {
                Some(Some(value)) => push_word(groups, at, found.end, value, &between),
                Some(None) if groups.is_empty() => {
                    plus_word = Some(at);
                    between = separators(text, found.end);
                    between.plus = true;
                    between.mask = 0;
                    at = between.end;
                    continue;
                }
                _ if between.mask & sep::LINE == 0 && only_alike(text, at, &found) => {
                    groups.push(group(text, at, found.end, found.alike, &between));
                }
                _ => break,
            }
        } else if found.others == 0 {
            groups.push(group(text, at, found.end, found.alike, &between));
        } else if let Some(end) = leading_digits(text, at, found.end) {
            let mut last = group(text, at, end, 0, &between);
            last.glued_after = true;
            groups.push(last);
            break;
        } else if groups.is_empty() {
            match trailing_digits(text, at, found.end) {
                Some(first) => {
                    let mut whole = group(text, first, found.end, 0, &between);
                    whole.glued_before = true;
                    whole.plus = false;
                    groups.push(whole);
                }
                None => break,
            }
        } else {
            // Another number begins inside this run: it is looked at on its own.
            resume = at;
            break;
        }
        if let (Some(from), [first]) = (plus_word.take(), groups.as_mut_slice()) {
            first.start = from;
        }
        between = separators(text, found.end);
        if between.end == found.end {
            break;
        }
        at = between.end;
        resume = found.end;
    }
    resume
}

/// Letters alone that stand for digits («8-9ОО-ЗЗ»): up to four.
fn only_alike(text: &str, at: usize, found: &Run) -> bool {
    found.others == 0 && text[at..found.end].chars().filter(|&c| !is_ignorable(c)).count() <= 4
}

fn group(text: &str, start: usize, end: usize, letters: usize, between: &Between) -> Group {
    Group {
        start,
        end,
        digits: values(&text[start..end]),
        letters,
        words: false,
        slack: 1,
        before: between.mask,
        plus: between.plus,
        glued_before: false,
        glued_after: false,
    }
}

/// Adds a numeral, or joins it to the numeral before it: «девятьсот», «шестнадцать» are 916.
fn push_word(groups: &mut Vec<Group>, start: usize, end: usize, value: u16, between: &Between) {
    if let Some(last) = groups.last_mut().filter(|g| g.words) {
        let before = last.digits.iter().fold(0u16, |sum, &d| sum * 10 + u16::from(d));
        if value > 0 && value < room(before) && between.mask & !(sep::SPACE | sep::LINE | sep::HYPHEN) == 0 {
            let apart = decimal(before).len() + decimal(value).len() - decimal(before + value).len();
            last.slack |= last.slack << apart;
            last.digits = decimal(before + value);
            last.end = end;
            return;
        }
    }
    groups.push(Group {
        start,
        end,
        digits: decimal(value),
        letters: 0,
        words: true,
        slack: 1,
        before: between.mask,
        plus: between.plus,
        glued_before: false,
        glued_after: false,
    });
}

fn decimal(value: u16) -> Digits {
    let digits = [value / 100, value / 10 % 10, value % 10].map(|d| d as u8);
    let zeros = digits.iter().take(2).take_while(|&&d| d == 0).count();
    Digits::collect(digits[zeros..].iter().copied())
}

/// The end of the digits that a run begins with, `None` where it begins with none.
fn leading_digits(text: &str, start: usize, end: usize) -> Option<usize> {
    let mut last = None;
    for (at, c) in text[start..end].char_indices() {
        if digit(c).is_some() {
            last = Some(start + at + c.len_utf8());
        } else if !is_ignorable(c) {
            break;
        }
    }
    last
}

fn trailing_digits(text: &str, start: usize, end: usize) -> Option<usize> {
    let mut first = None;
    for (at, c) in text[start..end].char_indices().rev() {
        if digit(c).is_some() {
            first = Some(start + at);
        } else if !is_ignorable(c) {
            break;
        }
    }
    first
}

/// Whether a plus stands before byte `start`, with spaces or a bracket between: «+7», «+ 7», «(+7».
fn plus_before(text: &str, start: usize) -> bool {
    let mut before = text[..start].chars().rev().filter(|&c| !is_ignorable(c));
    let plus = before
        .by_ref()
        .take(3)
        .find(|&c| !matches!(c, ' ' | '\u{a0}' | '('));
    // After a letter or a digit it is an operator, a check («Лxe8+»), a name («C++»).
    matches!(plus, Some('+' | '\u{ff0b}'))
        && before
            .next()
            .is_none_or(|c| digit(c).is_none() && !is_letter(c) && c != '+')
}
