//! Repairs of text that was damaged on its way: read in the wrong charset, escaped twice, sprinkled with characters
//! that nobody sees, spelt with look-alikes of another script. Clean text comes back as it is.
//!
//! Most text needs nothing, and `scan` sees that at memory speed. The rest goes through the repairs in an order in
//! which each finds what the one before it uncovers: entities, mojibake, marks, look-alikes.

mod context;
mod entities;
mod entity_names;
mod homoglyphs;
mod marks;
pub mod mojibake;
mod readers;
mod scan;
pub mod single;
pub mod utf8;
mod words;

use std::borrow::Cow;

pub use scan::is_plain;

/// The repairs, in the order of their counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Characters restored from text decoded in the wrong charset.
    Mojibake = 0,
    /// Entities that were escaped twice.
    Entities = 1,
    /// Control characters removed or replaced by what they stand for.
    Controls = 2,
    /// Zero-width characters and idle direction marks removed.
    ZeroWidth = 3,
    /// Soft hyphens removed.
    SoftHyphens = 4,
    /// Stress marks removed.
    Stress = 5,
    /// Characters composed (й from и and a breve).
    Nfc = 6,
    /// Letters of the wrong script in a word of another.
    Homoglyphs = 7,
}

/// Number of kinds.
pub const KINDS: usize = 8;

/// Which repairs are wanted: bit n for the kind n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options(pub u8);

impl Options {
    /// Every repair.
    pub const ALL: Self = Self(u8::MAX);

    /// True when the repair is wanted.
    pub fn wants(&self, kind: Kind) -> bool {
        self.0 >> (kind as u8) & 1 == 1
    }
}

/// How often each repair was applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts(pub [i32; KINDS]);

impl Counts {
    fn add(&mut self, kind: Kind, more: usize) {
        let cell = &mut self.0[kind as usize];
        *cell = cell.saturating_add(i32::try_from(more).unwrap_or(i32::MAX));
    }
}

/// The repaired text and what was done to it.
pub fn repair<'a>(text: &'a str, options: &Options) -> (Cow<'a, str>, Counts) {
    let mut counts = Counts::default();
    if is_plain(text.as_bytes()) {
        return (Cow::Borrowed(text), counts);
    }
    let mut text = Cow::Borrowed(text);
    if options.wants(Kind::Entities)
        && let Some((repaired, count)) = entities::repair(&text)
    {
        counts.add(Kind::Entities, count);
        text = Cow::Owned(repaired);
    }
    if options.wants(Kind::Mojibake)
        && let Some((repaired, count)) = mojibake::undo(&text)
    {
        counts.add(Kind::Mojibake, count);
        text = Cow::Owned(repaired);
    }
    match line_by_line(&text, options, &mut counts) {
        Some(repaired) => (Cow::Owned(repaired), counts),
        None => (text, counts),
    }
}

/// The repairs that look at one line at a time, at those lines that need it; `None` where nothing changes.
fn line_by_line(text: &str, options: &Options, counts: &mut Counts) -> Option<String> {
    let mut out: Option<String> = None;
    let mut about = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let repaired = if is_plain(line.as_bytes()) {
            None
        } else {
            let about = about.get_or_insert_with(|| About::of(text));
            repair_line(line, about, options, counts)
        };
        match (&mut out, repaired) {
            (None, None) => {}
            (Some(out), None) => out.push_str(line),
            (out, Some(repaired)) => out
                .get_or_insert_with(|| text[..at].to_owned())
                .push_str(&repaired),
        }
        at += line.len();
    }
    out
}

fn repair_line(line: &str, about: &About, options: &Options, counts: &mut Counts) -> Option<String> {
    let marked = marks::repair(line, about, options, counts);
    if !options.wants(Kind::Homoglyphs) {
        return marked;
    }
    homoglyphs::repair(marked.as_deref().unwrap_or(line), about, counts).or(marked)
}

/// What a repair of one line has to know of the whole text.
#[derive(Debug, Clone, Copy, Default)]
struct About {
    /// It has letters that run from right to left.
    right_to_left: bool,
    /// It has letters of the alphabets with і: Ukrainian, Belarusian, Kazakh, Russian before 1918. Elsewhere a Latin i
    /// in a Cyrillic word is no look-alike but something else.
    has_i: bool,
    /// It has ј, as Serbian and Macedonian do; the same for a Latin j.
    has_je: bool,
    /// It has more Cyrillic letters than Latin ones.
    mostly_cyrillic: bool,
}

impl About {
    fn of(text: &str) -> Self {
        let mut about = Self::default();
        let (mut cyrillic, mut latin) = (0usize, 0usize);
        for char in text.chars() {
            match char {
                'a'..='z' | 'A'..='Z' => latin += 1,
                '\0'..='\u{3ff}' => {}
                'А'..='я' | 'ё' | 'Ё' => cyrillic += 1,
                'ј' | 'Ј' => about.has_je = true,
                '\u{400}'..='\u{52f}' => {
                    cyrillic += 1;
                    about.has_i |= "іїєґўѣѳѵқңғөұүәһІЇЄҐЎѢѲѴҚҢҒӨҰҮӘҺ".contains(char);
                }
                '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => {
                    about.right_to_left = true
                }
                _ => {}
            }
        }
        about.mostly_cyrillic = cyrillic > latin;
        about
    }
}

#[cfg(test)]
mod tests;
