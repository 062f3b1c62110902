//! From windows of a chain to candidates: which kind of number the digits are, and how sure that is.

use crate::chain::{Group, MOST_DIGITS};
use crate::chars::{ahead, back, digit, is_letter, is_space, lower, sep};
use crate::checks;
use crate::kinds::{Found, Kind};
use crate::labels::{Labels, Scan, label};

/// Digits of the longest number (an account), and groups of a window.
const MOST: usize = 20;
/// How far around an account its bank's БИК is looked for, in characters.
const BANK_REACH: usize = 160;

/// A window of a chain: its groups, their digits, and what stands between and around them.
struct Window<'a> {
    text: &'a str,
    groups: &'a [Group],
    digits: &'a [u8],
    /// Separators within, all together.
    between: u16,
    labels: Labels,
    /// A group of the chain before or after: joined to the window, or only near.
    tight_before: bool,
    tight_after: bool,
    near_before: Option<&'a Group>,
    near_after: Option<&'a Group>,
    /// A telephone of the chain ends right before the window, with a comma between.
    listed: bool,
    /// The groups of the chain before the window.
    earlier: &'a [Group],
}

/// Candidates among all windows of a chain.
pub fn judge_chain(text: &str, chain: &[Group], scan: &mut Scan, found: &mut Vec<Found>) {
    let mut room = [0; MOST + MOST_DIGITS + 1];
    let mut phone_ends = 0;
    for first in 0..chain.len() {
        let mut count = 0;
        let (mut between, mut lines, mut words) = (0, 0, false);
        let mut known: Option<Labels> = None;
        let listed = first > 0 && phone_ends == first && chain[first].before & sep::COMMA != 0;
        for last in first..chain.len() {
            let group = &chain[last];
            if last > first {
                let listed = group.before & sep::COMMA != 0 && !group.words;
                if group.plus || group.glued_before || listed || ends_sentence(group.before) {
                    break;
                }
                between |= group.before;
                lines += usize::from(group.before & sep::LINE != 0);
            }
            words |= group.words;
            room[count..count + group.digits.len()].copy_from_slice(&group.digits);
            count += group.digits.len();
            let digits = &room[..count];
            if digits.len() > MOST || lines > 1 {
                break;
            }
            if digits.len() < 5 || (digits.len() == 8 && !words) {
                continue;
            }
            // Numbers of a town are said to be telephones right before them: most rows of numbers end here.
            if digits.len() <= 7 && !words && !listed && !said_before(text, chain[first].start) {
                continue;
            }
            let said = *known.get_or_insert_with(|| scan.before(text, chain[first].start));
            if !words && !listed && !chain[first].plus && says_nothing(digits, said) {
                continue;
            }
            let after = chain.get(last + 1);
            let window = Window {
                text,
                groups: &chain[first..=last],
                digits,
                between,
                labels: said,
                tight_before: first > 0 && is_tight(chain[first].before),
                tight_after: after.is_some_and(|g| is_tight(g.before)),
                near_before: first
                    .checked_sub(1)
                    .map(|n| &chain[n])
                    .filter(|g| is_number(g, words) && !ends_sentence(chain[first].before)),
                near_after: after.filter(|g| !g.plus && is_number(g, words) && !ends_sentence(g.before)),
                listed,
                earlier: &chain[..first],
            };
            if let Some((kind, rank)) = window.judge() {
                let (start, end) = window.span(kind);
                if matches!(kind, Kind::Phone | Kind::PhoneOffice) {
                    phone_ends = last + 1;
                }
                found.push(Found {
                    start,
                    end,
                    kind,
                    rank,
                });
            }
        }
    }
}

/// Digits that are no number's, whatever stands around them, or none without a word before it.
fn says_nothing(digits: &[u8], said: Labels) -> bool {
    match digits.len() {
        14 | 17 => true,
        5..=9 => !said.any(u32::MAX),
        10 => !said.any(u32::MAX) && !matches!(digits[0], 3 | 4 | 8 | 9),
        _ => false,
    }
}

