//! Where bytes are missing or broken: what a record keeps of itself there, and the rows that say so.

use std::io::{self, Read};

use super::super::header::Head;
use super::super::page::Record;
use super::cut::malformed;
use super::{Place, Reader, STEP};

impl<R: Read> Reader<R> {
    pub(super) fn damage_here(&mut self) -> Option<Record> {
        let mark = self.stream.window.take_damage()?;
        self.place = Place::rubble(mark.source);
        Some(malformed(
            Head::default(),
            mark.source,
            mark.damage.unwrap_or_default(),
        ))
    }

    /// Takes every damage marked up to the position; the first one's kind.
    pub(super) fn take_damage(&mut self) -> Option<&'static str> {
        let mut first = None;
        while let Some(mark) = self.stream.window.take_damage() {
            first = first.or(mark.damage);
        }
        first
    }

    /// The first damage in a block of `length` bytes or in the `behind` bytes after it, there only of a member
    /// that begins in the block or before it: another one's is not the block's, and comes out by itself.
    pub(super) fn damage_within(&self, length: usize, behind: usize) -> Option<(usize, &'static str)> {
        let window = &self.stream.window;
        let (at, mark) = window.marks_ahead().find(|(_, mark)| mark.damage.is_some())?;
        let ours = mark.begin < window.position() + length as u64;
        let near = at < length || at <= length + behind && ours;
        mark.damage.filter(|_| near).map(|kind| (at, kind))
    }

    /// What keeps a record from going on at the position, which lies inside of it: bytes are missing here, or a
    /// member begins that begins with a record. `ensure` sees such places behind the position only.
    pub(super) fn cut_here(&mut self) -> io::Result<Option<&'static str>> {
        // Marks come before the bytes behind them: with those here, all marks at the position are.
        self.ensure(5)?;
        let window = &self.stream.window;
        let damage = window.marks_here().find_map(|mark| mark.damage);
        let begins = self.stream.format().begins(window.data()) == Some(true);
        let member = window.marks_here().next().is_some() && begins;
        Ok(damage.or(member.then_some("truncated")))
    }

    /// Damage that ends the rubble behind a block of `length` bytes, if it comes soon.
    pub(super) fn damage_behind(&mut self, length: usize) -> io::Result<Option<(usize, &'static str)>> {
        self.ensure(length + STEP)?;
        Ok(self.damage_within(length, STEP))
    }

    /// Distance to the first place below `want` that no record may cross; and whether more bytes are needed
    /// to know.
    pub(super) fn cut(&self, want: usize) -> (Option<usize>, bool) {
        let data = self.stream.window.data();
        for (distance, mark) in self
            .stream
            .window
            .marks_ahead()
            .take_while(|(distance, _)| *distance < want)
        {
            let begins = &data[distance.min(data.len())..];
            match self.stream.format().begins(begins) {
                _ if mark.damage.is_some() => return (Some(distance), false),
                Some(true) => return (Some(distance), false),
                Some(false) => {}
                None => return (None, true),
            }
        }
        (None, false)
    }
}
