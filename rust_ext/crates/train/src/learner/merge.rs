//! What the pairs around a merge lose and gain, summed up over the parts.

use super::part::{Merge, Part};
use super::pool::Pool;
use super::ranks::Ranks;
use crate::allow::Allow;
use crate::pairs::key;
use crate::score::Types;
use crate::walk::{Change, Joins, Side};
use crate::words::Symbol;

/// The neighbours on one side of a merge in all parts.
#[derive(Default)]
pub struct Sums {
    changes: Vec<Change>,
    types: Vec<(Types, Types)>,
    gained: Vec<u32>,
    /// Place among `changes` by token id, where there are several parts.
    at: Vec<u32>,
}

impl Sums {
    /// Takes over the buffers of the first part; `hand_back` returns them.
    fn take(&mut self, first: &mut Side) {
        std::mem::swap(&mut self.changes, &mut first.changes);
        std::mem::swap(&mut self.types, &mut first.changed_types);
    }

    /// Prepares for the sums of other parts.
    fn index(&mut self, ids: usize) {
        if self.at.len() < ids {
            self.at.resize(ids.next_power_of_two(), Side::NOWHERE);
        }
        for (place, change) in (0..).zip(&self.changes) {
            self.at[change.id as usize] = place;
        }
    }

    fn add<const MORPH: bool>(&mut self, other: &Side) {
        for (number, change) in other.changes.iter().enumerate() {
            let at = &mut self.at[change.id as usize];
            let types = if MORPH {
                other.changed_types[number]
            } else {
                Default::default()
            };
            if *at == Side::NOWHERE {
                *at = self.changes.len() as u32;
                self.changes.push(*change);
                if MORPH {
                    self.types.push(types);
                }
            } else {
                self.changes[*at as usize].count += change.count;
                if MORPH {
                    let sum = &mut self.types[*at as usize];
                    sum.0.add(types.0);
                    sum.1.add(types.1);
                }
            }
        }
    }

    /// Hands another part the indices of the new pairs that are held.
    fn hand_out(&self, other: &mut Side) {
        let Side { changes, gained, .. } = other;
        gained.clear();
        gained.extend(
            changes
                .iter()
                .map(|change| self.gained[self.at[change.id as usize] as usize]),
        );
    }

    fn hand_back(&mut self, first: &mut Side) {
        // Forgets the places of tokens, where there are any.
        if !self.at.is_empty() {
            for change in &self.changes {
                self.at[change.id as usize] = Side::NOWHERE;
            }
        }
        std::mem::swap(&mut self.gained, &mut first.gained);
        self.take(first);
    }

    /// The pairs (left, `merge.left`) lose, and (left, `merge.new`) gain: those of left neighbours; or the pairs
    /// of right ones.
    fn settle<const LEFT: bool, const MORPH: bool>(
        &mut self,
        ranks: &mut Ranks,
        merge: Merge,
        allow: &impl Allow,
    ) {
        let Merge { left, right, new, .. } = merge;
        let old = |id: u32| if LEFT { key(id, left) } else { key(right, id) };
        for change in &self.changes {
            ranks.pairs.prefetch(old(change.id));
        }
        for change in &self.changes {
            ranks.pairs.prefetch_entry(old(change.id));
        }
        self.gained.clear();
        for (number, &Change { id, count }) in self.changes.iter().enumerate() {
            let (lost, gained) = if MORPH {
                self.types[number]
            } else {
                Default::default()
            };
            ranks.lose::<MORPH>(old(id), key(left, right), count, lost);
            let pair = if LEFT { (id, new) } else { (new, id) };
            self.gained.push(ranks.gain::<MORPH>(pair, count, gained, allow));
        }
    }
}

/// Both sides.
#[derive(Default)]
pub struct Settling {
    left: Sums,
    right: Sums,
}

impl Settling {
    /// Gives the pairs around a merge, which has been walked in all parts, what they lost and gained, and hands
    /// the parts the indices of the new pairs held; returns how many pairs were joined.
    pub fn settle<S: Symbol, const MORPH: bool>(
        &mut self,
        ranks: &mut Ranks,
        merge: Merge,
        allow: &impl Allow,
        own: &mut Part<S>,
        others: &Pool<S>,
    ) -> i64 {
        let (mut joined, mut joins) = (own.joined, Joins::default());
        joins.add(&own.joins);
        self.left.take(&mut own.left);
        self.right.take(&mut own.right);
        let mut alone = true;
        for mut other in others.parts() {
            let other = other.part();
            if std::mem::take(&mut alone) {
                self.left.index(merge.new as usize + 1);
                self.right.index(merge.new as usize + 1);
            }
            joined += other.joined;
            joins.add(&other.joins);
            self.left.add::<MORPH>(&other.left);
            self.right.add::<MORPH>(&other.right);
        }
        self.left.settle::<true, MORPH>(ranks, merge, allow);
        self.right.settle::<false, MORPH>(ranks, merge, allow);
        let mut twice = Side::NOWHERE;
        if joins.count > 0 {
            let Merge { left, right, new, .. } = merge;
            ranks.lose::<MORPH>(key(right, left), key(left, right), joins.count, joins.lost);
            twice = ranks.gain::<MORPH>((new, new), joins.count, joins.gained, allow);
        }
        own.joins.gained_index = twice;
        for mut other in others.parts() {
            let other = other.part();
            other.joins.gained_index = twice;
            self.left.hand_out(&mut other.left);
            self.right.hand_out(&mut other.right);
        }
        self.left.hand_back(&mut own.left);
        self.right.hand_back(&mut own.right);
        joined
    }
}
