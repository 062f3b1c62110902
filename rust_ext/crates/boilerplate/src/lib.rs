//! Boilerplate lines: consent, «Читайте также», counters and their kind, taken out of a text line by line.
//!
//! A line is judged by itself: lines of dialogue and long lines are prose; others are put into small letters
//! without the marks at their ends and matched by the list. The oracle is tests/oracles/boilerplate.py.

mod list;

use std::borrow::Cow;

pub use list::List;

/// Taken off both ends of a line before matching: table rows, bullets, arrows, dashes.
const EDGE: &[char] = &[
    ' ', '\t', '\u{a0}', '|', '•', '·', '●', '▪', '■', '►', '▶', '→', '←', '»', '«', '>', '-', '–', '—', ':',
    '…', '*',
];
/// Characters above which a line is prose without being read: three times the longest limit of the list.
pub const LONGEST: usize = 2_100;

/// White space as Python's `str.isspace` has it: Unicode's, and the four separators of ASCII.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// A line of dialogue: a dash, a space, a word, and an end like a sentence's.
fn is_speech(line: &str) -> bool {
    let Some(said) = line.trim_start_matches(is_space).strip_prefix(['—', '–', '-']) else {
        return false;
    };
    let words = said.trim_start_matches(is_space);
    let mut rest = words.chars();
    words.len() < said.len()
        && rest.next().is_some_and(|c| c.is_alphanumeric() || c == '_')
        && rest
            .as_str()
            .trim_end_matches(is_space)
            .ends_with(['.', '?', '!', ',', ';', '…', '»', '"'])
}

/// A line as the patterns expect it, into `plain`: small letters, е for ё, one space for each run, no marks at
/// the ends. Returns the part of `plain` to look at.
fn normalise<'a>(line: &str, plain: &'a mut String) -> &'a str {
    plain.clear();
    // A whole line at a time, since a final sigma depends on its neighbours; Cyrillic and ASCII need no more
    // than a look at each letter.
    let special = |c: char| c > '\u{2ff}' && !('\u{400}'..='\u{52f}').contains(&c) && c.is_alphabetic();
    let lower: Cow<'_, str> = if line.chars().any(special) {
        Cow::Owned(line.to_lowercase())
    } else {
        Cow::Borrowed(line)
    };
    let mut spaced = false;
    for c in lower.chars() {
        if is_space(c) {
            if !spaced {
                plain.push(' ');
            }
            spaced = true;
            continue;
        }
        spaced = false;
        match c {
            'ё' | 'Ё' => plain.push('е'),
            'а'..='я' => plain.push(c),
            _ if c.is_ascii() => plain.push(c.to_ascii_lowercase()),
            _ => plain.extend(c.to_lowercase()),
        }
    }
    plain.trim_matches(EDGE)
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Boilerplate(usize),
}

impl List {
    /// The number of the category of boilerplate that a line is. `rest`: that of what remains of a table's row.
    pub fn of_line(&self, line: &str, rest: usize, plain: &mut String) -> Option<usize> {
        match self.judge(line, rest, plain) {
            Kind::Text => None,
            Kind::Boilerplate(category) => Some(category),
        }
    }

    fn judge(&self, line: &str, rest: usize, plain: &mut String) -> Kind {
        let long = line.len() > LONGEST && line.chars().nth(LONGEST).is_some();
        if long || line.chars().all(is_space) || is_speech(line) {
            return Kind::Text;
        }
        let plain = normalise(line, plain);
        let found = if plain.is_empty() {
            // Nothing but edges: the rest of a table's row, a lone bullet. A row of dashes or stars is the
            // author's way to part chapters.
            line.contains('|').then_some(rest)
        } else {
            self.category(plain, plain.chars().count())
        };
        found.map_or(Kind::Text, Kind::Boilerplate)
    }

    /// The text without its boilerplate lines, where any goes. `wanted`: whether a category goes; `gone` is called
    /// with the category of each line that goes, and the line.
    pub fn clean(
        &self,
        text: &str,
        rest: usize,
        wanted: &[bool],
        mut gone: impl FnMut(usize, &str),
    ) -> Option<String> {
        let mut plain = String::new();
        let mut kept: Option<String> = None;
        let mut at = 0;
        for line in text.split('\n') {
            let found = (self.of_line(line, rest, &mut plain)).filter(|&category| wanted[category]);
            match found {
                Some(category) => {
                    gone(category, line);
                    kept.get_or_insert_with(|| text[..at].to_owned());
                }
                None => {
                    if let Some(kept) = &mut kept {
                        kept.push_str(line);
                        kept.push('\n');
                    }
                }
            }
            at += line.len() + 1;
        }
        kept.map(|kept| close_gaps(&kept))
    }
}

/// Two line ends for three and more, as dropping a line between blank ones leaves them; none at the ends.
fn close_gaps(text: &str) -> String {
    let text = text.trim_matches('\n');
    let mut closed = String::with_capacity(text.len());
    let mut ends = 0;
    for line in text.split_inclusive('\n') {
        ends = if line == "\n" { ends + 1 } else { 1 };
        if ends <= 2 {
            closed.push_str(line);
        }
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str =
        "# a comment\n[a whole 20]\nчитайте также\n\\d+ просмотров\n\n[b within 60]\nнажимая .{0,20}согла\n";

    fn list() -> List {
        List::read(LIST, &["a".into(), "b".into(), "rest".into()]).expect("a good list")
    }

    /// The cleaned text, and what went: category and line.
    fn clean(text: &str, wanted: &[bool]) -> (Option<String>, Vec<(usize, String)>) {
        let mut gone = Vec::new();
        let cleaned = list().clean(text, 2, wanted, |category, line| {
            gone.push((category, line.to_owned()))
        });
        (cleaned, gone)
    }

    #[test]
    fn lines_go_and_gaps_close() {
        let text = "Начало.\n\n|  Читайте  также: |\n\nКонец.\n12 ПРОСМОТРОВ";
        let (cleaned, gone) = clean(text, &[true; 3]);
        assert_eq!(cleaned.as_deref(), Some("Начало.\n\nКонец."));
        assert_eq!(
            gone,
            [(0, "|  Читайте  также: |".into()), (0, "12 ПРОСМОТРОВ".into())]
        );
    }

    #[test]
    fn prose_dialogue_and_unwanted_kinds_stay() {
        for text in [
            "— Читайте также!",
            "Читайте также его стихи",
            "* * *",
            "",
            "\n\n\n\n",
        ] {
            assert_eq!(clean(text, &[true; 3]), (None, vec![]), "{text:?}");
        }
        assert_eq!(
            clean("Нажимая, я соглашаюсь", &[true, false, true]),
            (None, vec![])
        );
        let long = format!("{} нажимая, я соглашаюсь", "слово ".repeat(20));
        assert_eq!(clean(&long, &[true; 3]), (None, vec![]));
    }

    #[test]
    fn bad_lists_are_named() {
        for bad in ["pattern first", "[a whole 20]\n(", "[z whole 20]\nx"] {
            assert!(List::read(bad, &["a".into()]).is_err(), "{bad}");
        }
    }
}
