//! Telephones within a town, without its code: words before them decide.

use crate::chars::{back, is_letter, is_space, last_word, sep};
use crate::labels::label;
use crate::lists::PLACES;
use crate::window::Window;

impl Window<'_> {
    /// A number of the same town, said to be a telephone right before it.
    pub(crate) fn local(&self) -> Option<u8> {
        let l = self.labels;
        if self.listed {
            let glued = self.groups[0].glued_before || self.groups[self.groups.len() - 1].glued_after;
            let apart = !self.joined_before() && !self.tight_after && !glued;
            return (apart && self.has(sep::HYPHEN) && self.alike()).then_some(54);
        }
        let close = l.is_nearest(label::PHONE)
            && (l.distance <= 10 && self.spelled_out() || self.has(sep::HYPHEN) && self.of_whom());
        let usual = match self.digits.len() {
            7 => self.contiguous() || self.lengths().eq([3, 2, 2]) || self.lengths().eq([3, 4]),
            6 => self.lengths().eq([2, 2, 2]) || self.lengths().eq([3, 3]),
            _ => self.lengths().eq([1, 2, 2]),
        };
        let marked = self.contiguous() || self.has(sep::HYPHEN) || self.digits.len() == 7;
        (close && usual && marked && self.apart() && self.near_before.is_none()).then_some(55)
    }

    /// Groups of a number in a list of telephones: as those of the number before, or «26-70-70».
    pub(crate) fn alike(&self) -> bool {
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
    pub(crate) fn spelled_out(&self) -> bool {
        let start = self.groups[0].start;
        let before = &self.text[back(self.text, start, 14)..start];
        let trimmed = before
            .trim_end_matches(|c: char| is_space(c) || matches!(c, '.' | ':' | '№' | '(' | '-' | '–' | '—'));
        let word = last_word(trimmed);
        let marks = &before[trimmed.len()..];
        match word.as_str() {
            "тел" | "т" | "факс" | "tel" | "phone" | "fax" => true,
            "телефон" | "телефоны" | "телефону" | "телефонам" | "ф" => {
                marks.contains(['.', ':', '№']) || self.has(sep::HYPHEN)
            }
            "звонить" | "звоните" | "позвонить" | "позвоните" => {
                self.has(sep::HYPHEN)
            }
            _ => false,
        }
    }

    /// «тел. дом.», «тел. дежурного врача:»: up to three words between the label and the number say whose it is,
    /// of `PLACES` or before a colon.
    pub(crate) fn of_whom(&self) -> bool {
        let start = self.groups[0].start;
        let before = &self.text[back(self.text, start, 48)..start];
        let mut rest = before
            .trim_end_matches(|c: char| is_space(c) || matches!(c, '.' | ':' | '№' | '(' | '-' | '–' | '—'));
        let colon = before[rest.len()..].contains(':');
        let mut of_places = true;
        for _ in 0..=3 {
            let letters = rest.chars().rev().take_while(|&c| is_letter(c));
            let length: usize = letters.map(char::len_utf8).sum();
            let word = last_word(rest);
            match word.as_str() {
                "" => return false,
                "тел" | "телефон" | "телефоны" | "факс" => return of_places || colon,
                "т" => return of_places,
                _ => of_places &= PLACES.iter().any(|place| word.starts_with(place)),
            }
            if !of_places && !colon {
                return false;
            }
            rest = rest[..rest.len() - length].trim_end_matches(|c: char| is_space(c) || c == '.');
        }
        false
    }
}
