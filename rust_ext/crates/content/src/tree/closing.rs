//! What end tags close, and what closes by itself.

use super::super::tags::{self, BLOCK, CLOSES_P, RAW, SCOPE, Tag, VOID, flags};
use super::Builder;

impl Builder<'_> {
    /// Closes what the start of a block element closes.
    pub(super) fn close_implied(&mut self, tag: Tag, flags: u16) {
        if flags & CLOSES_P != 0 && self.counts[tags::P as usize] > 0 {
            self.close_within(
                |t| t == tags::P,
                |t| tags::flags(t) & SCOPE != 0 || t == tags::BUTTON,
            );
        }
        if self.counts[tags::SELECT as usize] > 0 && flags & CLOSES_P != 0 {
            self.close_within(|t| t == tags::SELECT, |_| false);
        }
        let item_scope = |t: Tag| {
            tags::flags(t) & BLOCK != 0 && !matches!(t, tags::DIV | tags::P | tags::ADDRESS | tags::CUSTOM)
        };
        match tag {
            tags::LI => self.close_within(|t| t == tags::LI, item_scope),
            tags::DT | tags::DD => self.close_within(|t| matches!(t, tags::DT | tags::DD), item_scope),
            tags::TD | tags::TH => self.close_within(
                |t| matches!(t, tags::TD | tags::TH),
                |t| matches!(t, tags::TR | tags::TABLE),
            ),
            tags::TR => self.close_within(|t| t == tags::TR, |t| t == tags::TABLE),
            tags::TBODY | tags::THEAD | tags::TFOOT => self.close_within(
                |t| matches!(t, tags::TBODY | tags::THEAD | tags::TFOOT | tags::CAPTION),
                |t| t == tags::TABLE,
            ),
            tags::BUTTON => self.close_within(|t| t == tags::BUTTON, |t| tags::flags(t) & SCOPE != 0),
            _ if tags::heading(tag) > 0 => {
                self.close_within(|t| tags::heading(t) > 0, |t| tags::flags(t) & BLOCK != 0)
            }
            _ => {}
        }
    }

    /// Closes the nearest open element that `wanted` names, unless one that `scope` names comes first.
    pub(super) fn close_within(&mut self, wanted: impl Fn(Tag) -> bool, scope: impl Fn(Tag) -> bool) {
        for at in (0..self.open.len()).rev() {
            let tag = self.open[at].tag;
            if wanted(tag) {
                return self.pop_to(at);
            }
            if scope(tag) {
                return;
            }
        }
    }

    pub(super) fn end(&mut self, tag: Tag) {
        let flags = flags(tag);
        if matches!(tag, tags::P | tags::BR) {
            self.break_out(tag);
        }
        if tag == tags::SVG && self.counts[tags::SVG as usize] > 0 {
            return self.close_within(|t| t == tags::SVG, |_| false);
        }
        if self.ends_in_sentence(tag) {
            return self.end_inline(tag);
        }
        if flags & BLOCK == 0 {
            if flags & (VOID | RAW) == 0 && self.counts[tag as usize] > 0 {
                self.end_inline(tag);
            } else if tag == tags::BR {
                self.flush(true);
            }
            return;
        }
        self.flush(false);
        if matches!(tag, tags::HTML | tags::BODY | tags::HEAD) {
            return;
        }
        if self.overflow > 0 {
            self.overflow -= 1;
            return;
        }
        if tags::heading(tag) > 0 {
            return self.close_within(|t| tags::heading(t) > 0, |t| tags::flags(t) & SCOPE != 0);
        }
        if self.counts[tag as usize] == 0 {
            return;
        }
        match tag {
            tags::TABLE => self.close_within(|t| t == tag, |_| false),
            tags::TD | tags::TH | tags::TR | tags::TBODY | tags::THEAD | tags::TFOOT | tags::CAPTION => {
                self.close_within(|t| t == tag, |t| t == tags::TABLE)
            }
            tags::LI => self.close_within(
                |t| t == tag,
                |t| tags::flags(t) & SCOPE != 0 || matches!(t, tags::UL | tags::OL | tags::MENU | tags::DIR),
            ),
            _ => self.close_within(|t| t == tag, |t| tags::flags(t) & SCOPE != 0),
        }
    }

    /// Takes an inline element off the stack wherever it stands; blocks above it stay open.
    pub(super) fn end_inline(&mut self, tag: Tag) {
        if let Some(at) = self.open.iter().rposition(|open| open.tag == tag) {
            let open = self.open.remove(at);
            self.closed(&open);
        }
    }
}
