//! UTF-8 that was read in a single-byte charset: РџСЂРёРІРµС‚, ÐŸÑ€Ð¸Ð²ÐµÑ‚, п÷я─п╦п╡п╣я┌, ╨Я╤А╨╕╨▓╨╡╤В.
//!
//! Its shape gives it away: the characters, turned back into bytes, are well-formed UTF-8, and almost nothing else
//! is. A clean line has letters that are part of no sequence (in «СССР» the `Р»` happens to be one, the other
//! letters are not), so a line is taken as a whole or, where it is partly clean, by its long runs of sequences.

use super::readers::{READERS, Reader, tables};
use super::scan::is_plain;
use worth::{Around, Worth, is_word_end, worth, worth_of_lost};

mod worth;

/// Sequences in an unbroken row that do not happen by accident: six to eight characters, each second of them
/// one of two. Chosen, like the three below; what they come to is what `bench_repair damage` and `clean` print.
const LONG_RUN: usize = 4;
/// Sequences seen in a document from which on a line with a single one is believed.
const MUCH_EVIDENCE: usize = 8;
/// A broken line may hold one stray character (a byte lost on the way) for so many sequences.
const STRAY: usize = 20;
/// The same, where the rest of the document is known to be broken.
const STRAY_IN_BROKEN: usize = 3;

/// A sequence found in a line.
struct Piece {
    start: usize,
    end: usize,
    char: char,
    worth: Worth,
    taken: bool,
}

/// A line as a reader sees it.
struct View {
    pieces: Vec<Piece>,
    /// Characters of the reader's upper half that belong to no sequence.
    stray: usize,
}

impl View {
    fn evidence(&self) -> usize {
        self.pieces
            .iter()
            .filter(|piece| piece.worth != Worth::Nothing)
            .count()
    }

    fn is_broken_line(&self) -> bool {
        let evidence = self.evidence();
        evidence >= LONG_RUN && self.stray * STRAY <= evidence && self.pieces.len() <= evidence * 2
    }

    fn is_broken_in_broken_text(&self) -> bool {
        self.evidence() >= 1 && self.stray * STRAY_IN_BROKEN <= self.pieces.len()
    }

    /// Takes the runs that are long enough, proofs, and what only ASCII separates from a long run.
    fn take_runs(&mut self, line: &str) {
        let mut near_long_run = false;
        for forward in [true, false] {
            let mut runs = self.runs();
            if !forward {
                runs.reverse();
            }
            let mut edge: Option<usize> = None;
            for (from, to) in runs {
                let (start, end) = (self.pieces[from].start, self.pieces[to - 1].end);
                let between = edge.map_or("", |edge| {
                    if forward {
                        &line[edge..start]
                    } else {
                        &line[end..edge]
                    }
                });
                let run = &mut self.pieces[from..to];
                let is_long = run.iter().filter(|piece| piece.worth != Worth::Nothing).count() >= LONG_RUN;
                near_long_run = is_long || (near_long_run && between.is_ascii());
                for piece in run {
                    piece.taken |= near_long_run || piece.worth == Worth::Proof;
                }
                edge = Some(if forward { end } else { start });
            }
            near_long_run = false;
        }
    }

    /// Takes the signs of Latin-1 in a line in which one is proven, or an opening quote stands before a closing one:
    /// «Правда», as В«ПравдаВ» shows it, is sure by its end.
    fn take_signs(&mut self, line: &str) {
        let opening = self.pieces.iter().position(|piece| piece.char == '«');
        let is_pair = opening.is_some_and(|at| self.pieces[at..].iter().any(|piece| piece.char == '»'));
        let is_proven = |piece: &Piece| piece.taken && ('\u{a1}'..='\u{bf}').contains(&piece.char);
        if !is_pair && !self.pieces.iter().any(is_proven) {
            return;
        }
        for piece in &mut self.pieces {
            let before = line[..piece.start].chars().next_back();
            let is_space = matches!(piece.char, '\u{a0}' | ' ') && before.is_some_and(is_word_end);
            piece.taken |= ('\u{a1}'..='\u{bf}').contains(&piece.char) || is_space;
        }
    }

    /// Rows of pieces that touch each other, as ranges of `pieces`.
    fn runs(&self) -> Vec<(usize, usize)> {
        let starts = (0..self.pieces.len())
            .filter(|&at| at == 0 || self.pieces[at].start != self.pieces[at - 1].end)
            .chain([self.pieces.len()]);
        let starts: Vec<usize> = starts.collect();
        starts.windows(2).map(|ends| (ends[0], ends[1])).collect()
    }
}

/// The line undone by the reader that explains most of it, and the number of characters restored.
pub struct Undone {
    /// The repaired line.
    pub text: String,
    /// Characters put in the place of sequences.
    pub characters: usize,
}

/// Which readers show at least one UTF-8 sequence anywhere in a line: one bit each.
fn readers_with_sequences(text: &str) -> u8 {
    let tables = tables();
    let (mut before, mut seen, mut is_lead) = (0u8, 0u8, false);
    for char in text.chars() {
        let roles = tables.roles(char);
        seen |= before & (roles >> 4);
        // `Â ` is one that lost its second byte.
        seen |= u8::from(is_lead && char == ' ') << Reader::Latin as u8;
        is_lead = char == 'Â';
        before = roles & 0x0F;
    }
    seen
}

/// Undoes one layer in all lines; `None` where nothing is broken.
pub fn undo_layer(text: &str) -> Option<(String, usize)> {
    undo_where(text, |line| !is_plain(line.as_bytes()))
}