fn is_tight(before: u16) -> bool {
    before & (sep::SPACE | sep::LINE | sep::PLUS | sep::NUMBER) == 0
}

/// Whether a letter stands before byte `start`, with nothing but marks and spaces between.
fn said_before(text: &str, start: usize) -> bool {
    let between = |c: &char| is_space(*c) || matches!(c, '.' | ':' | '№' | '(' | '-' | '–' | '—');
    let mut before = text[..start].chars().rev().take(14);
    before.find(|c| !between(c)).is_some_and(is_letter)
}

/// A full stop and a space.
fn ends_sentence(before: u16) -> bool {
    before & sep::DOT != 0 && before & (sep::SPACE | sep::LINE) != 0
}

/// Whether a group beside a window is a number of its own: letters are none, nor are words beside digits.
fn is_number(group: &Group, words: bool) -> bool {
    !group.is_letters() && group.words == words
}

/// The number that a group is, modulo 2^64.
fn value(group: &Group) -> u64 {
    (group.digits.iter()).fold(0u64, |sum, &d| sum.wrapping_mul(10).wrapping_add(u64::from(d)))
}

type Verdict = Option<(Kind, u8)>;

impl Window<'_> {
    fn judge(&self) -> Verdict {
        let letters: usize = self.groups.iter().map(|g| g.letters).sum();
        if letters * 2 > self.digits.len() {
            return None;
        }
        let first = &self.groups[0];
        if self.counts_up() {
            return None;
        }
        if first.glued_before && self.labels.distance > 1 && !self.labels.any(u32::MAX) {
            return None;
        }
        let (kind, rank) = if self.mixed() {
            // «8 девятьсот шестнадцать ...», «восемь 916 ...»: the prefix alone is written the other way.
            let rest = &self.groups[1..];
            let prefix = first.digits.len() == 1 && rest.iter().all(|g| g.words != first.words);
            prefix.then(|| self.phone()).flatten()?
        } else {
            let listed = self.has(sep::SLASH);
            let numbers = [self.paper(), self.register(), self.money()];
            let best = [
                numbers
                    .into_iter()
                    .flatten()
                    .max_by_key(|v| v.1)
                    .filter(|_| !listed),
                self.phone(),
            ];
            best.into_iter().flatten().max_by_key(|&(_, rank)| rank)?
        };
        // A letter at the edge is part of the number only where nothing else fits: «770 о том».
        let edge = first.is_letters() || self.groups[self.groups.len() - 1].is_letters();
        Some((kind, if edge { rank - 3 } else { rank }))
    }

    /// Some groups are numerals and some are digits.
    fn mixed(&self) -> bool {
        self.groups.iter().any(|g| g.words != self.groups[0].words)
    }

    fn contiguous(&self) -> bool {
        self.groups.len() == 1
    }

    fn has(&self, mask: u16) -> bool {
        self.between & mask != 0
    }

    /// Nothing is written right before or after the digits.
    fn apart(&self) -> bool {
        !self.tight_before
            && !self.tight_after
            && !self.groups[0].glued_before
            && !self.groups[self.groups.len() - 1].glued_after
    }

    /// No other digits stand beside the window.
    fn alone(&self) -> bool {
        self.apart() && self.near_before.is_none() && self.near_after.is_none()
    }

    /// One number as it is: all digits together, nothing joined, no word that says it is something else.
    fn plain(&self) -> bool {
        self.contiguous() && self.apart() && !self.labels.any(label::OTHER) && self.groups[0].letters == 0
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        self.groups.iter().map(|g| g.digits.len())
    }

    /// Whether a group ends after `count` digits.
    fn ends_at(&self, count: usize) -> bool {
        let mut sum = 0;
        self.lengths().any(|length| {
            sum += length;
            sum == count
        })
    }

    /// The first groups are a date, «29.03.2013», or the window begins within one.
    fn begins_with_date(&self) -> bool {
        let dotted = |g: &Group| g.before == sep::DOT;
        if self.tight_before && dotted(&self.groups[0]) {
            return true;
        }
        let [day, month, year, ..] = self.groups else {
            return false;
        };
        let (first, second) = (value(day), value(month));
        let shaped = day.digits.len() <= 2 && month.digits.len() == 2 && year.digits.len() == 4;
        shaped
            && dotted(month)
            && dotted(year)
            && (1..=31).contains(&first)
            && (1..=12).contains(&second)
            && matches!(value(year), 1900..=2099)
    }

    /// Groups that count up by one: days of a calendar, numbers of pages.
    fn counts_up(&self) -> bool {
        self.groups.len() >= 5
            && (self.groups.windows(2)).all(|pair| value(&pair[1]) == value(&pair[0]).wrapping_add(1))
    }

    fn singles(&self) -> bool {
        self.lengths().all(|length| length == 1)
    }

    /// A rank, higher where the nearest label is of the same class.
    fn ranked(&self, rank: u8, class: u32) -> u8 {
        if self.labels.is_nearest(class) {
            rank + 8
        } else {
            rank
        }
    }

    /// Passports, driving licences, КПП: context decides.
    fn paper(&self) -> Verdict {
        let l = self.labels;
        let other = l.is_nearest(label::OTHER) && l.distance <= 12;
        if other || self.begins_with_date() {
            return None;
        }
        let whole = self.contiguous() || self.singles();
        match self.digits.len() {
            9 => {
                let two = self.lengths().eq([2, 7]);
                let foreign = l.any(label::FOREIGN) || (l.any(label::PASSPORT) && two);
                let ended = two || self.contiguous() || self.near_after.is_none();
                if foreign && (whole || self.ends_at(2)) && ended && !self.tight_after {
                    return Some((
                        Kind::PassportForeign,
                        self.ranked(72, label::FOREIGN | label::PASSPORT),
                    ));
                }
                let own = l.any(label::KPP) && checks::region(self.digits) && !self.tight_after;
                (own && (self.contiguous() || l.is_nearest(label::KPP)))
                    .then(|| (Kind::Kpp, self.ranked(70, label::KPP)))
            }
            10 if (whole || self.ends_at(4) || self.ends_at(2))
                && !self.tight_after
                && !self.has(sep::PAREN) =>
            {
                if l.any(label::LICENCE) && checks::region(self.digits) {
                    return Some((Kind::Licence, self.ranked(71, label::LICENCE | label::SERIES)));
                }
                let series = l.is_nearest(label::SERIES) && self.has(sep::NUMBER);
                ((l.any(label::PASSPORT) || series) && checks::region(self.digits))
                    .then(|| (Kind::Passport, self.ranked(70, label::PASSPORT | label::SERIES)))
            }
            _ => None,
        }
    }

    /// Numbers of registers: check digits decide.
    fn register(&self) -> Verdict {
        let (d, l) = (self.digits, self.labels);
        let verdict = |ok: bool, kind: Kind, class: u32, plain: u8| {
            if !ok {
                return None;
            }
            if l.any(class) && !self.tight_before_number() {
                return Some((kind, self.ranked(80, class)));
            }
            let usual = self.groups.len() > 1
                && (self.lengths().eq([4, 6, 2]) || self.lengths().eq([1, 2, 2, d.len().saturating_sub(5)]))
                && self.alone()
                && !self.labels.any(label::OTHER);
            (plain > 0 && (self.plain() || usual)).then_some((kind, plain))
        };
        match d.len() {
            10 => verdict(checks::inn10(d), Kind::Inn, label::INN, 0),
            12 => verdict(checks::inn12(d), Kind::Inn, label::INN, 62),
            13 => verdict(checks::ogrn(d), Kind::Ogrn, label::OGRN, 62),
            15 => verdict(checks::ogrnip(d), Kind::Ogrnip, label::OGRN, 62),
            11 if checks::snils(d) => {
                let mobile = matches!(d[0], 7 | 8) && d[1] == 9 || d[2..9].iter().all(|&v| v == d[2]);
                let joined = self.has(sep::HYPHEN) || self.alone();
                let usual = self.lengths().eq([3, 3, 3, 2]) && self.apart() && joined;
                if usual && !l.any(label::SNILS) {
                    return Some((Kind::Snils, 76));
                }
                verdict(true, Kind::Snils, label::SNILS, if mobile { 0 } else { 60 })
            }
            16 => verdict(checks::luhn(d) && checks::region(d), Kind::Oms, label::OMS, 0),
            _ => None,
        }
    }

    /// A group is joined to the window by anything but a slash («ИНН/КПП 7700000000/770001001»).
    fn tight_before_number(&self) -> bool {
        self.tight_before && self.groups[0].before & !sep::SLASH != 0
    }

    /// Cards and accounts.
    fn money(&self) -> Verdict {
        let (d, l) = (self.digits, self.labels);
        match d.len() {
            15 | 16 | 18 | 19 if checks::issuer(d) && checks::luhn(d) => {
                if l.any(label::CARD) && !self.tight_before && !self.tight_after {
                    return Some((Kind::Card, self.ranked(78, label::CARD)));
                }
                let fours = |g: Option<&Group>| g.is_some_and(|g| g.digits.len() == 4);
                let usual = d.len() == 16 && self.lengths().eq([4; 4]) && self.apart();
                let in_table = fours(self.near_before) || fours(self.near_after);
                if usual && !in_table {
                    return Some((Kind::Card, 70));
                }
                self.plain().then_some((Kind::Card, 64))
            }
            20 if checks::account(d) && !self.tight_before && !self.tight_after => {
                if self.bank_fits() {
                    return Some((Kind::Account, 84));
                }
                if l.any(label::ACCOUNT) {
                    return Some((Kind::Account, self.ranked(74, label::ACCOUNT)));
                }
                self.plain().then_some((Kind::Account, 66))
            }
            _ => None,
        }
    }

    /// Whether a БИК near the account has its joint check.
    fn bank_fits(&self) -> bool {
        let (start, end) = self.bounds();
        let around = [
            &self.text[back(self.text, start, BANK_REACH)..start],
            &self.text[end..ahead(self.text, end, BANK_REACH)],
        ];
        around.iter().any(|part| {
            part.split(|c: char| digit(c).is_none()).any(|run| {
                let bik: Vec<u8> = run.chars().filter_map(digit).collect();
                bik.starts_with(&[0, 4]) && checks::account_at(self.digits, &bik)
            })
        })
    }

    /// Telephones: a plus, a code and the usual groups, or a word before them.
    fn phone(&self) -> Verdict {
        let d = self.digits;
        let plus = self.groups[0].plus;
        if plus && d.len() >= 11 && !self.tight_after {
            if d.len() == 11 && d[0] == 7 && (3..=9).contains(&d[1]) {
                return Some((self.free_of_charge(&d[1..]), 80));
            }
            return foreign_code(d).then_some((Kind::Phone, 78));
        }
        match d.len() {
            11 if matches!(d[0], 7 | 8) => match d[1] {
                9 => self.mobile(1).map(|rank| (Kind::Phone, rank)),
                3 | 4 | 8 => self.landline(1).map(|rank| (self.free_of_charge(&d[1..]), rank)),
                _ => None,
            },
            5..=10 if self.groups.iter().any(|g| g.words) => {
                self.read_aloud().map(|rank| (Kind::Phone, rank))
            }
            10 => match d[0] {
                9 => self.mobile(0).map(|rank| (Kind::Phone, rank)),
                3 | 4 | 8 => self.landline(0).map(|rank| (self.free_of_charge(d), rank)),
                0 if d[1] >= 3 => self.ukrainian().map(|rank| (self.of_institution(false), rank)),
                _ => None,
            },
            5..=7 => self.local().map(|rank| (self.of_institution(false), rank)),
            _ => None,
        }
    }

    /// A word near the number says that it is a telephone, and none nearer that it is something else.
    fn said(&self) -> bool {
        let l = self.labels;
        l.any(label::PHONE) && l.nearest & !(label::PHONE | label::NUMBER | label::CARD | label::ADDRESS) == 0
            || (l.is_nearest(label::NUMBER) && l.distance <= 3)
    }

    /// The rank of a number of a mobile network whose own ten digits begin at `offset`.
    fn mobile(&self, offset: usize) -> Option<u8> {
        let joined = self.tight_before || self.tight_after || self.groups[0].glued_before;
        if self.said() && !self.tight_after && !self.tight_before {
            return Some(if offset == 1 { 76 } else { 72 });
        }
        if joined || self.labels.is_nearest(label::OTHER) && self.labels.distance <= 12 {
            return None;
        }
        let nice = self.usual_groups(offset, 3);
        let marked = self.has(sep::HYPHEN | sep::PAREN | sep::DOT | sep::ODD | sep::SLASH);
        let words = self.groups.iter().any(|g| g.words);
        if offset == 0 {
            let marked = self.has(sep::HYPHEN | sep::PAREN);
            return (nice && marked && self.ends_at(3) && !self.groups[0].glued_before).then_some(62);
        }
        if nice && (marked || self.contiguous() || self.alone()) {
            return Some(70);
        }
        if self.alone() && (self.singles() || words || self.in_prose()) {
            return Some(65);
        }
        None
    }

    /// The rank of a mobile number read aloud whose parts run into each other: «пятьсот сорок два» may be 500 and 42.
    fn read_aloud(&self) -> Option<u8> {
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
    fn landline(&self, offset: usize) -> Option<u8> {
        if self.tight_before || self.tight_after || self.groups[0].glued_before {
            return None;
        }
        if self.said() {
            return Some(if offset == 1 { 75 } else { 71 });
        }
        if self.labels.is_nearest(label::OTHER) && self.labels.distance <= 12 {
            return None;
        }
        let code = [3, 4, 5]
            .into_iter()
            .any(|c| self.ends_at(offset + c) && self.usual_groups(offset, c));
        if code && self.has(sep::PAREN) && [3, 4, 5].into_iter().any(|c| self.in_brackets(offset + c)) {
            return Some(68);
        }
        let hyphens = self.between & !(sep::HYPHEN | sep::SPACE) == 0 && self.has(sep::HYPHEN);
        if code && hyphens && self.groups.len() >= 3 + offset && (offset == 1 || self.alone()) {
            return Some(58);
        }
        let known = offset == 1
            && self.digits[0] == 8
            && TOWNS.contains(&self.digits[1..4].iter().fold(0, |n, &d| n * 10 + u16::from(d)));
        (known && self.plain() && self.alone()).then_some(56)
    }

    /// The rank of a number as it is written within Ukraine, «(044) 205-43-04», said to be a telephone.
    fn ukrainian(&self) -> Option<u8> {
        let marked = self.has(sep::PAREN | sep::HYPHEN) && self.ends_at(3) && self.usual_groups(0, 3);
        (self.said() && marked && self.apart()).then_some(71)
    }

    /// A bracket closes after `count` digits, and no other stands in what follows.
    fn in_brackets(&self, count: usize) -> bool {
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

    /// A number of the same town, said to be a telephone right before it.
    fn local(&self) -> Option<u8> {
        let l = self.labels;
        if self.listed {
            return (self.apart() && self.has(sep::HYPHEN) && self.alike()).then_some(54);
        }
        let close = l.is_nearest(label::PHONE) && l.distance <= 10 && self.spelled_out();
        let usual = match self.digits.len() {
            7 => self.contiguous() || self.lengths().eq([3, 2, 2]) || self.lengths().eq([3, 4]),
            6 => self.lengths().eq([2, 2, 2]) || self.lengths().eq([3, 3]),
            _ => self.lengths().eq([1, 2, 2]),
        };
        let marked = self.contiguous() || self.has(sep::HYPHEN) || self.digits.len() == 7;
        (close && usual && marked && self.apart() && self.near_before.is_none()).then_some(55)
    }

    /// Groups of a number in a list of telephones: as those of the number before, or «26-70-70».
    fn alike(&self) -> bool {
        let count = self.groups.len();
        let twos = count == 3 && self.lengths().skip(1).all(|n| n == 2) && self.groups[0].digits.len() <= 3;
        let before = self
            .earlier
            .len()
            .checked_sub(count)
            .map(|from| &self.earlier[from..]);
        let same = before.is_some_and(|before| self.lengths().eq(before.iter().map(|g| g.digits.len())));
        count > 1 && (twos || same)
    }

    /// Only «тел.», «телефон:» and such stand between the label and the number: no other words.
    fn spelled_out(&self) -> bool {
        let start = self.groups[0].start;
        let before = &self.text[back(self.text, start, 14)..start];
        let trimmed = before
            .trim_end_matches(|c: char| is_space(c) || matches!(c, '.' | ':' | '№' | '(' | '-' | '–' | '—'));
        let word: String = trimmed
            .chars()
            .rev()
            .take_while(|&c| is_letter(c))
            .map(lower)
            .collect();
        let word: String = word.chars().rev().collect();
        let marks = &before[trimmed.len()..];
        match word.as_str() {
            "тел" | "т" | "факс" | "tel" | "phone" | "fax" => true,
            "телефон" | "телефоны" | "телефону" | "ф" => {
                marks.contains(['.', ':', '№'])
            }
            _ => false,
        }
    }

    /// Groups as a telephone is written: a code of `code` digits that is a group or begins one, then up to four
    /// groups of two or more digits.
    fn usual_groups(&self, offset: usize, code: usize) -> bool {
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
    fn in_prose(&self) -> bool {
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
    fn free_of_charge(&self, national: &[u8]) -> Kind {
        self.of_institution(matches!(national, [8, 0, 0 | 4, ..]))
    }

    fn of_institution(&self, free: bool) -> Kind {
        let directory = free
            || (!(self.digits.len() == 10 && self.digits[0] == 9)
                && crate::directory::in_directory(self.text, self.groups[0].start, self.bounds().1));
        if directory { Kind::PhoneOffice } else { Kind::Phone }
    }

    fn bounds(&self) -> (usize, usize) {
        (self.groups[0].start, self.groups[self.groups.len() - 1].end)
    }

    /// The bytes to mask: with the plus and the bracket that belong to the number.
    fn span(&self, kind: Kind) -> (usize, usize) {
        let (mut start, end) = self.bounds();
        if matches!(kind, Kind::Phone | Kind::PhoneOffice) {
            for (at, c) in self.text[..start].char_indices().rev().take(4) {
                match c {
                    '+' | '\u{ff0b}' => {
                        start = at;
                        break;
                    }
                    '(' if self.has(sep::PAREN) => start = at,
                    ' ' | '\u{a0}' if self.groups[0].plus => {}
                    _ => break,
                }
            }
        }
        (start, end)
    }
}

/// Codes of the largest towns, for eleven digits written together.
const TOWNS: [u16; 44] = [
    301, 341, 342, 343, 345, 346, 347, 351, 352, 353, 365, 381, 382, 383, 384, 385, 390, 391, 395, 401, 411,
    421, 423, 424, 426, 471, 472, 473, 474, 481, 482, 483, 484, 485, 486, 487, 491, 492, 493, 494, 495, 496,
    498, 499,
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
