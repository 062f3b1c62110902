//! Words before a number that say what it is.

use std::sync::OnceLock;

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;

use crate::chars::{back, is_ignorable, is_letter, lower};

/// How far before a number a label is looked for, in characters.
const REACH: usize = 56;

/// What a label says. The value is a bit of `Labels::mask`.
pub mod label {
    pub const PHONE: u32 = 1;
    pub const INN: u32 = 1 << 1;
    pub const SNILS: u32 = 1 << 2;
    pub const OGRN: u32 = 1 << 3;
    pub const KPP: u32 = 1 << 4;
    pub const CARD: u32 = 1 << 5;
    pub const ACCOUNT: u32 = 1 << 6;
    pub const OMS: u32 = 1 << 7;
    pub const PASSPORT: u32 = 1 << 8;
    pub const FOREIGN: u32 = 1 << 9;
    pub const LICENCE: u32 = 1 << 10;
    pub const SERIES: u32 = 1 << 11;
    /// A number of something else: a book, a product, an order.
    pub const OTHER: u32 = 1 << 12;
    pub const PLATE: u32 = 1 << 13;
    pub const ADDRESS: u32 = 1 << 14;
    pub const VERSION: u32 = 1 << 15;
    /// «номер» alone.
    pub const NUMBER: u32 = 1 << 16;
}

