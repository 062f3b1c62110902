//! Trees over many rows at once.
//!
//! A value is kept as a key: the upper half of its single-precision float (8 significant bits, as bfloat16), turned
//! so that keys are in the order of the values. Rows lie side by side, one column a feature, and a tree is worked
//! out from its deepest splits up for all rows of a group: each split chooses, lane by lane, the leaf that its left
//! or its right child has found. Every split is computed, needed or not, but none waits for another or for a
//! branch, and a compiler makes vector instructions of it; walking down took 2.5 times as long.

use bukvar_trees::{LEAF, Tree};

/// Features of a row at most: a power of two, so that an index needs no bounds check.
pub const WIDTH: usize = 512;
/// Rows of a group.
pub const LANES: usize = 32;

/// The keys of a group of rows, feature by feature.
pub type Columns = [[i16; LANES]; WIDTH];

/// The key of a value that is a number: greater values never have smaller keys.
#[inline]
pub const fn key(value: f32) -> i16 {
    let half = ((value + 0.0).to_bits() >> 16) as i16; // adding 0 makes -0 the same as 0
    half ^ ((half >> 15) & 0x7FFF)
}

/// The keys of 0 to 255.
pub static KEYS: [i16; 256] = {
    let mut keys = [0; 256];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = key(at as f32);
        at += 1;
    }
    keys
};

/// The number nearest to 0 that has this key: what the trees know of the value.
pub fn value(key: i16) -> f32 {
    let half = key ^ ((key >> 15) & 0x7FFF);
    f32::from_bits(u32::from(half as u16) << 16)
}

/// The greatest key whose number is not above `threshold`.
fn threshold_key(threshold: f32) -> i16 {
    let near = key(threshold);
    if value(near) > threshold { near - 1 } else { near }
}

#[derive(Clone, Copy)]
struct Split {
    feature: u16,
    key: i16,
    left: u8,
    right: u8,
}

/// What the splits of a tree have found: for each split, then from [`LEAF`] on for each leaf, a leaf a lane.
pub struct Slots(Box<[[u8; LANES]; 256]>);

impl Default for Slots {
    fn default() -> Self {
        let mut slots = Box::new([[0; LANES]; 256]);
        for (leaf, slot) in slots[LEAF..].iter_mut().enumerate() {
            *slot = [leaf as u8; LANES];
        }
        Slots(slots)
    }
}

/// A sum of trees over the rows of blocks.
pub struct Forest {
    base: f32,
    splits: Vec<Split>,
    leaves: Vec<f32>,
    /// Where each tree's splits and leaves end.
    ends: Vec<(usize, usize)>,
}

impl Forest {
    /// The same trees, laid out for groups.
    pub fn new(base: f32, trees: &[Tree]) -> Self {
        let mut forest = Forest {
            base,
            splits: Vec::new(),
            leaves: Vec::new(),
            ends: Vec::with_capacity(trees.len()),
        };
        for tree in trees {
            forest.splits.extend(tree.splits.iter().map(|split| Split {
                feature: split.feature,
                key: threshold_key(split.threshold),
                left: split.children[0],
                right: split.children[1],
            }));
            forest.leaves.extend(&tree.leaves);
            forest.ends.push((forest.splits.len(), forest.leaves.len()));
        }
        forest
    }

    /// The sums of a group's rows, in single precision and in the order of the trees.
    pub fn score(&self, columns: &Columns, slots: &mut Slots) -> [f32; LANES] {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, as has just been asked.
            return unsafe { self.score_avx2(columns, slots) };
        }
        self.score_lanes(columns, slots)
    }

    /// The same in lanes twice as wide as every x86-64 processor has.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn score_avx2(&self, columns: &Columns, slots: &mut Slots) -> [f32; LANES] {
        self.score_lanes(columns, slots)
    }

    #[inline(always)]
    fn score_lanes(&self, columns: &Columns, slots: &mut Slots) -> [f32; LANES] {
        let slots = &mut *slots.0;
        let mut sums = [self.base; LANES];
        let (mut first_split, mut first_leaf) = (0, 0);
        for &(end_split, end_leaf) in &self.ends {
            let splits = &self.splits[first_split..end_split];
            let leaves = &self.leaves[first_leaf..end_leaf];
            (first_split, first_leaf) = (end_split, end_leaf);
            if splits.is_empty() {
                sums.iter_mut().for_each(|sum| *sum += leaves[0]);
                continue;
            }
            for at in (0..splits.len()).rev() {
                let split = splits[at];
                let column = &columns[usize::from(split.feature) % WIDTH];
                let (to, from) = slots.split_at_mut(at + 1); // children come after their parents
                let (left, right) = (
                    usize::from(split.left) - at - 1,
                    usize::from(split.right) - at - 1,
                );
                choose(column, split.key, &from[left], &from[right], &mut to[at]);
            }
            for (sum, &leaf) in sums.iter_mut().zip(&slots[0]) {
                *sum += leaves[usize::from(leaf)];
            }
        }
        sums
    }
}

