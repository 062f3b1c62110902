//! Telephones: a plus, a code and the usual groups, or a word before them.

use crate::chars::{ahead, back, is_letter, is_space, lower, sep};
use crate::kinds::Kind;
use crate::labels::label;
use crate::window::{Verdict, Window};

impl Window<'_> {
    /// Telephones: a plus, a code and the usual groups, or a word before them.
    pub(crate) fn phone(&self) -> Verdict {
        let d = self.digits;
        if d.len() >= 10 && d[d.len() - 7..].iter().all(|&v| v == 0) {
            return None;
        }
        let plus = self.groups[0].plus;
        if plus && d.len() >= 11 && !self.joined_after() {
            if d.len() == 11 && d[0] == 7 && (3..=9).contains(&d[1]) {
                return Some((self.free_of_charge(&d[1..]), 80));
            }
            if foreign_code(d) || d[0] != 8 {
                return foreign_code(d).then_some((Kind::Phone, 78));
            }
        }
        match d.len() {
            11 if matches!(d[0], 7 | 8) => match d[1] {
                9 => self.mobile(1).map(|rank| (Kind::Phone, rank)),
                3 | 4 | 8 => self.landline(1).map(|rank| (self.free_of_charge(&d[1..]), rank)),
                0 if d[0] == 8 && d[2] <= 4 => self.abroad(1).map(|rank| (self.of_institution(false), rank)),
                _ => None,
            },
            5..=10 if self.groups.iter().any(|g| g.words) => {
                let said = d.len() == 10 && d[0] == 9 && self.said();
                let rank = if said { self.mobile(0) } else { self.read_aloud() };
                rank.map(|rank| (Kind::Phone, rank))
            }
            10 => match d[0] {
                9 => self.mobile(0).map(|rank| (Kind::Phone, rank)),
                3 | 4 | 8 => self.landline(0).map(|rank| (self.free_of_charge(d), rank)),
                0 if d[1] >= 3 => self.abroad(0).map(|rank| (self.of_institution(false), rank)),
                _ => None,
            },
            5..=7 => self.local().map(|rank| (self.of_institution(false), rank)),
            _ => None,
        }
    }

    /// A word near the number says that it is a telephone, and none nearer that it is something else.
    pub(crate) fn said(&self) -> bool {
        let l = self.labels;
        l.any(label::PHONE) && l.nearest & !(label::PHONE | label::NUMBER | label::CARD | label::ADDRESS) == 0
            || (l.is_nearest(label::NUMBER) && l.distance <= 3)
    }

    /// «id=8...»: the value of something that is no telephone.
    pub(crate) fn assigned(&self) -> bool {
        self.text[..self.groups[0].start].ends_with('=')
    }

    /// A slash or a comma alone can part this number, written as telephones are, from the next: «.../8-916-...».
    pub(crate) fn marked(&self) -> bool {
        self.has(sep::HYPHEN | sep::PAREN)
    }

    pub(crate) fn joined_before(&self) -> bool {
        let before = self.groups[0].before;
        let next = self.follows && matches!(before, sep::SLASH | sep::COMMA);
        let listed = next && (self.marked() || self.contiguous());
        self.tight_before && !listed && !(before == sep::SLASH && self.marked())
    }

    pub(crate) fn joined_after(&self) -> bool {
        let whole = self.contiguous() && self.next >= 10;
        self.tight_after && !(self.list_after && (self.marked() || whole))
    }

    /// The rank of a number of a mobile network whose own ten digits begin at `offset`.
    pub(crate) fn mobile(&self, offset: usize) -> Option<u8> {
        let joined = self.joined_before() || self.joined_after();
        if self.said() && !joined {
            return Some(if offset == 1 { 76 } else { 72 });
        }
        if joined
            || self.groups[0].glued_before
            || self.labels.is_nearest(label::OTHER) && self.labels.distance <= 12
        {
            return None;
        }
        if self.measured() {
            return None;
        }
        let nice = self.usual_groups(offset, 3);
        // A decimal or a gap in a row of a table has one dot too: then the groups have to be a telephone's.
        let marked = self.has(sep::HYPHEN | sep::PAREN | sep::SLASH)
            || (self.has(sep::DOT | sep::ODD) && (!self.has(sep::SPACE) || self.usual_tail()));
        let words = self.groups.iter().any(|g| g.words);
        if offset == 0 {
            let marked = self.has(sep::HYPHEN | sep::PAREN);
            return (nice && marked && self.ends_at(3) && !self.groups[0].glued_before).then_some(62);
        }
        if nice && (marked || (self.contiguous() && !self.assigned()) || self.alone() && !self.contiguous()) {
            return Some(70);
        }
        let few = self.groups.len() <= 6;
        // «79 163 341 520» is a quantity, its digits parted by thousands.
        let thousands = self.between == sep::SPACE && self.lengths().eq([2, 3, 3, 3]);
        if self.alone() && (self.singles() || words || (few && !thousands && self.in_prose())) {
            return Some(65);
        }
        None
    }

    /// The last seven digits stand as 123 45 67, 12 34 567, 12 345 67, 123 4567 or together.
    fn usual_tail(&self) -> bool {
        const TAILS: [&[usize]; 5] = [&[3, 2, 2], &[2, 2, 3], &[2, 3, 2], &[3, 4], &[7]];
        TAILS.iter().any(|tail| {
            let from = self.groups.len().saturating_sub(tail.len());
            self.lengths().skip(from).eq(tail.iter().copied())
        })
    }

    /// The rank of a mobile number read aloud whose parts run into each other: «пятьсот сорок два» may be 500 and 42.
    pub(crate) fn read_aloud(&self) -> Option<u8> {
        let d = self.digits;
        if !matches!((d[0], d[1]), (7 | 8, 9)) || !self.alone() {
            return None;
        }
        let reached = self.groups.iter().fold(1u32, |reached, group| {
            (0..8)
                .filter(|n| group.slack >> n & 1 == 1)
                .fold(0, |sum, n| sum | reached << n)
        });
        (reached >> (11 - d.len()) & 1 == 1).then_some(64)
    }

    /// The rank of a number with the code of a town.
    pub(crate) fn landline(&self, offset: usize) -> Option<u8> {
        if self.joined_before() || self.joined_after() || self.groups[0].glued_before {
            return None;
        }
        if self.said() {
            return Some(if offset == 1 { 75 } else { 71 });
        }
        if self.labels.is_nearest(label::OTHER) && self.labels.distance <= 12 || self.measured() {
            return None;
        }
        // «8 (4 9 5) 2 2 4 ...»
        let bracketed = [3, 4, 5].into_iter().any(|c| self.in_brackets(offset + c));
        if self.singles() && bracketed && self.alone() {
            return Some(68);
        }
        let code = [3, 4, 5]
            .into_iter()
            .any(|c| self.ends_at(offset + c) && self.usual_groups(offset, c));
        if code && bracketed {
            return Some(68);
        }
        let hyphens = self.between & !(sep::HYPHEN | sep::SPACE) == 0 && self.has(sep::HYPHEN);
        if code && hyphens && self.groups.len() >= 3 + offset && (offset == 1 || self.alone()) {
            return Some(58);
        }
        let town = self
            .digits
            .iter()
            .skip(1)
            .take(3)
            .fold(0, |n, &d| n * 10 + u16::from(d));
        let known =
            offset == 1 && self.digits[0] == 8 && (matches!(town, 800 | 804) || TOWNS.contains(&town));
        let spaced = offset == 1 && self.digits[0] == 8 && self.lengths().eq([1, 3, 3, 2, 2]);
        ((spaced || (known && (self.lengths().eq([1, 3, 7]) || self.plain()))) && self.alone()).then_some(56)
    }

    /// The rank of a number as it is written within Ukraine, «(044) 205-43-04», or Belarus, «8 (017) 205-43-04»,
    /// said to be a telephone; its code begins at `offset`.
    pub(crate) fn abroad(&self, offset: usize) -> Option<u8> {
        let marked = self.marked() && self.ends_at(offset + 3) && self.usual_groups(offset, 3);
        (self.said() && marked && self.apart()).then_some(71)
    }

    /// A bracket closes after `count` digits, and no other stands in what follows.
    pub(crate) fn in_brackets(&self, count: usize) -> bool {
        let mut sum = 0;
        let mut closed = false;
        for (n, group) in self.groups.iter().enumerate() {
            if n > 0 && group.before & sep::PAREN != 0 {
                let between = &self.text[self.groups[n - 1].end..group.start];
                let closes = between.contains([')', ']']);
                if closed || (closes && sum != count) {
                    return false;
                }
                closed = closes;
            }
            sum += group.digits.len();
        }
        closed
    }

    /// A unit follows digits that spaces alone part: they are a quantity.
    fn measured(&self) -> bool {
        if self.between != sep::SPACE || self.groups.iter().any(|g| g.words) {
            return false;
        }
        let after = self.text[self.bounds().1..].trim_start_matches(is_space);
        let word: String = after
            .chars()
            .take(8)
            .take_while(|&c| is_letter(c))
            .map(lower)
            .collect();
        let sign = after.chars().next().filter(|&c| !is_letter(c));
        UNITS
            .iter()
            .any(|unit| *unit == word || sign.is_some_and(|sign| unit.starts_with(sign)))
    }

    /// Groups as a telephone is written: a code of `code` digits that is a group or begins one, then up to four
    /// groups of two or more digits.
    pub(crate) fn usual_groups(&self, offset: usize, code: usize) -> bool {
        let mut sum = 0;
        let mut later = 0;
        let mut has_code = false;
        for group in self.groups {
            sum += group.digits.len();
            if sum == offset {
                continue;
            }
            if sum < offset + code {
                return false;
            }
            if sum == offset + code {
                has_code = true;
                continue;
            }
            later += 1;
            if later > 1 && !has_code && sum != self.digits.len() {
                return false;
            }
        }
        later <= 4
            && (has_code
                || self.contiguous()
                || (later == 1 && self.groups.len() == 2 && self.groups[0].digits.len() == offset))
    }

    /// Small letters of words stand on both sides on the same line, as in a sentence.
    pub(crate) fn in_prose(&self) -> bool {
        let (start, end) = self.bounds();
        let small = |c: char| matches!(c, 'а'..='я' | 'ё');
        let skip = |c: &char| {
            !is_space(*c)
                && !matches!(
                    *c,
                    ',' | '(' | ')' | ':' | '–' | '—' | '-' | '«' | '»' | '.' | ';' | '+'
                )
        };
        let before = self.text[back(self.text, start, 4)..start]
            .chars()
            .rev()
            .find(skip);
        let after = self.text[end..ahead(self.text, end, 4)].chars().find(skip);
        before.is_some_and(small) && after.is_some_and(small)
    }

    /// Codes that the caller does not pay for belong to institutions, never to persons.
    pub(crate) fn free_of_charge(&self, national: &[u8]) -> Kind {
        self.of_institution(matches!(national, [8, 0, 0 | 4, ..]))
    }

    pub(crate) fn of_institution(&self, free: bool) -> Kind {
        let directory = free
            || (!(self.digits.len() == 10 && self.digits[0] == 9)
                && crate::directory::in_directory(self.text, self.groups[0].start, self.bounds().1));
        if directory { Kind::PhoneOffice } else { Kind::Phone }
    }
}