/// Beginnings of words, in small letters with е for ё. Where two end at one place, the later row is the nearest.
pub const LABELS: [(&str, u32); 144] = [
    ("номер", label::NUMBER),
    ("number", label::NUMBER),
    ("тел ", label::PHONE),
    ("тел.", label::PHONE),
    ("тел:", label::PHONE),
    ("тел-", label::PHONE),
    ("тел№", label::PHONE),
    ("телеф", label::PHONE),
    ("моб ", label::PHONE),
    ("моб.", label::PHONE),
    ("моб:", label::PHONE),
    ("мобил", label::PHONE),
    ("сот.", label::PHONE),
    ("сот ", label::PHONE),
    ("сотов", label::PHONE),
    ("звон", label::PHONE),
    ("позвон", label::PHONE),
    ("набер", label::PHONE),
    ("перезвон", label::PHONE),
    ("созвон", label::PHONE),
    ("whatsapp", label::PHONE),
    ("вотсап", label::PHONE),
    ("ватсап", label::PHONE),
    ("вацап", label::PHONE),
    ("viber", label::PHONE),
    ("вайбер", label::PHONE),
    ("факс", label::PHONE),
    ("phone", label::PHONE),
    ("tel ", label::PHONE),
    ("tel.", label::PHONE),
    ("tel:", label::PHONE),
    ("tele", label::PHONE),
    ("mob", label::PHONE),
    ("fax", label::PHONE),
    ("т.", label::PHONE),
    ("т:", label::PHONE),
    ("ф.", label::PHONE),
    ("контакт", label::PHONE),
    ("смс", label::PHONE),
    ("sms", label::PHONE),
    ("инн", label::INN),
    ("inn", label::INN),
    ("снилс", label::SNILS),
    ("snils", label::SNILS),
    ("страхов", label::SNILS),
    ("пенсионн", label::SNILS),
    ("огрн", label::OGRN),
    ("ogrn", label::OGRN),
    ("кпп", label::KPP),
    ("kpp", label::KPP),
    ("карт", label::CARD),
    ("card", label::CARD),
    ("visa", label::CARD),
    ("виза", label::CARD),
    ("mastercard", label::CARD),
    ("maestro", label::CARD),
    ("мир ", label::CARD),
    ("мир:", label::CARD),
    ("мир.", label::CARD),
    ("сбер", label::CARD),
    ("тинькоф", label::CARD),
    ("р/с", label::ACCOUNT),
    ("р.с", label::ACCOUNT),
    ("р\\с", label::ACCOUNT),
    ("к/с", label::ACCOUNT),
    ("л/с", label::ACCOUNT),
    ("счет", label::ACCOUNT),
    ("account", label::ACCOUNT),
    ("iban", label::ACCOUNT),
    ("омс", label::OMS),
    ("полис", label::OMS),
    ("енп", label::OMS),
    ("паспорт", label::PASSPORT),
    ("пасп.", label::PASSPORT),
    ("passport", label::PASSPORT),
    ("п/п", label::PASSPORT),
    ("удостоверение личности", label::PASSPORT),
    ("загран", label::FOREIGN),
    ("заграничн", label::FOREIGN),
    ("водительск", label::LICENCE),
    ("вод. уд", label::LICENCE),
    ("вод.уд", label::LICENCE),
    ("в/у", label::LICENCE),
    ("ву ", label::LICENCE),
    ("ву.", label::LICENCE),
    ("ву:", label::LICENCE),
    ("ву№", label::LICENCE),
    ("права сер", label::LICENCE),
    ("права №", label::LICENCE),
    ("серия", label::SERIES),
    ("серии", label::SERIES),
    ("сер.", label::SERIES),
    ("бик", label::OTHER),
    ("bik", label::OTHER),
    ("isbn", label::OTHER),
    ("issn", label::OTHER),
    ("артикул", label::OTHER),
    ("арт.", label::OTHER),
    ("штрих", label::OTHER),
    ("ean ", label::OTHER),
    ("upc", label::OTHER),
    ("imei", label::OTHER),
    ("код товара", label::OTHER),
    ("заказ", label::OTHER),
    ("трек", label::OTHER),
    ("гост ", label::OTHER),
    ("кадастр", label::OTHER),
    ("окпо", label::OTHER),
    ("окато", label::OTHER),
    ("октмо", label::OTHER),
    ("оквэд", label::OTHER),
    ("кбк", label::OTHER),
    ("doi", label::OTHER),
    ("uid", label::OTHER),
    ("ббк", label::OTHER),
    ("удк", label::OTHER),
    ("госномер", label::PLATE),
    ("гос. номер", label::PLATE),
    ("гос.номер", label::PLATE),
    ("гос номер", label::PLATE),
    ("г/н", label::PLATE),
    ("гос. знак", label::PLATE),
    ("номерн", label::PLATE),
    ("а/м", label::PLATE),
    ("авто", label::PLATE),
    ("машин", label::PLATE),
    ("регистрационн", label::PLATE),
    ("ip ", label::ADDRESS),
    ("ip:", label::ADDRESS),
    ("ip-", label::ADDRESS),
    ("ipv", label::ADDRESS),
    ("ip=", label::ADDRESS),
    ("айпи", label::ADDRESS),
    ("адрес", label::ADDRESS),
    ("хост", label::ADDRESS),
    ("host", label::ADDRESS),
    ("server", label::ADDRESS),
    ("сервер", label::ADDRESS),
    ("верси", label::VERSION),
    ("version", label::VERSION),
    ("ver", label::VERSION),
    ("release", label::VERSION),
    ("сборк", label::VERSION),
    ("build", label::VERSION),
];

/// The labels before a number: all of them, the nearest one, and how many characters lie between it and the
/// number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Labels {
    pub mask: u32,
    pub nearest: u32,
    pub distance: usize,
}

impl Labels {
    pub fn any(self, mask: u32) -> bool {
        self.mask & mask != 0
    }

    pub fn is_nearest(self, mask: u32) -> bool {
        self.nearest & mask != 0
    }
}

/// Looks for all rows of `LABELS` at once.
fn automaton() -> Option<&'static DFA> {
    static AUTOMATON: OnceLock<Option<DFA>> = OnceLock::new();
    AUTOMATON
        .get_or_init(|| {
            let words = LABELS.iter().map(|&(word, _)| word);
            DFA::builder().prefilter(false).build(words).ok()
        })
        .as_ref()
}

/// A row of `LABELS` that stands in the text, a word's beginning.
struct Hit {
    start: usize,
    end: usize,
    row: usize,
}

/// The labels met so far in a text. Numbers of one line have the same words before them: what was read for one
/// is not read again for the next.
#[derive(Default)]
pub struct Scan {
    hits: Vec<Hit>,
    /// The text is read up to this byte; `state` is the automaton's there.
    at: usize,
    state: StateID,
    begun: bool,
}

