//! From windows of a chain to candidates: which kind of number the digits are, and how sure that is.

use crate::chain::Group;
use crate::chars::{is_ignorable, is_letter, is_space, lower, sep};
use crate::checks;
use crate::kinds::{Found, Kind};
use crate::labels::{Labels, label};
use crate::lists;
use crate::scan::Scan;

/// Digits of the longest number (an account), and groups of a window.
const MOST: usize = 20;

/// A window of a chain: its groups, their digits, and what stands between and around them.
pub(crate) struct Window<'a> {
    pub(crate) text: &'a str,
    pub(crate) groups: &'a [Group],
    pub(crate) digits: &'a [u8],
    /// Separators within, all together.
    pub(crate) between: u16,
    pub(crate) labels: Labels,
    /// A group of the chain before or after: joined to the window, or only near.
    pub(crate) tight_before: bool,
    pub(crate) tight_after: bool,
    pub(crate) near_before: Option<&'a Group>,
    pub(crate) near_after: Option<&'a Group>,
    /// The separators after the window are a slash alone, or a comma that a telephone's groups follow.
    pub(crate) list_after: bool,
    /// Digits of the group after the window; 0 where there is none.
    pub(crate) next: usize,
    /// A telephone of the chain ends right before the window.
    pub(crate) follows: bool,
    /// The window goes on a list of telephones: one ends before it, with a comma or the like between.
    pub(crate) listed: bool,
    /// The groups of the chain before the window.
    pub(crate) earlier: &'a [Group],
}

/// The digits of a chain's groups, one after the other.
#[derive(Default)]
pub struct Flat {
    digits: Vec<u8>,
    starts: Vec<usize>,
    /// Where the last telephone of the text ends.
    phone_end: Option<usize>,
}

impl Flat {
    /// Makes the buffer ready for another text.
    pub fn reset(&mut self) {
        self.phone_end = None;
    }

    fn fill(&mut self, chain: &[Group]) {
        self.digits.clear();
        self.starts.clear();
        for group in chain {
            self.starts.push(self.digits.len());
            self.digits.extend_from_slice(&group.digits);
        }
        self.starts.push(self.digits.len());
    }

    fn digits(&self, first: usize, last: usize) -> &[u8] {
        &self.digits[self.starts[first]..self.starts[last + 1]]
    }
}

