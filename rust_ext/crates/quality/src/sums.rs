//! Sums over the tokens of a text, and the list of values they become.

use super::facts::is;
use super::lines::Tok;
use super::names::COUNT;
use super::words::{Info, Words};

/// Words of a window in which different words are counted.
pub const VARIETY: usize = 100;

/// Words that are added to those of a text where a few words would make a large share.
pub const FEW: usize = 20;

#[derive(Default)]
pub struct LowerCounts {
    pub text: u32,
    pub window: u32,
    pub slots: Vec<LowerSlot>,
}

#[derive(Clone, Copy, Default)]
pub struct LowerSlot {
    text: u32,
    count: u32,
    window: u32,
}

impl LowerCounts {
    pub fn start(&mut self) {
        if self.text == u32::MAX || self.window > u32::MAX / 2 {
            *self = Self::default();
        }
        self.text += 1;
        self.window += 1;
    }

    fn slot(&mut self, lower: u32) -> &mut LowerSlot {
        let at = lower as usize;
        if at >= self.slots.len() {
            self.slots
                .resize((at + 1).next_power_of_two(), LowerSlot::default());
        }
        &mut self.slots[at]
    }

    /// Counts a form in the text; returns how often it has occurred.
    pub fn count(&mut self, lower: u32) -> u32 {
        let text = self.text;
        let slot = self.slot(lower);
        if slot.text != text {
            (slot.text, slot.count) = (text, 0);
        }
        slot.count += 1;
        slot.count
    }

    /// Whether a form is new in the window.
    pub fn is_new(&mut self, lower: u32) -> bool {
        let window = self.window;
        let slot = self.slot(lower);
        std::mem::replace(&mut slot.window, window) != window
    }
}

#[derive(Default)]
pub struct WordSums {
    pub words: usize,
    pub letters_of_words: usize,
    pub dashes: usize,
    pub flags: [usize; 32],
    pub kinds: usize,
    pub latin: usize,
    pub letter_digits: usize,
    pub lone: usize,
    pub long: usize,
    pub plain: usize,
    pub unknown: usize,
    pub odd: usize,
    pub letters: usize,
    pub top: u32,
    pub window_kinds: usize,
    pub closed_kinds: usize,
    pub windows: usize,
}

impl WordSums {
    pub fn add(&mut self, info: &Info, times: u32) {
        let function = info.is(is::FUNCTION);
        self.kinds += usize::from(function && times == 1);
        self.odd += info.odd as usize;
        self.letters += info.letters as usize;
        for flag in [is::FUNCTION, is::MIXED, is::BROKEN_CASE, is::NO_VOWEL, is::UPPER] {
            self.flags[flag.trailing_zeros() as usize] += usize::from(info.is(flag));
        }
        if !info.is(is::LETTERS) {
            return;
        }
        self.letters_of_words += 1;
        self.latin += usize::from(info.is(is::LATIN) && !info.is(is::CYRILLIC));
        self.letter_digits += usize::from(info.is(is::DIGIT));
        self.lone += usize::from(info.chars == 1 && !function);
        self.long += usize::from(info.chars > 20);
        self.plain += usize::from(info.is(is::PLAIN));
        self.unknown += usize::from(info.is(is::UNKNOWN));
        if !function {
            self.top = self.top.max(times);
        }
    }

    pub fn flag(&self, flag: u64) -> usize {
        self.flags[flag.trailing_zeros() as usize]
    }

    pub fn close_window(&mut self) {
        self.closed_kinds += std::mem::take(&mut self.window_kinds);
        self.windows += 1;
    }
}

#[derive(Default)]
pub struct MarkSums {
    /// comma, stop, exclamation, question, dash, colon, quote, bracket, code, emoji
    pub marks: [usize; 10],
    pub inner: usize,
    pub glued: usize,
    pub after: usize,
}

impl MarkSums {
    pub fn add(&mut self, words: &Words, token: Tok, info: &Info, left: Option<&Tok>, right: Option<&Tok>) {
        let first = info.first;
        const MARKS: [u64; 10] = [
            is::COMMA,
            is::STOP,
            is::EXCLAMATION,
            is::QUESTION,
            is::DASH,
            is::COLON,
            is::QUOTE,
            is::BRACKET,
            is::CODE,
            is::EMOJI,
        ];
        let stop = info.is(is::STOP);
        for (count, mark) in self.marks.iter_mut().zip(MARKS) {
            *count += usize::from(info.is(mark));
        }
        let (Some(left), Some(right)) = (left, right) else {
            return;
        };
        let (before, behind) = (words.info(left.id), words.info(right.id));
        if before.is(is::LETTERS)
            && left.end == token.start
            && behind.is(is::LETTERS)
            && right.start == token.end
        {
            // Between Latin letters a question mark belongs to an address of the web.
            let cyrillic = before.is(is::CYRILLIC) || behind.is(is::CYRILLIC);
            self.inner += usize::from(matches!(first, '?' | '\u{FFFD}') && (first != '?' || cyrillic));
            self.glued +=
                usize::from(info.chars == 1 && matches!(first, '.' | '!' | ',') && behind.is(is::CAPITAL));
        }
        let long = before.is(is::LETTERS) && before.chars >= 4;
        self.after += usize::from(stop && long && behind.is(is::LOWER_START) && right.start > token.end);
    }
}

/// The values, pushed in the order of the names.
pub struct Values {
    pub list: [f64; COUNT],
    pub count: usize,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            list: [0.0; COUNT],
            count: 0,
        }
    }
}

impl Values {
    pub fn push(&mut self, value: f64) {
        self.list[self.count] = value;
        self.count += 1;
    }

    pub fn ratio(&mut self, part: usize, whole: usize) {
        self.push(if whole == 0 {
            0.0
        } else {
            part as f64 / whole as f64
        });
    }
}

/// Mean distance from the mean, over the mean.
pub fn spread(sizes: &[u64]) -> f64 {
    let n = sizes.len() as u64;
    let total: u64 = sizes.iter().sum();
    let apart: u64 = sizes.iter().map(|size| (size * n).abs_diff(total)).sum();
    if total == 0 {
        0.0
    } else {
        apart as f64 / (total * n) as f64
    }
}
