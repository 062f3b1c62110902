//! Lists of telephones: what stands between two of them.

use crate::chars::{is_space, lower};

/// Whose telephone it is: beginnings of words, in small letters.
pub(crate) const PLACES: [&str; 14] = [
    "дом",
    "раб",
    "моб",
    "сот",
    "служ",
    "гор",
    "дежурн",
    "вахт",
    "приемн",
    "секретар",
    "бухгалтер",
    "диспетчер",
    "кварт",
    "офис",
];

/// Whether from byte `end`, where a telephone ends, to byte `start` a list of telephones goes on: «; », « и »,
/// «, дом. ».
pub(crate) fn list_goes_on(text: &str, end: usize, start: usize) -> bool {
    const REACH: usize = 32;
    if start < end || start - end > REACH {
        return false;
    }
    let between = &text[end..start];
    let is_mark = |c: char| is_space(c) || matches!(c, ';' | ',' | '/' | '.' | ':');
    let mut parted = between.contains([';', ',']);
    for word in between.split(is_mark).filter(|word| !word.is_empty()) {
        let small: String = word.chars().map(lower).collect();
        match small.as_str() {
            "и" | "или" => parted = true,
            "тел" | "т" | "факс" | "ф" => {}
            _ if PLACES.iter().any(|place| small.starts_with(place)) => {}
            _ => return false,
        }
    }
    parted
}
