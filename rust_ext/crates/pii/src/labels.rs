//! Words before a number that say what it is.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

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
fn automaton() -> Option<&'static AhoCorasick> {
    static AUTOMATON: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    AUTOMATON
        .get_or_init(|| {
            let words = LABELS.iter().map(|&(word, _)| word);
            AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::DFA))
                .build(words)
                .ok()
        })
        .as_ref()
}

/// Labels in the `REACH` characters before byte `start`; of two that end at one place the later row is nearest.
pub fn labels(text: &str, start: usize) -> Labels {
    let from = back(text, start, REACH);
    // Rows of numbers have no words before most of their numbers.
    if !text.as_bytes()[from..start]
        .iter()
        .any(|b| b.is_ascii_alphabetic() || !b.is_ascii())
    {
        return Labels::default();
    }
    let mut before: String = text[from..start]
        .chars()
        .filter(|&c| !is_ignorable(c))
        .map(lower)
        .collect();
    // A label joined to its number («тел8916...») counts as if it were abbreviated.
    if before.chars().next_back().is_some_and(is_letter) {
        before.push('.');
    }
    let cut = text[..from].chars().next_back().is_some_and(is_letter);
    let mut found = Labels::default();
    let Some(automaton) = automaton() else {
        return found;
    };
    let mut nearest = (0, 0);
    for hit in automaton.find_overlapping_iter(&before) {
        let previous = before[..hit.start()].chars().next_back();
        if previous.map_or(cut, is_letter) {
            continue;
        }
        let row = hit.pattern().as_usize();
        found.mask |= LABELS[row].1;
        if (hit.end(), row) >= nearest {
            nearest = (hit.end(), row);
            found.nearest = LABELS[row].1;
            found.distance = before[hit.end()..].chars().count();
        }
    }
    found
}