/// The same; only lines that are `odd` can be evidence.
pub fn undo_where(text: &str, odd: impl Fn(&str) -> bool) -> Option<(String, usize)> {
    let looked_at = text.split('\n').filter(|line| odd(line));
    let seen = looked_at.fold(0, |seen, line| seen | readers_with_sequences(line));
    if seen == 0 {
        return None;
    }
    let readers: Vec<Reader> = READERS
        .into_iter()
        .filter(|&reader| seen >> (reader as u8) & 1 == 1)
        .collect();
    let mut evidence = [0usize; READERS.len()];
    for &reader in &readers {
        for line in text.split('\n').filter(|line| odd(line)) {
            let mut view = view(line, reader);
            evidence[reader as usize] += take(&mut view, line, reader, false);
        }
    }
    if evidence.iter().all(|&sequences| sequences == 0) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut restored = 0;
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        match undo_line(line, &readers, &evidence) {
            Some(undone) => {
                restored += undone.characters;
                out.push_str(&undone.text);
            }
            None => out.push_str(line),
        }
    }
    (restored > 0).then_some((out, restored))
}

fn undo_line(line: &str, readers: &[Reader], evidence: &[usize; READERS.len()]) -> Option<Undone> {
    let mut best: Option<(usize, View)> = None;
    for &reader in readers {
        let mut view = view(line, reader);
        let taken = take(
            &mut view,
            line,
            reader,
            evidence[reader as usize] >= MUCH_EVIDENCE,
        );
        if taken > best.as_ref().map_or(0, |(most, _)| *most) {
            best = Some((taken, view));
        }
    }
    best.map(|(_, view)| rewrite(line, &view))
}

fn rewrite(line: &str, view: &View) -> Undone {
    let mut text = String::with_capacity(line.len());
    let (mut from, mut characters) = (0, 0);
    for piece in view.pieces.iter().filter(|piece| piece.taken) {
        text.push_str(&line[from..piece.start]);
        text.push(piece.char);
        from = piece.end;
        characters += 1;
    }
    text.push_str(&line[from..]);
    Undone { text, characters }
}

/// Marks the sequences to undo and returns their number.
fn take(view: &mut View, line: &str, reader: Reader, much_evidence: bool) -> usize {
    if view.pieces.is_empty() {
        return 0;
    }
    if view.is_broken_line() || (much_evidence && view.is_broken_in_broken_text()) {
        view.pieces.iter_mut().for_each(|piece| piece.taken = true);
    } else {
        view.take_runs(line);
        if reader == Reader::Cp1251 {
            view.take_signs(line);
        }
    }
    view.pieces.iter().filter(|piece| piece.taken).count()
}

fn view(line: &str, reader: Reader) -> View {
    let tables = tables();
    let mut found = View {
        pieces: Vec::new(),
        stray: 0,
    };
    let mut rest = line;
    let mut at = 0;
    while let Some(char) = rest.chars().next() {
        let lead = tables.byte(reader, char);
        let read = if lead >= 0xC2 {
            sequence(rest, reader, lead)
        } else {
            None
        };
        let length = match read {
            Some((length, char, whole)) => {
                let around = Around {
                    line_before: &line[..at],
                    before: line[..at].chars().next_back(),
                    after: rest[length..].chars().next(),
                };
                let worth = if whole {
                    worth(char, &rest[..length], reader, around)
                } else {
                    worth_of_lost(char, reader, around)
                };
                found.pieces.push(Piece {
                    start: at,
                    end: at + length,
                    char,
                    worth,
                    taken: false,
                });
                length
            }
            None => {
                found.stray += usize::from(lead != 0);
                char.len_utf8()
            }
        };
        at += length;
        rest = &rest[length..];
    }
    found
}

/// Reads one UTF-8 sequence of the reader's characters: its length in bytes of `text`, the character it stands
/// for, and whether every byte of it was there.
fn sequence(text: &str, reader: Reader, lead: u8) -> Option<(usize, char, bool)> {
    let tables = tables();
    let wanted = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [lead, 0, 0, 0];
    let (mut length, mut whole) = (0, true);
    for (number, char) in text.chars().take(wanted).enumerate() {
        let byte = if number == 0 {
            lead
        } else {
            tables.byte(reader, char)
        };
        if number > 0 && !(0x80..=0xBF).contains(&byte) {
            let (lost, consumed) = lost_byte(reader, lead, &text[length..])?;
            bytes[number] = lost;
            length += consumed;
            whole = false;
            // A no-break space that became a space stays one.
            if lead == 0xC2 {
                return Some((length, ' ', whole));
            }
            break;
        }
        bytes[number] = byte;
        length += char.len_utf8();
    }
    let decoded = std::str::from_utf8(&bytes[..wanted]).ok()?.chars().next()?;
    Some((length, decoded, whole))
}

/// A byte that did not survive: the no-break space (last byte of Р and of the no-break space itself) that somebody
/// turned into a space, and 0x98 (last byte of И), which windows-1251 leaves undefined: readers show it as U+FFFD, as a
/// question mark, as windows-1252's ˜, or drop it, so that the next letter's first byte follows.
fn lost_byte(reader: Reader, lead: u8, rest: &str) -> Option<(u8, usize)> {
    let mut chars = rest.chars();
    let instead = chars.next()?;
    match (reader, lead, instead) {
        (Reader::Latin | Reader::Cp1251, 0xC2 | 0xD0, ' ') => Some((0xA0, 1)),
        (Reader::Cp1251, 0xD0, char::REPLACEMENT_CHARACTER) => Some((0x98, 3)),
        (Reader::Cp1251, 0xD0, '?') => Some((0x98, 1)),
        (Reader::Cp1251, 0xD0, '˜') => Some((0x98, 2)),
        (Reader::Cp1251, 0xD0, 'Р' | 'С') => {
            let later = tables().byte(reader, chars.next()?);
            (0x80..=0xBF).contains(&later).then_some((0x98, 0))
        }
        _ => None,
    }
}
