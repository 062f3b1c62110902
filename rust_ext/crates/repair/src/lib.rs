//! Repairs of text that was damaged on its way: read in the wrong charset, escaped twice, sprinkled with characters
//! that nobody sees, spelt with look-alikes of another script. Clean text comes back as it is.
//!
//! Most text needs nothing, and `scan` sees that at memory speed. The rest goes through the repairs in an order in
//! which each finds what the one before it uncovers: entities, mojibake, marks, look-alikes.

mod about;
mod context;
mod entities;
mod homoglyphs;
mod kinds;
pub mod mac;
mod marks;
mod mistakes;
pub mod mojibake;
mod readers;
mod scan;
pub mod single;
pub mod utf8;
mod words;

use std::borrow::Cow;

use about::About;
pub use kinds::{Counts, KINDS, Kind, Options};
pub use scan::is_plain;

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

#[cfg(test)]
mod tests;