impl Scan {
    /// Makes the scan ready for another text.
    pub fn reset(&mut self) {
        self.hits.clear();
        self.begun = false;
    }

    /// Labels in the `REACH` characters before byte `start`; of two that end at one place the later row is
    /// nearest.
    pub fn before(&mut self, text: &str, start: usize) -> Labels {
        let mut found = Labels::default();
        let Some(automaton) = automaton() else {
            return found;
        };
        self.read_to(automaton, text, start);
        // A label joined to its number («тел8916...») counts as if it were abbreviated.
        let joined = last_char(text, start).is_some_and(is_letter);
        let mut nearest: Option<(usize, usize)> = None;
        let mut reach = None;
        let mut take = |hit: &Hit| {
            let near = start - hit.start <= REACH;
            if near || hit.start >= *reach.get_or_insert_with(|| back(text, start, REACH)) {
                found.mask |= LABELS[hit.row].1;
                nearest = nearest.max(Some((hit.end, hit.row)));
            }
        };
        (self.hits.iter().rev())
            .take_while(|hit| start - hit.end <= REACH * 4)
            .for_each(&mut take);
        if joined {
            let state = automaton.next_state(Anchored::No, self.state, b'.');
            hits_at(automaton, state, text, start, 1, |hit| take(&hit));
        }
        if let Some((end, row)) = nearest {
            found.nearest = LABELS[row].1;
            let between = text.get(end..start).unwrap_or_default();
            let dot = usize::from(joined && end <= start);
            found.distance = between.chars().filter(|&c| !is_ignorable(c)).count() + dot;
        }
        found
    }

    fn read_to(&mut self, automaton: &DFA, text: &str, start: usize) {
        if !self.begun || self.at > start || start - self.at > REACH * 4 {
            self.hits.clear();
            self.at = back(text, start, REACH);
            self.state = automaton.start_state(Anchored::No).unwrap_or_default();
            self.begun = true;
        }
        let bytes = text.as_bytes();
        let (mut at, mut state) = (self.at, self.state);
        while at < start {
            let byte = bytes[at];
            let next = |state, byte| automaton.next_state(Anchored::No, state, byte);
            if byte.is_ascii() {
                state = next(state, byte.to_ascii_lowercase());
                at += 1;
            } else {
                let c = text[at..].chars().next().unwrap_or_default();
                at += c.len_utf8();
                if is_ignorable(c) {
                    continue;
                }
                for &byte in lower(c).encode_utf8(&mut [0; 4]).as_bytes() {
                    state = next(state, byte);
                }
            }
            if automaton.is_special(state) {
                hits_at(automaton, state, text, at, 0, |hit| self.hits.push(hit));
            }
        }
        (self.at, self.state) = (at, state);
    }
}

/// The rows that end at byte `end` in `state`; of those that begin no word, none. `beyond`: bytes of the row that
/// stand after the text's end.
fn hits_at(
    automaton: &DFA,
    state: StateID,
    text: &str,
    end: usize,
    beyond: usize,
    mut take: impl FnMut(Hit),
) {
    if !automaton.is_match(state) {
        return;
    }
    for n in 0..automaton.match_len(state) {
        let row = automaton.match_pattern(state, n).as_usize();
        let start = stepped_back(text, end, LABELS[row].0.len() - beyond);
        if !last_char(text, start).is_some_and(is_letter) {
            let end = end + beyond;
            take(Hit { start, end, row });
        }
    }
}

/// Where `count` bytes before `end` begin; characters without width count nothing.
fn stepped_back(text: &str, end: usize, count: usize) -> usize {
    let (mut left, mut start) = (count, end);
    for c in text[..end].chars().rev() {
        if left == 0 {
            break;
        }
        start -= c.len_utf8();
        if !is_ignorable(c) {
            left -= lower(c).len_utf8().min(left);
        }
    }
    start
}

/// The last character before byte `end` that has a width.
fn last_char(text: &str, end: usize) -> Option<char> {
    text[..end].chars().rev().find(|&c| !is_ignorable(c))
}

/// Labels before byte `start` of a text that no scan goes through.
pub fn labels(text: &str, start: usize) -> Labels {
    Scan::default().before(text, start)
}