/// What quantities are counted in: words in small letters, and signs.
const UNITS: [&str; 18] = [
    "руб",
    "рублей",
    "рубля",
    "рубль",
    "млн",
    "млрд",
    "трлн",
    "тыс",
    "тысяч",
    "шт",
    "чел",
    "кг",
    "км",
    "тонн",
    "экз",
    "₽",
    "%",
    "°",
];

/// Codes of towns, for eleven digits written together.
const TOWNS: [u16; 81] = [
    301, 341, 342, 343, 345, 346, 347, 351, 352, 353, 365, 381, 382, 383, 384, 385, 390, 391, 395, 401, 411,
    421, 423, 424, 426, 471, 472, 473, 474, 481, 482, 483, 484, 485, 486, 487, 491, 492, 493, 494, 495, 496,
    498, 499, 811, 812, 813, 814, 815, 816, 817, 818, 820, 821, 831, 833, 834, 835, 836, 841, 842, 843, 844,
    845, 846, 847, 848, 851, 855, 861, 862, 863, 865, 866, 867, 871, 872, 873, 877, 878, 879,
];

/// Codes of countries whose numbers stand in Russian text, after a plus.
fn foreign_code(d: &[u8]) -> bool {
    const CODES: [&[u8]; 40] = [
        &[3, 8, 0],
        &[3, 7, 5],
        &[3, 7, 4],
        &[9, 9, 4],
        &[9, 9, 5],
        &[9, 9, 6],
        &[9, 9, 8],
        &[9, 9, 2],
        &[9, 9, 3],
        &[3, 7, 3],
        &[3, 7, 0],
        &[3, 7, 1],
        &[3, 7, 2],
        &[4, 9],
        &[4, 4],
        &[1],
        &[3, 3],
        &[9, 7, 2],
        &[9, 0],
        &[8, 6],
        &[3, 9],
        &[3, 4],
        &[4, 8],
        &[4, 2, 0],
        &[3, 5, 8],
        &[3, 8, 1],
        &[3, 0],
        &[3, 5, 9],
        &[9, 7, 1],
        &[6, 6],
        &[9, 1],
        &[8, 1],
        &[8, 2],
        &[8, 4],
        &[4, 3],
        &[4, 1],
        &[4, 6],
        &[4, 7],
        &[3, 1],
        &[3, 2],
    ];
    (11..=13).contains(&d.len()) && CODES.iter().any(|code| d.starts_with(code))
}
