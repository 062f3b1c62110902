//! Days as pages write them: ISO 8601, RFC 822 and 850, `06.05.2019`, «6 мая 2019 г.», `May 6, 2019`; and which of a
//! page's dates is its own.

use super::analysis::Analysis;
use super::semantics as sem;
use super::strength::{LINE, NAMED_LINE};
use super::tree::{NONE, Page};

/// Earliest and latest year of a page's publication.
const YEARS: std::ops::Range<u32> = 1990..2100;
/// Beginnings of the months' names, Russian and English, each with its number.
const MONTHS: [(&str, u32); 25] = [
    ("янв", 1),
    ("фев", 2),
    ("мар", 3),
    ("апр", 4),
    ("мая", 5),
    ("май", 5),
    ("июн", 6),
    ("июл", 7),
    ("авг", 8),
    ("сен", 9),
    ("окт", 10),
    ("ноя", 11),
    ("дек", 12),
    ("jan", 1),
    ("feb", 2),
    ("mar", 3),
    ("apr", 4),
    ("may", 5),
    ("jun", 6),
    ("jul", 7),
    ("aug", 8),
    ("sep", 9),
    ("oct", 10),
    ("nov", 11),
    ("dec", 12),
];
/// What follows a beginning in a month's name.
const ENDINGS: [&str; 40] = [
    "",
    "варя",
    "варь",
    "раля",
    "раль",
    "р",
    "вр",
    "та",
    "т",
    "еля",
    "ель",
    "ня",
    "нь",
    "ля",
    "ль",
    "ь",
    "я",
    "уста",
    "уст",
    "тября",
    "тябрь",
    "т",
    "ября",
    "ябрь",
    "бря",
    "брь",
    "б",
    "абря",
    "абрь",
    "uary",
    "ruary",
    "ch",
    "il",
    "e",
    "y",
    "ust",
    "t",
    "tember",
    "ober",
    "ember",
];

/// `YYYY-MM-DD` of the first day that a text of statements begins with or holds: the value of an attribute, a
/// date line. `None` where no day is named or the order of its parts is unsure (`1/2/2011`).
pub fn day(text: &str) -> Option<String> {
    let parts = parts(text);
    let found = (0..parts.len()).find_map(|at| at_part(&parts[at..]))?;
    let (year, month, day) = found;
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// A number, a month's name, or a word.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Value, digits, and what stands before it (`-`, `.`, `/`, a space or anything else).
    Number(u32, usize, char),
    Month(u32),
    Word,
}

/// Parts looked at: a date line has few.
const MOST_PARTS: usize = 24;

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    let mut before = ' ';
    while let Some(char) = rest.chars().next() {
        if parts.len() == MOST_PARTS {
            break;
        }
        if char.is_ascii_digit() {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            let value = rest[..length.min(8)].parse().unwrap_or(0);
            parts.push(Part::Number(value, length, before));
            rest = &rest[length..];
            before = ' ';
        } else if char.is_alphabetic() {
            let length = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            parts.push(month(&rest[..length]).map_or(Part::Word, Part::Month));
            rest = &rest[length..];
            before = ' ';
        } else {
            before = if before == ' ' { char } else { before };
            rest = &rest[char.len_utf8()..];
        }
    }
    parts
}

fn month(word: &str) -> Option<u32> {
    if word.len() > 20 {
        return None;
    }
    let lower = word.to_lowercase();
    let (begin, number) = MONTHS.iter().find(|(begin, _)| lower.starts_with(begin))?;
    ENDINGS.contains(&&lower[begin.len()..]).then_some(*number)
}

type Day = (u32, u32, u32);

/// The day that begins with the first of the parts.
fn at_part(parts: &[Part]) -> Option<Day> {
    use Part::{Month, Number};
    let year_of = |value: u32, digits: usize| match digits {
        4 => Some(value),
        2 => Some(if value < 70 { 2000 + value } else { 1900 + value }),
        _ => None,
    };
    let found = match *parts {
        // 20190506, and 20190506T101500
        [Number(value, 8, _), ..] => Some((value / 10_000, value / 100 % 100, value % 100)),
        // 2019-05-06, 2019/5/6, 2019.05.06
        [
            Number(year, 4, _),
            Number(month, 1..=2, a),
            Number(day, 1..=2, b),
            ..,
        ] if a == b && is_mark(a) => Some((year, month, day)),
        // 06.05.2019, 6-5-2019; 31/12/2019, where only that order fits
        [
            Number(day, 1..=2, _),
            Number(month, 1..=2, a),
            Number(year, 4, b),
            ..,
        ] if a == b && is_mark(a) => (a != '/' || day > 12).then_some((year, month, day)),
        // 06.05.19
        [Number(day, 2, _), Number(month, 2, '.'), Number(year, 2, '.'), ..] => {
            year_of(year, 2).map(|year| (year, month, day))
        }
        // 6 мая 2019, Mon, 06 May 2019, 06-May-19
        [
            Number(day, 1..=2, _),
            Month(month),
            Number(year, digits, before),
            ..,
        ] => match digits {
            4 => Some((year, month, day)),
            2 if before == '-' => year_of(year, 2).map(|year| (year, month, day)),
            _ => None,
        },
        // 6th of May 2019
        [
            Number(day, 1..=2, _),
            Part::Word,
            Month(month),
            Number(year, 4, _),
            ..,
        ]
        | [
            Number(day, 1..=2, _),
            Part::Word,
            Part::Word,
            Month(month),
            Number(year, 4, _),
            ..,
        ] => Some((year, month, day)),
        // May 6, 2019; May 6th, 2019
        [Month(month), Number(day, 1..=2, _), Number(year, 4, _), ..]
        | [
            Month(month),
            Number(day, 1..=2, _),
            Part::Word,
            Number(year, 4, _),
            ..,
        ] => Some((year, month, day)),
        // Mon May  6 10:00:00 2019
        [
            Month(month),
            Number(day, 1..=2, _),
            Number(_, 2, _),
            Number(_, 2, ':'),
            Number(_, 2, ':'),
            Number(year, 4, _),
            ..,
        ] => Some((year, month, day)),
        _ => None,
    };
    found.filter(|&(year, month, day)| is_day(year, month, day))
}

