//! Numbers of papers, registers and banks: check digits decide where there are any, else the words before.

use crate::chars::{ahead, back, digit, sep};
use crate::checks;
use crate::kinds::Kind;
use crate::labels::label;
use crate::window::{Verdict, Window, issued};

/// How far around an account its bank's БИК is looked for, in characters.
const BANK_REACH: usize = 160;

impl Window<'_> {
    /// Passports, driving licences, КПП: context decides.
    pub(crate) fn paper(&self) -> Verdict {
        let l = self.labels;
        let other = l.is_nearest(label::OTHER) && l.distance <= 12;
        if other || self.begins_with_date() {
            return None;
        }
        let whole = self.contiguous() || self.singles();
        match self.digits.len() {
            9 => {
                let two = self.lengths().eq([2, 7]);
                let near = self.contiguous() && l.is_nearest(label::PASSPORT) && l.distance <= 12;
                let foreign = l.any(label::FOREIGN) || (l.any(label::PASSPORT) && two) || near;
                let ended = two || self.contiguous() || !self.single_follows();
                if foreign && (whole || self.ends_at(2)) && ended && !self.tight_after {
                    return Some((
                        Kind::PassportForeign,
                        self.ranked(72, label::FOREIGN | label::PASSPORT),
                    ));
                }
                let own = l.any(label::KPP) && checks::region(self.digits) && !self.tight_after;
                // «ИНН/КПП 7700000000/770001001»; any other slash is an address's or a date's.
                let slash = self.tight_before && self.groups[0].before == sep::SLASH;
                let after_inn = self.earlier.last().is_some_and(|g| g.digits.len() == 10);
                (own && (!slash || after_inn) && (self.contiguous() || l.is_nearest(label::KPP)))
                    .then(|| (Kind::Kpp, self.ranked(70, label::KPP)))
            }
            10 if (whole || self.ends_at(4) || self.ends_at(2))
                && !self.tight_after
                && !self.has(sep::PAREN) =>
            {
                let rights = l.is_nearest(label::RIGHTS) && l.distance <= 6;
                if (l.any(label::LICENCE) || rights) && checks::region(self.digits) {
                    return Some((
                        Kind::Licence,
                        self.ranked(71, label::LICENCE | label::RIGHTS | label::SERIES),
                    ));
                }
                let numbered = l.is_nearest(label::NUMBER) && l.distance <= 3 && l.any(label::SERIES);
                let series = (l.is_nearest(label::SERIES)
                    && (self.has(sep::NUMBER) || self.lengths().eq([4, 6])))
                    || (numbered && self.lengths().eq([4, 6]));
                let shaped = self.lengths().eq([4, 6]) || self.lengths().eq([2, 2, 6]);
                let issued = shaped && issued(self.text, self.bounds().1);
                ((l.any(label::PASSPORT) || series || issued) && checks::region(self.digits))
                    .then(|| (Kind::Passport, self.ranked(70, label::PASSPORT | label::SERIES)))
            }
            _ => None,
        }
    }

    /// Numbers of registers: check digits decide.
    pub(crate) fn register(&self) -> Verdict {
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
            // Older policies have no check digit: the word right before them decides.
            16 => verdict(checks::luhn(d) && checks::region(d), Kind::Oms, label::OMS, 0).or_else(|| {
                let said = l.is_nearest(label::OMS) && l.distance <= 24 && self.apart();
                said.then_some((Kind::Oms, 71))
            }),
            _ => None,
        }
    }

    /// A group is joined to the window by anything but a slash («ИНН/КПП 7700000000/770001001»).
    pub(crate) fn tight_before_number(&self) -> bool {
        self.tight_before && self.groups[0].before & !sep::SLASH != 0
    }

    /// Cards and accounts.
    pub(crate) fn money(&self) -> Verdict {
        let (d, l) = (self.digits, self.labels);
        match d.len() {
            15 | 16 | 18 | 19 if checks::issuer(d) && checks::luhn(d) => {
                if l.any(label::CARD) && !self.tight_before && !self.tight_after {
                    return Some((Kind::Card, self.ranked(78, label::CARD)));
                }
                let usual = (self.lengths().eq([4; 4]) || self.lengths().eq([4, 6, 5])) && self.apart();
                let in_table = (self.beside().into_iter().flatten()).any(|g| g.digits.len() == 4);
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
    pub(crate) fn bank_fits(&self) -> bool {
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
}
