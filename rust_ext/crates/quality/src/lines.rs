//! Lines and their shapes: verse, plays, dialogue, code, tables, lists, labels and prose.

use bukvar_text::lines::{char_count, strip};
use bukvar_text::repetition::Interner;

use super::facts::is;
use super::words::{Info, Words};

/// A token of the text that is measured.
#[derive(Clone, Copy)]
pub struct Tok {
    /// Facts of the token (`facts::is`): here, so that passes over tokens read memory in order.
    pub flags: u64,
    /// The number of its lower-case form.
    pub lower: u32,
    pub id: u32,
    pub start: u32,
    pub end: u32,
}

impl Tok {
    #[inline]
    pub fn is(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }
}

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Verse,
    Play,
    Dialogue,
    Code,
    Table,
    List,
    Label,
    Prose,
}

/// A line that has tokens.
#[derive(Clone, Copy)]
pub struct Line {
    /// Its tokens in the list of all.
    pub first: usize,
    pub last: usize,
    pub words: u32,
    pub functions: u32,
    pub letters: u32,
    pub numbers: u32,
    pub code: u32,
    solid: u32,
    chars: u32,
    /// Ends a sentence.
    pub closed: bool,
    ends_in_mark: bool,
    tabbed: bool,
    /// A number that lines of the same text share.
    text: u32,
    pub shape: Shape,
}

impl Line {
    pub fn tokens<'a>(&self, tokens: &'a [Tok]) -> &'a [Tok] {
        &tokens[self.first..self.last]
    }

    /// Short and without an end of sentence.
    pub fn is_open(&self) -> bool {
        !self.closed && self.words <= 12
    }
}

/// Reads lines of one text into a list, then finds their shapes.
#[derive(Default)]
pub struct Lines {
    pub list: Vec<Line>,
    times: Vec<u32>,
    texts: Interner,
}

impl Lines {
    pub fn start(&mut self) {
        self.list.clear();
        self.times.clear();
        self.texts.start();
    }

    /// Adds the line `text[start..end]`, whose tokens are `tokens[first..]`; a line without tokens is none.
    pub fn add(&mut self, words: &Words, text: &str, span: (usize, usize), tokens: &[Tok], first: usize) {
        let of_line = &tokens[first..];
        let Some(last) = of_line.last() else { return };
        let stripped = strip(&text[span.0..span.1]);
        let start = stripped.as_ptr() as usize - text.as_ptr() as usize;
        let (id, new) = self.texts.id(text.as_bytes(), start, start + stripped.len());
        if new {
            self.times.push(0);
        }
        self.times[id as usize] += 1;
        let mut line = Line {
            first,
            last: tokens.len(),
            words: 0,
            functions: 0,
            letters: 0,
            numbers: 0,
            code: 0,
            solid: 0,
            chars: char_count(stripped.as_bytes()) as u32,
            closed: false,
            ends_in_mark: false,
            tabbed: memchr::memchr(b'\t', stripped.as_bytes()).is_some(),
            text: id,
            shape: Shape::Prose,
        };
        for token in of_line {
            let chars = words.info(token.id).chars;
            line.words += u32::from(token.is(is::WORD));
            line.functions += u32::from(token.is(is::FUNCTION));
            line.letters += u32::from(token.is(is::LETTERS));
            line.numbers += u32::from(token.flags & (is::WORD | is::LETTERS) == is::WORD);
            line.solid += chars;
            line.code += if token.is(is::CODE) { chars } else { 0 };
        }
        let behind = of_line
            .iter()
            .rev()
            .map(|token| words.info(token.id))
            .find(|info| !info.is(is::CLOSING));
        line.closed = behind.is_some_and(|info| info.is(is::END));
        let last = words.info(last.id);
        line.ends_in_mark = line.closed || last.is(is::DASH) || last.is(is::CLOSING) || last.symbol(",;:");
        self.list.push(line);
    }

    /// Finds the shape of each line: what it is by itself, then runs of verse.
    pub fn shape(&mut self, words: &Words, tokens: &[Tok]) {
        for at in 0..self.list.len() {
            let line = self.list[at];
            let times = self.times[line.text as usize];
            self.list[at].shape = shape(words, &line, line.tokens(tokens), times);
        }
        let runs: Vec<_> = runs(&self.list, |line| line.shape == Shape::Verse).collect();
        for (start, end) in runs {
            let run = &mut self.list[start..end];
            let ends = run.iter().filter(|line| line.ends_in_mark).count();
            if run.len() < 4 || 2 * ends < run.len() {
                for line in run {
                    line.shape = if line.closed { Shape::Prose } else { Shape::Label };
                }
            }
        }
    }
}

/// Runs of neighbouring lines that `belongs`: where each begins and ends.
pub fn runs(lines: &[Line], belongs: impl Fn(&Line) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < lines.len() && !belongs(&lines[at]) {
            at += 1;
        }
        let start = at;
        while at < lines.len() && belongs(&lines[at]) {
            at += 1;
        }
        (at > start).then_some((start, at))
    })
}

const BULLETS: &str = "•·▪►●■□◦‣✓✔✅☑★☆➤→*+";

fn shape(words: &Words, line: &Line, tokens: &[Tok], times: u32) -> Shape {
    let first = words.info(tokens[0].id);
    let last = words.info(tokens[tokens.len() - 1].id);
    let second = tokens.get(1).map(|token| words.info(token.id));
    let one = |info: &Info, set: &str| info.chars == 1 && info.symbol(set);
    if line.code >= 3 && 8 * line.code >= line.solid {
        return Shape::Code;
    }
    if line.words >= 3 && 2 * line.numbers >= line.words || line.tabbed {
        return Shape::Table;
    }
    if first.is(is::DASH) && second.is_some_and(|info| info.is(is::WORD)) {
        let talks = line.closed || line.words >= 7 && line.functions > 0;
        return if talks { Shape::Dialogue } else { Shape::List };
    }
    if first.symbol(BULLETS) {
        return Shape::List;
    }
    let number = first.flags & (is::WORD | is::LETTERS) == is::WORD;
    if number && second.is_some_and(|info| one(info, ".)")) {
        return Shape::List;
    }
    if one(first, "(") && last.symbol(").") {
        return Shape::Play;
    }
    if first.is(is::CAPITAL) && line.words <= 4 && times >= 2 && line.functions == 0 {
        return Shape::Play;
    }
    if first.is(is::UPPER) && line.words >= 2 && second.is_some_and(|info| one(info, ".:")) {
        return Shape::Play;
    }
    if (2..=12).contains(&line.words) && line.chars <= 70 {
        return Shape::Verse;
    }
    if line.closed || line.words >= 12 {
        Shape::Prose
    } else {
        Shape::Label
    }
}

/// The sentences of a line: one ends behind a mark that ends sentences, unless a word in lower case follows.
pub fn sentences(line: &[Tok]) -> impl Iterator<Item = &[Tok]> {
    let ends = move |at: usize| {
        let follows = line.get(at + 1).is_some_and(|next| next.is(is::LOWER_START));
        line[at].is(is::END) && !follows
    };
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == line.len() {
            return None;
        }
        let end = (start..line.len())
            .find(|&at| ends(at))
            .map_or(line.len(), |at| at + 1);
        let sentence = &line[start..end];
        start = end;
        Some(sentence)
    })
}