/// Lane by lane the left leaf where the value's key is at most `key`, else the right one.
#[inline(always)]
fn choose(column: &[i16; LANES], key: i16, left: &[u8; LANES], right: &[u8; LANES], to: &mut [u8; LANES]) {
    for lane in 0..LANES {
        let mask = u8::from(column[lane] <= key).wrapping_neg(); // all ones or none: no branch
        to[lane] = right[lane] ^ ((left[lane] ^ right[lane]) & mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bukvar_trees::Split as Plain;
    use proptest::prelude::*;

    #[test]
    fn a_leaf_alone_is_a_tree() {
        let forest = Forest::new(
            1.0,
            &[Tree {
                splits: vec![],
                leaves: vec![2.0],
            }],
        );
        let columns = vec![[0; LANES]; WIDTH];
        let columns: &Columns = columns.as_slice().try_into().expect("WIDTH columns");
        assert_eq!(forest.score(columns, &mut Slots::default()), [3.0; LANES]);
    }

    /// A tree of random shape over four features: each further split takes the place of a leaf.
    fn tree() -> impl Strategy<Value = Tree> {
        let split = (0..4u16, -1e3f32..1e3, any::<prop::sample::Index>());
        (
            prop::collection::vec(split, 0..30),
            prop::collection::vec(-1f32..1.0, 31),
        )
            .prop_map(|(drawn, values)| {
                let mut splits: Vec<Plain> = Vec::new();
                let mut open: Vec<(usize, usize)> = Vec::new();
                for (at, (feature, threshold, place)) in drawn.into_iter().enumerate() {
                    if at > 0 {
                        let (parent, side) = open.swap_remove(place.index(open.len()));
                        splits[parent].children[side] = at as u8;
                    }
                    splits.push(Plain {
                        feature,
                        threshold,
                        children: [0; 2],
                    });
                    open.extend([(at, 0), (at, 1)]);
                }
                for (leaf, &(parent, side)) in open.iter().enumerate() {
                    splits[parent].children[side] = (LEAF + leaf) as u8;
                }
                let leaves = values[..splits.len() + 1].to_vec();
                Tree { splits, leaves }
            })
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_values(a in -1e30f32..1e30, b in -1e30f32..1e30) {
            prop_assert!(a > b || key(a) <= key(b));
            prop_assert!(value(key(a)).abs() <= a.abs() && (value(key(a)) - a).abs() <= a.abs() / 128.0);
            prop_assert_eq!(value(key(a)) <= b, key(a) <= threshold_key(b));
        }

        #[test]
        fn groups_are_scored_as_each_row_alone(
            trees in prop::collection::vec(tree(), 1..6),
            rows in prop::collection::vec(prop::array::uniform4(-1e3f32..1e3), LANES),
        ) {
            let mut columns = vec![[0i16; LANES]; WIDTH];
            for (lane, row) in rows.iter().enumerate() {
                (0..4).for_each(|feature| columns[feature][lane] = key(row[feature]));
            }
            let columns: &Columns = columns.as_slice().try_into().expect("WIDTH columns");
            let forest = Forest::new(0.5, &trees);
            let plain: Vec<f32> = rows
                .iter()
                .map(|row| {
                    let row = row.map(|v| value(key(v)));
                    trees.iter().fold(0.5, |sum, tree| sum + tree.leaf(&row))
                })
                .collect();
            prop_assert_eq!(&forest.score(columns, &mut Slots::default())[..], &plain[..]);
            prop_assert_eq!(&forest.score_lanes(columns, &mut Slots::default())[..], &plain[..]);
        }
    }
}