fn is_mark(char: char) -> bool {
    matches!(char, '-' | '.' | '/')
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    YEARS.contains(&year) && (1..=days).contains(&day)
}

/// Longest text of a line that is a date and little else, in bytes.
const LONGEST_LINE: usize = 120;
/// Words that a date line may have beside the date: the label, the weekday, «г.», «в».
const MOST_WORDS: usize = 5;

/// The day of a line that says a date and little else: «Опубликовано: 6 мая 2019 г., 10:15».
pub fn of_line(text: &str) -> Option<String> {
    if text.len() > LONGEST_LINE || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let words = parts(text).iter().filter(|part| **part == Part::Word).count();
    if words > MOST_WORDS {
        return None;
    }
    day(text)
}

/// What a page's dates are beside its headline: the best day that an element or a line states, and no clock's.
pub fn find(page: &Page, found: &Analysis) -> Option<String> {
    let head = [found.h1.block, found.title.block]
        .into_iter()
        .find(|&block| block != NONE);
    let mut best: Option<(i32, String)> = None;
    let mut offer = |strength: i32, block: u32, day: String| {
        let score = strength - distance(head, block);
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, day));
        }
    };
    for stated in &page.stated.dates {
        if let Some(day) = day(stated.value)
            && !is_elsewhere(page, stated.node, head)
        {
            offer(stated.strength, stated.block, day);
        }
    }
    let Some(head) = head else {
        return best.map(|(_, day)| day);
    };
    let bit = sem::DATE.trailing_zeros() as usize;
    let last = (head + REACH_NAMED + 1).min(page.blocks.len() as u32);
    for block in head.saturating_sub(REACH_NAMED)..last {
        let text = page.block_text(block as usize);
        let at = &page.blocks[block as usize];
        let named = found.near[at.node as usize][bit] <= 1 || at.inline & sem::DATE != 0;
        if block == head || !named && head.abs_diff(block) > REACH {
            continue;
        }
        if let Some(day) = of_line(text)
            && !is_elsewhere(page, at.node, Some(head))
        {
            offer(if named { NAMED_LINE } else { LINE }, block, day);
        }
    }
    best.map(|(_, day)| day)
}

/// Blocks from the headline within which a line that is a date counts: where its element is named so, and else.
const REACH_NAMED: u32 = 15;
const REACH: u32 = 5;

/// Blocks between a date and the headline, up to 40; a date before the headline is a little further away.
fn distance(head: Option<u32>, block: u32) -> i32 {
    head.map_or(0, |head| {
        let before = i32::from(block < head);
        (head.abs_diff(block).min(40)) as i32 + before
    })
}

/// True in parts of the page that are not the article's: comments, related items, sidebars, the page's own header
/// and footer, unless they hold the headline.
fn is_elsewhere(page: &Page, node: u32, head: Option<u32>) -> bool {
    const OTHERS: u64 = sem::COMMENT
        | sem::RELATED
        | sem::SIDEBAR
        | sem::NAV
        | sem::E_NAV
        | sem::E_ASIDE
        | sem::E_HEADER
        | sem::E_FOOTER
        | sem::FOOTER;
    let mut at = node as usize;
    while at != 0 {
        let found = &page.nodes[at];
        let holds_head = head.is_some_and(|head| (found.first..found.last).contains(&head));
        if found.sem & sem::E_ARTICLE != 0 && (holds_head || head.is_none()) {
            return false;
        }
        if found.sem & OTHERS != 0 && !holds_head {
            return true;
        }
        at = found.parent as usize;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_every_form() {
        for text in [
            "2019-05-06",
            "2019-5-6 10:00",
            "2019-05-06T10:00:00+03:00",
            "20190506T100000Z",
            "06.05.2019",
            "6/05/19 06.05.2019",
            "06.05.19",
            "Mon, 06 May 2019 10:00:00 +0300",
            "Monday, 06-May-19 10:00:00 GMT",
            "Mon May  6 10:00:00 2019",
            "May 6, 2019",
            "6th of May, 2019",
            "6 мая 2019 г.",
            "Опубликовано: 6 Мая 2019 года, 10:15",
            "понедельник, 6 МАЯ 2019",
            "10:15, 06.05.2019",
            "2019/05/06",
        ] {
            assert_eq!(day(text).as_deref(), Some("2019-05-06"), "{text}");
        }
        assert_eq!(day("30 Июля 2015").as_deref(), Some("2015-07-30"));
        assert_eq!(day("31.12.2011").as_deref(), Some("2011-12-31"));
        assert_eq!(day("29 февраля 2024").as_deref(), Some("2024-02-29"));
    }

    #[test]
    fn what_names_no_day() {
        for text in [
            "1/2/2011",
            "next week",
            "30 февраля 2020",
            "2019",
            "мая 2019",
            "12.13.2019",
            "192.168.10.2019",
            "",
            "5 маршей 2019",
            "99999999",
            "1 марта 1812",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(
            of_line("В субботу 6 мая 2019 жители города вышли убирать набережную реки"),
            None
        );
    }
}
