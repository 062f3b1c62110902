//! Telephones of institutions, told apart from those of persons.

use crate::chars::{back, is_letter, lower};

/// Words that a line of a directory of institutions begins with, as beginnings in small letters.
const OFFICES: [&str; 52] = [
    "приемн",
    "регистратур",
    "канцеляр",
    "справочн",
    "дежурн",
    "горяч",
    "диспетчер",
    "администрац",
    "поликлиник",
    "больниц",
    "школ",
    "детск",
    "лице",
    "гимнази",
    "колледж",
    "университет",
    "институт",
    "факультет",
    "деканат",
    "кафедр",
    "библиотек",
    "музе",
    "театр",
    "касс",
    "отдел",
    "управлен",
    "департамент",
    "министерств",
    "комитет",
    "служб",
    "центр",
    "мфц",
    "загс",
    "суд",
    "прокуратур",
    "полиц",
    "мвд",
    "умвд",
    "овд",
    "гибдд",
    "мчс",
    "пожарн",
    "скор",
    "аварийн",
    "почт",
    "банк",
    "аптек",
    "секретар",
    "бухгалтер",
    "инспекц",
    "пфр",
    "фонд",
];
/// A line of a directory is short: what stands before the number, in characters.
const LONGEST: usize = 120;

/// Whether the number of bytes `start..end` stands in a line such as «Регистратура: (4912) 25-36-14»: one of the
/// line's first three words is an institution's, and after the number no word follows.
pub fn in_directory(text: &str, start: usize, end: usize) -> bool {
    let near = start.saturating_sub(4 * LONGEST);
    let line_start = match text.as_bytes()[near..start].iter().rposition(|&b| b == b'\n') {
        Some(at) => near + at + 1,
        None if near == 0 => 0,
        None => return false,
    };
    // A character has four bytes at most and one at least.
    if start - line_start > LONGEST && back(text, start, LONGEST) > line_start.saturating_sub(1) {
        return false;
    }
    let line = &text[line_start..start];
    let tail = text[end..].chars().take_while(|&c| c != '\n').take(40);
    if tail.filter(|&c| is_letter(c)).take(4).count() == 4 {
        return false;
    }
    line.split(|c: char| !is_letter(c))
        .filter(|word| !word.is_empty())
        .take(3)
        .any(|word| {
            let small: String = word.chars().map(lower).collect();
            // Two Russian letters take four bytes, which already differ from those of an institution in most words.
            let Some(head) = small.as_bytes().first_chunk::<4>() else {
                return false;
            };
            (OFFICES.iter())
                .any(|office| office.as_bytes().first_chunk() == Some(head) && small.starts_with(office))
        })
}