/// Candidates among all windows of a chain.
pub fn judge_chain(text: &str, chain: &[Group], flat: &mut Flat, scan: &mut Scan, found: &mut Vec<Found>) {
    flat.fill(chain);
    let mut phone_ends = 0;
    for first in 0..chain.len() {
        let (mut between, mut lines, mut words) = (0, 0, false);
        let mut known: Option<Labels> = None;
        let mut spoken = None;
        let follows = first > 0 && phone_ends == first;
        let listed = follows && chain[first].before & sep::COMMA != 0
            || first == 0
                && flat
                    .phone_end
                    .is_some_and(|end| lists::list_goes_on(text, end, chain[0].start));
        for last in first..chain.len() {
            let group = &chain[last];
            if last > first {
                let listed = group.before & (sep::COMMA | sep::NUMBER) == sep::COMMA && !group.words;
                if group.plus || group.glued_before || listed || ends_sentence(group.before) {
                    break;
                }
                between |= group.before;
                lines += usize::from(group.before & sep::LINE != 0);
            }
            words |= group.words;
            let count = flat.starts[last + 1] - flat.starts[first];
            if count > MOST || lines > 1 {
                break;
            }
            if count < 5 || (count == 8 && !words) {
                continue;
            }
            let digits = flat.digits(first, last);
            let known_so = words || listed || chain[first].plus;
            if !known_so && !fits(digits) {
                continue;
            }
            // Numbers of a town are said to be telephones right before them: most rows of numbers end here.
            if digits.len() <= 7
                && !words
                && !listed
                && !*spoken.get_or_insert_with(|| said_before(text, chain[first].start))
            {
                continue;
            }
            let said = *known.get_or_insert_with(|| scan.before(text, chain[first].start));
            if !known_so && !may_be(digits, said, between) && (digits.len() != 10 || !issued(text, group.end))
            {
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
                list_after: after.is_some_and(|g| {
                    g.before == sep::SLASH || g.before == sep::COMMA && begins_phone(&chain[last + 1..])
                }),
                next: after.map_or(0, |g| g.digits.len()),
                follows,
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
                    flat.phone_end = Some(end);
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

/// Whether digits of this length can be a number at all: by its first digits and its check digits.
fn fits(d: &[u8]) -> bool {
    match d.len() {
        8 | 14 | 17 => false,
        11 => matches!(d, [7 | 8, 3 | 4 | 8 | 9, ..] | [8, 0, 1..=4, ..]) || checks::snils(d),
        12 => checks::inn12(d),
        13 => checks::ogrn(d),
        15 => checks::ogrnip(d) || checks::issuer(d) && checks::luhn(d),
        18 | 19 => checks::issuer(d) && checks::luhn(d),
        20 => checks::account(d),
        _ => true,
    }
}

/// Whether digits of this length can be a number with these words before them; `between` are the separators within.
fn may_be(digits: &[u8], said: Labels, between: u16) -> bool {
    match digits.len() {
        5..=9 => said.any(u32::MAX),
        // A telephone's groups have hyphens or brackets where nothing says that it is one.
        10 => {
            let marked = between & (sep::HYPHEN | sep::PAREN) != 0;
            said.any(u32::MAX) || marked && matches!(digits[0], 3 | 4 | 8 | 9)
        }
        16 => said.any(label::OMS) || checks::issuer(digits) && checks::luhn(digits),
        _ => true,
    }
}

/// Groups that a telephone can begin with: one of its length, or two that a hyphen or bracket joins.
fn begins_phone(groups: &[Group]) -> bool {
    let joined = |g: &Group| g.before & (sep::HYPHEN | sep::PAREN) != 0;
    groups[0].digits.len() >= 10 || groups.get(1).is_some_and(joined)
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

/// «выдан» follows byte `end`, with at most three marks or spaces between.
pub(crate) fn issued(text: &str, end: usize) -> bool {
    let mut after = text[end..].chars().filter(|&c| !is_ignorable(c)).peekable();
    for _ in 0..3 {
        if after
            .next_if(|&c| is_space(c) || matches!(c, ',' | ';' | '(' | '\n'))
            .is_none()
        {
            break;
        }
    }
    "выдан"
        .chars()
        .all(|wanted| after.next().map(lower) == Some(wanted))
}

/// A full stop and a space, with no «номер» after them.
fn ends_sentence(before: u16) -> bool {
    before & (sep::DOT | sep::NUMBER) == sep::DOT && before & (sep::SPACE | sep::LINE) != 0
}

/// Whether a group beside a window is a number of its own: letters are none, nor are words beside digits.
fn is_number(group: &Group, words: bool) -> bool {
    !group.is_letters() && group.words == words
}

/// The number that a group is, modulo 2^64.
pub(crate) fn value(group: &Group) -> u64 {
    (group.digits.iter()).fold(0u64, |sum, &d| sum.wrapping_mul(10).wrapping_add(u64::from(d)))
}

/// The class of labels that name a kind.
fn class(kind: Kind) -> u32 {
    match kind {
        Kind::Inn => label::INN,
        Kind::Snils => label::SNILS,
        Kind::Ogrn | Kind::Ogrnip => label::OGRN,
        Kind::Kpp => label::KPP,
        Kind::Card => label::CARD,
        Kind::Account => label::ACCOUNT,
        Kind::Oms => label::OMS,
        Kind::Passport => label::PASSPORT | label::SERIES,
        Kind::PassportForeign => label::PASSPORT | label::FOREIGN,
        Kind::Licence => label::LICENCE | label::RIGHTS | label::SERIES,
        _ => 0,
    }
}

pub(crate) type Verdict = Option<(Kind, u8)>;

impl Window<'_> {
    pub(crate) fn judge(&self) -> Verdict {
        let letters: usize = self.groups.iter().map(|g| g.letters).sum();
        if letters * 5 > self.digits.len() * 4 {
            return None;
        }
        // Where most are letters, check digits or a word have to say that it is a number.
        let many = letters * 2 > self.digits.len();
        let first = &self.groups[0];
        if self.counts_up() {
            return None;
        }
        if first.glued_before && self.labels.distance > 1 && !self.labels.any(u32::MAX) {
            return None;
        }
        let (kind, rank) = if self.mixed() {
            // «8 девятьсот шестнадцать ...», «восемь 916 ...»: the prefix alone is written the other way; or some
            // groups of a mobile number.
            let rest = &self.groups[1..];
            let prefix = first.digits.len() == 1 && rest.iter().all(|g| g.words != first.words);
            let mobile = matches!(self.digits, [7 | 8, 9, ..])
                && self.digits.len() == 11
                && (self.usual_groups(1, 3) || self.ends_at(1) && self.ends_at(4))
                && self.alone();
            (prefix || mobile).then(|| self.phone()).flatten()?
        } else {
            let listed = self.has(sep::SLASH);
            let numbers = [self.paper(), self.register(), self.money()];
            let best =
                [
                    numbers.into_iter().flatten().max_by_key(|v| v.1).filter(|v| {
                        !listed || self.labels.is_nearest(class(v.0)) || self.card_in_slashes(v.0)
                    }),
                    Some(())
                        .filter(|()| !many || self.said())
                        .and_then(|()| self.phone()),
                ];
            best.into_iter().flatten().max_by_key(|&(_, rank)| rank)?
        };
        // A letter at the edge is part of the number only where nothing else fits: «770 о том».
        let edge = first.is_letters() || self.groups[self.groups.len() - 1].is_letters();
        Some((kind, if edge { rank - 3 } else { rank }))
    }

    /// «4276/1234/...»: slashes alone part the four groups of a card.
    fn card_in_slashes(&self, kind: Kind) -> bool {
        kind == Kind::Card && self.between == sep::SLASH && self.lengths().eq([4; 4])
    }

    /// Some groups are numerals and some are digits.
    pub(crate) fn mixed(&self) -> bool {
        self.groups.iter().any(|g| g.words != self.groups[0].words)
    }

    pub(crate) fn contiguous(&self) -> bool {
        self.groups.len() == 1
    }

    pub(crate) fn has(&self, mask: u16) -> bool {
        self.between & mask != 0
    }

    /// Nothing is written right before or after the digits.
    pub(crate) fn apart(&self) -> bool {
        !self.tight_before
            && !self.tight_after
            && !self.groups[0].glued_before
            && !self.groups[self.groups.len() - 1].glued_after
    }

    /// No other digits stand beside the window.
    pub(crate) fn alone(&self) -> bool {
        self.apart() && self.beside() == [None, None]
    }

    /// The numbers before and after that can belong to the window's row: where hyphens alone join its groups,
    /// what a space or a line's end parts from them does not, nor does what a bracket parts.
    pub(crate) fn beside(&self) -> [Option<&Group>; 2] {
        let joined = self.between == sep::HYPHEN;
        let own = |before: u16| {
            !(joined && before & !(sep::SPACE | sep::LINE) == 0)
                && (self.has(sep::PAREN) || before & sep::PAREN == 0)
        };
        let before = self.near_before.filter(|_| own(self.groups[0].before));
        [before, self.near_after.filter(|g| own(g.before))]
    }

    /// The row goes on with a group of one digit, or of any length after groups that are none.
    pub(crate) fn single_follows(&self) -> bool {
        self.near_after
            .is_some_and(|g| !self.singles() || g.digits.len() == 1)
    }

    /// One number as it is: all digits together, nothing joined, no word that says it is something else.
    pub(crate) fn plain(&self) -> bool {
        let other = self.labels.any(label::OTHER) || self.assigned();
        self.contiguous() && self.apart() && !other && self.groups[0].letters == 0
    }

    pub(crate) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.groups.iter().map(|g| g.digits.len())
    }

    /// Whether a group ends after `count` digits.
    pub(crate) fn ends_at(&self, count: usize) -> bool {
        let mut sum = 0;
        self.lengths().any(|length| {
            sum += length;
            sum == count
        })
    }

    /// The first groups are a date, «29.03.2013», or the window begins within one.
    pub(crate) fn begins_with_date(&self) -> bool {
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
    pub(crate) fn counts_up(&self) -> bool {
        self.groups.len() >= 5
            && (self.groups.windows(2)).all(|pair| value(&pair[1]) == value(&pair[0]).wrapping_add(1))
    }

    pub(crate) fn singles(&self) -> bool {
        self.lengths().all(|length| length == 1)
    }

    /// A rank, higher where the nearest label is of the same class.
    pub(crate) fn ranked(&self, rank: u8, class: u32) -> u8 {
        if self.labels.is_nearest(class) {
            rank + 8
        } else {
            rank
        }
    }

    pub(crate) fn bounds(&self) -> (usize, usize) {
        (self.groups[0].start, self.groups[self.groups.len() - 1].end)
    }

    /// The bytes to mask: with the plus and the bracket that belong to the number.
    pub(crate) fn span(&self, kind: Kind) -> (usize, usize) {
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
