//! The decompressed bytes that are in memory, with marks where members of the file begin or are damaged.

use std::collections::VecDeque;

/// A place in the decompressed stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Absolute offset in the decompressed stream.
    pub at: u64,
    /// Offset in the file of the member that begins here or, where `damage` is set, of the damaged one.
    pub source: u64,
    /// Set where bytes are missing at this place: what is wrong with the member.
    pub damage: Option<&'static str>,
    /// Absolute offset in the decompressed stream where the member's bytes begin: what lies before them is not
    /// touched by its damage.
    pub begin: u64,
}

/// A buffer that members are decompressed into and records are cut from.
#[derive(Default)]
pub struct Window {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    base: u64,
    marks: VecDeque<Mark>,
    /// Where the last member that was begun begins: in the file and in the decompressed stream.
    member: Option<(u64, u64)>,
    /// The same of the member in which the position lies.
    inside: Option<(u64, u64)>,
}

impl Window {
    /// A window on bytes that begin at `base` in the decompressed stream.
    pub fn at(base: u64) -> Self {
        Window {
            base,
            ..Window::default()
        }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// The bytes decompressed and not yet consumed.
    pub fn data(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Absolute offset of `data()[0]` in the decompressed stream.
    pub fn position(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Writable space of at least `want` bytes behind `data()`.
    pub fn space(&mut self, want: usize) -> &mut [u8] {
        if self.start > 0 && (self.start == self.end || self.buffer.len() - self.end < want) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.base += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < want {
            self.buffer.resize(self.end + want, 0);
        }
        &mut self.buffer[self.end..]
    }

    /// Declares `count` bytes of `space` written.
    pub fn advance(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    pub fn append(&mut self, bytes: &[u8]) {
        self.space(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.advance(bytes.len());
    }

    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        let position = self.position();
        let begun = self.marks.iter().take_while(|mark| mark.at <= position);
        let member = begun.filter(|mark| mark.damage.is_none()).last();
        self.inside = member.map(|mark| (mark.source, mark.at)).or(self.inside);
    }

    /// Passes over `count` bytes that come after what is held and never will be: the window must be empty.
    pub fn skip(&mut self, count: usize) {
        debug_assert!(self.start == self.end);
        self.base += count as u64;
    }

    /// Whether bytes are known to be missing at the position or behind it.
    pub fn has_damage(&self) -> bool {
        self.marks.iter().any(|mark| mark.damage.is_some())
    }

    /// Marks the beginning of a member at the end of the data.
    pub fn mark(&mut self, source: u64) {
        let at = self.base + self.end as u64;
        self.member = Some((source, at));
        self.marks.push_back(Mark {
            at,
            source,
            damage: None,
            begin: at,
        });
    }

    /// Marks that bytes are missing at the end of the data.
    pub fn damage(&mut self, source: u64, kind: &'static str) {
        let at = self.base + self.end as u64;
        let begun = self.member.filter(|&(member, _)| member == source);
        self.marks.push_back(Mark {
            at,
            source,
            damage: Some(kind),
            begin: begun.map_or(at, |(_, begin)| begin),
        });
    }

    /// Offset in the file of the member that begins at the position; None where none does.
    pub fn member_here(&self) -> Option<u64> {
        let position = self.position();
        let here = self.marks.iter().take_while(|m| m.at <= position);
        let member = here.filter(|m| m.at == position && m.damage.is_none()).last();
        member.map(|m| m.source)
    }

    /// Offset in the file for a record that begins at the position: its member's where it begins one, else
    /// the position itself.
    pub fn source_offset(&self) -> u64 {
        self.member_here().unwrap_or_else(|| self.position())
    }

    /// Offset for bytes at the position that are no record: that of the member they lie in and how many bytes into
    /// it, in plain files the position.
    pub fn rubble_offset(&self) -> u64 {
        let inside = |(source, begin): (u64, u64)| source + self.position().saturating_sub(begin);
        let member = || self.inside.map_or_else(|| self.position(), inside);
        self.member_here().unwrap_or_else(member)
    }

    /// Takes the damage marked at or before the position, if any, and forgets marks before the position.
    pub fn take_damage(&mut self) -> Option<Mark> {
        let position = self.position();
        while let Some(&mark) = self.marks.front() {
            if mark.at > position {
                return None;
            }
            if mark.damage.is_some() {
                self.marks.pop_front();
                return Some(mark);
            }
            // A member's beginning stays as long as a record may begin there.
            if mark.at == position && !self.marks.iter().skip(1).any(|m| m.at == position) {
                return None;
            }
            self.marks.pop_front();
        }
        None
    }

    /// Marks at the position.
    pub fn marks_here(&self) -> impl Iterator<Item = &Mark> + '_ {
        let position = self.position();
        self.marks.iter().filter(move |m| m.at == position)
    }

    /// Marks behind the position, each with its distance from it.
    pub fn marks_ahead(&self) -> impl Iterator<Item = (usize, Mark)> + '_ {
        let position = self.position();
        self.marks
            .iter()
            .filter(move |m| m.at > position)
            .map(move |m| ((m.at - position) as usize, *m))
    }
}
