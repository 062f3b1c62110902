//! How text between tags becomes the text of a block: white space collapsed, references decoded.

use super::super::semantics as sem;
use super::super::{entities, tags};
use super::{Block, Builder, LATE_BLOCK, MAX_BLOCKS};

/// Longest link to the comments behind a heading, in bytes: "Комментарии: 1234" takes 28.
const COMMENTS_LINK: usize = 48;

impl Builder<'_> {
    /// Ends the running block; `line_break` says that a `br` ended it.
    pub(super) fn flush(&mut self, line_break: bool) {
        self.settle_formula();
        self.space = false;
        let text = &mut self.page.text;
        if self.pre > 0 {
            let kept = text[self.block_start..].trim_end().len();
            text.truncate(self.block_start + kept);
        }
        self.drop_comments_link();
        let text = &mut self.page.text;
        if text.len() > self.block_start {
            if self.page.blocks.len() >= MAX_BLOCKS && text.len() - self.block_start < LATE_BLOCK {
                self.space = true;
                return;
            }
            let mut block = std::mem::take(&mut self.running);
            block.start = self.block_start as u32;
            block.end = text.len() as u32;
            block.node = self.node;
            self.page.blocks.push(block);
            self.block_start = text.len();
            self.running.after_break = line_break;
        } else {
            let images = self.running.images;
            self.running = Block {
                images,
                after_break: line_break && self.running.after_break,
                ..Block::default()
            };
        }
    }

    pub(super) fn text(&mut self, raw: &str) {
        if self.skip > 0 || raw.is_empty() {
            return;
        }
        if self.drawn.is_some() && !raw.trim().is_empty() {
            self.settle_formula();
        }
        let end = raw.trim_ascii_end();
        self.line_ended = raw[end.len()..].contains('\n');
        let before = self.page.text.len();
        if self.pre > 0 {
            self.push_preformatted(raw);
        } else {
            self.push_collapsed(raw);
        }
        let added = (self.page.text.len() - before) as u32;
        if added > 0 {
            self.running.inline |= self.inline;
            if self.links > 0 {
                self.running.link_bytes += added;
            }
            if self.bold > 0 {
                self.running.bold_bytes += added;
            }
        }
    }

    pub(super) fn push_collapsed(&mut self, raw: &str) {
        let bytes = raw.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            // 0xC2 leads no-break spaces, soft hyphens and C1 controls.
            while at < bytes.len() && bytes[at] > b' ' && bytes[at] != b'&' && bytes[at] != 0xC2 {
                at += 1;
            }
            if at > start {
                self.put(&raw[start..at]);
            }
            let Some(&byte) = bytes.get(at) else { break };
            let (char, length) = match byte {
                b'&' => match entities::decode(&bytes[at..]) {
                    Some(found) => {
                        found.chars().for_each(|char| self.put_char(char));
                        at += found.length;
                        continue;
                    }
                    None => ('&', 1),
                },
                0xC2 => (char::from(bytes[at + 1]), 2),
                _ => (' ', 1),
            };
            self.put_char(char);
            at += length;
        }
    }

    /// Takes a link's number off the start of a block, where a capital follows it without a space, or where the
    /// link's names say so: it counts comments and is no word of the paragraph that it floats over.
    fn drop_counter(&mut self, next: &str) {
        if self.link_start != self.block_start || self.link_end != self.page.text.len() {
            return;
        }
        let link = &self.page.text[self.block_start..];
        let floats = !self.space && next.chars().next().is_some_and(char::is_uppercase);
        if !link.is_empty()
            && link.bytes().all(|b| b.is_ascii_digit())
            && (floats || self.link_sem & sem::COMMENT != 0)
        {
            self.cut_link(self.block_start);
            self.space = false;
        }
    }

    /// Takes a link to the comments off the end of a heading, and off a block that is nothing but their number.
    fn drop_comments_link(&mut self) {
        let length = self.page.text.len();
        if self.link_sem & sem::COMMENT == 0
            || self.link_end != length
            || self.link_start < self.block_start
            || length - self.link_start > COMMENTS_LINK
        {
            return;
        }
        let link = &self.page.text[self.link_start..];
        let is_alone = self.link_start == self.block_start;
        let in_heading = tags::heading(self.page.nodes[self.node as usize].tag) > 0;
        if is_alone && link.bytes().all(|b| b.is_ascii_digit()) || !is_alone && in_heading {
            let kept = self.page.text[self.block_start..self.link_start].trim_end().len();
            self.cut_link(self.block_start + kept);
        }
    }

    /// Cuts the text from `from` on, which ends in the last link.
    fn cut_link(&mut self, from: usize) {
        let said = (self.page.text.len() - self.link_start) as u32;
        self.running.link_bytes = self.running.link_bytes.saturating_sub(said);
        self.page.text.truncate(from);
        self.link_end = from;
    }

    /// Text without white space or references.
    pub(super) fn put(&mut self, text: &str) {
        if self.links == 0 {
            self.drop_counter(text);
        }
        if self.space && self.page.text.len() > self.block_start {
            self.page.text.push(' ');
        }
        self.space = false;
        self.page.text.push_str(text);
    }

    pub(super) fn put_char(&mut self, char: char) {
        match char {
            _ if entities::is_invisible(char) => {}
            // Controls above ASCII are what misreadings leave, which repair undoes.
            _ if char.is_ascii_control() || (char.is_whitespace() && char != '\u{85}') => self.space = true,
            _ => self.put(char.encode_utf8(&mut [0; 4])),
        }
    }

    pub(super) fn push_preformatted(&mut self, raw: &str) {
        let mut rest = raw;
        while let Some(char) = rest.chars().next() {
            if char == '&'
                && let Some(found) = entities::decode(rest.as_bytes())
            {
                rest = &rest[found.length..];
                found.chars().for_each(|char| self.put_preformatted(char));
                continue;
            }
            rest = &rest[char.len_utf8()..];
            self.put_preformatted(char);
        }
    }

    fn put_preformatted(&mut self, char: char) {
        let char = match char {
            '\n' | '\t' => char,
            '\u{A0}' => ' ',
            _ if char.is_control() => return,
            _ => char,
        };
        if self.page.text.len() > self.block_start || char != '\n' {
            self.page.text.push(char);
        }
    }
}
